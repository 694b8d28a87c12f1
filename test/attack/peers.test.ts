// Peers that come and do not go on, or go without a word: two hundred slow ones, half-closed connections, hundreds of resets.
import { readdirSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { shareOf, shown } from "../fuzz/random.ts";
import { clientFrame, handshake, OPCODES } from "../hub/raw-client.ts";
import { connect, startServer, temporaryFolder, TEST_TIMEOUT_MS, until } from "../support.ts";
import { connectPeer, type Peer, textOf, upgradePeer } from "./peer.ts";
import { openScene, type Scene, TREASURE } from "./scene.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

/** Less than the peers of one test that only want to come in: these take nobody's place. */
const MAX_CLIENTS = 150;
/** The server may have a few files open of its own, and connections that are just going. */
const SPARE_DESCRIPTORS = 8;

/** All attacks are on one server: it outlives them. */
let scene: Scene;
beforeAll(async () => void (scene = await openScene([`--max-clients=${MAX_CLIENTS}`])));
afterAll(() => scene[Symbol.asyncDispose]());

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const upgrade = () => handshake(scene.port);

/** The server has let go of every connection but the witness's. */
async function expectAllGone(before: number): Promise<void> {
  await until("the clients to be gone", async () => (await scene.clients()) === 1);
  await until("the descriptors to be closed", async () => (await scene.descriptors()) <= before + SPARE_DESCRIPTORS);
}

/** All of them go on byte by byte, and others are served between any two. */
async function dribble(peers: readonly Peer[], bytes: Uint8Array, isServed: () => Promise<void>): Promise<void> {
  for (const byte of bytes) {
    for (const peer of peers) peer.send(Buffer.of(byte));
    await isServed();
  }
}

describe("two hundred peers are harmless that stall", () => {
  const PEERS = 200;
  const ROUNDS = 5;
  const LETTERS = Buffer.alloc(ROUNDS, "a");
  const cases = [
    { name: "before the first byte", begin: () => "" },
    { name: "in the request line", begin: () => "GET /csv.js" },
    { name: "in the headers", begin: () => "GET /csv.json HTTP/1.1\r\nHost: localhost\r\nX-Slow: " },
    { name: "in the headers of the upgrade", begin: () => upgrade().slice(0, -"\r\n\r\n".length) },
    { name: "in a header behind those of the upgrade", begin: () => `${upgrade().slice(0, -"\r\n".length)}X: ` },
  ];

  test.each(cases)("$name", async ({ begin }) => {
    await using witness = await scene.witness();
    await using stack = new AsyncDisposableStack();
    const before = await scene.descriptors();
    const peers = await Promise.all(Array.from({ length: PEERS }, () => connectPeer(scene.port)));
    for (const peer of peers) stack.use(peer).send(begin());
    await dribble(peers, LETTERS, witness.isServed);
    await witness.expectNoHarm();
    for (const peer of peers) expect(textOf(peer)).not.toInclude(TREASURE);
    await stack.disposeAsync();
    await expectAllGone(before);
  });

  test("in a body, after their answer", async () => {
    await using witness = await scene.witness();
    await using stack = new AsyncDisposableStack();
    const before = await scene.descriptors();
    const peers = await Promise.all(Array.from({ length: PEERS }, () => connectPeer(scene.port)));
    for (const peer of peers)
      stack.use(peer).send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n");
    await until("the answers", () => peers.every((peer) => textOf(peer).startsWith("HTTP/1.1 405 ")));
    await dribble(peers, LETTERS, witness.isServed);
    await witness.expectNoHarm();
    await stack.disposeAsync();
    await expectAllGone(before);
  });

  const frame = clientFrame(OPCODES.text, new Uint8Array(1000));
  const frames = [
    { name: "in the header of a WebSocket frame", begin: frame.subarray(0, 1) },
    { name: "in the mask of a WebSocket frame", begin: frame.subarray(0, 11) },
    { name: "in the payload of a WebSocket frame", begin: frame.subarray(0, 100) },
  ];

  test.each(frames)("$name, and are served themselves", async ({ begin }) => {
    await using own = await openScene();
    await using witness = await own.witness();
    await using stack = new AsyncDisposableStack();
    const peers = await Promise.all(Array.from({ length: PEERS }, () => upgradePeer(own.port)));
    for (const peer of peers) stack.use(peer).send(begin);
    await dribble(peers, frame.subarray(begin.length, begin.length + ROUNDS), witness.isServed);
    await witness.expectNoHarm();
    await until("a frame for each", () => peers.every((peer) => textOf(peer).includes(`"${TREASURE}"`)));
    expect(peers.filter((peer) => peer.isEnded())).toEqual([]);
    await stack.disposeAsync();
    await until("the clients to be gone", async () => (await own.clients()) === 1);
  });
});

describe("a peer that says no more ends, and only it, when it stops", () => {
  const cases = [
    { name: "before it has said anything", begin: () => "" },
    { name: "in the request line", begin: () => "GET /csv.js" },
    { name: "in the headers", begin: () => "GET /csv.json HTTP/1.1\r\nHost: local" },
    { name: "in the headers of the upgrade", begin: () => upgrade().slice(0, -2) },
    { name: "in a body", begin: () => "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc" },
  ];

  test.each(cases)("$name: without rows", async ({ begin }) => {
    await using witness = await scene.witness();
    await using peer = await connectPeer(scene.port);
    peer.send(begin());
    peer.finish();
    await until("the end of the peer", peer.isEnded);
    expect(textOf(peer)).not.toInclude(TREASURE);
    await witness.expectNoHarm();
  });

  test("after a request: with an answer, or none where that takes a moment", async () => {
    await using witness = await scene.witness();
    await using peer = await connectPeer(scene.port);
    peer.send(get("/csv.json"));
    peer.finish();
    await until("the end of the peer", peer.isEnded);
    expect(textOf(peer)).toMatch(/^$|^HTTP\/1\.1 200 [^]*treasure/);
    await witness.expectNoHarm();
  });

  test("after the upgrade, and while it follows events", async () => {
    await using witness = await scene.witness();
    await using plain = await upgradePeer(scene.port);
    await using follower = await connectPeer(scene.port);
    follower.send(get("/csv/events"));
    await until("the events", () => textOf(follower).includes(TREASURE));
    expect(await scene.clients()).toBe(3);
    plain.finish();
    follower.finish();
    await until("the end of both", () => plain.isEnded() && follower.isEnded());
    await until("the clients to be gone", async () => (await scene.clients()) === 1);
    await witness.expectNoHarm();
  });
});

test("more strangers without the token than there are descriptors, who would keep their connections, leave the file readable", async () => {
  const DESCRIPTORS = 128;
  await using folder = await temporaryFolder();
  await folder.write("a.csv", "x\n1\n");
  await using server = await startServer(["a.csv"], { folder, shell: `ulimit -n ${DESCRIPTORS}; exec "$@"` });
  await using witness = await connect(server.url);
  await witness.next();
  await using stack = new AsyncDisposableStack();
  const peers: Peer[] = [];
  for (let n = 0; n < 2 * DESCRIPTORS; n++) {
    const peer = stack.use(await connectPeer(server.port));
    peer.send("GET /csv.json HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 10.0.0.7\r\n\r\n");
    peers.push(peer);
    if (n % 16 === 15) await until("the answers", () => peers.every((one) => one.isEnded()));
  }
  for (const peer of peers) expect(textOf(peer)).toStartWith("HTTP/1.1 401 ");
  await folder.write("a.csv", "x\n2\n");
  await witness.nextThat("what the file says next", (text) => text === '[{"x":"2"}]');
  expect(server.stderr()).not.toContain("stale");
});

test("nor do those who keep connections for another request, over IPv4 and IPv6, while the files are replaced and appended to", async () => {
  const DESCRIPTORS = 128;
  const isLinux = process.platform === "linux";
  await using folder = await temporaryFolder();
  await folder.write("a.csv", "x\n0\n");
  const appended = await folder.write("b.csv", "x\n0\n");
  const args = ["a.csv", "b.csv", "--host=::", "--no-token"];
  await using server = await startServer(args, { folder, shell: `ulimit -n ${DESCRIPTORS}; exec "$@"` });
  await using replacedOnes = await connect(`ws://127.0.0.1:${server.port}/a`);
  await using appendedOnes = await connect(`ws://[::1]:${server.port}/b`);
  await using stack = new AsyncDisposableStack();
  const open = () => (isLinux ? readdirSync(`/proc/${server.pid}/fd`).length : 0);
  for (let n = 1; n <= 2 * DESCRIPTORS; n++) {
    const peer = stack.use(await connectPeer(server.port, n % 2 ? "127.0.0.1" : "::1"));
    peer.send(get("/"));
    await until("the answer", () => textOf(peer).includes("\r\n\r\n"));
    expect(open()).toBeLessThan(DESCRIPTORS - SPARE_DESCRIPTORS);
    if (n % 64 > 0) continue;
    await folder.write("a.csv", `x\n${n}\n`);
    await appendFile(appended, `${n}\n`);
    await replacedOnes.nextThat("what the one says next", (text) => text === `[{"x":"${n}"}]`);
    await appendedOnes.nextThat("the row of the other", (text) => text.endsWith(`{"x":"${n}"}]`));
  }
  expect(server.stderr()).not.toContain("stale");
});

/** More than there may be descriptors to spare, many times over. */
const RESETS = Math.min(shareOf(1_000), 1_000);

describe(`${shown(RESETS)} peers in a row leave nothing behind that are reset`, () => {
  const AT_ONCE = 50;
  type Case = { name: string; begin: () => string; waitFor?: string };
  const cases: Case[] = [
    { name: "as soon as they are connected", begin: () => "" },
    { name: "within the headers", begin: () => "GET / HTTP/1.1\r\nHost" },
    { name: "having asked for the table", begin: () => get("/csv.json") },
    { name: "having asked for the upgrade", begin: upgrade },
    { name: "having asked for events", begin: () => get("/csv/events") },
    { name: "once they are upgraded", begin: upgrade, waitFor: "HTTP/1.1 101 " },
    { name: "once they follow events", begin: () => get("/csv/events"), waitFor: "text/event-stream" },
  ];

  test.each(cases)("$name", async ({ begin, waitFor = "" }) => {
    await using witness = await scene.witness();
    const before = await scene.descriptors();
    const come = async () => {
      const peer = await connectPeer(scene.port);
      peer.send(begin());
      await until(
        `${waitFor} or 503`,
        () => textOf(peer).includes(waitFor) || textOf(peer).startsWith("HTTP/1.1 503 "),
      );
      peer.reset();
    };
    for (let came = 0; came < RESETS; came += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, come));
    await expectAllGone(before);
    await witness.expectNoHarm();
  });
});
