// What is counted while the records of a text are walked: what a person should hear of.
import type { Dialect } from "./dialect.ts";
import { walkRecords } from "./records.ts";

export type Tally = {
  /** Cells beyond the last column that are not empty. */
  surplus: number;
  /** The first record that has some: its offset, and its number of cells. */
  firstSurplus: { readonly start: number; readonly fields: number } | undefined;
  /** Records that were the header again, or its units. */
  again: number;
  /** Records of nothing but NULs. */
  nuls: number;
  /** The first stray quote, or -1. */
  strayAt: number;
  /** The first record that may read otherwise if more text comes, or -1. */
  unsettledAt: number;
};

export const emptyTally = (): Tally => ({
  surplus: 0,
  firstSurplus: undefined,
  again: 0,
  nuls: 0,
  strayAt: -1,
  unsettledAt: -1,
});

type Walked = Pick<Dialect, "layout" | "columns"> & Partial<Pick<Dialect, "quotes">>;

/** Walks as `walkRecords` does, and counts into `tally`. With `quotes` stray ones are marked. */
export function tallyRecords(
  bytes: Uint8Array,
  from: number,
  to: number,
  { layout, columns, quotes }: Walked,
  tally: Tally,
  visit: (start: number) => boolean | void,
): number {
  return walkRecords(
    bytes,
    from,
    to,
    layout,
    columns.length,
    (start, _end, fields, surplus) => {
      if (visit(start) === true) return true;
      if (surplus > 0) {
        tally.surplus += surplus;
        tally.firstSurplus ??= { start, fields };
      }
      return false;
    },
    {
      quotes,
      visitSkipped(_start, _end, kind) {
        if (kind === "again") tally.again++;
        else if (kind === "nul") tally.nuls++;
      },
      visitStray(start, quoteAt, isSettled) {
        if (tally.strayAt === -1) tally.strayAt = quoteAt;
        if (!isSettled && tally.unsettledAt === -1) tally.unsettledAt = start;
      },
    },
  );
}
