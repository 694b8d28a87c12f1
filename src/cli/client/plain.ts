// A client of the plain feed, for programs: every message is the whole table.
import { keepConnected } from "../../follow/connection.ts";
import { handshakeOf } from "./handshake.ts";

export type ClientOptions = {
  /** `ws://…` or `wss://…` of a server. */
  readonly url: string | URL;
  /** What the server asks strangers for. */
  readonly token?: string | undefined;
  /** For `wss:`, the certificates (PEM) to trust besides the public authorities; `false` trusts any. */
  readonly ca?: string | false | undefined;
  /** Without a connection for this long, the server counts as gone for good. Default: never. */
  readonly giveUpMs?: number | undefined;
  /** The whole table as JSON: a message of the plain feed, as it came. */
  readonly onMessage: (text: string) => void;
  readonly onOpen?: (() => void) | undefined;
  /** The connection ended or could not be made; the next attempt is in `delayMs`. */
  readonly onRetry?: ((why: string, delayMs: number) => void) | undefined;
  /** It is of no use to go on. Nothing follows. */
  readonly onEnd?: ((why: string) => void) | undefined;
};

export type ClientHandle = { close(): void; /** Lets the server wait. */ pause(): void; resume(): void };

/** Listens to the plain feed of a server, and connects again when the connection is lost. Throws SyntaxError for an address that is none. */
export function websocketClient(options: ClientOptions): ClientHandle {
  const { url, giveUpMs = Infinity, onMessage, onOpen, onRetry, onEnd } = options;
  return keepConnected({
    connect: () => new WebSocket(url, handshakeOf(options)),
    giveUpMs,
    onOpen: () => onOpen?.(),
    onMessage(text) {
      onMessage(text);
      return true;
    },
    onRetry: (why, delayMs) => onRetry?.(why, delayMs),
    onEnd: (why) => onEnd?.(why),
  });
}
