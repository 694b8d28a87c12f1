// The listening socket: one Bun.serve, or after a renewal of its certificate a new one on the same port, while the connections
// of the old one go on. (`server.reload` leaves the certificate as it is.)
import type { Server, WebSocketHandler } from "bun";
import type { Certificate } from "../channel/options.ts";

export type ListenerOptions<Data> = {
  readonly hostname: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** TLS 1.2 or newer with it, else none. */
  readonly certificate: Certificate | undefined;
  readonly idleSeconds: number;
  readonly fetch: (request: Request, server: Server<Data>) => Response | Promise<Response | undefined> | undefined;
  readonly onError: () => Response;
  readonly websocket: WebSocketHandler<Data>;
};

export type Listener = {
  readonly port: number;
  /** To all who have subscribed to the topic; gives how many they are. */
  publish(topic: string, text: string): number;
  /** Ends the connections of plain HTTP that wait for a request. */
  closeIdle(): void;
  /** New connections get this certificate. Throws if it is none; then all is as it was. */
  renew(certificate: Certificate): void;
  /** Takes no more connections; resolves when the last is gone. `isHard` ends them. */
  stop(isHard?: boolean): Promise<void>;
};

/** Throws what Bun.serve throws if the address cannot be had, or the certificate is none. */
export function openListener<Data>(options: ListenerOptions<Data>): Listener {
  const { hostname, idleSeconds, fetch, onError, websocket } = options;

  const serve = (port: number, certificate: Certificate | undefined): Server<Data> =>
    Bun.serve({
      hostname,
      port,
      development: false,
      reusePort: false, // which `development: false` turns on otherwise: two servers would share a port
      idleTimeout: idleSeconds,
      ...(certificate && { tls: certificate }),
      fetch,
      error: onError,
      websocket,
    });

  let current = serve(options.port, options.certificate);
  const port = current.port ?? options.port;
  const old = new Set<Server<Data>>();

  function renew(certificate: Certificate): void {
    void Bun.serve({ hostname: "127.0.0.1", port: 0, tls: certificate, fetch: onError }).stop(true); // throws if it is none
    const before = current;
    old.add(before);
    void before.stop().then(() => old.delete(before));
    current = serve(port, certificate);
  }

  return {
    port,
    publish(topic, text) {
      let reached = 0;
      for (const server of [current, ...old]) {
        server.publish(topic, text, false);
        reached += server.subscriberCount(topic);
      }
      return reached;
    },
    closeIdle: () => [current, ...old].forEach((server) => server.closeIdleConnections()),
    renew,
    stop: async (isHard = false) => void (await Promise.all([current, ...old].map((server) => server.stop(isHard)))),
  };
}
