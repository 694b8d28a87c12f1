// The HTTP doors: documents with ETags, server-sent events, health, metrics; under the same rules as the WebSocket.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { HubOptions } from "../../src/hub/hub.ts";
import { encodingOf, knownBy } from "../../src/hub/routes.ts";
import { SUBPROTOCOL } from "../../src/feed/protocol.ts";
import { connect, exchange, TEST_TIMEOUT_MS, until } from "../support.ts";
import { openHubWith, TOKEN } from "./options.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const DOCUMENTS = { json: '[{"a":"é"}]', ndjson: '{"a":"é"}\n', csv: "a\r\né\r\n" };

/** A hub with a table of one row, version 1, rendered as `DOCUMENTS`, each `repeat` times. */
function openDoors(repeat = 1, over: Partial<HubOptions> = {}) {
  let renderings = 0;
  let version = 1;
  const hub = openHubWith({
    renderDocument: async (shape) => {
      renderings++;
      return { version, chunks: Array.from({ length: repeat }, () => Buffer.from(DOCUMENTS[shape])) };
    },
    renderRows: async () => ({ version, rows: 1, parts: [{ at: 0, text: '[["é"]]' }] }),
    health: () => ({ file: "a.csv", columns: 1 }),
    ...over,
  });
  const base = `http://127.0.0.1:${hub.port}`;
  return {
    ...hub,
    base,
    renderings: () => renderings,
    begin() {
      hub.setStatus({ state: "live", message: "", since: 1 });
      hub.change({ version, isNewEpoch: true, splices: undefined, columnsJson: '["a"]', rows: 1, bytes: 3 });
    },
    touch: () =>
      hub.change({ version: ++version, isNewEpoch: false, splices: "[]", columnsJson: undefined, rows: 1, bytes: 3 }),
    get: (path: string, headers: Record<string, string> = {}, method = "GET") =>
      fetch(base + path, { headers: { "Accept-Encoding": "identity", ...headers }, method }),
  };
}

describe("a document", () => {
  test.each([
    { path: "/csv.json", type: "application/json", text: DOCUMENTS.json },
    { path: "/csv.ndjson", type: "application/x-ndjson", text: DOCUMENTS.ndjson },
    { path: "/csv.csv", type: "text/csv; charset=utf-8; header=present", text: DOCUMENTS.csv },
  ])("$path is the table", async ({ path, type, text }) => {
    await using hub = openDoors();
    hub.begin();
    const response = await hub.get(`${path}?x=1`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe(type);
    expect(response.headers.get("content-length")).toBe(String(Buffer.byteLength(text)));
    expect(response.headers.get("etag")).toMatch(/^W\/"[\w-]+:1"$/);
    expect(response.headers.get("cache-control")).toBe("no-cache");
    expect(await response.text()).toBe(text);
  });

  test("is not rendered again while it is the same, and not at all for who has it already", async () => {
    await using hub = openDoors();
    hub.begin();
    const etag = (await hub.get("/csv.json")).headers.get("etag")!;
    await hub.get("/csv.json");
    const known = await hub.get("/csv.json", { "If-None-Match": `"x", ${etag}` });
    expect([known.status, await known.text(), known.headers.get("etag")]).toEqual([304, "", etag]);
    const head = await hub.get("/csv.ndjson", {}, "HEAD");
    expect([head.status, await head.text(), head.headers.get("etag")]).toEqual([200, "", etag]);
    expect(hub.renderings()).toBe(1);
    hub.touch();
    const changed = await hub.get("/csv.json", { "If-None-Match": etag });
    expect([changed.status, changed.headers.get("etag")]).toEqual([200, etag.replace(":1", ":2")]);
    expect(hub.renderings()).toBe(2);
  });

  test.each(["gzip", "zstd"] as const)("is compressed with %s for who takes that", async (encoding) => {
    await using hub = openDoors(1000);
    hub.begin();
    const response = await fetch(`${hub.base}/csv.ndjson`, {
      headers: { "Accept-Encoding": encoding },
      decompress: false,
    });
    expect(response.headers.get("content-encoding")).toBe(encoding);
    expect(response.headers.get("vary")).toBe("Accept-Encoding");
    const bytes = Buffer.from(await response.arrayBuffer());
    const plain = encoding === "gzip" ? Bun.gunzipSync(bytes) : Bun.zstdDecompressSync(bytes);
    expect(Buffer.from(plain).toString()).toBe(DOCUMENTS.ndjson.repeat(1000));
    expect(bytes.length).toBeLessThan(1000);
  });

  test("is there once a file is on air: before, 503", async () => {
    await using hub = openDoors();
    const response = await hub.get("/csv.csv");
    expect([response.status, await response.text(), response.headers.get("retry-after")]).toEqual([
      503,
      "no file is on air yet\n",
      "1",
    ]);
  });

  test("that cannot be had is 503 with the reason", async () => {
    const renderDocument = () => Promise.reject(new Error("a.csv: as json the table is longer than 4 GiB"));
    await using hub = openDoors(1, { renderDocument });
    hub.begin();
    const response = await hub.get("/csv.json");
    expect([response.status, await response.text()]).toEqual([503, "a.csv: as json the table is longer than 4 GiB\n"]);
  });

  test("is not to be written: 405 names what is allowed", async () => {
    await using hub = openDoors();
    const response = await hub.get("/csv.json", {}, "PUT");
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  test("needs the token that everything needs", async () => {
    await using hub = openDoors(1, {
      access: { token: TOKEN, tokenFor: "everyone", hosts: [], origins: [], proxies: [], scheme: "http" },
    });
    hub.begin();
    for (const path of ["/csv.json", "/csv/events", "/healthz", "/metrics"])
      expect((await hub.get(path)).status).toBe(401);
    expect((await hub.get("/csv.json", { Authorization: `Bearer ${TOKEN}` })).status).toBe(200);
    expect((await hub.get(`/csv.json?token=${TOKEN}`)).status).toBe(200);
    expect((await hub.get("/csv.json", { Host: "evil.example" })).status).toBe(403);
  });

  test("may be read by pages of an allowed origin, whose browsers ask first, and by no others", async () => {
    await using hub = openDoors(1, {
      access: {
        token: TOKEN,
        tokenFor: "everyone",
        hosts: [],
        origins: ["https://dash.example"],
        proxies: [],
        scheme: "http",
      },
    });
    hub.begin();
    const asked = await hub.get("/csv.json", { Origin: "https://dash.example" }, "OPTIONS");
    expect([asked.status, asked.headers.get("access-control-allow-origin")]).toEqual([204, "https://dash.example"]);
    const read = await hub.get("/csv.json", { Origin: "https://dash.example", Authorization: `Bearer ${TOKEN}` });
    expect([read.status, read.headers.get("access-control-allow-origin")]).toEqual([200, "https://dash.example"]);
    const foreign = await hub.get("/csv.json", { Origin: "https://evil.example" }, "OPTIONS");
    expect([foreign.status, foreign.headers.get("access-control-allow-origin")]).toEqual([403, null]);
  });
});

test.each(["/csv.json", "/csv/events", "/healthz", "/metrics", "/nothing"])(
  "%s is no use to pages of other sites: not embedded, not framed, not sniffed",
  async (path) => {
    await using hub = openDoors();
    hub.begin();
    const response = await hub.get(path, {}, "HEAD");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("cross-origin-resource-policy")).toBe("same-origin");
    expect(response.headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
    expect((await hub.get(path, { "Sec-Fetch-Site": "cross-site" })).status).toBe(403);
  },
);

/** Reads events until `count` of them have come. */
async function readEvents(response: Response, count: number): Promise<string[]> {
  const events: string[] = [];
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body!) {
    text += decoder.decode(chunk, { stream: true });
    const parts = text.split("\n\n");
    text = parts.pop()!;
    events.push(...parts);
    if (events.length >= count) break;
  }
  return events;
}

describe("an event stream", () => {
  test("is the live feed, with the cursor as id", async () => {
    await using hub = openDoors();
    hub.begin();
    const response = await hub.get("/csv/events");
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const [retry, snapshot, status, sync] = await readEvents(response, 4);
    expect(retry).toBe("retry: 1000");
    expect(snapshot).toMatch(/^id: [\w-]+:1\ndata: \{"type":"snapshot",.*"rows":\[\["é"\]\],"count":1\}$/);
    expect(status).toMatch(/^data: \{"type":"status","state":"live"/);
    expect(sync).toMatch(/^id: [\w-]+:1\ndata: \{"type":"sync"/);
    await until("it to be gone", () => hub.clients() === 0);
  });

  test.each(["header", "query"])("resumes from the cursor in the %s", async (where) => {
    await using hub = openDoors();
    hub.begin();
    const cursor = /"(.*)"/.exec((await hub.get("/csv.json")).headers.get("etag")!)![1]!;
    hub.touch();
    const response =
      where === "header"
        ? await hub.get("/csv/events", { "Last-Event-ID": cursor })
        : await hub.get(`/csv/events?since=${cursor}`);
    const [, delta] = await readEvents(response, 2);
    expect(delta).toMatch(/^id: [\w-]+:2\ndata: \{"type":"delta",.*"from":1,"to":2,"splices":\[\],"count":1\}$/);
  });

  test("gets the changes, says sync when nothing happens, and ends with the server", async () => {
    const hub = openDoors(1, { heartbeatMs: 50 });
    hub.begin();
    const response = await hub.get("/csv/events");
    const reading = response.text();
    await until("it to be there", () => hub.clients() === 1);
    hub.touch();
    await using beside = await connect(hub.url, { protocols: [SUBPROTOCOL] });
    for (let syncs = 0; syncs < 3;) if ((await beside.next()).includes('"type":"sync"')) syncs++;
    await hub.close(100);
    const events = (await reading).split("\n\n");
    expect(events.some((event) => event.includes('"type":"delta"'))).toBe(true);
    expect(events.filter((event) => event.includes('"type":"sync"')).length).toBeGreaterThan(1);
  });

  test("that nobody reads is ended, and what it was owed is let go", async () => {
    await using hub = openDoors(1, {
      stallMs: 100,
      heartbeatMs: 100,
      renderRows: async () => ({
        version: 1,
        rows: 1,
        parts: [{ at: 0, text: JSON.stringify([["x".repeat(30_000_000)]]) }],
      }),
    });
    hub.begin();
    const stalled = await Bun.connect({ hostname: "127.0.0.1", port: hub.port, socket: { data() {} } });
    stalled.pause();
    stalled.write(`GET /csv/events HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await until("it to be there", () => hub.clients() === 1);
    await until("it to be gone", () => hub.clients() === 0);
    expect(await (await hub.get("/metrics")).text()).toContain('csvcast_closed_total{reason="stalled"} 1\n');
    stalled.end();
  });

  test("counts as a client when the server is full", async () => {
    await using hub = openDoors(1, { maxClients: 1 });
    hub.begin();
    const first = await hub.get("/csv/events");
    const second = await hub.get("/csv/events");
    expect([second.status, await second.text()]).toEqual([503, "full: 1 clients are connected (--max-clients)\n"]);
    await first.body!.cancel();
  });
});

describe("/healthz", () => {
  test("is 503 until a table is served, then tells what, and is 503 when the table is not what the file says", async () => {
    await using hub = openDoors();
    const before = await hub.get("/healthz");
    expect([before.status, await before.json()]).toEqual([503, expect.objectContaining({ state: "waiting" })]);
    hub.begin();
    const during = await hub.get("/healthz");
    expect(during.status).toBe(200);
    expect(await during.json()).toMatchObject({
      state: "live",
      file: "a.csv",
      rows: 1,
      columns: 1,
      version: 1,
      clients: { plain: 0, live: 0, events: 0 },
    });
    hub.setStatus({ state: "stale", message: "a.csv: no permission", since: 2 });
    const after = await hub.get("/healthz");
    expect([after.status, await after.json()]).toEqual([
      503,
      expect.objectContaining({ message: "a.csv: no permission" }),
    ]);
  });
});

describe("/metrics", () => {
  async function metricsOf(hub: ReturnType<typeof openDoors>) {
    hub.begin();
    await exchange(hub.port, "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    const response = await hub.get("/metrics");
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    return response.text();
  }

  test("is what Prometheus reads", async () => {
    await using hub = openDoors();
    const text = await metricsOf(hub);
    for (const line of text.trimEnd().split("\n"))
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="[^"]*",?)+\})? [\d.e+-]+)$/);
    expect(text).toContain('csvcast_refused_total{reason="host"} 1\n');
    expect(text).toContain('csvcast_file_state{state="live"} 1\n');
    expect(text).toContain("csvcast_file_version 1\n");
    expect(text).toContain('csvcast_read_seconds_bucket{le="+Inf"} 1\n');
    expect(text).toContain("csvcast_read_seconds_count 1\n");
  });

  const promtool = Bun.which("promtool");
  test.skipIf(promtool === null)("is valid for promtool (Debian's package prometheus)", async () => {
    await using hub = openDoors();
    const check = Bun.spawn([promtool!, "check", "metrics"], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
    void check.stdin.write(await metricsOf(hub));
    void check.stdin.end();
    expect(await new Response(check.stderr).text()).toBe("");
    expect(await check.exited).toBe(0);
  });

  test("counts what was sent to whom", async () => {
    await using hub = openDoors();
    hub.begin();
    hub.set({ text: "[1,2]", bytes: 5 });
    await using client = await connect(hub.url);
    await client.next();
    hub.publish(3);
    await client.next();
    const text = await (await hub.get("/metrics")).text();
    expect(text).toContain('csvcast_clients{feed="plain"} 1\n');
    expect(text).toContain('csvcast_connections_total{feed="plain"} 1\n');
    expect(text).toContain('csvcast_frames_sent_total{feed="plain"} 2\n');
    expect(text).toContain('csvcast_bytes_sent_total{feed="plain"} 10\n');
    expect(text).toContain(
      'csvcast_tick_lag_seconds_bucket{le="0.0025"} 0\ncsvcast_tick_lag_seconds_bucket{le="0.005"} 1\n',
    );
  });
});

test.each([
  [null, undefined],
  ["", undefined],
  ["identity", undefined],
  ["gzip, deflate, br", "gzip"],
  ["gzip, deflate, br, zstd", "zstd"],
  ["GZIP;q=0.5", "gzip"],
  ["gzip;q=0", undefined],
  ["gzip;q=0.0, zstd;q=0.1", "zstd"],
  ["*", "gzip"],
] as const)("Accept-Encoding %j gets %s", (accepts, encoding) => {
  expect(encodingOf(accepts)).toBe(encoding);
});

test.each([
  [null, undefined],
  ["*", "a:5"],
  ['"a:5"', "a:5"],
  ['W/"a:5"', "a:5"],
  ['"a:2", W/"a:5"', "a:5"],
  ['"a:4"', undefined],
  ['W/"a:50"', "a:50"],
  ['"b:50"', undefined],
  ["a:5", undefined],
] as const)("If-None-Match %j is as good as a:5, or later: %s", (header, known) => {
  expect(knownBy(header, { epoch: "a", version: 5 })).toBe(known);
});
