// Random splices of a random table, seen through random views.
import { expect, setDefaultTimeout, test } from "bun:test";
import type { Splice } from "../../src/values/hunks.ts";
import { viewOf, viewSplices } from "../../src/csv/view.ts";
import { forSeeds, type Random, RANDOM_TIMEOUT_MS, shareOf } from "./random.ts";

setDefaultTimeout(RANDOM_TIMEOUT_MS);

/** Splices in ascending order that do not touch each other, and the table they lead to. */
function edit(random: Random, table: number[], fresh: () => number): { splices: Splice[]; table: number[] } {
  const splices: Splice[] = [];
  const after = [...table];
  let from = 0;
  for (let n = random.below(4); n > 0 && from <= after.length; n--) {
    const start = from + random.below(after.length - from + 1);
    const deleted = random.below(Math.min(3, after.length - start) + 1);
    const inserted = random.below(4);
    if (deleted + inserted === 0) continue;
    after.splice(start, deleted, ...Array.from({ length: inserted }, fresh));
    splices.push({ start, deleted, inserted });
    from = start + inserted + 1;
  }
  return { splices, table: after };
}

test("what a view shows follows the table", () => {
  forSeeds(shareOf(20_000), (random) => {
    let next = 0;
    const fresh = () => next++;
    const before = Array.from({ length: random.below(10) }, fresh);
    const { splices, table: after } = edit(random, before, fresh);
    const limit = random.chance(0.5) ? Infinity : 1 + random.below(6);
    const hidden = (rows: number) => (rows > 0 && random.chance(0.4) ? rows - 1 : rows);
    const old = viewOf(before.length, hidden(before.length), limit);
    const now = viewOf(after.length, hidden(after.length), limit);
    const view = before.slice(old.first, old.end);
    for (const { start, deleted, from, inserted } of viewSplices(splices, old, now))
      view.splice(start, deleted, ...after.slice(from, from + inserted));
    expect(view).toEqual(after.slice(now.first, now.end));
  });
});
