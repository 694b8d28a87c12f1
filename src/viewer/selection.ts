// What is selected: a rectangle from the cell where it began to the cell that has the focus. Rows are known by their numbers, so that
// the selection stays with them when others come and go.
import type { Layout } from "./layout.ts";
import type { Frame, Mark } from "./messages.ts";

/** The position of the focus in the header. */
export const HEADER = -1;

/** `place` is that of a shown column. */
export type Spot = { readonly position: number; readonly place: number };

export type Selection = {
  /** Undefined: nothing is selected. */
  focus(): Spot | undefined;
  /** The rectangle, ends included; undefined if there is none, or the focus is in the header. */
  area(): { readonly top: number; readonly bottom: number; readonly left: number; readonly right: number } | undefined;
  /** Puts the focus there; `extends`: the other end stays where it is. */
  put(spot: Spot, isExtended: boolean): void;
  /** A number for the selection as it is, and the marks of its ends. */
  readonly id: number;
  marks(): readonly Mark[];
  /** The rows have moved. */
  take(frame: Frame): void;
  clear(): void;
};

type End = { readonly position: number; readonly column: number; readonly mark: Mark };

/** Where columns are shown: as others are hidden, their places change. */
type Places = Pick<Layout, "shown" | "placeOf">;

/** `markAt` gives the row that is shown at a position, if that is known. */
export function openSelection(markAt: (position: number) => Mark | undefined, places: Places): Selection {
  let anchor: End | undefined;
  let focus: End | undefined;
  let id = 0;

  const endAt = ({ position, place }: Spot): End => ({
    position,
    column: places.shown()[place]?.index ?? place,
    mark: markAt(position) ?? { position: Math.max(0, position) },
  });

  const spotOf = ({ position, column }: End): Spot => ({ position, place: places.placeOf(column) });

  return {
    focus: () => focus && spotOf(focus),
    area() {
      if (!anchor || !focus || focus.position === HEADER) return undefined;
      const [from, to] = [spotOf(anchor).place, spotOf(focus).place];
      return {
        top: Math.max(0, Math.min(anchor.position, focus.position)),
        bottom: Math.max(anchor.position, focus.position),
        left: Math.min(from, to),
        right: Math.max(from, to),
      };
    },
    put(spot, isExtended) {
      focus = endAt(spot);
      if (!isExtended || !anchor || spot.position === HEADER) anchor = focus;
      id++;
    },
    get id() {
      return id;
    },
    marks: () => (anchor && focus ? [anchor.mark, focus.mark] : []),
    take(frame) {
      const [first, second] = frame.marks;
      if (frame.selection !== id || !anchor || !focus || !first || !second || focus.position === HEADER) return;
      const moved = (end: End, to: { row: number; position: number }): End => ({
        ...end,
        position: to.position,
        mark: { row: to.row, version: frame.version },
      });
      anchor = moved(anchor, first);
      focus = moved(focus, second);
    },
    clear() {
      anchor = focus = undefined;
      id++;
    },
  };
}
