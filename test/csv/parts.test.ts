import { describe, expect, setDefaultTimeout, test } from "bun:test";
import Papa from "papaparse";
import { openDocument } from "../../src/csv/document.ts";
import { CHUNK_BYTES, checkSize, documentPart, PART_BYTES, rowsPart } from "../../src/csv/parts.ts";
import { type CsvTable, openTable } from "../../src/csv/table.ts";
import type { DocumentShape } from "../../src/csv/parts.ts";
import { documentParts, documentText, rowsParts } from "./rendered.ts";

setDefaultTimeout(30_000);

function tableOf(text: string, delimiter?: string): CsvTable {
  const bytes = Buffer.from(text);
  return openTable(openDocument(bytes, bytes.length, { delimiter }));
}

function partsOf(table: CsvTable, from = 0, to = table.rows()) {
  const parts = rowsParts(table, from, to);
  for (const { text, bytes } of parts) expect(bytes).toBe(Buffer.byteLength(text));
  return parts.map(({ at, text }) => ({ at, text }));
}

const documentOf = (table: CsvTable, shape: DocumentShape, from = 0, to = table.rows()) =>
  documentText(table, from, to, shape);

const csvOf = (text: string, delimiter?: string) => documentOf(tableOf(text, delimiter), "csv");

describe("RFC 4180: ", () => {
  const cases: { name: string; text: string; csv: string; delimiter?: string }[] = [
    { name: "plain cells stay plain", text: "a,b\n1,2\n", csv: "a,b\r\n1,2\r\n" },
    { name: "the header alone", text: "a,b\n", csv: "a,b\r\n" },
    { name: "nothing", text: "", csv: "" },
    { name: "a BOM goes", text: "\ufeffa,b\n1,2\n", csv: "a,b\r\n1,2\r\n" },
    { name: "quotes that nothing needs go", text: '"a","b"\n"1","2"\n', csv: "a,b\r\n1,2\r\n" },
    { name: "another delimiter", text: "a;b\n1,5;x y\n", csv: 'a,b\r\n"1,5",x y\r\n' },
    { name: "a tab inside a cell", text: 'a\tb\n"x\ty"\t2\n', csv: "a,b\r\nx\ty,2\r\n" },
    { name: "quotes inside quotes", text: 'a,b\n"say ""hi""",""""\n', csv: 'a,b\r\n"say ""hi""",""""\r\n' },
    { name: "a quote in mid-cell", text: 'a,b\n5" disk,6\n', csv: 'a,b\r\n"5"" disk",6\r\n' },
    { name: "text after a closing quote", text: 'a,b\n"x"y,"p,"q"\n', csv: 'a,b\r\nxy,"p,q"""\r\n' },
    { name: "line ends inside quotes", text: 'a,b\n"1\n2","3\r\n4"\n', csv: 'a,b\r\n"1\n2","3\r\n4"\r\n' },
    { name: "a CR in a file with LF", text: "a,b\n1\r1,2\n", csv: 'a,b\r\n"1\r1",2\r\n' },
    { name: "CR alone ends records", text: "a,b\r1,2\r3,4", csv: "a,b\r\n1,2\r\n3,4\r\n" },
    { name: "short and long rows", text: "a,b,c\n1\n1,2,3,4,5\n,\n", csv: "a,b,c\r\n1,,\r\n1,2,3\r\n,,\r\n" },
    { name: "an empty cell alone is a row", text: 'a\n""\nx\n', csv: 'a\r\n""\r\nx\r\n', delimiter: "," },
    { name: "also where a surplus cell made it one", text: "a\n,\n", csv: 'a\r\n""\r\n', delimiter: "," },
    { name: "and as a header", text: '""\nx\n', csv: '""\r\nx\r\n', delimiter: "," },
    { name: "names are the unique ones", text: "a,a\n1,2\n", csv: "a,a_1\r\n1,2\r\n" },
    { name: "names in quotes", text: '"a,b","c""d"\n1,2\n', csv: '"a,b","c""d"\r\n1,2\r\n' },
    { name: "a last row without its end", text: "a,b\n1,2", csv: "a,b\r\n1,2\r\n" },
    { name: "a CRLF torn at the end", text: "a,b\n1,2\r", csv: "a,b\r\n1,2\r\n" },
    { name: "a record in an open quote is no row", text: 'a,b\n1,2\n"3,4\n', csv: "a,b\r\n1,2\r\n" },
    { name: "letters of all lengths", text: "é,€\n😀,ß\n", csv: "é,€\r\n😀,ß\r\n" },
  ];
  test.each(cases.map((entry) => [entry.name, entry] as const))("%s", (_name, { text, csv, delimiter }) => {
    expect(csvOf(text, delimiter)).toBe(csv);
  });
});

/** As `toEqual` says, in a tenth of its time. */
const isSame = (some: string[][], others: string[][]) => JSON.stringify(some) === JSON.stringify(others);

describe("the shapes of", () => {
  const many = (row: (r: number) => string, count: number) =>
    "id,text\n" + Array.from({ length: count }, (_, r) => `${r},${row(r)}\n`).join("");
  const giant = '"' + 'x,""\n'.repeat(300_000) + '"';
  const cases: { name: string; text: string; isWithinBounds: boolean }[] = [
    { name: "an empty file", text: "", isWithinBounds: true },
    { name: "a header", text: "a,b\n", isWithinBounds: true },
    { name: "one row", text: "a,b\n1,2\n", isWithinBounds: true },
    { name: "many ASCII rows", text: many((r) => `row ${r}`, 60_000), isWithinBounds: true },
    { name: "many rows with é", text: many((r) => `é${r}`, 40_000), isWithinBounds: true },
    { name: "many rows with €", text: many((r) => `€${r}`, 40_000), isWithinBounds: true },
    { name: "many controls", text: many(() => "\x1b".repeat(2_000), 200), isWithinBounds: true },
    { name: "a giant cell first", text: many((r) => (r === 0 ? giant : "x"), 5_000), isWithinBounds: false },
    { name: "a giant cell amidst", text: many((r) => (r === 4_000 ? giant : "x"), 9_000), isWithinBounds: false },
    { name: "two giant cells at the end", text: many((r) => (r > 97 ? giant : "x"), 100), isWithinBounds: false },
    {
      name: "a wide header over short rows",
      text: Array.from({ length: 20_000 }, (_, c) => `a long name ${c}`).join() + "\n" + "1,é\n".repeat(9),
      isWithinBounds: true,
    },
  ];
  test.each(cases.map((entry) => [entry.name, entry] as const))("%s are one table", (_name, entry) => {
    const table = tableOf(entry.text);
    const objects = table.render(0, table.rows(), "objects").text!;
    const arrays = JSON.parse(table.render(0, table.rows(), "arrays").text!) as string[][];

    const parts = partsOf(table);
    let at = 0;
    for (const part of parts) {
      const rows = JSON.parse(part.text) as string[][];
      expect(part.at).toBe(at);
      expect(isSame(rows, arrays.slice(at, at + rows.length))).toBe(true);
      if (rows.length > 1) expect(Buffer.byteLength(part.text)).toBeLessThanOrEqual(PART_BYTES);
      at += rows.length;
    }
    expect(at).toBe(arrays.length);
    expect(parts.length).toBeGreaterThan(0);
    expect(parts.every(({ text }) => text.length <= PART_BYTES)).toBe(entry.isWithinBounds);

    expect(documentOf(table, "json") === objects).toBe(true);
    const lines = documentOf(table, "ndjson");
    expect(`[${lines.trimEnd().split("\n").join(",")}]` === objects).toBe(true);
    const read = Papa.parse<string[]>(documentOf(table, "csv"), { delimiter: ",", newline: "\r\n" }).data;
    expect(isSame(read.slice(1, -1), arrays)).toBe(true);
    for (const shape of ["json", "ndjson", "csv"] as const)
      for (const { at, next, data } of documentParts(table, 0, table.rows(), shape)) {
        expect(data.buffer.byteLength).toBe(data.length);
        const last = table.rows() === 0 ? 0 : Buffer.byteLength(documentText(table, next - 1, next, shape));
        expect(next === at || data.length <= CHUNK_BYTES + last).toBe(true);
      }
  });

  test("a part of a table: rows count from its first", () => {
    const table = tableOf("a\n0\n1\n2\n3", ",");
    expect(partsOf(table, 1, 3)).toEqual([{ at: 0, text: '[["1"],["2"]]' }]);
    expect(documentOf(table, "csv", 1, 3)).toBe("a\r\n1\r\n2\r\n");
    expect(documentOf(table, "ndjson", 3, 4)).toBe('{"a":"3"}\n');
    expect(partsOf(table, 2, 2)).toEqual([{ at: 0, text: "[]" }]);
    expect(documentOf(table, "ndjson", 2, 2)).toBe("");
  });

  test("a small file of many columns and short rows are not made where they would be a huge table", () => {
    const table = tableOf(`${Array.from({ length: 50_000 }, (_, c) => c).join()}\n${"1\n".repeat(200_000)}`, ",");
    const blocks = table.blocks();
    for (const shape of ["rows", "json", "ndjson", "csv"] as const) {
      expect(() => checkSize({ table: blocks, from: 0, to: table.rows() }, shape)).toThrow(
        `as ${shape} the table is longer than 4 GiB`,
      );
      expect(() => checkSize({ table: blocks, from: 0, to: 10 }, shape)).not.toThrow();
    }
  });

  test("any part can be made alone, and again, of the table as it was", () => {
    const table = tableOf(`a\n${`${"x".repeat(1000)}\n`.repeat(5_000)}`, ",");
    const range = { table: table.blocks(), from: 3, to: 4_990 };
    const parts = rowsParts(table, 3, 4_990);
    const chunks = documentParts(table, 3, 4_990, "csv");
    expect([parts.length, chunks.length]).toEqual([20, 10]);
    table.replace(2, 4_000_000, Buffer.from("y\n"));
    for (const part of parts.toReversed()) expect(rowsPart(range, part.at)).toEqual(part);
    for (const chunk of chunks.toReversed()) expect(documentPart(range, chunk.at, "csv")).toEqual(chunk);
  });
});
