// The endpoints of a server: who comes in, and to which channel. Wires the rest of this room. Knows no file.
import { type Channel, FIRST_TOPIC } from "../channel/channel.ts";
import type { Tables } from "../channel/tables.ts";
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
import { healthOf } from "./health.ts";
import { openKept } from "./kept.ts";
import { type ListingStreams, openListingStreams } from "./listing.ts";
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
  /** Serves these tables from now on, and says how it goes with their relay. */
  serve(tables: Tables, relay: RelayView): void;
  /** Closes the clients of a channel that is served no more. */
  dismiss(channel: Channel, reason: string): void;
  /** For connections from now on. Throws if it is none. */
  renew(certificate: Certificate): void;
  /** Closes all clients with 1001, flushing what is under way to them, within `graceMs`. */
  close(graceMs: number): Promise<void>;
};

/** The relay that the server has to do with, if any. */
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
  const { access, onEvent, maxClients, maxPerAddress, maxIncomingBytes, idleMs } = options;
  const idleSeconds = Math.round(idleMs / 1000);
  const startedAt = Date.now();
  const now = () => performance.now();
  const figures = openFigures();
  const { userOf, unacknowledged } = openNeighbours(() => listener.port);
  const { maxBacklogBytes: maxBytes, stallMs } = options;
  const backlog = openBacklog({ maxBytes, stallMs, now, unacknowledged });
  const admission = openAdmission({ policy: access, maxClients, maxPerAddress, now, userOf });
  const { came, went, openEvents } = openBook(figures, admission, onEvent);
  let served: { readonly tables: Tables; readonly lists: ListingStreams; readonly relay: RelayView } | undefined;
  const channels = () => served?.tables.list().map(({ channel }) => channel) ?? [];

  const sockets = openSockets({
    figures,
    idleMs,
    stallMs,
    unacknowledged,
    maxIncomingBytes,
    onOpen: ({ feed, address, channel }) => came(feed, address, channel),
    onClose: ({ feed, address, since, channel }, code, reason) => went(feed, address, since, reason, channel, code),
  });
  const entrance = openEntrance({
    policy: access,
    admission,
    kept: openKept({ idleMs, now, clients: admission.count, maxClients, closeIdle: () => listener.closeIdle() }),
    pages: openPages(options.pages),
    tables: () => served?.tables,
    health: () => healthOf(served?.tables, served && relayHealth(served.relay)),
    metrics: () =>
      served ? serverMetrics({ ...served, figures, backlog, startedAt, relay: served.relay.counts() }) : "",
    openEvents,
    openList: ({ address }) => served!.lists.open(() => admission.leave(address)),
    onRefused({ cause, status, named }, address) {
      figures.refused[cause]++;
      onEvent({ type: "client-refused", cause, status, address, ...(named !== undefined && { named }) });
    },
  });
  const { hostname, port, certificate } = options;
  const listener = openListener({
    ...{ hostname, port, certificate, idleSeconds },
    fetch: entrance,
    onError: () => text(500, "internal error"),
    websocket: sockets.handlers,
  });
  const beats = setInterval(beat, Math.min(BEAT_MS, options.heartbeatMs / 5));
  const ticks = startTicks(options.intervalMs, (lagMs) => {
    figures.tickLagSeconds.observe(lagMs / 1000);
    for (const channel of channels()) channel.tick();
  });

  function beat(): void {
    for (const channel of channels()) channel.beat();
    served?.tables.beat();
    served?.lists.beat();
    void backlog.check();
    void sockets.beat();
  }

  async function close(graceMs: number): Promise<void> {
    clearInterval(beats);
    ticks.stop();
    const stopped = listener.stop();
    served?.lists.close();
    for (const channel of channels()) channel.streams.close();
    await sockets.closeAll(CLOSE.goingAway, "server shutting down", graceMs);
    await Promise.race([stopped, Bun.sleep(END_MS)]);
    await Promise.race([listener.stop(true), Bun.sleep(END_MS)]);
  }

  return {
    address: { hostname, port: listener.port, scheme: certificate ? "wss" : "ws" },
    backlog,
    broadcast: listener.publish,
    serve: (tables, relay) => void (served = { tables, lists: openListingStreams(tables), relay }),
    dismiss(channel, reason) {
      channel.streams.close(reason);
      sockets.dismiss(channel, CLOSE.goingAway, reason);
    },
    renew: listener.renew,
    close,
  };
}

/** Who came and went, for the counts and the log. */
function openBook(figures: Figures, admission: Admission, onEvent: HubOptions["onEvent"]) {
  function came(feed: ClientKind, address: string, channel: Channel): void {
    figures.connections[feed]++;
    onEvent({ type: "client-connected", feed, address, ...tableOf(channel) });
  }

  function went(
    feed: ClientKind,
    address: string,
    since: number,
    reason: string,
    channel: Channel,
    code?: number,
  ): void {
    admission.leave(address);
    const seconds = (performance.now() - since) / 1000;
    const ended = { feed, address, seconds, reason, ...(code !== undefined && { code }), ...tableOf(channel) };
    onEvent({ type: "client-disconnected", ...ended });
  }

  function openEvents(channel: Channel, cursor: Cursor | undefined, { address, peer }: Visitor) {
    const { streams, live } = channel;
    const since = performance.now();
    return streams.open(cursor, {
      peer,
      onOpen(subscriber) {
        liveFeed.subscribe(live, subscriber);
        came("events", address, channel);
      },
      onDrain: (subscriber) => liveFeed.drain(live, subscriber),
      onClose(subscriber, reason) {
        liveFeed.unsubscribe(live, subscriber);
        went("events", address, since, reason, channel);
      },
    });
  }

  return { came, went, openEvents };
}

const tableOf = ({ topic }: Channel) => (topic === FIRST_TOPIC ? {} : { table: topic });

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
    tables = 0,
  } = relay.counts() ?? {};
  const { topic, host } = address;
  const heardMs = heardAt > 0 ? Math.max(0, Date.now() - heardAt) : null;
  return { role, topic, host, connected, heardMs, pendingEntries, pendingBytes, tables };
}
