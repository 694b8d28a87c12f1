// What a follower makes of each entry of the stream, without a relay and without a clock.
import { describe, expect, test } from "bun:test";
import { CsvError } from "../../src/csv/error.ts";
import type { Cursor } from "../../src/feed/publication.ts";
import {
  disconnect,
  type FollowerState,
  newState,
  publicationOf,
  publishUnconfirmed,
  statusOf,
  type TableEntry,
  take,
  takeSnapshot,
} from "../../src/relay/follow/state.ts";
import { draftTable } from "../../src/relay/follow/table.ts";

const SILENCE_MS = 100;
const at = (now: number) => ({ now, date: 10_000 + now });
const status = (version: number, epoch = "e"): TableEntry => ({
  kind: "status",
  epoch,
  version,
  state: "missing",
  message: "gone\u001b[2J",
  since: 7,
});
const snapshot = (version: number, epoch = "e"): TableEntry => ({ kind: "snapshot", epoch, version });
const delta = (from: number, splices = '[[0,0,[["n"]]]]', count = from + 1): TableEntry => ({
  kind: "delta",
  epoch: "e",
  from,
  to: from + 1,
  count,
  splices,
  warnings: [`w${from}`],
  changedAt: 9_000 + from,
});

/** Connected, with a snapshot of as many rows as its version says. */
function stateAt(version: number, resume?: Cursor): FollowerState {
  const state = newState("topic csv at h:6379", SILENCE_MS, resume);
  state.isConnected = true;
  hold(state, version);
  return state;
}

function hold(state: FollowerState, version: number, now = 0): void {
  const draft = draftTable(["a"], { maxBytes: 200, maxCellBytes: 100, lastRows: Infinity });
  draft.add(Array.from({ length: version }, (_, r) => [`${r}`]));
  const pointer = {
    id: "i",
    bytes: 9,
    kept: [],
    epoch: "e",
    version,
    columns: ["a"],
    rows: version,
    parts: 1,
    after: "1-0",
    file: "f\t.csv",
    dialect: "comma, UTF-8",
    warnings: [],
    changedAt: 99_999,
    first: 30,
  };
  takeSnapshot(state, pointer, draft.finish(), at(now));
}

describe("an entry", () => {
  test("that confirms a snapshot publishes it, once; one that is not fresh does not", () => {
    const state = stateAt(2);
    expect(take(state, status(2), false, at(1))).toEqual({ place: "follows" });
    const step = take(state, status(2), true, at(2));
    expect(step).toEqual({ place: "follows", change: { splices: undefined, noticedAt: 0 }, isConfirmed: true });
    expect(take(state, status(2), true, at(3)).change).toBeUndefined();
    const { cursor, rows, first, about } = publicationOf(state.copy!, state.name, step.change!, 5);
    expect([cursor, rows, first]).toEqual([{ epoch: "e", version: 2 }, 2, 30]);
    expect(about).toMatchObject({ name: '"f\\t.csv"', relay: "topic csv at h:6379", readMs: 5 });
    expect(about.changedAt).toBe(10_000); // the publisher's clock is ahead
  });

  test("that is a change is published as one only behind what was published, and else as a whole", () => {
    const state = stateAt(2);
    expect(take(state, delta(2), false, at(1)).change).toBeUndefined();
    expect(take(state, delta(3), true, at(2)).change).toEqual({ splices: undefined, noticedAt: 0 });
    expect(take(state, delta(4), false, at(3)).change).toEqual({ splices: '[[0,0,[["n"]]]]', noticedAt: 3 });
    expect(state.published).toEqual({ epoch: "e", version: 5 });
    expect(state.copy).toMatchObject({ version: 5, warnings: ["w4"], changedAt: 9_004 });
  });

  test.each([
    { name: "an older change", entry: delta(1), place: "follows" },
    { name: "a change that begins later", entry: delta(3), place: "gap" },
    { name: "a change of another epoch", entry: { ...delta(2), epoch: "x" } as TableEntry, place: "gap" },
    { name: "a snapshot that is known", entry: snapshot(1), place: "follows" },
    { name: "a later snapshot", entry: snapshot(3), place: "gap" },
    { name: "a snapshot of another epoch", entry: snapshot(1, "x"), place: "gap" },
    { name: "a later status", entry: status(3), place: "ahead" },
    { name: "an earlier status", entry: status(1), place: "follows" },
  ] as const)("$name: $place", ({ entry, place }) => {
    const state = stateAt(2);
    expect(take(state, entry, true, at(1))).toEqual({ place });
    expect(state.copy?.version).toBe(2);
  });

  test("that cannot be taken changes nothing", () => {
    const state = stateAt(2);
    take(state, status(2), true, at(1));
    const before = structuredClone({ ...state, copy: undefined });
    for (const splices of ["[[9,0,[]]]", "[", `[[0,1,[]],[0,0,[["${"x".repeat(101)}"],["y"]]]]`])
      expect(() => take(state, delta(2, splices, 3), true, at(2))).toThrow(CsvError);
    expect({ ...state, copy: undefined }).toEqual(before);
    expect(state.copy!.contents.table.rows()).toBe(2);
  });
});

describe("a follower that resumes", () => {
  test("publishes nothing older than what was published", () => {
    const state = stateAt(2, { epoch: "e", version: 3 });
    expect(take(state, status(2), true, at(1))).toEqual({ place: "follows", isConfirmed: true });
    expect(take(state, delta(2), true, at(2)).change).toEqual({ splices: undefined, noticedAt: 0 });
  });

  test("publishes any version of another epoch", () => {
    const state = stateAt(2, { epoch: "x", version: 30 });
    expect(take(state, status(2), true, at(1)).change).toBeDefined();
  });

  test("publishes no table that nobody confirms", () => {
    expect(publishUnconfirmed(stateAt(2, { epoch: "x", version: 1 }), 1_000)).toBeUndefined();
  });
});

test("a first table that nobody confirms is published after the silence, and counts as stale", () => {
  const state = stateAt(2);
  expect(publishUnconfirmed(state, SILENCE_MS)).toBeUndefined();
  expect(statusOf(state, SILENCE_MS)).toBeUndefined();
  expect(publishUnconfirmed(state, SILENCE_MS + 1)).toEqual({ splices: undefined, noticedAt: 0 });
  expect(statusOf(state, SILENCE_MS + 1)).toMatchObject({ state: "stale" });
});

describe("the status", () => {
  test("is that of the publisher, with control characters written out, until it is silent", () => {
    const state = stateAt(2);
    take(state, status(2), true, at(1));
    expect(statusOf(state, 1 + SILENCE_MS)).toEqual({ state: "missing", message: '"gone\\u001b[2J"', since: 7 });
    expect(statusOf(state, 2 + SILENCE_MS)).toEqual({
      state: "stale",
      problem: { kind: "io", reason: "the relay has no heartbeat of its publisher for 0.1 s" },
    });
  });

  test("is waiting before there was a table, with one reason for each outage", () => {
    const state = newState("topic csv at h:6379", SILENCE_MS, undefined);
    expect(statusOf(state, 0)).toBeUndefined();
    disconnect(state, new Error("refused redis://u:secret@h"));
    disconnect(state, new Error("refused again"));
    const reason = "the relay cannot be read: refused redis://***@h";
    expect(statusOf(state, 0)).toEqual({ state: "waiting", problem: { kind: "io", reason } });
  });

  test("is stale when the connection is lost, and what was not published is forgotten", () => {
    const state = stateAt(2);
    take(state, status(2), true, at(1));
    hold(state, 3, 5);
    disconnect(state, new CsvError("io", "a delta is malformed"));
    expect(state.copy).toBeUndefined();
    const reason = "the relay sends what cannot be taken: a delta is malformed";
    expect(statusOf(state, 5)).toEqual({ state: "stale", problem: { kind: "io", reason } });
  });
});
