// The rows of a finished file, one after the other, as text and as cells: read in pieces, so that a file of any size takes little memory.
import { closeSync, fstatSync } from "node:fs";
import type { Decoding } from "../../csv/decoding.ts";
import { openDecoding } from "../../csv/decoding.ts";
import { columnsOf, type CsvDocument, understand, type Understanding } from "../../csv/document.ts";
import { SPARE_BYTES } from "../../csv/encoding.ts";
import { CsvError } from "../../csv/error.ts";
import { cellsOf } from "../../csv/head.ts";
import { leadingHole } from "../../csv/holes.ts";
import { markedText, openMarked, withDelimiter } from "../../csv/marked.ts";
import { walkRecords } from "../../csv/records.ts";
import type { Verdict } from "../../values/verdict.ts";
import { asCsvError, type BigStat, openRegular, readRange, tooLarge } from "../file/read.ts";
import type { TableOptions } from "../settings.ts";

/** A row with what is in front of it and no row, and with its record end; its quotes that are data are marked. */
export type Row = { readonly text: Uint8Array; cells(): string[] };

export type FileRows = {
  readonly document: Understanding;
  /** The text in front of the rows. */
  readonly head: Uint8Array;
  readonly verdicts: readonly Verdict[];
  /** Undefined at the end. Throws CsvError, `changing` if the file is not any more what it was when it was opened. */
  next(): Row | undefined;
  /** Why there are no more rows, if the file does not end as it should. */
  trouble(): CsvError | undefined;
  /** May be called again. */
  close(): void;
};

/** A file that is not larger is read at once: then it is played as it was, whatever becomes of it. And what a larger one is known by. */
const FIRST_BYTES = 8 << 20;
const STEP_BYTES = 1 << 20;
/** So many records are found at once. */
const FOUND = 1_024;

/**
 * Opens what a file is now: rows that are appended later are not there, and a file that another one takes the place of is read to its end.
 * Throws CsvError if it cannot be read, or is no CSV.
 */
export function openFileRows(path: string, options: TableOptions): FileRows {
  const fd = openRegular(path);
  try {
    const stat = fstatSync(fd, { bigint: true });
    const size = Number(stat.size);
    if (size > options.maxFileBytes) throw tooLarge(options.maxFileBytes);
    return rowsOf(fd, stat, openFirst(fd, size, options), options);
  } catch (error) {
    closeSync(fd);
    throw asCsvError(error);
  }
}

/** What was understood of a file, how far it has been read, and how what comes next becomes text. */
type Opened = {
  readonly document: CsvDocument;
  readonly read: number;
  readonly textOf: (bytes: Uint8Array, isLast: boolean) => Uint8Array;
};

function openFirst(fd: number, size: number, options: TableOptions): Opened {
  const bytes = readRange(fd, 0, Math.min(size, FIRST_BYTES));
  const isAll = bytes.length === size;
  const source = bytes.subarray(leadingHole(bytes));
  const decoding = openDecoding(source, isAll, options.encoding);
  decoding.skip(bytes.length - source.length);
  const raw = decoded(decoding, source, isAll);
  const usable = isAll ? raw.length : behindLastLine(raw);
  const marking = openMarked(raw, decoding.facts().start, usable, options);
  const marked = (added: Uint8Array, isLast: boolean) => (marking ? markedText(marking, added, isLast) : added);
  const text = marked(raw, isAll);
  const head = text.subarray(0, isAll ? text.length : behindLastLine(text));
  const document = understand(head, source, decoding.facts(), withDelimiter(options, marking));
  return {
    document: { ...document, bytes: withSpare(text), end: text.length },
    read: bytes.length,
    textOf: (added, isLast) => marked(decoded(decoding, added, isLast), isLast),
  };
}

function decoded(decoding: Decoding, bytes: Uint8Array, isLast: boolean): Uint8Array {
  const text = decoding.decode(bytes, true)!;
  return isLast ? Buffer.concat([text, decoding.flush()]) : text;
}

/** All of it, if it has no line end. */
const behindLastLine = (text: Uint8Array) => Math.max(text.lastIndexOf(10), text.lastIndexOf(13)) + 1 || text.length;

const withSpare = (text: Uint8Array) => Buffer.concat([text, Buffer.alloc(SPARE_BYTES)]);

function rowsOf(fd: number, stat: BigStat, { document, read, textOf }: Opened, options: TableOptions): FileRows {
  const { layout, columns, bodyStart, quotes } = document.dialect;
  const size = Number(stat.size);
  const state = { text: document.bytes, at: bodyStart, end: document.end, read, walked: bodyStart };
  let found: { readonly start: number; readonly end: number }[] = [];
  let nextFound = 0;
  let trouble: CsvError | undefined;
  let isClosed = false;
  const sampled = { ...document, bytes: new Uint8Array(document.bytes) }; // stray quotes are marked on the way
  const verdicts = columnsOf(sampled, lastBorder(document.bytes, document.end, layout.recordEnd)).verdicts();
  const head = new Uint8Array(document.bytes.subarray(0, bodyStart));

  const isLast = () => state.read >= size;

  /** Finds the next records that are there whole; if there is none, more is read. */
  function find(): boolean {
    for (;;) {
      found = [];
      nextFound = 0;
      const to = isLast() ? state.end : lastBorder(state.text, state.end, layout.recordEnd);
      const visit = (start: number, end: number) => found.push({ start, end }) === FOUND;
      const open = walkRecords(state.text, state.at, to, layout, columns.length, visit, { quotes, isEnd: isLast() });
      if (found.length > 0) return true;
      if (isLast()) {
        if (open !== -1)
          trouble = new CsvError(
            "unclosed-quote",
            "a quote is opened and never closed; the rows before it were played",
          );
        return false;
      }
      readMore();
    }
  }

  function readMore(): void {
    checkSame(fd, stat);
    if (state.end - state.at > options.maxCellBytes + STEP_BYTES)
      throw new CsvError("too-large", `a row has a cell of more than ${options.maxCellBytes} bytes; see --max-cell`);
    // As much as there is already, so that a long row is not walked again for each piece of it.
    const step = Math.max(STEP_BYTES, state.end - state.at);
    const bytes = readRange(fd, state.read, Math.min(step, size - state.read));
    if (bytes.length === 0) throw changed();
    state.read += bytes.length;
    const kept = state.text.subarray(state.at, state.end);
    state.text = Buffer.concat([kept, textOf(bytes, isLast()), Buffer.alloc(SPARE_BYTES)]);
    state.at = 0;
    state.end = state.text.length - SPARE_BYTES;
  }

  function next(): Row | undefined {
    if (columns.length === 0 || (nextFound === found.length && !find())) return undefined;
    const { text, at } = state;
    const { start, end } = found[nextFound++]!;
    state.at = end;
    return { text: ended(text.subarray(at, end), layout.recordEnd), cells: () => cellsOf(text, start, end, layout) };
  }

  function close(): void {
    if (!isClosed) closeSync(fd);
    isClosed = true;
  }

  return { document, head, verdicts, next, trouble: () => trouble, close };
}

/** Behind the last record end. */
const lastBorder = (text: Uint8Array, end: number, recordEnd: number) =>
  text.subarray(0, end).lastIndexOf(recordEnd) + 1;

/** The last row of a file may have no record end. */
function ended(row: Uint8Array, recordEnd: number): Uint8Array {
  return row.at(-1) === recordEnd ? row : Buffer.concat([row, Uint8Array.of(recordEnd)]);
}

/** What was appended is left alone; a file that was written anew in its place is none that can be played on. */
function checkSame(fd: number, before: BigStat): void {
  const now = fstatSync(fd, { bigint: true });
  if (now.size < before.size || (now.size === before.size && now.mtimeNs !== before.mtimeNs)) throw changed();
}

const changed = () => new CsvError("changing", "was written anew while it was played: what was left of it is gone");
