// Files in the shape that programs write, each with the table that a person expects: converted, and as a live file that grows
// from its first byte.
import { describe, expect, test } from "bun:test";
import { convertCsvToJson } from "../../src/source/convert.ts";
import { CsvError } from "../../src/csv/error.ts";
import { openHeld } from "../../src/source/held.ts";
import { follow } from "./following.ts";
import { bytesOf, cases, pathOf, wanted } from "./program-cases.ts";

describe("converted", () => {
  test.each(wanted)("%s", async (_name, entry) => {
    const { expected, options } = entry;
    const converting = convertCsvToJson(pathOf(entry), options);
    if ("error" in expected) return expect(converting).rejects.toBeInstanceOf(CsvError);
    const text = await converting;
    const { columns, rows } = follow(bytesOf(entry), options).final();
    expect(columns).toEqual(expected.columns);
    expect(rows).toHaveLength(expected.rows);
    expect(rows.at(0) ?? []).toEqual(expected.first);
    expect(rows.at(-1) ?? []).toEqual(expected.last);
    const cell = (name: string, value: string) => `${JSON.stringify(name)}:${JSON.stringify(value)}`;
    const objects = rows.map((row) => `{${row.map((value, c) => cell(columns[c]!, value)).join()}}`);
    expect(text).toBe(`[${objects.join()}]`);
  });
});

describe("growing record by record", () => {
  const growing = wanted.filter(([, { expected }]) => !("error" in expected));
  test.each(growing)("%s", (_name, entry) => {
    const { expected, options } = entry;
    if ("error" in expected) return;
    const followed = follow(bytesOf(entry), options);
    followed.grow("records");
    expect(followed.epochs()).toBeLessThanOrEqual(3);
    expect(followed.final()).toEqual(followed.shown());
  });
});

describe("growing byte by byte", () => {
  const growing = wanted.filter(([, { expected }]) => !("error" in expected));
  test.each(growing)("%s", (_name, entry) => {
    const followed = follow(bytesOf(entry), entry.options);
    followed.grow("bytes");
    expect(followed.shown()).toEqual(followed.final());
  });
});

test("units are known, from a row of them and from names", () => {
  for (const entry of cases) {
    if ("error" in entry.expected || !entry.expected.units) continue;
    const held = openHeld({ ...entry.options, lastRows: Infinity, maxCellBytes: Infinity });
    const bytes = bytesOf(entry);
    held.set(bytes, bytes.length);
    const units = held.publish(true)!.document.dialect.units;
    expect([entry.name, units]).toEqual([entry.name, entry.expected.units]);
  }
});
