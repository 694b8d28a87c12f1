// Sockets, with real ones: who gets what, who is turned away, who is too slow, and how it ends.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { HubOptions } from "../../src/hub/hub.ts";
import { DOOR_LIST } from "../../src/hub/routes.ts";
import { type Client, connect, exchange, TEST_TIMEOUT_MS, until } from "../support.ts";
import { openHubWith, TOKEN } from "./options.ts";
import { clientFrame, connectRaw, handshake, OPCODES, type RawClient } from "./raw-client.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

function openTestHub(over: Partial<HubOptions> = {}) {
  const counts: number[] = [];
  const hub = openHubWith({ onClients: () => counts.push(hub.clients()), ...over });
  return { ...hub, counts };
}

const frameOf = (text: string) => ({ text, bytes: Buffer.byteLength(text) });

/** A large frame that tells its number, and whether all of it is there. */
const MARK_BYTES = 4;
const numbered = (number: number, bytes: number) => String(number).padStart(MARK_BYTES, "0") + "x".repeat(bytes);
const numberOf = (text: string) => Number(text.slice(0, MARK_BYTES));

const textFramesOf = ({ frames }: RawClient) => frames.filter(({ opcode }) => opcode === OPCODES.text);
const numbersOf = (client: RawClient) =>
  textFramesOf(client).map(({ payload }) => numberOf(payload.toString("utf8", 0, MARK_BYTES)));

const closeOf = ({ frames }: RawClient) => {
  const payload = frames.find(({ opcode }) => opcode === OPCODES.close)?.payload;
  return payload && { code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() };
};

describe("a client", () => {
  test("that comes before there is a frame waits, and has it the moment it is there", async () => {
    await using hub = openTestHub();
    await using first = await connect(hub.url);
    await using second = await connect(`${hub.url}csv`);
    hub.publish();
    hub.set(frameOf('[{"a":"1"}]'));
    expect(await first.next()).toBe('[{"a":"1"}]');
    expect(await second.next()).toBe('[{"a":"1"}]');
    hub.publish();
    hub.set(frameOf("[]"));
    hub.publish();
    expect([await first.next(), await first.next()]).toEqual(['[{"a":"1"}]', "[]"]);
    expect([await second.next(), await second.next()]).toEqual(['[{"a":"1"}]', "[]"]);
  });

  test("that comes later has the current frame at once, without a tick", async () => {
    await using hub = openTestHub();
    hub.set(frameOf("[1]"));
    hub.set(frameOf("[2]"));
    await using client = await connect(hub.url);
    expect(await client.next()).toBe("[2]");
  });

  test("waits again after the frame was taken off the air", async () => {
    await using hub = openTestHub();
    hub.set(frameOf("[1]"));
    hub.set(undefined);
    await using client = await connect(hub.url);
    hub.publish();
    hub.set(frameOf("[2]"));
    expect(await client.next()).toBe("[2]");
  });

  test("gets text of any script unharmed", async () => {
    await using hub = openTestHub();
    const text = JSON.stringify([{ ключ: "héllo ✓ 日本語 𝄞\u2028\u007f" }]);
    hub.set(frameOf(text));
    await using client = await connect(hub.url);
    hub.publish();
    expect([await client.next(), await client.next()]).toEqual([text, text]);
  });

  test("is counted while it is there", async () => {
    await using hub = openTestHub();
    {
      await using _first = await connect(hub.url);
      await using _second = await connect(hub.url);
      await until("two clients", () => hub.clients() === 2);
    }
    await until("no clients", () => hub.clients() === 0);
    expect(hub.counts).toEqual([1, 2, 1, 0]);
  });

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
    hub.set(frameOf("[]"));
    expect(await bystander.next()).toBe("[]");
    expect(await talker.next()).toBe("[]");
  });
});

describe("a client that does not read", () => {
  const FRAMES = 20;
  const cases = [
    { name: "when a tick is sent as one publication", bytes: 3 << 20, healthy: 1 },
    { name: "when a tick is sent in slices", bytes: 3 << 20, healthy: 6 },
  ];
  test.each(cases)("skips whole frames and gets the newest, others miss none, $name", async ({ bytes, healthy }) => {
    await using hub = openTestHub();
    await using stalled = await connectRaw(hub.port);
    await using stack = new AsyncDisposableStack();
    const others: Client[] = [];
    for (let i = 0; i < healthy; i++) others.push(stack.use(await connect(hub.url)));
    stalled.pause();
    for (let number = 0; number < FRAMES; number++) {
      hub.set(frameOf(numbered(number, bytes)));
      if (number > 0) hub.publish(); // the first one goes to all by itself
      for (const other of others) expect(numberOf(await other.next())).toBe(number);
    }

    stalled.resume();
    await until("the newest frame", () => numbersOf(stalled).includes(FRAMES - 1));
    const numbers = numbersOf(stalled);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    expect(numbers.length).toBeLessThan(FRAMES);
    expect(textFramesOf(stalled).every(({ payload }) => payload.length === MARK_BYTES + bytes)).toBe(true);

    hub.set(frameOf("[]"));
    hub.publish();
    await until("the next frame, on time again", () => textFramesOf(stalled).at(-1)?.payload.toString() === "[]");
    for (const other of others) expect(await other.next()).toBe("[]");
  });
});

describe("a large frame", () => {
  test("reaches many clients whole, in slices", async () => {
    await using hub = openTestHub();
    await using stack = new AsyncDisposableStack();
    const clients: Client[] = [];
    for (let i = 0; i < 24; i++) clients.push(stack.use(await connect(hub.url)));
    for (const number of [1, 2, 3]) {
      const text = numbered(number, 2 << 20);
      hub.set(frameOf(text));
      hub.publish();
      for (const client of clients) {
        const got = await client.nextThat(`frame ${number}`, (message) => numberOf(message) === number);
        expect(got === text).toBe(true);
      }
    }
  });

  test("that is too large ends every client with 1009 and the reason, newcomers too", async () => {
    await using hub = openTestHub();
    await using waiting = await connect(hub.url);
    hub.set({ tooLarge: "the table is larger than --max-message (32 MiB)" });
    const expected = { code: 1009, reason: "the table is larger than --max-message (32 MiB)" };
    expect(await waiting.closed).toEqual(expected);

    await using newcomer = await connect(hub.url);
    expect(await newcomer.closed).toEqual(expected);

    hub.set(frameOf("[]"));
    await using served = await connect(hub.url);
    expect(await served.next()).toBe("[]");
    hub.set({ tooLarge: expected.reason });
    hub.publish();
    expect(await served.closed).toEqual(expected);
    expect(served.waiting()).toBe(0);
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
      body: `csvcast: connect with a WebSocket to this address; there is\n${DOOR_LIST}\n`,
      header: /\r\nUpgrade: websocket\r\n/i,
    },
    {
      name: "for another path is told what there is",
      lines: ["GET /favicon.ico HTTP/1.1", host],
      status: 404,
      body: `nothing here; there is\n${DOOR_LIST}\n`,
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
      name: "that offers foreign subprotocols only is told which is spoken",
      lines: ["GET / HTTP/1.1", host, ...upgrade, key, "Sec-WebSocket-Protocol: secret, other"],
      status: 400,
      body: "of these subprotocols none is spoken here; offer csvcast.v1, or none for the plain feed\n",
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
    hub.set(frameOf("[]"));
    const headers = { Origin: "https://evil.example" };
    await expect(connect(hub.url, { headers })).rejects.toThrow("403");
    await expect(connect(hub.url, { protocols: ["csvcast.v9"] })).rejects.toThrow("400");
    await until("both to be answered", () => hub.clients() === 0);
    expect(hub.counts).toEqual([]);
  });

  test("when the server is full gets 503, until somebody leaves", async () => {
    await using hub = openTestHub({ maxClients: 2 });
    hub.set(frameOf("[]"));
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
    hub.set(frameOf("[]"));
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
    hub.set(frameOf("[]"));
    await using first = await connect(hub.url);
    await using second = await connect(hub.url);
    await hub.close(1_000);
    const expected = { code: 1001, reason: "server shutting down" };
    expect(await first.closed).toEqual(expected);
    expect(await second.closed).toEqual(expected);
    expect([await first.next(), await second.next()]).toEqual(["[]", "[]"]);
    await expect(connect(hub.url)).rejects.toThrow();
  });

  test("first sends a slow client what it is owed", async () => {
    const hub = openTestHub();
    await using slow = await connectRaw(hub.port);
    slow.pause();
    const text = numbered(1, 12 << 20);
    hub.set(frameOf(text));
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
    hub.set(frameOf(numbered(1, 12 << 20)));
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
