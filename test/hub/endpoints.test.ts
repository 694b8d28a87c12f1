// What every endpoint has in common, and what /healthz and /metrics say.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { HTTP_ENDPOINTS } from "../../src/feed/endpoints.ts";
import { openTestHub, type TestHub } from "../channel/open.ts";
import { connect, exchange, TEST_TIMEOUT_MS } from "../support.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const ROWS = () => [["é"]];

test.each(["/csv.json", "/csv/events", "/healthz", "/metrics", "/nothing"])(
  "%s is no use to pages of other sites: not embedded, not framed, not sniffed",
  async (path) => {
    await using hub = openTestHub({ rows: ROWS() });
    hub.begin();
    const response = await hub.get(path, {}, "HEAD");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("cross-origin-resource-policy")).toBe("same-origin");
    expect(response.headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
    expect((await hub.get(path, { "Sec-Fetch-Site": "cross-site" })).status).toBe(403);
  },
);

/** `content-length` of an answer; undefined if it says none. */
const lengthIn = (answer: string) => /^content-length: (\d+)\r$/im.exec(answer)?.[1];

test.each([...HTTP_ENDPOINTS.map(({ path }) => path), "/nothing"])(
  "HEAD of %s tells the length that GET tells, or none, and brings no content",
  async (path) => {
    await using hub = openTestHub({ rows: ROWS() });
    hub.begin();
    const ask = (method: string) => {
      const request = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
      return exchange(hub.port, request, (answer) => method === "GET" && answer.includes("\r\n\r\n"));
    };
    const [head, whole] = [await ask("HEAD"), await ask("GET")];
    expect(head).toMatch(/^HTTP\/1\.1 [^]*\r\n\r\n$/);
    expect(head.split("\r\n")[0]).toBe(whole.split("\r\n")[0]!);
    expect(lengthIn(head)).not.toBe("0");
    const isConstant = path !== "/healthz" && path !== "/metrics" && path !== "/tables.json";
    if (isConstant) expect([undefined, lengthIn(whole)]).toContain(lengthIn(head));
  },
);

describe("/healthz", () => {
  test("is 503 until a table is served, then tells what, and is 503 when the table is not what the file says", async () => {
    await using hub = openTestHub({ rows: ROWS() });
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
  async function metricsOf(hub: TestHub) {
    hub.begin();
    await exchange(hub.port, "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    const response = await hub.get("/metrics");
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    return response.text();
  }

  test("is what Prometheus reads", async () => {
    await using hub = openTestHub({ rows: ROWS() });
    const text = await metricsOf(hub);
    for (const line of text.trimEnd().split("\n"))
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="[^"]*",?)+\})? [\d.e+-]+)$/);
    expect(text).toContain('csvcast_refused_total{reason="host"} 1\n');
    expect(text).toContain('csvcast_file_state{table="a",state="live"} 1\n');
    expect(text).toContain('csvcast_file_version{table="a"} 1\n');
    expect(text).toContain('csvcast_read_seconds_bucket{table="a",le="+Inf"} 1\n');
    expect(text).toContain('csvcast_read_seconds_count{table="a"} 1\n');
  });

  const promtool = Bun.which("promtool");
  test.skipIf(promtool === null)("is valid for promtool (Debian's package prometheus)", async () => {
    await using hub = openTestHub({ rows: ROWS() });
    const check = Bun.spawn([promtool!, "check", "metrics"], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
    void check.stdin.write(await metricsOf(hub));
    void check.stdin.end();
    expect(await new Response(check.stderr).text()).toBe("");
    expect(await check.exited).toBe(0);
  });

  test("counts what was sent to whom, and how late", async () => {
    await using hub = openTestHub({ intervalMs: 20 });
    await hub.show("[1,2]");
    await using client = await connect(hub.url);
    for (let frames = 0; frames < 3; frames++) await client.next();
    const text = await (await hub.get("/metrics")).text();
    const figure = (name: string) =>
      Number(
        text
          .split("\n")
          .find((line) => line.startsWith(`${name} `))
          ?.slice(name.length),
      );
    const frames = figure('csvcast_frames_sent_total{table="a",feed="plain"}');
    expect(frames).toBeGreaterThanOrEqual(3);
    expect(figure('csvcast_bytes_sent_total{table="a",feed="plain"}')).toBe(5 * frames);
    expect(text).toContain('csvcast_clients{table="a",feed="plain"} 1\n');
    expect(text).toContain('csvcast_connections_total{feed="plain"} 1\n');
    expect(figure("csvcast_tick_lag_seconds_count")).toBeGreaterThanOrEqual(frames - 1);
  });
});
