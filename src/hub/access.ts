// Who may come in: pure rules on what a request says of itself. DESIGN 6; RFC 6454 (origins), RFC 9110 section 7.2 (Host).
import { timingSafeEqual } from "node:crypto";
import { isIP, isIPv4 } from "node:net";

export type AccessPolicy = {
  readonly token: string;
  /** `nobody`: --open; `strangers`: everyone but this machine; `everyone`: a token was set. */
  readonly tokenFor: "nobody" | "strangers" | "everyone";
  /** Names besides localhost and IP literals under which the server may be asked for. */
  readonly hosts: readonly string[];
  /** Origins besides the server's own, such as `https://dash.example`. */
  readonly origins: readonly string[];
};

/** What a request says of itself. `token` is what it shows, from `Authorization: Bearer` or `?token=`. */
export type Visitor = {
  readonly address: string;
  readonly isForwarded: boolean;
  readonly host: string | null;
  readonly origin: string | null;
  /** A page of another site asks without saying which (W3C Fetch Metadata): it embeds the answer, or leads here. */
  readonly isCrossSite: boolean;
  readonly token: string | null;
};

export type Refusal = {
  readonly status: 401 | 403;
  readonly cause: "host" | "origin" | "token";
  readonly reason: string;
};

/** Undefined if the visitor may come in. */
export function refusalOf(visitor: Visitor, policy: AccessPolicy): Refusal | undefined {
  const host = parseHost(visitor.host);
  if (!host || !isOwnName(host.name, policy.hosts))
    return {
      status: 403,
      cause: "host",
      reason: "the Host header names no host of this server; allow it with --allow-host",
    };
  if (visitor.origin !== null && !isAllowedOrigin(visitor.origin, host.authority, policy.origins))
    return { status: 403, cause: "origin", reason: "this Origin may not connect; allow it with --allow-origin" };
  if (visitor.isCrossSite && visitor.origin === null)
    return {
      status: 403,
      cause: "origin",
      reason: "a page of another site may not use this; allow it with --allow-origin",
    };
  if (!needsToken(visitor, policy)) return undefined;
  if (visitor.token !== null && isSame(visitor.token, policy.token)) return undefined;
  const wrong = visitor.token === null ? "a token is needed" : "the token is wrong";
  return { status: 401, cause: "token", reason: `${wrong}: the server prints it in its network URL` };
}

function needsToken({ address, isForwarded }: Visitor, { tokenFor }: AccessPolicy): boolean {
  if (tokenFor === "nobody") return false;
  return tokenFor === "everyone" || isForwarded || !isLoopback(address);
}

/** 127.0.0.0/8 and ::1, also as an IPv4-mapped address. */
export function isLoopback(address: string): boolean {
  const v4 = address.replace(/^::ffff:/i, "");
  return address === "::1" || (isIPv4(v4) && v4.startsWith("127."));
}

/** `authority` is the header in lower case. Doubled headers arrive joined by a comma and do not match. */
function parseHost(header: string | null): { name: string; authority: string } | undefined {
  const authority = header?.toLowerCase() ?? "";
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::\d{1,5})?$/.exec(authority);
  return match?.[1] ? { name: match[1], authority } : undefined;
}

function isOwnName(name: string, hosts: readonly string[]): boolean {
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  if (name.startsWith("[")) return isIP(name.slice(1, -1)) === 6;
  return isIPv4(name) || hosts.some((host) => host.toLowerCase() === name);
}

/** The server's own origin is `http://` and the name it was asked for; anything that is no plain origin is foreign. */
function isAllowedOrigin(origin: string, authority: string, origins: readonly string[]): boolean {
  if (origin === `http://${authority}` || origin === `http://${authority.replace(/:80$/, "")}`) return true;
  return origins.some((allowed) => allowed.toLowerCase() === origin);
}

/** Whether a visitor who was let in is a page of another origin: its browser asks whether it may read the answer. */
export function isCrossOrigin({ origin, host }: Visitor): boolean {
  const authority = parseHost(host)?.authority;
  return origin !== null && authority !== undefined && !isAllowedOrigin(origin, authority, []);
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

/** What a request says of itself. */
export function visitorOf(headers: Headers, url: string, address: string): Visitor {
  const bearer = /^Bearer +(.+)$/i.exec(headers.get("authorization") ?? "")?.[1];
  const query = url.includes("?") ? new URLSearchParams(url.slice(url.indexOf("?"))).get("token") : null;
  return {
    address,
    isForwarded: FORWARDING.some((name) => headers.has(name)),
    host: headers.get("host"),
    origin: headers.get("origin"),
    isCrossSite: headers.get("sec-fetch-site") === "cross-site",
    token: bearer ?? query,
  };
}
