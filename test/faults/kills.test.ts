// What kills servers: kill -9 under load, SIGTERM with a crowd, a machine that sleeps. Clients come back by themselves, and hold what the
// file says. CSVCAST_KILLS and CSVCAST_SLEEP_MS ask for more.
import { expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync } from "node:fs";

import { type Random, randomFrom, seedOfRun, shareOf, shown } from "../fuzz/random.ts";
import { connectRaw } from "../hub/raw-client.ts";
import { claimPort } from "../port.ts";
import { converge, followAll } from "./followers.ts";
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

const KILLS = Number(process.env["CSVCAST_KILLS"] ?? 2);

function startWriter(path: string, seed: number) {
  const script = new URL("./random-writer.ts", import.meta.url).pathname;
  return Bun.spawn([process.execPath, script, path, `${seed}`, "30"], { stdout: "ignore" });
}

/**
 * It may find no file at this moment, and waits for it; or a log that goes on without its header, in the middle of a row: then it ends
 * with the reason, and whoever watches over it starts it again.
 */
async function restarted(folder: Folder, path: string, port: number): Promise<RunningServer> {
  for (;;) {
    const server = await startServer([path, `--port=${port}`, "--heartbeat=200ms"], { folder });
    try {
      await server.prints("f.csv: ");
      return server;
    } catch (error) {
      if (!server.stderr().includes("line 1: a quote in the header is never closed")) throw error;
      expect(await server.exited).toBe(3);
    }
  }
}

async function killsUnderLoad(kills: number, random: Random): Promise<void> {
  await using folder = await temporaryFolder();
  const path = await folder.write("f.csv", "id,b,c\n1,2,3\n");
  using port = await claimPort();
  let server = await restarted(folder, path, port.number);
  const followers = followAll(server);
  try {
    for (let kill = 0; kill < kills; kill++) {
      await using writer = startWriter(path, random.below(2 ** 31));
      await Bun.sleep(random.below(400));
      server.kill("SIGKILL");
      await server.exited;
      if (random.chance(0.5)) await Bun.sleep(random.below(200));
      server = await restarted(folder, path, port.number);
      expect(await writer.exited).toBe(0);
    }
    await converge(followers, path);
  } finally {
    for (const follower of followers) follower[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  }
}

test.concurrent(
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

const CROWD = Math.min(shareOf(1_000), 1_000);

test.concurrent(`SIGTERM with ${shown(CROWD)} clients and a backlog: all get 1001, and it ends`, async () => {
  await using folder = await temporaryFolder();
  await folder.write("a.csv", `x,y\n${`${"z".repeat(1000)},1\n`.repeat(100)}`);
  await using server = await startServer(["a.csv", "--max-per-address=2000", "--interval=60ms"], { folder });
  await server.prints("a.csv: ");
  const live = { protocols: ["csvcast.v1"] };
  const clients = await Promise.all(Array.from({ length: CROWD }, (_, n) => connect(server.url, n % 10 ? live : {})));
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

const SLEEP_MS = Number(process.env["CSVCAST_SLEEP_MS"] ?? 1_000);

test.concurrent(
  `a machine that sleeps for ${SLEEP_MS / 1000} s, the server's or the client's: everything converges`,
  async () => {
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
  },
);
