// What a hub needs besides what a test is about; a table that the test changes, rendered as the Worker would.
import { openHub, type Hub, type HubOptions } from "../../src/hub/hub.ts";

export const TOKEN = "0123456789abcdef0123456789abcdef";

export type TestHub = Hub & AsyncDisposable & { readonly url: string };

/** A hub on a free port of the loopback address. */
export function openHubWith(over: Partial<HubOptions> = {}): TestHub {
  const hub = openHub({
    hostname: "127.0.0.1",
    port: 0,
    access: {
      token: TOKEN,
      tokenFor: "strangers",
      hosts: [],
      origins: ["https://dash.example"],
      proxies: [],
      scheme: "http",
    },
    maxClients: 100,
    maxPerAddress: 10_000,
    maxIncomingBytes: 4096,
    maxHistory: 16 << 20,
    idleSeconds: 30,
    onEvent: () => {},
    maxBacklogBytes: 1 << 28,
    stallMs: 20_000,
    heartbeatMs: 5_000,
    renderRows: () => Promise.reject(new Error("no table")),
    renderDocument: () => Promise.reject(new Error("no table")),
    health: () => ({}),
    onClients: () => {},
    ...over,
  });
  return { ...hub, url: `ws://127.0.0.1:${hub.port}/`, [Symbol.asyncDispose]: () => hub.close(0) };
}
