// How many connections of plain HTTP stay open: by the rule, with a clock of the test's own, and as the wire has it.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { MAX_KEPT_PER_ADDRESS, openKept } from "../../src/hub/kept.ts";
import { connectPeer, type Peer, textOf, upgradePeer } from "../attack/peer.ts";
import { openTestHub } from "../channel/open.ts";
import { TEST_TIMEOUT_MS, until } from "../support.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const get = (path: string, ...headers: string[]) =>
  ["GET " + path + " HTTP/1.1", "Host: localhost", ...headers, "\r\n"].join("\r\n");

const ROOMY = { idleMs: 30_000, clients: () => 0, maxClients: 10_000, closeIdle() {} };

describe("a connection may stay", () => {
  test("while there are few of its address; in its place another when it is idle, or becomes a WebSocket", () => {
    let now = 0;
    const { mayStay, forget } = openKept({ ...ROOMY, now: () => now });
    const answers = Array.from({ length: MAX_KEPT_PER_ADDRESS + 2 }, (_, port) => mayStay("10.0.0.7", port));
    expect(answers.indexOf(false)).toBe(MAX_KEPT_PER_ADDRESS);
    expect([mayStay("10.0.0.7", 5), mayStay("10.0.0.8", 1), mayStay("10.0.0.7", 999)]).toEqual([true, true, false]);
    forget("10.0.0.7", 7);
    forget("10.0.0.7", 7);
    expect([mayStay("10.0.0.7", 1000), mayStay("10.0.0.7", 1001)]).toEqual([true, false]);
    now = 30_000;
    expect(mayStay("10.0.0.7", 1001)).toBe(true);
  });

  test("while there are few in all, from however many addresses", () => {
    const { mayStay } = openKept({ ...ROOMY, now: () => 0 });
    const answers = Array.from({ length: 2_000 }, (_, n) => mayStay(`10.0.${n >> 8}.${n & 255}`, n));
    expect(answers.filter(Boolean).length).toBe(1_000);
  });
});

test("where descriptors are few, those that wait for a request make room for clients, whoever holds them", async () => {
  await using hub = openTestHub({ rows: [["1"]], maxClients: 8 });
  hub.begin();
  await using stack = new AsyncDisposableStack();
  const idle: Peer[] = [];
  for (let n = 0; n < 8; n++) idle.push(stack.use(await connectPeer(hub.port)));
  for (const peer of idle) peer.send(get("/livez"));
  await until("the answers", () => idle.every((peer) => textOf(peer).includes("ok")));
  expect(idle.filter((peer) => peer.isEnded())).toEqual([]);
  const client = stack.use(await upgradePeer(hub.port));
  await until("the end of all that waited", () => idle.every((peer) => peer.isEnded()));
  expect(client.isEnded()).toBe(false);
});

test.each([
  { name: "without the token", path: "/csv.json", headers: ["X-Forwarded-For: 10.0.0.7"], status: 401 },
  { name: "of a foreign host", path: "/", headers: ["Host: evil.example"], status: 403 },
  { name: "of a foreign page", path: "/healthz", headers: ["Origin: https://evil.example"], status: 403 },
])("who is turned away $name does not keep the connection", async ({ path, headers, status }) => {
  await using hub = openTestHub();
  await using peer = await connectPeer(hub.port);
  peer.send(get(path, ...headers));
  await until("the end", peer.isEnded);
  expect(textOf(peer)).toStartWith(`HTTP/1.1 ${status} `);
});

test("of many connections of one address that ask for a page or a figure those beyond the limit end after the answer", async () => {
  await using hub = openTestHub({ rows: [["1"]], maxClients: 1_000 });
  hub.begin();
  await using stack = new AsyncDisposableStack();
  const peers: Peer[] = [];
  for (let n = 0; n < MAX_KEPT_PER_ADDRESS + 20; n++) peers.push(stack.use(await connectPeer(hub.port)));
  for (const [n, peer] of peers.entries()) peer.send(get(["/healthz", "/csv.json", "/nowhere"][n % 3]!));
  await until("the answers", () => peers.every((peer) => textOf(peer).includes("\r\n\r\n")));
  await until("the end of some", () => peers.filter((peer) => peer.isEnded()).length === 20);
  const answered = peers.filter((peer) => /^HTTP\/1\.1 (200|404) /.test(textOf(peer)));
  expect(answered.length).toBe(peers.length);
});
