// The stream of a topic, from a place on: what is read, and what of it was written just now.
import type { RelayConnection } from "./redis.ts";
import { isBehind, parseEntry, type RelayEntry } from "./wire.ts";

export type StreamItem = {
  /** Undefined for a kind that is not known here. */
  readonly entry: RelayEntry | undefined;
  readonly bytes: number;
  /** It was written after this connection began to read: what was there before says nothing about now. */
  readonly isFresh: boolean;
};

export type RelayStream = {
  /** Waits a while for entries, and reads on behind them. */
  next(): Promise<readonly StreamItem[]>;
  /** Reads on behind this entry. */
  seek(id: string): void;
};

const ENTRIES_PER_READ = 64;
const START = "0-0";

/** Reads from the end of the stream on, until `seek`. A wait lasts `waitMs`. */
export async function openStream(connection: RelayConnection, key: string, waitMs: number): Promise<RelayStream> {
  let tip = await lastId(connection, key);
  let at = tip;
  let calledAt = performance.now();

  async function next(): Promise<readonly StreamItem[]> {
    // Whoever was suspended finds old entries waiting, and they are not fresh.
    if (performance.now() - calledAt > 3 * waitMs) tip = await lastId(connection, key);
    calledAt = performance.now();
    const args = ["COUNT", `${ENTRIES_PER_READ}`, "BLOCK", `${Math.max(1, Math.round(waitMs))}`, "STREAMS", key, at];
    const entries = entriesOf(await connection.send("XREAD", args, waitMs), key);
    const isPrompt = performance.now() - calledAt <= 3 * waitMs;
    at = entries.at(-1)?.[0] ?? (await placeAfter(at));
    return entries.map(([id, fields]) => ({
      entry: parseEntry(fields),
      bytes: fields.reduce((sum, field) => sum + field.length, 0),
      isFresh: isPrompt && isBehind(id, tip),
    }));
  }

  /** A stream that was begun anew, by an engine whose clock was set back, ends before the place that is read from. */
  async function placeAfter(id: string): Promise<string> {
    return isBehind(id, await lastId(connection, key)) ? START : id;
  }

  return { next, seek: (id) => void (at = id) };
}

/** The id of the last entry of a stream; of none, one that is before all. */
export async function lastId(connection: RelayConnection, key: string): Promise<string> {
  const found = (await connection.send("XREVRANGE", [key, "+", "-", "COUNT", "1"])) as [string, string[]][];
  return found[0]?.[0] ?? START;
}

function entriesOf(answer: unknown, key: string): [id: string, fields: string[]][] {
  return ((answer ?? {}) as Record<string, [string, string[]][]>)[key] ?? [];
}
