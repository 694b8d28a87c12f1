// Lines of metadata above a table that is wider than they are: told from what the head of the file shows, and only if all of it
// agrees.
import { isMissing } from "../values/missing.ts";
import { isTyped, shareOf } from "./cells.ts";
import { agreement } from "./delimiter.ts";
import { type Header, isHeader, isSameCells, isUnitsRow, rowsOf } from "./header.ts";
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

/** The usual file, told without a look at its cells: one width from the first record on, of which two cells say something. */
function fitsFromTheFirst(head: Head, from: number, delimiter: string): boolean {
  const { fields, share } = agreement(head, from, delimiter);
  return fields > 1 && share === 1 && filled(recordsOf(head, from, delimiter, 1)[0]!) > 1;
}

/** Whether all records have one width of two or more cells. */
function fitsThroughout(records: readonly HeadRecord[]): boolean {
  const { width, share } = commonWidth(records);
  return records.length > 1 && width > 1 && share === 1 && filled(records[0]!) > 1;
}

const filled = ({ cells }: HeadRecord) => cells.filter((cell) => cell.trim() !== "").length;

/** The index of the header record, if the records before it are a preamble. */
function headerIndex(records: readonly HeadRecord[]): number | undefined {
  const [first] = records;
  if (!first) return undefined;
  const half = records.slice(records.length >> 1).filter(({ cells }) => !isUnitsRow(cells));
  const { width, share } = commonWidth(half);
  const isNarrow = first.cells.length < width || filled(first) <= 1;
  if (width < 2 || share < 0.9 || !isNarrow || headsRows(records)) return undefined;
  const at = lastCandidate(records, half, width);
  return at !== undefined && at > 0 && isTable(records, at, width) ? at : undefined;
}

/** The last record above the first row that may be a header. */
function lastCandidate(records: readonly HeadRecord[], half: readonly HeadRecord[], width: number): number | undefined {
  const rows = half.filter(({ cells }) => cells.length === width && !isHeader(cells, "some units"));
  const typed = Array.from({ length: width }, (_, c) => c).filter((c) => shareOf(rowsOf(rows), c, isTyped) >= 0.9);
  const isRow = ({ cells }: HeadRecord) =>
    cells.length === width &&
    typed.some((c) => isTyped(cells[c]!)) &&
    typed.every((c) => isTyped(cells[c]!) || isMissing(cells[c]!));
  const firstRow = records.findIndex(isRow);
  const above = records.slice(0, firstRow === -1 ? 0 : firstRow);
  // Of `t,U` over `s,V` the first one; of `year,month,day` alone that one.
  for (const allowed of ["no units", "some units", "units"] as const) {
    const at = above.findLastIndex(({ cells }) => cells.length === width && isHeader(cells, allowed));
    if (at !== -1) return at;
  }
  return undefined;
}

/** Whether the record at `at` heads a steady table with a typed column. */
function isTable(records: readonly HeadRecord[], at: number, width: number): boolean {
  const header = records[at]!.cells;
  const stretch = records.slice(at);
  const steady = stretch.filter(({ cells }) => cells.length === width).length;
  if (steady < stretch.length * 0.95) return false;
  const rows = rowsOf(stretch.slice(1)).filter((cells) => !isUnitsRow(cells) && !isSameCells(cells, header));
  if (rows.length < MIN_ROWS || !header.some((_name, c) => shareOf(rows, c, isTyped) >= 0.9)) return false;
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
