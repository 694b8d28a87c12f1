// The table of a live file, held compactly: its UTF-8 bytes and where each row begins. Every change is one range of bytes
// that becomes another; only the rows it touches are walked again.
import { diffRows, type Rows, type Splice } from "./diff.ts";
import type { CsvDocument } from "./document.ts";
import { SPARE_BYTES } from "./encoding.ts";
import type { Typing } from "./literals.ts";
import { DATA_QUOTE, hasCellOver, type Layout, QUOTE, walkRecords } from "./records.ts";
import { emptyTally, type Tally, tallyRecords } from "./tally.ts";
import { firstAfter, larger, ranges } from "./starts.ts";
import { type Arena, createRenderer, type Rendered, terminate } from "./render.ts";

/** Splices in rows of the file, or `all` if they would be no smaller than the table. */
export type RowChange = readonly Splice[] | "all";

export type CsvTable = {
  readonly layout: Layout;
  readonly columns: readonly string[];
  /** The text, header included: `length` bytes count, those behind are spare. */
  bytes(): Uint8Array;
  length(): number;
  /** Rows, an unterminated last one included; not a record inside an open quote. */
  rows(): number;
  /** Whether the last row has no record end yet. */
  isLastOpen(): boolean;
  /** The offset of a record whose quote is never closed, or -1. */
  openQuoteAt(): number;
  /** What was counted on the way: surplus cells, records that are no rows, stray quotes. */
  tally(): Tally;
  /** The number of the first row, from 1, that has a cell over the limit. */
  oversizeRow(): number | undefined;
  /** Where the records of rows `[from, to)` are. A record end stands before `end`, and SPARE_BYTES lie behind it. */
  range(from: number, to: number): { start: number; end: number };
  /** The last row that begins at or before `offset`; -1 if none does. */
  rowAt(offset: number): number;
  /** `removed` bytes at `at`, which lies behind the header, become `inserted`. */
  replace(at: number, removed: number, inserted: Uint8Array): RowChange;
  /**
   * Rows `[from, to)` become the records in `inserted`, each with its record end: for who knows the change, so that nothing is
   * compared. Every row of the table has its record end, too. Returns how many rows came.
   */
  replaceRows(from: number, to: number, inserted: Uint8Array): number;
  /** Rows `[from, to)` as JSON: objects, which `typing` gives literals, or arrays of cells. */
  render(
    from: number,
    to: number,
    shape: "objects" | "arrays",
    arena?: Arena,
    limit?: number,
    typing?: Typing,
  ): Rendered;
};

/** A change of more bytes is not compared row by row. */
const MAX_DIFFED_BYTES = 256 << 20;

/** A change that brings more than half of a table anew, and more than this, is the whole table. */
const MIN_ALL_BYTES = 1 << 16;

/** Farther back a verdict on a stray quote is kept whatever comes: else each append would walk so much again. */
const MAX_UNSETTLED_BYTES = 1 << 17;

/** Quotes that were told to be stray are quotes again. */
export function unmark(bytes: Uint8Array): void {
  for (let i = bytes.indexOf(DATA_QUOTE); i !== -1; i = bytes.indexOf(DATA_QUOTE, i)) bytes[i] = QUOTE;
}

/** `maxCellBytes` is what `oversizeRow` looks for. */
export function openTable({ bytes: text, end, dialect }: CsvDocument, maxCellBytes = Infinity): CsvTable {
  const { layout, columns, bodyStart } = dialect;
  let bytes = text;
  let length = end;
  let starts = new Uint32Array(Math.max(64, Math.ceil((end - bodyStart) / 48)));
  let rows = 0;
  let tally = emptyTally();
  let openQuoteAt = tallyRecords(bytes, bodyStart, length, dialect, tally, (start) => {
    if (rows === starts.length) starts = larger(starts, rows * 2);
    starts[rows++] = start;
  });

  const isTerminated = () => length === 0 || bytes[length - 1] === layout.recordEnd;
  const isLastOpen = () =>
    rows > 0 && openQuoteAt === -1 && !isTerminated() && endOfRecord(starts[rows - 1]!) === length;
  const rowsEnd = () => (openQuoteAt === -1 ? length : openQuoteAt);
  const endOf = (row: number) => (row + 1 < rows ? starts[row + 1]! : rowsEnd());
  let hasLong = hasLongRow(0);

  function replace(at: number, removed: number, inserted: Uint8Array): RowChange {
    const isAppend = at === length && openQuoteAt === -1 && bytes[length - 1] === layout.recordEnd;
    const unsettled =
      tally.unsettledAt !== -1 && at - tally.unsettledAt <= MAX_UNSETTLED_BYTES ? tally.unsettledAt : at;
    const reached = isAppend && unsettled >= at ? rows : firstAfter(starts, rows, Math.min(at, unsettled));
    const first = isAppend && unsettled >= at ? rows : Math.max(0, reached - 1);
    const from = isAppend && unsettled >= at ? at : reached > 0 ? starts[first]! : bodyStart;
    const touched = new Uint8Array(bytes.subarray(from, at + removed));
    if (tally.strayAt !== -1) unmark(bytes.subarray(from, at));
    const oldEnd = rowsEnd();
    const delta = inserted.length - removed;
    write(at, removed, inserted);
    const walked = walkUntilOld(from, at + inserted.length, first, delta);
    const resumed = walked.resumed;
    const touchedEnd = resumed < rows ? starts[resumed]! : oldEnd;
    const rest = bytes.subarray(at + inserted.length, Math.max(touchedEnd + delta, at + inserted.length));
    const before: Rows = {
      bytes: Buffer.concat([touched, rest]),
      starts: ranges(starts.subarray(first, resumed), touchedEnd, from),
      layout,
    };
    recount(from, walked.tally, before.bytes.subarray(0, Math.max(0, touchedEnd - from)));
    openQuoteAt = resumed < rows ? openQuoteAt + (openQuoteAt === -1 ? 0 : delta) : walked.openQuoteAt;
    reindex(first, resumed, walked.starts, delta);
    hasLong = hasLongRow(hasLong ? 0 : first, first + walked.starts.length);
    const after: Rows = { bytes, starts: ranges(walked.starts, walked.end, 0), layout };
    if (removed + inserted.length > MAX_DIFFED_BYTES) return "all";
    const splices = diffRows(before, after);
    const brought = splices.reduce(
      (sum, { start, inserted: count }) => sum + after.starts[start + count]! - after.starts[start]!,
      0,
    );
    if (brought > MIN_ALL_BYTES && brought * 2 > length) return "all";
    return splices.map((splice) => ({ ...splice, start: splice.start + first }));
  }

  function replaceRows(from: number, to: number, inserted: Uint8Array): number {
    const offsetOf = (row: number) => (row < rows ? starts[row]! : length);
    const at = offsetOf(from);
    const removed = offsetOf(to) - at;
    const fresh: number[] = [];
    walkRecords(inserted, 0, inserted.length, layout, columns.length, (start) => void fresh.push(at + start));
    write(at, removed, inserted);
    reindex(from, to, Uint32Array.from(fresh), inserted.length - removed);
    hasLong = hasLongRow(hasLong ? 0 : from, from + fresh.length);
    return fresh.length;
  }

  /** Walks from `from` until a row begins behind `changedTo` where one began before: the rest is as it was. */
  function walkUntilOld(from: number, changedTo: number, first: number, delta: number) {
    const found: number[] = [];
    let resumed = first;
    const counted = emptyTally();
    let isMet = false;
    const openQuoteAt = tallyRecords(bytes, from, length, dialect, counted, (start) => {
      if (start >= changedTo) {
        while (resumed < rows && starts[resumed]! + delta < start) resumed++;
        isMet = resumed < rows && starts[resumed]! + delta === start;
        if (isMet) return true;
      }
      found.push(start);
      return false;
    });
    if (!isMet) resumed = rows;
    const end = isMet ? starts[resumed]! + delta : openQuoteAt === -1 ? length : openQuoteAt;
    return { starts: Uint32Array.from(found), resumed, tally: counted, end, openQuoteAt };
  }

  /** The text from `from` on has been walked anew, and `before` is what stood there. */
  function recount(from: number, fresh: Tally, before: Uint8Array): void {
    const old = emptyTally();
    if (tally.surplus + tally.again + tally.nuls > 0)
      tallyRecords(before, 0, before.length, { layout, columns }, old, () => {});
    tally.surplus += fresh.surplus - old.surplus;
    tally.again += fresh.again - old.again;
    tally.nuls += fresh.nuls - old.nuls;
    if ((tally.firstSurplus?.start ?? from) >= from) tally.firstSurplus = fresh.firstSurplus;
    if (tally.surplus > 0 && !tally.firstSurplus) {
      const all = emptyTally();
      tallyRecords(bytes, bodyStart, length, { layout, columns }, all, () => all.surplus > 0);
      tally.firstSurplus = all.firstSurplus;
    }
    if (tally.strayAt === -1) tally.strayAt = fresh.strayAt;
    else if (tally.strayAt >= from) tally.strayAt = bytes.subarray(0, length).indexOf(DATA_QUOTE, from);
    tally.unsettledAt = fresh.unsettledAt;
  }

  function endOfRecord(start: number): number {
    let end = length;
    walkRecords(bytes, start, length, layout, Infinity, (_start, behind) => {
      end = behind;
      return true;
    });
    return end;
  }

  /** Whether a row is longer than a cell may be: only then its cells are looked at. */
  function hasLongRow(from: number, to = rows): boolean {
    if (maxCellBytes >= length) return false;
    for (let r = from; r < to; r++) if (endOf(r) - starts[r]! > maxCellBytes) return true;
    return false;
  }

  function oversizeRow(): number | undefined {
    for (let r = 0; hasLong && r < rows; r++)
      if (endOf(r) - starts[r]! > maxCellBytes && hasCellOver(maxCellBytes, bytes, starts[r]!, endOf(r), layout))
        return r + 1;
    return undefined;
  }

  /** The bytes themselves, in place where there is room. */
  function write(at: number, removed: number, inserted: Uint8Array): void {
    const newLength = length - removed + inserted.length;
    const needed = newLength + SPARE_BYTES;
    if (needed > bytes.length) {
      const grown = Buffer.allocUnsafeSlow(needed + Math.min(newLength >> 2, 64 << 20) + 4096);
      grown.set(bytes.subarray(0, at));
      grown.set(bytes.subarray(at + removed, length), at + inserted.length);
      bytes = grown;
    } else bytes.copyWithin(at + inserted.length, at + removed, length);
    bytes.set(inserted, at);
    length = newLength;
  }

  /** Rows `[first, resumed)` begin at `fresh` now; those behind them have moved by `delta` bytes. */
  function reindex(first: number, resumed: number, fresh: Uint32Array, delta: number): void {
    const count = first + fresh.length + rows - resumed;
    if (count > starts.length) starts = larger(starts, Math.ceil(count * 1.25));
    starts.copyWithin(first + fresh.length, resumed, rows);
    starts.set(fresh, first);
    rows = count;
    if (delta !== 0) for (let r = first + fresh.length; r < rows; r++) starts[r]! += delta;
  }

  function range(from: number, to: number): { start: number; end: number } {
    if (from >= to) return { start: 0, end: 0 };
    const start = starts[from]!;
    const end = to < rows ? starts[to]! : rowsEnd();
    return { start, end: end === length ? terminate(bytes, start, end, layout) : end };
  }

  const render: CsvTable["render"] = (from, to, shape, arena, limit, typing) => {
    const { start, end } = range(from, to);
    const rowShape = shape === "objects" ? columns : columns.length;
    const renderer = createRenderer(layout, rowShape, end - start, arena, limit, undefined, typing);
    if (start < end) renderer.add(bytes, start, end);
    return renderer.finish();
  };

  return {
    layout,
    columns,
    bytes: () => bytes,
    length: () => length,
    rows: () => rows,
    isLastOpen,
    openQuoteAt: () => openQuoteAt,
    tally: () => tally,
    oversizeRow,
    range,
    rowAt: (offset) => firstAfter(starts, rows, offset) - 1,
    replace,
    replaceRows,
    render,
  };
}
