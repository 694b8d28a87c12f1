// The difference of two tables by the hashes of their rows: right for any two, small where the change is small, and bounded in work.
import { describe, expect, test } from "bun:test";
import { diffHashes, type Splice } from "../../src/values/hunks.ts";
import { atOnce } from "../../src/values/steps.ts";

const COUNT = 2000;
const rows = Array.from({ length: COUNT }, (_, i) => i);
const periodic = rows.map((i) => i % 10);
const other = (count: number) => Array.from({ length: count }, (_, i) => 1_000_000 + i);
const without = (list: number[], ...gone: number[]) => list.filter((_, i) => !gone.includes(i));

function randomFrom(seed: number): (below: number) => number {
  return (below) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
}

function diff(before: number[], after: number[], isSame = (a: number, b: number) => before[a] === after[b]) {
  let asked = 0;
  const steps = diffHashes(Float64Array.from(before), Float64Array.from(after), (a, b) => {
    asked++;
    return isSame(a, b);
  });
  const splices = atOnce(steps);
  return { splices, asked, inserted: splices.reduce((sum, { inserted }) => sum + inserted, 0) };
}

function applied(before: number[], after: number[], splices: Splice[]): number[] {
  const result = before.slice();
  for (const { start, deleted, inserted } of splices)
    result.splice(start, deleted, ...after.slice(start, start + inserted));
  return result;
}

const few = Array.from(
  { length: COUNT },
  (
    (random) => () =>
      random(4)
  )(randomFrom(7)),
);

const EXACT: { name: string; before: number[]; after: number[]; expected: Splice[] }[] = [
  { name: "nothing", before: rows, after: rows, expected: [] },
  { name: "an empty table", before: [], after: rows, expected: [{ start: 0, deleted: 0, inserted: COUNT }] },
  { name: "all gone", before: rows, after: [], expected: [{ start: 0, deleted: COUNT, inserted: 0 }] },
  ...[rows, few].map((before) => ({
    name: "a ring",
    before,
    after: [...before.slice(300), ...other(300)],
    expected: [
      { start: 0, deleted: 300, inserted: 0 },
      { start: COUNT - 300, deleted: 0, inserted: 300 },
    ],
  })),
  {
    name: "one row at the top, the last dropped",
    before: rows,
    after: [...other(1), ...rows.slice(0, -1)],
    expected: [
      { start: 0, deleted: 0, inserted: 1 },
      { start: COUNT, deleted: 1, inserted: 0 },
    ],
  },
  {
    name: "one row moved far",
    before: rows,
    after: [...rows.slice(0, 10), ...rows.slice(11, 1900), 10, ...rows.slice(1900)],
    expected: [
      { start: 10, deleted: 1, inserted: 0 },
      { start: 1899, deleted: 0, inserted: 1 },
    ],
  },
  {
    name: "rows edited here and there",
    before: rows,
    after: rows.map((row) => (row % 500 === 3 ? row + 5000 : row)),
    expected: [3, 503, 1003, 1503].map((start) => ({ start, deleted: 1, inserted: 1 })),
  },
  {
    name: "two tables that share nothing",
    before: rows,
    after: other(10),
    expected: [{ start: 0, deleted: COUNT, inserted: 10 }],
  },
];

const COUNTED: { name: string; before: number[]; after: number[]; most: number }[] = [
  { name: "20 rows deleted", before: rows, after: without(rows, ...rows.filter((i) => i % 100 === 7)), most: 0 },
  {
    name: "a block moved",
    before: rows,
    after: [...rows.slice(0, 50), ...rows.slice(350), ...rows.slice(50, 350)],
    most: 300,
  },
  { name: "every second row edited", before: rows, after: rows.map((i) => (i % 2 ? i : i + 5000)), most: COUNT / 2 },
  { name: "everything reversed", before: rows, after: rows.toReversed(), most: COUNT },
  {
    name: "periodic rows, a ring",
    before: periodic,
    after: [...periodic.slice(503), ...periodic.slice(0, 503)],
    most: 13,
  },
  { name: "periodic rows, some gone", before: periodic, after: without(periodic, 5, 700, 1311), most: 0 },
];

describe("the difference is found of", () => {
  test.each(EXACT)("$name", ({ before, after, expected }) => {
    expect(diff(before, after).splices).toEqual(expected);
  });

  test.each(COUNTED)("$name", ({ before, after, most }) => {
    const { splices, inserted, asked } = diff(before, after);
    expect(applied(before, after, splices)).toEqual(after);
    expect(inserted).toBeLessThanOrEqual(most);
    expect(asked).toBeLessThanOrEqual(after.length);
  });
});

test("any two tables: the splices lead from one to the other, and each row is compared once at most", () => {
  for (let seed = 1; seed <= 400; seed++) {
    const random = randomFrom(seed);
    const values = [2, 3, 10, 1000][seed % 4]!;
    const before = Array.from({ length: random(400) }, () => random(values));
    const after = seed % 3 ? before.slice() : Array.from({ length: random(400) }, () => random(values));
    for (let i = random(60); i > 0; i--) {
      const inserted = Array.from({ length: random(4) }, () => random(values));
      after.splice(random(after.length + 1), random(4), ...inserted);
    }
    const { splices, asked } = diff(before, after);
    expect({ seed, rows: applied(before, after, splices) }).toEqual({ seed, rows: after });
    expect(asked).toBeLessThanOrEqual(Math.min(before.length, after.length));
  }
});

test("a row that only has the hash of another is replaced", () => {
  const { splices } = diff(rows, rows, (a) => a !== 5 && a !== 900);
  expect(splices).toEqual([5, 900].map((start) => ({ start, deleted: 1, inserted: 1 })));
});

test("two differences that are found in turns, step by step, are what each is by itself; no step is much of the work", () => {
  const random = randomFrom(7);
  const count = 100_000;
  const open = (values: number) => {
    const before = Float64Array.from({ length: count }, () => random(values));
    const after = before.slice().sort((a, b) => (a % 97) - (b % 97) || a - b);
    for (let row = 0; row < count; row += 2) after[row] = before[row]!;
    let most = 0;
    let compared = 0;
    const isSame = (a: number, b: number) => {
      most = Math.max(most, ++compared);
      return before[a] === after[b];
    };
    const next = (steps: Generator<void, Splice[]>) => {
      compared = 0;
      return steps.next();
    };
    return {
      next,
      most: () => most,
      steps: diffHashes(before, after, isSame),
      alone: diffHashes(before, after, isSame),
    };
  };
  const both = [open(1e9), open(1000)];
  const expected = both.map(({ alone }) => atOnce(alone));
  const found: Splice[][] = [];
  let turns = 0;
  while (found.filter(Boolean).length < 2)
    for (const [at, { next, steps }] of both.entries()) {
      if (found[at]) continue;
      const { done, value } = next(steps);
      turns++;
      if (done) found[at] = value;
    }
  expect(found).toEqual(expected);
  expect(turns).toBeGreaterThan(10);
  const [most] = both.map(({ most }) => most()).sort((a, b) => b - a);
  expect(most).toBeLessThanOrEqual(count);
});
