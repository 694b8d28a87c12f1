// What holds on the wire for a table, wherever it comes from and however many are beside it: one list, for each of them.
import { expect } from "bun:test";
import { formatCursor, parseMessage, SUBPROTOCOL } from "../src/feed/protocol.ts";
import { openCopy } from "./hub/copy.ts";
import { connect, until } from "./support.ts";

/** A table of the columns `a` and `b`. */
export type WireTable = {
  /** `http://127.0.0.1:80/NAME`. */
  readonly http: string;
  /** What its source has now. */
  rows(): readonly (readonly [a: string, b: string])[];
  /** Adds a row to its source. */
  append(): Promise<void>;
  /** Gives its source other rows under the same header. */
  replace(): Promise<void>;
};

const jsonOf = (table: WireTable) => JSON.stringify(table.rows().map(([a, b]) => ({ a, b })));
const cursorOf = (response: Response) => /^W\/"(.+)"$/.exec(response.headers.get("etag") ?? "")?.[1];

/** Follows a table by the one rule, whatever others do meanwhile. */
async function follow(table: WireTable, since?: string) {
  const query = since === undefined ? "" : `?since=${encodeURIComponent(since)}`;
  const client = await connect(table.http.replace("http", "ws") + query, { protocols: [SUBPROTOCOL] });
  const copy = openCopy();
  const next = async () => copy.take(await client.next());
  return {
    ...{ copy, next },
    async settles(): Promise<void> {
      while (copy.cursor() === undefined || copy.json() !== jsonOf(table)) await next();
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

async function documentSettles(table: WireTable): Promise<Response> {
  return until(`${table.http}.json to be as its source`, async () => {
    const response = await fetch(`${table.http}.json`);
    return (await response.clone().text()) === jsonOf(table) && response;
  });
}

async function eventsUntil(table: WireTable, headers: Record<string, string>, isLast: (event: string) => boolean) {
  const response = await fetch(`${table.http}/events`, { headers });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const events: string[] = [];
  let text = "";
  for await (const chunk of response.body!) {
    text += Buffer.from(chunk).toString();
    const parts = text.split("\n\n");
    text = parts.pop()!;
    events.push(...parts);
    if (events.some(isLast)) break;
  }
  return events;
}

const isSync = (event: string) => event.includes('"type":"sync"');

export const WIRE: readonly { readonly name: string; readonly holds: (table: WireTable) => Promise<void> }[] = [
  {
    name: "the plain feed sends the whole table at once, and again when it has changed",
    async holds(table) {
      await documentSettles(table);
      await using client = await connect(table.http.replace("http", "ws"));
      expect(await client.next()).toBe(jsonOf(table));
      await table.append();
      await client.nextThat("the new row", (text) => text === jsonOf(table));
    },
  },
  {
    name: "the live feed sends a snapshot, the status, sync, and what changes",
    async holds(table) {
      await using follower = await follow(table);
      await follower.settles();
      while (!follower.copy.kinds.includes("sync")) await follower.next();
      const [first, ...rest] = follower.copy.kinds;
      expect([first, ...rest.filter((kind) => kind !== "delta").slice(0, 2)]).toEqual(["snapshot", "status", "sync"]);
      expect(follower.copy.columns()).toEqual(["a", "b"]);
      await table.append();
      await follower.settles();
      await table.replace();
      await follower.settles();
      expect(follower.copy.kinds.filter((kind) => kind === "snapshot")).toHaveLength(1);
    },
  },
  {
    name: "a cursor resumes: what was missed and no more; one of elsewhere gets the table",
    async holds(table) {
      const before = await follow(table);
      await before.settles();
      await before[Symbol.asyncDispose]();
      await table.append();
      await documentSettles(table);
      const client = await connect(`${table.http.replace("http", "ws")}?since=${before.copy.cursor()}`, {
        protocols: [SUBPROTOCOL],
      });
      const resumed = openCopy(before.copy);
      while (resumed.json() !== jsonOf(table)) resumed.take(await client.next());
      await client[Symbol.asyncDispose]();
      expect(resumed.kinds).not.toContain("snapshot");
      for (const cursor of ["elsewhere:1", "nonsense"]) {
        await using other = await follow(table, cursor);
        await other.settles();
        expect(other.copy.kinds[0]).toBe("snapshot");
      }
    },
  },
  {
    name: "documents are the table, with the cursor of the live feed as ETag, and nothing for who has it",
    async holds(table) {
      const response = await documentSettles(table);
      await using follower = await follow(table);
      await follower.settles();
      expect(cursorOf(response)).toBe(follower.copy.cursor()!);
      const lines = table.rows();
      const texts = {
        json: jsonOf(table),
        ndjson: lines.map(([a, b]) => `${JSON.stringify({ a, b })}\n`).join(""),
        csv: `a,b\r\n${lines.map((row) => `${row.join()}\r\n`).join("")}`,
      };
      for (const [shape, text] of Object.entries(texts)) {
        const url = `${table.http}.${shape}`;
        expect(await (await fetch(url)).text()).toBe(text);
        const etag = response.headers.get("etag")!;
        expect((await fetch(url, { headers: { "If-None-Match": etag } })).status).toBe(304);
        expect((await fetch(url, { method: "HEAD" })).headers.get("etag")).toBe(etag);
        expect((await fetch(url, { method: "POST" })).status).toBe(405);
      }
      await table.append();
      const changed = await documentSettles(table);
      expect(cursorOf(changed)).not.toBe(cursorOf(response));
    },
  },
  {
    name: "events are the live feed, with the cursor as id, and resume from the last one",
    async holds(table) {
      const before = await documentSettles(table);
      const events = await eventsUntil(table, {}, isSync);
      expect(events[0]).toBe("retry: 1000");
      expect(events[1]).toMatch(/^id: [\w-]+:\d+\ndata: \{"type":"snapshot"/);
      expect(events.find(isSync)).toStartWith(`id: ${cursorOf(before)}\n`);
      await table.append();
      const after = await documentSettles(table);
      const resumed = await eventsUntil(table, { "Last-Event-ID": cursorOf(before)! }, isSync);
      expect(resumed.join()).not.toContain('"type":"snapshot"');
      const messages = resumed.flatMap((event) => /^data: (.*)$/m.exec(event)?.[1] ?? []).map(parseMessage);
      const delta = messages.find((message) => message?.type === "delta");
      expect(delta && formatCursor({ epoch: delta.epoch, version: delta.to })).toBe(cursorOf(after)!);
    },
  },
  {
    name: "a browser gets the page, and no more is written there",
    async holds(table) {
      const page = await fetch(table.http, { headers: { Accept: "text/html" } });
      expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html;charset=utf-8"]);
      expect((await fetch(table.http, { method: "DELETE" })).status).toBe(405);
      expect((await fetch(`${table.http}.xlsx`)).status).toBe(404);
    },
  },
];
