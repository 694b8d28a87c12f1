// A copy of a table that keeps itself whole, against a server that the test plays.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { feedUrl, subscribe, type SubscribeOptions, type Subscription } from "../../src/follow/subscriber.ts";
import { claimPort } from "../port.ts";
import { until } from "../support.ts";
import { openScriptedServer, rowsOf, speaker, statusOf } from "./scripted-server.ts";

setDefaultTimeout(30_000);

const a = speaker("k3f9");
const LIVE = statusOf("live");

const subscriptions: Subscription[] = [];
afterEach(() => {
  for (const subscription of subscriptions.splice(0)) subscription.close();
});

/** A subscription whose events are kept as text, and that waits for nothing longer than it must. */
function listen(url: string, options: SubscribeOptions = {}) {
  const log: string[] = [];
  const shown = (rows: readonly (readonly string[])[]) => rows.map((row) => row.join("|")).join(" ");
  const subscription = subscribe(url, {
    firstDelayMs: 1,
    maxDelayMs: 20,
    onSnapshot: (table, splices) =>
      void log.push(`snapshot ${shown(table.rows)}${splices ? ` by ${JSON.stringify(splices)}` : ""}`),
    onChange: (table, splices) => void log.push(`change ${shown(table.rows)} by ${JSON.stringify(splices)}`),
    onStatus: ({ state, message }) => void log.push(`status ${state} ${message}`),
    onConnection: (connection) =>
      void log.push(connection.state === "waiting" ? `waiting: ${connection.why}` : connection.state),
    onEnd: (why) => void log.push(`end: ${why}`),
    ...options,
  });
  subscriptions.push(subscription);
  return {
    log,
    subscription,
    cells: () => shown(subscription.table?.rows ?? []),
    logged: (entry: string | RegExp) =>
      until(
        `${entry}`,
        () => log.some((line) => (typeof entry === "string" ? line === entry : entry.test(line))),
        () => log.join("\n"),
      ),
  };
}

describe("a subscription", () => {
  test("gets the table, then its changes, and knows when it has all", async () => {
    await using server = openScriptedServer();
    const { log, subscription, logged } = listen(server.url);
    const visit = await server.visit();
    expect(visit.since).toBeNull();
    expect([subscription.table, subscription.cursor, subscription.isCurrent]).toEqual([undefined, undefined, false]);
    visit.send(a.snapshot(1, rowsOf("x")), LIVE, a.sync(1, 1), a.delta(1, [[1, 0, rowsOf("y")]], 2));
    await logged(/^change/);
    expect(log).toEqual(["open", "snapshot x", "status live ", "current", 'change x y by [[1,0,[["y"]]]]']);
    expect({ ...subscription.table }).toEqual({ columns: ["a"], rows: rowsOf("x", "y"), cursor: "k3f9:2" });
    expect([subscription.cursor, subscription.isCurrent]).toEqual(["k3f9:2", true]);
  });

  test("reports a table that comes in parts once, when it is whole", async () => {
    await using server = openScriptedServer();
    const { log, subscription, logged } = listen(server.url);
    const visit = await server.visit();
    visit.send(a.snapshot(1, rowsOf("x"), 0, 3), a.snapshot(1, rowsOf("y"), 1, 3));
    await until("the first part", () => log.length > 0);
    expect(subscription.table).toBeUndefined();
    visit.send(a.snapshot(1, rowsOf("z"), 2, 3));
    await logged("snapshot x y z");
    expect(log).toEqual(["open", "snapshot x y z"]);
    expect(subscription.isCurrent).toBe(false);
  });

  test("hands on each message that it took, as it came, and no other", async () => {
    await using server = openScriptedServer();
    const texts: string[] = [];
    const { logged } = listen(server.url, { onMessage: (text) => void texts.push(text) });
    const visit = await server.visit();
    const spaced = '{ "type": "status", "state": "live", "message": "x", "since": 1, "new": [] }';
    const snapshot = JSON.stringify(a.snapshot(1, rowsOf("x")));
    const delta = JSON.stringify(a.delta(1, [], 1));
    visit.send(snapshot, spaced, '{"type":"weather"}', delta, delta, a.sync(2, 1), statusOf("stale"));
    await logged("status stale ");
    const sync = JSON.stringify(a.sync(2, 1));
    expect(texts).toEqual([snapshot, spaced, delta, sync, JSON.stringify(statusOf("stale"))]);
  });

  test("goes on from its cursor after a lost connection, with the changes since", async () => {
    await using server = openScriptedServer();
    const { log, subscription, logged } = listen(server.url);
    const first = await server.visit();
    first.send(a.snapshot(1, rowsOf("x")), LIVE);
    await logged("current");
    const table = subscription.table;
    first.close(1001, "server shutting down");
    const second = await server.visit();
    expect(second.since).toBe("k3f9:1");
    expect(subscription.isCurrent).toBe(false);
    second.send(a.delta(1, [[1, 0, rowsOf("y")]], 2, 9), LIVE, a.sync(9, 2));
    await logged(/^change/);
    await until("all", () => subscription.isCurrent);
    expect([subscription.table?.rows, table?.rows]).toEqual([rowsOf("x", "y"), rowsOf("x")]);
    expect(log.slice(4)).toEqual([
      "waiting: server shutting down",
      "open",
      'change x y by [[1,0,[["y"]]]]',
      "status live ",
      "current",
    ]);
  });

  test("takes the table of a server that was started again, and says what is different", async () => {
    await using server = openScriptedServer();
    const { logged, subscription } = listen(server.url);
    const first = await server.visit();
    first.send(a.snapshot(5, rowsOf("x", "y")), LIVE);
    await logged("current");
    first.close();
    const b = speaker("zzzz");
    (await server.visit()).send(b.snapshot(1, rowsOf("x", "y", "z")), b.sync(1, 3));
    await logged('snapshot x y z by [[2,0,[["z"]]]]');
    expect(subscription.cursor).toBe("zzzz:1");
  });

  test("does not compare tables with other columns", async () => {
    await using server = openScriptedServer();
    const { logged } = listen(server.url);
    const visit = await server.visit();
    visit.send(a.snapshot(1, rowsOf("x")), speaker("zzzz", ["b"]).snapshot(1, rowsOf("x", "y")));
    await logged("snapshot x y");
    visit.send(speaker("yyyy", ["b", "c"]).snapshot(1, [["x", "y"]]));
    await logged("snapshot x|y");
  });

  test("is not disturbed by a delta that it has already", async () => {
    await using server = openScriptedServer();
    const { log, logged } = listen(server.url);
    const visit = await server.visit();
    const change = a.delta(1, [[1, 0, rowsOf("y")]], 2);
    visit.send(a.snapshot(1, rowsOf("x")), change, change, a.delta(2, [[2, 0, rowsOf("z")]], 3), LIVE);
    await logged("current");
    expect(log.filter((line) => line.startsWith("change"))).toHaveLength(2);
    expect(server.count()).toBe(1);
  });

  test("is current with a server that has no table yet, until one comes", async () => {
    await using server = openScriptedServer();
    const { log, logged, subscription } = listen(server.url);
    const visit = await server.visit();
    visit.send(statusOf("waiting", "no file"));
    await logged("current");
    visit.send(a.snapshot(1, rowsOf("x"), 0, 2));
    await until("the table to be on its way", () => !subscription.isCurrent);
    visit.send(a.snapshot(1, rowsOf("y"), 1, 2), LIVE);
    await until("all", () => subscription.isCurrent);
    expect(log).toEqual(["open", "status waiting no file", "current", "snapshot x y", "status live ", "current"]);
  });
});

describe("what does not fit leads to a new connection:", () => {
  test("a delta that was missed, with the cursor", async () => {
    await using server = openScriptedServer();
    const { logged, cells } = listen(server.url);
    const first = await server.visit();
    first.send(a.snapshot(1, rowsOf("x")), a.delta(2, [[1, 0, rowsOf("z")]], 2));
    await logged("waiting: a change was missed");
    const second = await server.visit();
    expect(second.since).toBe("k3f9:1");
    second.send(a.delta(1, [[1, 0, rowsOf("y", "z")]], 3, 3));
    await logged(/^change/);
    expect(cells()).toBe("x y z");
    await until("the first connection to end", first.isOver);
  });

  test("the same gap once more, without it, and the table stays until the next is whole", async () => {
    await using server = openScriptedServer();
    const { logged, cells, subscription } = listen(server.url);
    const gap = a.delta(2, [[1, 0, rowsOf("z")]], 2);
    (await server.visit()).send(a.snapshot(1, rowsOf("x")), gap);
    (await server.visit()).send(gap);
    const third = await server.visit();
    expect(third.since).toBeNull();
    expect(cells()).toBe("x");
    expect(subscription.cursor).toBeUndefined();
    third.send(a.snapshot(3, rowsOf("x", "y", "z")));
    await logged('snapshot x y z by [[1,0,[["y"],["z"]]]]');
  });

  test("a sync of another version", async () => {
    await using server = openScriptedServer();
    const { logged } = listen(server.url);
    (await server.visit()).send(a.snapshot(1, rowsOf("x")), a.sync(2, 2));
    await logged("waiting: the table is not what the server has");
    expect((await server.visit()).since).toBe("k3f9:1");
  });

  const broken = [
    "not JSON",
    "null",
    '{"type":"delta","epoch":"k3f9"}',
    '{"type":"snapshot","epoch":"k3f9","version":1,"columns":["a"],"at":0,"rows":{},"count":1}',
    JSON.stringify(a.delta(1, [[0, 9, []]], 0)),
    JSON.stringify(a.snapshot(7, rowsOf("x"), 5, 6)),
    JSON.stringify(a.sync(1, 2)),
  ];
  test.each(broken)("%s, without the cursor", async (text) => {
    await using server = openScriptedServer();
    const { logged, cells } = listen(server.url);
    (await server.visit()).send(a.snapshot(1, rowsOf("x")), LIVE, text);
    const second = await server.visit();
    expect(second.since).toBeNull();
    second.send(a.snapshot(2, rowsOf("y")));
    await logged(/^snapshot y/);
    expect(cells()).toBe("y");
  });

  test("a transfer that was cut off begins anew, and its parts are forgotten", async () => {
    await using server = openScriptedServer();
    const { log, logged, cells } = listen(server.url);
    const first = await server.visit();
    first.send(a.snapshot(1, rowsOf("x"), 0, 2));
    first.close();
    const second = await server.visit();
    expect(second.since).toBeNull();
    second.send(a.snapshot(1, rowsOf("x"), 0, 2), a.snapshot(1, rowsOf("y"), 1, 2));
    await logged("snapshot x y");
    expect(cells()).toBe("x y");
    expect(log.filter((line) => line.startsWith("snapshot"))).toHaveLength(1);
  });

  test("again and again, but slower each time, although all is well in between", async () => {
    await using server = openScriptedServer();
    const delays: number[] = [];
    listen(server.url, {
      maxDelayMs: 1_000,
      random: () => 1,
      onConnection: (connection) => void (connection.state === "waiting" && delays.push(connection.delayMs)),
    });
    for (let version = 1; version <= 6; version++)
      (await server.visit()).send(a.snapshot(version, rowsOf("x")), LIVE, a.sync(version, 1), "not JSON");
    await until("six delays", () => delays.length === 6);
    expect(delays).toEqual([1, 2, 4, 8, 16, 32]);
  });

  test("silence, with the cursor", async () => {
    await using server = openScriptedServer();
    const { log, logged } = listen(server.url, { silenceMs: 100 });
    const first = await server.visit();
    first.send(a.snapshot(1, rowsOf("x")), LIVE);
    await logged("current");
    expect((await server.visit()).since).toBe("k3f9:1");
    expect(log).toContain("waiting: nothing heard for 0.1 s");
    await until("the first connection to end", first.isOver);
  });
});

describe("it is of no use to go on, and that is said,", () => {
  test("when the server speaks no such subprotocol", async () => {
    await using server = openScriptedServer({ protocol: "other" });
    const { logged } = listen(server.url);
    await logged("end: no csvcast.v1 is spoken there: an older csvcast, or something else");
    expect(server.count()).toBe(1);
  });

  test("when the server agrees to it without knowing what it is", async () => {
    await using server = openScriptedServer();
    const { logged } = listen(server.url);
    (await server.visit()).send('[{"a":"1"}]');
    await logged("end: csvcast.v1 was agreed on, but what comes is something else");
    expect(server.count()).toBe(1);
  });

  test("when it is turned away, but not when there is no room at the moment", async () => {
    const answers = [503, 401];
    await using server = openScriptedServer({ refuse: () => new Response("", { status: answers.shift() ?? 500 }) });
    const { log, logged } = listen(server.url);
    await logged(/^end: .*401/);
    expect(log).toHaveLength(2);
    expect(log[0]).toMatch(/^waiting: .*503/);
  });

  test("when it is closed for good", async () => {
    await using server = openScriptedServer();
    const { logged } = listen(server.url);
    (await server.visit()).close(1008, "not you");
    await logged("end: not you");
    expect(server.count()).toBe(1);
  });

  test("when the server is gone for longer than it may be", async () => {
    using port = await claimPort();
    const { log, logged } = listen(`ws://127.0.0.1:${port.number}/`, { giveUpMs: 0 });
    await logged(/^end: /);
    expect(log).toHaveLength(1);
  });
});

describe("a program", () => {
  test("that closes it hears nothing any more, also in the middle of a message", async () => {
    await using server = openScriptedServer();
    const { log, subscription } = listen(server.url, {
      onMessage: () => subscription.close(),
      onSnapshot: () => void log.push("too late"),
    });
    const visit = await server.visit();
    visit.send(a.snapshot(1, rowsOf("x")), LIVE);
    await until("the end", visit.isOver);
    expect(log).toEqual(["open"]);
  });

  test("that throws in a callback hears of it, and the copy stays whole", async () => {
    await using server = openScriptedServer();
    const program = `
import { subscribe } from ${JSON.stringify(import.meta.resolve("../../src/follow/subscriber.ts"))};
process.on("uncaughtException", (error) => console.log("uncaught", error.message));
const subscription = subscribe(process.argv[1], {
  onSnapshot() { throw new Error("mine"); },
  onChange(table) { console.log(JSON.stringify(table.rows)); subscription.close(); },
});`;
    await using child = Bun.spawn([process.execPath, "-e", program, server.url], { stdout: "pipe", stderr: "inherit" });
    (await server.visit()).send(a.snapshot(1, rowsOf("x")), a.delta(1, [[1, 0, rowsOf("y")]], 2));
    expect(await new Response(child.stdout).text()).toBe('uncaught mine\n[["x"],["y"]]\n');
    expect(await child.exited).toBe(0);
  });

  test("that does not listen for the end gets an uncaught error", async () => {
    await using server = openScriptedServer({ refuse: () => new Response("", { status: 403 }) });
    const program = `
import { subscribe } from ${JSON.stringify(import.meta.resolve("../../src/follow/subscriber.ts"))};
subscribe(process.argv[1]);`;
    await using child = Bun.spawn([process.execPath, "-e", program, server.url], { stdout: "inherit", stderr: "pipe" });
    expect(await new Response(child.stderr).text()).toMatch(/error: csvcast: .*403/);
    expect(await child.exited).toBe(1);
  });

  test("may give the WebSocket that is to be used", async () => {
    await using server = openScriptedServer();
    const addresses: string[] = [];
    class Other extends WebSocket {
      constructor(url: string, protocol: string) {
        super(url, protocol);
        addresses.push(url);
      }
    }
    listen(server.url, { WebSocket: Other, token: "se&same" });
    const visit = await server.visit();
    expect(addresses).toEqual([`${server.url}?token=se%26same`]);
    expect(new URL(visit.request.url).searchParams.get("token")).toBe("se&same");
  });

  test("may connect in its own way, and then the token is its own matter", async () => {
    await using server = openScriptedServer();
    const headers = { Authorization: "Bearer sesame" };
    listen(server.url, {
      token: "unused",
      connect: (url, protocol) => new WebSocket(url, { headers, protocols: [protocol] }),
    });
    const visit = await server.visit();
    expect(visit.request.url).not.toContain("token");
    expect(visit.request.headers.get("authorization")).toBe("Bearer sesame");
  });
});

describe("the address", () => {
  const cases: { given: string; token?: string; cursor?: string; expected: string }[] = [
    { given: "ws://h:1/", expected: "ws://h:1/" },
    { given: "http://h/csv", expected: "ws://h/csv" },
    { given: "https://h", expected: "wss://h/" },
    { given: "wss://h/?x=1#top", cursor: "e:1", expected: "wss://h/?x=1&since=e%3A1" },
    { given: "ws://h/?token=a&since=old", token: "b", cursor: "e:1", expected: "ws://h/?token=b&since=e%3A1" },
  ];
  test.each(cases)("$given becomes $expected", ({ given, token, cursor, expected }) => {
    expect(feedUrl(given, token, cursor)).toBe(expected);
  });

  test.each(["", "h", "/csv", "ftp://h/", "ws://"])("'%s' is none", (given) => {
    expect(() => subscribe(given)).toThrow(TypeError);
  });
});
