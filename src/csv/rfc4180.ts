// Records of any dialect -> CSV in the normal form of RFC 4180: comma, CRLF, every row as many cells as there are columns, a
// cell in quotes only where it must be. From bytes to bytes, by the rules of `records.ts`.
import type { RowWriter } from "./json.ts";
import { SPARE_BYTES } from "./encoding.ts";
import { pairTable } from "./pairs.ts";
import { CR, DATA_QUOTE, type Layout, LF, openingQuote, QUOTE, SPACE, TAB, VOID } from "./records.ts";
import { skipperOf } from "./skips.ts";

const COMMA = 44;
const CRLF = 0x0a0d;

const isQuoted = (byte: number) =>
  byte === COMMA || byte === QUOTE || byte === CR || byte === LF || byte === 0 || byte === DATA_QUOTE;
const isSpecial = (byte: number) => isQuoted(byte) || byte === VOID;

/** A quote is doubled, and any of them may bring two quotes around its cell. */
const GROWTH = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === QUOTE || byte === DATA_QUOTE ? 3 : isQuoted(byte) ? 2 : 0,
);

const tables = new Map<number | undefined, Uint8Array>();

/** Where a writer must stop in a cell: in quotes, or outside of them, where this delimits. */
function tableFor(delimiter?: number): Uint8Array {
  const table = tables.get(delimiter) ?? pairTable((byte) => byte === delimiter || isSpecial(byte));
  tables.set(delimiter, table);
  return table;
}

/** The header record, with its CRLF; nothing if there are no columns. */
export function csvHeader(columns: readonly string[]): string {
  if (columns.length === 0) return "";
  const cells = columns.map((name) => (/[",\r\n\0]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name));
  return `${cells.join(",") || '""'}\r\n`;
}

/** A writer of CSV rows of so many cells. It counts no surplus: the table has done so. */
export function csvWriter(columns: number, { delimiter, recordEnd, skips }: Layout): RowWriter {
  const skipper = skipperOf(skips, recordEnd);

  const write: RowWriter["write"] = (src, end, out, safe, progress) => {
    const outside = tableFor(delimiter);
    const inside = tableFor();
    const from = new DataView(src.buffer, src.byteOffset, src.length);
    const to = new DataView(out.buffer, out.byteOffset, out.length);
    let { at: i, out: o, rows, lastRowAt } = progress;
    while (i < end && o <= safe) {
      if (skipper.starts[src[i]!] !== 0) {
        const next = skipper.end(src, i, end);
        if (next !== -1) {
          i = next;
          continue;
        }
      }
      lastRowAt = o;
      let c = 0;
      for (; ; c++) {
        if (c > 0 && c < columns) out[o++] = COMMA;
        const cellAt = o;
        let needsQuotes = false;
        let byte = src[i]!;
        if (byte === SPACE || byte === TAB) {
          const opening = openingQuote(src, i, end, delimiter);
          if (opening !== -1) {
            i = opening;
            byte = QUOTE;
          }
        }
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
              if (byte === VOID) continue;
              if (byte === QUOTE && src[i++] !== QUOTE) break;
              if (byte === DATA_QUOTE) byte = QUOTE;
              if (!needsQuotes) o = openQuotes(out, cellAt, o);
              needsQuotes = true;
              out[o++] = byte;
              if (byte === QUOTE) out[o++] = QUOTE;
            }
            i--; // behind the closing quote
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
            if (byte === VOID) continue;
            if (byte === DATA_QUOTE) byte = QUOTE;
            let behind = i;
            if (byte === CR && recordEnd === LF) {
              while (src[behind] === CR) behind++;
              if (src[behind] === LF) {
                i = behind + 1;
                byte = LF;
                break cell;
              }
            }
            if (!needsQuotes) o = openQuotes(out, cellAt, o);
            needsQuotes = true;
            out[o++] = byte;
            if (byte === QUOTE) out[o++] = QUOTE;
            for (; i < behind; i++) out[o++] = CR;
          }
        }
        if (needsQuotes) out[o++] = QUOTE;
        if (c >= columns) o = cellAt;
        if (byte === recordEnd) break;
      }
      for (c++; c < columns; c++) out[o++] = COMMA;
      if (o === lastRowAt) {
        to.setInt16(o, (QUOTE << 8) | QUOTE, true); // an empty line would be no row
        o += 2;
      }
      to.setInt16(o, CRLF, true);
      o += 2;
      rows++;
    }
    progress.at = i;
    progress.out = o;
    progress.rows = rows;
    progress.lastRowAt = lastRowAt;
  };
  const need = (length: number) => length * 4 + columns + SPARE_BYTES;
  return { twoBytePerRow: 0, need, leastPerRow: columns + 1, growth: GROWTH, write };
}

/** Puts a quote before the cell whose bytes `[cellAt, o)` are written. Returns the next output offset. */
function openQuotes(out: Uint8Array, cellAt: number, o: number): number {
  if (o - cellAt > 64) out.copyWithin(cellAt + 1, cellAt, o);
  else for (let k = o; k > cellAt; k--) out[k] = out[k - 1]!;
  out[cellAt] = QUOTE;
  return o + 1;
}
