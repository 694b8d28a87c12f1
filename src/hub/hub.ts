// The endpoints of a server: who comes in, and to which channel. Wires the rest of this room. Knows no file.
import type { Channel } from "../channel/channel.ts";
import type { Backlog } from "../channel/client.ts";
import type { ClientEvent, ClientKind } from "../channel/events.ts";
import { type PageFile, text } from "../channel/http.ts";
import type { Certificate } from "../channel/options.ts";
import * as liveFeed from "../channel/live.ts";
import { CLOSE, type Cursor } from "../feed/protocol.ts";
import type { AccessPolicy, Visitor } from "./access.ts";
import { type Admission, openAdmission } from "./admission.ts";
import { openBacklog } from "./backlog.ts";
import { openEntrance } from "./entrance.ts";
import { type Figures, openFigures, type RelayCounts, serverMetrics } from "./figures.ts";
import { openKept } from "./kept.ts";
import { openListener } from "./listener.ts";
import { openNeighbours } from "./neighbours.ts";
import type { NetworkOptions } from "./options.ts";
import { openPages } from "./pages.ts";
import { openSockets } from "./sockets.ts";
import { startTicks } from "./ticks.ts";

export type HubOptions = NetworkOptions & {
  readonly access: AccessPolicy;
  readonly heartbeatMs: number;
  /** The page at `/` and what it loads, by path; without it there is none. */
  readonly pages?: (() => Promise<ReadonlyMap<string, PageFile>>) | undefined;
  readonly onEvent: (event: ClientEvent) => void;
};

export type Hub = {
  readonly address: Address;
  readonly backlog: Backlog;
  /** To all who have subscribed to the topic; gives how many they are. */
  broadcast(topic: string, text: string): number;
  /** Serves a channel from now on, and says how it goes with its relay. */
  serve(channel: Channel, relay: RelayView): void;
  /** For connections from now on. Throws if it is none. */
  renew(certificate: Certificate): void;
  /** Closes all clients with 1001, flushing what is under way to them, within `graceMs`. */
  close(graceMs: number): Promise<void>;
};

/** The relay that a channel has to do with, if any. */
export type RelayView = {
  address(): { readonly topic: string; readonly host: string } | undefined;
  counts(): RelayCounts | undefined;
};

export type Address = { readonly hostname: string; readonly port: number; readonly scheme: "ws" | "wss" };

const BEAT_MS = 1_000;
/** For the last bytes on their way into the network. */
const END_MS = 50;

/** Starts listening. Throws what Bun.serve throws if the address cannot be had. */
export function openHub(options: HubOptions): Hub {
  const { access, onEvent, maxClients, maxPerAddress, maxIncomingBytes } = options;
  const idleSeconds = Math.round(options.idleMs / 1000);
  const startedAt = Date.now();
  const now = () => performance.now();
  const figures = openFigures();
  const { userOf, unacknowledged } = openNeighbours(() => listener.port);
  const { maxBacklogBytes: maxBytes, stallMs } = options;
  const backlog = openBacklog({ maxBytes, stallMs, now, unacknowledged });
  const admission = openAdmission({ policy: access, maxClients, maxPerAddress, now, userOf });
  const { came, went, openEvents } = openBook(figures, admission, onEvent);
  let channel: Channel | undefined;
  let relay: RelayView | undefined;

  const sockets = openSockets({
    figures,
    idleMs: options.idleMs,
    stallMs,
    unacknowledged,
    maxIncomingBytes,
    onOpen: ({ feed, address }) => came(feed, address),
    onClose: ({ feed, address, since }, code, reason) => went(feed, address, since, reason, code),
  });
  const entrance = openEntrance({
    policy: access,
    admission,
    kept: openKept(options.idleMs, now),
    pages: openPages(options.pages),
    channel: () => channel,
    health: () => healthOf(channel, relay && relayHealth(relay)),
    metrics: () => (channel ? serverMetrics({ figures, channel, backlog, startedAt, relay: relay?.counts() }) : ""),
    openEvents,
    onRefused({ cause, status }, address) {
      figures.refused[cause]++;
      onEvent({ type: "client-refused", cause, status, address });
    },
  });
  const listener = openListener({
    hostname: options.hostname,
    port: options.port,
    certificate: options.certificate,
    idleSeconds,
    fetch: entrance,
    onError: () => text(500, "internal error"),
    websocket: sockets.handlers,
  });
  const beats = setInterval(beat, Math.min(BEAT_MS, options.heartbeatMs / 5));
  const ticks = startTicks(options.intervalMs, (lagMs) => {
    figures.tickLagSeconds.observe(lagMs / 1000);
    channel?.tick();
  });

  function beat(): void {
    channel?.beat();
    void backlog.check();
    void sockets.beat();
  }

  async function close(graceMs: number): Promise<void> {
    clearInterval(beats);
    ticks.stop();
    const stopped = listener.stop();
    channel?.streams.close();
    await sockets.closeAll(CLOSE.goingAway, "server shutting down", graceMs);
    await Promise.race([stopped, Bun.sleep(END_MS)]);
    await Promise.race([listener.stop(true), Bun.sleep(END_MS)]);
  }

  return {
    address: { hostname: options.hostname, port: listener.port, scheme: options.certificate ? "wss" : "ws" },
    backlog,
    broadcast: listener.publish,
    serve(nextChannel, nextRelay) {
      channel = nextChannel;
      relay = nextRelay;
    },
    renew: listener.renew,
    close,
  };
}

/** Who came and went, for the counts and the log. */
function openBook(figures: Figures, admission: Admission, onEvent: HubOptions["onEvent"]) {
  function came(kind: ClientKind, address: string): void {
    figures.connections[kind]++;
    onEvent({ type: "client-connected", feed: kind, address });
  }

  function went(kind: ClientKind, address: string, since: number, reason: string, code?: number): void {
    admission.leave(address);
    const seconds = (performance.now() - since) / 1000;
    const ended = { feed: kind, address, seconds, reason, ...(code !== undefined && { code }) };
    onEvent({ type: "client-disconnected", ...ended });
  }

  function openEvents({ streams, live }: Channel, cursor: Cursor | undefined, { address, peer }: Visitor) {
    const since = performance.now();
    return streams.open(cursor, {
      peer,
      onOpen(subscriber) {
        liveFeed.subscribe(live, subscriber);
        came("events", address);
      },
      onDrain: (subscriber) => liveFeed.drain(live, subscriber),
      onClose(subscriber, reason) {
        liveFeed.unsubscribe(live, subscriber);
        went("events", address, since, reason);
      },
    });
  }

  return { came, went, openEvents };
}

/** What `/healthz` says. */
function healthOf(channel: Channel | undefined, relay: unknown) {
  const publication = channel?.feed.publication();
  const status = channel?.status();
  const { name = channel?.awaited() ?? "", relay: _relay, changedAt = 0, ...about } = publication?.about ?? {};
  const verdicts = publication?.columns.verdicts;
  const fields = {
    ...publication?.cursor,
    file: name,
    rows: publication?.rows ?? 0,
    columns: publication?.columns.count,
    types: verdicts && (JSON.parse(verdicts.types) as unknown),
    units: verdicts && (JSON.parse(verdicts.units) as unknown),
    ...about,
    changedMs: publication ? Math.max(0, Date.now() - Math.round(changedAt)) : undefined,
    ...status,
    clients: channel?.clients(),
    relay,
  };
  const isServed = publication && (status?.state === "live" || status?.state === "updating");
  return { status: isServed ? (200 as const) : (503 as const), fields };
}

/** `heardMs`: how long ago the other side was heard; null for never. */
function relayHealth(relay: RelayView) {
  const address = relay.address();
  if (!address) return undefined;
  const {
    role = "replica",
    connected = false,
    heardAt = 0,
    pendingEntries = 0,
    pendingBytes = 0,
  } = relay.counts() ?? {};
  const { topic, host } = address;
  const heardMs = heardAt > 0 ? Math.max(0, Date.now() - heardAt) : null;
  return { role, topic, host, connected, heardMs, pendingEntries, pendingBytes };
}
