// WebSocket connections: each a client of one of the two feeds.
import type { ServerWebSocket, WebSocketHandler } from "bun";
import type { Cursor } from "../feed/protocol.ts";
import type { Figures } from "./figures.ts";
import type { LiveFeed, Reader } from "./live.ts";
import type { PlainFeed, Viewer } from "./plain.ts";

export const PLAIN_TOPIC = "csv";
export const LIVE_TOPIC = "csv.live";

/** What is known of a connection. `cursor`: what its client held when it came; `since`: ms of a monotonic clock. */
export type Client = { readonly address: string; readonly since: number } & (
  | { readonly feed: "plain"; peer?: Viewer }
  | { readonly feed: "live"; readonly cursor: Cursor | undefined; peer?: Reader }
);

type Socket = ServerWebSocket<Client>;

export type Sockets = {
  readonly handlers: WebSocketHandler<Client>;
  /**
   * Closes all, each when it has taken what is under way to it; resolves when that is done, or `graceMs` are over, or nobody
   * takes anything any more.
   */
  closeAll(code: number, reason: string, graceMs: number): Promise<void>;
};

const LOOK_MS = 10;
/** So long nobody has taken anything: who is left does not read. */
const STUCK_MS = 1_500;
/** What a socket still has to send when it is closed goes out without a word when it is done. */
const FLUSH_MS = 100;

export type SocketOptions = {
  readonly plain: PlainFeed;
  readonly live: LiveFeed;
  readonly figures: Figures;
  /** A connection on which nothing moves for so long is closed. */
  readonly idleSeconds: number;
  /** Clients have nothing to say: a longer message ends the connection. */
  readonly maxIncomingBytes: number;
  readonly onOpen: (client: Client) => void;
  readonly onClose: (client: Client, code: number, reason: string) => void;
};

export function openSockets(options: SocketOptions): Sockets {
  const { plain, live, figures, idleSeconds, maxIncomingBytes, onOpen, onClose } = options;
  const sockets = new Set<Socket>();
  let closing: { readonly code: number; readonly reason: string } | undefined;

  function open(socket: Socket): void {
    sockets.add(socket);
    const { data } = socket;
    const peer = peerOf(socket, figures);
    if (data.feed === "plain") {
      socket.subscribe(PLAIN_TOPIC);
      plain.open((data.peer = { ...peer, isServed: false, isBehind: false }));
    } else {
      const follow = (isFollowing: boolean) =>
        void (isFollowing ? socket.subscribe(LIVE_TOPIC) : socket.unsubscribe(LIVE_TOPIC));
      live.open((data.peer = { ...peer, cursor: data.cursor, isFollowing: false, transfer: undefined, follow }));
    }
    onOpen(data);
  }

  function drain(socket: Socket): void {
    if (closing) return closeIfDone(socket);
    const { data } = socket;
    if (data.feed === "plain") plain.drain(data.peer!);
    else live.drain(data.peer!);
  }

  function close(socket: Socket, code: number, reason: string): void {
    const { data } = socket;
    sockets.delete(socket);
    if (data.feed === "plain") plain.close(data.peer!);
    else live.close(data.peer!);
    const why = closedBy(code, reason);
    if (why) figures.closed[why]!++;
    onClose(data, code, reason);
  }

  function closeIfDone(socket: Socket): void {
    if (closing && socket.getBufferedAmount() === 0) socket.close(closing.code, closing.reason);
  }

  async function closeAll(code: number, reason: string, graceMs: number): Promise<void> {
    closing = { code, reason };
    for (const socket of [...sockets]) closeIfDone(socket);
    const until = performance.now() + graceMs;
    let least = Infinity;
    for (let stuckMs = 0; sockets.size > 0 && stuckMs < STUCK_MS && performance.now() < until; stuckMs += LOOK_MS) {
      await Bun.sleep(LOOK_MS);
      const owed = [...sockets].reduce((sum, socket) => sum + socket.getBufferedAmount(), 0);
      if (owed < least) stuckMs = 0;
      least = Math.min(least, owed);
    }
    if (sockets.size === 0) return;
    for (const socket of [...sockets]) socket.close(code, reason);
    await Bun.sleep(FLUSH_MS);
  }

  return {
    handlers: {
      data: {} as Client,
      backpressureLimit: 1, // at most the one frame that is under way
      maxPayloadLength: maxIncomingBytes,
      idleTimeout: idleSeconds,
      open,
      message() {},
      drain,
      close,
    },
    closeAll,
  };
}

/** What the client did to be closed by the runtime, which gives a reason with 1006 (and sends its own close code). */
function closedBy(code: number, reason: string): "message" | "idle" | "protocol" | undefined {
  if (code !== 1006 || reason === "") return undefined;
  return reason.includes("too big") ? "message" : reason.includes("timed out") ? "idle" : "protocol";
}

function peerOf(socket: Socket, { frames, bytes }: Figures) {
  const { feed } = socket.data;
  return {
    debt: 0,
    unsent: 0,
    takenAt: 0,
    backlog: () => socket.getBufferedAmount(),
    close: (code: number, reason: string) => socket.close(code, reason),
    send(message: string) {
      const sent = socket.send(message); // -1: it waits here
      if (sent !== 0) {
        frames[feed]++;
        bytes[feed] += sent > 0 ? sent : Buffer.byteLength(message);
      }
      return sent > 0;
    },
  };
}
