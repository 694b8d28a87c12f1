// What a change of blocks is in rows: equal blocks hold the rest in place, and what is between them is compared row by row.
import { type Block, startsOf } from "./blocks.ts";
import { diffHashes, type Splice } from "../values/hunks.ts";
import { contentEnd, hashRow, isSameContent } from "./rows.ts";
import type { Layout } from "./records.ts";
import { inStretches } from "../values/steps.ts";

/** Splices in rows, and how many bytes of text they bring. */
export type Change = { readonly splices: readonly Splice[]; readonly brought: number };

/** A stretch of more bytes is not compared row by row. */
const MAX_COMPARED_BYTES = 256 << 20;
/** Rows that are hashed in one step. */
const STEP_ROWS = 1 << 12;

/**
 * What turns the rows of some blocks into those of others; `origins` tells which of the new ones are old ones. `first` is the row that
 * they begin with. In steps. `isAll`: whether a change that brings so many bytes is the whole table. Undefined if it is, or too much would be compared.
 */
export function* changeOf(
  old: readonly Block[],
  fresh: readonly Block[],
  origins: readonly number[],
  first: number,
  layout: Layout,
  isAll: (brought: number) => boolean = () => false,
): Generator<void, Change | undefined> {
  const splices: Splice[] = [];
  let brought = 0;
  let row = first; // of the new rows
  let a = 0;
  let b = 0;
  function* compare(oldEnd: number, newEnd: number): Generator<void, boolean> {
    if (a === oldEnd && b === newEnd) return true;
    const change = yield* comparedRows(old.slice(a, oldEnd), fresh.slice(b, newEnd), layout, isAll);
    if (!change) return false;
    for (const { start, deleted, inserted } of change.splices) splices.push({ start: start + row, deleted, inserted });
    brought += change.brought;
    for (; b < newEnd; b++) row += fresh[b]!.rows;
    a = oldEnd;
    return true;
  }
  for (const at of longestIncreasing(origins)) {
    if (!(yield* compare(origins[at]!, at))) return undefined;
    row += fresh[at]!.rows;
    a++;
    b++;
  }
  return (yield* compare(old.length, fresh.length)) ? { splices, brought } : undefined;
}

/** The positions of the longest increasing run, gaps allowed, of the numbers that are not negative. */
function longestIncreasing(numbers: readonly number[]): number[] {
  const piles: number[] = [];
  const previous = new Int32Array(numbers.length);
  numbers.forEach((number, at) => {
    if (number < 0) return;
    let low = 0;
    let high = piles.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (numbers[piles[middle]!]! < number) low = middle + 1;
      else high = middle;
    }
    previous[at] = low > 0 ? piles[low - 1]! : -1;
    piles[low] = at;
  });
  const chain: number[] = [];
  for (let at = piles.at(-1) ?? -1; at >= 0; at = previous[at]!) chain.push(at);
  return chain.reverse();
}

/** Rows of some blocks, one after the other. */
type Rows = {
  readonly blocks: readonly Block[];
  readonly at: Int32Array;
  readonly start: Uint32Array;
  readonly end: Uint32Array;
};

function* comparedRows(
  old: readonly Block[],
  fresh: readonly Block[],
  layout: Layout,
  isAll: (brought: number) => boolean,
): Generator<void, Change | undefined> {
  const bytesOf = (blocks: readonly Block[]) => blocks.reduce((sum, { length }) => sum + length, 0);
  const deleted = rowsOfAll(old);
  const inserted = rowsOfAll(fresh);
  if (deleted === 0 || inserted === 0)
    return { splices: deleted + inserted === 0 ? [] : [{ start: 0, deleted, inserted }], brought: bytesOf(fresh) };
  if (bytesOf(old) + bytesOf(fresh) > MAX_COMPARED_BYTES) return undefined;
  // What was there can be no more of what is there now than it had.
  if (isAll(bytesOf(fresh) - bytesOf(old))) return undefined;
  const before = yield* rowsOf(old, layout);
  const after = yield* rowsOf(fresh, layout);
  const isSame = (a: number, b: number) =>
    isSameContent(
      before.blocks[before.at[a]!]!.bytes,
      before.start[a]!,
      before.end[a]!,
      after.blocks[after.at[b]!]!.bytes,
      after.start[b]!,
      after.end[b]!,
    );
  const splices = yield* diffHashes(yield* hashesOf(before), yield* hashesOf(after), isSame);
  let brought = 0;
  for (const { start, inserted } of splices)
    for (let r = start; r < start + inserted; r++) brought += after.end[r]! - after.start[r]! + 1;
  return { splices, brought };
}

const rowsOfAll = (blocks: readonly Block[]) => blocks.reduce((sum, { rows }) => sum + rows, 0);

function* rowsOf(blocks: readonly Block[], layout: Layout): Generator<void, Rows> {
  const count = rowsOfAll(blocks);
  const rows = { blocks, at: new Int32Array(count), start: new Uint32Array(count), end: new Uint32Array(count) };
  let row = 0;
  const add = (block: Block, at: number) => {
    const starts = startsOf(block, layout);
    for (let r = 0; r < block.rows; r++, row++) {
      const end = r + 1 < block.rows ? starts[r + 1]! : block.end;
      rows.at[row] = at;
      rows.start[row] = starts[r]!;
      rows.end[row] = contentEnd(block.bytes, starts[r]!, end, layout);
    }
  };
  for (const [at, block] of blocks.entries()) {
    add(block, at);
    yield;
  }
  return rows;
}

function* hashesOf({ blocks, at, start, end }: Rows): Generator<void, Float64Array> {
  const hashes = new Float64Array(at.length);
  yield* inStretches(0, at.length, STEP_ROWS, (from, to) => {
    for (let r = from; r < to; r++) hashes[r] = hashRow(blocks[at[r]!]!.bytes, start[r]!, end[r]!);
  });
  return hashes;
}
