// A client's copy of the table: snapshots replace it, deltas change it, and what does not fit is never applied in part.
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

/** A table; `cursor` names its state, and changes with every change. */
export type Table = {
  readonly columns: readonly string[];
  /** One array for each row, with a string for each column. */
  readonly rows: readonly Row[];
  readonly cursor: string;
  /** What each column is: `number`, `text`, `time:iso`, … (PROTOCOL.md, Types and units); undefined if the server does not tell. */
  readonly types?: readonly string[] | undefined;
  /** The unit of each column, null where none is known. */
  readonly units?: readonly (string | null)[] | undefined;
};

/** A table to come, of which the first rows are there. */
type Draft = Cursor &
  ColumnCodes & { readonly columns: readonly string[]; readonly rows: Row[]; readonly count: number };

type Held = {
  readonly epoch: string;
  version: number;
  readonly rows: Row[];
  readonly table: Table & { cursor: string; types?: Table["types"]; units?: Table["units"] };
};

/** `gap`: what came does not fit, and has changed nothing; if the copy may be wrong itself, it has no cursor any more. */
export type TableCopy = {
  /** Undefined until the first snapshot is complete. One object from snapshot to snapshot: deltas change it in place. */
  table(): Table | undefined;
  /** What to resume from; undefined if there is nothing to be trusted. */
  cursor(): string | undefined;
  /** Takes a part of a snapshot; the last one makes it the table. */
  applySnapshotPart(part: SnapshotMessage): "part" | "complete" | "gap";
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

export function openTable(): TableCopy {
  let held: Held | undefined;
  let draft: Draft | undefined;
  let isTrusted = false;

  function applySnapshotPart(part: SnapshotMessage): "part" | "complete" | "gap" {
    const { epoch, version, columns, at, rows, count, types, units } = part;
    if (at === 0) draft = { epoch, version, columns, rows: [], count, types, units };
    if (!draft || !isSameState(draft, part) || at !== draft.rows.length || draft.count !== count) return distrust();
    if (at + rows.length > count) return distrust();
    append(draft.rows, rows);
    if (draft.rows.length < count) return "part";
    held = hold(draft);
    draft = undefined;
    isTrusted = true;
    return "complete";
  }

  function applyDelta({
    epoch,
    from,
    to,
    splices,
    count,
    types,
    units,
  }: DeltaMessage): "applied" | "duplicate" | "gap" {
    if (!held || !isTrusted || epoch !== held.epoch) return "gap";
    if (to <= held.version) return "duplicate";
    if (from !== held.version) return "gap";
    if (!fits(splices, held.rows.length, count)) return distrust();
    applySplices(held.rows, splices);
    held.version = to;
    held.table.cursor = formatCursor(held);
    if (types) {
      held.table.types = types;
      held.table.units = units;
    }
    draft = undefined;
    return "applied";
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

function hold(draft: Draft): Held {
  const { epoch, version, columns, rows, types, units } = draft;
  const table = { columns, rows, cursor: formatCursor(draft), ...(types && { types, units }) };
  return { epoch, version, rows, table };
}

/** Whether the splices name rows that exist, and lead to `count` rows. */
function fits(splices: readonly Splice[], length: number, count: number): boolean {
  for (const [start, deleteCount, rows] of splices) {
    if (start + deleteCount > length) return false;
    length += rows.length - deleteCount;
  }
  return length === count;
}

/** Up to this many splices that move the rows behind them are faster one by one. */
const FEW = 8;
/** `splice(...rows)` has as many arguments as rows; the stack is finite. */
const MAX_ARGUMENTS = 10_000;

/** In place. Splices in the order of their rows cost one pass over the rows behind the first, however many they are. */
export function applySplices(rows: Row[], splices: readonly Splice[]): void {
  for (let from = 0; from < splices.length;) {
    let to = from;
    let moving = 0;
    do {
      const [, deleteCount, inserted] = splices[to++]!;
      if (deleteCount !== inserted.length) moving++;
    } while (to < splices.length && splices[to]![0] >= splices[to - 1]![0] + splices[to - 1]![2].length);
    const run = splices.slice(from, to);
    if (moving > FEW) applyInOnePass(rows, run);
    else for (const splice of run) applyOne(rows, splice);
    from = to;
  }
}

function applyOne(rows: Row[], splice: Splice): void {
  const [start, deleteCount, inserted] = splice;
  if (inserted.length === deleteCount) for (let i = 0; i < deleteCount; i++) rows[start + i] = inserted[i]!;
  else if (start + deleteCount === rows.length || inserted.length > MAX_ARGUMENTS) applyInOnePass(rows, [splice]);
  else rows.splice(start, deleteCount, ...inserted);
}

/** Each splice begins behind the one before it. */
function applyInOnePass(rows: Row[], splices: readonly Splice[]): void {
  const first = splices[0]![0];
  const old = rows.slice(first);
  let at = 0;
  rows.length = first;
  for (const [start, deleteCount, inserted] of splices) {
    while (rows.length < start) rows.push(old[at++]!);
    at += deleteCount;
    append(rows, inserted);
  }
  while (at < old.length) rows.push(old[at++]!);
}

function append(to: Row[], rows: readonly Row[]): void {
  for (const row of rows) to.push(row);
}

/**
 * Splices that turn `before` into `after`: what was edited, came, went or moved, and not what only stands at another place because
 * of that. A window that has moved on loses its first rows and gets new ones at its end.
 */
export function splicesBetween(before: readonly Row[], after: readonly Row[]): Splice[] {
  const isSame = (a: number, b: number) => isSameRow(before[a]!, after[b]!);
  return diffHashes(Float64Array.from(before, hashOf), Float64Array.from(after, hashOf), isSame).map(
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
export function toObjects({ columns, rows }: Pick<Table, "columns" | "rows">): Record<string, string>[] {
  return rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i] ?? ""])));
}
