// What the filter box finds.
import { describe, expect, test } from "bun:test";
import { readFilter } from "../../src/viewer/filter.ts";
import { kindOf, kindsOf } from "./kinds.ts";

const COLUMNS = ["city", "price", "time", "New York", "a:b", "note"];
const ROWS = [
  ["Berlin", "5", "2026-01-30 12:30", "x", "1", "a.b (c) [d]"],
  ["berlin-mitte", "12.5", "2026-01-31 00:00", "", "2", "a*b+c?"],
  ["Rome", "100", "2026-02-01 08:00", "y", "3", 'say "hi" now'],
  ["Oslo", "", "", "x", "1", "\\d ^$ {2}|/"],
  ["São Paulo", "-7", "2025-12-31 23:59", "z", "", "new york city"],
];
const KINDS = kindsOf(COLUMNS, ROWS);

/** The numbers of the rows that are found; undefined if the text asks for nothing. */
function found(text: string, columns = COLUMNS, rows = ROWS, kinds = KINDS): number[] | undefined {
  const filter = readFilter(text, { columns, kinds }).filter;
  return filter && rows.flatMap((row, i) => (filter(row) ? [i] : []));
}

test("the columns of this test are what they look like", () => {
  expect(KINDS.map(({ type }) => type)).toEqual(["text", "number", "time", "text", "number", "text"]);
});

describe("the filter finds", () => {
  const cases: { name: string; input: string; expected: number[] }[] = [
    { name: "a word in any cell", input: "rome", expected: [2] },
    { name: "upper and lower case alike", input: "BERLIN", expected: [0, 1] },
    { name: "letters with accents alike", input: "SÃO", expected: [4] },
    { name: "a part of a word", input: "erl", expected: [0, 1] },
    { name: "all of several words", input: "berlin 12.5", expected: [1] },
    { name: "nothing, if one word is nowhere", input: "berlin paris", expected: [] },
    { name: "words in quotes, with their space", input: '"new york"', expected: [4] },
    { name: "words without quotes one by one", input: "york new", expected: [4] },
    { name: "a quote", input: '"say ""hi"""', expected: [2] },
    { name: "a quote alone", input: '""""', expected: [2] },
    { name: "a word of a column", input: "city:ber", expected: [0, 1] },
    { name: "a column in any case", input: "CITY:ber", expected: [0, 1] },
    { name: "words with a space of a column", input: 'city:"o p"', expected: [4] },
    { name: "all of a cell", input: "city=Berlin", expected: [0] },
    { name: "all of a cell in any case", input: "city=bERLIN", expected: [0] },
    { name: "all but a cell", input: "city!=berlin", expected: [1, 2, 3, 4] },
    { name: "empty cells", input: 'price=""', expected: [3] },
    { name: "cells that are not empty", input: 'price!=""', expected: [0, 1, 2, 4] },
    { name: "a column with a space", input: '"New York"=x', expected: [0, 3] },
    { name: "a column with an operator in its name", input: '"a:b"=1', expected: [0, 3] },
    { name: "more than", input: "price>12.5", expected: [2] },
    { name: "at least", input: "price>=12.5", expected: [1, 2] },
    { name: "less than, but not nothing", input: "price<5", expected: [4] },
    { name: "at most", input: "price<=5", expected: [0, 4] },
    { name: "numbers, not digits", input: "price>9", expected: [1, 2] },
    { name: "between", input: "price>0 price<50", expected: [0, 1] },
    { name: "below zero", input: "price<-6.5", expected: [4] },
    { name: "a day and after it", input: "time>=2026-01-31", expected: [1, 2] },
    { name: "before a day", input: "time<2026-01-31", expected: [0, 4] },
    { name: "a time with a zone", input: 'time>="2026-01-31 01:00+01:00"', expected: [1, 2] },
    { name: "a time in another format", input: 'time>"31 Jan 2026"', expected: [2] },
    { name: "text by its letters", input: "city>P", expected: [1, 2, 4] },
    { name: "a number above, anywhere", input: ">50", expected: [2] },
    { name: "a time after, anywhere", input: ">=2026-02-01", expected: [2] },
    { name: "not a word", input: "!berlin", expected: [2, 3, 4] },
    { name: "not what is above", input: "!price>5", expected: [0, 3, 4] },
    { name: "not words in quotes", input: '!"new york"', expected: [0, 1, 2, 3] },
    { name: "not not a word", input: "!!rome", expected: [2] },
    { name: "a time of day where no column has that name", input: "12:30", expected: [0] },
    { name: "a word with an operator behind the name of no column", input: "planet:earth", expected: [] },
    { name: "a point, not any character", input: "a.b", expected: [0] },
    { name: "brackets", input: "(c) [d]", expected: [0] },
    { name: "a star, a plus, a question mark", input: "a*b+c?", expected: [1] },
    { name: "a backslash, a caret, a dollar", input: "\\d ^$", expected: [3] },
    { name: "braces, a bar, a slash", input: "{2}|/", expected: [3] },
    { name: "metacharacters in a column", input: "note:.", expected: [0] },
    { name: "whatever a value has of operators", input: "note:b+c", expected: [1] },
  ];
  test.each(cases)("$name: $input", ({ input, expected }) => {
    expect(found(input)).toEqual(expected);
  });
});

describe("the filter also takes", () => {
  const cases: { name: string; input: string; expected: number[] }[] = [
    { name: "blanks around an operator", input: "price > 12.5", expected: [2] },
    { name: "a blank before it", input: "price >12.5", expected: [2] },
    { name: "a blank behind it", input: "price> 12.5", expected: [2] },
    { name: "blanks in a name without quotes", input: "new york = x", expected: [0, 3] },
    { name: "words before and behind", input: "berlin price > 5 mitte", expected: [1] },
    { name: "a limit of any column with a blank", input: "> 50", expected: [2] },
    { name: "either", input: "rome OR oslo", expected: [2, 3] },
    { name: "either, all words of each", input: "berlin price > 5 OR rome", expected: [1, 2] },
    { name: "or in small letters as a word", input: "rome or oslo", expected: [] },
    { name: "nothing beside OR", input: "OR rome OR", expected: [2] },
    { name: "a pattern", input: "/^(rome|oslo)$/", expected: [2, 3] },
    { name: "a pattern of a column", input: "city:/^b.*e$/", expected: [1] },
    { name: "a pattern that must not be", input: "!city:/o/", expected: [0, 1] },
    { name: "a path, which is no pattern", input: "|/", expected: [3] },
    { name: "equal numbers, however they are written", input: "price = 12.50", expected: [1] },
    { name: "other numbers", input: "price != 5", expected: [1, 2, 3, 4] },
    { name: "all times of a day", input: "time = 2026-01-31", expected: [1] },
  ];
  test.each(cases)("$name: $input", ({ input, expected }) => {
    expect(found(input)).toEqual(expected);
  });

  const sized = (unit: string | undefined) => ({ ...kindOf(["1"]), unit });
  const sizes = [["500"], ["5000"], ["50000"]];
  test.each([
    { input: "size > 5 GB", unit: "MB", expected: [2] },
    { input: 'size > "5 GB"', unit: "MB", expected: [2] },
    { input: "size > 4.9GB", unit: "MB", expected: [1, 2] },
    { input: "size > 1k", unit: undefined, expected: [1, 2] },
    { input: "size > 4MiB", unit: "KiB", expected: [1, 2] },
    { input: "size > 1000 MB", unit: "MB", expected: [1, 2] },
  ])("a limit in another unit: $input of $unit", ({ input, unit, expected }) => {
    expect(found(input, ["size"], sizes, [sized(unit)])).toEqual([...expected]);
  });

  test("times of columns of numbers since 1970", () => {
    const rows = [["1767225600"], ["1767312000"]];
    const kinds = [kindOf(["1767225600", "1767312000"], "time")];
    expect(found("time >= 2026-01-02", ["time"], rows, kinds)).toEqual([1]);
    expect(found("time = 2026-01-01", ["time"], rows, kinds)).toEqual([0]);
    expect(found('time:"2026-01-02 00:00"', ["time"], rows, kinds)).toEqual([1]);
  });

  test("what is no older than the newest by more", () => {
    const newest = () => Date.UTC(2026, 1, 1, 8);
    const ago = (input: string) => {
      const { filter } = readFilter(input, { columns: COLUMNS, kinds: KINDS, newest });
      return ROWS.flatMap((row, i) => (filter!(row) ? [i] : []));
    };
    expect(ago("time > -1h")).toEqual([2]);
    expect(ago("time>-40h")).toEqual([1, 2]);
    expect(ago("time < -40h")).toEqual([0, 4]);
  });
});

describe("what a filter that needs numbers only finds by them is what it finds in the cells:", () => {
  const numbers = KINDS.map((kind, column) => Float64Array.from(ROWS, (row) => kind.valueOf(row[column]!)));
  test.each([
    "price>5",
    "!price>5",
    "price>0 price<50",
    "price>50 OR time<2026-01-31",
    "time = 2026-01-31",
    "price!=5",
  ])("%s", (input) => {
    const { filter } = readFilter(input, { columns: COLUMNS, kinds: KINDS });
    const passes = filter!.numeric!.test((column) => numbers[column]!);
    expect(ROWS.flatMap((_, i) => (passes(i) ? [i] : []))).toEqual(found(input)!);
  });

  test("and with what is left to ask of the cells", () => {
    const { filter } = readFilter("price>5 city:b time>2025-01-01", { columns: COLUMNS, kinds: KINDS });
    const passes = filter!.numeric!.test((column) => numbers[column]!);
    const { rest } = filter!;
    expect(ROWS.flatMap((row, i) => (passes(i) && rest!(row) ? [i] : []))).toEqual([1]);
    expect([filter!.numeric!.columns, rest!.columns]).toEqual([[1, 2], [0]]);
  });

  test.each(["rome", "city:a", "price>5 OR rome", 'price=""', ">5"])("not of %s", (input) => {
    expect(readFilter(input, { columns: COLUMNS, kinds: KINDS }).filter!.numeric).toBeUndefined();
  });
});

describe("how a term was read is said:", () => {
  const table = { columns: COLUMNS, kinds: KINDS, newest: () => Date.UTC(2026, 1, 1, 8) };
  const cases: { input: string; says: string[]; isOdd?: boolean }[] = [
    { input: "rome", says: ["any cell has “rome”"] },
    { input: "!rome", says: ["not: any cell has “rome”"] },
    { input: "CITY:ber", says: ["city has “ber”"] },
    { input: "price > 12.50", says: ["price > 12.5"] },
    { input: "a OR b c", says: ["any cell has “a”", "or any cell has “b”", "any cell has “c”"] },
    { input: "time>=2026-01-31", says: ["time >= 2026-01-31 UTC"] },
    { input: "time>-10m", says: ["time > 2026-02-01 07:50:00 UTC (10m before the newest)"] },
    { input: "/a|b/", says: ["any cell matches /a|b/"] },
    { input: "12:30", says: ["any cell has “12:30”"] },
    { input: "http://x", says: ["any cell has “http://x”"] },
    { input: ">50", says: ["any number or time > 50"] },
    { input: "city>P", says: ["city > “P” by the alphabet"] },
    { input: "city!=x", says: ["city != “x”"] },
    { input: "price>", says: ["price > …"] },
    { input: "prise>100", says: ["there is no column “prise”; any cell has “prise>100”"], isOdd: true },
    { input: "prise > 100", says: ["there is no column “prise”; any cell has “prise > 100”"], isOdd: true },
    { input: "planet:earth", says: ["there is no column “planet”; any cell has “planet:earth”"], isOdd: true },
    { input: "price>abc", says: ["ignored: price is a number, and “abc” is none"], isOdd: true },
    { input: "time>soon", says: ["ignored: time is a time, and “soon” is none"], isOdd: true },
    { input: "/(/", says: ["ignored: /(/ is no regular expression"], isOdd: true },
    { input: "city:/[/", says: ["ignored: /[/ is no regular expression"], isOdd: true },
    { input: "\u202eevil", says: ["any cell has “‹202E›evil”"] },
    { input: "", says: [] },
  ];
  test.each(cases)("$input", ({ input, says, isOdd = false }) => {
    const { readings } = readFilter(input, table);
    expect(readings.map((reading) => reading.says)).toEqual(says);
    expect(readings.some((reading) => reading.isOdd)).toBe(isOdd);
  });

  test("what is marked in the cells is what was looked for, and not what must not be there", () => {
    const { hits } = readFilter("a.b !c city:d note:/e+/ price>5 city=f", table);
    expect(hits).toEqual([
      { column: undefined, source: "a\\.b" },
      { column: 0, source: "d" },
      { column: 5, source: "e+" },
      { column: 0, source: "f" },
    ]);
  });
});

describe("a text asks for nothing", () => {
  const cases = ["", "   ", '"', '""', "city:", "!city:", "price>", "price>=", "!price<", ">", "<=", 'city:"', "\t\n"];
  test.each(cases)("%j", (input) => {
    expect(found(input)).toBeUndefined();
  });
});

describe("a term does not hide, while its value is being typed, what it is going to find:", () => {
  const cases: { term: string; value: string; finds: number }[] = [
    { term: "city:", value: "ber", finds: 0 },
    { term: "note:", value: '"say ""hi"', finds: 2 },
    { term: "", value: '"new york', finds: 4 },
    { term: "time>=", value: "2026-02-01", finds: 2 },
    { term: "price>", value: "12", finds: 2 },
    { term: "price<", value: "-6.5", finds: 4 },
    { term: "price>=", value: "1e1", finds: 1 },
  ];
  test.each(cases)("$term $value", ({ term, value, finds }) => {
    const typed = Array.from({ length: value.length + 1 }, (_, length) => term + value.slice(0, length));
    const hidesIt = (text: string) => found(text)?.includes(finds) === false;
    expect(typed.filter(hidesIt)).toEqual([]);
  });
});

test("a word with the name of a column before its operator asks for that column only", () => {
  const columns = ["12", "b"];
  const rows = [
    ["30", "x"],
    ["x", "12:30"],
  ];
  const kinds = kindsOf(columns, rows);
  expect(found("12:30", columns, rows, kinds)).toEqual([0]);
  expect(found("13:30", columns, rows, kinds)).toEqual([]);
});

test("a column is found by its exact name before any other case of it", () => {
  const rows = [
    ["1", "2"],
    ["2", "1"],
  ];
  const kinds = [kindOf(["1"]), kindOf(["1"])];
  expect(found("id=1", ["ID", "id"], rows, kinds)).toEqual([1]);
  expect(found("Id=1", ["ID", "id"], rows, kinds)).toEqual([0]);
});

test("a text with markup is a text like any other", () => {
  expect(found("<br>", ["html"], [["a<br>b"], ["c"]], [kindOf(["x"])])).toEqual([0]);
});

test("numbers with decimal commas are compared as such", () => {
  const rows = [["1,5"], ["10,25"], ["2,5"]];
  expect(found("preis>2,4", ["preis"], rows, [kindOf(rows.map(([cell]) => cell!))])).toEqual([1, 2]);
});

test("a row that is too short has empty cells", () => {
  expect(found('b=""', ["a", "b"], [["1"], ["1", "2"]], [kindOf(["1"]), kindOf(["2"])])).toEqual([0]);
});

test("many quotes take no longer than many letters", () => {
  // A pattern that goes back over them would not come to an end.
  const input = '"'.repeat(20_001) + "x:".repeat(5_000) + '""'.repeat(10_000);
  expect(typeof readFilter(input, { columns: COLUMNS, kinds: KINDS }).filter).toBe("function");
});

test('a column without a name is filtered as ""; a term without a value yet asks for nothing', () => {
  const columns = ["", "city"];
  const kinds = columns.map(() => kindOf([]));
  const rows = [
    ["0", "Berlin"],
    ["3", ""],
  ];
  const shown = (text: string) =>
    rows.filter(readFilter(text, { columns, kinds }).filter ?? (() => true)).map(([index]) => index);
  expect(shown('""=3')).toEqual(["3"]);
  expect(shown('"":0')).toEqual(["0"]);
  expect(shown("city=")).toEqual(["0", "3"]);
  expect(shown('city=""')).toEqual(["3"]);
  expect(shown("!")).toEqual(["0", "3"]);
});
