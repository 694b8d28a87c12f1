// What becomes of a request: turned away, a document, an event stream, or a WebSocket of one of the two feeds.
import type { Server } from "bun";
import { type Cursor, parseCursor, SUBPROTOCOL } from "../feed/protocol.ts";
import { type AccessPolicy, hostRefusalOf, isCrossOrigin, type Refusal, type Visitor, visitorOf } from "./access.ts";
import type { Admission } from "./admission.ts";
import { EVENT_STREAM, pathOf, shared, sinceOf, text } from "./http.ts";
import type { Pages } from "./pages.ts";
import { DOOR_LIST, type Doors } from "./routes.ts";
import type { Client } from "./sockets.ts";

export type EntranceOptions = {
  readonly policy: AccessPolicy;
  readonly admission: Admission;
  readonly doors: Doors;
  readonly pages: Pages;
  /** The live feed as a stream for a client that holds `cursor`; whoever opens it has been counted in. */
  readonly openEvents: (cursor: Cursor | undefined, address: string) => ReadableStream<Uint8Array>;
  readonly onRefused: (refusal: Refusal, address: string) => void;
};

export type Entrance = (request: Request, server: Server<Client>) => Response | Promise<Response> | undefined;

export function openEntrance({ policy, admission, doors, pages, openEvents, onRefused }: EntranceOptions): Entrance {
  function enter(request: Request, server: Server<Client>): Response | Promise<Response> | undefined {
    const peer = server.requestIP(request)?.address ?? "";
    const visitor = visitorOf(request.headers, request.url, peer, policy.proxies);
    const path = pathOf(request.url);
    if (pages.has(request, path)) {
      const refusal = hostRefusalOf(visitor, policy);
      return refusal ? refuse(refusal, visitor.address) : pages.answer(request, path);
    }
    const foreign = isCrossOrigin(visitor, policy) ? visitor.origin : null;
    const isPreflight = foreign !== null && request.method === "OPTIONS"; // which brings no token
    const refusal = admission.refusalOf(visitor);
    if (refusal && !(isPreflight && refusal.cause === "token")) return refuse(refusal, visitor.address);
    if (isPreflight) return shared(new Response(null, { status: 204 }), foreign);
    const answered = answer(request, server, visitor, path);
    if (foreign === null || answered === undefined) return answered;
    return Promise.resolve(answered).then((response) => shared(response, foreign));
  }

  function answer(request: Request, server: Server<Client>, visitor: Visitor, path: string) {
    if (path === "/csv/events" && request.method === "GET") return events(request, server, visitor);
    return doors.answer(request, path) ?? upgrade(request, server, path, visitor);
  }

  function upgrade(request: Request, server: Server<Client>, path: string, { address }: Visitor): Response | undefined {
    if (path !== "/" && path !== "/csv") return text(404, `nothing here; there is\n${DOOR_LIST}`);
    if (request.method !== "GET") return text(405, "only GET is answered here", { Allow: "GET" });
    const offered = request.headers.get("sec-websocket-protocol");
    const isLive = offered?.split(",").some((name) => name.trim() === SUBPROTOCOL) ?? false;
    if (offered !== null && !isLive)
      return text(400, `of these subprotocols none is spoken here; offer ${SUBPROTOCOL}, or none for the plain feed`);
    const full = admission.enter(address);
    if (full) return refuse(full, address);
    const known = { address, since: performance.now() };
    const data: Client = isLive ? { ...known, feed: "live", cursor: sinceOf(request) } : { ...known, feed: "plain" };
    const headers: Record<string, string> = isLive ? { "Sec-WebSocket-Protocol": SUBPROTOCOL } : {};
    if (server.upgrade(request, { data, headers })) return undefined;
    admission.leave(address);
    return text(426, `csvcast: connect with a WebSocket to this address; there is\n${DOOR_LIST}`, {
      Upgrade: "websocket",
      Connection: "Upgrade",
    });
  }

  function events(request: Request, server: Server<Client>, { address }: Visitor): Response {
    const full = admission.enter(address);
    if (full) return refuse(full, address);
    server.timeout(request, 0); // `sync` keeps it alive, and who takes nothing is closed
    const cursor = parseCursor(request.headers.get("last-event-id") ?? "") ?? sinceOf(request);
    return new Response(openEvents(cursor, address), { headers: EVENT_STREAM });
  }

  function refuse(refusal: Refusal, address: string): Response {
    onRefused(refusal, address);
    const { status, reason, retrySeconds } = refusal;
    return text(status, reason, retrySeconds === undefined ? {} : { "Retry-After": `${retrySeconds}` });
  }

  return enter;
}
