// What columns are: of the cells that programs write, of those that only look alike, and the same however the rows come.
import { describe, expect, test } from "bun:test";
import { openColumns, refineFrom, SAMPLE_ROWS, type TypesOption } from "../../src/csv/columns.ts";
import { columnsOf, openDocument } from "../../src/csv/document.ts";
import { SPARE_BYTES } from "../../src/csv/encoding.ts";
import { encodeVerdicts } from "../../src/values/verdict.ts";
import { forSeeds } from "../fuzz/random.ts";

/** The code of one column, with its unit behind it. */
function codeOf(cells: readonly string[], name = "a", types: TypesOption = "auto"): string {
  const columns = openColumns([name], { types });
  columns.refine(cells.map((cell) => [cell]));
  const { types: codes, units } = encodeVerdicts(columns.verdicts());
  return [codes[0], ...(units[0] == null ? [] : [units[0]])].join(" ");
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => `${i}.5`);

describe("a column of", () => {
  const cases: { name: string; cells: string[]; column?: string; expected: string }[] = [
    { name: "whole numbers", cells: ["1", "-2", "+3"], expected: "number" },
    { name: "decimals and exponents", cells: ["1.5", ".5", "5.", "1e-3", "-2E+10"], expected: "number" },
    { name: "padded numbers", cells: [" 1 ", "   2.000"], expected: "number" },
    { name: "decimals of fixed width", cells: ["05.30", "12.10"], expected: "number" },
    { name: "decimal commas", cells: ["1,5", "-2,25", "12"], expected: "number:," },
    { name: "decimal commas with three digits", cells: ["0,500", "1,500", "12,500"], expected: "number:," },
    { name: "decimal commas, points for thousands", cells: ["1.234,50", "12,5", "1.234"], expected: "number:,." },
    { name: "thousands, two groups", cells: ["1,234,567", "1,234"], expected: "number:.," },
    { name: "thousands, both signs", cells: ["1,234.50", "1,234", "12"], expected: "number:.," },
    { name: "points for thousands", cells: ["1.234.567", "2.345.678"], expected: "number:,." },
    { name: "blanks for thousands", cells: ["1 234 567,5", "12,5"], expected: "number:, " },
    { name: "narrow blanks", cells: ["1\u202f234,5", "1\u00a0234,5"], expected: "number:, " },
    { name: "apostrophes", cells: ["1'234.50", "12.50"], expected: "number:.'" },
    { name: "1,234, which may be either", cells: ["1,234", "2,345", "12"], expected: "text" },
    { name: "few 1,234 among whole numbers", cells: [...numbers(99), "1,234"], expected: "text" },
    { name: "identifiers with zeros in front", cells: ["00123", "10456"], expected: "text" },
    { name: "one identifier with zeros among many", cells: [...numbers(98), "12", "007"], expected: "text" },
    { name: "integers over 2^53 - 1", cells: ["9007199254740992", "12"], expected: "text" },
    { name: "the greatest exact integer", cells: ["9007199254740991", "12"], expected: "number" },
    { name: "numbers beyond a double", cells: ["1e400", "1.5"], expected: "text" },
    { name: "numbers too small for a double", cells: ["1e-400", "1.5"], expected: "text" },
    { name: "numbers with a unit", cells: ["405.6 MB", "12 MB", "0.5MB"], expected: "number MB" },
    { name: "ms", cells: ["45ms", "4.5ms"], expected: "number ms" },
    { name: "degrees", cells: ["7.4 °C", "-3.0 °C"], expected: "number °C" },
    { name: "money with a decimal comma", cells: ["1.234,56 EUR", "12,00 EUR"], expected: "number:,. EUR" },
    { name: "dollars", cells: ["$5.00", "$1,234.50"], expected: "number:., $" },
    { name: "shares", cells: ["12 %", "3.5 %"], expected: "number %" },
    { name: "several units", cells: ["1 MB", "2 GB", "3 kB"], expected: "text" },
    { name: "words behind numbers", cells: ["1 apple", "2 pears"], expected: "text" },
    { name: "a unit in the name", cells: ["1", "2"], column: "temp [°C]", expected: "number °C" },
    { name: "ordinals", cells: ["1st", "2nd"], expected: "text" },
    { name: "hashes", cells: ["1e5", "12af", "c0ffee"], expected: "text" },
    { name: "addresses of machines", cells: ["10.0.0.1", "192.168.1.17"], expected: "text" },
    { name: "addresses of three digits", cells: ["192.168.100.200", "192.168.100.201"], expected: "text" },
    { name: "hexadecimal numbers", cells: ["0x1F", "0x20"], expected: "text" },
    { name: "years", cells: ["1999", "2026"], expected: "number" },
    { name: "booleans", cells: ["true", "False", "TRUE"], expected: "boolean" },
    { name: "yes and no", cells: ["yes", "no"], expected: "text" },
    { name: "words", cells: ["Berlin", "Rome"], expected: "text" },
    { name: "nothing", cells: [], expected: "text" },
    { name: "words for nothing", cells: ["", "NA", "---", "unavailable"], expected: "text" },
    {
      name: "numbers among words for nothing",
      cells: ["NA", "1", "[N/A]", "---", "unavailable", "NAN"],
      expected: "number",
    },
    { name: "nine numbers in ten", cells: [...numbers(9), "oops"], expected: "number" },
    { name: "eight numbers in nine", cells: [...numbers(8), "oops"], expected: "text" },
    { name: "numbers and times", cells: ["1", "2", "12:30", "12:31"], expected: "text" },
    { name: "times", cells: ["2026-03-01T12:00:00Z", "2026-03-01T12:00:01Z"], expected: "time:iso" },
    { name: "times of Apache", cells: ["01/Mar/2026:12:00:00 +0100"], expected: "time:apache" },
    { name: "times of syslog", cells: ["Mar  1 12:00:00", "Mar 11 12:00:00"], expected: "time:month-named" },
    { name: "times of Java", cells: ["Sun Mar 01 12:00:00 CET 2026"], expected: "time:asctime" },
    { name: "times of day", cells: ["12:00:00:123", "12:00:01:123"], expected: "time:clock" },
    { name: "dates that may be either", cells: ["03/04/2026"], expected: "time:month-first" },
    { name: "dates of which one is above 12", cells: ["03/04/2026", "13/04/2026"], expected: "time:day-first" },
    { name: "times with a and p", cells: ["12:00a", "1:30p"], expected: "time:clock" },
    { name: "Java's zones", cells: ["Sun Mar 01 12:00:00 GMT+01:00 2026"], expected: "time:asctime" },
    { name: "dates with points", cells: ["03.04.2026"], expected: "time:day-first" },
    { name: "dates that there are not", cells: ["2026-02-30", "2026-13-01"], expected: "text" },
    { name: "seconds since 1970", cells: ["1772366400", "1772366401"], column: "timestamp", expected: "time:epoch-s" },
    { name: "ns since 1970", cells: ["1772366400000001000"], column: "%time", expected: "time:epoch-ns" },
    { name: "numbers as large", cells: ["1772366400", "1772366401"], column: "id", expected: "number" },
    { name: "snowflakes, as large as ns", cells: ["1772366400000001000"], column: "id", expected: "text" },
    { name: "dates without separators", cells: ["20260301", "20260302"], column: "Date", expected: "time:basic" },
    { name: "numbers like such dates", cells: ["20260301", "20260302"], column: "n", expected: "number" },
    { name: "epochs of a training", cells: ["0", "1", "2"], column: "epoch", expected: "number" },
  ];
  test.each(cases)("$name", ({ cells, column, expected }) => {
    expect(codeOf(cells, column)).toBe(expected);
  });
});

describe("a date and its time of day", () => {
  const cases: { name: string; columns: string[]; row: string[]; expected: string[] }[] = [
    {
      name: "side by side",
      columns: ["Date", "Time"],
      row: ["01.03.2026", "12:00:00"],
      expected: ["time:day-first+1", "time:clock"],
    },
    {
      name: "the other way",
      columns: ["Uhrzeit", "Datum"],
      row: ["12:00", "2026-03-01"],
      expected: ["time:clock", "time:iso+0"],
    },
    {
      name: "without separators",
      columns: ["Date", "Time"],
      row: ["20260301", "12:00:00"],
      expected: ["time:basic+1", "time:clock"],
    },
    {
      name: "not a duration",
      columns: ["date", "elapsed time"],
      row: ["2026-03-01", "00:17"],
      expected: ["time:iso", "time:clock"],
    },
    {
      name: "not if the date has one",
      columns: ["date", "time"],
      row: ["2026-03-01 10:00", "00:17"],
      expected: ["time:iso", "time:clock"],
    },
    {
      name: "not far away",
      columns: ["date", "n", "time"],
      row: ["2026-03-01", "1", "00:17"],
      expected: ["time:iso", "number", "time:clock"],
    },
    {
      name: "each with its own",
      columns: ["date", "time", "end date", "end time"],
      row: ["2026-03-01", "10:00", "2026-03-01", "10:17"],
      expected: ["time:iso+1", "time:clock", "time:iso+3", "time:clock"],
    },
  ];
  test.each(cases)("$name", ({ columns: names, row, expected }) => {
    const columns = openColumns(names);
    columns.refine([row, row]);
    expect(encodeVerdicts(columns.verdicts()).types).toEqual(expected);
  });
});

describe("somebody says what a column is:", () => {
  const cases: { name: string; types: TypesOption; cells: string[]; expected: string }[] = [
    { name: "a text of digits", types: { a: "text" }, cells: ["1", "2"], expected: "text" },
    { name: "numbers, written as they are", types: { a: "number" }, cells: ["1,5", "x", "y"], expected: "number:," },
    { name: "numbers with zeros in front", types: { a: "number" }, cells: ["007", "12"], expected: "number" },
    { name: "times", types: { a: "time" }, cells: ["31.12.2026", "x", "y"], expected: "time:day-first" },
    { name: "booleans", types: { a: "boolean" }, cells: ["x"], expected: "boolean" },
    { name: "others are text", types: { b: "number" }, cells: ["1", "2"], expected: "text" },
    { name: "and no name of Object's is one", types: {}, cells: ["1"], expected: "text" },
  ];
  test.each(cases)("$name", ({ types, cells, expected }) => expect(codeOf(cells, "a", types)).toBe(expected));
  test("a column named like a property that every object has", () =>
    expect(codeOf(["1"], "constructor", {})).toBe("text"));
});

test.each(["Date (DD/MM/YYYY)", "dd.mm.yy"])("a pattern in a name says which number is the day: %s", (name) =>
  expect(codeOf(["03/04/2026"], name)).toBe("time:day-first"),
);

test("a row of units says more than the name, and the cells more than it", () => {
  const columns = openColumns(["U [kV]", "T", "p", "note"], { units: ["[V]", "degC", "bar", undefined] });
  columns.refine([["3.3", "20.5", "5 hPa", "x"]]);
  expect(encodeVerdicts(columns.verdicts())).toEqual({
    types: ["number", "number", "number", "text"],
    units: ["V", "degC", "hPa", null],
  });
});

describe("1,234 beside other columns", () => {
  const cases: { name: string; rows: string[][]; types?: TypesOption; expected: string[] }[] = [
    { name: "with decimal commas is one, too", rows: [["21,5", "1,013"]], expected: ["number:,", "number:,"] },
    { name: "with decimal points stays text", rows: [["21.5", "1,013"]], expected: ["number", "text"] },
    {
      name: "of which one says comma, and one point",
      rows: [["2,5", "1,013", "2.5"]],
      expected: ["number:,", "text", "number"],
    },
    {
      name: "with commas for thousands stays text",
      rows: [["2,5", "1,013", "1,234,567"]],
      expected: ["number:,", "text", "number:.,"],
    },
    {
      name: "of words with a comma stays text",
      rows: [
        ["2,5", "1,013"],
        ["x", "1,014"],
      ],
      expected: ["text", "text"],
    },
    {
      name: "is read so if it is declared",
      rows: [["21,5", "1,013"]],
      types: { b: "number" },
      expected: ["text", "number:,"],
    },
    { name: "leaves whole numbers what they are", rows: [["21,5", "7"]], expected: ["number:,", "number"] },
  ];
  test.each(cases)("$name", ({ rows, types = "auto", expected }) => {
    const columns = openColumns(
      rows[0]!.map((_, c) => "abc"[c]!),
      { types },
    );
    columns.refine(rows);
    expect(encodeVerdicts(columns.verdicts()).types).toEqual(expected);
  });
});

test("hints say why a column of numbers is text", () => {
  const columns = openColumns(["a", "b", "c", "d"]);
  columns.refine([["1,234", "007", "9007199254740993", "1"]]);
  expect(columns.hints().map(({ column }) => column)).toEqual(["a", "b", "c"]);
});

test("verdicts are refined by 100 rows, then kept; later misfits are counted", () => {
  const columns = openColumns(["n", "t"]);
  const row = (i: number) => [String(i), "x"];
  expect(columns.refine([row(0)])).toBe(true);
  expect(columns.refine([row(1)])).toBe(false);
  expect([columns.isSettled(), columns.misfits()]).toEqual([false, [0, 0]]);
  columns.refine(Array.from({ length: SAMPLE_ROWS }, (_, i) => row(i)));
  expect(columns.isSettled()).toBe(true);
  expect(columns.refine([["oops", "x"], ["", "5"], ["NA"], ["00123", "x"]])).toBe(false);
  expect(columns.misfits()).toEqual([2, 0]);
});

test("long rows settle sooner", () => {
  const columns = openColumns(["n", "text"]);
  columns.refine([["1", "x".repeat(40_000)]]);
  expect(columns.isSettled()).toBe(false);
  columns.refine([["2", "x".repeat(40_000)]]);
  expect(columns.isSettled()).toBe(true);
});

const SHAPES = [
  "1",
  "2.5",
  "-3,5",
  "1,234",
  "1,234,567",
  "NA",
  "",
  "true",
  "2026-03-01",
  "12:00",
  "01/02/2026",
  "007",
  "5 MB",
  "x",
  "ü",
];

test("verdicts, hints and misfits do not depend on how the rows come", () => {
  forSeeds(200, (random) => {
    const names = ["date", "time", "c"];
    const favourites = names.map(() => random.pick(SHAPES));
    const cellOf = (c: number) => (random.chance(0.95) ? favourites[c]! : random.pick(SHAPES));
    const rows = Array.from({ length: random.below(220) }, () => names.map((_, c) => cellOf(c)));
    const whole = openColumns(names);
    whole.refine(rows);
    const parts = openColumns(names);
    for (let at = 0; at < rows.length;) {
      const size = 1 + random.below(60);
      parts.refine(rows.slice(at, at + size));
      at += size;
    }
    const told = (columns: typeof whole) => [
      columns.verdicts(),
      columns.hints(),
      columns.misfits(),
      columns.isSettled(),
    ];
    expect(told(parts)).toEqual(told(whole));
  });
});

test("bytes give the verdicts of their rows", () => {
  forSeeds(60, (random) => {
    const rows = Array.from({ length: random.below(150) }, () => [
      "r",
      random.pick(SHAPES),
      "y".repeat(random.below(900)),
    ]);
    const cell = (text: string) => (text.includes(",") || random.chance(0.3) ? `"${text}"` : text);
    const text = `id,value,note\n${rows.map((row) => `${row.map(cell).join(",")}\n`).join("")}`;
    const length = Buffer.byteLength(text);
    const bytes = Buffer.alloc(length + SPARE_BYTES);
    bytes.write(text);
    const document = openDocument(bytes, length, { delimiter: "," });
    const expected = openColumns(["id", "value", "note"]);
    expected.refine(rows);
    expect(columnsOf(document, document.end).verdicts()).toEqual(expected.verdicts());
  });
});

test("a record that is not complete is not taken", () => {
  const bytes = Buffer.from(`1,2\n3,"x${"\0".repeat(SPARE_BYTES)}`);
  const columns = openColumns(["a", "b"]);
  const layout = { delimiter: 44, recordEnd: 10 } as const;
  expect(refineFrom(columns, bytes, 0, 8, layout, 2)).toBe(4);
  expect(encodeVerdicts(columns.verdicts()).types).toEqual(["number", "number"]);
});
