// Where each record of a CSV begins and ends, and how many fields it has: RFC 4180 on bytes, quote-aware, without lookahead.
// The rules (DESIGN 3): a quote opens only at the start of a field; after the closing quote everything up to the next
// delimiter or record end is literal; inside quotes every byte is data. `json.ts` walks by the same rules while it writes.

export const LF = 10;
export const CR = 13;
export const QUOTE = 34;

/** What separates fields and records, as bytes. With `recordEnd` LF, CRLF ends a record too; with CR, LF is data. */
export type Layout = { readonly delimiter: number; readonly recordEnd: typeof LF | typeof CR };

/**
 * Called for each record that is not blank: bytes `[start, end)` with its record end, and its number of fields.
 * `surplus` is the number of cells beyond the first `columns` that are not empty. True ends the walk.
 */
export type VisitRecord = (start: number, end: number, fields: number, surplus: number) => boolean | void;

/**
 * Walks the records in `bytes[from, to)`. An unterminated last record counts as one; a record inside an open quote does not.
 * Returns the offset of the record whose quote is never closed, or -1.
 */
export function walkRecords(
  bytes: Uint8Array,
  from: number,
  to: number,
  layout: Layout,
  columns: number,
  visit: VisitRecord,
): number {
  const { delimiter, recordEnd } = layout;
  const special = new Uint8Array(256);
  special[delimiter] = special[recordEnd] = 1;
  for (let i = from; i < to;) {
    const start = i;
    let fields = 0;
    let surplus = 0;
    for (;;) {
      const fieldStart = i;
      const quoted = i < to && bytes[i] === QUOTE;
      if (quoted) {
        i = closingQuote(bytes, i + 1, to);
        if (i === to) return start;
        i++;
      }
      while (i < to && special[bytes[i]!] === 0) i++;
      fields++;
      const fieldEnd = i > fieldStart && isCrBeforeEnd(bytes, i, to, recordEnd) ? i - 1 : i;
      if (fields > columns && fieldEnd - fieldStart > (quoted ? 2 : 0)) surplus++;
      if (i < to && bytes[i] === delimiter) {
        i++;
        continue;
      }
      if (i < to) i++;
      const isBlank = fields === 1 && fieldEnd === fieldStart;
      if (!isBlank && visit(start, i, fields, surplus) === true) return -1;
      break;
    }
  }
  return -1;
}

/** Whether a cell of the record in `bytes[from, to)` takes more than `limit` bytes of the text. */
export function hasCellOver(limit: number, bytes: Uint8Array, from: number, to: number, layout: Layout): boolean {
  while (to > from && (bytes[to - 1] === LF || bytes[to - 1] === CR)) to--; // blank lines behind it, too
  for (let i = from; i < to;) {
    const start = i;
    if (bytes[i] === QUOTE) i = closingQuote(bytes, i + 1, to) + 1;
    while (i < to && bytes[i] !== layout.delimiter) i++;
    if (i - start > limit) return true;
    i++;
  }
  return false;
}

/** The offset of the quote that closes a field opened before `i`; `to` if nothing does. A doubled quote is data. */
function closingQuote(bytes: Uint8Array, i: number, to: number): number {
  for (;;) {
    while (i < to && bytes[i] !== QUOTE) i++;
    if (i >= to) return to;
    if (i + 1 < to && bytes[i + 1] === QUOTE) i += 2;
    else return i;
  }
}

/** A CR right before LF belongs to the record end; at the very end of the text it is the first half of a CRLF. */
function isCrBeforeEnd(bytes: Uint8Array, i: number, to: number, recordEnd: number): boolean {
  return recordEnd === LF && bytes[i - 1] === CR && (i === to || bytes[i] === LF);
}

/** The line number, from 1, of the byte at `offset`, as an editor counts. */
export function lineOf(bytes: Uint8Array, offset: number, layout: Layout): number {
  let line = 1;
  for (let i = bytes.indexOf(layout.recordEnd); i !== -1 && i < offset; i = bytes.indexOf(layout.recordEnd, i + 1))
    line++;
  return line;
}
