// Records -> JSON text, straight from bytes to bytes: the hot path. No row object is ever built, so columns keep the order
// of the file and a column `__proto__` survives. The text is what JSON.stringify would write.
import { frameOf, type OutputEncoding, type RowFrame, type RowShape } from "./frame.ts";
import { escape, GROWTH, tableFor } from "./escape.ts";
import { CR, DATA_QUOTE, type Layout, LF, openingQuote, QUOTE, SPACE, TAB, VOID } from "./records.ts";
import { skipperOf } from "./skips.ts";

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
  /** What is between the cells. */
  readonly frame?: RowFrame;
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

/**
 * Whether the quote at `quoteAt`, which opens field `field` (from 0) and is not closed before `lineEnd`, is data; undefined if that
 * cannot be told yet.
 */
export type IsStray = (quoteAt: number, lineEnd: number, field: number) => boolean | undefined;

/** A writer of JSON rows; `separator` is the byte behind each. With `isStray` it marks the quotes in the source that are data. */
export function rowWriter(
  shape: RowShape,
  { delimiter, recordEnd, skips }: Layout,
  encoding: OutputEncoding,
  separator = COMMA,
  isStray?: IsStray,
): RowWriter {
  const frame = frameOf(shape, encoding, separator);
  const { words, offsets, lengths, columns, bytesPerRow, rowEnd } = frame;
  const skipper = skipperOf(skips, recordEnd);
  const skipStarts = skipper.starts;

  function write(src: Uint8Array, end: number, out: Uint8Array, safe: number, progress: Progress): void {
    const outside = tableFor(delimiter, encoding);
    const inside = tableFor(undefined, encoding);
    const from = new DataView(src.buffer, src.byteOffset, src.length);
    const to = new DataView(out.buffer, out.byteOffset, out.length);
    let { at: i, out: o, rows, surplus, twoByte, lastRowAt } = progress;
    let isTooWide = false;
    let isMarked = false;
    records: while (i < end && o <= safe) {
      if (skipStarts[src[i]!] !== 0) {
        const next = skipper.end(src, i, end);
        if (next !== -1) {
          i = next;
          continue;
        }
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
          let quoteAt = i;
          cell: {
            if (
              byte <= QUOTE &&
              (byte === QUOTE ||
                ((byte === SPACE || byte === TAB) && (quoteAt = openingQuote(src, i, end, delimiter)) !== -1))
            ) {
              let isFirstLine = isStray !== undefined;
              i = quoteAt + 1;
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
                } else if (byte === recordEnd) {
                  if (i >= end) break row; // the quote is still open at the end of the window
                  if (isFirstLine) {
                    isFirstLine = false;
                    const stray = isStray!(quoteAt, i - 1, c);
                    if (stray !== false) {
                      if (stray) src[quoteAt] = DATA_QUOTE;
                      isMarked = stray === true;
                      break row;
                    }
                  }
                } else if (byte > 0x7f) {
                  if (byte > 0xc3) {
                    if ((isTooWide = byte < VOID)) break row;
                    if (byte === DATA_QUOTE) o = escape(to, o, QUOTE);
                    continue;
                  }
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
              if (byte === CR && recordEnd === LF) {
                let behind = i;
                while (src[behind] === CR) behind++;
                if (src[behind] === LF) {
                  i = behind + 1;
                  byte = LF;
                  break cell;
                }
                for (; i < behind; i++) o = escape(to, o, CR);
              } else if (byte > 0x7f) {
                if (byte > 0xc3) {
                  if ((isTooWide = byte < VOID)) break row;
                  if (byte === DATA_QUOTE) o = escape(to, o, QUOTE);
                  continue;
                }
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
      // Not complete within the window, or too wide, or to be read again: as if the record had not been begun.
      i = recordAt;
      o = rowAt;
      surplus = surplusBefore;
      twoByte = twoByteBefore;
      if (!isMarked) break;
      isMarked = false;
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
  return { frame, twoBytePerRow, need: (length) => length * 6 + bytesPerRow, leastPerRow, growth: GROWTH, write };
}
