// A file that is written to while it is followed: how long until a client has the change, against `tail -F`; what a change
// costs, against reading the file; and what is left of the schedule meanwhile.
import { appendFileSync, closeSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from "node:fs";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSource } from "../../src/channel/sources.ts";
import type { Publication } from "../../src/feed/publication.ts";
import { startTicks } from "../../src/hub/ticks.ts";
import type { Source } from "../../src/source/source.ts";
import { pathOf, plain } from "./documents.ts";
import { startServer } from "./program.ts";
import { aligned, markdown, median, number, type Table, verdict } from "./report.ts";

type Received = { publication: Publication; at: number };
type Followed = { source: Source; next(): Promise<Received>; rows(): number };

const SERVER = join(import.meta.dir, "../../src/server.ts");
const SETTLE_MS = 250;
const SETTINGS = {
  maxColumns: 100_000,
  maxFileBytes: 2 ** 30,
  maxCellBytes: 2 ** 24,
  settleMs: SETTLE_MS,
  lastRows: Infinity,
  lookMs: 1_000,
  watches: true,
  silenceMs: 5_000,
};

function follow(location: string): Followed {
  let waiting = Promise.withResolvers<Received>();
  let rows = 0;
  const source = openSource(
    { ...SETTINGS, location },
    {
      onProgress() {},
      onRefused: ({ reason }) => waiting.reject(new Error(reason)),
      onStatus() {},
      onPublication(publication) {
        rows = publication.rows;
        waiting.resolve({ publication, at: performance.now() });
        waiting = Promise.withResolvers();
      },
    },
  );
  return { source, next: () => waiting.promise, rows: () => rows };
}

const percentile = (values: number[], share: number) =>
  [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? NaN;
const ROW = (i: number) => `2026-01-01T00:00:00.000Z,sensor-${i % 90},12.5,7.25,ok,${i}\n`;
const APPENDS = 300;

/** Milliseconds from the write of one row to its receipt by a client of the live feed. */
async function appendLatencies(path: string, folder: string): Promise<number[]> {
  await using server = await startServer([SERVER, path, "--port", "0", "--host", "127.0.0.1"], folder);
  const socket = new WebSocket(server.url, ["csvcast.v1"]);
  let received = Promise.withResolvers<void>();
  socket.onmessage = ({ data }) => /^\{"type":"(sync|delta)"/.test(data as string) && received.resolve();
  await received.promise;
  await Bun.sleep(3_000); // past the verification pass
  const latencies: number[] = [];
  for (let i = 0; i < APPENDS; i++) {
    received = Promise.withResolvers();
    const writtenAt = performance.now();
    appendFileSync(path, ROW(i));
    await received.promise;
    latencies.push(performance.now() - writtenAt);
    await Bun.sleep(25 + 15 * Math.random());
  }
  socket.close();
  return latencies;
}

/** The same for `tail -F` printing the line. */
async function tailLatencies(path: string): Promise<number[]> {
  const tail = Bun.spawn(["tail", "-F", "-n", "0", path], { stdout: "pipe", stderr: "ignore" });
  const reader = tail.stdout.getReader();
  await Bun.sleep(500);
  const latencies: number[] = [];
  for (let i = 0; i < APPENDS; i++) {
    const writtenAt = performance.now();
    appendFileSync(path, ROW(i));
    await reader.read();
    latencies.push(performance.now() - writtenAt);
    await Bun.sleep(25 + 15 * Math.random());
  }
  tail.kill();
  await tail.exited;
  return latencies;
}

type Rewrite = { ms: number; plainMs: number; splices: string | undefined };

/** One cell changed in the middle of a rewritten file: the work after the writer is quiet, against readFile + hash. */
async function rewrites(path: string): Promise<Rewrite[]> {
  const followed = follow(path);
  await followed.next();
  const results: Rewrite[] = [];
  const text = readFileSync(path);
  const at = text.indexOf("\n", text.length >> 1) + 1;
  for (let round = 0; round < 7; round++) {
    await Bun.sleep(2_600);
    text[at] = 48 + round;
    const published = followed.next();
    writeFileSync(path, text);
    const writtenAt = performance.now();
    const { at: publishedAt, publication } = await published;
    const startedAt = performance.now();
    Bun.hash(readFileSync(path));
    results.push({
      ms: publishedAt - writtenAt - SETTLE_MS,
      plainMs: performance.now() - startedAt,
      splices: publication.splices,
    });
  }
  followed.source.close();
  return results;
}

type Sustained = { rows: number; expected: number; jitterMs: number; cores: number };

/** 100,000 rows a second for 10 s on top of a million, while ticks run in this thread; the writer is a process of its own. */
async function sustained(path: string): Promise<Sustained> {
  const followed = follow(path);
  const before = (await followed.next()).publication.rows;
  await Bun.sleep(1_000);
  const late: number[] = [];
  const startedAt = performance.now();
  const ticks = startTicks(100, () => {
    const since = (performance.now() - startedAt) / 100;
    late.push((since - Math.round(since)) * 100);
  });
  const script = `const fs = require("fs"), fd = fs.openSync(process.argv[1], "a"), t0 = performance.now();
    for (let n = 0; n < 1000000; n += 1000) { let s = ""; for (let i = n; i < n + 1000; i++) s += "2026-01-01T00:00:00.000Z,s,1.5,7.25,ok," + i + "\\n";
      fs.writeSync(fd, s); await Bun.sleep(Math.max(0, n / 100 - (performance.now() - t0))); }`;
  const cpu = process.cpuUsage();
  const writer = Bun.spawn([process.execPath, "-e", script, path], { stdout: "inherit", stderr: "inherit" });
  await writer.exited;
  const expected = before + 1_000_000;
  for (const until = performance.now() + 5_000; followed.rows() !== expected && performance.now() < until;)
    await Bun.sleep(5);
  const { user, system } = process.cpuUsage(cpu);
  ticks.stop();
  followed.source.close();
  const cores = (user + system) / 1_000 / (performance.now() - startedAt);
  return { rows: followed.rows(), expected, jitterMs: percentile(late, 0.99), cores };
}

/** Lateness of ticks, in ms, while a file of 80 MB is loaded and rendered five times over. */
async function ticksWhileLoading(path: string): Promise<number[]> {
  const late: number[] = [];
  const startedAt = performance.now();
  const ticks = startTicks(20, () => {
    const since = (performance.now() - startedAt) / 20;
    late.push((since - Math.round(since)) * 20);
  });
  for (let round = 0; round < 5; round++) {
    const followed = follow(path);
    await followed.next();
    await Array.fromAsync((await followed.source.snapshot("frame", 2 ** 30)).parts);
    await Bun.sleep(400);
    followed.source.close();
  }
  ticks.stop();
  return late;
}

/** Memory and CPU of a file of 80 MB that is published while nothing happens, in a process of its own. */
async function idle(path: string): Promise<{ ratio: number; cpuShare: number }> {
  const script = `const { openSource } = await import(${JSON.stringify(new URL("../../src/channel/sources.ts", import.meta.url).pathname)});
    openSource({ ...${JSON.stringify({ ...SETTINGS, lastRows: 1e9 })}, location: process.argv[1] },
      { onProgress() {}, onRefused() {}, onStatus() {}, onPublication() {} });
    await Bun.sleep(5000); const before = process.cpuUsage(); await Bun.sleep(5000); const { user, system } = process.cpuUsage(before);
    console.log(JSON.stringify({ rss: process.memoryUsage.rss(), cpuShare: (user + system) / 5e6 })); process.exit();`;
  const child = Bun.spawn([process.execPath, "-e", script, path], { stdout: "pipe", stderr: "inherit" });
  const { rss, cpuShare } = JSON.parse(await new Response(child.stdout).text()) as { rss: number; cpuShare: number };
  return { ratio: rss / statSync(path).size, cpuShare };
}

export async function benchLive(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "csvcast-bench-live-"));
  try {
    return await benchIn(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function benchIn(folder: string): Promise<string> {
  const source = readFileSync(pathOf(plain));
  const big = join(folder, "big.csv");
  const small = join(folder, "small.csv");
  writeFileSync(big, source);
  writeFileSync(small, source.subarray(0, source.lastIndexOf("\n", 50_000) + 1));
  const tail = await tailLatencies(big);
  const ofBig = await appendLatencies(big, folder);
  const ofSmall = await appendLatencies(small, folder);
  const changed = await rewrites(big);
  const resting = await idle(big);
  const lateness = percentile(await ticksWhileLoading(big), 0.99);
  const million = join(folder, "million.csv");
  const fd = openSync(million, "w");
  writeSync(fd, source.subarray(0, nthLine(source, 1_000_001)));
  closeSync(fd);
  const busy = await sustained(million);

  const row = (name: string, values: number[]) => [
    name,
    number(median(values), 2),
    number(percentile(values, 0.99), 2),
  ];
  const table: Table = {
    head: ["one row appended, ms until it is received", "median", "99th percentile"],
    rows: [row("tail -F, 80 MB", tail), row("csvcast, 80 MB", ofBig), row("csvcast, 50 kB", ofSmall)],
  };
  const ratio = median(changed.map(({ ms, plainMs }) => ms / plainMs));
  const isOneRow = changed.every(
    ({ splices }) => (JSON.parse(splices ?? "[]") as [number, number, string[][]][]).length === 1,
  );
  const more = median(ofBig) - median(tail);
  const moreWorst = percentile(ofBig, 0.99) - percentile(tail, 0.99);
  const verdicts = [
    verdict("append, median ms above tail -F", more, more <= 3, "at most 3"),
    verdict("append, 99th percentile ms above tail -F", moreWorst, moreWorst <= 15, "at most 15"),
    verdict(
      "append, 80 MB against 50 kB",
      median(ofBig) / median(ofSmall),
      median(ofBig) <= 1.5 * median(ofSmall),
      "at most 1.5",
    ),
    verdict(
      "one cell of a rewritten 80 MB, against readFile + hash",
      ratio,
      ratio <= 1.6 && isOneRow,
      "at most 1.6, and one row",
    ),
    verdict("100,000 rows a second for 10 s, rows lost", busy.expected - busy.rows, busy.expected === busy.rows, "0"),
    verdict("  ticks late meanwhile, 99th percentile ms", busy.jitterMs, busy.jitterMs < 25, "under 25"),
    verdict("  cores", busy.cores, busy.cores <= 1, "at most 1"),
    verdict("loading 80 MB, ticks late meanwhile, 99th percentile ms", lateness, lateness < 25, "under 25"),
    verdict("80 MB published and idle: memory, times the file", resting.ratio, resting.ratio <= 2.5, "at most 2.5"),
    verdict("  share of a core", resting.cpuShare, resting.cpuShare < 0.01, "not measurable"),
  ];
  console.log(`\n${aligned(table)}\n\n${verdicts.join("\n")}`);
  return `${markdown(table)}\n\n${verdicts.map((line) => `- ${line}`).join("\n")}`;
}

function nthLine(bytes: Buffer, lines: number): number {
  let at = 0;
  for (let n = 0; n < lines; n++) at = bytes.indexOf(10, at) + 1;
  return at;
}
