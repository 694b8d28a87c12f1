// Where a server listens, who may come in, and how much of it clients may use. Types only.

import type { Certificate } from "../channel/options.ts";

export type NetworkOptions = {
  /** The address to listen on. Default: `0.0.0.0`. */
  readonly hostname: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** For https and wss. */
  readonly certificate?: Certificate | undefined;
  /** Milliseconds between two publications of the plain feed. Default: 1,000. */
  readonly intervalMs: number;
  /** Clients at a time. Default: 10,000. */
  readonly maxClients: number;
  /** Clients at a time from one address. Default: 1,000. */
  readonly maxPerAddress: number;
  /** What may be pending for all clients together, in bytes; above it the slowest are closed. Default: 256 MiB. */
  readonly maxBacklogBytes: number;
  /** A client that sends a larger message is closed: they have nothing to send. Default: 4 KiB. */
  readonly maxIncomingBytes: number;
  /** A connection on which nothing moves for this long is closed, in ms from 8,000 to 255,000. Default: 30,000. */
  readonly idleMs: number;
  /** Who takes nothing for so long, though there is something to take, is closed, in ms. Default: 20,000. */
  readonly stallMs: number;
};

export type AccessOptions = {
  /** Everyone needs this token. Without it: a random one, for other machines only. */
  readonly token?: string | undefined;
  /** No token at all: everyone who can reach the port reads the table. Default: false. */
  readonly isPublic: boolean;
  /** Names besides this machine's under which the server may be asked for. */
  readonly allowedHosts: readonly string[];
  /** Origins of web pages besides the server's own, such as `https://dash.example`. */
  readonly allowedOrigins: readonly string[];
  /** Addresses besides this machine's whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
};
