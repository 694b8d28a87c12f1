// All parts of some rows of a table, one after the other.
import type { Typing } from "../../src/csv/literals.ts";
import { type Chunk, type DocumentShape, documentPart, partsOf, rowsPart, type TextPart } from "../../src/csv/parts.ts";
import type { CsvTable } from "../../src/csv/table.ts";

export function rowsParts(table: CsvTable, from: number, to: number): TextPart[] {
  const range = { table: table.blocks(), from, to };
  return [...partsOf(to - from, (at) => rowsPart(range, at))];
}

export function documentParts(
  table: CsvTable,
  from: number,
  to: number,
  shape: DocumentShape,
  typing?: Typing,
): Chunk[] {
  const range = { table: table.blocks(), from, to };
  return [...partsOf(to - from, (at) => documentPart(range, at, shape, typing))];
}

export const documentText = (...of: Parameters<typeof documentParts>): string =>
  Buffer.concat(documentParts(...of).map(({ data }) => data)).toString();
