// Publishes the tables of this server to a relay, as long as the topic is its own: keeps a connection, and the lease. Its own clients
// never wait for Redis. RELAY.md says what is stored where.
import { randomBytes } from "node:crypto";
import type { Sink } from "../../feed/publication.ts";
import type { LinkCounts, Snapshot } from "../../source/source.ts";
import type { RelayAddress } from "../address.ts";
import { connectRelay, refusalOf } from "../redis.ts";
import { claim, release, type RelayTopic } from "../scripts.ts";
import { relayKeys } from "../wire.ts";
import {
  beginAll,
  dueMsOf,
  headKeys,
  newTables,
  openTable,
  type PublishedTables,
  setTables,
  stopAll,
  type TablesState,
  writeAll,
} from "./tables.ts";
import { dropPending } from "./writer.ts";

export type PublisherOptions = {
  readonly address: RelayAddress;
  /** Milliseconds between two heartbeats; the lease lapses after five of them, and replicas call the table stale. */
  readonly heartbeatMs: number;
  /**
   * Whether to report at once that another server has the topic. Otherwise only when its lease should have lapsed: it may be that of
   * this server before it was killed.
   */
  readonly isStandby: boolean;
};

/** `table`: the name of its keys. */
export type PublisherEvents = {
  /** The topic is this server's. */
  onOwned(): void;
  /**
   * Another server has written over the epoch that is published of a table, of which nothing will be written any more; again from time to
   * time, until there is a publication of another epoch.
   */
  onForeign(table: string): void;
  /** Another server publishes the topic. Once, until it is this server's. */
  onTaken(): void;
  /** Redis cannot be reached, or does not do what it should; once, until it does. */
  onAway(why: string): void;
  onBack(): void;
  /** A table cannot be written. Once for each reason, until it can be. */
  onTrouble(table: string, why: string): void;
};

export type RelayPublisherRole = "starting" | "publisher" | "standby";

export type PublisherCounts = LinkCounts & {
  readonly role: RelayPublisherRole;
  readonly pendingEntries: number;
  readonly pendingBytes: number;
  /** How many are published. */
  readonly tables: number;
};

export type Publisher = {
  /** Takes what is published of the table whose keys have this name, and its snapshots: that which was published last, or a later one. */
  table(name: string, snapshot: () => Promise<Snapshot<"rows">>): Sink;
  /** The tables of this server. Nothing is written before they are known, and what is stored of others is deleted then. */
  setTables(tables: PublishedTables): void;
  counts(): PublisherCounts;
  close(): Promise<void>;
};

type PublisherState = {
  readonly options: PublisherOptions;
  readonly events: PublisherEvents;
  readonly lease: Pick<RelayTopic, "keys" | "owner" | "ttlMs">;
  readonly tables: TablesState;
  role: RelayPublisherRole;
  /** Undefined without a connection. */
  topic: RelayTopic | undefined;
  isAway: boolean;
  /** Redis said no; how much had been written by then. Only more of it shows that it says yes again: a lease alone is no room. */
  refusedAt: number | undefined;
  isClosed: boolean;
  reconnects: number;
  /** When Redis last did what it should; ms since 1970, 0 for never. */
  heardAt: number;
  /** Since when another server has had the topic, by the monotonic clock. */
  takenAt: number | undefined;
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
    table: (name, snapshot) => openTable(state.tables, name, snapshot),
    setTables: (tables) => setTables(state.tables, tables),
    counts: () => publisherCounts(state),
    close: () => (closing ??= close(state)),
  };
}

function newPublisher(options: PublisherOptions, events: PublisherEvents): PublisherState {
  const { address, heartbeatMs } = options;
  const lease = {
    keys: relayKeys(address.topic),
    owner: randomBytes(12).toString("base64url"),
    ttlMs: heartbeatMs * LEASE_HEARTBEATS,
  };
  const state: PublisherState = {
    options,
    events,
    lease,
    tables: newTables({
      ...{ topic: address.topic, heartbeatMs, onTrouble: events.onTrouble },
      onDue: () => state.wake(),
    }),
    role: "starting",
    topic: undefined,
    isAway: false,
    refusedAt: undefined,
    isClosed: false,
    reconnects: 0,
    heardAt: 0,
    takenAt: undefined,
    pauseMs: MIN_PAUSE_MS,
    wake: () => {},
    endPause: () => {},
  };
  return state;
}

function publisherCounts({ role, topic, isAway, heardAt, reconnects, tables }: PublisherState): PublisherCounts {
  const { budget, counts, writers } = tables;
  const all = [counts, ...writers.values()];
  const sumOf = (key: keyof typeof counts) => all.reduce((sum, one) => sum + one[key], 0);
  return {
    ...{ role, connected: topic !== undefined && !isAway, heardAt, reconnects, tables: writers.size },
    ...{ entries: sumOf("entries"), bytes: sumOf("bytes"), snapshots: sumOf("snapshots") },
    ...{ pendingEntries: budget.pending.entries, pendingBytes: budget.pending.bytes },
  };
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
    stopAll(state.tables);
    if (state.isClosed) return; // `close` needs the connection, and closes it
    state.topic?.connection.close();
    state.topic = undefined;
    await pause(state, state.pauseMs * (0.5 + Math.random() / 2));
  }
}

function lose(state: PublisherState, error: unknown): void {
  if (state.isClosed) return;
  if (refusalOf(error) !== undefined) {
    state.refusedAt = writtenBy(state);
    for (const writer of state.tables.writers.values()) writer.isStatusDue = true; // something to try with
  } else if (state.topic) state.reconnects++;
  if (!state.isAway) state.events.onAway(error instanceof Error ? error.message : String(error));
  state.isAway = true;
}

function writtenBy(state: PublisherState): number {
  const { entries, snapshots } = publisherCounts(state);
  return entries + snapshots;
}

function answered(state: PublisherState): void {
  if (state.refusedAt !== undefined && writtenBy(state) === state.refusedAt) return;
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
    const { outcome, list, heads } = await claim(topic, headKeys(state.tables));
    if (state.isClosed) return;
    if (outcome === "taken") state.refusedAt = undefined; // there is nothing to be refused
    answered(state);
    if (outcome === "taken") await standBy(state);
    else await writeWhileOwned(state, topic, list, heads);
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
  for (const writer of state.tables.writers.values()) dropPending(writer);
  await pause(state, options.heartbeatMs / 2);
}

async function writeWhileOwned(
  state: PublisherState,
  topic: RelayTopic,
  list: string,
  heads: readonly string[],
): Promise<void> {
  const { tables } = state;
  beginAll(tables, list, heads);
  own(state);
  while (!state.isClosed && (await writeAll(tables, topic))) {
    answered(state);
    own(state);
    const dueMs = dueMsOf(tables, performance.now());
    if (dueMs === 0) continue;
    state.wake = () => state.endPause();
    await pause(state, dueMs);
    state.wake = () => {};
  }
  stopAll(tables);
}

/** Reports what is new about having the topic. */
function own(state: PublisherState): void {
  const { role, tables, events } = state;
  state.takenAt = undefined;
  state.role = "publisher";
  if (role !== "publisher") events.onOwned();
  const now = performance.now();
  for (const [name, writer] of tables.writers) {
    if (writer.foreignEpoch === undefined) writer.foreignAt = -Infinity;
    else if (now - writer.foreignAt >= FOREIGN_MS) {
      writer.foreignAt = now;
      events.onForeign(name);
    }
  }
}

async function close(state: PublisherState): Promise<void> {
  state.isClosed = true;
  state.endPause();
  stopAll(state.tables);
  const { topic, role } = state;
  if (topic && role === "publisher") await Promise.race([release(topic).catch(() => {}), Bun.sleep(MIN_ANSWER_MS)]);
  topic?.connection.close();
}
