// Whether what was understood of a growing source still holds: its dialect is a function of its first 64 kB, and while it is
// shorter it may change. A header with rows under it is not given up for what comes later.
import { detectDialect, type Dialect } from "../csv/dialect.ts";
import type { Understanding } from "../csv/document.ts";
import { detectEncoding, HEAD_BYTES, SPARE_BYTES } from "../csv/encoding.ts";
import type { ReadOptions } from "../csv/options.ts";
import type { CsvTable } from "../csv/table.ts";

/** `same`: all of it. `rows`: header and layout hold, but which records are rows, or their units, is known better now. */
export type Agreement = "same" | "rows" | "other";

/** A header with so many rows on air stays while the source only grows. */
const SETTLED_ROWS = 20;

/** Whether growth may no longer change the header. A comment that was taken for one may still be given up. */
export function isSettled(table: CsvTable, { dialect, start }: Understanding): boolean {
  const head = table.head();
  const isComment =
    dialect.skippedLines === 0 && /^(#|%|\/\/|; )/.test(Buffer.from(head.subarray(start, start + 2)).toString());
  return table.rows() >= SETTLED_ROWS && !isComment;
}

/** Of the dialect found now, and the one by which `rows` rows were read. */
export function agreementOf(a: Dialect, b: Dialect, rows: number): Agreement {
  if (a.columns.length === 0 && b.columns.length === 0) return "same";
  const isSameHeader = a.columns.length === b.columns.length && a.columns.every((name, c) => name === b.columns[c]);
  const { delimiter, recordEnd } = a.layout;
  if (!isSameHeader || recordEnd !== b.layout.recordEnd) return "other";
  if (a.bodyStart !== b.bodyStart) return rows === 0 && a.bodyStart > b.bodyStart ? "rows" : "other";
  if (delimiter !== b.layout.delimiter) return a.columns.length === 1 ? "rows" : "other";
  return keyOf(a) === keyOf(b) ? "same" : "rows";
}

const keyOf = ({ layout: { skips }, units, hints, quotes }: Dialect) =>
  JSON.stringify([
    skips?.records.map((record) => [...record]),
    skips?.prefixes.map((prefix) => [...prefix]),
    units,
    hints,
    quotes?.shape,
  ]);

/** The dialect of the text that is held and what follows it; undefined if even the encoding is another. */
export function dialectWith(
  table: CsvTable,
  { start }: Understanding,
  added: Uint8Array,
  options: ReadOptions,
): Dialect | undefined {
  const text = Buffer.concat([...table.pieces(), added.subarray(0, 2 * HEAD_BYTES), Buffer.alloc(SPARE_BYTES)]);
  const length = text.length - SPARE_BYTES;
  if (detectEncoding(text.subarray(0, length)) !== "utf-8") return undefined;
  return detectDialect(text, start, length, options);
}
