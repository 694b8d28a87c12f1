// Random edits of a table of bytes: after each it must be what a fresh look at the bytes gives, and the splices must lead there.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { openDocument } from "../../src/csv/document.ts";
import type { BlockSize } from "../../src/csv/blocks.ts";
import { openTable } from "../../src/csv/table.ts";
import { forSeeds, type Random, RANDOM_TIMEOUT_MS, shareOf } from "./random.ts";

setDefaultTimeout(RANDOM_TIMEOUT_MS);

const HEADER = "a,b,c\n";
const SOUP = [
  "1",
  "x",
  "é",
  "語",
  ",",
  ",",
  "\n",
  "\n",
  "\r\n",
  '"',
  '""',
  '"q,\n"',
  "\r",
  "\r\r\n",
  " ",
  "7,8,9\n",
  "1,2,3,4,5\n",
] as const;

function soup(random: Random, length: number): string {
  let text = "";
  for (let i = random.below(length); i > 0; i--) text += random.pick(SOUP);
  return text;
}

function open(text: string, size?: BlockSize) {
  const bytes = Buffer.from(text);
  const document = openDocument(bytes, bytes.length, { delimiter: ",", skipLines: 0, quote: '"' });
  return openTable(document, size && { size });
}

function rowsOf(table: ReturnType<typeof open>): string[][] {
  return JSON.parse(table.render(0, table.rows(), "arrays").text ?? "") as string[][];
}

/** Borders between characters of the body, so that no edit tears one. */
function borders(text: string): number[] {
  const all = [Buffer.byteLength(HEADER)];
  for (const character of text.slice(HEADER.length)) all.push(all.at(-1)! + Buffer.byteLength(character));
  return all;
}

describe("a table under random edits", () => {
  test("is what its bytes say, and its splices lead there", () => {
    forSeeds(shareOf(6_000), (random) => {
      let text = HEADER + soup(random, 30);
      const min = 4 + random.below(30);
      const table = open(text, { min, max: min * (2 + random.below(3)) });
      let copy = rowsOf(table);
      for (let edit = 0; edit < 4; edit++) {
        const places = borders(text);
        const isAppend = random.chance(0.3);
        const at = isAppend ? places.at(-1)! : random.pick(places);
        const to = random.pick(places.filter((place) => place >= at && place <= at + 20));
        const inserted = Buffer.from(soup(random, 8));
        const old = Buffer.from(text);
        text = Buffer.concat([old.subarray(0, at), inserted, old.subarray(to)]).toString();
        const change = table.replace(at, to - at, inserted);
        const fresh = open(text);
        expect([table.rows(), table.tally().surplus, table.openQuoteAt(), table.openRow() !== undefined]).toEqual([
          fresh.rows(),
          fresh.tally().surplus,
          fresh.openQuoteAt(),
          fresh.openRow() !== undefined,
        ]);
        const rows = rowsOf(table);
        expect(rows).toEqual(rowsOf(fresh));
        if (change === "all") copy = rows;
        else
          for (const { start, deleted, inserted: count } of change)
            copy.splice(start, deleted, ...rows.slice(start, start + count));
        expect(copy).toEqual(rows);
        if (table.rows() > 1) {
          const from = random.below(table.rows());
          expect(JSON.parse(table.render(from, table.rows(), "arrays").text ?? "")).toEqual(rows.slice(from));
          expect(JSON.parse(table.render(0, from, "arrays").text ?? "")).toEqual(rows.slice(0, from));
        }
      }
      expect(Buffer.concat([...table.pieces()]).toString()).toBe(text);
    });
  });
});

const numbered = (count: number) => Array.from({ length: count }, (_, r) => `${r},${r * 7},row ${r}\n`);

describe("splices are small", () => {
  const before = numbered(20_000);
  const replaceAll = (after: string[]) => {
    const table = open(HEADER + before.join(""));
    const text = after.join("");
    const old = before.join("");
    let prefix = 0;
    while (prefix < Math.min(old.length, text.length) && old[prefix] === text[prefix]) prefix++;
    return table.replace(HEADER.length + prefix, old.length - prefix, Buffer.from(text.slice(prefix)));
  };
  test("one cell in many places: one splice each", () => {
    const after = before.map((row, r) => (r % 500 === 9 ? row.replace("row", "ROW") : row));
    expect(replaceAll(after)).toHaveLength(40);
  });
  test("a row inserted, a row deleted, a row edited", () => {
    const after = [...before];
    after.splice(100, 0, "new,new,new\n");
    after.splice(5_000, 1);
    after[12_000] = "edited,1,2\n";
    expect(replaceAll(after)).toEqual([
      { start: 100, deleted: 0, inserted: 1 },
      { start: 5_000, deleted: 1, inserted: 0 },
      { start: 12_000, deleted: 1, inserted: 1 },
    ]);
  });
  test("a sorted file is honestly all of it", () => {
    expect(replaceAll(before.toReversed())).toBe("all");
  });
  test("an appended row is one row, also where the last one had no newline", () => {
    const table = open(`${HEADER}1,2,3`);
    expect(table.replace(table.length(), 0, Buffer.from("\n4,5,6"))).toEqual([{ start: 1, deleted: 0, inserted: 1 }]);
  });
});
