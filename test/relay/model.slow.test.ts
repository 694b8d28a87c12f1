// The model test of a relay of many tables: a publisher of a folder whose files are written, come and go, a standby and two replicas,
// while any of them and Redis are killed and started again, and Redis forgets or loses keys. Once there is quiet, every server has the
// same tables, and each is what a fresh conversion of its file gives. CSVCAST_RUNS asks for more than one run.
import { test } from "bun:test";
import { appendFile, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { convertCsvToJson } from "../../src/source/convert.ts";
import { type Random, randomFrom, seedOfRun, shareOf } from "../fuzz/random.ts";
import { engines, type Redis, skipped, startRedis } from "../redis.ts";
import { type Folder, listOf, type RunningServer, startServer, temporaryFolder, until } from "../support.ts";

const RUNS = shareOf(1);
const STEPS = 24;
const TABLES = 12;
const BEAT = "--relay-heartbeat=200ms";

/** A server that is started again when it was killed. */
async function openStation(folder: Folder, args: readonly string[]) {
  let server: RunningServer;
  const start = async () => void (server = await startServer([...args, BEAT], { folder }));
  const kill = async () => {
    server.kill("SIGKILL");
    await server.exited;
  };
  await start();
  return { current: () => server, start, kill, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

type Station = Awaited<ReturnType<typeof openStation>>;

type World = {
  readonly data: string;
  readonly folder: Folder;
  readonly redis: Redis;
  readonly stations: readonly Station[];
  readonly random: Random;
};

const nameOf = (random: Random) => `t${random.below(TABLES)}`;

/** Each is done at once, or puts right what it has done wrong. */
const STEPS_OF_THE_WORLD: Record<string, (world: World) => Promise<unknown>> = {
  "rows are appended": ({ data, random }) => appendFile(join(data, `${nameOf(random)}.csv`), `${random.below(99)},x\n`),
  "a file is written anew": ({ folder, random }) =>
    folder.write(`data/${nameOf(random)}.csv`, `a,b\n${"1,y\n".repeat(random.below(200))}`),
  "many files change": async ({ data, random }) => {
    for (const file of await readdir(data)) if (random.chance(0.5)) await appendFile(join(data, file), "7,z\n");
  },
  "a file goes": ({ data, random }) => rm(join(data, `${nameOf(random)}.csv`), { force: true }),
  "a server is killed": async ({ stations, random }) => {
    const station = random.pick(stations);
    await station.kill();
    await Bun.sleep(random.below(600));
    await station.start();
  },
  "Redis is killed": async ({ redis, random }) => {
    await redis.kill();
    await Bun.sleep(random.below(600));
    await redis.start();
  },
  "Redis falls back": async ({ redis, random }) => {
    await redis.send("SAVE");
    await Bun.sleep(random.below(300));
    await redis.kill();
    await redis.start();
  },
  "Redis forgets everything": ({ redis }) => redis.send("FLUSHALL"),
  "Redis loses a key": async ({ redis, random }) => {
    const keys = (await redis.send("KEYS", ["csvcast:*"])) as string[];
    if (keys.length > 0) await redis.send("DEL", [random.pick(keys)]);
  },
};

/** What is not yet as it is to be; "" for nothing. */
async function differenceOf({ data, stations }: World): Promise<string> {
  const names = (await readdir(data)).map((file) => file.replace(".csv", "")).sort();
  const expected = await Promise.all(names.map((name) => convertCsvToJson(join(data, `${name}.csv`))));
  for (const [s, station] of stations.entries()) {
    const { tables } = await listOf(station.current());
    const shown = tables.map(({ name, state }) => `${name} ${state}`).sort();
    if (
      shown.join() !==
      names
        .map((name) => `${name} live`)
        .sort()
        .join()
    )
      return `server ${s} has ${shown.join()}`;
    for (const [t, name] of names.entries()) {
      const text = await (await fetch(`${station.current().http}/${name}.json`)).text();
      if (text !== expected[t])
        return `${name} of server ${s} is ${text.slice(0, 200)}, not ${expected[t]!.slice(0, 200)}`;
    }
  }
  return "";
}

async function run(seed: number): Promise<void> {
  const random = randomFrom(seed);
  await using folder = await temporaryFolder();
  const data = join(folder.path, "data");
  await mkdir(data);
  // The first table is the first until its server ends, and a file of that place that goes is `missing`: this one stays.
  for (let t = 0; t < TABLES; t += 2) await folder.write(`data/t${t}.csv`, `a,b\n${t},0\n`);
  await folder.write("data/a0.csv", "a,b\n0,0\n");
  await using redis = await startRedis(folder.path);
  const url = `redis://127.0.0.1:${redis.port}`;
  await using one = await openStation(folder, ["data", `--relay=${url}`, "--standby"]);
  await using other = await openStation(folder, ["data", `--relay=${url}`, "--standby"]);
  await using near = await openStation(folder, [url]);
  await using far = await openStation(folder, [url]);
  const world: World = { data, folder, redis, random, stations: [one, other, near, far] };
  const story: string[] = [];
  let difference = "";
  try {
    for (let step = 0; step < STEPS; step++) {
      const [name, take] = random.pick(Object.entries(STEPS_OF_THE_WORLD));
      story.push(name);
      await take(world);
      await Bun.sleep(random.below(300));
    }
    // What has gone leaves its publisher after ten seconds.
    await until("the grace", async () =>
      (await listOf(one.current())).tables.every(({ state }) => state !== "missing"),
    );
    await until("everyone to have all tables", async () => (difference = await differenceOf(world)) === "");
  } catch (error) {
    throw new Error(`CSVCAST_SEED=${seed}: ${story.join(", ")}: ${difference}`, { cause: error });
  }
}

test.skipIf(engines.length === 0)(
  `${RUNS} times many tables come, change and go while all is killed: in the end every server has each of them${skipped}`,
  async () => {
    const first = seedOfRun();
    for (let seed = first; seed < first + RUNS; seed++) await run(seed);
  },
  60_000 + RUNS * 90_000,
);
