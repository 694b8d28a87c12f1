// What has changed a moment ago, for the page to point at. Rows are known by themselves, not by their number, so that it does not
// matter where they move to.
import type { Row, Splice } from "../feed/protocol.ts";
import type { Rows } from "../follow/blocks.ts";

/** Which cells of a row have changed, or all; `at` by the clock that was given. */
export type Flash = { readonly at: number; readonly cells: readonly number[] | "all" };

export type Flashes = {
  /** Notes what a change brings; `before` are the rows before it. */
  note(splices: readonly Splice[], before: Pick<Rows, "row">, now: number): void;
  of(row: Row, now: number): Flash | undefined;
  clear(): void;
};

export const FLASH_MS = 1_200;
/** A change of more rows is no news of a row. */
const MAX_ROWS = 2_000;

export function openFlashes(): Flashes {
  let flashes = new Map<Row, Flash>();

  function note(splices: readonly Splice[], before: Pick<Rows, "row">, now: number): void {
    for (const [row, { at }] of flashes) {
      if (now - at < FLASH_MS) break; // they are in the order of their time
      flashes.delete(row);
    }
    const brought = splices.reduce((sum, [, , rows]) => sum + rows.length, 0);
    if (brought > MAX_ROWS) return;
    let shift = 0; // rows of `before` that are further in front, as far as is known
    for (const [start, deleted, rows] of splices) {
      rows.forEach((row, i) => {
        const old = i < deleted ? before.row(start + i - shift) : undefined;
        const changed = old && row.flatMap((cell, column) => (cell === old[column] ? [] : [column]));
        const isOther = changed === undefined || changed.length * 2 > row.length + 2;
        flashes.set(row, { at: now, cells: isOther ? "all" : changed });
      });
      shift += rows.length - deleted;
    }
  }

  return {
    note,
    of(row, now) {
      const flash = flashes.get(row);
      return flash && now - flash.at < FLASH_MS ? flash : undefined;
    },
    clear: () => void (flashes = new Map()),
  };
}
