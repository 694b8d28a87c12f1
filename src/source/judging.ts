// What the columns of a live table are: made from the first rows that are shown, anew with each change while they are few, and then kept
// while the epoch lasts. What comes later and is not what its column is, is counted.
import { type Blocks, stretches } from "../csv/blocks.ts";
import { walkRecords } from "../csv/records.ts";
import { renderBlocks } from "../csv/table.ts";
import { type Columns as Judged, openColumns, refineFrom, type TypesOption } from "../csv/columns.ts";
import type { Verdicts } from "../feed/publication.ts";
import type { ViewSplice } from "../csv/view.ts";
import { encodeVerdicts, type Verdict } from "../values/verdict.ts";
import type { Revision } from "./held.ts";

export type Judging = {
  /** Takes the table as it is now; `splices`: what is published of the change. */
  judge(revision: Revision, splices: string | undefined): void;
  verdicts(): readonly Verdict[];
  /** As they are told: the same object while they are the same. */
  codes(): Verdicts;
  /** Cells that do not fit, of rows that came since the verdicts are final. */
  misfits(): number;
};

/** The rows of a larger change are not counted: it is not to wait for that. */
const MAX_COUNTED = 1 << 17;
/** Of the first table so many bytes behind the sample are. */
const MAX_FIRST_COUNTED = 1 << 17;
/** And so many cells: a short row has few bytes for all of its columns. */
const MAX_FIRST_CELLS = 10_000;

export function openJudging(types: TypesOption = "auto"): Judging {
  let judged: Judged = openColumns([]);
  let codes: Verdicts = { types: "[]", units: "[]" };
  let unitsBefore: Revision["document"]["dialect"]["units"];

  function judge(revision: Revision, splices: string | undefined): void {
    const { isNewEpoch, document } = revision;
    const { units } = document.dialect;
    if (!isNewEpoch && judged.isSettled()) return count(splices);
    const isShort = splices !== undefined && splices.length <= MAX_COUNTED;
    if (!isNewEpoch && units === unitsBefore && isShort && isAppend(revision)) count(splices);
    else judgeAnew(revision);
    unitsBefore = units;
    encode();
  }

  function judgeAnew({ table, blocks, document, view }: Revision): void {
    judged = openColumns(table.columns, { types, units: document.dialect.units });
    let row = view.first;
    for (const { bytes, start, end } of stretches(blocks, view.first, view.end)) {
      const at = refineFrom(judged, bytes, start, end, table.layout, table.columns.length);
      walkRecords(bytes, start, at, table.layout, Infinity, () => void row++);
      if (at < end) break;
    }
    judged.refine(rowsFrom(blocks, row, view.end, table.length() / table.rows()));
  }

  function encode(): void {
    const { types: found, units } = encodeVerdicts(judged.verdicts());
    const next: Verdicts = { types: JSON.stringify(found), units: JSON.stringify(units) };
    if (next.types !== codes.types || next.units !== codes.units) codes = next;
  }

  function count(splices: string | undefined): void {
    if (splices === undefined || splices.length > MAX_COUNTED) return;
    for (const [, , rows] of JSON.parse(splices) as [number, number, string[][]][]) judged.refine(rows);
  }

  return {
    judge,
    verdicts: () => judged.verdicts(),
    codes: () => codes,
    misfits: () => judged.misfits().reduce((sum, found) => sum + found, 0),
  };
}

/** Whether all that was there is as it was, and rows follow: then what is known of the columns goes on from there. */
function isAppend({ change, view }: Revision): boolean {
  if (change === "all" || change.length !== 1) return false;
  const [{ start, deleted, inserted }] = change as readonly [ViewSplice];
  return deleted === 0 && start + inserted === view.end - view.first;
}

/** The rows from `first` on, of so many bytes on average, as far as they are counted. */
function rowsFrom(blocks: Blocks, first: number, end: number, bytesPerRow: number): string[][] {
  const rows = Math.min(MAX_FIRST_COUNTED / bytesPerRow, MAX_FIRST_CELLS / blocks.columns.length);
  const to = Math.min(end, first + Math.floor(rows));
  return first < to ? (JSON.parse(renderBlocks(blocks, first, to, "arrays").text ?? "[]") as string[][]) : [];
}
