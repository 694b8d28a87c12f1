// Publishes the tables of this server to a relay, as long as the topic is its own: keeps a connection, and the lease. Its own clients
// never wait for Redis. RELAY.md says what stands where.
import { randomBytes } from "node:crypto";
import type { Rendering } from "../file.ts";
import type { RelayAddress } from "./address.ts";
import { connectRelay } from "./connection.ts";
import { claim, release, type RelayTopic } from "./scripts.ts";
import type { RelayFacts } from "./snapshot.ts";
import { relayKeys, type RelayStatus } from "./wire.ts";
import { openWriter } from "./writer.ts";

export type { RelayFacts } from "./snapshot.ts";
export type { RelayStatus } from "./wire.ts";

export type PublisherOptions = {
  readonly address: RelayAddress;
  /** Milliseconds between two signs of life; the lease lapses after five of them, and replicas call the table stale. */
  readonly heartbeatMs: number;
  /**
   * Whether to say at once that another server has the topic. Otherwise only when its lease should have lapsed: it may be that of
   * this server before it was killed.
   */
  readonly isStandby: boolean;
  /** The table that was published last, or a later one. */
  readonly render: () => Promise<Rendering>;
};

export type PublisherEvents = {
  /** The topic is this server's. `isForeign`: another one has written over the epoch on air, which therefore needs a new name. */
  onOwned(isForeign: boolean): void;
  /** Another server publishes the topic. Once, until it is this server's. */
  onTaken(): void;
  /** Redis cannot be had, or does not do what it should; once, until it does. */
  onAway(why: string): void;
  onBack(): void;
  /** The table cannot be written. */
  onTrouble(why: string): void;
};

export type PublisherFigures = {
  readonly role: "starting" | "publisher" | "standby";
  readonly connected: boolean;
  /** When Redis last did what it should; ms since 1970, 0 for never. */
  readonly heardAt: number;
  readonly entries: number;
  readonly bytes: number;
  readonly snapshots: number;
  readonly reconnects: number;
  readonly pendingEntries: number;
  readonly pendingBytes: number;
};

export type RelayPublisher = {
  /** A table has taken the place of the one before; `splices` as in a delta of the live feed, undefined if it is another one. */
  publish(table: RelayFacts, splices: string | undefined): void;
  setStatus(status: RelayStatus): void;
  figures(): PublisherFigures;
  /** Gives the topic back. */
  close(): Promise<void>;
};

const LEASE_BEATS = 5;
const MIN_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2_000;
/** However short a heartbeat is, so long an answer may take. */
const MIN_ANSWER_MS = 500;

export function openPublisher(options: PublisherOptions, events: PublisherEvents): RelayPublisher {
  const { address, heartbeatMs, isStandby, render } = options;
  const ttlMs = heartbeatMs * LEASE_BEATS;
  const lease = { keys: relayKeys(address.topic), owner: randomBytes(12).toString("base64url") };
  const writer = openWriter({ heartbeatMs, render, onTrouble: events.onTrouble }, () => wake());
  let role: PublisherFigures["role"] = "starting";
  let topic: RelayTopic | undefined;
  let reconnects = 0;
  let isAway = false;
  let isClosed = false;
  let heardAt = 0;
  let takenAt: number | undefined;
  let pauseMs = MIN_PAUSE_MS;
  let wake = () => {}; // if the writer is waited for
  let endPause = () => {};

  async function live(): Promise<void> {
    for (; !isClosed; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
      try {
        const connection = await connectRelay(address.url, Math.max(2 * heartbeatMs, MIN_ANSWER_MS));
        topic = { ...lease, connection, ttlMs };
        await serve(topic);
      } catch (error) {
        lose(error);
      }
      if (isClosed) return; // `close` still needs it
      topic?.connection.close();
      topic = undefined;
      await pause(pauseMs * (0.5 + Math.random() / 2));
    }
  }

  function lose(error: unknown): void {
    if (isClosed) return;
    if (topic) reconnects++;
    if (!isAway) events.onAway(error instanceof Error ? error.message : String(error));
    isAway = true;
  }

  function heard(): void {
    heardAt = Date.now();
    pauseMs = MIN_PAUSE_MS;
    if (isAway) events.onBack();
    isAway = false;
  }

  async function pause(ms: number): Promise<void> {
    if (isClosed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    endPause = resolve;
    await promise;
    clearTimeout(timer);
  }

  /** For as long as the connection holds. */
  async function serve(mine: RelayTopic): Promise<void> {
    while (!isClosed) {
      const { outcome, head } = await claim(mine);
      heard();
      if (outcome === "taken") await standBy();
      else await writeWhileOwn(mine, head);
    }
  }

  async function standBy(): Promise<void> {
    takenAt ??= performance.now();
    const isSure = isStandby || role === "publisher" || performance.now() - takenAt > ttlMs + heartbeatMs;
    if (role !== "standby" && isSure) {
      role = "standby";
      events.onTaken();
    }
    writer.drop();
    await pause(heartbeatMs / 2);
  }

  async function writeWhileOwn(mine: RelayTopic, head: string): Promise<void> {
    takenAt = undefined;
    const isForeign = writer.begin(head);
    const wasOwn = role === "publisher";
    role = "publisher";
    if (!wasOwn || isForeign) events.onOwned(isForeign);
    while (!isClosed && (await writer.write(mine))) {
      heard();
      const dueMs = writer.dueIn();
      if (dueMs === 0) continue;
      wake = () => endPause();
      await pause(dueMs);
      wake = () => {};
    }
  }

  live().catch((error: unknown) => events.onAway(`${error}`));

  return {
    publish: writer.publish,
    setStatus: writer.setStatus,
    figures: () => ({ role, connected: topic !== undefined && !isAway, heardAt, reconnects, ...writer.counts() }),
    async close() {
      isClosed = true;
      endPause();
      if (topic && role === "publisher") await Promise.race([release(topic).catch(() => {}), Bun.sleep(MIN_ANSWER_MS)]);
      topic?.connection.close();
    },
  };
}
