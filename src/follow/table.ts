// A client's copy of the table: snapshots replace it, deltas change it, and what does not fit is never applied in part. What it hands
// out never changes.
import {
  type ColumnCodes,
  type Cursor,
  type DeltaMessage,
  formatCursor,
  type Row,
  type SnapshotMessage,
  type Splice,
  type SyncMessage,
} from "../feed/protocol.ts";
import { diffHashes } from "../values/hunks.ts";
import { atOnce } from "../values/steps.ts";
import {
  appendBlocks,
  type Block,
  BLOCKS,
  blockSize,
  type BlockSettings,
  blocksOf,
  openRows,
  type Rows,
  sameEnds,
} from "./blocks.ts";

/** Rows that never change, without the cost of an array of them all. */
export type RowList = Iterable<Row> & {
  readonly length: number;
  row(index: number): Row | undefined;
  /** As of an array. */
  slice(from?: number, to?: number): Row[];
};

/** What there is to a table; `cursor` names its state. */
export type TableFields = {
  readonly columns: readonly string[];
  /** One array for each row, with a string for each column. */
  readonly rows: readonly Row[];
  readonly cursor: string;
  /** Rows of the source in front of the first one here, which the server leaves out (`--last`). Absent for none. */
  readonly first?: number | undefined;
  /** What each column is: `number`, `text`, `time:iso`, … (docs/protocol.md, Types and units); undefined if the server does not tell. */
  readonly types?: readonly string[] | undefined;
  /** The unit of each column, null where none is known. */
  readonly units?: readonly (string | null)[] | undefined;
};

/**
 * A table as it was at one moment: it never changes, and each change brings another. What they have in common they share, so that the
 * next one costs what the change is. `rows` is made when it is asked for, at the cost of a pass; `length`, `row`, `slice` and iterating
 * over the table itself cost what is read.
 */
export type Table = TableFields & RowList;

/** The beginning of a table that is still coming, of which `count` rows will be all. To be shown as incomplete only. */
export type PartialTable = Table & { readonly count: number };

/** A table to come, of which the first rows are there. */
type Draft = Cursor &
  ColumnCodes &
  Shape &
  Place & { readonly blocks: Block[]; length: number; readonly count: number };

/** Rows of the source in front. */
type Place = { readonly first?: number | undefined };

type Shape = { readonly columns: readonly string[]; readonly size: number };

type Held = Cursor & ColumnCodes & Shape & Place & { readonly rows: Rows; readonly table: Table };

/** `gap`: what came does not fit, and has changed nothing; if the copy may be wrong itself, it has no cursor any more. */
export type TableCopy = {
  /** Undefined until the first snapshot is complete. Another object after each change. */
  table(): Table | undefined;
  /** What is there of a snapshot that is still coming; undefined if none is. */
  partial(): PartialTable | undefined;
  /** What to resume from; undefined if there is nothing to be trusted. */
  cursor(): string | undefined;
  /** Takes a part of a snapshot, its rows perhaps as blocks; the last one makes it the table. */
  applySnapshotPart(part: SnapshotMessage, blocks?: readonly Block[]): "part" | "complete" | "gap";
  /** Takes a change, by the one rule: only if its epoch is mine and it begins at my version. */
  applyDelta(delta: DeltaMessage): "applied" | "duplicate" | "gap";
  /** Whether this copy is what the server says it should be. */
  compare(sync: SyncMessage): "same" | "part" | "gap";
  /** Whether the parts of a snapshot have begun to come. */
  isPartial(): boolean;
  /** Forgets the parts of a snapshot that will not be completed. */
  dropParts(): void;
  /** Takes no change any more until the next snapshot; the table stays readable. */
  distrust(): void;
};

export function openTable(settings: BlockSettings = BLOCKS): TableCopy {
  let held: Held | undefined;
  let draft: Draft | undefined;
  let isTrusted = false;

  function applySnapshotPart(part: SnapshotMessage, given?: readonly Block[]): "part" | "complete" | "gap" {
    if (part.at === 0) draft = draftOf(part, settings);
    if (!draft || !isSameState(draft, part) || part.at !== draft.length || draft.count !== part.count)
      return distrust();
    const blocks = given ?? blocksOf(part.rows, draft.size);
    const length = blocks.reduce((sum, { count }) => sum + count, draft.length);
    if (length > draft.count) return distrust();
    appendBlocks(draft.blocks, blocks, draft.size);
    draft.length = length;
    if (length < draft.count) return "part";
    const { blocks: all, length: _length, count: _count, ...about } = draft;
    held = hold(about, openRows(all, draft.size, settings));
    draft = undefined;
    isTrusted = true;
    return "complete";
  }

  function applyDelta(delta: DeltaMessage): "applied" | "duplicate" | "gap" {
    const { epoch, from, to, splices, count, first, types, units } = delta;
    if (!held || !isTrusted || epoch !== held.epoch) return "gap";
    if (to <= held.version) return "duplicate";
    if (from !== held.version) return "gap";
    if (!fits(splices, held.rows.length, count)) return distrust();
    held = hold({ ...held, version: to, first, ...(types && { types, units }) }, held.rows.spliced(splices));
    draft = undefined;
    return "applied";
  }

  function partial(): PartialTable | undefined {
    if (!draft) return undefined;
    const { table } = hold(draft, openRows(draft.blocks.slice(), draft.size, settings));
    return Object.assign(table, { count: draft.count });
  }

  function compare(sync: SyncMessage): "same" | "part" | "gap" {
    if (draft) return "part";
    if (!held || !isTrusted || !isSameState(held, sync)) return "gap";
    return held.rows.length === sync.count ? "same" : distrust();
  }

  function distrust(): "gap" {
    isTrusted = false;
    draft = undefined;
    return "gap";
  }

  return {
    table: () => held?.table,
    partial,
    cursor: () => (isTrusted ? held?.table.cursor : undefined),
    applySnapshotPart,
    applyDelta,
    compare,
    isPartial: () => draft !== undefined,
    dropParts: () => void (draft = undefined),
    distrust: () => void distrust(),
  };
}

const isSameState = (a: Cursor, b: Cursor) => a.epoch === b.epoch && a.version === b.version;

function draftOf(part: SnapshotMessage, settings: BlockSettings): Draft {
  const { epoch, version, columns, count, first, types, units } = part;
  const size = blockSize(Math.max(1, columns.length), settings);
  return { epoch, version, columns, size, blocks: [], length: 0, count, first, types, units };
}

function hold(about: Cursor & ColumnCodes & Shape & Place, rows: Rows): Held {
  const { epoch, version, columns, size, first, types, units } = about;
  const place = first === undefined ? {} : { first };
  const table = tableOf({ columns, cursor: formatCursor(about), ...place, ...(types && { types, units }) }, rows);
  return { epoch, version, columns, size, first, types, units, rows, table };
}

const rowsOfTables = new WeakMap<TableFields, Rows>();

/** The table itself is what `{ ...table }` copies and JSON.stringify writes; what makes it cheap is behind it. */
function tableOf(fields: Omit<TableFields, "rows">, rows: Rows): Table {
  const { length, row, slice, [Symbol.iterator]: iterate } = rows;
  const table = Object.assign(Object.create({ length, row, slice, [Symbol.iterator]: iterate }) as Table, fields);
  Object.defineProperty(table, "rows", {
    configurable: true,
    enumerable: true,
    get() {
      const value = slice();
      Object.defineProperty(table, "rows", { value, enumerable: true });
      return value;
    },
  });
  rowsOfTables.set(table, rows);
  return table;
}

/** The blocks of a table, which may also be one that a program has made. */
export const blocksIn = (table: TableFields, settings: BlockSettings = BLOCKS): Rows =>
  rowsOfTables.get(table) ?? rowsFrom(table.rows, settings);

/** An array of rows, as it is now, in blocks. */
export function rowsFrom(rows: readonly Row[], settings: BlockSettings = BLOCKS): Rows {
  const size = blockSize(Math.max(1, rows[0]?.length ?? 1), settings);
  return openRows(blocksOf(rows, size), size, settings);
}

const COMPARED_ROWS = 4096;

/** Whether the splices name rows that exist, and lead to `count` rows. */
function fits(splices: readonly Splice[], length: number, count: number): boolean {
  for (const [start, deleteCount, rows] of splices) {
    if (start + deleteCount > length) return false;
    length += rows.length - deleteCount;
  }
  return length === count;
}

/** Splices that turn `before` into `after`. Blocks at their ends that are the same are not parsed. */
export function changesBetween(before: Rows, after: Rows): Splice[] {
  const { head, tail } = sameEnds(before, after);
  const middle = splicesBetween(before.slice(head, before.length - tail), after.slice(head, after.length - tail));
  return middle.map(([start, deleted, rows]) => [start + head, deleted, rows]);
}

/**
 * The same of two windows of a source that has only grown: known by where they are in it, also where rows repeat. Undefined if it has
 * become something else, or where they are is not known. The last row of the one before may have been completed meanwhile.
 */
export function windowChange(before: Table, after: Table): Splice[] | undefined {
  const { first: from = 0, length } = before;
  const { first = 0 } = after;
  const end = from + length;
  if ((from === 0 && first === 0) || end > first + after.length) return undefined;
  if (first >= end) return [[0, length, after.slice()]];
  const start = Math.max(from, first);
  const isSame = (at: number, to: number) => {
    const rows = after.slice(at - first, to - first);
    return before.slice(at - from, to - from).every((row, i) => isSameRow(row, rows[i]!));
  };
  // In pieces: a single row is parsed with those around it.
  for (let at = start; at < end - 1; at += COMPARED_ROWS)
    if (!isSame(at, Math.min(at + COMPARED_ROWS, end - 1))) return undefined;
  const isCompleted = !isSame(end - 1, end);
  const gone = start - from;
  const front: Splice[] = gone > 0 ? [[0, gone, []]] : first < from ? [[0, 0, after.slice(0, from - first)]] : [];
  const at = end - first - (isCompleted ? 1 : 0);
  const come = after.slice(at);
  return come.length > 0 ? [...front, [at, isCompleted ? 1 : 0, come]] : front;
}

/**
 * Splices that turn `before` into `after`: what was edited, came, went or moved, and not what only stands at another place because
 * of that. A window that has moved on loses its first rows and gets new ones at its end.
 */
export function splicesBetween(before: readonly Row[], after: readonly Row[]): Splice[] {
  const isSame = (a: number, b: number) => isSameRow(before[a]!, after[b]!);
  return atOnce(diffHashes(Float64Array.from(before, hashOf), Float64Array.from(after, hashOf), isSame)).map(
    ({ start, deleted, inserted }): Splice => [start, deleted, after.slice(start, start + inserted)],
  );
}

/** An integer below 2^53 of all cells: two lanes of 32 bits. */
function hashOf(row: Row): number {
  let a = 0x9e3779b1;
  let b = 0x85ebca77;
  for (const cell of row) {
    for (let i = 0; i < cell.length; i++) {
      const unit = cell.charCodeAt(i);
      a = Math.imul(a ^ unit, 0x9e3779b1);
      b = Math.imul(b ^ unit, 0x5f356495);
      a ^= a >>> 15;
      b ^= b >>> 13;
    }
    a = Math.imul(a ^ 0x10001, 0x85ebca6b);
    b = Math.imul(b ^ 0x10003, 0xc2b2ae35);
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ b;
  b = Math.imul(b ^ (b >>> 15), 0xc2b2ae35) ^ a;
  return (a >>> 0) * 0x200000 + (b >>> 11);
}

const isSameRow = (a: Row, b: Row) => a === b || (a.length === b.length && a.every((cell, i) => cell === b[i]));

/**
 * The rows as objects, for code that would rather read names. Names that look like whole numbers (`11`) come first in an object,
 * whatever the order of the columns: that order is in `columns`.
 */
export function toObjects({ columns, rows }: Pick<TableFields, "columns" | "rows">): Record<string, string>[] {
  return rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i] ?? ""])));
}
