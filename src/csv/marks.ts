// A text with quotes, escapes, blanks of its own kind -> the same text in the plain grammar, in place: every byte keeps its offset,
// those that mean nothing become VOID, quotes that are data DATA_QUOTE. The slow way round, so that the fast one knows one grammar.
import type { ReadOptions } from "./options.ts";
import { CR, DATA_QUOTE, LF, QUOTE, SPACE, TAB, VOID } from "./records.ts";

export type Marking = {
  /** The byte that separates cells; undefined: runs of blanks and tabs do, and become one blank. */
  readonly delimiter: number | undefined;
  readonly recordEnd: number;
  /** Undefined: there are no quotes. */
  readonly quote: number | undefined;
  readonly escape: number | undefined;
  readonly trim: boolean;
  /** Lines that begin so are left alone. */
  readonly comment: Uint8Array | undefined;
};

const byteOf = (text: string | undefined) => (text === undefined ? undefined : text.charCodeAt(0));

/** `delimiter` is the one that was found or asked for. */
export function markingOf(options: ReadOptions, delimiter: string, recordEnd: number): Marking {
  return {
    delimiter: delimiter === "whitespace" ? undefined : byteOf(delimiter),
    recordEnd,
    quote: options.quote === "none" ? undefined : (byteOf(options.quote) ?? QUOTE),
    escape: byteOf(options.escape),
    trim: options.trim === true,
    comment: options.comment === undefined ? undefined : Buffer.from(options.comment),
  };
}

/** Marks the records in `bytes[from, to)`. */
export function markRecords(bytes: Uint8Array, from: number, to: number, marking: Marking): void {
  const { comment, recordEnd } = marking;
  for (let i = from; i < to;) {
    if (comment && isAt(comment, bytes, i)) {
      const end = bytes.indexOf(recordEnd, i);
      i = end === -1 || end >= to ? to : end + 1;
    } else i = markRecord(bytes, i, to, marking);
  }
}

function isAt(prefix: Uint8Array, bytes: Uint8Array, i: number): boolean {
  return prefix.every((byte, k) => bytes[i + k] === byte);
}

/** Returns the offset behind the record. */
function markRecord(bytes: Uint8Array, start: number, to: number, marking: Marking): number {
  const { delimiter, recordEnd } = marking;
  let i = start;
  if (delimiter === undefined) {
    i = behindBlanks(bytes, i, to);
    const isBlank = isRecordEnd(bytes, i, to, recordEnd);
    bytes.fill(isBlank ? CR : VOID, start, i);
    if (!isBlank && bytes[i] === marking.quote) swap(bytes, start, i);
    if (!isBlank && bytes[start] === marking.quote) i = start;
  }
  for (;;) {
    i = markCell(bytes, i, to, marking);
    if (i >= to) return to;
    if (isRecordEnd(bytes, i, to, recordEnd)) {
      const end = bytes.indexOf(recordEnd, i);
      return end === -1 || end >= to ? to : end + 1;
    }
    if (delimiter !== undefined) {
      i++;
      continue;
    }
    const next = behindBlanks(bytes, i, to);
    bytes.fill(VOID, i, next);
    if (isRecordEnd(bytes, next, to, recordEnd)) i = next;
    else bytes[next - 1] = SPACE;
    i = next;
    if (isRecordEnd(bytes, i, to, recordEnd)) {
      const end = bytes.indexOf(recordEnd, i);
      return end === -1 || end >= to ? to : end + 1;
    }
  }
}

function swap(bytes: Uint8Array, a: number, b: number): void {
  const kept = bytes[a]!;
  bytes[a] = bytes[b]!;
  bytes[b] = kept;
}

/** Marks the cell at `i`; returns where it ends: at a delimiter, a record end, or the end of the text. */
function markCell(bytes: Uint8Array, start: number, to: number, marking: Marking): number {
  const { quote, trim } = marking;
  let i = start;
  let quoteAt = start;
  if (marking.delimiter !== undefined) while (isBlankAt(bytes, quoteAt, to, marking)) quoteAt++;
  let kept = i;
  if (quote !== undefined && bytes[quoteAt] === quote && quoteAt < to) {
    const close = markQuoted(bytes, quoteAt, to, marking);
    if (close === to) return to;
    kept = i = close + 1;
  } else if (trim) {
    bytes.fill(VOID, start, quoteAt);
    i = quoteAt;
  }
  const textAt = i;
  while (i < to && !isCellEnd(bytes, i, to, marking)) {
    if (bytes[i] === QUOTE) bytes[i] = DATA_QUOTE;
    i++;
  }
  if (trim) trimEnd(bytes, Math.max(kept, textAt), i);
  return i;
}

/** The inside of quotes; returns where they close, or `to`. */
function markQuoted(bytes: Uint8Array, quoteAt: number, to: number, { quote, escape, trim }: Marking): number {
  bytes[quoteAt] = QUOTE;
  let i = quoteAt + 1;
  for (; i < to; i++) {
    const byte = bytes[i]!;
    if (byte === escape && escape !== quote && i + 1 < to) {
      bytes[i++] = VOID;
      if (bytes[i] === QUOTE) bytes[i] = DATA_QUOTE;
    } else if (byte === quote && bytes[i + 1] === quote && i + 1 < to) {
      bytes[i++] = VOID;
      if (quote === QUOTE) bytes[i] = DATA_QUOTE;
    } else if (byte === quote) {
      bytes[i] = QUOTE;
      break;
    } else if (byte === QUOTE) bytes[i] = DATA_QUOTE;
  }
  if (trim && i < to) {
    let from = quoteAt + 1;
    while (from < i && (bytes[from] === SPACE || bytes[from] === TAB || bytes[from] === VOID)) bytes[from++] = VOID;
    trimEnd(bytes, from, i);
  }
  return i;
}

function trimEnd(bytes: Uint8Array, from: number, to: number): void {
  while (to > from && (bytes[to - 1] === SPACE || bytes[to - 1] === TAB || bytes[to - 1] === VOID)) bytes[--to] = VOID;
}

function isBlankAt(bytes: Uint8Array, i: number, to: number, { delimiter }: Marking): boolean {
  return i < to && bytes[i] !== delimiter && (bytes[i] === SPACE || bytes[i] === TAB);
}

function behindBlanks(bytes: Uint8Array, i: number, to: number): number {
  while (i < to && (bytes[i] === SPACE || bytes[i] === TAB)) i++;
  return i;
}

function isCellEnd(bytes: Uint8Array, i: number, to: number, { delimiter, recordEnd }: Marking): boolean {
  const byte = bytes[i];
  if (delimiter === undefined ? byte === SPACE || byte === TAB : byte === delimiter) return true;
  return byte === recordEnd || (byte === CR && isRecordEnd(bytes, i, to, recordEnd));
}

/** Whether a record end stands at `i`, CRs and all. */
function isRecordEnd(bytes: Uint8Array, i: number, to: number, recordEnd: number): boolean {
  if (recordEnd === LF) while (i < to && bytes[i] === CR) i++;
  return i >= to || bytes[i] === recordEnd;
}
