// One connection to Redis or Valkey that either answers or is given up: nothing waits in it for better times, and nothing waits for
// it for ever. A frozen server or a cut network looks like one that is slow; Bun's client alone would wait.
import { redacted } from "./address.ts";

export type RelayConnection = {
  /** Rejects if there is no answer in time; then the connection is closed. */
  send(command: string, args: readonly string[], extraMs?: number): Promise<unknown>;
  /** Runs a script that touches these keys. */
  script(text: string, keys: readonly string[], args: readonly string[], extraMs?: number): Promise<unknown>;
  close(): void;
};

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
      timer = setTimeout(() => {
        reject(new Error(`no answer to ${what} within ${Math.round(ms / 100) / 10} s`));
        client.close();
      }, ms);
    });
    answer.catch(() => {}); // when it was late
    try {
      return await Promise.race([answer, late]);
    } catch (error) {
      throw new Error(reasonOf(error));
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
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
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

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  if (code === "ERR_REDIS_CONNECTION_CLOSED") return "no connection (is it running, are the credentials right?)";
  return redacted(`${message ?? error}`.split("\n")[0]!);
}
