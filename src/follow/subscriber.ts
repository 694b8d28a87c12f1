// The other end of the live feed: a copy of the table that keeps itself whole, whatever the network does.
// Web-standard APIs only, so that it runs in Bun, browsers and Node.
import { keepConnected, type Socket, type Timing } from "./connection.ts";
import {
  type DeltaMessage,
  type Message,
  parseMessage,
  type SnapshotMessage,
  type Splice,
  type StatusMessage,
  SUBPROTOCOL,
  type SyncMessage,
} from "../feed/protocol.ts";
import { type Block, BLOCKS } from "./blocks.ts";
import { readPart } from "./part.ts";
import { blocksIn, changesBetween, openTable, type PartialTable, type Table, windowChange } from "./table.ts";

/** What the connection does: `open` is catching up, `current` has all that the server has, `waiting` tries again. */
export type ConnectionState =
  | { readonly state: "open" }
  | { readonly state: "current" }
  | { readonly state: "waiting"; readonly why: string; readonly delayMs: number };

/**
 * What there is to hear of a table. Each is called when the table is whole. An error thrown in one of them is the program's own:
 * it surfaces as an uncaught error, and the subscription goes on.
 */
export type SubscriberEvents = {
  /**
   * A table has come, whole. `splices` turn the one before into it; undefined for the first, or if the columns are others.
   * Follows only when a change does not say it: a new start of the server, another header, a long absence.
   */
  onSnapshot?(table: Table, splices: readonly Splice[] | undefined): void;
  /**
   * These splices have made another table of the one before, which stays as it was. As it is another object each time, the setter of a
   * React state may be given as it is, here and as `onSnapshot`: each change renders.
   */
  onChange?(table: Table, splices: readonly Splice[]): void;
  /** A part of a table has come, not the last: what there is so far, for those who show that it is incomplete. */
  onPart?(table: PartialTable): void;
  /** Whether the table is what the file says. Comes again with each connection. */
  onStatus?(status: StatusMessage): void;
  onConnection?(connection: ConnectionState): void;
  /** Each message that was taken, as it came, before the events that it leads to. */
  onMessage?(text: string, message: Message): void;
  /** It is of no use to go on: refused, not a live feed, or gone for `giveUpMs`. Without this it is an uncaught error. */
  onEnd?(why: string): void;
};

export type SubscribeOptions = SubscriberEvents &
  Partial<Timing> & {
    /**
     * What the server asks strangers for. Goes into the URL as `?token=`: the only way that browsers have, so the same everywhere.
     * Where headers can be given, `connect` can send `Authorization: Bearer …` instead.
     */
    readonly token?: string | undefined;
    /** The class, where there is none built in (Node 20), such as that of `ws` or undici. */
    readonly WebSocket?: (new (url: string, protocol: string) => Socket) | undefined;
    /** Makes the WebSocket in a way of its own; `token` and `WebSocket` are then not used. */
    readonly connect?: ((url: string, protocol: string) => Socket) | undefined;
    /**
     * Keeps the rows as the text that they came as, and parses those that are asked for, each time anew: a third of the memory, for
     * programs that look at few rows of a large table. Default: false, a row is parsed once and stays the same array.
     */
    readonly keepText?: boolean | undefined;
  };

export type Subscription = {
  /** Ends it. Nothing is called any more. */
  close(): void;
  /** Lets the server wait, in Bun and with `ws`; elsewhere this does nothing. */
  pause(): void;
  resume(): void;
  /** The table as it is now: another object after each change. Undefined until the first is whole. */
  readonly table: Table | undefined;
  /** The state that the table is in, and that a lost connection goes on from; undefined while there is none to be trusted. */
  readonly cursor: string | undefined;
  /** Whether the server has nothing that this copy lacks, as far as it has said. */
  readonly isCurrent: boolean;
};

/** The server speaks at least every 5 s: three times nothing is a dead connection. */
const SILENCE_MS = 15_000;

/**
 * Follows the table of a server, `ws://…`, `wss://…`, or the same as `http`; in a browser also relative to the page. Finds its way
 * back by itself: after a lost or silent connection it takes up where it was; if anything does not fit, it gets the table anew.
 * Throws a TypeError for an address that is none, or if the runtime has no WebSocket and none is given.
 */
export function subscribe(url: string | URL, options: SubscribeOptions = {}): Subscription {
  const settings = { ...BLOCKS, keepsText: options.keepText ?? false };
  const copy = openTable(settings);
  let isCurrent = false;
  let isClosed = false;
  let gapAt: string | undefined;
  const { silenceMs = SILENCE_MS, connect = connectWith(options.WebSocket) } = options;
  const token = options.connect ? undefined : options.token;

  const connection = keepConnected({
    ...options,
    silenceMs,
    protocol: SUBPROTOCOL,
    connect: () => connect(feedUrl(url, token, copy.cursor()), SUBPROTOCOL),
    onOpen() {
      copy.dropParts();
      emit(() => options.onConnection?.({ state: "open" }));
    },
    onMessage: receive,
    onRetry(why, delayMs) {
      isCurrent = false;
      emit(() => options.onConnection?.({ state: "waiting", why, delayMs }));
    },
    onEnd(why) {
      isCurrent = false;
      emit(() => (options.onEnd ? options.onEnd(why) : uncaught(new Error(`csvcast: ${why}`))));
      isClosed = true;
    },
  });

  function emit(event: () => void): void {
    if (isClosed) return;
    try {
      event();
    } catch (error) {
      uncaught(error);
    }
  }

  function receive(text: string): boolean {
    if (text.startsWith("[")) {
      connection.end(`${SUBPROTOCOL} was agreed on, but what comes is something else`);
      return false;
    }
    try {
      const part = readPart(text, settings);
      if (part) return takePart(text, part.message, part.blocks);
      const message = parseMessage(text);
      return message !== undefined && take(text, message);
    } catch (error) {
      copy.distrust();
      resync(error instanceof Error ? error.message : String(error));
      return false;
    }
  }

  function take(text: string, message: Message): boolean {
    switch (message.type) {
      case "snapshot":
        return takePart(text, message);
      case "delta":
        return takeDelta(text, message);
      case "sync":
        return takeSync(text, message);
      case "status":
        emit(() => options.onMessage?.(text, message));
        emit(() => options.onStatus?.(message));
        if (message.state === "waiting" || copy.cursor() !== undefined) becomeCurrent();
        return true;
    }
  }

  function takePart(text: string, part: SnapshotMessage, blocks?: readonly Block[]): boolean {
    const before = copy.table();
    const outcome = copy.applySnapshotPart(part, blocks);
    isCurrent = false;
    if (outcome === "gap") return resync("a part of the table is missing");
    emit(() => options.onMessage?.(text, part));
    const table = copy.table();
    if (outcome === "part" && options.onPart) emit(() => options.onPart?.(copy.partial()!));
    if (outcome === "part" || !table) return false;
    emit(() => options.onSnapshot?.(table, changeBetween(before, table)));
    return true;
  }

  function takeDelta(text: string, delta: DeltaMessage): boolean {
    const outcome = copy.applyDelta(delta);
    if (outcome === "gap") return resync("a change was missed");
    const table = copy.table();
    if (outcome === "duplicate" || !table) return false;
    emit(() => options.onMessage?.(text, delta));
    emit(() => options.onChange?.(table, delta.splices));
    return true;
  }

  function takeSync(text: string, sync: SyncMessage): boolean {
    const outcome = copy.compare(sync);
    if (outcome === "gap") return resync("the table is not what the server has");
    emit(() => options.onMessage?.(text, sync));
    becomeCurrent();
    return true;
  }

  function becomeCurrent(): void {
    if (isCurrent || isClosed || copy.isPartial()) return;
    isCurrent = true;
    emit(() => options.onConnection?.({ state: "current" }));
  }

  /** From the cursor; if that has led to the same place before, from nothing. */
  function resync(why: string): false {
    const cursor = copy.cursor();
    if (cursor !== undefined && cursor === gapAt) copy.distrust();
    gapAt = cursor;
    connection.renew(why);
    return false;
  }

  return {
    close() {
      isClosed = true;
      isCurrent = false;
      connection.close();
    },
    pause: connection.pause,
    resume: connection.resume,
    get table() {
      return copy.table();
    },
    get cursor() {
      return copy.cursor();
    },
    get isCurrent() {
      return isCurrent;
    },
  };
}

/** Undefined if the columns are others, or there was no table. */
function changeBetween(before: Table | undefined, after: Table): Splice[] | undefined {
  const isSame = before?.columns.length === after.columns.length;
  if (!before || !isSame || before.columns.some((name, i) => name !== after.columns[i])) return undefined;
  return windowChange(before, after) ?? changesBetween(blocksIn(before), blocksIn(after));
}

/** In a task of its own, where the runtime sees it: `window.onerror`, `uncaughtException`. */
function uncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

type SocketClass = new (url: string, protocol: string) => Socket;

function connectWith(given: SocketClass | undefined): (url: string, protocol: string) => Socket {
  const WebSocket = given ?? (globalThis as unknown as { WebSocket?: SocketClass }).WebSocket;
  if (!WebSocket)
    throw new TypeError("this runtime has no WebSocket: give one as options.WebSocket, such as that of `ws`");
  return (url, protocol) => new WebSocket(url, protocol);
}

/** Where a server is asked for the live feed from a cursor on. */
export function feedUrl(url: string | URL, token: string | undefined, cursor: string | undefined): string {
  const page = (globalThis as { location?: { href: string } }).location?.href;
  const address = new URL(url, page);
  address.protocol = address.protocol.replace(/^http/, "ws");
  if (!/^wss?:$/.test(address.protocol)) throw new TypeError(`${address.protocol}: not the address of a WebSocket`);
  address.hash = "";
  if (token !== undefined) address.searchParams.set("token", token);
  if (cursor !== undefined) address.searchParams.set("since", cursor);
  return address.href;
}
