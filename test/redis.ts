// A real Redis, or Valkey, for the tests: on a port of its own of the loopback address, with nothing on disk, which can be killed,
// started again, suspended; and a proxy in front of it that can be cut. Where there is neither, tests skip themselves.
import { createServer, connect as connectSocket, type Socket } from "node:net";
import { join } from "node:path";
import { claimPort } from "./port.ts";
import { until } from "./support.ts";

const PROGRAMS = ["redis-server", "valkey-server"].filter((name) => Bun.which(name) !== null);

/** The engines that are here. */
export const engines: readonly string[] = PROGRAMS;

/** For the names of tests: why they are skipped. */
export const skipped = PROGRAMS.length === 0 ? " (skipped: neither redis-server nor valkey-server is installed)" : "";

export type Redis = AsyncDisposable & {
  readonly port: number;
  readonly pid: () => number;
  send(command: string, args?: readonly string[]): Promise<unknown>;
  /** As `kill -9`. */
  kill(): Promise<void>;
  /** Again, on the same port: empty, or as it was at the last SAVE. */
  start(): Promise<void>;
  pause(): void;
  resume(): void;
};

/** `folder` is for what it might leave behind. */
export async function startRedis(folder: string, engine = PROGRAMS[0]!): Promise<Redis> {
  for (;;) {
    const claim = await claimPort();
    const redis = await startRedisOn(claim.number, folder, engine);
    if (!redis) {
      claim[Symbol.dispose]();
      continue;
    }
    return {
      ...redis,
      async [Symbol.asyncDispose]() {
        await redis[Symbol.asyncDispose]();
        claim[Symbol.dispose]();
      },
    };
  }
}

/** Undefined if something else listens on that port. */
async function startRedisOn(port: number, folder: string, engine: string): Promise<Redis | undefined> {
  // The test speaks to it through the folder, where no other server answers; and Redis ends when it cannot have its port.
  const socket = join(folder, `redis-${port}.sock`);
  const fixed = ["--port", `${port}`, "--bind", "127.0.0.1", "--unixsocket", socket];
  const inMemory = ["--save", "", "--appendonly", "no", "--dir", folder];
  let child: Bun.Subprocess | undefined;
  let client: Bun.RedisClient | undefined;

  async function send(command: string, words: readonly string[] = []): Promise<unknown> {
    client ??= new Bun.RedisClient(`redis+unix://${socket}`, {
      autoReconnect: false,
      enableOfflineQueue: false,
      connectionTimeout: 1_000,
    });
    try {
      if (!client.connected) await client.connect();
      return await client.send(command, [...words]);
    } catch (error) {
      client.close();
      client = undefined;
      throw error;
    }
  }

  async function isUp(): Promise<boolean> {
    const started = Bun.spawn([engine, ...fixed, ...inMemory], { stdio: ["ignore", "ignore", "ignore"] });
    child = started;
    try {
      await until(
        `${engine} on port ${port}`,
        async () => started.exitCode !== null || (await send("PING").catch(() => undefined)) !== undefined,
      );
    } catch (error) {
      await kill();
      throw error;
    }
    return started.exitCode === null;
  }

  async function start(): Promise<void> {
    if (!(await isUp())) throw new Error(`${engine} has lost its port, ${port}, to another program`);
  }

  async function kill(): Promise<void> {
    child?.kill("SIGKILL");
    await child?.exited;
  }

  if (!(await isUp())) return undefined;
  return {
    port,
    pid: () => child!.pid,
    send,
    kill,
    start,
    pause: () => child?.kill("SIGSTOP"),
    resume: () => child?.kill("SIGCONT"),
    async [Symbol.asyncDispose]() {
      client?.close();
      await kill();
    },
  };
}

export type Proxy = AsyncDisposable & {
  readonly port: number;
  /** Ends what goes through it, and lets nothing through. */
  cut(): void;
  /** Takes what comes, and passes nothing on: as a network that has failed. */
  stall(): void;
  mend(): void;
};

export async function startProxy(target: number): Promise<Proxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let state: "open" | "cut" | "stalled" = "open";
  const server = createServer((client) => {
    if (state === "cut") return void client.destroy();
    const upstream = connectSocket(target, "127.0.0.1");
    const pair = [client, upstream] as const;
    pairs.add(pair);
    for (const [from, to] of [pair, [upstream, client] as const]) {
      from.on("error", () => {});
      from.on("close", () => {
        to.destroy();
        pairs.delete(pair);
      });
      from.on("data", (data) => {
        if (!to.write(data)) from.pause();
      });
      to.on("drain", () => state === "open" && from.resume());
    }
    if (state === "stalled") pair.forEach((socket) => socket.pause());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    state = "cut";
    for (const pair of pairs) pair.forEach((socket) => socket.destroy());
  };
  return {
    port: (server.address() as { port: number }).port,
    cut,
    stall() {
      state = "stalled";
      for (const pair of pairs) pair.forEach((socket) => socket.pause());
    },
    mend() {
      state = "open";
      for (const pair of pairs) pair.forEach((socket) => socket.resume());
    },
    async [Symbol.asyncDispose]() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
