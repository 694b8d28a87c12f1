// The HTTP doors: the table as a document with its version as ETag (RFC 9110, sections 8.8.3 and 13.1.2), health and metrics.
import type { Feed } from "../feed/feed.ts";
import { type Cursor, formatCursor, parseCursor } from "../feed/protocol.ts";
import { acceptedEncodings, EVENT_STREAM, SAFE, text } from "./http.ts";

export type DocumentShape = "json" | "ndjson" | "csv";

/** The table at some version as a document in UTF-8. */
export type TableDocument = {
  readonly version: number;
  readonly epoch?: string | undefined;
  readonly chunks: readonly Uint8Array[];
};

/** A document, and the cursor of its table; undefined if another file was on air by the time it was there. */
type Kept = { readonly document: TableDocument; readonly at: Cursor | undefined; usedAt: number };

export type DoorOptions = {
  readonly feed: Feed;
  /** The current table; rejects if there will be none. */
  readonly render: (shape: DocumentShape) => Promise<TableDocument>;
  readonly health: () => Record<string, unknown>;
  readonly metrics: () => string;
};

export type Doors = {
  /** Undefined if there is no such door. A GET of the event stream is not for here. */
  answer(request: Request, path: string): Response | Promise<Response> | undefined;
  /** Gives up documents that nobody has asked for for a while. */
  expire(now: number): void;
};

const KEPT_MS = 5_000;
const DOCUMENTS: Record<string, { readonly shape: DocumentShape; readonly type: string }> = {
  "/csv.json": { shape: "json", type: "application/json" },
  "/csv.ndjson": { shape: "ndjson", type: "application/x-ndjson" },
  "/csv.csv": { shape: "csv", type: "text/csv; charset=utf-8; header=present" },
};

/** What is to be found where. */
export const DOOR_LIST = `WebSocket  /  /csv         the whole table as JSON, every interval; subprotocol csvcast.v1: the live feed
GET        /               the table in a browser, as it changes
GET        /csv.json       the table as a JSON array of objects
GET        /csv.ndjson     one JSON object per line
GET        /csv.csv        RFC 4180, UTF-8, comma
GET        /csv/events     the live feed as server-sent events
GET        /healthz        state, file, rows, clients; 503 when nothing is served
GET        /metrics        for Prometheus`;

export function openDoors({ feed, render, health, metrics }: DoorOptions): Doors {
  const kept = new Map<DocumentShape, Kept>();

  function answer(request: Request, path: string): Response | Promise<Response> | undefined {
    const door = Object.hasOwn(DOCUMENTS, path) ? DOCUMENTS[path] : undefined;
    if (!door && !["/csv/events", "/healthz", "/metrics"].includes(path)) return undefined;
    if (request.method !== "GET" && request.method !== "HEAD")
      return text(405, `${path}: only GET and HEAD are answered here`, { Allow: "GET, HEAD" });
    if (door) return documentOf(request, door.shape, door.type);
    if (path === "/csv/events") return new Response(null, { headers: EVENT_STREAM }); // HEAD; GET has gone another way
    if (path === "/healthz") return healthOf();
    return new Response(metrics(), {
      headers: { ...SAFE, "Content-Type": "text/plain; version=0.0.4; charset=utf-8" },
    });
  }

  function healthOf(): Response {
    const status = feed.cursor() && feed.status().state === "live" ? 200 : 503;
    return Response.json(health(), { status, headers: { ...SAFE, "Cache-Control": "no-store" } });
  }

  async function documentOf(request: Request, shape: DocumentShape, type: string): Promise<Response> {
    const cursor = feed.cursor();
    if (!cursor) return text(503, "no file is on air yet", { "Retry-After": "1" });
    const headers: Record<string, string> = {
      ...SAFE,
      ETag: etagOf(formatCursor(cursor)),
      "Cache-Control": "no-cache",
      Vary: "Accept-Encoding",
      "Content-Type": type,
    };
    const known = knownBy(request.headers.get("if-none-match"), cursor);
    if (known !== undefined) return new Response(null, { status: 304, headers: { ...headers, ETag: etagOf(known) } });
    if (request.method === "HEAD") return new Response(null, { headers });
    const found = await current(shape).catch((error: Error) => error.message);
    if (typeof found === "string") return text(503, found);
    const { document, at } = found;
    if (at) headers["ETag"] = etagOf(formatCursor(at));
    else delete headers["ETag"];
    return encoded(document.chunks, request.headers.get("accept-encoding"), headers);
  }

  async function current(shape: DocumentShape): Promise<Kept> {
    const last = kept.get(shape);
    if (last && isCurrent(last.at)) {
      last.usedAt = performance.now();
      return last;
    }
    const document = await render(shape);
    const fresh = { document, at: feed.cursorOf(document), usedAt: performance.now() };
    kept.set(shape, fresh);
    return fresh;
  }

  /** The whole cursor: versions of another epoch may be the same. */
  function isCurrent(at: Cursor | undefined): boolean {
    const cursor = feed.cursor();
    return at !== undefined && at.epoch === cursor?.epoch && at.version === cursor.version;
  }

  return {
    answer,
    expire(now) {
      for (const [shape, { usedAt }] of kept) if (now - usedAt > KEPT_MS) kept.delete(shape);
    },
  };
}

/** Weak: all encodings of a version share it. */
const etagOf = (cursor: string) => `W/"${cursor}"`;

/**
 * The cursor, of those in `If-None-Match` (weak comparison), that spares sending the document: the current one, or a later one
 * of its epoch, which another server of this feed gave: what is here would take the client back.
 */
export function knownBy(header: string | null, cursor: Cursor): string | undefined {
  if (header === null) return undefined;
  if (header.trim() === "*") return formatCursor(cursor);
  const known = header
    .split(",")
    .map((tag) => parseCursor(/^(?:W\/)?"(.*)"$/.exec(tag.trim())?.[1] ?? ""))
    .find((at) => at?.epoch === cursor.epoch && at.version >= cursor.version);
  return known && formatCursor(known);
}

/** Fast for both, and most of what there is to gain. */
const COMPRESSION_LEVEL = 3;
/** Smaller ones are not worth compressing. */
const MIN_COMPRESSED_BYTES = 1024;

function encoded(chunks: readonly Uint8Array[], accepts: string | null, headers: Record<string, string>): Response {
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  const encoding = bytes < MIN_COMPRESSED_BYTES ? undefined : encodingOf(accepts);
  if (encoding) {
    const compressed = streamOf(chunks).pipeThrough(new CompressionStream(encoding, { level: COMPRESSION_LEVEL }));
    return new Response(compressed, { headers: { ...headers, "Content-Encoding": encoding } });
  }
  if (chunks.length <= 1) return new Response(chunks[0] ?? "", { headers });
  return new Response(streamOf(chunks), { headers: { ...headers, "Content-Length": String(bytes) } });
}

/** The one we like best of those accepted (RFC 9110, section 12.5.3). */
export function encodingOf(accepts: string | null): "zstd" | "gzip" | undefined {
  const accepted = acceptedEncodings(accepts);
  return accepted.has("zstd") ? "zstd" : accepted.has("gzip") || accepted.has("*") ? "gzip" : undefined;
}

/** One chunk at a time, as it is taken. */
function streamOf(chunks: readonly Uint8Array[]): ReadableStream<Bun.BufferSource> {
  let next = 0;
  return new ReadableStream<Bun.BufferSource>(
    {
      pull(controller) {
        const chunk = chunks[next++];
        if (chunk) controller.enqueue(chunk);
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}
