// Rows as lines, and which of them are printed.
import { describe, expect, test } from "bun:test";
import { csv, ndjson, openRowLog } from "../../../src/cli/client/rows.ts";
import type { Splice } from "../../../src/feed/protocol.ts";

describe("a row", () => {
  const cases: { name: string; columns: string[]; row: string[]; json: string; text: string }[] = [
    {
      name: "of numbers stays text",
      columns: ["a", "b"],
      row: ["007", "1e9"],
      json: '{"a":"007","b":"1e9"}',
      text: "007,1e9",
    },
    {
      name: "keeps the order of columns",
      columns: ["11", "2"],
      row: ["x", "y"],
      json: '{"11":"x","2":"y"}',
      text: "x,y",
    },
    { name: "with a name that objects own", columns: ["__proto__"], row: ["x"], json: '{"__proto__":"x"}', text: "x" },
    {
      name: "with quotes",
      columns: ['"', "b"],
      row: ['say "x"', ""],
      json: '{"\\"":"say \\"x\\"","b":""}',
      text: '"say ""x""",',
    },
    {
      name: "with line ends",
      columns: ["a", "b"],
      row: ["1\n2", "3\r"],
      json: '{"a":"1\\n2","b":"3\\r"}',
      text: '"1\n2","3\r"',
    },
    { name: "of a lone empty cell is no blank line", columns: ["a"], row: [""], json: '{"a":""}', text: '""' },
    { name: "of empty cells", columns: ["a", "b"], row: ["", ""], json: '{"a":"","b":""}', text: "," },
    { name: "that is too short is filled", columns: ["a", "b"], row: ["1"], json: '{"a":"1","b":""}', text: "1," },
    {
      name: "with blanks needs no quotes",
      columns: ["a", "b"],
      row: [" x ", "y z"],
      json: '{"a":" x ","b":"y z"}',
      text: " x ,y z",
    },
  ];
  test.each(cases)("$name", ({ columns, row, json, text }) => {
    expect(ndjson.line(columns)(row)).toBe(json);
    expect(csv.line(columns)(row)).toBe(text);
  });

  test("has a header in CSV only, quoted where it must be", () => {
    expect(ndjson.header(["a"])).toBeUndefined();
    expect(csv.header(["a,b", "c"])).toBe('"a,b",c');
    expect(csv.header([""])).toBe('""');
  });
});

function openTestLog(isAll: boolean) {
  const printed: string[] = [];
  const log = openRowLog({
    format: csv,
    isAll,
    print: (rows) => void printed.push(...rows),
    printHeader: (line) => void printed.push(`[${line}]`),
    say: (text) => void printed.push(`(${text})`),
  });
  return { log, printed };
}

const tableOf = (text: string, column = "n", first?: number) => ({
  columns: [column],
  first,
  length: text.length,
  [Symbol.iterator]: () => [...text].map((cell) => [cell]).values(),
});
const splice = (start: number, deleteCount: number, text = ""): Splice => [
  start,
  deleteCount,
  [...text].map((cell) => [cell]),
];
const NOTE = "(rows changed elsewhere, which is not printed; see --live)";

describe("of a table that changes", () => {
  const cases: { name: string; splices: Splice[]; expected: string[] }[] = [
    { name: "appended rows are printed", splices: [splice(3, 0, "de")], expected: ["d", "e"] },
    { name: "the last row is printed again if it is another", splices: [splice(2, 1, "Cd")], expected: ["C", "d"] },
    {
      name: "rows that come are, those that make room are not worth a word",
      splices: [splice(0, 2), splice(1, 0, "de")],
      expected: ["d", "e"],
    },
    { name: "an edit is not printed", splices: [splice(1, 1, "X")], expected: [NOTE] },
    { name: "an insert is not printed", splices: [splice(1, 0, "X")], expected: [NOTE] },
    { name: "deletions are not printed", splices: [splice(2, 1), splice(0, 2)], expected: [NOTE] },
    { name: "rows in place of others at the end are", splices: [splice(1, 2, "XYZ")], expected: ["X", "Y", "Z", NOTE] },
    { name: "no change is no change", splices: [], expected: [] },
  ];
  test.each(cases)("$name", ({ splices, expected }) => {
    const { log, printed } = openTestLog(false);
    log.update(tableOf("ignored"), undefined);
    log.begin(tableOf("abc"));
    log.update(tableOf("?"), splices);
    expect(printed).toEqual(["[n]", ...expected]);
  });

  const windows: { name: string; from: number; to: number; splices: Splice[]; expected: string[] }[] = [
    { name: "moves on", from: 4, to: 6, splices: [splice(0, 2), splice(1, 0, "de")], expected: ["d", "e"] },
    { name: "is another, right behind", from: 4, to: 7, splices: [splice(0, 3, "def")], expected: ["d", "e", "f"] },
    {
      name: "is another, with rows between",
      from: 4,
      to: 307,
      splices: [splice(0, 3, "xyz")],
      expected: ["(300 rows were skipped: more came than the server keeps, see --last)", "x", "y", "z"],
    },
    {
      name: "has moved in several steps, over a single row",
      from: 0,
      to: 5,
      splices: [splice(0, 3, "xyz"), splice(0, 1), splice(2, 0, "!")],
      expected: ["(1 row was skipped: more came than the server keeps, see --last)", "x", "y", "z", "!"],
    },
    { name: "shows earlier rows again", from: 4, to: 2, splices: [splice(0, 0, "AB")], expected: [] },
    { name: "begins anew", from: 4, to: 0, splices: [splice(0, 3, "x")], expected: ["x", NOTE] },
    { name: "has an edit in it", from: 4, to: 4, splices: [splice(0, 1, "A")], expected: [NOTE] },
  ];
  test.each(windows)("a window that $name: what was not seen is told", ({ from, to, splices, expected }) => {
    const { log, printed } = openTestLog(false);
    log.begin(tableOf("abc", "n", from));
    log.update(tableOf("?", "n", to), splices);
    expect(printed).toEqual(["[n]", ...expected]);
  });

  test("the rows at the start are printed if all are wanted", () => {
    const { log, printed } = openTestLog(true);
    log.begin(tableOf("ab"));
    log.begin(tableOf("ab"));
    expect(printed).toEqual(["[n]", "a", "b"]);
  });

  test.each([true, false])("other columns are said, and are another table (all: %p)", (isAll) => {
    const { log, printed } = openTestLog(isAll);
    log.begin(tableOf(""));
    log.update(tableOf("xy", "m"), undefined);
    log.update(tableOf("xyz", "m"), [splice(2, 0, "z")]);
    expect(printed).toEqual(["[n]", "(the columns are others now)", "[m]", ...(isAll ? ["x", "y"] : []), "z"]);
  });

  test("what comes after an empty file is all new, and a header is printed when it is another", () => {
    const { log, printed } = openTestLog(false);
    const empty = { ...tableOf(""), columns: [] };
    log.begin(empty);
    log.update(tableOf("x"), undefined);
    log.update(empty, undefined);
    log.update(tableOf("yz"), undefined);
    expect(printed).toEqual(["[n]", "x", "y", "z"]);
  });

  test("the first table after none is all new", () => {
    const { log, printed } = openTestLog(false);
    log.begin(undefined);
    log.update(tableOf("xy"), undefined);
    expect(printed).toEqual(["[n]", "x", "y"]);
  });
});
