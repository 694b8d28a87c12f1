// Small parts of HTTP: what a request asks for, and short answers.
import { type Cursor, parseCursor } from "../feed/protocol.ts";

/** A file of the page at `/`. */
export type PageFile = {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same, compressed; undefined if that is no gain. */
  readonly gzip: Uint8Array<ArrayBuffer> | undefined;
  readonly brotli: Uint8Array<ArrayBuffer> | undefined;
  /** What is there under this path is never another. */
  readonly isImmutable: boolean;
};

/** The cursor in the query: what the client holds. */
export function sinceOf(request: Request): Cursor | undefined {
  const { url } = request;
  const since = url.includes("?") ? new URLSearchParams(url.slice(url.indexOf("?"))).get("since") : null;
  return since === null ? undefined : parseCursor(since);
}

/** `new URL` would throw on what a malformed Host header makes of the URL. */
export function pathOf(url: string): string {
  return url.replace(/^https?:\/\/[^/]*/i, "").replace(/[?#].*$/s, "");
}

/** A page of an allowed origin may read it (WHATWG Fetch, CORS protocol). */
export function shared(response: Response, origin: string): Response {
  const { headers } = response;
  headers.set("Access-Control-Allow-Origin", origin);
  headers.set("Access-Control-Allow-Headers", "Authorization, If-None-Match, Last-Event-ID");
  headers.set("Access-Control-Expose-Headers", "ETag");
  headers.append("Vary", "Origin");
  return response;
}

/** No browser guesses what an answer is, and no page embeds it that may not read it. */
export const SAFE = {
  "X-Content-Type-Options": "nosniff",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
} as const;

/** The headers of an event stream (WHATWG HTML, section 9.2); the last keeps nginx from holding it back. */
export const EVENT_STREAM = {
  ...SAFE,
  "Content-Type": "text/event-stream",
  "Cache-Control": "no-store",
  "X-Accel-Buffering": "no",
} as const;

export function text(status: number, reason: string, headers: Record<string, string> = {}): Response {
  const challenge = status === 401 ? { "WWW-Authenticate": "Bearer" } : {};
  return new Response(`${reason}\n`, {
    status,
    headers: { ...headers, ...challenge, ...SAFE },
  });
}

/**
 * The answer to HEAD where how long the content is shows only when it is made: no length at all, as the runtime would say 0
 * (RFC 9110, section 9.3.2; RFC 9112, section 6.1, allows the coding here).
 */
export function headOnly(headers: Record<string, string>): Response {
  return new Response(null, { headers: { ...headers, "Transfer-Encoding": "chunked" } });
}

/** The names in `Accept-Encoding` that are not refused with `q=0` (RFC 9110, section 12.5.3). */
export function acceptedEncodings(header: string | null): ReadonlySet<string> {
  const accepted = new Set<string>();
  for (const item of (header ?? "").toLowerCase().split(",")) {
    const [name = "", ...parameters] = item.split(";").map((part) => part.trim());
    if (!parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))) accepted.add(name);
  }
  return accepted;
}
