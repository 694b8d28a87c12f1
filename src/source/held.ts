// What the Worker holds of a live source: the table, and how much of the source it covers. New bytes are appended, or a whole
// new text is compared with what is held; either way the outcome is one revision. Touches no file.
import { isUtf8 } from "node:buffer";
import { type CsvDocument, openDocument } from "../csv/document.ts";
import type { ReadOptions } from "../csv/options.ts";
import { CsvError } from "../csv/error.ts";
import { HEAD_BYTES, tornTail } from "../csv/encoding.ts";
import { type CsvTable, openTable, type RowChange, unmark } from "../csv/table.ts";
import { difference, isSame } from "./difference.ts";
import { agreementOf, dialectWith, isSettled } from "./verdicts.ts";
import { type View, viewOf, type ViewSplice, viewSplices } from "../csv/view.ts";

/** What is held has become this. */
export type Revision = {
  readonly table: CsvTable;
  readonly document: CsvDocument;
  readonly view: View;
  /** `all`: the view is to be taken anew, in a new epoch if `isNewEpoch`. */
  readonly change: readonly ViewSplice[] | "all";
  readonly isNewEpoch: boolean;
};

export type HeldOptions = ReadOptions & {
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
  publish(isQuiet: boolean): Revision | undefined;
};

export function openHeld(options: HeldOptions): Held {
  const { lastRows, maxCellBytes } = options;
  let document: CsvDocument | undefined;
  let table: CsvTable | undefined;
  let covered = 0;
  let view: View = { first: 0, end: 0, rows: 0 };
  let pending: RowChange = [];
  let isNewEpoch = false;

  /** Only then are the held bytes those of the source, but for stray quotes that are marked. */
  const isRaw = () => document?.encoding === "utf-8" && document.replaced === 0 && document.unmarked === undefined;

  function matches(at: number, bytes: Uint8Array): boolean {
    if (!isRaw() || !table) return false;
    // Not what lies behind it: there may be bytes of rows that are gone.
    const held = table.bytes().subarray(at, Math.min(at + bytes.length, table.length()));
    return isSame(held, bytes) || (table.tally().strayAt !== -1 && isSame(unmarked(held), bytes));
  }

  function source(): Uint8Array | undefined {
    if (!isRaw() || !table) return undefined;
    const held = table.bytes().subarray(0, table.length());
    return table.tally().strayAt === -1 ? held : unmarked(held);
  }

  function append(bytes: Uint8Array): boolean {
    if (!table || !document || !isRaw() || table.columns.length === 0) return false;
    const usable = bytes.subarray(0, bytes.length - tornTail(bytes));
    if (!isUtf8(usable)) return false;
    if (table.length() < HEAD_BYTES && !isSettled(table, document)) {
      const dialect = dialectWith(table, document, usable, options);
      const agreement = dialect && agreementOf(dialect, document.dialect, table.rows());
      if (!agreement || agreement === "other") return false;
      if (agreement === "rows") adopt({ ...document, dialect: dialect! });
    }
    change(table.length(), 0, usable);
    covered += usable.length;
    return true;
  }

  /** The text stays and is read anew, since which of its records are rows is known better now. */
  function adopt(better: CsvDocument): void {
    if (!table) return;
    const bytes = new Uint8Array(table.bytes());
    if (table.tally().strayAt !== -1) unmark(bytes);
    document = { ...better, bytes, end: table.length() };
    const reopened = openTable(document, maxCellBytes);
    if (reopened.rows() !== table.rows() || reopened.layout.delimiter !== table.layout.delimiter) pending = "all";
    table = reopened;
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
    const fresh = openDocument(bytes, length, options);
    if (table && document && update(table, document, fresh)) {
      covered = length;
      return;
    }
    const opened = openTable(fresh, maxCellBytes);
    if (opened.oversizeRow() !== undefined) throw oversize(opened.oversizeRow()!, maxCellBytes);
    document = fresh;
    table = opened;
    covered = length;
    isNewEpoch = true;
  }

  /** Makes what is held the fresh text, row by row; false if its header or its layout is another. */
  function update(old: CsvTable, before: CsvDocument, fresh: CsvDocument): boolean {
    const held =
      old.tally().strayAt === -1
        ? old.bytes().subarray(0, old.length())
        : unmarked(old.bytes().subarray(0, old.length()));
    if (fresh.encoding !== before.encoding || fresh.start !== before.start) return false;
    const { at, removed, inserted } = difference(held, fresh.bytes.subarray(0, fresh.end));
    const hasGrown = removed === 0 && at === held.length;
    const kept = hasGrown && isSettled(old, before) ? before.dialect : fresh.dialect;
    const agreement = agreementOf(kept, before.dialect, old.rows());
    const isEqual = removed === 0 && inserted.length === 0;
    if (agreement === "other" || (kept.columns.length > 0 && at < kept.bodyStart && !isEqual)) return false;
    if (kept.columns.length === 0) {
      table = openTable(fresh, maxCellBytes);
      document = fresh;
      return true;
    }
    if (agreement === "rows") adopt({ ...before, dialect: kept });
    change(at, removed, inserted);
    if (table) document = { ...fresh, dialect: agreement === "rows" ? kept : before.dialect, bytes: table.bytes() };
    return true;
  }

  const oversizeRow = () => table?.oversizeRow();

  function publish(isQuiet: boolean): Revision | undefined {
    if (!table || !document || table.oversizeRow() !== undefined) return undefined;
    const shown = table.rows() - (table.isLastOpen() && !isQuiet ? 1 : 0);
    const next = viewOf(table.rows(), shown, lastRows);
    const change = isNewEpoch || pending === "all" ? ("all" as const) : viewSplices(pending, view, next);
    const revision = { table, document, view: next, change, isNewEpoch };
    view = next;
    pending = [];
    isNewEpoch = false;
    return change.length > 0 ? revision : undefined;
  }

  return { table: () => table, covered: () => covered, matches, source, append, setFrom, set, oversizeRow, publish };
}

export function openQuote(line: number): CsvError {
  return new CsvError("unclosed-quote", "a quote is opened and never closed; the rows before it are shown", line);
}

export function oversize(row: number, maxCellBytes: number): CsvError {
  return new CsvError("too-large", `row ${row}: a cell of more than ${maxCellBytes} bytes; see --max-cell`);
}

function unmarked(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes);
  unmark(copy);
  return copy;
}

/** The range, widened to where characters begin and end: what is around it is known to be valid. */
function wholeCharacters(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const isContinued = (at: number) => at < bytes.length && (bytes[at]! & 0xc0) === 0x80;
  while (from > 0 && isContinued(from)) from--;
  while (isContinued(to)) to++;
  return bytes.subarray(from, to);
}
