// What the cells of a column are read as, and what of a cell may be shown.
import { describe, expect, test } from "bun:test";
import { parseVerdicts } from "../../src/values/verdict.ts";
import { kindsBy, SHOWN_CHARACTERS, shownText, TEXT, valueIn, wholeText } from "../../src/viewer/cells.ts";
import { kindOf } from "./kinds.ts";

describe("a column is read as the server tells:", () => {
  const read = (types: string[], unit: string | null = null) =>
    kindsBy(
      parseVerdicts(
        types,
        types.map(() => unit),
        types.length,
      ),
    );
  const cases: { name: string; type: string; unit?: string; cells: Record<string, number> }[] = [
    { name: "numbers", type: "number", cells: { "-1.5": -1.5, "1e3": 1000, x: NaN } },
    { name: "decimal commas", type: "number:,.", cells: { "1.234,5": 1234.5 } },
    { name: "numbers with their unit", type: "number", unit: "MB", cells: { "405.6 MB": 405.6, "7": 7, "7 kg": NaN } },
    { name: "money", type: "number:.,", unit: "$", cells: { "$1,234.50": 1234.5 } },
    { name: "nothing", type: "number", cells: { "[N/A]": NaN, unavailable: NaN, "---": NaN, "": NaN } },
    { name: "times", type: "time:apache", cells: { "01/Mar/2026:12:00:00 +0100": Date.UTC(2026, 2, 1, 11) } },
    { name: "seconds since 1970", type: "time:epoch-s", cells: { "1772366400": 1_772_366_400_000 } },
    { name: "words", type: "text", cells: { "1": NaN } },
    { name: "true and false, which are words", type: "boolean", cells: { true: NaN } },
    { name: "what is not known here", type: "colour", cells: { "1": NaN } },
  ];
  test.each(cases)("$name", ({ type, unit, cells }) => {
    const [kind] = read([type], unit);
    expect(Object.fromEntries(Object.keys(cells).map((cell) => [cell, kind!.valueOf(cell)]))).toEqual(cells);
  });

  test("a date with the time of day that belongs to it", () => {
    const [, day] = read(["time:clock", "time:iso+0"]);
    expect(valueIn(["12:30", "2026-03-01"], 1, day!)).toBe(Date.UTC(2026, 2, 1, 12, 30));
    expect([valueIn(["", "2026-03-01"], 1, day!), valueIn(["12:30", ""], 1, day!)]).toEqual([
      Date.UTC(2026, 2, 1),
      NaN,
    ]);
  });
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
