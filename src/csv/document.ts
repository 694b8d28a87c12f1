// The bytes of a file, understood: encoding, dialect, header, where the complete rows are, and what was found odd in them.
import { detectDialect, type Dialect } from "./dialect.ts";
import { detectEncoding, type Encoding, refuseBinary, toUtf8 } from "./encoding.ts";
import { type Columns, openColumns, refineFrom, type TypesOption } from "./columns.ts";
import type { Typing } from "./literals.ts";
import { lineOf, walkRecords } from "./records.ts";
import { type Arena, createRenderer, MAX_TEXT_BYTES, type Rendered, terminate } from "./render.ts";

export type ReadOptions = {
  /** One ASCII character; without it the delimiter is guessed. */
  readonly delimiter?: string | undefined;
  /** A WHATWG encoding label; without it the encoding is detected. */
  readonly encoding?: Encoding | undefined;
  /** A header of more columns is refused; 100,000 without it. */
  readonly maxColumns?: number;
  /**
   * Numbers and booleans become JSON literals, `null` where a typed column has no value: `auto` by the cells of the first rows, or
   * by name, such as `{ price: "number", id: "text" }`. Without it every value is a string.
   */
  readonly types?: TypesOption | undefined;
};

/** UTF-8 text of a CSV and what it means. Rows are the bytes `[dialect.bodyStart, end)`. */
export type CsvDocument = {
  readonly bytes: Uint8Array;
  /** Where the text begins: behind a BOM. */
  readonly start: number;
  readonly end: number;
  readonly encoding: Encoding;
  readonly dialect: Dialect;
  /** Characters that became U+FFFD because their bytes mean nothing in the encoding. */
  readonly replaced: number;
};

/** Opens the first `length` bytes as CSV. Throws CsvError for binary content or a header that cannot be one. */
export function openDocument(bytes: Uint8Array, length: number, options: ReadOptions = {}): CsvDocument {
  const text = bytes.subarray(0, length);
  const encoding = options.encoding ?? detectEncoding(text);
  refuseBinary(text, encoding);
  const utf8 = toUtf8(bytes, length, encoding);
  const dialect = detectDialect(utf8.bytes, utf8.start, utf8.length, options);
  return { bytes: utf8.bytes, start: utf8.start, end: utf8.length, encoding, dialect, replaced: utf8.replaced };
}

export type Census = {
  readonly rows: number;
  /** Cells beyond the last column that are not empty: they are not published. */
  readonly surplus: number;
  /** Where the complete rows end: `end`, or the start of the record whose quote is never closed. */
  readonly end: number;
  /** The line of that record, from 1. */
  readonly openQuoteLine: number | undefined;
};

/** Counts the rows of a document without rendering them. */
export function takeCensus({ bytes, end, dialect }: CsvDocument): Census {
  let rows = 0;
  let surplus = 0;
  const { layout, columns, bodyStart } = dialect;
  const open = walkRecords(bytes, bodyStart, end, layout, columns.length, (_start, _end, _fields, dropped) => {
    rows++;
    surplus += dropped;
  });
  if (open === -1) return { rows, surplus, end, openQuoteLine: undefined };
  return { rows, surplus, end: open, openQuoteLine: lineOf(bytes, open, layout) };
}

/** All complete rows as a JSON array of objects. `end` is where `takeCensus` found their end. */
export function renderDocument(
  document: CsvDocument,
  end: number,
  arena?: Arena,
  limit = MAX_TEXT_BYTES,
  typing?: Typing,
): Rendered {
  const { bytes, dialect } = document;
  const { layout, columns, bodyStart } = dialect;
  const renderer = createRenderer(layout, columns, end - bodyStart, arena, limit, typing);
  renderer.add(bytes, bodyStart, end < document.end ? end : terminate(bytes, bodyStart, end, layout));
  return renderer.finish();
}

/** What the columns are by the first rows in `bytes[dialect.bodyStart, end)`, all of them complete. */
export function columnsOf({ bytes, dialect }: CsvDocument, end: number, types?: TypesOption): Columns {
  const { layout, columns: names, bodyStart } = dialect;
  const columns = openColumns(names, { types });
  refineFrom(columns, bytes, bodyStart, end, layout, names.length);
  return columns;
}

const DELIMITER_NAMES: Record<string, string> = {
  ",": "comma",
  ";": "semicolon",
  "\t": "tab",
  "|": "pipe",
  " ": "space",
};
const ENCODING_NAMES: Record<string, string> = { "utf-8": "UTF-8", "utf-16le": "UTF-16LE", "utf-16be": "UTF-16BE" };

/** The verdict for a person: `comma, UTF-8`. */
export function describeDialect({ dialect, encoding }: CsvDocument): string {
  const delimiter = String.fromCharCode(dialect.layout.delimiter);
  return `${DELIMITER_NAMES[delimiter] ?? JSON.stringify(delimiter)}, ${ENCODING_NAMES[encoding] ?? encoding}`;
}
