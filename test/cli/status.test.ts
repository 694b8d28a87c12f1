// The words for what is going on.
import { describe, expect, test } from "bun:test";
import { ageText, shapeText, sizeText, statusLine } from "../../src/cli/status.ts";

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
  const table = { rows: 2, columns: 5 };
  const cases = [
    {
      name: "before there is a file",
      line: statusLine("", undefined, 1, 0, "live"),
      expected: "no file yet · 1 client",
    },
    {
      name: "of a table on air",
      line: statusLine("a.csv", table, 3, 12_000, "live"),
      expected: "a.csv · 2 rows × 5 columns · 3 clients · changed 12 s ago",
    },
    {
      name: "of a table whose file is gone",
      line: statusLine("a.csv", table, 0, 60_000, "missing"),
      expected: "a.csv · 2 rows × 5 columns · 0 clients · changed 1 min ago · MISSING",
    },
  ];
  test.each(cases)("$name", ({ line, expected }) => {
    expect(line).toBe(expected);
  });
});
