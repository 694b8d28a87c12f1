// The face of a live file: owns the Worker that reads it, and passes its reports on. No row ever comes this way.
import type { CsvErrorKind } from "../csv/error.ts";
import type { Part, RenderedParts, Shape } from "../csv/parts.ts";
import { show } from "./read.ts";
import type { Cursor } from "../feed/protocol.ts";
import type { ReplicaFigures } from "./relay/replica.ts";
import type { FileState, ReaderSettings } from "./reader.ts";

export type { Shape } from "../csv/parts.ts";
export type { FileState } from "./reader.ts";

/** The path that stands for standard input. */
export const STDIN = "-";

export type FileSettings = ReaderSettings & {
  /** Milliseconds between two looks at the file. */
  readonly lookMs: number;
  /** Whether to use file events; without them a change is seen at the next look. */
  readonly watches: boolean;
  /** The version that the first table follows. */
  readonly version: number;
  /** A relay: without a heartbeat of its publisher for so long the table counts as stale. */
  readonly limitMs: number;
  /** A relay: where an earlier Worker came to. */
  readonly floor: Cursor | undefined;
};

/** What a person wants to know of a table. */
export type TableFacts = {
  /** Grows by one with each change; that of the publisher, together with its epoch and the name of its file, of a relay. */
  readonly version: number;
  readonly epoch?: string | undefined;
  readonly file?: string | undefined;
  readonly rows: number;
  readonly columns: number;
  /** Length of the CSV text that is held, header included, in UTF-8. */
  readonly bytes: number;
  /** `comma, UTF-8` */
  readonly dialect: string;
  readonly warnings: readonly string[];
  /** From the look that found the change to having it as a table. */
  readonly readMs: number;
};

/** How a table differs from the one before it. */
export type TableChange = {
  /** Nothing of the tables before may be related to this one: other columns, another file, another Worker. */
  readonly isNewEpoch: boolean;
  /** `[[start, deleted, rows], …]` as JSON, rows as arrays of cells; undefined if the whole table is to be taken anew. */
  readonly splices: string | undefined;
  /** The column names as a JSON array; there whenever `splices` is not. */
  readonly columnsJson: string | undefined;
  /** Of the first table of a file: when that was last written to, by its own account; ms since 1970. */
  readonly modifiedAt?: number | undefined;
};

/** How long ago a table has changed, when it comes; `now` in ms since 1970. A clock that is ahead makes nothing younger than now. */
export const ageOf = ({ modifiedAt }: TableChange, now: number) => Math.max(0, now - (modifiedAt ?? now));

/** Of which table it is: `epoch` as in its facts. */
type Origin = Pick<TableFacts, "version" | "epoch">;

/** A whole table in pieces of bounded size. */
export type Rendering = RenderedParts & Origin & { readonly shape: Shape };

/** A table as JSON text; without `text` it would have been longer than was asked for. */
export type TableJson = Origin & { readonly text: string | undefined; readonly bytes: number };

export type FileRequest =
  | { type: "open"; settings: FileSettings }
  | { type: "render"; maxBytes: number }
  | { type: "parts"; shape: Shape }
  | { type: "rest" };

export type FileReport =
  | { type: "progress"; read: number; size: number }
  | { type: "refused"; kind: CsvErrorKind; message: string }
  | { type: "table"; facts: TableFacts; change: TableChange }
  | { type: "state"; state: FileState; message: string; since: number }
  | { type: "replica"; figures: ReplicaFigures }
  | ({ type: "json" } & TableJson)
  | { type: "part"; part: Part }
  | { type: "rendering"; rendering: Rendering } // without its parts, which came before
  | { type: "unrenderable"; shape: Shape; message: string };

export type FileEvents = {
  /** Bytes read so far, of about `size`. */
  onProgress(read: number, size: number): void;
  /** The file cannot be put on air at all; it is closed. */
  onRefused(kind: CsvErrorKind, message: string): void;
  /** The first table, and each one that follows. */
  onTable(facts: TableFacts, change: TableChange): void;
  /** Whether the last good table is still what the file says; once for each change, `since` in ms since 1970. */
  onState(state: FileState, message: string, since: number): void;
  /** A relay: how it goes with it. */
  onReplica?(figures: ReplicaFigures): void;
  onJson(json: TableJson): void;
  /** Of the version that `onTable` told last. */
  onRendering(rendering: Rendering): void;
  /** The table takes more room in this shape than there is. */
  onUnrenderable(shape: Shape, message: string): void;
};

export type LiveFile = {
  readonly path: string;
  /** Asks for the current table as JSON of at most `maxBytes`; it comes through `onJson`. */
  render(maxBytes: number): void;
  /**
   * Asks for the current table in pieces, or the first there will be; it comes through `onRendering`, also if the Worker dies.
   * Asking again for a shape that has not come yet asks for nothing more.
   */
  renderParts(shape: Shape): void;
  /** Nobody listens: memory that is kept for the next rendering is given back. */
  rest(): void;
  close(): void;
};

/** A Worker that dies is started again after this time. */
const RESTART_MS = 1_000;

/** Reads `settings.path` and follows its changes until `close`. */
export function openFile(settings: Omit<FileSettings, "floor">, events: FileEvents): LiveFile {
  let closed = false;
  let { version } = settings;
  let floor: Cursor | undefined;
  let restart: ReturnType<typeof setTimeout> | undefined;
  let hasTable = false; // this Worker
  let isOnAir = false; // some Worker had one
  let refusal = "";
  const asked = new Set<Shape>();
  let parts: Part[] = []; // of the rendering that is coming
  let worker = start();

  function start(): Worker {
    // In an executable the name is relative to the common root of its entry points, src/.
    const url = Bun.isStandaloneExecutable ? "./source/file.worker.ts" : new URL("./file.worker.ts", import.meta.url);
    const started = new Worker(url);
    started.onmessage = ({ data }: MessageEvent<FileReport>) => closed || started !== worker || receive(data);
    started.onerror = (event) => {
      event.preventDefault();
      fail(started, event.message.split("\n").find((line) => line.trim() !== "") ?? "");
    };
    started.addEventListener("close", () => fail(started, "it ended"));
    started.postMessage({ type: "open", settings: { ...settings, version, floor } } satisfies FileRequest);
    return started;
  }

  function receive(report: FileReport): void {
    switch (report.type) {
      case "progress":
        return events.onProgress(report.read, report.size);
      case "refused":
        return refuse(report.kind, report.message);
      case "table":
        return take(report.facts, report.change);
      case "state":
        return events.onState(report.state, report.message, report.since);
      case "replica":
        return events.onReplica?.(report.figures);
      case "json":
        return events.onJson(report);
      case "part":
        return void parts.push(report.part);
      case "rendering":
        asked.delete(report.rendering.shape);
        return events.onRendering({ ...report.rendering, parts: takeParts() });
      case "unrenderable":
        asked.delete(report.shape);
        parts = [];
        return events.onUnrenderable(report.shape, `${show(settings.path)}: ${report.message}`);
    }
  }

  function takeParts(): typeof parts {
    const taken = parts;
    parts = [];
    return taken;
  }

  function take(facts: TableFacts, change: TableChange): void {
    const isFirst = !hasTable;
    hasTable = isOnAir = true;
    refusal = "";
    version = facts.version;
    if (facts.epoch !== undefined) floor = { epoch: facts.epoch, version };
    if (isFirst) {
      parts = [];
      asked.forEach(askForParts);
    }
    events.onTable(facts, { ...change, isNewEpoch: isFirst || change.isNewEpoch });
  }

  /** Of a file that was on air the Worker is a new one: it goes on looking, and says so at each look. */
  function refuse(kind: CsvErrorKind, message: string): void {
    if (!isOnAir) {
      close();
      return events.onRefused(kind, message);
    }
    if (message === refusal) return;
    refusal = message;
    events.onState("stale", `${message}; the last good table stays on air`, Date.now());
  }

  const askForParts = (shape: Shape) => worker.postMessage({ type: "parts", shape } satisfies FileRequest);

  function fail(dead: Worker, why: string): void {
    if (closed || dead !== worker || restart) return;
    const message = `${show(settings.path)}: the reader failed and is started again; the last good table stays on air: ${why}`;
    events.onState("stale", message, Date.now());
    restart = setTimeout(() => {
      restart = undefined;
      worker.terminate();
      hasTable = false;
      worker = start();
    }, RESTART_MS);
  }

  function close(): void {
    closed = true;
    clearTimeout(restart);
    worker.terminate();
  }

  return {
    path: settings.path,
    render: (maxBytes) => worker.postMessage({ type: "render", maxBytes } satisfies FileRequest),
    renderParts(shape) {
      if (hasTable && !asked.has(shape)) askForParts(shape);
      asked.add(shape);
    },
    rest: () => worker.postMessage({ type: "rest" } satisfies FileRequest),
    close,
  };
}
