// The small texts around the table.
import { describe, expect, test } from "bun:test";
import { emptyText, hiddenText, many, number, selectedText, shapeText } from "../../src/viewer/captions.ts";
import { openLayout } from "../../src/viewer/layout.ts";
import type { Facts } from "../../src/viewer/messages.ts";
import { HEADER, openSelection, type Spot } from "../../src/viewer/selection.ts";
import type { Situation } from "../../src/viewer/verdict.ts";

const FACTS: Facts = {
  generation: 1,
  rows: 5_000,
  shown: 5_000,
  isBehind: false,
  isBuilding: false,
  changedMs: undefined,
  heardMs: undefined,
  hasTable: true,
  isLog: false,
  loaded: undefined,
  total: undefined,
};

test("numbers have commas, and nouns an s", () => {
  expect([0, 1, 999, 1000, 12_345, 1_234_567].map(number)).toEqual(["0", "1", "999", "1,000", "12,345", "1,234,567"]);
  expect([0, 1, 2].map((count) => many(count, "row"))).toEqual(["0 rows", "1 row", "2 rows"]);
});

test("the shape of a table is told as soon as there is one", () => {
  expect(shapeText(FACTS, 7)).toBe("5,000 rows × 7 columns");
  expect(shapeText({ ...FACTS, rows: 1 }, 1)).toBe("1 row × 1 column");
  expect(shapeText({ ...FACTS, total: 1_000_000 }, 7)).toBe("5,000 of 1,000,000 rows × 7 columns");
  expect(shapeText({ ...FACTS, hasTable: false, rows: 0 }, 0)).toBe("");
});

describe("it is told that", () => {
  const cases: {
    name: string;
    input: [facts: Partial<Facts>, isFiltered: boolean, hidden: number];
    expected: string;
  }[] = [
    { name: "nothing is hidden", input: [{}, false, 0], expected: "" },
    { name: "rows are", input: [{ shown: 12 }, true, 0], expected: "12 of 5,000 rows" },
    { name: "no row is, though there is a filter", input: [{}, true, 0], expected: "5,000 of 5,000 rows" },
    { name: "one of one is", input: [{ rows: 1, shown: 0 }, true, 0], expected: "0 of 1 row" },
    { name: "a column is", input: [{}, false, 1], expected: "1 column hidden" },
    { name: "both are", input: [{ shown: 12 }, true, 2], expected: "12 of 5,000 rows · 2 columns hidden" },
    { name: "it is being sorted", input: [{ isBuilding: true }, false, 0], expected: "sorting…" },
    {
      name: "it will be, when all is there",
      input: [{ total: 9_000, isBuilding: true }, true, 0],
      expected: "sorting…",
    },
    { name: "nothing is filtered without a table", input: [{ hasTable: false }, true, 0], expected: "" },
  ];
  test.each(cases)("$name", ({ input: [facts, isFiltered, hidden], expected }) => {
    expect(hiddenText({ ...FACTS, ...facts }, isFiltered, hidden)).toBe(expected);
  });
});

describe("in the place of rows it says", () => {
  const none = { hasTable: false, rows: 0, shown: 0 };
  const cases: { name: string; situation: Partial<Situation>; facts: Partial<Facts> | undefined; expected: string }[] =
    [
      { name: "nothing where there are rows", situation: {}, facts: {}, expected: "" },
      {
        name: "that there are none yet",
        situation: {},
        facts: { rows: 0, shown: 0 },
        expected: "The table has no rows yet.",
      },
      { name: "that none passes", situation: {}, facts: { shown: 0 }, expected: "No row passes the filter." },
      { name: "nothing while that is not known", situation: {}, facts: { shown: 0, isBuilding: true }, expected: "" },
      { name: "that it connects", situation: { connection: "connecting" }, facts: undefined, expected: "Connecting…" },
      {
        name: "that it connects again",
        situation: { connection: "reconnecting" },
        facts: none,
        expected: "Connecting…",
      },
      {
        name: "that it is over",
        situation: { connection: "ended" },
        facts: none,
        expected: "There is nothing to show.",
      },
      { name: "how much is there", situation: {}, facts: { ...none, loaded: 0.999 }, expected: "Loading… 99 %" },
      { name: "that nothing is there yet", situation: {}, facts: { ...none, loaded: 0 }, expected: "Loading… 0 %" },
      {
        name: "that there is no file",
        situation: { status: { state: "waiting", message: "" } },
        facts: none,
        expected: "No table is published yet. It will appear here.",
      },
      {
        name: "what is waited for",
        situation: { status: { state: "waiting", message: "f.csv: no such file yet" } },
        facts: none,
        expected: "f.csv: no such file yet. The table will appear here.",
      },
      {
        name: "that it loads",
        situation: { status: { state: "live", message: "" } },
        facts: none,
        expected: "Loading…",
      },
      {
        name: "that it loads, before anything is known",
        situation: { connection: "open" },
        facts: undefined,
        expected: "Loading…",
      },
      {
        name: "nothing of the connection where there are rows",
        situation: { connection: "ended" },
        facts: {},
        expected: "",
      },
    ];
  test.each(cases)("$name", ({ situation, facts, expected }) => {
    const all = { connection: "current", status: undefined, ...situation } as const;
    expect(emptyText(all, facts && { ...FACTS, ...facts })).toBe(expected);
  });
});

describe("of a selection is told", () => {
  const layout = openLayout(() => 50);
  layout.take(["city", "pri\u202ece"].map((name) => ({ name, type: "text", longest: "" })));
  const told = (textAt: (spot: Spot) => string, ...spots: [position: number, place: number][]) => {
    const selection = openSelection(() => undefined, layout);
    spots.forEach(([position, place], i) => selection.put({ position, place }, i > 0));
    return selectedText(selection, layout.shown(), textAt);
  };

  const cases: { name: string; spots: [number, number][]; expected: string }[] = [
    { name: "nothing, if there is none", spots: [], expected: "" },
    { name: "the cell", spots: [[3, 0]], expected: "city: Rome" },
    { name: "the cell, under a name that can do no harm", spots: [[3, 1]], expected: "pri‹202E›ce: Rome" },
    {
      name: "how large it is",
      spots: [
        [0, 0],
        [1_999, 1],
      ],
      expected: "2,000 × 2 cells selected · Ctrl+C copies",
    },
    { name: "what can be done in the header", spots: [[HEADER, 0]], expected: "city: Enter sorts, ↓ goes to the rows" },
  ];
  test.each(cases)("$name", ({ spots, expected }) => {
    expect(told(() => "Rome", ...spots)).toBe(expected);
  });

  test("no more than there is room for, and no half a letter", () => {
    expect(told(() => "x".repeat(999), [0, 0]).length).toBeLessThan(320);
    expect(told(() => `${"x".repeat(299)}😀`, [0, 0]).isWellFormed()).toBe(true);
  });
});
