// A relay as a source like a file: what becomes of it when its Worker dies, and when it takes the place of a file.
import { expect, setDefaultTimeout, test } from "bun:test";
import type { TableFacts } from "../../../src/source/file.ts";
import { openOnAir } from "../../../src/source/on-air.ts";
import { engines, skipped, startRedis } from "../../redis.ts";
import { temporaryFolder, TEST_TIMEOUT_MS, until } from "../../support.ts";
import { HEARTBEAT_MS, openTestPublisher } from "./publishing.ts";
import { follow } from "../writer.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const LIMIT_MS = 5 * HEARTBEAT_MS;

test.concurrent.skipIf(engines.length === 0)(
  `a Worker that dies is started again, and goes on where it was${skipped}`,
  async () => {
    await using folder = await temporaryFolder();
    await using redis = await startRedis(folder.path);
    const url = `redis://127.0.0.1:${redis.port}`;
    await using publisher = openTestPublisher(url);
    publisher.begin("k3f9", 7, ["x", "y"]);
    await using followed = follow(url, { limitMs: LIMIT_MS });
    const shown = () => JSON.stringify(followed.rows());
    const expected = () => JSON.stringify(publisher.rows().map((row) => [row]));
    await followed.until(() => shown() === expected(), "the table");
    followed.crash();
    await followed.until(() => followed.message().includes("is started again"), "the crash to be told");
    publisher.append("z");
    await followed.until(() => shown() === expected() && followed.state() === "live", "the table after it");
    publisher.append("", "a,b");
    await followed.until(() => shown() === expected(), "the next change");
  },
);

test.concurrent.skipIf(engines.length === 0)(
  `a relay on air has the versions of its publisher, a file after it goes on from there, and every epoch is rendered${skipped}`,
  async () => {
    await using folder = await temporaryFolder();
    await using redis = await startRedis(folder.path);
    const path = await folder.write("f.csv", "a\nfile\n");
    const url = `redis://127.0.0.1:${redis.port}?topic=t`;
    await using publisher = openTestPublisher(url);
    publisher.begin("one", 1, ["1"]);
    const tables: TableFacts[] = [];
    let json = "";
    const onAir = openOnAir(
      {
        readOptions: {},
        maxFileBytes: 1 << 20,
        settleMs: 20,
        maxCellBytes: 1 << 16,
        lastRows: Infinity,
        limitMs: LIMIT_MS,
        lookMs: 20,
        watches: true,
      },
      {
        onLoading() {},
        onRefused: (_kind, message) => void (json = message),
        onTable(_path, facts) {
          tables.push(facts);
          onAir.render(1 << 20);
        },
        onState() {},
        onJson: ({ text }) => void (json = text ?? ""),
      },
    );
    const shows = (text: string) =>
      until(
        text,
        () => json === text,
        () => json,
      );
    onAir.open(path);
    await shows('[{"a":"file"}]');
    await folder.write("f.csv", "a\nfile\nfile\n");
    await shows('[{"a":"file"},{"a":"file"}]');
    onAir.open(url);
    await shows('[{"a":"1"}]');
    expect(tables.at(-1)).toMatchObject({ epoch: "one", version: 1, file: "f.csv" });
    publisher.append("2");
    await shows('[{"a":"1"},{"a":"2"}]');
    publisher.begin("two", 2, ["other"]); // the same version, in another epoch
    await shows('[{"a":"other"}]');
    expect(tables.at(-1)).toMatchObject({ epoch: "two", version: 2 });
    expect(await onAir.rendering("rows")).toMatchObject({ epoch: "two", version: 2 });
    onAir.open(path);
    await shows('[{"a":"file"},{"a":"file"}]');
    expect(tables.at(-1)!.epoch).toBeUndefined();
    expect(tables.at(-1)!.version).toBeGreaterThan(2);
    onAir.close();
  },
);

test.concurrent.skipIf(engines.length === 0)(
  `what stands in Redis stays bounded, however much is published, and a replica that joins gets the last of it${skipped}`,
  async () => {
    await using folder = await temporaryFolder();
    await using redis = await startRedis(folder.path);
    const url = `redis://127.0.0.1:${redis.port}?topic=t`;
    await using publisher = openTestPublisher(url);
    publisher.begin(
      "k3f9",
      1,
      Array.from({ length: 40 }, (_, n) => `${n}`.repeat(50_000)),
    );
    for (let n = 0; n < 300; n++) {
      publisher.edit(`${n}`.padStart(100_000, "x"));
      await until("it to be written", () => publisher.figures().pendingBytes < 1 << 20);
    }
    const { bytes, snapshots } = publisher.figures();
    expect(bytes).toBeGreaterThan(30_000_000);
    expect(snapshots).toBeGreaterThan(3);
    await until("the stream to be as long as it may be", async () => {
      const memory = await redis.send("MEMORY", ["USAGE", "csvcast:{t}:stream", "SAMPLES", "0"]);
      return Number(memory) < 20 << 20;
    });
    await using followed = follow(url, { limitMs: LIMIT_MS });
    await followed.until(() => followed.rows().at(-1)?.[0] === publisher.rows().at(-1), "the last change");
    expect(followed.rows()).toHaveLength(40);
  },
);
