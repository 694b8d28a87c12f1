// The JSON text of rows, read without parsing it: what is accepted is what JSON.parse makes of it, and nothing else is accepted.
import { describe, expect, test } from "bun:test";
import type { Row } from "../../src/feed/protocol.ts";
import { cellsOf, cutRows, startsOf } from "../../src/follow/scan.ts";
import { forSeeds, type Random } from "../fuzz/random.ts";

const PIECES = ["a", '"', "\\", "],[", '"],["', "\n", "\u0000", "é", "𝒜", "\ud800", "\u2028", "/", "", " ", ","];

function randomRows(random: Random): Row[] {
  const width = 1 + random.below(4);
  const cell = () => Array.from({ length: random.below(4) }, () => random.pick(PIECES)).join("");
  return Array.from({ length: random.below(8) }, () => Array.from({ length: width + random.below(2) }, cell));
}

test("rows are counted and cut where they begin, whatever is in them", () => {
  forSeeds(500, (random) => {
    const rows = randomRows(random);
    const every = 1 + random.below(4);
    const text = `xyz[${JSON.stringify(rows).slice(1, -1)}],"count":1`;
    const cuts = cutRows(text, 4, every)!;
    expect([cuts.count, text.slice(cuts.end)]).toEqual([rows.length, '],"count":1']);
    const pieces = cuts.starts.map((start, i) => text.slice(start, (cuts.starts[i + 1] ?? cuts.end + 1) - 1));
    expect(pieces.map((piece) => JSON.parse(`[${piece}]`) as unknown)).toEqual(
      cuts.starts.map((_, i) => rows.slice(i * every, (i + 1) * every)),
    );
  });
});

test("one row, and some columns, are those of the whole", () => {
  forSeeds(500, (random) => {
    const rows = randomRows(random);
    const text = JSON.stringify(rows).slice(1, -1);
    const starts = startsOf(text, rows.length);
    expect(rows.map((_, i) => JSON.parse(text.slice(starts[i], starts[i + 1]! - 1)) as unknown)).toEqual([...rows]);
    for (const columns of [[0], [1, 0, 5], [3, 3], [0, 1, 2, 3, 4, 5]])
      expect(cellsOf(text, rows.length, columns)).toEqual(
        columns.map((column) => rows.map((row) => row[column] ?? "")),
      );
  });
});

describe("is left to JSON.parse:", () => {
  const others: { name: string; rows: string }[] = [
    { name: "a number", rows: '["a",1]]' },
    { name: "null", rows: "[null]]" },
    { name: "a row without cells", rows: "[]]" },
    { name: "rows in rows", rows: '[["a"]]]' },
    { name: "blanks between cells", rows: '["a", "b"]]' },
    { name: "blanks between rows", rows: '["a"], ["b"]]' },
    { name: "a blank in front", rows: ' ["a"]]' },
    { name: "a control character in a string", rows: '["a\nb"]]' },
    { name: "an escape that is none", rows: '["\\x"]]' },
    { name: "a half of one", rows: '["\\u12"]]' },
    { name: "a string that does not end", rows: '["a]]' },
    { name: "a backslash at the end", rows: '["a\\' },
    { name: "rows that do not end", rows: '["a"]' },
    { name: "a comma too many", rows: '["a"],]' },
    { name: "a cell too few", rows: '["a",]]' },
    { name: "an object", rows: '{"a":1}]' },
    { name: "nothing", rows: "" },
  ];
  test.each(others)("$name", ({ rows }) => {
    expect(cutRows(rows, 0, 1)).toBeUndefined();
  });
});
