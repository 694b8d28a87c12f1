// The table of a live source: a list of blocks, and what each change of its text is in rows. What is shown of it is a list that
// somebody holds: it stays as it is, whatever comes.
import { atOnce } from "../values/steps.ts";
import {
  type Block,
  blockOfRow,
  type Blocks,
  type BlockSize,
  rowsIn,
  startsOf,
  stretches,
  type Walked,
} from "./blocks.ts";
import { changeOf } from "./changes.ts";
import { type Cut, type Cutter, type CutterOptions, letGo, linesIn, openCutter, unmark } from "./cutter.ts";
import type { CsvDocument } from "./document.ts";
import type { Typing } from "./literals.ts";
import { SPARE_BYTES } from "./encoding.ts";
import { hasCellOver, type Layout, QUOTE, walkRecords } from "./records.ts";
import { emptyTally, type Tally } from "./tally.ts";
import { type Arena, createRenderer, type Rendered } from "./render.ts";
import type { Splice } from "../values/hunks.ts";

export type { Splice } from "../values/hunks.ts";

/** Splices in rows of the table, in ascending order, or `all` if they would be no smaller than the table. */
export type RowChange = readonly Splice[] | "all";

export type OpenRow = { readonly bytes: number; readonly cells: number };

export type TableOptions = {
  /** What `oversizeRow` looks for; default: nothing is too large. */
  readonly maxCellBytes?: number;
  /** Rows in front of the last so many may be let go; default: none. */
  readonly lastRows?: number;
  readonly size?: BlockSize;
};

export type CsvTable = {
  readonly layout: Layout;
  readonly columns: readonly string[];
  /** The text in front of the rows. */
  head(): Uint8Array;
  /** As it is now, for good. */
  blocks(): Blocks;
  /** Of the text that is held, header included; and of that in front of it that was let go. */
  length(): number;
  gone(): Cut["gone"];
  /** Rows, an unterminated last one included; not a record inside an open quote. */
  rows(): number;
  /** The last row, if it has no record end yet: its bytes, and its number of cells. */
  openRow(): OpenRow | undefined;
  /** The offset of a record whose quote is never closed, or -1. */
  openQuoteAt(): number;
  /** What was counted on the way: surplus cells, records that are no rows, stray quotes. */
  tally(): Tally;
  /** The number of the first row, from 1, that has a cell over the limit. */
  oversizeRow(): number | undefined;
  /** The line number of an offset, from 1, as an editor counts. */
  lineAt(offset: number): number;
  /** The text, as it came, piece by piece. */
  pieces(): Generator<Uint8Array>;
  /** Whether these bytes stand at `at`; what was let go is not known, and taken to be. */
  matches(at: number, bytes: Uint8Array): boolean;
  /** Text that follows. */
  append(text: Uint8Array): RowChange;
  /** `removed` bytes at `at`, which lies behind the header, become `inserted`. */
  replace(at: number, removed: number, inserted: Uint8Array): RowChange;
  /** Takes a whole text behind the header anew; what is equal is kept. */
  rewrite(): Rewriting;
  /**
   * Rows `[from, to)` become the records in `inserted`, each with its record end: for who knows the change, so that nothing is
   * compared. Every row of the table has its record end, too. Returns how many rows came.
   */
  replaceRows(from: number, to: number, inserted: Uint8Array): number;
  /** Where the records of rows `[from, to)` are, as a text of their own, and how long that is. */
  textOf(from: number, to: number): Uint8Array;
  bytesOf(from: number, to: number): number;
  /** Lets blocks go that end before this row. Returns how many rows went. */
  letGo(row: number): number;
  /** Rows `[from, to)` as JSON: objects or arrays of cells. */
  render(from: number, to: number, shape: "objects" | "arrays"): Rendered;
};

/** A text on its way into a table, which stays as it is until `finish`. */
export type Rewriting = Pick<Cutter, "space" | "took" | "add" | "bytes"> & {
  /** Nothing more comes: this is the table, at the first step. What has changed by that is found in further ones. */
  finish(): Generator<void, RowChange>;
};

/** A change that brings more than half of a table anew, and more than this, is the whole table. */
const MIN_ALL_BYTES = 1 << 16;
/** And so is one of more bytes than this, however large the table. */
const MAX_CHANGE_BYTES = 64 << 20;
/** Farther back a verdict on a stray quote is kept whatever comes: else each append would walk so much again. */
const MAX_UNSETTLED_BYTES = 1 << 17;

type State = {
  readonly walked: Walked;
  readonly options: TableOptions;
  /** The text in front of the blocks: the header. */
  readonly head: Uint8Array;
  blocks: Block[];
  rowsBefore: number[];
  bytesBefore: number[];
  /** Of all blocks. */
  surplus: number;
  again: number;
  nuls: number;
  strays: number;
  hasLong: boolean;
  gone: Cut["gone"];
  frozen: Blocks | undefined;
};

export function openTable(document: CsvDocument, options: TableOptions = {}): CsvTable {
  const { bytes, dialect, end } = document;
  const table = tableUnder(bytes.subarray(0, dialect.bodyStart), dialect, options);
  const rewriting = table.rewrite();
  rewriting.add(bytes.subarray(dialect.bodyStart, end));
  atOnce(rewriting.finish());
  return table;
}

/** A table without rows. `head`: the text in front of them. */
export function tableUnder(head: Uint8Array, dialect: Walked, options: TableOptions = {}): CsvTable {
  const { layout, columns, quotes } = dialect;
  const state: State = {
    walked: { layout, columns, quotes },
    options,
    head: new Uint8Array(head),
    blocks: [],
    rowsBefore: [],
    bytesBefore: [],
    surplus: 0,
    again: 0,
    nuls: 0,
    strays: 0,
    hasLong: false,
    gone: { rows: 0, bytes: 0, lines: 0 },
    frozen: undefined,
  };
  return {
    layout,
    columns,
    head: () => state.head,
    blocks: () => blocksOf(state),
    length: () => lengthOf(state),
    gone: () => state.gone,
    rows: () => rowsIn(state),
    openRow: () => openRow(state),
    openQuoteAt: () => openQuoteAt(state),
    tally: () => tallyOf(state),
    oversizeRow: () => oversizeRow(state),
    lineAt: (offset) => lineAt(state, offset),
    pieces: () => piecesOf(state),
    matches: (at, bytes) => matches(state, at, bytes),
    append: (text) => append(state, text),
    replace(at, removed, inserted) {
      const { first, last, cut } = recut(state, at, removed, inserted);
      return atOnce(adopt(state, first, last, cut));
    },
    rewrite: () => rewrite(state),
    replaceRows: (from, to, inserted) => replaceRows(state, from, to, inserted),
    textOf: (from, to) => textOf(state, from, to),
    bytesOf: (from, to) => offsetOfRow(state, to) - offsetOfRow(state, from),
    letGo: (row) => letRowsGo(state, row),
    render: (from, to, shape) => renderBlocks(blocksOf(state), from, to, shape),
  };
}

/** Rows `[from, to)` as JSON: objects, which `typing` gives literals, or arrays of cells. */
export function renderBlocks(
  table: Blocks,
  from: number,
  to: number,
  shape: "objects" | "arrays",
  arena?: Arena,
  limit?: number,
  typing?: Typing,
): Rendered {
  const { layout, columns } = table;
  const all = [...stretches(table, from, to)];
  const bytes = all.reduce((sum, { start, end }) => sum + end - start, 0);
  const rowShape = shape === "objects" ? columns : columns.length;
  const renderer = createRenderer(layout, rowShape, bytes, arena, limit, undefined, typing);
  for (const stretch of all) renderer.add(stretch.bytes, stretch.start, stretch.end);
  return renderer.finish();
}

function blocksOf(state: State): Blocks {
  const { layout, columns } = state.walked;
  return (state.frozen ??= { layout, columns, blocks: state.blocks.slice(), rowsBefore: state.rowsBefore.slice() });
}

function lengthOf({ head, blocks, bytesBefore }: State): number {
  return blocks.length === 0 ? head.length : bytesBefore[blocks.length - 1]! + blocks.at(-1)!.length;
}

const lastByte = ({ blocks, head }: State) => {
  const last = blocks.at(-1);
  return last ? last.bytes[last.length - 1] : head[head.length - 1];
};

function openRow({ blocks, walked }: State): OpenRow | undefined {
  const last = blocks.at(-1);
  if (!last || last.rows === 0 || last.end !== last.length) return undefined;
  if (last.bytes[last.length - 1] === walked.layout.recordEnd) return undefined;
  let found: OpenRow | undefined; // a record behind it may be no row
  const start = startsOf(last, walked.layout)[last.rows - 1]!;
  walkRecords(last.bytes, start, last.end, walked.layout, Infinity, (at, end, cells) => {
    found = end === last.end ? { bytes: end - at, cells } : undefined;
    return true;
  });
  return found;
}

function openQuoteAt({ blocks, bytesBefore, gone }: State): number {
  const last = blocks.at(-1);
  return last && last.end < last.length ? bytesBefore[blocks.length - 1]! + gone.bytes + last.end : -1;
}

/** Where the first record is that may read otherwise if more text comes, unless that is far back; -1 if there is none. */
function unsettledAt({ blocks, bytesBefore }: State, before: number): number {
  for (let b = blocks.length - 1, found = -1; ; b--) {
    if (b < 0 || before - bytesBefore[b]! - blocks[b]!.length > MAX_UNSETTLED_BYTES) return found;
    const at = blocks[b]!.tally.unsettledAt;
    if (at !== -1 && before - bytesBefore[b]! - at <= MAX_UNSETTLED_BYTES) found = bytesBefore[b]! + at;
  }
}

function tallyOf(state: State): Tally {
  const { blocks, bytesBefore, gone, surplus, again, nuls, strays } = state;
  const tally: Tally = { ...emptyTally(), surplus, again, nuls };
  const offset = (b: number, at: number) => bytesBefore[b]! + gone.bytes + at;
  if (surplus > 0) {
    const b = blocks.findIndex((block) => block.tally.firstSurplus !== undefined);
    const { start, fields } = blocks[b]!.tally.firstSurplus!;
    tally.firstSurplus = { start: offset(b, start), fields };
  }
  if (strays > 0) {
    const b = blocks.findIndex((block) => block.tally.strayAt !== -1);
    tally.strayAt = offset(b, blocks[b]!.tally.strayAt);
  }
  return tally;
}

function oversizeRow({ blocks, rowsBefore, hasLong, options, walked, gone }: State): number | undefined {
  const { maxCellBytes = Infinity } = options;
  for (let b = 0; hasLong && b < blocks.length; b++) {
    const block = blocks[b]!;
    if (block.longest <= maxCellBytes) continue;
    const starts = startsOf(block, walked.layout);
    for (let r = 0; r < block.rows; r++) {
      const end = r + 1 < block.rows ? starts[r + 1]! : block.end;
      if (end - starts[r]! > maxCellBytes && hasCellOver(maxCellBytes, block.bytes, starts[r]!, end, walked.layout))
        return gone.rows + rowsBefore[b]! + r + 1;
    }
  }
  return undefined;
}

function lineAt({ head, blocks, bytesBefore, gone, walked }: State, offset: number): number {
  const { recordEnd } = walked.layout;
  if (offset < head.length) return 1 + linesIn(head, offset, recordEnd);
  let lines = 1 + linesIn(head, head.length, recordEnd) + gone.lines;
  for (let b = 0; b < blocks.length; b++)
    lines += linesIn(blocks[b]!.bytes, Math.min(blocks[b]!.length, offset - gone.bytes - bytesBefore[b]!), recordEnd);
  return lines;
}

/** The text of a block as it came. */
function textOfBlock({ bytes, length, tally }: Block): Uint8Array {
  if (tally.strayAt === -1) return bytes.subarray(0, length);
  const copy = new Uint8Array(bytes.subarray(0, length));
  unmark(copy);
  return copy;
}

function* piecesOf({ head, blocks }: State): Generator<Uint8Array> {
  yield head;
  for (const block of blocks) yield textOfBlock(block);
}

function matches(state: State, at: number, bytes: Uint8Array): boolean {
  const { head, blocks, gone } = state;
  const isSame = (text: Uint8Array, start: number) => {
    const from = Math.max(start, at);
    const to = Math.min(start + text.length, at + bytes.length);
    return (
      from >= to || Buffer.compare(text.subarray(from - start, to - start), bytes.subarray(from - at, to - at)) === 0
    );
  };
  if (at + bytes.length > lengthOf(state) + gone.bytes || !isSame(head, 0)) return false;
  const end = at + bytes.length - gone.bytes;
  for (let b = Math.max(0, blockAt(state, at - gone.bytes)); b < blocks.length && state.bytesBefore[b]! < end; b++)
    if (!isSame(textOfBlock(blocks[b]!), state.bytesBefore[b]! + gone.bytes)) return false;
  return true;
}

/** The block that has the byte at `offset` of the text that is held; -1 if that is in front of all. */
const blockAt = ({ bytesBefore }: State, offset: number) => blockOfRow(bytesBefore, offset);

function append(state: State, text: Uint8Array): RowChange {
  const { blocks, walked, head } = state;
  const { recordEnd } = walked.layout;
  if (staysOpen(state, text)) return goOn(state, text);
  const length = lengthOf(state);
  const isWhole = lastByte(state) === recordEnd || (length === head.length && blocks.length === 0);
  if (openQuoteAt(state) !== -1 || unsettledAt(state, length) !== -1) {
    const { first, last, cut } = recut(state, length + state.gone.bytes, 0, text);
    return atOnce(adopt(state, first, last, cut));
  }
  if (!isWhole) return endRow(state, text);
  const last = blocks.at(-1);
  const tail = last?.starts ? last : undefined;
  const cutter = openCutter({ ...cutting(state), tail });
  cutter.add(text);
  cutter.end();
  const rows = rowsIn(state);
  replaceBlocks(state, blocks.length - (tail ? 1 : 0), blocks.length, cutter.cut().blocks);
  const inserted = rowsIn(state) - rows;
  if (isAll(state, text.length)) return "all";
  return inserted === 0 ? [] : [{ start: rows, deleted: 0, inserted }];
}

/** The last record goes on, and others may follow: no other row becomes another one. */
function endRow(state: State, text: Uint8Array): RowChange {
  const open = openRow(state);
  const isSame = open !== undefined && text[0] === state.walked.layout.recordEnd;
  const start = rowsIn(state) - (open && !isSame ? 1 : 0);
  const { first, last, cut } = recut(state, lengthOf(state) + state.gone.bytes, 0, text);
  replaceBlocks(state, first, last, cut.blocks);
  const deleted = open && !isSame ? 1 : 0;
  const inserted = rowsIn(state) - start;
  if (isAll(state, text.length + (open?.bytes ?? 0))) return "all";
  return deleted + inserted === 0 ? [] : [{ start, deleted, inserted }];
}

/**
 * Whether the text ends far inside an open quote, and still does with `text` behind it: then nothing is walked again, however much
 * comes. One quote at its end may be the first of two: that takes a walk.
 */
function staysOpen({ blocks }: State, text: Uint8Array): boolean {
  const last = blocks.at(-1);
  if (!last || last.length - last.end < MAX_UNSETTLED_BYTES || last.bytes[last.length - 1] === QUOTE) return false;
  for (let i = text.indexOf(QUOTE); i !== -1; i = text.indexOf(QUOTE, i + 2)) if (text[i + 1] !== QUOTE) return false;
  return true;
}

/** The last block grows, without another row. */
function goOn(state: State, text: Uint8Array): RowChange {
  const { blocks } = state;
  const last = blocks.at(-1)!;
  const length = last.length + text.length;
  let { bytes } = last;
  if (bytes.length < length + SPARE_BYTES) {
    bytes = Buffer.allocUnsafeSlow(2 * length + SPARE_BYTES);
    bytes.set(last.bytes.subarray(0, last.length));
  }
  bytes.set(text, last.length);
  replaceBlocks(state, blocks.length - 1, blocks.length, [{ ...last, bytes, length }]);
  return [];
}

const cutting = ({ walked, options }: State): CutterOptions => ({
  ...walked,
  ...(options.size && { size: options.size }),
});

type Recut = { readonly first: number; readonly last: number; readonly cut: Cut };

/** The blocks that take the place of those from `first` to `last`, if `removed` bytes at `at` become `inserted`. */
function recut(state: State, at: number, removed: number, inserted: Uint8Array): Recut {
  const { blocks, gone } = state;
  const local = at - gone.bytes;
  const unsettled = unsettledAt(state, local);
  const touched = blockAt(state, unsettled === -1 ? local - 1 : Math.min(unsettled, local - 1));
  const first = Math.max(0, Math.min(touched, blocks.length - 1));
  const isAtEnd = local + removed === lengthOf(state);
  const cutter = openCutter({ ...cutting(state), ...(!isAtEnd && { old: blocks, expected: blocks.length }) });
  let last = first;
  const pieces = blocks.length === 0 ? [inserted] : changedText(state, first, local, removed, inserted);
  for (const piece of pieces) {
    if (typeof piece !== "number") cutter.add(piece);
    else if ((last = piece) < blocks.length && cutter.isEven()) break;
  }
  if (last === blocks.length) cutter.end();
  return { first, last, cut: cutter.cut() };
}

/** The text from a block on, changed, and after each block that the next one is this. */
function* changedText(
  { blocks, bytesBefore }: State,
  first: number,
  local: number,
  removed: number,
  inserted: Uint8Array,
): Generator<Uint8Array | number> {
  let isPending = true;
  for (let b = first; b < blocks.length; b++) {
    const start = bytesBefore[b]!;
    const text = textOfBlock(blocks[b]!);
    const end = start + text.length;
    yield text.subarray(0, Math.max(0, local - start));
    if (isPending && (local < end || b === blocks.length - 1)) {
      isPending = false;
      yield inserted;
    }
    if (local + removed < end) yield text.subarray(Math.max(0, local + removed - start));
    if (!isPending && local + removed <= end) yield b + 1;
    else if (b === blocks.length - 1) yield blocks.length;
  }
}

/** The blocks are the table's now. What has changed by that. */
function* adopt(state: State, first: number, last: number, { blocks, origins }: Cut): Generator<void, RowChange> {
  const old = state.blocks.slice(first, last);
  const row = state.rowsBefore[first] ?? rowsIn(state);
  const within = origins.map((origin) => (origin >= first && origin < last ? origin - first : -1));
  replaceBlocks(state, first, last, blocks);
  const change = yield* changeOf(old, blocks, within, row, state.walked.layout, (brought) => isAll(state, brought));
  return !change || isAll(state, change.brought) ? "all" : change.splices;
}

const isAll = (state: State, brought: number) =>
  brought > MAX_CHANGE_BYTES || (brought > MIN_ALL_BYTES && brought * 2 > lengthOf(state));

function rewrite(state: State): Rewriting {
  const { options } = state;
  const { lastRows } = options;
  const cutter = openCutter({
    ...cutting(state),
    old: state.blocks,
    ...(lastRows !== undefined && { lastRows }),
  });
  return {
    space: cutter.space,
    took: cutter.took,
    add: cutter.add,
    bytes: cutter.bytes,
    *finish() {
      cutter.end();
      const cut = cutter.cut();
      state.gone = cut.gone;
      return yield* adopt(state, 0, state.blocks.length, cut);
    },
  };
}

function replaceBlocks(state: State, first: number, last: number, fresh: readonly Block[]): void {
  const { blocks, head, options } = state;
  const count = (all: readonly Block[], sign: number) => {
    for (const { tally } of all) {
      state.surplus += sign * tally.surplus;
      state.again += sign * tally.again;
      state.nuls += sign * tally.nuls;
      state.strays += tally.strayAt === -1 ? 0 : sign;
    }
  };
  count(blocks.slice(first, last), -1);
  count(fresh, 1);
  // Not `splice`: arguments are limited.
  state.blocks =
    first === blocks.length - 1 && last === blocks.length
      ? blocks
      : blocks.slice(0, first).concat(fresh, blocks.slice(last));
  if (state.blocks === blocks) {
    blocks.pop();
    for (const block of fresh) blocks.push(block);
  }
  const { rowsBefore, bytesBefore } = state;
  rowsBefore.length = bytesBefore.length = state.blocks.length;
  let rows = first > 0 ? rowsBefore[first - 1]! + state.blocks[first - 1]!.rows : 0;
  let bytes = first > 0 ? bytesBefore[first - 1]! + state.blocks[first - 1]!.length : head.length;
  for (let b = first; b < state.blocks.length; b++) {
    rowsBefore[b] = rows;
    bytesBefore[b] = bytes;
    rows += state.blocks[b]!.rows;
    bytes += state.blocks[b]!.length;
  }
  const { maxCellBytes = Infinity } = options;
  const isLong = ({ longest }: Block) => longest > maxCellBytes;
  state.hasLong = state.hasLong ? state.blocks.some(isLong) : fresh.some(isLong);
  state.frozen = undefined;
}

function offsetOfRow(state: State, row: number): number {
  const { blocks, bytesBefore, rowsBefore, gone, walked } = state;
  if (row >= rowsIn(state)) return lengthOf(state) + gone.bytes;
  const b = blockOfRow(rowsBefore, row);
  return bytesBefore[b]! + gone.bytes + startsOf(blocks[b]!, walked.layout)[row - rowsBefore[b]!]!;
}

function replaceRows(state: State, from: number, to: number, inserted: Uint8Array): number {
  const before = rowsIn(state);
  const at = offsetOfRow(state, from);
  const { first, last, cut } = recut(state, at, offsetOfRow(state, to) - at, inserted);
  replaceBlocks(state, first, last, cut.blocks);
  return rowsIn(state) - before + to - from;
}

function textOf(state: State, from: number, to: number): Uint8Array {
  return Buffer.concat(
    [...stretches(blocksOf(state), from, to)].map(({ bytes, start, end }) => bytes.subarray(start, end)),
  );
}

function letRowsGo(state: State, row: number): number {
  const { rowsBefore, blocks, walked } = state;
  let count = 0;
  while (count + 1 < blocks.length && rowsBefore[count + 1]! <= row) count++;
  if (count === 0) return 0;
  const rows = rowsBefore[count]!;
  for (const block of blocks.slice(0, count)) state.gone = letGo(state.gone, block, walked.layout.recordEnd);
  replaceBlocks(state, 0, count, []);
  return rows;
}

/** What two changes are, one after the other. */
export function mergedChange(before: RowChange, after: RowChange): RowChange {
  if (before.length === 0) return after;
  if (after === "all" || before === "all") return "all";
  const merged = before.map((splice) => ({ ...splice }));
  for (const splice of after) {
    const last = merged.at(-1)!;
    const end = last.start + last.inserted;
    if (splice.start > end) merged.push(splice);
    else if (splice.start >= last.start && splice.start + splice.deleted <= end)
      last.inserted += splice.inserted - splice.deleted;
    else return "all";
  }
  return merged;
}
