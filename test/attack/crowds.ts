// What crowds of peers make a server use: memory, and the time of those who are served beside them. Each crowd is a program of its own,
// and so is a healthy neighbour, who measures.
import { readFileSync, writeFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { SUBPROTOCOL } from "../../src/feed/protocol.ts";
import { environment, type Folder, type RunningServer, startServer, temporaryFolder, until } from "../support.ts";
import type { Crowd } from "./crowd.ts";
import type { Waits } from "./probe.ts";

/** `rows`, of about `rowBytes` each, in the table that the crowd asks for; a small one beside it is what the neighbour follows. */
export type Scenario = {
  readonly name: string;
  readonly args: readonly string[];
  readonly rows: number;
  readonly rowBytes: number;
  /** What happens to the large table ten times a second. */
  readonly change: "append" | "rewrite" | "none";
  readonly crowd: Omit<Crowd, "port">;
  /** Each peer says that it holds one of the versions of the past, of which there are so many, of 2,000 rows each. */
  readonly versions?: number;
  /** What all may be owed together, as the server is told. */
  readonly maxBacklogMib: number;
  /** Its bound shows within seconds. */
  readonly isQuick?: boolean;
};

/** So much more may the server use above that. */
export const SPARE_MIB = 64;

const live = [`Sec-WebSocket-Protocol: ${SUBPROTOCOL}`];
const webSocket = { paths: ["/"], isWebSocket: true };

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "250 plain clients that never read, frames of 27 MB, --max-backlog 64MiB",
    args: ["--max-backlog=64MiB", "--interval=1s"],
    ...{ rows: 200_000, rowBytes: 80, change: "append", maxBacklogMib: 64, isQuick: true },
    crowd: { ...webSocket, count: 250, rate: 0 },
  },
  {
    name: "250 plain clients that never read, frames of 27 MB",
    args: ["--interval=1s"],
    ...{ rows: 200_000, rowBytes: 80, change: "append", maxBacklogMib: 256 },
    crowd: { ...webSocket, count: 250, rate: 0 },
  },
  {
    name: "200 resumers with different `since`, 8 to 12 MB behind, that never read",
    args: [],
    ...{ rows: 250_000, rowBytes: 120, change: "append", maxBacklogMib: 256, versions: 50, isQuick: true },
    crowd: { ...webSocket, count: 200, rate: 0, headers: live },
  },
  {
    name: "100 downloads that stall, of many versions of a table of 25 MB, --max-backlog 128MiB",
    args: ["--max-backlog=128MiB"],
    ...{ rows: 200_000, rowBytes: 120, change: "rewrite", maxBacklogMib: 128, isQuick: true },
    crowd: { count: 100, paths: ["/csv.json", "/csv.csv", "/csv.ndjson"], rate: 0, atOnce: 3, pauseMs: 100 },
  },
  {
    name: "1,500 joiners of the live feed at 60 kB/s, table of 9 MB",
    args: [],
    ...{ rows: 75_000, rowBytes: 120, change: "append", maxBacklogMib: 256 },
    crowd: { ...webSocket, count: 1_500, rate: 60_000, headers: live },
  },
  {
    name: "10,000 idle clients of the live feed",
    args: ["--max-clients=11000"],
    ...{ rows: 1_000, rowBytes: 40, change: "none", maxBacklogMib: 256 },
    crowd: { ...webSocket, count: 10_000, rate: null, headers: live, atOnce: 20 },
  },
  {
    name: "10,000 connections that say nothing",
    args: [],
    ...{ rows: 1_000, rowBytes: 40, change: "none", maxBacklogMib: 256 },
    crowd: { count: 10_000, rate: 0 },
  },
];

export type Figures = {
  /** MiB at the peak, and at the peak of the same with one peer that reads. */
  readonly peak: number;
  readonly quietPeak: number;
  readonly waits: Waits;
  /** What the neighbour waits beside equally many peers that read; undefined if that was not asked for. */
  readonly besideReaders: Waits | undefined;
  readonly counts: { readonly in: number; readonly refused: number };
};

/** Lets a crowd loose on a server for so long, and says what came of it. */
export async function meet(scenario: Scenario, seconds: number, readersToo = false): Promise<Figures> {
  const quiet = await run(scenario, { count: 1, rate: null }, Math.min(seconds, 5));
  const met = await run(scenario, {}, seconds);
  const beside = readersToo ? await run(scenario, { rate: null }, seconds) : undefined;
  return {
    ...{ peak: met.peak, quietPeak: quiet.peak, waits: met.waits, counts: met.counts },
    besideReaders: beside?.waits,
  };
}

async function run(scenario: Scenario, over: Partial<Crowd>, seconds: number) {
  const { args, rows, rowBytes, change, versions = 0 } = scenario;
  await using folder = await temporaryFolder();
  const table = openLarge(folder, rows, rowBytes);
  await table.rewrite();
  const beside = await folder.write("w.csv", "id,at\n");
  await using server = await startServer(["a.csv", "w.csv", "--no-token", ...args], { folder });
  await until("both tables", async () => (await rowsIn(server)) === rows);
  const since = await pastOf(server, table, versions);
  await using probe = startProgram("probe.ts", [server.http, "/w"], folder);
  await using writing = repeat(async () => {
    await appendFile(beside, `1,@${Math.round((performance.timeOrigin + performance.now()) * 1000)}\n`);
    if (change === "append") await table.append(1);
    if (change === "rewrite") await table.rewrite();
  });
  await Bun.sleep(1_000); // everything has been run once
  await probe.ask();
  forgetPeak(server);
  const { crowd } = scenario;
  const paths = since.length > 0 ? since.map((cursor) => `/?since=${cursor}`) : crowd.paths;
  const spec = { ...crowd, ...(paths && { paths }), ...over, port: server.port };
  await using peers = startProgram("crowd.ts", [JSON.stringify(spec)], folder);
  await Bun.sleep(seconds * 1000);
  const waits = (await probe.ask()) as Waits;
  const counts = (await peers.ask()) as { in: number; refused: number };
  const peak = peakOf(server);
  void writing;
  return { peak, waits, counts };
}

function openLarge(folder: Folder, rows: number, rowBytes: number) {
  const path = join(folder.path, "a.csv");
  let number = 0;
  const row = () => `${number++},${"x".repeat(Math.max(1, rowBytes - 24))},${number * 7919},${number % 10}\n`;
  const some = (count: number) => Array.from({ length: count }, row).join("");
  return {
    append: (count: number) => appendFile(path, some(count)),
    rewrite: () => folder.write("a.csv", `id,text,value,digit\n${some(rows)}`),
  };
}

const rowsIn = async ({ http }: RunningServer) =>
  ((await (await fetch(`${http}/healthz`)).json()) as { rows?: number }).rows;

/** Cursors of as many versions, each 2,000 rows behind the next. */
async function pastOf(server: RunningServer, table: ReturnType<typeof openLarge>, versions: number): Promise<string[]> {
  const past: string[] = [];
  for (let n = 0; n < versions; n++) {
    const { epoch, version } = (await (await fetch(`${server.http}/healthz`)).json()) as Record<string, unknown>;
    past.push(`${epoch}:${version}`);
    await table.append(2_000);
    await until("the next version", async () => {
      const now = (await (await fetch(`${server.http}/healthz`)).json()) as Record<string, unknown>;
      return now["version"] !== version;
    });
  }
  return past.slice(0, Math.ceil(versions / 3));
}

/** A program of this folder that answers each line of input with one of JSON. */
export function startProgram(name: string, args: readonly string[], folder: Folder) {
  const script = join(import.meta.dir, name);
  const child = Bun.spawn([process.execPath, script, ...args], {
    env: environment(folder),
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  async function line(): Promise<string> {
    while (!rest.includes("\n")) {
      const { value, done } = await lines.read();
      if (done) throw new Error(`${name} ended`);
      rest += value;
    }
    const [first = "", ...others] = rest.split("\n");
    rest = others.join("\n");
    return first;
  }
  return {
    async ask(): Promise<unknown> {
      void child.stdin.write("\n");
      void child.stdin.flush();
      for (;;) {
        const answer = await line();
        if (answer.startsWith("{")) return JSON.parse(answer);
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** Ten times a second, or as often as it can. */
function repeat(what: () => Promise<void>): AsyncDisposable {
  let isOver = false;
  const going = (async () => {
    while (!isOver) {
      await what();
      await Bun.sleep(100);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      isOver = true;
      await going;
    },
  };
}

/** In MiB; Linux tells (proc_pid_status(5)). */
function peakOf({ pid }: RunningServer): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;
}

/** From now on the peak is that of what comes (proc_pid_clear_refs(5)). */
function forgetPeak({ pid }: RunningServer): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}
