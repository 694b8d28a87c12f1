// A random table, or a range of its rows, in every shape: the same cells, read back by other means.
import { expect, setDefaultTimeout, test } from "bun:test";
import Papa from "papaparse";
import { openDocument } from "../../src/csv/document.ts";
import { CsvError } from "../../src/csv/error.ts";
import { type DocumentShape, renderDocumentChunks, renderRows } from "../../src/csv/parts.ts";
import { type CsvTable, openTable } from "../../src/csv/table.ts";
import { hostile, type TestDocument, wellFormed } from "./documents.ts";
import { forSeeds, RANDOM_TIMEOUT_MS, shareOf, shown } from "./random.ts";
import { readRecords, toRows } from "./reference.ts";

setDefaultTimeout(RANDOM_TIMEOUT_MS);

const DOCUMENTS = shareOf(6_000);
const NORMALISED = shareOf(3_000);

/** Undefined for what is refused: binary content, a header that is none. */
function open({ text, delimiter }: TestDocument): CsvTable | undefined {
  const bytes = Buffer.from(text);
  try {
    // Given, since a document of many NULs is UTF-16 otherwise.
    return openTable(openDocument(bytes, bytes.length, { delimiter, encoding: "utf-8" }));
  } catch (error) {
    if (error instanceof CsvError) return undefined;
    throw error;
  }
}

function textOf(table: CsvTable, from: number, to: number, shape: DocumentShape): string {
  return Buffer.concat([...renderDocumentChunks(table, from, to, shape)]).toString();
}

test(`${shown(DOCUMENTS)} documents say the same as arrays, objects, lines and normalised CSV`, () => {
  let opened = 0;
  forSeeds(DOCUMENTS, (random) => {
    const document = random.chance(0.5) ? hostile(random) : wellFormed(random);
    const table = open(document);
    if (!table) return;
    opened++;
    const { columns, layout } = table;
    const { records } = readRecords(document.text, document.delimiter, String.fromCharCode(layout.recordEnd) as "\n");
    const from = random.chance(0.5) ? 0 : random.below(table.rows() + 1);
    const to = random.chance(0.5) ? table.rows() : from + random.below(table.rows() - from + 1);
    const rows = toRows(records.slice(1), columns.length).rows.slice(from, to);

    const parts = [...renderRows(table, from, to)];
    for (const { text, bytes } of parts) expect(bytes).toBe(Buffer.byteLength(text));
    expect(parts.map(({ text }) => JSON.parse(text) as string[][]).flat()).toEqual(rows);
    expect(textOf(table, from, to, "json")).toBe(table.render(from, to, "objects").text!);
    const lines = textOf(table, from, to, "ndjson");
    expect(lines.endsWith("\n") || rows.length === 0).toBe(true);
    expect(`[${lines.trimEnd().split("\n").join(",")}]`).toBe(textOf(table, from, to, "json"));
    const read = Papa.parse<string[]>(textOf(table, from, to, "csv"), { delimiter: ",", newline: "\r\n" });
    expect(read.errors).toEqual([]);
    expect(read.data.slice(0, -1)).toEqual(columns.length > 0 ? [[...columns], ...rows] : []);
    expect(read.data.length === 0 || read.data.at(-1)?.join() === "").toBe(true);
  });
  expect(opened).toBeGreaterThan(DOCUMENTS / 2);
});

test(`${shown(NORMALISED)} normalised documents stay as they are when they are normalised again`, () => {
  let compared = 0;
  forSeeds(NORMALISED, (random) => {
    const table = open(hostile(random));
    if (!table || table.columns.length === 0) return;
    const csv = textOf(table, 0, table.rows(), "csv");
    const again = open({ text: csv, delimiter: ",", recordEnd: "\n", newline: "\r\n" });
    if (!again || again.columns.join() !== table.columns.join()) return;
    expect(textOf(again, 0, again.rows(), "csv")).toBe(csv);
    compared++;
  });
  expect(compared).toBeGreaterThan(NORMALISED / 10);
});
