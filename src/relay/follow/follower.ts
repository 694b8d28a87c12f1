// A table that another server publishes, through Redis or Valkey, as a source: keeps a connection, reads the stream, and the snapshot
// where the stream does not lead on. Everything is validated, and only what follows what is known is applied. RELAY.md has the layout.
import { MAX_COLUMNS } from "../../csv/dialect.ts";
import { CsvError } from "../../csv/error.ts";
import { formatCursor } from "../../feed/protocol.ts";
import { openSnapshots, type Snapshots } from "../../source/snapshots.ts";
import type { OpenSource, SourceEvents, SourceSettings } from "../../source/source.ts";
import { parseAddress, type RelayAddress } from "../address.ts";
import { connectRelay, type RelayConnection } from "../redis.ts";
import { openStream, type RelayStream, type StreamItem } from "../stream.ts";
import { parsePointer, parseRows, relayKeys, type RelayPointer } from "../wire.ts";
import {
  type Change,
  countsOf,
  disconnect,
  type FollowerState,
  newState,
  publicationOf,
  publishUnconfirmed,
  statusOf,
  takeOrSkip,
  takeSnapshot,
} from "./state.ts";
import { draftTable, type RelayTable } from "./table.ts";
import { wantedVerdicts } from "./typing.ts";

/** However short the silence may be, so long an answer may take. */
const MIN_ANSWER_MS = 500;
const MIN_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2_000;
/** Counts are reported so often, and when the connection comes or goes. */
const COUNTS_MS = 500;
/** Parts of a snapshot that are read at once: of 256 kB each. */
const PARTS_PER_READ = 4;
/** A slow network may take longer for a part than for anything else. */
const PART_EXTRA_MS = 8_000;

type Follower = {
  readonly address: RelayAddress;
  readonly keys: ReturnType<typeof relayKeys>;
  readonly settings: SourceSettings;
  readonly events: SourceEvents;
  readonly snapshots: Snapshots;
  readonly state: FollowerState;
  /** Between two attempts to connect; grows until the publisher is heard. */
  pauseMs: number;
  countedAt: number;
  wasConnected: boolean;
  /** Where changes were missing last, as text. */
  gapAt: string;
  connection: RelayConnection | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
  endPause: () => void;
  isClosed: boolean;
};

/** Follows the relay at `settings.location`. */
export const openFollower: OpenSource = (settings, events, resume) => {
  const snapshots = openSnapshots();
  const address = parseAddress(settings.location);
  if ("fault" in address) {
    const refusal = setTimeout(() => events.onRefused({ kind: "not-found", reason: address.fault }));
    return { snapshot: snapshots.snapshot, close: () => (clearTimeout(refusal), snapshots.close()) };
  }
  const follower: Follower = {
    address,
    keys: relayKeys(address.topic),
    settings,
    events,
    snapshots,
    state: newState(address.name, settings.silenceMs, resume),
    pauseMs: MIN_PAUSE_MS,
    countedAt: -Infinity,
    wasConnected: false,
    gapAt: "",
    connection: undefined,
    timer: undefined,
    endPause: () => {},
    isClosed: false,
  };
  run(follower).catch((error: unknown) => fail(follower, error));
  follower.timer = setTimeout(() => review(follower));
  return { snapshot: snapshots.snapshot, close: () => close(follower) };
};

function close(follower: Follower): void {
  follower.isClosed = true;
  clearTimeout(follower.timer);
  follower.endPause();
  follower.connection?.close();
  follower.snapshots.close();
}

/** A defect of ours: what should not throw has. */
function fail({ events, isClosed }: Follower, error: unknown): void {
  const reason = `the relay failed: ${error}`;
  if (!isClosed) events.onStatus({ state: "stale", problem: { kind: "io", reason } });
}

async function run(follower: Follower): Promise<void> {
  const boundMs = Math.max(follower.settings.silenceMs / 2, MIN_ANSWER_MS);
  for (; !follower.isClosed; follower.pauseMs = Math.min(follower.pauseMs * 2, MAX_PAUSE_MS)) {
    try {
      follower.connection = await connectRelay(follower.address.url, boundMs);
      if (!follower.isClosed) await read(follower, follower.connection);
    } catch (error) {
      disconnect(follower.state, error);
      review(follower);
    }
    follower.connection?.close();
    follower.connection = undefined;
    await pause(follower, follower.pauseMs * (0.5 + Math.random() / 2));
  }
}

async function pause(follower: Follower, ms: number): Promise<void> {
  if (follower.isClosed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  follower.endPause = resolve;
  await promise;
  clearTimeout(timer);
}

/** For as long as the connection holds. */
async function read(follower: Follower, connection: RelayConnection): Promise<void> {
  const { state, keys, settings } = follower;
  const stream = await openStream(connection, keys, settings.silenceMs / 4);
  state.isConnected = true;
  follower.gapAt = "";
  await findPlace(follower, connection, stream, true);
  review(follower);
  while (!follower.isClosed) {
    const place = takeAll(follower, await stream.next());
    if (place !== "follows" || !state.copy) await findPlace(follower, connection, stream, place !== "ahead");
  }
}

/**
 * Up to an entry that does not follow what is known, the first time at this place: what was read again and lacks the same changes leads
 * nowhere. What is malformed is passed over: if it was a change, the next one shows that it is missing.
 */
function takeAll(follower: Follower, items: readonly StreamItem[]): "follows" | "ahead" | "gap" {
  const { state } = follower;
  let place: "follows" | "ahead" = "follows";
  for (const { entry, fault, bytes, isFresh } of items) {
    if (follower.isClosed) break;
    state.entries++;
    state.bytes += bytes;
    if (fault) state.skipped = fault.reason;
    if (!entry) continue;
    const step = takeOrSkip(state, entry, isFresh, { now: performance.now(), date: Date.now() });
    if (step.change) publish(follower, step.change);
    if (step.isConfirmed) confirmed(follower);
    if (step.place === "gap" && isFirstGap(follower)) return "gap";
    if (step.place !== "follows") place = "ahead";
  }
  return place;
}

function isFirstGap(follower: Follower): boolean {
  const { copy, skipped } = follower.state;
  const at = copy ? formatCursor(copy) : "";
  const isFirst = at !== follower.gapAt;
  follower.gapAt = at;
  if (!isFirst && skipped === "") follower.state.skipped = "changes are missing";
  return isFirst;
}

function confirmed(follower: Follower): void {
  follower.pauseMs = MIN_PAUSE_MS;
  reportStatus(follower);
}

/** Reads the snapshot if it leads further than what is known, and then on behind it, as also after a gap. */
async function findPlace(
  { state, keys, settings }: Follower,
  connection: RelayConnection,
  stream: RelayStream,
  isGap: boolean,
): Promise<void> {
  const text = await connection.send("GET", [keys.pointer]);
  if (typeof text !== "string") {
    if (!state.copy) state.problem = "has no such topic yet";
    return;
  }
  const pointer = parsePointer(text, settings.maxColumns ?? MAX_COLUMNS);
  const { copy } = state;
  if (copy?.epoch === pointer.epoch && copy.version >= pointer.version) {
    if (isGap) stream.seek(pointer.after);
    return;
  }
  const contents = await load(state, settings, connection, keys.list(pointer.id), pointer);
  takeSnapshot(state, pointer, contents, { now: performance.now(), date: Date.now() });
  stream.seek(pointer.after);
}

async function load(
  state: FollowerState,
  settings: SourceSettings,
  connection: RelayConnection,
  list: string,
  { columns, rows, parts }: RelayPointer,
): Promise<RelayTable> {
  const { maxFileBytes, maxMemoryBytes, maxCellBytes, lastRows } = settings;
  const maxBytes = Math.min(maxFileBytes, maxMemoryBytes);
  const draft = draftTable(columns, { maxBytes, maxCellBytes, lastRows });
  for (let at = 0; at < parts; at += PARTS_PER_READ) {
    const last = Math.min(at + PARTS_PER_READ, parts) - 1;
    const texts = (await connection.send("LRANGE", [list, `${at}`, `${last}`], PART_EXTRA_MS)) as string[];
    if (texts.length !== last - at + 1) throw new Error("the snapshot was replaced while it was read");
    for (const text of texts) {
      draft.add(parseRows(text, columns.length));
      state.bytes += text.length;
    }
    if (draft.rows() > rows) break;
  }
  if (draft.rows() !== rows) throw new CsvError("io", `a snapshot has ${draft.rows()} rows instead of ${rows}`);
  return draft.finish();
}

function publish({ state, address, settings, snapshots, events }: Follower, change: Change): void {
  const { copy } = state;
  if (!copy) return;
  const publication = publicationOf(copy, address.name, change, performance.now());
  const { cursor, columns, first } = publication;
  const { first: from, end: to } = copy.contents.view();
  const verdicts = wantedVerdicts(settings.types, columns);
  snapshots.show({ cursor, columns, first, table: copy.contents.table.blocks(), from, to, verdicts });
  events.onPublication(publication);
}

/** What time alone changes: silence, and counts that are due. Comes again in time for either. */
function review(follower: Follower): void {
  const { state, events, settings, countedAt, wasConnected } = follower;
  if (follower.isClosed) return;
  const now = performance.now();
  if (now - countedAt >= COUNTS_MS || wasConnected !== state.isConnected) {
    events.onLink?.(countsOf(state));
    follower.countedAt = now;
    follower.wasConnected = state.isConnected;
  }
  const change = publishUnconfirmed(state, now);
  if (change) publish(follower, change);
  reportStatus(follower);
  clearTimeout(follower.timer);
  follower.timer = setTimeout(() => review(follower), nextReviewMs(state, settings.silenceMs, now));
}

/** The deadline only ever moves away: whoever looks four times on the way to it misses none. */
function nextReviewMs({ confirmedAt, copiedAt }: FollowerState, silenceMs: number, now: number): number {
  const soonMs = Math.min(COUNTS_MS, silenceMs / 4);
  const leftMs = Math.max(confirmedAt, copiedAt) + silenceMs - now;
  return leftMs > 0 ? Math.min(soonMs, leftMs + 1) : soonMs;
}

function reportStatus({ state, events }: Follower): void {
  const status = statusOf(state, performance.now());
  if (status) events.onStatus(status);
}
