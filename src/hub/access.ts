// Who may come in: pure rules on what a request says of itself. DESIGN 6; RFC 6454 (origins), RFC 9110 section 7.2 (Host).
import { timingSafeEqual } from "node:crypto";
import { isIP, isIPv4 } from "node:net";
import type { RefusalCause } from "../channel/events.ts";
import type { Certificate } from "../channel/options.ts";
import { clientAddress, isLoopback } from "./address.ts";
import type { Neighbour } from "./neighbours.ts";
import type { AccessOptions } from "./options.ts";

export type AccessPolicy = {
  readonly token: string;
  /** `nobody`: --no-token; `strangers`: everyone but this machine; `everyone`: a token was set. */
  readonly tokenFor: "nobody" | "strangers" | "everyone";
  /** Names besides localhost and IP literals under which the server may be asked for. */
  readonly hosts: readonly string[];
  /** Origins besides the server's own, such as `https://dash.example`. */
  readonly origins: readonly string[];
  /** Addresses besides this machine's whose `X-Forwarded-For` is believed. */
  readonly proxies: readonly string[];
  /** What the server speaks itself. */
  readonly scheme: "http" | "https";
};

/** The rules that the options make; `machineNames`: those of this machine. */
export function policyOf(
  options: AccessOptions & { readonly certificate?: Certificate | undefined },
  token: string,
  machineNames: readonly string[],
): AccessPolicy {
  return {
    token,
    tokenFor: options.isPublic ? "nobody" : options.token === undefined ? "strangers" : "everyone",
    hosts: [...machineNames, ...options.allowedHosts],
    origins: options.allowedOrigins,
    proxies: options.trustedProxies,
    scheme: options.certificate ? "https" : "http",
  };
}

/** What a request says of itself. `token` is what it shows, from `Authorization: Bearer` or `?token=`. */
export type Visitor = {
  /** Where it comes from; behind a trusted proxy what that says. */
  readonly address: string;
  /** Whether it comes from this machine itself, and not through a proxy. */
  readonly isLocal: boolean;
  /** The other end of the connection: its own, or that of a proxy; `neighbour` if that is on this machine. */
  readonly peer: Neighbour;
  readonly neighbour: Neighbour | undefined;
  readonly host: string | null;
  readonly origin: string | null;
  /** A page of another site asks without saying which (W3C Fetch Metadata): it embeds the answer, or leads here. */
  readonly isCrossSite: boolean;
  readonly token: string | null;
};

export type Refusal = {
  readonly status: 401 | 403 | 429 | 503;
  readonly cause: RefusalCause;
  readonly reason: string;
  /** What is not allowed: a host's name, or an origin, as the request has it. */
  readonly named?: string | undefined;
  /** When it may be worth another try. */
  readonly retrySeconds?: number;
};

/** In a log: an origin may be as long as a header. */
const MAX_NAMED = 300;

const noHost = (named: string | undefined): Refusal => ({
  status: 403,
  cause: "host",
  reason: "the Host header names no host of this server; allow it with --allow-host",
  named,
});

/** Undefined if the visitor may have what holds no data: whoever asks for this server by a name of its own. */
export function hostRefusalOf({ host }: Visitor, { hosts }: AccessPolicy): Refusal | undefined {
  const parsed = parseHost(host);
  return parsed && isOwnName(parsed.name, hosts) ? undefined : noHost(parsed?.name);
}

/** Undefined if the visitor may come in. */
export function refusalOf(visitor: Visitor, policy: AccessPolicy): Refusal | undefined {
  const host = parseHost(visitor.host);
  if (!host || !isOwnName(host.name, policy.hosts)) return noHost(host?.name);
  if (visitor.origin !== null && !isAllowedOrigin(visitor.origin, host.authority, policy))
    return {
      status: 403,
      cause: "origin",
      reason: "this Origin may not connect; allow it with --allow-origin",
      named: visitor.origin.length > MAX_NAMED ? undefined : visitor.origin,
    };
  if (visitor.isCrossSite && visitor.origin === null)
    return {
      status: 403,
      cause: "origin",
      reason: "a page of another site may not use this; allow it with --allow-origin",
    };
  if (!needsToken(visitor, policy)) return undefined;
  if (visitor.token !== null && isSame(visitor.token, policy.token)) return undefined;
  const wrong = visitor.token === null ? "a token is needed" : "the token is wrong";
  return { status: 401, cause: "token", reason: `${wrong}: ${WHENCE[policy.tokenFor]}` };
}

/** Where the token is to be had: a random one is in the server's own lines alone, and in none of them with `--log json`. */
const WHENCE: Readonly<Record<AccessPolicy["tokenFor"], string>> = {
  nobody: "there is none",
  strangers:
    "it is in the Network lines of the server's console; a server with --log json needs --token or CSVCAST_TOKEN",
  everyone: "ask whoever runs the server for the one that it was started with",
};

export function needsToken({ isLocal }: Visitor, { tokenFor }: AccessPolicy): boolean {
  return tokenFor === "everyone" || (tokenFor === "strangers" && !isLocal);
}

/** `authority` is the header in lower case. Doubled headers arrive joined by a comma and do not match. */
function parseHost(header: string | null): { name: string; authority: string } | undefined {
  const authority = header?.toLowerCase() ?? "";
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(\d{1,5}))?$/.exec(authority);
  return match?.[1] && Number(match[2] ?? 0) <= 65_535 ? { name: match[1], authority } : undefined;
}

function isOwnName(name: string, hosts: readonly string[]): boolean {
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  if (name.startsWith("[")) return isIP(name.slice(1, -1)) === 6 && !/[^:]:\]$/.test(name); // `[::1:]` is none
  return isIPv4(name) || hosts.some((host) => host.toLowerCase() === name);
}

/** The server's own origin is its scheme and the name it was asked for; anything that is no plain origin is foreign. */
function isAllowedOrigin(origin: string, authority: string, { origins, scheme }: AccessPolicy): boolean {
  return isOwnOrigin(origin, authority, scheme) || origins.some((allowed) => allowed.toLowerCase() === origin);
}

function isOwnOrigin(origin: string, authority: string, scheme: "http" | "https"): boolean {
  const usualPort = scheme === "http" ? /:80$/ : /:443$/;
  return origin === `${scheme}://${authority}` || origin === `${scheme}://${authority.replace(usualPort, "")}`;
}

/** Whether a visitor who was let in is a page of another origin: its browser asks whether it may read the answer. */
export function isCrossOrigin({ origin, host }: Visitor, { scheme }: AccessPolicy): boolean {
  const authority = parseHost(host)?.authority;
  return origin !== null && authority !== undefined && !isOwnOrigin(origin, authority, scheme);
}

/** In constant time: digests have one length, whatever the token. */
function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(
    new Bun.CryptoHasher("sha256").update(given).digest(),
    new Bun.CryptoHasher("sha256").update(expected).digest(),
  );
}

const FORWARDING = [
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
  "via",
] as const;

/** What a request says of itself. `peer` is the other end of its connection. */
export function visitorOf(headers: Headers, url: string, peer: Neighbour, proxies: readonly string[]): Visitor {
  const bearer = /^Bearer +(.+)$/i.exec(headers.get("authorization") ?? "")?.[1];
  const query = url.includes("?") ? new URLSearchParams(url.slice(url.indexOf("?"))).get("token") : null;
  const isNeighbour = isLoopback(peer.address);
  return {
    address: clientAddress(peer.address, headers.get("x-forwarded-for"), proxies),
    isLocal: isNeighbour && !FORWARDING.some((name) => headers.has(name)),
    peer,
    neighbour: isNeighbour ? peer : undefined,
    host: headers.get("host"),
    origin: headers.get("origin"),
    isCrossSite: headers.get("sec-fetch-site") === "cross-site",
    token: bearer ?? query,
  };
}
