// What is known of tables by beats, one after the other, without a relay and without a clock.
import { expect, test } from "bun:test";
import { hear, nothingSaid } from "../../src/relay/follow/said.ts";
import type { RelayBeat, RelayStatus } from "../../src/relay/wire.ts";

const status = (version: number): RelayStatus => ({
  ...{ kind: "status", epoch: "e", version, state: "live", message: "", since: 1 },
});

/** `versions`: of tables; null where nothing can be said. */
const beat = (number: number | undefined, versions: Record<string, number | null>, isFull = false): RelayBeat => ({
  ...{ kind: "beat", list: "l", number, isFull },
  tables: new Map(Object.entries(versions).map(([name, v]) => [name, v === null ? undefined : status(v)])),
});

test.each([
  { name: "one that follows adds to it", beats: [beat(7, { a: 1, b: 1 }, true), beat(8, { b: 2 })], known: "a1 b2" },
  { name: "one that names none leaves it", beats: [beat(7, { a: 1 }, true), beat(8, {})], known: "a1" },
  {
    name: "of a table nothing is known any more",
    beats: [beat(1, { a: 1, b: 1 }, true), beat(2, { a: null })],
    known: "b1",
  },
  {
    name: "after a gap only what is named",
    beats: [beat(1, { a: 1, b: 1 }, true), beat(3, { b: 2 })],
    known: "b2",
    gaps: 1,
  },
  { name: "and so on until all is said", beats: [beat(3, { b: 2 }), beat(4, { a: 3 })], known: "a3", gaps: 2 },
  { name: "a full one begins anew", beats: [beat(9, { a: 1, b: 1 }, true), beat(1, { b: 2 }, true)], known: "b2" },
  {
    name: "without numbers each stands for itself",
    beats: [beat(undefined, { a: 1 }), beat(undefined, { b: 1 })],
    known: "b1",
  },
  {
    name: "one without a number breaks nothing",
    beats: [beat(1, { a: 1 }, true), beat(undefined, { b: 5 }), beat(2, {})],
    known: "a1 b5",
  },
])("$name", ({ beats, known, gaps = 0 }) => {
  const said = nothingSaid();
  const whole = beats.map((one) => hear(said, one, false, { now: 1, date: 1 }));
  const found = [...said.tables].flatMap(([name, one]) => (one ? [`${name}${one.version}`] : []));
  expect(found.sort().join(" ")).toBe(known);
  expect(whole.filter((isWhole) => !isWhole)).toHaveLength(gaps);
  expect(said.heard).toBeUndefined(); // nothing of it was written just now
});

test("what was written just now says when", () => {
  const said = nothingSaid();
  hear(said, beat(1, {}, true), true, { now: 5, date: 6 });
  expect(said).toMatchObject({ number: 1, heard: { now: 5, date: 6 } });
});
