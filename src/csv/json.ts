// Records -> JSON text, straight from bytes to bytes: the hot path. No row object is ever built, so columns keep the order
// of the file and a column `__proto__` survives. The text is what JSON.stringify would write.
import { SPARE_BYTES } from "./encoding.ts";
import { CR, type Layout, LF, QUOTE } from "./records.ts";

const BACKSLASH = 92;
/** The letter after the backslash in JSON's short escapes (RFC 8259, section 7); 0 where only \u00XX exists. */
const SHORT_ESCAPE = new Uint8Array(128);
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

/** Each row as an object under these column names, or as an array of this many cells. */
export type RowShape = readonly string[] | number;

/** What is written before each cell: `{"a":"`, `","b":"`, … or `["`, `","`, …, padded to whole words. */
type Frame = {
  words: Int32Array;
  offsets: Int32Array;
  lengths: Int32Array;
  columns: number;
  bytesPerRow: number;
  rowEnd: number;
};

function frameOf(shape: RowShape): Frame {
  const columns = typeof shape === "number" ? shape : shape.length;
  const cells: Buffer[] = [];
  for (let c = 0; c < columns; c++) {
    const opening = c > 0 ? '","' : typeof shape === "number" ? '["' : '{"';
    const name = typeof shape === "number" ? "" : JSON.stringify(shape[c]).slice(1) + ':"';
    cells.push(Buffer.from(opening + name));
  }
  // The writer copies at least four words of each, whatever its length.
  const padded = cells.map((cell) => Math.max(16, (cell.length + 3) & ~3));
  const offsets = new Int32Array(columns);
  let total = 0;
  padded.forEach((length, c) => {
    offsets[c] = total >> 2;
    total += length;
  });
  const words = new Int32Array(total >> 2);
  const bytes = new Uint8Array(words.buffer);
  cells.forEach((cell, c) => bytes.set(cell, offsets[c]! << 2));
  const lengths = Int32Array.from(cells, (cell) => cell.length);
  const rowEnd = typeof shape === "number" ? 0x002c5d22 : 0x002c7d22; // `"],` and `"},`, little-endian
  return { words, offsets, lengths, columns, bytesPerRow: total + SPARE_BYTES, rowEnd };
}

/**
 * Pairs of bytes -> how many of them can be copied as they are: 2, 1 or 0, kept as 0, 2 and 1 so that "both" is the cheap test.
 * Pairs halve the steps through a cell; a table of 64 kB stays in the cache.
 */
function pairTable(isSpecial: (byte: number) => boolean): Uint8Array {
  const table = new Uint8Array(65_536);
  for (let second = 0; second < 256; second++) {
    const tail = isSpecial(second) ? 2 : 0;
    for (let first = 0; first < 256; first++) table[(second << 8) | first] = isSpecial(first) ? 1 : tail;
  }
  return table;
}

const isEscaped = (byte: number) => byte < 32 || byte === QUOTE || byte === BACKSLASH;
const inQuotes = pairTable(isEscaped);
const outsideQuotes = new Map<number, Uint8Array>();

/** Where a writer stands: the next source byte, the next output byte, and what it has counted. */
export type Progress = { at: number; out: number; rows: number; surplus: number };

/** Writes records as JSON rows, each followed by a comma. */
export type RowWriter = {
  /** Output bytes that must be free before a window of `length` source bytes and one row may be written. */
  need(length: number): number;
  /**
   * Writes the records in `src[progress.at, end)`, where `src[end - 1]` is a record end, while `progress.out` is at most
   * `safe`. Stops before a record that is not complete within the window. Both buffers have SPARE_BYTES to spare.
   */
  write(src: Uint8Array, end: number, out: Uint8Array, safe: number, progress: Progress): void;
};

export function rowWriter(shape: RowShape, { delimiter, recordEnd }: Layout): RowWriter {
  const { words, offsets, lengths, columns, bytesPerRow, rowEnd } = frameOf(shape);
  let outside = outsideQuotes.get(delimiter);
  if (!outside) outsideQuotes.set(delimiter, (outside = pairTable((byte) => isEscaped(byte) || byte === delimiter)));
  const plain = outside;

  function write(src: Uint8Array, end: number, out: Uint8Array, safe: number, progress: Progress): void {
    const from = new DataView(src.buffer, src.byteOffset, src.length);
    const to = new DataView(out.buffer, out.byteOffset, out.length);
    let { at: i, out: o, rows, surplus } = progress;
    let recordAt = i;
    let rowAt = o;
    records: while (i < end && o <= safe) {
      recordAt = i;
      rowAt = o;
      if (src[i] === recordEnd) {
        i++;
        continue;
      }
      if (src[i] === CR && src[i + 1] === LF && recordEnd === LF) {
        i += 2;
        continue;
      }
      let c = 0;
      let dropped = 0;
      cells: for (;;) {
        if (c < columns) {
          const word = offsets[c]!;
          const length = lengths[c]!;
          to.setInt32(o, words[word]!, true);
          to.setInt32(o + 4, words[word + 1]!, true);
          to.setInt32(o + 8, words[word + 2]!, true);
          to.setInt32(o + 12, words[word + 3]!, true);
          for (let k = 16; k < length; k += 4) to.setInt32(o + k, words[word + (k >> 2)]!, true);
          o += length;
        }
        const cellAt = o;
        let table = plain;
        let byte = src[i]!;
        if (byte === QUOTE) {
          table = inQuotes;
          i++;
        }
        for (;;) {
          for (;;) {
            const pair = from.getUint16(i, true);
            to.setUint16(o, pair, true);
            const stop = table[pair]!;
            if (stop === 0) {
              i += 2;
              o += 2;
              continue;
            }
            i += stop - 1;
            o += stop - 1;
            break;
          }
          byte = src[i++]!;
          if (table === plain) {
            if (byte === delimiter) break;
            if (byte === recordEnd || (byte === CR && src[i] === LF && recordEnd === LF)) {
              if (byte !== recordEnd) i++;
              if (c >= columns && o > cellAt) (surplus++, dropped++, (o = cellAt));
              break cells;
            }
          } else if (byte === QUOTE) {
            if (src[i] !== QUOTE) {
              table = plain;
              continue;
            }
            i++;
          } else if (byte === recordEnd && i >= end) {
            i = recordAt;
            o = rowAt;
            surplus -= dropped;
            break records;
          }
          to.setInt16(o, (SHORT_ESCAPE[byte]! << 8) | BACKSLASH, true);
          if (SHORT_ESCAPE[byte] !== 0) o += 2;
          else {
            to.setInt32(o + 1, 0x00303075, true); // `u00`
            out[o + 4] = HEX[byte >> 4]!;
            out[o + 5] = HEX[byte & 15]!;
            o += 6;
          }
        }
        if (c >= columns && o > cellAt) (surplus++, dropped++, (o = cellAt));
        c++;
      }
      for (c++; c < columns; c++) {
        const word = offsets[c]!;
        const length = lengths[c]!;
        for (let k = 0; k < length; k += 4) to.setInt32(o + k, words[word + (k >> 2)]!, true);
        o += length;
      }
      to.setInt32(o, rowEnd, true);
      o += 3;
      rows++;
    }
    progress.at = i;
    progress.out = o;
    progress.rows = rows;
    progress.surplus = surplus;
  }
  return { need: (length) => length * 6 + bytesPerRow, write };
}
