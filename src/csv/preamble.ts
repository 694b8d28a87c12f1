// Lines of metadata above a table that is wider than they are: told from what the head of the file shows, and only if all of it
// agrees.
import { isMissing } from "../values/missing.ts";
import { isTyped, isTypedColumn } from "./cells.ts";
import { agreement } from "./delimiter.ts";
import { type AllowedUnits, type Header, isHeader, isMoreOfUnits, isSameCells, isUnitsRow, rowsOf } from "./header.ts";
import { commonWidth, type Head, type HeadRecord, recordsOf } from "./head.ts";

/** A header needs so many rows under it before lines above it are skipped. */
const MIN_ROWS = 2;

/** The header under a preamble, if the text from `from` on has one. */
export function findPreamble(head: Head, from: number, delimiters: readonly string[]): Header | undefined {
  if (delimiters.some((delimiter) => fitsFromTheFirst(head, from, delimiter))) return undefined;
  const readings = delimiters.map((delimiter) => ({ delimiter, records: recordsOf(head, from, delimiter) }));
  const fitting = readings.filter(({ records }) => fitsThroughout(records)).map(({ delimiter }) => delimiter);
  let best: { header: Header; width: number } | undefined;
  for (const { delimiter, records } of readings) {
    if (fitting.some((other) => other !== delimiter)) continue;
    const at = headerIndex(records);
    if (at === undefined) continue;
    const { start, end, cells } = records[at]!;
    const header = { delimiter, start, end, lineStart: start, bodyStart: end };
    if (!best || cells.length > best.width) best = { header, width: cells.length };
  }
  return best?.header;
}

/** In a file so short that it is not half of the records, the table has at least so many of them, and this share. */
const MIN_TAIL = 6;
const MIN_TAIL_SHARE = 0.4;

/** With so many records of one width, one of another is none too many. */
const FEW_STEADY = 5;

/** A first record of a name and a value is padded only if so many lines are: a header may have empty names, too. */
const MIN_PADDED = 3;

/** The usual file, told without a look at its cells: one width from the first record on, and a first record that is not padded. */
function fitsFromTheFirst(head: Head, from: number, delimiter: string): boolean {
  const { fields, share } = agreement(head, from, delimiter);
  return fields > 1 && share === 1 && !isPadded(recordsOf(head, from, delimiter, 1)[0]!);
}

/** Whether all records have one width of two or more cells. */
function fitsThroughout(records: readonly HeadRecord[]): boolean {
  const { width, share } = commonWidth(records);
  return records.length > 1 && width > 1 && share === 1 && !isPadded(records[0]!);
}

const filled = ({ cells }: HeadRecord) => cells.filter((cell) => cell.trim() !== "").length;

/** Spreadsheets pad titles and settings: at most one cell says something, or the whole second half says nothing. */
function isPadded(record: HeadRecord): boolean {
  const { cells } = record;
  const last = cells.findLastIndex((cell) => cell.trim() !== "");
  return filled(record) <= 1 || (last + 1) * 2 <= cells.length;
}

/** The index of the header record, if the records before it are a preamble. */
function headerIndex(records: readonly HeadRecord[]): number | undefined {
  const [first] = records;
  if (!first) return undefined;
  const stretch = steadyStretch(records);
  const { width, share } = commonWidth(stretch);
  if (width < 2 || !isSteady(stretch.length, share * stretch.length, 0.9) || headsRows(records)) return undefined;
  const at = lastCandidate(records, stretch, width);
  if (at === undefined || at === 0 || !isTable(records, at, width)) return undefined;
  const isNarrow = first.cells.length < width || filled(first) <= 1;
  return isNarrow || (at >= MIN_PADDED && records.slice(0, at).every(isPadded)) ? at : undefined;
}

/** As many as that share; or all but one, such as the title of a logger that has started again in a short table. */
const isSteady = (records: number, steady: number, share: number) =>
  steady >= share * records || (steady >= FEW_STEADY && Math.round(records - steady) <= 1);

/** The second half of the records; in a short file, if that is not steady, the records at its end that are of one width. */
function steadyStretch(records: readonly HeadRecord[]): readonly HeadRecord[] {
  const half = records.slice(records.length >> 1).filter(({ cells }) => !isUnitsRow(cells));
  if (isSteady(half.length, commonWidth(half).share * half.length, 0.9)) return half;
  const width = records.at(-1)?.cells.length;
  const tail = records.slice(records.findLastIndex(({ cells }) => cells.length !== width) + 1);
  return tail.length >= MIN_TAIL && tail.length >= MIN_TAIL_SHARE * records.length ? tail : half;
}

/**
 * The last record above the first row that may be a header, with nothing narrower between them. Of `t,U` over `s,V` the first one; of
 * `year,month,day` alone that one.
 */
function lastCandidate(records: readonly HeadRecord[], body: readonly HeadRecord[], width: number): number | undefined {
  const rows = body.filter(
    ({ cells }) => cells.length === width && (cells.some(isTyped) || !isHeader(cells, "some units")),
  );
  const typed = Array.from({ length: width }, (_, c) => c).filter((c) => isTypedColumn(rowsOf(rows), c));
  const isRow = ({ cells }: HeadRecord) =>
    cells.length === width &&
    typed.some((c) => isTyped(cells[c]!)) &&
    typed.every((c) => isTyped(cells[c]!) || isMissing(cells[c]!));
  const firstRow = records.findIndex(isRow);
  const above = records.slice(0, firstRow === -1 ? 0 : firstRow);
  const isCandidate = (at: number, allowed: AllowedUnits) => {
    const { cells } = above[at]!;
    return cells.length === width && !isKey(cells[0]!) && isHeader(cells, allowed);
  };
  for (const allowed of ["no units", "some units", "units"] as const) {
    let at = above.length - 1;
    while (at >= 0 && above[at]!.cells.length === width && !isCandidate(at, allowed)) at--;
    if (at === -1 || above[at]!.cells.length !== width) continue;
    const isUnits = at > 0 && isCandidate(at - 1, "units") && isMoreOfUnits(above[at]!.cells, above[at - 1]!.cells);
    return isUnits ? at - 1 : at;
  }
  return undefined;
}

/** `Range=` and `Channels:` are settings, not names of columns. */
const isKey = (cell: string) => /[:=]\s*$/.test(cell);

/** Whether the record at `at` heads a steady table with a typed column. */
function isTable(records: readonly HeadRecord[], at: number, width: number): boolean {
  const header = records[at]!.cells;
  const stretch = records.slice(at);
  const steady = stretch.filter(({ cells }) => cells.length === width).length;
  if (!isSteady(stretch.length, steady, 0.95)) return false;
  const rows = rowsOf(stretch.slice(1)).filter((cells) => !isUnitsRow(cells) && !isSameCells(cells, header));
  if (rows.length < MIN_ROWS || !header.some((_name, c) => isTypedColumn(rows, c))) return false;
  return !hasGrown(records[0]!.cells, header);
}

/** The names of the first record all recur: the header grew wider, and the rows above it are rows. */
function hasGrown(first: readonly string[], header: readonly string[]): boolean {
  const names = first.map((name) => name.trim()).filter((name) => name !== "");
  const recurring = new Set(header.map((name) => name.trim()));
  return names.length > 0 && names.every((name) => recurring.has(name));
}

/** Whether the first record heads rows of its own width whose first column is typed. */
function headsRows(records: readonly HeadRecord[]): boolean {
  const [first, ...rest] = records;
  const rows = rest.slice(0, 3);
  return rows.length === 3 && rows.every(({ cells }) => cells.length === first!.cells.length && isTyped(cells[0]!));
}
