// Records -> JSON text, straight from bytes to bytes: the hot path. No row object is ever built, so columns keep the order
// of the file and a column `__proto__` survives. The text is what JSON.stringify would write.
import { frameOf, type OutputEncoding, type RowShape } from "./frame.ts";
import { pairTable } from "./pairs.ts";
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

const isEscaped = (byte: number) => byte < 32 || byte === QUOTE || byte === BACKSLASH;
const tables = new Map<string, Uint8Array>();

/** Which bytes end the copying of a cell; `delimiter` is undefined inside quotes. */
export function tableFor(delimiter: number | undefined, encoding: OutputEncoding): Uint8Array {
  const key = `${delimiter} ${encoding}`;
  const stops = (byte: number) => isEscaped(byte) || byte === delimiter || (encoding === "latin1" && byte > 0x7f);
  const table = tables.get(key) ?? pairTable(stops);
  tables.set(key, table);
  return table;
}

/** Where a writer stands: the next source byte, the next output byte, and what it has counted. */
export type Progress = {
  at: number;
  out: number;
  rows: number;
  /** Cells beyond the last column that are not empty. */
  surplus: number;
  /** Characters from U+0080 to U+00FF, which UTF-8 writes in two bytes and latin1 in one. */
  twoByte: number;
  /** A character above U+00FF is next: only UTF-8 can write it. */
  isTooWide: boolean;
  /** Where in the output the last row begins that was written. */
  lastRowAt: number;
};

/** Writes records as rows, each followed by what separates it from the next. */
export type RowWriter = {
  /** How many more bytes the column names of one row take in UTF-8 than in this writer's encoding. */
  readonly twoBytePerRow: number;
  /** Output bytes that must be free before a window of `length` source bytes and one row may be written. */
  need(length: number): number;
  /** Output bytes of a row of empty cells. */
  readonly leastPerRow: number;
  /** How many output bytes more than one each source byte may take. */
  readonly growth: Uint8Array;
  /**
   * Writes the records in `src[progress.at, end)`, where `src[end - 1]` is a record end, while `progress.out` is at most
   * `safe`. Stops before a record that is not complete within the window, or too wide for the output encoding.
   * Both buffers have SPARE_BYTES to spare.
   */
  write(src: Uint8Array, end: number, out: Uint8Array, safe: number, progress: Progress): void;
};

const COMMA = 44;
/** How many bytes more than one a byte takes in JSON. */
export const GROWTH = Uint8Array.from({ length: 256 }, (_, byte) => (byte < 32 ? 5 : isEscaped(byte) ? 1 : 0));

/** A writer of JSON rows; `separator` is the byte behind each. */
export function rowWriter(
  shape: RowShape,
  { delimiter, recordEnd }: Layout,
  encoding: OutputEncoding,
  separator = COMMA,
): RowWriter {
  const frame = frameOf(shape, encoding, separator);
  const { words, offsets, lengths, columns, bytesPerRow, rowEnd } = frame;
  const outside = tableFor(delimiter, encoding);
  const inside = tableFor(undefined, encoding);

  function write(src: Uint8Array, end: number, out: Uint8Array, safe: number, progress: Progress): void {
    const from = new DataView(src.buffer, src.byteOffset, src.length);
    const to = new DataView(out.buffer, out.byteOffset, out.length);
    let { at: i, out: o, rows, surplus, twoByte, lastRowAt } = progress;
    let isTooWide = false;
    records: while (i < end && o <= safe) {
      if (src[i] === recordEnd) {
        i++;
        continue;
      }
      if (src[i] === CR && src[i + 1] === LF && recordEnd === LF) {
        i += 2;
        continue;
      }
      const recordAt = i;
      const rowAt = o;
      const surplusBefore = surplus;
      const twoByteBefore = twoByte;
      row: {
        let c = 0;
        for (; ; c++) {
          if (c < columns) {
            const word = offsets[c]!;
            const length = lengths[c]!;
            to.setFloat64(o, words[word]!, true);
            to.setFloat64(o + 8, words[word + 1]!, true);
            for (let k = 16; k < length; k += 8) to.setFloat64(o + k, words[word + (k >> 3)]!, true);
            o += length;
          }
          const cellAt = o;
          let byte = src[i]!;
          cell: {
            if (byte === QUOTE) {
              i++;
              for (;;) {
                let word = 0;
                for (;;) {
                  word = from.getInt32(i, true);
                  to.setInt32(o, word, true);
                  if ((inside[word & 0xffff]! | inside[word >>> 16]!) !== 0) break;
                  i += 4;
                  o += 4;
                }
                const stop = inside[word & 0xffff] || inside[word >>> 16]! + 2;
                i += stop - 1;
                o += stop - 1;
                byte = src[i++]!;
                if (byte === QUOTE) {
                  if (src[i] !== QUOTE) break;
                  i++;
                } else if (byte === recordEnd && i >= end) {
                  break row; // the quote is still open at the end of the window
                } else if (byte > 0x7f) {
                  if ((isTooWide = byte > 0xc3)) break row;
                  out[o++] = (byte << 6) | (src[i++]! & 0x3f);
                  twoByte++;
                  continue;
                }
                o = escape(to, o, byte);
              }
              byte = src[i]!;
            }
            for (;;) {
              let word = 0;
              for (;;) {
                word = from.getInt32(i, true);
                to.setInt32(o, word, true);
                if ((outside[word & 0xffff]! | outside[word >>> 16]!) !== 0) break;
                i += 4;
                o += 4;
              }
              const stop = outside[word & 0xffff] || outside[word >>> 16]! + 2;
              i += stop - 1;
              o += stop - 1;
              byte = src[i++]!;
              if (byte === delimiter || byte === recordEnd) break cell;
              if (byte === CR && src[i] === LF && recordEnd === LF) {
                byte = src[i++]!;
                break cell;
              }
              if (byte > 0x7f) {
                if ((isTooWide = byte > 0xc3)) break row;
                out[o++] = (byte << 6) | (src[i++]! & 0x3f);
                twoByte++;
                continue;
              }
              o = escape(to, o, byte);
            }
          }
          if (c >= columns && o > cellAt) {
            surplus++;
            if (encoding === "latin1") for (let k = cellAt; k < o; k++) if (out[k]! > 0x7f) twoByte--;
            o = cellAt;
          }
          if (byte === recordEnd) break;
        }
        for (c++; c < columns; c++) {
          const word = offsets[c]!;
          const length = lengths[c]!;
          for (let k = 0; k < length; k += 8) to.setFloat64(o + k, words[word + (k >> 3)]!, true);
          o += length;
        }
        to.setInt32(o, rowEnd, true);
        o += 3;
        rows++;
        lastRowAt = rowAt;
        continue records;
      }
      // Not complete within the window, or too wide: as if the record had not been begun.
      i = recordAt;
      o = rowAt;
      surplus = surplusBefore;
      twoByte = twoByteBefore;
      break;
    }
    progress.at = i;
    progress.out = o;
    progress.rows = rows;
    progress.surplus = surplus;
    progress.twoByte = twoByte;
    progress.isTooWide = isTooWide;
    progress.lastRowAt = lastRowAt;
  }
  const twoBytePerRow = encoding === "utf8" ? 0 : frame.twoByte;
  const leastPerRow = lengths.reduce((sum, length) => sum + length, 3);
  return { twoBytePerRow, need: (length) => length * 6 + bytesPerRow, leastPerRow, growth: GROWTH, write };
}

/** Writes an escaped byte; returns the next output offset. */
export function escape(to: DataView, o: number, byte: number): number {
  const letter = SHORT_ESCAPE[byte]!;
  to.setInt16(o, (letter << 8) | BACKSLASH, true);
  if (letter !== 0) return o + 2;
  to.setInt32(o + 1, 0x00303075, true); // `u00`
  to.setInt16(o + 4, HEX[byte >> 4]! | (HEX[byte & 15]! << 8), true);
  return o + 6;
}
