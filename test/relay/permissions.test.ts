// What Redis may refuse: the users that RELAY.md names can do their work and no more, and whoever is refused says so in Redis's words,
// once, and does not hammer at it.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { relayKeys } from "../../src/relay/wire.ts";
import { engines, type Redis, skipped, startRedis } from "../redis.ts";
import { temporaryFolder, TEST_TIMEOUT_MS, until } from "../support.ts";
import { followAll, followWith } from "./following.ts";
import { HEARTBEAT_MS, openTestPublisher } from "./publishing.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const keys = relayKeys("csv");
const layout = await Bun.file(new URL("../../src/relay/RELAY.md", import.meta.url)).text();

/** Makes a user by the rules of RELAY.md, and gives the URL with which it comes. */
async function urlOf(user: string, redis: Redis, ...changes: string[]): Promise<string> {
  const line = layout.split("\n").find((text) => text.includes(`ACL SETUSER ${user} `))!;
  const words = line.replaceAll("TOPIC", "csv").trim().split(" ").slice(1);
  await redis.send("ACL", [...words, ...changes]);
  return `redis://${user}:PASSWORD@127.0.0.1:${redis.port}`;
}

async function commandsOf(redis: Redis): Promise<number> {
  const stats = String(await redis.send("INFO", ["stats"]));
  return Number(/total_commands_processed:(\d+)/.exec(stats)![1]);
}

const refusals = (events: readonly string[]) => events.filter((event) => /Redis says/.test(event));

describe.skipIf(engines.length === 0)(`permissions${skipped}`, () => {
  test.concurrent(
    "those that are documented are enough for all that publishers, standbys and replicas do",
    async () => {
      await using folder = await temporaryFolder();
      await using redis = await startRedis(folder.path);
      const url = await urlOf("csvcast-publisher", redis);
      using follower = followWith(await urlOf("csvcast-replica", redis));
      const holds = (rows: readonly string[]) => () => follower.rows().flat().join() === rows.join();
      const first = openTestPublisher(url);
      for (const epoch of ["a", "b", "c", "d", "e"]) {
        first.begin(epoch, 1, [epoch, "x"]);
        first.append("y");
        await follower.until("the table", holds([epoch, "x", "y"]));
      }
      first.edit("z".repeat(100_000)); // a snapshot is due
      await until("it", () => first.counts().snapshots > 4);
      await using second = openTestPublisher(url, { isStandby: true });
      second.begin("other", 1, ["1"]);
      await until("it to stand by", () => second.events.includes("taken"));
      await first.sink.close();
      await follower.until("the table of the other", holds(["1"]));
      expect(await redis.send("ACL", ["LOG"])).toEqual([]);
      for (const event of [...first.events, ...second.events]) expect(event).toMatch(/^(owned|taken)$/);
    },
  );

  test.concurrent("and for several tables that come and go", async () => {
    await using folder = await temporaryFolder();
    await using redis = await startRedis(folder.path);
    const url = await urlOf("csvcast-publisher", redis);
    await using publisher = openTestPublisher(url);
    const [a, b] = ["a", "b"].map((name) => publisher.table(name));
    for (const table of [publisher, a!, b!]) table.begin("e", 1, ["1"]);
    publisher.sink.setTables({ first: "f", others: ["a", "b"] });
    using followers = followAll(await urlOf("csvcast-replica", redis), ["csv", "a", "b"]);
    await followers.b.until("its table", () => followers.b.rows().length === 1);
    a!.append("2");
    await followers.a.until("its change", () => followers.a.rows().length === 2);
    publisher.sink.setTables({ first: "f", others: ["a"] });
    await followers.csv.until("the list", () => followers.csv.lists.at(-1)?.others?.length === 1);
    await until("the keys to go", async () => (await redis.send("EXISTS", [relayKeys("csv", "b").pointer])) === 0);
    expect(await redis.send("ACL", ["LOG"])).toEqual([]);
    expect(publisher.events).toEqual(["owned"]);
  });

  test.concurrent("a replica cannot write, and neither reaches another topic", async () => {
    await using folder = await temporaryFolder();
    await using redis = await startRedis(folder.path);
    const other = relayKeys("other").pointer;
    for (const [user, command, words] of [
      ["csvcast-replica", "SET", [keys.lease, "x"]],
      ["csvcast-replica", "GET", [other]],
      ["csvcast-publisher", "GET", [other]],
      ["csvcast-publisher", "FLUSHALL", []],
      ["csvcast-publisher", "KEYS", ["*"]],
    ] as const) {
      const client = new Bun.RedisClient(await urlOf(user, redis), { autoReconnect: false });
      await expect(client.send(command, [...words])).rejects.toThrow("NOPERM");
      await client.send("GET", [keys.pointer]);
      client.close();
    }
  });

  test.concurrent(
    "a publisher without one says which, once, tries with pauses, and goes on when it has it",
    async () => {
      await using folder = await temporaryFolder();
      await using redis = await startRedis(folder.path);
      await using publisher = openTestPublisher(await urlOf("csvcast-publisher", redis, "-xadd"));
      publisher.begin("e", 1, ["1"]);
      await until("it to be said", () => refusals(publisher.events).length > 0);
      const before = await commandsOf(redis);
      await Bun.sleep(2_000);
      expect(refusals(publisher.events).length).toBeLessThanOrEqual(2); // of a snapshot, and of an entry
      expect(refusals(publisher.events)[0]).toMatch(/Redis says: (NOPERM|ERR) .*(xadd|can't run this command)/);
      expect(publisher.events.join()).not.toMatch(/no connection|back/);
      expect((await commandsOf(redis)) - before).toBeLessThan(400);
      await urlOf("csvcast-publisher", redis);
      await until("the snapshot", async () => (await redis.send("EXISTS", [keys.pointer])) === 1);
      publisher.append("2");
      await until("a change", async () => (await redis.send("GET", [keys.head])) === "e:2");
      expect(publisher.counts().connected).toBe(true);
    },
  );

  test.concurrent("a replica without one says which, and goes on when it has it", async () => {
    await using folder = await temporaryFolder();
    await using redis = await startRedis(folder.path);
    await using publisher = openTestPublisher(`redis://127.0.0.1:${redis.port}`);
    publisher.begin("e", 1, ["1"]);
    using follower = followWith(await urlOf("csvcast-replica", redis, "-lrange"));
    const reason = () => follower.status()?.problem?.reason ?? "";
    await follower.until("it to be said", () =>
      /^the relay cannot be read: Redis says: NOPERM .*lrange/.test(reason()),
    );
    await urlOf("csvcast-replica", redis);
    await follower.until("the table", () => follower.rows().length === 1);
  });

  test.concurrent(
    "a Redis that has no memory left is told of once, in its own words, and again in use when it has",
    async () => {
      await using folder = await temporaryFolder();
      await using redis = await startRedis(folder.path);
      await using publisher = openTestPublisher(`redis://127.0.0.1:${redis.port}`);
      publisher.begin("e", 1, ["1"]);
      await until("the snapshot", async () => (await redis.send("EXISTS", [keys.pointer])) === 1);
      await redis.send("CONFIG", ["SET", "maxmemory", "1"]);
      publisher.begin("f", 1, ["1"]);
      await until("it to be said", () => refusals(publisher.events).length > 0);
      await Bun.sleep(40 * HEARTBEAT_MS);
      expect(new Set(refusals(publisher.events)).size).toBe(refusals(publisher.events).length);
      for (const event of refusals(publisher.events))
        expect(event).toMatch(/^(away|trouble): Redis says: OOM command not allowed/);
      expect(publisher.events.length).toBeLessThan(5);
      await redis.send("CONFIG", ["SET", "maxmemory", "0"]);
      await until("the table", async () => String(await redis.send("GET", [keys.head])).startsWith("f:"));
      publisher.append("2");
      await until("a change", async () => (await redis.send("GET", [keys.head])) === "f:2");
      await until("Redis to count as there", () => publisher.counts().connected);
    },
  );
});
