// Rows in blocks, compared with a plain array: what they are after any changes, what changes share, and what is parsed for what.
import { describe, expect, test } from "bun:test";
import type { Row, Splice } from "../../src/feed/protocol.ts";
import {
  appendBlocks,
  becomeText,
  type Block,
  BLOCKS,
  type BlockSettings,
  blocksOf,
  openRows,
  type Rows,
  sameEnds,
  textBlock,
} from "../../src/follow/blocks.ts";
import { forSeeds, type Random, shareOf } from "../fuzz/random.ts";
import { spliced } from "./splice.ts";

const SIZE = 4;
const rowsOf = (...names: readonly string[]): Row[] => names.map((name) => [name]);
const numbered = (count: number, from = 0): Row[] => Array.from({ length: count }, (_, i) => [String(from + i), "x"]);
const textOf = (rows: readonly Row[]) => textBlock(JSON.stringify(rows).slice(1, -1), rows.length);

/** Blocks of text, and how many pieces of it were parsed. */
function inText(rows: readonly Row[], over: Partial<BlockSettings> = {}, size = SIZE) {
  const parsed: string[] = [];
  const parse = (json: string): unknown => {
    parsed.push(json);
    return JSON.parse(json);
  };
  const blocks = blocksOf(rows, size).map(({ rows: some }) => textOf(some!));
  return { rows: openRows(blocks, size, { ...BLOCKS, parse, ...over }), parsed };
}

const sizes = ({ blocks }: Rows) => blocks.map(({ count }) => count);
const shared = (a: Rows, b: Rows) => b.blocks.filter((block) => a.blocks.includes(block)).length;

function expectRows(rows: Rows, expected: readonly Row[]): void {
  expect(rows.length).toBe(expected.length);
  expect([...rows]).toEqual([...expected]);
  expect(rows.slice()).toEqual([...expected]);
  expect(expected.map((_, i) => rows.row(i))).toEqual([...expected]);
  for (const column of [0, 1, 7])
    expect(rows.blocks.flatMap((block) => rows.cells(block, [column])[0]!)).toEqual(
      expected.map((row) => row[column] ?? ""),
    );
}

/** At the borders of blocks more often than anywhere else. */
function randomSplices(random: Random, rows: Rows): Splice[] {
  let { length } = rows;
  let from = 0;
  const ends = sizes(rows).map((count) => (from += count));
  let next = 0;
  return Array.from({ length: random.chance(0.1) ? 40 : random.below(6) }, (_, i): Splice => {
    const anywhere = random.chance(0.5) ? next + random.below(3) : random.below(length + 1);
    const border = random.chance(0.5) && ends.length > 0 ? random.pick(ends) + random.below(3) - 1 : anywhere;
    const start = Math.max(0, Math.min(border, length));
    const deleted = Math.min(random.chance(0.1) ? 30 : random.below(7), length - start);
    const inserted = Array.from({ length: random.chance(0.1) ? 50 : random.below(7) }, (_, k): Row => [
      `${i}.${k}`,
      "y",
    ]);
    length += inserted.length - deleted;
    next = start + inserted.length;
    return [start, deleted, inserted];
  });
}

describe("whatever changes come, the rows are those of an array", () => {
  test.each([true, false])("(kept as text: %p)", (keepsText) => {
    forSeeds(shareOf(400), (random) => {
      let expected: Row[] = numbered(random.below(60));
      const size = 1 + random.below(6);
      let { rows } = inText(expected, { keepsText }, size);
      const versions: { rows: Rows; expected: Row[] }[] = [];
      for (let round = random.below(10); round >= 0; round--) {
        versions.push({ rows, expected });
        const splices = randomSplices(random, rows);
        rows = rows.spliced(splices);
        expected = spliced(expected, splices);
        if (random.chance(0.3)) for (const block of rows.blocks) if (random.chance(0.5)) becomeText(block);
        expect(sizes(rows).every((count) => count > 0 && count <= size)).toBe(true);
        if (random.chance(0.5)) expectRows(rows, expected);
        const [from, to] = [random.below(80) - 20, random.below(80) - 20];
        expect(rows.slice(from, to)).toEqual(expected.slice(from, to));
      }
      versions.push({ rows, expected });
      for (const version of versions) expectRows(version.rows, version.expected);
    });
  });

  test("of many that each begin at the top again one pass over the blocks is made, and not one for each", () => {
    let asked = 0;
    const counted = (block: Block) =>
      Object.defineProperty({ ...block }, "count", { get: () => (asked++, block.count) });
    const rows = openRows(blocksOf(numbered(4_000), SIZE).map(counted), SIZE, BLOCKS);
    const catchUp = Array.from({ length: 500 }, (_, i): Splice => [3_992 - 8 * i, 1, rowsOf(`${i}`)]);
    const [, before] = [rows.spliced([catchUp[0]!]), asked];
    asked = 0;
    const after = rows.spliced(catchUp);
    expect(asked).toBeLessThan(10 * before);
    expect([...after]).toEqual(spliced(numbered(4_000), catchUp));
  });

  test("also many at once, and of more rows than a call may have arguments", () => {
    const { rows } = inText(numbered(4_000));
    const many = Array.from({ length: 2_000 }, (_, i): Splice => [i * 3, 1, rowsOf(`${i}a`, `${i}b`)]);
    const after = rows.spliced(many);
    expect(after.length).toBe(6_000);
    expect(after.slice(3, 6)).toEqual([["1a"], ["1b"], ["3", "x"]]);
    const large = numbered(300_000);
    for (const splice of [[1, 1, large] as const, [0, 0, large] as const, [4_000, 0, large] as const]) {
      const grown = rows.spliced([splice]);
      expect(grown.length).toBe(304_000 - splice[1]);
      expect(grown.row(splice[0])).toEqual(large[0]!);
      expect(grown.row(splice[0] + 299_999)).toEqual(large.at(-1)!);
    }
  });
});

describe("a change makes new blocks for those that it touches, and shares the others:", () => {
  const cases: { name: string; splices: Splice[]; isShared: number; parsed: number }[] = [
    { name: "a row that is appended", splices: [[40, 0, rowsOf("n")]], isShared: 10, parsed: 0 },
    { name: "a row at the top", splices: [[0, 0, rowsOf("n")]], isShared: 10, parsed: 0 },
    { name: "a row between two blocks", splices: [[8, 0, rowsOf("n")]], isShared: 10, parsed: 0 },
    { name: "a row in a block", splices: [[9, 0, rowsOf("n")]], isShared: 9, parsed: 1 },
    { name: "an edit", splices: [[9, 1, rowsOf("n")]], isShared: 9, parsed: 1 },
    { name: "whole blocks that go", splices: [[8, 8, []]], isShared: 8, parsed: 0 },
    {
      name: "the first row that goes, and one that comes",
      splices: [
        [0, 1, []],
        [39, 0, rowsOf("n")],
      ],
      isShared: 9,
      parsed: 1,
    },
    {
      name: "two edits of a block",
      splices: [
        [9, 1, rowsOf("n")],
        [11, 1, rowsOf("m")],
      ],
      isShared: 9,
      parsed: 1,
    },
    { name: "nothing", splices: [], isShared: 10, parsed: 0 },
  ];
  test.each(cases)("$name", ({ splices, isShared, parsed }) => {
    const before = inText(numbered(40), { keepsText: true });
    const after = before.rows.spliced(splices);
    expect([shared(before.rows, after), before.parsed.length]).toEqual([isShared, parsed]);
  });

  test("rows that are appended one by one fill a block, and no block is left small between others", () => {
    let { rows } = inText(numbered(8));
    for (let i = 8; i < 30; i++) rows = rows.spliced([[i, 0, [[String(i), "x"]]]]);
    expect(sizes(rows)).toEqual([4, 4, 4, 4, 4, 4, 4, 2]);
    for (let i = 0; i < 8; i++) rows = rows.spliced([[0, 0, rowsOf("top")]]);
    expect(sizes(rows).length).toBeLessThanOrEqual(12);
  });
});

describe("what is parsed is what is asked for:", () => {
  test("a row, and nothing else, where text is kept; the same again is parsed again", () => {
    const { rows, parsed } = inText(numbered(40), { keepsText: true });
    expect([rows.row(9), rows.row(9), rows.row(39), rows.row(40), rows.row(-1)]).toEqual([
      ["9", "x"],
      ["9", "x"],
      ["39", "x"],
      undefined,
      undefined,
    ]);
    expect(parsed).toEqual(['["9","x"]', '["9","x"]', '["39","x"]']);
  });

  test("a block, once, where it is not: a row stays the same array", () => {
    const { rows, parsed } = inText(numbered(40));
    expect(rows.row(9)).toBe(rows.row(9)!);
    expect(rows.slice(8, 12)[1]).toBe(rows.row(9)!);
    expect([...rows][9]).toBe(rows.row(9)!);
    expect(parsed).toHaveLength(10);
  });

  test("the blocks of a slice, and none for a column or for the number of rows", () => {
    const { rows, parsed } = inText(numbered(40), { keepsText: true });
    expect(rows.slice(7, 9)).toEqual(numbered(2, 7));
    expect(parsed).toHaveLength(2);
    expect([rows.length, rows.cells(rows.blocks[3]!, [0])[0]]).toEqual([40, ["12", "13", "14", "15"]]);
    expect(parsed).toHaveLength(2);
  });
});

describe("a block", () => {
  test("becomes text and says the same", () => {
    const rows = openRows(blocksOf(numbered(4), 4), 4, { ...BLOCKS, keepsText: true });
    becomeText(rows.blocks[0]!);
    expect([rows.blocks[0]!.rows, rows.row(2)]).toEqual([undefined, ["2", "x"]]);
  });

  test("of cells that are no strings, or of rows without any, stays as it is", () => {
    for (const odd of [[["a"], []], [[1 as unknown as string]]]) {
      const [block] = blocksOf(odd, 4) as [Block];
      becomeText(block);
      expect([block.rows, block.text]).toEqual([odd, undefined]);
    }
  });

  test("that is small and comes behind another is one with it", () => {
    const list: Block[] = [];
    for (const [from, count] of [
      [0, 1],
      [1, 2],
      [3, 4],
      [7, 1],
    ] as const)
      appendBlocks(list, [textOf(numbered(count, from))], 4);
    expect(list.map(({ count }) => count)).toEqual([3, 4, 1]);
    expect([...openRows(list, 4, BLOCKS)]).toEqual(numbered(8));
  });
});

test("of two tables the blocks at both ends that are the same are known without being parsed", () => {
  const before = inText(numbered(40));
  const other = inText([...numbered(22), ["other", "x"], ...numbered(17, 23)]);
  expect(sameEnds(before.rows, other.rows)).toEqual({ head: 20, tail: 16 });
  expect(sameEnds(before.rows, before.rows.spliced([[0, 0, rowsOf("n")]]))).toEqual({ head: 0, tail: 40 });
  expect(sameEnds(before.rows, before.rows)).toEqual({ head: 40, tail: 0 });
  expect([...before.parsed, ...other.parsed]).toEqual([]);
});
