// What splices do, by the runtime's own Array.prototype.splice: the measure for what does it without copying a table.
import type { Row, Splice } from "../../src/feed/protocol.ts";

/** In place. */
export function applySplices(rows: Row[], splices: readonly Splice[]): void {
  for (const [start, deleteCount, inserted] of splices) rows.splice(start, deleteCount, ...inserted);
}

export function spliced(before: Iterable<Row>, splices: readonly Splice[]): Row[] {
  const rows = [...before];
  applySplices(rows, splices);
  return rows;
}
