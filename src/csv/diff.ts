// Two runs of rows -> splices. Which rows stay is found by hashes (values/hunks.ts), and settled by bytes.
import { diffHashes, type Splice } from "../values/hunks.ts";
import { CR, type Layout, LF } from "./records.ts";

/** Rows as byte ranges: row r is `bytes[starts[r], starts[r + 1])`; `starts` has one entry more than there are rows. */
export type Rows = { readonly bytes: Uint8Array; readonly starts: Uint32Array; readonly layout: Layout };

export type { Splice };

/** Splices that turn `before` into `after`, in order; row numbers are those of the table while they apply. */
export function diffRows(before: Rows, after: Rows): Splice[] {
  const isSame = (a: number, b: number) => isSameRow(before, a, after, b);
  return diffHashes(hashes(before), hashes(after), isSame);
}

function hashes(rows: Rows): Float64Array {
  const list = new Float64Array(rows.starts.length - 1);
  for (let r = 0; r < list.length; r++) list[r] = hashRow(rows.bytes, rows.starts[r]!, contentEnd(rows, r));
  return list;
}

/** Hash of `bytes[from, to)`, an integer below 2^53: two lanes of 32 bits, four bytes at a time. No defence against forged rows. */
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

function isSameRow(before: Rows, a: number, after: Rows, b: number): boolean {
  const from = before.starts[a]!;
  const start = after.starts[b]!;
  const length = contentEnd(before, a) - from;
  return length === contentEnd(after, b) - start && isSame(before.bytes, from, after.bytes, start, length);
}

/** Where a row ends without its record end: the last row of a file may not have one yet. */
function contentEnd({ bytes, starts, layout }: Rows, r: number): number {
  let end = starts[r + 1]!;
  if (bytes[end - 1] === layout.recordEnd) end--;
  if (layout.recordEnd === LF) while (end > starts[r]! && bytes[end - 1] === CR) end--;
  return end;
}

/** Memory compare; short rows byte by byte, since a native call costs more than they do. */
function isSame(a: Uint8Array, from: number, b: Uint8Array, start: number, length: number): boolean {
  if (length > 64) return Buffer.compare(a.subarray(from, from + length), b.subarray(start, start + length)) === 0;
  for (let i = 0; i < length; i++) if (a[from + i] !== b[start + i]) return false;
  return true;
}
