// A text of records as a list of immutable blocks. Where one ends is told by its own rows alone, so that a row that comes or goes leaves
// the blocks behind it as they are, and two versions of a table share them.
import type { Dialect } from "./dialect.ts";
import { SPARE_BYTES } from "./encoding.ts";
import { type Layout, walkRecords } from "./records.ts";
import { scan } from "./simd.ts";
import type { Tally } from "./tally.ts";

/** Whole records, up to the last block of a table, whose last one may not have its record end yet, or be inside an open quote. */
export type Block = {
  /** `length` bytes of text count; SPARE_BYTES and more lie behind them. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly length: number;
  /** Where the rows end: `length`, or the start of a record whose quote is never closed. */
  readonly end: number;
  readonly rows: number;
  /** Bytes of its longest row. */
  readonly longest: number;
  /** Its offsets count from the block's beginning. */
  readonly tally: Tally;
  /** Where rows begin: `rows` of them count. Known of the block that grows. */
  readonly starts: Uint32Array<ArrayBuffer> | undefined;
};

/** The rows of a table as they are for good. */
export type Blocks = {
  readonly layout: Layout;
  readonly columns: readonly string[];
  readonly blocks: readonly Block[];
  /** For each block how many rows are before it. */
  readonly rowsBefore: readonly number[];
};

/** A block ends behind a row that says so, once it has MIN bytes, and has no more than MAX unless a row is longer. */
export type BlockSize = { readonly min: number; readonly max: number };

export const BLOCK_SIZE: BlockSize = { min: 32 << 10, max: 128 << 10 };

const SAMPLES = 16;

/** Whether a block ends behind the row in `bytes[start, end)`: one in `min` bytes does. Looks at some of its bytes, spread over it. */
export function isBorder(bytes: Uint8Array, start: number, end: number, min: number): boolean {
  const length = end - start;
  const step = Math.max(1, length / SAMPLES);
  let hash = length;
  for (let at = 0; at < length; at += step)
    hash = Math.imul(hash ^ bytes[start + Math.floor(at)]!, 0x5bd1e995) ^ (hash >>> 15);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) * min < length * 2 ** 32;
}

/** The blocks whose starts were asked for last, and the starts. */
const known = new Map<Block, Uint32Array<ArrayBuffer>>();
const KNOWN_BLOCKS = 16;

/** Where the rows of a block begin: the first `block.rows` count. */
export function startsOf(block: Block, layout: Layout): Uint32Array<ArrayBuffer> {
  const starts = block.starts ?? known.get(block) ?? foundStarts(block, layout);
  if (block.starts) return starts;
  known.delete(block); // to be the newest
  known.set(block, starts);
  for (const oldest of known.keys()) {
    if (known.size <= KNOWN_BLOCKS) break;
    known.delete(oldest);
  }
  return starts;
}

/** After a record that takes judgement so many are left to the loop. */
const JUDGED_RECORDS = 16;
const NO_BORDER: BlockSize = { min: 2 ** 31 - 1, max: 2 ** 31 - 1 };

function foundStarts({ bytes, end, rows }: Block, layout: Layout): Uint32Array<ArrayBuffer> {
  const starts = new Uint32Array(rows);
  let row = 0;
  for (let at = 0; at < end;) {
    const found = scan(bytes, at, end, 0, { layout, columns: Infinity, breaks: true, size: NO_BORDER });
    starts.set(found?.starts ?? [], row);
    row += found?.rows ?? 0;
    at = found?.at ?? at;
    if (found?.isAll) continue;
    let judged = 0;
    const open = walkRecords(bytes, at, end, layout, Infinity, (start, behind) => {
      starts[row++] = start;
      at = behind;
      return ++judged === JUDGED_RECORDS;
    });
    if (open !== -1 || judged < JUDGED_RECORDS) break;
  }
  return starts;
}

export const rowsIn = ({ blocks, rowsBefore }: Pick<Blocks, "blocks" | "rowsBefore">): number =>
  blocks.length === 0 ? 0 : rowsBefore[blocks.length - 1]! + blocks[blocks.length - 1]!.rows;

/** The block that has a row, which is there. */
export function blockOfRow(rowsBefore: readonly number[], row: number): number {
  let low = 0;
  let high = rowsBefore.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rowsBefore[middle]! <= row) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Records of one block: a record end stands before `end`, and SPARE_BYTES lie behind it. */
export type Stretch = { readonly bytes: Uint8Array<ArrayBuffer>; readonly start: number; readonly end: number };

/** Rows `[from, to)`, block by block. */
export function* stretches(table: Blocks, from: number, to: number): Generator<Stretch> {
  const { blocks, rowsBefore, layout } = table;
  if (from >= to) return;
  for (let b = blockOfRow(rowsBefore, from); b < blocks.length && rowsBefore[b]! < to; b++) {
    const block = blocks[b]!;
    if (block.rows === 0) continue;
    const first = Math.max(0, from - rowsBefore[b]!);
    const last = to - rowsBefore[b]!;
    const start = first === 0 ? 0 : startsOf(block, layout)[first]!;
    const end = last >= block.rows ? block.end : startsOf(block, layout)[last]!;
    yield terminated(block.bytes, start, end, layout);
  }
}

/** With a record end behind it; where it has none yet, that takes a copy, as the block may grow in place. */
function terminated(bytes: Uint8Array<ArrayBuffer>, start: number, end: number, { recordEnd }: Layout): Stretch {
  if (bytes[end - 1] === recordEnd) return { bytes, start, end };
  const copy = new Uint8Array(end - start + 1 + SPARE_BYTES);
  copy.set(bytes.subarray(start, end));
  copy[end - start] = recordEnd;
  return { bytes: copy, start: 0, end: end - start + 1 };
}

/** What of a dialect a walk over records needs. */
export type Walked = Pick<Dialect, "layout" | "columns" | "quotes">;
