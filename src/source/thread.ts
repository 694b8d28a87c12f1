// Sources in a Worker, as the event loop of the server sees them: the same `Source`, by way of messages. A Worker that dies is started
// again, and its sources with it. No row ever comes this way.
import { CsvError } from "../csv/error.ts";
import type { Chunk, TextPart } from "../csv/parts.ts";
import type { Cursor, Publication } from "../feed/publication.ts";
import type {
  LinkCounts,
  Part,
  Problem,
  Shape,
  Snapshot,
  Source,
  SourceEvents,
  SourceSettings,
  SourceStatus,
} from "./source.ts";

export type ThreadRequest =
  | {
      readonly type: "open";
      readonly source: number;
      readonly settings: SourceSettings;
      readonly resume: Cursor | undefined;
    }
  | {
      readonly type: "snapshot";
      readonly source: number;
      readonly request: number;
      readonly shape: Shape;
      readonly maxBytes: number | undefined;
    }
  | { readonly type: "close"; readonly source: number };

/** A snapshot without its parts, which follow. */
type Head = Omit<Snapshot<Shape>, "parts">;

export type ThreadReport =
  | { readonly type: "publication"; readonly source: number; readonly publication: Publication }
  | { readonly type: "status"; readonly source: number; readonly status: SourceStatus }
  | { readonly type: "progress"; readonly source: number; readonly read: number; readonly size: number }
  | { readonly type: "refused"; readonly source: number; readonly problem: Problem }
  | { readonly type: "link"; readonly source: number; readonly counts: LinkCounts }
  | { readonly type: "snapshot"; readonly request: number; readonly head: Head }
  | { readonly type: "part"; readonly request: number; readonly part: TextPart | Chunk }
  | { readonly type: "end"; readonly request: number }
  | { readonly type: "failed"; readonly request: number; readonly problem: Problem };

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
};

type Request = {
  readonly source: number;
  readonly shape: Shape;
  readonly maxBytes: number | undefined;
  begin(head: Head): void;
  readonly stream: PartStream;
  hasBegun: boolean;
  fail(error: CsvError): void;
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
        return pass(report, report.source, sources.get(report.source));
      case "snapshot":
        return requests.get(report.request)?.begin(report.head);
      case "part":
        return requests.get(report.request)?.stream.push(report.part);
      case "end":
        requests.get(report.request)?.stream.end();
        return void requests.delete(report.request);
      case "failed":
        requests.get(report.request)?.fail(errorOf(report.problem));
        return void requests.delete(report.request);
    }
  }

  function pass(report: Exclude<ThreadReport, { request: number }>, source: number, opened: Opened | undefined): void {
    if (!opened) return;
    const { events } = opened;
    switch (report.type) {
      case "publication":
        opened.cursor = report.publication.cursor;
        return events.onPublication(report.publication);
      case "status":
        return events.onStatus(report.status);
      case "progress":
        return events.onProgress(report.read, report.size);
      case "link":
        return events.onLink?.(report.counts);
      case "refused":
        // What has been published goes on: the Worker, which is a new one then, goes on looking.
        if (opened.cursor) return events.onStatus({ state: "stale", problem: report.problem });
        closeSource(source);
        return events.onRefused(report.problem);
    }
  }

  function fail(dead: Worker, why: string): void {
    if (isClosed || dead !== worker || restart) return;
    const problem: Problem = { kind: "io", reason: `the reader failed and is started again: ${why}` };
    for (const [id, request] of requests) if (request.hasBegun && requests.delete(id)) request.fail(errorOf(problem));
    for (const { events } of [...sources.values()]) events.onStatus({ state: "stale", problem });
    restart = setTimeout(() => {
      restart = undefined;
      worker.terminate();
      worker = start();
      for (const [source, { settings, cursor }] of sources) post({ type: "open", source, settings, resume: cursor });
      for (const [request, { source, shape, maxBytes }] of requests)
        post({ type: "snapshot", source, request, shape, maxBytes });
    }, RESTART_MS);
  }

  function open(settings: SourceSettings, events: SourceEvents): Source {
    const source = ++ids;
    sources.set(source, { settings, events, cursor: undefined });
    post({ type: "open", source, settings, resume: undefined });
    return { snapshot: (shape, maxBytes) => snapshot(source, shape, maxBytes), close: () => closeSource(source) };
  }

  function snapshot<S extends Shape>(source: number, shape: S, maxBytes: number | undefined): Promise<Snapshot<S>> {
    if (!sources.has(source)) return Promise.reject(new CsvError("closed", "closed"));
    const { promise, resolve, reject } = Promise.withResolvers<Snapshot<S>>();
    const request = ++ids;
    const stream = openPartStream();
    requests.set(request, {
      source,
      shape,
      maxBytes,
      stream,
      hasBegun: false,
      begin(head) {
        this.hasBegun = true;
        resolve({ ...head, parts: stream.parts as AsyncIterable<Part<S>> });
      },
      fail(error) {
        reject(error);
        stream.fail(error);
      },
    });
    post({ type: "snapshot", source, request, shape, maxBytes });
    return promise;
  }

  function closeSource(source: number): void {
    if (!sources.delete(source)) return;
    post({ type: "close", source });
    for (const [id, request] of requests)
      if (request.source === source && requests.delete(id)) request.fail(new CsvError("closed", "closed"));
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

type PartStream = {
  readonly parts: AsyncIterable<TextPart | Chunk>;
  push(part: TextPart | Chunk): void;
  end(): void;
  fail(error: CsvError): void;
};

/** What has come waits until it is taken. */
function openPartStream(): PartStream {
  const waiting: (TextPart | Chunk)[] = [];
  let outcome: "open" | "ended" | CsvError = "open";
  let wake = () => {};

  async function* parts(): AsyncGenerator<TextPart | Chunk> {
    for (;;) {
      const part = waiting.shift();
      if (part) yield part;
      else if (outcome === "ended") return;
      else if (outcome !== "open") throw outcome;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }

  const settle = (next: typeof outcome) => {
    outcome = next;
    wake();
  };
  return {
    parts: parts(),
    push(part) {
      waiting.push(part);
      wake();
    },
    end: () => settle("ended"),
    fail: settle,
  };
}
