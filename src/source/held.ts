// What the Worker holds of a live source: the table, and how much of the source it covers. New bytes are appended, or a whole
// new text is compared with what is held; either way the outcome is one publication. Touches no file.
import { isUtf8 } from "node:buffer";
import type { Cursor } from "../feed/protocol.ts";
import type { RowChange } from "../csv/table.ts";
import { type CsvDocument, openDocument } from "../csv/document.ts";
import type { ReadOptions } from "../csv/options.ts";
import { detectDialect, type Dialect } from "../csv/dialect.ts";
import { CsvError } from "../csv/error.ts";
import { detectEncoding, HEAD_BYTES, tornTail } from "../csv/encoding.ts";
import { type CsvTable, openTable } from "../csv/table.ts";
import { type View, viewOf, type ViewSplice, viewSplices } from "../csv/view.ts";

export type Publication = {
  readonly table: CsvTable;
  readonly document: CsvDocument;
  readonly view: View;
  /** `all`: the view is to be taken anew, in a new epoch if `isNewEpoch`. `text`: the splices, as JSON already. */
  readonly change: readonly ViewSplice[] | "all" | { readonly text: string };
  readonly isNewEpoch: boolean;
  /** Of a table that another server publishes. */
  readonly origin?: Origin;
};

export type Origin = {
  /** Only the publisher numbers. */
  readonly cursor: Cursor;
  /** When it was noticed here, by the monotonic clock. */
  readonly noticedAt: number;
  /** The name of its file, and what kind of CSV that is. */
  readonly file: string;
  readonly dialect: string;
  readonly warnings: readonly string[];
};

export type HeldOptions = {
  readonly readOptions: ReadOptions;
  /** The table is the last so many rows of the source. */
  readonly lastRows: number;
  /** A source with a larger cell is refused, or not published while it is there. */
  readonly maxCellBytes: number;
};

export type Held = {
  table(): CsvTable | undefined;
  /** Bytes of the source that the table covers; what is behind them may be the beginning of a character. */
  covered(): number;
  /** Whether `bytes` stand at `at` in the source, as far as is known; unknown if the table was decoded from another encoding. */
  matches(at: number, bytes: Uint8Array): boolean;
  /** The source as far as it is covered, if its bytes are those that are held. */
  source(): Uint8Array | undefined;
  /** Bytes that follow those covered. False if they change what was understood so far: then the whole is needed. */
  append(bytes: Uint8Array): boolean;
  /** The source is as it was up to `at`, and `rest` from there on. False as for `append`. */
  setFrom(at: number, rest: Uint8Array): boolean;
  /** The whole source anew. Throws CsvError, and changes nothing, if it is no CSV. */
  set(bytes: Uint8Array, length: number): void;
  /** The number of a row with a cell that is too large: nothing is published while there is one. */
  oversizeRow(): number | undefined;
  /** What has changed since the last publication; an unterminated last row counts only if the source is quiet. */
  publish(isQuiet: boolean): Publication | undefined;
};

export function openHeld({ readOptions, lastRows, maxCellBytes }: HeldOptions): Held {
  let document: CsvDocument | undefined;
  let table: CsvTable | undefined;
  let covered = 0;
  let view: View = { first: 0, end: 0, rows: 0 };
  let pending: RowChange = [];
  let isNewEpoch = false;

  /** Only then are the held bytes those of the source. */
  const isRaw = () => document?.encoding === "utf-8" && document.replaced === 0;

  function matches(at: number, bytes: Uint8Array): boolean {
    return isRaw() && table !== undefined && isSame(table.bytes().subarray(at, at + bytes.length), bytes);
  }

  const source = () => (isRaw() ? table?.bytes().subarray(0, table.length()) : undefined);

  function append(bytes: Uint8Array): boolean {
    if (!table || !document || !isRaw() || table.columns.length === 0) return false;
    const usable = bytes.subarray(0, bytes.length - tornTail(bytes));
    if (!isUtf8(usable)) return false;
    if (table.length() < HEAD_BYTES && isOtherVerdict(table, document, usable, readOptions)) return false;
    change(table.length(), 0, usable);
    covered += usable.length;
    return true;
  }

  function setFrom(at: number, rest: Uint8Array): boolean {
    const held = source();
    if (
      !table ||
      !document ||
      !held ||
      table.columns.length === 0 ||
      at < Math.max(HEAD_BYTES, document.dialect.bodyStart)
    )
      return false;
    const { at: offset, removed, inserted } = difference(held.subarray(at), rest);
    if (!isUtf8(wholeCharacters(rest, offset, offset + inserted.length)) || tornTail(rest) > 0) return false;
    change(at + offset, removed, inserted);
    covered = table.length();
    return true;
  }

  /** Several changes between two publications: the rows of one could be those of another, so the whole is taken anew. */
  function change(at: number, removed: number, inserted: Uint8Array): void {
    if (!table || (removed === 0 && inserted.length === 0)) return;
    const splices = table.replace(at, removed, inserted);
    pending = pending.length === 0 ? splices : "all";
  }

  function set(bytes: Uint8Array, length: number): void {
    const fresh = openDocument(bytes, length, readOptions);
    if (table && document && isSameDialect(fresh, document)) {
      const { at, removed, inserted } = difference(
        table.bytes().subarray(0, table.length()),
        fresh.bytes.subarray(0, fresh.end),
      );
      if (at >= document.dialect.bodyStart || (removed === 0 && inserted.length === 0)) {
        change(at, removed, inserted);
        document = { ...fresh, bytes: table.bytes() };
        covered = length;
        return;
      }
    }
    const opened = openTable(fresh, maxCellBytes);
    if (opened.oversizeRow() !== undefined) throw oversize(opened.oversizeRow()!, maxCellBytes);
    document = fresh;
    table = opened;
    covered = length;
    isNewEpoch = true;
  }

  const oversizeRow = () => table?.oversizeRow();

  function publish(isQuiet: boolean): Publication | undefined {
    if (!table || !document || table.oversizeRow() !== undefined) return undefined;
    const shown = table.rows() - (table.isLastOpen() && !isQuiet ? 1 : 0);
    const next = viewOf(table.rows(), shown, lastRows);
    const change = isNewEpoch || pending === "all" ? ("all" as const) : viewSplices(pending, view, next);
    const publication = { table, document, view: next, change, isNewEpoch };
    view = next;
    pending = [];
    isNewEpoch = false;
    return change.length > 0 ? publication : undefined;
  }

  return { table: () => table, covered: () => covered, matches, source, append, setFrom, set, oversizeRow, publish };
}

export function oversize(row: number, maxCellBytes: number): CsvError {
  return new CsvError("too-large", `row ${row}: a cell of more than ${maxCellBytes} bytes; see --max-cell`);
}

/** Delimiter, record end, header and encoding are functions of the first 64 kB: while a file is shorter, they may change. */
function isOtherVerdict(
  table: CsvTable,
  { start, dialect }: CsvDocument,
  added: Uint8Array,
  options: ReadOptions,
): boolean {
  const text = Buffer.concat([table.bytes().subarray(0, table.length()), added.subarray(0, 2 * HEAD_BYTES)]);
  if (detectEncoding(text) !== "utf-8") return true;
  return !isSameLayout(detectDialect(Buffer.concat([text, Buffer.alloc(16)]), start, text.length, options), dialect);
}

function isSameDialect(a: CsvDocument, b: CsvDocument): boolean {
  return a.encoding === b.encoding && a.start === b.start && isSameLayout(a.dialect, b.dialect);
}

function isSameLayout(a: Dialect, b: Dialect): boolean {
  const { delimiter, recordEnd } = a.layout;
  if (delimiter !== b.layout.delimiter || recordEnd !== b.layout.recordEnd || a.bodyStart !== b.bodyStart) return false;
  return a.columns.length === b.columns.length && a.columns.every((name, c) => name === b.columns[c]);
}

/** The range, widened to where characters begin and end: what is around it is known to be valid. */
function wholeCharacters(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const isContinued = (at: number) => at < bytes.length && (bytes[at]! & 0xc0) === 0x80;
  while (from > 0 && isContinued(from)) from--;
  while (isContinued(to)) to++;
  return bytes.subarray(from, to);
}

const BLOCK_BYTES = 1 << 16;

/** The one range in which two texts differ: what is before it is equal, and what is behind it. */
export function difference(
  before: Uint8Array,
  after: Uint8Array,
): { at: number; removed: number; inserted: Uint8Array } {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (
    head < shorter &&
    isSame(
      before.subarray(head, Math.min(head + BLOCK_BYTES, shorter)),
      after.subarray(head, Math.min(head + BLOCK_BYTES, shorter)),
    )
  )
    head = Math.min(head + BLOCK_BYTES, shorter);
  while (head < shorter && before[head] === after[head]) head++;
  let tail = 0;
  const most = shorter - head;
  const fromEnd = (bytes: Uint8Array, from: number, to: number) =>
    bytes.subarray(bytes.length - to, bytes.length - from);
  for (let next = 0; tail < most; tail = next) {
    next = Math.min(tail + BLOCK_BYTES, most);
    if (!isSame(fromEnd(before, tail, next), fromEnd(after, tail, next))) break;
  }
  while (tail < most && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  return { at: head, removed: before.length - head - tail, inserted: after.subarray(head, after.length - tail) };
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
