// The relay: what the way through Redis adds to the time from a write into the file to the client, what it costs in bytes, how long a
// replica takes to join a large table; and the figures of "How far it scales" in docs/relay.md, with a check of its arithmetic.
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { relayKeys } from "../../src/relay/wire.ts";
import { type Redis, startRedis } from "../redis.ts";
import { startChild } from "./child.ts";
import { pathOf, plain, writeDocument } from "./documents.ts";
import { cpuMsOf, peakBytesOf } from "./proc.ts";
import { type RunningServer, startServer } from "./program.ts";
import { aligned, markdown, median, number, type Table, verdict } from "./report.ts";
import type { WireCollected, WireRequest } from "./wire-clients.ts";

const SERVER = join(import.meta.dir, "../../src/server.ts");
const ROWS = 1_000;
const APPENDS = 300;
const MOST_ADDED_MS = 3;
const COMMON = ["--port", "0", "--host", "127.0.0.1", "--max-per-address", "20000", "--max-clients", "20000"];

const now = () => performance.timeOrigin + performance.now();
const percentile = (values: readonly number[], share: number) =>
  [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? NaN;
const marked = (n: number) => `2026-01-01T00:00:00.000Z,sensor-${n % 90},12.5,7.25,ok,@${now().toFixed(3)}\n`;
const unmarked = (n: number) => `2026-01-01T00:00:00.000Z,sensor-${n % 90},12.5,7.25,ok,${now().toFixed(3)} \n`;

const publish = (csv: string, redis: Redis, folder: string) =>
  startServer([SERVER, csv, "--relay", `redis://127.0.0.1:${redis.port}`, ...COMMON], folder);

async function replicaOf(redis: Redis, folder: string): Promise<RunningServer> {
  const server = await startServer([SERVER, `redis://127.0.0.1:${redis.port}`, ...COMMON], folder);
  await isLive(server);
  return server;
}

async function isLive({ http }: RunningServer): Promise<void> {
  while ((await fetch(`${http}/healthz`)).status !== 200) await Bun.sleep(2);
}

async function joined(url: string, onDelta: (text: string, at: number) => void): Promise<WebSocket> {
  const socket = new WebSocket(url, ["csvcast.v1"]);
  const synced = Promise.withResolvers<void>();
  socket.onmessage = ({ data }) => {
    const text = data as string;
    if (text.startsWith('{"type":"sync"')) synced.resolve();
    if (text.startsWith('{"type":"delta"')) onDelta(text, performance.now());
  };
  await synced.promise;
  return socket;
}

type Latencies = {
  own: number[];
  far: number[];
  added: number[];
  inBytes: number;
  outBytes: number;
  deltaBytes: number;
};

/** Rows are appended one by one; a client at the publisher and one at the replica get each. */
async function latencies(folder: string): Promise<Latencies> {
  const csv = join(folder, "latency.csv");
  writeDocument(plain, ROWS, csv);
  await using redis = await startRedis(folder);
  await using publisher = await publish(csv, redis, folder);
  await isLive(publisher);
  await using replica = await replicaOf(redis, folder);
  let both = Promise.withResolvers<void>();
  const at = { own: 0, far: 0 };
  let deltaBytes = 0;
  const take = (side: "own" | "far") => (text: string, time: number) => {
    at[side] = time;
    deltaBytes = Buffer.byteLength(text);
    if (at.own > 0 && at.far > 0) both.resolve();
  };
  const sockets = [await joined(publisher.url, take("own")), await joined(replica.url, take("far"))];
  await Bun.sleep(3_000); // past the verification pass
  const before = await traffic(redis);
  const result: Latencies = { own: [], far: [], added: [], inBytes: 0, outBytes: 0, deltaBytes: 0 };
  for (let n = 0; n < APPENDS; n++) {
    both = Promise.withResolvers();
    at.own = at.far = 0;
    const writtenAt = performance.now();
    appendFileSync(csv, marked(n));
    await both.promise;
    result.own.push(at.own - writtenAt);
    result.far.push(at.far - writtenAt);
    result.added.push(at.far - at.own);
    await Bun.sleep(25 + 15 * Math.random());
  }
  const after = await traffic(redis);
  for (const socket of sockets) socket.close();
  const perChange = (a: number, b: number) => (b - a) / APPENDS;
  return {
    ...result,
    inBytes: perChange(before.input, after.input),
    outBytes: perChange(before.output, after.output),
    deltaBytes,
  };
}

async function traffic(redis: Redis): Promise<{ input: number; output: number }> {
  const text = String(await redis.send("INFO", ["stats"]));
  const figure = (name: string) => Number(new RegExp(`${name}:(\\d+)`).exec(text)?.[1]);
  return { input: figure("total_net_input_bytes"), output: figure("total_net_output_bytes") };
}

type Plan = { replicas: number; clientsEach: number; perSecond: number; changes: number; rows: number };
type Load = {
  /** Of all replicas together. */
  replicaMs: number;
  publisherMs: number;
  redisMs: number;
  latenciesMs: number[];
  isSound: boolean;
  bytesPerClient: number;
};

/** A publisher, replicas, and a crowd for each of them; so many changes of so many rows. */
async function load(folder: string, { replicas: count, clientsEach, perSecond, changes, rows }: Plan): Promise<Load> {
  const csv = join(folder, `load-${count}-${clientsEach}-${rows}.csv`);
  writeDocument(plain, ROWS, csv);
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis(folder));
  const publisher = stack.use(await publish(csv, redis, folder));
  await isLive(publisher);
  const replicas: RunningServer[] = [];
  for (let n = 0; n < count; n++) replicas.push(stack.use(await replicaOf(redis, folder)));
  const empty = rssOf(replicas);
  const crowds = replicas.map(({ url }) => stack.use(startChild("wire-clients.ts", [url, `${clientsEach}`, "live"])));
  const ask = <Reply>(request: WireRequest) => Promise.all(crowds.map((crowd) => crowd.ask<Reply>(request)));
  await ask({ type: "connect" });
  await ask({ type: "collect" });
  const bytesPerClient = (rssOf(replicas) - empty) / (count * clientsEach);
  const cpu = () =>
    [replicas.reduce((sum, { pid }) => sum + cpuMsOf(pid), 0), cpuMsOf(publisher.pid), cpuMsOf(redis.pid())] as const;
  const before = cpu();
  const startedAt = performance.now();
  for (let n = 0; n < changes; n++) {
    await Bun.sleep(Math.max(0, startedAt + (n * 1000) / perSecond - performance.now()));
    appendFileSync(csv, Array.from({ length: rows }, (_, row) => (row === 0 ? marked(n) : unmarked(n))).join(""));
  }
  const collected = await ask<WireCollected>({ type: "collected", messages: changes });
  const after = cpu();
  return {
    replicaMs: after[0] - before[0],
    publisherMs: after[1] - before[1],
    redisMs: after[2] - before[2],
    latenciesMs: collected.flatMap(({ latenciesMs }) => latenciesMs),
    isSound: collected.every(({ fewest, most, closed }) => fewest === changes && most === changes && closed === 0),
    bytesPerClient,
  };
}

const rssOf = (servers: readonly RunningServer[]) => servers.reduce((sum, { pid }) => sum + rss(pid), 0);
const rss = (pid: number) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) * 1024;

type Join = { ms: number[]; replicaBytes: number; redisBytes: number; fileBytes: number };

/** From the start of the program to the state `live`, with a table of 80 MB. */
async function join80MB(folder: string): Promise<Join> {
  const csv = pathOf(plain);
  await using redis = await startRedis(folder);
  await using publisher = await publish(csv, redis, folder);
  await isLive(publisher);
  while ((await redis.send("EXISTS", [relayKeys("csv").pointer])) === 0) await Bun.sleep(20);
  const ms: number[] = [];
  let replicaBytes = 0;
  for (let round = 0; round < 3; round++) {
    const startedAt = performance.now();
    await using replica = await replicaOf(redis, folder);
    ms.push(performance.now() - startedAt);
    replicaBytes = peakBytesOf(replica.pid);
  }
  const memory = /used_memory:(\d+)/.exec(String(await redis.send("INFO", ["memory"])))?.[1];
  return { ms, replicaBytes, redisBytes: Number(memory), fileBytes: Bun.file(csv).size };
}

/** Prints what was measured; resolves to the markdown. */
export async function benchRelay(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "csvcast-bench-"));
  try {
    console.log("\nThe relay\n");
    const tables = [
      await latencyTable(folder),
      await joinTable(folder),
      await crowdTable(folder),
      await scaleTable(folder),
    ];
    return tables.map(({ title, table }) => `**${title}**\n\n${markdown(table)}`).join("\n\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Titled = { title: string; table: Table };

function shown(title: string, table: Table, ...verdicts: string[]): Titled {
  console.log(`${title}\n\n${aligned(table)}\n\n${verdicts.join("\n")}\n`);
  return { title, table };
}

async function latencyTable(folder: string): Promise<Titled> {
  const { own, far, added, inBytes, outBytes, deltaBytes } = await latencies(folder);
  const row = (name: string, values: readonly number[]) => [
    name,
    number(median(values), 2),
    number(percentile(values, 0.99), 2),
  ];
  const table = {
    head: ["from the write to the client, ms", "median", "99th percentile"],
    rows: [row("at the publisher", own), row("at a replica", far), row("added", added)],
  };
  const bytes = `bytes through Redis per change, heartbeats included: ${number(inBytes)} in, ${number(outBytes)} out to one replica (the delta has ${deltaBytes})`;
  return shown(
    "Through Redis on loopback",
    table,
    bytes,
    verdict("added, median ms", median(added), median(added) < MOST_ADDED_MS, `below ${MOST_ADDED_MS}`),
  );
}

async function joinTable(folder: string): Promise<Titled> {
  const { ms, replicaBytes, redisBytes, fileBytes } = await join80MB(folder);
  const title = `A replica joins a table of ${number(fileBytes / 1e6)} MB`;
  const table = {
    head: ["", "median"],
    rows: [
      ["from its start to `live`, ms", number(median(ms))],
      ["peak memory of the replica, MB", number(replicaBytes / 1e6)],
      ["memory of Redis, MB", number(redisBytes / 1e6)],
    ],
  };
  return shown(title, table);
}

async function crowdTable(folder: string): Promise<Titled> {
  const plan = { replicas: 3, clientsEach: 2_000, perSecond: 20, changes: 100, rows: 1 };
  const measured = await load(folder, plan);
  const seconds = plan.changes / plan.perSecond;
  const table = {
    head: ["", ""],
    rows: [
      ["from the write to the client, median ms", number(median(measured.latenciesMs), 1)],
      ["99th percentile, ms", number(percentile(measured.latenciesMs, 0.99), 1)],
      ["CPU of the three replicas, share of a core", number(measured.replicaMs / seconds / 1000, 2)],
      ["CPU of the publisher", number(measured.publisherMs / seconds / 1000, 3)],
      ["CPU of Redis", number(measured.redisMs / seconds / 1000, 3)],
      ["everyone got everything once", measured.isSound ? "yes" : "NO"],
    ],
  };
  return shown("20 changes a second to 3 replicas × 2,000 clients", table);
}

/** The cost of a message and of a byte from two loads, and what they foretell of a third. */
async function scaleTable(folder: string): Promise<Titled> {
  const base = { replicas: 1, clientsEach: 2_000, perSecond: 5, changes: 50 };
  const small = await load(folder, { ...base, rows: 1 });
  const large = await load(folder, { ...base, rows: 50 });
  const check = { replicas: 2, clientsEach: 5_000, perSecond: 5, changes: 50, rows: 1 };
  const crowd = await load(folder, check);
  const messages = base.clientsEach * base.changes;
  const usPerMessage = (small.replicaMs / messages) * 1000;
  const moreBytes = 49 * unmarked(0).length * 1.2; // quotes and commas of JSON
  const nsPerByte = ((large.replicaMs - small.replicaMs) / messages / moreBytes) * 1e6;
  const foretold = (usPerMessage * check.replicas * check.clientsEach * check.changes) / 1000;
  const ratio = crowd.replicaMs / foretold;
  const table = {
    head: ["", ""],
    rows: [
      ["CPU of a replica per client and change, µs", number(usPerMessage, 1)],
      ["CPU of a replica per client and byte more, ns", number(nsPerByte, 2)],
      ["memory of a replica per client, kB", number(crowd.bytesPerClient / 1e3, 1)],
      ["CPU of publisher and Redis per change, ms", number((crowd.publisherMs + crowd.redisMs) / check.changes, 2)],
      ["10,000 clients on two replicas, 5 changes a second: CPU ms foretold", number(foretold)],
      ["measured", number(crowd.replicaMs)],
      ["99th percentile from the write to the client, ms", number(percentile(crowd.latenciesMs, 0.99), 1)],
    ],
  };
  const isSound = small.isSound && large.isSound && crowd.isSound;
  const isRight = isSound && ratio > 0.7 && ratio < 1.3;
  return shown(
    "How far it scales",
    table,
    verdict("10,000 clients, measured ÷ foretold", ratio, isRight, "0.7 to 1.3"),
  );
}
