// Who may publish, and what: publishers without servers around them, and a real Redis.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Publication } from "../../src/feed/publication.ts";
import { CsvError } from "../../src/csv/error.ts";
import { openPublisher } from "../../src/relay/publish/publisher.ts";
import {
  parseEntry,
  parsePointer,
  type RelayBeat,
  type RelayEntry,
  type RelayStatus,
  relayKeys,
} from "../../src/relay/wire.ts";
import { engines, type Redis, skipped, startRedis } from "../redis.ts";
import { temporaryFolder, TEST_TIMEOUT_MS, until } from "../support.ts";
import { addressOf, CHANGED_AT, HEARTBEAT_MS, openTestPublisher, snapshotOf } from "./publishing.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const keys = relayKeys("csv");

type TableEntry = Exclude<RelayEntry, RelayBeat>;

async function storedEntries(redis: Redis): Promise<TableEntry[]> {
  const found = (await redis.send("XRANGE", [keys.stream, "-", "+"])) as [string, string[]][];
  return found.map(([, fields]) => parseEntry(fields) as TableEntry);
}

async function storedStatuses(redis: Redis): Promise<RelayStatus[]> {
  const found = (await redis.send("XRANGE", [keys.beat, "-", "+"])) as [string, string[]][];
  return found.flatMap(([, fields]) => (parseEntry(fields) as RelayBeat).tables.get("csv") ?? []);
}

async function storedPointer(redis: Redis) {
  const text = await redis.send("GET", [keys.pointer]);
  return typeof text === "string" ? parsePointer(text, 100) : undefined;
}

describe.skipIf(engines.length === 0)(`a publisher${skipped}`, () => {
  test.concurrent(
    "writes a snapshot with what goes with it, then changes, each with the time of its file",
    async () => {
      await using folder = await temporaryFolder();
      await using redis = await startRedis(folder.path);
      await using publisher = openTestPublisher(`redis://127.0.0.1:${redis.port}`);
      publisher.begin("e", 3, ["1", "2", "3"]);
      const pointer = await until("the snapshot", () => storedPointer(redis));
      const expected = { epoch: "e", version: 3, columns: ["a"], rows: 3, parts: 2, file: "f.csv" };
      expect(pointer).toMatchObject({ ...expected, warnings: ["1 cell dropped"], changedAt: CHANGED_AT + 3 });
      expect(await redis.send("LRANGE", [keys.list(pointer.id), "0", "-1"])).toEqual(['[["1"],["2"]]', '[["3"]]']);
      publisher.append("4");
      const entries = await until("the change", async () => {
        const all = await storedEntries(redis);
        return all.some(({ kind }) => kind === "delta") && all;
      });
      expect(entries.find(({ kind }) => kind === "delta")).toEqual({
        kind: "delta",
        epoch: "e",
        from: 3,
        to: 4,
        count: 4,
        splices: '[[3,0,[["4"]]]]',
        warnings: ["1 cell dropped"],
        changedAt: CHANGED_AT + 4,
      });
      expect(publisher.events).toEqual(["owned"]);
      expect(publisher.counts()).toMatchObject({ role: "publisher", connected: true, snapshots: 1, pendingEntries: 0 });
    },
  );

  test.concurrent(
    "publishes nothing that came through a relay, nor its status; the first own table is live",
    async () => {
      await using folder = await temporaryFolder();
      await using redis = await startRedis(folder.path);
      await using publisher = openTestPublisher(`redis://127.0.0.1:${redis.port}`);
      const relayed: Publication = {
        ...publisher.publication(),
        cursor: { epoch: "elsewhere", version: 9 },
        about: { ...publisher.publication().about, relay: "topic other at h:6379" },
      };
      publisher.sink.publish(relayed);
      publisher.sink.setStatus({ state: "stale", message: "of the other", since: 5 });
      await until("the lease", () => publisher.counts().role === "publisher");
      await Bun.sleep(3 * HEARTBEAT_MS);
      expect([...(await storedEntries(redis)), ...(await storedStatuses(redis))]).toEqual([]);
      publisher.begin("own", 1, ["1"]);
      const status = await until("the status", async () => (await storedStatuses(redis))[0]);
      expect(status).toMatchObject({ epoch: "own", version: 1, state: "live", message: "" });
      publisher.sink.setStatus({ state: "missing", message: "gone", since: 6 });
      await until("the next status", async () => {
        const last = (await storedStatuses(redis)).at(-1);
        return last?.state === "missing" && last.since === 6;
      });
    },
  );

  test.concurrent("gives the topic back when it is closed, and closes twice", async () => {
    await using folder = await temporaryFolder();
    await using redis = await startRedis(folder.path);
    const url = `redis://127.0.0.1:${redis.port}`;
    await using first = openTestPublisher(url);
    await until("the lease", () => first.counts().role === "publisher");
    await using second = openTestPublisher(url, { isStandby: true });
    await until("it to stand by", () => second.events.includes("taken"));
    expect(second.counts().role).toBe("standby");
    await Promise.all([first.sink.close(), first.sink.close()]);
    await until("the other to take over", () => second.counts().role === "publisher");
    expect(second.events).toEqual(["taken", "owned"]);
  });

  test.concurrent(
    "whose epoch another server has written over writes nothing of it any more, and goes on with a new one",
    async () => {
      await using folder = await temporaryFolder();
      await using redis = await startRedis(folder.path);
      const url = `redis://127.0.0.1:${redis.port}`;
      await using first = openTestPublisher(url);
      first.begin("one", 1, ["1"]);
      await until("the snapshot", async () => (await storedPointer(redis))?.epoch === "one");
      await using second = openTestPublisher(url, { isStandby: true });
      second.begin("two", 1, ["2"]);
      await until("the other to write", async () => {
        if ((await storedPointer(redis))?.epoch === "two") return true;
        if (second.counts().role !== "publisher") await redis.send("DEL", [keys.lease]); // as if the first were suspended
        return false;
      });
      await second.sink.close();
      await until("it to be reported", () => first.events.includes("foreign"));
      first.append("x"); // of the same epoch
      await Bun.sleep(4 * HEARTBEAT_MS);
      expect((await storedPointer(redis))?.epoch).toBe("two");
      expect((await storedEntries(redis)).findLast(({ epoch }) => epoch === "one")).not.toMatchObject({ version: 2 });
      expect((await storedStatuses(redis)).findLast(({ epoch }) => epoch === "one")).not.toMatchObject({ version: 2 });
      first.begin("three", 1, ["3"]);
      await until("the new epoch", async () => (await storedPointer(redis))?.epoch === "three");
      first.append("4");
      await until("its change", async () => (await redis.send("GET", [keys.head])) === "three:2");
      expect(first.events.filter((event) => event === "foreign")).toHaveLength(1);
    },
  );

  test.concurrent(
    "keeps few lists of snapshots, however often a table is rewritten, replaced in the middle, or published anew",
    async () => {
      await using folder = await temporaryFolder();
      await using redis = await startRedis(folder.path);
      const url = `redis://127.0.0.1:${redis.port}`;
      const lists = async () => (await redis.send("KEYS", [keys.list("*")])) as string[];
      const usedBytes = async () => Number(/used_memory:(\d+)/.exec(String(await redis.send("INFO", ["memory"])))![1]);
      const before = await usedBytes();
      const tableBytes = 6_000_000;
      const rows = (n: number) => Array.from({ length: 6 }, (_, r) => `${n}.${r}`.padEnd(tableBytes / 6, "x"));
      for (let server = 0; server < 2; server++) {
        await using publisher = openTestPublisher(url);
        for (let n = 0; n < 8; n++) {
          const epoch = `e${server}-${n}`;
          publisher.begin(`${epoch}-gone`, 1, rows(n));
          await until("it to be under way", () => publisher.counts().bytes > 0);
          publisher.begin(epoch, 1, rows(n));
          const id = await until("its snapshot", async () => {
            const pointer = await storedPointer(redis);
            return pointer?.epoch === epoch && pointer.id;
          });
          expect(await lists()).toContain(keys.list(id));
          expect((await lists()).length).toBeLessThanOrEqual(4); // the snapshot, two before it, and one that was left
        }
      }
      // Whoever reads the snapshot while the next one takes its place can read it to its end.
      expect((await lists()).length).toBeGreaterThanOrEqual(2);
      expect((await usedBytes()) - before).toBeLessThan(5 * tableBytes);
    },
  );

  test.concurrent(
    "reports once why a table cannot be written, and tries a closed one again without a word",
    async () => {
      await using folder = await temporaryFolder();
      await using redis = await startRedis(folder.path);
      let fault: CsvError | undefined = new CsvError("closed", "closed");
      let attempts = 0;
      const troubles: string[] = [];
      await using template = openTestPublisher(`redis://127.0.0.1:${redis.port}?topic=other`);
      const publication = template.publication();
      const nothing = () => {};
      const publisher = openPublisher(
        {
          address: addressOf(`redis://127.0.0.1:${redis.port}`),
          heartbeatMs: HEARTBEAT_MS,
          isStandby: false,
        },
        {
          onOwned: nothing,
          onForeign: nothing,
          onTaken: nothing,
          onAway: nothing,
          onBack: nothing,
          onTrouble: (_table, why) => void troubles.push(why),
        },
      );
      const table = publisher.table("csv", async () => {
        attempts++;
        if (fault) throw fault;
        return snapshotOf(publication, []);
      });
      publisher.setTables({ first: "f", others: [] });
      table.publish(publication);
      await until("a second attempt", () => attempts > 1);
      fault = new CsvError("io", "the reader failed");
      await until("it to be reported", () => troubles.length > 0);
      const before = attempts;
      await until("more attempts", () => attempts > before + 1);
      expect(troubles).toEqual(["the reader failed"]);
      fault = undefined;
      await until("the snapshot", () => storedPointer(redis));
      await publisher.close();
    },
  );

  test.concurrent(
    "reports that Redis is away once, with a reason that holds no password, and when it is back",
    async () => {
      await using folder = await temporaryFolder();
      await using redis = await startRedis(folder.path);
      await redis.kill();
      await using publisher = openTestPublisher(`redis://:s3cr3t@127.0.0.1:${redis.port}`);
      await until("the failure", () => publisher.events.length > 0);
      expect(publisher.counts()).toMatchObject({ role: "starting", connected: false, heardAt: 0 });
      await redis.start();
      await until("it to be over", () => publisher.counts().connected && publisher.counts().role === "publisher");
      expect(publisher.events).toEqual([expect.stringMatching(/^away: no connection/) as string, "back", "owned"]);
      expect(publisher.events.join()).not.toContain("s3cr3t");
    },
  );
});
