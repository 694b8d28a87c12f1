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

/** An integer below 2^53. */
export function hashRow(bytes: Uint8Array, from: number, to: number): number {
  let low = 0x9e3779b9 ^ (to - from);
  let high = 0x85ebca6b;
  for (let i = from; i < to; i++) {
    low = Math.imul(low ^ bytes[i]!, 0x01000193);
    high = Math.imul(high ^ bytes[i]!, 0x5bd1e995) ^ (high >>> 15);
  }
  low ^= low >>> 16;
  low = Math.imul(low, 0xc2b2ae35) ^ (high >>> 13);
  return (low >>> 0) + (high & 0x1fffff) * 2 ** 32;
}
