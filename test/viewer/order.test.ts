// Which rows are shown in which order, and that following a change leads where building anew does.
import { describe, expect, test } from "bun:test";
import type { Row, Splice } from "../../src/feed/protocol.ts";
import { becomeText, BLOCKS, type Rows } from "../../src/follow/blocks.ts";
import { rowsFrom } from "../../src/follow/table.ts";
import { applySplices } from "../follow/splice.ts";
import { type Kind, TEXT } from "../../src/viewer/cells.ts";
import { kindOf, kindsOf } from "./kinds.ts";
import { readFilter } from "../../src/viewer/filter.ts";
import { buildOrder, fileOrder, movedRow, type Order, type OrderRules } from "../../src/viewer/order.ts";
import { type Random, randomFrom, seedOfRun } from "../fuzz/random.ts";

const goOn = () => true;
const NUMBER = kindOf(["1"]);
const NO_RULES: OrderRules = { sorting: undefined, filter: undefined };
const shown = (order: Order) => Array.from({ length: order.count() }, (_, position) => order.rowAt(position));
const rowsOf = (...cells: string[]): Row[] => cells.map((cell) => [cell]);
/** In blocks of a few rows, every second of them as text. */
function inBlocks(rows: readonly Row[]): Rows {
  const made = rowsFrom(rows, { ...BLOCKS, cells: 16, keepsText: true });
  for (const [i, block] of made.blocks.entries()) if (i % 2 === 0) becomeText(block);
  return made;
}

async function built(rows: readonly Row[], rules: OrderRules): Promise<Order> {
  const order = await buildOrder(inBlocks(rows), rules, goOn);
  if (!order) throw new Error("the order was given up");
  return order;
}

describe("an order is sorted", () => {
  const cases: { name: string; kind: Kind; descending?: boolean; input: string[]; expected: string[] }[] = [
    { name: "by numbers", kind: NUMBER, input: ["10", "9", "-1", "1e2"], expected: ["-1", "9", "10", "1e2"] },
    {
      name: "by numbers, the greatest first",
      kind: NUMBER,
      descending: true,
      input: ["10", "9", "11"],
      expected: ["11", "10", "9"],
    },
    { name: "with no numbers last", kind: NUMBER, input: ["", "2", "x", "1"], expected: ["1", "2", "", "x"] },
    {
      name: "with no numbers last either way",
      kind: NUMBER,
      descending: true,
      input: ["", "2", "x", "3"],
      expected: ["3", "2", "", "x"],
    },
    { name: "by text as people do", kind: TEXT, input: ["b", "B", "a", "Ä"], expected: ["a", "Ä", "b", "B"] },
    { name: "with nothing last", kind: TEXT, input: ["", "b", "", "a"], expected: ["a", "b", "", ""] },
    {
      name: "with nothing last either way",
      kind: TEXT,
      descending: true,
      input: ["", "b", "a"],
      expected: ["b", "a", ""],
    },
    {
      name: "by time",
      kind: kindOf(["1/2/2026"]),
      input: ["2/1/2026", "1/2/2026", "12/31/2025"],
      expected: ["12/31/2025", "1/2/2026", "2/1/2026"],
    },
  ];
  test.each(cases)("$name", async ({ kind, descending = false, input, expected }) => {
    const rows = rowsOf(...input);
    const order = await built(rows, { sorting: { column: 0, descending, kind }, filter: undefined });
    expect(shown(order).map((row) => rows[row]![0]!)).toEqual(expected);
  });

  test("stably, whichever way", async () => {
    const rows: Row[] = ["b1", "a1", "b2", "a2"].map((cell) => [cell[0]!, cell]);
    for (const [descending, expected] of [
      [false, [1, 3, 0, 2]],
      [true, [0, 2, 1, 3]],
    ] as const)
      expect(shown(await built(rows, { sorting: { column: 0, descending, kind: TEXT }, filter: undefined }))).toEqual([
        ...expected,
      ]);
  });

  test("by dates with the time of day that another column has, also as rows come", async () => {
    const rows: Row[] = ["12:01", "09:30", "", "12:00"].map((clock) => ["2026-01-31", clock, "x"]);
    const [kind] = kindsOf(["Date", "Time", "what"], rows);
    const order = await built(rows, { sorting: { column: 0, descending: false, kind: kind! }, filter: undefined });
    expect(shown(order)).toEqual([2, 1, 3, 0]);
    const more: Row[] = [["2026-01-31", "10:00", "x"]];
    order.follow([[4, 0, more]], inBlocks([...rows, ...more]));
    expect(shown(order)).toEqual([2, 1, 4, 3, 0]);
  });

  test("by a column that rows are too short for", async () => {
    const rows: Row[] = [["x"], ["x", "2"], ["x", "1"]];
    for (const kind of [TEXT, NUMBER])
      expect(shown(await built(rows, { sorting: { column: 1, descending: false, kind }, filter: undefined }))).toEqual([
        2, 1, 0,
      ]);
  });
});

describe("an order", () => {
  test("of no rules is that of the file, without a list", async () => {
    for (const order of [fileOrder({ length: 2 }), await built(rowsOf("a", "b"), NO_RULES)]) {
      expect([shown(order), order.positionOf(1)]).toEqual([[0, 1], 1]);
      expect(order.canFollow(Array.from({ length: 1000 }, (): Splice => [0, 0, []]))).toBe(true);
    }
  });

  test("of no rows is empty", async () => {
    const order = await built([], { sorting: { column: 0, descending: false, kind: TEXT }, filter: () => true });
    expect([order.count(), order.positionOf(0)]).toEqual([0, 0]);
    order.follow([[0, 0, rowsOf("b", "a")]], inBlocks(rowsOf("b", "a")));
    expect(shown(order)).toEqual([1, 0]);
  });

  test("says of a hidden row where it would be", async () => {
    const rows = rowsOf("1", "5", "3", "2");
    const filter = ([cell]: Row) => cell !== "3";
    expect((await built(rows, { sorting: { column: 0, descending: false, kind: NUMBER }, filter })).positionOf(2)).toBe(
      2,
    );
    expect((await built(rows, { sorting: undefined, filter })).positionOf(2)).toBe(2);
  });

  const costs: { name: string; input: Splice[]; expected: boolean }[] = [
    { name: "a few rows", input: [[0, 1, rowsOf("x")]], expected: true },
    { name: "rows that go, however many", input: [[0, 1e6, []]], expected: true },
    { name: "very many rows", input: [[0, 0, Array.from({ length: 2_001 }, () => ["x"])]], expected: false },
    { name: "many changes", input: Array.from({ length: 9 }, (): Splice => [0, 1, []]), expected: false },
  ];
  test.each(costs)("that has a list follows $name: $expected", async ({ input, expected }) => {
    const order = await built(rowsOf("x"), {
      sorting: { column: 0, descending: false, kind: TEXT },
      filter: undefined,
    });
    expect(order.canFollow(input)).toBe(expected);
  });

  test.each([1, 2, 3, 5, 8])("that is not wanted any more is given up, at breath %d", async (last) => {
    const rows = Array.from({ length: 20_000 }, (_, i): Row => [String((i * 7919) % 20_011)]);
    let breaths = 0;
    const rules = { sorting: { column: 0, descending: false, kind: NUMBER }, filter: () => true };
    expect(await buildOrder(inBlocks(rows), rules, () => ++breaths < last)).toBeUndefined();
    expect(breaths).toBe(last);
  });
});

const COLUMNS = ["n", "word", "when"];
const CELLS: readonly (readonly string[])[] = [
  ["1", "2", "2.0", "10", "-3", "1e1", "", "x", "-0", "0", "NaN"],
  ["a", "A", "b", "ä", "", "zz", "a b", "10"],
  ["2026-01-01", "2026-02-01", "02:30", "", "2026-01-01T01:00+01:00"],
];
const KINDS = [NUMBER, TEXT, kindOf(["2026-01-01"])];
const FILTERS = ["", "", "a", "!a", "n>1", "n>=0 word:a", "when<2026-01-15", 'word=""', "nothing-has-this", "!nothing"];

const randomRow = (random: Random): Row => CELLS.map((cells) => random.pick(cells));
const randomRows = (random: Random, most: number) =>
  Array.from({ length: random.below(most + 1) }, () => randomRow(random));

function randomRules(random: Random): OrderRules {
  const column = random.below(COLUMNS.length);
  const isSorted = random.chance(0.75);
  return {
    sorting: isSorted ? { column, descending: random.chance(0.5), kind: KINDS[column]! } : undefined,
    filter: readFilter(random.pick(FILTERS), { columns: COLUMNS, kinds: KINDS }).filter,
  };
}

/** Splices that fit a table of so many rows: appended, replaced, deleted, inserted, over what the ones before have brought too. */
function randomSplices(random: Random, length: number): Splice[] {
  return Array.from({ length: random.below(6) }, (): Splice => {
    const start = random.chance(0.3) ? length : random.below(length + 1);
    const deleted = Math.min(length - start, random.chance(0.5) ? 0 : random.below(5));
    const rows = random.chance(0.4) ? Array.from({ length: deleted }, () => randomRow(random)) : randomRows(random, 4);
    length += rows.length - deleted;
    return [start, deleted, rows];
  });
}

async function forRuns(runs: number, check: (random: Random) => Promise<void>): Promise<void> {
  const first = seedOfRun();
  for (let seed = first; seed < first + runs; seed++)
    await check(randomFrom(seed)).catch((error: unknown) => {
      throw new Error(`failed with CSVCAST_SEED=${seed}: ${error}`, { cause: error });
    });
}

test("an order that follows any changes is the one that is built anew, and knows where its rows are", async () => {
  await forRuns(400, async (random) => {
    const rows = randomRows(random, 60);
    const rules = randomRules(random);
    const order = await built(rows, rules);
    for (let round = random.below(8); round >= 0; round--) {
      const splices = randomSplices(random, rows.length);
      applySplices(rows, splices);
      order.follow(splices, inBlocks(rows));
      expect(shown(order)).toEqual(shown(await built(rows, rules)));
      expect(shown(order).map((row) => order.positionOf(row))).toEqual(shown(order).map((_, position) => position));
    }
  });
});

test("a hidden row would be where it is as soon as nothing hides it", async () => {
  await forRuns(100, async (random) => {
    const rows = randomRows(random, 30);
    const { sorting, filter = () => true } = randomRules(random);
    const order = await built(rows, { sorting, filter });
    for (const hidden of rows.keys()) {
      const isShown = (row: Row) => row === rows[hidden] || filter(row);
      expect((await built(rows, { sorting, filter: isShown })).positionOf(hidden)).toBe(order.positionOf(hidden));
    }
  });
});

test("a filter of columns reads those columns, and parses no row", async () => {
  const rows = Array.from({ length: 40 }, (_, i): Row => [String(i), i % 2 ? "odd" : "even", "2026-01-01"]);
  const parsed: string[] = [];
  const parse = (json: string): unknown => (parsed.push(json), JSON.parse(json));
  const held = rowsFrom(rows, { cells: 16, keepsText: true, parse });
  for (const block of held.blocks) becomeText(block);
  const sorting = { column: 0, descending: true, kind: NUMBER };
  const of = (filter: string) =>
    buildOrder(held, { sorting, filter: readFilter(filter, { columns: COLUMNS, kinds: KINDS }).filter }, goOn).then(
      (order) => shown(order!),
    );
  expect(await of("n>35 !word=odd")).toEqual([38, 36]);
  expect(await of("word:odd n>=36 !when>2026-01-02")).toEqual([39, 37]);
  expect(parsed).toEqual([]);
  expect(await of("odd n>36")).toEqual([39, 37]);
  expect(parsed).toHaveLength(held.blocks.length);
});

describe("a row is found again after a change", () => {
  const cases: { name: string; row: number; splices: Splice[]; expected: number }[] = [
    { name: "that came in front of it", row: 5, splices: [[2, 0, rowsOf("x", "y")]], expected: 7 },
    { name: "that came right in front of it", row: 5, splices: [[5, 0, rowsOf("x")]], expected: 6 },
    { name: "that came behind it", row: 5, splices: [[6, 2, rowsOf("x")]], expected: 5 },
    { name: "that took rows in front of it", row: 5, splices: [[0, 3, []]], expected: 2 },
    { name: "of itself", row: 5, splices: [[5, 1, rowsOf("x")]], expected: 5 },
    { name: "of all rows around it", row: 5, splices: [[3, 4, rowsOf("a", "b", "c", "d")]], expected: 5 },
    { name: "that put fewer rows in its place", row: 5, splices: [[3, 4, rowsOf("a")]], expected: 3 },
    { name: "that deleted it", row: 5, splices: [[5, 1, []]], expected: 5 },
    { name: "that deleted it and more", row: 5, splices: [[3, 9, []]], expected: 3 },
    {
      name: "and another",
      row: 5,
      splices: [
        [0, 1, []],
        [0, 0, rowsOf("x", "y")],
        [9, 1, []],
      ],
      expected: 6,
    },
  ];
  test.each(cases)("$name", ({ row, splices, expected }) => {
    expect(movedRow(row, splices)).toBe(expected);
  });

  test("whatever it is, if it is still there", async () => {
    await forRuns(200, async (random) => {
      const rows = randomRows(random, 40);
      const before = [...rows];
      const splices = randomSplices(random, rows.length);
      applySplices(rows, splices);
      for (const [row, cells] of before.entries())
        if (rows.includes(cells)) expect(rows[movedRow(row, splices)]).toBe(cells);
    });
  });
});
