// One look at a web address: redirects, credentials and addresses by the rules, and the body as inflated bytes, which end in an error
// unless all of them came. Knows nothing of tables.
import { isIP } from "node:net";
import { Readable } from "node:stream";
import { createBrotliDecompress, createGunzip } from "node:zlib";
import { openResolver } from "./resolver.ts";
import { failedRequest, refusedAnswer, RemoteError } from "./trouble.ts";

/** What a server says of a version of a body, to be asked with for a newer one; of the address that gave it. */
export type Validators = { readonly url: string; readonly etag?: string; readonly modified?: string };

export type Body = {
  /** Inflated, as they come. Throws CsvError if they do not all come, or too slowly. */
  readonly pieces: AsyncGenerator<Uint8Array>;
  /** How many there will be, if that is known. */
  readonly size: number | undefined;
  /** Whether the end of the body can be told from the end of the connection. */
  readonly isFramed: boolean;
  readonly validators: Validators;
  /** When it last changed, in ms since 1970, and how long that was before it was sent, by the server's clock. */
  readonly modifiedAt: number | undefined;
  readonly quietMs: number | undefined;
};

export type Requests = {
  /** `same`: what `known` is about has not changed. Throws CsvError. */
  ask(known: Validators | undefined, isClosed: AbortSignal): Promise<Body | "same">;
};

export type RequestLimits = {
  /** For the answer to begin; a body of which less than 1 kB a second comes for so long has stalled. In ms. */
  readonly stallMs: number;
};

const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const MIN_BYTES_PER_MS = 1;
const INFLATED_BYTES = 1 << 16;

/** `given`: http:// or https://, with the credentials for its own origin, if any. */
export function openRequests(given: URL, { stallMs }: RequestLimits): Requests {
  const authorization = basicAuthorization(given);
  const resolve = openResolver();

  async function ask(known: Validators | undefined, isClosed: AbortSignal): Promise<Body | "same"> {
    let url = plainUrl(given);
    for (let redirects = 0; ; redirects++) {
      const headers = new Headers({
        "User-Agent": "csvcast",
        Accept: "text/csv, */*;q=0.5",
        "Accept-Encoding": "gzip, br",
      });
      if (authorization !== undefined && url.origin === given.origin) headers.set("Authorization", authorization);
      const asked = known?.url === url.href ? known : undefined;
      if (asked?.etag !== undefined) headers.set("If-None-Match", asked.etag);
      if (asked?.modified !== undefined) headers.set("If-Modified-Since", asked.modified);
      const addresses = await resolve(url.hostname);
      const exchange = openExchange(stallMs, isClosed);
      const response = await exchange.send(url, headers, addresses);
      if (response.status === 200 || response.status === 203) return bodyOf(response, url, exchange);
      exchange.drop(response);
      if (response.status === 304 && asked) return "same";
      if (!REDIRECTS.has(response.status)) throw refusedAnswer(response, Date.now());
      if (redirects === MAX_REDIRECTS) throw new RemoteError("io", `it leads on more than ${MAX_REDIRECTS} times`);
      url = redirected(url, response.headers.get("location"));
    }
  }

  return { ask };
}

/** As it is asked for: who asks is said in a header, and a fragment is nobody's business. */
function plainUrl(url: URL): URL {
  const plain = new URL(url);
  plain.username = plain.password = plain.hash = "";
  return plain;
}

/** RFC 7617, in UTF-8; what is no escape stands for itself. */
function basicAuthorization({ username, password }: URL): string | undefined {
  if (username === "" && password === "") return undefined;
  const plain = (text: string) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };
  return `Basic ${Buffer.from(`${plain(username)}:${plain(password)}`).toString("base64")}`;
}

function redirected(from: URL, location: string | null): URL {
  if (location === null || !URL.canParse(location, from.href))
    throw new RemoteError("io", "it leads on, and does not say where to");
  const to = plainUrl(new URL(location, from.href));
  if (to.protocol !== "http:" && to.protocol !== "https:")
    throw new RemoteError("io", `it leads on to ${to.protocol}, which is not followed`);
  if (from.protocol === "https:" && to.protocol === "http:")
    throw new RemoteError("io", "it leads from https to http, which is not followed: nobody may read along");
  return to;
}

type Exchange = {
  send(url: URL, headers: Headers, addresses: readonly string[]): Promise<Response>;
  /** Bytes of the body came. */
  came(bytes: number): void;
  /** What is wrong if reading ends in an error. */
  why(error: unknown): Error;
  /** Nobody wants the body. */
  drop(response: Response): void;
  /** Cuts the connection off unless all of the body came. */
  end(isWhole: boolean): void;
};

/** A request and its answer, cut off when nothing moves. */
function openExchange(stallMs: number, isClosed: AbortSignal): Exchange {
  const cut = new AbortController();
  let isBody = false;
  let hasStalled = false;
  let bytes = 0;
  let timer = setTimeout(stall, stallMs);

  function stall(): void {
    if (isBody && bytes >= MIN_BYTES_PER_MS * stallMs) {
      bytes = 0;
      timer = setTimeout(stall, stallMs);
      return;
    }
    hasStalled = true;
    cut.abort();
  }

  function why(error: unknown): Error {
    if (!hasStalled) return failedRequest(error, isBody);
    const reason = isBody ? "its body has stalled" : "there is no answer";
    return new RemoteError("io", `${reason}: waited for ${Math.ceil(stallMs / 1000)} s`, { passes: true });
  }

  function end(isWhole: boolean): void {
    clearTimeout(timer);
    isClosed.removeEventListener("abort", close);
    if (!isWhole) cut.abort();
  }
  const close = () => end(false);
  isClosed.addEventListener("abort", close);
  if (isClosed.aborted) close();

  return {
    async send(url, headers, addresses) {
      headers.set("Host", url.host);
      try {
        for (const [i, address] of addresses.entries()) {
          try {
            const response = await fetch(addressed(url, address), {
              ...OPTIONS,
              ...tlsOf(url),
              headers,
              signal: cut.signal,
            });
            isBody = true;
            return response;
          } catch (error) {
            if (i === addresses.length - 1 || cut.signal.aborted) throw error;
          }
        }
        throw new RemoteError("io", "there is no such host");
      } catch (error) {
        end(false);
        throw why(error);
      }
    },
    came: (length) => void (bytes += length),
    why,
    drop(response) {
      void response.body?.cancel().catch(() => {});
      end(true);
    },
    end,
  };
}

/**
 * Redirects and inflating are our own: they have limits. A proxy of the environment is not asked: it would have to resolve names itself, and
 * who goes by addresses is not known to NO_PROXY. `false` is not in the types.
 */
const OPTIONS = { redirect: "manual", decompress: false, proxy: false as unknown as string } as const;

function addressed(url: URL, address: string): URL {
  const to = new URL(url);
  to.hostname = isIP(address) === 6 ? `[${address.replace(/%.*$/, "")}]` : address;
  return to;
}

/** The certificate is to be that of the name, whatever address it leads to. */
const tlsOf = ({ protocol, hostname }: URL) =>
  protocol === "https:" && isIP(hostname.replace(/^\[|\]$/g, "")) === 0 ? { tls: { serverName: hostname } } : {};

const FIRM_MS = 2_000;

const HTML = /^\s*(text\/html|application\/xhtml\+xml)\b/i;

function bodyOf(response: Response, url: URL, exchange: Exchange): Body {
  const { headers } = response;
  const encoding = (headers.get("content-encoding") ?? "").trim().toLowerCase() || "identity";
  try {
    if (HTML.test(headers.get("content-type") ?? ""))
      throw new RemoteError("not-csv", "is a web page (text/html), not a CSV: is it behind a login?");
    if (!["identity", "gzip", "x-gzip", "br"].includes(encoding))
      throw new RemoteError("io", "its body is compressed in a way that is not read here");
  } catch (error) {
    exchange.drop(response);
    throw error;
  }
  const length = headers.get("content-length");
  const etag = headers.get("etag");
  const modified = headers.get("last-modified");
  const modifiedAt = modified === null ? Number.NaN : Date.parse(modified);
  const quietMs = Date.parse(headers.get("date") ?? "") - modifiedAt;
  // What was written within the second of its date may be written again in it (RFC 9110, section 8.8.2.2), which tags made of dates do not show.
  const isFirm = Number.isNaN(quietMs) ? modified === null : quietMs >= FIRM_MS;
  const isIdentity = encoding === "identity";
  return {
    pieces: piecesOf(response, encoding, exchange),
    size: isIdentity && length !== null ? Number(length) : undefined,
    isFramed: !isIdentity || length !== null || headers.has("transfer-encoding"),
    validators: {
      url: url.href,
      ...(isFirm && etag !== null && { etag }),
      ...(isFirm && modified !== null && { modified }),
    },
    modifiedAt: Number.isNaN(modifiedAt) ? undefined : modifiedAt,
    quietMs: Number.isNaN(quietMs) ? undefined : Math.max(0, quietMs),
  };
}

async function* piecesOf(response: Response, encoding: string, exchange: Exchange): AsyncGenerator<Uint8Array> {
  const length = response.headers.get("content-length");
  let came = 0;
  let isWhole = false;
  async function* raw(): AsyncGenerator<Uint8Array> {
    for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      came += piece.length;
      exchange.came(piece.length);
      yield piece;
    }
  }
  try {
    if (encoding === "identity") yield* raw();
    else yield* inflated(raw(), encoding);
    // A header that comes twice says two lengths, of which none counts (RFC 9112, section 6.3).
    if (length !== null && Number(length) !== came)
      throw new RemoteError("io", `its body has ${came} bytes instead of ${Number(length)}`, { passes: true });
    isWhole = true;
  } catch (error) {
    throw exchange.why(error);
  } finally {
    exchange.end(isWhole);
  }
}

/** In small pieces, made as they are taken, so that whoever has had enough of them can stop. */
async function* inflated(raw: AsyncGenerator<Uint8Array>, encoding: string): AsyncGenerator<Uint8Array> {
  const inflate = encoding === "br" ? createBrotliDecompress : createGunzip;
  const inflating = inflate({ chunkSize: INFLATED_BYTES });
  const source = Readable.from(raw);
  source.on("error", (error) => inflating.destroy(error));
  try {
    yield* source.pipe(inflating) as AsyncIterable<Uint8Array>;
  } finally {
    source.destroy();
    inflating.destroy();
  }
}
