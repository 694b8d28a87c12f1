// The table as documents, with ETags; under the same rules as the feeds.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { encodingOf, knownBy } from "../../src/channel/documents.ts";
import { CsvError } from "../../src/csv/error.ts";
import { TEST_TIMEOUT_MS } from "../support.ts";
import { ACCESS, openTestHub, TOKEN } from "./open.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const ROWS = () => [["é"]];
const DOCUMENTS = { json: '[{"a":"é"}]', ndjson: '{"a":"é"}\n', csv: "a\r\né\r\n" };

describe("a document", () => {
  test.each([
    { path: "/csv.json", type: "application/json", text: DOCUMENTS.json },
    { path: "/csv.ndjson", type: "application/x-ndjson", text: DOCUMENTS.ndjson },
    { path: "/csv.csv", type: "text/csv; charset=utf-8; header=present", text: DOCUMENTS.csv },
  ])("$path is the table", async ({ path, type, text }) => {
    await using hub = openTestHub({ rows: ROWS() });
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
    await using hub = openTestHub({ rows: ROWS() });
    hub.begin();
    const etag = (await hub.get("/csv.json")).headers.get("etag")!;
    await hub.get("/csv.json");
    const known = await hub.get("/csv.json", { "If-None-Match": `"x", ${etag}` });
    expect([known.status, await known.text(), known.headers.get("etag")]).toEqual([304, "", etag]);
    const head = await hub.get("/csv.ndjson", {}, "HEAD");
    expect([head.status, await head.text(), head.headers.get("etag")]).toEqual([200, "", etag]);
    expect(hub.taken.length).toBe(1);
    hub.splice();
    const changed = await hub.get("/csv.json", { "If-None-Match": etag });
    expect([changed.status, changed.headers.get("etag")]).toEqual([200, etag.replace(":1", ":2")]);
    expect(hub.taken.length).toBe(2);
  });

  test.each(["gzip", "zstd"] as const)("is compressed with %s for who takes that", async (encoding) => {
    await using hub = openTestHub({ rows: Array.from({ length: 1000 }, () => ["é"]) });
    hub.begin();
    const response = await hub.get("/csv.ndjson", { "Accept-Encoding": encoding });
    expect(response.headers.get("content-encoding")).toBe(encoding);
    expect(response.headers.get("vary")).toBe("Accept-Encoding");
    const bytes = Buffer.from(await response.arrayBuffer());
    const plain = encoding === "gzip" ? Bun.gunzipSync(bytes) : Bun.zstdDecompressSync(bytes);
    expect(Buffer.from(plain).toString()).toBe(DOCUMENTS.ndjson.repeat(1000));
    expect(bytes.length).toBeLessThan(1000);
  });

  test("is there once a table is published: before, 503", async () => {
    await using hub = openTestHub({ rows: ROWS() });
    const response = await hub.get("/csv.csv");
    expect([response.status, await response.text(), response.headers.get("retry-after")]).toEqual([
      503,
      "no table is published yet\n",
      "1",
    ]);
  });

  test("that cannot be had is 503 with the reason", async () => {
    await using hub = openTestHub({
      snapshot: () => Promise.reject(new CsvError("too-large", "as json the table is longer than 4 GiB")),
    });
    hub.begin();
    const response = await hub.get("/csv.json");
    expect([response.status, await response.text()]).toEqual([503, "as json the table is longer than 4 GiB\n"]);
  });

  test("is not to be written: 405 names what is allowed", async () => {
    await using hub = openTestHub({ rows: ROWS() });
    const response = await hub.get("/csv.json", {}, "PUT");
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  test("needs the token that everything needs", async () => {
    await using hub = openTestHub({ rows: ROWS(), access: { ...ACCESS, tokenFor: "everyone" } });
    hub.begin();
    for (const path of ["/csv.json", "/csv/events", "/healthz", "/metrics"])
      expect((await hub.get(path)).status).toBe(401);
    expect((await hub.get("/csv.json", { Authorization: `Bearer ${TOKEN}` })).status).toBe(200);
    expect((await hub.get(`/csv.json?token=${TOKEN}`)).status).toBe(200);
    expect((await hub.get("/csv.json", { Host: "evil.example" })).status).toBe(403);
  });

  test("may be read by pages of an allowed origin, whose browsers ask first, and by no others", async () => {
    await using hub = openTestHub({ rows: ROWS(), access: { ...ACCESS, tokenFor: "everyone" } });
    hub.begin();
    const asked = await hub.get("/csv.json", { Origin: "https://dash.example" }, "OPTIONS");
    expect([asked.status, asked.headers.get("access-control-allow-origin")]).toEqual([204, "https://dash.example"]);
    const read = await hub.get("/csv.json", { Origin: "https://dash.example", Authorization: `Bearer ${TOKEN}` });
    expect([read.status, read.headers.get("access-control-allow-origin")]).toEqual([200, "https://dash.example"]);
    const foreign = await hub.get("/csv.json", { Origin: "https://evil.example" }, "OPTIONS");
    expect([foreign.status, foreign.headers.get("access-control-allow-origin")]).toEqual([403, null]);
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
