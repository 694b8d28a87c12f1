// A table in every shape in which it is sent, and that all of them are the same table.
import { expect } from "bun:test";
import Papa from "papaparse";
import { openDocument } from "../../src/csv/document.ts";
import { CHUNK_BYTES, PART_BYTES } from "../../src/csv/parts.ts";
import { type CsvTable, openTable } from "../../src/csv/table.ts";
import type { DocumentShape } from "../../src/csv/parts.ts";
import { documentParts, documentText, rowsParts } from "./rendered.ts";

export function tableOf(text: string, delimiter?: string): CsvTable {
  const bytes = Buffer.from(text);
  return openTable(openDocument(bytes, bytes.length, { delimiter }));
}

export function partsOf(table: CsvTable, from = 0, to = table.rows()) {
  const parts = rowsParts(table, from, to);
  for (const { text, bytes } of parts) expect(bytes).toBe(Buffer.byteLength(text));
  return parts.map(({ at, text }) => ({ at, text }));
}

export const documentOf = (table: CsvTable, shape: DocumentShape, from = 0, to = table.rows()) =>
  documentText(table, from, to, shape);

export const many = (row: (r: number) => string, count: number) =>
  "id,text\n" + Array.from({ length: count }, (_, r) => `${r},${row(r)}\n`).join("");
export const giant = '"' + 'x,""\n'.repeat(300_000) + '"';

/** As `toEqual` says, in a tenth of its time. */
const isSame = (some: string[][], others: string[][]) => JSON.stringify(some) === JSON.stringify(others);

export type Shaped = { readonly text: string; readonly isWithinBounds: boolean };

export function areOneTable(entry: Shaped): void {
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
}
