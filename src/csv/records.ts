// Where each record of a CSV begins and ends, and how many fields it has: RFC 4180 on bytes, quote-aware.
// The rules (DESIGN 3): a quote opens only at the start of a field, blanks before it allowed; after the closing quote everything
// up to the next delimiter or record end is literal; inside quotes every byte is data. `json.ts` and `rfc4180.ts` walk by the
// same rules while they write.
import { type SkipKind, type Skips, skipperOf } from "./skips.ts";
import type { QuoteRule } from "./quotes.ts";

export const LF = 10;
export const CR = 13;
export const QUOTE = 34;
export const SPACE = 32;
export const TAB = 9;

/**
 * Bytes that UTF-8 never has (RFC 3629, section 1) stand in a marked text for what the grammar could not tell: a quote that is
 * data, and nothing at all. They keep every offset and every line number what it is in the file.
 */
export const DATA_QUOTE = 0xff;
export const VOID = 0xfe;

/**
 * What separates fields and records, as bytes, and which records are no rows. With `recordEnd` LF, any number of CRs before it
 * belong to the record end; with CR, LF is data.
 */
export type Layout = {
  readonly delimiter: number;
  readonly recordEnd: typeof LF | typeof CR;
  readonly skips?: Skips;
};

/**
 * Called for each record that is a row: bytes `[start, end)` with its record end, and its number of fields.
 * `surplus` is the number of cells beyond the first `columns` that are not empty. True ends the walk.
 */
export type VisitRecord = (start: number, end: number, fields: number, surplus: number) => boolean | void;

/** Called for each record that is no row and not blank. */
export type VisitSkipped = (start: number, end: number, kind: SkipKind) => void;

export type Walk = {
  readonly visitSkipped?: VisitSkipped;
  /**
   * Tells stray quotes, and marks them in `bytes`, whose text ends at `to`; without it every quote at the start of a field opens.
   */
  readonly quotes?: QuoteRule | undefined;
  /** Called for each quote that is marked; unless it `isSettled`, its record may read otherwise if more text comes. */
  readonly visitStray?: (start: number, quoteAt: number, isSettled: boolean) => void;
  /** Whether the text ends at `to`, as it does without this; if not, what cannot be told yet is a record inside an open quote. */
  readonly isEnd?: boolean;
};

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
  { visitSkipped, quotes, visitStray, isEnd = true }: Walk = {},
): number {
  const { delimiter, recordEnd } = layout;
  const skipper = skipperOf(layout.skips, recordEnd);
  const special = new Uint8Array(256);
  special[delimiter] = special[recordEnd] = 1;
  for (let i = from; i < to;) {
    const start = i;
    if (skipper.starts[bytes[i]!] !== 0) {
      const next = skipper.end(bytes, i, to);
      if (next !== -1) {
        const kind = skipper.kind();
        if (kind !== "blank") visitSkipped?.(start, next, kind);
        i = next;
        continue;
      }
    }
    let fields = 0;
    let surplus = 0;
    for (;;) {
      const fieldStart = i;
      let quoteAt = i < to && bytes[i]! <= QUOTE ? openingQuote(bytes, i, to, delimiter) : -1;
      if (quoteAt !== -1) {
        i = closingQuote(bytes, quoteAt + 1, to, quotes ? recordEnd : -1);
        if (quotes && i < to && bytes[i] === recordEnd) {
          const telling = quotes.tell(bytes, quoteAt, i, fields, to, isEnd);
          if (telling === "later") return start;
          if (telling === "cell") i = closingQuote(bytes, i, to, -1);
          else {
            visitStray?.(start, quoteAt, telling === "stray");
            bytes[quoteAt] = DATA_QUOTE;
            i = quoteAt;
            quoteAt = -1;
          }
        }
        if (i === to && isEnd && quotes && quoteAt > fieldStart) {
          visitStray?.(start, quoteAt, false);
          bytes[quoteAt] = DATA_QUOTE; // behind blanks, and never closed
          i = quoteAt;
          quoteAt = -1;
        }
        if (i === to) return start;
        if (quoteAt !== -1) i++;
      }
      while (i < to && special[bytes[i]!] === 0) i++;
      fields++;
      if (
        fields > columns &&
        !isEmpty(bytes, fieldStart, i, quoteAt, recordEnd === LF && (i === to || bytes[i] === LF))
      )
        surplus++;
      if (i < to && bytes[i] === delimiter) {
        i++;
        continue;
      }
      if (i < to) i++;
      if (visit(start, i, fields, surplus) === true) return -1;
      break;
    }
  }
  return -1;
}

/** Where the quote is that opens the field at `i`, behind blanks that are no delimiter; -1 if the field is not quoted. */
export function openingQuote(bytes: Uint8Array, i: number, to: number, delimiter: number): number {
  while (i < to && bytes[i] !== delimiter && (bytes[i] === SPACE || bytes[i] === TAB)) i++;
  return i < to && bytes[i] === QUOTE && delimiter !== QUOTE ? i : -1;
}

/** The offset of the quote that closes a field opened before `i`, or of the first `stop` before it; `to` if nothing does. A doubled quote is data. */
function closingQuote(bytes: Uint8Array, i: number, to: number, stop: number): number {
  for (;;) {
    while (i < to && bytes[i] !== QUOTE && bytes[i] !== stop) i++;
    if (i >= to) return to;
    if (bytes[i] === QUOTE && i + 1 < to && bytes[i + 1] === QUOTE) i += 2;
    else return i;
  }
}

/** Whether the cell in `bytes[from, to)` has no data. `quoteAt`: where its quote opens, or -1. `isLast`: CRs at its end are none. */
function isEmpty(bytes: Uint8Array, from: number, to: number, quoteAt: number, isLast: boolean): boolean {
  if (isLast) while (to > from && bytes[to - 1] === CR) to--;
  let isOpen = quoteAt !== -1;
  for (let i = isOpen ? quoteAt + 1 : from; i < to; i++) {
    if (bytes[i] === VOID) continue;
    if (!isOpen || bytes[i] !== QUOTE || (i + 1 < to && bytes[i + 1] === QUOTE)) return false;
    isOpen = false;
  }
  return true;
}

/** Whether a cell of the record in `bytes[from, to)` takes more than `limit` bytes of the text. */
export function hasCellOver(limit: number, bytes: Uint8Array, from: number, to: number, layout: Layout): boolean {
  while (to > from && (bytes[to - 1] === LF || bytes[to - 1] === CR)) to--; // blank lines behind it, too
  for (let i = from; i < to;) {
    const start = i;
    const quoteAt = openingQuote(bytes, i, to, layout.delimiter);
    if (quoteAt !== -1) i = closingQuote(bytes, quoteAt + 1, to, -1) + 1;
    while (i < to && bytes[i] !== layout.delimiter) i++;
    if (i - start > limit) return true;
    i++;
  }
  return false;
}

/** The line number, from 1, of the byte at `offset`, as an editor counts. */
export function lineOf(bytes: Uint8Array, offset: number, layout: Layout): number {
  let line = 1;
  for (let i = bytes.indexOf(layout.recordEnd); i !== -1 && i < offset; i = bytes.indexOf(layout.recordEnd, i + 1))
    line++;
  return line;
}
