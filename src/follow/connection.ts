// Keeps one WebSocket up: connect, back off, connect again, and never trust silence. Knows nothing of what is sent.
// Web-standard APIs only, so that it runs in Bun, browsers and Node.
import { isRetryable } from "../feed/protocol.ts";

/** What of a WebSocket is used here: the standard one has it all, and so do those of `ws` and undici. */
export type Socket = {
  readonly protocol: string;
  close(code?: number): void;
  addEventListener(type: "open", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { readonly code: number; readonly reason: string }) => void): void;
  addEventListener(type: "error", listener: (event: object) => void): void;
  /** Bun and `ws` can let a server wait, and hang up on one that does not answer; browsers can do neither. */
  pause?(): void;
  resume?(): void;
  terminate?(): void;
};

export type ConnectionEvents = {
  onOpen(): void;
  /** True if all is as it should be: then the next delay is the shortest again. */
  onMessage(text: string): boolean;
  /** The connection ended or could not be made; the next attempt is in `delayMs`. */
  onRetry(why: string, delayMs: number): void;
  /** It is of no use to go on: refused, or gone for `giveUpMs`. Nothing follows. */
  onEnd(why: string): void;
};

/** All in milliseconds. */
export type Timing = {
  /** Without a connection for this long, the server counts as gone for good. Default: never. */
  readonly giveUpMs: number;
  /** Without a message for this long, a connection counts as dead. Default: never. */
  readonly silenceMs: number;
  /** For the WebSocket handshake. Default: 10 s. */
  readonly handshakeMs: number;
  /** Before the second attempt; it doubles with each up to `maxDelayMs`. Defaults: 250 ms and 10 s. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** From 0 to 1: jitter between half and all of a delay, so that clients do not return all at once. */
  readonly random: () => number;
};

export const DEFAULT_TIMING: Timing = {
  giveUpMs: Infinity,
  silenceMs: Infinity,
  handshakeMs: 10_000,
  firstDelayMs: 250,
  maxDelayMs: 10_000,
  random: () => Math.random(),
};

export type ConnectionOptions = ConnectionEvents &
  Partial<Timing> & {
    /** Makes a WebSocket; throws for an address that is none. */
    readonly connect: () => Socket;
    /** The subprotocol that the server must have selected. Default: any. */
    readonly protocol?: string;
  };

export type Connection = {
  /** Gives this connection up and makes another; the more often, the later. */
  renew(why: string): void;
  /** Ends it for good: `onEnd` is called. */
  end(why: string): void;
  /** Ends it for good. Nothing is called any more. */
  close(): void;
  /** Lets the server wait, where the WebSocket can. Silence is expected then. */
  pause(): void;
  resume(): void;
};

/** After this long without a renewal the next one counts as the first. */
const CALM_MS = 60_000;
/** Silence is counted in ticks, so that a busy event loop or a sleeping laptop is not taken for a silent server. */
const QUIET_TICKS = 4;

/** Keeps a connection up until `close` is called or it is of no use to go on. Throws if the first `connect` does. */
export function keepConnected(options: ConnectionOptions): Connection {
  const timing = { ...DEFAULT_TIMING, ...options };
  let socket: Socket | undefined;
  let isOpen = false;
  let isPaused = false;
  let failure = "";
  let attempt = 0;
  let renewals = 0;
  let renewedAt = -Infinity;
  let lostAt = Date.now();
  let isClosed = false;
  let quietTicks = 0;
  let timer: ReturnType<typeof setTimeout> | undefined; // until the next attempt, or for the handshake
  let silence: ReturnType<typeof setInterval> | undefined;

  function connect(): void {
    const mine = options.connect();
    const isMine = () => socket === mine;
    socket = mine;
    isOpen = false;
    failure = "";
    timer = setTimeout(() => {
      hangUp();
      retry(`no answer to the WebSocket handshake within ${timing.handshakeMs / 1000} s`);
    }, timing.handshakeMs);
    mine.addEventListener("open", () => (isMine() ? opened(mine) : mine.close(1000)));
    mine.addEventListener("message", ({ data }) => void (isMine() && received(data)));
    mine.addEventListener("error", (event) => void (isMine() && (failure = reasonOf(event) || failure)));
    mine.addEventListener("close", ({ code, reason }) => void (isMine() && lost(code, reason)));
  }

  function opened(mine: Socket): void {
    clearTimeout(timer);
    isOpen = true;
    if (options.protocol !== undefined && mine.protocol !== options.protocol) return end(notSpoken(options.protocol));
    quietTicks = 0;
    if (timing.silenceMs < Infinity) silence = setInterval(listen, timing.silenceMs / QUIET_TICKS);
    if (isPaused) mine.pause?.();
    options.onOpen();
  }

  function received(data: unknown): void {
    quietTicks = 0;
    if (typeof data === "string" && options.onMessage(data)) attempt = 0;
  }

  function listen(): void {
    if (isPaused || ++quietTicks <= QUIET_TICKS) return;
    hangUp();
    retry(`nothing heard for ${timing.silenceMs / 1000} s`);
  }

  function lost(code: number, reason: string): void {
    socket = undefined;
    const why = reason || failure || (isOpen ? `connection lost (${code})` : "cannot connect");
    if (isOpen && isTooBig(failure)) return end(why);
    if (!isOpen && options.protocol !== undefined && isAboutProtocol(failure)) return end(notSpoken(options.protocol));
    if (!isRetryable(code) || isHopelessAnswer(failure)) return end(why);
    retry(why);
  }

  function retry(why: string): void {
    clearTimers();
    if (isOpen) lostAt = Date.now();
    isOpen = false;
    const full = Math.min(timing.maxDelayMs, timing.firstDelayMs * 2 ** Math.max(attempt++, renewals));
    const delayMs = Math.round(full * (0.5 + timing.random() / 2));
    if (Date.now() + delayMs - lostAt > timing.giveUpMs) return end(why);
    options.onRetry(why, delayMs);
    if (!isClosed) timer = setTimeout(reconnect, delayMs);
  }

  function reconnect(): void {
    try {
      connect();
    } catch (error) {
      end(error instanceof Error ? error.message : String(error));
    }
  }

  /** Does not wait for an answer, where the WebSocket can. */
  function hangUp(): void {
    const mine = socket;
    socket = undefined;
    if (mine?.terminate) mine.terminate();
    else mine?.close();
  }

  function clearTimers(): void {
    clearTimeout(timer);
    clearInterval(silence);
  }

  function close(): void {
    const mine = socket;
    isClosed = true;
    socket = undefined;
    clearTimers();
    mine?.close(1000);
  }

  function end(why: string): void {
    if (isClosed) return;
    close();
    options.onEnd(why);
  }

  connect();
  return {
    renew(why) {
      if (isClosed || !socket) return;
      const now = Date.now();
      renewals = now - renewedAt > CALM_MS ? 0 : renewals + 1;
      renewedAt = now;
      const mine = socket;
      socket = undefined;
      mine.close(1000);
      retry(why);
    },
    end,
    close,
    pause() {
      isPaused = true;
      socket?.pause?.();
    },
    resume() {
      if (!isPaused) return;
      isPaused = false;
      quietTicks = 0;
      socket?.resume?.();
    },
  };
}

/** Bun and Node tell why in the event, the standard does not; the address is known. */
function reasonOf(event: object): string {
  const message = "message" in event && typeof event.message === "string" ? event.message : "";
  return message.replace(/^WebSocket connection to '.*' failed: /, "");
}

const notSpoken = (protocol: string) => `no ${protocol} is spoken there: an older csvcast, or something else`;

/** As Bun and `ws` say it; a browser says nothing, and lets `protocol` be empty or fails for an unknown reason. */
const isAboutProtocol = (failure: string) =>
  /(?:Missing|Mismatch) client protocol|(?:no|invalid) subprotocol/.test(failure);

/** More than Bun (128 MiB) or `ws` (100 MiB) takes, and so will the next message be. */
const isTooBig = (failure: string) => /too big|max payload size exceeded/i.test(failure);

/** Of HTTP answers to the handshake, only "too many" and failures of the server or a proxy may pass. */
function isHopelessAnswer(failure: string): boolean {
  const status = Number(/(?:status code|server response): (\d+)/.exec(failure)?.[1] ?? 503);
  return status < 500 && status !== 429 && status !== 408;
}
