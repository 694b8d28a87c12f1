// Lines of metadata above a table that is wider than they are: told from what the head of the file shows, and only if all of it
// agrees.
import { isMissing } from "../values/missing.ts";
import { isTyped, isTypedColumn, isValue } from "./cells.ts";
import { agreement } from "./delimiter.ts";
import {
  type AllowedUnits,
  type Header,
  isHeader,
  isKey,
  isMoreOfUnits,
  isOddName,
  isSameCells,
  isUnitsRow,
  rowsOf,
} from "./header.ts";
import { commonWidth, type Head, type HeadRecord, recordsOf } from "./head.ts";

/** A header needs so many rows under it before lines above it are skipped. */
const MIN_ROWS = 2;

/** The header under a preamble, if the text from `from` on has one. */
export function findPreamble(head: Head, from: number, delimiters: readonly string[]): Header | undefined {
  if (delimiters.some((delimiter) => fitsFromTheFirst(head, from, delimiter))) return undefined;
  const readings = delimiters.map((delimiter) => ({
    delimiter,
    records: recordsOf(head, from, delimiter),
  }));
  const fitting = readings.filter(({ records }) => fitsThroughout(records)).map(({ delimiter }) => delimiter);
  let best: { header: Header; width: number } | undefined;
  for (const { delimiter, records } of readings) {
    if (fitting.some((other) => other !== delimiter)) continue;
    const found = headerIndex(records) ?? headerIndex(withoutLast(records));
    if (found === undefined) continue;
    const width = records[found.at]!.cells.length;
    if (!best || width > best.width) best = { header: headerOf(delimiter, records, found), width };
  }
  return best?.header;
}

/** A delimiter at the end of each row makes a cell that nothing ever stands in, and that the header need not have. */
function withoutLast(records: readonly HeadRecord[]): readonly HeadRecord[] {
  const { width } = commonWidth(records.slice(records.length >> 1));
  const isFull = ({ cells }: HeadRecord) => cells.length === width;
  if (width < 3 || records.some((record) => isFull(record) && record.cells.at(-1) !== "")) return records;
  return records.map((record) => (isFull(record) ? { ...record, cells: record.cells.slice(0, -1) } : record));
}

/** Where a header is, and the record of its units if it is that one. */
type Found = { readonly at: number; readonly unitsAt: number | undefined };

function headerOf(delimiter: string, records: readonly HeadRecord[], { at, unitsAt }: Found): Header {
  const { start, end } = records[at]!;
  const unitsStart = unitsAt === undefined ? undefined : records[unitsAt]!.start;
  return { delimiter, start, end, lineStart: start, bodyStart: end, unitsStart };
}

/** In a file so short that it is not half of the records, the table has at least so many of them, and this share. */
const MIN_TAIL = 6;
const MIN_TAIL_SHARE = 0.4;

/** Settings may be a table of their own: names, and values under them. */
const MAX_SETTINGS = 2;

/** So many numbers or times, one under the other, may be a column. */
const MIN_COLUMN = 3;

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

const lastFilled = (cells: readonly string[]) => cells.findLastIndex((cell) => cell.trim() !== "");
const filled = ({ cells }: HeadRecord) => cells.filter((cell) => cell.trim() !== "").length;

/** Spreadsheets pad titles and settings: at most one cell says something, or the whole second half says nothing. */
function isPadded(record: HeadRecord): boolean {
  return filled(record) <= 1 || (lastFilled(record.cells) + 1) * 2 <= record.cells.length;
}

/** The header record, if the records before it are a preamble. */
function headerIndex(records: readonly HeadRecord[]): Found | undefined {
  const stretch = steadyStretch(records);
  const { width, share } = commonWidth(stretch);
  if (width < 2 || !isSteady(stretch.length, share * stretch.length, 0.9) || headsRows(records)) return undefined;
  const found = lastCandidate(records, stretch, width);
  if (!found || found.at === 0 || !isTable(records, found)) return undefined;
  return isPreamble(records, found.at) ? found : undefined;
}

/** Whether the records before the one at `at` are none of its table: the first one shows it. */
function isPreamble(records: readonly HeadRecord[], at: number): boolean {
  const first = records[0]!;
  const above = records.slice(0, at);
  const width = records[at]!.cells.length;
  if (first.cells.length < width || filled(first) <= 1) return true;
  if (at >= MIN_PADDED && above.every(isPadded)) return true;
  if (first.cells.every(isSetting)) return true;
  if (first.cells.length === width)
    return first.cells.some(isOddName) && (isPadded(first) || above.some(({ cells }) => cells.length !== width));
  if (first.cells.some(isValue) || !isHeader(first.cells, "some units")) return true;
  // A wider header with one row at most: the settings of what follows. Rows that leave cells out would have some of its width.
  const isAsWide = ({ cells }: HeadRecord) => cells.length >= first.cells.length;
  return above.filter(isAsWide).length <= MAX_SETTINGS && !records.slice(at).some(isAsWide);
}

/** As many as that share; or all but one, such as the title of a logger that has started again in a short table. */
const isSteady = (records: number, steady: number, share: number) =>
  steady >= share * records || (steady >= FEW_STEADY && Math.round(records - steady) <= 1);

/** The second half of the records; in a short file, if that is not steady, the records at its end that are of one width. */
function steadyStretch(records: readonly HeadRecord[]): readonly HeadRecord[] {
  const withoutUnits = (some: readonly HeadRecord[]) => some.filter(({ cells }) => !isUnitsRow(cells));
  const half = withoutUnits(records.slice(records.length >> 1));
  if (isSteady(half.length, commonWidth(half).share * half.length, 0.9)) return half;
  const width = records.at(-1)?.cells.length;
  const from = records.findLastIndex(({ cells }) => cells.length !== width) + 1;
  const tail = records.slice(from);
  const isMuch = tail.length >= MIN_TAIL && tail.length >= MIN_TAIL_SHARE * records.length;
  return isMuch || isPlainTable(tail, records.slice(0, from)) ? withoutUnits(tail) : half;
}

/** Of two cells and more: a header may have one column. */
const isUnitsUnder = (cells: readonly string[], names: readonly string[]) =>
  cells.length > 1 && (isUnitsRow(cells) || (isHeader(cells, "units") && isMoreOfUnits(cells, names)));

/**
 * A few rows under a header that is wider than what is said in any line above it, or that has a row of units; and nothing above is
 * a table. A third of its columns are typed, or it is more than twice as wide.
 */
function isPlainTable(tail: readonly HeadRecord[], above: readonly HeadRecord[]): boolean {
  const [header, ...under] = tail;
  if (!header || !isHeader(header.cells, "some units")) return false;
  const hasUnits = under[0] !== undefined && isUnitsUnder(under[0].cells, header.cells);
  const rows = rowsOf(hasUnits ? under.slice(1) : under);
  const typed = header.cells.filter((_, c) => isTypedColumn(rows, c)).length;
  const widest = Math.max(...above.map(({ cells }) => lastFilled(cells) + 1));
  const width = header.cells.length;
  if (rows.length < MIN_ROWS || (typed * 3 < width && width <= 2 * widest)) return false;
  const columns = Array.from({ length: widest }, (_, c) => c);
  const isColumn = (c: number) =>
    above[0]!.cells[c] && above.filter(({ cells }) => isTyped(cells[c] ?? "")).length >= MIN_COLUMN;
  const isTable = columns.some((c) => isColumn(c) && isTypedColumn(rowsOf(above.slice(1)), c));
  return (hasUnits || widest < width) && !isTable;
}

/**
 * The last record above the first row that may be a header, with nothing narrower between them. Of `t,U` over `s,V` the first one; of
 * `year,month,day` alone that one.
 */
function lastCandidate(records: readonly HeadRecord[], body: readonly HeadRecord[], width: number): Found | undefined {
  const rows = body.filter(
    ({ cells }) => cells.length === width && (cells.some(isTyped) || !isHeader(cells, "some units")),
  );
  const typed = Array.from({ length: width }, (_, c) => c).filter((c) => isTypedColumn(rowsOf(rows), c));
  // What is in every row: a serial number under an empty cell is none, nor a rate alone.
  const always = typed.filter((c) => rows.every(({ cells }) => !isMissing(cells[c]!)));
  const isRow = ({ cells }: HeadRecord) => {
    if (cells.length !== width || (always[0] !== undefined && isMissing(cells[always[0]]!))) return false;
    const said = typed.filter((c) => !isMissing(cells[c]!));
    return said.length > 0 && said.length * 2 >= always.length && said.every((c) => isTyped(cells[c]!));
  };
  const firstRow = records.findIndex(isRow);
  const above = records.slice(0, firstRow === -1 ? 0 : firstRow);
  const isCandidate = (at: number, allowed: AllowedUnits) => {
    const { cells } = above[at]!;
    return cells.length === width && !isKey(cells[0]!) && isHeader(cells, allowed);
  };
  const isUnits = (at: number) =>
    at > 0 &&
    at < above.length &&
    isCandidate(at, "units") &&
    isCandidate(at - 1, "units") &&
    isMoreOfUnits(above[at]!.cells, above[at - 1]!.cells);
  for (const allowed of ["few units", "some units", "units"] as const) {
    let at = above.length - 1;
    while (at >= 0 && above[at]!.cells.length === width && !isCandidate(at, allowed)) at--;
    if (at === -1 || above[at]!.cells.length !== width) continue;
    if (isUnits(at)) return { at: at - 1, unitsAt: at };
    return { at, unitsAt: isUnits(at + 1) ? at + 1 : undefined };
  }
  return undefined;
}

/** `User: me`, `Gain = 5`, or nothing. */
const isSetting = (cell: string) => cell.trim() === "" || /^[^:=]+[:=](?:\s|$)/.test(cell.trim());

/** Whether the record at `at` heads a steady table with a typed column. */
function isTable(records: readonly HeadRecord[], { at, unitsAt }: Found): boolean {
  const header = records[at]!.cells;
  const stretch = records.slice(at);
  const steady = stretch.filter(({ cells }) => cells.length === header.length).length;
  if (!isSteady(stretch.length, steady, 0.95)) return false;
  const under = rowsOf(records.slice((unitsAt ?? at) + 1));
  const rows = under.filter((cells) => !isUnitsRow(cells) && !isSameCells(cells, header));
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
