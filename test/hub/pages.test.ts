// The page at `/` and its files: who gets them, with which headers, how large they are; and that a WebSocket at `/` still is one.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { viewerFiles } from "../../src/viewer/files.ts";
import { ACCESS, openTestHub, TOKEN } from "../channel/open.ts";
import { connect, exchange, TEST_TIMEOUT_MS, temporaryFolder } from "../support.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

/** A hub that everyone needs a token for, with the real page. */
const openPageHub = () => openTestHub({ access: { ...ACCESS, tokenFor: "everyone" }, pages: viewerFiles });

const partsOf = (html: string) => [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1]!);

describe("the page", () => {
  test("is there without a token, as it holds no data, and so are its parts; the data is not", async () => {
    await using hub = openPageHub();
    const page = await hub.get("/?token=secret-of-somebody");
    expect(page.status).toBe(200);
    expect(page.headers.get("content-type")).toStartWith("text/html");
    const html = await page.text();
    expect(html).not.toContain("secret-of-somebody");
    const parts = partsOf(html);
    expect(parts.map((path) => path.split(".").pop()).sort()).toEqual(["css", "js", "svg"]);
    for (const path of parts) expect((await hub.get(path)).status).toBe(200);
    expect((await hub.get("/csv.json")).status).toBe(401);
    expect((await hub.get("/healthz")).status).toBe(401);
  });

  test("brings the client library along, for pages of any origin, without a token", async () => {
    await using hub = openPageHub();
    const response = await hub.get("/client.js");
    expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([200, "*"]);
    expect(response.headers.get("content-type")).toStartWith("text/javascript");
    expect(response.headers.get("cache-control")).toBe("no-cache");
    await using folder = await temporaryFolder();
    const library = await folder.write("client.js", await response.text());
    const { subscribe } = (await import(library)) as typeof import("../../src/follow/index.ts");
    hub.begin();
    const rows = Promise.withResolvers<number>();
    const url = `http://127.0.0.1:${hub.port}/`;
    const subscription = subscribe(url, { token: ACCESS.token, onSnapshot: ({ length }) => rows.resolve(length) });
    expect(await rows.promise).toBe(hub.rows().length);
    subscription.close();
  });

  test("allows nothing but what comes from here: no inline script, no frame, no address to others", async () => {
    await using hub = openPageHub();
    for (const path of ["/", ...partsOf(await (await hub.get("/")).text())]) {
      const { headers } = await hub.get(path);
      expect(headers.get("content-security-policy")).toStartWith("default-src 'self';");
      expect(headers.get("content-security-policy")).not.toContain("unsafe");
      expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
    }
    const html = await (await hub.get("/")).text();
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|<style|https?:/);
  });

  test("may be kept: its parts for ever, itself after asking; and is small", async () => {
    await using hub = openPageHub();
    const page = await hub.get("/");
    expect(page.headers.get("cache-control")).toBe("no-cache");
    let bytes = 0;
    for (const path of ["/", ...partsOf(await page.text())]) {
      const packed = await hub.get(path, { "Accept-Encoding": "gzip, br;q=0" });
      if (path !== "/") expect(packed.headers.get("cache-control")).toContain("immutable");
      expect(packed.headers.get("vary")).toContain("Accept-Encoding");
      bytes += (await packed.arrayBuffer()).byteLength;
      const plain = await hub.get(path);
      const unpacked = Bun.gunzipSync(await (await hub.get(path, { "Accept-Encoding": "gzip" })).arrayBuffer());
      if (packed.headers.get("content-encoding") === "gzip")
        expect(Buffer.from(unpacked).equals(Buffer.from(await plain.arrayBuffer()))).toBe(true);
    }
    expect(bytes).toBeLessThan(120_000);
    expect(
      (await hub.get(partsOf(await (await hub.get("/")).text())[1]!, { "Accept-Encoding": "br" })).headers.get(
        "content-encoding",
      ),
    ).toBe("br");
  });

  test.each([
    { name: "a foreign Host is refused", path: "/", headers: { Host: "evil.example" }, status: 403 },
    {
      name: "a foreign Host gets no part of it",
      path: "/chunk-abcdef12.js",
      headers: { Host: "evil.example" },
      status: 403,
    },
    { name: "a link on another site leads to it", path: "/", headers: { "Sec-Fetch-Site": "cross-site" }, status: 200 },
    {
      name: "POST is no way to get it",
      path: "/",
      method: "POST",
      headers: { Authorization: `Bearer ${TOKEN}` },
      status: 405,
    },
    { name: "HEAD has no body", path: "/", method: "HEAD", headers: {}, status: 200 },
    { name: "what looks like a part and is none is not found", path: "/chunk-abcdef12.js", headers: {}, status: 404 },
    { name: "other paths need the token as ever", path: "/chunk.js", headers: {}, status: 401 },
    { name: "a path that climbs finds nothing", path: "/%2e%2e/package-abcdef12.js", headers: {}, status: 404 },
  ])("$name", async ({ path, method = "GET", headers, status }) => {
    await using hub = openPageHub();
    const lines = Object.entries({ Host: "localhost", Connection: "close", ...headers }).map(
      ([name, value]) => `${name}: ${value}`,
    );
    const answer = await exchange(hub.port, `${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    expect(answer).toStartWith(`HTTP/1.1 ${status} `);
    if (method === "HEAD") expect(answer).toEndWith("\r\n\r\n");
  });

  test("says so if it cannot be built, and is tried again", async () => {
    let tries = 0;
    const pages = async () => {
      if (++tries === 1) throw new Error("Bundle failed\nat a place that nobody is to know");
      return viewerFiles();
    };
    await using hub = openTestHub({ pages });
    const get = () => hub.get("/");
    const failed = await get();
    expect(failed.status).toBe(503);
    expect(await failed.text()).toMatch(
      /^the page could not be built: Bundle failed; has `bun install` been run\?[^\n]*\n$/,
    );
    expect((await get()).status).toBe(200);
  });

  test("leaves WebSockets at its path what they were", async () => {
    await using hub = openPageHub();
    await using client = await connect(`${hub.url}?token=${TOKEN}`);
    await hub.show("[]");
    expect(await client.next()).toBe("[]");
    const refused = await exchange(
      hub.port,
      "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
      (answer) => answer.includes("\r\n\r\n"),
    );
    expect(refused).toStartWith("HTTP/1.1 401 ");
  });
});
