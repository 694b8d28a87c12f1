// What the page asks to see of the table, as it is now: the rows there, what the filter has found in them, and where rows have gone.
import { shownText } from "./cells.ts";
import { hitsIn, patternsOf } from "./hits.ts";
import type { Frame, FrameRow, Look, Mark } from "./messages.ts";
import type { Model } from "./model.ts";

export function frameOf(model: Model, look: Look, now: number): Frame {
  const { order, rows, version, generation } = model;
  const count = order.count();
  const isSame = look.generation === generation;
  const columns = isSame ? look.columns : [];
  const placeOf = (mark: Mark) => {
    const known = "row" in mark ? model.moved(mark.row, mark.version) : order.rowAt(Math.min(mark.position, count - 1));
    const now = Math.min(known ?? -1, rows.length - 1);
    return { row: now, position: now < 0 ? 0 : Math.min(order.positionOf(now), Math.max(0, count - 1)) };
  };
  const { anchor } = look;
  const shift =
    anchor === "end"
      ? count - look.to
      : anchor === "none" || !isSame
        ? 0
        : placeOf(anchor.mark).position - anchor.position;
  const from = Math.max(0, Math.min(look.from + shift, count));
  const to = Math.max(from, Math.min(look.to + shift, count));
  return {
    version,
    generation,
    total: rows.length,
    count,
    from,
    columns,
    rows: shownRows(model, columns, { from, to, now }),
    shift,
    marks: isSame ? look.marks.map(placeOf) : [],
    selection: look.selection,
    isWhole: model.total === undefined,
    unseen: isSame && look.seen ? unseenBehind(model, look.seen) : undefined,
  };
}

function shownRows(
  model: Model,
  columns: readonly number[],
  { from, to, now }: { readonly from: number; readonly to: number; readonly now: number },
): FrameRow[] {
  const { order, rows, filterRead, isBuilding } = model;
  const patterns = patternsOf(isBuilding ? [] : filterRead.hits); // these are the rows of an earlier filter
  return Array.from({ length: to - from }, (_, i): FrameRow => {
    const row = order.rowAt(from + i);
    const cells = rows.row(row)!;
    const flash = model.flashOf(cells);
    const shown = columns.map((column) => shownText(cells[column] ?? ""));
    return {
      row,
      cells: shown,
      hits: patterns.length === 0 ? [] : shown.map((cell, k) => hitsIn(cell, columns[k]!, patterns)),
      flash: flash && { ms: now - flash.at, cells: flash.cells },
    };
  });
}

/** The rows of the file behind one that was its last, as far as they are shown. */
function unseenBehind({ order, rows, moved }: Model, { row, version, isNewestFirst }: NonNullable<Look["seen"]>) {
  const last = Math.min(moved(row, version), rows.length - 1);
  const shown = isNewestFirst ? order.positionOf(last) : order.count() - order.positionOf(last + 1);
  return { last, count: Math.max(0, Math.min(shown, rows.length - 1 - last)) };
}
