// Several tables of one server by way of a relay: a publisher and followers without servers around them, and a real Redis.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { openFollowers } from "../../src/relay/follow/follower.ts";
import { parseEntry, type RelayBeat, tablesText } from "../../src/relay/wire.ts";
import { openMemory } from "../../src/source/memory.ts";
import type { ListedTables } from "../../src/source/source.ts";
import { engines, type Redis, skipped } from "../redis.ts";
import { TEST_TIMEOUT_MS, until } from "../support.ts";
import { followAll, followWith } from "./following.ts";
import { HEARTBEAT_MS, openTestPublisher } from "./publishing.ts";
import { EPOCH, isLive, keys, numberOf, openScene, PATIENT } from "./scene.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

async function beatsOf(redis: Redis): Promise<RelayBeat[]> {
  const found = (await redis.send("XRANGE", [keys().beat, "-", "+"])) as [string, string[]][];
  return found.map(([, fields]) => parseEntry(fields) as RelayBeat);
}

describe.skipIf(engines.length === 0)(`several tables of a relay${skipped}`, () => {
  test.concurrent("are listed, and each is followed with its cursors and its state, by one connection", async () => {
    await using scene = await openScene(["a", "象"]);
    const { redis, url, tables } = scene;
    using followers = followAll(url, ["csv", "a", "象"], PATIENT);
    await followers.csv.until("its table", () => isLive(followers.csv, ["csv"]));
    await followers.a.until("its table", () => isLive(followers.a, ["a"]));
    await followers.象.until("its table", () => isLive(followers.象, ["象"]));
    expect(followers.csv.lists.at(-1)).toEqual({ first: "f", others: ["a", "象"], fault: undefined });
    expect(followers.a.lists).toEqual([]);
    tables["a"]!.append("2");
    await followers.a.until("a change", () => isLive(followers.a, ["a", "2"]));
    expect(followers.a.last()).toMatchObject({ cursor: { epoch: EPOCH, version: 2 }, splices: '[[1,0,[["2"]]]]' });
    tables["象"]!.sink.setStatus({ state: "missing", message: "gone", since: 7 });
    await followers.象.until("its state", () => followers.象.status()?.state === "missing");
    expect([followers.csv, followers.a].map((follower) => follower.status()?.state)).toEqual(["live", "live"]);
    const clients = String(await redis.send("CLIENT", ["LIST"]))
      .trim()
      .split("\n");
    expect(clients).toHaveLength(3); // the publisher, the followers, and the test
    await until("the counts", () => followers.csv.links.at(-1)?.snapshots === 3);
    expect(followers.csv.links.at(-1)).toMatchObject({ connected: true, tables: 3, reconnects: 0 });
    expect(followers.a.links).toEqual([]);
  });

  test.concurrent("are not asked for again and again after a list that brings none", async () => {
    await using scene = await openScene(["a", "b"]);
    const { redis, url, publisher } = scene;
    using followers = followAll(url, ["csv", "a", "b"], PATIENT);
    await followers.b.until("its table", () => isLive(followers.b, ["b"]));
    const reads = () => numberOf(redis, "commandstats", /cmdstat_xread:calls=(\d+)/);
    publisher.sink.setTables({ first: "f", others: ["a"] });
    await followers.csv.until("the list", () => followers.csv.lists.at(-1)?.others?.join() === "a");
    const [beats, before] = [(await beatsOf(redis)).length, await reads()];
    let news = 0;
    await until("more beats", async () => (news = (await beatsOf(redis)).length - beats) >= 20);
    expect((await reads()) - before).toBeLessThan(4 * news);
  });

  test.concurrent("are live while nothing happens, by beats that name none of them", async () => {
    await using scene = await openScene(["a", "b"]);
    const { redis, url } = scene;
    using followers = followAll(url, ["csv", "a", "b"], { silenceMs: 10 * HEARTBEAT_MS });
    const all = [followers.csv, followers.a, followers.b];
    let since: RelayBeat[] = [];
    await until("all to be live long after all was said", async () => {
      const beats = await beatsOf(redis);
      since = beats.slice(beats.findLastIndex(({ isFull, tables }) => isFull || tables.size > 0) + 1);
      return since.length > 20 && all.every((follower) => follower.status()?.state === "live");
    });
    expect(since.every(({ tables }) => tables.size === 0)).toBe(true);
    expect((await beatsOf(redis))[0]!.isFull).toBe(true); // who joins begins with all of them
    using late = followWith(url, { table: "b" });
    await late.until("the table", () => isLive(late, ["b"]));
  });

  test.concurrent("that go are deleted from Redis, and may come again", async () => {
    await using scene = await openScene(["a", "b"]);
    const { redis, url, publisher, tables } = scene;
    using followers = followAll(url, ["csv", "a", "b"], PATIENT);
    await followers.b.until("its table", () => isLive(followers.b, ["b"]));
    const stored = async () => (await redis.send("KEYS", [keys("b").list("*")])) as string[];
    expect(await stored()).toHaveLength(1);
    publisher.sink.setTables({ first: "f", others: ["a"] });
    await followers.csv.until("the list", () => followers.csv.lists.at(-1)?.others?.join() === "a");
    for (const key of [keys("b").head, keys("b").stream, keys("b").pointer])
      expect(await redis.send("EXISTS", [key])).toBe(0);
    expect(await stored()).toEqual([]);
    const again = publisher.table("b");
    again.begin("again", 1, ["new"]);
    publisher.sink.setTables({ first: "g", others: ["a", "b"] });
    await followers.b.until("the new one", () => isLive(followers.b, ["new"]));
    expect(followers.csv.lists.at(-1)).toMatchObject({ first: "g", others: ["a", "b"] });
    tables["a"]!.append("2");
    await followers.a.until("a change of one that stayed", () => isLive(followers.a, ["a", "2"]));
  });

  test.concurrent("of another server are deleted by the one that takes over, which has others", async () => {
    await using scene = await openScene(["a", "b"]);
    const { redis, url, publisher } = scene;
    await until("the tables", async () => (await redis.send("EXISTS", [keys("b").pointer])) === 1);
    await using next = openTestPublisher(url, { isStandby: true });
    next.begin("next", 1, ["next"]);
    const c = next.table("c");
    c.begin("c", 1, ["c"]);
    next.sink.setTables({ first: "f", others: ["a", "c"] });
    await publisher.sink.close();
    using followers = followAll(url, ["csv", "c"], PATIENT);
    await followers.c.until("its table", () => isLive(followers.c, ["c"]));
    expect(followers.csv.lists.at(-1)?.others).toEqual(["a", "c"]);
    expect(await redis.send("EXISTS", [keys("b").pointer])).toBe(0);
    expect(await redis.send("EXISTS", [keys("a").pointer])).toBe(1); // until there is another one
  });

  test.concurrent(
    "are not touched by what is wrong with another one, which goes on with its next snapshot",
    async () => {
      await using scene = await openScene(["a", "b"]);
      const { redis, url, tables } = scene;
      using followers = followAll(url, ["csv", "a", "b"], PATIENT);
      await followers.a.until("its table", () => isLive(followers.a, ["a"]));
      await followers.b.until("its table", () => isLive(followers.b, ["b"]));
      await redis.send("SET", [keys("a").pointer, "[]"]);
      await redis.send("XADD", [keys("a").stream, "*", "h", '{"kind":"delta"}', "s", "[]"]);
      await redis.send("XADD", [keys().beat, "*", "h", '{"kind":"beat","tables":{"a":7}}']);
      await redis.send("DEL", [keys("a").stream, keys("a").head]);
      tables["a"]!.append("2"); // a gap, and a snapshot
      for (const n of ["2", "3"]) tables["b"]!.append(n);
      await followers.b.until("its changes", () => isLive(followers.b, ["b", "2", "3"]));
      await followers.a.until("the snapshot", () => isLive(followers.a, ["a", "2"]));
      expect(followers.b.statuses.filter(({ state }) => state === "stale")).toEqual([]);
      expect(followers.csv.links.at(-1)?.reconnects).toBe(0);
    },
  );

  test.concurrent("too large for a replica is that table only, which is tried again with pauses", async () => {
    await using scene = await openScene(["a", "b"]);
    const { redis, url, tables } = scene;
    using followers = followAll(url, ["csv", "a", "b"], { maxFileBytes: 90, ...PATIENT });
    tables["a"]!.append("x".repeat(200));
    await followers.a.until("it to be said", () => /see --max-file/.test(followers.a.status()?.problem?.reason ?? ""));
    const before = await numberOf(redis, "commandstats", /cmdstat_lrange:calls=(\d+)/);
    for (let n = 0; n < 20; n++) {
      tables["b"]!.append(`${n}`);
      await followers.b.until("its changes", () => followers.b.rows().length === n + 2);
    }
    expect((await numberOf(redis, "commandstats", /cmdstat_lrange:calls=(\d+)/)) - before).toBeLessThan(20);
    tables["a"]!.begin("small", 1, ["1"]);
    await followers.a.until("a smaller one", () => isLive(followers.a, ["1"]));
  });

  test.concurrent("too large for all of them leaves its room to the others, also while it is tried again", async () => {
    await using scene = await openScene(["a", "b"]);
    const { url, tables } = scene;
    const rowsOf = (count: number) => Array.from({ length: count }, (_, row) => `${row}`.padEnd(50, "."));
    tables["a"]!.begin("large", 1, rowsOf(40));
    tables["b"]!.begin("small", 1, rowsOf(14));
    const memory = openMemory(2);
    const open = openFollowers();
    const follow = (table: string) =>
      followWith(url, { table, memory: memory.share(), maxMemoryBytes: 1_000, ...PATIENT }, undefined, open);
    using large = follow("a");
    await large.until("it to be said", () => /--max-memory/.test(large.status()?.problem?.reason ?? ""));
    using small = follow("b");
    await small.until("its table", () => isLive(small, rowsOf(14)));
  });

  test.concurrent("whose beats are lost are live again when all is said anew", async () => {
    await using scene = await openScene(["a"]);
    const { redis, url, tables, publisher } = scene;
    using followers = followAll(url, ["csv", "a"]);
    await followers.a.until("its table", () => isLive(followers.a, ["a"]));
    await redis.send("XTRIM", [keys().beat, "MAXLEN", "0"]);
    using late = followAll(url, ["csv", "a"]);
    await late.a.until("what is stored of it", () => late.a.rows().length > 0);
    tables["a"]!.append("2");
    await followers.a.until("what is named", () => isLive(followers.a, ["a", "2"]));
    publisher.sink.setTables({ first: "g", others: ["a"] });
    await late.a.until("its table", () => isLive(late.a, ["a", "2"]));
  });

  test.concurrent("whose list is malformed stay, and what is wrong is told", async () => {
    await using scene = await openScene(["a"]);
    const { redis, url, publisher } = scene;
    using follower = followWith(url);
    await follower.until("the list", () => follower.lists.length > 0);
    publisher.sink.setTables({ first: "f", others: ["a", "b"] });
    await follower.until("the next one", () => follower.lists.at(-1)?.others?.length === 2);
    /** Again and again: with the next beat its list is the publisher's own. */
    const hears = (list: string, stored: string, isThat: (told: ListedTables) => boolean) =>
      until("it to be told", async () => {
        await redis.send("SET", [keys().tables, stored]);
        await redis.send("XADD", [keys().beat, "*", "h", JSON.stringify({ kind: "beat", list, tables: {} })]);
        return follower.lists.some(isThat);
      });
    await hears("x", "[]", ({ fault }) => fault !== undefined);
    const told = follower.lists.find(({ fault }) => fault !== undefined);
    expect(told).toEqual({ first: undefined, others: undefined, fault: "the list of tables is no JSON object" });
    await hears(
      "y",
      tablesText({ id: "y", first: "f", others: ["ok", "no:t", "csv"] }),
      ({ others }) => others?.join() === "ok",
    );
    expect(follower.lists.find(({ others }) => others?.join() === "ok")?.fault).toBe(
      "2 names in the list of tables are malformed",
    );
    await redis.send("DEL", [keys().tables]);
    publisher.append("2");
    await follower.until("the publisher's own", () => follower.lists.at(-1)?.others?.join() === "a,b");
  });

  test.concurrent("have one room for what is pending: the table with most of it drops its own", async () => {
    await using scene = await openScene(["busy", "quiet"]);
    const { redis, url, tables, publisher } = scene;
    using followers = followAll(url, ["csv", "busy", "quiet"], PATIENT);
    await followers.quiet.until("its table", () => isLive(followers.quiet, ["quiet"]));
    await redis.kill();
    await until("Redis to be missed", () => !publisher.counts().connected);
    tables["quiet"]!.append("2");
    for (let n = 0; n < 20; n++) tables["busy"]!.append("x".repeat(1_000_000));
    const { pendingBytes, pendingEntries } = publisher.counts();
    expect(pendingBytes).toBeLessThanOrEqual(16 << 20);
    expect(pendingEntries).toBeGreaterThan(0);
    await redis.start();
    await followers.quiet.until("its change", () => isLive(followers.quiet, ["quiet", "2"]));
    await followers.busy.until("its table", () => followers.busy.rows().length === 21);
    await until("nothing to be pending", () => publisher.counts().pendingBytes === 0);
  });
});
