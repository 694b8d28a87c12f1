// Paths of folders and patterns, as they are written on systems of both kinds.
import { describe, expect, test } from "bun:test";
import { globIn, isBelow } from "../../src/source/folder.ts";

describe("what is below a folder", () => {
  const cases = [
    { folder: "/data", path: "/data/a.csv", separator: "/", expected: true },
    { folder: "/data", path: "/data-2/a.csv", separator: "/", expected: false },
    { folder: "/", path: "/a.csv", separator: "/", expected: true },
    { folder: "C:\\data", path: "C:\\data\\a.csv", separator: "\\", expected: true },
    { folder: "C:\\data", path: "C:\\data-2\\a.csv", separator: "\\", expected: false },
    { folder: "C:\\", path: "C:\\a.csv", separator: "\\", expected: true },
    { folder: "C:\\", path: "D:\\a.csv", separator: "\\", expected: false },
  ];
  test.each(cases)("$folder: $path is $expected", ({ folder, path, separator, expected }) => {
    expect(isBelow(folder, path, separator)).toBe(expected);
  });
});

describe("the glob of a pattern", () => {
  const cases = [
    { folder: "/data", pattern: "/data/run-*.csv", separator: "/", expected: "run-*.csv" },
    { folder: "/", pattern: "/run-*.csv", separator: "/", expected: "run-*.csv" },
    { folder: "/data", pattern: "/data/**/a\\*.csv", separator: "/", expected: "**/a\\*.csv" },
    { folder: "C:\\data", pattern: "C:\\data\\**\\run-?.csv", separator: "\\", expected: "**/run-?.csv" },
    { folder: "C:\\", pattern: "C:\\*.csv", separator: "\\", expected: "*.csv" },
  ];
  test.each(cases)("$pattern in $folder is $expected", ({ folder, pattern, separator, expected }) => {
    expect(globIn(folder, pattern, separator)).toBe(expected);
  });
});
