// Rows of a table in pieces of bounded size, where one text would be too much at once: as arrays, or as the bytes of a document.
import { SPARE_BYTES } from "./encoding.ts";
import { CsvError } from "./error.ts";
import type { Progress, RowWriter } from "./json.ts";
import type { Typing } from "./literals.ts";
import { LF } from "./records.ts";
import { roomFor, WINDOW_BYTES, writerFor } from "./render.ts";
import { csvHeader, csvWriter } from "./rfc4180.ts";
import type { CsvTable } from "./table.ts";

/** The shapes of documents, in UTF-8: an array of objects, an object a line, and the normal form of RFC 4180 with a header. */
export type DocumentShape = "json" | "ndjson" | "csv";

/** `at`: the number of the first row in it; `bytes`: its length in UTF-8. */
export type TextPart = { readonly at: number; readonly text: string; readonly bytes: number };

export type Chunk = Uint8Array<ArrayBuffer>;

export const PART_BYTES = 256 << 10;
export const CHUNK_BYTES = 1 << 20;
/** A header of many columns over rows of few cells is a small file and a huge table. */
export const MAX_RENDERED_BYTES = 2 ** 32;

const OPENING = 0x5b; // [
const CLOSING = 0x5d; // ]

/**
 * Rows `[from, to)` as JSON arrays of rows, which are arrays of cells: at least one, of 256 kB at most, or of one row.
 * Throws CsvError `too-large` when they are more than `limit` bytes together.
 */
export function* renderRows(
  table: CsvTable,
  from: number,
  to: number,
  limit = MAX_RENDERED_BYTES,
): Generator<TextPart> {
  const rows = to - from;
  if (rows === 0) return yield { at: 0, text: "[]", bytes: 2 };
  const output = openOutput(table, from, to, writerOf(table, "rows"), Uint8Array.of(OPENING), "rows", limit);
  const { progress } = output;
  let bytes = 0;
  for (let at = 0; at < rows;) {
    output.fill(PART_BYTES);
    const isOver = progress.out > PART_BYTES && progress.rows - at > 1;
    const end = isOver ? progress.lastRowAt : progress.out;
    const out = output.buffer();
    out[end - 1] = CLOSING;
    bytes += end;
    if (bytes > limit) throw tooLarge("rows", limit);
    yield { at, text: narrowed(out.toString("utf8", 0, end), end), bytes: end };
    at = progress.rows - (isOver ? 1 : 0);
    out.copyWithin(1, end, progress.out);
    progress.out -= end - 1;
  }
}

/**
 * Rows `[from, to)` as a document: what the chunks are one after the other, each with a buffer of its own, of 1 MB at most.
 * `typing` gives the objects of `json` and `ndjson` literals. Throws CsvError `too-large` when they are more than `limit` bytes together.
 */
export function* renderDocumentChunks(
  table: CsvTable,
  from: number,
  to: number,
  shape: DocumentShape,
  limit = MAX_RENDERED_BYTES,
  typing?: Typing,
): Generator<Chunk> {
  const rows = to - from;
  const output = openOutput(table, from, to, writerOf(table, shape, typing), openingOf(table, shape), shape, limit);
  const { progress } = output;
  let bytes = 0;

  /** Takes chunks from the output until at most `left` bytes are left there. */
  function* take(left: number): Generator<Chunk> {
    const out = output.buffer();
    let at = 0;
    for (let end = 0; progress.out - at > left; at = end) {
      end = Math.min(at + CHUNK_BYTES, progress.out);
      yield new Uint8Array(out.subarray(at, end));
    }
    bytes += at;
    if (bytes > limit) throw tooLarge(shape, limit);
    out.copyWithin(0, at, progress.out);
    progress.out -= at;
  }

  while (progress.rows < rows) {
    output.fill(CHUNK_BYTES);
    yield* take(CHUNK_BYTES);
  }
  if (shape === "json") {
    if (rows === 0) progress.out++;
    output.buffer()[progress.out - 1] = CLOSING;
  }
  yield* take(0);
}

const tooLarge = (shape: string, limit: number) =>
  new CsvError("too-large", `as ${shape} the table is longer than ${limit / 2 ** 30} GiB`);

/** A string without characters above U+00FF takes half the memory if it is made from latin1. */
function narrowed(text: string, bytes: number): string {
  if (text.length === bytes) return text;
  const narrow = Buffer.from(text, "latin1").toString("latin1");
  return narrow === text ? narrow : text;
}

function writerOf({ columns, layout }: CsvTable, shape: DocumentShape | "rows", typing?: Typing): RowWriter {
  switch (shape) {
    case "rows":
      return writerFor(layout, columns.length, "utf8");
    case "json":
      return writerFor(layout, columns, "utf8", typing);
    case "ndjson":
      return writerFor(layout, columns, "utf8", typing, LF);
    case "csv":
      return csvWriter(columns.length, layout);
  }
}

function openingOf({ columns }: CsvTable, shape: DocumentShape): Uint8Array {
  if (shape === "csv") return Buffer.from(csvHeader(columns));
  return shape === "ndjson" ? new Uint8Array(0) : Uint8Array.of(OPENING);
}

type Output = {
  readonly progress: Progress;
  buffer(): Buffer;
  /** Writes rows until they are more than `full` bytes, by one row at most, or all. */
  fill(full: number): void;
};

/** Where rows are written, behind `opening`, until somebody takes them from the buffer and sets `progress.out` back. */
function openOutput(
  table: CsvTable,
  from: number,
  to: number,
  writer: RowWriter,
  opening: Uint8Array,
  shape: string,
  limit: number,
): Output {
  if ((to - from) * writer.leastPerRow > limit) throw tooLarge(shape, limit);
  const src = table.bytes();
  const counts = { rows: 0, surplus: 0, twoByte: 0, isTooWide: false, lastRowAt: 0 };
  const progress: Progress = { at: table.range(from, to).start, out: opening.length, ...counts };
  let out = Buffer.allocUnsafeSlow(opening.length + CHUNK_BYTES + writer.need(WINDOW_BYTES) + SPARE_BYTES);
  out.set(opening);

  function fill(full: number): void {
    while (from + progress.rows < to && progress.out <= full) {
      const row = from + progress.rows;
      const next = Math.min(to, Math.max(row + 1, table.rowAt(progress.at + WINDOW_BYTES)));
      const { end } = table.range(row, next);
      const need = roomFor(writer, src, progress.at, end) + SPARE_BYTES;
      if (progress.out + need > out.length) grow(progress.out + need);
      writer.write(src, end, out, Math.min(full, out.length - need), progress);
    }
  }

  function grow(size: number): void {
    const larger = Buffer.allocUnsafeSlow(size);
    larger.set(out.subarray(0, progress.out));
    out = larger;
  }

  return { progress, fill, buffer: () => out };
}
