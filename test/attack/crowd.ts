// Many peers at once on bare TCP, as a program of its own: `bun crowd.ts PEERS`, which is a `Crowd` as JSON. It says `ready` when all
// are connected (and upgraded, where they want that), and ends with its input.
import { dlopen } from "bun:ffi";
import { randomBytes } from "node:crypto";
import type { Socket } from "bun";

export type Crowd = {
  readonly port: number;
  readonly count: number;
  /** What each asks for; one after the other where there are several. Without any they say nothing. */
  readonly paths?: readonly string[];
  readonly headers?: readonly string[];
  /** Asks to be upgraded. */
  readonly isWebSocket?: boolean;
  /** Bytes a second that each takes: 0 is none after the first, Infinity (null in JSON) all there is. */
  readonly rate: number | null;
  /** Comes back when it is closed. */
  readonly isStubborn?: boolean;
  /** So many at a time are on their way in. */
  readonly atOnce?: number;
  /** Between one and the next of those, in ms. */
  readonly pauseMs?: number;
};

/** How often a slow peer takes something. */
const TAKE_MS = 100;

/** setsockopt(2), socket(7): a small window, or the kernel would take megabytes of what a slow peer is sent, at once. */
const [SOL_SOCKET, SO_RCVBUF] = [1, 8];
const WINDOW = new Int32Array([16 << 10]);
const setsockopt = { args: ["int", "int", "int", "ptr", "int"], returns: "int" } as const;
const libc = process.platform === "linux" ? dlopen("libc.so.6", { setsockopt }).symbols : undefined;

type Peer = { taken: number; head: string; isIn: boolean; readonly done: PromiseWithResolvers<void> };

const crowd = JSON.parse(process.argv[2]!) as Crowd;
const {
  port,
  count,
  paths = [],
  headers = [],
  isWebSocket = false,
  isStubborn = false,
  atOnce = 50,
  pauseMs = 0,
} = crowd;
const rate = crowd.rate ?? Infinity;
const counts = { in: 0, refused: 0, closed: 0, bytes: 0 };
let asked = 0;

function request(path: string): string {
  const upgrade = [
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
  ];
  // A proxy speaks for all of them, so that no limit for one address is met before that for all.
  const from = `X-Forwarded-For: 10.${(asked >> 16) & 255}.${(asked >> 8) & 255}.${asked & 255}`;
  const lines = [`GET ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, from, ...(isWebSocket ? upgrade : []), ...headers];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function take(socket: Socket<Peer>, data: Buffer): void {
  const peer = socket.data;
  counts.bytes += data.length;
  if (!peer.isIn) {
    peer.head += data.toString("latin1", 0, 4096);
    if (!peer.head.includes("\r\n\r\n")) return;
    peer.isIn = /^HTTP\/1\.1 (101|200)/.test(peer.head);
    counts[peer.isIn ? "in" : "refused"]++;
    peer.done.resolve();
  }
  if (rate === Infinity) return;
  socket.pause();
  if (rate === 0) return;
  peer.taken += data.length;
  const waitMs = Math.max(TAKE_MS, (peer.taken / rate) * 1000);
  setTimeout(() => {
    peer.taken = 0;
    if (socket.readyState === 1) socket.resume();
  }, waitMs);
}

async function come(): Promise<void> {
  const path = paths[asked++ % paths.length];
  const done = Promise.withResolvers<void>();
  const data: Peer = { taken: 0, head: "", isIn: false, done };
  const socket = await Bun.connect<Peer>({
    hostname: "127.0.0.1",
    port,
    data,
    socket: {
      open(socket) {
        if (rate > 0 && rate < Infinity)
          libc?.setsockopt((socket as unknown as { fd: number }).fd, SOL_SOCKET, SO_RCVBUF, WINDOW, 4);
      },
      data: take,
      close(socket) {
        counts.closed++;
        socket.data.done.resolve();
        if (isStubborn) setTimeout(() => void come().catch(() => {}), 100);
      },
      error: () => {},
    },
  });
  if (path === undefined) done.resolve();
  else socket.write(request(path));
  await done.promise;
}

async function comeInTurn(): Promise<void> {
  while (asked < count) {
    await come().catch(() => void counts.refused++);
    if (pauseMs > 0) await Bun.sleep(pauseMs);
  }
}

await Promise.all(Array.from({ length: Math.min(atOnce, count) }, comeInTurn));
console.log("ready");
for await (const _line of console) console.log(JSON.stringify(counts));
process.exit(0);
