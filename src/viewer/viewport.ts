// What is scrolled: an element as large as the table may be, and in it, always in view, the layer that the rows are drawn into. So
// nothing is ever blank while it scrolls, and the table may be larger than any element.
import { element } from "./dom.ts";
import { openScroll } from "./scroll.ts";

export type Viewport = {
  /** What has the focus for the keyboard. */
  readonly scroller: HTMLElement;
  readonly layer: HTMLElement;
  /** The px of the table below the header, and beside the row numbers, that are first in view; and how many are. */
  top(): number;
  left(): number;
  height(): number;
  width(): number;
  isAtEnd(): boolean;
  goTo(top: number): void;
  goToEnd(): void;
  setLeft(left: number): void;
  /** The table has other sizes, in px. */
  resize(total: { readonly height: number; readonly width: number }): void;
  /** A point of the window, in px of the layer. */
  pointIn(x: number, y: number): { readonly x: number; readonly y: number };
};

export type ViewportOptions = {
  /** The height of the header; the width of the row numbers. */
  readonly head: number;
  readonly gutter: () => number;
  /** A person has scrolled; positive: down. */
  readonly onScrolled: (by: number) => void;
  /** There is another room for the table. */
  readonly onResized: () => void;
};

/** After so long without a step the scroll bar rests, and may be put right. */
const REST_MS = 150;

export function openViewport(host: HTMLElement, { head, gutter, onScrolled, onResized }: ViewportOptions): Viewport {
  const layer = element("div", { class: "layer", role: "presentation" });
  const sized = element("div", { role: "presentation" }, layer);
  const scroller = element(
    "div",
    {
      class: "scroller",
      role: "grid",
      tabindex: 0,
      "aria-label": "Table",
      "aria-readonly": "true",
      "aria-multiselectable": "true",
    },
    sized,
  );
  const scroll = openScroll();
  let room = { width: 0, height: 0 };
  let total = { width: 0, height: 0 };
  let resting: ReturnType<typeof setTimeout> | undefined;
  host.prepend(scroller);
  new ResizeObserver(() => requestAnimationFrame(onResized)).observe(scroller);
  scroller.addEventListener("scroll", scrolled, { passive: true });

  const height = () => Math.max(0, room.height - head);
  const width = () => Math.max(0, room.width - gutter());
  const isOtherRoom = () => scroller.clientHeight !== room.height || scroller.clientWidth !== room.width;

  function scrolled(): void {
    if (isOtherRoom()) return onResized(); // which moves the bar by itself
    const before = scroll.top();
    scroll.barMoved(scroller.scrollTop);
    correct(false);
    clearTimeout(resting);
    resting = setTimeout(() => {
      resting = undefined;
      correct(true);
    }, REST_MS);
    onScrolled(scroll.top() - before);
  }

  function correct(isResting: boolean): void {
    const bar = scroll.correction(isResting);
    if (bar !== undefined) putBar(bar);
  }

  function putBar(bar: number): void {
    scroller.scrollTop = bar;
    scroll.barPut(scroller.scrollTop);
  }

  function measure(): void {
    room = { width: scroller.clientWidth, height: scroller.clientHeight };
    scroll.resize(total.height, height());
    sized.style.height = `${scroll.height() + head}px`;
    sized.style.width = `${total.width + gutter()}px`;
    layer.style.width = `${room.width}px`;
    layer.style.height = `${room.height}px`;
  }

  return {
    scroller,
    layer,
    top: scroll.top,
    left: () => scroller.scrollLeft,
    height,
    width,
    isAtEnd: () => scroll.top() >= scroll.end() - 1,
    goTo: (top) => putBar(scroll.goTo(top)),
    goToEnd: () => putBar(scroll.goTo(scroll.end())),
    setLeft: (left) => void (scroller.scrollLeft = left),
    resize(next) {
      total = next;
      measure();
      if (isOtherRoom()) measure(); // bars have come or gone
      if (resting === undefined) correct(true);
    },
    pointIn(x, y) {
      const box = scroller.getBoundingClientRect();
      return { x: x - box.left, y: y - box.top };
    },
  };
}
