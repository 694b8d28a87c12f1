// The crowd: `bun fanout-clients.ts URL CLIENTS FILE` connects many WebSocket clients and checks that each of them gets
// every frame whole: the text of FILE. Asked by fanout.ts.
import { answerRequests } from "./child.ts";

/** `settle`: everyone is connected, has had a frame, and it is quiet. `collect`: everyone has had `ticks` frames since. */
export type CrowdRequest = { type: "settle" } | { type: "collect"; ticks: number };
export type Collected = {
  /** Frames of the client that got fewest and of the one that got most. */
  fewest: number;
  most: number;
  /** Frames that were not the text. */
  torn: number;
  closed: number;
  /** For each tick: milliseconds from the first client's frame to the last one's. */
  spreadsMs: number[];
  /** For each tick after the first: how far its first frame was from one second after the one before. */
  lateMs: number[];
};

const [url = "", clients = "", file = ""] = process.argv.slice(2);
const expected = await Bun.file(file).text();
const frames = new Uint32Array(Number(clients));
const firstAt: number[] = [];
const lastAt: number[] = [];
let torn = 0;
let closed = 0;
let lastFrameAt = 0;

const CONNECTED_AT_ONCE = 50;
const QUIET_MS = 250;
const POLL_MS = 20;
const TICK_MS = 1_000;
const PATIENCE_MS = 20_000;

function connect(client: number): Promise<void> {
  const opened = Promise.withResolvers<void>();
  const socket = new WebSocket(url, { perMessageDeflate: false } as Bun.WebSocketOptions);
  socket.onopen = () => opened.resolve();
  socket.onmessage = ({ data }) => receive(client, data);
  socket.onclose = ({ code, reason }) => {
    closed++;
    opened.reject(new Error(`client ${client} was closed: ${code} ${reason}`));
  };
  return opened.promise;
}

function receive(client: number, text: unknown): void {
  lastFrameAt = performance.now();
  if (text !== expected) torn++;
  const tick = frames[client]!++;
  firstAt[tick] ??= lastFrameAt;
  lastAt[tick] = lastFrameAt;
}

const isQuiet = () => performance.now() - lastFrameAt > QUIET_MS;

async function until(condition: () => boolean, patienceMs: number): Promise<boolean> {
  const giveUpAt = performance.now() + patienceMs;
  while (!condition() && performance.now() < giveUpAt) await Bun.sleep(POLL_MS);
  return condition();
}

async function settle(): Promise<void> {
  for (let client = 0; client < frames.length; client += CONNECTED_AT_ONCE) {
    const some = Math.min(CONNECTED_AT_ONCE, frames.length - client);
    await Promise.all(Array.from({ length: some }, (_, n) => connect(client + n)));
  }
  if (!(await until(() => frames.every((count) => count > 0) && isQuiet(), PATIENCE_MS)))
    throw new Error("not everyone got a frame");
}

async function collect(ticks: number): Promise<Collected> {
  frames.fill(0);
  firstAt.length = lastAt.length = torn = 0;
  await until(() => frames.every((count) => count >= ticks) && isQuiet(), ticks * TICK_MS + PATIENCE_MS);
  return {
    fewest: Math.min(...frames),
    most: Math.max(...frames),
    torn,
    closed,
    spreadsMs: firstAt.map((at, tick) => (lastAt[tick] ?? NaN) - at),
    lateMs: firstAt.slice(1).map((at, tick) => at - firstAt[tick]! - TICK_MS),
  };
}

answerRequests((request: CrowdRequest) => {
  switch (request.type) {
    case "settle":
      return settle();
    case "collect":
      return collect(request.ticks);
  }
});
