// `bun run soak`: everything at once for minutes, or for hours with CSVCAST_SOAK=4h: a writer that abuses the file, clients of every
// kind that come and go, stalled ones, programs that are killed; at the end everyone who is left holds what the file says, and the
// server is as it was: memory, descriptors, wake-ups.
import { readdirSync, readFileSync } from "node:fs";
import { durationMs } from "../src/cli/options.ts";
import { converge, type Follower, followAll, followEvents, followLive, followPlain, poll } from "./faults/followers.ts";
import { randomFrom, seedOfRun } from "./fuzz/random.ts";
import { connectRaw } from "./hub/raw-client.ts";
import { type RunningServer, start, startServer, temporaryFolder } from "./support.ts";

const LENGTH_MS = durationMs(process.env["CSVCAST_SOAK"] ?? "3m", 10_000, 100 * 3_600_000) ?? 180_000;
const SAMPLE_MS = Math.max(1_000, LENGTH_MS / 60);
/** Memory counts from here on: before it the runtime warms up. */
const WARM_SHARE = 1 / 3;

const seed = seedOfRun();
const random = randomFrom(seed);
const rssMb = (pid: number) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;
const descriptors = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;

/** How often the main thread wakes up in a second with nothing to do: a timer that was left behind shows here. */
async function wakeUps(pid: number): Promise<number> {
  const count = () =>
    Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/task/${pid}/status`, "utf8"))![1]);
  const before = count();
  await Bun.sleep(3_000);
  return (count() - before) / 3;
}

/** Least squares, per hour. */
function slope(points: readonly (readonly [hours: number, value: number])[]): number {
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const x = mean(points.map(([t]) => t));
  const y = mean(points.map(([, v]) => v));
  const over = points.reduce((sum, [t, v]) => sum + (t - x) * (v - y), 0);
  return over / points.reduce((sum, [t]) => sum + (t - x) ** 2, 0);
}

async function comeAndGo(server: RunningServer, isOver: () => boolean): Promise<number> {
  const kinds: ((address: string) => Follower)[] = [followLive, followPlain];
  const doors = [poll, followEvents];
  let visits = 0;
  while (!isOver()) {
    using _follower = random.chance(0.5) ? random.pick(kinds)(server.url) : random.pick(doors)(server.http);
    await Bun.sleep(random.below(500));
    visits++;
  }
  return visits;
}

async function stall({ port }: RunningServer, isOver: () => boolean): Promise<number> {
  let visits = 0;
  while (!isOver()) {
    const headers = random.chance(0.5) ? ["Sec-WebSocket-Protocol: csvcast.v1"] : [];
    await using _client = await connectRaw(port, headers, { isStalled: true });
    await Bun.sleep(random.below(5_000));
    visits++;
  }
  return visits;
}

await using folder = await temporaryFolder();
const path = await folder.write("f.csv", "id,b,c\n1,2,3\n");
await using server = await startServer([path, "--heartbeat=200ms", "--stall=2s"], { folder });
await server.prints("f.csv: ");
await Bun.sleep(1_000);
const before = { descriptors: descriptors(server.pid), wakeUps: await wakeUps(server.pid) };
console.log(`soak for ${LENGTH_MS / 60_000} min, CSVCAST_SEED=${seed}`);

const startedAt = performance.now();
const isOver = () => performance.now() - startedAt > LENGTH_MS;

async function write(): Promise<number> {
  const script = new URL("./faults/random-writer.ts", import.meta.url).pathname;
  let rounds = 0;
  for (; !isOver(); rounds++) {
    const writer = Bun.spawn([process.execPath, script, path, `${random.below(2 ** 31)}`, "25"], { stdout: "ignore" });
    const exitCode = await writer.exited;
    if (exitCode !== 0) throw new Error(`the writer ended with ${exitCode}`);
  }
  return rounds;
}

async function kill(): Promise<number> {
  let kills = 0;
  while (!isOver()) {
    const mode = random.pick(["--live", "--ndjson", "--csv", "--quiet"]);
    await using client = start("client", [server.url, mode], { folder });
    await Bun.sleep(random.below(1_500));
    client.kill("SIGKILL");
    kills++;
  }
  return kills;
}

const samples: [hours: number, mb: number][] = [];
async function sample(): Promise<void> {
  while (!isOver()) {
    await Bun.sleep(SAMPLE_MS);
    const elapsed = performance.now() - startedAt;
    const mb = rssMb(server.pid);
    if (elapsed > LENGTH_MS * WARM_SHARE) samples.push([elapsed / 3_600_000, mb]);
    console.log(`${Math.round(elapsed / 1000)} s: ${mb.toFixed(0)} MB, ${descriptors(server.pid)} descriptors`);
  }
}

const followers = followAll(server);
const many = (count: number, live: () => Promise<number>) =>
  Promise.all(Array.from({ length: count }, live)).then((counts) => counts.reduce((a, b) => a + b, 0));
const [rounds, visits, stalls, kills] = await Promise.all([
  write(),
  many(8, () => comeAndGo(server, isOver)),
  many(4, () => stall(server, isOver)),
  many(2, kill),
  sample(),
]);
await converge(followers, path);
for (const follower of followers) follower[Symbol.dispose]();
console.log(
  `${rounds} writers, ${visits} visits, ${stalls} stalled clients, ${kills} programs killed: all who stayed hold the file`,
);

let after = before;
for (let wait = 0; wait < 20; wait++) {
  await Bun.sleep(1_000);
  after = { descriptors: descriptors(server.pid), wakeUps: await wakeUps(server.pid) };
  if (after.descriptors <= before.descriptors && after.wakeUps <= before.wakeUps * 1.5 + 5) break;
}
const perHour = slope(samples);
const spread = Math.max(...samples.map(([, mb]) => mb)) - Math.min(...samples.map(([, mb]) => mb));
const isFlat = perHour * (LENGTH_MS / 3_600_000) < Math.max(30, spread);
const trouble = /unexpected.*/.exec(server.stderr() + server.stdout())?.[0];
console.log(
  `memory ${perHour.toFixed(1)} MB an hour (spread ${spread.toFixed(0)} MB); at rest ${rssMb(server.pid).toFixed(0)} MB`,
);
console.log(
  `descriptors ${before.descriptors} -> ${after.descriptors}; wake-ups a second ${before.wakeUps.toFixed(0)} -> ${after.wakeUps.toFixed(0)}`,
);
console.log(trouble ?? "nothing unexpected");
const isGood =
  isFlat &&
  trouble === undefined &&
  after.descriptors <= before.descriptors &&
  after.wakeUps <= before.wakeUps * 1.5 + 5;
console.log(isGood ? "the server is as it was" : "FAILED: the server is not as it was");
process.exitCode = isGood ? 0 : 1;
