// The list of tables, as it is printed.
import { expect, test } from "bun:test";
import { listLines, type ListedTable, namesText } from "../../../src/cli/client/listing.ts";

const table = (name: string, rows: number, state = "live", file = `${name}.csv`): ListedTable => ({
  ...{ name, rows, state, file },
  path: `/${name}`,
  isFirst: false,
});

const tables = [table("prices", 12_345), table("温度", 7, "missing"), table("x", 1, "live", "")];

test("for a person it is in columns", () => {
  expect(listLines(tables, true)).toEqual([
    "prices  12345 rows  live     prices.csv",
    "温度        7 rows  missing  温度.csv",
    "x           1 row   live",
  ]);
});

test("for a program it has fields, with tabs between them", () => {
  expect(listLines(tables, false)).toEqual([
    "prices\t12345\tlive\tprices.csv",
    "温度\t7\tmissing\t温度.csv",
    "x\t1\tlive\t",
  ]);
});

test("names are told up to a number", () => {
  expect(namesText(tables)).toBe("prices, 温度, x");
  expect(namesText([...tables, ...tables])).toBe("prices, 温度, x");
  const many = Array.from({ length: 12 }, (_, i) => table(`t${i}`, 1));
  expect(namesText(many)).toBe("t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, and 2 more");
});
