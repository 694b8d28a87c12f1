// What a server answers where: the only list of it. Routes, the page, --help and the answer to a wrong path are made from it.

export type Endpoint = {
  readonly path: string;
  readonly kind: "feed" | "document" | "events" | "health" | "metrics";
  readonly shape?: "json" | "ndjson" | "csv";
  readonly about: string;
};

/** The page is at `/`, too, for a GET that is no upgrade. */
export const ENDPOINTS: readonly Endpoint[] = [
  {
    path: "/",
    kind: "feed",
    about: "the table in a browser, as it changes; for a WebSocket the same as /csv",
  },
  {
    path: "/csv",
    kind: "feed",
    about: "the whole table as JSON, every interval; subprotocol csvcast.v1: the live feed",
  },
  { path: "/csv.json", kind: "document", shape: "json", about: "the table as a JSON array of objects" },
  { path: "/csv.ndjson", kind: "document", shape: "ndjson", about: "one JSON object per line" },
  { path: "/csv.csv", kind: "document", shape: "csv", about: "RFC 4180, UTF-8, comma" },
  { path: "/csv/events", kind: "events", about: "the live feed as server-sent events" },
  { path: "/healthz", kind: "health", about: "state, file, rows, clients; 503 when nothing is served" },
  { path: "/metrics", kind: "metrics", about: "for Prometheus" },
];

/** What is not a feed: plain HTTP. */
export const HTTP_ENDPOINTS = ENDPOINTS.filter(({ kind }) => kind !== "feed");

export const endpointAt = (path: string) => ENDPOINTS.find((endpoint) => endpoint.path === path);

/** For a person who asks for something else. */
export const ENDPOINT_LIST = ENDPOINTS.map(
  ({ path, about }) => `${(path === "/csv" ? "WebSocket" : "GET").padEnd(11)}${path.padEnd(13)}${about}`,
).join("\n");
