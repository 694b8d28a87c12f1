// Copying a cell that is a plain number, checked on the way: the fast path of `typed.ts`. Whatever is odd about a number is left to
// the slow one.
import { pairTable } from "./pairs.ts";
import { LF, CR, QUOTE } from "./records.ts";
import { MAX_LITERAL_BYTES } from "./literals.ts";

const SPACE = 32;
const PLUS = 43;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const E = 0x65;
/** Integers of so many digits are exact in a double. */
const MAX_DIGITS = 15;
/** A number of so many characters stays within a double's range with an exponent of two digits. */
const MAX_SCALED_LENGTH = 100;

/** How many output bytes `copyNumber` tells in the low bits; the source bytes are above them. */
export const COPIED_BITS = 10;
export const COPIED_MASK = (1 << COPIED_BITS) - 1;

/** Whether a delimiter cannot be part of a number or of the blanks around it. */
export const isOutsideNumbers = (delimiter: number) => !/[-+0-9.eE \r\n"]/.test(String.fromCharCode(delimiter));

/** Four bytes at a time: digits come in runs of any length, and a branch for each of them would be mispredicted. */
const notDigits = pairTable((byte) => byte < ZERO || byte > 57);

/** How many digits stand at `from[k]`; copies them to `to[p]`, and up to three bytes more. */
function copyDigits(from: DataView, k: number, to: DataView, p: number): number {
  let count = 0;
  for (;;) {
    const word = from.getInt32(k + count, true);
    to.setInt32(p + count, word, true);
    const low = notDigits[word & 0xffff]!;
    const high = notDigits[word >>> 16]!;
    if ((low | high) !== 0) return count + (low === 0 ? high + 1 : low - 1);
    count += 4;
  }
}

/**
 * Copies the number in the cell at `from[i]`, which may stand in blanks and in quotes, to `to[o]` as a JSON number: how many bytes of
 * the source it takes, delimiter and record end aside, and how many were written, as two numbers in one. 0 if the cell is anything
 * else than digits with a sign, a decimal sign and an exponent that JSON can take as they are.
 */
export function copyNumber(
  from: DataView,
  i: number,
  to: DataView,
  o: number,
  decimal: number,
  delimiter: number,
  recordEnd: number,
): number {
  let k = i;
  let byte = from.getUint8(k);
  const isQuoted = byte === QUOTE;
  if (isQuoted) byte = from.getUint8(++k);
  while (byte === SPACE) byte = from.getUint8(++k);
  to.setUint8(o, MINUS);
  const minus = byte === MINUS ? 1 : 0;
  k += minus;
  let p = o + minus;
  const first = from.getUint8(k);
  const count = copyDigits(from, k, to, p);
  if (count === 0 || count > MAX_DIGITS || (count > 1 && first === ZERO)) return 0;
  k += count;
  p += count;
  byte = from.getUint8(k);
  if (byte === decimal && (isQuoted || byte !== delimiter)) {
    to.setUint8(p++, POINT);
    const decimals = copyDigits(from, ++k, to, p);
    if (decimals === 0) return 0;
    k += decimals;
    p += decimals;
    byte = from.getUint8(k);
  }
  if (byte === E || byte === E - 32) {
    const taken = p - o <= MAX_SCALED_LENGTH ? copyExponent(from, k, to, p) : 0;
    if (taken === 0) return 0;
    k += taken;
    p += taken;
    byte = from.getUint8(k);
  }
  while (byte === SPACE) byte = from.getUint8(++k);
  if (isQuoted) {
    if (byte !== QUOTE) return 0;
    byte = from.getUint8(++k);
  }
  const isEnd =
    byte === delimiter || byte === recordEnd || (byte === CR && from.getUint8(k + 1) === LF && recordEnd === LF);
  return isEnd && k - i <= MAX_LITERAL_BYTES ? ((k - i) << COPIED_BITS) | (p - o) : 0;
}

/** `e`, a sign or none, and one or two digits: how many bytes. */
function copyExponent(from: DataView, k: number, to: DataView, p: number): number {
  to.setInt16(p, from.getInt16(k, true), true);
  const sign = from.getUint8(k + 1);
  const head = sign === PLUS || sign === MINUS ? 2 : 1;
  const digits = copyDigits(from, k + head, to, p + head);
  return digits === 1 || digits === 2 ? head + digits : 0;
}
