// A text with quotes, escapes, blanks of its own kind -> the same text in the plain grammar: every byte keeps its offset, those that
// mean nothing become VOID, quotes that are data DATA_QUOTE. The slow way round, so that the fast one knows one grammar. It goes
// piece by piece: what a later piece may still change at the end is little, and is marked once more with that.
import { SPARE_BYTES } from "./encoding.ts";
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

/**
 * Where the marks of what follows hang on nothing in front of it: at the beginning of a record; where a cell begins behind a delimiter
 * (or ends, where runs of blanks are delimiters); in a cell outside of quotes; behind an opening quote; inside of quotes.
 */
type Place = "record" | "cell" | "text" | "opened" | "quoted";
/** It moves on as far as what is there tells. */
type Point = { at: number; place: Place };

/** Marks `bytes[from, to)`, a text that begins with a record, as if nothing came behind it. */
export function markRecords(bytes: Uint8Array, from: number, to: number, marking: Marking): void {
  markFrom(bytes, { at: from, place: "record" }, to, marking);
}

export type Marker = {
  /** The marks of a text that follows: instead of the last so many bytes that were given out, these. */
  take(text: Uint8Array): { readonly instead: number; readonly marked: Uint8Array };
  /** The same, but nothing is given out that may become another: that waits. */
  takeSettled(text: Uint8Array): Uint8Array;
  /** Gives out what waits. */
  takeWaiting(): Uint8Array;
  /** What was given out ends at the beginning of a record. */
  restart(): void;
};

/** The first text has a byte order mark of so many bytes. */
export function openMarker(marking: Marking, markBytes: number): Marker {
  let place: Place = "record";
  let begin = markBytes;
  let open: Uint8Array = new Uint8Array(0); // as it came, from the last point on
  let shown: Uint8Array = open; // what of it was given out, marked

  function mark(text: Uint8Array): { marked: Uint8Array; settled: number } {
    const raw = open.length === 0 ? text : Buffer.concat([open, text]);
    const marked = new Uint8Array(raw.length + SPARE_BYTES).subarray(0, raw.length);
    marked.set(raw);
    const point = markFrom(marked, { at: begin, place }, raw.length, marking);
    begin = 0;
    place = point.place;
    open = new Uint8Array(raw.subarray(point.at));
    return { marked, settled: point.at };
  }

  return {
    take(text) {
      const before = shown;
      const { marked, settled } = mark(text);
      shown = marked.subarray(settled);
      let same = 0;
      while (same < before.length && before[same] === marked[same]) same++;
      return { instead: before.length - same, marked: marked.subarray(same) };
    },
    takeSettled(text) {
      const { marked, settled } = mark(text);
      return marked.subarray(0, settled);
    },
    takeWaiting() {
      const { marked, settled } = mark(new Uint8Array(0));
      shown = marked.subarray(settled);
      return marked;
    },
    restart() {
      place = "record";
      open = shown = new Uint8Array(0);
    },
  };
}

/** Returns the last point in front of what may become another with what follows. */
function markFrom(bytes: Uint8Array, point: Point, to: number, marking: Marking): Point {
  let last: Point | undefined;
  while (point.at < to) {
    if (point.place === "record" && !last && isTornComment(bytes, point.at, to, marking)) last = { ...point };
    if (!step(bytes, point, to, marking)) break;
  }
  return last ?? point;
}

/** False if the text ends before that can be told: then it is marked as it stands. */
function step(bytes: Uint8Array, point: Point, to: number, marking: Marking): boolean {
  switch (point.place) {
    case "record":
      return markStart(bytes, point, to, marking);
    case "cell":
      return marking.delimiter === undefined
        ? markGap(bytes, point, to, marking)
        : markCell(bytes, point, to, marking, marking.delimiter);
    case "text":
      return markText(bytes, point, to, marking);
    case "opened":
    case "quoted":
      return markQuoted(bytes, point, to, marking);
  }
}

function move(point: Point, at: number, place: Place): true {
  point.at = at;
  point.place = place;
  return true;
}

function isTornComment(bytes: Uint8Array, at: number, to: number, { comment }: Marking): boolean {
  return comment !== undefined && to - at < comment.length && isAt(comment.subarray(0, to - at), bytes, at, to);
}

function isAt(prefix: Uint8Array, bytes: Uint8Array, at: number, to: number): boolean {
  return at + prefix.length <= to && prefix.every((byte, k) => bytes[at + k] === byte);
}

/** Behind the record end at `i`, or behind CRs in front of it; -1 if that is not there yet. */
function behindRecordEnd(bytes: Uint8Array, i: number, to: number, recordEnd: number): number {
  if (recordEnd === LF) while (i < to && bytes[i] === CR) i++;
  return i < to ? i + 1 : -1;
}

function markStart(bytes: Uint8Array, point: Point, to: number, marking: Marking): boolean {
  const { comment, delimiter, recordEnd, quote } = marking;
  const start = point.at;
  if (comment && isAt(comment, bytes, start, to)) {
    const end = bytes.subarray(0, to).indexOf(recordEnd, start);
    return end !== -1 && move(point, end + 1, "record");
  }
  if (delimiter !== undefined) return move(point, start, "cell");
  const i = behindBlanks(bytes, start, to);
  if (isRecordEnd(bytes, i, to, recordEnd)) {
    bytes.fill(CR, start, i);
    const next = behindRecordEnd(bytes, i, to, recordEnd);
    return next !== -1 && move(point, next, "record");
  }
  bytes.fill(VOID, start, i);
  if (bytes[i] !== quote) return move(point, i, "text");
  // A quote opens at the beginning of the record.
  bytes[i] = VOID;
  bytes[start] = QUOTE;
  return move(point, i + 1, "opened");
}

/** A run of blanks between two cells becomes one, and that in front of a record end nothing. */
function markGap(bytes: Uint8Array, point: Point, to: number, { recordEnd, quote }: Marking): boolean {
  const next = behindBlanks(bytes, point.at, to);
  bytes.fill(VOID, point.at, next);
  if (isRecordEnd(bytes, next, to, recordEnd)) {
    const behind = behindRecordEnd(bytes, next, to, recordEnd);
    return behind !== -1 && move(point, behind, "record");
  }
  bytes[next - 1] = SPACE;
  if (bytes[next] !== quote) return move(point, next, "text");
  bytes[next] = QUOTE;
  return move(point, next + 1, "opened");
}

function markCell(bytes: Uint8Array, point: Point, to: number, { quote, trim }: Marking, delimiter: number): boolean {
  const start = point.at;
  let i = start;
  while (i < to && bytes[i] !== delimiter && (bytes[i] === SPACE || bytes[i] === TAB)) i++;
  if (i < to && bytes[i] === quote) {
    bytes[i] = QUOTE;
    return move(point, i + 1, "opened");
  }
  if (trim) bytes.fill(VOID, start, i);
  return i < to && move(point, trim ? i : start, "text");
}

/** What is not in quotes, up to the end of its cell. */
function markText(bytes: Uint8Array, point: Point, to: number, marking: Marking): boolean {
  const { recordEnd, trim } = marking;
  let i = point.at;
  while (i < to && !isCellEnd(bytes, i, to, marking)) {
    if (bytes[i] === QUOTE) bytes[i] = DATA_QUOTE;
    i++;
  }
  if (trim) trimEnd(bytes, point.at, i);
  if (i < to && bytes[i] !== CR && bytes[i] !== recordEnd)
    return move(point, marking.delimiter === undefined ? i : i + 1, "cell");
  const next = i < to ? behindRecordEnd(bytes, i, to, recordEnd) : -1;
  if (next !== -1) return move(point, next, "record");
  while (i > point.at && (bytes[i - 1] === CR || (trim && isNothing(bytes[i - 1]!)))) i--;
  point.at = i;
  return false;
}

/** The inside of quotes, up to the one that closes them. */
function markQuoted(bytes: Uint8Array, point: Point, to: number, { quote, escape, trim }: Marking): boolean {
  let i = point.at;
  let isClosed = false;
  for (; i < to && !isClosed; i++) {
    const byte = bytes[i]!;
    if (byte === escape && escape !== quote) {
      if (i + 1 === to) break;
      bytes[i++] = VOID;
      if (bytes[i] === QUOTE) bytes[i] = DATA_QUOTE;
    } else if (byte === quote && i + 1 < to && bytes[i + 1] === quote) {
      bytes[i++] = VOID;
      if (quote === QUOTE) bytes[i] = DATA_QUOTE;
    } else if (byte === quote) {
      bytes[i] = QUOTE;
      isClosed = true;
    } else if (byte === QUOTE) bytes[i] = DATA_QUOTE;
  }
  const end = isClosed ? i - 1 : i;
  if (trim && point.place === "opened") {
    let from = point.at;
    while (from < end && isNothing(bytes[from]!)) bytes[from++] = VOID;
    point.at = from;
  }
  if (isClosed && trim) trimEnd(bytes, point.at, end);
  if (isClosed && i < to) return move(point, i, "text");
  // The last byte may be the first of two.
  let known = end;
  while (trim && known > point.at && isNothing(bytes[known - 1]!)) known--;
  if (known > point.at) move(point, known, "quoted");
  if (escape === QUOTE && end < to && !isClosed) bytes[end] = DATA_QUOTE;
  return false;
}

const isNothing = (byte: number) => byte === SPACE || byte === TAB || byte === VOID;

function trimEnd(bytes: Uint8Array, from: number, to: number): void {
  while (to > from && isNothing(bytes[to - 1]!)) bytes[--to] = VOID;
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
