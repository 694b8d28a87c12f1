// Splices in any order as ascending ones: the same rows come of them, and the work is that of merging.
import { expect, test } from "bun:test";
import { ascending, type SpliceOf } from "../../src/values/compose.ts";
import { forSeeds, type Random, shareOf } from "../fuzz/random.ts";

function applied(before: readonly number[], splices: readonly SpliceOf<number>[]): number[] {
  const rows = [...before];
  for (const [start, deleted, come] of splices) rows.splice(start, deleted, ...come);
  return rows;
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => i);

function isAscending(splices: readonly SpliceOf<number>[]): boolean {
  return splices.every(([start], i) => i === 0 || start >= splices[i - 1]![0] + splices[i - 1]![2].length);
}

function someSplices(random: Random, count: number): SpliceOf<number>[] {
  let length = count;
  return Array.from({ length: random.below(random.chance(0.2) ? 40 : 6) }, (_, i): SpliceOf<number> => {
    const start = random.below(length + 1);
    const deleted = random.below(Math.min(8, length - start) + 1);
    const come = Array.from({ length: random.below(6) }, (_, k) => 1_000 * (i + 1) + k);
    length += come.length - deleted;
    return [start, deleted, come];
  });
}

test("whatever their order, ascending ones have the same outcome, and none names a row that the table never had", () => {
  forSeeds(shareOf(4_000), (random) => {
    const before = numbered(random.below(40));
    const splices = someSplices(random, before.length);
    const found = ascending(splices);
    expect(isAscending(found)).toBe(true);
    expect(applied(before, found)).toEqual(applied(before, splices));
    const deleted = found.reduce((sum, [, count]) => sum + count, 0);
    expect(deleted).toBeLessThanOrEqual(before.length);
  });
});

test("those that are ascending already are given back", () => {
  const splices: SpliceOf<number>[] = [
    [0, 1, [7]],
    [1, 0, [8, 9]],
    [9, 3, []],
  ];
  expect(ascending(splices)).toEqual(splices);
  expect(ascending([])).toEqual([]);
});

test("rows that come and go again leave nothing", () => {
  const many = Array.from({ length: 1_000 }, (_, i): SpliceOf<number>[] => [
    [5, 0, [i]],
    [5, 1, []],
  ]);
  expect(ascending(many.flat())).toEqual([]);
});
