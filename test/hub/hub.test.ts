// The endpoints with real sockets: who is let in and who is turned away, who only harms itself, and how it ends.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { ENDPOINT_LIST } from "../../src/feed/endpoints.ts";
import { openTestHub, TOKEN } from "../channel/open.ts";
import { connect, exchange, TEST_TIMEOUT_MS, until } from "../support.ts";
import { clientFrame, connectRaw, handshake, OPCODES, type RawClient } from "./raw-client.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const textFramesOf = ({ frames }: RawClient) => frames.filter(({ opcode }) => opcode === OPCODES.text);

const closeOf = ({ frames }: RawClient) => {
  const payload = frames.find(({ opcode }) => opcode === OPCODES.close)?.payload;
  return payload && { code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() };
};

describe("a client", () => {
  test("may send what it likes, and only harms itself", async () => {
    await using hub = openTestHub();
    await using bystander = await connect(hub.url);
    await using talker = await connect(hub.url);
    await using shouter = await connect(hub.url);
    await using liar = await connectRaw(hub.port);
    await using breaker = await connectRaw(hub.port);
    await using quitter = await connectRaw(hub.port);

    talker.socket.send("hello");
    talker.socket.send(new Uint8Array([0, 255, 1]));
    shouter.socket.send("x".repeat(1 << 20));
    const declared = clientFrame(OPCODES.text, new Uint8Array());
    declared.writeBigUInt64BE(1n << 40n, 2);
    liar.send(declared);
    breaker.send(Buffer.from([0xff, 0xff, 0x00, 0x01, 0x02, 0x03]));
    quitter.send(clientFrame(OPCODES.text, new Uint8Array(100)).subarray(0, 20));
    await quitter[Symbol.asyncDispose]();

    expect((await shouter.closed).code).toBe(1009);
    await until("the end of those who break the protocol", () => liar.isClosed() && breaker.isClosed());
    await until("the others to be left", () => hub.clients() === 2);
    await hub.show("[]");
    expect(await bystander.next()).toBe("[]");
    expect(await talker.next()).toBe("[]");
  });
});

test("a client that offers only subprotocols that are not spoken here gets the plain feed", async () => {
  await using hub = openTestHub();
  await hub.show("[]");
  for (const offer of ["dumb-increment-protocol", "csvcast.v9, chat", "constructor", "__proto__"]) {
    await using client = await connectRaw(hub.port, [`Sec-WebSocket-Protocol: ${offer}`]);
    await until("the frame", () => textFramesOf(client)[0]?.payload.toString() === "[]");
  }
});

describe("a client that says nothing", () => {
  const isSeen = process.platform === "linux";

  test.skipIf(!isSeen)("and takes nothing is ended and counted; who takes what it is sent stays", async () => {
    await using hub = openTestHub({ idleMs: 500, stallMs: 1_000, heartbeatMs: 100 });
    hub.setFrame("x".repeat(12 << 20));
    await using taker = await connectRaw(hub.port, ["Sec-WebSocket-Protocol: csvcast.v1"]); // which answers no ping
    await using stalled = await connectRaw(hub.port, [], { isStalled: true });
    await until("one to be gone", () => hub.clients() === 1);
    expect(await (await hub.get("/metrics")).text()).toMatch(/csvcast_closed_total\{reason="(idle|stalled)"\} 1\n/);
    expect(taker.isClosed()).toBe(false);
    stalled.resume();
    await until("the end of the other", stalled.isClosed);
  });
});

describe("a request", () => {
  type Case = { name: string; lines: string[]; status: number; body?: string; header?: RegExp };
  const upgrade = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"];
  const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
  const host = "Host: localhost:1";
  const cases: Case[] = [
    {
      name: "of a browser that opens the address is told to use a WebSocket",
      lines: ["GET / HTTP/1.1", host],
      status: 426,
      body: `csvcast: connect with a WebSocket to this address; there is\n${ENDPOINT_LIST}\n`,
      header: /\r\nUpgrade: websocket\r\n/i,
    },
    {
      name: "for another path is told what there is",
      lines: ["GET /favicon.ico HTTP/1.1", host],
      status: 404,
      body: `nothing here; there is\n${ENDPOINT_LIST}\n`,
    },
    { name: "for a path that climbs finds nothing", lines: ["GET /csv/../../etc/passwd HTTP/1.1", host], status: 404 },
    {
      name: "to upgrade on another path finds nothing",
      lines: ["GET /ws HTTP/1.1", host, ...upgrade, key],
      status: 404,
    },
    {
      name: "by POST is not allowed",
      lines: ["POST / HTTP/1.1", host, "Content-Length: 0"],
      status: 405,
      header: /\r\nAllow: GET\r\n/i,
    },
    { name: "by OPTIONS is not allowed", lines: ["OPTIONS /csv HTTP/1.1", host], status: 405 },
    {
      name: "that offers foreign subprotocols only has none selected, and is let in",
      lines: ["GET / HTTP/1.1", host, ...upgrade, key, "Sec-WebSocket-Protocol: secret, other"],
      status: 101,
      header: /^(?![^]*sec-websocket-protocol)/i,
    },
    { name: "without a WebSocket key is not upgraded", lines: ["GET / HTTP/1.1", host, ...upgrade], status: 426 },
    { name: "to a foreign Host is refused", lines: ["GET / HTTP/1.1", "Host: evil.example"], status: 403 },
    { name: "to a foreign Host is refused on any path", lines: ["GET /x HTTP/1.1", "Host: evil.example"], status: 403 },
    {
      name: "to upgrade from a foreign page is refused",
      lines: ["GET / HTTP/1.1", host, ...upgrade, key, "Origin: https://evil.example"],
      status: 403,
      body: "this Origin may not connect; allow it with --allow-origin\n",
    },
    {
      name: "to upgrade from a sandboxed page is refused",
      lines: ["GET / HTTP/1.1", host, ...upgrade, key, "Origin: null"],
      status: 403,
    },
    {
      name: "to upgrade from an allowed page is let in",
      lines: ["GET / HTTP/1.1", host, ...upgrade, key, "Origin: https://dash.example"],
      status: 101,
    },
    {
      name: "to upgrade with two Origins is refused",
      lines: ["GET / HTTP/1.1", host, ...upgrade, key, "Origin: http://localhost:1", "Origin: https://evil.example"],
      status: 403,
    },
    {
      name: "that a proxy passed on needs the token",
      lines: ["GET / HTTP/1.1", host, ...upgrade, key, "X-Forwarded-For: 10.0.0.7"],
      status: 401,
      header: /\r\nWWW-Authenticate: Bearer\r\n/i,
    },
    {
      name: "that a proxy passed on with the token in the URL is let in",
      lines: [`GET /?token=${TOKEN} HTTP/1.1`, host, ...upgrade, key, "X-Forwarded-For: 10.0.0.7"],
      status: 101,
    },
    {
      name: "that a proxy passed on with the token in a header is let in",
      lines: ["GET / HTTP/1.1", host, ...upgrade, key, "Via: 1.1 proxy", `Authorization: Bearer ${TOKEN}`],
      status: 101,
    },
    { name: "with two Hosts is refused", lines: ["GET / HTTP/1.1", host, "Host: evil.example"], status: 403 },
    { name: "with a Host that is no URL is refused", lines: ["GET / HTTP/1.1", "Host: ev il"], status: 403 },
    { name: "with a Host of brackets is refused", lines: ["GET / HTTP/1.1", "Host: [[[]"], status: 403 },
    { name: "with a Host of percent signs is refused", lines: ["GET / HTTP/1.1", "Host: %00%zz"], status: 403 },
    { name: "of HTTP/1.0 without a Host is refused", lines: ["GET / HTTP/1.0"], status: 403 },
    {
      name: "for another host in its target goes by its Host",
      lines: ["GET http://evil.example/x HTTP/1.1", host],
      status: 404,
    },
  ];

  test.each(cases)("$name: $status", async ({ lines, status, body, header }) => {
    await using hub = openTestHub();
    const request = [...lines, "\r\n"].join("\r\n");
    const answer = await exchange(hub.port, request, isWhole);
    expect(answer.split("\r\n")[0]).toStartWith(`HTTP/1.1 ${status} `);
    expect(answer).not.toMatch(/\bat .*:\d+|\.ts\b|\/src\/|Error:/);
    if (body !== undefined) expect(answer).toEndWith(`\r\n\r\n${body}`);
    if (header !== undefined) expect(answer).toMatch(header);
  });

  test("that the server refuses is never upgraded behind its back", async () => {
    await using hub = openTestHub();
    await hub.show("[]");
    const headers = { Origin: "https://evil.example" };
    await expect(connect(hub.url, { headers })).rejects.toThrow("403");
    await until("it to be answered", () => hub.clients() === 0);
    expect(hub.counts).toEqual([]);
  });

  test("when the server is full gets 503, until somebody leaves", async () => {
    await using hub = openTestHub({ maxClients: 2 });
    await hub.show("[]");
    await using _first = await connect(hub.url);
    {
      await using _second = await connect(hub.url);
      const answer = await exchange(hub.port, handshake(hub.port), isWhole);
      expect(answer).toStartWith("HTTP/1.1 503 ");
      expect(answer).toEndWith("\r\n\r\nfull: 2 clients are connected (--max-clients)\n");
    }
    await until("room", () => hub.clients() === 1);
    await using third = await connect(hub.url);
    expect(await third.next()).toBe("[]");
  });

  test("that never ends, or is none, does not keep others out", async () => {
    await using hub = openTestHub();
    await hub.show("[]");
    const half = exchange(hub.port, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
    const garbage = exchange(hub.port, "\x16\x03\x01\x00\xa5\x01\x00\x00 this is TLS\r\n\r\n");
    await using client = await connect(hub.url);
    expect(await client.next()).toBe("[]");
    await hub.close(0);
    await Promise.allSettled([half, garbage]);
  });
});

describe("closing", () => {
  test("tells every client 1001, and lets nobody in afterwards", async () => {
    const hub = openTestHub();
    await hub.show("[]");
    await using first = await connect(hub.url);
    await using second = await connect(hub.url);
    await hub.close(1_000);
    const expected = { code: 1001, reason: "server shutting down" };
    expect(await first.closed).toEqual(expected);
    expect(await second.closed).toEqual(expected);
    expect([await first.next(), await second.next()]).toEqual(["[]", "[]"]);
    await expect(connect(hub.url)).rejects.toThrow();
  });

  test("first sends a slow client what is under way to it", async () => {
    const hub = openTestHub();
    await using slow = await connectRaw(hub.port);
    slow.pause();
    const text = "x".repeat(12 << 20);
    await hub.show(text);
    const closed = hub.close(5_000);
    slow.resume();
    await closed;
    await until("the goodbye", () => closeOf(slow) !== undefined || slow.isClosed());
    expect(textFramesOf(slow).map(({ payload }) => payload.toString() === text)).toEqual([true]);
    expect(closeOf(slow)).toEqual({ code: 1001, reason: "server shutting down" });
  });

  test("does not wait for a client that never reads", async () => {
    const hub = openTestHub();
    await using stuck = await connectRaw(hub.port);
    stuck.pause();
    await hub.show("x".repeat(12 << 20));
    await hub.close(100);
    expect(hub.clients()).toBe(0);
  });
});

/** Whether an answer is there to its last byte. */
function isWhole(answer: string): boolean {
  const end = answer.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(answer.slice(0, end))?.[1];
  return length === undefined || answer.length >= end + 4 + Number(length);
}
