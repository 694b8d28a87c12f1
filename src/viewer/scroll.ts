// From the scroll bar to rows. No browser scrolls over a million rows (elements end at 17 to 33 million px): the bar stands for more
// than it has. Small steps are taken as they are, so that a wheel moves by rows; long ones move by the same share of the table.

/** No element is higher; every browser can do this much. */
export const MAX_HEIGHT = 8_000_000;

export type Scroll = {
  /** The height of the element that is scrolled. */
  height(): number;
  /** The first px of the table in view. */
  top(): number;
  /** How far `top` can go. */
  end(): number;
  /** The table has so many px, and the page shows so many of them. */
  resize(total: number, viewport: number): void;
  /** The bar was moved there by the person. */
  barMoved(barTop: number): void;
  /** Goes there; gives where the bar is to be. */
  goTo(top: number): number;
  /** Where the bar should be; undefined if it is well where it is. */
  correction(isResting: boolean): number | undefined;
  /** The bar was put there. */
  barPut(barTop: number): void;
};

/** A bar that is off by this much is put right when it rests. */
const SLACK_PX = 2;
/** A step, or a way to an end, of no more viewports than this is taken px for px. */
const NEAR = 2;

export function openScroll(): Scroll {
  let total = 0;
  let viewport = 0;
  let top = 0;
  let bar = 0;

  const height = () => Math.min(total, MAX_HEIGHT);
  const end = () => Math.max(0, total - viewport);
  const barEnd = () => Math.max(0, height() - viewport);
  const isScaled = () => total > MAX_HEIGHT;
  const bounded = (px: number) => Math.max(0, Math.min(px, end()));

  /** The same share of the way; near the ends px for px, so that small steps reach them. */
  function barFor(px: number): number {
    if (!isScaled()) return px;
    const inFront = Math.min(NEAR * viewport, px);
    const behind = Math.min(NEAR * viewport, end() - px);
    return Math.max(inFront, Math.min(barEnd() - behind, (px / end()) * barEnd()));
  }

  return {
    height,
    top: () => top,
    end,
    resize(newTotal, newViewport) {
      total = newTotal;
      viewport = newViewport;
      top = bounded(top);
    },
    barMoved(barTop) {
      const step = barTop - bar;
      if (isScaled() && Math.abs(step) < 1) return; // until they are a px together
      bar = barTop;
      if (!isScaled()) top = bounded(barTop);
      else if (barTop <= 0 && Math.abs(step) > viewport) top = 0;
      else if (Math.abs(step) <= NEAR * viewport) top = bounded(top + step);
      else top = bounded((barTop / barEnd()) * end());
    },
    goTo(px) {
      top = bounded(px);
      return barFor(top);
    },
    correction(isResting) {
      const wanted = barFor(top);
      const isStuck = (bar <= 0 && top > 0) || (bar >= barEnd() - 1 && top < end());
      return Math.abs(wanted - bar) > SLACK_PX && (isResting || isStuck) ? wanted : undefined;
    },
    barPut: (barTop) => void (bar = barTop),
  };
}
