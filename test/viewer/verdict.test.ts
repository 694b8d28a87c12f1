// What the badge says of every situation: the worst first, so that nobody takes an old table for a fresh one.
import { describe, expect, test } from "bun:test";
import type { State } from "../../src/feed/protocol.ts";
import { ageText, judge, type Situation, type Verdict } from "../../src/viewer/verdict.ts";

const NOW = 1_000_000;
const status = (state: State, message = "") => ({ state, message });

/** All is well: heard and changed a moment ago. */
const WELL: Situation = {
  status: status("live"),
  connection: "current",
  why: "",
  changedAt: NOW - 3_000,
  heardAt: NOW - 1_000,
  aliveAt: NOW - 500,
  isPaused: false,
  isBehind: false,
  loaded: undefined,
  rows: 5,
  file: "a.csv",
};

/** From the worst to the best: each is what is said even if all below it hold too. */
const ORDER: { name: string; input: Partial<Situation>; expected: Verdict }[] = [
  {
    name: "ended",
    input: { connection: "ended", why: "The token is wrong" },
    expected: { tone: "gone", word: "ended", age: "", notice: "The token is wrong. Reload to try again." },
  },
  {
    name: "stopped",
    input: { aliveAt: NOW - 10_001 },
    expected: { tone: "gone", word: "stopped", age: "", notice: "This page has stopped following. Reload it." },
  },
  {
    name: "reconnecting",
    input: { connection: "reconnecting" },
    expected: { tone: "gone", word: "reconnecting", age: "", notice: "" },
  },
  {
    name: "connecting",
    input: { connection: "connecting" },
    expected: { tone: "waiting", word: "connecting", age: "", notice: "" },
  },
  {
    name: "silent",
    input: { heardAt: NOW - 9_000 },
    expected: { tone: "trouble", word: "silent", age: "last heard 9 s ago", notice: "" },
  },
  {
    name: "loading",
    input: { loaded: 0.419 },
    expected: { tone: "waiting", word: "loading", age: "41 %", notice: "" },
  },
  {
    name: "invalid",
    input: { status: status("invalid", "line 3 has 2 fields") },
    expected: { tone: "trouble", word: "invalid", age: "changed 3 s ago", notice: "line 3 has 2 fields" },
  },
  {
    name: "paused",
    input: { isPaused: true },
    expected: { tone: "paused", word: "paused", age: "changed 3 s ago", notice: "" },
  },
  { name: "live", input: {}, expected: { tone: "live", word: "live", age: "changed 3 s ago", notice: "" } },
];

const AGE_OF_GONE = "last heard 1 s ago";

describe("the badge says", () => {
  test.each(ORDER)("$name", ({ input, expected }) => {
    const age = expected.tone === "gone" ? AGE_OF_GONE : expected.age;
    expect(judge({ ...WELL, ...input }, NOW)).toEqual({ ...expected, age });
  });

  const others: { name: string; input: Partial<Situation>; expected: Verdict }[] = [
    {
      name: "missing",
      input: { status: status("missing", "gone") },
      expected: { tone: "trouble", word: "missing", age: "changed 3 s ago", notice: "gone" },
    },
    {
      name: "stale",
      input: { status: status("stale", "old") },
      expected: { tone: "trouble", word: "stale", age: "changed 3 s ago", notice: "old" },
    },
    {
      name: "updating",
      input: { status: status("updating", "written anew") },
      expected: { tone: "waiting", word: "updating", age: "changed 3 s ago", notice: "written anew" },
    },
    {
      name: "live, with rows that are held back, and warnings",
      input: { status: { ...status("live"), pendingBytes: 34, warnings: ["odd"] } },
      expected: { tone: "live", word: "live", age: "changed 3 s ago · incomplete row · 1 warning", notice: "" },
    },
    {
      name: "live, and a replay",
      input: { status: { ...status("live"), replay: { speed: "10x", isFinished: false } } },
      expected: { tone: "live", word: "live", age: "changed 3 s ago · replay 10x", notice: "" },
    },
    {
      name: "live, and a replay that is over",
      input: { status: { ...status("live"), replay: { speed: "100/s", isFinished: true } } },
      expected: { tone: "live", word: "live", age: "changed 3 s ago · replay 100/s, finished", notice: "" },
    },
    {
      name: "waiting",
      input: { status: status("waiting", "no file") },
      expected: { tone: "waiting", word: "waiting", age: "", notice: "" },
    },
    {
      name: "loading, before anything was said",
      input: { status: undefined, connection: "open" },
      expected: { tone: "waiting", word: "loading", age: "", notice: "" },
    },
    {
      name: "live, of a table that has not changed yet",
      input: { changedAt: undefined },
      expected: { tone: "live", word: "live", age: "", notice: "" },
    },
    {
      name: "live, before anything was heard",
      input: { heardAt: undefined },
      expected: { tone: "live", word: "live", age: "changed 3 s ago", notice: "" },
    },
    {
      name: "live, just before it is silent",
      input: { heardAt: NOW - 8_000 },
      expected: { tone: "live", word: "live", age: "changed 3 s ago", notice: "" },
    },
    {
      name: "live, just before it has stopped",
      input: { aliveAt: NOW - 10_000 },
      expected: { tone: "live", word: "live", age: "changed 3 s ago", notice: "" },
    },
    {
      name: "paused, and that there is more",
      input: { isPaused: true, isBehind: true },
      expected: { tone: "paused", word: "paused", age: "there is more", notice: "" },
    },
    {
      name: "reconnecting, to what was never heard",
      input: { connection: "reconnecting", heardAt: undefined },
      expected: { tone: "gone", word: "reconnecting", age: "", notice: "" },
    },
  ];
  test.each(others)("$name", ({ input, expected }) => {
    expect(judge({ ...WELL, ...input }, NOW)).toEqual(expected);
  });
});

test("the worst of all that holds is what is said", () => {
  for (const [i, worse] of ORDER.entries())
    for (const better of ORDER.slice(i + 1)) {
      const verdict = judge({ ...WELL, ...better.input, ...worse.input }, NOW);
      expect({ with: better.name, word: verdict.word }).toEqual({ with: better.name, word: worse.name });
    }
});

test("nothing that is not live looks live", () => {
  const states: readonly (State | undefined)[] = [
    undefined,
    "live",
    "waiting",
    "missing",
    "stale",
    "invalid",
    "updating",
  ];
  for (const state of states)
    for (const connection of ["connecting", "open", "current", "reconnecting", "ended"] as const)
      for (const heardAt of [undefined, NOW, NOW - 60_000])
        for (const aliveAt of [NOW, NOW - 60_000])
          for (const isPaused of [false, true]) {
            const situation = { ...WELL, status: state && status(state), connection, heardAt, aliveAt, isPaused };
            const isFresh = aliveAt === NOW && heardAt !== NOW - 60_000 && !isPaused;
            const isLive = state === "live" && (connection === "open" || connection === "current") && isFresh;
            expect({ situation, isLive: judge(situation, NOW).tone === "live" }).toEqual({ situation, isLive });
          }
});

describe("an age is told as", () => {
  const cases: { input: number; expected: string }[] = [
    { input: -5_000, expected: "0 s" },
    { input: 0, expected: "0 s" },
    { input: 999, expected: "0 s" },
    { input: 59_999, expected: "59 s" },
    { input: 60_000, expected: "1 min" },
    { input: 3_599_999, expected: "59 min" },
    { input: 3_600_000, expected: "1 h" },
    { input: 172_799_999, expected: "47 h" },
    { input: 172_800_000, expected: "2 d" },
    { input: 8_640_000_000, expected: "100 d" },
  ];
  test.each(cases)("$expected for $input ms", ({ input, expected }) => {
    expect(ageText(input)).toBe(expected);
  });
});
