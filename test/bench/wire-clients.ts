// The crowd of the live feed: `bun wire-clients.ts URL CLIENTS [live]` connects many WebSocket clients. Each message that holds
// a mark, `@` and the time it was written at, tells how long it took. Asked by wire.ts.
import { answerRequests } from "./child.ts";

/** `connect`: everyone is there and it is quiet. `collect`: marks that came since, once everyone has had `messages`. */
export type WireRequest =
  | { type: "connect" }
  | { type: "collect" }
  | { type: "collected"; messages: number }
  | { type: "cut" }
  | { type: "resume" };
export type WireCollected = { latenciesMs: number[]; fewest: number; most: number; closed: number };
/** What clients got that came back: how many of them got just one delta, one delta and more, or a snapshot. */
export type WireResumed = { oneDelta: number; snapshots: number; other: number; ms: number; version: number };

const [url = "", count = "", kind = ""] = process.argv.slice(2);
const CONNECTED_AT_ONCE = 100;
const QUIET_MS = 300;
const PATIENCE_MS = 60_000;
const MARK_DIGITS = 17;

type Client = { socket: WebSocket; kinds: string[]; last: string };

let clients: Client[] = [];
let latencies: number[] = [];
let received = new Uint32Array(Number(count));
let closed = 0;
let lastAt = 0;
let isCutting = false;
let isCollecting = false;

const now = () => performance.timeOrigin + performance.now();

function connect(index: number, since = ""): Promise<Client> {
  const opened = Promise.withResolvers<Client>();
  const options = { perMessageDeflate: false, ...(kind === "live" && { protocols: ["csvcast.v1"] }) };
  const socket = new WebSocket(url + (since && `?since=${since}`), options as Bun.WebSocketOptions);
  const client: Client = { socket, kinds: [], last: "" };
  socket.onopen = () => opened.resolve(client);
  socket.onmessage = ({ data }) => receive(index, client, String(data));
  socket.onclose = ({ code, reason }) => {
    if (!isCutting) closed++;
    opened.reject(new Error(`client ${index} was closed: ${code} ${reason}`));
  };
  return opened.promise;
}

function receive(index: number, client: Client, text: string): void {
  lastAt = performance.now();
  client.last = text;
  if (!isCollecting) return note(client, text);
  const at = now();
  for (let mark = text.indexOf("@"); mark !== -1; mark = text.indexOf("@", mark + 1)) {
    received[index]!++;
    latencies.push(at - Number(text.slice(mark + 1, mark + 1 + MARK_DIGITS)));
  }
}

/** Not while it is measured: a message of either server is to cost the crowd the same. */
function note({ kinds }: Client, text: string): void {
  const type = /^\{"type":"(delta|snapshot|sync)"/.exec(text)?.[1];
  if (type) kinds.push(type);
}

function cursorOf({ last }: Client): string {
  const match = /^\{"type":"\w+","epoch":"([\w-]+)",(?:"version":(\d+)|"from":\d+,"to":(\d+))/.exec(last);
  return match ? `${match[1]}:${match[2] ?? match[3]}` : "";
}

async function until(condition: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > giveUpAt)
      throw new Error(`waited in vain: ${Math.min(...received)} to ${Math.max(...received)} messages`);
    await Bun.sleep(10);
  }
}

const isQuiet = () => performance.now() - lastAt > QUIET_MS;

async function connectAll(cursors: readonly string[]): Promise<void> {
  const all: Client[] = [];
  for (let from = 0; from < Number(count); from += CONNECTED_AT_ONCE) {
    const some = Math.min(CONNECTED_AT_ONCE, Number(count) - from);
    all.push(...(await Promise.all(Array.from({ length: some }, (_, n) => connect(from + n, cursors[from + n])))));
  }
  clients = all;
}

async function resume(): Promise<WireResumed> {
  const cursors = clients.map(cursorOf);
  isCutting = false;
  const startedAt = performance.now();
  await connectAll(cursors);
  await until(() => clients.every(({ kinds }) => kinds.includes("sync")));
  const ms = performance.now() - startedAt;
  const oneDelta = clients.filter(({ kinds }) => kinds.join() === "delta,sync").length;
  const snapshots = clients.filter(({ kinds }) => kinds.includes("snapshot")).length;
  const version = Math.min(...clients.map((client) => Number(cursorOf(client).split(":")[1])));
  return { oneDelta, snapshots, other: clients.length - oneDelta - snapshots, ms, version };
}

answerRequests(async (request: WireRequest) => {
  switch (request.type) {
    case "connect":
      await connectAll([]);
      if (kind === "live") await until(() => clients.every(({ kinds }) => kinds.includes("sync")));
      return until(isQuiet);
    case "collect":
      isCollecting = true;
      latencies = [];
      received = received.fill(0);
      return;
    case "collected":
      await until(() => received.every((messages) => messages >= request.messages));
      await until(isQuiet);
      return {
        latenciesMs: latencies.filter((_, n) => n % 10 === 0),
        fewest: Math.min(...received),
        most: Math.max(...received),
        closed,
      } satisfies WireCollected;
    case "cut":
      isCutting = true;
      for (const { socket } of clients) socket.terminate();
      return;
    case "resume":
      return resume();
  }
});
