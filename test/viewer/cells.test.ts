// What the cells of a column are read as, and what of a cell may be shown.
import { describe, expect, test } from "bun:test";
import { epochScale, kindOf, SHOWN_CHARACTERS, shownText, TEXT, wholeText } from "../../src/viewer/cells.ts";

describe("a sample tells the kind of its column:", () => {
  const times = (count: number, ...others: string[]) => [
    ...Array.from({ length: count }, (_, i) => `${i}.5`),
    ...others,
  ];
  const cases: { name: string; input: string[]; expected: string }[] = [
    { name: "whole numbers", input: ["1", "-2", "+3"], expected: "number" },
    { name: "decimals and exponents", input: ["1.5", ".5", "5.", "1e-3", "-2E+10"], expected: "number" },
    { name: "numbers with spaces around them", input: [" 1 ", "2 "], expected: "number" },
    { name: "thousands", input: ["1,234", "1,234,567.89"], expected: "number" },
    { name: "money and shares", input: ["$5", "€ 1.50", "12 %", "3€"], expected: "number" },
    { name: "decimal commas", input: ["1,5", "-2,25"], expected: "number" },
    { name: "decimal commas with thousands", input: ["1.234,50", "1 234,5 €", "1\u202f234,5"], expected: "number" },
    { name: "dates", input: ["2026-01-31", "2026-02-01"], expected: "time" },
    { name: "times of day", input: ["12:30", "9:05"], expected: "time" },
    { name: "words", input: ["Berlin", "Rome"], expected: "text" },
    { name: "addresses of machines", input: ["10.0.0.1", "192.168.1.17"], expected: "text" },
    { name: "hashes that are digits now and then", input: ["1e5", "12af", "c0ffee"], expected: "text" },
    { name: "dates that there are not", input: ["2026-02-30", "2026-13-01"], expected: "text" },
    { name: "years", input: ["1999", "2026"], expected: "number" },
    { name: "nothing", input: [], expected: "text" },
    {
      name: "nothing but missing cells",
      input: ["", " ", "-", ".", "NA", "n/a", "NaN", "null", "None"],
      expected: "text",
    },
    { name: "numbers among missing cells", input: ["", "NA", "1", "null", "#N/A", "nil"], expected: "number" },
    { name: "nine numbers in ten", input: times(9, "oops"), expected: "number" },
    { name: "eight numbers in nine", input: times(8, "oops"), expected: "text" },
    { name: "as many numbers as times", input: ["1", "2", "12:30", "12:31"], expected: "text" },
  ];
  test.each(cases)("$name", ({ input, expected }) => {
    expect(kindOf(input).type).toBe(expected as "number");
  });
});

test("text has no value", () => {
  expect([TEXT.valueOf("1"), kindOf(["a"]).valueOf("1")]).toEqual([Number.NaN, Number.NaN]);
});

describe("a long cell costs no more than its length, so that nobody can stop a page with one:", () => {
  // Patterns that go back over it would take seconds.
  const cases: { name: string; input: string }[] = [
    { name: "blanks", input: `${" ".repeat(25_000)}x` },
    { name: "digits", input: `${"1".repeat(15_000)}x` },
    { name: "thousands", input: `1${",000".repeat(5_000)}x` },
    { name: "thousands by blanks", input: `1${" 000".repeat(5_000)}x` },
    { name: "percent signs", input: `${"%".repeat(15_000)}x` },
    { name: "points", input: `1${".1".repeat(7_500)}x` },
    { name: "letters", input: "a".repeat(15_000) },
  ];
  test.each(cases)(
    "$name",
    ({ input }) => {
      expect(kindOf([input])).toBe(TEXT);
      expect(Number.isNaN(kindOf(["1.5"]).valueOf(input))).toBe(true);
    },
    150,
  );
});

describe("a cell of numbers", () => {
  const point = kindOf(["1.5"]);
  const comma = kindOf(["1,5", "2,5"]);
  const cases: { name: string; kind?: typeof point; input: string; expected: number }[] = [
    { name: "plain", input: "-12.5", expected: -12.5 },
    { name: "zero", input: "0", expected: 0 },
    { name: "an exponent", input: "1e3", expected: 1000 },
    { name: "thousands", input: "1,234,567.5", expected: 1_234_567.5 },
    { name: "thousands below zero", input: "-1,234", expected: -1234 },
    { name: "a comma in the wrong place", input: "12,34", expected: Number.NaN },
    { name: "money in front", input: "$1,234.50", expected: 1234.5 },
    { name: "money behind", input: "5 €", expected: 5 },
    { name: "a share", input: "12.5 %", expected: 12.5 },
    { name: "nothing", input: "", expected: Number.NaN },
    { name: "blanks", input: "  ", expected: Number.NaN },
    { name: "a sign alone", input: "-", expected: Number.NaN },
    { name: "two numbers", input: "1 2", expected: Number.NaN },
    { name: "a unit", input: "12 kg", expected: Number.NaN },
    { name: "a comma for the point", kind: comma, input: "-1,5", expected: -1.5 },
    { name: "a point for thousands", kind: comma, input: "1.234,50", expected: 1234.5 },
    { name: "a space for thousands", kind: comma, input: "1 234 567,5 €", expected: 1_234_567.5 },
    { name: "no comma at all", kind: comma, input: "12", expected: 12 },
    { name: "a point that is none", kind: comma, input: "1.5", expected: Number.NaN },
  ];
  test.each(cases)("$name: $input", ({ kind = point, input, expected }) => {
    expect(kind.valueOf(input)).toBe(expected);
  });
});

describe("a cell of times", () => {
  const { valueOf } = kindOf(["2026-01-31"]);
  const at = (text: string) => Date.parse(text);
  const cases: { input: string; expected: number }[] = [
    { input: "2026-01-31", expected: at("2026-01-31T00:00:00Z") },
    { input: "2026/1/5", expected: at("2026-01-05T00:00:00Z") },
    { input: "2026.01.31 09:05", expected: at("2026-01-31T09:05:00Z") },
    { input: "2026-01-31T12:30:15Z", expected: at("2026-01-31T12:30:15Z") },
    { input: "2026-01-31t12:30z", expected: at("2026-01-31T12:30:00Z") },
    { input: "2026-01-31 12:30:15.250", expected: at("2026-01-31T12:30:15.250Z") },
    { input: "2026-01-31 12:30:15,5", expected: at("2026-01-31T12:30:15.500Z") },
    { input: "2026-01-31T12:30:15+02:00", expected: at("2026-01-31T10:30:15Z") },
    { input: "2026-01-31T12:30:15-0530", expected: at("2026-01-31T18:00:15Z") },
    { input: "2026-01-31 12:30:15 UTC", expected: at("2026-01-31T12:30:15Z") },
    { input: "2026-01-31 12:30:15 GMT", expected: at("2026-01-31T12:30:15Z") },
    // ISO 8601 allows ±hh, and PostgreSQL writes it
    { input: "2026-01-31 12:30:15.5+02", expected: at("2026-01-31T10:30:15.500Z") },
    { input: "2026-01-31 12:30:15-05", expected: at("2026-01-31T17:30:15Z") },
    { input: "2026-01-31, 1:05 PM", expected: at("2026-01-31T13:05:00Z") },
    { input: "2026-01-31 12:05 am", expected: at("2026-01-31T00:05:00Z") },
    { input: "2026-01-31 12:05 pm", expected: at("2026-01-31T12:05:00Z") },
    { input: "2026-01-31 24:00", expected: at("2026-02-01T00:00:00Z") },
    { input: "2016-12-31 23:59:60Z", expected: at("2017-01-01T00:00:00Z") },
    { input: "20260131T123015Z", expected: at("2026-01-31T12:30:15Z") },
    { input: "20260131T123015", expected: at("2026-01-31T12:30:15Z") },
    { input: "31.01.2026", expected: at("2026-01-31T00:00:00Z") },
    { input: "31.1.26 08:00", expected: at("2026-01-31T08:00:00Z") },
    { input: "1/31/2026", expected: at("2026-01-31T00:00:00Z") },
    { input: "1-31-2026 08:00", expected: at("2026-01-31T08:00:00Z") },
    { input: "31 Jan 2026", expected: at("2026-01-31T00:00:00Z") },
    { input: "31-Jan-2026 23:59", expected: at("2026-01-31T23:59:00Z") },
    { input: "Sat, 31 Jan 2026 12:30:15 +0200", expected: at("2026-01-31T10:30:15Z") },
    { input: "January 31, 2026", expected: at("2026-01-31T00:00:00Z") },
    { input: "Sept 3 2026 4:05pm", expected: at("2026-09-03T16:05:00Z") },
    { input: " 2026-01-31 ", expected: at("2026-01-31T00:00:00Z") },
    { input: "12:30", expected: 45_000_000 },
    { input: "9:05:07", expected: 32_707_000 },
    { input: "11:30 pm", expected: 84_600_000 },
    { input: "2024-02-29", expected: at("2024-02-29T00:00:00Z") },
    { input: "1969-12-31T23:59:59Z", expected: -1000 },
    { input: "0001-01-01 00:00:00", expected: at("0001-01-01T00:00:00Z") }, // how .NET writes that there is no time
  ];
  test.each(cases)("$input", ({ input, expected }) => {
    expect(valueOf(input)).toBe(expected);
  });

  const wrong = [
    "2026-02-30",
    "2025-02-29",
    "2026-13-01",
    "2026-00-10",
    "2026-01-00",
    "2026-01-31 25:00",
    "2026-01-31 12:60",
    "2026-01-31 12:00:61",
    "2026-01-31 24:01",
    "2026-01-31 99:00 am",
    "31.02.2026",
    "32/01/2026",
    "31 Foo 2026",
    "31 Marble 2026",
    "Mayor 5, 2026",
    "1/2-2026",
    "1/2/026",
    "12:3",
    "2026",
    "2026-01",
    "",
    "now",
    "2026-01-31T12:00:00+2",
    "2026-01-31 and more",
    "1".repeat(100),
  ];
  test.each(wrong)("that is none: %s", (input) => {
    expect(valueOf(input)).toBeNaN();
  });

  const orders: { name: string; input: string[]; cell: string; expected: string }[] = [
    { name: "the month, if nothing says otherwise", input: ["03/04/2026"], cell: "03/04/2026", expected: "2026-03-04" },
    {
      name: "the day, if one is above 12",
      input: ["03/04/2026", "13/04/2026"],
      cell: "03/04/2026",
      expected: "2026-04-03",
    },
    {
      name: "the month, if a second is above 12",
      input: ["3/4/2026", "3/14/26"],
      cell: "3/4/26",
      expected: "2026-03-04",
    },
    { name: "the day, with points", input: ["03.04.2026"], cell: "03.04.2026", expected: "2026-04-03" },
  ];
  test.each(orders)("begins with $name", ({ input, cell, expected }) => {
    expect(kindOf(input).valueOf(cell)).toBe(at(`${expected}T00:00:00Z`));
  });
});

describe("numbers may be times since 1970", () => {
  const cases: { name: string; input: [low: number, high: number]; expected: number | undefined }[] = [
    { name: "in seconds", input: [1_700_000_000, 1_800_000_000], expected: 1000 },
    { name: "in seconds with a fraction", input: [1_700_000_000.5, 1_700_000_001.5], expected: 1000 },
    { name: "in ms", input: [1.7e12, 1.8e12], expected: 1 },
    { name: "in µs", input: [1.7e15, 1.8e15], expected: 1e-3 },
    { name: "in ns", input: [1.7e18, 1.8e18], expected: 1e-6 },
    { name: "from 2001 on", input: [1e9, 1e9], expected: 1000 },
    { name: "from 2001 on, in ns", input: [1e18, 1e18], expected: 1e-6 },
    { name: "not if they are small", input: [0, 100], expected: undefined },
    { name: "not if one is small", input: [0, 1_700_000_000], expected: undefined },
    { name: "not if they are seconds and ms", input: [1.7e9, 1.7e12], expected: undefined },
    { name: "not after 2096", input: [3.9e9, 4e9], expected: undefined },
    { name: "not below zero", input: [-1.7e12, -1.6e12], expected: undefined },
  ];
  test.each(cases)("$name", ({ input: [low, high], expected }) => {
    expect(epochScale(low, high)).toBe(expected);
  });
});

describe("a cell is shown", () => {
  const cases: { name: string; input: string; shown: string; whole: string }[] = [
    {
      name: "as it is",
      input: "Ångström <b>&amp;</b>",
      shown: "Ångström <b>&amp;</b>",
      whole: "Ångström <b>&amp;</b>",
    },
    { name: "in one line", input: "a\nb\r\nc", shown: "a⏎b⏎⏎c", whole: "a\nb\r\nc" },
    { name: "with its tabs", input: "a\tb", shown: "a⇥b", whole: "a\tb" },
    {
      name: "with what a terminal would take for a command",
      input: "\u001b[2J\u0000\u0007",
      shown: "␛[2J␀␇",
      whole: "␛[2J␀␇",
    },
    {
      name: "with controls above ASCII",
      input: "\u007f\u0085\u009b",
      shown: "‹007F›‹0085›‹009B›",
      whole: "‹007F›‹0085›‹009B›",
    },
    {
      name: "in the order in which it is written",
      input: "exe\u202egpj\u202c",
      shown: "exe‹202E›gpj‹202C›",
      whole: "exe‹202E›gpj‹202C›",
    },
    {
      name: "with isolates and marks",
      input: "\u2066a\u2069\u200e\u200f\u061c",
      shown: "‹2066›a‹2069›‹200E›‹200F›‹061C›",
      whole: "‹2066›a‹2069›‹200E›‹200F›‹061C›",
    },
    {
      name: "with what has no width",
      input: "a\u200bb\u2060c\ufeff",
      shown: "a‹200B›b‹2060›c‹FEFF›",
      whole: "a‹200B›b‹2060›c‹FEFF›",
    },
    { name: "with separators of lines", input: "a\u2028b\u2029", shown: "a‹2028›b‹2029›", whole: "a‹2028›b‹2029›" },
    {
      name: "with the joiners that scripts and emoji need",
      input: "می\u200cخواهم 👩\u200d💻",
      shown: "می\u200cخواهم 👩\u200d💻",
      whole: "می\u200cخواهم 👩\u200d💻",
    },
  ];
  test.each(cases)("$name", ({ input, shown, whole }) => {
    expect([shownText(input), wholeText(input)]).toEqual([shown, whole]);
  });

  // General category Cf, and seen by nobody: `ad<soft hyphen>min` is not `admin`.
  const unseen = [0x00ad, 0x180e, 0xfff9, 0xe0041].map((code) => ({
    name: `U+${code.toString(16).toUpperCase().padStart(4, "0")}`,
    input: `ad${String.fromCodePoint(code)}min`,
  }));
  test.each(unseen)("with $name, which cannot be seen", ({ input }) => {
    expect([shownText(input), wholeText(input)].map((text) => text.includes(input))).toEqual([false, false]);
  });

  test("up to a length; all of it in its own view", () => {
    const long = "x".repeat(SHOWN_CHARACTERS + 1);
    expect(shownText(long)).toBe(`${"x".repeat(SHOWN_CHARACTERS)}…`);
    expect(shownText(long.slice(1))).toBe(long.slice(1));
    expect(wholeText(long)).toBe(long);
  });

  test("without half a character where it is cut", () => {
    expect(shownText("x".repeat(SHOWN_CHARACTERS - 1) + "😀😀").isWellFormed()).toBe(true);
  });

  test("again and again the same: nothing is kept from one cell to the next", () => {
    expect(Array.from({ length: 4 }, () => shownText("\u202ea\u202e"))).toEqual(Array(4).fill("‹202E›a‹202E›"));
  });
});
