// What the next writer of a stream begins with: the header once more, another header, or a row. Pure.
import { isTyped, shareOf } from "../csv/cells.ts";
import { type CsvDocument, openDocument, renderDocument } from "../csv/document.ts";
import { isHeader, isRecognisable } from "../csv/header.ts";
import type { ReadOptions } from "../csv/options.ts";
import type { CsvTable } from "../csv/table.ts";

/** `more`: what comes next decides. `skip`: so many bytes are the header of before. */
export type Opening = "more" | "rows" | "table" | { readonly skip: number };

/** Of rows that tell what the columns are. */
const SAMPLE_ROWS = 20;
/** Of the cells of one column there: a row of words among them does not make the next one a header, nor keep it from being one. */
const MIN_TYPED = 0.5;
/** So much of what comes tells; a longer first record is taken for a row. */
const MAX_BYTES = 1 << 16;

/**
 * `bytes`: what has come of the writer so far. `hasEnded`: it has written no more; `isQuiet`: not for now. Another header is one over rows
 * that fit it where those of the table are no words, so that no row of words is taken for one.
 */
export function openingOf(
  bytes: Uint8Array,
  { hasEnded, isQuiet }: { readonly hasEnded: boolean; readonly isQuiet: boolean },
  table: CsvTable,
  options: ReadOptions,
): Opening {
  const head = withoutMark(table.head());
  const mark = bytes.length - withoutMark(bytes).length;
  const text = bytes.subarray(mark);
  const isHead = head.length > 0 && isSame(head.subarray(0, text.length), text.subarray(0, head.length));
  if (isHead && (text.length >= head.length || hasEnded)) return { skip: mark + Math.min(head.length, text.length) };
  if (isHead) return "more";
  if (!mayBeHeader(table, options)) return rows(mark);
  const { sample, lines } = sampleOf(text);
  const isAll = hasEnded || isQuiet || text.length > MAX_BYTES;
  if (lines === 0) return isAll ? rows(mark) : "more";
  const found = understood(sample, options);
  if (!found) return rows(mark);
  const { columns, bodyStart } = found.dialect;
  // The same header, written in another way or marked.
  const isAgain = options.names === undefined && isSameNames(columns, table.columns);
  if (isAgain && found.encoding === "utf-8" && found.replaced === 0) return { skip: mark + bodyStart };
  if (!isOtherHeader(found, table)) return rows(mark);
  if (lines > 1) return isRecognisable(columns, rowsIn(found)) ? "table" : rows(mark);
  if (hasEnded) return rows(mark);
  return isQuiet ? "table" : "more";
}

const rows = (mark: number): Opening => (mark > 0 ? { skip: mark } : "rows");

function withoutMark(bytes: Uint8Array): Uint8Array {
  const isMarked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return bytes.subarray(isMarked ? 3 : 0);
}

const isSameNames = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((name, c) => name === b[c]);

const isSame = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

/** Its first lines, of which all are whole. */
function sampleOf(text: Uint8Array): { readonly sample: Uint8Array; readonly lines: number } {
  const sample = text.subarray(0, MAX_BYTES);
  const end = Math.max(sample.lastIndexOf(10), sample.lastIndexOf(13)) + 1;
  const ends = Buffer.from(sample.subarray(0, end))
    .toString("latin1")
    .match(/\r\n?|\n/g);
  return { sample: sample.subarray(0, end), lines: ends?.length ?? 0 };
}

/** Without names in the stream there is none to be another. */
const mayBeHeader = (table: CsvTable, { noHeader }: ReadOptions) =>
  noHeader !== true && table.columns.length > 0 && table.rows() > 0;

function understood(bytes: Uint8Array, options: ReadOptions): CsvDocument | undefined {
  try {
    return openDocument(bytes.slice(), bytes.length, options);
  } catch {
    return undefined;
  }
}

function isOtherHeader({ dialect: { columns } }: CsvDocument, table: CsvTable): boolean {
  if (!isHeader(columns, "some units") || (columns.length === 1 && table.columns.length > 1)) return false;
  const end = table.rows();
  const sample = table.render(Math.max(0, end - SAMPLE_ROWS), end, "arrays").text ?? "[]";
  const rows = JSON.parse(sample) as string[][];
  return columns.some((_name, c) => shareOf(rows, c, isTyped) > MIN_TYPED);
}

function rowsIn(document: CsvDocument): string[][] {
  const text = renderDocument(document, document.end, {}).text ?? "[]";
  return (JSON.parse(text) as Record<string, string>[]).map((row) =>
    document.dialect.columns.map((name) => row[name] ?? ""),
  );
}
