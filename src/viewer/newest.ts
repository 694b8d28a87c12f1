// The newest time of columns, for filters that go by it: `time>-10m`. Follows the rows that come, and says when a filter is to look again.
import type { Splice } from "../feed/protocol.ts";
import { type Kind, valueIn } from "./cells.ts";
import type { FilterRead } from "./filter.ts";

export type Newest = {
  of(column: number): number | undefined;
  /** All values of a column, if they are known. */
  take(column: number, values: Float64Array | undefined): void;
  /** Rows have come: whether the filter would leave out rows that it has let in. */
  note(changes: readonly Change[], filter: Pick<FilterRead, "newestOf">, kinds: readonly Kind[]): boolean;
  forget(): void;
};

type Change = { readonly splices: readonly Splice[] };

/** The filter may be behind by so much, or by this share of what it lets in. */
const MAX_BEHIND_MS = 1_000;
const MAX_BEHIND = 0.05;

export function openNewest(): Newest {
  const newest = new Map<number, number>();
  const filtered = new Map<number, number>(); // what the filter goes by

  return {
    of: (column) => filtered.get(column),
    take(column, values) {
      if (!values) return;
      let most = -Infinity;
      for (const value of values) if (value > most) most = value;
      newest.set(column, most);
      filtered.set(column, most);
    },
    note(changes, { newestOf }, kinds) {
      let isBehind = false;
      for (const { column, ms } of newestOf) {
        for (const { splices } of changes)
          for (const [, , rows] of splices)
            for (const row of rows) {
              const value = valueIn(row, column, kinds[column]!);
              if (value > (newest.get(column) ?? -Infinity)) newest.set(column, value);
            }
        const behind = (newest.get(column) ?? 0) - (filtered.get(column) ?? 0);
        if (behind >= Math.min(MAX_BEHIND_MS, ms * MAX_BEHIND) && behind > 0) isBehind = true;
      }
      return isBehind;
    },
    forget() {
      newest.clear();
      filtered.clear();
    },
  };
}
