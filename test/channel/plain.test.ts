// The plain feed over real sockets: everyone gets whole tables, who is too slow skips some, and what is too large is said.
import { snapshotOf } from "../../src/source/source.ts";
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { connectRaw, type RawClient } from "../hub/raw-client.ts";
import { type Client, connect, TEST_TIMEOUT_MS, until } from "../support.ts";
import { openTestHub, type TestHub } from "./open.ts";
import { numbered, numberOf, textFramesOf, numbersOf, skipsWholeFrames } from "./plain.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

describe("a client", () => {
  test("that comes before there is a table waits, and has it the moment it is there", async () => {
    await using hub = openTestHub();
    await using first = await connect(hub.url);
    await using second = await connect(`${hub.url}csv`);
    hub.tick();
    hub.replace([["1"]]);
    expect(await first.next()).toBe('[{"a":"1"}]');
    expect(await second.next()).toBe('[{"a":"1"}]');
    hub.tick();
    await hub.show("[]");
    hub.tick();
    expect([await first.next(), await first.next()]).toEqual(['[{"a":"1"}]', "[]"]);
    expect([await second.next(), await second.next()]).toEqual(['[{"a":"1"}]', "[]"]);
  });

  test("that comes later has the current table at once, without a tick; nothing is rendered before", async () => {
    await using hub = openTestHub();
    hub.replace([["1"]]);
    hub.replace([["2"]]);
    expect(hub.taken).toEqual([]);
    await using client = await connect(hub.url);
    expect(await client.next()).toBe('[{"a":"2"}]');
    await using another = await connect(hub.url);
    expect(await another.next()).toBe('[{"a":"2"}]');
    expect(hub.taken).toEqual(["frame"]);
  });

  test("that comes when the table has changed while nobody listened never sees what was rendered before", async () => {
    await using hub = openTestHub();
    hub.replace([["1"]]);
    {
      await using client = await connect(hub.url);
      expect(await client.next()).toBe('[{"a":"1"}]');
    }
    await until("it to be gone", () => hub.clients() === 0);
    hub.replace([["2"]]);
    await using client = await connect(hub.url);
    hub.tick();
    expect(await client.next()).toBe('[{"a":"2"}]');
  });

  test("gets text of any script unharmed", async () => {
    await using hub = openTestHub();
    const text = JSON.stringify([{ ключ: "héllo ✓ 日本語 𝄞\u2028\u007f" }]);
    await hub.show(text);
    await using client = await connect(hub.url);
    await until("the frame", () => hub.channel.plain.frame);
    hub.tick();
    expect([await client.next(), await client.next()]).toEqual([text, text]);
  });

  test("is counted while it is there", async () => {
    await using hub = openTestHub();
    {
      await using _first = await connect(hub.url);
      await using _second = await connect(hub.url);
      await until("two clients", () => hub.clients() === 2);
    }
    await until("no clients", () => hub.clients() === 0);
    expect(hub.counts).toEqual([1, 2, 1, 0]);
  });
});

describe("a frame", () => {
  const frames = ({ taken }: TestHub) => taken.filter((shape) => shape === "frame").length;

  test("is made at a tick, not at each change", async () => {
    await using hub = openTestHub();
    await using client = await connect(hub.url);
    hub.replace([["0"]]);
    await client.next();
    for (let change = 1; change <= 100; change++) hub.replace([[`${change}`]]);
    hub.tick();
    expect(await client.next()).toBe('[{"a":"100"}]');
    hub.tick();
    expect(await client.next()).toBe('[{"a":"100"}]');
    expect(frames(hub)).toBe(2);
  });

  test("is not made for clients that can take nothing, and they get the newest when they can", async () => {
    await using hub = openTestHub();
    await using stalled = await connectRaw(hub.port);
    stalled.pause();
    await hub.show(numbered(0, 12 << 20));
    const before = frames(hub);
    for (let change = 1; change <= 10; change++) {
      hub.setFrame(numbered(change, 100));
      hub.tick();
    }
    expect(frames(hub)).toBe(before);
    stalled.resume();
    await until("the newest frame", () => numbersOf(stalled).includes(10));
    expect(numbersOf(stalled)).toEqual([0, 10]);
    expect(frames(hub)).toBe(before + 1);
  });

  test("is made for newcomers no more often than once in a while, however often the table changes", async () => {
    await using hub = openTestHub({ maxBacklogBytes: 20 << 20 });
    hub.replace([["x".repeat(12 << 20)]]);
    await using stalled = await connectRaw(hub.port, [], { isStalled: true });
    await until("a frame", () => frames(hub) === 1);
    await using waiting = await connectRaw(hub.port);
    for (let change = 1; change <= 50; change++) hub.replace([[`${change}`]]);
    expect(frames(hub)).toBe(1);
    stalled.resume();
    await until("a frame for who had to wait", () => textFramesOf(waiting).length > 0);
  });

  test("that takes longer than a tick is sent once, and the next one is of the table by then", async () => {
    const made: PromiseWithResolvers<void>[] = [];
    let hub: TestHub;
    const snapshot = async () => {
      const text = JSON.stringify(hub.rows());
      const { cursor, columns, rows } = hub.publication();
      made.push(Promise.withResolvers<void>());
      await made.at(-1)!.promise;
      const part = { at: 0, next: rows, text, bytes: text.length };
      return snapshotOf<"frame">({ cursor, columns, rows, part: async () => part, close() {} });
    };
    await using opened = (hub = openTestHub({ snapshot: snapshot as never }));
    await using client = await connect(opened.url);
    hub.replace([["0"]]);
    await until("the first to be made", () => made.length === 1);
    made[0]!.resolve();
    expect(await client.next()).toBe('[["0"]]');
    hub.replace([["1"]]);
    hub.tick();
    hub.replace([["2"]]);
    hub.tick();
    hub.tick();
    expect(made.length).toBe(2);
    made[1]!.resolve();
    expect(await client.next()).toBe('[["1"]]');
    hub.tick();
    await until("the next to be made", () => made.length === 3);
    made[2]!.resolve();
    expect(await client.next()).toBe('[["2"]]');
    expect(client.waiting()).toBe(0);
  });
});

describe("a client that does not read", () => {
  test("skips whole frames and gets the newest, others miss none, when a tick is sent as one publication", () =>
    skipsWholeFrames(1));
});

test("newcomers wait while half of the budget is used, and get their frame when there is room; nobody is closed for it", async () => {
  await using hub = openTestHub({ maxBacklogBytes: 60_000_000 });
  hub.setFrame("x".repeat(12 << 20));
  const stalled: RawClient[] = [];
  for (let n = 0; n < 8; n++) stalled.push(await connectRaw(hub.port, [], { isStalled: true }));
  const metrics = async () => (await hub.get("/metrics")).text();
  await until("the others to wait", async () => (await metrics()).includes("csvcast_waiting_clients 5\n"));
  expect(hub.clients()).toBe(8);
  for (const client of stalled) client.resume();
  await until("a frame for each", () => stalled.every((client) => textFramesOf(client).length > 0));
  expect(stalled.filter((client) => client.isClosed())).toEqual([]);
  for (const client of stalled) await client[Symbol.asyncDispose]();
});

describe("a large frame", () => {
  test("reaches many clients whole, in slices", async () => {
    await using hub = openTestHub();
    await using stack = new AsyncDisposableStack();
    const clients: Client[] = [];
    for (let i = 0; i < 24; i++) clients.push(stack.use(await connect(hub.url)));
    for (const number of [1, 2, 3]) {
      const text = numbered(number, 2 << 20);
      await hub.show(text);
      hub.tick();
      for (const client of clients) {
        const got = await client.nextThat(`frame ${number}`, (message) => numberOf(message) === number);
        expect(got === text).toBe(true);
      }
    }
  });

  test("that is too large ends every client with 1009 and the reason, newcomers too; one that fits is sent again", async () => {
    await using hub = openTestHub({ maxFrameBytes: 20 });
    await using waiting = await connect(hub.url);
    hub.replace([["x".repeat(20)]]);
    const reason = "the table is larger than --max-message (20 bytes): take csvcast.v1 or /csv.ndjson";
    expect(await waiting.closed).toEqual({ code: 1009, reason });

    await using newcomer = await connect(hub.url);
    expect(await newcomer.closed).toEqual({ code: 1009, reason });

    await hub.show("[]");
    await using served = await connect(hub.url);
    expect(await served.next()).toBe("[]");
    hub.setFrame("x".repeat(21));
    hub.tick();
    expect(await served.closed).toEqual({ code: 1009, reason });
    expect(served.waiting()).toBe(0);
  });
});
