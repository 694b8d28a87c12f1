// A real Redis, or Valkey, for the tests: on a free port of the loopback address, with nothing on disk, which can be killed, started
// again, suspended; and a proxy in front of it that can be cut. Where there is neither, tests skip themselves.
import { createServer, connect as connectSocket, type Socket } from "node:net";
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

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

/** `folder` is for what it might leave behind. */
export async function startRedis(folder: string, args: readonly string[] = [], engine = PROGRAMS[0]!): Promise<Redis> {
  const port = freePort();
  const fixed = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
  let child: Bun.Subprocess | undefined;
  let client: Bun.RedisClient | undefined;

  async function send(command: string, words: readonly string[] = []): Promise<unknown> {
    const password = args[args.indexOf("--requirepass") + 1];
    const credentials = args.includes("--requirepass") ? `:${encodeURIComponent(password!)}@` : "";
    client ??= new Bun.RedisClient(`redis://${credentials}127.0.0.1:${port}`, {
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

  async function start(): Promise<void> {
    child = Bun.spawn([engine, ...fixed, ...args], { stdio: ["ignore", "ignore", "ignore"] });
    await until(`${engine} on port ${port}`, () => send("PING").catch(() => undefined));
  }

  async function kill(): Promise<void> {
    child?.kill("SIGKILL");
    await child?.exited;
  }

  await start();
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
