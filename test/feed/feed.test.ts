// What a client needs now, decided without sockets: nothing, one squashed delta, or a snapshot.
import { describe, expect, test } from "bun:test";
import { openFeed, type Step } from "../../src/feed/feed.ts";
import { parseMessage } from "../../src/feed/protocol.ts";
import type { About, Cursor, Publication } from "../../src/feed/publication.ts";

const LARGE = 1 << 20;
const COLUMNS = { count: 1, json: '["a"]' };

const openTestFeed = () => openFeed(16 << 20);

const at = (version: number, epoch = "epoch1"): Cursor => ({ epoch, version });

const aboutOf = (bytes: number): About => ({
  name: "f.csv",
  dialect: "comma, UTF-8",
  warnings: [],
  changedAt: 1_760_000_000_000,
  readMs: 1,
  bytes,
});

/** A table that is to be taken anew. */
const whole = (cursor: Cursor, rows: number, bytes = LARGE): Publication => ({
  cursor,
  columns: COLUMNS,
  rows,
  about: aboutOf(bytes),
});

/** A row appended to a table of `rows - 1` rows. */
const append = (cursor: Cursor, rows: number, cell = "x", bytes = LARGE): Publication => ({
  ...whole(cursor, rows, bytes),
  splices: JSON.stringify([[rows - 1, 0, [[cell]]]]),
});

const deltaOf = (step: Step) => (step.type === "delta" ? (parseMessage(step.text) as unknown) : step.type);

describe("a feed", () => {
  test("waits before its first table, and everyone needs a snapshot of that", () => {
    const feed = openTestFeed();
    expect(feed.publication()).toBeUndefined();
    expect(feed.cursor()).toBeUndefined();
    expect([feed.rows(), feed.columns()]).toEqual([0, { count: 0, json: "[]" }]);
    expect(feed.since(undefined)).toEqual({ type: "snapshot" });
    expect(feed.since(at(1))).toEqual({ type: "snapshot" });
    expect(feed.distance(at(1))).toBeUndefined();
    const first = whole(at(1), 2);
    expect(feed.publish(first)).toBeUndefined();
    expect(feed.publication()).toBe(first);
    expect(feed.cursor()).toEqual(at(1));
    expect([feed.rows(), feed.columns()]).toEqual([2, COLUMNS]);
    expect(feed.since(undefined).type).toBe("snapshot");
    expect(feed.since(at(1)).type).toBe("none");
  });

  test("gives each change as a delta, and squashes several for who missed them, in order, never merged", () => {
    const feed = openTestFeed();
    feed.publish(whole(at(1), 2));
    const text = feed.publish(append(at(2), 3, "y"));
    expect(parseMessage(text!) as unknown).toEqual({
      type: "delta",
      epoch: "epoch1",
      from: 1,
      to: 2,
      splices: [[2, 0, [["y"]]]],
      count: 3,
    });
    feed.publish(append(at(3), 4, "z"));
    const squashed = {
      type: "delta",
      epoch: "epoch1",
      from: 1,
      to: 3,
      splices: [
        [2, 0, [["y"]]],
        [3, 0, [["z"]]],
      ],
      count: 4,
    };
    expect(deltaOf(feed.since(at(1)))).toEqual(squashed);
    expect(deltaOf(feed.since(at(2)))).toEqual({ ...squashed, from: 2, splices: [[3, 0, [["z"]]]] });
    expect(deltaOf(feed.since(at(3)))).toBe("none");
  });

  test("says in several deltas what is too much for one, each of which is a version that there was", () => {
    const feed = openFeed(16 << 20);
    const BYTES = 100_000;
    feed.publish(whole(at(1), 1, 16 << 20));
    for (let version = 2; version <= 8; version++)
      feed.publish(append(at(version), version, "x".repeat(BYTES), 16 << 20));
    const steps: [from: number, to: number, count: number][] = [];
    let held = at(1);
    for (let step = feed.since(held); step.type === "delta"; step = feed.since(held)) {
      const delta = parseMessage(step.text) as unknown as { to: number; count: number; splices: unknown[] };
      expect(delta.splices).toHaveLength(delta.to - held.version);
      steps.push([held.version, delta.to, delta.count]);
      held = step.cursor;
    }
    expect(steps).toEqual([
      [1, 3, 3],
      [3, 5, 5],
      [5, 7, 7],
      [7, 8, 8],
    ]);
    expect(held).toEqual(at(8));
  });

  test("tells what the columns are when that has changed, and those who missed it", () => {
    const feed = openTestFeed();
    const told = (types: string) => ({ ...COLUMNS, verdicts: { types: `["${types}"]`, units: "[null]" } });
    const typesOf = (text: string | undefined) => (parseMessage(text!) as { types?: unknown }).types;
    const since = (version: number) => {
      const step = feed.since(at(version));
      return step.type === "delta" ? typesOf(step.text) : step.type;
    };
    feed.publish({ ...whole(at(1), 2), columns: told("text") });
    expect(typesOf(feed.publish({ ...append(at(2), 3), columns: told("text") }))).toBeUndefined();
    expect(typesOf(feed.publish({ ...append(at(3), 4), columns: told("number") }))).toEqual(["number"]);
    expect(typesOf(feed.publish({ ...append(at(4), 5), columns: told("number") }))).toBeUndefined();
    expect([since(1), since(2), since(3)]).toEqual([["number"], ["number"], undefined]);
  });

  test("squashes once for all who missed the same, until there is more to miss", () => {
    const feed = openTestFeed();
    feed.publish(whole(at(1), 2));
    feed.publish(append(at(2), 3));
    expect(feed.since(at(1))).toBe(feed.since(at(1)));
    feed.publish(append(at(3), 4));
    expect(deltaOf(feed.since(at(1)))).toMatchObject({ from: 1, to: 3, count: 4 });
  });

  test("squashes changes that change no row to a delta that moves the version", () => {
    const feed = openTestFeed();
    feed.publish(whole(at(1), 2));
    feed.publish({ ...append(at(2), 2), splices: "[]" });
    feed.publish({ ...append(at(3), 2), splices: "[]" });
    expect(deltaOf(feed.since(at(1)))).toMatchObject({ from: 1, to: 3, splices: [], count: 2 });
  });

  test.each([
    { name: "of an earlier epoch", cursor: at(3, "epoch1") },
    { name: "of another server", cursor: at(5, "elsewhere") },
    { name: "from before the first of the epoch", cursor: at(4, "epoch2") },
    { name: "nobody has had", cursor: undefined },
  ])("gives a snapshot for a cursor $name", ({ cursor }) => {
    const feed = openTestFeed();
    feed.publish(whole(at(3), 1));
    feed.publish(whole(at(5, "epoch2"), 1));
    feed.publish(append(at(6, "epoch2"), 2));
    expect(feed.cursor()).toEqual(at(6, "epoch2"));
    expect(feed.since(cursor)).toEqual({ type: "snapshot" });
  });

  test("begins its history anew with another epoch, whatever its versions and also if it comes with splices", () => {
    const feed = openTestFeed();
    feed.publish(whole(at(40), 2));
    expect(feed.publish(append(at(41), 3))).toContain('"epoch":"epoch1","from":40,"to":41');
    expect(feed.publish(append(at(7, "epoch2"), 4))).toBeUndefined();
    expect(feed.cursor()).toEqual(at(7, "epoch2"));
    expect(feed.since(at(40)).type).toBe("snapshot");
    expect(feed.since(at(41)).type).toBe("snapshot");
    expect(feed.distance(at(41))).toBeUndefined();
    expect(feed.since(at(7, "epoch2")).type).toBe("none");
    expect(feed.publish(append(at(8, "epoch2"), 5))).toContain('"epoch":"epoch2","from":7,"to":8');
  });

  test("begins its history anew when the table is taken anew, within the epoch", () => {
    const feed = openTestFeed();
    feed.publish(whole(at(1), 1));
    feed.publish(append(at(2), 2));
    expect(feed.publish(whole(at(3), 9))).toBeUndefined();
    expect(feed.cursor()).toEqual(at(3));
    expect(feed.since(at(2)).type).toBe("snapshot");
    feed.publish(append(at(4), 10));
    expect(feed.since(at(3)).type).toBe("delta");
    expect(feed.since(at(2)).type).toBe("snapshot");
  });

  test("forgets what would be more than half a snapshot", () => {
    const feed = openTestFeed();
    const bytes = 100_000;
    feed.publish(whole(at(1), 0, bytes));
    for (let version = 2; version <= 200; version++)
      feed.publish(append(at(version), version - 1, "x".repeat(1000), bytes));
    expect(feed.since(at(1)).type).toBe("snapshot");
    expect(feed.distance(at(1))).toBeUndefined();
    const oldest = Array.from({ length: 200 }, (_, i) => i + 1).find(
      (version) => feed.since(at(version)).type === "delta",
    )!;
    const step = feed.since(at(oldest));
    expect(step.type === "delta" && step.text.length).toBeWithin(40_000, 51_000);
    expect(feed.distance(at(200))).toBe(0);
    expect(feed.distance(at(oldest))).toBeWithin(40_000, 55_000);
  });

  test("forgets what would be more than it may keep, however large the table is", () => {
    const feed = openFeed(5_000);
    feed.publish(whole(at(1), 0));
    for (let version = 2; version <= 20; version++) feed.publish(append(at(version), version - 1, "x".repeat(1000)));
    expect(feed.since(at(15)).type).toBe("snapshot");
    expect(feed.since(at(16)).type).toBe("delta");
    expect(feed.publish(append(at(21), 20, "x".repeat(5_000)))).toBeUndefined();
    expect(feed.since(at(20)).type).toBe("snapshot");
  });

  test("sends a delta larger than that as a snapshot", () => {
    const feed = openTestFeed();
    feed.publish(whole(at(1), 0, 100_000));
    expect(feed.publish(append(at(2), 1, "x".repeat(60_000), 100_000))).toBeUndefined();
    expect(feed.since(at(1)).type).toBe("snapshot");
    expect(feed.since(at(2)).type).toBe("none");
  });

  test("of a small table keeps a few changes, though they are more than the table", () => {
    const feed = openTestFeed();
    feed.publish(whole(at(1), 0, 10));
    expect(feed.publish(append(at(2), 1, "x".repeat(4_000), 10))).toBeDefined();
    expect(feed.since(at(1)).type).toBe("delta");
    expect(feed.publish(append(at(3), 2, "x".repeat(5_000), 10))).toBeUndefined();
  });

  test("whose versions another server numbers may pass over some", () => {
    const feed = openTestFeed();
    feed.publish(whole(at(1), 2));
    expect(feed.publish(append(at(5), 3))).toContain('"from":1,"to":5');
    expect(deltaOf(feed.since(at(1)))).toMatchObject({ from: 1, to: 5 });
    expect(feed.since(at(3)).type).toBe("snapshot"); // which was never here
  });

  test("has nothing for a client that is ahead, until it is as far", () => {
    const feed = openTestFeed();
    feed.publish(whole(at(40), 2));
    expect(feed.since(at(42)).type).toBe("ahead");
    feed.publish(append(at(41), 3));
    expect(feed.since(at(42)).type).toBe("ahead");
    expect(feed.distance(at(42))).toBeUndefined();
    feed.publish(append(at(42), 4));
    expect(feed.since(at(42)).type).toBe("none");
    feed.publish(append(at(43), 5, "z"));
    expect(deltaOf(feed.since(at(42)))).toMatchObject({ from: 42, to: 43 });
  });
});
