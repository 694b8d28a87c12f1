// Paths of folders and patterns, as they are written on systems of both kinds.
import { describe, expect, test } from "bun:test";
import { fixedPart, globIn, isBelow, isPattern, openFinder } from "../../src/source/folder.ts";
import { temporaryFolder } from "../support.ts";

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

describe("brackets", () => {
  const cases = [
    { text: "run-[0-9].csv", isOne: true, fixed: "" },
    { text: "run-[!0-9].csv", isOne: false, fixed: "" },
    { text: "data [1].csv", isOne: false, fixed: "" },
    { text: "data [1]/run-[2].csv", isOne: true, fixed: "data [1]" },
    { text: "data [1]/*.csv", isOne: true, fixed: "data [1]" },
    { text: "data [2]/*.csv", isOne: true, fixed: "data [2]" },
    { text: "[ab]/*.csv", isOne: true, fixed: "" },
    { text: "[ab]/run-1.csv", isOne: true, fixed: "" },
  ];
  test.each(cases)("$text is a pattern: $isOne", async ({ text, isOne, fixed }) => {
    await using folder = await temporaryFolder();
    for (const name of ["run-1.csv", "data [1].csv", "data 1.csv", "data [1]/run-2.csv", "a/run-1.csv"])
      await folder.write(name, "x\n1\n");
    const path = `${folder.path}/${text}`;
    expect(isPattern(path)).toBe(isOne);
    expect(fixedPart(path)).toBe(fixed === "" ? folder.path : `${folder.path}/${fixed}`);
  });

  test("of a pattern find its files, in a folder whose name has some", async () => {
    await using folder = await temporaryFolder();
    for (const name of ["x [1]/a.csv", "x [1]/b.csv", "x [1]/c.csv"]) await folder.write(name, "x\n1\n");
    const found = Promise.withResolvers<readonly string[]>();
    const place = `${folder.path}/x [1]/[ac].csv`;
    const finder = openFinder(place, { lookMs: 1_000, watches: false }, ({ files }) => found.resolve(files));
    expect(await found.promise).toEqual([`${folder.path}/x [1]/a.csv`, `${folder.path}/x [1]/c.csv`]);
    finder.close();
  });
});
