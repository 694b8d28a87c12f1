// Random documents through the csv room, against papaparse where papaparse follows DESIGN section 3, and against a slow
// reference of our own everywhere else.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import Papa from "papaparse";
import { SPARE_BYTES } from "../../src/csv/encoding.ts";
import { CR, type Layout, LF, walkRecords } from "../../src/csv/records.ts";
import { createRenderer, jsonOf, terminate } from "../../src/csv/render.ts";
import { hostile, PIECES, type TestDocument, wellFormed } from "./documents.ts";
import { forSeeds, type Random, RANDOM_TIMEOUT_MS, shareOf, shown } from "./random.ts";
import { readRecords, toRows } from "./reference.ts";

setDefaultTimeout(RANDOM_TIMEOUT_MS);

const WELL_FORMED = shareOf(12_000);
const HOSTILE = shareOf(20_000);
const LARGE = shareOf(200);

/**
 * Where papaparse does not follow DESIGN section 3, and what keeps the comparison fair. Everything else must be equal.
 */
const KNOWN_DIFFERENCES = [
  {
    what: "text around a closing quote is read with unlimited lookahead",
    kept: "its oracle documents have well-formed quotes",
  },
  {
    what: "blanks before a quote are data, and the quote is",
    kept: "its oracle documents have no cell that begins so",
  },
  {
    what: "a line of nothing but NULs is a row, and more than one CR before a LF are data",
    kept: "its oracle documents have no such line, and no cell that ends in a CR",
  },
  { what: 'a line of `""` alone is skipped as empty', kept: "such records are left out of its result, and of ours" },
  {
    what: "one record end per document",
    kept: "its oracle documents do not mix LF and CRLF, and hold no lone CR outside quotes",
  },
  {
    what: "a short row misses keys, a long row has __parsed_extra",
    kept: "it parses to arrays; both sides are filled and cut to the header",
  },
] as const;

/** Our answer: rows as arrays under a header that is the first record, through `splits` calls. */
/** Of all renderings: large ones are written by WebAssembly. */
const arena = {};

function ours({ text, delimiter, recordEnd }: TestDocument, columns: number, random?: Random) {
  const layout: Layout = { delimiter: delimiter.charCodeAt(0), recordEnd: recordEnd === "\n" ? LF : CR };
  const length = Buffer.byteLength(text);
  const bytes = new Uint8Array(length + SPARE_BYTES).fill(0x22); // what lies behind the text must not matter
  bytes.set(Buffer.from(text));
  const starts: number[] = [];
  let walkedSurplus = 0;
  const open = walkRecords(bytes, 0, length, layout, columns, (start, _end, _fields, surplus) => {
    starts.push(start);
    walkedSurplus += surplus;
  });
  const renderer = createRenderer(layout, columns, random ? 0 : length, arena);
  let from = 0;
  while (random?.chance(0.5) && starts.length > 1) {
    const border = random.pick(starts);
    if (border > from) from = renderer.add(bytes, from, border);
  }
  const end = terminate(bytes, from, length, layout);
  const stopped = from < length ? renderer.add(bytes, from, end) : end;
  const { text: json, bytes: written, rows, surplus } = renderer.finish();
  expect(written).toBe(Buffer.byteLength(json!));
  expect(rows).toBe(starts.length);
  expect(surplus).toBe(walkedSurplus);
  expect(stopped === end ? -1 : stopped).toBe(open);
  const parsed = JSON.parse(json!) as string[][];
  expect(JSON.stringify(parsed)).toBe(json!);
  return { rows: parsed, surplus, openQuote: open !== -1 };
}

const isQuotedBlank = (record: string[]) => record.length === 1 && record[0] === "";
const fill = (columns: number) => (record: string[]) => Array.from({ length: columns }, (_, c) => record[c] ?? "");

describe("random documents", () => {
  test(`${shown(WELL_FORMED)} well-formed ones give what papaparse gives`, () => {
    expect(KNOWN_DIFFERENCES).toHaveLength(6);
    forSeeds(WELL_FORMED, (random) => {
      const document = wellFormed(random);
      const { text, delimiter, newline } = document;
      const records = Papa.parse<string[]>(text, { delimiter, newline, skipEmptyLines: true }).data;
      const columns = Math.max(1, records[0]?.length ?? 1);
      const mine = ours(document, columns).rows.filter((row) => columns > 1 || !isQuotedBlank(row));
      const theirs = records.map(fill(columns)).filter((row) => columns > 1 || !isQuotedBlank(row));
      if (columns > 1) {
        // A quoted blank line is a row of empty cells here and none there.
        const isEmpty = (row: string[]) => row.every((cell) => cell === "");
        expect(mine.filter((row) => !isEmpty(row))).toEqual(theirs.filter((row) => !isEmpty(row)));
        expect(mine.length).toBeGreaterThanOrEqual(theirs.length);
      } else expect(mine).toEqual(theirs);
    });
  });

  test(`${shown(HOSTILE)} of any bytes give what the reference gives, through any number of calls`, () => {
    forSeeds(HOSTILE, (random) => {
      const document = random.chance(0.5) ? hostile(random) : wellFormed(random);
      const { records, openQuote } = readRecords(document.text, document.delimiter, document.recordEnd);
      const columns = 1 + random.below(5);
      expect(ours(document, columns, random)).toEqual({ ...toRows(records, columns), openQuote });
    });
  });

  test(`${shown(LARGE)} large ones, with cells longer than the writer's window, give what the reference gives`, () => {
    forSeeds(LARGE, (random) => {
      const document = wellFormed(random);
      const long =
        "x".repeat(random.below(100_000)) + (random.chance(0.5) ? '""\n\x01'.repeat(random.below(20_000)) : "");
      const cell = `"${long}"`;
      const text = [document.text, cell, document.text, cell + document.delimiter + cell, "z"].join(document.newline);
      const { records, openQuote } = readRecords(text, document.delimiter, document.recordEnd);
      const columns = 1 + random.below(3);
      expect(ours({ ...document, text }, columns)).toEqual({ ...toRows(records, columns), openQuote });
    });
  });

  test("objects have the same cells under their names, and JSON.parse reads every name back", () => {
    forSeeds(shareOf(2_000), (random) => {
      const { text, delimiter, recordEnd } = hostile(random);
      const names = Array.from({ length: 1 + random.below(4) }, (_, c) => `${random.pick(PIECES)}"${c}`);
      const layout: Layout = { delimiter: delimiter.charCodeAt(0), recordEnd: recordEnd === "\n" ? LF : CR };
      const bytes = Buffer.concat([Buffer.from(text), Buffer.alloc(SPARE_BYTES)]);
      const to = bytes.length - SPARE_BYTES;
      const objects = JSON.parse(jsonOf(bytes, 0, to, layout, names)) as Record<string, string>[];
      const arrays = JSON.parse(jsonOf(bytes, 0, to, layout, names.length)) as string[][];
      expect(objects.map((row) => names.map((name) => row[name]))).toEqual(arrays as (string | undefined)[][]);
    });
  });
});
