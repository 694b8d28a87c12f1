// A stream of bytes as a source: takes what an input gives, in its own time, and as much as there is room for.
import { atOnce } from "../values/steps.ts";
import type { CsvError } from "../csv/error.ts";
import { openPublishing } from "./publishing.ts";
import { openSchedule } from "./schedule.ts";
import { problemOf, type Source, type SourceEvents, type SourceSettings, type SourceStatus } from "./source.ts";
import { openStreamReader } from "./stream.ts";

/** `pause`: who wrote is done, and another one may come; `end`: nothing more comes. */
export type Came = { readonly bytes: Uint8Array } | "pause" | "end";

export type Input = {
  /** Calls `done` once, when there is something. `chunk` is room for it. */
  next(chunk: Buffer, done: (came: Came) => void): void;
  close(): void;
};

export type InputEvents = {
  /** What keeps the input from being read; undefined when that is over. */
  onStatus(status: SourceStatus | undefined): void;
};

const CHUNK_BYTES = 1 << 18;

export type InputOptions = {
  readonly name: string;
  /** It has no end: what is no table may be followed by one. */
  readonly isForEver: boolean;
};

export function openInput(
  { name, isForEver }: InputOptions,
  settings: SourceSettings,
  events: SourceEvents,
  open: (events: InputEvents) => Input,
): Source {
  const now = () => performance.now();
  const publishing = openPublishing(settings, {
    name,
    now,
    onPublication: events.onPublication,
  });
  let lookedAt = 0;
  let isClosed = false;
  let hasTable = false;
  let ofInput: SourceStatus | undefined;
  let ofTable: SourceStatus | undefined;

  const reader = openStreamReader(
    settings,
    {
      onRevision(revision) {
        hasTable = true;
        atOnce(publishing.publish(revision, Date.now(), lookedAt));
      },
      onState(state, problem, pendingBytes) {
        ofTable = { state, problem: problem && problemOf(problem), pendingBytes };
        if (!ofInput) events.onStatus(ofTable);
      },
      onRefused: refuse,
    },
    now,
  );

  /** Where others may write it is not the end. */
  function refuse(error: CsvError): void {
    const problem = problemOf(error);
    if (!isForEver) return events.onRefused(problem);
    ofTable = { state: hasTable ? "stale" : "waiting", problem };
    events.onStatus(ofTable);
  }

  const schedule = openSchedule((at) => {
    lookedAt = at;
    if (reader.look(at)) next();
    return reader.dueAt();
  }, events.isBehind);

  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  function next(): void {
    input.next(chunk, (came) => {
      if (isClosed) return;
      if (came === "end") reader.end();
      else if (came === "pause") {
        reader.pause();
        next();
      } else if (reader.add(new Uint8Array(came.bytes))) next();
      schedule.hint();
    });
  }

  const input = open({
    onStatus(status) {
      ofInput = status;
      const shown = status ?? ofTable;
      if (shown) events.onStatus(shown);
    },
  });
  next();
  return {
    snapshot: publishing.snapshot,
    close() {
      isClosed = true;
      schedule.close();
      input.close();
      publishing.close();
    },
  };
}
