// The rows of a table as a list of blocks that never change: a change makes new ones for those that it touches, and shares the others.
// A block is text until one of its rows is needed, or until all are.
import type { Row, Splice } from "../feed/protocol.ts";
import { ascending } from "../values/compose.ts";
import { cellsOf, cutRows, startsOf } from "./scan.ts";

export type BlockSettings = {
  /** About so many cells are a block. */
  readonly cells: number;
  /** Text stays text: rows are parsed each time that they are asked for, and let go again. */
  readonly keepsText: boolean;
  readonly parse: (json: string) => unknown;
};

/** Neither long to parse nor many to list: 30 to 60 kB of most tables, 2,000 blocks of a million rows. */
export const BLOCKS: BlockSettings = { cells: 4096, keepsText: false, parse: JSON.parse };

/** Either `rows` or `text` is there: rows of JSON, without the brackets around them. Which of them may change, what they say does not. */
export type Block = {
  readonly count: number;
  text: string | undefined;
  rows: readonly Row[] | undefined;
  /** Where each row begins in the text, once that was asked for. */
  starts?: Uint32Array;
};

/** Rows that never change. */
export type Rows = Iterable<Row> & {
  readonly length: number;
  readonly blocks: readonly Block[];
  row(index: number): Row | undefined;
  /** As of an array. */
  slice(from?: number, to?: number): Row[];
  /** All rows of a block, and the cells of some columns of it. */
  read(block: Block): readonly Row[];
  cells(block: Block, columns: readonly number[]): readonly (readonly string[])[];
  /** What becomes of them by these splices, which must fit. */
  spliced(splices: readonly Splice[]): Rows;
};

/** How many rows are a block, in a table of so many columns. */
export const blockSize = (columns: number, { cells }: BlockSettings) => Math.max(1, Math.floor(cells / columns));

export const textBlock = (text: string, count: number): Block => ({ count, text, rows: undefined });
const rowBlock = (rows: readonly Row[]): Block => ({ count: rows.length, text: undefined, rows });

/** Blocks of rows that are there already. */
export function blocksOf(rows: readonly Row[], size: number): Block[] {
  const blocks: Block[] = [];
  const each = Math.ceil(rows.length / Math.ceil(rows.length / size)); // rather two halves than a whole and a rest
  for (let at = 0; at < rows.length; at += each) blocks.push(rowBlock(rows.slice(at, at + each)));
  return blocks;
}

/** `size`: so many rows are a block. */
export function openRows(blocks: readonly Block[], size: number, settings: BlockSettings): Rows {
  const ends = new Float64Array(blocks.length);
  let length = 0;
  for (let i = 0; i < blocks.length; i++) ends[i] = length += blocks[i]!.count;

  function row(index: number): Row | undefined {
    if (!(index >= 0 && index < length)) return undefined;
    const i = blockAt(ends, index);
    const block = blocks[i]!;
    return rowOf(block, index - (ends[i]! - block.count), settings);
  }

  function slice(from = 0, to = length): Row[] {
    const [first, last] = [bound(from, length), bound(to, length)];
    const rows: Row[] = [];
    for (let i = blockAt(ends, first), at = first; at < last; i++) {
      const block = blocks[i]!;
      const begin = ends[i]! - block.count;
      const read = readBlock(block, settings);
      const end = Math.min(block.count, last - begin);
      for (let k = at - begin; k < end; k++) rows.push(read[k]!);
      at = begin + end;
    }
    return rows;
  }

  return {
    length,
    blocks,
    row,
    slice,
    read: (block) => readBlock(block, settings),
    cells: cellsIn,
    spliced(splices) {
      return openRows(splicedBlocks(blocks, ascending(splices), size, settings), size, settings);
    },
    *[Symbol.iterator]() {
      for (const block of blocks) yield* readBlock(block, settings);
    },
  };
}

/** As `slice` reads its arguments. */
function bound(index: number, length: number): number {
  const whole = Math.trunc(index) || 0;
  return whole < 0 ? Math.max(0, length + whole) : Math.min(whole, length);
}

/** The block that a row is in. */
function blockAt(ends: Float64Array, row: number): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle]! <= row) low = middle + 1;
    else high = middle;
  }
  return low;
}

function readBlock(block: Block, { keepsText, parse }: BlockSettings): readonly Row[] {
  if (block.rows) return block.rows;
  const rows = parse(`[${block.text}]`) as readonly Row[];
  if (keepsText) return rows;
  block.rows = rows;
  block.text = undefined;
  return rows;
}

function rowOf(block: Block, index: number, settings: BlockSettings): Row {
  const { text } = block;
  if (text === undefined || !settings.keepsText) return readBlock(block, settings)[index]!;
  const starts = (block.starts ??= startsOf(text, block.count));
  return settings.parse(text.slice(starts[index], starts[index + 1]! - 1)) as Row;
}

function cellsIn({ rows, text, count }: Block, columns: readonly number[]): readonly (readonly string[])[] {
  return rows ? columns.map((column) => rows.map((row) => row[column] ?? "")) : cellsOf(text ?? "", count, columns);
}

/** One pass over the list of blocks, and over the rows of those that are touched. The splices are ascending. */
function splicedBlocks(
  blocks: readonly Block[],
  splices: readonly Splice[],
  size: number,
  settings: BlockSettings,
): Block[] {
  const list = openList(size, settings);
  let index = 0; // of the block that is next
  let taken = 0; // rows of it that are
  let at = 0; // rows of the old ones that are behind us
  let shift = 0;
  let read: { readonly block: Block; readonly rows: readonly Row[] } | undefined;

  function rowsIn(block: Block): readonly Row[] {
    if (read?.block !== block) read = { block, rows: readBlock(block, settings) };
    return read.rows;
  }

  /** Takes, or leaves out, the rows in front of `to`. */
  function goTo(to: number, isTaken: boolean): void {
    while (at < to) {
      const block = blocks[index]!;
      const some = Math.min(to - at, block.count - taken);
      if (isTaken && some === block.count) list.addBlock(block);
      else if (isTaken) list.addRows(rowsIn(block).slice(taken, taken + some));
      at += some;
      taken += some;
      if (taken < block.count) continue;
      index++;
      taken = 0;
    }
  }

  for (const [start, deleted, inserted] of splices) {
    goTo(start - shift, true);
    list.addRows(inserted);
    goTo(at + deleted, false);
    shift += inserted.length - deleted;
  }
  if (taken > 0) goTo(at + blocks[index]!.count - taken, true);
  list.addBlocks(blocks, index);
  return list.end();
}

/** Of a change of more blocks than this none is news of a row, and they are better kept as text. */
const FEW_BLOCKS = 16;

/** Makes a list of blocks out of blocks and rows; few rows go together with a block beside them, as long as it has room for them. */
function openList(size: number, settings: BlockSettings) {
  const list: Block[] = [];
  let loose: Row[] = [];
  let made = 0;

  const hasRoom = (block: Block | undefined) => block !== undefined && block.count + loose.length <= size;

  function add(rows: readonly Row[]): void {
    for (const row of rows) loose.push(row);
  }

  function flush(): void {
    const last = list.at(-1);
    if (loose.length > 0 && hasRoom(last)) {
      const rows = loose;
      loose = [];
      list.pop();
      add(readBlock(last!, settings));
      add(rows);
    }
    for (const block of blocksOf(loose, size)) {
      if (settings.keepsText && ++made > FEW_BLOCKS) becomeText(block);
      list.push(block);
    }
    loose = [];
  }

  function addBlock(block: Block): void {
    if (loose.length > 0 && hasRoom(block)) return add(readBlock(block, settings));
    if (loose.length > 0) flush();
    list.push(block);
  }

  return {
    addBlock,
    addRows(rows: readonly Row[]): void {
      add(rows);
      if (loose.length >= FEW_BLOCKS * size) flush();
    },
    addBlocks(blocks: readonly Block[], from: number): void {
      for (let i = from; i < blocks.length; i++) {
        if (loose.length > 0) addBlock(blocks[i]!);
        else list.push(blocks[i]!);
      }
    },
    end(): Block[] {
      flush();
      return list;
    },
  };
}

/** The same block in less memory, if its rows are of the form that is read here. */
export function becomeText(block: Block): void {
  if (!block.rows) return;
  const json = JSON.stringify(block.rows);
  if (cutRows(json, 1, block.count)?.count !== block.count) return;
  block.text = json.slice(1, -1);
  block.rows = undefined;
}

/** Adds blocks of text to a list that grows; small ones become one. */
export function appendBlocks(list: Block[], blocks: readonly Block[], size: number): void {
  for (const block of blocks) {
    const last = list.at(-1);
    const isSmall = last?.text !== undefined && block.text !== undefined && last.count + block.count <= size;
    if (isSmall) list[list.length - 1] = textBlock(`${last.text},${block.text}`, last.count + block.count);
    else list.push(block);
  }
}

/** How many rows both begin and end with, as far as whole blocks show it without being parsed. */
export function sameEnds(before: Rows, after: Rows): { readonly head: number; readonly tail: number } {
  const [a, b] = [before.blocks, after.blocks];
  const shorter = Math.min(a.length, b.length);
  let heads = 0;
  let head = 0;
  while (heads < shorter && isSame(a[heads]!, b[heads]!)) head += a[heads++]!.count;
  let tails = 0;
  let tail = 0;
  while (tails < shorter - heads && isSame(a.at(-1 - tails)!, b.at(-1 - tails)!)) tail += a.at(-1 - tails++)!.count;
  return { head, tail };
}

const isSame = (a: Block, b: Block) => a === b || (a.count === b.count && a.text !== undefined && a.text === b.text);
