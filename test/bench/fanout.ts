// 1,000 WebSocket clients, 100 kB of JSON each, every second: the CPU time of csvcast's server beside that of a bare
// Bun.serve that publishes a constant string. The clients live in a process of their own.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertCsvToJson } from "../../src/source/convert.ts";
import { startChild } from "./child.ts";
import { plain, writeDocument } from "./documents.ts";
import type { Collected, CrowdRequest } from "./fanout-clients.ts";
import { cpuMsOf, peakBytesOf } from "./proc.ts";
import { startServer } from "./program.ts";
import { aligned, markdown, median, number, type Table, verdict } from "./report.ts";

const CLIENTS = 1_000;
const TICKS = 10;
/** Rounds of the two that are compared, and of the one that stands beside. */
const ROUNDS = 5;
const ASIDE_ROUNDS = 2;
/** So many rows of `plain` are about 100 kB of JSON. */
const ROWS = 760;
const MOST_RATIO = 1.15;

type Contender = { readonly name: string; readonly command: readonly string[]; readonly rounds: number };
type Measure = Collected & { readonly cpuMs: number; readonly peakBytes: number };

/** Prints what was measured; resolves to the markdown. */
export async function benchFanout(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "csvcast-bench-"));
  try {
    const csv = join(folder, "fanout.csv");
    writeDocument(plain, ROWS, csv);
    const json = await convertCsvToJson(csv);
    const jsonFile = join(folder, "fanout.json");
    await Bun.write(jsonFile, json);
    const title = `Fan-out: ${number(CLIENTS)} clients × ${number(json.length / 1e3)} kB every second, for ${TICKS} s`;
    console.log(`\n${title}\n`);
    const measures = await takeTurns(contenders(csv, jsonFile), jsonFile, folder);
    console.log(`\n${aligned(tableOf(measures, true))}\n\n${verdictOf(measures)}`);
    return `**${title}**\n\n${markdown(tableOf(measures, false))}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The first is measured against the second, the best case; the third is what one would write without thinking of it. */
function contenders(csv: string, jsonFile: string): Contender[] {
  const server = join(import.meta.dir, "../../src/server.ts");
  const bare = join(import.meta.dir, "fanout-bare.ts");
  return [
    { name: "csvcast", command: [server, csv, "--port", "0", "--host", "127.0.0.1"], rounds: ROUNDS },
    { name: "bare Bun.serve", command: [bare, jsonFile, "bytes"], rounds: ROUNDS },
    { name: "bare Bun.serve, text by JSON.stringify", command: [bare, jsonFile, "stringify"], rounds: ASIDE_ROUNDS },
  ];
}

async function takeTurns(all: Contender[], jsonFile: string, folder: string): Promise<Map<Contender, Measure[]>> {
  const measures = new Map(all.map((contender) => [contender, [] as Measure[]]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [contender, taken] of measures) {
      if (round >= contender.rounds) continue;
      const measure = await measured(contender, jsonFile, folder);
      taken.push(measure);
      console.log(`${contender.name}: ${number(measure.cpuMs)} ms CPU, ${soundness(measure)}`);
    }
  }
  return measures;
}

/** A server and a crowd of their own; the CPU time is read in the quiet between two ticks. */
async function measured({ command }: Contender, jsonFile: string, folder: string): Promise<Measure> {
  await using server = await startServer(command, folder);
  await using crowd = startChild("fanout-clients.ts", [server.url, String(CLIENTS), jsonFile]);
  const ask = <Reply>(request: CrowdRequest) => crowd.ask<Reply>(request);
  await ask({ type: "settle" });
  const before = cpuMsOf(server.pid);
  const collected = await ask<Collected>({ type: "collect", ticks: TICKS });
  return { ...collected, cpuMs: cpuMsOf(server.pid) - before, peakBytes: peakBytesOf(server.pid) };
}

function isSound({ fewest, most, torn, closed }: Measure): boolean {
  return fewest === TICKS && most === TICKS && torn === 0 && closed === 0;
}

function soundness(measure: Measure): string {
  if (isSound(measure)) return `every client got all ${TICKS} frames whole`;
  const { fewest, most, torn, closed } = measure;
  return `NOT SOUND: ${fewest} to ${most} frames of ${TICKS}, ${torn} torn, ${closed} clients closed`;
}

const medianCpu = (measures: readonly Measure[]) => median(measures.map(({ cpuMs }) => cpuMs));

function tableOf(all: ReadonlyMap<Contender, readonly Measure[]>, isFull: boolean): Table {
  const bare = medianCpu([...all.values()][1] ?? []);
  const head = ["", "CPU ms a tick", "ratio", "first to last client ms", "peak MB"];
  const more = ["least CPU", "most CPU", "worst spread ms", "worst tick off by ms", "sound"];
  const rows = [...all].map(([{ name }, measures]) => {
    const cpu = medianCpu(measures);
    const spread = median(measures.flatMap(({ spreadsMs }) => spreadsMs));
    const peak = Math.max(...measures.map(({ peakBytes }) => peakBytes)) / 1e6;
    const cells = [name, number(cpu / TICKS, 1), number(cpu / bare, 2), number(spread), number(peak)];
    return isFull ? [...cells, ...extremesOf(measures)] : cells;
  });
  return { head: isFull ? [...head, ...more] : head, rows };
}

function extremesOf(measures: readonly Measure[]): string[] {
  const cpu = measures.map(({ cpuMs }) => cpuMs / TICKS);
  const late = measures.flatMap(({ lateMs }) => lateMs.map(Math.abs));
  return [
    number(Math.min(...cpu), 1),
    number(Math.max(...cpu), 1),
    number(Math.max(...measures.flatMap(({ spreadsMs }) => spreadsMs))),
    number(Math.max(...late)),
    measures.every(isSound) ? "yes" : "NO",
  ];
}

function verdictOf(all: ReadonlyMap<Contender, readonly Measure[]>): string {
  const [own = [], bare = []] = [...all.values()];
  const ratio = medianCpu(own) / medianCpu(bare);
  const isReached = ratio <= MOST_RATIO && own.every(isSound) && bare.every(isSound);
  return verdict("CPU of the server, times a bare Bun.serve", ratio, isReached, `at most ${MOST_RATIO}`);
}
