// Two publishers that both want a topic, while the lease is taken from whoever has it at the worst moments: in the stream their
// entries never interleave, each epoch is one stretch, and its versions chain. CSVCAST_RACES asks for more than four rounds.
import { expect, test } from "bun:test";
import type { Publication } from "../../src/feed/publication.ts";
import { openPublisher } from "../../src/relay/publish/publisher.ts";
import { parseEntry, type RelayBeat, type RelayEntry, relayKeys } from "../../src/relay/wire.ts";
import { type Random, randomFrom, seedOfRun } from "../fuzz/random.ts";
import { engines, type Redis, skipped, startRedis } from "../redis.ts";
import { addressOf, snapshotOf } from "../relay/publishing.ts";
import { temporaryFolder, until } from "../support.ts";

const ROUNDS = Number(process.env["CSVCAST_RACES"] ?? 4);
const BEAT_MS = 20;
const keys = relayKeys("race");

/** A publisher of a table that gains a row again and again; its epochs begin with its name. */
function openRacer(name: string, port: number, random: Random) {
  let epochs = 1;
  let version = 1;
  let owned = 0;
  const publication = (splices?: string): Publication => ({
    cursor: { epoch: `${name}${epochs}`, version },
    columns: { count: 1, json: '["a"]' },
    rows: version,
    splices,
    about: {
      name: `${name}.csv`,
      dialect: "comma, UTF-8",
      warnings: [],
      changedAt: Date.now(),
      readMs: 1,
      bytes: 1000,
    },
  });
  const publisher = openPublisher(
    {
      address: addressOf(`redis://127.0.0.1:${port}?topic=race`),
      heartbeatMs: BEAT_MS,
      isStandby: true,
    },
    {
      onOwned: () => void owned++,
      onForeign() {
        epochs++;
        table.publish(publication());
      },
      onTaken() {},
      onAway() {},
      onBack() {},
      onTrouble() {},
    },
  );
  const table = publisher.table("csv", async () => {
    await Bun.sleep(random.below(5));
    const rows = Array.from({ length: version }, () => name);
    return snapshotOf(publication(), rows);
  });
  publisher.setTables({ first: name, others: [] });
  let isOver = false;
  const publishing = (async () => {
    table.publish(publication());
    table.setStatus({ state: "live", message: "", since: 1 });
    while (!isOver) {
      await Bun.sleep(random.below(4));
      version++;
      table.publish(publication(`[[${version - 1},0,[["${name}"]]]]`));
    }
  })();
  return {
    owned: () => owned,
    async [Symbol.asyncDispose]() {
      isOver = true;
      await publishing;
      await publisher.close();
    },
  };
}

type TableEntry = Exclude<RelayEntry, RelayBeat>;

/** Every entry that there ever was. */
function record(redis: Redis) {
  const entries: TableEntry[] = [];
  let isOver = false;
  const reading = (async () => {
    const client = new Bun.RedisClient(`redis://127.0.0.1:${redis.port}`);
    for (let at = "0-0"; !isOver;) {
      const answer = (await client.send("XREAD", ["BLOCK", "100", "STREAMS", keys.stream, at])) as Record<
        string,
        [string, string[]][]
      >;
      for (const [id, fields] of answer?.[keys.stream] ?? []) {
        at = id;
        entries.push(parseEntry(fields) as TableEntry);
      }
    }
    client.close();
  })();
  return {
    entries,
    async end(): Promise<void> {
      isOver = true;
      await reading;
    },
  };
}

const deltasOf = (entries: readonly TableEntry[]) => entries.filter(({ kind }) => kind === "delta").length;

/** What is wrong with the order of the entries. */
function faultsOf(entries: readonly TableEntry[]): string[] {
  const faults: string[] = [];
  const ended = new Set<string>();
  let owner = "";
  let epoch = "";
  let version = -1;
  for (const entry of entries) {
    const text = JSON.stringify(entry);
    if (ended.has(entry.epoch)) faults.push(`an epoch that had ended: ${text}`);
    if (entry.epoch !== epoch) {
      if (entry.kind === "delta") faults.push(`a change without its snapshot: ${text}`);
      ended.add(epoch);
      [epoch, version] = [entry.epoch, -1];
      owner = entry.epoch[0]!;
    }
    if (entry.epoch[0] !== owner) faults.push(`of another owner: ${text}`);
    if (entry.kind === "delta" && entry.from !== version) faults.push(`at ${version}: ${text}`);
    if (entry.kind === "delta") version = entry.to;
    if (entry.kind === "snapshot") version = Math.max(version, entry.version);
  }
  return faults;
}

test.skipIf(engines.length === 0)(
  `${ROUNDS} times two publishers race for a topic: never two in one stretch${skipped}`,
  async () => {
    const seed = seedOfRun();
    const random = randomFrom(seed);
    await using folder = await temporaryFolder();
    await using redis = await startRedis(folder.path);
    const recorded = record(redis);
    {
      await using a = openRacer("a", redis.port, random);
      await using b = openRacer("b", redis.port, random);
      await until("one of them to have it", () => a.owned() + b.owned() > 0);
      for (let round = 0; round < ROUNDS; round++) {
        const before = a.owned() + b.owned();
        await until("the topic to change hands", async () => {
          await redis.send("DEL", [keys.lease]);
          if (random.chance(0.1)) await redis.send("DEL", [keys.pointer]);
          await Bun.sleep(random.below(30));
          return a.owned() + b.owned() > before;
        });
        // In every other round the new owner gets as far as a change, however slow the machine is.
        const changes = deltasOf(recorded.entries);
        if (round % 2 === 1) await until("a change of the new owner", () => deltasOf(recorded.entries) > changes);
      }
    }
    await recorded.end();
    expect([seed, ...faultsOf(recorded.entries)]).toEqual([seed]);
    expect(deltasOf(recorded.entries)).toBeGreaterThanOrEqual(ROUNDS >> 1);
  },
  60_000 + ROUNDS * 2_000,
);
