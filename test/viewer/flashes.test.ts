// What has changed a moment ago: which rows, which cells, and for how long.
import { describe, expect, test } from "bun:test";
import type { Row, Splice } from "../../src/feed/protocol.ts";
import { rowsFrom } from "../../src/follow/table.ts";
import { FLASH_MS, openFlashes } from "../../src/viewer/flashes.ts";

const BEFORE: readonly Row[] = [
  ["a", "1", "x", "p"],
  ["b", "2", "y", "q"],
  ["c", "3", "z", "r"],
];

describe("a change is noted:", () => {
  const cases: { name: string; splices: Splice[]; expected: (readonly number[] | "all")[] }[] = [
    { name: "a cell of a row", splices: [[1, 1, [["b", "9", "y", "q"]]]], expected: [[1]] },
    { name: "several cells of a row", splices: [[1, 1, [["b", "9", "y", "!"]]]], expected: [[1, 3]] },
    { name: "a row that is another altogether", splices: [[1, 1, [["?", "9", "!", "?"]]]], expected: ["all"] },
    { name: "a row that is new", splices: [[3, 0, [["d", "4", "", ""]]]], expected: ["all"] },
    { name: "a row in between", splices: [[1, 0, [["b", "2", "y", "q"]]]], expected: ["all"] },
    {
      name: "rows that are edited, and one more",
      splices: [
        [
          0,
          2,
          [
            ["a", "7", "x", "p"],
            ["b", "8", "y", "q"],
            ["n", "", "", ""],
          ],
        ],
      ],
      expected: [[1], [1], "all"],
    },
    { name: "a row that is written anew as it was", splices: [[0, 1, [["a", "1", "x", "p"]]]], expected: [[]] },
    { name: "rows that go", splices: [[0, 3, []]], expected: [] },
    {
      name: "an edit behind rows that have come",
      splices: [
        [
          0,
          0,
          [
            ["n", "", "", ""],
            ["m", "", "", ""],
          ],
        ],
        [4, 1, [["c", "3", "z", "!"]]],
      ],
      expected: ["all", "all", [3]],
    },
    {
      name: "an edit behind rows that have gone",
      splices: [
        [0, 2, []],
        [0, 1, [["c", "!", "z", "r"]]],
      ],
      expected: [[1]],
    },
    {
      name: "something in front of all",
      splices: [
        [3, 0, [["d", "", "", ""]]],
        [0, 1, [["!", "1", "x", "p"]]],
      ],
      expected: ["all", "all"],
    },
  ];
  test.each(cases)("$name", ({ splices, expected }) => {
    const flashes = openFlashes();
    flashes.note(splices, rowsFrom(BEFORE), 0);
    const brought = splices.flatMap(([, , rows]) => rows);
    expect(brought.map((row) => flashes.of(row, 0)?.cells)).toEqual(expected);
  });

  test("the only cell of a row", () => {
    const flashes = openFlashes();
    const row = ["2"];
    flashes.note([[0, 1, [row]]], rowsFrom([["1"]]), 0);
    expect(flashes.of(row, 0)?.cells).toEqual([0]);
  });
});

test("a row that has stayed is no news", () => {
  const flashes = openFlashes();
  flashes.note([[0, 1, [["a", "9", "x", "p"]]]], rowsFrom(BEFORE), 0);
  expect(BEFORE.map((row) => flashes.of(row, 0))).toEqual([undefined, undefined, undefined]);
});

test("a flash is over after its time, whether others have come or not", () => {
  const flashes = openFlashes();
  const [first, second] = [["1"], ["2"]];
  flashes.note([[0, 0, [first]]], rowsFrom([]), 100);
  flashes.note([[0, 0, [second]]], rowsFrom([first]), 200);
  expect(flashes.of(first, 100 + FLASH_MS - 1)).toEqual({ at: 100, cells: "all" });
  expect([flashes.of(first, 100 + FLASH_MS), flashes.of(second, 100 + FLASH_MS)?.at]).toEqual([undefined, 200]);
  flashes.note([[0, 0, [["3"]]]], rowsFrom([second, first]), 10_000);
  expect([first, second].map((row) => flashes.of(row, 100))).toEqual([undefined, undefined]);
});

test("a row that changes again flashes again", () => {
  const flashes = openFlashes();
  const row = ["1"];
  flashes.note([[0, 0, [row]]], rowsFrom([]), 0);
  flashes.note([[0, 1, [row]]], rowsFrom([["0"]]), FLASH_MS - 1);
  expect(flashes.of(row, FLASH_MS + 1)).toEqual({ at: FLASH_MS - 1, cells: [0] });
});

test("so many rows that nobody could look at them are no news", () => {
  const flashes = openFlashes();
  const rows = Array.from({ length: 2_001 }, (_, i) => [String(i)]);
  flashes.note([[0, 0, rows]], rowsFrom([]), 0);
  expect(rows.some((row) => flashes.of(row, 0))).toBe(false);
  flashes.note([[0, 0, rows.slice(1)]], rowsFrom([]), 0);
  expect(rows.slice(1).every((row) => flashes.of(row, 0)?.cells === "all")).toBe(true);
});

test("another table has nothing of the one before", () => {
  const flashes = openFlashes();
  const row = ["1"];
  flashes.note([[0, 0, [row]]], rowsFrom([]), 0);
  flashes.clear();
  expect(flashes.of(row, 0)).toBeUndefined();
});
