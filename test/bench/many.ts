// One server with one table, and one with many: what a quiet table costs, and whether a busy one delays another.
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { end } from "./child.ts";
import { cpuMsOf } from "./proc.ts";
import { type RunningServer, startServer } from "./program.ts";
import { aligned, markdown, median, number, type Table, verdict } from "./report.ts";

const TABLES = 200;
const FEW = 4;
const BUSY = 20;
const BUSY_GAP_MS = 100;
const ROUNDS = 150;
const QUIET_MS = 15_000;
const BIG_ROWS = 1_600_000;
const HEAD = "t,s,a,b,c,i\n";
const ROW = "2026-01-01T00:00:00.000Z,sensor-12,12.5,7.25,ok,7\n";

type Cost = { readonly cpu: number; readonly bytes: number };

type Served = { readonly server: RunningServer; readonly folder: string; readonly tables: number };

/** Appends a row to a table; resolves with the ms until a live client has it. */
type Probe = AsyncDisposable & { once(): Promise<number> };

const fileOf = (folder: string, table: number) => join(folder, `t${String(table).padStart(3, "0")}.csv`);

export async function benchMany(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "csvcast-bench-"));
  try {
    await using one = await serve(join(folder, "one"), 1);
    await using few = await serve(join(folder, "few"), FEW); // all Workers are there
    await using many = await serve(join(folder, "many"), TABLES);
    const quiet = await costOf([one, few, many]);
    const alone = await latencies([one, many]);
    const writers = Array.from({ length: BUSY }, (_, table) => fileOf(many.folder, table + 1));
    const timer = setInterval(() => writers.forEach((path) => appendFileSync(path, ROW)), BUSY_GAP_MS);
    const cpuBefore = cpuMsOf(many.server.pid);
    const startedAt = performance.now();
    const [, beside] = await latencies([one, many]);
    const busyCpu = (100 * (cpuMsOf(many.server.pid) - cpuBefore)) / (performance.now() - startedAt);
    clearInterval(timer);
    const besideBig = await latencyBesideBig(many);
    const [ofOne, ofFew, ofMany] = quiet as [Cost, Cost, Cost];
    const perTable = (ofMany.bytes - ofFew.bytes) / (TABLES - FEW);
    const figures = (times: readonly number[]) => [number(median(times), 2), number(Math.max(...times), 1)];
    const table: Table = {
      head: ["append to client", "median ms", "worst ms"],
      rows: [
        ["the only table", ...figures(alone[0]!)],
        [`one of ${TABLES}`, ...figures(alone[1]!)],
        [`one of ${TABLES}, ${BUSY} others written 10 times a second`, ...figures(beside!)],
        [`one of ${TABLES}, another of 80 MB rewritten all the time`, ...figures(besideBig)],
      ],
    };
    const ratio = median(alone[1]!) / median(alone[0]!);
    const lines = [
      `quiet: ${number(ofOne.cpu, 2)} % of a core with one table, ${number(ofMany.cpu, 2)} % with ${TABLES}; ${number(ofOne.bytes / 1e6, 1)} and ${number(ofMany.bytes / 1e6, 1)} MB`,
      `busy: ${number(busyCpu, 1)} % of a core for ${(BUSY * 1_000) / BUSY_GAP_MS} rows a second`,
      verdict(`one of ${TABLES} against the only one`, ratio, ratio <= 1.2, "at most 1.2"),
      verdict("kB for each quiet table", perTable / 1e3, perTable < 100e3, "less than 100"),
      verdict(
        "ms that a busy table delays another",
        Math.max(...besideBig),
        Math.max(...besideBig) <= 50,
        "at most 50",
      ),
    ];
    console.log(`\nmany tables\n\n${aligned(table)}\n\n${lines.join("\n")}`);
    return `**many tables**\n\n${markdown(table)}\n\n${lines.join("  \n")}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function serve(folder: string, tables: number): Promise<Served & AsyncDisposable> {
  mkdirSync(folder);
  for (let table = 0; table < tables; table++) writeFileSync(fileOf(folder, table), HEAD + ROW.repeat(40));
  const command = [join(import.meta.dir, "../../src/server.ts"), `${folder}/`, "--port=0", "--host=127.0.0.1"];
  const server = await startServer(command, folder);
  for (;;) {
    const list = (await (await fetch(`${server.http}/tables.json`)).json()) as { tables: { rows: number }[] };
    if (list.tables.length === tables && list.tables.every(({ rows }) => rows === 40)) break;
    await Bun.sleep(20);
  }
  return { server, folder, tables, [Symbol.asyncDispose]: server[Symbol.asyncDispose] };
}

/** While nothing happens: share of a core in percent, and memory. */
async function costOf(all: readonly Served[]): Promise<Cost[]> {
  await Bun.sleep(QUIET_MS / 2);
  const before = all.map(({ server }) => cpuMsOf(server.pid));
  await Bun.sleep(QUIET_MS);
  return all.map(({ server }, i) => ({
    cpu: (100 * (cpuMsOf(server.pid) - before[i]!)) / QUIET_MS,
    bytes: 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))?.[1]),
  }));
}

/** Of the last table of each server, which take turns. */
async function latencies(all: readonly Served[], rounds = ROUNDS): Promise<number[][]> {
  const probes = await Promise.all(all.map(openProbe));
  const times: number[][] = all.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, probe] of probes.entries()) {
      times[i]!.push(await probe.once());
      await Bun.sleep(10 + 10 * Math.random());
    }
  }
  for (const probe of probes) await probe[Symbol.asyncDispose]();
  return times;
}

async function openProbe({ server, folder, tables }: Served): Promise<Probe> {
  const path = fileOf(folder, tables - 1);
  const name = tables === 1 ? "csv" : `t${String(tables - 1).padStart(3, "0")}`;
  const socket = new WebSocket(server.url + name, ["csvcast.v1"]);
  let heard = Promise.withResolvers<void>();
  socket.onmessage = ({ data }: MessageEvent<string>) => /^\{"type":"(delta|sync)"/.test(data) && heard.resolve();
  await heard.promise;
  return {
    async once() {
      heard = Promise.withResolvers();
      const startedAt = performance.now();
      appendFileSync(path, ROW);
      await heard.promise;
      return performance.now() - startedAt;
    },
    [Symbol.asyncDispose]: async () => socket.close(),
  };
}

async function latencyBesideBig(many: Served): Promise<number[]> {
  const script = `const { writeFileSync } = require("node:fs");
const text = ${JSON.stringify(HEAD)} + ${JSON.stringify(ROW)}.repeat(${BIG_ROWS});
for (let n = 0; ; n++) { writeFileSync(${JSON.stringify(fileOf(many.folder, 1))}, text + "x," + n + ",1,1,1,1\\n"); Bun.sleepSync(700); }`;
  const writer = Bun.spawn([process.execPath, "-e", script], { stdio: ["ignore", "ignore", "inherit"] });
  try {
    await Bun.sleep(2_000); // it is on its way
    return (await latencies([many]))[0]!;
  } finally {
    await end(writer);
  }
}
