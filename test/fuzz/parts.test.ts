// A random table, or a range of its rows, in every shape: the same cells, read back by other means.
import { expect, setDefaultTimeout, test } from "bun:test";
import Papa from "papaparse";
import { openDocument } from "../../src/csv/document.ts";
import { CsvError } from "../../src/csv/error.ts";
import { csvHeader } from "../../src/csv/rfc4180.ts";
import { type CsvTable, openTable } from "../../src/csv/table.ts";
import { documentText, rowsParts } from "../csv/rendered.ts";
import { hostile, PIECES, type TestDocument, wellFormed } from "./documents.ts";
import { forSeeds, type Random, RANDOM_TIMEOUT_MS, shareOf, shown } from "./random.ts";
import { readRecords, toRows } from "./reference.ts";

setDefaultTimeout(RANDOM_TIMEOUT_MS);

const DOCUMENTS = shareOf(6_000);
const NORMALISED = shareOf(3_000);

/** Every record is a row, and every quote means what it should. Undefined for what is refused: binary content. */
function open({ text, delimiter }: TestDocument, names: readonly string[]): CsvTable | undefined {
  const bytes = Buffer.from(text);
  try {
    // The encoding is given, since a document of many NULs is UTF-16 otherwise.
    return openTable(
      openDocument(bytes, bytes.length, { delimiter, encoding: "utf-8", noHeader: true, names, quote: '"' }),
    );
  } catch (error) {
    if (error instanceof CsvError) return undefined;
    throw error;
  }
}

const namesOf = (random: Random) =>
  Array.from({ length: 1 + random.below(5) }, (_, c) => `${random.pick(PIECES)}"${c}`);

test(`${shown(DOCUMENTS)} documents say the same as arrays, objects, lines and normalised CSV`, () => {
  let opened = 0;
  forSeeds(DOCUMENTS, (random) => {
    const document = random.chance(0.5) ? hostile(random) : wellFormed(random);
    const table = open(document, namesOf(random));
    if (!table) return;
    opened++;
    const { columns, layout } = table;
    const { records } = readRecords(document.text, document.delimiter, String.fromCharCode(layout.recordEnd) as "\n");
    const from = random.chance(0.5) ? 0 : random.below(table.rows() + 1);
    const to = random.chance(0.5) ? table.rows() : from + random.below(table.rows() - from + 1);
    const rows = toRows(records, columns.length).rows.slice(from, to);

    const parts = rowsParts(table, from, to);
    for (const { text, bytes } of parts) expect(bytes).toBe(Buffer.byteLength(text));
    expect(parts.map(({ text }) => JSON.parse(text) as string[][]).flat()).toEqual(rows);
    expect(documentText(table, from, to, "json")).toBe(table.render(from, to, "objects").text!);
    const lines = documentText(table, from, to, "ndjson");
    expect(lines.endsWith("\n") || rows.length === 0).toBe(true);
    expect(`[${lines.trimEnd().split("\n").join(",")}]`).toBe(documentText(table, from, to, "json"));
    const read = Papa.parse<string[]>(documentText(table, from, to, "csv"), { delimiter: ",", newline: "\r\n" });
    expect(read.errors).toEqual([]);
    expect(read.data.slice(0, -1)).toEqual(columns.length > 0 ? [[...columns], ...rows] : []);
    expect(read.data.length === 0 || read.data.at(-1)?.join() === "").toBe(true);
  });
  expect(opened).toBeGreaterThan(DOCUMENTS / 2);
});

test(`${shown(NORMALISED)} normalised documents stay as they are when they are normalised again`, () => {
  let compared = 0;
  forSeeds(NORMALISED, (random) => {
    const names = namesOf(random);
    const table = open(hostile(random), names);
    if (!table) return;
    const header = csvHeader(names);
    const csv = documentText(table, 0, table.rows(), "csv");
    expect(csv.startsWith(header)).toBe(true);
    const body = csv.slice(header.length);
    const again = open({ text: body, delimiter: ",", recordEnd: "\n", newline: "\r\n" }, names);
    if (!again) return;
    expect(documentText(again, 0, again.rows(), "csv")).toBe(csv);
    compared++;
  });
  expect(compared).toBeGreaterThan(NORMALISED / 10);
});
