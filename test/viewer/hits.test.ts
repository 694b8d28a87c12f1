// Where in a cell the filter has found something.
import { expect, test } from "bun:test";
import { hitsIn, patternsOf } from "../../src/viewer/hits.ts";

const FOUND: readonly { name: string; cell: string; hits: Parameters<typeof patternsOf>[0]; places: number[] }[] = [
  { name: "each time, in any case", cell: "aBab", hits: [{ column: undefined, source: "ab" }], places: [0, 2, 2, 4] },
  { name: "of each term", cell: "ab", hits: ["b", "a"].map((source) => ({ column: 0, source })), places: [1, 2, 0, 1] },
  { name: "not of another column", cell: "ab", hits: [{ column: 1, source: "a" }], places: [] },
  { name: "nothing of a pattern that is nowhere long", cell: "ab", hits: [{ column: 0, source: "x*" }], places: [] },
];

test.each(FOUND)("$name", ({ cell, hits, places }) => {
  expect(hitsIn(cell, 0, patternsOf(hits))).toEqual(places);
});
