// One CSV file, once: the public function. Valid UTF-8 streams through a small buffer, so that the file is never in memory;
// everything else (UTF-16, windows-1252, a torn end, a huge header) is read whole, with the same result.
import { isUtf8 } from "node:buffer";
import { closeSync, fstatSync, readSync } from "node:fs";
import { columnsOf, type CsvDocument, openDocument, renderDocument, takeCensus } from "../csv/document.ts";
import { HEAD_BYTES, SPARE_BYTES } from "../csv/encoding.ts";
import { CsvError } from "../csv/error.ts";
import { bytesOfHoles } from "../csv/holes.ts";
import { type Typing, typingOf } from "../csv/literals.ts";
import { isExotic, type ReadOptions } from "../csv/options.ts";
import { type Arena, createRenderer, type Renderer, terminate } from "../csv/render.ts";
import { printable } from "../feed/printable.ts";
import { isSameState, MAX_FILE_BYTES, openRegular, readWhole } from "./file/read.ts";

export { CsvError, type CsvErrorKind } from "../csv/error.ts";
export type { TypesOption } from "../csv/columns.ts";
export type { ReadOptions } from "../csv/options.ts";
export type { ColumnType } from "../values/verdict.ts";

/**
 * Reads a CSV file and resolves to its rows as JSON text: an array with one object per row, keys in column order, every
 * value a string unless `options.types` is given, compact as JSON.stringify writes it. The header is the first record that is not blank, unless
 * the head of the file shows another (docs/csv.md) or the options say so; a file without rows gives `[]`.
 *
 * The rules are RFC 4180 and docs/csv.md. Delimiter and encoding are detected, or
 * taken from `options`.
 *
 * Rejects with CsvError (`kind` tells why) if the file cannot be read, is larger than 1 GiB, is not a CSV, or ends
 * inside a quoted cell, and if the text would be longer than the 2^31 characters that a string can hold.
 */
export async function convertCsvToJson(filePath: string, options: ReadOptions = {}): Promise<string> {
  try {
    const text = (isExotic(options) ? undefined : streamed(filePath, options)) ?? converted(filePath, options);
    if (text.length > 0) return text;
    throw new CsvError("too-large", `its JSON is longer than a string can be (2 GiB)`);
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new CsvError(error.kind, error.reason, error.line, printable(filePath));
  }
}

/** The file read whole; "" if the text is too long. */
function converted(path: string, options: ReadOptions): string {
  const { bytes, length } = readWhole(path, { maxFileBytes: MAX_FILE_BYTES });
  const document = openDocument(bytes, length, options);
  const { end, openQuoteLine } = takeCensus(document);
  if (openQuoteLine !== undefined)
    throw new CsvError("unclosed-quote", "a quote is opened and never closed", openQuoteLine);
  return renderDocument(document, end, arena(), undefined, typingFor(document, end, options)).text ?? "";
}

function typingFor(document: CsvDocument, end: number, { types }: ReadOptions): Typing | undefined {
  return types === undefined ? undefined : typingOf(columnsOf(document, end, types).verdicts());
}

const CHUNK_BYTES = 1 << 20;
let chunk = new Uint8Array(0);

/** The file through a small buffer; undefined if it is not the plain case, which `converted` then settles. */
function streamed(path: string, options: ReadOptions): string | undefined {
  const fd = openRegular(path);
  try {
    const before = fstatSync(fd, { bigint: true });
    if (Number(before.size) <= CHUNK_BYTES || Number(before.size) > MAX_FILE_BYTES) return undefined;
    const text = streamRecords(fd, Number(before.size), options);
    return isSameState(before, fstatSync(fd, { bigint: true })) ? text : undefined;
  } finally {
    closeSync(fd);
  }
}

function streamRecords(fd: number, size: number, options: ReadOptions): string | undefined {
  if (chunk.length === 0) chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES + SPARE_BYTES);
  let renderer: Renderer | undefined;
  let recordEnd = 10;
  let start = 0; // of the rows in the chunk
  let have = 0;
  for (let read = 0; ;) {
    const got = readSync(fd, chunk, have, Math.min(CHUNK_BYTES - have, size - read), read);
    read += got;
    have += got;
    const isLast = read === size;
    if (got === 0 || bytesOfHoles(chunk.subarray(have - got, have)) > 0) return undefined;
    const border = isLast ? have : chunk.subarray(0, have).lastIndexOf(recordEnd) + 1;
    if (border === 0 || !isUtf8(chunk.subarray(0, border))) return undefined;
    if (!renderer) {
      if (border < HEAD_BYTES) return undefined;
      const document = openDocument(chunk, border, options);
      const { encoding, dialect, bytes } = document;
      if (encoding !== "utf-8" || bytes !== chunk || dialect.layout.recordEnd !== recordEnd) return undefined;
      const { layout, columns: names, quotes } = dialect;
      // Stray quotes are marked while rows are written, and the verdicts are made before.
      const columns = options.types && columnsOf(document, border, options.types);
      if (columns && !isLast && !columns.isSettled()) return undefined;
      const typing = columns && typingOf(columns.verdicts());
      renderer = createRenderer(layout, names, size, arena(), undefined, quotes, typing);
      start = dialect.bodyStart;
    }
    const to = isLast ? terminate(chunk, start, border, { delimiter: 0, recordEnd: 10 }) : border;
    const stopped = renderer.add(chunk, start, to, isLast);
    if (isLast) return stopped === to ? (renderer.finish().text ?? "") : undefined;
    if (stopped === 0 || renderer.isOverLimit()) return undefined;
    chunk.copyWithin(0, stopped, have);
    have -= stopped;
    start = 0;
  }
}

/** The arena lives on for a minute after a conversion, for a caller who converts again. */
const ARENA_IDLE_MS = 60_000;
let idle: { arena: Arena; timer: ReturnType<typeof setTimeout> } | undefined;

function arena(): Arena {
  if (idle) clearTimeout(idle.timer);
  const timer = setTimeout(() => (idle = undefined), ARENA_IDLE_MS);
  timer.unref();
  idle = { arena: idle?.arena ?? {}, timer };
  return idle.arena;
}
