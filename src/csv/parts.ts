// Rows of a table in parts of bounded size, where one text would be too much at once: as arrays, or as the bytes of a document. A part
// is told by the row that it begins with, so that each can be made when somebody takes it, and made again.
import { type Blocks, stretches } from "./blocks.ts";
import { SPARE_BYTES } from "./encoding.ts";
import { CsvError } from "./error.ts";
import type { Progress, RowWriter } from "./json.ts";
import type { Typing } from "./literals.ts";
import { type Layout, LF } from "./records.ts";
import { roomFor, writerFor } from "./render.ts";
import { csvHeader, csvWriter } from "./rfc4180.ts";
import { fasterWriter, openOutput, type Output } from "./simd.ts";

/** The shapes of documents, in UTF-8: an array of objects, an object a line, and the normal form of RFC 4180 with a header. */
export type DocumentShape = "json" | "ndjson" | "csv";

/** `at`: the number of the first row in it; `next`: that of the one behind it; `bytes`: its length in UTF-8. */
export type TextPart = { readonly at: number; readonly next: number; readonly text: string; readonly bytes: number };

/** A part of a document, with a buffer of its own. */
export type Chunk = { readonly at: number; readonly next: number; readonly data: Uint8Array<ArrayBuffer> };

/** Rows `[from, to)` of a table; parts count from `from`. */
export type Range = { readonly table: Blocks; readonly from: number; readonly to: number };

export const PART_BYTES = 256 << 10;
export const CHUNK_BYTES = 512 << 10;
/** A header of many columns over rows of few cells is a small file and a huge table. */
const MAX_RENDERED_BYTES = 2 ** 32;

const OPENING = 0x5b; // [
const CLOSING = 0x5d; // ]

/** Throws CsvError `too-large` if the rows are more than `limit` bytes in this shape, as far as that shows without writing them. */
export function checkSize({ table, from, to }: Range, shape: DocumentShape | "rows", limit = MAX_RENDERED_BYTES): void {
  if ((to - from) * writerOf(table, shape).leastPerRow > limit)
    throw new CsvError("too-large", `as ${shape} the table is longer than ${limit / 2 ** 30} GiB`);
}

/** The part that begins with row `at`, as a JSON array of rows, which are arrays of cells: of 256 kB at most, or of one row. */
export function rowsPart(range: Range, at: number): TextPart {
  if (range.to === range.from) return { at: 0, next: 0, text: "[]", bytes: 2 };
  const { out, base, progress } = write(range, at, "rows", undefined, Uint8Array.of(OPENING), PART_BYTES);
  const isOver = progress.out - base > PART_BYTES && progress.rows > 1;
  const end = isOver ? progress.lastRowAt : progress.out;
  out[end - 1] = CLOSING;
  const next = at + progress.rows - (isOver ? 1 : 0);
  return { at, next, text: narrowed(out.toString("utf8", base, end), end - base), bytes: end - base };
}

/** The part of a document that begins with row `at`; `typing` gives the objects of `json` and `ndjson` literals. */
export function documentPart(range: Range, at: number, shape: DocumentShape, typing?: Typing): Chunk {
  const { table, from, to } = range;
  const rows = to - from;
  const opening = at === 0 ? openingOf(table, shape) : new Uint8Array(0);
  const { out, base, progress } = write(range, at, shape, typing, opening, opening.length + CHUNK_BYTES);
  const next = at + progress.rows;
  if (shape === "json" && next === rows) {
    if (rows === 0) progress.out++;
    out[progress.out - 1] = CLOSING;
  }
  return { at, next, data: new Uint8Array(out.subarray(base, progress.out)) };
}

/** All parts, one after the other: at least one. */
export function* partsOf<P extends { readonly next: number }>(rows: number, part: (at: number) => P): Generator<P> {
  let at = 0;
  do {
    const made = part(at);
    yield made;
    at = made.next;
  } while (at < rows);
}

/** A string without characters above U+00FF takes half the memory if it is made from latin1. */
function narrowed(text: string, bytes: number): string {
  if (text.length === bytes) return text;
  const narrow = Buffer.from(text, "latin1").toString("latin1");
  return narrow === text ? narrow : text;
}

/** Where parts are written before they are taken from there: of which one is made at a time. CSV is not written by WebAssembly. */
const outputs: { fast?: Output; csv?: Output } = {};
/** A larger one is not kept. */
const MAX_KEPT_BYTES = 4 << 20;

const outputOf = (shape: DocumentShape | "rows"): Output =>
  shape === "csv" ? (outputs.csv ??= openOutput(false)) : (outputs.fast ??= openOutput(true));

type Wanted = { columns: readonly string[]; layout: Layout; shape: DocumentShape | "rows"; typing: Typing | undefined };

/** The one that was used last: making one takes as long as its header is wide. */
let latest: { readonly wanted: Wanted; readonly writer: RowWriter } | undefined;

function writerOf({ columns, layout }: Blocks, shape: DocumentShape | "rows", typing?: Typing): RowWriter {
  const known = latest?.wanted;
  if (known?.columns !== columns || known.layout !== layout || known.shape !== shape || known.typing !== typing)
    latest = { wanted: { columns, layout, shape, typing }, writer: newWriter({ columns, layout, shape, typing }) };
  return latest!.writer;
}

function newWriter({ columns, layout, shape, typing }: Wanted): RowWriter {
  const faster = (writer: RowWriter) => fasterWriter(writer, layout, "utf8", true, outputOf(shape));
  switch (shape) {
    case "rows":
      return faster(writerFor(layout, columns.length, "utf8"));
    case "json":
      return faster(writerFor(layout, columns, "utf8", typing));
    case "ndjson":
      return faster(writerFor(layout, columns, "utf8", typing, LF));
    case "csv":
      return csvWriter(columns.length, layout);
  }
}

function openingOf({ columns }: Blocks, shape: DocumentShape): Uint8Array {
  if (shape === "csv") return Buffer.from(csvHeader(columns));
  return shape === "ndjson" ? new Uint8Array(0) : Uint8Array.of(OPENING);
}

/** Writes rows from `at` on, behind `opening`, until they are more than `full` bytes, by one row at most, or all. */
function write(
  { table, from, to }: Range,
  at: number,
  shape: DocumentShape | "rows",
  typing: Typing | undefined,
  opening: Uint8Array,
  full: number,
) {
  const writer = writerOf(table, shape, typing);
  const output = outputOf(shape);
  const { base } = output;
  const progress: Progress = {
    at: 0,
    out: base + opening.length,
    rows: 0,
    surplus: 0,
    twoByte: 0,
    isTooWide: false,
    lastRowAt: 0,
  };
  output.grow(base + opening.length + 1 + SPARE_BYTES, 0);
  output.bytes().set(opening, base);
  for (const { bytes, start, end } of stretches(table, from + at, to)) {
    const need = roomFor(writer, bytes, start, end) + SPARE_BYTES;
    output.grow(Math.max(progress.out, base + full) + need, progress.out);
    progress.at = start;
    writer.write(bytes, end, output.bytes(), base + full, progress);
    if (progress.out > base + full) break;
  }
  const out = output.bytes();
  if (out.length > MAX_KEPT_BYTES) {
    delete outputs[shape === "csv" ? "csv" : "fast"];
    latest = undefined;
  }
  return { out, base, progress };
}
