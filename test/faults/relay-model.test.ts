// The model test of the relay: a publisher, three replicas, and clients that hop between them with their cursors, while everything is
// killed, started again, suspended and cut off, and Redis forgets all it had. Once there is quiet, everyone holds what a fresh
// conversion of the file gives; and within an epoch no client ever goes back. CSVCAST_RUNS asks for more than one run.
import { expect, test } from "bun:test";
import { subscribe, type Table } from "../../src/follow/index.ts";
import { parseCursor } from "../../src/feed/protocol.ts";
import { convertCsvToJson } from "../../src/source/convert.ts";
import { type Random, randomFrom, seedOfRun, shareOf } from "../fuzz/random.ts";
import { engines, type Proxy, type Redis, skipped, startProxy, startRedis } from "../redis.ts";
import { type Folder, type RunningServer, startServer, temporaryFolder, until } from "../support.ts";
import { type Follower, followEvents, followPlain, jsonOf, poll } from "./followers.ts";

const RUNS = shareOf(1);
const FAULTS = 7;
const CLIENTS = 6;
const BEAT = "--relay-heartbeat=100ms";

/** A server that is started again when it was killed. */
type Station = AsyncDisposable & {
  readonly proxy: Proxy;
  current(): RunningServer | undefined;
  kill(): Promise<void>;
  start(): Promise<void>;
};

async function openStation(redis: Redis, folder: Folder, argsFor: (port: number) => string[]): Promise<Station> {
  const proxy = await startProxy(redis.port);
  let server: RunningServer | undefined;
  const start = async (): Promise<void> => {
    const started = await startServer([...argsFor(proxy.port), BEAT, "--heartbeat=50ms"], { folder });
    let hasEnded = false;
    void started.exited.then(() => (hasEnded = true));
    const isUnderWay = () => /f\.csv/.test(started.stdout()) || /waiting: /.test(started.stderr());
    await until("a server to be under way", () => hasEnded || isUnderWay());
    if (hasEnded) return start(); // the writer had taken the file away
    server = started;
  };
  const kill = async () => {
    server?.kill("SIGKILL");
    await server?.exited;
    server = undefined;
  };
  await start();
  return {
    proxy,
    current: () => server,
    kill,
    start,
    async [Symbol.asyncDispose]() {
      await server?.[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

/** Connects to any of the servers, each time to another one, and throws at the first step back. */
function hop(stations: readonly Station[], random: Random): Follower & { hop(): void; fault(): string | undefined } {
  let table: Table | undefined;
  let at: ReturnType<typeof parseCursor>;
  let fault: string | undefined;
  let socket: WebSocket | undefined;
  class Hopping {
    constructor(url: string, protocol: string) {
      const address = new URL(url);
      const up = stations.flatMap((station) => station.current() ?? []);
      address.port = `${up.length > 0 ? random.pick(up).port : 1}`;
      socket = new WebSocket(address, protocol);
      return socket;
    }
  }
  const take = (next: Table) => {
    table = next;
    const cursor = parseCursor(next.cursor)!;
    if (at?.epoch === cursor.epoch && cursor.version < at.version)
      fault ??= `from ${at.epoch}:${at.version} back to ${next.cursor}`;
    at = cursor;
  };
  const subscription = subscribe("ws://127.0.0.1:1/", {
    WebSocket: Hopping as never,
    onSnapshot: take,
    onChange: take,
    maxDelayMs: 100,
  });
  return {
    kind: "hopping",
    json: () => table && jsonOf(table),
    hop: () => socket?.close(),
    fault: () => fault,
    [Symbol.dispose]: subscription.close,
  };
}

type World = {
  readonly redis: Redis;
  readonly publisher: Station;
  readonly replicas: readonly Station[];
  readonly random: Random;
};

/** Each lets things go wrong for a while, and puts them right again. */
const FAULTS_OF_THE_WORLD: Record<string, (world: World, pause: () => Promise<void>) => Promise<void>> = {
  async "the publisher is killed"({ publisher }, pause) {
    await publisher.kill();
    await pause();
    await publisher.start();
  },
  async "a replica is killed"({ replicas, random }, pause) {
    const replica = random.pick(replicas);
    await replica.kill();
    await pause();
    await replica.start();
  },
  async "Redis is killed"({ redis }, pause) {
    await redis.kill();
    await pause();
    await redis.start();
  },
  /** It comes back in a state that the publisher and the replicas have left behind. */
  async "Redis is killed, and falls back"({ redis }, pause) {
    await redis.send("SAVE");
    await pause();
    await redis.kill();
    await redis.start();
  },
  async "Redis forgets everything"({ redis }) {
    await redis.send("FLUSHALL");
  },
  async "Redis is suspended"({ redis }, pause) {
    redis.pause();
    await pause();
    redis.resume();
  },
  async "a server is suspended"({ publisher, replicas, random }, pause) {
    const server = random.pick([publisher, ...replicas]).current();
    server?.kill("SIGSTOP");
    await pause();
    server?.kill("SIGCONT");
  },
  async "a server is cut off"({ publisher, replicas, random }, pause) {
    const { proxy } = random.pick([publisher, ...replicas]);
    if (random.chance(0.5)) proxy.cut();
    else proxy.stall();
    await pause();
    proxy.mend();
  },
};

async function run(seed: number): Promise<void> {
  const random = randomFrom(seed);
  const story: string[] = [];
  await using folder = await temporaryFolder();
  const path = await folder.write("f.csv", "id,b,c\n1,2,3\n");
  await using redis = await startRedis(folder.path);
  await using publisher = await openStation(redis, folder, (port) => [path, `--relay=redis://127.0.0.1:${port}`]);
  const replica = () => openStation(redis, folder, (port) => [`redis://127.0.0.1:${port}/0?topic=csv`]);
  await using a = await replica();
  await using b = await replica();
  await using c = await replica();
  const replicas = [a, b, c];
  const hoppers = Array.from({ length: CLIENTS }, () => hop([publisher, ...replicas], random));
  const script = new URL("./random-writer.ts", import.meta.url).pathname;
  const writer = Bun.spawn([process.execPath, script, path, `${seed}`, "60"], { stdout: "ignore" });
  let isOver = false;
  const hopping = (async () => {
    while (!isOver) {
      random.pick(hoppers).hop();
      await Bun.sleep(random.below(60));
    }
  })();
  const followers: Follower[] = [...hoppers];
  try {
    const pause = () => Bun.sleep(random.chance(0.3) ? 600 + random.below(600) : random.below(300));
    for (let n = 0; n < FAULTS; n++) {
      const what = random.pick(Object.keys(FAULTS_OF_THE_WORLD));
      story.push(what);
      await FAULTS_OF_THE_WORLD[what]!({ redis, publisher, replicas, random }, pause);
      await Bun.sleep(random.below(200));
    }
    expect(await writer.exited).toBe(0);
    isOver = true;
    await hopping;
    for (const station of replicas) {
      const server = station.current()!;
      followers.push(followPlain(server.url), poll(server.http), followEvents(server.http));
    }
    for (const { kind, json } of followers)
      await until(
        `a ${kind} client to hold the file`,
        async () => json() === (await convertCsvToJson(path)),
        () => `${json()?.slice(0, 300)}`,
      );
    expect(hoppers.flatMap(({ fault }) => fault() ?? [])).toEqual([]);
  } catch (error) {
    isOver = true;
    writer.kill();
    const logs = [publisher, ...replicas].map((station) => station.current()?.stderr()).join("\n---\n");
    const why = error instanceof Error ? error.message : error;
    throw new Error(`CSVCAST_SEED=${seed}: ${why}\n${story.join("\n")}\n${logs}`, { cause: error });
  } finally {
    for (const follower of followers) follower[Symbol.dispose]();
  }
}

test.skipIf(engines.length === 0)(
  `${RUNS} times everything fails, one after the other: clients that hop end with the file, and never go back${skipped}`,
  async () => {
    const first = seedOfRun();
    for (let seed = first; seed < first + RUNS; seed++) await run(seed);
  },
  60_000 + RUNS * 30_000,
);
