// What a writer that is not the first begins with.
import { describe, expect, test } from "bun:test";
import type { ReadOptions } from "../../src/csv/options.ts";
import { openHeld } from "../../src/source/held.ts";
import { openingOf, type Opening } from "../../src/source/opening.ts";

const NUMBERS = "a,b\n1,2\n3,4\n";
const WORDS = "name,city\nAnn,Paris\nBob,Oslo\n";
const OPEN = { hasEnded: false, isQuiet: false };
const QUIET = { hasEnded: false, isQuiet: true };
const ENDED = { hasEnded: true, isQuiet: true };

type Case = {
  readonly name: string;
  readonly before: string;
  readonly text: string;
  readonly state?: typeof OPEN;
  readonly options?: ReadOptions;
  readonly expected: Opening;
};

const CASES: readonly Case[] = [
  { name: "a row", before: NUMBERS, text: "5,6\n", expected: "rows" },
  { name: "half a row", before: NUMBERS, text: "5,", expected: "more" },
  { name: "half a row, for now", before: NUMBERS, text: "5,", state: QUIET, expected: "rows" },
  { name: "the same header", before: NUMBERS, text: "a,b\n5,6\n", expected: { skip: 4 } },
  { name: "the same header behind a mark", before: NUMBERS, text: "\ufeffa,b\n5,6\n", expected: { skip: 7 } },
  { name: "a row behind a mark", before: NUMBERS, text: "\ufeff5,6\n", expected: { skip: 3 } },
  { name: "the beginning of the same header", before: NUMBERS, text: "a,", expected: "more" },
  { name: "the beginning of the same header, for now", before: NUMBERS, text: "a,", state: QUIET, expected: "more" },
  { name: "the same header and no more", before: NUMBERS, text: "a,b", state: ENDED, expected: { skip: 3 } },
  {
    name: "the same header with blanks to be trimmed",
    before: " a , b\n1,2\n",
    text: " a , b\n5,6\n",
    options: { trim: true },
    expected: { skip: 7 },
  },
  { name: "the same header with quotes", before: NUMBERS, text: '"a","b"\n5,6\n', expected: { skip: 8 } },
  {
    name: "a row under names that are given",
    before: NUMBERS,
    text: "5,6\n",
    state: ENDED,
    options: { names: ["x", "y"] },
    expected: "rows",
  },
  {
    name: "the same two lines",
    before: `logger 7\n\n${NUMBERS}`,
    text: `logger 7\n\n${NUMBERS}`,
    expected: { skip: 14 },
  },
  { name: "another header over its rows", before: NUMBERS, text: "c,d\n5,6\n", expected: "table" },
  { name: "another header over many rows", before: NUMBERS, text: `c,d\n${"5,6\n".repeat(50_000)}`, expected: "table" },
  { name: "another header with CR", before: NUMBERS, text: "c,d\r\n5,6\r\n", expected: "table" },
  { name: "a wider header over its rows", before: NUMBERS, text: "c,d,e\n5,6,7\n", expected: "table" },
  { name: "a header with another delimiter", before: NUMBERS, text: "c;d;e\n5;6;7\n", expected: "table" },
  { name: "another header, so far", before: NUMBERS, text: "c,d\n", expected: "more" },
  { name: "another header, for now", before: NUMBERS, text: "c,d\n", state: QUIET, expected: "table" },
  { name: "words, and no more", before: NUMBERS, text: "disk,full\n", state: ENDED, expected: "rows" },
  { name: "one word over numbers", before: NUMBERS, text: "full\n5,6\n", expected: "rows" },
  { name: "words over words, where numbers were", before: NUMBERS, text: "c,d\nx,y\n", expected: "rows" },
  { name: "words where words were", before: WORDS, text: "Eve,Rome\nKim,Bonn\n", expected: "rows" },
  { name: "words where there are no rows yet", before: "name,city\n", text: "Ann,Paris\n", expected: "rows" },
  { name: "another header of one column", before: "a\n1\n", text: "name\n2\n", expected: "table" },
  {
    name: "words without a header",
    before: "1,2\n",
    text: "c,d\n5,6\n",
    options: { noHeader: true },
    expected: "rows",
  },
  { name: "a first record that is very long", before: NUMBERS, text: `${"c".repeat(1 << 17)},d`, expected: "rows" },
  { name: "what is no CSV", before: NUMBERS, text: "\x89PNG\r\n\x1a\n", expected: "rows" },
];

describe("a writer that begins with", () => {
  test.each(CASES)("$name", ({ before, text, state = OPEN, options = {}, expected }) => {
    const held = openHeld({ lastRows: Infinity, maxCellBytes: 1 << 24, ...options });
    const bytes = new Uint8Array(Buffer.from(before));
    held.set(bytes, bytes.length);
    const coming = new Uint8Array(Buffer.from(text, text.startsWith("\x89") ? "latin1" : "utf8"));
    expect(openingOf(coming, state, held.table()!, options)).toEqual(expected);
  });
});
