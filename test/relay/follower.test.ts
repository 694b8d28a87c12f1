// A follower and a publisher without servers around them, and a real Redis between them.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Publication } from "../../src/feed/publication.ts";
import { relayKeys } from "../../src/relay/wire.ts";
import { openThread } from "../../src/source/thread.ts";
import { engines, skipped, startRedis } from "../redis.ts";
import { temporaryFolder, TEST_TIMEOUT_MS, until } from "../support.ts";
import { followWith, partsOf, settingsOf } from "./following.ts";
import { CHANGED_AT, openTestPublisher } from "./publishing.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const cells = (rows: readonly string[]) => JSON.stringify(rows.map((row) => [row]));

describe.skipIf(engines.length === 0)(`a follower${skipped}`, () => {
  test.concurrent(
    "has the table of its publisher under the same cursors, in every shape, and the age of the file",
    async () => {
      await using folder = await temporaryFolder();
      await using redis = await startRedis(folder.path);
      const url = `redis://127.0.0.1:${redis.port}?topic=t`;
      await using publisher = openTestPublisher(url);
      publisher.begin("one", 4, ["x", "y,z", 'q"', "", "é"]);
      using follower = followWith(url);
      const holds = (rows: readonly string[]) => JSON.stringify(follower.rows()) === cells(rows);
      await follower.until("the first table", () => holds(publisher.rows()));
      expect(follower.last()).toMatchObject({
        cursor: { epoch: "one", version: 4 },
        columns: { count: 1, json: '["a"]' },
        rows: 5,
        about: {
          name: "f.csv",
          relay: `topic t at 127.0.0.1:${redis.port}`,
          dialect: "comma, UTF-8",
          warnings: ["1 cell dropped"],
          changedAt: CHANGED_AT + 4,
        },
      });
      publisher.append("7", "8");
      await follower.until("the rows that were appended", () => follower.rows().length === 7);
      expect(follower.last()).toMatchObject({ cursor: { version: 5 }, splices: '[[5,0,[["7"],["8"]]]]', rows: 7 });
      expect(follower.last()!.about.changedAt).toBe(CHANGED_AT + 5);

      const { cursor, parts } = await partsOf(follower.source, "rows");
      expect(cursor).toEqual({ epoch: "one", version: 5 });
      expect(JSON.stringify(parts.flatMap(({ text }) => JSON.parse(text) as unknown[]))).toBe(cells(publisher.rows()));
      const { parts: frame } = await partsOf(follower.source, "frame");
      expect(frame[0]!.text).toBe(JSON.stringify(publisher.rows().map((a) => ({ a }))));
      const { parts: csv } = await partsOf(follower.source, "csv");
      expect(Buffer.concat(csv.map(({ data }) => data)).toString()).toBe(
        'a\r\nx\r\n"y,z"\r\n"q"""\r\n""\r\né\r\n7\r\n8\r\n',
      );

      publisher.begin("two", 5, ["other"]); // the same version, in another epoch
      await follower.until("the table of another epoch", () => holds(["other"]));
      expect(follower.last()).toMatchObject({ cursor: { epoch: "two", version: 5 }, splices: undefined });
      await until("the counts", () => (follower.links.at(-1)?.snapshots ?? 0) > 1);
      expect(follower.links.at(-1)).toMatchObject({ connected: true, reconnects: 0 });
      await follower.until("the publisher's status", () => follower.status()?.state === "live");
      expect(follower.status()).toEqual({ state: "live", message: "", since: 1 });
    },
  );

  test.concurrent("writes literals by what its publisher told, if it is to", async () => {
    await using folder = await temporaryFolder();
    await using redis = await startRedis(folder.path);
    const url = `redis://127.0.0.1:${redis.port}`;
    await using publisher = openTestPublisher(url, { verdicts: { types: '["number:,"]', units: "[null]" } });
    publisher.begin("one", 1, ["1,5", "NA"]);
    using plain = followWith(url);
    using typed = followWith(url, { types: "auto" });
    await Promise.all(
      [plain, typed].map((follower) => follower.until("the table", () => follower.rows().length === 2)),
    );
    const frameOf = async ({ source }: typeof plain) => (await partsOf(source, "frame")).parts[0]!.text;
    expect([await frameOf(plain), await frameOf(typed)]).toEqual([
      '[{"a":"1,5"},{"a":"NA"}]',
      '[{"a":1.5},{"a":null}]',
    ]);
    publisher.append("2");
    await typed.until("the next row", () => typed.rows().length === 3);
    expect(await frameOf(typed)).toBe('[{"a":1.5},{"a":null},{"a":2}]');
  });

  test.concurrent("says when it has lost its publisher, or Redis, and goes on when either is back", async () => {
    await using folder = await temporaryFolder();
    await using redis = await startRedis(folder.path);
    const url = `redis://127.0.0.1:${redis.port}`;
    using follower = followWith(url);
    const isNow = (state: string, reason: RegExp) => () =>
      follower.status()?.state === state && reason.test(follower.status()?.problem?.reason ?? "");
    await follower.until("no topic", isNow("waiting", /^the relay has no such topic yet$/));
    {
      await using publisher = openTestPublisher(url);
      publisher.begin("k3f9", 1, ["1"]);
      await follower.until("the table", () => follower.status()?.state === "live" && follower.rows().length === 1);
      redis.pause();
      await follower.until("Redis to be lost", isNow("stale", /relay cannot be read: no answer to/));
      publisher.append("2");
      redis.resume();
      await follower.until("the next row", () => follower.status()?.state === "live" && follower.rows().length === 2);
      await redis.send("FLUSHALL");
      publisher.append("3");
      await follower.until("it to be over", () => follower.status()?.state === "live" && follower.rows().length === 3);
    }
    await follower.until("the publisher to be lost", isNow("stale", /has no heartbeat of its publisher for 0.25 s/));
    expect(follower.rows()).toHaveLength(3);
  });

  test.concurrent(
    "passes over what is malformed, and goes on with the next change as if it were not there",
    async () => {
      await using folder = await temporaryFolder();
      await using redis = await startRedis(folder.path);
      const url = `redis://127.0.0.1:${redis.port}`;
      const { stream, beat } = relayKeys("csv");
      await using publisher = openTestPublisher(url);
      publisher.begin("k3f9", 1, ["1"]);
      using follower = followWith(url, { silenceMs: 20_000 }); // a busy machine is no silence
      await follower.until("the table", () => follower.status()?.state === "live" && follower.rows().length === 1);
      const head = JSON.stringify({ kind: "delta", epoch: "k3f9", from: 1, to: 2, count: 2 });
      for (const fields of [
        ["x", "y"],
        ["h", "{"],
        ["h", '{"kind":"snapshot"}'],
        ["h", head],
        ["h", head, "s", "[[7,0,[]]]"],
        ["h", head, "s", '[[1,0,[["2","too many"]]]]'],
      ]) {
        await redis.send("XADD", [stream, "*", ...fields]);
        await redis.send("XADD", [beat, "*", ...fields]);
      }
      publisher.append("2");
      await follower.until("the next change", () => follower.rows().length === 2);
      await until("the counts", () => (follower.links.at(-1)?.entries ?? 0) > 12);
      expect(follower.statuses.filter(({ state }) => state === "stale")).toEqual([]);
      expect(follower.links.at(-1)).toMatchObject({ snapshots: 1, reconnects: 0 });
      // One who joins reads the same again.
      using other = followWith(url);
      await other.until("the table", () => other.status()?.state === "live" && other.rows().length === 2);
      expect(other.links.at(-1)?.reconnects).toBe(0);
    },
  );

  test.concurrent("that lacks a change reads once more, says so, and goes on from the next snapshot", async () => {
    await using folder = await temporaryFolder();
    await using redis = await startRedis(folder.path);
    const url = `redis://127.0.0.1:${redis.port}`;
    const { stream } = relayKeys("csv");
    await using publisher = openTestPublisher(url);
    publisher.begin("k3f9", 1, ["1"]);
    using follower = followWith(url, { silenceMs: 2_000 }); // an answer may take a second
    await follower.until("the table", () => follower.status()?.state === "live" && follower.rows().length === 1);
    publisher.append("2");
    await follower.until("a change", () => follower.rows().length === 2);
    const lead = (from: number) =>
      redis.send("XADD", [
        ...[stream, "*", "h", JSON.stringify({ kind: "delta", epoch: "k3f9", from, to: from + 1, count: 2 })],
        ...["s", "[[0,0,[]]]"],
      ]);
    await lead(5);
    publisher.append("3");
    await follower.until("the next change, as none is missing", () => follower.rows().length === 3);
    await publisher.sink.close();
    await lead(8);
    const isSaid = () => /cannot be taken: changes are missing/.test(follower.status()?.problem?.reason ?? "");
    await follower.until("it to be said", isSaid);
    const stats = async () => String(await redis.send("INFO", ["stats"]));
    const commands = async () => Number(/total_commands_processed:(\d+)/.exec(await stats())![1]);
    const before = await commands();
    await Bun.sleep(1_000);
    expect((await commands()) - before).toBeLessThan(200);
    expect(follower.links.at(-1)?.reconnects).toBe(0);
    await using next = openTestPublisher(url);
    next.begin("next", 1, ["1"]);
    await follower.until("it to be over", () => follower.status()?.state === "live" && follower.rows().length === 1);
  });

  test.concurrent("that resumes goes on from there, and a snapshot waits for the first table", async () => {
    await using folder = await temporaryFolder();
    await using redis = await startRedis(folder.path);
    const url = `redis://127.0.0.1:${redis.port}`;
    await using publisher = openTestPublisher(url);
    publisher.begin("k3f9", 7, ["x", "y"]);
    using follower = followWith(url, {}, { epoch: "k3f9", version: 8 });
    const waiting = follower.source.snapshot("rows");
    await until("the publisher to write", () => publisher.counts().entries > 3);
    expect(follower.publications).toEqual([]); // version 7 would lead back
    publisher.append("z");
    expect((await waiting).cursor).toEqual({ epoch: "k3f9", version: 8 });
    await follower.until("the table", () => JSON.stringify(follower.rows()) === cells(["x", "y", "z"]));
  });

  test.concurrent("in a Worker that dies is started again, and goes on where it was", async () => {
    await using folder = await temporaryFolder();
    await using redis = await startRedis(folder.path);
    const url = `redis://127.0.0.1:${redis.port}`;
    await using publisher = openTestPublisher(url);
    publisher.begin("k3f9", 7, ["x", "y"]);
    const thread = openThread(new URL("../../src/channel/sources.worker.ts", import.meta.url));
    const seen: Publication[] = [];
    const statuses: string[] = [];
    const nothing = () => {};
    const source = thread.open(settingsOf(url), {
      onPublication: (publication) => void seen.push(publication),
      onStatus: ({ state, problem }) => void statuses.push(`${state} ${problem?.reason ?? ""}`),
      onProgress: nothing,
      onRefused: nothing,
    });
    await until("the table", () => seen.at(-1)?.rows === 2);
    // As a defect of ours would bring it down: what is no location.
    const defect = { onPublication: nothing, onStatus: nothing, onProgress: nothing, onRefused: nothing };
    thread.open(settingsOf(1n as never), defect).close();
    await until("the crash", () => statuses.some((status) => status.includes("is started again")));
    publisher.append("z");
    await until("the table after it", () => seen.at(-1)?.rows === 3 && statuses.at(-1) === "live ");
    expect(seen.at(-1)!.cursor).toEqual({ epoch: "k3f9", version: 8 });
    const { parts } = await source.snapshot("rows");
    expect((await Array.fromAsync(parts)).map(({ text }) => text).join()).toBe(cells(publisher.rows()));
    thread.close();
  });

  test.concurrent("that is closed connects no more, reports nothing, and refuses who waits for a table", async () => {
    await using folder = await temporaryFolder();
    await using redis = await startRedis(folder.path);
    const url = `redis://127.0.0.1:${redis.port}`;
    const follower = followWith(url);
    await follower.until("a connection", () => follower.links.at(-1)?.connected === true);
    const waiting = follower.source.snapshot("rows");
    follower.source.close();
    expect(waiting).rejects.toThrow("closed");
    await until("the connection to end", async () => {
      const clients = String(await redis.send("CLIENT", ["LIST"]));
      return clients.trim().split("\n").length === 1; // the test's own
    });
    const reports = [...follower.statuses, ...follower.links];
    await using publisher = openTestPublisher(url);
    publisher.begin("k3f9", 1, ["1"]);
    await until("the publisher to write", () => publisher.counts().entries > 2);
    expect([...follower.statuses, ...follower.links]).toEqual(reports);
    expect(follower.publications).toEqual([]);
  });

  test.concurrent("closes while it cannot connect", async () => {
    await using folder = await temporaryFolder();
    await using redis = await startRedis(folder.path);
    await redis.kill();
    const follower = followWith(`redis://127.0.0.1:${redis.port}`);
    await follower.until("Redis to be missed", () => follower.status()?.state === "waiting");
    expect(follower.status()?.problem?.reason).toContain("cannot be read: no connection");
    follower.source.close();
    const { length } = follower.statuses;
    await redis.start();
    expect(await redis.send("PING")).toBe("PONG");
    expect(follower.statuses).toHaveLength(length);
  });

  test.concurrent(
    "what is stored in Redis stays bounded, however much is published, and who joins gets the last of it",
    async () => {
      await using folder = await temporaryFolder();
      await using redis = await startRedis(folder.path);
      const url = `redis://127.0.0.1:${redis.port}?topic=t`;
      await using publisher = openTestPublisher(url);
      const rows = Array.from({ length: 40 }, (_, n) => `${n}`.repeat(50_000));
      publisher.begin("k3f9", 1, rows);
      for (let n = 0; n < 300; n++) {
        publisher.edit(`${n}`.padStart(100_000, "x"));
        await until("it to be written", () => publisher.counts().pendingBytes < 1 << 20);
      }
      const { bytes, snapshots } = publisher.counts();
      expect(bytes).toBeGreaterThan(30_000_000);
      expect(snapshots).toBeGreaterThan(1);
      await until("the stream to be as long as it may be", async () => {
        const memory = await redis.send("MEMORY", ["USAGE", relayKeys("t").stream, "SAMPLES", "0"]);
        return Number(memory) < 20 << 20;
      });
      using follower = followWith(url);
      await follower.until("the last change", () => follower.rows().at(-1)?.[0] === publisher.rows().at(-1));
      expect(follower.rows()).toHaveLength(40);
    },
  );
});

test("a location that is no relay is refused, without what is secret in it", async () => {
  using follower = followWith("redis://u:s3cr3t@h/no-database");
  await follower.until("a refusal", () => follower.refusals.length > 0);
  expect(follower.refusals).toEqual([
    { kind: "not-found", reason: "the path is the number of a database; a topic is given as ?topic=NAME" },
  ]);
});
