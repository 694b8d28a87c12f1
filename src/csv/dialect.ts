// What kind of CSV is this? Where its header is, its delimiter and record end, which records are no rows: a function of the first
// 64 kB, and of the options.
import { unitInName } from "../values/units.ts";
import { typedColumns } from "./cells.ts";
import { detectRecordEnd } from "./delimiter.ts";
import { HEAD_BYTES } from "./encoding.ts";
import { areUnits, areWidths, type Header, isRecognisable, isSameCells, rowsOf, unitsAmong } from "./header.ts";
import { cellsOf, commonWidth, contentEnd, type Head, type HeadRecord, layoutOf, recordsOf } from "./head.ts";
import { hintsOf } from "./hints.ts";
import { namesOf } from "./names.ts";
import { isExotic, type ReadOptions } from "./options.ts";
import { foundHeader, placedHeader, wholeHeader } from "./place.ts";
import { type QuoteRule, quoteRule } from "./quotes.ts";
import { CR, LF, type Layout, lineOf } from "./records.ts";

export const MAX_COLUMNS = 100_000;

/** So many rows tell what is typed in their columns. */
const MAX_JUDGED_ROWS = 200;

export type Dialect = {
  readonly layout: Layout;
  /** The delimiter as it is asked for: a character, or `whitespace`. */
  readonly delimiter: string;
  /** Column names in file order, unique: a duplicate `a` becomes `a_1`, `a_2`, … */
  readonly columns: readonly string[];
  /** How many columns were renamed because their name was taken. */
  readonly renamed: number;
  /** Where the rows begin: the offset behind the header, its units, and what the options leave out. */
  readonly bodyStart: number;
  /** The line of the header, from 1; undefined if there is none. */
  readonly headerLine: number | undefined;
  /** Lines before the header that were skipped; 0 if they are blank. */
  readonly skippedLines: number;
  /** The name of the known format, such as `TOA5`. */
  readonly format: string | undefined;
  /** For each column its unit as the file writes it, from a row of units or from the name; undefined if it has none. */
  readonly units: readonly (string | undefined)[];
  /** Columns of numbers or times, by the first rows. */
  readonly typed: readonly boolean[];
  /** Tells stray quotes; undefined if the options say what a quote is. */
  readonly quotes: QuoteRule | undefined;
  /** What may be meant, but is never guessed: a sentence each, with the option. */
  readonly hints: readonly string[];
};

/** A dialect of which all is known. */
export function plainDialect(layout: Layout, columns: readonly string[], bodyStart: number): Dialect {
  const found = { headerLine: 1, skippedLines: 0, format: undefined, units: columns.map(() => undefined) };
  const delimiter = String.fromCharCode(layout.delimiter);
  return { layout, delimiter, columns, renamed: 0, bodyStart, ...found, typed: [], quotes: undefined, hints: [] };
}

/** The dialect of the UTF-8 text in `bytes[from, to)`; a text without a header has no columns. */
export function detectDialect(bytes: Uint8Array, from: number, to: number, options: ReadOptions = {}): Dialect {
  const dialect = dialectOf(bytes, from, to, options);
  return options.delimiter === "whitespace" ? { ...dialect, delimiter: options.delimiter } : dialect;
}

function dialectOf(bytes: Uint8Array, from: number, to: number, options: ReadOptions): Dialect {
  const head = headOf(bytes, from, to, options);
  const given = options.delimiter === "whitespace" ? " " : options.delimiter;
  const isPlaced = options.noHeader || options.skipLines !== undefined || options.headerLine !== undefined;
  const header = isPlaced ? placedHeader(head, given, options) : foundHeader(head, given);
  if (header === "waiting") return { ...plainDialect(layoutOf(head, given ?? ","), [], to), headerLine: undefined };
  return options.noHeader
    ? withoutHeader(head, header, to, options)
    : withHeader(bytes, to, head, wholeHeader(bytes, to, head, header), options);
}

function headOf(bytes: Uint8Array, from: number, to: number, options: ReadOptions): Head {
  const isWhole = to - from <= HEAD_BYTES;
  const head = bytes.subarray(0, isWhole ? to : from + HEAD_BYTES);
  const recordEnd = detectRecordEnd(isOneLine(head, from) ? bytes.subarray(0, to) : head, from);
  const end = isWhole ? to : Math.max(head.lastIndexOf(recordEnd) + 1, from) || head.length;
  const comment = options.comment === undefined ? undefined : Buffer.from(options.comment);
  return { bytes: head, from, to: end, recordEnd, comment };
}

/** A header that is longer than the head: what ends it lies behind. */
const isOneLine = (head: Uint8Array, from: number) => head.indexOf(LF, from) === -1 && head.indexOf(CR, from) === -1;

function withHeader(bytes: Uint8Array, to: number, head: Head, header: Header, options: ReadOptions): Dialect {
  const plain = layoutOf(head, header.delimiter);
  if (header.end === header.start) return { ...plainDialect(plain, [], to), headerLine: undefined };
  const cells = header.names ?? cellsOf(bytes, header.start, header.end, plain);
  const { columns, renamed } = namesOf(options.names ?? cells, options.maxColumns ?? MAX_COLUMNS);
  const bodyAt = behindLines(bytes, header.bodyStart, to, plain, options.skipAfterHeader ?? 0);
  const records = bodyAt < head.to ? rowsUnder(head, bodyAt, header, cells) : [];
  const unitsRow = records.find(({ start }) => start === header.unitsStart) ?? unitsUnder(records);
  const rows = records.filter(({ cells: row }) => !unitsRow || !isSameCells(row, unitsRow.cells));
  const bodyStart = unitsRow?.end ?? bodyAt;
  const again = [...(header.again ?? []), ...(unitsRow ? [[unitsRow.start, unitsRow.end] as const] : [])];
  if (isRecognisable(cells, rowsOf(rows))) again.push([header.lineStart, header.end], [header.start, header.end]);
  const unitCells = header.units ?? (unitsRow && unitsAmong(unitsRow.cells));
  const headerLine = lineOf(bytes, header.lineStart, plain);
  return {
    delimiter: header.delimiter,
    layout: withSkips(bytes, plain, header.directives ?? [], again),
    columns,
    renamed,
    bodyStart,
    headerLine,
    skippedLines: isBlankBetween(bytes, head.from, header.lineStart) ? 0 : headerLine - 1,
    format: header.format,
    units: columns.map((name, c) => unitCells?.[c]?.trim() || unitInName(name)),
    ...quotesOf(rows, plain, columns.length, options),
    hints: [
      ...namesHint(cells.length, headerLine, options.names),
      ...(isToldWhere(header, options) ? [] : hintsOf(cells, rows, (offset) => lineOf(bytes, offset, plain))),
    ],
  };
}

/** Names that are too many make empty columns, and too few drop cells. */
function namesHint(cells: number, headerLine: number, names: readonly string[] | undefined): string[] {
  if (!names || names.length === cells) return [];
  return [`--names has ${names.length}, and the header (line ${headerLine}) has ${cells}`];
}

/** Whether somebody says where the header is. */
const isToldWhere = ({ format }: Header, { skipLines, headerLine, skipAfterHeader }: ReadOptions) =>
  format !== undefined || (skipLines ?? 0) > 0 || headerLine !== undefined || skipAfterHeader !== undefined;

/** The records of the body, but for directives and the header itself. */
function rowsUnder(head: Head, from: number, { delimiter, directives = [] }: Header, names: readonly string[]) {
  const prefixes = directives.map((text) => Buffer.from(text));
  const isDirective = (at: number) => prefixes.some((prefix) => prefix.every((byte, k) => head.bytes[at + k] === byte));
  return recordsOf(head, from, delimiter, MAX_JUDGED_ROWS).filter(
    ({ start, cells }) => !isDirective(start) && !isSameCells(cells, names),
  );
}

function unitsUnder(records: readonly HeadRecord[]): HeadRecord | undefined {
  const [first, ...rest] = records;
  if (!first) return undefined;
  const rows = rest.filter(({ cells }) => !isSameCells(cells, first.cells));
  const isNoRow = areUnits(first.cells, rowsOf(rows)) || areWidths(first.cells, rowsOf(rows));
  return isNoRow ? first : undefined;
}

function withoutHeader(head: Head, { delimiter, start }: Header, to: number, options: ReadOptions): Dialect {
  const layout = layoutOf(head, delimiter);
  const records = recordsOf(head, start, delimiter);
  const { width } = commonWidth(records);
  const names = options.names ?? Array.from({ length: width }, (_, c) => `c${c + 1}`);
  const { columns, renamed } = namesOf(names, options.maxColumns ?? MAX_COLUMNS);
  const skipped = isBlankBetween(head.bytes, head.from, start) ? 0 : lineOf(head.bytes, start, layout) - 1;
  return {
    ...plainDialect(layout, columns, records.length > 0 ? start : to),
    renamed,
    headerLine: undefined,
    skippedLines: skipped,
    ...quotesOf(records, layout, columns.length, options),
  };
}

function quotesOf(
  records: readonly HeadRecord[],
  { delimiter, recordEnd }: Layout,
  columns: number,
  options: ReadOptions,
): Pick<Dialect, "typed" | "quotes"> {
  const { width, share } = commonWidth(records);
  const wanted = records.length > 2 && share >= 0.5 ? width : columns;
  const typed = typedColumns(
    records.map(({ cells }) => cells).filter((cells) => cells.length === wanted),
    wanted,
  );
  const isGiven = options.quote !== undefined || isExotic(options);
  return { typed, quotes: isGiven ? undefined : quoteRule({ delimiter, recordEnd, width: wanted, typed }) };
}

function withSkips(
  bytes: Uint8Array,
  layout: Layout,
  directives: readonly string[],
  again: readonly (readonly [number, number])[],
): Layout {
  if (directives.length === 0 && again.length === 0) return layout;
  // Copied: a buffer that a file streams through is written over.
  const records = again.map(
    ([start, end]) => new Uint8Array(bytes.subarray(start, contentEnd(bytes, start, end, layout.recordEnd))),
  );
  const distinct = records.filter(
    (record, r) => records.findIndex((other) => Buffer.compare(other, record) === 0) === r,
  );
  const prefixes = [...(layout.skips?.prefixes ?? []), ...directives.map((text) => new Uint8Array(Buffer.from(text)))];
  return { ...layout, skips: { records: distinct, prefixes } };
}

function behindLines(bytes: Uint8Array, from: number, to: number, { recordEnd }: Layout, lines: number): number {
  let at = from;
  for (let line = 0; line < lines && at < to; line++) {
    const end = bytes.indexOf(recordEnd, at);
    at = end === -1 || end >= to ? to : end + 1;
  }
  return at;
}

function isBlankBetween(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 10 && bytes[i] !== 13) return false;
  return true;
}
