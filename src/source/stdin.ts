// Standard input as a source, until its end.
import { read } from "node:fs";
import { STDIN_NAME } from "./location.ts";
import { openPublishing } from "./publishing.ts";
import { openSchedule } from "./schedule.ts";
import { problemOf, type Source, type SourceEvents, type SourceSettings } from "./source.ts";
import { openStreamReader } from "./stream.ts";

const CHUNK_BYTES = 1 << 18;
const RETRY_MS = 20;

export function openStdin(settings: SourceSettings, events: SourceEvents): Source {
  const now = () => performance.now();
  const publishing = openPublishing({
    name: STDIN_NAME,
    types: settings.types,
    maxMemoryBytes: settings.maxMemoryBytes,
    now,
    onPublication: events.onPublication,
  });
  let lookedAt = 0;
  let isClosed = false;

  const reader = openStreamReader(
    settings,
    {
      onRevision: (revision) => publishing.publish(revision, Date.now(), lookedAt),
      onState: (state, problem, pendingBytes) =>
        events.onStatus({ state, problem: problem && problemOf(problem), pendingBytes }),
      onRefused: (problem) => events.onRefused(problemOf(problem)),
    },
    now,
  );

  const schedule = openSchedule((at) => {
    lookedAt = at;
    if (reader.look(at)) next();
    return reader.dueAt();
  });

  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  function next(): void {
    read(0, chunk, 0, CHUNK_BYTES, null, (error, length) => {
      if (isClosed) return;
      if (error?.code === "EAGAIN") return void setTimeout(next, RETRY_MS);
      if (error || length === 0) reader.end();
      else if (reader.add(new Uint8Array(chunk.subarray(0, length)))) next();
      schedule.hint();
    });
  }

  next();
  return {
    snapshot: publishing.snapshot,
    close() {
      isClosed = true;
      schedule.close();
      publishing.close();
    },
  };
}
