// The beginning of a text as records of cells and as lines: what the verdicts on its header are made from. Never the whole text.
import { DATA_QUOTE, type Layout, openingQuote, QUOTE, VOID, walkRecords } from "./records.ts";

/** The first bytes of a text, up to a record end unless they are all of it. */
export type Head = {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
  readonly recordEnd: Layout["recordEnd"];
  /** The prefix of comments, if one was given: such lines are not there. */
  readonly comment: Uint8Array | undefined;
};

export type HeadRecord = { readonly start: number; readonly end: number; readonly cells: readonly string[] };

export function layoutOf({ recordEnd, comment }: Head, delimiter: string): Layout {
  const layout = { delimiter: delimiter.charCodeAt(0), recordEnd };
  return comment ? { ...layout, skips: { records: [], prefixes: [comment] } } : layout;
}

/** The records of the head from `from` on; one inside an open quote is left out, and a last one that seems to be torn. */
export function recordsOf(head: Head, from: number, delimiter: string, limit = Infinity): HeadRecord[] {
  const layout = layoutOf(head, delimiter);
  const records: HeadRecord[] = [];
  walkRecords(head.bytes, from, head.to, layout, Infinity, (start, end) => {
    records.push({ start, end, cells: cellsOf(head.bytes, start, end, layout) });
    return records.length >= limit;
  });
  const [before, last] = records.slice(-2);
  const isTorn = last?.end === head.to && head.bytes[head.to - 1] !== head.recordEnd;
  if (before && last && isTorn && last.cells.length < before.cells.length) records.pop();
  return records;
}

/** The cells of the record in `bytes[start, end)`, by the rules of `walkRecords`. */
export function cellsOf(bytes: Uint8Array, start: number, end: number, { delimiter, recordEnd }: Layout): string[] {
  const to = contentEnd(bytes, start, end, recordEnd);
  const record = Buffer.from(bytes.buffer, bytes.byteOffset + start, to - start);
  const text = record.toString("utf8");
  // Marks are no UTF-8, and become U+FFFD.
  if (!text.includes('"') && !text.includes("\ufffd")) return text.split(String.fromCharCode(delimiter));
  const cells: string[] = [];
  for (let i = start; ; i++) {
    const quoteAt = openingQuote(bytes, i, to, delimiter);
    const kept: number[] = [];
    if (quoteAt !== -1) {
      for (i = quoteAt + 1; i < to; i++) {
        if (bytes[i] === QUOTE && (++i >= to || bytes[i] !== QUOTE)) break;
        kept.push(bytes[i]!);
      }
    }
    for (; i < to && bytes[i] !== delimiter; i++) kept.push(bytes[i]!);
    cells.push(textOf(kept));
    if (i >= to) return cells;
  }
}

/** Where the content of the record in `bytes[start, end)` ends: before its record end. */
export function contentEnd(bytes: Uint8Array, start: number, end: number, recordEnd: number): number {
  if (end > start && bytes[end - 1] === recordEnd) end--;
  if (recordEnd === 10) while (end > start && bytes[end - 1] === 13) end--;
  return end;
}

function textOf(bytes: readonly number[]): string {
  const data = bytes.filter((byte) => byte !== VOID).map((byte) => (byte === DATA_QUOTE ? QUOTE : byte));
  return Buffer.from(data).toString("utf8");
}

export type Line = {
  readonly start: number;
  /** Without its line end. */
  readonly end: number;
  /** Where the next one begins. */
  readonly next: number;
  readonly text: string;
};

/** The lines of the head that are not blank, as far as somebody asks for them. Quotes mean nothing here. */
export function* linesOf({ bytes, to, recordEnd, comment }: Head, from: number): Generator<Line> {
  for (let start = from, next = from; start < to; start = next) {
    const found = bytes.indexOf(recordEnd, start);
    next = found === -1 || found >= to ? to : found + 1;
    const end = contentEnd(bytes, start, next, recordEnd);
    const text = Buffer.from(bytes.subarray(start, end)).toString("utf8");
    const isComment = comment && text.startsWith(Buffer.from(comment).toString("utf8"));
    if (!isComment && end > start && text.replaceAll("\0", "").trim() !== "") yield { start, end, next, text };
  }
}

/** The width that most records have, and how many of them. */
export function commonWidth(records: readonly { readonly cells: readonly string[] }[]): {
  width: number;
  share: number;
} {
  const counts = new Map<number, number>();
  let width = 0;
  for (const { cells } of records) {
    counts.set(cells.length, (counts.get(cells.length) ?? 0) + 1);
    if (counts.get(cells.length)! > (counts.get(width) ?? 0)) width = cells.length;
  }
  return { width, share: records.length === 0 ? 0 : counts.get(width)! / records.length };
}
