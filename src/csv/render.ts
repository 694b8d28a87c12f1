// A range of CSV bytes -> one JSON text: finds room for the output, feeds the row writer window by window, makes the string.
import { SPARE_BYTES } from "./encoding.ts";
import type { OutputEncoding, RowShape } from "./frame.ts";
import { type IsStray, type Progress, type RowWriter, rowWriter } from "./json.ts";
import type { Typing } from "./literals.ts";
import type { QuoteRule } from "./quotes.ts";
import type { Layout } from "./records.ts";
import { fasterWriter, MAX_OUTPUT_BYTES, openOutput, type Output, WINDOW_BYTES } from "./simd.ts";

/** JavaScript strings hold at most 2^31 - 1 characters; some room is left for the row that crosses the limit. */
export const MAX_TEXT_BYTES = 2 ** 31 - (1 << 20);

export type Rendered = {
  /** The JSON array; undefined if it would have been longer than the limit. */
  readonly text: string | undefined;
  /** Length of the text in UTF-8 bytes, as far as it was written. */
  readonly bytes: number;
  readonly rows: number;
  /** Cells beyond the last column that were not empty and are not in the text. */
  readonly surplus: number;
};

/**
 * Where JSON is written before it becomes a string. Its owner keeps it from one rendering to the next as long as that
 * pays: the first touch of fresh pages costs more than the conversion itself.
 */
export type Arena = { fast?: Output; small?: Output };

export const bytesOfArena = ({ fast, small }: Arena): number =>
  (fast?.bytes().length ?? 0) + (small?.bytes().length ?? 0);

/** From so many bytes of source on, plain records are written sixteen bytes at a time. */
const MIN_FAST_BYTES = 1 << 13;

/** What is made for one rendering is not worth a memory of WebAssembly. */
function outputOf(arena: Arena | undefined, expectedBytes: number): Output {
  if (!arena) return openOutput(false);
  return expectedBytes >= MIN_FAST_BYTES ? (arena.fast ??= openOutput(true)) : (arena.small ??= openOutput(false));
}

/** Renders one JSON array from successive stretches of records. */
export type Renderer = {
  /**
   * Adds the records in `bytes[from, to)`; `bytes[to - 1]` is a record end, and SPARE_BYTES lie behind `to`.
   * Returns where it stopped: `to`, or the start of a record whose quote is still open at `to`, or that is not settled unless
   * more text is there. `isEnd`: there is none.
   */
  add(bytes: Uint8Array, from: number, to: number, isEnd?: boolean): number;
  /** True once the text is longer than the limit: nothing more is added. */
  isOverLimit(): boolean;
  finish(): Rendered;
};

/** A writer of rows as arrays, or as objects, which `typing` gives literals. */
export function writerFor(
  layout: Layout,
  shape: RowShape,
  encoding: OutputEncoding,
  typing?: Typing,
  separator?: number,
  isStray?: IsStray,
): RowWriter {
  if (typeof shape === "number" && separator === undefined && !isStray) return arrayWriter(shape, layout, encoding);
  return rowWriter(shape, layout, encoding, { separator, isStray, typing });
}

/** Those of the changes of a table, which would take longer to make than to use. */
const arrayWriters = new WeakMap<Layout, Map<string, RowWriter>>();

function arrayWriter(columns: number, layout: Layout, encoding: OutputEncoding): RowWriter {
  const writers = arrayWriters.get(layout) ?? new Map<string, RowWriter>();
  arrayWriters.set(layout, writers);
  const key = `${columns} ${encoding}`;
  const writer = writers.get(key) ?? rowWriter(columns, layout, encoding);
  writers.set(key, writer);
  return writer;
}

/**
 * `expectedBytes` is the length of all source to come, as far as it is known: it spares growing the arena step by step.
 * With `quotes` stray quotes are told, and marked in the source.
 */
export function createRenderer(
  layout: Layout,
  shape: RowShape,
  expectedBytes: number,
  arena?: Arena,
  limit: number = MAX_TEXT_BYTES,
  quotes?: QuoteRule,
  typing?: Typing,
): Renderer {
  let source: { bytes: Uint8Array; to: number; isEnd: boolean } = { bytes: new Uint8Array(0), to: 0, isEnd: false };
  const isStray: IsStray | undefined =
    quotes &&
    ((quoteAt, lineEnd, field) => {
      const telling = quotes.tell(source.bytes, quoteAt, lineEnd, field, source.to, source.isEnd);
      return telling === "later" ? undefined : telling !== "cell";
    });
  let encoding: OutputEncoding = isWide(shape) ? "utf8" : "latin1";
  const output = outputOf(arena, expectedBytes);
  const { base } = output;
  let writer = newWriter();
  output.grow(base + writer.need(Math.min(expectedBytes, WINDOW_BYTES)) + SPARE_BYTES, 0);
  let out = output.bytes();
  out[base] = 0x5b; // [
  const progress: Progress = {
    at: 0,
    out: base + 1,
    rows: 0,
    surplus: 0,
    twoByte: 0,
    isTooWide: false,
    lastRowAt: 0,
  };
  let consumed = 0;
  let isFull = false; // the next row may take more than can be addressed

  function newWriter(): RowWriter {
    const made = writerFor(layout, shape, encoding, typing, undefined, isStray);
    return fasterWriter(made, layout, encoding, !isStray, output);
  }

  /** `out` becomes so long; the first `kept` bytes of it stay. */
  function makeRoom(length: number, kept: number): void {
    output.grow(length, kept);
    out = output.bytes();
  }

  const utf8Length = () => progress.out - base + progress.twoByte + progress.rows * writer.twoBytePerRow;
  const isOverLimit = () => isFull || utf8Length() > limit;

  function add(bytes: Uint8Array, from: number, to: number, isEnd = true): number {
    source = { bytes, to, isEnd };
    progress.at = from;
    let window = WINDOW_BYTES;
    while (progress.at < to && !isOverLimit()) {
      const { at } = progress;
      const windowEnd = recordEndNear(bytes, at, Math.min(at + window, to), to, layout);
      const need = roomFor(writer, bytes, at, windowEnd) + SPARE_BYTES;
      if (progress.out + need > out.length) grow(need, consumed + at - from);
      if (isFull) break;
      writer.write(bytes, windowEnd, out, out.length - need, progress);
      if (progress.isTooWide) widen();
      else if (progress.at > at) window = WINDOW_BYTES;
      else if (windowEnd === to) break;
      else window *= 8;
    }
    consumed += progress.at - from;
    return progress.at;
  }

  /** From the growth so far: one step is enough for most tables, and pages that are not touched cost nothing. */
  function grow(need: number, soFar: number): void {
    const written = progress.out - base;
    const expected = written * Math.max((expectedBytes / Math.max(soFar, 1)) * 1.1, 1.5);
    isFull = progress.out + need > MAX_OUTPUT_BYTES;
    if (!isFull) makeRoom(Math.min(base + Math.ceil(Math.min(expected, limit)) + need, MAX_OUTPUT_BYTES), progress.out);
  }

  /** The first character above U+00FF: what was written becomes UTF-8, and so does all that follows. */
  function widen(): void {
    const written = out.toString("latin1", base, progress.out);
    progress.out = base + utf8Length();
    progress.twoByte = 0;
    makeRoom(progress.out, 0);
    out.write(written, base, "utf8");
    encoding = "utf8";
    writer = newWriter();
  }

  function finish(): Rendered {
    const { rows, surplus } = progress;
    if (rows === 0) progress.out = base + 2;
    out[progress.out - 1] = 0x5d; // ]
    const text = isOverLimit() ? undefined : out.toString(encoding, base, progress.out);
    return { text, bytes: utf8Length(), rows, surplus };
  }

  return { add, isOverLimit, finish };
}

/**
 * Whether a column name has a character that latin1 has not, or latin1 bytes that are a NaN when eight of them are copied as
 * one number: a NaN's payload is not kept (ECMA-262, NumericToRawBytes). In UTF-8 no such bytes follow each other.
 */
function isWide(shape: RowShape): boolean {
  return typeof shape !== "number" && shape.some((name) => /[^\0-\xff]|[\xf0-\xff][\x7f\xff]/.test(name));
}

/** Puts a record end behind an unterminated last record, so that the writer needs no bounds check. Returns the new end. */
export function terminate(bytes: Uint8Array, from: number, to: number, { recordEnd }: Layout): number {
  if (to === from || bytes[to - 1] === recordEnd) return to;
  bytes[to] = recordEnd;
  return to + 1;
}

/** The last place in `bytes(at, near]` right behind a record end, else the first one after it. */
function recordEndNear(bytes: Uint8Array, at: number, near: number, end: number, { recordEnd }: Layout): number {
  if (near === end) return end;
  const before = bytes.subarray(at, near).lastIndexOf(recordEnd);
  if (before !== -1) return at + before + 1;
  const after = bytes.indexOf(recordEnd, near);
  return after === -1 || after >= end ? end : after + 1;
}

/** For a usual window the worst case of each byte; a huge cell is counted, so that it needs no huge room. */
export function roomFor(writer: RowWriter, bytes: Uint8Array, at: number, end: number): number {
  if (end - at <= 16 * WINDOW_BYTES) return writer.need(end - at);
  let room = writer.need(0) + end - at;
  for (let i = at; i < end; i++) room += writer.growth[bytes[i]!]!;
  return room;
}

/** The JSON text of a few records, for headers and samples. */
export function jsonOf(bytes: Uint8Array, from: number, to: number, layout: Layout, shape: RowShape): string {
  const renderer = createRenderer(layout, shape, to - from);
  const copy = new Uint8Array(bytes.subarray(from, to + SPARE_BYTES));
  renderer.add(copy, 0, terminate(copy, 0, to - from, layout));
  return renderer.finish().text ?? "[]";
}
