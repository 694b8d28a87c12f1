// The sort in the background: right, stable, and given up at once.
import { describe, expect, test } from "bun:test";
import { sortStably } from "../../src/viewer/sort.ts";
import { forSeeds, randomFrom } from "../fuzz/random.ts";

const numbered = (length: number) => new Uint32Array(length).map((_, i) => i);

async function sorted(keys: readonly number[], breathe: () => boolean | Promise<boolean> = () => true) {
  const order = numbered(keys.length);
  const isDone = await sortStably(order, (a, b) => keys[a]! - keys[b]!, breathe);
  return { isDone, order: [...order] };
}

/** Array.prototype.sort is stable (ECMA-262). */
const expectedOrder = (keys: readonly number[]) => keys.map((_, i) => i).sort((a, b) => keys[a]! - keys[b]!);

describe("a sort is what the stable sort of arrays is", () => {
  const lengths = [0, 1, 2, 15, 16, 17, 31, 32, 33, 48, 255, 256, 257, 1000];
  test.each(lengths)("for %d numbers, of which many are equal", async (length) => {
    const random = randomFrom(length + 1);
    const keys = Array.from({ length }, () => random.below(1 + length / 4));
    expect(await sorted(keys)).toEqual({ isDone: true, order: expectedOrder(keys) });
  });

  const shapes: { name: string; keyOf: (i: number) => number }[] = [
    { name: "sorted already", keyOf: (i) => i },
    { name: "backwards", keyOf: (i) => -i },
    { name: "all equal", keyOf: () => 7 },
    { name: "like a saw", keyOf: (i) => i % 37 },
    { name: "sorted but for the last", keyOf: (i) => (i === 9_999 ? -1 : i) },
  ];
  test.each(shapes)("for what is $name", async ({ keyOf }) => {
    const keys = Array.from({ length: 10_000 }, (_, i) => keyOf(i));
    expect((await sorted(keys)).order).toEqual(expectedOrder(keys));
  });

  test("for anything, whenever others have their turn", async () => {
    const runs: Promise<void>[] = [];
    forSeeds(40, (random, seed) => {
      const keys = Array.from({ length: random.below(3_000) }, () => random.below(50));
      const breathe = () => (random.chance(0.5) ? Promise.resolve(true) : true);
      runs.push(
        sorted(keys, breathe).then(({ order }) =>
          expect({ seed, order }).toEqual({ seed, order: expectedOrder(keys) }),
        ),
      );
    });
    await Promise.all(runs);
  });

  test("for a part of the rows, in any order before", async () => {
    const keys = [5, 3, 3, 1, 3];
    const order = Uint32Array.of(4, 1, 3, 2);
    await sortStably(
      order,
      (a, b) => keys[a]! - keys[b]!,
      () => true,
    );
    expect([...order]).toEqual([3, 4, 1, 2]);
  });
});

describe("a sort that is not wanted any more is given up", () => {
  const keys = Array.from({ length: 100_000 }, (_, i) => (i * 7919) % 100_003);

  test.each([1, 2, 10, 50])("at breath %d, and does nothing after it", async (last) => {
    let breaths = 0;
    let comparisons = 0;
    let after = 0;
    const isDone = await sortStably(
      numbered(keys.length),
      (a, b) => {
        comparisons++;
        if (breaths >= last) after++;
        return keys[a]! - keys[b]!;
      },
      () => ++breaths < last,
    );
    expect({ isDone, breaths, after }).toEqual({ isDone: false, breaths: last, after: 0 });
    expect(comparisons).toBeGreaterThan(0);
  });

  test("and one that is wanted breathes often", async () => {
    let breaths = 0;
    await sorted(keys, () => ++breaths > 0);
    expect(breaths).toBeGreaterThan(100);
  });
});
