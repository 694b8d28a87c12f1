// Sockets: one Bun.serve, the topic of the plain feed, who is too slow for it. Knows no file and no clock.
import type { Server, ServerWebSocket } from "bun";
import { type AccessPolicy, refusalOf, visitorOf } from "./access.ts";

export type HubOptions = {
  readonly hostname: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly access: AccessPolicy;
  readonly maxClients: number;
  /** A client has come or gone. */
  readonly onClients: (clients: number) => void;
};

/** What is on air: a text, or the reason why there is none. */
export type Frame = { readonly text: string; readonly bytes: number } | { readonly tooLarge: string };

export type Hub = {
  readonly hostname: string;
  readonly port: number;
  clients(): number;
  /** Puts a frame on air: clients that have had none yet get it at once. Undefined: nothing is on air, newcomers wait. */
  set(frame: Frame | undefined): void;
  /** Sends the frame on air to everyone. */
  publish(): void;
  /** Closes all clients with 1001, flushing what they are owed, within `graceMs`. */
  close(graceMs: number): Promise<void>;
};

const TOPIC = "csv";
/** Above this many bytes a publication is sent in slices, so that the event loop stays free for others. */
const SLICED_BYTES = 16 << 20;
const SLICE_MS = 10;
/** Clients have nothing to say: this is room for a greeting. */
const MAX_INCOMING_BYTES = 4096;
/** A client that takes nothing for this long is closed, which also bounds the memory of stalled ones. */
const IDLE_SECONDS = 30;

/** `isServed`: has had a frame. `isBehind`: a frame passed it by; it gets the newest when it drains. */
type Client = { isServed: boolean; isBehind: boolean };
type Socket = ServerWebSocket<Client>;

/** Starts listening. Throws what Bun.serve throws if the address cannot be had. */
export function openHub(options: HubOptions): Hub {
  const clients = new Set<Socket>();
  const unsent = new Set<Socket>();
  let onAir: Frame | undefined;

  const server: Server<Client> = Bun.serve({
    hostname: options.hostname,
    port: options.port,
    development: false,
    reusePort: false, // which `development: false` turns on otherwise: two servers would share a port
    fetch: (request, server) => answer(request, server),
    error: () => text(500, "internal error"),
    websocket: {
      data: {} as Client,
      backpressureLimit: 1, // at most the one frame that is under way
      maxPayloadLength: MAX_INCOMING_BYTES,
      idleTimeout: IDLE_SECONDS,
      open(socket) {
        clients.add(socket);
        socket.subscribe(TOPIC);
        if (onAir) serve(socket, onAir);
        options.onClients(clients.size);
      },
      message() {},
      drain(socket) {
        if (socket.data.isBehind && socket.getBufferedAmount() === 0 && onAir) serve(socket, onAir);
      },
      close(socket) {
        clients.delete(socket);
        unsent.delete(socket);
        options.onClients(clients.size);
      },
    },
  });

  function answer(request: Request, server: Server<Client>): Response | undefined {
    const visitor = visitorOf(request.headers, request.url, server.requestIP(request)?.address ?? "");
    const refusal = refusalOf(visitor, options.access);
    if (refusal) return text(refusal.status, refusal.reason);
    const path = pathOf(request.url);
    if (path !== "/" && path !== "/csv") return text(404, "nothing here; connect with a WebSocket to / or /csv");
    if (request.method !== "GET") return text(405, "only GET is answered here", { Allow: "GET" });
    if (request.headers.has("sec-websocket-protocol")) return text(400, "no subprotocol is spoken here; offer none");
    if (clients.size >= options.maxClients) return text(503, `full: ${options.maxClients} clients are connected`);
    if (server.upgrade(request, { data: { isServed: false, isBehind: false } })) return undefined;
    return text(426, "csvcast: connect with a WebSocket to this address", {
      Upgrade: "websocket",
      Connection: "Upgrade",
    });
  }

  function serve(socket: Socket, frame: Frame): void {
    const { data } = socket;
    if ("tooLarge" in frame) return void socket.close(1009, frame.tooLarge);
    data.isServed = true;
    data.isBehind = socket.getBufferedAmount() > 0;
    if (!data.isBehind) socket.send(frame.text);
  }

  function set(frame: Frame | undefined): void {
    onAir = frame;
    if (frame) send([...clients].filter(({ data }) => !data.isServed));
  }

  function publish(): void {
    if (!onAir || clients.size === 0) return;
    if ("tooLarge" in onAir || onAir.bytes * clients.size > SLICED_BYTES) {
      return send(clients);
    }
    for (const socket of clients) {
      socket.data.isServed = true;
      if (socket.getBufferedAmount() > 0) socket.data.isBehind = true;
    }
    server.publish(TOPIC, onAir.text, false);
  }

  /** The frame on air, to these, in slices. */
  function send(sockets: Iterable<Socket>): void {
    const isPumping = unsent.size > 0;
    for (const socket of sockets) unsent.add(socket);
    if (!isPumping) pump();
  }

  /** Serves those who have waited longest first, always with the newest frame, and lets the event loop breathe. */
  function pump(): void {
    const until = performance.now() + SLICE_MS;
    for (const socket of unsent) {
      unsent.delete(socket);
      if (onAir) serve(socket, onAir);
      if (performance.now() > until) break;
    }
    if (unsent.size > 0) setImmediate(pump);
  }

  async function close(graceMs: number): Promise<void> {
    const isBusy = [...clients].some((socket) => socket.getBufferedAmount() > 0);
    const stopped = server.stop();
    unsent.clear();
    for (const socket of [...clients]) socket.close(1001, "server shutting down");
    await Promise.race([stopped, Bun.sleep(graceMs / 2)]);
    // A closed socket flushes without telling when it is done.
    await Bun.sleep(isBusy ? graceMs / 2 : 20);
    await server.stop(true);
  }

  return {
    hostname: options.hostname,
    port: server.port ?? options.port,
    clients: () => clients.size,
    set,
    publish,
    close,
  };
}

/** `new URL` would throw on what a malformed Host header makes of the URL. */
function pathOf(url: string): string {
  return url.replace(/^https?:\/\/[^/]*/i, "").replace(/[?#].*$/s, "");
}

function text(status: number, reason: string, headers: Record<string, string> = {}): Response {
  const challenge = status === 401 ? { "WWW-Authenticate": "Bearer" } : {};
  return new Response(`${reason}\n`, {
    status,
    headers: { ...headers, ...challenge, "X-Content-Type-Options": "nosniff" },
  });
}
