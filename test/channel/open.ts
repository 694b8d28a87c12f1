// A real hub with a real channel on a free port, whose source is a table that the test changes; and such sources by themselves.
import { type Channel, openChannel } from "../../src/channel/channel.ts";
import type { TableEvent } from "../../src/channel/events.ts";
import type { FeedOptions } from "../../src/channel/options.ts";
import { CsvError } from "../../src/csv/error.ts";
import type { About, Publication, Status } from "../../src/feed/publication.ts";
import { type Hub, type HubOptions, openHub } from "../../src/hub/hub.ts";
import {
  type Part,
  type Shape,
  type Snapshot,
  snapshotOf,
  type Source,
  type SourceEvents,
} from "../../src/source/source.ts";
import { until } from "../support.ts";
import { oneTable } from "./one.ts";

export const TOKEN = "0123456789abcdef0123456789abcdef";

export const ACCESS: HubOptions["access"] = {
  token: TOKEN,
  tokenFor: "strangers",
  hosts: [],
  origins: ["https://dash.example"],
  proxies: [],
  scheme: "http",
};

export type Rows = string[][];
export type Splice = [start: number, deleted: number, rows: Rows];

export type TableOptions = {
  readonly rows?: Rows;
  readonly name?: string;
  /** Of the parts of a snapshot in rows. */
  readonly rowsPerPart?: number;
  /** In place of the snapshot that the table gives. */
  readonly snapshot?: (shape: Shape) => Promise<Snapshot<Shape>>;
};

/** A table of one column, `a`, as a source: the test says when it changes. Answers snapshots as a Worker would. */
export type ScriptedSource = {
  readonly location: string;
  readonly events: SourceEvents;
  readonly source: Source;
  /** The shapes of the snapshots that were taken. */
  readonly taken: readonly Shape[];
  /** How many snapshots were closed. */
  released(): number;
  isClosed(): boolean;
  rows(): Rows;
  publication(): Publication;
  /** Publishes what it has, as a first version. */
  begin(): void;
  /** Publishes other rows, to be taken anew. */
  replace(rows: Rows, isNewEpoch?: boolean, about?: Partial<About>): void;
  splice(...splices: Splice[]): void;
  append(...cells: string[]): void;
  /** Publishes a table whose frame is this text, whatever the rows are. */
  setFrame(text: string): void;
};

let epochs = 0;

export function openScripted(location: string, events: SourceEvents, options: TableOptions = {}): ScriptedSource {
  const { rowsPerPart = 1000, name = location } = options;
  const taken: Shape[] = [];
  const closed = Promise.withResolvers<never>();
  closed.promise.catch(() => {});
  let isClosed = false;
  let released = 0;
  let rows = options.rows ?? [];
  let cursor = { epoch: `e${++epochs}`, version: 0 };
  let frame: string | undefined;

  const aboutOf = (about: Partial<About>): About => ({
    name,
    dialect: "comma, UTF-8",
    warnings: [],
    changedAt: Date.now(),
    readMs: 1,
    bytes: JSON.stringify(rows).length,
    ...about,
  });
  const publicationOf = (splices?: string, about: Partial<About> = {}): Publication => ({
    cursor,
    columns: { count: 1, json: '["a"]' },
    rows: rows.length,
    splices,
    about: aboutOf(about),
  });

  function publish(splices?: string, isNewEpoch = false, about: Partial<About> = {}): void {
    cursor = isNewEpoch ? { epoch: `e${++epochs}`, version: 1 } : { ...cursor, version: cursor.version + 1 };
    events.onPublication(publicationOf(splices, about));
  }

  function textsOf(shape: Shape): { at: number; text: string }[] {
    const objects = rows.map(([a]) => JSON.stringify({ a }));
    if (shape === "frame") return [{ at: 0, text: frame ?? `[${objects.join(",")}]` }];
    if (shape === "json") return [{ at: 0, text: `[${objects.join(",")}]` }];
    if (shape === "ndjson") return [{ at: 0, text: objects.map((object) => `${object}\n`).join("") }];
    if (shape === "csv") return [{ at: 0, text: `a\r\n${rows.map(([a]) => `${a}\r\n`).join("")}` }];
    const texts: { at: number; text: string }[] = [];
    for (let at = 0; at < Math.max(1, rows.length); at += rowsPerPart)
      texts.push({ at, text: JSON.stringify(rows.slice(at, at + rowsPerPart)) });
    return texts;
  }

  async function snapshot<S extends Shape>(shape: S, maxBytes = Infinity): Promise<Snapshot<S>> {
    taken.push(shape);
    if (options.snapshot) return Promise.race([options.snapshot(shape) as Promise<Snapshot<S>>, closed.promise]);
    const texts = textsOf(shape);
    const all = rows.length;
    return snapshotOf<S>({
      cursor,
      columns: { count: 1, json: '["a"]' },
      rows: all,
      async part(from) {
        if (isClosed) throw new CsvError("closed", "closed");
        const { at, text } = texts.find((part) => part.at === from)!;
        const bytes = Buffer.byteLength(text);
        if (bytes > maxBytes) throw new CsvError("too-large", "the table is larger than a message may be");
        const next = texts.find((part) => part.at > from)?.at ?? all;
        const isText = shape === "rows" || shape === "frame";
        return (isText ? { at, next, text, bytes } : { at, next, data: new Uint8Array(Buffer.from(text)) }) as Part<S>;
      },
      close: () => void released++,
    });
  }

  function close(): void {
    isClosed = true;
    closed.reject(new CsvError("closed", "closed"));
  }

  const splice = (...splices: Splice[]) => {
    for (const [start, deleted, inserted] of splices) rows.splice(start, deleted, ...inserted);
    publish(JSON.stringify(splices));
  };
  return {
    location,
    events,
    source: { snapshot, close },
    taken,
    /** How many snapshots were closed. */
    released: () => released,
    isClosed: () => isClosed,
    rows: () => rows,
    publication: publicationOf,
    begin: () => publish(),
    replace(next, isNewEpoch = false, about = {}) {
      rows = next;
      publish(undefined, isNewEpoch, about);
    },
    splice,
    append: (...cells) => splice([rows.length, 0, cells.map((cell) => [cell])]),
    setFrame(text) {
      frame = text;
      publish();
    },
  };
}

const FEEDS: FeedOptions = { maxFrameBytes: 32 << 20, maxHistory: 16 << 20, heartbeatMs: 5_000 };

export type TestChannel = AsyncDisposable & {
  readonly channel: Channel;
  readonly events: readonly TableEvent[];
  /** All that was opened, the newest last. */
  readonly sources: readonly ScriptedSource[];
  /** Opens a location, and gives its source and the outcome of that. */
  open(location: string, options?: TableOptions): { source: ScriptedSource; outcome: Promise<string> };
};

/** A channel with nobody around it: what it sends goes nowhere. */
export function openTestChannel(feeds: Partial<FeedOptions> = {}): TestChannel {
  const events: TableEvent[] = [];
  const sources: ScriptedSource[] = [];
  let options: TableOptions = {};
  const channel = openChannel({
    ...FEEDS,
    ...feeds,
    topic: "csv",
    openSource(location, sourceEvents) {
      const scripted = openScripted(location, sourceEvents, options);
      sources.push(scripted);
      return scripted.source;
    },
    backlog: { add() {}, settle() {}, waits: () => false },
    broadcast: () => 0,
    onEvent: (event) => void events.push(event),
  });
  return {
    channel,
    events,
    sources,
    open(location, next = {}) {
      options = next;
      const outcome = channel.open(location).then(
        () => "done",
        (error: unknown) => (error instanceof CsvError ? `${error.kind}: ${error.message}` : String(error)),
      );
      return { source: sources.at(-1)!, outcome };
    },
    [Symbol.asyncDispose]: async () => channel.close(),
  };
}

export type TestHub = AsyncDisposable &
  Omit<ScriptedSource, "source" | "events" | "location"> & {
    readonly hub: Hub;
    readonly channel: Channel;
    readonly port: number;
    /** Of the feeds, and of everything else. */
    readonly url: string;
    readonly http: string;
    /** How many clients there are of all kinds. */
    clients(): number;
    /** How many there were, after each that came or went. */
    readonly counts: readonly number[];
    /** Opens another location, and gives its source. */
    open(location: string, options?: TableOptions): ScriptedSource;
    setStatus(status: Status): void;
    /** Publishes a table with this frame; resolves when the feed has it, if somebody has had none: others get theirs at a tick. */
    show(text: string): Promise<void>;
    tick(): void;
    get(path: string, headers?: Record<string, string>, method?: string): Promise<Response>;
    close(graceMs: number): Promise<void>;
  };

export type TestHubOptions = Partial<HubOptions & FeedOptions & TableOptions>;

/** A hub on a free port of the loopback address, with a channel. The plain feed ticks when the test says so. */
export function openTestHub(over: TestHubOptions = {}): TestHub {
  const counts: number[] = [];
  const clients = () => Object.values(channel.clients()).reduce((sum, count) => sum + count, 0);
  const hub = openHub({
    hostname: "127.0.0.1",
    port: 0,
    access: ACCESS,
    intervalMs: 1e9,
    maxClients: 100,
    maxPerAddress: 10_000,
    maxBacklogBytes: 1 << 28,
    maxIncomingBytes: 4096,
    idleMs: 30_000,
    stallMs: 20_000,
    ...FEEDS,
    ...over,
    onEvent(event) {
      if (event.type !== "client-refused") counts.push(clients());
      over.onEvent?.(event);
    },
  });
  let table: ScriptedSource | undefined;
  let options: TableOptions = over;
  const channel = openChannel({
    ...FEEDS,
    ...over,
    topic: "csv",
    openSource(location, events) {
      table = openScripted(location, events, options);
      return table.source;
    },
    backlog: hub.backlog,
    broadcast: hub.broadcast,
    onEvent() {},
  });
  function open(location: string, next: TableOptions): ScriptedSource {
    options = next;
    void channel.open(location).catch(() => {});
    return table!;
  }

  const { source, events, location: _, ...methods } = open("a.csv", over);
  hub.serve(oneTable(channel), { address: () => undefined, counts: () => undefined });
  const http = `http://127.0.0.1:${hub.address.port}`;

  async function close(graceMs: number): Promise<void> {
    channel.close();
    await hub.close(graceMs);
  }

  return {
    ...methods,
    hub,
    channel,
    port: hub.address.port,
    url: `ws://127.0.0.1:${hub.address.port}/`,
    http,
    clients,
    counts,
    open: (location, next = {}) => open(location, next),
    setStatus: ({ message, ...status }) => events.onStatus({ ...status, message }),
    async show(text) {
      const isAwaited = [...channel.plain.clients].some(({ isServed }) => !isServed);
      methods.setFrame(text);
      const isShown = () => channel.plain.frame && "text" in channel.plain.frame && channel.plain.frame.text === text;
      if (isAwaited) await until("the frame", isShown);
    },
    tick: () => channel.tick(),
    get: (path, headers = {}, method = "GET") =>
      fetch(http + path, { headers: { "Accept-Encoding": "identity", ...headers }, method, decompress: false }),
    close,
    [Symbol.asyncDispose]: () => close(0),
  };
}
