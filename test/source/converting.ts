// Files to convert, and that converting gives what the Worker puts on air.
import { expect } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDocument, renderDocument, takeCensus } from "../../src/csv/document.ts";
import { convertCsvToJson } from "../../src/source/convert.ts";

export const folder = mkdtempSync(join(tmpdir(), "csvcast-convert-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

export function file(name: string, content: string | Buffer): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

/** What the Worker puts on air for the same bytes. */
function asWorker(path: string): string | undefined {
  const bytes = readFileSync(path);
  const document = openDocument(bytes, bytes.length);
  return renderDocument(document, takeCensus(document).end).text;
}

export const row = (i: number) => `${i},"Müller, ""${i}""\nand more",${"x".repeat(i % 50)}\r\n`;
export const big = (header: string, make: (i: number) => string) =>
  header + Array.from({ length: 60_000 }, (_, i) => make(i)).join("");

export async function givesTheWorkersText(name: string, content: string | Buffer): Promise<void> {
  const path = file(`${name}.csv`, content);
  const text = await convertCsvToJson(path);
  expect(text === asWorker(path)).toBe(true);
  expect(Array.isArray(JSON.parse(text))).toBe(true);
}
