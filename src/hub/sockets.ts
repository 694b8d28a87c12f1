// WebSocket connections: each a client of one of the two feeds.
import type { ServerWebSocket, WebSocketHandler } from "bun";
import type { Cursor } from "../feed/protocol.ts";
import type { LiveFeed, Reader } from "./live.ts";
import type { PlainFeed, Viewer } from "./plain.ts";

export const PLAIN_TOPIC = "csv";
export const LIVE_TOPIC = "csv.live";

/** What is known of a connection. `cursor`: what its client held when it came. */
export type Client =
  | { readonly feed: "plain"; peer?: Viewer }
  | { readonly feed: "live"; readonly cursor: Cursor | undefined; peer?: Reader };

type Socket = ServerWebSocket<Client>;

export type Sockets = {
  readonly handlers: WebSocketHandler<Client>;
  /** Whether anything is under way to anyone. */
  isBusy(): boolean;
  closeAll(code: number, reason: string): void;
};

/** Clients have nothing to say: this is room for a greeting. */
const MAX_INCOMING_BYTES = 4096;

/** A connection on which nothing moves for `idleSeconds` is closed. */
export function openSockets(plain: PlainFeed, live: LiveFeed, onClients: () => void, idleSeconds: number): Sockets {
  const sockets = new Set<Socket>();

  function open(socket: Socket): void {
    sockets.add(socket);
    const { data } = socket;
    const peer = peerOf(socket);
    if (data.feed === "plain") {
      socket.subscribe(PLAIN_TOPIC);
      plain.open((data.peer = { ...peer, isServed: false, isBehind: false }));
    } else {
      const follow = (isFollowing: boolean) =>
        void (isFollowing ? socket.subscribe(LIVE_TOPIC) : socket.unsubscribe(LIVE_TOPIC));
      live.open((data.peer = { ...peer, cursor: data.cursor, isFollowing: false, transfer: undefined, follow }));
    }
    onClients();
  }

  function drain({ data }: Socket): void {
    if (data.feed === "plain") plain.drain(data.peer!);
    else live.drain(data.peer!);
  }

  function close(socket: Socket): void {
    const { data } = socket;
    sockets.delete(socket);
    if (data.feed === "plain") plain.close(data.peer!);
    else live.close(data.peer!);
    onClients();
  }

  return {
    handlers: {
      data: {} as Client,
      backpressureLimit: 1, // at most the one frame that is under way
      maxPayloadLength: MAX_INCOMING_BYTES,
      idleTimeout: idleSeconds,
      open,
      message() {},
      drain,
      close,
    },
    isBusy: () => [...sockets].some((socket) => socket.getBufferedAmount() > 0),
    closeAll(code, reason) {
      for (const socket of [...sockets]) socket.close(code, reason);
    },
  };
}

function peerOf(socket: Socket) {
  return {
    debt: 0,
    unsent: 0,
    takenAt: 0,
    backlog: () => socket.getBufferedAmount(),
    close: (code: number, reason: string) => socket.close(code, reason),
    send: (message: string) => socket.send(message) > 0,
  };
}
