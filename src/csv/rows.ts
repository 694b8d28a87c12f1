// Rows as bytes: their content, whether two are equal, and a number that tells most of the others apart.
import { CR, type Layout, LF } from "./records.ts";

/** Where a row ends without its record end, and blank lines behind it: the last one of a text may not have one yet. */
export function contentEnd(bytes: Uint8Array, start: number, end: number, { recordEnd }: Layout): number {
  while (end > start && (bytes[end - 1] === recordEnd || (recordEnd === LF && bytes[end - 1] === CR))) end--;
  return end;
}

/** Memory compare; short rows byte by byte, since a native call costs more than they do. */
export function isSameContent(
  a: Uint8Array,
  from: number,
  to: number,
  b: Uint8Array,
  start: number,
  end: number,
): boolean {
  const length = to - from;
  if (length !== end - start) return false;
  if (length > 64) return Buffer.compare(a.subarray(from, to), b.subarray(start, end)) === 0;
  for (let i = 0; i < length; i++) if (a[from + i] !== b[start + i]) return false;
  return true;
}

/** Of `bytes[from, to)`, an integer below 2^53: two lanes of 32 bits, four bytes at a time. No defence against forged rows. */
export function hashRow(bytes: Uint8Array, from: number, to: number): number {
  let a = 0x9e3779b1 ^ (to - from);
  let b = 0x85ebca77;
  let i = from;
  for (; i + 4 <= to; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    a = Math.imul(a ^ word, 0x9e3779b1);
    a ^= a >>> 15;
    b = Math.imul(b ^ word, 0x5f356495);
    b ^= b >>> 13;
  }
  for (; i < to; i++) {
    a = Math.imul(a ^ bytes[i]!, 0x85ebca6b);
    a ^= a >>> 15;
    b = Math.imul(b ^ bytes[i]!, 0xc2b2ae35);
    b ^= b >>> 13;
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ b;
  b = Math.imul(b ^ (b >>> 15), 0xc2b2ae35) ^ a;
  return (a >>> 0) * 0x200000 + (b >>> 11);
}
