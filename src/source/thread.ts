// Sources in a Worker, as the event loop of the server sees them: the same `Source`, by way of messages. A Worker that dies is started
// again, and its sources with it. No row ever comes this way.
import { CsvError } from "../csv/error.ts";
import type { Chunk, TextPart } from "../csv/parts.ts";
import { collectAfter } from "./garbage.ts";
import type { Cursor, Publication } from "../feed/publication.ts";
import {
  type LinkCounts,
  type ListedTables,
  type Part,
  type Problem,
  type Shape,
  type Snapshot,
  snapshotOf,
  type Source,
  type SourceEvents,
  type SourceSettings,
  type SourceStatus,
} from "./source.ts";

export type ThreadRequest =
  | {
      readonly type: "open";
      readonly source: number;
      readonly settings: SourceSettings;
      readonly resume: Cursor | undefined;
      /** Shared: how many publications were handled. */
      readonly handled: Int32Array;
    }
  | {
      readonly type: "snapshot";
      readonly source: number;
      readonly request: number;
      readonly shape: Shape;
      readonly maxBytes: number | undefined;
    }
  /** `call` tells the answers apart. */
  | { readonly type: "part"; readonly request: number; readonly call: number; readonly at: number }
  | { readonly type: "release"; readonly request: number }
  | { readonly type: "close"; readonly source: number };

/** A snapshot without its parts, which are asked for. */
type Head = Pick<Snapshot<Shape>, "cursor" | "columns" | "rows" | "first">;

export type ThreadReport =
  | { readonly type: "publication"; readonly source: number; readonly publication: Publication }
  | { readonly type: "status"; readonly source: number; readonly status: SourceStatus }
  | { readonly type: "progress"; readonly source: number; readonly read: number; readonly size: number }
  | { readonly type: "refused"; readonly source: number; readonly problem: Problem }
  | { readonly type: "link"; readonly source: number; readonly counts: LinkCounts }
  | { readonly type: "tables"; readonly source: number; readonly tables: ListedTables }
  | { readonly type: "snapshot"; readonly request: number; readonly head: Head }
  | { readonly type: "part"; readonly request: number; readonly call: number; readonly part: TextPart | Chunk }
  /** Without `call` there is no snapshot. */
  | {
      readonly type: "failed";
      readonly request: number;
      readonly call: number | undefined;
      readonly problem: Problem;
    };

export type Thread = {
  open(settings: SourceSettings, events: SourceEvents): Source;
  close(): void;
};

/** A Worker that dies is started again after this time. */
const RESTART_MS = 1_000;

type Opened = {
  readonly settings: SourceSettings;
  readonly events: SourceEvents;
  /** The last publication, of whichever Worker. */
  cursor: Cursor | undefined;
  handled: Int32Array;
};

const newCount = () => new Int32Array(new SharedArrayBuffer(4));

type Request = {
  readonly source: number;
  readonly shape: Shape;
  readonly maxBytes: number | undefined;
  /** Of the snapshot, and of its parts by call. */
  readonly head: PromiseWithResolvers<Head>;
  readonly calls: Map<number, PromiseWithResolvers<TextPart | Chunk>>;
  hasBegun: boolean;
  /** Why nobody gets anything more of it. */
  lost: CsvError | undefined;
};

/** `entry`: the file that calls `serveSources`. */
export function openThread(entry: URL | string): Thread {
  const sources = new Map<number, Opened>();
  const requests = new Map<number, Request>();
  let ids = 0;
  let restart: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;
  let worker = start();

  function start(): Worker {
    const started = new Worker(entry);
    started.onmessage = ({ data }: MessageEvent<ThreadReport>) => isClosed || started !== worker || receive(data);
    started.onerror = (event) => {
      event.preventDefault();
      fail(started, reasonIn(event.message));
    };
    started.addEventListener("close", () => fail(started, "it ended"));
    return started;
  }

  const post = (request: ThreadRequest) => worker.postMessage(request);

  function receive(report: ThreadReport): void {
    switch (report.type) {
      case "publication":
      case "status":
      case "progress":
      case "refused":
      case "link":
      case "tables":
        return pass(report, report.source, sources.get(report.source));
      case "snapshot":
        return begin(report.request, report.head);
      case "part":
        collectAfter("data" in report.part ? report.part.data.length : report.part.text.length);
        return takeCall(report.request, report.call)?.resolve(report.part);
      case "failed":
        if (report.call !== undefined) return takeCall(report.request, report.call)?.reject(errorOf(report.problem));
        return drop(report.request, errorOf(report.problem));
    }
  }

  function pass(report: Exclude<ThreadReport, { request: number }>, source: number, opened: Opened | undefined): void {
    if (!opened) return;
    const { events } = opened;
    switch (report.type) {
      case "publication":
        opened.cursor = report.publication.cursor;
        events.onPublication(report.publication);
        collectAfter(report.publication.splices?.length ?? 0);
        return void Atomics.add(opened.handled, 0, 1);
      case "status":
        return events.onStatus(report.status);
      case "progress":
        return events.onProgress(report.read, report.size);
      case "link":
        return events.onLink?.(report.counts);
      case "tables":
        return events.onTables?.(report.tables);
      case "refused":
        // What has been published goes on: the Worker, which is a new one then, goes on looking.
        if (opened.cursor) return events.onStatus({ state: "stale", problem: report.problem });
        closeSource(source);
        return events.onRefused(report.problem);
    }
  }

  function begin(request: number, head: Head): void {
    const found = requests.get(request);
    if (!found) return post({ type: "release", request });
    found.hasBegun = true;
    found.head.resolve(head);
  }

  function takeCall(request: number, call: number): PromiseWithResolvers<TextPart | Chunk> | undefined {
    const calls = requests.get(request)?.calls;
    const found = calls?.get(call);
    calls?.delete(call);
    return found;
  }

  /** Nobody gets anything more of it. */
  function drop(request: number, error: CsvError): void {
    const dropped = requests.get(request);
    requests.delete(request);
    if (dropped) dropped.lost = error;
    dropped?.head.reject(error);
    for (const call of dropped?.calls.values() ?? []) call.reject(error);
  }

  function fail(dead: Worker, why: string): void {
    if (isClosed || dead !== worker || restart) return;
    const problem: Problem = { kind: "io", reason: `the reader failed and is started again: ${why}` };
    for (const [id, { hasBegun }] of [...requests]) if (hasBegun) drop(id, errorOf(problem));
    for (const { events } of [...sources.values()]) events.onStatus({ state: "stale", problem });
    restart = setTimeout(() => {
      restart = undefined;
      worker.terminate();
      worker = start();
      for (const [source, opened] of sources) {
        opened.handled = newCount();
        post({ type: "open", source, settings: opened.settings, resume: opened.cursor, handled: opened.handled });
      }
      for (const [request, { source, shape, maxBytes }] of requests)
        post({ type: "snapshot", source, request, shape, maxBytes });
    }, RESTART_MS);
  }

  function open(settings: SourceSettings, events: SourceEvents): Source {
    const source = ++ids;
    const handled = newCount();
    sources.set(source, { settings, events, cursor: undefined, handled });
    post({ type: "open", source, settings, resume: undefined, handled });
    return { snapshot: (shape, maxBytes) => snapshot(source, shape, maxBytes), close: () => closeSource(source) };
  }

  async function snapshot<S extends Shape>(
    source: number,
    shape: S,
    maxBytes: number | undefined,
  ): Promise<Snapshot<S>> {
    if (!sources.has(source)) throw new CsvError("closed", "closed");
    const request = ++ids;
    const head = Promise.withResolvers<Head>();
    const asked: Request = { source, shape, maxBytes, head, calls: new Map(), hasBegun: false, lost: undefined };
    requests.set(request, asked);
    post({ type: "snapshot", source, request, shape, maxBytes });
    const close = () => {
      if (!requests.has(request)) return;
      drop(request, new CsvError("closed", "closed"));
      post({ type: "release", request });
    };
    return snapshotOf({ ...(await head.promise), part: (at) => part(request, asked, at) as Promise<Part<S>>, close });
  }

  function part(request: number, { calls, lost }: Request, at: number): Promise<TextPart | Chunk> {
    if (lost) return Promise.reject(lost);
    const call = ++ids;
    const answer = Promise.withResolvers<TextPart | Chunk>();
    calls.set(call, answer);
    post({ type: "part", request, call, at });
    return answer.promise;
  }

  function closeSource(source: number): void {
    if (!sources.delete(source)) return;
    post({ type: "close", source });
    for (const [id, request] of [...requests])
      if (request.source === source) {
        drop(id, new CsvError("closed", "closed"));
        post({ type: "release", request: id });
      }
  }

  return {
    open,
    close() {
      for (const source of [...sources.keys()]) closeSource(source);
      isClosed = true;
      clearTimeout(restart);
      worker.terminate();
    },
  };
}

/** Bun lists the source around an error before it names it. */
function reasonIn(message: string): string {
  return /^\w*error: (.*)$/im.exec(message)?.[1] ?? message.split("\n").find((line) => line.trim() !== "") ?? "";
}

const errorOf = ({ kind, reason, line }: Problem) => new CsvError(kind, reason, line);
