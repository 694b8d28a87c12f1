// The table of a replica against arrays: whatever the cells hold, and however many splices come at once.
import { describe, expect, setDefaultTimeout, spyOn, test } from "bun:test";
import { forSeeds, type Random, RANDOM_TIMEOUT_MS, shareOf, shown as numeral } from "../fuzz/random.ts";
import { csvOf, draftTable, type RelayTable } from "../../src/relay/follow/table.ts";
import type { Row, Splice } from "../../src/feed/protocol.ts";

setDefaultTimeout(RANDOM_TIMEOUT_MS);

const CHANGES = shareOf(2_000);
const LIMITS = { maxBytes: 1 << 20, maxCellBytes: 1 << 16, lastRows: Infinity };

function tableOf(columns: readonly string[], rows: readonly Row[], limits = LIMITS): RelayTable {
  const draft = draftTable(columns, limits);
  draft.add(rows);
  return draft.finish();
}

const shown = ({ table, view }: RelayTable) =>
  JSON.parse(table.render(view().first, view().end, "arrays").text!) as string[][];

function spliced(rows: readonly Row[], splices: readonly Splice[]): Row[] {
  const result = [...rows];
  for (const [start, deleted, inserted] of splices) result.splice(start, deleted, ...inserted);
  return result;
}

const CELLS = [
  "",
  "a",
  "x,y",
  '"',
  'a"b',
  "l1\nl2",
  "l1\r\nl2",
  "\r",
  "\n",
  " ",
  "é",
  "😀",
  "\u2028",
  '"",""',
  "\ufeffx",
  "0",
];

const someRow = (random: Random, columns: number) => Array.from({ length: columns }, () => random.pick(CELLS));
const someRows = (random: Random, most: number, columns: number) =>
  Array.from({ length: random.below(most + 1) }, () => someRow(random, columns));

/** Splices that fit: in order of their rows mostly, as a publisher makes them. */
function someSplices(random: Random, rows: number, columns: number): Splice[] {
  const splices: Splice[] = [];
  let length = rows;
  let least = 0;
  for (let n = random.below(random.chance(0.3) ? 25 : 4); n >= 0; n--) {
    if (least > length || random.chance(0.1)) least = 0;
    const start = least + random.below(length - least + 1);
    const deleted = random.below(Math.min(4, length - start) + 1);
    const inserted = someRows(random, 3, columns);
    splices.push([start, deleted, inserted]);
    length += inserted.length - deleted;
    least = start + inserted.length;
  }
  return splices;
}

test(`${numeral(CHANGES)} random changes of random tables, of all rows and of the last few: what is shown is what was sent`, () => {
  forSeeds(CHANGES, (random) => {
    const columns = 1 + random.below(3);
    const names = Array.from({ length: columns }, (_, c) => `${CELLS[c]}${c}`);
    const lastRows = random.chance(0.4) ? 1 + random.below(6) : Infinity;
    let rows: readonly Row[] = someRows(random, 12, columns);
    const table = tableOf(names, rows, { ...LIMITS, lastRows });
    const last = () => (lastRows === Infinity ? [...rows] : rows.slice(-lastRows));
    let seen: readonly Row[] = last();
    expect(shown(table)).toEqual(last() as string[][]);
    for (let step = 0; step < 3; step++) {
      const splices = someSplices(random, rows.length, columns);
      rows = spliced(rows, splices);
      seen = spliced(seen, JSON.parse(table.apply(splices)) as Splice[]);
      expect(shown(table)).toEqual(last() as string[][]);
      expect(seen).toEqual(last());
      expect(table.table.rows()).toBe(rows.length);
    }
  });
});

describe("a table of a replica", () => {
  test("has its header exactly, whatever the names are", () => {
    const names = ["11", "__proto__", "a", "a_1", "", "x,y", 'q"', "l1\nl2"];
    const { table, document } = tableOf(names, [names]);
    expect(table.columns).toEqual(names);
    expect(document.dialect.renamed).toBe(0);
    expect(table.render(0, 1, "objects").text).toBe(
      `[{${names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(name)}`).join(",")}}]`,
    );
  });

  test("is rewritten once by thousands of changes, also where each begins at the top again", () => {
    const rows = Array.from({ length: 4_000 }, (_, i) => [`${i}`, "x"]);
    const table = tableOf(["a", "b"], rows);
    const rewritten = spyOn(table.table, "replaceRows");
    const splices = Array.from({ length: 2_000 }, (_, i): Splice => [3_998 - 2 * i, 1, [[`new ${i}`, "y"]]]);
    const seen = spliced(rows, JSON.parse(table.apply(splices)) as Splice[]);
    expect(rewritten).toHaveBeenCalledTimes(1);
    expect(shown(table)).toEqual(spliced(rows, splices) as string[][]);
    expect(seen).toEqual(spliced(rows, splices));
  });

  test("may be empty, and become so", () => {
    expect(shown(tableOf([], []))).toEqual([]);
    const table = tableOf(["a"], [[""], [""]]);
    expect(shown(table)).toEqual([[""], [""]]);
    expect(table.apply([[0, 2, []]])).toBe("[[0,2,[]]]");
    expect(table.apply([[0, 0, [["x"]]]])).toBe('[[0,0,[["x"]]]]');
  });

  test("stays as it was when a change of several splices is refused, and takes what fits once what goes is counted", () => {
    const table = tableOf(["a"], [["1"], ["2"], ["3"]], { ...LIMITS, maxBytes: 16, maxCellBytes: 6 });
    const long = "y".repeat(6);
    for (const splices of [
      [
        [0, 1, []],
        [2, 0, [[long], [long]]],
      ],
      [
        [0, 1, [["x"]]],
        [0, 1, [[`${long}y`]]],
      ],
      [
        [0, 1, [["x"]]],
        [0, 1, [['"""']]],
      ],
    ] as Splice[][]) {
      expect(() => table.apply(splices)).toThrow();
      expect(shown(table)).toEqual([["1"], ["2"], ["3"]]);
      expect(table.table.rows()).toBe(3);
    }
    table.apply([
      [0, 1, [[long]]],
      [1, 2, [["z"]]],
    ]);
    expect(shown(table)).toEqual([[long], ["z"]]);
  });

  test("that grows too large is refused with the option that says so", () => {
    expect(() => tableOf(["a"], [["x".repeat(100)]], { ...LIMITS, maxBytes: 50 })).toThrow("--max-file");
    expect(() => tableOf(["a"], [["x".repeat(100)]], { ...LIMITS, maxCellBytes: 50 })).toThrow("row 1");
    const table = tableOf(["a"], [["x"]], { ...LIMITS, maxBytes: 20, maxCellBytes: 10 });
    expect(() => table.apply([[1, 0, [["y".repeat(11)]]]])).toThrow("row 2");
    expect(() => table.apply([[1, 0, [["y".repeat(10)], ["y".repeat(10)]]]])).toThrow("--max-file");
  });
});

test.each([
  [["a", "b"], "a,b\n"],
  [[""], '""\n'],
  [["", ""], ",\n"],
  [["x,y", 'q"'], '"x,y","q"""\n'],
  [["l\r"], '"l\r"\n'],
])("%j becomes %j", (row, expected) => {
  expect(csvOf([row]).toString()).toBe(expected);
});
