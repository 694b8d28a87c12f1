// What of a table is published, and what that has become since the last time.
import type { Blocks } from "../csv/blocks.ts";
import type { Understanding } from "../csv/document.ts";
import { type CsvTable, mergedChange, type RowChange } from "../csv/table.ts";
import { type View, viewOf, type ViewSplice, viewSplices } from "../csv/view.ts";

/** What is held has become this. */
export type Revision = {
  readonly table: CsvTable;
  /** The rows of the table, for good. */
  readonly blocks: Blocks;
  readonly document: Understanding;
  readonly view: View;
  /** `all`: the view is to be taken anew, in a new epoch if `isNewEpoch`. */
  readonly change: readonly ViewSplice[] | "all";
  readonly isNewEpoch: boolean;
};

export type Revising = {
  /** The table has changed. */
  changed(change: RowChange): void;
  /** It is another one, which has nothing to do with the one before. */
  renewed(): void;
  /** What has come of it, if anything; rows that cannot be shown any more may leave. Without a last row that is not shown. */
  revise(table: CsvTable, document: Understanding, showsLast: boolean): Revision | undefined;
};

/** `lastRows`: so many are shown. */
export function openRevising(lastRows: number): Revising {
  let view: View = { first: 0, end: 0, rows: 0 };
  let pending: RowChange = [];
  let isNewEpoch = false;
  return {
    changed: (change) => void (pending = mergedChange(pending, change)),
    renewed: () => void (isNewEpoch = true),
    revise(table, document, showsLast) {
      const next = viewOf(table.rows(), table.rows() - (showsLast ? 0 : 1), lastRows);
      const change = isNewEpoch || pending === "all" ? ("all" as const) : viewSplices(pending, view, next);
      const gone = table.letGo(next.first);
      view = { first: next.first - gone, end: next.end - gone, rows: next.rows - gone };
      const moved = change === "all" ? change : change.map((splice) => ({ ...splice, from: splice.from - gone }));
      const revision = { table, blocks: table.blocks(), document, view, change: moved, isNewEpoch };
      pending = [];
      isNewEpoch = false;
      return change.length > 0 ? revision : undefined;
    },
  };
}
