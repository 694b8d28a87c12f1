// A file as a source: looks at it when something may have happened to it, from time to time, and when the reader is due.
import { statSync } from "node:fs";
import { fileName } from "../location.ts";
import { openPublishing } from "../publishing.ts";
import { openSchedule } from "../schedule.ts";
import { problemOf, type Source, type SourceEvents, type SourceSettings } from "../source.ts";
import { openReader } from "./reader.ts";
import { watchFolders } from "./watch.ts";

export function openFile(settings: SourceSettings, events: SourceEvents): Source {
  const path = settings.location;
  const now = () => performance.now();
  const publishing = openPublishing({
    name: fileName(path),
    types: settings.types,
    maxMemoryBytes: settings.maxMemoryBytes,
    now,
    onPublication: events.onPublication,
  });
  let isFirst = true;
  let lookedAt = 0;

  const reader = openReader(path, settings, {
    onRevision(revision) {
      publishing.publish(revision, isFirst ? modifiedAt(path) : Date.now(), lookedAt);
      isFirst = false;
    },
    onState: (state, problem, pendingBytes) =>
      events.onStatus({ state, problem: problem && problemOf(problem), pendingBytes }),
    onRefused: (problem) => events.onRefused(problemOf(problem)),
    onProgress: events.onProgress,
  });

  const schedule = openSchedule(function* (at) {
    watch?.rearm();
    lookedAt = at;
    yield* reader.steps(at);
    return Math.min(now() + settings.lookMs, reader.dueAt() ?? Infinity);
  });
  const watch = settings.watches ? watchFolders(path, schedule.hint) : undefined;
  schedule.hint();

  return {
    snapshot: publishing.snapshot,
    close() {
      schedule.close();
      watch?.close();
      reader.close();
      publishing.close();
    },
  };
}

/** When a file was last written to, by its own account; a clock that is ahead makes nothing younger than now. */
function modifiedAt(path: string): number {
  return Math.min(Date.now(), statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity);
}
