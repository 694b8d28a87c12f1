// What kills servers: kill -9 under load, SIGTERM with a crowd, a machine that sleeps. Clients come back by themselves, and hold what the
// file says. CSVCAST_KILLS asks for more.
import { expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync } from "node:fs";
import { subscribe, type Table } from "../../src/feed/client.ts";

import { convertCsvToJson } from "../../src/source/convert.ts";
import { type Random, randomFrom, seedOfRun } from "../fuzz/random.ts";
import { connectRaw } from "../hub/raw-client.ts";
import {
  connect,
  type Folder,
  type RunningServer,
  start,
  startServer,
  temporaryFolder,
  TEST_TIMEOUT_MS,
  until,
} from "../support.ts";

setDefaultTimeout(2 * TEST_TIMEOUT_MS);

const KILLS = Number(process.env["CSVCAST_KILLS"] ?? 10);

/** A client that comes back by itself, with what it holds as JSON. */
type Follower = Disposable & { readonly kind: string; json(): string | undefined };

function followLive(url: string): Follower {
  let table: Table | undefined;
  const take = (next: Table) => void (table = next);
  const subscription = subscribe(url, { onSnapshot: take, onChange: take, maxDelayMs: 200 });
  return { kind: "live", json: () => table && jsonOf(table), [Symbol.dispose]: subscription.close };
}

/** Names that look like numbers would come first in an object. */
function jsonOf({ columns, rows }: Table): string {
  const names = columns.map((name) => JSON.stringify(name));
  const objects = rows.map((row) => `{${row.map((cell, c) => `${names[c]}:${JSON.stringify(cell)}`).join(",")}}`);
  return `[${objects.join(",")}]`;
}

function followPlain(url: string): Follower {
  let text: string | undefined;
  let socket: WebSocket;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const open = () => {
    socket = new WebSocket(url);
    socket.onmessage = ({ data }) => (text = String(data));
    socket.onclose = () => (timer = setTimeout(open, 50));
  };
  open();
  return {
    kind: "plain",
    json: () => text,
    [Symbol.dispose]() {
      socket.onclose = null;
      clearTimeout(timer);
      socket.close();
    },
  };
}

/** Asks again and again with the ETag that it has; one of a server that is dead must never be good for a 304. */
function poll(http: string): Follower {
  let text: string | undefined;
  let etag = "";
  let isOver = false;
  const living = (async () => {
    while (!isOver) {
      const response = await fetch(`${http}/csv.json`, { headers: { "If-None-Match": etag } }).catch(() => undefined);
      if (response?.status === 200) {
        etag = response.headers.get("etag") ?? "";
        text = await response.text().catch(() => text);
      }
      await Bun.sleep(20);
    }
  })();
  living.catch(() => {});
  return { kind: "polling", json: () => text, [Symbol.dispose]: () => void (isOver = true) };
}

const followAll = ({ url, http }: RunningServer) => [
  followLive(url),
  followLive(url),
  followLive(url),
  followPlain(url),
  followPlain(url),
  poll(http),
];

async function converge(followers: readonly Follower[], path: string): Promise<void> {
  for (const { kind, json } of followers)
    await until(
      `a ${kind} client to hold the file`,
      async () => json() === (await convertCsvToJson(path)),
      () => `${json()?.slice(0, 500)}`,
    );
}

function startWriter(path: string, seed: number) {
  const script = new URL("./random-writer.ts", import.meta.url).pathname;
  return Bun.spawn([process.execPath, script, path, `${seed}`, "30"], { stdout: "ignore" });
}

async function restarted(folder: Folder, path: string, port: number): Promise<RunningServer> {
  const server = await startServer([path, `--port=${port}`, "--heartbeat=200ms"], { folder });
  await server.prints("f.csv: ");
  return server;
}

async function killsUnderLoad(kills: number, random: Random): Promise<void> {
  await using folder = await temporaryFolder();
  const path = await folder.write("f.csv", "id,b,c\n1,2,3\n");
  let server = await restarted(folder, path, 0);
  const followers = followAll(server);
  try {
    for (let kill = 0; kill < kills; kill++) {
      await using writer = startWriter(path, random.below(2 ** 31));
      await Bun.sleep(random.below(400));
      server.kill("SIGKILL");
      await server.exited;
      if (random.chance(0.5)) await Bun.sleep(random.below(200));
      await Bun.write(path, "id,b,c\n9,9,9\n"); // whatever the writer has left there is a CSV again
      server = await restarted(folder, path, server.port);
      await writer.exited;
    }
    await converge(followers, path);
  } finally {
    for (const follower of followers) follower[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  }
}

test(
  `kill -9 of the server at a random moment under load, ${KILLS} times: everyone converges after its restart`,
  async () => {
    const seed = seedOfRun();
    const half = Math.ceil(KILLS / 2);
    try {
      await Promise.all([0, 1].map((n) => killsUnderLoad(half, randomFrom(seed + n))));
    } catch (error) {
      throw new Error(`CSVCAST_SEED=${seed}: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
  },
  60_000 + KILLS * 10_000,
);

test("SIGTERM with a thousand clients and a backlog: all get 1001, and it ends", async () => {
  await using folder = await temporaryFolder();
  await folder.write("a.csv", `x,y\n${`${"z".repeat(1000)},1\n`.repeat(1000)}`);
  await using server = await startServer(["a.csv", "--max-per-address=2000"], { folder });
  await server.prints("a.csv: ");
  const live = { protocols: ["csvcast.v1"] };
  const clients = await Promise.all(Array.from({ length: 1000 }, (_, n) => connect(server.url, n % 2 ? live : {})));
  const stalled = await Promise.all(Array.from({ length: 20 }, () => connectRaw(server.port, [], { isStalled: true })));
  await until("a backlog", async () => {
    const metrics = await (await fetch(`${server.http}/metrics`)).text();
    return Number(/^csvcast_backlog_bytes (\d+)$/m.exec(metrics)?.[1]) > 0;
  });
  server.kill("SIGTERM");
  const codes = await Promise.all(clients.map(async ({ closed }) => (await closed).code));
  expect(new Set(codes)).toEqual(new Set([1001]));
  expect(await server.exited).toBe(143);
  for (const client of stalled) await client[Symbol.asyncDispose]();
});

const SLEEP_MS = 10_000;

test("a machine that sleeps for ten seconds, the server's or the client's: everything converges", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("f.csv", "id,b,c\n1,2,3\n");
  await using server = await restarted(folder, path, 0);
  await using other = await restarted(folder, path, 0);
  const followers = followAll(server);
  await using client = start("client", [other.url, "--csv", "--all"], { folder });
  await client.prints("1,2,3\n");
  server.kill("SIGSTOP");
  client.kill("SIGSTOP");
  for (let n = 0; n < 100; n++) {
    appendFileSync(path, `${n},"a cell,\nof two lines",x\n`);
    await Bun.sleep(SLEEP_MS / 100);
  }
  server.kill("SIGCONT");
  client.kill("SIGCONT");
  appendFileSync(path, "end,end,end\n");
  await converge(followers, path);
  await until(
    "the client to have printed the file",
    async () => client.stdout() === (await Bun.file(path).text()),
    client.stdout,
  );
  for (const follower of followers) follower[Symbol.dispose]();
});
