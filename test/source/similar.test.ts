// A file that may be meant by the name of one that is not there.
import { describe, expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { mostSimilar, similarName } from "../../src/source/file/similar.ts";
import { temporaryFolder } from "../support.ts";

describe("for a name that is not there", () => {
  const cases: { name: string; wanted: string; names: string[]; expected: string | undefined }[] = [
    { name: "one of another case", wanted: "prices.csv", names: ["Prices.CSV"], expected: "Prices.CSV" },
    { name: "one with another extension", wanted: "prices.csv", names: ["prices.txt"], expected: "prices.txt" },
    { name: "one without its extension", wanted: "prices.csv", names: ["prices"], expected: "prices" },
    { name: "one with a letter too few", wanted: "price.csv", names: ["prices.csv"], expected: "prices.csv" },
    { name: "one with letters in another order", wanted: "pirces.csv", names: ["prices.csv"], expected: "prices.csv" },
    {
      name: "the one that is nearest",
      wanted: "log-11.csv",
      names: ["log-22.csv", "log-12.csv"],
      expected: "log-12.csv",
    },
    { name: "none for a name of one letter", wanted: "a.csv", names: ["b.csv"], expected: undefined },
    { name: "none that is quite another", wanted: "prices.csv", names: ["orders.csv"], expected: undefined },
    { name: "none of a thousand letters", wanted: "x".repeat(1000), names: ["x".repeat(999)], expected: undefined },
  ];
  test.each(cases)("there is $name", ({ wanted, names, expected }) => {
    expect(mostSimilar(wanted, names)).toBe(expected);
  });

  test("no folder is meant, and a folder that is not there has none", async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, "Prices.csv"));
    expect(similarName(join(folder.path, "prices.csv"))).toBeUndefined();
    await folder.write("price.csv", "");
    expect(similarName(join(folder.path, "prices.csv"))).toBe("price.csv");
    expect(similarName(join(folder.path, "nowhere/prices.csv"))).toBeUndefined();
  });
});
