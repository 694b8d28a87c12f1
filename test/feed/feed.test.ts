// What a client needs now, decided without sockets: nothing, one squashed delta, or a snapshot.
import { describe, expect, test } from "bun:test";
import { type Change, openFeed, type Step } from "../../src/feed/feed.ts";
import { parseMessage } from "../../src/feed/protocol.ts";

const LARGE = 1 << 20;

function openTestFeed() {
  let epochs = 0;
  return openFeed(() => `epoch${++epochs}`, 5, 16 << 20);
}

const whole = (version: number, rows: number, isNewEpoch = true): Change => ({
  version,
  isNewEpoch,
  splices: undefined,
  columnsJson: '["a"]',
  rows,
  bytes: LARGE,
});

/** A row appended to a table of `rows - 1` rows. */
const append = (version: number, rows: number, cell = "x", bytes = LARGE): Change => ({
  version,
  isNewEpoch: false,
  splices: JSON.stringify([[rows - 1, 0, [[cell]]]]),
  columnsJson: undefined,
  rows,
  bytes,
});

const deltaOf = (step: Step) => (step.type === "delta" ? (parseMessage(step.text) as unknown) : step.type);
const at = (version: number, epoch = "epoch1") => ({ epoch, version });

describe("a feed", () => {
  test("waits before its first table, and everyone needs a snapshot of that", () => {
    const feed = openTestFeed();
    expect(feed.cursor()).toBeUndefined();
    expect(feed.status()).toMatchObject({ state: "waiting", since: 5 });
    expect(feed.since(undefined)).toEqual({ type: "snapshot" });
    expect(feed.publish(whole(1, 2))).toBeUndefined();
    expect(feed.cursor()).toEqual(at(1));
    expect(feed.columnsJson()).toBe('["a"]');
    expect(feed.since(undefined).type).toBe("snapshot");
    expect(feed.since(at(1)).type).toBe("none");
  });

  test("gives each change as a delta, and squashes several for who missed them, in order, never merged", () => {
    const feed = openTestFeed();
    feed.publish(whole(1, 2));
    const text = feed.publish(append(2, 3, "y"));
    expect(parseMessage(text!) as unknown).toEqual({
      type: "delta",
      epoch: "epoch1",
      from: 1,
      to: 2,
      splices: [[2, 0, [["y"]]]],
      count: 3,
    });
    feed.publish(append(3, 4, "z"));
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

  test("squashes changes that change no row to a delta that moves the version", () => {
    const feed = openTestFeed();
    feed.publish(whole(1, 2));
    feed.publish({ ...append(2, 2), splices: "[]" });
    feed.publish({ ...append(3, 2), splices: "[]" });
    expect(deltaOf(feed.since(at(1)))).toMatchObject({ from: 1, to: 3, splices: [], count: 2 });
  });

  test.each([
    { name: "of an earlier epoch", cursor: at(3, "epoch1") },
    { name: "of another server", cursor: at(5, "elsewhere") },
    { name: "from before the first of the epoch", cursor: at(4, "epoch2") },
    { name: "nobody has had", cursor: undefined },
  ])("gives a snapshot for a cursor $name", ({ cursor }) => {
    const feed = openTestFeed();
    feed.publish(whole(3, 1));
    feed.publish(whole(5, 1));
    feed.publish(append(6, 2));
    expect(feed.cursor()).toEqual(at(6, "epoch2"));
    expect(feed.since(cursor)).toEqual({ type: "snapshot" });
  });

  test("begins its history anew when the table is taken anew, within the epoch", () => {
    const feed = openTestFeed();
    feed.publish(whole(1, 1));
    feed.publish(append(2, 2));
    expect(feed.publish(whole(3, 9, false))).toBeUndefined();
    expect(feed.cursor()).toEqual(at(3));
    expect(feed.since(at(2)).type).toBe("snapshot");
    feed.publish(append(4, 10));
    expect(feed.since(at(3)).type).toBe("delta");
    expect(feed.since(at(2)).type).toBe("snapshot");
  });

  test("forgets what would be more than half a snapshot", () => {
    const feed = openTestFeed();
    const bytes = 100_000;
    feed.publish({ ...whole(1, 0), bytes });
    for (let version = 2; version <= 200; version++)
      feed.publish(append(version, version - 1, "x".repeat(1000), bytes));
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

  test("sends a delta larger than that as a snapshot", () => {
    const feed = openTestFeed();
    feed.publish({ ...whole(1, 0), bytes: 100_000 });
    expect(feed.publish(append(2, 1, "x".repeat(60_000), 100_000))).toBeUndefined();
    expect(feed.since(at(1)).type).toBe("snapshot");
    expect(feed.since(at(2)).type).toBe("none");
  });

  test("knows which versions are of its epoch", () => {
    const feed = openTestFeed();
    expect(feed.cursorOf({ version: 0 })).toBeUndefined();
    feed.publish(whole(3, 1));
    feed.publish(whole(5, 1));
    expect(feed.cursorOf({ version: 4 })).toBeUndefined();
    expect(feed.cursorOf({ version: 5 })).toEqual(at(5, "epoch2"));
    expect(feed.cursorOf({ version: 5, epoch: "epoch1" })).toBeUndefined();
  });

  describe("that another server numbers", () => {
    test("takes its epoch and its versions, which may be lower in the next epoch", () => {
      const feed = openTestFeed();
      expect(feed.publish({ ...whole(40, 2), epoch: "theirs" })).toBeUndefined();
      expect(feed.cursor()).toEqual(at(40, "theirs"));
      expect(feed.publish({ ...append(41, 3), epoch: "theirs" })).toContain('"epoch":"theirs","from":40,"to":41');
      expect(feed.publish({ ...append(7, 4), epoch: "next" })).toBeUndefined();
      expect(feed.cursor()).toEqual(at(7, "next"));
      expect(feed.since(at(41, "theirs")).type).toBe("snapshot");
      expect(feed.cursorOf({ version: 41, epoch: "theirs" })).toBeUndefined();
      expect(feed.cursorOf({ version: 7, epoch: "next" })).toEqual(at(7, "next"));
    });

    test("has nothing for a client that is ahead, until it is as far", () => {
      const feed = openTestFeed();
      feed.publish({ ...whole(40, 2), epoch: "theirs" });
      expect(feed.since(at(42, "theirs")).type).toBe("ahead");
      feed.publish({ ...append(41, 3), epoch: "theirs" });
      expect(feed.since(at(42, "theirs")).type).toBe("ahead");
      expect(feed.distance(at(42, "theirs"))).toBeUndefined();
      feed.publish({ ...append(42, 4), epoch: "theirs" });
      expect(feed.since(at(42, "theirs")).type).toBe("none");
      feed.publish({ ...append(43, 5, "z"), epoch: "theirs" });
      expect(deltaOf(feed.since(at(42, "theirs")))).toMatchObject({ from: 42, to: 43 });
    });
  });
});
