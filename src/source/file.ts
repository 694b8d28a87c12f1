// The face of a live file: owns the Worker that reads it, and passes its reports on. No row ever comes this way.
import type { CsvErrorKind } from "../csv/error.ts";
import { show } from "./read.ts";
import type { FileState, ReaderSettings } from "./reader.ts";

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
};

/** What a person wants to know of a table; `version` grows by one with each change. */
export type TableFacts = {
  readonly version: number;
  readonly rows: number;
  readonly columns: number;
  /** `comma, UTF-8` */
  readonly dialect: string;
  readonly warnings: readonly string[];
};

/** A table as JSON text; without `text` it would have been longer than was asked for. */
export type TableJson = { readonly version: number; readonly text: string | undefined; readonly bytes: number };

export type FileRequest =
  { type: "open"; settings: FileSettings } | { type: "render"; maxBytes: number } | { type: "rest" };

export type FileReport =
  | { type: "progress"; read: number; size: number }
  | { type: "refused"; kind: CsvErrorKind; message: string }
  | { type: "table"; facts: TableFacts; isNewEpoch: boolean; splices: string | undefined }
  | { type: "state"; state: FileState; message: string; since: number }
  | ({ type: "json" } & TableJson);

export type FileEvents = {
  /** Bytes read so far, of about `size`. */
  onProgress(read: number, size: number): void;
  /** The file cannot be put on air at all; it is closed. */
  onRefused(kind: CsvErrorKind, message: string): void;
  /**
   * The first table, and each one that follows. `splices` is the change as JSON, `[[start, deleted, rows], …]` with rows as
   * arrays of cells; undefined if the whole table is new.
   */
  onTable(facts: TableFacts, splices: string | undefined, isNewEpoch: boolean): void;
  /** Whether the last good table is still what the file says; once for each change, `since` in ms since 1970. */
  onState(state: FileState, message: string, since: number): void;
  onJson(json: TableJson): void;
};

export type LiveFile = {
  readonly path: string;
  /** Asks for the current table as JSON of at most `maxBytes`; it comes through `onJson`. */
  render(maxBytes: number): void;
  /** Nobody listens: memory that is kept for the next rendering is given back. */
  rest(): void;
  close(): void;
};

/** A Worker that dies is started again after this time. */
const RESTART_MS = 1_000;

/** Reads `settings.path` and follows its changes until `close`. */
export function openFile(settings: FileSettings, events: FileEvents): LiveFile {
  let closed = false;
  let version = settings.version;
  let restart: ReturnType<typeof setTimeout> | undefined;
  let worker = start();

  function start(): Worker {
    // In an executable the name is relative to the common root of its entry points, src/.
    const url = Bun.isStandaloneExecutable ? "./source/file.worker.ts" : new URL("./file.worker.ts", import.meta.url);
    const started = new Worker(url);
    started.onmessage = ({ data }: MessageEvent<FileReport>) => closed || receive(data);
    started.onerror = (event) => {
      event.preventDefault();
      fail(started, event.message.split("\n").find((line) => line.trim() !== "") ?? "");
    };
    started.addEventListener("close", () => fail(started, "it ended"));
    started.postMessage({ type: "open", settings: { ...settings, version } } satisfies FileRequest);
    return started;
  }

  function receive(report: FileReport): void {
    switch (report.type) {
      case "progress":
        return events.onProgress(report.read, report.size);
      case "refused":
        close();
        return events.onRefused(report.kind, report.message);
      case "table":
        version = report.facts.version;
        return events.onTable(report.facts, report.splices, report.isNewEpoch);
      case "state":
        return events.onState(report.state, report.message, report.since);
      case "json":
        return events.onJson(report);
    }
  }

  function fail(dead: Worker, why: string): void {
    if (closed || dead !== worker || restart) return;
    const message = `${show(settings.path)}: the reader failed and is started again; the last good table stays on air: ${why}`;
    events.onState("stale", message, Date.now());
    restart = setTimeout(() => {
      restart = undefined;
      worker.terminate();
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
    rest: () => worker.postMessage({ type: "rest" } satisfies FileRequest),
    close,
  };
}
