// What the typed writer must know of each column, and what stands between the cells of its rows.
import type { Verdict } from "../values/verdict.ts";
import { SPARE_BYTES } from "./encoding.ts";
import { type OutputEncoding, type Words, wordsOf } from "./frame.ts";

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

/**
 * `words`: `{"a":"`, `,"b":"`, …, with the closing quote of the cell before if that is always a string. A literal takes the place of
 * the quote before it.
 */
export type TypedFrame = Words & {
  readonly columns: number;
  readonly kinds: Uint8Array;
  /** The decimal sign of each column, and the same as far as a cell without quotes may have it: -1, which is no byte, for the delimiter. */
  readonly decimals: Uint8Array;
  readonly points: Int16Array;
  readonly units: readonly Uint8Array[];
  /** What is behind the last cell, as a little-endian word, and its length. */
  readonly rowEnd: number;
  readonly rowEndLength: number;
  readonly bytesPerRow: number;
  readonly leastPerRow: number;
};

/** `separator` is the byte behind each row. */
export function typedFrame(
  names: readonly string[],
  verdicts: readonly Verdict[],
  delimiter: number,
  encoding: OutputEncoding,
  separator: number,
): TypedFrame {
  const kinds = Uint8Array.from(names, (_, c) => kindOf(verdicts[c]));
  const isString = (c: number) => kinds[c] === STRING;
  const opening = (c: number) => (c === 0 ? "{" : isString(c - 1) ? '",' : ",");
  const packed = wordsOf(names.map((name, c) => Buffer.from(`${opening(c)}${JSON.stringify(name)}:"`, encoding)));
  const decimals = Uint8Array.from(names, (_, c) => decimalOf(verdicts[c]));
  const points = Int16Array.from(decimals, (decimal) => (decimal === delimiter ? -1 : decimal));
  const units = names.map((_, c) => unitOf(verdicts[c], encoding));
  const isLastString = isString(names.length - 1);
  const rowEnd = isLastString ? 0x7d22 | (separator << 16) : 0x7d | (separator << 8);
  const rowEndLength = isLastString ? 3 : 2;
  // The shortest cell of a typed column is a digit, in place of the quote before it.
  const leastPerRow = packed.lengths.reduce((sum, length) => sum + length, rowEndLength);
  const twoByte = encoding === "utf8" ? 0 : packed.twoByte;
  const bytesPerRow = packed.total + SPARE_BYTES + 6 * names.length;
  return {
    ...packed,
    columns: names.length,
    kinds,
    decimals,
    points,
    units,
    rowEnd,
    rowEndLength,
    twoByte,
    bytesPerRow,
    leastPerRow,
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
