// One connection to Redis or Valkey that either answers or is given up: nothing waits in it for better times, and nothing waits for
// it for ever. A frozen server or a cut network looks like one that is slow; Bun's client alone would wait.
import { printable } from "../feed/printable.ts";
import { redacted } from "./address.ts";

export type RelayConnection = {
  /** Rejects if there is no answer in time; then the connection is closed. */
  send(command: string, args: readonly string[], extraMs?: number): Promise<unknown>;
  /** Runs a script that touches these keys. */
  script(text: string, keys: readonly string[], args: readonly string[], extraMs?: number): Promise<unknown>;
  close(): void;
};

/** An answer that came while this thread was busy is taken before it counts as late. */
const GRACE_MS = 50;

/** Rejects, with a reason that holds no credentials, if no connection can be had within `boundMs`: so long any answer may take. */
export async function connectRelay(url: string, boundMs: number): Promise<RelayConnection> {
  const client = new Bun.RedisClient(url, {
    autoReconnect: false,
    enableOfflineQueue: false,
    maxRetries: 0,
    connectionTimeout: boundMs,
  });

  /** Of data, not of the answer as a whole: a large one may take its time while it comes. */
  async function within<T>(ms: number, what: string, answer: Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const giveUp = () => {
        reject(new Error(`no answer to ${what} within ${Math.round(ms / 100) / 10} s`));
        client.close();
      };
      timer = setTimeout(() => (timer = setTimeout(giveUp, GRACE_MS)), ms);
    });
    answer.catch(() => {}); // when it was late
    try {
      return await Promise.race([answer, late]);
    } catch (error) {
      throw failureOf(error);
    } finally {
      clearTimeout(timer);
    }
  }

  const send = (command: string, args: readonly string[], extraMs = 0) =>
    within(boundMs + extraMs, command, client.send(command, [...args]));

  await within(boundMs, "connecting", client.connect());
  /** By its hash: its text would be most of what is sent. */
  async function script(text: string, keys: readonly string[], args: readonly string[], extraMs?: number) {
    const rest = [`${keys.length}`, ...keys, ...args];
    try {
      return await send("EVALSHA", [hashOf(text), ...rest], extraMs);
    } catch (error) {
      if (refusalOf(error) !== "NOSCRIPT") throw error;
      return send("EVAL", [text, ...rest], extraMs);
    }
  }

  return {
    send,
    script,
    close: () => client.close(),
  };
}

const hashes = new Map<string, string>();

/** As Redis names scripts. */
function hashOf(text: string): string {
  const hash = hashes.get(text) ?? new Bun.CryptoHasher("sha1").update(text).digest("hex");
  hashes.set(text, hash);
  return hash;
}

/** An answer of Redis that says no; `refusal` is its first word, such as OOM or NOPERM. */
type Failure = Error & { readonly refusal?: string };

/** The first word of Redis's own, if it was Redis that said no: the connection is as good as before. */
export const refusalOf = (error: unknown): string | undefined =>
  error instanceof Error ? (error as Failure).refusal : undefined;

const REFUSALS = ["ERR_REDIS_SERVER_ERROR", "ERR_REDIS_INVALID_COMMAND"];
const MAX_WORDS = 255;

function failureOf(error: unknown): Failure {
  const { code = "", message = String(error) } = error as { code?: string; message?: string };
  if (code === "ERR_REDIS_CONNECTION_CLOSED")
    return new Error("no connection (is it running, are the credentials right?)");
  // Where in a script it happened is nobody's business.
  const words = printable(redacted(message.split(/\n|,? ?script: /)[0]!).slice(0, MAX_WORDS));
  const refusal = REFUSALS.includes(code) ? /^[A-Z]+(?= )/.exec(words)?.[0] : undefined;
  return refusal === undefined ? new Error(words) : Object.assign(new Error(`Redis says: ${words}`), { refusal });
}
