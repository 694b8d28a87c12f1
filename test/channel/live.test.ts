// The live feed over real sockets: joining, changes, resuming, slow clients.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { CsvError } from "../../src/csv/error.ts";
import { openFeed } from "../../src/feed/feed.ts";
import { parseMessage, SUBPROTOCOL } from "../../src/feed/protocol.ts";
import type { Subscriber } from "../../src/channel/client.ts";
import { snapshotOf } from "../../src/source/source.ts";
import * as liveFeed from "../../src/channel/live.ts";
import { openCopy } from "../hub/copy.ts";
import { connectRaw, OPCODES, type RawClient } from "../hub/raw-client.ts";
import { shareOf, shown } from "../fuzz/random.ts";
import { connect, TEST_TIMEOUT_MS, until } from "../support.ts";
import { join, LIVE, openTable } from "./live.ts";
import { type TestHub } from "./open.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

/** Snapshots that were rendered. */
const renderings = ({ taken }: TestHub) => taken.filter((shape) => shape === "rows").length;

const rowsOf = (count: number, prefix = "r") => Array.from({ length: count }, (_, i) => [`${prefix}${i}`]);

/** Applies what a raw client has received so far, each message once. */
function follow(raw: RawClient) {
  const copy = openCopy();
  let taken = 0;
  return {
    ...copy,
    catchUp() {
      for (; taken < raw.frames.length; taken++) {
        const { opcode, payload } = raw.frames[taken]!;
        if (opcode === OPCODES.text) copy.take(payload.toString());
      }
      return copy.rows();
    },
  };
}

describe("a client of the live feed", () => {
  test("is told that nothing is published yet, and then gets the table", async () => {
    await using hub = openTable(rowsOf(2));
    await using client = await join(hub.url);
    expect(await client.next()).toMatchObject({ type: "status", state: "waiting" });
    hub.begin();
    await client.synced();
    expect(client.rows()).toEqual(hub.rows());
    expect(client.kinds).toEqual(["status", "status", "snapshot", "status", "sync"]);
    expect(client.socket.protocol).toBe("csvcast.v1");
  });

  test("gets the table in parts, then each change once, in order", async () => {
    await using hub = openTable(rowsOf(10), { rowsPerPart: 3 });
    hub.begin();
    await using client = await join(`${hub.url}csv`);
    await client.synced();
    expect(client.kinds).toEqual(["snapshot", "snapshot", "snapshot", "snapshot", "status", "sync"]);
    hub.append("x");
    hub.splice([0, 1, []], [3, 2, [["y"], ["z"], ["w"]]]);
    hub.splice([0, 0, []]);
    for (let i = 0; i < 3; i++) await client.next();
    expect(client.rows()).toEqual(hub.rows());
    expect(client.kinds.slice(6)).toEqual(["delta", "delta", "delta"]);
  });

  test("gets an empty table as one empty part", async () => {
    await using hub = openTable([]);
    hub.begin();
    await using client = await join(hub.url);
    expect(await client.next()).toMatchObject({ type: "snapshot", at: 0, rows: [], count: 0, columns: ["a"] });
  });

  test("is one of many: all get the same delta, and share one rendering", async () => {
    await using hub = openTable(rowsOf(5));
    hub.begin();
    const clients = await Promise.all(Array.from({ length: 20 }, () => join(hub.url)));
    await Promise.all(clients.map((client) => client.synced()));
    hub.append("x");
    for (const client of clients) expect(await client.next()).toMatchObject({ type: "delta", from: 1, to: 2 });
    expect(renderings(hub)).toBe(1);
    expect(hub.clients()).toBe(20);
    expect(hub.channel.clients()).toEqual({ plain: 0, live: 20, events: 0 });
    for (const client of clients) await client[Symbol.asyncDispose]();
  });

  test("that is ahead hears how things are, and nothing that takes it back, until the feed is as far", async () => {
    await using hub = openTable(rowsOf(3), { heartbeatMs: 50 });
    hub.begin();
    await using other = await join(hub.url);
    await other.synced();
    const epoch = other.cursor()!.split(":")[0];
    await using client = await connect(`${hub.url}?since=${epoch}:3`, { protocols: [SUBPROTOCOL] });
    for (let heard = 0; heard < 3; heard++)
      expect(parseMessage(await client.next())).toMatchObject({ type: "status", state: "live" });
    hub.append("x");
    hub.setStatus({ state: "stale", message: "why", since: 2 });
    const heard = await client.nextThat("the new status", (text) => text.includes("stale"));
    expect(parseMessage(heard)).toMatchObject({ type: "status", message: "why" });
    hub.append("y");
    const sync = await client.nextThat("to be up to date", (text) => parseMessage(text)?.type !== "status");
    expect(parseMessage(sync)).toMatchObject({ type: "sync", epoch, version: 3 });
    hub.append("z");
    const delta = await client.nextThat("the next change", (text) => parseMessage(text)?.type === "delta");
    expect(parseMessage(delta)).toMatchObject({ from: 3, to: 4 });
  });

  test("resumes with one squashed delta, or with none if it missed nothing", async () => {
    await using hub = openTable(rowsOf(1000));
    hub.begin();
    const first = await join(hub.url);
    await first.synced();
    const cursor = first.cursor();
    await first[Symbol.asyncDispose]();
    await using same = await join(hub.url, cursor);
    await same.takeUntil("status");
    expect(same.kinds).toEqual(["status"]);
    for (let i = 0; i < 100; i++) hub.append(`late ${i}`);
    const before = renderings(hub);
    await using again = await connect(`${hub.url}?since=${cursor}`, { protocols: [SUBPROTOCOL] });
    expect(parseMessage(await again.next())).toMatchObject({ type: "delta", from: 1, to: 101, count: 1100 });
    expect(parseMessage(await again.next())).toMatchObject({ type: "status", state: "live" });
    expect(parseMessage(await again.next())).toMatchObject({ type: "sync", version: 101 });
    expect(renderings(hub)).toBe(before);
  });

  test.each(["elsewhere:1", "nonsense", "", "x:999999999999999"])(
    "with the foreign cursor %j gets a snapshot",
    async (since) => {
      await using hub = openTable(rowsOf(3));
      hub.begin();
      await using client = await join(hub.url, encodeURIComponent(since));
      await client.synced();
      expect(client.rows()).toEqual(hub.rows());
      expect(client.kinds[0]).toBe("snapshot");
    },
  );

  test("gets a new snapshot when the table is taken anew, with a new epoch when the header is", async () => {
    await using hub = openTable(rowsOf(3));
    hub.begin();
    await using client = await join(hub.url);
    await client.synced();
    const epoch = client.cursor()!.split(":")[0]!;
    hub.replace(rowsOf(4, "s"));
    await client.synced();
    expect(client.rows()).toEqual(hub.rows());
    expect(client.cursor()).toBe(`${epoch}:2`);
    hub.replace(rowsOf(5, "t"), true);
    await client.synced();
    expect(client.rows()).toEqual(hub.rows());
    expect(client.cursor()!.split(":")[0]).not.toBe(epoch);
  });

  test("hears of each state, and of the one there is when it comes", async () => {
    await using hub = openTable(rowsOf(1));
    hub.begin();
    await using early = await join(hub.url);
    await early.synced();
    hub.setStatus({ state: "missing", message: "a.csv: no such file", since: 7 });
    expect(await early.next()).toEqual({ type: "status", state: "missing", message: "a.csv: no such file", since: 7 });
    await using late = await join(hub.url);
    await late.synced();
    expect(late.kinds).toEqual(["snapshot", "status", "sync"]);
    hub.setStatus({ state: "live", message: "", since: 8 });
    expect(await late.next()).toMatchObject({ state: "live", since: 8 });
  });

  test("hears a heartbeat when nothing happens", async () => {
    await using hub = openTable(rowsOf(1), { heartbeatMs: 50 });
    hub.begin();
    await using client = await join(hub.url);
    for (let i = 0; i < 3; i++) await client.synced();
    expect(client.kinds.slice(-2)).toEqual(["sync", "sync"]);
  });

  test.each([
    {
      name: "1009 if the table is too large for it",
      error: new CsvError("too-large", "longer than 4 GiB"),
      code: 1009,
    },
    { name: "1013 if that may pass", error: new CsvError("io", "the reader failed"), code: 1013 },
  ])("is closed with the reason if the table cannot be sent: $name", async ({ error, code }) => {
    await using hub = openTable(rowsOf(1), { snapshot: () => Promise.reject(error) });
    hub.begin();
    await using client = await join(hub.url);
    expect(await client.closed).toEqual({ code, reason: error.reason });
  });

  test("hears that there is nothing yet again and again", async () => {
    await using hub = openTable([], { heartbeatMs: 50 });
    await using client = await join(hub.url);
    for (let i = 0; i < 3; i++) expect(await client.next()).toMatchObject({ type: "status", state: "waiting" });
  });

  test("that offers several subprotocols speaks ours", async () => {
    await using hub = openTable(rowsOf(1));
    hub.begin();
    await using client = await connect(hub.url, { protocols: ["csvcast.v9", "csvcast.v1"] });
    expect(client.socket.protocol).toBe("csvcast.v1");
    expect(parseMessage(await client.next())).toMatchObject({ type: "snapshot" });
  });
});

const JOINS = Math.min(shareOf(1_000), 1_000);

test(`${shown(JOINS)} joins while the table changes: no row is lost or doubled`, async () => {
  await using hub = openTable(rowsOf(500), { maxClients: 2000, rowsPerPart: 50 });
  hub.begin();
  let isWriting = true;
  const writing = (async () => {
    for (let i = 0; isWriting; i++) {
      if (i % 7 === 3) hub.splice([i % 50, 1, [[`edit ${i}`]]]);
      else if (i % 11 === 5) hub.splice([0, 1, []], [hub.rows().length - 1, 0, [[`moved ${i}`]]]);
      else hub.append(`row ${i}`);
      await Bun.sleep(5);
    }
  })();
  const clients = [];
  for (let i = 0; i < JOINS; i += 50) {
    const group = await Promise.all(Array.from({ length: 50 }, () => join(hub.url)));
    clients.push(...group);
    await Promise.all(group.map((client) => client.synced()));
  }
  isWriting = false;
  await writing;
  const expected = JSON.stringify(hub.rows());
  await Promise.all(
    clients.map(async (client) => {
      while (JSON.stringify(client.rows()) !== expected) await client.next();
    }),
  );
  expect(clients.every(({ kinds }) => kinds.filter((kind) => kind === "snapshot").length > 0)).toBe(true);
  for (const client of clients) client.socket.terminate();
});

describe("a slow client", () => {
  /** Enough changes to fill what the kernel holds for it. */
  function flood(hub: ReturnType<typeof openTable>, changes: number): void {
    for (let i = 0; i < changes; i++) hub.splice([0, 1, [["x".repeat(400_000) + i]]]);
  }

  test("is caught up when it reads again: it applies every delta in order, and nobody else notices", async () => {
    await using hub = openTable([...rowsOf(20), ["y".repeat(4_000_000)]]);
    hub.begin();
    await using slow = await connectRaw(hub.port, LIVE);
    const copy = follow(slow);
    await until("the snapshot", () => copy.catchUp().length > 0);
    slow.pause();
    await using quick = await join(hub.url);
    await quick.synced();
    for (let round = 0; round < 12; round++) {
      flood(hub, 4);
      for (let i = 0; i < 4; i++) expect((await quick.next()).type).toBe("delta");
    }
    hub.append("last");
    await quick.next();
    expect(quick.rows()).toEqual(hub.rows());
    slow.resume();
    await until("the slow one to be up to date", () => copy.catchUp().length === hub.rows().length);
    expect(copy.catchUp()).toEqual(hub.rows());
    hub.append("after");
    await until("the next change", () => copy.catchUp().length === hub.rows().length);
    expect(copy.kinds.filter((kind) => kind === "delta").length).toBeLessThan(50);
  });

  test("that takes nothing for too long is closed, and says so in the metrics", async () => {
    await using hub = openTable([["y".repeat(30_000_000)]], { stallMs: 100, heartbeatMs: 100 });
    hub.begin();
    await using slow = await connectRaw(hub.port, LIVE);
    slow.pause();
    await until("it to be closed", () => hub.clients() === 0);
    const metrics = await (await hub.get("/metrics")).text();
    expect(metrics).toContain('csvcast_closed_total{reason="stalled"} 1\n');
  });
});

describe("a subscriber that takes a message and asks for the next in one breath, as event streams do", () => {
  /** A slice of the live feed's time is 5 ms: a message that takes longer is the last of it. */
  const LONG_MS = 6;

  function openScene() {
    const subscribers: { subscriber: Subscriber; texts: string[]; setBusy: (busy: boolean) => void }[] = [];
    const columns = { count: 1, json: '["n"]' };
    const part = { at: 0, next: 1, text: '[["1"]]', bytes: 7 };
    const live = liveFeed.openLiveFeed(
      {
        feed: openFeed(1 << 20),
        backlog: { add() {}, settle() {}, waits: () => false },
        snapshot: async () =>
          snapshotOf<"rows">({
            cursor: { epoch: "e", version: 1 },
            columns,
            rows: 1,
            part: async () => part,
            close() {},
          }),
        broadcast: (text) => subscribers.forEach(({ subscriber, texts }) => subscriber.isFollowing && texts.push(text)),
        heartbeatMs: 5_000,
      },
      { state: "live", message: "", since: 1 },
    );
    const about = { name: "f.csv", dialect: "", warnings: [], changedAt: 0, readMs: 0, bytes: 100 };
    const publish = (version: number) =>
      liveFeed.publish(live, {
        cursor: { epoch: "e", version },
        columns,
        rows: version,
        splices: version === 1 ? undefined : `[[${version - 1},0,[["${version}"]]]]`,
        about,
      });

    function join(takesLong: boolean, takesAll = true): string[] {
      const texts: string[] = [];
      let isBusy = false;
      const subscriber: Subscriber = {
        pendingBytes: 0,
        progressAt: 0,
        cursor: undefined,
        isFollowing: false,
        transfer: undefined,
        buffered: () => (isBusy || (!takesAll && texts.length > 0) ? 1 : 0),
        send(text) {
          texts.push(text);
          if (takesLong) Bun.sleepSync(LONG_MS);
          if (!takesAll) return false;
          liveFeed.drain(live, subscriber);
          return true;
        },
        follow() {},
        close() {},
      };
      subscribers.push({ subscriber, texts, setBusy: (busy) => void (isBusy = busy) });
      liveFeed.subscribe(live, subscriber);
      return texts;
    }
    return { live, publish, join, subscribers };
  }

  test("gets no slice of time of its own: many who come in one turn of the event loop are served in several", async () => {
    const { live, publish, join } = openScene();
    publish(1);
    const first = join(true);
    await until("the snapshot", () => first.length > 0);
    await Bun.sleep(0);
    const others = Array.from({ length: 20 }, () => join(true, false));
    expect(others.filter((texts) => texts.length > 0).length).toBeLessThanOrEqual(1);
    await until("all to be served", () => others.every((texts) => texts.length > 0));
    liveFeed.stop(live);
  });

  test.each([false, true])("gets each change once (slowly: %p)", async (takesLong) => {
    const { live, publish, join, subscribers } = openScene();
    publish(1);
    const all = [join(takesLong), join(takesLong), join(takesLong)];
    for (let version = 2; version <= 6; version++) {
      await until("one to follow", () => subscribers.some(({ subscriber }) => subscriber.isFollowing));
      publish(version);
    }
    await until("all to follow", () => subscribers.every(({ subscriber }) => subscriber.isFollowing));
    publish(7);
    for (const texts of all) {
      const copy = openCopy();
      for (const text of texts) copy.take(text); // throws for what is there twice, or missing
      expect(copy.cursor()).toBe("e:7");
    }
    liveFeed.stop(live);
  });

  describe("of more than a thousand", () => {
    const FOLLOWERS = 1_100;

    async function openCrowd() {
      const scene = openScene();
      scene.publish(1);
      for (let n = 0; n < FOLLOWERS; n++) scene.join(false);
      await until("all to follow", () => scene.subscribers.every(({ subscriber }) => subscriber.isFollowing));
      const heard = () => scene.subscribers.reduce((sum, { texts }) => sum + texts.length, 0);
      return { ...scene, heard };
    }

    function expectAllAt(version: number, subscribers: readonly { readonly texts: readonly string[] }[]): void {
      for (const { texts } of subscribers) {
        const copy = openCopy();
        for (const text of texts) copy.take(text); // throws for what is there twice, or missing
        expect(copy.cursor()).toBe(`e:${version}`);
      }
    }

    test("hears of a change in a turn of the event loop that it shares with no more than 250", async () => {
      const { live, publish, subscribers, heard } = await openCrowd();
      let before = heard();
      publish(2);
      for (let left = FOLLOWERS; left > 0;) {
        expect(heard() - before).toBeWithin(1, 251);
        left -= heard() - before;
        before = heard();
        await new Promise(setImmediate);
      }
      expectAllAt(2, subscribers);
      liveFeed.stop(live);
    });

    test("gets each change once, in order, if the next one comes before all have heard of it", async () => {
      const { live, publish, subscribers } = await openCrowd();
      const [busy, gone] = [subscribers[1_000]!, subscribers[1_050]!];
      publish(2);
      publish(3);
      await new Promise(setImmediate);
      publish(4);
      liveFeed.setStatus(live, { state: "updating", message: "", since: 2 });
      await until("all to follow", () => subscribers.every(({ subscriber }) => subscriber.isFollowing));
      publish(5);
      busy.setBusy(true); // as a ping does that its kernel has no room for
      liveFeed.unsubscribe(live, gone.subscriber);
      await until("all others to have heard", () => live.telling === undefined);
      expect([busy.subscriber.isFollowing, gone.subscriber.isFollowing]).toEqual([false, false]);
      busy.setBusy(false);
      liveFeed.drain(live, busy.subscriber);
      await until("it to follow", () => busy.subscriber.isFollowing);
      publish(6);
      await until("all to have heard", () => live.telling === undefined);
      expectAllAt(
        6,
        subscribers.filter((one) => one !== gone),
      );
      expectAllAt(4, [gone]);
      liveFeed.stop(live);
    });
  });
});
