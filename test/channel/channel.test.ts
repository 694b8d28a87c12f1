// One table that is served: switching its source, the words for its states, and what is passed on to whom.
import { describe, expect, test } from "bun:test";
import { CsvError } from "../../src/csv/error.ts";
import { formatCursor, SUBPROTOCOL } from "../../src/feed/protocol.ts";
import type { Publication, Status } from "../../src/feed/publication.ts";
import { type Part, type Shape, snapshotOf } from "../../src/source/source.ts";
import { connect, until } from "../support.ts";
import { openTestChannel, openTestHub, type Rows, type ScriptedSource, type TestChannel } from "./open.ts";

/** A channel that publishes `old.csv`, with the one cell `old`. */
async function openPublished(): Promise<{ test: TestChannel; old: ScriptedSource }> {
  const test = openTestChannel();
  const { source: old, outcome } = test.open("/data/old.csv", { rows: [["old"]], name: "old.csv" });
  old.begin();
  expect(await outcome).toBe("done");
  return { test, old };
}

/** The rows of the table as it is now. */
async function rowsOf({ channel }: TestChannel): Promise<Rows> {
  const parts = await Array.fromAsync((await channel.snapshot("rows")).parts);
  return parts.flatMap(({ text }) => JSON.parse(text) as Rows);
}

/** All that must stay as it is while another source is only a candidate. */
const shownBy = ({ channel, events }: TestChannel) => ({
  publication: channel.feed.publication(),
  location: channel.location(),
  status: channel.status(),
  events: [...events],
});

describe("switching the source of a channel", () => {
  test("the old source stays, and goes on being followed, until the first publication of the new one", async () => {
    const { test, old } = await openPublished();
    await using _ = test;
    const { source: next, outcome } = test.open("/data/new.csv", { rows: [["new"]], name: "new.csv" });
    expect(test.channel.loading()).toMatchObject({ name: "new.csv", share: undefined });
    next.events.onProgress(30, 40);
    expect(test.channel.loading()).toMatchObject({ share: 0.75 });
    expect(old.isClosed()).toBe(false);
    expect(test.channel.location()).toBe("/data/old.csv");
    old.append("older");
    expect(test.channel.feed.publication()?.rows).toBe(2);
    expect(await rowsOf(test)).toEqual([["old"], ["older"]]);

    next.begin();
    expect(await outcome).toBe("done");
    expect([old.isClosed(), next.isClosed()]).toEqual([true, false]);
    expect(test.channel.location()).toBe("/data/new.csv");
    expect(test.channel.loading()).toBeUndefined();
    expect(test.channel.feed.cursor()).toEqual(next.publication().cursor);
    expect(await rowsOf(test)).toEqual([["new"]]);
    expect(test.events.filter(({ type }) => type === "file-on-air")).toMatchObject([
      { file: "old.csv", rows: 1, columns: 1, dialect: "comma, UTF-8" },
      { file: "new.csv", rows: 1, columns: 1, dialect: "comma, UTF-8" },
    ]);
  });

  test("what the old source still says is heard no more", async () => {
    const { test, old } = await openPublished();
    await using _ = test;
    const { source: next } = test.open("/data/new.csv", { rows: [["new"]], name: "new.csv" });
    next.begin();
    const before = shownBy(test);
    old.append("late");
    old.events.onStatus({ state: "missing", problem: { kind: "not-found", reason: "no such file" } });
    old.events.onRefused({ kind: "io", reason: "late" });
    expect(shownBy(test)).toEqual(before);
    expect(next.isClosed()).toBe(false);
  });

  test("a refused candidate leaves all as it was, and its reason names it without its folder", async () => {
    const { test, old } = await openPublished();
    await using _ = test;
    const before = shownBy(test);
    const { source: next, outcome } = test.open("/secret/new.csv");
    next.events.onRefused({ kind: "not-csv", reason: "no delimiter", line: 3 });
    expect(await outcome).toBe("not-csv: new.csv: line 3: no delimiter");
    expect(shownBy(test)).toEqual(before);
    expect([old.isClosed(), next.isClosed()]).toEqual([false, true]);
    expect(test.channel.loading()).toBeUndefined();
    next.begin(); // too late
    expect(shownBy(test)).toEqual(before);
    old.append("older");
    expect(await rowsOf(test)).toEqual([["old"], ["older"]]);
  });

  test("how a candidate is doing is not the state of what is published; the reports of its relay neither", async () => {
    const { test } = await openPublished();
    await using _ = test;
    const before = shownBy(test);
    const { source: next } = test.open("redis://127.0.0.1:1?topic=csv");
    const counts = { connected: false, tables: 1, heardAt: 0, entries: 0, bytes: 0, snapshots: 0, reconnects: 1 };
    next.events.onStatus({ state: "waiting", problem: { kind: "io", reason: "the relay cannot be read" } });
    next.events.onLink!(counts);
    expect(shownBy(test)).toEqual(before);
    expect(test.channel.link()).toBeUndefined();
    next.begin();
    expect(test.channel.link()).toEqual(counts);
  });

  test("before there is a table, how the candidate is doing is all there is to tell", async () => {
    await using test = openTestChannel();
    expect(test.channel.status()).toMatchObject({ state: "waiting", message: "no table is published yet" });
    const { source } = test.open("/data/f.csv");
    source.events.onStatus({
      state: "waiting",
      since: 7,
      problem: { kind: "io", reason: "the relay does not answer" },
    });
    expect(test.channel.status()).toEqual({ state: "waiting", message: "f.csv: the relay does not answer", since: 7 });
  });

  test("a second one supersedes the first, whose open ends without a word", async () => {
    const { test } = await openPublished();
    await using _ = test;
    const first = test.open("/data/first.csv", { rows: [["first"]] });
    const second = test.open("/data/second.csv", { rows: [["second"]] });
    expect(await first.outcome).toBe("done");
    expect(first.source.isClosed()).toBe(true);
    expect(test.channel.loading()).toMatchObject({ name: "second.csv" });
    first.source.begin();
    first.source.events.onRefused({ kind: "io", reason: "late" });
    expect(test.channel.location()).toBe("/data/old.csv");
    second.source.begin();
    expect(await second.outcome).toBe("done");
    expect(test.channel.location()).toBe("/data/second.csv");
    expect(await rowsOf(test)).toEqual([["second"]]);
  });

  test("a snapshot that is pending meanwhile is answered by the new source", async () => {
    await using test = openTestChannel();
    const asked = Promise.withResolvers<void>();
    const { source: old } = test.open("old.csv", {
      async snapshot() {
        asked.resolve();
        return new Promise<never>(() => {});
      },
    });
    old.begin();
    const rows = rowsOf(test);
    await asked.promise;
    const { source: next } = test.open("new.csv", { rows: [["new"]] });
    next.begin();
    expect(await rows).toEqual([["new"]]);
  });

  test("closing the channel ends both, and who waits", async () => {
    const { test, old } = await openPublished();
    const { source: next, outcome } = test.open("new.csv");
    test.channel.close();
    expect(await outcome).toBe("done");
    expect([old.isClosed(), next.isClosed()]).toEqual([true, true]);
    await expect(test.channel.snapshot("rows")).rejects.toThrow("closed");
    expect(await test.open("another.csv").outcome).toBe("done");
    expect(test.sources.length).toBe(2);
  });
});

describe("in the middle of a snapshot the source becomes another, and the new table is what comes", () => {
  /** A table whose snapshots stop after their first part, until its source is closed. */
  function openCutOff() {
    const cut = Promise.withResolvers<never>();
    cut.promise.catch(() => {});
    const begun: Shape[] = [];
    async function part(shape: Shape, at: number): Promise<Part<Shape>> {
      begun.push(shape);
      if (shape === "rows" && at === 0) return { at: 0, next: 1, text: '[["old"]]', bytes: 9 };
      return cut.promise;
    }
    const columns = { count: 1, json: '["a"]' };
    const hub = openTestHub({
      rows: [["old"], ["older"]],
      snapshot: async (shape) =>
        snapshotOf({
          cursor: { epoch: "old", version: 1 },
          columns,
          rows: 2,
          part: (at) => part(shape, at),
          close() {},
        }),
    });
    hub.begin();
    return {
      hub,
      async change(): Promise<void> {
        await until("the snapshot to have begun", () => begun.length > 0);
        hub.open("new.csv", { rows: [["new"]] }).begin();
        cut.reject(new CsvError("closed", "closed"));
      },
    };
  }

  test("for a client of the plain feed", async () => {
    const { hub, change } = openCutOff();
    await using _ = hub;
    await using client = await connect(hub.url);
    await change();
    expect(await client.next()).toBe('[{"a":"new"}]');
  });

  test("for a client of the live feed", async () => {
    const { hub, change } = openCutOff();
    await using _ = hub;
    await using client = await connect(hub.url, { protocols: [SUBPROTOCOL] });
    await change();
    expect(await client.nextThat("the new table", (text) => text.includes('[["new"]]'))).toContain('"snapshot"');
  });

  test("for a document, which has the cursor of the new table", async () => {
    const { hub, change } = openCutOff();
    await using _ = hub;
    const answer = hub.get("/csv.json");
    await change();
    const response = await answer;
    expect([response.status, await response.text()]).toEqual([200, '[{"a":"new"}]']);
    expect(response.headers.get("etag")).toBe(`W/"${formatCursor(hub.channel.feed.cursor()!)}"`);
  });
});

describe("the state of a channel", () => {
  const about = (message: string, state: Status["state"] = "stale") => ({ state, message, since: expect.any(Number) });

  test.each([
    {
      name: "a problem",
      status: { state: "missing", problem: { kind: "not-found", reason: "no such file" } },
      expected: about("old.csv: no such file; clients keep the last good table", "missing"),
    },
    {
      name: "a problem in a line",
      status: { state: "invalid", problem: { kind: "not-csv", reason: "no columns", line: 2 } },
      expected: about("old.csv: line 2: no columns; clients keep the last good table", "invalid"),
    },
    {
      name: "an open quote, before which the rows are shown",
      status: {
        state: "invalid",
        problem: { kind: "unclosed-quote", reason: "a quote; the rows before it are shown" },
      },
      expected: about("old.csv: a quote; the rows before it are shown", "invalid"),
    },
    {
      name: "a file that is written anew",
      status: { state: "updating" },
      expected: about("old.csv is being written anew, and not whole yet", "updating"),
    },
    {
      name: "the words of another server",
      status: { state: "stale", message: "as it came", since: 5 },
      expected: { state: "stale", message: "as it came", since: 5 },
    },
  ] as const)("is told in words: $name", async ({ status, expected }) => {
    const { test, old } = await openPublished();
    await using _ = test;
    old.events.onStatus(status);
    expect(test.channel.status()).toEqual(expected);
    expect(test.events.at(-1)).toEqual({ type: "file-state", file: "old.csv", ...test.channel.status() });
  });

  test("is told once for each change of it, and is live again after another publication", async () => {
    const { test, old } = await openPublished();
    await using _ = test;
    const missing = { state: "missing", problem: { kind: "not-found", reason: "no such file" } } as const;
    old.events.onStatus({ state: "live" });
    old.events.onStatus(missing);
    const first = test.channel.status();
    old.events.onStatus(missing);
    expect(test.channel.status()).toBe(first);
    old.events.onStatus({ state: "live" });
    expect(test.channel.status()).toMatchObject({ state: "live", message: "" });
    expect(test.events.flatMap((event) => (event.type === "file-state" ? [event.state] : []))).toEqual([
      "missing",
      "live",
    ]);
  });

  test("is that of the new source after a switch, whatever it was", async () => {
    const { test, old } = await openPublished();
    await using _ = test;
    old.events.onStatus({ state: "missing", problem: { kind: "not-found", reason: "no such file" } });
    test.open("new.csv").source.begin();
    expect(test.channel.status()).toMatchObject({ state: "live", message: "" });
  });
});

describe("a source that is not there yet", () => {
  const AWAITED = {
    state: "waiting",
    problem: { kind: "not-found", reason: "no such file yet" },
    awaited: { similar: "New.csv" },
  } as const;

  test("is waited for: its state is told, and a file that may be meant to the log alone", async () => {
    await using test = openTestChannel();
    const { source, outcome } = test.open("/data/new.csv", { rows: [["new"]], name: "new.csv" });
    source.events.onStatus(AWAITED);
    expect(test.channel.status()).toMatchObject({ state: "waiting", message: "new.csv: no such file yet" });
    expect([test.channel.awaited(), test.channel.loading()]).toEqual(["new.csv", undefined]);
    const { reason } = AWAITED.problem;
    const said = { type: "file-awaited", file: "new.csv", path: "/data/new.csv", reason, similar: "New.csv" } as const;
    expect(test.events).toEqual([said]);
    source.events.onStatus({ state: "waiting", problem: { kind: "not-permitted", reason: "no permission" } });
    expect(test.channel.status().message).toBe("new.csv: no permission");
    expect(test.events.at(-1)).toMatchObject({ type: "file-state", message: "new.csv: no permission" });
    source.begin();
    expect(await outcome).toBe("done");
    expect([test.channel.awaited(), test.channel.location()]).toEqual([undefined, "/data/new.csv"]);
  });

  test("is waited for while another is refused, and no more when another is published", async () => {
    await using test = openTestChannel();
    const { source: awaited, outcome } = test.open("/data/new.csv");
    awaited.events.onStatus(AWAITED);
    const wrong = test.open("/data/wrong.csv");
    wrong.source.events.onRefused({ kind: "not-csv", reason: "an image" });
    expect(await wrong.outcome).toBe("not-csv: wrong.csv: an image");
    expect([test.channel.awaited(), awaited.isClosed()]).toEqual(["new.csv", false]);
    const other = test.open("/data/other.csv", { rows: [["other"]] });
    other.source.begin();
    expect(await Promise.all([outcome, other.outcome])).toEqual(["done", "done"]);
    expect([test.channel.awaited(), awaited.isClosed()]).toEqual([undefined, true]);
    awaited.begin();
    expect(test.channel.location()).toBe("/data/other.csv");
  });

  test("leaves a table that is published, and its state, as they are, and takes its place when it comes", async () => {
    const { test, old } = await openPublished();
    await using _ = test;
    const before = { ...shownBy(test), events: [] };
    const { source: next } = test.open("/data/new.csv", { rows: [["new"]], name: "new.csv" });
    next.events.onStatus(AWAITED);
    expect({ ...shownBy(test), events: [] }).toEqual(before);
    expect(test.events.at(-1)).toMatchObject({ type: "file-awaited", path: "/data/new.csv" });
    const { source: loading } = test.open("/data/slow.csv", { rows: [["slow"]] });
    next.begin();
    expect([old.isClosed(), loading.isClosed()]).toEqual([true, false]);
    expect(await rowsOf(test)).toEqual([["new"]]);
    loading.begin();
    expect(next.isClosed()).toBe(true);
    expect(await rowsOf(test)).toEqual([["slow"]]);
  });

  test("gives way to the next one that is not there", async () => {
    await using test = openTestChannel();
    const first = test.open("/data/first.csv");
    first.source.events.onStatus(AWAITED);
    const second = test.open("/data/second.csv");
    second.source.events.onStatus(AWAITED);
    expect(await first.outcome).toBe("done");
    expect([first.source.isClosed(), test.channel.awaited()]).toEqual([true, "second.csv"]);
  });
});

test("columns and dialects that change are told once each", async () => {
  await using test = openTestChannel();
  const { source } = test.open("f.csv");
  const cursor = (epoch: string, version: number) => ({ epoch, version });
  const table = (epoch: string, version: number, names: string[], dialect = "comma, UTF-8") =>
    source.events.onPublication({
      ...source.publication(),
      cursor: cursor(epoch, version),
      columns: { count: names.length, json: JSON.stringify(names) },
      about: { ...source.publication().about, dialect },
    });
  table("a", 1, []);
  table("b", 1, ["x"]);
  table("b", 2, ["x"]);
  table("c", 1, ["x"]);
  table("d", 1, ["x", "y"]);
  table("e", 1, ["x", "y"], "semicolon, UTF-8");
  table("e", 2, ["x", "y"], "semicolon, UTF-8");
  table("f", 1, []);
  table("g", 1, ["x", "y"], "semicolon, UTF-8");
  const told = test.events.flatMap((event) => (event.type === "file-changed" ? [event.change] : []));
  expect(told).toEqual(["first", "columns", "dialect", "none", "first"]);
});

test("a sink gets each publication, each status, and the status after the first publication of a source", async () => {
  await using test = openTestChannel();
  const got: string[] = [];
  test.channel.addSink({
    publish: ({ cursor, about }: Publication) => void got.push(`${about.name}:${cursor.version}`),
    setStatus: ({ state }) => void got.push(state),
    close() {},
  });
  const { source: first } = test.open("first.csv", { rows: [] });
  first.begin();
  first.append("x");
  first.events.onStatus({ state: "stale", problem: { kind: "io", reason: "why" } });
  test.open("second.csv").source.begin();
  expect(got).toEqual(["first.csv:1", "live", "first.csv:2", "stale", "second.csv:1", "live"]);
});

test("a warning is reported when its kind is new, not for each count", async () => {
  await using test = openTestChannel();
  const { source } = test.open("f.csv");
  source.replace([["1"]], true, { warnings: ["1 cell dropped"] });
  source.replace([["2"]], false, { warnings: ["2 cell dropped"] });
  source.replace([["3"]], false, { warnings: [] });
  source.replace([["4"]], false, { warnings: ["3 cell dropped"] });
  const warnings = test.events.flatMap((event) => (event.type === "file-warning" ? [event.warnings] : []));
  expect(warnings).toEqual([["1 cell dropped"], ["3 cell dropped"]]);
});

test("live clients are told of warnings, of those that are left out, and of what is held back, which is no other state", async () => {
  await using test = openTestChannel();
  const { source } = test.open("f.csv");
  const told = () => test.channel.live.status;
  source.replace([["1"]], true, { warnings: ["1 cell dropped"] });
  const { since } = told();
  expect(told()).toEqual({ state: "live", message: "", since, warnings: ["1 cell dropped"] });
  source.events.onStatus({ state: "live", pendingBytes: 34 });
  expect(told()).toEqual({ state: "live", message: "", since, pendingBytes: 34, warnings: ["1 cell dropped"] });
  source.replace([["3"]], false, { warnings: [] });
  expect(told().warnings).toEqual([]);
  source.events.onStatus({ state: "live" });
  expect(told().pendingBytes).toBeUndefined();
  expect(test.events.filter(({ type }) => type === "file-state")).toEqual([]);
});

test("live clients, sinks and the log are told of a replay, once, and of its end", async () => {
  await using test = openTestChannel();
  const { source } = test.open("f.csv");
  source.replace([["1"]], true);
  const replay = { speed: "10x", isFinished: false };
  source.events.onStatus({ state: "live", replay });
  source.events.onStatus({ state: "live", replay: { ...replay } });
  const { since } = test.channel.live.status;
  expect(test.channel.live.status).toEqual({ state: "live", message: "", since, replay, warnings: [] });
  source.events.onStatus({ state: "live", replay: { ...replay, isFinished: true } });
  expect(test.channel.live.status).toMatchObject({ state: "live", since, replay: { isFinished: true } });
  const told = test.events.filter(({ type }) => type === "file-replay" || type === "file-state");
  expect(told).toEqual([
    { type: "file-replay", file: "f.csv", ...replay },
    { type: "file-replay", file: "f.csv", ...replay, isFinished: true },
  ]);
});
