// The live feed over sockets, from the write into the file to the client: bytes, CPU, latency, resuming, large snapshots.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChild } from "./child.ts";
import { pathOf, plain, writeDocument } from "./documents.ts";
import { cpuMsOf } from "./proc.ts";
import { type RunningServer, startServer } from "./program.ts";
import { aligned, markdown, median, number, type Table, verdict } from "./report.ts";
import type { WireCollected, WireRequest, WireResumed } from "./wire-clients.ts";

/** CPU is judged with many, latency with some: with many, two cores that run them all cannot tell 10 % of it. */
const MANY = 5_000;
const SOME = 1_000;
const CHANGES = 100;
const PER_SECOND = 20;
const ROUNDS = 3;
const LATENCY_ROUNDS = 7;
const ROWS = 100_000;
const SERVER = join(import.meta.dir, "../../src/server.ts");

const now = () => performance.timeOrigin + performance.now();
const percentile = (values: number[], share: number) =>
  [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? NaN;
/** A row of six cells with the time it is written at. */
const marked = (n: number) => `2026-01-01T00:00:00.000Z,sensor-${n % 90},12.5,7.25,ok,@${now().toFixed(3)}\n`;
const serverOf = (csv: string, folder: string) =>
  startServer([SERVER, csv, "--port", "0", "--host", "127.0.0.1", "--max-per-address", "10000"], folder);
const crowdOf = (server: RunningServer, clients: number, kind = "live") =>
  startChild("wire-clients.ts", [server.url, String(clients), kind]);

async function paced(count: number, act: (n: number) => void): Promise<void> {
  const startedAt = performance.now();
  for (let n = 0; n < count; n++) {
    await Bun.sleep(Math.max(0, startedAt + (n * 1000) / PER_SECOND - performance.now()));
    act(n);
  }
}

type Load = { cpuMs: number; latenciesMs: number[]; isSound: boolean };

/** `go` makes CHANGES changes. */
async function loadOf(server: RunningServer, kind: string, clients: number, go: () => Promise<void>): Promise<Load> {
  await using crowd = crowdOf(server, clients, kind);
  const ask = <Reply>(request: WireRequest) => crowd.ask<Reply>(request);
  await ask({ type: "connect" });
  await ask({ type: "collect" });
  const before = cpuMsOf(server.pid);
  await go();
  const { latenciesMs, fewest, most, closed } = await ask<WireCollected>({ type: "collected", messages: CHANGES });
  const cpuMs = cpuMsOf(server.pid) - before;
  console.log(
    `${number(clients)} ${kind}: ${number(cpuMs)} ms CPU, 99th percentile ${number(percentile(latenciesMs, 0.99), 1)} ms`,
  );
  return { cpuMs, latenciesMs, isSound: fewest === CHANGES && most === CHANGES && closed === 0 };
}

async function csvcastLoad(csv: string, folder: string, clients: number): Promise<Load> {
  await using server = await serverOf(csv, folder);
  return await loadOf(server, "live", clients, () => paced(CHANGES, (n) => appendFileSync(csv, marked(n))));
}

async function bareLoad(bytes: number, folder: string, clients: number): Promise<Load> {
  const command = [join(import.meta.dir, "wire-bare.ts"), String(CHANGES), String(PER_SECOND), String(bytes)];
  await using server = await startServer(command, folder);
  return await loadOf(server, "bare", clients, async () => void (await fetch(`${server.http}/go`)));
}

type Loads = readonly { readonly name: string; readonly clients: number; readonly all: Load[] }[];

/** A bare Bun.serve and csvcast, one after the other, several times. */
async function inTurns(clients: number, rounds: number, csv: string, bytes: number, folder: string): Promise<Loads> {
  const bare = { name: "bare Bun.serve", clients, all: [] as Load[] };
  const csvcast = { name: "csvcast", clients, all: [] as Load[] };
  for (let round = 0; round < rounds; round++) {
    bare.all.push(await bareLoad(bytes, folder, clients));
    csvcast.all.push(await csvcastLoad(csv, folder, clients));
  }
  return [bare, csvcast];
}

const cpuMsOfAll = (all: Load[]) => median(all.map(({ cpuMs }) => cpuMs));
const latencyOf = (all: Load[], share: number) => median(all.map(({ latenciesMs }) => percentile(latenciesMs, share)));
/** Of csvcast to the bare server. */
const ratioOf = ([bare, csvcast]: Loads, figure: (all: Load[]) => number) => figure(csvcast!.all) / figure(bare!.all);

/** Bytes of one delta, and of the whole table as the plain feed sends it. */
async function bytesOfChange(csv: string, folder: string): Promise<{ delta: number; frame: number }> {
  await using server = await serverOf(csv, folder);
  const socket = new WebSocket(server.url, ["csvcast.v1"]);
  const delta = Promise.withResolvers<number>();
  socket.onmessage = ({ data }) => {
    const text = String(data);
    if (text.startsWith('{"type":"sync"')) appendFileSync(csv, marked(0));
    if (text.startsWith('{"type":"delta"')) delta.resolve(Buffer.byteLength(text) + 4);
  };
  const bytes = await delta.promise;
  socket.close();
  return { delta: bytes, frame: (await (await fetch(`${server.http}/csv.json`)).arrayBuffer()).byteLength };
}

async function resumed(csv: string, folder: string): Promise<WireResumed> {
  await using server = await serverOf(csv, folder);
  await using crowd = crowdOf(server, 1_000);
  await crowd.ask({ type: "connect" });
  await crowd.ask({ type: "cut" });
  await paced(100, (n) => appendFileSync(csv, marked(n)));
  await Bun.sleep(500);
  return await crowd.ask<WireResumed>({ type: "resume" });
}

type Transfer = { mbPerSecond: number; longestMs: number; renderMs: number };

/** A snapshot of 80 MB of CSV to one client, while /healthz is asked as fast as it answers. */
async function transfer(csv: string, folder: string): Promise<Transfer> {
  await using server = await serverOf(csv, folder);
  while ((await fetch(`${server.http}/healthz`)).status !== 200) await Bun.sleep(50);
  const speeds: number[] = [];
  const waits: number[] = [];
  let longestMs = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const prober = Bun.spawn(
      [
        process.execPath,
        "-e",
        `let worst = 0; process.on("SIGTERM", () => { console.log(worst); process.exit(); });
       for (;;) { const at = performance.now(); await fetch(process.argv[1]); worst = Math.max(worst, performance.now() - at); await Bun.sleep(1); }`,
        `${server.http}/healthz`,
      ],
      { stdout: "pipe", stderr: "inherit" },
    );
    await Bun.sleep(300);
    const socket = new WebSocket(server.url, {
      protocols: ["csvcast.v1"],
      perMessageDeflate: false,
    } as Bun.WebSocketOptions);
    let bytes = 0;
    let firstAt = 0;
    const done = Promise.withResolvers<number>();
    const startedAt = performance.now();
    socket.onmessage = ({ data }) => {
      firstAt ||= performance.now();
      bytes += (data as string).length;
      if ((data as string).startsWith('{"type":"sync"')) done.resolve(performance.now());
    };
    const endedAt = await done.promise;
    socket.close();
    prober.kill("SIGTERM");
    longestMs = Math.max(longestMs, Number(await new Response(prober.stdout).text()));
    speeds.push(bytes / 1e3 / (endedAt - firstAt));
    waits.push(firstAt - startedAt);
    await Bun.sleep(7_000); // the base is given up
  }
  return { mbPerSecond: median(speeds), longestMs, renderMs: median(waits) };
}

/** The 99th percentile of 500 healthy clients of a 5 MB table beside 50 that read nothing. */
async function besideStalled(csv: string, folder: string, stalled: number): Promise<Load> {
  await using server = await serverOf(csv, folder);
  const port = Number(new URL(server.http).port);
  const sockets = await Promise.all(
    Array.from({ length: stalled }, async () => {
      const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {}, error() {} } });
      socket.pause();
      socket.write(
        `GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: csvcast.v1\r\n\r\n`,
      );
      return socket;
    }),
  );
  const load = await loadOf(server, "live", 500, () => paced(CHANGES, (n) => appendFileSync(csv, marked(n))));
  for (const socket of sockets) socket.terminate();
  return load;
}

export async function benchWire(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "csvcast-bench-wire-"));
  try {
    return await benchIn(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function benchIn(folder: string): Promise<string> {
  const csv = join(folder, "table.csv");
  writeDocument(plain, ROWS, csv);
  const { delta, frame } = await bytesOfChange(csv, folder);
  const small = join(folder, "small.csv"); // so that 5,000 snapshots are soon there
  writeDocument(plain, 100, small);
  const some = await inTurns(SOME, LATENCY_ROUNDS, small, delta, folder);
  const many = await inTurns(MANY, ROUNDS, small, delta, folder);
  const medium = join(folder, "medium.csv");
  writeDocument(plain, 5_000, medium);
  const again = await resumed(medium, folder);
  const big = join(folder, "big.csv");
  writeFileSync(big, readFileSync(pathOf(plain)));
  const sent = await transfer(big, folder);
  const five = join(folder, "five.csv");
  writeDocument(plain, 95_000, five);
  const alone = await besideStalled(five, folder, 0);
  const beside = await besideStalled(five, folder, 50);

  const cpuRatio = ratioOf(many, cpuMsOfAll);
  const p99Ratio = ratioOf(some, (all) => latencyOf(all, 0.99));
  const fanOutRatio = ratioOf(some, (all) => latencyOf(all, 0.99) - latencyOf(all, 0.01));
  const isSound = [some, many].every((loads) => loads.every(({ all }) => all.every((load) => load.isSound)));
  const table: Table = {
    head: [
      `${PER_SECOND} changes a second`,
      "CPU ms a change",
      "path (1st percentile) ms",
      "median ms",
      "fan-out (99th - 1st) ms",
      "99th percentile ms",
    ],
    rows: [some, many]
      .flat()
      .map(({ name, clients, all }) => [
        `${name}, ${number(clients)} clients`,
        number(cpuMsOfAll(all) / CHANGES, 1),
        number(latencyOf(all, 0.01), 1),
        number(latencyOf(all, 0.5), 1),
        number(latencyOf(all, 0.99) - latencyOf(all, 0.01), 1),
        number(latencyOf(all, 0.99), 1),
      ]),
  };
  const verdicts = [
    verdict(
      `one row of ${number(ROWS)}, bytes to each client (a full frame: ${number(frame / 1e6, 1)} MB)`,
      delta,
      delta <= 500,
      "at most 500",
    ),
    verdict(
      `${number(MANY)} clients: CPU, times a bare Bun.serve`,
      cpuRatio,
      cpuRatio <= 1.15 && isSound,
      "at most 1.15",
    ),
    verdict(
      `${number(SOME)} clients: write to receipt, 99th percentile, times a bare Bun.serve`,
      p99Ratio,
      p99Ratio <= 1.1 && isSound,
      "at most 1.10",
    ),
    verdict("  fan-out, the same", fanOutRatio, true, "none"),
    verdict(
      `1,000 clients resume after 100 changes in ${number(again.ms)} ms: with one delta`,
      again.oneDelta,
      again.oneDelta === 1_000,
      "1,000",
    ),
    verdict("snapshot of 80 MB, MB/s of JSON", sent.mbPerSecond, sent.mbPerSecond >= 200, "at least 200"),
    verdict("  longest wait of /healthz meanwhile, ms", sent.longestMs, sent.longestMs <= 20, "at most 20"),
    verdict("  first byte, ms", sent.renderMs, true, "none"),
    verdict("500 clients, 99th percentile ms alone", percentile(alone.latenciesMs, 0.99), alone.isSound, "none"),
    verdict("  beside 50 that read nothing", percentile(beside.latenciesMs, 0.99), beside.isSound, "about the same"),
  ];
  console.log(`\n${aligned(table)}\n\n${verdicts.join("\n")}`);
  return `${markdown(table)}\n\n${verdicts.map((line) => `- ${line}`).join("\n")}`;
}
