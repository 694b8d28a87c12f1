// Sockets: one Bun.serve, who comes in by which door, and the topics of the two feeds. Knows no file.
import { randomBytes } from "node:crypto";
import type { Server } from "bun";
import { type Change, openFeed, type Status } from "../feed/feed.ts";
import { CLOSE, parseCursor, SUBPROTOCOL } from "../feed/protocol.ts";
import { type AccessPolicy, isCrossOrigin, refusalOf, visitorOf } from "./access.ts";
import { openBacklog } from "./backlog.ts";
import type { TableParts } from "./base.ts";
import { openEventStreams } from "./events.ts";
import { pathOf, SAFE, shared, sinceOf, text } from "./http.ts";
import { openLiveFeed } from "./live.ts";
import { type Counts, hubMetrics } from "./metrics.ts";
import { type Frame, openPlainFeed } from "./plain.ts";
import { DOOR_LIST, type DocumentShape, openDoors, type TableDocument } from "./routes.ts";
import { type Client, LIVE_TOPIC, openSockets, PLAIN_TOPIC } from "./sockets.ts";

export type { Frame } from "./plain.ts";

export type HubOptions = {
  readonly hostname: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly access: AccessPolicy;
  readonly maxClients: number;
  /** What all clients together may owe, in bytes. */
  readonly maxBacklogBytes: number;
  /** Who takes nothing for so long, though there is something to take, is closed. */
  readonly stallMs: number;
  /** The live feed says `sync` when it has said nothing else for so long. */
  readonly heartbeatMs: number;
  /** The current table for newcomers of the live feed, and for the doors; rejects if there will be none. */
  readonly renderRows: () => Promise<TableParts>;
  readonly renderDocument: (shape: DocumentShape) => Promise<TableDocument>;
  /** What `/healthz` says besides what the hub knows. */
  readonly health: () => Record<string, unknown>;
  /** A client has come or gone. */
  readonly onClients: () => void;
};

export type Hub = {
  readonly hostname: string;
  readonly port: number;
  /** Of both feeds. */
  clients(): number;
  /** Of the plain feed. */
  plainClients(): number;
  /** The plain feed's frame on air: who has had none yet gets it at once. Undefined: nothing is, newcomers wait. */
  set(frame: Frame | undefined): void;
  /** Sends the plain feed's frame to everyone. */
  publish(): void;
  /** A changed table, for the live feed. */
  change(change: Change): void;
  setStatus(status: Status): void;
  /** Closes all clients with 1001, flushing what they are owed, within `graceMs`. */
  close(graceMs: number): Promise<void>;
};

/** A connection on which nothing moves for this long is closed. */
const IDLE_SECONDS = 30;
const BEAT_MS = 1_000;
/** No feed of any server has the same. */
const newEpoch = () => randomBytes(6).toString("base64url");

/** Starts listening. Throws what Bun.serve throws if the address cannot be had. */
export function openHub(options: HubOptions): Hub {
  const { maxClients, onClients } = options;
  const refused = { host: 0, origin: 0, token: 0, full: 0 };
  const feed = openFeed(newEpoch, Date.now());
  const backlog = openBacklog(options.maxBacklogBytes, options.stallMs, () => performance.now());
  const streams = openEventStreams();

  const plain = openPlainFeed((frame) => void server.publish(PLAIN_TOPIC, frame, false), backlog);
  const live = openLiveFeed({
    feed,
    backlog,
    render: options.renderRows,
    broadcast(message, cursor) {
      server.publish(LIVE_TOPIC, message, false);
      streams.broadcast(message, cursor);
    },
    heartbeatMs: options.heartbeatMs,
  });
  const sockets = openSockets(plain, live, onClients, IDLE_SECONDS);
  const doors = openDoors({
    feed,
    render: options.renderDocument,
    health: () => ({ ...options.health(), ...healthOf() }),
    metrics: () => hubMetrics(countsOf(), feed),
    events,
  });
  const server: Server<Client> = Bun.serve({
    hostname: options.hostname,
    port: options.port,
    development: false,
    reusePort: false, // which `development: false` turns on otherwise: two servers would share a port
    idleTimeout: IDLE_SECONDS,
    fetch: (request, server) => answer(request, server),
    error: () => text(500, "internal error"),
    websocket: sockets.handlers,
  });
  const beats = setInterval(beat, Math.min(BEAT_MS, options.heartbeatMs / 5));

  function beat(): void {
    live.beat();
    backlog.check();
    doors.expire(performance.now());
  }

  function answer(request: Request, server: Server<Client>): Response | Promise<Response> | undefined {
    const visitor = visitorOf(request.headers, request.url, server.requestIP(request)?.address ?? "");
    const refusal = refusalOf(visitor, options.access);
    const foreign = isCrossOrigin(visitor) ? visitor.origin : null;
    const isPreflight = foreign !== null && request.method === "OPTIONS"; // which brings no token
    if (refusal && !(isPreflight && refusal.cause === "token")) {
      refused[refusal.cause]++;
      return text(refusal.status, refusal.reason);
    }
    if (isPreflight) return shared(new Response(null, { status: 204 }), foreign);
    const path = pathOf(request.url);
    const answered = doors.answer(request, path) ?? upgrade(request, server, path);
    if (foreign === null || answered === undefined) return answered;
    return Promise.resolve(answered).then((response) => shared(response, foreign));
  }

  function upgrade(request: Request, server: Server<Client>, path: string): Response | undefined {
    if (path !== "/" && path !== "/csv") return text(404, `nothing here; there is\n${DOOR_LIST}`);
    if (request.method !== "GET") return text(405, "only GET is answered here", { Allow: "GET" });
    const offered = request.headers.get("sec-websocket-protocol");
    const isLive = offered?.split(",").some((name) => name.trim() === SUBPROTOCOL) ?? false;
    if (offered !== null && !isLive)
      return text(400, `of these subprotocols none is spoken here; offer ${SUBPROTOCOL}, or none for the plain feed`);
    if (isFull()) return full();
    const data: Client = isLive ? { feed: "live", cursor: sinceOf(request) } : { feed: "plain" };
    const headers: Record<string, string> = isLive ? { "Sec-WebSocket-Protocol": SUBPROTOCOL } : {};
    if (server.upgrade(request, { data, headers })) return undefined;
    return text(426, `csvcast: connect with a WebSocket to this address; there is\n${DOOR_LIST}`, {
      Upgrade: "websocket",
      Connection: "Upgrade",
    });
  }

  function events(request: Request): Response {
    const headers = {
      ...SAFE,
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-store",
      "X-Accel-Buffering": "no",
    };
    if (request.method === "HEAD") return new Response(null, { headers });
    if (isFull()) return full();
    server.timeout(request, 0); // `sync` keeps it alive, and who takes nothing is closed
    const cursor = parseCursor(request.headers.get("last-event-id") ?? "") ?? sinceOf(request);
    const stream = streams.open(cursor, {
      onOpen(reader) {
        live.open(reader);
        onClients();
      },
      onDrain: live.drain,
      onClose(reader) {
        live.close(reader);
        onClients();
      },
    });
    return new Response(stream, { headers });
  }

  const clients = () => plain.clients() + live.clients();
  const isFull = () => clients() >= maxClients;

  function full(): Response {
    refused.full++;
    return text(503, `full: ${maxClients} clients are connected`, { "Retry-After": "10" });
  }

  const clientsByFeed = () => {
    const events = streams.count();
    return { plain: plain.clients(), live: live.clients() - events, events };
  };

  function healthOf(): Record<string, unknown> {
    const { state, message, since } = feed.status();
    return { state, message, since, ...feed.cursor(), rows: feed.rows(), clients: clientsByFeed() };
  }

  function countsOf(): Counts {
    const byFeed = { plain: plain.clients(), live: live.clients() - streams.count(), events: streams.count() };
    const { closed } = backlog;
    return {
      clients: byFeed,
      refused,
      closed,
      backlogBytes: backlog.bytes(),
      skipped: plain.skipped(),
      ...live.counts,
    };
  }

  async function close(graceMs: number): Promise<void> {
    clearInterval(beats);
    plain.stop();
    live.stop();
    const isBusy = sockets.isBusy();
    const stopped = server.stop();
    streams.close();
    sockets.closeAll(CLOSE.goingAway, "server shutting down");
    await Promise.race([stopped, Bun.sleep(graceMs / 2)]);
    // A closed socket flushes without telling when it is done.
    await Bun.sleep(isBusy ? graceMs / 2 : 20);
    await server.stop(true);
  }

  return {
    hostname: options.hostname,
    port: server.port ?? options.port,
    clients,
    plainClients: plain.clients,
    set: plain.set,
    publish: plain.publish,
    change: live.publish,
    setStatus: live.setStatus,
    close,
  };
}
