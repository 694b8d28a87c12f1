// What of a large message is shown on a terminal.
import { expect, test } from "bun:test";
import { openShortener } from "../../../src/cli/client/shorten.ts";

test("what fits a window is shown as it is, and nothing is said", () => {
  const told: string[] = [];
  const shorten = openShortener(() => told.push("told"));
  const line = "x".repeat(4_000);
  expect(shorten(line)).toBe(line);
  expect(told).toEqual([]);
});

test("of what is longer there is the beginning and the end, how much is missing, and one word about it", () => {
  const told: string[] = [];
  const shorten = openShortener(() => told.push("told"));
  const line = `[${"a".repeat(1_199)}${"b".repeat(1_234_567)}${"c".repeat(599)}]`;
  const shown = `[${"a".repeat(1_199)} … 1,234,567 characters … ${"c".repeat(599)}]`;
  expect([shorten(line), shorten(line)]).toEqual([shown, shown]);
  expect(told).toEqual(["told"]);
});

test("a cut through a character leaves no half of it", () => {
  for (const line of ["𝄞".repeat(5_000), `x${"𝄞".repeat(5_000)}`])
    expect(openShortener(() => {})(line).isWellFormed()).toBe(true);
});
