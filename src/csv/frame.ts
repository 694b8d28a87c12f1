// What stands between the cells of a JSON row, made once per header: brackets, column names and quotes as whole words, and what the
// cells of each column become.
import type { Verdict } from "../values/verdict.ts";
import { SPARE_BYTES } from "./encoding.ts";

/** Each row as an object under these column names, or as an array of this many cells. */
export type RowShape = readonly string[] | number;

/** `latin1`: one byte for each character up to U+00FF, so that the string takes half the memory; bytes from 0x80 stop. */
export type OutputEncoding = "latin1" | "utf8";

export const STRING = 0;
/** Stays a string unless it is a word for nothing, which no digit begins. */
export const TIME = 1;
export const NUMBER = 2;
/** Settled cell by cell. */
const SETTLED = 3;
/** Beyond the last column. */
export const SURPLUS = 4;

const COMMA = 44;
const POINT = 46;

/** `{"a":"`, `","b":"`, … or `["`, `","`, …; without the closing quote of the cell before where that is not always a string. */
export type Frame = {
  readonly columns: number;
  /** What is written before each cell, padded to whole words. A literal takes the place of the quote at its end. */
  readonly words: Float64Array;
  readonly offsets: Int32Array;
  readonly lengths: Int32Array;
  /** Bytes of all words. */
  readonly total: number;
  /** Characters of all names that UTF-8 writes in two bytes and latin1 in one. */
  readonly twoByte: number;
  /** What is behind the last cell, with the separator of rows, as a little-endian word, and its length. */
  readonly rowEnd: number;
  readonly rowEndLength: number;
  readonly kinds: Uint8Array;
  /** The decimal sign of each column, and the same as far as a cell without quotes may have it: -1, which is no byte, for the delimiter. */
  readonly decimals: Uint8Array;
  readonly points: Int16Array;
  readonly units: readonly Uint8Array[];
  /** Room for the names and literals of one row. */
  readonly bytesPerRow: number;
  /** Output bytes of a row of the shortest cells. */
  readonly leastPerRow: number;
};

export type FrameOptions = {
  /** The byte behind each row. */
  readonly separator: number;
  /** Of the columns, for objects; those that have none are strings. */
  readonly verdicts: readonly Verdict[];
  readonly delimiter: number;
};

export function frameOf(shape: RowShape, encoding: OutputEncoding, options: FrameOptions): Frame {
  const { separator, verdicts, delimiter } = options;
  const isObject = typeof shape !== "number";
  const columns = isObject ? shape.length : shape;
  const all = Array.from({ length: columns }, (_, c) => (isObject ? verdicts[c] : undefined));
  const kinds = Uint8Array.from(all, kindOf);
  const isString = (c: number) => c < 0 || kinds[c] === STRING;
  const opening = (c: number) => (c > 0 ? (isString(c - 1) ? '",' : ",") : isObject ? "{" : "[");
  const nameOf = (c: number) => (isObject ? `${JSON.stringify(shape[c])}:` : "");
  const packed = wordsOf(all.map((_, c) => Buffer.from(`${opening(c)}${nameOf(c)}"`, encoding)));
  const decimals = Uint8Array.from(all, decimalOf);
  const closing = isObject ? 0x7d : 0x5d;
  const isLastString = isString(columns - 1);
  const rowEndLength = isLastString ? 3 : 2;
  const literals = kinds.reduce((sum, kind) => sum + (kind === STRING ? 0 : 1), 0);
  return {
    ...packed,
    columns,
    rowEnd: isLastString ? 0x22 | (closing << 8) | (separator << 16) : closing | (separator << 8),
    rowEndLength,
    kinds,
    decimals,
    points: Int16Array.from(decimals, (decimal) => (decimal === delimiter ? -1 : decimal)),
    units: all.map((verdict) => unitOf(verdict, encoding)),
    bytesPerRow: packed.total + SPARE_BYTES + 6 * literals,
    // The shortest cell of a typed column is a digit, in place of the quote before it.
    leastPerRow: packed.lengths.reduce((sum, length) => sum + length, rowEndLength),
  };
}

function kindOf(verdict: Verdict | undefined): number {
  if (!verdict || verdict.type === "text") return STRING;
  if (verdict.type === "time") return /^(?:basic|epoch)/.test(verdict.format) ? NUMBER : TIME;
  return verdict.type === "number" ? NUMBER : SETTLED;
}

function decimalOf(verdict: Verdict | undefined): number {
  return verdict?.type === "number" && verdict.decimal === "," ? COMMA : POINT;
}

function unitOf(verdict: Verdict | undefined, encoding: OutputEncoding): Uint8Array {
  return Buffer.from(verdict?.type === "number" ? (verdict.unit ?? "") : "", encoding);
}

/** The writer copies at least two words of eight bytes of each, whatever its length. */
function wordsOf(cells: readonly Buffer[]): Pick<Frame, "words" | "offsets" | "lengths" | "total" | "twoByte"> {
  const padded = cells.map((cell) => Math.max(16, (cell.length + 7) & ~7));
  const offsets = new Int32Array(cells.length);
  let total = 0;
  padded.forEach((length, c) => {
    offsets[c] = total >> 3;
    total += length;
  });
  const words = new Float64Array(total >> 3);
  const bytes = new Uint8Array(words.buffer);
  cells.forEach((cell, c) => bytes.set(cell, offsets[c]! << 3));
  const lengths = Int32Array.from(cells, (cell) => cell.length);
  const twoByte = cells.reduce((sum, cell) => sum + cell.filter((byte) => byte > 0x7f).length, 0);
  return { words, offsets, lengths, total, twoByte };
}
