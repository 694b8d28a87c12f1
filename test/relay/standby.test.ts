// What a server does with a relay, by what it is given and by who publishes the topic.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { CsvError } from "../../src/csv/error.ts";
import type { Publication } from "../../src/feed/publication.ts";
import { openRelayRole, type RelayRoleOptions } from "../../src/relay/standby.ts";
import { relayKeys } from "../../src/relay/wire.ts";
import { engines, skipped, startRedis } from "../redis.ts";
import { temporaryFolder, TEST_TIMEOUT_MS, until } from "../support.ts";
import { addressOf, HEARTBEAT_MS, openTestPublisher, snapshotOf } from "./publishing.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const OWN: Publication = {
  cursor: { epoch: "own", version: 1 },
  columns: { count: 1, json: '["a"]' },
  rows: 1,
  about: { name: "f.csv", dialect: "comma, UTF-8", warnings: [], changedAt: 1, readMs: 1, bytes: 4 },
};

/** A role, and what it has had done so far. */
function openTestRole(changes: Partial<RelayRoleOptions>, faults: Error[] = []) {
  const done: string[] = [];
  const role = openRelayRole(
    {
      location: undefined,
      publishesTo: undefined,
      relayUrl: undefined,
      isStandby: false,
      heartbeatMs: HEARTBEAT_MS,
      hasOwn: changes.location !== undefined,
      isMany: false,
      ...changes,
    },
    {
      async openOwn() {
        const fault = faults.shift();
        if (fault) throw fault;
        done.push("open own");
      },
      follow: async (location) => void done.push(`follow ${location}`),
      onUnusable: (error) => void done.push(`unusable: ${error}`),
      reopen: (table) => void done.push(`reopen ${table}`),
      onRefused: (problem) => void done.push(problem),
      onEvent: (event) => void done.push("isStandby" in event ? `${event.type} ${event.isStandby}` : event.type),
    },
  );
  const sink = role.sinkOf("csv", async () => snapshotOf(OWN, ["1"]));
  role.setTables({ first: "f", others: [] });
  return { ...role, sink, done, [Symbol.asyncDispose]: role.close };
}

const publishing = (url: string, isStandby: boolean) => ({
  location: "f.csv",
  publishesTo: addressOf(url),
  relayUrl: url,
  isStandby,
});

describe("without a relay to publish to", () => {
  test("a server opens its FILE, and has no sink", async () => {
    await using role = openTestRole({ location: "f.csv" });
    role.begin();
    expect(role.done).toEqual(["open own"]);
    expect(role.sink).toBeUndefined();
    expect(role.address()).toBeUndefined();
    expect(role.counts(undefined)).toBeUndefined();
  });

  test("a server without FILE waits for a path", async () => {
    await using role = openTestRole({});
    role.begin();
    expect(role.done).toEqual([]);
  });

  test("a server that follows a relay has its address and the counts of its connection", async () => {
    const link = { connected: true, tables: 1, heardAt: 5, entries: 1, bytes: 2, snapshots: 1, reconnects: 0 };
    await using role = openTestRole({ location: "redis://h?topic=t" });
    role.begin();
    expect(role.done).toEqual(["open own"]);
    expect(role.address()?.name).toBe("topic t at h:6379");
    expect(role.address("f.csv")).toBeUndefined();
    expect(role.counts(link)).toBe(link);
  });

  test("a path that is typed may be a relay, which gets the credentials that are known", async () => {
    await using role = openTestRole({ relayUrl: "redis://u:p@h" });
    expect(role.resolve("f.csv")).toBe("f.csv");
    expect(role.resolve("redis://h?topic=t")).toBe("redis://u:p@h?topic=t");
    expect(role.resolve("redis://h/x")).toEqual({ fault: expect.stringContaining("?topic=NAME") as string });
  });
});

describe.skipIf(engines.length === 0)(`with a relay to publish to${skipped}`, () => {
  test.concurrent("a server opens its FILE and publishes it; a relay that is typed is refused", async () => {
    await using folder = await temporaryFolder();
    await using redis = await startRedis(folder.path);
    await using role = openTestRole(publishing(`redis://127.0.0.1:${redis.port}`, false));
    role.begin();
    role.sink!.publish(OWN);
    await until("the snapshot", () => redis.send("GET", [relayKeys("csv").pointer]).then((text) => text !== null));
    expect(role.done).toEqual(["open own", "relay-published"]);
    expect(role.address()?.topic).toBe("csv");
    expect(role.counts(undefined)).toMatchObject({ role: "publisher", connected: true });
    expect(role.resolve("redis://u:p@h?topic=t")).toEqual({
      fault: "topic t at h:6379: this server publishes to a relay, and follows none",
    });
  });

  test.concurrent("a second one is refused, with what to do", async () => {
    await using folder = await temporaryFolder();
    await using redis = await startRedis(folder.path);
    const url = `redis://127.0.0.1:${redis.port}`;
    // Its lease holds ten times as long as the second one waits for it to lapse.
    await using first = openTestRole({ ...publishing(url, false), heartbeatMs: 20 * HEARTBEAT_MS });
    await until("the first to publish", () => first.done.includes("relay-published"));
    await using second = openTestRole(publishing(url, false));
    await until("a refusal", () => second.done.length > 0);
    expect(second.done).toEqual([
      `relay: topic csv at 127.0.0.1:${redis.port} is published by another server; take another topic (?topic=NAME), or stand by with --standby`,
    ]);
  });

  test.concurrent(
    "a standby follows, opens its FILE when the topic is its own, and reads it anew when another has written over it",
    async () => {
      await using folder = await temporaryFolder();
      await using redis = await startRedis(folder.path);
      const url = `redis://127.0.0.1:${redis.port}`;
      const keys = relayKeys("csv");
      const head = (epoch: string) => async () => String(await redis.send("GET", [keys.head])).startsWith(`${epoch}:`);
      const first = openTestPublisher(url);
      await until("the first to publish", () => first.counts().role === "publisher");
      await using standby = openTestRole(publishing(url, true));
      standby.begin();
      await until("it to follow", () => standby.done.length > 1);
      expect(standby.done.splice(0)).toEqual(["relay-taken true", `follow ${url}`]);
      await first.sink.close();
      await until("it to publish", () => standby.done.length > 1);
      expect(standby.done.splice(0)).toEqual(["relay-published", "open own"]);
      standby.sink!.publish(OWN);
      await until("its table", head("own"));
      await redis.send("SET", [keys.lease, "another server", "PX", "60000"]);
      await until("it to give way", () => standby.done.length > 0);
      await redis.send("SET", [keys.head, "other:1"]);
      await redis.send("DEL", [keys.lease]);
      await until("it to publish again", () => standby.done.length > 2);
      expect(standby.done).toEqual(["relay-taken false", "relay-published", "reopen csv"]);
      standby.sink!.publish({ ...OWN, cursor: { epoch: "again", version: 1 } });
      await Bun.sleep(2 * HEARTBEAT_MS); // its snapshot is of another epoch: it is not written under this one
      expect(await redis.send("GET", [keys.head])).toBe("other:1");
    },
  );

  test.concurrent("a FILE that cannot be used is refused, by a standby when it opens it", async () => {
    await using folder = await temporaryFolder();
    await using redis = await startRedis(folder.path);
    const url = `redis://127.0.0.1:${redis.port}`;
    await using role = openTestRole(publishing(url, false), [new CsvError("not-csv", "an image")]);
    role.begin();
    await until("it to be given up", () => role.done.some((what) => what.startsWith("unusable")));
    expect(role.done).toContain("unusable: CsvError: an image");
    await using other = openTestRole(publishing(`${url}?topic=other`, true), [new CsvError("not-csv", "an image")]);
    await until("it to be given up", () => other.done.includes("unusable: CsvError: an image"));
    expect(other.done).toEqual(["relay-published", "unusable: CsvError: an image"]);
  });

  test.concurrent("a standby without Redis follows, and says so once", async () => {
    await using folder = await temporaryFolder();
    await using redis = await startRedis(folder.path);
    await redis.kill();
    const url = `redis://127.0.0.1:${redis.port}`;
    await using standby = openTestRole(publishing(url, true));
    await until("it to follow", () => standby.done.length > 1);
    expect(standby.done).toEqual(["relay-away", `follow ${url}`]);
    await redis.start();
    await until("it to publish", () => standby.done.length > 4);
    expect(standby.done.slice(2)).toEqual(["relay-back", "relay-published", "open own"]);
  });
});
