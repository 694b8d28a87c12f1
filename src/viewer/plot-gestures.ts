// Zooming and moving a plot with the keyboard, two fingers or the wheel; and its height, by dragging the edge below it.
import { element } from "./dom.ts";
import { moved, pinched, type Range, zoomed } from "./plot-view.ts";

export type Gestures = {
  /** What is shown of the x axis; undefined: there is no chart. */
  readonly range: () => Range | undefined;
  readonly onRange: (range: Range) => void;
  readonly onWhole: () => void;
};

const CLOSER = 0.7;
const FURTHER = 1 / CLOSER;
const STEP = 0.2;
/** So much of the wheel doubles what is shown. */
const WHEEL_PX = 240;

export function listenToGestures(canvas: HTMLElement, { range, onRange, onWhole }: Gestures): void {
  const change = (by: (range: Range) => Range) => {
    const now = range();
    if (now) onRange(by(now));
  };
  const keys: Readonly<Record<string, () => void>> = {
    "+": () => change((now) => zoomed(now, CLOSER)),
    "=": () => change((now) => zoomed(now, CLOSER)),
    "-": () => change((now) => zoomed(now, FURTHER)),
    ArrowLeft: () => change((now) => moved(now, -STEP)),
    ArrowRight: () => change((now) => moved(now, STEP)),
    "0": onWhole,
    Escape: onWhole,
  };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]!();
  });
  canvas.addEventListener("wheel", wheel, { passive: false });
  listenToPinch(canvas, range, onRange);

  /** With Ctrl, as a trackpad says that two fingers move apart; without it the page scrolls. */
  function wheel(event: WheelEvent): void {
    if (!event.ctrlKey) return;
    event.preventDefault();
    change((now) => zoomed(now, 2 ** (event.deltaY / WHEEL_PX), shareOf(canvas, event.clientX)));
  }
}

/** From 0 to 1, where a point is between the ends of what is drawn. */
function shareOf(canvas: HTMLElement, x: number): number {
  const { left, width } = (canvas.querySelector(".u-over") ?? canvas).getBoundingClientRect();
  return Math.max(0, Math.min(1, (x - left) / width));
}

function listenToPinch(canvas: HTMLElement, range: Gestures["range"], onRange: Gestures["onRange"]): void {
  let began: { readonly range: Range; readonly from: number; readonly to: number } | undefined;
  const fingers = ({ touches }: TouchEvent) => {
    const [one, other] = [touches[0]!.clientX, touches[1]!.clientX].map((x) => shareOf(canvas, x));
    return { from: Math.min(one!, other!), to: Math.max(one!, other!) };
  };
  canvas.addEventListener("touchstart", (event) => {
    const now = event.touches.length === 2 ? range() : undefined;
    began = now && { range: now, ...fingers(event) };
  });
  canvas.addEventListener(
    "touchmove",
    (event) => {
      if (!began || event.touches.length !== 2) return;
      event.preventDefault();
      const { from, to } = fingers(event);
      onRange(pinched(began.range, began, { from, to }));
    },
    { passive: false },
  );
  canvas.addEventListener("touchend", () => (began = undefined));
}

export const MIN_HEIGHT = 120;
const KEY_PX = 24;

/** The edge below the plot. `height` is that of now, in px. */
export function heightEdge(height: () => number, onHeight: (height: number) => void): HTMLElement {
  const bounded = (px: number) => Math.round(Math.max(MIN_HEIGHT, Math.min(px, innerHeight - 160)));
  const edge = element("div", { class: "plot-edge", role: "separator", tabindex: 0 });
  edge.ariaOrientation = "horizontal";
  edge.ariaLabel = "Height of the plot";
  edge.title = "Drag to make the plot higher or lower";
  edge.addEventListener("pointerdown", (event) => {
    const before = height();
    edge.setPointerCapture(event.pointerId);
    edge.onpointermove = ({ clientY }) => onHeight(bounded(before + clientY - event.clientY));
    edge.onlostpointercapture = () => (edge.onpointermove = null);
  });
  edge.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    onHeight(bounded(height() + (event.key === "ArrowUp" ? -KEY_PX : KEY_PX)));
  });
  return edge;
}
