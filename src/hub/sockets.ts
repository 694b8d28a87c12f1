// WebSocket connections: each a client of one of the two feeds of a channel.
import type { ServerWebSocket, WebSocketHandler } from "bun";
import type { Channel, Traffic } from "../channel/channel.ts";
import type { PlainClient, Subscriber } from "../channel/client.ts";
import * as liveFeed from "../channel/live.ts";
import * as plainFeed from "../channel/plain.ts";
import type { Cursor } from "../feed/protocol.ts";
import type { Figures } from "./figures.ts";
import type { Neighbour, Neighbours } from "./neighbours.ts";

/** What is known of a connection. `cursor`: what its client held when it came; `since`: ms of a monotonic clock. */
export type Connection = {
  readonly address: string;
  readonly peer: Neighbour;
  readonly channel: Channel;
  readonly since: number;
  /** When the client last said something, or took something that it was owed; what it was owed then. */
  heardAt: number;
  pingedAt: number;
  owedBytes: number;
  /** Why it was closed here, where the peer could not be told. */
  ended?: { readonly code: number; readonly reason: string };
} & (
  | { readonly feed: "plain"; client?: PlainClient }
  | { readonly feed: "live"; readonly cursor: Cursor | undefined; client?: Subscriber }
);

type Socket = ServerWebSocket<Connection>;

export type Sockets = {
  readonly handlers: WebSocketHandler<Connection>;
  /** Pings those who are silent, and ends those who neither answer nor take anything. To be called every second or so. */
  beat(): Promise<void>;
  /** Closes the clients of a channel. */
  dismiss(channel: Channel, code: number, reason: string): void;
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
  readonly figures: Figures;
  /** A connection on which nothing moves for so long is closed. */
  readonly idleMs: number;
  /** For so long more it may be that it has taken nothing: a peer's kernel says what it took in steps. */
  readonly stallMs: number;
  /** As of `Neighbours`: an answer waits behind what is owed, so that who takes it is no less there than who answers. */
  readonly unacknowledged: Neighbours["unacknowledged"];
  /** Clients have nothing to say: a longer message ends the connection. */
  readonly maxIncomingBytes: number;
  readonly onOpen: (connection: Connection) => void;
  readonly onClose: (connection: Connection, code: number, reason: string) => void;
};

export function openSockets(options: SocketOptions): Sockets {
  const { figures, idleMs, stallMs, unacknowledged, maxIncomingBytes, onOpen, onClose } = options;
  const sockets = new Set<Socket>();
  let closing: { readonly code: number; readonly reason: string } | undefined;

  function open(socket: Socket): void {
    sockets.add(socket);
    const { data } = socket;
    const { channel } = data;
    const base = consumerOf(socket, channel.traffic);
    if (data.feed === "plain") {
      socket.subscribe(channel.topic);
      plainFeed.open(channel.plain, (data.client = { ...base, isServed: false, isBehind: false }));
    } else {
      const follow = (isFollowing: boolean) =>
        void (isFollowing ? socket.subscribe(channel.liveTopic) : socket.unsubscribe(channel.liveTopic));
      const start = { cursor: data.cursor, isFollowing: false, transfer: undefined, follow };
      liveFeed.subscribe(channel.live, (data.client = { ...base, ...start }));
    }
    onOpen(data);
  }

  function drain(socket: Socket): void {
    if (closing) return closeIfDone(socket);
    const { data } = socket;
    if (data.feed === "plain") plainFeed.drain(data.channel.plain, data.client!);
    else liveFeed.drain(data.channel.live, data.client!);
  }

  function close(socket: Socket, closeCode: number, closeReason: string): void {
    const { data } = socket;
    const { code, reason } = data.ended ?? { code: closeCode, reason: closeReason };
    sockets.delete(socket);
    if (data.feed === "plain") plainFeed.close(data.channel.plain, data.client!);
    else liveFeed.unsubscribe(data.channel.live, data.client!);
    const why = closedBy(code, reason);
    if (why) figures.closed[why]++;
    onClose(data, code, reason);
  }

  function hear({ data }: Socket): void {
    data.heardAt = performance.now();
    data.owedBytes = Infinity;
  }

  async function beat(): Promise<void> {
    const now = performance.now();
    const silent = [...sockets].filter(({ data }) => now - data.heardAt > idleMs / 2);
    for (const socket of silent) {
      if (now - socket.data.pingedAt < idleMs / 4) continue;
      socket.data.pingedAt = now;
      socket.ping();
    }
    if (!silent.some(({ data }) => now - data.heardAt > idleMs)) return;
    const inKernel = await unacknowledged().catch(() => () => undefined);
    for (const socket of silent) if (sockets.has(socket)) judge(socket, inKernel(socket.data.peer));
  }

  /** Who has taken all, the last ping too, is there, whether or not it answers. */
  function judge(socket: Socket, unacknowledgedBytes: number | undefined): void {
    const { data } = socket;
    const owedBytes = socket.getBufferedAmount() + (unacknowledgedBytes ?? 0);
    const isTaking = owedBytes < data.owedBytes && data.owedBytes < Infinity;
    if (isTaking || (unacknowledgedBytes !== undefined && owedBytes === 0))
      data.heardAt = performance.now() - idleMs / 2;
    data.owedBytes = owedBytes;
    if (performance.now() - data.heardAt <= idleMs + stallMs) return;
    data.ended = { code: 1006, reason: `timed out: nothing moved for ${idleMs / 1000} s` };
    socket.terminate();
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
      const buffered = [...sockets].reduce((sum, socket) => sum + socket.getBufferedAmount(), 0);
      if (buffered < least) stuckMs = 0;
      least = Math.min(least, buffered);
    }
    if (sockets.size === 0) return;
    for (const socket of [...sockets]) socket.close(code, reason);
    await Bun.sleep(FLUSH_MS);
  }

  return {
    handlers: {
      data: {} as Connection,
      backpressureLimit: 1, // at most the one frame that is under way
      maxPayloadLength: maxIncomingBytes,
      idleTimeout: 0, // the runtime's does not know what the kernel holds
      sendPings: false,
      open,
      message: hear,
      pong: hear,
      drain,
      close,
    },
    beat,
    dismiss(channel, code, reason) {
      for (const socket of [...sockets]) if (socket.data.channel === channel) socket.data.client?.close(code, reason);
    },
    closeAll,
  };
}

/** What the client did to be closed by the runtime, which gives a reason with 1006 (and sends its own close code). */
function closedBy(code: number, reason: string): "message" | "idle" | "protocol" | undefined {
  if (code !== 1006 || reason === "") return undefined;
  return reason.includes("too big") ? "message" : reason.includes("timed out") ? "idle" : "protocol";
}

function consumerOf(socket: Socket, traffic: Traffic) {
  const counts = traffic[socket.data.feed];
  return {
    pendingBytes: 0,
    progressAt: 0,
    peer: socket.data.peer,
    buffered: () => socket.getBufferedAmount(),
    close(code: number, reason: string) {
      if (socket.getBufferedAmount() === 0) return void socket.close(code, reason);
      // A closing socket keeps what it owes for seconds, and nobody could tell how much that is.
      socket.data.ended = { code, reason };
      socket.terminate();
    },
    send(message: string) {
      const sent = socket.send(message); // -1: it waits here
      if (sent !== 0) {
        counts.messages++;
        counts.bytes += sent > 0 ? sent : Buffer.byteLength(message);
      }
      return sent > 0;
    },
  };
}
