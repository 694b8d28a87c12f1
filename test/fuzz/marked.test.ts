// Texts in grammars of their own, in random pieces: they are marked, and held, as all of them at once are.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { markingOf, markRecords, openMarker } from "../../src/csv/marks.ts";
import { faultIn, isExotic, type ReadOptions } from "../../src/csv/options.ts";
import { type Held, openHeld } from "../../src/source/held.ts";
import { forSeeds, type Random, RANDOM_TIMEOUT_MS, shareOf } from "./random.ts";

setDefaultTimeout(RANDOM_TIMEOUT_MS);

function randomOptions(random: Random): ReadOptions {
  for (;;) {
    const options: ReadOptions = {
      delimiter: random.pick([undefined, ",", ";", "\t", "whitespace", "whitespace"]),
      trim: random.chance(0.5),
      quote: random.pick([undefined, '"', "'", "none", "|"]),
      escape: random.pick([undefined, undefined, "\\", '"', "!"]),
      comment: random.pick([undefined, undefined, "#", "##!"]),
    };
    if (isExotic(options) && faultIn(options) === undefined) return options;
  }
}

const SOUP = [
  " ",
  " ",
  "\t",
  '"',
  '"',
  "'",
  "'",
  "\\",
  "!",
  "|",
  "\n",
  "\n",
  "\n",
  "\r\n",
  "\r",
  "x",
  "1.5",
  "#",
  "##!",
  "é",
  "€",
];

function soup(random: Random, delimiter: string, length: number): string {
  const own = delimiter === "whitespace" ? " " : delimiter;
  let text = "";
  for (let i = random.below(length); i > 0; i--) text += random.pick([own, own, own, ...SOUP]);
  return text;
}

function* cuts(random: Random, bytes: Uint8Array, from = 0): Generator<Uint8Array> {
  for (let at = from; at < bytes.length;) yield bytes.slice(at, (at += 1 + random.below(random.pick([2, 6, 40]))));
}

describe("a text that is marked piece by piece", () => {
  test("gets the marks that all of it gets, at each cut", () => {
    forSeeds(shareOf(20_000), (random) => {
      const options = randomOptions(random);
      const delimiter = options.delimiter ?? ",";
      const marking = markingOf(options, delimiter, random.chance(0.85) ? 10 : 13);
      const bytes = Buffer.from(soup(random, delimiter, 40));
      const marker = openMarker(marking, 0);
      const settling = openMarker(marking, 0);
      let marked = Buffer.alloc(0);
      let settled = Buffer.alloc(0);
      let length = 0;
      for (const piece of cuts(random, bytes)) {
        length += piece.length;
        const { instead, marked: fresh } = marker.take(piece);
        marked = Buffer.concat([marked.subarray(0, marked.length - instead), fresh]);
        settled = Buffer.concat([settled, settling.takeSettled(piece)]);
        const whole = bytes.subarray(0, length);
        const expected = new Uint8Array([...whole, ...new Uint8Array(16)]);
        markRecords(expected, 0, length, marking);
        expect(marked.toString("hex")).toBe(Buffer.from(expected.subarray(0, length)).toString("hex"));
      }
      expect(Buffer.concat([settled, settling.takeWaiting()]).toString("hex")).toBe(marked.toString("hex"));
    });
  });
});

const LIMITS = { lastRows: Infinity, maxCellBytes: Infinity };

function whatIs(held: Held) {
  const table = held.table()!;
  const rows = JSON.parse(table.render(0, table.rows(), "arrays").text!) as string[][];
  const { strayAt, firstSurplus, ...tally } = table.tally();
  const where = {
    open: table.openQuoteAt(),
    openRow: table.openRow(),
    tail: held.tail(),
    lines: table.lineAt(table.length()),
  };
  return { columns: table.columns, rows, tally, firstSurplus, strayAt, ...where };
}

describe("what is held of it", () => {
  test("is what all of it at once gives, however it comes", () => {
    forSeeds(shareOf(6_000), (random) => {
      const options = { ...randomOptions(random), skipLines: 0, encoding: "utf-8" };
      const delimiter = options.delimiter ?? ",";
      const own = delimiter === "whitespace" ? " " : delimiter;
      // The delimiter is told by the first rows, and kept.
      const given = { ...options, delimiter };
      const header = `a${own}b${own}c\n`;
      const bytes = Buffer.from(header + soup(random, delimiter, 60));
      const grown = openHeld({ ...LIMITS, ...given });
      grown.set(Buffer.from(header), header.length);
      let rows: string[][] = [];
      for (const piece of cuts(random, bytes, header.length)) {
        const covered = grown.covered() + piece.length;
        if (!grown.append(piece)) grown.set(bytes.slice(0, covered), covered);
        expect(grown.covered()).toBe(covered);
        const isWhole = random.chance(0.5);
        const revision = grown.publish(isWhole);
        if (!revision) continue;
        const { table, change, view } = revision;
        const rowsOf = (from: number, to: number) => JSON.parse(table.render(from, to, "arrays").text!) as string[][];
        if (change === "all") rows = rowsOf(view.first, view.end);
        else
          for (const { start, deleted, from, inserted } of change)
            rows.splice(start, deleted, ...rowsOf(from, from + inserted));
        expect(rows).toEqual(rowsOf(view.first, view.end));
        const whole = openHeld({ ...LIMITS, ...given });
        whole.set(bytes.slice(0, covered), covered);
        whole.publish(isWhole);
        expect(whatIs(grown)).toEqual(whatIs(whole));
      }
    });
  });
});
