// A real server, and what a client of its live feed has of a file: for tests that hold what is served to what is expected.
import { follow } from "../../src/follow/follow.ts";
import type { Table } from "../../src/follow/table.ts";
import { type ServerHandle, type ServerOptions, websocketServer } from "../../src/index.ts";
import { until } from "../support.ts";

export type Served = AsyncDisposable & {
  readonly server: ServerHandle;
  /** The whole table as the server writes it. */
  json(): Promise<string>;
  columns(): readonly string[];
};

const HOST = { hostname: "127.0.0.1", intervalMs: 10, settleMs: 10 } as const;

export function serve(options: ServerOptions): Served {
  const server = websocketServer({ ...HOST, ...options });
  const url = `http://127.0.0.1:${server.address.port}/csv.json`;
  return {
    server,
    json: async () => (await fetch(url)).text(),
    columns: () => JSON.parse(server.overview().publication?.columns.json ?? "[]") as string[],
    [Symbol.asyncDispose]: () => server.close(0),
  };
}

export type Watching = AsyncDisposable & {
  /** How many tables it had that had nothing to do with the one before. */
  epochs(): number;
  /** Waits until it has all that the server has published. */
  caughtUp(): Promise<Table>;
};

/** A client of the live feed. */
export function watch({ server }: Served): Watching {
  const ending = new AbortController();
  const epochs = new Set<string>();
  let seen: Table | undefined;
  const done = (async () => {
    for await (const table of follow(`ws://127.0.0.1:${server.address.port}/`, { signal: ending.signal })) {
      if (table.columns.length > 0) epochs.add(table.cursor.split(":")[0]!);
      seen = table;
    }
  })();
  return {
    epochs: () => epochs.size,
    caughtUp: () =>
      until("all of the live feed", () => {
        const { epoch, version } = server.overview().publication?.cursor ?? {};
        return seen?.cursor === `${epoch}:${version}` && seen;
      }),
    async [Symbol.asyncDispose]() {
      ending.abort();
      await done;
    },
  };
}
