// Rows of a table in pieces of bounded size, where one text would be too much at once: as arrays, or as the bytes of a document.
import { SPARE_BYTES } from "./encoding.ts";
import type { Progress, RowWriter } from "./json.ts";
import type { Typing } from "./literals.ts";
import { LF } from "./records.ts";
import { roomFor, WINDOW_BYTES, writerFor } from "./render.ts";
import { csvHeader, csvWriter } from "./rfc4180.ts";
import type { CsvTable } from "./table.ts";

/**
 * `rows`: JSON arrays of rows, which are arrays of cells. The others are documents in UTF-8: `json` is one array of objects,
 * `ndjson` an object a line (https://github.com/ndjson/ndjson-spec), `csv` the normal form of RFC 4180 with a header.
 */
export type Shape = "rows" | "json" | "ndjson" | "csv";

/** Of `rows`: its text, and the number of its first row. */
export type Part = { readonly at: number; readonly text: string };

export type RenderedParts = {
  readonly rows: number;
  /** Of all parts or chunks together, in UTF-8. */
  readonly bytes: number;
  /** For `rows`, at least one: valid JSON each, `at` is the number of its first row. Of 256 kB at most, or of one row. */
  readonly parts: readonly Part[];
  /** For the documents: what they are one after the other, each with a buffer of its own, of 1 MB at most. */
  readonly chunks: readonly Uint8Array<ArrayBuffer>[];
};

export const PART_BYTES = 256 << 10;
export const CHUNK_BYTES = 1 << 20;
/** A header of many columns over rows of few cells is a small file and a huge table. */
export const MAX_RENDERED_BYTES = 2 ** 32;

const OPENING = 0x5b; // [
const CLOSING = 0x5d; // ]

/**
 * Rows `[from, to)` of the table; undefined if that takes more than `limit` bytes. With `onPart` each part goes there as it is
 * made, and is not kept. `typing` gives the objects of `json` and `ndjson` literals.
 */
export function renderParts(
  table: CsvTable,
  from: number,
  to: number,
  shape: Shape,
  limit = MAX_RENDERED_BYTES,
  onPart?: (part: Part) => void,
  typing?: Typing,
): RenderedParts | undefined {
  const rows = to - from;
  const writer = writerOf(table, shape, typing);
  if (rows * writer.leastPerRow > limit) return undefined;
  const output = openOutput(table, from, to, writer, openingOf(table, shape));
  const rendered =
    shape === "rows" ? arraysOf(output, rows, limit, onPart) : documentOf(output, rows, limit, shape === "json");
  return rendered.bytes > limit ? undefined : rendered;
}

/** Stops behind the limit. */
function arraysOf(output: Output, rows: number, limit: number, onPart?: (part: Part) => void): RenderedParts {
  const { progress } = output;
  const parts: Part[] = [];
  const emit = onPart ?? ((part) => void parts.push(part));
  if (rows === 0) emit({ at: 0, text: "[]" });
  if (rows === 0) return { rows, bytes: 2, parts, chunks: [] };
  let bytes = 0;
  for (let at = 0; at < rows && bytes <= limit;) {
    output.fill(PART_BYTES);
    const isOver = progress.out > PART_BYTES && progress.rows - at > 1;
    const end = isOver ? progress.lastRowAt : progress.out;
    const out = output.buffer();
    out[end - 1] = CLOSING;
    emit({ at, text: narrowed(out.toString("utf8", 0, end), end) });
    bytes += end;
    at = progress.rows - (isOver ? 1 : 0);
    out.copyWithin(1, end, progress.out);
    progress.out -= end - 1;
  }
  return { rows, bytes, parts, chunks: [] };
}

/** A string without characters above U+00FF takes half the memory if it is made from latin1. */
function narrowed(text: string, bytes: number): string {
  if (text.length === bytes) return text;
  const narrow = Buffer.from(text, "latin1").toString("latin1");
  return narrow === text ? narrow : text;
}

/** Stops behind the limit. */
function documentOf(output: Output, rows: number, limit: number, isArray: boolean): RenderedParts {
  const { progress } = output;
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;

  /** Takes chunks from the output until at most `left` bytes are left there. */
  function take(left: number): void {
    const out = output.buffer();
    let at = 0;
    for (let end = 0; progress.out - at > left; at = end) {
      end = Math.min(at + CHUNK_BYTES, progress.out);
      chunks.push(new Uint8Array(out.subarray(at, end)));
    }
    bytes += at;
    out.copyWithin(0, at, progress.out);
    progress.out -= at;
  }

  while (progress.rows < rows && bytes <= limit) {
    output.fill(CHUNK_BYTES);
    take(CHUNK_BYTES);
  }
  if (isArray) {
    if (rows === 0) progress.out++;
    output.buffer()[progress.out - 1] = CLOSING;
  }
  take(0);
  return { rows, bytes, parts: [], chunks };
}

function writerOf({ columns, layout }: CsvTable, shape: Shape, typing?: Typing): RowWriter {
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

function openingOf({ columns }: CsvTable, shape: Shape): Uint8Array {
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
function openOutput(table: CsvTable, from: number, to: number, writer: RowWriter, opening: Uint8Array): Output {
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
