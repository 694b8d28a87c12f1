// Whether what was understood of a growing source still holds: its dialect is a function of its first 64 kB, and while it is
// shorter it may change. A header with rows under it is not given up for what comes later.
import { detectDialect, type Dialect } from "../csv/dialect.ts";
import type { CsvDocument, Understanding } from "../csv/document.ts";
import { HEAD_BYTES, SPARE_BYTES } from "../csv/encoding.ts";
import type { ReadOptions } from "../csv/options.ts";
import { cellsOf } from "../csv/head.ts";
import { isTyped } from "../csv/cells.ts";
import { walkRecords } from "../csv/records.ts";
import { isMissing } from "../values/missing.ts";
import type { CsvTable } from "../csv/table.ts";

/** `same`: all of it. `rows`: header and layout hold, but which records are rows, or their units, is known better now. */
export type Agreement = "same" | "rows" | "other";

/** A header with so many rows on air stays while the source only grows. */
const SETTLED_ROWS = 20;

/** Whether growth may no longer change the header. A comment that was taken for one may still be given up. */
export function isSettled(table: CsvTable, { dialect, start }: Understanding): boolean {
  const head = table.head();
  const isComment =
    dialect.skippedLines === 0 && /^(#|%|\/\/|; )/.test(Buffer.from(head.subarray(start, start + 2)).toString());
  return table.rows() >= SETTLED_ROWS && !isComment;
}

/** Of the dialect found now, and the one by which `rows` rows were read. */
export function agreementOf(a: Dialect, b: Dialect, rows: number): Agreement {
  if (a.columns.length === 0 && b.columns.length === 0) return "same";
  const isSameHeader = isSameNames(a.columns, b.columns);
  const { delimiter, recordEnd } = a.layout;
  if (!isSameHeader || recordEnd !== b.layout.recordEnd) return "other";
  if (a.bodyStart !== b.bodyStart) return rows === 0 && a.bodyStart > b.bodyStart ? "rows" : "other";
  if (delimiter !== b.layout.delimiter) return a.columns.length === 1 ? "rows" : "other";
  return keyOf(a) === keyOf(b) ? "same" : "rows";
}

const keyOf = ({ layout: { skips }, units, hints, quotes }: Dialect) =>
  JSON.stringify([
    skips?.records.map((record) => [...record]),
    skips?.prefixes.map((prefix) => [...prefix]),
    units,
    hints,
    quotes?.shape,
  ]);

/** The dialect of the text that is held, with what is added in the place of its last bytes. */
export function dialectWith(
  table: CsvTable,
  { start }: Understanding,
  instead: number,
  added: Uint8Array,
  options: ReadOptions,
): Dialect {
  const kept = Buffer.concat([...table.pieces()], table.length() - instead);
  const text = Buffer.concat([kept, added.subarray(0, 2 * HEAD_BYTES), Buffer.alloc(SPARE_BYTES)]);
  const length = text.length - SPARE_BYTES;
  return detectDialect(text, start, length, options);
}

/** What a text without a header is read by; `isCut`: its first line is the end of a row. */
export type Before = { readonly names: readonly string[]; readonly isCut: boolean };

/** So many rows behind its first line tell that this is no header, but the end of a row. */
const ROWS_BEHIND = 2;

/**
 * The names of the columns of a source before, if its text anew lacks its header: its first record is no other header, but a row like
 * those before, as where a log was rotated and its writer goes on, or the end of one, as where only its last bytes were kept. `head`:
 * the text in front of the rows before.
 */
export function namesBefore(
  { bytes, start, end, dialect: found }: CsvDocument,
  before: Dialect,
  head: Uint8Array,
  { noHeader, names, skipLines, headerLine }: ReadOptions,
): Before | undefined {
  const { columns, layout, typed } = before;
  const isAsked = noHeader || names || skipLines !== undefined || headerLine !== undefined;
  if (isAsked || found.skippedLines > 0 || found.format || isSameNames(found.columns, columns)) return undefined;
  const isSameHead = head.length > 0 && Buffer.compare(bytes.subarray(0, Math.min(head.length, end)), head) === 0;
  if (isSameHead) return undefined;
  const records: string[][] = [];
  walkRecords(
    bytes,
    start,
    end,
    layout,
    Infinity,
    (from, to) => records.push(cellsOf(bytes, from, to, layout)) > ROWS_BEHIND,
  );
  const isRow = (cells: readonly string[]) => cells.length === columns.length && isLike(cells, typed);
  const [first = [], ...others] = records;
  if (isLike(columns, typed)) return undefined;
  if (isRow(first)) return { names: columns, isCut: false };
  const isCut = isEndOf(first, before) && others.length === ROWS_BEHIND && others.every(isRow);
  return isCut ? { names: columns, isCut } : undefined;
}

/** Whether cells are the last ones of a row, of which the first may be cut. */
function isEndOf(cells: readonly string[], { columns, typed }: Dialect): boolean {
  if (cells.length >= columns.length || cells.some((cell) => columns.includes(cell))) return false;
  const [cut = "", ...others] = cells;
  const ofCells = typed.slice(-cells.length);
  return (cut === "" || !ofCells[0] || /\d/.test(cut)) && isLike(others, ofCells.slice(1), 0);
}

/** Whether cells are what the types of their columns ask for: so many of them at least, and no other. */
function isLike(cells: readonly string[], typed: readonly boolean[], least = 1): boolean {
  const telling = cells.filter((_, c) => typed[c]);
  return telling.every((value) => isMissing(value) || isTyped(value)) && telling.filter(isTyped).length >= least;
}

const isSameNames = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((name, c) => name === b[c]);
