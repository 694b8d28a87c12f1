// What the Worker holds of a live source: the table, and how much of the source it covers. New bytes are appended, or a whole
// new text is compared with what is held; either way the outcome is one revision. Touches no file.
import { isUtf8 } from "node:buffer";
import type { Blocks } from "../csv/blocks.ts";
import { type CsvDocument, openDocument, type Understanding } from "../csv/document.ts";
import { isExotic, type ReadOptions } from "../csv/options.ts";
import { CsvError } from "../csv/error.ts";
import { HEAD_BYTES, SPARE_BYTES, tornTail } from "../csv/encoding.ts";
import { type CsvTable, mergedChange, openTable, type RowChange, tableUnder } from "../csv/table.ts";
import { agreementOf, dialectWith, isSettled } from "./verdicts.ts";
import { type View, viewOf, type ViewSplice, viewSplices } from "../csv/view.ts";

/** What is held has become this. */
export type Revision = {
  readonly table: CsvTable;
  /** The rows of the table, for good. */
  readonly blocks: Blocks;
  readonly document: Understanding;
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
  /** A source whose table would be larger is refused, or not followed on. */
  readonly maxMemoryBytes?: number;
};

/** A whole source on its way in: what is held stays until `finish`. */
export type Intake = {
  /** Room for the bytes that come next: to be filled from its beginning. */
  space(): Uint8Array<ArrayBuffer>;
  /** So many were put there. False if only the whole of them at once tells what they mean: see `set`. Throws CsvError as that does. */
  took(length: number): boolean;
  /** Nothing more comes; `covered`: how many bytes came in all. False as for `took`. Throws as `set` does. */
  finish(covered: number): boolean;
};

export type Held = {
  table(): CsvTable | undefined;
  /** Bytes of the source that the table covers; what is behind them may be the beginning of a character. */
  covered(): number;
  /** Whether the text that is held is that of the source, byte by byte. */
  isRaw(): boolean;
  /** Whether `bytes` stand at `at` in the source, as far as is known; unknown if the table was decoded from another encoding. */
  matches(at: number, bytes: Uint8Array): boolean;
  /**
   * Bytes that follow those covered. False if they change what was understood so far: then the whole is needed. Throws CsvError, and
   * changes nothing, if the table would be too large.
   */
  append(bytes: Uint8Array): boolean;
  /** The source anew, of which these are the first bytes, or all; undefined if only the whole of it at once tells what it means. */
  begin(first: Uint8Array, isAll: boolean): Intake | undefined;
  /** The whole source anew. Throws CsvError, and changes nothing, if it is no CSV. */
  set(bytes: Uint8Array, length: number): void;
  /** The number of a row with a cell that is too large: nothing is published while there is one. */
  oversizeRow(): number | undefined;
  /** What has changed since the last publication; an unterminated last row counts only if the source is quiet. */
  publish(isQuiet: boolean): Revision | undefined;
};

/** With the last rows only, so much may come between two publications: most of it leaves with the next one. */
const LEAVING_BYTES = 8 << 20;

export function openHeld(options: HeldOptions): Held {
  const { lastRows, maxCellBytes, maxMemoryBytes = Infinity } = options;
  const tableOptions = { maxCellBytes, lastRows };
  let document: Understanding | undefined;
  let table: CsvTable | undefined;
  let isRaw = false;
  let covered = 0;
  let view: View = { first: 0, end: 0, rows: 0 };
  let pending: RowChange = [];
  let isNewEpoch = false;

  const matches = (at: number, bytes: Uint8Array) => isRaw && table !== undefined && table.matches(at, bytes);

  function append(bytes: Uint8Array): boolean {
    if (!table || !document || !isRaw || table.columns.length === 0) return false;
    const usable = bytes.subarray(0, bytes.length - tornTail(bytes));
    if (!isUtf8(usable)) return false;
    if (covered < HEAD_BYTES && !isSettled(table, document)) {
      const dialect = dialectWith(table, document, usable, options);
      const agreement = dialect && agreementOf(dialect, document.dialect, table.rows());
      if (!agreement || agreement === "other" || dialect!.bodyStart > table.length()) return false;
      if (agreement === "rows") adopt({ ...document, dialect: dialect! });
    }
    checkMemory(table.length() + usable.length - (lastRows === Infinity ? 0 : LEAVING_BYTES));
    pending = mergedChange(pending, table.append(usable));
    covered += usable.length;
    return true;
  }

  /** The text stays and is read anew, since which of its records are rows is known better now. */
  function adopt(better: Understanding): void {
    if (!table) return;
    const text = Buffer.concat([...table.pieces(), Buffer.alloc(SPARE_BYTES)]);
    const end = text.length - SPARE_BYTES;
    const reopened = openTable({ ...better, bytes: text, unmarked: undefined, end }, tableOptions);
    if (reopened.rows() !== table.rows() || reopened.layout.delimiter !== table.layout.delimiter) pending = "all";
    document = better;
    table = reopened;
  }

  function begin(first: Uint8Array, isAll: boolean): Intake | undefined {
    const { encoding = "utf-8" } = options;
    if (isExotic(options) || encoding !== "utf-8") return undefined;
    const usable = isAll ? first.length : Math.max(first.lastIndexOf(10), first.lastIndexOf(13)) + 1;
    if (usable < first.length && usable <= HEAD_BYTES + SPARE_BYTES) return undefined;
    const fresh = openDocument(first, usable, options);
    const { dialect, bytes } = fresh;
    if (!isRawText(fresh) || (!isAll && (dialect.columns.length === 0 || dialect.bodyStart >= usable)))
      return undefined;
    const intake = open(fresh, true);
    return intake.add(bytes.subarray(dialect.bodyStart, usable)) && intake.add(first.subarray(usable))
      ? intake
      : undefined;
  }

  /** `fresh`: the text, or the beginning of it, behind whose header the intake begins. */
  function open(fresh: CsvDocument, isUnchecked: boolean) {
    const { dialect } = fresh;
    const kept = table && document && keptDialect(table, document, fresh);
    // A header that goes on behind what is held has no rows yet.
    const isUpdate = kept !== undefined && kept.columns.length > 0 && kept.bodyStart <= table!.length();
    const next = isUpdate ? table! : tableUnder(fresh.bytes.subarray(0, dialect.bodyStart), dialect, tableOptions);
    const rewriting = next.rewrite(isUnchecked);
    return {
      space: rewriting.space,
      took(length: number): boolean {
        checkMemory(rewriting.bytes() + length);
        return rewriting.took(length);
      },
      add(text: Uint8Array): boolean {
        checkMemory(rewriting.bytes() + (lastRows === Infinity ? text.length : 0));
        return rewriting.add(text);
      },
      finish(length: number): boolean {
        const change = rewriting.finish();
        if (!change) return false;
        const { start, encoding, replaced, encodingHint } = fresh;
        const understood = { start, encoding, replaced, encodingHint };
        if (isUpdate) pending = mergedChange(pending, change);
        else if (next.oversizeRow() !== undefined) throw oversize(next.oversizeRow()!, maxCellBytes);
        document = { ...understood, dialect: isUpdate ? document!.dialect : dialect };
        table = next;
        isRaw = isRawText(fresh);
        covered = length;
        if (!kept) isNewEpoch = true;
        else if (!isUpdate && dialect.columns.length > 0) pending = "all";
        return true;
      },
    };
  }

  /** The dialect by which what is held becomes the fresh text, row by row; undefined if its header or its layout is another. */
  function keptDialect(old: CsvTable, before: Understanding, fresh: CsvDocument) {
    if (fresh.encoding !== before.encoding || fresh.start !== before.start) return undefined;
    const text = fresh.bytes.subarray(0, Math.min(fresh.end, old.length() + old.gone().bytes));
    const kept = isSettled(old, before) && old.matches(0, text) ? before.dialect : fresh.dialect;
    const agreement = agreementOf(kept, before.dialect, old.rows());
    const isThere = kept.bodyStart <= text.length;
    const isSameHeader = (isThere || old.rows() === 0) && old.matches(0, text.subarray(0, kept.bodyStart));
    if (agreement === "other" || (kept.columns.length > 0 && !isSameHeader)) return undefined;
    if (agreement === "rows" && kept.columns.length > 0 && isThere) adopt({ ...before, dialect: kept });
    return kept;
  }

  function checkMemory(bytes: number): void {
    if (bytes <= maxMemoryBytes) return;
    throw new CsvError("too-large", `takes more than ${maxMemoryBytes} bytes; see --max-memory and --last`);
  }

  function set(bytes: Uint8Array, length: number): void {
    checkMemory(length);
    const fresh = openDocument(bytes, length, options);
    const intake = open(fresh, false);
    intake.add(fresh.bytes.subarray(fresh.dialect.bodyStart, fresh.end));
    intake.finish(length);
  }

  const oversizeRow = () => table?.oversizeRow();

  function publish(isQuiet: boolean): Revision | undefined {
    if (!table || !document || table.oversizeRow() !== undefined) return undefined;
    const shown = table.rows() - (table.isLastOpen() && !isQuiet ? 1 : 0);
    const next = viewOf(table.rows(), shown, lastRows);
    const change = isNewEpoch || pending === "all" ? ("all" as const) : viewSplices(pending, view, next);
    const gone = table.letGo(next.first);
    view = { first: next.first - gone, end: next.end - gone, rows: next.rows - gone };
    const moved = change === "all" ? change : change.map((splice) => ({ ...splice, from: splice.from - gone }));
    const revision = { table, blocks: table.blocks(), document, view, change: moved, isNewEpoch };
    pending = [];
    isNewEpoch = false;
    return change.length > 0 ? revision : undefined;
  }

  return {
    table: () => table,
    covered: () => covered,
    isRaw: () => isRaw,
    matches,
    append,
    begin,
    set,
    oversizeRow,
    publish,
  };
}

/** Only then are the bytes those of the source. */
const isRawText = ({ encoding, replaced, unmarked }: CsvDocument) =>
  encoding === "utf-8" && replaced === 0 && unmarked === undefined;

export function openQuote(line: number): CsvError {
  return new CsvError("unclosed-quote", "a quote is opened and never closed; the rows before it are shown", line);
}

export function oversize(row: number, maxCellBytes: number): CsvError {
  return new CsvError("too-large", `row ${row}: a cell of more than ${maxCellBytes} bytes; see --max-cell`);
}
