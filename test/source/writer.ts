// A file as a source, in a Worker, for tests: what it has published, rebuilt from the splices as a client would.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CsvError } from "../../src/csv/error.ts";
import type { Splice } from "../../src/feed/protocol.ts";
import type { Cursor, Publication, State } from "../../src/feed/publication.ts";
import type { ReadOptions } from "../../src/csv/options.ts";
import { convertCsvToJson } from "../../src/source/convert.ts";
import { fileName } from "../../src/source/location.ts";
import type { Part, Problem, Shape, Snapshot, SourceEvents, SourceSettings } from "../../src/source/source.ts";
import { openThread, type Thread } from "../../src/source/thread.ts";

/** The entry file of the Worker, as the server uses it. */
export const WORKER = new URL("../../src/channel/sources.worker.ts", import.meta.url);

export const SETTLE_MS = 40;

/** Short waits; `changes` for what a test needs otherwise. */
export function settingsOf(location: string, changes: Partial<SourceSettings> = {}): SourceSettings {
  return {
    location,
    lastRows: Infinity,
    maxFileBytes: 2 ** 30,
    maxMemoryBytes: Infinity,
    maxCellBytes: 1 << 24,
    settleMs: SETTLE_MS,
    pollMs: 100,
    lookMs: 20,
    watches: true,
    silenceMs: 5_000,
    ...changes,
  };
}

/** For a source that nobody listens to. */
export const NO_EVENTS: SourceEvents = { onPublication() {}, onStatus() {}, onProgress() {}, onRefused() {} };

/** Brings the Worker down, as a defect of ours would: opens a location that is none, and forgets about it. */
export function crash(thread: Thread): void {
  thread.open(settingsOf(undefined as never), NO_EVENTS).close();
}

export type Taken<S extends Shape> = Pick<Snapshot<S>, "cursor" | "columns" | "rows"> & {
  readonly parts: readonly Part<S>[];
};

/** A snapshot with all its parts. */
export async function taken<S extends Shape>(snapshot: Snapshot<S> | Promise<Snapshot<S>>): Promise<Taken<S>> {
  const { cursor, columns, rows, parts } = await snapshot;
  return { cursor, columns, rows, parts: await Array.fromAsync(parts) };
}

export type Published = {
  readonly splices: string | undefined;
  readonly isNewEpoch: boolean;
  /** What a client holds after it. */
  readonly rows: string[][];
};

export type Followed = AsyncDisposable & {
  /** Rows as arrays of cells, rebuilt from every publication so far. */
  rows(): string[][];
  state(): State;
  /** Every state so far, in order. */
  states(): readonly string[];
  /** Brings the Worker down. */
  crash(): void;
  message(): string;
  publications(): readonly Published[];
  /** The JSON a plain client would get now. */
  json(): Promise<string | undefined>;
  /** Waits until `condition` holds; fails with what there is instead. */
  until(condition: () => boolean | Promise<boolean>, what: string): Promise<void>;
  /** Waits until what is published is what a fresh conversion of `path` gives. */
  converges(path: string, lastRows?: number): Promise<void>;
};

const ENCODINGS = ["utf-8", "utf-16le", "utf-16be", "windows-1252"];

/** Follows `path` with short waits; `changes` for what a test needs otherwise. */
export function follow(path: string, changes: Partial<SourceSettings> = {}): Followed {
  let state: State = "waiting";
  let message = "";
  let dialect = "";
  let epoch = "";
  let isClosed = false;
  const states: string[] = [];
  const copy = openCopy();
  let copied = Promise.resolve(); // publications, one after the other

  const thread = openThread(WORKER);
  const source = thread.open(settingsOf(path, changes), {
    onProgress() {},
    onRefused(problem) {
      state = "missing";
      message = messageOf(problem);
    },
    onStatus({ state: next, problem }) {
      states.push(next);
      state = next;
      message = problem ? messageOf(problem) : "";
    },
    onPublication(publication) {
      dialect = publication.about.dialect;
      const isNewEpoch = publication.cursor.epoch !== epoch;
      epoch = publication.cursor.epoch;
      copied = copied
        .then(() => copy.take(publication, isNewEpoch, () => source.snapshot("rows")))
        .catch((error: Error) => void (isClosed || (message = error.message)));
    },
  });

  const messageOf = ({ kind, reason, line }: Problem) => new CsvError(kind, reason, line, fileName(path)).message;

  /** What was found that a conversion might not find: the encoding, as what came first was in it, and the names of a header that went. */
  function verdict(names: readonly string[]): ReadOptions {
    const encoding = ENCODINGS.find((label) => dialect.toLowerCase().includes(label));
    const cut = dialect.includes("1 line skipped") && { skipLines: 1 }; // the end of a row
    return { ...(encoding && { encoding }), ...(dialect.includes("no header") && { noHeader: true, names, ...cut }) };
  }

  async function json(): Promise<string | undefined> {
    const { parts } = await taken(source.snapshot("frame", 2 ** 30));
    await copied;
    return parts[0]?.text;
  }

  async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
    const giveUp = performance.now() + 15_000;
    while (!(await condition())) {
      if (performance.now() > giveUp)
        throw new Error(`never ${what}: ${state} ${message} ${JSON.stringify(copy.rows()).slice(0, 300)}`);
      await Bun.sleep(2);
    }
  }

  return {
    rows: copy.rows,
    state: () => state,
    states: () => states,
    crash: () => crash(thread),
    message: () => message,
    publications: copy.published,
    json,
    until,
    async converges(target, lastRows = Infinity) {
      await until(async () => {
        const expected = await convertCsvToJson(target, verdict(copy.columns())).catch(() => undefined);
        if (expected === undefined) return false;
        const objects = JSON.parse(expected) as Record<string, string>[];
        const seen = lastRows === Infinity ? expected : JSON.stringify(objects.slice(-lastRows));
        return (await json()) === seen && JSON.stringify(copy.rows()) === cellsOf(seen);
      }, `what ${target} says`);
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      thread.close();
      await copied;
    },
  };
}

/** The rows that a client holds. */
function openCopy() {
  let rows: string[][] = [];
  let columns: string[] = [];
  let at: Cursor = { epoch: "", version: 0 };
  const published: Published[] = [];

  async function take(publication: Publication, isNewEpoch: boolean, snapshot: () => Promise<Snapshot<"rows">>) {
    const { cursor, splices } = publication;
    columns = JSON.parse(publication.columns.json) as string[];
    if (cursor.epoch !== at.epoch || cursor.version > at.version) {
      if (splices !== undefined && cursor.epoch === at.epoch) apply(publication, splices);
      else await takeAll(snapshot);
    }
    published.push({ splices, isNewEpoch, rows });
  }

  function apply(publication: Publication, splices: string): void {
    if (publication.cursor.version !== at.version + 1)
      throw new Error(`version ${publication.cursor.version} follows ${at.version}`);
    rows = [...rows];
    for (const [start, deleted, fresh] of JSON.parse(splices) as Splice[])
      rows.splice(start, deleted, ...fresh.map((row) => [...row]));
    at = publication.cursor;
    if (rows.length !== publication.rows)
      throw new Error(`splices lead to ${rows.length} rows instead of ${publication.rows}`);
  }

  /** It may be of a later publication, which is passed over when it comes. */
  async function takeAll(snapshot: () => Promise<Snapshot<"rows">>): Promise<void> {
    const { cursor, parts, rows: count } = await taken(snapshot());
    rows = parts.flatMap(({ text }) => JSON.parse(text) as string[][]);
    at = cursor;
    if (rows.length !== count) throw new Error(`a snapshot has ${rows.length} rows instead of ${count}`);
  }

  return { take, columns: () => columns, rows: () => rows, published: () => published };
}

function cellsOf(json: string): string {
  return JSON.stringify((JSON.parse(json) as Record<string, string>[]).map((row) => Object.values(row)));
}

/** A folder of its own that is gone afterwards. */
export function temporaryFolder(): Disposable & { path(name: string): string } {
  const folder = mkdtempSync(join(tmpdir(), "csvcast-test-"));
  return {
    path: (name) => join(folder, name),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
