// The page at `/`, `/csv` and each `/NAME`, and what it loads: it holds no data, so whoever finds the server may have it, and its script fetches the data as
// everybody else does. Knows nothing of what is on it.
import { acceptedEncodings, type PageFile, SAFE, text } from "../channel/http.ts";
import { endpointAt, LIBRARY_PATH } from "../feed/endpoints.ts";

export type Pages = {
  /** Whether the page is asked for, or a part of it, and not a WebSocket or another endpoint. */
  has(request: Request, path: string): "page" | "part" | undefined;
  answer(request: Request, path: string): Promise<Response>;
};

/** Such as `/index-1a2b3c4d.js`: no endpoint looks like it. */
const PART = /^\/[\w-]+-[a-z0-9]{6,}\.(?:js|css|svg)$/;

/**
 * Only what comes from here, no scripts but files, nobody's frame; the address, which may have had a token in it, goes to nobody
 * (W3C CSP level 3, Referrer Policy).
 */
const PAGE_HEADERS = {
  ...SAFE,
  "Content-Security-Policy":
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  Vary: "Accept-Encoding",
} as const;

/** `load` is called once, when the first of them is asked for. */
export function openPages(load?: () => Promise<ReadonlyMap<string, PageFile>>): Pages {
  let files: Promise<ReadonlyMap<string, PageFile>> | undefined;

  return {
    has({ method, headers }, path) {
      if (load === undefined || (method !== "GET" && method !== "HEAD") || headers.has("upgrade")) return undefined;
      if (PART.test(path) || path === LIBRARY_PATH) return "part";
      return endpointAt(path)?.endpoint.kind === "feed" ? "page" : undefined;
    },
    async answer(request, path) {
      files ??= load!();
      const loaded = await files.catch((error: unknown) => unbuilt(error));
      if (loaded instanceof Response) {
        files = undefined; // the next one tries again
        return loaded;
      }
      const file = loaded.get(PART.test(path) || path === LIBRARY_PATH ? path : "/");
      // Pages of any origin may have it; what they get by it is another matter.
      const shared = path === LIBRARY_PATH ? { "Access-Control-Allow-Origin": "*" } : undefined;
      return file ? fileResponse(request, file, shared) : text(404, `${path}: nothing here; the page is at /`);
    },
  };
}

function unbuilt(error: unknown): Response {
  const [why] = String(error instanceof Error ? error.message : error).split("\n");
  return text(503, `the page could not be built: ${why}; has \`bun install\` been run? The other endpoints work`);
}

function fileResponse(request: Request, file: PageFile, shared: Record<string, string> = {}): Response {
  const { encoding, bytes } = packed(file, acceptedEncodings(request.headers.get("accept-encoding")));
  return new Response(request.method === "HEAD" ? null : bytes, {
    headers: {
      ...PAGE_HEADERS,
      "Content-Type": file.type,
      "Content-Length": String(bytes.byteLength),
      "Cache-Control": file.isImmutable ? "public, max-age=31536000, immutable" : "no-cache",
      ...(encoding && { "Content-Encoding": encoding }),
      ...shared,
    },
  });
}

function packed({ bytes, gzip, brotli }: PageFile, accepted: ReadonlySet<string>) {
  if (brotli && accepted.has("br")) return { encoding: "br", bytes: brotli };
  return gzip && accepted.has("gzip") ? { encoding: "gzip", bytes: gzip } : { encoding: undefined, bytes };
}
