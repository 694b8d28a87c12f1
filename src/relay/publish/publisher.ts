// Publishes the tables of this server to a relay, as long as the topic is its own: keeps a connection, and the lease. Its own clients
// never wait for Redis. RELAY.md says what is stored where.
import { randomBytes } from "node:crypto";
import type { Publication, Sink } from "../../feed/publication.ts";
import type { LinkCounts, Snapshot } from "../../source/source.ts";
import type { RelayAddress } from "../address.ts";
import { connectRelay, refusalOf } from "../redis.ts";
import { claim, release, type RelayTopic } from "../scripts.ts";
import { relayKeys } from "../wire.ts";
import {
  addPublication,
  begin,
  countsOf,
  dropPending,
  dueInMs,
  newWriter,
  setStatus,
  stopWriting,
  write,
  type WriterState,
} from "./writer.ts";

export type PublisherOptions = {
  readonly address: RelayAddress;
  /** Milliseconds between two heartbeats; the lease lapses after five of them, and replicas call the table stale. */
  readonly heartbeatMs: number;
  /**
   * Whether to report at once that another server has the topic. Otherwise only when its lease should have lapsed: it may be that of
   * this server before it was killed.
   */
  readonly isStandby: boolean;
  /** The table that was published last, or a later one. */
  readonly snapshot: () => Promise<Snapshot<"rows">>;
};

export type PublisherEvents = {
  /**
   * The topic is this server's. `isForeign`: another one has written over the epoch that is published, of which nothing will be written
   * any more; again from time to time, until there is a publication of another epoch.
   */
  onOwned(isForeign: boolean): void;
  /** Another server publishes the topic. Once, until it is this server's. */
  onTaken(): void;
  /** Redis cannot be reached, or does not do what it should; once, until it does. */
  onAway(why: string): void;
  onBack(): void;
  /** The table cannot be written. Once for each reason, until it can be. */
  onTrouble(why: string): void;
};

export type RelayPublisherRole = "starting" | "publisher" | "standby";

export type PublisherCounts = LinkCounts & {
  readonly role: RelayPublisherRole;
  readonly pendingEntries: number;
  readonly pendingBytes: number;
};

export type Publisher = Sink & { counts(): PublisherCounts; close(): Promise<void> };

export type PublisherState = {
  readonly options: PublisherOptions;
  readonly events: PublisherEvents;
  readonly lease: Pick<RelayTopic, "keys" | "owner" | "ttlMs">;
  readonly writer: WriterState;
  role: RelayPublisherRole;
  /** Undefined without a connection. */
  topic: RelayTopic | undefined;
  /** The last publication came through a relay itself: nothing of it is published. */
  isRelayed: boolean;
  isAway: boolean;
  /** Redis said no; how much had been written by then. Only more of it shows that it says yes again: a lease alone is no room. */
  refusedAt: number | undefined;
  isClosed: boolean;
  reconnects: number;
  /** When Redis last did what it should; ms since 1970, 0 for never. */
  heardAt: number;
  /** Since when another server has had the topic, and when `onOwned` last reported a foreign epoch; by the monotonic clock. */
  takenAt: number | undefined;
  foreignAt: number;
  pauseMs: number;
  /** `wake` ends a pause only if that is for want of something to write. */
  wake: () => void;
  endPause: () => void;
};

const LEASE_HEARTBEATS = 5;
const MIN_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2_000;
/** However short a heartbeat is, so long an answer may take. */
const MIN_ANSWER_MS = 500;
/** A foreign epoch is reported again after this time: it may not have been possible to replace it. */
const FOREIGN_MS = 10_000;

export function openPublisher(options: PublisherOptions, events: PublisherEvents): Publisher {
  const state = newPublisher(options, events);
  let closing: Promise<void> | undefined;
  run(state).catch((error: unknown) => events.onAway(`${error}`));
  return {
    publish: (publication) => publish(state, publication),
    setStatus(status) {
      if (!state.isRelayed) setStatus(state.writer, status);
    },
    counts: () => publisherCounts(state),
    close: () => (closing ??= close(state)),
  };
}

export function newPublisher(options: PublisherOptions, events: PublisherEvents): PublisherState {
  const { address, heartbeatMs, snapshot } = options;
  const lease = {
    keys: relayKeys(address.topic),
    owner: randomBytes(12).toString("base64url"),
    ttlMs: heartbeatMs * LEASE_HEARTBEATS,
  };
  const onDue = () => state.wake();
  const state: PublisherState = {
    options,
    events,
    lease,
    writer: newWriter({ heartbeatMs, snapshot, onTrouble: events.onTrouble, onDue }),
    role: "starting",
    topic: undefined,
    isRelayed: false,
    isAway: false,
    refusedAt: undefined,
    isClosed: false,
    reconnects: 0,
    heardAt: 0,
    takenAt: undefined,
    foreignAt: -Infinity,
    pauseMs: MIN_PAUSE_MS,
    wake: () => {},
    endPause: () => {},
  };
  return state;
}

export function publish(state: PublisherState, publication: Publication): void {
  state.isRelayed = publication.about.relay !== undefined;
  if (state.isRelayed) setStatus(state.writer, undefined);
  else addPublication(state.writer, publication);
}

function publisherCounts({ role, topic, isAway, heardAt, reconnects, writer }: PublisherState): PublisherCounts {
  return { role, connected: topic !== undefined && !isAway, heardAt, reconnects, ...countsOf(writer) };
}

async function run(state: PublisherState): Promise<void> {
  const { options, lease } = state;
  for (; !state.isClosed; state.pauseMs = Math.min(state.pauseMs * 2, MAX_PAUSE_MS)) {
    try {
      const boundMs = Math.max(2 * options.heartbeatMs, MIN_ANSWER_MS);
      const connection = await connectRelay(options.address.url, boundMs);
      if (state.isClosed) return connection.close();
      state.topic = { ...lease, connection };
      await serve(state, state.topic);
    } catch (error) {
      lose(state, error);
    }
    stopWriting(state.writer);
    if (state.isClosed) return; // `close` needs the connection, and closes it
    state.topic?.connection.close();
    state.topic = undefined;
    await pause(state, state.pauseMs * (0.5 + Math.random() / 2));
  }
}

function lose(state: PublisherState, error: unknown): void {
  if (state.isClosed) return;
  if (refusalOf(error) !== undefined) {
    state.refusedAt = writtenBy(state.writer);
    state.writer.isStatusDue = true; // something to try with
  } else if (state.topic) state.reconnects++;
  if (!state.isAway) state.events.onAway(error instanceof Error ? error.message : String(error));
  state.isAway = true;
}

const writtenBy = ({ entries, snapshots }: WriterState) => entries + snapshots;

function answered(state: PublisherState): void {
  if (state.refusedAt !== undefined && writtenBy(state.writer) === state.refusedAt) return;
  state.refusedAt = undefined;
  state.heardAt = Date.now();
  state.pauseMs = MIN_PAUSE_MS;
  if (state.isAway) state.events.onBack();
  state.isAway = false;
}

async function pause(state: PublisherState, ms: number): Promise<void> {
  if (state.isClosed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  state.endPause = resolve;
  await promise;
  clearTimeout(timer);
}

/** For as long as the connection holds. */
async function serve(state: PublisherState, topic: RelayTopic): Promise<void> {
  while (!state.isClosed) {
    const { outcome, head } = await claim(topic);
    if (state.isClosed) return;
    if (outcome === "taken") state.refusedAt = undefined; // there is nothing to be refused
    answered(state);
    if (outcome === "taken") await standBy(state);
    else await writeWhileOwned(state, topic, head);
  }
}

async function standBy(state: PublisherState): Promise<void> {
  const { options, lease, role, events } = state;
  const now = performance.now();
  state.takenAt ??= now;
  const isSure = options.isStandby || role === "publisher" || now - state.takenAt > lease.ttlMs + options.heartbeatMs;
  if (role !== "standby" && isSure) {
    state.role = "standby";
    events.onTaken();
  }
  dropPending(state.writer);
  await pause(state, options.heartbeatMs / 2);
}

async function writeWhileOwned(state: PublisherState, topic: RelayTopic, head: string): Promise<void> {
  const { writer } = state;
  begin(writer, head);
  own(state);
  while (!state.isClosed && (await write(writer, topic))) {
    answered(state);
    own(state);
    const dueMs = dueInMs(writer, performance.now());
    if (dueMs === 0) continue;
    state.wake = () => state.endPause();
    await pause(state, dueMs);
    state.wake = () => {};
  }
}

/** Reports what is new about having the topic. */
function own(state: PublisherState): void {
  const { role, writer, foreignAt, events } = state;
  const now = performance.now();
  const isForeign = writer.foreignEpoch !== undefined;
  const isForeignDue = isForeign && now - foreignAt >= FOREIGN_MS;
  state.takenAt = undefined;
  state.role = "publisher";
  state.foreignAt = isForeign ? (isForeignDue ? now : foreignAt) : -Infinity;
  if (role !== "publisher" || isForeignDue) events.onOwned(isForeign);
}

async function close(state: PublisherState): Promise<void> {
  state.isClosed = true;
  state.endPause();
  stopWriting(state.writer);
  const { topic, role } = state;
  if (topic && role === "publisher") await Promise.race([release(topic).catch(() => {}), Bun.sleep(MIN_ANSWER_MS)]);
  topic?.connection.close();
}
