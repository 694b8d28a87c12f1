// What tables are called.
import { describe, expect, test } from "bun:test";
import { isTableName, type Nameable, nameConflictIn, namesOf } from "../../src/channel/names.ts";

const named = (...locations: string[]) => [...namesOf(locations.map((location) => ({ location }))).values()];

describe("the name of a table", () => {
  const cases: { location: string; expected: string }[] = [
    { location: "prices.csv", expected: "prices" },
    { location: "/data/prices.csv", expected: "prices" },
    { location: "prices", expected: "prices" },
    { location: "run.2026-11-28.csv", expected: "run-2026-11-28" },
    { location: "a b&c.csv", expected: "a-b-c" },
    { location: "Größe.csv", expected: "Größe" },
    { location: "Gro\u0308ße.csv", expected: "Größe" },
    { location: "価格.tsv", expected: "価格" },
    { location: "%2e%2e.csv", expected: "-2e-2e" },
    { location: "a\u0007/\u0007.csv", expected: "-" },
    { location: "csv.csv", expected: "csv_" },
    { location: "tables.csv", expected: "tables_" },
    { location: "healthz", expected: "healthz_" },
    { location: "CSV.csv", expected: "CSV" },
    { location: `${"x".repeat(200)}.csv`, expected: "x".repeat(100) },
    { location: "-", expected: "stdin" },
    { location: "https://ada:s3cret@h.example/rates/eur.csv?key=s3cret", expected: "eur" },
    { location: "https://h.example/?key=s3cret", expected: "h-example" },
    { location: "redis://u:p@h?topic=rates", expected: "rates" },
  ];
  test.each(cases)("of $location", ({ location, expected }) => {
    expect(named(location)).toEqual([expected]);
    expect(isTableName(expected)).toBe(true);
  });

  test("has the folder in front where two would have the same", () => {
    expect(named("/d/x/a.csv", "/d/y/a.csv", "/d/b.csv")).toEqual(["x-a", "y-a", "b"]);
  });

  test("has the extension behind where the folder is the same, too", () => {
    expect(named("/d/a.csv", "/d/a.tsv")).toEqual(["d-a-csv", "d-a-tsv"]);
  });

  test("is another for each path, whatever they are, and whatever their order", () => {
    const all = [
      "/d/a b.csv",
      "/d/a-b.csv",
      "/d/a_b.csv",
      "/e/a-b.csv",
      "/d-a/b.csv",
      "/x/d-a-b.csv",
      "/d/csv.csv",
      "/csv_.csv",
    ];
    const names = namesOf(all.map((location) => ({ location })));
    expect(new Set(names.values()).size).toBe(all.length);
    const reversed = namesOf(all.toReversed().map((location) => ({ location })));
    for (const location of all) expect(reversed.get(location)).toBe(names.get(location)!);
  });

  test("that was given stays, and another table makes room", () => {
    const names = namesOf([{ location: "/d/b.csv" }, { location: "/d/x.csv", name: "b" }]);
    expect([...names.values()]).toEqual(["d-b", "b"]);
  });
});

describe("names that conflict", () => {
  const RULE =
    "a name has 1 to 100 letters, digits, _ and -, and is none of csv, tables, healthz, livez, metrics, client";
  const cases: { all: Nameable[]; expected: string | undefined }[] = [
    { all: [{ location: "a.csv" }, { location: "x/a.csv" }], expected: undefined },
    {
      all: [
        { location: "a.csv", name: "b" },
        { location: "a.csv", name: "c" },
      ],
      expected: undefined,
    },
    {
      all: [
        { location: "a.csv", name: "n" },
        { location: "b.csv", name: "n" },
      ],
      expected: "n: the name of a.csv and of b.csv; give another one",
    },
    {
      all: [{ location: "a.csv", name: "b" }, { location: "b.csv" }],
      expected: "b.csv: has the name that a.csv was given; give one of them another, as in NAME=FILE",
    },
    {
      all: [{ location: "https://u:s3cret@h/b.csv?s3cret", name: "b" }, { location: "b.csv" }],
      expected: "b.csv: has the name that https://h/b.csv was given; give one of them another, as in NAME=FILE",
    },
    { all: [{ location: "a.csv", name: "csv" }], expected: `csv: ${RULE}` },
    { all: [{ location: "a.csv", name: "a.b" }], expected: `a.b: ${RULE}` },
    { all: [{ location: "a.csv", name: "" }], expected: `"": ${RULE}` },
    { all: [{ location: "a.csv", name: "x\u0007" }], expected: `"x\\u0007": ${RULE}` },
  ];
  test.each(cases)("$all", ({ all, expected }) => {
    expect(nameConflictIn(all)).toBe(expected!);
  });
});
