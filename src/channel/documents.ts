// A table as a document, with its cursor as ETag (RFC 9110, sections 8.8.3 and 13.1.2).
import { CsvError } from "../csv/error.ts";
import type { DocumentShape } from "../csv/parts.ts";
import { formatCursor, parseCursor } from "../feed/protocol.ts";
import type { Cursor } from "../feed/publication.ts";
import { acceptedEncodings, headOnly, SAFE, text } from "./http.ts";
import type { Snapshot } from "../source/source.ts";
import { openShared, type Shared } from "./shared.ts";

export const DOCUMENT_TYPES: Readonly<Record<DocumentShape, string>> = {
  json: "application/json",
  ndjson: "application/x-ndjson",
  csv: "text/csv; charset=utf-8; header=present",
};

export type DocumentsOptions = {
  /** Of the table as it is now; undefined before the first. */
  readonly cursor: () => Cursor | undefined;
  /** Why there is no table. */
  readonly why: () => string;
  /** Rejects if the table cannot be had in this shape, with the reason. */
  readonly snapshot: (shape: DocumentShape) => Promise<Snapshot<DocumentShape>>;
};

export type Documents = {
  answer(request: Request, shape: DocumentShape): Promise<Response>;
  /** Drops what nobody has asked for for a while. `now` in ms of a monotonic clock. */
  expire(now: number): void;
};

export function openDocuments({ cursor, why, snapshot }: DocumentsOptions): Documents {
  const now = () => performance.now();
  const shared = {
    json: openShared(() => snapshot("json"), now),
    ndjson: openShared(() => snapshot("ndjson"), now),
    csv: openShared(() => snapshot("csv"), now),
  };

  async function current(shape: DocumentShape) {
    const latest = shared[shape].latest();
    if (!latest || !isSame(latest.cursor, cursor())) return shared[shape].renew();
    shared[shape].touch();
    return latest;
  }

  /** Once more if another source takes the place of the one that was asked before there is anything of it. */
  async function fresh(request: Request, shape: DocumentShape, headers: Record<string, string>): Promise<Response> {
    for (;;) {
      const at = cursor();
      try {
        const found = await current(shape);
        headers["ETag"] = etagOf(formatCursor(found.cursor));
        return await encoded(found, request.headers.get("accept-encoding"), headers);
      } catch (error) {
        if (!(error instanceof CsvError && error.kind === "closed") || cursor()?.epoch === at?.epoch) throw error;
      }
    }
  }

  async function answer(request: Request, shape: DocumentShape): Promise<Response> {
    const at = cursor();
    if (!at) return text(503, why(), { "Retry-After": "1" });
    const headers: Record<string, string> = {
      ...SAFE,
      ETag: etagOf(formatCursor(at)),
      "Cache-Control": "no-cache",
      Vary: "Accept-Encoding",
      "Content-Type": DOCUMENT_TYPES[shape],
    };
    const known = knownBy(request.headers.get("if-none-match"), at);
    if (known !== undefined) return new Response(null, { status: 304, headers: { ...headers, ETag: etagOf(known) } });
    if (request.method === "HEAD") return headOnly(headers);
    try {
      return await fresh(request, shape, headers);
    } catch (error) {
      return text(503, error instanceof Error ? error.message : String(error), { "Retry-After": "1" });
    }
  }

  return {
    answer,
    expire: (at) => Object.values(shared).forEach((kept) => kept.expire(at)),
  };
}

/** The whole cursor: versions of another epoch may be the same. */
const isSame = (a: Cursor, b: Cursor | undefined) => a.epoch === b?.epoch && a.version === b.version;

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

/** Rejects if not even the first part can be had. */
async function encoded(
  document: Shared<DocumentShape>,
  accepts: string | null,
  headers: Record<string, string>,
): Promise<Response> {
  const stream = await streamOf(document);
  const { first, isWhole } = stream;
  const encoding = isWhole && first.length < MIN_COMPRESSED_BYTES ? undefined : encodingOf(accepts);
  if (isWhole && !encoding) return new Response(first, { headers });
  if (!encoding) return new Response(stream.rest, { headers });
  const compressed = stream.rest.pipeThrough(new CompressionStream(encoding, { level: COMPRESSION_LEVEL }));
  return new Response(compressed, { headers: { ...headers, "Content-Encoding": encoding } });
}

/** The one we like best of those accepted (RFC 9110, section 12.5.3). */
export function encodingOf(accepts: string | null): "zstd" | "gzip" | undefined {
  const accepted = acceptedEncodings(accepts);
  return accepted.has("zstd") ? "zstd" : accepted.has("gzip") || accepted.has("*") ? "gzip" : undefined;
}

/** Its chunks, the first of which is there; each of the others is made as it is taken. */
async function streamOf(document: Shared<DocumentShape>) {
  const release = document.acquire();
  let part = await document.part(0).catch((error: unknown) => {
    release();
    throw error;
  });
  const first = part;
  const isWhole = first.next >= document.rows;
  if (isWhole) release();
  let isFirst = true;
  async function pull(controller: ReadableStreamDefaultController<Bun.BufferSource>): Promise<void> {
    if (!isFirst) part = await document.part(part.next);
    isFirst = false;
    // A copy: whoever takes it may take it over.
    controller.enqueue(part.data.slice());
    if (part.next < document.rows) return;
    controller.close();
    release();
  }
  const fail = (error: unknown) => {
    release();
    throw error;
  };
  const rest = new ReadableStream<Bun.BufferSource>(
    { pull: (controller) => pull(controller).catch(fail), cancel: release },
    { highWaterMark: 0 },
  );
  return { first: first.data, isWhole, rest };
}
