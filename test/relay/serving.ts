// Servers with several tables in this process, and a real Redis, for tests of the relay.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type ServerEvent, websocketServer } from "../../src/index.ts";
import type { ServerOptions } from "../../src/websocket-server.ts";
import { startRedis } from "../redis.ts";
import { type Folder, listOf, temporaryFolder, until } from "../support.ts";

/** A lease of a second: servers that share a process wait for one another. */
const HEARTBEAT_MS = 200;

/** A server in this process. */
export function serve(options: ServerOptions) {
  const events: ServerEvent[] = [];
  const onEvent = (event: ServerEvent) => void events.push(event);
  const quick = {
    hostname: "127.0.0.1",
    intervalMs: 30,
    settleMs: 20,
    relayHeartbeatMs: HEARTBEAT_MS,
    heartbeatMs: 200,
  };
  const server = websocketServer({ ...quick, onEvent, ...options });
  const http = `http://127.0.0.1:${server.address.port}`;
  const text = async (path: string) => (await fetch(http + path)).text();
  const list = () => listOf({ http });
  const shown = async () =>
    (await list()).tables.map(({ name, path, state, rows }) => `${name} ${path} ${state} ${rows}`);
  return {
    ...{ server, events, http, text, list, shown, url: `ws://127.0.0.1:${server.address.port}` },
    health: async () => JSON.parse(await text("/healthz")) as { relay: Record<string, unknown>; tables: object },
    /** Until the list is this one. */
    async lists(...expected: string[]): Promise<void> {
      let found: string[] = [];
      await until(
        `the list ${expected.join("; ")}`,
        async () => (found = await shown()).join() === expected.join(),
        () => JSON.stringify([found, events.slice(-8)]),
      );
    },
    [Symbol.asyncDispose]: () => server.close(0),
  };
}

export async function openScene() {
  const folder = await temporaryFolder();
  const redis = await startRedis(folder.path);
  const url = `redis://127.0.0.1:${redis.port}`;
  const path = (name: string) => join(folder.path, name);
  const tables = (...names: string[]) => names.map((name) => ({ location: path(name) }));
  return {
    ...{ folder, redis, url, path, tables },
    async [Symbol.asyncDispose]() {
      await redis[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

export async function fill(folder: Folder): Promise<void> {
  await folder.write("prices.csv", "a,b\n1,2\n");
  await mkdir(join(folder.path, "data"));
  await folder.write("data/orders.csv", "x\n5\n");
  await folder.write("data/trades.csv", "y\n6\n7\n");
}

export const FILLED = ["prices /csv live 1", "orders /orders live 1", "trades /trades live 2"];
