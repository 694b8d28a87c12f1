// The stream of a table and the beat of its server, from a place on: what is read, and what of it was written just now.
import { CsvError } from "../csv/error.ts";
import type { RelayConnection } from "./redis.ts";
import { isBehind, parseEntry, type RelayEntry, type relayKeys } from "./wire.ts";

export type StreamItem = {
  /** Undefined for a kind that is not known here. */
  readonly entry: RelayEntry | undefined;
  /** What is wrong with it, if it is no entry at all. */
  readonly fault: CsvError | undefined;
  readonly bytes: number;
  /** It was written after this connection began to read: what was there before says nothing about now. */
  readonly isFresh: boolean;
};

export type RelayStream = {
  /** Waits a while for entries, those of the table before those of the server, and reads on behind them. */
  next(): Promise<readonly StreamItem[]>;
  /** Reads on behind this entry of the table. */
  seek(id: string): void;
};

const ENTRIES_PER_READ = 64;
const START = "0-0";

/** Where one stream is read from, and how far it had come when the reading began. */
type Place = { readonly key: string; at: string; tip: string };

/** Reads both from their ends on, until `seek`. A wait lasts `waitMs`. */
export async function openStream(
  connection: RelayConnection,
  keys: Pick<ReturnType<typeof relayKeys>, "stream" | "beat">,
  waitMs: number,
): Promise<RelayStream> {
  const table = await placeOf(connection, keys.stream);
  const places = [table, await placeOf(connection, keys.beat)];
  let calledAt = performance.now();

  async function next(): Promise<readonly StreamItem[]> {
    // Whoever was suspended finds old entries waiting, and they are not fresh.
    if (performance.now() - calledAt > 3 * waitMs)
      for (const place of places) place.tip = await lastId(connection, place.key);
    calledAt = performance.now();
    const from = [...places.map(({ key }) => key), ...places.map(({ at }) => at)];
    const args = ["COUNT", `${ENTRIES_PER_READ}`, "BLOCK", `${Math.max(1, Math.round(waitMs))}`, "STREAMS", ...from];
    const answer = (await connection.send("XREAD", args, waitMs)) as Answer;
    const isPrompt = performance.now() - calledAt <= 3 * waitMs;
    if (!answer) for (const place of places) await rewind(connection, place);
    return places.flatMap((place) => itemsOf(place, answer?.[place.key] ?? [], isPrompt));
  }

  return { next, seek: (id) => void (table.at = id) };
}

/** `[id, fields]` by the key of a stream; null for none within the time. */
type Answer = Readonly<Record<string, [id: string, fields: string[]][]>> | null;

async function placeOf(connection: RelayConnection, key: string): Promise<Place> {
  const tip = await lastId(connection, key);
  return { key, at: tip, tip };
}

function itemsOf(place: Place, entries: readonly [id: string, fields: string[]][], isPrompt: boolean): StreamItem[] {
  place.at = entries.at(-1)?.[0] ?? place.at;
  return entries.map(([id, fields]) => ({
    ...parsed(fields),
    bytes: fields.reduce((sum, field) => sum + field.length, 0),
    isFresh: isPrompt && isBehind(id, place.tip),
  }));
}

function parsed(fields: readonly string[]): Pick<StreamItem, "entry" | "fault"> {
  try {
    return { entry: parseEntry(fields), fault: undefined };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return { entry: undefined, fault: error };
  }
}

/** A stream that was begun anew, by an engine whose clock was set back, ends before the place that is read from. */
async function rewind(connection: RelayConnection, place: Place): Promise<void> {
  if (isBehind(place.at, await lastId(connection, place.key))) place.at = START;
}

/** The id of the last entry of a stream; of none, one that is before all. */
export async function lastId(connection: RelayConnection, key: string): Promise<string> {
  const found = (await connection.send("XREVRANGE", [key, "+", "-", "COUNT", "1"])) as [string, string[]][];
  return found[0]?.[0] ?? START;
}
