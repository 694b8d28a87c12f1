// The stream of a server and those of its tables, from a place on: what is read, and what of it was written just now.
import { CsvError } from "../csv/error.ts";
import type { RelayConnection } from "./redis.ts";
import { isBehind, parseEntry, type RelayEntry } from "./wire.ts";

export type StreamItem = {
  readonly id: string;
  /** Undefined for a kind that is not known here. */
  readonly entry: RelayEntry | undefined;
  /** What is wrong with it, if it is no entry at all. */
  readonly fault: CsvError | undefined;
  readonly bytes: number;
  /** It was written after this connection began to read: what was there before says nothing about now. */
  readonly isFresh: boolean;
};

/** Where a stream is read from, and how far it had come when the reading began; of one without a `tip` nothing is fresh. */
export type Place = { readonly key: string; at: string; tip: string | undefined };

export type RelayStreams = {
  /**
   * What is behind these places and those that are always read, in this order; reads on behind it. Without anything there it waits for
   * `waitMs` at most, for an entry at any of them.
   */
  next(others: readonly Place[], waitMs: number): Promise<ReadonlyMap<Place, readonly StreamItem[]>>;
};

export const ENTRIES_PER_READ = 64;
export const START = "0-0";

/** What is fresh is told by `always`, whose ends are where the reading begins. */
export async function openStreams(
  connection: RelayConnection,
  always: readonly Place[],
  maxWaitMs: number,
): Promise<RelayStreams> {
  await moveTips(connection, always);
  let calledAt = performance.now();

  async function next(others: readonly Place[], waitMs: number): Promise<ReadonlyMap<Place, readonly StreamItem[]>> {
    const places = [...others, ...always];
    // Whoever was suspended finds old entries waiting, and they are not fresh.
    if (performance.now() - calledAt > 3 * maxWaitMs) await moveTips(connection, always);
    calledAt = performance.now();
    const from = [...places.map(({ key }) => key), ...places.map(({ at }) => at)];
    const wait = waitMs > 0 ? ["BLOCK", `${Math.max(1, Math.round(waitMs))}`] : [];
    const args = ["COUNT", `${ENTRIES_PER_READ}`, ...wait, "STREAMS", ...from];
    const answer = (await connection.send("XREAD", args, Math.max(0, waitMs))) as Answer;
    const isPrompt = performance.now() - calledAt <= 3 * maxWaitMs;
    if (!answer && waitMs >= maxWaitMs) for (const place of always) await rewind(connection, place);
    return new Map(places.map((place) => [place, itemsOf(place, answer?.[place.key] ?? [], isPrompt)]));
  }

  return { next };
}

/** `[id, fields]` by the key of a stream; null for none within the time. */
type Answer = Readonly<Record<string, [id: string, fields: string[]][]>> | null;

async function moveTips(connection: RelayConnection, places: readonly Place[]): Promise<void> {
  for (const place of places) place.tip = await lastId(connection, place.key);
}

function itemsOf(place: Place, entries: readonly [id: string, fields: string[]][], isPrompt: boolean): StreamItem[] {
  place.at = entries.at(-1)?.[0] ?? place.at;
  return entries.map(([id, fields]) => ({
    id,
    ...parsed(fields),
    bytes: fields.reduce((sum, field) => sum + field.length, 0),
    isFresh: isPrompt && place.tip !== undefined && isBehind(id, place.tip),
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
