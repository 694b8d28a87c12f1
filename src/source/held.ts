// What the Worker holds of a live source: the table, and how much of the source it covers. New bytes are appended, or a whole
// new text is compared with what is held; either way the outcome is one revision. Touches no file.
import { isUtf8 } from "node:buffer";
import { type Decoding, openDecoding } from "../csv/decoding.ts";
import { type CsvDocument, understand, type Understanding } from "../csv/document.ts";
import { markedText, type MarkedText, openMarked, withDelimiter } from "../csv/marked.ts";
import type { ReadOptions } from "../csv/options.ts";
import type { Dialect } from "../csv/dialect.ts";
import { CsvError } from "../csv/error.ts";
import { HEAD_BYTES, SPARE_BYTES } from "../csv/encoding.ts";
import { leadingHole, lineInSource } from "../csv/holes.ts";
import { type CsvTable, type OpenRow, openTable, tableUnder } from "../csv/table.ts";
import { heldByOthers, type MemoryShare } from "./memory.ts";
import { agreementOf, dialectWith, isSettled, namesBefore } from "./verdicts.ts";
import { openRevising, type Revision } from "./revising.ts";

export type { Revision } from "./revising.ts";

export type HeldOptions = ReadOptions & {
  /** The table is the last so many rows of the source. */
  readonly lastRows: number;
  /** A source with a larger cell is refused, or not published while it is there. */
  readonly maxCellBytes: number;
  /** A source whose table would be larger is refused, or not followed on. */
  readonly maxMemoryBytes?: number;
  /** That of all tables counts. */
  readonly memory?: MemoryShare | undefined;
};

/** A whole source on its way in: what is held stays until `finish`. */
export type Intake = {
  /** Room for the bytes that come next: to be filled from its beginning. */
  space(): Uint8Array<ArrayBuffer>;
  /** So many were put there. False if only the whole of them at once tells what they mean: see `set`. Throws CsvError as that does. */
  took(length: number): boolean;
  /** So many NULs come, which are not given. */
  skip(nuls: number): void;
  /** Nothing more comes; `covered`: how many bytes came in all. Throws as `set` does. */
  finish(covered: number): void;
};

/** What has come and is not a whole row: in bytes of text, and in cells if it is a row but for its end. */
export type Tail = { readonly bytes: number; readonly cells: number | undefined };

export type Held = {
  table(): CsvTable | undefined;
  /** Bytes of the source that have come. */
  covered(): number;
  /** Whether what comes may change what was understood so far: then the whole may be needed once more. */
  isOpen(): boolean;
  /**
   * Bytes that follow those covered. False if they change what was understood so far: then the whole is needed, unless it cannot be
   * had (`isFinal`). Throws CsvError, and changes nothing, if the table would be too large.
   */
  append(bytes: Uint8Array, isFinal?: boolean): boolean;
  /** So many NULs follow. */
  skip(nuls: number): void;
  /** Whether what is held is the source, byte by byte. */
  isVerbatim(): boolean;
  /** Where the last row begins in the source, if it is not the only one, and what is held is the source, byte by byte. */
  lastRowAt(): number | undefined;
  /** Whether these bytes are one line of text, with its end. */
  isRecord(bytes: Uint8Array): boolean;
  /** The source from `at` on, where a row begins, has become these bytes, all of them text. */
  replaceFrom(at: number, bytes: Uint8Array): void;
  /**
   * The source anew, of which these are the first bytes, or all, behind so many NULs; undefined if only the whole of it at once tells
   * what it means. Throws CsvError as `set` does.
   */
  begin(first: Uint8Array, isAll: boolean, nuls?: number): Intake | undefined;
  /** The whole source anew. Throws CsvError, and changes nothing, if it is no CSV. */
  set(bytes: Uint8Array, length: number): void;
  /** The number of a row with a cell that is too large: nothing is published while there is one. */
  oversizeRow(): number | undefined;
  /** That a quote is open at the end, and in which line. */
  openQuote(): CsvError | undefined;
  /** What is behind the last record end, if there is anything. */
  tail(): Tail | undefined;
  /** What has changed since the last publication. The tail counts as a row, or as the header, only if it `isWhole`. */
  publish(isWhole: boolean): Revision | undefined;
};

/** What is to come behind the text that is held, in the place of so many of its last bytes. */
type Coming = { readonly instead: number; readonly text: Uint8Array };

/** With the last rows only, so much may come between two publications: most of it leaves with the next one. */
const LEAVING_BYTES = 8 << 20;

export function openHeld(options: HeldOptions): Held {
  const { lastRows, maxCellBytes, maxMemoryBytes = Infinity } = options;
  const tableOptions = { maxCellBytes, lastRows };
  let reading: ReadOptions = options; // with what is known of a source that lacks its header
  let decoding: Decoding | undefined; // of what is appended; undefined if only the whole source can be read
  let marks: MarkedText | undefined; // of a text that is marked
  let document: Understanding | undefined;
  let table: CsvTable | undefined;
  let covered = 0;
  const revising = openRevising(lastRows);

  function append(bytes: Uint8Array, isFinal = false): boolean {
    if (!table || !document || !decoding || table.columns.length === 0) return false;
    checkMemory(table.length() + bytes.length - (lastRows === Infinity ? 0 : LEAVING_BYTES));
    const text = decoding.decode(bytes, isFinal);
    const coming = text && comingOf(text, table, marks);
    const isKnown = isFinal || !isOpen() || isSettled(table, document);
    const better = coming && (isKnown ? "same" : dialectBehind(coming, table, document, marks, reading));
    if (!better) {
      decoding = undefined; // it has gone on without the table
      return false;
    }
    if (better !== "same") adopt({ ...document, dialect: better });
    add(coming);
    covered += bytes.length;
    return true;
  }

  function add({ instead, text }: Coming): void {
    if (instead > 0) revising.changed(table!.replace(lengthOf(table!) - instead, instead, text));
    else if (text.length > 0) revising.changed(table!.append(text));
    document = { ...document!, ...decoding!.facts() };
  }

  const isOpen = () => !table || !decoding || table.columns.length === 0 || lengthOf(table) < HEAD_BYTES;

  /** The text stays and is read anew, since which of its records are rows is known better now. */
  function adopt(better: Understanding): void {
    if (!table) return;
    const text = Buffer.concat([...table.pieces(), Buffer.alloc(SPARE_BYTES)]);
    const end = text.length - SPARE_BYTES;
    const reopened = openTable({ ...better, bytes: text, end }, tableOptions);
    if (reopened.rows() !== table.rows() || reopened.layout.delimiter !== table.layout.delimiter)
      revising.changed("all");
    document = better;
    table = reopened;
  }

  function begin(first: Uint8Array, isAll: boolean, nuls = 0): Intake | undefined {
    const source = first.subarray(leadingHole(first));
    const coming = openDecoding(source, false, options.encoding);
    coming.skip(nuls + first.length - source.length);
    const raw = coming.decode(source, true) ?? source;
    const lines = isAll ? raw.length : behindLastLine(raw);
    if (lines < raw.length && lines <= HEAD_BYTES + SPARE_BYTES) return undefined;
    const marking = openMarked(raw, coming.facts().start, lines, options);
    const text = marking ? markedText(marking, raw, isAll) : raw;
    const usable = isAll ? text.length : behindLastLine(text);
    if (marking && usable < lines && usable <= HEAD_BYTES + SPARE_BYTES) return undefined;
    const fresh = understood(text.subarray(0, usable), source, coming, marking);
    const { dialect, bytes } = fresh;
    if (!isAll && (dialect.columns.length === 0 || dialect.bodyStart >= usable)) return undefined;
    const intake = open(fresh, coming, marking, isAll);
    intake.add(bytes.subarray(dialect.bodyStart, usable));
    intake.add(text.subarray(usable));
    return intake;
  }

  /** What a text means, of which this is the beginning, or all. One that lacks its header has the columns of the one before. */
  function understood(text: Uint8Array, source: Uint8Array, coming: Decoding, marking?: MarkedText): CsvDocument {
    const fresh = understand(text, source, coming.facts(), withDelimiter(options, marking));
    const before = table && document && namesBefore(fresh, document.dialect, table.head(), options);
    reading = before
      ? { ...options, noHeader: true, names: before.names, ...(before.isCut && { skipLines: 1 }) }
      : options;
    if (!before) return fresh;
    const kept = understand(text, source, coming.facts(), withDelimiter(reading, marking));
    const cut = before.isCut ? "; the first line is the end of a row, and skipped" : "";
    const hints = [...kept.dialect.hints, `the header is missing: the names of the columns are those of before${cut}`];
    return { ...kept, dialect: { ...kept.dialect, hints } };
  }

  /** `fresh`: the text, or the beginning of it, behind whose header the intake begins. */
  function open(fresh: CsvDocument, coming: Decoding, marking: MarkedText | undefined, isAll: boolean) {
    const { dialect } = fresh;
    const kept = table && document && keptDialect(table, document, fresh);
    // A header that goes on behind what is held has no rows yet.
    const isUpdate = kept !== undefined && kept.columns.length > 0 && kept.bodyStart <= table!.length();
    const next = isUpdate ? table! : tableUnder(fresh.bytes.subarray(0, dialect.bodyStart), dialect, tableOptions);
    const rewriting = next.rewrite();
    let room: Uint8Array<ArrayBuffer>;
    return {
      space: () => (room = rewriting.space()),
      took(length: number): boolean {
        checkMemory(rewriting.bytes() + length);
        const decoded = coming.decode(room.subarray(0, length));
        if (!decoded) return false;
        const text = marking ? marking.takeSettled(decoded) : decoded;
        if (text.buffer === room.buffer && text.byteOffset === room.byteOffset) rewriting.took(text.length);
        else rewriting.add(text);
        return true;
      },
      skip: (nuls: number) => coming.skip(nuls),
      add(text: Uint8Array): void {
        checkMemory(rewriting.bytes() + (lastRows === Infinity ? text.length : 0));
        rewriting.add(text);
      },
      finish(length: number): void {
        if (marking && !isAll) rewriting.add(marking.takeWaiting());
        const change = rewriting.finish();
        if (isUpdate) revising.changed(change);
        else if (next.oversizeRow() !== undefined) throw oversize(next.oversizeRow()!, maxCellBytes);
        const { encodingHint } = fresh;
        document = { ...coming.facts(), encodingHint, dialect: isUpdate ? document!.dialect : dialect };
        table = next;
        decoding = coming;
        marks = marking;
        covered = length;
        if (!kept) revising.renewed();
        else if (!isUpdate && dialect.columns.length > 0) revising.changed("all");
      },
    };
  }

  /** The dialect by which what is held becomes the fresh text, row by row; undefined if its header or its layout is another. */
  function keptDialect(old: CsvTable, before: Understanding, fresh: CsvDocument) {
    if (fresh.start !== before.start) return undefined;
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
    const others = heldByOthers(options.memory);
    if (bytes + others <= maxMemoryBytes) return;
    const together = others > 0 ? " with the other tables" : "";
    throw new CsvError("too-large", `takes more than ${maxMemoryBytes} bytes${together}; see --max-memory and --last`);
  }

  function set(bytes: Uint8Array, length: number): void {
    checkMemory(length);
    const first = bytes.subarray(0, length);
    const source = first.subarray(leadingHole(first));
    const coming = openDecoding(source, true, options.encoding);
    coming.skip(first.length - source.length);
    const raw = coming.decode(source, true) ?? source;
    const marking = openMarked(raw, coming.facts().start, raw.length, options);
    const fresh = understood(marking ? markedText(marking, raw, true) : raw, source, coming, marking);
    const intake = open(fresh, coming, marking, true);
    intake.add(fresh.bytes.subarray(fresh.dialect.bodyStart, fresh.end));
    intake.finish(length);
  }

  function flush(): void {
    const coming = marks && openHeader(table!) ? undefined : comingOf(decoding!.flush(), table!, marks);
    if (coming) add(coming);
  }

  function publish(isWhole: boolean): Revision | undefined {
    if (!table || !document || table.oversizeRow() !== undefined) return undefined;
    if (isWhole && table.columns.length > 0 && decoding && decoding.waiting() > 0) flush();
    if (!isWhole && openHeader(table)) return undefined;
    return revising.revise(table, document, isWhole || !table.openRow());
  }

  return {
    table: () => table,
    covered: () => covered,
    isOpen,
    append,
    skip(nuls) {
      decoding?.skip(nuls);
      covered += nuls;
    },
    begin,
    set,
    isVerbatim: () => table !== undefined && !marks && isVerbatim(table, document!, covered),
    lastRowAt: () => (table && isVerbatim(table, document!, covered) ? lastRowAt(table, covered) : undefined),
    isRecord: (bytes) => bytes.indexOf(table?.layout.recordEnd ?? 0) === bytes.length - 1 && isUtf8(bytes),
    replaceFrom(at, bytes) {
      marks?.restart(at);
      revising.changed(table!.replace(at, covered - at, marks ? marks.take(bytes).marked : bytes));
      covered = at + bytes.length;
    },
    oversizeRow: () => table?.oversizeRow(),
    openQuote: openQuoteTeller(
      () => table,
      () => document?.cuts ?? [],
    ),
    tail: () => table && tailOf(table, decoding),
    publish,
  };
}

/** Undefined if the header becomes another. */
function comingOf(text: Uint8Array, table: CsvTable, marks: MarkedText | undefined): Coming | undefined {
  if (!marks) return { instead: 0, text };
  const { instead, marked } = marks.take(text);
  return table.length() - instead < table.head().length ? undefined : { instead, text: marked };
}

/** A dialect that is better with what comes, or `same`; undefined if it is another. */
function dialectBehind(
  { instead, text }: Coming,
  table: CsvTable,
  document: Understanding,
  marks: MarkedText | undefined,
  reading: ReadOptions,
): Dialect | "same" | undefined {
  try {
    if (marks && !marks.isAsThought()) return undefined;
    const dialect = dialectWith(table, document, instead, text, withDelimiter(reading, marks));
    const agreement = agreementOf(dialect, document.dialect, table.rows());
    if (agreement === "other" || dialect.bodyStart > table.length() - instead) return undefined;
    return agreement === "rows" ? dialect : "same";
  } catch (error) {
    if (error instanceof CsvError) return undefined; // as it will be of the whole
    throw error;
  }
}

/** Tells of the quote that is open at the end. To find its line takes a walk. */
function openQuoteTeller(
  tableNow: () => CsvTable | undefined,
  cuts: () => readonly number[],
): () => CsvError | undefined {
  let known: { readonly at: number; readonly line: number } | undefined;
  return () => {
    const table = tableNow();
    const at = table?.openQuoteAt() ?? -1;
    if (!table || at === -1) return undefined;
    if (known?.at !== at) known = { at, line: lineInSource(table.lineAt(at), at, cuts()) };
    const reason = "a quote is opened and never closed; the rows before it are shown";
    return new CsvError("unclosed-quote", reason, known.line);
  };
}

function tailOf(table: CsvTable, decoding: Decoding | undefined): Tail | undefined {
  const open = table.openQuoteAt();
  if (open !== -1) return { bytes: lengthOf(table) - open, cells: undefined };
  const waiting = decoding?.waiting() ?? 0;
  const row = table.openRow() ?? openHeader(table);
  return row ? { ...row, bytes: row.bytes + waiting } : waiting > 0 ? { bytes: waiting, cells: 1 } : undefined;
}

const behindLastLine = (text: Uint8Array) => Math.max(text.lastIndexOf(10), text.lastIndexOf(13)) + 1;

/** Of all the text, with what was let go. */
const lengthOf = (table: CsvTable) => table.length() + table.gone().bytes;

function isVerbatim(table: CsvTable, document: Understanding, covered: number): boolean {
  const isRaw = document.encoding === "utf-8" && document.replaced === 0 && document.holes === 0;
  return isRaw && covered === lengthOf(table);
}

function lastRowAt(table: CsvTable, covered: number): number | undefined {
  if (table.rows() < 2 || table.openQuoteAt() !== -1) return undefined;
  return covered - table.bytesOf(table.rows() - 1, table.rows());
}

/** A header without a record end, which may go on. */
function openHeader(table: CsvTable): OpenRow | undefined {
  const { columns, layout } = table;
  const head = table.head();
  const isEnded = head.length < lengthOf(table) || head.at(-1) === layout.recordEnd;
  return isEnded || columns.length === 0 ? undefined : { bytes: head.length, cells: columns.length };
}

export function oversize(row: number, maxCellBytes: number): CsvError {
  return new CsvError("too-large", `row ${row}: a cell of more than ${maxCellBytes} bytes; see --max-cell`);
}
