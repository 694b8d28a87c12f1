// What is under a point of the window: a cell, a header, the edge of a column.
import type { Layout } from "./layout.ts";
import { HEADER, type Spot } from "./selection.ts";
import type { Viewport } from "./viewport.ts";

export type HitTest = {
  /** The cell or header there, if there is one; `place` is -1 for the row numbers. */
  spotAt(x: number, y: number): Spot | undefined;
  /** The cell there, or the one nearest to it; undefined if there is none at all. */
  nearestCell(x: number, y: number): Spot | undefined;
  /** The column whose right edge is there, in the header. */
  edgeAt(x: number, y: number): number | undefined;
};

/** So near to its edge, in px, a column is taken by it. */
const EDGE_PX = 5;

export function openHitTest(
  view: Viewport,
  layout: Layout,
  gutter: () => number,
  count: () => number,
  rowHeight: number,
): HitTest {
  const { placeAt } = layout;
  const width = () => layout.left(layout.shown().length);

  /** Pinned columns are not scrolled. */
  const acrossAt = (x: number) => (x < layout.pinnedWidth() ? x : x + view.left());

  function at(clientX: number, clientY: number) {
    const { x, y } = view.pointIn(clientX, clientY);
    return {
      x,
      y,
      across: acrossAt(x - gutter()),
      position: Math.floor((y - rowHeight + view.top()) / rowHeight),
    };
  }

  return {
    spotAt(clientX, clientY) {
      const { x, y, across, position } = at(clientX, clientY);
      if (position >= count() || across >= width()) return undefined;
      return { position: y < rowHeight ? HEADER : position, place: x < gutter() ? -1 : placeAt(Math.max(0, across)) };
    },
    nearestCell(clientX, clientY) {
      const { across, position } = at(clientX, clientY);
      if (count() === 0 || width() === 0) return undefined;
      return {
        position: Math.max(0, Math.min(position, count() - 1)),
        place: placeAt(Math.max(0, Math.min(across, width() - 1))),
      };
    },
    edgeAt(clientX, clientY) {
      const { x, y, across } = at(clientX, clientY);
      if (y < 0 || y >= rowHeight || x < gutter()) return undefined;
      const from = placeAt(Math.max(0, across - EDGE_PX));
      const place = [from, from - 1].find((near) => near >= 0 && Math.abs(layout.left(near + 1) - across) <= EDGE_PX);
      return place === undefined ? undefined : layout.shown()[place]?.index;
    },
  };
}
