// The words for what is going on.
import { describe, expect, test } from "bun:test";
import { ageText, shapeText, statusLine, type StatusSource } from "../../../src/cli/server/status.ts";
import { sizeText } from "../../../src/feed/printable.ts";
import type { About, Publication, Status } from "../../../src/feed/publication.ts";

describe("a shape", () => {
  const cases = [
    { input: { rows: 0, columns: 0 }, expected: "0 rows × 0 columns" },
    { input: { rows: 1, columns: 1 }, expected: "1 row × 1 column" },
    { input: { rows: 1_234_567, columns: 5 }, expected: "1,234,567 rows × 5 columns" },
  ];
  test.each(cases)("is $expected", ({ input, expected }) => {
    expect(shapeText(input)).toBe(expected);
  });
});

describe("an age", () => {
  const cases = [
    { input: 0, expected: "0 s" },
    { input: 59_999, expected: "59 s" },
    { input: 60_000, expected: "1 min" },
    { input: 3_599_999, expected: "59 min" },
    { input: 3_600_000, expected: "1 h" },
    { input: 360_000_000, expected: "100 h" },
  ];
  test.each(cases)("of $input ms is $expected", ({ input, expected }) => {
    expect(ageText(input)).toBe(expected);
  });
});

describe("a size", () => {
  const cases = [
    { input: 0, expected: "0 bytes" },
    { input: 1_023, expected: "1023 bytes" },
    { input: 1_024, expected: "1 KiB" },
    { input: 1_536, expected: "1.5 KiB" },
    { input: 32 * 2 ** 20, expected: "32 MiB" },
    { input: 2 ** 30, expected: "1 GiB" },
    { input: 1.5 * 2 ** 30, expected: "1.5 GiB" },
    { input: 5 * 2 ** 40, expected: "5120 GiB" },
  ];
  test.each(cases)("of $input bytes is $expected", ({ input, expected }) => {
    expect(sizeText(input)).toBe(expected);
  });
});

describe("the status line", () => {
  const NOW = 1_000_000;
  const publication: Publication = {
    cursor: { epoch: "e", version: 1 },
    columns: { count: 5, json: '["a","b","c","d","e"]' },
    rows: 2,
    about: { name: "a.csv", dialect: "comma, UTF-8", warnings: [], changedAt: NOW - 12_000, readMs: 1, bytes: 20 },
  };
  const of = (about: Partial<About>) => ({ ...publication, about: { ...publication.about, ...about } });
  const live: Status = { state: "live", message: "", since: 0 };
  const idle: StatusSource = {
    publication: undefined,
    status: live,
    clients: 0,
    tables: 1,
    troubled: 0,
    awaited: undefined,
    loading: undefined,
  };
  const cases: { name: string; source: Partial<StatusSource>; expected: string }[] = [
    { name: "of several tables", source: { publication, tables: 3, clients: 2 }, expected: "3 tables · 2 clients" },
    {
      name: "of several tables, some in trouble",
      source: { tables: 3, troubled: 1 },
      expected: "3 tables · 0 clients · 1 NOT LIVE",
    },
    { name: "before there is a file", source: { clients: 1 }, expected: "no file yet · 1 client" },
    {
      name: "before there is the file that is waited for",
      source: { awaited: "a.csv" },
      expected: "waiting for a.csv · 0 clients",
    },
    {
      name: "of a table",
      source: { publication, clients: 3 },
      expected: "a.csv · 2 rows × 5 columns · 3 clients · changed 12 s ago",
    },
    {
      name: "of a table whose file is gone",
      source: { publication: of({ changedAt: NOW - 60_000 }), status: { ...live, state: "missing", message: "gone" } },
      expected: "a.csv · 2 rows × 5 columns · 0 clients · changed 1 min ago · MISSING",
    },
    {
      name: "of a table with warnings: what is wrong, not why",
      source: { publication: of({ warnings: ["1 cell dropped: beyond the last column", "2 broken bytes"] }) },
      expected: "a.csv · 2 rows × 5 columns · 0 clients · changed 12 s ago · 1 cell dropped · 2 broken bytes",
    },
    {
      name: "of a table that comes by a relay",
      source: { publication: of({ relay: "topic csv at h:6379" }) },
      expected: "a.csv (topic csv at h:6379) · 2 rows × 5 columns · 0 clients · changed 12 s ago",
    },
    {
      name: "of a file whose clock is ahead",
      source: { publication: of({ changedAt: NOW + 5_000 }) },
      expected: "a.csv · 2 rows × 5 columns · 0 clients · changed 0 s ago",
    },
    {
      name: "of a table while another one is read, which takes a while",
      source: { publication, loading: { name: "b.csv", sinceMs: 500, share: 0.409 } },
      expected: "loading b.csv 40 %",
    },
    {
      name: "of a table that is read, nobody knows how much of it",
      source: { loading: { name: "b.csv", sinceMs: 500, share: undefined } },
      expected: "loading b.csv",
    },
    {
      name: "of a table that is all read but not there yet",
      source: { loading: { name: "b.csv", sinceMs: 500, share: 1 } },
      expected: "loading b.csv 99 %",
    },
    {
      name: "of a table while another one is read in no time",
      source: { publication, loading: { name: "b.csv", sinceMs: 499, share: 0.5 } },
      expected: "a.csv · 2 rows × 5 columns · 0 clients · changed 12 s ago",
    },
  ];
  test.each(cases)("$name", ({ source, expected }) => {
    expect(statusLine({ ...idle, ...source }, NOW)).toBe(expected);
  });

  const name = "measurements-of-2026-01-17.csv";
  const narrow: { width: number; source?: Partial<StatusSource>; expected: string }[] = [
    { width: 82, expected: "measurements-of-2026-01-17.csv · 2 rows × 5 columns · 3 clients · changed 12 s ago" },
    { width: 70, expected: "measurem…01-17.csv · 2 rows × 5 columns · 3 clients · changed 12 s ago" },
    { width: 60, expected: "mea….csv · 2 rows × 5 columns · 3 clients · changed 12 s ago" },
    { width: 59, expected: "measurements…026-01-17.csv · 2 rows × 5 columns · 3 clients" },
    { width: 30, expected: "meas….csv · 2 rows · 3 clients" },
    { width: 20, expected: "2 rows · 3 clients" },
    { width: 4, expected: "2 rows · 3 clients" },
    { width: 25, source: { publication: undefined, awaited: name }, expected: "waiting for mea….csv · 3 clients" },
    {
      width: 30,
      source: { loading: { name, sinceMs: 500, share: 0.4 } },
      expected: "loading measurem…1-17.csv 40 %",
    },
    {
      width: 40,
      source: { status: { ...live, state: "missing" } },
      expected: "meas….csv · 2 rows · 3 clients · MISSING",
    },
  ];
  test.each(narrow)("in $width columns is $expected", ({ width, source, expected }) => {
    const table = { ...idle, publication: of({ name }), clients: 3 };
    expect(statusLine({ ...table, ...source }, NOW, width)).toBe(expected);
  });

  test("counts in columns, of which some characters take two", () => {
    const wide = { ...idle, publication: of({ name: "温度計測データ記録一覧表.csv" }), clients: 3 };
    for (let width = 20; width < 90; width++)
      expect(Bun.stringWidth(statusLine(wide, NOW, width))).toBeLessThanOrEqual(width);
  });
});
