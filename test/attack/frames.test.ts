// WebSocket frames that RFC 6455 forbids, or allows and nobody sends: each ends its own connection at most.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { deflateRawSync } from "node:zlib";
import { atOnce } from "../at-once.ts";
import { TEST_TIMEOUT_MS, until } from "../support.ts";
import { framesOf, type Peer, textOf, upgradePeer } from "./peer.ts";
import { openScene, type Scene } from "./scene.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);
atOnce(6);

/** All attacks are on one server: it outlives them. */
let scene: Scene;
beforeAll(async () => void (scene = await openScene()));
afterAll(() => scene[Symbol.asyncDispose]());

const CONTINUATION = 0;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;
const RSV1 = 0x40;
const RSV2 = 0x20;
const RSV3 = 0x10;

/** What the server takes of one message (MAX_INCOMING_BYTES in src/hub/sockets.ts). */
const MAX_MESSAGE_BYTES = 4096;
const MIB = 1 << 20;
/** More than the noise of a heap, and far less than what an attack sends or inflates to. */
const MAX_GROWTH_MIB = 100;

type Breach = {
  readonly isUnmasked?: boolean;
  /** There are more fragments to come. */
  readonly isPart?: boolean;
  readonly reserved?: number;
  /** The length that the header says, in its longest form. */
  readonly declared?: bigint;
};

const MASK = Buffer.from("\x12\x34\x56\x78", "latin1");

/** A frame as a client sends it (RFC 6455, section 5.2), or not. */
function frame(opcode: number, content: string | Uint8Array = "", breach: Breach = {}): Buffer {
  const { isUnmasked = false, isPart = false, reserved = 0, declared } = breach;
  const payload = Buffer.from(content);
  const head = [(isPart ? 0 : 0x80) | reserved | opcode];
  const mark = isUnmasked ? 0 : 0x80;
  if (declared !== undefined) {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(declared);
    head.push(mark | 127, ...length);
  } else if (payload.length < 126) head.push(mark | payload.length);
  else head.push(mark | 126, payload.length >> 8, payload.length & 0xff);
  if (isUnmasked) return Buffer.concat([Buffer.from(head), payload]);
  return Buffer.concat([Buffer.from(head), MASK, payload.map((byte, at) => byte ^ MASK[at % MASK.length]!)]);
}

const part = (opcode: number, content: string | Uint8Array = "") => frame(opcode, content, { isPart: true });

const closing = (code: number, reason: string | Uint8Array = "") =>
  frame(CLOSE, Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]));

const deflated = (bytes: number) => frame(TEXT, deflateRawSync(Buffer.alloc(bytes)), { reserved: RSV1 });

/** The close code that the server sent; 1005 if it sent none (RFC 6455, section 7.1.5), undefined if it did not close. */
function closeCodeOf(peer: Peer): number | undefined {
  const close = framesOf(peer).find(({ opcode }) => opcode === CLOSE);
  if (!close) return undefined;
  return close.payload.length >= 2 ? close.payload.readUInt16BE(0) : 1005;
}

const pongsOf = (peer: Peer) =>
  framesOf(peer)
    .filter(({ opcode }) => opcode === PONG)
    .map(({ payload }) => payload.toString());

describe.concurrent("a WebSocket peer is closed with", () => {
  type Case = { code: number; name: string; frames: Buffer[] };
  const invalid = Buffer.from([0xc3, 0x28]);
  const cases: Case[] = [
    { code: 1009, name: "a frame that declares 1 TiB", frames: [frame(TEXT, "", { declared: 1n << 40n })] },
    { code: 1009, name: "a frame that declares 2^63 bytes", frames: [frame(TEXT, "", { declared: 1n << 63n })] },
    { code: 1009, name: "a frame that declares 2^64 - 1", frames: [frame(TEXT, "", { declared: (1n << 64n) - 1n })] },
    {
      code: 1009,
      name: "a message of one byte more than is taken",
      frames: [frame(TEXT, "x".repeat(MAX_MESSAGE_BYTES + 1))],
    },
    { code: 1002, name: "a text that is not masked", frames: [frame(TEXT, "hi", { isUnmasked: true })] },
    { code: 1002, name: "a ping that is not masked", frames: [frame(PING, "hi", { isUnmasked: true })] },
    { code: 1002, name: "a close that is not masked", frames: [frame(CLOSE, "", { isUnmasked: true })] },
    { code: 1002, name: "the reserved bit 1", frames: [frame(TEXT, "hi", { reserved: RSV1 })] },
    { code: 1002, name: "the reserved bit 2", frames: [frame(TEXT, "hi", { reserved: RSV2 })] },
    { code: 1002, name: "the reserved bit 3", frames: [frame(TEXT, "hi", { reserved: RSV3 })] },
    { code: 1002, name: "the reserved bit 1 of a ping", frames: [frame(PING, "hi", { reserved: RSV1 })] },
    {
      code: 1002,
      name: "the reserved bit 1 of a continuation",
      frames: [part(TEXT, "a"), frame(CONTINUATION, "b", { reserved: RSV1 })],
    },
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => ({
      code: 1002,
      name: `the reserved opcode ${opcode}`,
      frames: [frame(opcode, "hi")],
    })),
    { code: 1002, name: "a ping of 126 bytes", frames: [frame(PING, "x".repeat(126))] },
    { code: 1002, name: "a pong of 126 bytes", frames: [frame(PONG, "x".repeat(126))] },
    { code: 1002, name: "a close of 126 bytes", frames: [closing(1000, "x".repeat(124))] },
    { code: 1002, name: "a ping in fragments", frames: [part(PING, "x")] },
    { code: 1002, name: "a pong in fragments", frames: [part(PONG, "x")] },
    { code: 1002, name: "a close in fragments", frames: [part(CLOSE)] },
    { code: 1002, name: "a continuation of nothing", frames: [frame(CONTINUATION, "x")] },
    { code: 1002, name: "a part of a continuation of nothing", frames: [part(CONTINUATION, "x")] },
    { code: 1002, name: "a text within a fragmented message", frames: [part(TEXT, "a"), frame(TEXT, "b")] },
    { code: 1002, name: "a binary within a fragmented message", frames: [part(TEXT, "a"), frame(BINARY, "b")] },
    { code: 1007, name: "invalid UTF-8", frames: [frame(TEXT, invalid)] },
    { code: 1007, name: "a surrogate in UTF-8", frames: [frame(TEXT, Buffer.from([0xed, 0xa0, 0x80]))] },
    { code: 1007, name: "UTF-8 that is cut off", frames: [frame(TEXT, Buffer.from([0xe2, 0x82]))] },
    {
      code: 1007,
      name: "invalid UTF-8 over two fragments",
      frames: [part(TEXT, invalid.subarray(0, 1)), frame(CONTINUATION, invalid.subarray(1))],
    },
    { code: 1002, name: "a close of one byte", frames: [frame(CLOSE, "\x03")] },
    ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map((reserved) => ({
      code: 1002,
      name: `the reserved close code ${reserved}`,
      frames: [closing(reserved)],
    })),
    { code: 1007, name: "a close reason in invalid UTF-8", frames: [closing(1000, invalid)] },
  ];

  test.each(cases)("$code for $name", async ({ code, frames }) => {
    await using witness = await scene.witness();
    await using peer = await upgradePeer(scene.port);
    peer.send(Buffer.concat(frames));
    await until("the end of the peer", peer.isEnded);
    expect(closeCodeOf(peer)).toBe(code);
    await witness.expectNoHarm();
  });
});

describe.concurrent("a WebSocket peer goes on after", () => {
  const cases: { name: string; frames: Buffer[] }[] = [
    { name: "a message as large as is taken", frames: [frame(TEXT, "x".repeat(MAX_MESSAGE_BYTES))] },
    { name: "a binary message", frames: [frame(BINARY, Buffer.from([0, 255, 1]))] },
    { name: "an empty message", frames: [frame(TEXT)] },
    { name: "pongs that nobody asked for", frames: Array<Buffer>(1_000).fill(frame(PONG, "x".repeat(125))) },
    { name: "a ping within a fragmented message", frames: [part(TEXT, "a"), frame(PING), frame(CONTINUATION, "b")] },
    {
      name: "UTF-8 that is cut by fragments",
      frames: [part(TEXT, Buffer.from([0xe2])), part(CONTINUATION), frame(CONTINUATION, Buffer.from([0x82, 0xac]))],
    },
    {
      name: "a length that is not in its shortest form, which Bun lets pass",
      frames: [frame(TEXT, "hi", { declared: 2n })],
    },
  ];

  test.each(cases)("$name", async ({ frames }) => {
    await using witness = await scene.witness();
    await using peer = await upgradePeer(scene.port);
    peer.send(Buffer.concat([...frames, frame(PING, "still there")]));
    await until("the last pong", () => pongsOf(peer).at(-1) === "still there");
    expect(closeCodeOf(peer)).toBeUndefined();
    await witness.expectNoHarm();
  });
});

describe.concurrent("a WebSocket peer that closes by the rules", () => {
  const cases = [
    { name: "with 1000", frames: [closing(1000, "thanks")], expected: 1000 },
    { name: "with 1003", frames: [closing(1003)], expected: 1003 },
    { name: "with a code of its own", frames: [closing(4999)], expected: 4999 },
    { name: "without a code", frames: [frame(CLOSE)], expected: 1005 },
    { name: "and goes on talking", frames: [closing(1000), frame(PING), frame(TEXT, "x")], expected: 1000 },
  ];

  test.each(cases)("$name is told the same", async ({ frames, expected }) => {
    await using witness = await scene.witness();
    await using peer = await upgradePeer(scene.port);
    peer.send(Buffer.concat(frames));
    await until("the end of the peer", peer.isEnded);
    expect(closeCodeOf(peer)).toBe(expected);
    expect(pongsOf(peer)).toEqual([]);
    await witness.expectNoHarm();
  });
});

describe.concurrent("the server holds no more memory for", () => {
  const FRAGMENTS = 1_000_000;

  test("a message in a million fragments of one byte, which ends its connection", async () => {
    await using own = await openScene();
    await using witness = await own.witness();
    const before = await own.peakMemory();
    await using peer = await upgradePeer(own.port);
    peer.send(repeated(part(CONTINUATION, "x"), FRAGMENTS, part(TEXT, "x")));
    await until("the end of the peer", peer.isEnded);
    expect([1009, undefined]).toContain(closeCodeOf(peer)); // a reset for what nobody read may overtake the close frame
    expect((await own.peakMemory()) - before).toBeLessThan(MAX_GROWTH_MIB);
    await witness.expectNoHarm();
  });

  test("a message in a million empty fragments, which is let be", async () => {
    await using own = await openScene();
    await using witness = await own.witness();
    const before = await own.peakMemory();
    await using peer = await upgradePeer(own.port);
    peer.send(repeated(part(CONTINUATION), FRAGMENTS, part(TEXT)));
    peer.send(Buffer.concat([frame(CONTINUATION), frame(PING, "all of it")]));
    await until("the last pong", () => pongsOf(peer).includes("all of it"));
    expect((await own.peakMemory()) - before).toBeLessThan(MAX_GROWTH_MIB);
    await witness.expectNoHarm();
  });

  test("a small deflate bomb or a large one: no compression is agreed upon, whoever offers it", async () => {
    await using own = await openScene();
    await using witness = await own.witness();
    const before = await own.peakMemory();
    for (const bytes of [2 * MIB, 60 * MIB]) {
      await using peer = await upgradePeer(own.port, ["Sec-WebSocket-Extensions: permessage-deflate"]);
      expect(textOf(peer)).not.toMatch(/sec-websocket-extensions/i);
      peer.send(deflated(bytes));
      await until("the end of the peer", peer.isEnded);
      expect([1002, 1009]).toContain(closeCodeOf(peer)!);
    }
    expect((await own.peakMemory()) - before).toBeLessThan(MAX_GROWTH_MIB / 2);
    await witness.expectNoHarm();
  });

  test("pings of a peer that never reads the pongs", async () => {
    await using own = await openScene();
    await using witness = await own.witness();
    const before = await own.peakMemory();
    await using peer = await upgradePeer(own.port);
    peer.pause();
    peer.send(repeated(frame(PING, "x".repeat(125)), 1_000_000));
    await until("the server to take them, or to end it", () => peer.unsent() === 0 || peer.isEnded());
    expect((await own.peakMemory()) - before).toBeLessThan(MAX_GROWTH_MIB);
    await witness.expectNoHarm();
  });
});

test.concurrent("pings by the thousand are all answered, in order", async () => {
  await using witness = await scene.witness();
  await using peer = await upgradePeer(scene.port);
  const numbers = Array.from({ length: 5_000 }, (_, number) => String(number));
  peer.send(Buffer.concat(numbers.map((number) => frame(PING, number))));
  await until("the last pong", () => pongsOf(peer).at(-1) === numbers.at(-1));
  expect(pongsOf(peer)).toEqual(numbers);
  await witness.expectNoHarm();
});

/** `first`, and then `times` the same, without holding each of them. */
function repeated(bytes: Buffer, times: number, first: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([first, Buffer.alloc(bytes.length * times, bytes)]);
}
