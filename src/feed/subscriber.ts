// The other end of a feed: connect, back off, connect again. Web-standard APIs only, so that it runs in Bun, browsers and Node.

/** What of a WebSocket is used here; the standard one has it all. */
export type Socket = Pick<WebSocket, "addEventListener" | "close" | "readyState">;

export type SubscriberEvents = {
  onOpen(): void;
  onMessage(text: string): void;
  /** The connection ended or could not be made; the next attempt is in `delayMs`. */
  onRetry(why: string, delayMs: number): void;
  /** It is of no use to go on: refused, or gone for `giveUpMs`. Nothing follows. */
  onEnd(why: string): void;
};

export type SubscriberOptions = SubscriberEvents & {
  /** Makes a WebSocket; throws for an address that is none. */
  readonly connect: () => Socket;
  /** Milliseconds without a connection after which the server counts as gone for good. */
  readonly giveUpMs: number;
};

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 10_000;
const HANDSHAKE_MS = 10_000;

/**
 * Close codes after which the same client will be refused again (RFC 6455, section 7.4.1): unsupported data,
 * policy violation, message too big.
 */
const HOPELESS_CODES = new Set([1003, 1008, 1009]);

/** Follows a feed until `close` is called or it is of no use to go on. */
export function subscribe(options: SubscriberOptions): { close(): void } {
  let attempt = 0;
  let lostAt = Date.now();
  let isClosed = false;
  let socket: Socket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let handshake: ReturnType<typeof setTimeout> | undefined;

  function connect(): void {
    const mine = options.connect();
    socket = mine;
    let wasOpen = false;
    let isDone = false;
    let failure = "";
    handshake = setTimeout(() => {
      failure = `no answer to the WebSocket handshake within ${HANDSHAKE_MS / 1000} s`;
      mine.close();
      lost(0, "");
    }, HANDSHAKE_MS);

    function lost(code: number, reason: string): void {
      if (isDone || isClosed) return;
      isDone = true;
      clearTimeout(handshake);
      if (wasOpen) lostAt = Date.now();
      const why = reason || failure || (wasOpen ? `connection lost (${code})` : "cannot connect");
      const status = /status code: (\d+)/.exec(failure)?.[1];
      const isTooBig = wasOpen && /too big/i.test(failure); // Bun takes 128 MiB, and so will the next message be
      if (isTooBig || HOPELESS_CODES.has(code) || (status && isHopelessStatus(Number(status)))) return end(why);
      const delayMs = delayOf(attempt++);
      if (Date.now() + delayMs - lostAt > options.giveUpMs) return end(why);
      options.onRetry(why, delayMs);
      timer = setTimeout(connect, delayMs);
    }

    mine.addEventListener("open", () => {
      clearTimeout(handshake);
      if (isDone || isClosed) return mine.close(1000);
      wasOpen = true;
      options.onOpen();
    });
    mine.addEventListener("message", ({ data }) => {
      if (isDone || isClosed) return;
      attempt = 0;
      if (typeof data === "string") options.onMessage(data);
    });
    mine.addEventListener("error", (event) => {
      // Bun and Node tell why in the event, the standard does not; the address is known.
      const message = "message" in event && typeof event.message === "string" ? event.message : "";
      failure = message.replace(/^WebSocket connection to '.*' failed: /, "") || failure;
    });
    mine.addEventListener("close", ({ code, reason }) => lost(code, reason));
  }

  function end(why: string): void {
    isClosed = true;
    options.onEnd(why);
  }

  connect();
  return {
    close() {
      isClosed = true;
      clearTimeout(timer);
      clearTimeout(handshake);
      socket?.close(1000);
    },
  };
}

/** Of HTTP answers to the handshake, only "too many" and failures of the server or a proxy may pass. */
function isHopelessStatus(status: number): boolean {
  return status < 500 && status !== 429 && status !== 408;
}

/** Exponential backoff with jitter between half and all of the delay, so that clients do not return all at once. */
function delayOf(attempt: number): number {
  const full = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
  return Math.round(full * (0.5 + Math.random() / 2));
}
