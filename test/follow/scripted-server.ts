// A server of the live feed that says what the test tells it to, to each connection of its own.
import { type Message, SUBPROTOCOL } from "../../src/feed/protocol.ts";
import { until } from "../support.ts";

export type Visit = {
  /** The cursor that it came with. */
  readonly since: string | null;
  readonly request: Request;
  send(...messages: readonly (Message | string)[]): void;
  close(code?: number, reason?: string): void;
  isOver(): boolean;
  /** Bytes that were sent and not taken yet. */
  backlog(): number;
};

export type ScriptedServer = AsyncDisposable & {
  readonly port: number;
  readonly url: string;
  /** The oldest connection that was not taken yet. */
  visit(): Promise<Visit>;
  /** How many connections there have been. */
  count(): number;
};

export type ScriptedOptions = {
  readonly port?: number;
  /** What it selects, whatever is offered. */
  readonly protocol?: string;
  /** An answer instead of a WebSocket. */
  readonly refuse?: (request: Request) => Response | undefined;
};

type Guest = { readonly request: Request; isOver: boolean };

export function openScriptedServer(options: ScriptedOptions = {}): ScriptedServer {
  const { port = 0, protocol = SUBPROTOCOL, refuse = () => undefined } = options;
  const visits: Visit[] = [];
  let count = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port,
    fetch(request, self) {
      count++;
      const headers = { "Sec-WebSocket-Protocol": protocol };
      return (
        refuse(request) ??
        (self.upgrade(request, { headers, data: { request, isOver: false } }) ? undefined : new Response())
      );
    },
    websocket: {
      data: {} as Guest,
      open(ws) {
        visits.push({
          since: new URL(ws.data.request.url).searchParams.get("since"),
          request: ws.data.request,
          send(...messages) {
            for (const message of messages) ws.send(typeof message === "string" ? message : JSON.stringify(message));
          },
          close: (code, reason) => ws.close(code, reason),
          isOver: () => ws.data.isOver,
          backlog: () => ws.getBufferedAmount(),
        });
      },
      message() {},
      backpressureLimit: 1 << 30,
      close(ws) {
        ws.data.isOver = true;
      },
    },
  });
  return {
    port: server.port!,
    url: `ws://127.0.0.1:${server.port}/`,
    count: () => count,
    visit: () => until("a connection", () => visits.shift()),
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/** Rows of one cell each. */
export const rowsOf = (...names: readonly string[]) => names.map((name) => [name]);

/** Messages of a table with a column `a`, as a server of this epoch sends them. */
export function speaker(epoch: string, columns: readonly string[] = ["a"]) {
  return {
    snapshot: (version: number, rows: string[][], at = 0, count = rows.length): Message => ({
      type: "snapshot",
      epoch,
      version,
      columns,
      at,
      rows,
      count,
    }),
    delta: (from: number, splices: [number, number, string[][]][], count: number, to = from + 1): Message => ({
      type: "delta",
      epoch,
      from,
      to,
      splices,
      count,
    }),
    sync: (version: number, count: number): Message => ({ type: "sync", epoch, version, count, time: 0 }),
  };
}

export const statusOf = (state: "live" | "waiting" | "missing" | "stale" | "invalid", message = ""): Message => ({
  type: "status",
  state,
  message,
  since: 0,
});
