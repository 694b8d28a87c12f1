// Which bytes JSON does not take as they are, and how they are written instead.
import type { OutputEncoding } from "./frame.ts";
import { pairTable } from "./pairs.ts";
import { QUOTE, VOID } from "./records.ts";

const BACKSLASH = 92;
/** The letter after the backslash in JSON's short escapes (RFC 8259, section 7); 0 where only \u00XX exists. */
export const SHORT_ESCAPE = new Uint8Array(128);
for (const [byte, letter] of [
  [8, "b"],
  [9, "t"],
  [10, "n"],
  [12, "f"],
  [13, "r"],
  [34, '"'],
  [92, "\\"],
] as const)
  SHORT_ESCAPE[byte] = letter.charCodeAt(0);
const HEX = Buffer.from("0123456789abcdef");

const isEscaped = (byte: number) => byte < 32 || byte === QUOTE || byte === BACKSLASH || byte >= VOID;
const tables: Record<OutputEncoding, Map<number | undefined, Uint8Array>> = { utf8: new Map(), latin1: new Map() };

/** Where a writer must stop: at the delimiter, at what JSON escapes, in latin1 at what it cannot hold. */
export function tableFor(delimiter: number | undefined, encoding: OutputEncoding): Uint8Array {
  const known = tables[encoding].get(delimiter);
  if (known) return known;
  const stops = (byte: number) => isEscaped(byte) || byte === delimiter || (encoding === "latin1" && byte > 0x7f);
  const table = pairTable(stops);
  tables[encoding].set(delimiter, table);
  return table;
}

/** How many output bytes more than one each source byte may take. */
export const GROWTH = Uint8Array.from({ length: 256 }, (_, byte) => (byte < 32 ? 5 : isEscaped(byte) ? 1 : 0));

/** Writes an escaped byte; returns the next output offset. */
export function escape(to: DataView, o: number, byte: number): number {
  const letter = SHORT_ESCAPE[byte]!;
  to.setInt16(o, (letter << 8) | BACKSLASH, true);
  if (letter !== 0) return o + 2;
  to.setInt32(o + 1, 0x00303075, true); // `u00`
  to.setInt16(o + 4, HEX[byte >> 4]! | (HEX[byte & 15]! << 8), true);
  return o + 6;
}
