// A publisher of several tables without a server around it, and a real Redis, for tests.
import { relayKeys } from "../../src/relay/wire.ts";
import { type Redis, startRedis } from "../redis.ts";
import { temporaryFolder } from "../support.ts";
import type { TestFollower } from "./following.ts";
import { openTestPublisher } from "./publishing.ts";

export const EPOCH = "k3f9";
/** A busy machine is no silence. */
export const PATIENT = { silenceMs: 20_000 };
export const keys = (table?: string) => relayKeys("csv", table);
export const isLive = (follower: TestFollower, rows: readonly string[]) =>
  follower.status()?.state === "live" && follower.rows().flat().join() === rows.join();

/** A publisher of a first table, and of those of these names, each with a row. */
export async function openScene(others: readonly string[]) {
  const folder = await temporaryFolder();
  const redis = await startRedis(folder.path);
  const url = `redis://127.0.0.1:${redis.port}`;
  const publisher = openTestPublisher(url);
  publisher.begin("first", 1, ["csv"]);
  const tables = Object.fromEntries(others.map((name) => [name, publisher.table(name)]));
  for (const [name, table] of Object.entries(tables)) table.begin(EPOCH, 1, [name]);
  publisher.sink.setTables({ first: "f", others });
  return {
    ...{ redis, url, publisher, tables },
    async [Symbol.asyncDispose]() {
      await publisher.sink.close();
      await redis[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

export async function numberOf(redis: Redis, section: string, name: RegExp): Promise<number> {
  return Number(name.exec(String(await redis.send("INFO", [section])))?.[1] ?? 0);
}
