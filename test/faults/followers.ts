// Clients of every kind that come back by themselves, whatever becomes of their server.
import { subscribe, type Table } from "../../src/follow/index.ts";
import { convertCsvToJson } from "../../src/source/convert.ts";
import { openCopy } from "../hub/copy.ts";
import { type RunningServer, until } from "../support.ts";

/** A client that comes back by itself, with what it holds as JSON. */
export type Follower = Disposable & { readonly kind: string; json(): string | undefined };

export function followLive(url: string): Follower {
  let table: Table | undefined;
  const take = (next: Table) => void (table = next);
  const subscription = subscribe(url, { onSnapshot: take, onChange: take, maxDelayMs: 200 });
  return { kind: "live", json: () => table && jsonOf(table), [Symbol.dispose]: subscription.close };
}

/** Names that look like numbers would come first in an object. */
export function jsonOf({ columns, rows }: Table): string {
  const names = columns.map((name) => JSON.stringify(name));
  const objects = rows.map((row) => `{${row.map((cell, c) => `${names[c]}:${JSON.stringify(cell)}`).join(",")}}`);
  return `[${objects.join(",")}]`;
}

export function followPlain(url: string): Follower {
  let text: string | undefined;
  let socket: WebSocket;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const open = () => {
    socket = new WebSocket(url);
    socket.onmessage = ({ data }) => (text = String(data));
    socket.onclose = () => (timer = setTimeout(open, 50));
  };
  open();
  return {
    kind: "plain",
    json: () => text,
    [Symbol.dispose]() {
      socket.onclose = null;
      clearTimeout(timer);
      socket.close();
    },
  };
}

/** Asks again and again with the ETag that it has; one of a server that is dead must never be good for a 304. */
export function poll(http: string): Follower {
  let text: string | undefined;
  let etag = "";
  let isOver = false;
  const living = (async () => {
    while (!isOver) {
      const response = await fetch(`${http}/csv.json`, { headers: { "If-None-Match": etag } }).catch(() => undefined);
      if (response?.status === 200) {
        etag = response.headers.get("etag") ?? "";
        text = await response.text().catch(() => text);
      }
      await Bun.sleep(20);
    }
  })();
  living.catch(() => {});
  return { kind: "polling", json: () => text, [Symbol.dispose]: () => void (isOver = true) };
}

/** The event stream with the cursor that it came to, as an EventSource would. */
export function followEvents(http: string): Follower {
  let copy = openCopy();
  let isOver = false;
  const abort = new AbortController();
  const connectOnce = async () => {
    const cursor = copy.cursor();
    const headers = cursor === undefined ? {} : { "Last-Event-ID": cursor };
    const response = await fetch(`${http}/csv/events`, { headers, signal: abort.signal });
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of response.body!) {
      rest += decoder.decode(chunk, { stream: true });
      const events = rest.split("\n\n");
      rest = events.pop()!;
      for (const event of events) {
        const text = /^data: (.*)$/m.exec(event)?.[1];
        if (text) copy.take(text);
      }
    }
  };
  const living = (async () => {
    while (!isOver) {
      await connectOnce().catch(() => {});
      copy.disconnect();
      await Bun.sleep(50);
    }
  })();
  living.catch(() => {});
  return {
    kind: "events",
    json: () => (copy.cursor() === undefined ? undefined : copy.json()),
    [Symbol.dispose]() {
      isOver = true;
      abort.abort();
    },
  };
}

/** Three live ones, two of the plain feed, one that polls, and one of the event stream. */
export const followAll = ({ url, http }: RunningServer) => [
  followLive(url),
  followLive(url),
  followLive(url),
  followPlain(url),
  followPlain(url),
  poll(http),
  followEvents(http),
];

/** Waits until each holds what the file says. */
export async function converge(followers: readonly Follower[], path: string): Promise<void> {
  for (const { kind, json } of followers)
    await until(
      `a ${kind} client to hold the file`,
      async () => json() === (await convertCsvToJson(path)),
      () => `${json()?.slice(0, 500)}`,
    );
}
