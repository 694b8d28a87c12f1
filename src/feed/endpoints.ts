// What a server answers where: the only list of it. Routes, the page, --help and the answer to a wrong path are made from it.

export type Endpoint = {
  /** Of the first table; another one has its name in place of `csv`. */
  readonly path: string;
  readonly kind: "feed" | "document" | "events" | "tables" | "table-events" | "health" | "alive" | "metrics";
  readonly shape?: "json" | "ndjson" | "csv";
  readonly about: string;
};

/** What is not a feed: plain HTTP. */
export const HTTP_ENDPOINTS: readonly Endpoint[] = [
  { path: "/csv.json", kind: "document", shape: "json", about: "the table as a JSON array of objects" },
  { path: "/csv.ndjson", kind: "document", shape: "ndjson", about: "one JSON object per line" },
  { path: "/csv.csv", kind: "document", shape: "csv", about: "RFC 4180, UTF-8, comma" },
  { path: "/csv/events", kind: "events", about: "the live feed as server-sent events" },
  { path: "/tables.json", kind: "tables", about: "the tables; each is at /NAME, as the first is at /csv" },
  { path: "/tables/events", kind: "table-events", about: "the same as server-sent events: tables come and go" },
  { path: "/livez", kind: "alive", about: "200 while the server answers" },
  { path: "/healthz", kind: "health", about: "state, file, rows, clients; 503 when nothing is served" },
  { path: "/metrics", kind: "metrics", about: "for Prometheus" },
];

/** Where a feed is there is the page, too, for a GET that is no upgrade. */
const FEEDS: readonly Endpoint[] = [
  {
    path: "/",
    kind: "feed",
    about: "the same as /csv: the first table",
  },
  {
    path: "/csv",
    kind: "feed",
    about:
      "a browser gets the table as a page, a WebSocket the whole of it as JSON,\nevery interval; subprotocol csvcast.v1: the live feed",
  },
];

/** Marked as pure, as the page lists the others only. */
export const ENDPOINTS: readonly Endpoint[] = /* @__PURE__ */ FEEDS.concat(HTTP_ENDPOINTS);

/** The client library, for pages: where the server is run from its sources. It holds no data, so whoever finds the server may have it. */
export const LIBRARY_PATH = "/client.js";

/** `table`: its name; undefined for the first one, and for what is of the server. */
export type Asked = { readonly endpoint: Endpoint; readonly table: string | undefined };

/** The endpoint at a path; undefined if there can be none, whatever tables there are. */
export function endpointAt(path: string): Asked | undefined {
  const own = ENDPOINTS.find((endpoint) => endpoint.path === path);
  if (own) return { endpoint: own, table: undefined };
  const [, text = "", rest = ""] = /^\/([^/.]+)(\.json|\.ndjson|\.csv|\/events)?$/.exec(path) ?? [];
  const table = decoded(text).normalize("NFC");
  const endpoint = ENDPOINTS.find((known) => known.path === `/csv${rest}`);
  return /^[\p{L}\p{M}\p{N}_-]+$/u.test(table) && endpoint ? { endpoint, table } : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** For a person who asks for something else. */
export const ENDPOINT_LIST = /* @__PURE__ */ ENDPOINTS.map(
  ({ path, about }) =>
    `${(path === "/csv" ? "WebSocket" : "GET").padEnd(11)}${path.padEnd(16)}${about.replaceAll("\n", `\n${" ".repeat(27)}`)}`,
).join("\n");
