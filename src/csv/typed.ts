// Records -> JSON rows with literals: numbers, booleans and null by the verdicts of the columns. Apart from `json.ts`, whose loop stays
// as it is; it walks by the same rules. A plain number is copied digit by digit and checked on the way; any other cell of a typed
// column is written as a string first, and then settled.
import { objectWords, type OutputEncoding } from "./frame.ts";
import { escape, GROWTH, type Progress, type RowWriter, tableFor } from "./json.ts";
import { endsWithUnit, isDigit, settle, type Typing } from "./literals.ts";
import { COPIED_BITS, COPIED_MASK, copyNumber, isOutsideNumbers } from "./digits.ts";
import { CR, type Layout, LF, QUOTE } from "./records.ts";
import { SPARE_BYTES } from "./encoding.ts";
import type { Verdict } from "../values/verdict.ts";

const COMMA = 44;
const POINT = 46;
const NULL = 0x6c6c756e; // `null`, as a little-endian word
const STRING = 0;
const NUMBER = 1;
/** Stays a string unless it is a word for nothing, which no digit begins. */
const TIME = 2;
const SETTLED = 3;

function kindOf(verdict: Verdict | undefined): number {
  if (!verdict || verdict.type === "text") return STRING;
  const isNumeric = verdict.type === "number" || (verdict.type === "time" && /^(basic|epoch)/.test(verdict.format));
  return isNumeric ? NUMBER : verdict.type === "time" ? TIME : SETTLED;
}

/** A writer of rows as JSON objects with literals; `separator` is the byte behind each. */
export function typedWriter(
  names: readonly string[],
  typing: Typing,
  { delimiter, recordEnd }: Layout,
  encoding: OutputEncoding,
  separator = COMMA,
): RowWriter {
  const { verdicts, misfits } = typing;
  const columns = names.length;
  const kinds = Uint8Array.from(names, (_, c) => kindOf(verdicts[c]));
  const isString = (c: number) => kinds[c] === STRING;
  const { words, offsets, lengths, twoByte: twoByteOfNames, total } = objectWords(names, isString, encoding);
  const twoBytePerRow = encoding === "utf8" ? 0 : twoByteOfNames;
  const outside = tableFor(delimiter, encoding);
  const inside = tableFor(undefined, encoding);
  const isPlain = isOutsideNumbers(delimiter);
  const decimals = Uint8Array.from(names, (_, c) => decimalOf(verdicts[c]));
  const units = names.map((_, c) => unitOf(verdicts[c], encoding));
  const isLastString = isString(columns - 1);
  const rowEnd = isLastString ? 0x7d22 | (separator << 16) : 0x7d | (separator << 8);
  const rowEndLength = isLastString ? 3 : 2;
  const pending: number[] = []; // columns of the misfits of a row that may have to be written again

  /** Settles the string in `out[from, to)`, whose quotes stand around it. Returns the next output offset. */
  function literal(out: Uint8Array, from: number, to: number, c: number): number {
    const found = settle(out, from, to, verdicts[c]!, encoding);
    if (found === false) pending.push(c);
    if (typeof found === "boolean") return to + 1;
    for (let k = 0; k < found.length; k++) out[from - 1 + k] = found.charCodeAt(k);
    return from - 1 + found.length;
  }

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
          const kind = c < columns ? kinds[c]! : STRING;
          if (c < columns) {
            const word = offsets[c]!;
            const length = lengths[c]!;
            to.setFloat64(o, words[word]!, true);
            to.setFloat64(o + 8, words[word + 1]!, true);
            for (let k = 16; k < length; k += 8) to.setFloat64(o + k, words[word + (k >> 3)]!, true);
            o += length;
          }
          let byte = src[i]!;
          cell: {
            if (kind !== STRING && isPlain) {
              const copied = kind === NUMBER ? copyNumber(from, i, to, o, decimals[c]!, delimiter, recordEnd) : 0;
              if (copied !== 0) {
                i += copied >> COPIED_BITS;
                o += copied & COPIED_MASK;
                byte = src[i++]!;
                if (byte === CR && recordEnd === LF) byte = src[i++]!;
                break cell;
              }
              const isCrLf = byte === CR && src[i + 1] === LF && recordEnd === LF;
              if (byte === delimiter || byte === recordEnd || isCrLf) {
                to.setInt32(o, NULL, true);
                o += 4;
                i++;
                if (isCrLf) byte = src[i++]!;
                break cell;
              }
            }
            if (kind !== STRING) out[o++] = QUOTE;
            const cellAt = o;
            text: {
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
                if (byte === delimiter || byte === recordEnd) break text;
                if (byte === CR && src[i] === LF && recordEnd === LF) {
                  byte = src[i++]!;
                  break text;
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
            if (kind !== STRING) {
              out[o] = QUOTE;
              if (kind === TIME ? isDigit(out[cellAt]!) : endsWithUnit(out, cellAt, o, units[c]!, decimals[c]!)) o++;
              else {
                const twoByteHere = encoding === "latin1" ? twoByteIn(out, cellAt, o) : 0;
                o = literal(out, cellAt, o, c);
                if (out[cellAt - 1] !== QUOTE) twoByte -= twoByteHere;
              }
            } else if (c >= columns && o > cellAt) {
              surplus++;
              if (encoding === "latin1") twoByte -= twoByteIn(out, cellAt, o);
              o = cellAt;
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
            to.setInt32(o, NULL, true);
            o += 4;
          }
        }
        to.setInt32(o, rowEnd, true);
        o += rowEndLength;
        rows++;
        lastRowAt = rowAt;
        while (pending.length > 0) misfits[pending.pop()!]!++;
        continue records;
      }
      // Not complete within the window, or too wide: as if the record had not been begun.
      pending.length = 0;
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
  const bytesPerRow = total + SPARE_BYTES + 6 * columns;
  // The shortest cell of a typed column is a digit.
  const leastPerRow = lengths.reduce((sum, length, c) => sum + length + (isString(c) ? 0 : 1), rowEndLength);
  return { twoBytePerRow, need: (length) => length * 6 + bytesPerRow, leastPerRow, growth: GROWTH, write };
}

function decimalOf(verdict: Verdict | undefined): number {
  return verdict?.type === "number" && verdict.decimal === "," ? COMMA : POINT;
}

function unitOf(verdict: Verdict | undefined, encoding: OutputEncoding): Uint8Array {
  return Buffer.from(verdict?.type === "number" ? (verdict.unit ?? "") : "", encoding);
}

/** How many bytes of a latin1 text UTF-8 writes as two. */
function twoByteIn(out: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let k = from; k < to; k++) if (out[k]! > 0x7f) count++;
  return count;
}
