// What becomes of a request: turned away, or an answer of one of the endpoints.
import type { Server } from "bun";
import type { Channel } from "../channel/channel.ts";
import type { Recipient } from "../channel/documents.ts";
import type { Tables } from "../channel/tables.ts";
import { EVENT_STREAM, headOnly, pathOf, SAFE, shared, sinceOf, text } from "../channel/http.ts";
import { ENDPOINT_LIST, type Endpoint, endpointAt } from "../feed/endpoints.ts";
import { type Cursor, parseCursor, SUBPROTOCOL } from "../feed/protocol.ts";
import { type AccessPolicy, hostRefusalOf, isCrossOrigin, type Refusal, type Visitor, visitorOf } from "./access.ts";
import type { Admission } from "./admission.ts";
import type { Kept } from "./kept.ts";
import { listingOf } from "./listing.ts";
import type { Neighbour } from "./neighbours.ts";
import type { Pages } from "./pages.ts";
import type { Connection } from "./sockets.ts";

export type EntranceOptions = {
  readonly policy: AccessPolicy;
  readonly admission: Admission;
  readonly kept: Kept;
  readonly pages: Pages;
  /** Undefined while there are none. */
  readonly tables: () => Tables | undefined;
  /** What /healthz says, and its status. */
  readonly health: () => { readonly status: 200 | 503; readonly fields: Record<string, unknown> };
  readonly metrics: () => string;
  readonly openList: (visitor: Visitor) => ReadableStream<Uint8Array>;
  /** The live feed as a stream for a client that holds `cursor`; whoever opens it has been counted in. */
  readonly openEvents: (channel: Channel, cursor: Cursor | undefined, visitor: Visitor) => ReadableStream<Uint8Array>;
  readonly onRefused: (refusal: Refusal, address: string) => void;
};

/** Undefined where the connection was upgraded. */
export type Answer = Response | Promise<Response | undefined> | undefined;

export type Entrance = (request: Request, server: Server<Connection>) => Answer;

export function openEntrance(options: EntranceOptions): Entrance {
  const { policy, admission, kept, pages, onRefused } = options;

  function enter(request: Request, server: Server<Connection>): Answer {
    const { address = "", port = 0 } = server.requestIP(request) ?? {};
    const isKept = kept.mayStay(address, port);
    const settle = (response: Response | undefined) => {
      if (!response) kept.forget(address, port);
      else if (!isKept) response.headers.set("Connection", "close");
      return response;
    };
    const answered = met(request, server, { address, port });
    return answered instanceof Promise ? answered.then(settle) : settle(answered);
  }

  function met(request: Request, server: Server<Connection>, { address, port }: Neighbour): Answer {
    const visitor = visitorOf(request.headers, request.url, { address, port }, policy.proxies);
    const path = pathOf(request.url);
    const page = pages.has(request, path);
    const noHost = page && hostRefusalOf(visitor, policy);
    if (noHost) return refuse(noHost, visitor.address);
    const table = endpointAt(path)?.table;
    if (page && table === undefined) return pages.answer(request, path);
    const refusal = admission.refusalOf(visitor);
    const answerTo = (found: Refusal | undefined) => {
      // Strangers get the page whether or not there is such a table: they learn no name.
      if (page && (found || options.tables()?.at(table!))) return pages.answer(request, path);
      return judged(request, server, visitor, path, found);
    };
    return refusal instanceof Promise ? refusal.then(answerTo) : answerTo(refusal);
  }

  function judged(
    request: Request,
    server: Server<Connection>,
    visitor: Visitor,
    path: string,
    refusal: Refusal | undefined,
  ): Answer {
    const foreign = isCrossOrigin(visitor, policy) ? visitor.origin : null;
    const isPreflight = foreign !== null && request.method === "OPTIONS"; // which brings no token
    if (refusal && !(isPreflight && refusal.cause === "token")) return refuse(refusal, visitor.address);
    if (isPreflight) return shared(new Response(null, { status: 204 }), foreign);
    const answered = answer(request, server, visitor, path);
    if (foreign === null || answered === undefined) return answered;
    return Promise.resolve(answered).then((response) => response && shared(response, foreign));
  }

  function answer(request: Request, server: Server<Connection>, visitor: Visitor, path: string): Answer {
    const asked = endpointAt(path);
    const tables = options.tables();
    if (!asked || !tables) return text(404, `nothing here; there is\n${ENDPOINT_LIST}`);
    const { endpoint, table } = asked;
    const channel = table === undefined ? tables.first : tables.at(table);
    if (!channel) return text(404, noTable(table!, tables));
    if (endpoint.kind === "feed") return upgrade(request, server, channel, visitor);
    if (request.method !== "GET" && request.method !== "HEAD")
      return text(405, `${path}: only GET and HEAD are answered here`, { Allow: "GET, HEAD" });
    return endpoint.shape
      ? download(request, server, visitor, (recipient) => channel.documents.answer(request, endpoint.shape!, recipient))
      : documentAt(endpoint, tables, channel, request, server, visitor);
  }

  function documentAt(
    { kind }: Endpoint,
    tables: Tables,
    channel: Channel,
    request: Request,
    server: Server<Connection>,
    visitor: Visitor,
  ): Answer {
    switch (kind) {
      case "events":
        return events(request, server, visitor, () =>
          options.openEvents(
            channel,
            parseCursor(request.headers.get("last-event-id") ?? "") ?? sinceOf(request),
            visitor,
          ),
        );
      case "table-events":
        return events(request, undefined, visitor, () => options.openList(visitor));
      case "tables":
        return Response.json(listingOf(tables), { headers: { ...SAFE, "Cache-Control": "no-store" } });
      case "metrics":
        return new Response(options.metrics(), { headers: METRICS_HEADERS });
      case "alive":
        return text(200, "ok", { "Cache-Control": "no-store" });
      default: {
        const { status, fields } = options.health();
        return Response.json(fields, { status, headers: { ...SAFE, "Cache-Control": "no-store" } });
      }
    }
  }

  function upgrade(
    request: Request,
    server: Server<Connection>,
    channel: Channel,
    { address, peer }: Visitor,
  ): Response | undefined {
    if (request.method !== "GET") return text(405, "only GET is answered here", { Allow: "GET" });
    const offered = request.headers.get("sec-websocket-protocol");
    const isLive = offered?.split(",").some((name) => name.trim() === SUBPROTOCOL) ?? false;
    const full = admission.enter(address);
    if (full) return refuse(full, address);
    const since = performance.now();
    const known = { address, peer, channel, since, heardAt: since, pingedAt: since, owedBytes: Infinity };
    const data: Connection = isLive
      ? { ...known, feed: "live", cursor: sinceOf(request) }
      : { ...known, feed: "plain" };
    // Of unknown ones none is selected, which leaves it to the client (RFC 6455, section 4.2.2); the runtime would take the first.
    const headers = { "Sec-WebSocket-Protocol": isLive ? SUBPROTOCOL : "" };
    if (server.upgrade(request, { data, headers })) return undefined;
    admission.leave(address);
    return text(426, `csvcast: connect with a WebSocket to this address; there is\n${ENDPOINT_LIST}`, {
      Upgrade: "websocket",
      Connection: "Upgrade",
    });
  }

  function events(
    request: Request,
    patient: Server<Connection> | undefined,
    visitor: Visitor,
    open: () => ReadableStream<Uint8Array>,
  ): Response {
    if (request.method === "HEAD") return headOnly(EVENT_STREAM);
    const full = admission.enter(visitor.address);
    if (full) return refuse(full, visitor.address);
    patient?.timeout(request, 0); // who takes nothing of the live feed is closed by the backlog, and others by the runtime
    return new Response(open(), { headers: EVENT_STREAM });
  }

  /** Whoever takes a document is a client until it has it. */
  function download(
    request: Request,
    server: Server<Connection>,
    { address, peer }: Visitor,
    begin: (recipient: Recipient) => Promise<Response>,
  ): Answer {
    const full = admission.enter(address);
    if (full) return refuse(full, address);
    return begin({
      peer,
      setTimeout: (seconds) => server.timeout(request, seconds),
      onEnd: () => admission.leave(address),
    });
  }

  function refuse(refusal: Refusal, address: string): Response {
    onRefused(refusal, address);
    const { status, reason, retrySeconds } = refusal;
    const retry = retrySeconds === undefined ? undefined : { "Retry-After": `${retrySeconds}` };
    return text(status, reason, { ...retry, Connection: "close" }); // it holds a descriptor, and has no business here
  }

  return enter;
}

const SHOWN_NAMES = 10;

function noTable(name: string, tables: Tables): string {
  const names = tables.list().flatMap((table) => table.name ?? []);
  const shown = names.slice(0, SHOWN_NAMES).join(", ");
  const more = names.length > SHOWN_NAMES ? `, and ${names.length - SHOWN_NAMES} more` : "";
  const there = `there ${names.length === 1 ? "is" : "are"} ${shown || "none yet"}${more}`;
  return `${name}: no table of that name; ${there}; and there is\n${ENDPOINT_LIST}`;
}

const METRICS_HEADERS = { ...SAFE, "Content-Type": "text/plain; version=0.0.4; charset=utf-8" };
