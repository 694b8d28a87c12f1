// The live feed as server-sent events.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Subscriber } from "../../src/channel/client.ts";
import { openEventStreams } from "../../src/channel/event-stream.ts";
import { SUBPROTOCOL } from "../../src/feed/protocol.ts";
import { connect, TEST_TIMEOUT_MS, until } from "../support.ts";
import { openTestHub } from "./open.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const ROWS = () => [["é"]];

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
    await using hub = openTestHub({ rows: ROWS() });
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
    await using hub = openTestHub({ rows: ROWS() });
    hub.begin();
    const cursor = /"(.*)"/.exec((await hub.get("/csv.json")).headers.get("etag")!)![1]!;
    hub.splice();
    const response =
      where === "header"
        ? await hub.get("/csv/events", { "Last-Event-ID": cursor })
        : await hub.get(`/csv/events?since=${cursor}`);
    const [, delta] = await readEvents(response, 2);
    expect(delta).toMatch(/^id: [\w-]+:2\ndata: \{"type":"delta",.*"from":1,"to":2,"splices":\[\],"count":1\}$/);
  });

  test("gets the changes, says sync when nothing happens, and ends with the server", async () => {
    const hub = openTestHub({ rows: ROWS(), heartbeatMs: 50 });
    hub.begin();
    const response = await hub.get("/csv/events");
    const reading = response.text();
    await until("it to be there", () => hub.clients() === 1);
    hub.splice();
    await using beside = await connect(hub.url, { protocols: [SUBPROTOCOL] });
    for (let syncs = 0; syncs < 3;) if ((await beside.next()).includes('"type":"sync"')) syncs++;
    await hub.close(100);
    const events = (await reading).split("\n\n");
    expect(events.some((event) => event.includes('"type":"delta"'))).toBe(true);
    expect(events.filter((event) => event.includes('"type":"sync"')).length).toBeGreaterThan(1);
  });

  test("that nobody reads is ended, and what was under way to it is let go", async () => {
    await using hub = openTestHub({ rows: [["x".repeat(30_000_000)]], stallMs: 100, heartbeatMs: 100 });
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
    await using hub = openTestHub({ rows: ROWS(), maxClients: 1 });
    hub.begin();
    const first = await hub.get("/csv/events");
    const second = await hub.get("/csv/events");
    expect([second.status, await second.text()]).toEqual([503, "full: 1 clients are connected (--max-clients)\n"]);
    await first.body!.cancel();
  });
});

const textOf = (chunk: Uint8Array | undefined) => new TextDecoder().decode(chunk);

test("who comes to follow while a change is broadcast holds it already, and does not get it again", async () => {
  const subscribers: Subscriber[] = [];
  let isBroadcasting = false;
  const streams = openEventStreams(() => {
    if (!isBroadcasting) return;
    isBroadcasting = false;
    subscribers[1]!.send("caught up"); // as the live feed does with whoever was waiting
    subscribers[1]!.follow(true);
  });
  const events = {
    peer: { address: "127.0.0.1", port: 1 },
    onOpen: (subscriber: Subscriber) => void subscribers.push(subscriber),
    onDrain() {},
    onClose() {},
  };
  const first = streams.open(undefined, events).getReader();
  const second = streams.open(undefined, events).getReader();
  await first.read(); // `retry`
  subscribers[0]!.follow(true);
  isBroadcasting = true;
  streams.broadcast("change");
  expect(textOf((await first.read()).value)).toContain("data: change");
  subscribers[1]!.send("last");
  const seen: string[] = [];
  while (!seen.join("").includes("last")) seen.push(textOf((await second.read()).value));
  expect(seen.join("")).toContain("caught up");
  expect(seen.join("")).not.toContain("data: change");
  streams.close();
});

test("what was passed on to be written is owed until more is asked for", async () => {
  const subscribers: Subscriber[] = [];
  let drains = 0;
  const streams = openEventStreams(() => {});
  const reader = streams
    .open(undefined, {
      peer: { address: "127.0.0.1", port: 1 },
      onOpen: (subscriber) => void subscribers.push(subscriber),
      onDrain: () => void drains++,
      onClose() {},
    })
    .getReader();
  await reader.read(); // `retry`
  const taken = reader.read();
  const before = drains;
  expect(subscribers[0]!.send("x".repeat(1 << 20))).toBe(false);
  await taken;
  expect([subscribers[0]!.buffered() > 1 << 20, drains]).toEqual([true, before]);
  void reader.read().catch(() => {});
  await until("more to be asked for", () => drains > before);
  expect(subscribers[0]!.buffered()).toBe(0);
  streams.close();
});
