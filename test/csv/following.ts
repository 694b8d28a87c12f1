// A live table as a client sees it: the publications of a growing source, applied one after the other.
import { openHeld, type Revision } from "../../src/source/held.ts";
import { shareOf } from "../fuzz/random.ts";
import { CsvError } from "../../src/csv/error.ts";
import type { ReadOptions } from "../../src/csv/options.ts";

export type Shown = { columns: readonly string[]; rows: string[][] };

/** `grow` feeds the bytes piece by piece; `final` is what all of them at once give, in the encoding that was found. */
export function follow(bytes: Uint8Array, readOptions: ReadOptions) {
  const limits = { ...readOptions, lastRows: Infinity, maxCellBytes: Infinity };
  const held = openHeld(limits);
  let shown: Shown = { columns: [], rows: [] };
  let epochs = 0;
  let encoding: string | undefined;

  function feed(to: number): void {
    const covered = held.covered();
    try {
      if (held.table() && held.append(bytes.subarray(covered, to))) return;
      held.set(new Uint8Array(bytes.subarray(0, to)), to);
    } catch (error) {
      if (!(error instanceof CsvError)) throw error; // a header that is not complete
    }
  }

  function apply({ table, view, change, isNewEpoch, document }: Revision): void {
    encoding = document.encoding;
    if (isNewEpoch && table.columns.length > 0) epochs++;
    const rows = (from: number, to: number): string[][] => JSON.parse(table.render(from, to, "arrays").text ?? "");
    if (change === "all") shown = { columns: table.columns, rows: rows(view.first, view.end) };
    else if (!("text" in change))
      for (const { start, deleted, from, inserted } of change)
        shown.rows.splice(start, deleted, ...rows(from, from + inserted));
  }

  function grow(by: "records" | "bytes"): void {
    // Every byte of a small file is a border; of a larger one so many are that no line is spared.
    const step = Math.ceil(bytes.length / shareOf(300));
    for (let at = 1; at <= bytes.length; at++) {
      const isBorder =
        (by === "bytes" && at % step === 0) ||
        at === bytes.length ||
        bytes[at - 1] === 10 ||
        (bytes[at - 1] === 0 && bytes[at - 2] === 10);
      if (!isBorder) continue;
      feed(at);
      const publication = held.publish(true);
      if (publication) apply(publication);
    }
  }

  function final(): Shown {
    // A verdict on the encoding is kept, though all of the file would tell another one.
    const whole = openHeld({ ...limits, ...(encoding && { encoding }) });
    whole.set(new Uint8Array(bytes), bytes.length);
    const { table, view } = whole.publish(true)!;
    return { columns: table.columns, rows: JSON.parse(table.render(view.first, view.end, "arrays").text ?? "") };
  }

  return { grow, final, shown: () => shown, epochs: () => epochs };
}
