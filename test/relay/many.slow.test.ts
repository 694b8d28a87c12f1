// What many tables of a relay cost that nobody writes to.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { engines, skipped } from "../redis.ts";
import { TEST_TIMEOUT_MS, until } from "../support.ts";
import { followAll, type TestFollower } from "./following.ts";
import { isLive, numberOf, openScene, PATIENT } from "./scene.ts";

setDefaultTimeout(2 * TEST_TIMEOUT_MS);

describe.skipIf(engines.length === 0)(`many tables of a relay${skipped}`, () => {
  test("that are quiet cost Redis and replicas what one does, however many they are", async () => {
    const names = Array.from({ length: 200 }, (_, n) => `t${n}`);
    await using scene = await openScene(names);
    const { redis, url, publisher } = scene;
    using one = followAll(url, ["csv", ...names], PATIENT);
    await until("all tables", () =>
      names.every((name) => isLive((one as Record<string, TestFollower>)[name]!, [name])),
    );
    const beats = 40;
    const written = (entries: number) => until("the publisher to write", () => publisher.counts().entries >= entries);
    await written(publisher.counts().entries + 10);
    const bytes = () => numberOf(redis, "stats", /total_net_output_bytes:(\d+)/);
    const reads = () => numberOf(redis, "commandstats", /cmdstat_xread:calls=(\d+)/);
    const before = { bytes: await bytes(), reads: await reads(), entries: publisher.counts().entries };
    await written(before.entries + beats);
    // With what the test asks, and now and then all tables by name; 200 statuses are 20 kB, 200 streams 200 reads.
    expect(((await bytes()) - before.bytes) / beats).toBeLessThan(4_000);
    expect(((await reads()) - before.reads) / beats).toBeLessThan(4);
  });
});
