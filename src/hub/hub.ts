// Sockets: who comes in by which door, and the topics of the two feeds. Wires the rest of this room. Knows no file.
import { randomBytes } from "node:crypto";
import { type Change, openFeed, type Status } from "../feed/feed.ts";
import { CLOSE, type Cursor } from "../feed/protocol.ts";
import type { AccessPolicy, Refusal } from "./access.ts";
import { openAdmission } from "./admission.ts";
import { openBacklog } from "./backlog.ts";
import type { TableParts } from "./base.ts";
import { openEntrance } from "./entrance.ts";
import { openEventStreams } from "./events.ts";
import { type ClientKind, hubMetrics, openFigures, type RelayCounts } from "./figures.ts";
import { text } from "./http.ts";
import { type Certificate, openListener } from "./listener.ts";
import { openLiveFeed } from "./live.ts";
import { openPages, type PageFile } from "./pages.ts";
import { type Frame, openPlainFeed } from "./plain.ts";
import { type DocumentShape, openDoors, type TableDocument } from "./routes.ts";
import { LIVE_TOPIC, openSockets, PLAIN_TOPIC } from "./sockets.ts";

export type { Certificate } from "./listener.ts";
export type { Frame } from "./plain.ts";

/** Something worth a line in a log. `seconds`: how long the client was there; `code` is undefined for an event stream. */
export type HubEvent =
  | { readonly type: "connected"; readonly feed: ClientKind; readonly address: string }
  | {
      readonly type: "disconnected";
      readonly feed: ClientKind;
      readonly address: string;
      readonly seconds: number;
      readonly code?: number;
      readonly reason: string;
    }
  | { readonly type: "refused"; readonly cause: Refusal["cause"]; readonly status: number; readonly address: string };

export type HubOptions = {
  readonly hostname: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly access: AccessPolicy;
  /** For https and wss; `access.scheme` says so, too. */
  readonly certificate?: Certificate | undefined;
  readonly maxClients: number;
  readonly maxPerAddress: number;
  /** What all clients together may owe, in bytes. */
  readonly maxBacklogBytes: number;
  readonly maxIncomingBytes: number;
  /** What is kept of the changes, in characters. */
  readonly maxHistory: number;
  /** A connection on which nothing moves for this long is closed. */
  readonly idleSeconds: number;
  /** Who takes nothing for so long, though there is something to take, is closed. */
  readonly stallMs: number;
  /** The live feed says `sync` when it has said nothing else for so long. */
  readonly heartbeatMs: number;
  /** The current table for newcomers of the live feed, and for the doors; rejects if there will be none. */
  readonly renderRows: () => Promise<TableParts>;
  readonly renderDocument: (shape: DocumentShape) => Promise<TableDocument>;
  /** The page at `/` and what it loads, by path; without it there is none. */
  readonly pages?: (() => Promise<ReadonlyMap<string, PageFile>>) | undefined;
  /** What `/healthz` says besides what the hub knows. */
  readonly health: () => Record<string, unknown>;
  /** What `/metrics` says of a relay, if there is one. */
  readonly relay?: () => RelayCounts | undefined;
  /** A client has come or gone. */
  readonly onClients: () => void;
  readonly onEvent: (event: HubEvent) => void;
};

export type Hub = {
  readonly hostname: string;
  readonly port: number;
  readonly scheme: "ws" | "wss";
  /** Of both feeds. */
  clients(): number;
  /** Of the plain feed. */
  plainClients(): number;
  /** The plain feed's frame on air: who has had none yet gets it at once. Undefined: nothing is, newcomers wait. */
  set(frame: Frame | undefined): void;
  /** Sends the plain feed's frame to everyone; it was to be sent `lagMs` ago. */
  publish(lagMs?: number): void;
  /** A changed table, for the live feed; it took so long from noticing the change. Gives what it is called now. */
  change(change: Change, readMs?: number): Named;
  setStatus(status: Status): void;
  /** For connections from now on. Throws if it is none. */
  renew(certificate: Certificate): void;
  /** Closes all clients with 1001, flushing what they are owed, within `graceMs`. */
  close(graceMs: number): Promise<void>;
};

/** A state of the table as clients know it. */
export type Named = { readonly cursor: Cursor; readonly columnsJson: string };

const BEAT_MS = 1_000;
/** For the last bytes on their way into the network. */
const END_MS = 50;
/** No feed of any server has the same. */
const newEpoch = () => randomBytes(6).toString("base64url");

/** Starts listening. Throws what Bun.serve throws if the address cannot be had. */
export function openHub(options: HubOptions): Hub {
  const { access, onClients, onEvent } = options;
  const startedAt = Date.now();
  const now = () => performance.now();
  const secondsSince = (then: number) => (now() - then) / 1000;
  const figures = openFigures();
  const feed = openFeed(newEpoch, startedAt, options.maxHistory);
  const backlog = openBacklog(options.maxBacklogBytes, options.stallMs, now);
  const streams = openEventStreams(figures);
  const { maxClients, maxPerAddress } = options;
  const admission = openAdmission({ policy: access, maxClients, maxPerAddress, now });

  const count = (kind: ClientKind, frames: number, bytes: number) => {
    figures.frames[kind] += frames;
    figures.bytes[kind] += frames * bytes;
  };
  const plain = openPlainFeed((message, reached, bytes) => {
    listener.publish(PLAIN_TOPIC, message);
    count("plain", reached, bytes);
  }, backlog);
  const live = openLiveFeed({
    feed,
    backlog,
    render: options.renderRows,
    broadcast(message, cursor) {
      count("live", listener.publish(LIVE_TOPIC, message), Buffer.byteLength(message));
      streams.broadcast(message, cursor);
    },
    heartbeatMs: options.heartbeatMs,
  });
  const { idleSeconds, maxIncomingBytes } = options;
  const sockets = openSockets({
    plain,
    live,
    figures,
    idleSeconds,
    maxIncomingBytes,
    onOpen: ({ feed, address }) => came(feed, address),
    onClose: ({ feed, address, since }, code, reason) => went(feed, address, since, reason, code),
  });

  function came(kind: ClientKind, address: string): void {
    figures.connections[kind]++;
    onEvent({ type: "connected", feed: kind, address });
    onClients();
  }

  function went(kind: ClientKind, address: string, since: number, reason: string, code?: number): void {
    admission.leave(address);
    const seconds = secondsSince(since);
    onEvent({ type: "disconnected", feed: kind, address, seconds, reason, ...(code !== undefined && { code }) });
    onClients();
  }

  const doors = openDoors({
    feed,
    render: options.renderDocument,
    health: () => ({ ...options.health(), ...healthOf() }),
    metrics: () =>
      hubMetrics({ figures, feed, plain, live, backlog, clients: clientsByKind, startedAt, relay: options.relay?.() }),
  });
  const entrance = openEntrance({
    policy: access,
    admission,
    doors,
    pages: openPages(options.pages),
    openEvents(cursor, address) {
      const since = now();
      return streams.open(cursor, {
        onOpen(reader) {
          live.open(reader);
          came("events", address);
        },
        onDrain: live.drain,
        onClose(reader, reason) {
          live.close(reader);
          went("events", address, since, reason);
        },
      });
    },
    onRefused({ cause, status }, address) {
      figures.refused[cause]!++;
      onEvent({ type: "refused", cause, status, address });
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
  const beats = setInterval(
    () => {
      live.beat();
      backlog.check();
      doors.expire(now());
    },
    Math.min(BEAT_MS, options.heartbeatMs / 5),
  );

  function clientsByKind(): Record<ClientKind, number> {
    const events = streams.count();
    return { plain: plain.clients(), live: live.clients() - events, events };
  }

  function healthOf(): Record<string, unknown> {
    const { state, message, since } = feed.status();
    return { state, message, since, ...feed.cursor(), rows: feed.rows(), clients: clientsByKind() };
  }

  async function close(graceMs: number): Promise<void> {
    clearInterval(beats);
    plain.stop();
    live.stop();
    const stopped = listener.stop();
    streams.close();
    await sockets.closeAll(CLOSE.goingAway, "server shutting down", graceMs);
    await Promise.race([stopped, Bun.sleep(END_MS)]);
    await Promise.race([listener.stop(true), Bun.sleep(END_MS)]);
  }

  return {
    hostname: options.hostname,
    port: listener.port,
    scheme: options.certificate ? "wss" : "ws",
    clients: () => plain.clients() + live.clients(),
    plainClients: plain.clients,
    set: plain.set,
    publish(lagMs = 0) {
      figures.tickLagSeconds.observe(lagMs / 1000);
      plain.publish();
    },
    change(change, readMs = 0) {
      figures.readSeconds.observe(readMs / 1000);
      figures.fileChangedAt = Date.now();
      live.publish(change);
      return { cursor: feed.cursor()!, columnsJson: feed.columnsJson() };
    },
    setStatus: live.setStatus,
    renew: listener.renew,
    close,
  };
}
