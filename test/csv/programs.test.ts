// Files in the shape that programs write, each with the table that a person expects: converted, and as a live file that grows
// from its first byte.
import { describe, expect, test } from "bun:test";
import { convertCsvToJson } from "../../src/source/convert.ts";
import { CsvError } from "../../src/csv/error.ts";
import { openHeld } from "../../src/source/held.ts";
import { follow } from "./following.ts";
import { bytesOf, cases, growing, pathOf, wanted } from "./program-cases.ts";
import { EACH, growsByteByByte } from "./program-growing.ts";

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
  test.each(growing.filter((_, n) => n % EACH === 0))("%s", growsByteByByte);
});

describe("a header that lines of something else seem to follow", () => {
  const text = (notes: number) => {
    const lines = Array.from({ length: notes }, (_, n) => `about pump ${n}`);
    const rows = Array.from({ length: 60 }, (_, r) => `12:${r < 10 ? `0${r}` : r},${r},0.5`);
    return Buffer.from(["notes", ...lines, "time,flow,level", ...rows, ""].join("\n"));
  };

  test.each([3, 5, 8])("gives way to another one below it while fewer than 20 rows are on air: %d lines", (notes) => {
    const followed = follow(text(notes), {});
    followed.grow("records");
    expect(followed.shown().columns).toEqual(["time", "flow", "level"]);
    expect(followed.shown()).toEqual(followed.final());
    expect(followed.epochs()).toBe(2);
  });

  test.each([20, 25])("stays with %d rows on air: nothing that was shown is lost", (notes) => {
    const followed = follow(text(notes), {});
    followed.grow("records");
    expect(followed.shown().columns).toEqual(["notes"]);
    expect(followed.shown().rows.slice(0, notes)).toEqual(Array.from({ length: notes }, (_, n) => [`about pump ${n}`]));
    expect(followed.epochs()).toBe(1);
    expect(followed.final().columns).toEqual(["time", "flow", "level"]);
  });
});

test("units are known, from a row of them and from names", () => {
  for (const entry of cases) {
    if ("error" in entry.expected || !entry.expected.units) continue;
    const held = openHeld({ ...entry.options, lastRows: Infinity, maxCellBytes: Infinity });
    const bytes = bytesOf(entry);
    held.set(bytes, bytes.length);
    const units = held.publish(true)!.document.dialect.units;
    expect([entry.name, units.map((unit) => unit ?? null)]).toEqual([entry.name, entry.expected.units]);
  }
});
