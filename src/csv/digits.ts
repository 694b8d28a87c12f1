// Copying a cell that is a plain number, checked on the way: the fast path of `json.ts`. Whatever is odd about a number is left to
// the slow one.
import { LF, CR, QUOTE } from "./records.ts";
import { MAX_LITERAL_BYTES } from "./literals.ts";

const SPACE = 32;
const PLUS = 43;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const E = 0x65;
/** Integers of so many digits are exact in a double. */
export const MAX_DIGITS = 15;
/** A number of so many characters stays within a double's range with an exponent of two digits. */
const MAX_SCALED_LENGTH = 100;

/** How many output bytes `copyNumber` tells in the low bits; the source bytes are above them. */
export const COPIED_BITS = 10;
export const COPIED_MASK = (1 << COPIED_BITS) - 1;

/** Whether a delimiter cannot be part of a number or of the blanks around it. */
export const isOutsideNumbers = (delimiter: number) => !/[-+0-9.eE \r\n"]/.test(String.fromCharCode(delimiter));

/**
 * Copies the number in the cell at `src[i]`, which may stand in blanks and in quotes, to `out[o]` as a JSON number: how many bytes of
 * the source it takes, delimiter and record end aside, and how many were written, as two numbers in one. 0 if the cell is anything
 * else than digits with a sign, a decimal sign and an exponent that JSON can take as they are.
 */
export function copyNumber(
  src: Uint8Array,
  i: number,
  out: Uint8Array,
  o: number,
  decimal: number,
  delimiter: number,
  recordEnd: number,
): number {
  let k = i;
  let p = o;
  let byte = src[k]!;
  const isQuoted = byte === QUOTE;
  if (isQuoted) byte = src[++k]!;
  while (byte === SPACE) byte = src[++k]!;
  if (byte === MINUS) {
    out[p++] = byte;
    byte = src[++k]!;
  }
  const first = byte;
  const digits = p;
  while (byte >= ZERO && byte < 58) {
    out[p++] = byte;
    byte = src[++k]!;
  }
  const count = p - digits;
  if (count === 0 || count > MAX_DIGITS || (count > 1 && first === ZERO)) return 0;
  if (byte === decimal && (isQuoted || byte !== delimiter)) {
    out[p++] = POINT;
    byte = src[++k]!;
    if (byte < ZERO || byte > 57) return 0;
    while (byte >= ZERO && byte < 58) {
      out[p++] = byte;
      byte = src[++k]!;
    }
  }
  if ((byte | 32) === E) {
    const length = p - o <= MAX_SCALED_LENGTH ? copyExponent(src, k, out, p) : 0;
    if (length === 0) return 0;
    k += length;
    p += length;
    byte = src[k]!;
  }
  while (byte === SPACE) byte = src[++k]!;
  if (isQuoted) {
    if (byte !== QUOTE) return 0;
    byte = src[++k]!;
  }
  if (byte !== delimiter && byte !== recordEnd && !(byte === CR && src[k + 1] === LF && recordEnd === LF)) return 0;
  return k - i <= MAX_LITERAL_BYTES ? ((k - i) << COPIED_BITS) | (p - o) : 0;
}

/** `e`, a sign or none, and one or two digits: how many bytes; 0 if it is none, or of more digits. */
function copyExponent(src: Uint8Array, k: number, out: Uint8Array, p: number): number {
  const sign = src[k + 1];
  let length = sign === PLUS || sign === MINUS ? 2 : 1;
  const head = length;
  for (let byte = src[k + length]!; byte >= ZERO && byte < 58; byte = src[k + length]!) length++;
  if (length - head !== 1 && length - head !== 2) return 0;
  for (let n = 0; n < length; n++) out[p + n] = src[k + n]!;
  return length;
}
