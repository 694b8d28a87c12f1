// A table as a document, with its cursor as ETag (RFC 9110, sections 8.8.3 and 13.1.2).
import { CsvError } from "../csv/error.ts";
import { type Chunk, CHUNK_BYTES, type DocumentShape } from "../csv/parts.ts";
import { formatCursor, parseCursor } from "../feed/protocol.ts";
import type { Cursor } from "../feed/publication.ts";
import { acceptedEncodings, headOnly, SAFE, text } from "./http.ts";
import type { Snapshot } from "../source/source.ts";
import type { Backlog, Consumer } from "./client.ts";
import { openShared, type Shared } from "./shared.ts";
import { openTurns } from "./turns.ts";

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
  readonly backlog: Backlog;
  /** Who finds no room in the backlog waits so long, in ms. */
  readonly waitMs?: number | undefined;
};

/** Who asks for a document. */
export type Recipient = {
  /** The other end of its connection. */
  readonly peer: NonNullable<Consumer["peer"]>;
  /** How long nothing may move on its connection; 0: what it takes is looked at by the backlog. */
  setTimeout(seconds: number): void;
  /** It has got all, or is gone: called once. */
  onEnd(): void;
};

export type Documents = {
  answer(request: Request, shape: DocumentShape, recipient: Recipient): Promise<Response>;
  /** Drops what nobody has asked for for a while. `now` in ms of a monotonic clock. */
  expire(now: number): void;
};

/** For the last bytes, which nobody looks after any more. */
const ENDING_SECONDS = 60;
const WAIT_MS = 5_000;
const BUSY_RETRY_SECONDS = 5;
const BUSY = "busy: others are still to take what they were sent; see --max-backlog";

export function openDocuments({ cursor, why, snapshot, backlog, waitMs = WAIT_MS }: DocumentsOptions): Documents {
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
  async function fresh(
    request: Request,
    shape: DocumentShape,
    headers: Record<string, string>,
    download: Download,
  ): Promise<Response> {
    for (;;) {
      const at = cursor();
      try {
        const found = await current(shape);
        headers["ETag"] = etagOf(formatCursor(found.cursor));
        return await encoded(found, request.headers.get("accept-encoding"), headers, download);
      } catch (error) {
        if (!(error instanceof CsvError && error.kind === "closed") || cursor()?.epoch === at?.epoch) throw error;
      }
    }
  }

  async function answer(request: Request, shape: DocumentShape, recipient: Recipient): Promise<Response> {
    const download = openDownload(recipient, backlog);
    try {
      return await answered(request, shape, download);
    } finally {
      if (!download.isStreamed) download.end();
    }
  }

  async function answered(request: Request, shape: DocumentShape, download: Download): Promise<Response> {
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
    if (!(await download.hasRoom(waitMs))) return text(503, BUSY, { "Retry-After": `${BUSY_RETRY_SECONDS}` });
    try {
      return await fresh(request, shape, headers, download);
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

/** A document on its way: a client, whose chunks are owed to it until it asks for the next one. */
type Download = {
  /** Whether it goes on when the answer has begun. */
  isStreamed: boolean;
  /** Waits for room in the backlog, for some time. */
  hasRoom(waitMs: number): Promise<boolean>;
  /** `abort`: what to do when it takes nothing. */
  begin(abort: (error: Error) => void): void;
  /** A chunk goes out: it has taken the one before. */
  owe(bytes: number): void;
  /** `isWhole`: nothing but its last chunk is on its way. */
  end(isWhole?: boolean): void;
};

function openDownload({ peer, setTimeout: setIdle, onEnd }: Recipient, backlog: Backlog): Download {
  let owedBytes = 0;
  let isOver = false;
  let abort = (_error: Error) => {};
  const consumer: Consumer = {
    pendingBytes: 0,
    progressAt: 0,
    peer,
    buffered: () => owedBytes,
    close: (_code, reason) => abort(new Error(reason)),
  };
  return {
    isStreamed: false,
    async hasRoom(waitMs) {
      const room = Promise.withResolvers<boolean>();
      // Taken at once: others who come in the same moment would find it empty, too.
      const take = () => {
        backlog.add(consumer, CHUNK_BYTES);
        room.resolve(true);
      };
      if (!backlog.waits(consumer, take)) take();
      const timer = setTimeout(() => room.resolve(false), waitMs);
      const found = await room.promise;
      clearTimeout(timer);
      if (!found) backlog.settle(consumer); // it waits no more
      return found;
    },
    begin(onStall) {
      this.isStreamed = true;
      abort = onStall;
      setIdle(0);
    },
    owe(bytes) {
      owedBytes = bytes;
      backlog.add(consumer, bytes);
    },
    end(isWhole = false) {
      if (isOver) return;
      isOver = true;
      backlog.settle(consumer);
      if (isWhole) setIdle(ENDING_SECONDS);
      onEnd();
    },
  };
}

/** Rejects if not even the first part can be had. */
async function encoded(
  document: Shared<DocumentShape>,
  accepts: string | null,
  headers: Record<string, string>,
  download: Download,
): Promise<Response> {
  const release = document.acquire();
  const first = await document.part(0).catch((error: unknown) => {
    release();
    throw error;
  });
  const isWhole = first.next >= document.rows;
  const encoding = isWhole && first.data.length < MIN_COMPRESSED_BYTES ? undefined : encodingOf(accepts);
  if (isWhole && !encoding) {
    release();
    return new Response(first.data, { headers });
  }
  const stream = streamOf(document, first, release, download);
  if (!encoding) return new Response(stream, { headers });
  const compressed = stream.pipeThrough(new CompressionStream(encoding, { level: COMPRESSION_LEVEL }));
  return new Response(compressed, { headers: { ...headers, "Content-Encoding": encoding } });
}

/** The one we like best of those accepted (RFC 9110, section 12.5.3). */
export function encodingOf(accepts: string | null): "zstd" | "gzip" | undefined {
  const accepted = acceptedEncodings(accepts);
  return accepted.has("zstd") ? "zstd" : accepted.has("gzip") || accepted.has("*") ? "gzip" : undefined;
}

/** Of all downloads: a chunk takes less than a millisecond. */
const TURNS = openTurns();

/** Its chunks, the first of which is there; each of the others is made as it is taken. */
function streamOf(
  document: Shared<DocumentShape>,
  first: Chunk,
  release: () => void,
  download: Download,
): ReadableStream<Bun.BufferSource> {
  let begun: Chunk | undefined = first;
  let at = 0;
  let isOver = false;
  const end = (isWhole?: boolean) => {
    isOver = true;
    release();
    download.end(isWhole);
  };
  async function pull(controller: ReadableStreamDefaultController<Bun.BufferSource>): Promise<void> {
    await TURNS.take();
    if (isOver) return;
    const { data, next } = begun ?? (await document.part(at));
    begun = undefined;
    at = next;
    document.prepare(at);
    // A copy: whoever takes it may take it over.
    controller.enqueue(data.slice());
    if (at < document.rows) return download.owe(data.length);
    controller.close();
    end(true);
  }
  const fail = (error: unknown) => {
    end();
    throw error;
  };
  return new ReadableStream<Bun.BufferSource>(
    {
      start: (controller) =>
        download.begin((error) => {
          end();
          controller.error(error);
        }),
      pull: (controller) => pull(controller).catch(fail),
      cancel: () => end(),
    },
    { highWaterMark: 0 },
  );
}
