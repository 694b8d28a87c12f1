// Records -> JSON text, straight from bytes to bytes: the hot path. No row object is ever built, so columns keep the order
// of the file and a column `__proto__` survives. The text is what JSON.stringify would write. A plain number of a column that is
// typed is copied digit by digit and checked on the way; any other cell of it is written as a string first, and then settled.
import { COPIED_BITS, COPIED_MASK, copyNumber, isOutsideNumbers, MAX_DIGITS } from "./digits.ts";
import { escape, GROWTH, tableFor } from "./escape.ts";
import { type Frame, frameOf, NUMBER, type OutputEncoding, type RowShape, STRING, SURPLUS, TIME } from "./frame.ts";
import { endsWithUnit, isDigit, MAX_LITERAL_BYTES, settle, type Typing } from "./literals.ts";
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
  readonly frame?: Frame;
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
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const NINE = 57;
const NULL = 0x6c6c756e; // `null`, as a little-endian word

/**
 * Whether the quote at `quoteAt`, which opens field `field` (from 0) and is not closed before `lineEnd`, is data; undefined if that
 * cannot be told yet.
 */
export type IsStray = (quoteAt: number, lineEnd: number, field: number) => boolean | undefined;

export type WriterOptions = {
  /** The byte behind each row. */
  readonly separator?: number | undefined;
  /** Marks the quotes in the source that are data. */
  readonly isStray?: IsStray | undefined;
  /** Literals, in objects: numbers, booleans and null by the verdicts of the columns. */
  readonly typing?: Typing | undefined;
};

const NO_TYPING: Typing = { verdicts: [], misfits: new Uint32Array(0) };

/** A writer of JSON rows. */
export function rowWriter(
  shape: RowShape,
  layout: Layout,
  encoding: OutputEncoding,
  { separator = COMMA, isStray, typing }: WriterOptions = {},
): RowWriter {
  const { delimiter, recordEnd, skips } = layout;
  const { verdicts, misfits } = typing ?? NO_TYPING;
  const frame = frameOf(shape, encoding, { separator, verdicts, delimiter });
  const { columns } = frame;
  const { words, offsets, lengths, kinds, decimals, points, units, rowEnd, rowEndLength } = frame;
  const skipper = skipperOf(skips, recordEnd);
  const skipStarts = skipper.starts;
  const isPlain = isOutsideNumbers(delimiter);
  const isMeasured = new Uint8Array(columns); // columns whose last cell was a number with its unit: the next one is, too
  const pending: number[] = []; // columns of the misfits of a row that may have to be written again

  let dropped = 0; // two-byte characters of the text that a literal has taken the place of

  /** The string in `out[from, to)`, whose quotes stand around it, becomes what its column is. Returns the next output offset. */
  function settled(out: Uint8Array, from: number, to: number, c: number): number {
    dropped = 0;
    const found = settle(out, from, to, verdicts[c]!, encoding);
    if (found === false) pending.push(c);
    if (typeof found === "boolean") return to + 1;
    if (encoding === "latin1") dropped = twoByteIn(out, from, to);
    for (let k = 0; k < found.length; k++) out[from - 1 + k] = found.charCodeAt(k);
    return from - 1 + found.length;
  }

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
          let kind = SURPLUS;
          if (c < columns) {
            kind = kinds[c]!;
            const word = offsets[c]!;
            const length = lengths[c]!;
            to.setFloat64(o, words[word]!, true);
            to.setFloat64(o + 8, words[word + 1]!, true);
            for (let k = 16; k < length; k += 8) to.setFloat64(o + k, words[word + (k >> 3)]!, true);
            o += length;
          }
          let byte = src[i]!;
          cell: {
            if (kind >= NUMBER && kind !== SURPLUS && isPlain && isMeasured[c] === 0) {
              number: if (kind === NUMBER) {
                let k = i;
                let p = o - 1;
                if (byte === MINUS) {
                  out[p++] = byte;
                  byte = src[++k]!;
                }
                const first = byte;
                const digitsAt = k;
                while (byte >= ZERO && byte <= NINE) {
                  out[p++] = byte;
                  byte = src[++k]!;
                }
                const digits = k - digitsAt;
                if (digits === 0 || digits > MAX_DIGITS || (digits > 1 && first === ZERO)) break number;
                if (byte === points[c]) {
                  out[p++] = POINT;
                  const fractionAt = ++k;
                  byte = src[k]!;
                  while (byte >= ZERO && byte <= NINE) {
                    out[p++] = byte;
                    byte = src[++k]!;
                  }
                  if (k === fractionAt || k - i > MAX_LITERAL_BYTES) break number;
                }
                if (byte === delimiter || byte === recordEnd) {
                  i = k + 1;
                  o = p;
                  break cell;
                }
              }
              byte = src[i]!;
              const copied = kind === NUMBER ? copyNumber(src, i, out, o - 1, decimals[c]!, delimiter, recordEnd) : 0;
              if (copied !== 0) {
                i += copied >> COPIED_BITS;
                o += (copied & COPIED_MASK) - 1;
                byte = src[i++]!;
                if (byte === CR && recordEnd === LF) byte = src[i++]!;
                break cell;
              }
              const isCrLf = byte === CR && src[i + 1] === LF && recordEnd === LF;
              if (byte === delimiter || byte === recordEnd || isCrLf) {
                to.setInt32(o - 1, NULL, true);
                o += 3;
                i++;
                if (isCrLf) byte = src[i++]!;
                break cell;
              }
            }
            const cellAt = o;
            let quoteAt = i;
            text: {
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
                if (byte === delimiter || byte === recordEnd) break text;
                if (byte === CR && recordEnd === LF) {
                  let behind = i;
                  while (src[behind] === CR) behind++;
                  if (src[behind] === LF) {
                    i = behind + 1;
                    byte = LF;
                    break text;
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
            if (kind === STRING) break cell;
            if (kind === SURPLUS) {
              if (o === cellAt) break cell;
              surplus++;
              if (encoding === "latin1") twoByte -= twoByteIn(out, cellAt, o);
              o = cellAt;
            } else if (kind === TIME && o > cellAt && isDigit(out[cellAt]!)) out[o++] = QUOTE;
            else {
              out[cellAt - 1] = out[o] = QUOTE;
              isMeasured[c] = endsWithUnit(out, cellAt, o, units[c]!, decimals[c]!) ? 1 : 0;
              if (isMeasured[c] === 1) o++;
              else {
                o = settled(out, cellAt, o, c);
                twoByte -= dropped;
              }
            }
          }
          if (byte === recordEnd) break;
        }
        for (c++; c < columns; c++) {
          const word = offsets[c]!;
          const length = lengths[c]!;
          for (let k = 0; k < length; k += 8) to.setFloat64(o + k, words[word + (k >> 3)]!, true);
          o += length;
          if (kinds[c] !== STRING) {
            to.setInt32(o - 1, NULL, true);
            o += 3;
          }
        }
        to.setInt32(o, rowEnd, true);
        o += rowEndLength;
        rows++;
        lastRowAt = rowAt;
        while (pending.length > 0) misfits[pending.pop()!]!++;
        continue records;
      }
      // Not complete within the window, or too wide, or to be read again: as if the record had not been begun.
      pending.length = 0;
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
  const { leastPerRow, bytesPerRow } = frame;
  const twoBytePerRow = encoding === "utf8" ? 0 : frame.twoByte;
  return { frame, twoBytePerRow, need: (length) => length * 6 + bytesPerRow, leastPerRow, growth: GROWTH, write };
}

/** How many bytes of a latin1 text UTF-8 writes as two. */
function twoByteIn(out: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let k = from; k < to; k++) if (out[k]! > 0x7f) count++;
  return count;
}
