// The bytes of a file, understood: encoding, dialect, header, where the complete rows are, and what was found odd in them.
import { refuseBinary } from "./binary.ts";
import { type Columns, openColumns, refineFrom, type TypesOption } from "./columns.ts";
import { detectRecordEnd } from "./delimiter.ts";
import { detectDialect, type Dialect } from "./dialect.ts";
import { type Decoded, decodeAll } from "./decoding.ts";
import { codePageHint, detectEncoding, HEAD_BYTES, SPARE_BYTES } from "./encoding.ts";
import { CsvError } from "./error.ts";
import { leadingHole } from "./holes.ts";
import type { Typing } from "./literals.ts";
import { type Marking, markingOf, markRecords } from "./marks.ts";
import { faultIn, isExotic, type ReadOptions } from "./options.ts";
import { lineOf } from "./records.ts";
import { emptyTally, type Tally, tallyRecords } from "./tally.ts";
import { type Arena, createRenderer, MAX_TEXT_BYTES, type Rendered, terminate } from "./render.ts";

/** UTF-8 text of a CSV and what it means. Rows are the bytes `[dialect.bodyStart, end)`. */
export type CsvDocument = Decoded & {
  /** Marked, where the options ask for another grammar, and by whoever walks it with `dialect.quotes`. */
  readonly bytes: Uint8Array;
  readonly end: number;
  readonly dialect: Dialect;
  /** Set where the bytes look like another code page. */
  readonly encodingHint?: string | undefined;
};

/** What was understood of a text, without the text. */
export type Understanding = Decoded & Pick<CsvDocument, "dialect" | "encodingHint">;

/**
 * Opens the first `length` bytes as CSV. Throws CsvError for binary content, a header that cannot be one, and options that
 * contradict each other.
 */
export function openDocument(bytes: Uint8Array, length: number, options: ReadOptions = {}): CsvDocument {
  const fault = faultIn(options);
  if (fault) throw new CsvError("options", fault);
  const hole = leadingHole(bytes.subarray(0, length));
  const source = hole === 0 ? bytes : bytes.subarray(hole);
  const raw = bytes.subarray(hole, length);
  const encoding = options.encoding ?? detectEncoding(raw);
  refuseBinary(raw, encoding);
  const { text, end, ...decoded } = decodeAll(source, raw.length, encoding);
  const found = {
    ...decoded,
    holes: hole + decoded.holes,
    end,
    encodingHint: options.encoding ? undefined : codePageHint(raw, encoding),
  };
  if (!isExotic(options)) {
    const dialect = detectDialect(text, found.start, end, options);
    return { bytes: text, ...found, dialect };
  }
  const { marking, known } = markingIn(text, found.start, end, options);
  const marked = new Uint8Array(text);
  markRecords(marked, found.start, end, marking);
  return { bytes: marked, ...found, dialect: detectDialect(marked, found.start, end, known) };
}

/**
 * How a text is to be marked, and the options with what separates its cells: that must be known before blanks and quotes around them
 * can be marked. Throws as `openDocument` does.
 */
export function markingIn(text: Uint8Array, start: number, end: number, options: ReadOptions): Marked {
  const plain = options.delimiter ? undefined : detectDialect(text, start, end, options);
  const delimiter = options.delimiter ?? String.fromCharCode(plain!.layout.delimiter);
  const recordEnd = plain?.layout.recordEnd ?? detectRecordEnd(text.subarray(0, Math.min(end, HEAD_BYTES)), start);
  return { marking: markingOf(options, delimiter, recordEnd), known: { ...options, delimiter } };
}

export type Marked = { readonly marking: Marking; readonly known: ReadOptions };

/**
 * The beginning of a text, or all of it, as it was decoded and, if it must be, marked: what it means. `source`: the bytes that it was decoded from. Throws as
 * `openDocument` does.
 */
export function understand(text: Uint8Array, source: Uint8Array, decoded: Decoded, options: ReadOptions): CsvDocument {
  refuseBinary(source, decoded.encoding);
  const hasSpare = text.byteOffset + text.length + SPARE_BYTES <= text.buffer.byteLength;
  const bytes = hasSpare
    ? new Uint8Array(text.buffer, text.byteOffset, text.length + SPARE_BYTES)
    : Buffer.concat([text, new Uint8Array(SPARE_BYTES)]);
  const dialect = detectDialect(bytes, decoded.start, text.length, options);
  const encodingHint = options.encoding ? undefined : codePageHint(source, decoded.encoding);
  return { bytes, ...decoded, end: text.length, dialect, encodingHint };
}

export type Census = {
  readonly rows: number;
  readonly tally: Tally;
  /** Where the complete rows end: `end`, or the start of the record whose quote is never closed. */
  readonly end: number;
  /** The line of that record, from 1. */
  readonly openQuoteLine: number | undefined;
};

/** Counts the rows of a document without rendering them, and marks stray quotes. */
export function takeCensus({ bytes, end, dialect }: CsvDocument): Census {
  let rows = 0;
  const tally = emptyTally();
  const open = tallyRecords(bytes, dialect.bodyStart, end, dialect, tally, () => void rows++);
  const openQuoteLine = open === -1 ? undefined : lineOf(bytes, open, dialect.layout);
  return { rows, tally, end: open === -1 ? end : open, openQuoteLine };
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
  const renderer = createRenderer(layout, columns, end - bodyStart, arena, limit, undefined, typing);
  renderer.add(bytes, bodyStart, end < document.end ? end : terminate(bytes, bodyStart, end, layout));
  return renderer.finish();
}

/** What the columns are by the first rows in `bytes[dialect.bodyStart, end)`, all of them complete. */
export function columnsOf({ bytes, dialect }: CsvDocument, end: number, types?: TypesOption): Columns {
  const { layout, columns: names, bodyStart, units, quotes } = dialect;
  const columns = openColumns(names, { types, units });
  refineFrom(columns, bytes, bodyStart, end, layout, names.length, quotes);
  return columns;
}
