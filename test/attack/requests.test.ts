// Requests that are none, that mean one thing to a proxy and another to a server, or that never end: 4xx, or the connection
// ends. Whatever comes behind them is not taken for a request that somebody made.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { atOnce } from "../at-once.ts";
import { handshake } from "../hub/raw-client.ts";
import { randomFrom, seedOfRun } from "../fuzz/random.ts";
import { TEST_TIMEOUT_MS, until } from "../support.ts";
import { connectPeer, type Peer, textOf } from "./peer.ts";
import { openScene, type Scene, TREASURE } from "./scene.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);
atOnce(6);

/** All attacks are on one server: it outlives them. */
let scene: Scene;
beforeAll(async () => void (scene = await openScene()));
afterAll(() => scene[Symbol.asyncDispose]());

const MIB = 1 << 20;
const MAX_GROWTH_MIB = 100;
const HOST = "Host: localhost";
const FOREIGN = "Host: evil.example";

/** A head, or lines of it. */
const head = (...lines: readonly string[]) => `${lines.join("\r\n")}\r\n\r\n`;
const get = (path: string, host = HOST) => head(`GET ${path} HTTP/1.1`, host);

/** What an attack hides in or behind a request; if it were answered, the treasure would be in the answer. */
const HIDDEN = get("/csv.json");
/** Comes last, if the server is still listening. */
const LAST = get("/last");

const statusesOf = (peer: Peer) =>
  [...textOf(peer).matchAll(/HTTP\/1\.\d (\d{3}) /g)].map(([, status]) => Number(status));
const isBeginning = (found: readonly number[], of: readonly number[]) =>
  found.length <= of.length && found.every((status, at) => status === of[at]);

/** No answer tells what is in the file, or how the program is built. */
function expectNothingTold(peer: Peer): void {
  expect(textOf(peer)).not.toInclude(TREASURE);
  expect(textOf(peer)).not.toMatch(/HTTP\/1\.\d 500 |\bat .*:\d+|\.ts\b|\/src\/|Error:/);
}

describe.concurrent("the connection ends at", () => {
  type Case = { name: string; request: string | Uint8Array; statuses: number[] };
  const post = "POST /csv.json HTTP/1.1";
  const chunked = "Transfer-Encoding: chunked";
  const plain = "GET /csv.json HTTP/1.1";
  const many = (count: number) => Array.from({ length: count }, (_, i) => `X-${i}: 1`);

  const lengths = ["-1", "+5", "5, 5", "0x5", "5 5", "5.0", "99999999999999999999999", ""];
  const codings = ["xchunked", "chunked, identity", "identity", "\r\n chunked"];
  const chunks = ["-1", "zz", "0x5", "ffffffffffffffffff"];

  const cases: Case[] = [
    // who frames the body by which header (RFC 9112, section 6.3)
    ...["GET", "POST"].flatMap((method) => [
      {
        name: `${method} with Content-Length, then Transfer-Encoding`,
        request: head(`${method} /csv.json HTTP/1.1`, HOST, "Content-Length: 5", chunked) + "0\r\n\r\n",
        statuses: [400],
      },
      {
        name: `${method} with Transfer-Encoding, then Content-Length`,
        request: head(`${method} /csv.json HTTP/1.1`, HOST, chunked, "Content-Length: 5") + "0\r\n\r\n",
        statuses: [400],
      },
      {
        name: `${method} with two Content-Lengths`,
        request: head(`${method} /csv.json HTTP/1.1`, HOST, "Content-Length: 0", `Content-Length: ${HIDDEN.length}`),
        statuses: [400],
      },
      {
        name: `${method} with two Transfer-Encodings`,
        request: head(`${method} /csv.json HTTP/1.1`, HOST, chunked, "Transfer-Encoding: identity") + "0\r\n\r\n",
        statuses: [400],
      },
    ]),
    ...lengths.map((length) => ({
      name: `a Content-Length of ${JSON.stringify(length)}`,
      request: `${head(post, HOST, `Content-Length: ${length}`)}hello`,
      statuses: [400],
    })),
    { name: "a Content-Length of 1 TiB", request: head(post, HOST, `Content-Length: ${2 ** 40}`), statuses: [413] },
    ...codings.map((coding) => ({
      name: `a Transfer-Encoding of ${JSON.stringify(coding)}`,
      request: `${head(post, HOST, `Transfer-Encoding: ${coding}`)}0\r\n\r\n`,
      statuses: [400],
    })),
    ...chunks.map((size) => ({
      name: `a chunk of ${size} bytes`,
      request: `${head(post, HOST, chunked)}${size}\r\nhello\r\n`,
      statuses: [405, 400],
    })),
    // lines and names (RFC 9112, sections 2.2 and 5)
    { name: "a space before the colon of a header", request: head(plain, "Host : localhost"), statuses: [400] },
    { name: "a folded header", request: head(plain, "Host:\r\n localhost"), statuses: [400] },
    { name: "a header without a colon", request: head(plain, HOST, "garbage"), statuses: [400] },
    { name: "a header without a name", request: head(plain, HOST, ": x"), statuses: [400] },
    { name: "a header name that is not ASCII", request: head(plain, HOST, "é: x"), statuses: [400] },
    { name: "NUL in a header", request: head(plain, HOST, "X: a\0b"), statuses: [400] },
    { name: "NUL in the name of a header", request: head(plain, HOST, "X\0Y: a"), statuses: [400] },
    { name: "NUL in Host", request: head(plain, "Host: localhost\0.evil.example"), statuses: [400] },
    { name: "NUL in the path", request: head("GET /csv.json\0 HTTP/1.1", HOST), statuses: [505] },
    { name: "a bare CR in a header", request: head(plain, HOST, "X: a\rb"), statuses: [400] },
    { name: "a Host behind a bare CR", request: head(plain, `X: a\r${HOST}`), statuses: [400] },
    { name: "a Host behind a bare LF", request: head(plain, `X: a\n${HOST}`), statuses: [400] },
    { name: "lines that end with LF", request: `${plain}\n${HOST}\n\n`, statuses: [505] },
    { name: "lines that end with CR", request: `${plain}\r${HOST}\r\r`, statuses: [505] },
    { name: "HTTP/1.1 without Host", request: head(plain), statuses: [400] },
    // the request line
    { name: "HTTP/0.9", request: "GET /csv.json\r\n", statuses: [505] },
    { name: "HTTP/1.2", request: head("GET /csv.json HTTP/1.2", HOST), statuses: [505] },
    { name: "HTTP/9.9", request: head("GET /csv.json HTTP/9.9", HOST), statuses: [505] },
    { name: "HTTP in lower case", request: head("GET /csv.json http/1.1", HOST), statuses: [505] },
    { name: "the preface of HTTP/2", request: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", statuses: [400] },
    { name: "two spaces in the request line", request: head("GET  /csv.json HTTP/1.1", HOST), statuses: [400] },
    { name: "a path without its slash", request: head("GET csv.json HTTP/1.1", HOST), statuses: [400] },
    { name: "a method in lower case, without an answer", request: head("get /csv.json HTTP/1.1", HOST), statuses: [] },
    { name: "a method of 5,000 letters", request: head(`${"A".repeat(5_000)} /csv.json HTTP/1.1`, HOST), statuses: [] },
    // too much
    { name: "a path of 1 MiB", request: get(`/${"a".repeat(MIB)}`), statuses: [431] },
    { name: "a query of 1 MiB", request: get(`/csv.json?${"a".repeat(MIB)}`), statuses: [431] },
    { name: "10,000 headers", request: head(plain, HOST, ...many(10_000)), statuses: [431] },
    { name: "a header of 1 MiB", request: head(plain, HOST, `X: ${"a".repeat(MIB)}`), statuses: [431] },
    { name: "a header name of 1 MiB", request: head(plain, HOST, `${"x".repeat(MIB)}: 1`), statuses: [431] },
    { name: "a request line that never ends", request: "G".repeat(MIB), statuses: [431] },
    // no HTTP at all
    {
      name: "a TLS ClientHello",
      request: Buffer.from(`16030100a5010000a10303${"ab".repeat(160)}`, "hex"),
      statuses: [400],
    },
    { name: "64 KiB of NUL", request: Buffer.alloc(65_536), statuses: [400] },
    { name: "nothing but empty lines", request: "\r\n".repeat(30_000), statuses: [400] },
  ];

  test.each(cases)("$name", async ({ request, statuses }) => {
    await using witness = await scene.witness();
    await using peer = await connectPeer(scene.port);
    peer.send(request);
    peer.send(HIDDEN);
    await until("the end of the connection", peer.isEnded, () => textOf(peer));
    expect(statusesOf(peer)).toSatisfy((found) => isBeginning(found, statuses)); // a reset may overtake the answer
    expectNothingTold(peer);
    await witness.expectNoHarm();
  });

  test("random bytes", async () => {
    await using witness = await scene.witness();
    const seed = seedOfRun();
    const random = randomFrom(seed);
    for (let run = 0; run < 20; run++) {
      await using peer = await connectPeer(scene.port);
      peer.send(Buffer.from(Array.from({ length: 65_536 }, () => random.below(256))));
      await until(`the end of the connection, with CSVCAST_SEED=${seed}`, peer.isEnded);
      expect(statusesOf(peer)).toSatisfy((found) => found.every((status) => [400, 431, 505].includes(status)));
      expectNothingTold(peer);
    }
    await witness.expectNoHarm();
  });
});

describe.concurrent("a devious request is answered once, and what it hides is not:", () => {
  type Case = { name: string; request: string; statuses: number[] };
  const hidden = `Content-Length: ${HIDDEN.length}`;
  const inChunks = `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`;
  const upgrade = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"];
  const cases: Case[] = [
    { name: "a body on GET", request: head("GET /metrics HTTP/1.1", HOST, hidden) + HIDDEN, statuses: [200] },
    {
      name: "a body in chunks on GET",
      request: head("GET /metrics HTTP/1.1", HOST, "Transfer-Encoding: chunked") + inChunks,
      statuses: [200],
    },
    { name: "a body on POST", request: head("POST /csv.json HTTP/1.1", HOST, hidden) + HIDDEN, statuses: [405] },
    {
      name: "a body in chunks on POST",
      request: head("POST /csv.json HTTP/1.1", HOST, "Transfer-Encoding:\tchunked") + inChunks,
      statuses: [405],
    },
    {
      name: "twice the same Content-Length",
      request: head("POST /csv.json HTTP/1.1", HOST, hidden, hidden) + HIDDEN,
      statuses: [405],
    },
    {
      name: "a body that the client asks to be told to send",
      request: head("POST /csv.json HTTP/1.1", HOST, "Expect: 100-continue", hidden) + HIDDEN,
      statuses: [100, 405],
    },
    {
      name: "an expectation of nothing",
      request: head("GET /metrics HTTP/1.1", HOST, "Expect: junk"),
      statuses: [200],
    },
    { name: "a foreign Host", request: get("/csv.json", FOREIGN), statuses: [403] },
    { name: "an empty Host", request: get("/csv.json", "Host:"), statuses: [403] },
    { name: "a Host with a user", request: get("/csv.json", "Host: evil@localhost"), statuses: [403] },
    {
      name: "a foreign Host, and a good one in the target",
      request: get("http://localhost/csv.json", FOREIGN),
      statuses: [403],
    },
    {
      name: "a foreign Host, and a good one as forwarded",
      request: head("GET /csv.json HTTP/1.1", FOREIGN, "X-Forwarded-Host: localhost", "Forwarded: host=localhost"),
      statuses: [403],
    },
    {
      name: "a foreign Host that would upgrade to HTTP/2",
      request: head("GET /csv.json HTTP/1.1", FOREIGN, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"),
      statuses: [403],
    },
    {
      name: "an upgrade under a foreign Host, and a request behind it",
      request: head("GET / HTTP/1.1", FOREIGN, ...upgrade, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==") + get("/x"),
      statuses: [403],
    },
    {
      name: "a foreign Host between two good ones",
      request: get("/x") + get("/csv.json", FOREIGN) + get("/metrics"),
      statuses: [404, 403],
    },
    {
      name: "a thousand requests in one breath",
      request: get("/csv.json", FOREIGN).repeat(1_000),
      statuses: [403],
    },
    { name: "TRACE", request: head("TRACE /csv.json HTTP/1.1", HOST, `X: ${TREASURE}`), statuses: [405] },
  ];

  test.each(cases)("$name", async ({ request, statuses }) => {
    await using witness = await scene.witness();
    await using peer = await connectPeer(scene.port);
    peer.send(request + LAST);
    const refused = statuses.indexOf(403); // which ends the connection
    const expected = refused < 0 ? [...statuses, 404] : statuses.slice(0, refused + 1);
    await until(
      "the last answer",
      () => (refused < 0 && statusesOf(peer).length >= expected.length) || peer.isEnded(),
      () => textOf(peer),
    );
    expect(statusesOf(peer)).toEqual(expected);
    expectNothingTold(peer);
    await witness.expectNoHarm();
  });

  test("CONNECT, behind which nothing is a request", async () => {
    await using witness = await scene.witness();
    await using peer = await connectPeer(scene.port);
    peer.send(head("CONNECT evil.example:443 HTTP/1.1", HOST));
    await until("the answer", () => statusesOf(peer).length > 0);
    peer.send(HIDDEN);
    peer.finish();
    await until("the end of the connection", peer.isEnded);
    expect(statusesOf(peer)).toEqual([404]);
    expectNothingTold(peer);
    await witness.expectNoHarm();
  });

  test("a request behind an upgrade, which is no frame", async () => {
    await using witness = await scene.witness();
    await using peer = await connectPeer(scene.port);
    peer.send(handshake(scene.port) + LAST);
    await until("the end of the connection", peer.isEnded);
    expect(statusesOf(peer)).toSatisfy((found) => isBeginning(found, [101]));
    await witness.expectNoHarm();
  });

  test("a foreign Host behind a document: in order, or the connection ends", async () => {
    await using witness = await scene.witness();
    await using peer = await connectPeer(scene.port);
    peer.send(get("/csv.json") + get("/csv.json", FOREIGN));
    await until("both answers", () => statusesOf(peer).length === 2 || peer.isEnded());
    expect(statusesOf(peer)).toSatisfy((found) => isBeginning(found, [200, 403]));
    expect(textOf(peer).split(TREASURE).length - 1).toBeLessThanOrEqual(1);
    await witness.expectNoHarm();
  });
});

describe.concurrent("the server holds no more memory for", () => {
  const chunk = Buffer.concat([Buffer.from("10000\r\n"), Buffer.alloc(65_536, "x"), Buffer.from("\r\n")]);
  const cases = [
    { name: "a body that never ends, by POST", start: "POST / HTTP/1.1", again: chunk, times: 3_000 },
    { name: "a body that never ends, by GET", start: "GET /csv.json HTTP/1.1", again: chunk, times: 3_000 },
    { name: "a body that never ends, for events", start: "GET /csv/events HTTP/1.1", again: chunk, times: 3_000 },
    {
      name: "requests in one breath whose answers nobody reads",
      start: undefined,
      again: Buffer.from(get("/metrics").repeat(1_000)),
      times: 100,
    },
  ];

  test.each(cases)("$name", async ({ start, again, times }) => {
    await using own = await openScene();
    await using witness = await own.witness();
    const before = await own.peakMemory();
    await using peer = await connectPeer(own.port);
    peer.pause();
    if (start !== undefined) peer.send(head(start, HOST, "Transfer-Encoding: chunked"));
    for (let left = times; left > 0 && !peer.isEnded(); left--) {
      peer.send(again);
      await until("the server to take it, or to end it", () => peer.unsent() === 0 || peer.isEnded());
    }
    expect((await own.peakMemory()) - before).toBeLessThan(MAX_GROWTH_MIB);
    await witness.expectNoHarm();
  });
});
