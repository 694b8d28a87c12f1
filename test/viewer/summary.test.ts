// What is in a column and in what is selected; units and types that a person gives.
import { describe, expect, test } from "bun:test";
import { rowsFrom } from "../../src/follow/table.ts";
import { factorBetween } from "../../src/viewer/limits.ts";
import { overridden } from "../../src/viewer/overrides.ts";
import { type Figures, figuresText, figureText, openFigures, summaryOf } from "../../src/viewer/summary.ts";
import { kindOf } from "./kinds.ts";

function figuresOf(values: number[]): Figures {
  const { add, figures } = openFigures();
  for (const value of values) add(value);
  return figures();
}

describe("figures are", () => {
  const cases: { name: string; values: number[]; expected: string }[] = [
    { name: "nothing of nothing", values: [], expected: "" },
    { name: "nothing of what is no number", values: [NaN], expected: "" },
    { name: "those of one", values: [5], expected: "count 1 · sum 5 · mean 5 · min 5 · max 5" },
    {
      name: "of what is a number",
      values: [1, NaN, -3, 8],
      expected: "count 3 · sum 6 · mean 2 · min -3 · max 8",
    },
    {
      name: "without the noise of binary fractions",
      values: [0.1, 0.2],
      expected: "count 2 · sum 0.3 · mean 0.15 · min 0.1 · max 0.2",
    },
  ];
  test.each(cases)("$name", ({ values, expected }) => {
    expect(figuresText(figuresOf(values))).toBe(expected);
  });

  test("exact where adding one by one is not", () => {
    expect(figuresOf([1, 1e100, 1, -1e100]).sum).toBe(2);
    expect(figuresOf(Array(10).fill(0.1)).sum).toBe(1);
    expect(figuresOf([Infinity, 1]).sum).toBe(Infinity);
  });

  test("short where they are large or small", () => {
    expect([1e21, 1.5e-9, 123456789].map(figureText)).toEqual(["1e21", "1.5e-9", "123456789"]);
  });
});

describe("a column has", () => {
  const cells = ["5", "", "5", "NA", "7", "x"];
  const rows = rowsFrom(cells.map((cell) => [cell]));

  test("so many values, without a value, and the most frequent ones first", async () => {
    const summary = await summaryOf(rows, 0, kindOf(["5", "7"]), () => true);
    expect(summary).toEqual({
      rows: 6,
      blanks: 2,
      figures: { count: 3, sum: 17, least: 5, greatest: 7 },
      top: [
        ["5", 2],
        ["", 1],
        ["NA", 1],
        ["7", 1],
        ["x", 1],
      ],
      distinct: 5,
      isDistinctKnown: true,
    });
  });

  test("nothing, if that is not wanted any more", async () => {
    expect(await summaryOf(rows, 0, kindOf(["5"]), () => false)).toBeUndefined();
  });
});

test.each([
  ["GB", "MB", 1_000],
  ["MB", "GB", 1e-3],
  ["", "MB", 1],
  ["MB", "MB", 1],
  ["GiB", "MiB", 1_024],
  ["ms", "s", 1e-3],
  ["k", "", 1_000],
  ["mm", "m", 1e-3],
  ["kg", "m", NaN],
  ["apples", "MB", NaN],
])("of %j there are in %j: %d", (from, to, expected) => {
  expect(factorBetween(from, to)).toBe(expected);
});

describe("a column that is taken for", () => {
  test.each([
    { type: "text", cell: "5", expected: NaN },
    { type: "number", cell: "1.5", expected: 1.5 },
    { type: "comma", cell: "1,5", expected: 1.5 },
    { type: "comma", cell: "1.234,5", expected: 1234.5 },
    { type: "time", cell: "2026-01-01 00:00", expected: 1_767_225_600_000 },
    { type: "time", cell: "1767225600", expected: 1_767_225_600_000 },
    { type: "time", cell: "1767225600123", expected: 1_767_225_600_123 },
    { type: "time", cell: "soon", expected: NaN },
    { type: "time", cell: "12", expected: NaN },
    { type: "time", cell: "", expected: NaN },
  ] as const)("$type reads $cell as $expected", ({ type, cell, expected }) => {
    expect(overridden(type, kindOf(["abc"])).valueOf(cell)).toBe(expected);
  });
});
