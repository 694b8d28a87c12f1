// What tells a header from a row: cells that are values, cells that only look alike, and the units under a header.
import { describe, expect, test } from "bun:test";
import { isTyped, isValue } from "../../src/csv/cells.ts";
import { areUnits, hasValues, isHeader, isUnitsRow } from "../../src/csv/header.ts";

describe("no name of a column is", () => {
  const values = [
    ..."1 -1.5 1,5 1.234,56 1'234.5 1e-5 .5 5. 0x1F -inf Infinity 2026-03-01 0000-00-00 12:00 125:03:20".split(" "),
    "01.03.2026 12:00:00",
    "Mo 02.03.2026 12:00",
    "Mon 03/02/2026",
    "1. März 2026",
    "01-Okt-2026",
    "2026-03-01T12:00:00Z",
    "20260301T120000Z",
  ];
  test.each(values)("%p", (cell) => expect([isValue(cell), isTyped(cell)]).toEqual([true, true]));
});

describe("over a name stands no", () => {
  const measured = ["5 min", "95%", "99.9 %", "405.6 MB", "$5.00", "12 EUR", "3.3V"];
  test.each(measured)("%p, though it makes a column of numbers", (cell) =>
    expect([isValue(cell), isTyped(cell)]).toEqual([false, true]),
  );
});

describe("neither is", () => {
  const words = ["time", "1,2,3", "10.0.0.1", "Q1", "v1.2", "2nd", "12-b", "Mar 2026", "Jan", "5 apples", "1:2", "a"];
  test.each(words)("%p", (cell) => expect([isValue(cell), isTyped(cell)]).toEqual([false, false]));
});

describe("a row of units", () => {
  const rows: { cells: string[]; is: boolean }[] = [
    { cells: ["s", "V"], is: true },
    { cells: ["", "(ms)", "[V]"], is: true },
    { cells: ["pcs", "U/min", "NTU", "FTU", "PSU"], is: true },
    { cells: ["dB(A)", "mmH2O", "ksi", "kip", "knots"], is: true },
    { cells: ["nsec", "arb.", "a.u.", "Sekunden", "Prozent"], is: true },
    { cells: ["kWh/a", "W/m²", "%RH"], is: true },
    { cells: ["a", "b"], is: false },
    { cells: ["a"], is: false },
    { cells: ["s"], is: false },
    { cells: ["", "m", ""], is: false },
    { cells: ["s", "volts or so"], is: false },
    { cells: ["", ""], is: false },
  ];
  test.each(rows)("$cells: $is", ({ cells, is }) => expect(isUnitsRow(cells)).toBe(is));
  test("stands over numbers or times, one of them a number", () => {
    expect(areUnits(["s", "V"], [["0", "1.5"]])).toBe(true);
    expect(areUnits(["h", "V"], [["12:00", "5 mV"]])).toBe(true);
    expect(areUnits(["h", "min"], [["12:00", "12:30"]])).toBe(false);
    expect(areUnits(["s", "V"], [["zero", "1.5"]])).toBe(false);
  });
});

test("a number with a unit is a name over bare numbers, and a value over others with a unit", () => {
  expect(hasValues(["when", "95%"], [["12:00", "20.5"]])).toBe(false);
  expect(hasValues(["oven", "95 %"], [["oven", "97 %"]])).toBe(true);
  expect(hasValues(["oven", "95"], [["oven", "97"]])).toBe(true);
});

test("a header names every column but for the first or the last", () => {
  expect(isHeader(["a", "q", ""], "few units")).toBe(true);
  expect(isHeader(["", "q", ""], "few units")).toBe(false);
  expect(isHeader(["Type", "50%", "99.9%"], "few units")).toBe(true);
  expect(isHeader(["t", "NA"], "some units")).toBe(false);
  expect(isHeader(["Zeit", "V"], "few units")).toBe(false);
  expect(isHeader(["Frame", "X", "W"], "few units")).toBe(true);
  expect(isHeader(["Zeit", "V"], "some units")).toBe(true);
  expect(isHeader(["year", "month", "day"], "some units")).toBe(false);
  expect(isHeader(["year", "month", "day"], "units")).toBe(true);
});
