// A file as a source: looks at it when something may have happened to it, from time to time, and when the reader is due.
import { statSync } from "node:fs";
import { CsvError } from "../../csv/error.ts";
import { printable } from "../../feed/printable.ts";
import { fileName } from "../location.ts";
import { openPublishing } from "../publishing.ts";
import { openSchedule } from "../schedule.ts";
import { type Awaited, problemOf, type Source, type SourceEvents, type SourceSettings } from "../source.ts";
import { openReader } from "./reader.ts";
import { similarName } from "./similar.ts";
import { watchFolders } from "./watch.ts";

/**
 * Of events that come close together some are lost (most within 2 ms, a few within 6): so long behind each there is another look, and one
 * before that if what comes is close together.
 */
const ECHO_MS = 20;
const BUSY_ECHO_MS = 4;
/** A timer may be early by so much. */
const TIMER_MS = 1;
/** Changes that are closer together. */
const BUSY_MS = 50;

const NOT_YET = "no such file yet";

export function openFile(settings: SourceSettings, events: SourceEvents): Source {
  const path = settings.location;
  const now = () => performance.now();
  const publishing = openPublishing(settings, {
    name: fileName(path),
    now,
    onPublication: events.onPublication,
  });
  let isFirst = true;
  let lookedAt = 0;
  let changedAt = -Infinity;
  let isBusy = false;
  let awaited: Awaited | undefined;

  const reader = openReader(path, settings, {
    *onRevision(revision) {
      yield* publishing.publish(revision, isFirst ? modifiedAt(path) : Date.now(), lookedAt);
      isFirst = false;
      isBusy = lookedAt - changedAt < BUSY_MS;
      changedAt = lookedAt;
    },
    onState: (state, problem, pendingBytes) =>
      events.onStatus({ state, problem: problem && problemOf(problem), pendingBytes }),
    onRefused: refuse,
    onProgress: events.onProgress,
  });

  /** Once it is waited for, whatever keeps it from being a table may pass, as it may with one that was there. */
  function refuse(error: CsvError): void {
    const isAway = settings.waits === true && isNotThere(path);
    if (isAway) awaited ??= { similar: similarName(path) };
    if (!awaited) return events.onRefused(problemOf(isNotThere(path) ? missing(path, error) : error));
    const problem = isAway ? new CsvError("not-found", NOT_YET) : error;
    events.onStatus({ state: "waiting", problem: problemOf(problem), awaited: isAway ? awaited : undefined });
  }

  let hintedAt = -Infinity;

  const schedule = openSchedule(look, events.isBehind);

  /** Most looks are at files that nobody writes. */
  function look(at: number) {
    if (hintedAt > lookedAt || !reader.isAtRest()) return steps(at);
    return watch?.rearm(at) ? now() : nextOnGrid(now(), settings.lookMs);
  }

  function* steps(at: number) {
    lookedAt = at;
    yield* reader.steps(at);
    const echoes = isBusy ? [hintedAt + BUSY_ECHO_MS, hintedAt + ECHO_MS] : [hintedAt + ECHO_MS];
    const echoAt = echoes.find((time) => time > at + TIMER_MS);
    const isNewWatch = watch !== undefined && echoAt === undefined && watch.rearm(at);
    return Math.min(
      isNewWatch ? now() : nextOnGrid(now(), settings.lookMs),
      echoAt ?? Infinity,
      reader.dueAt() ?? Infinity,
    );
  }

  function hint(): void {
    hintedAt = now();
    schedule.hint();
  }

  const watch = settings.watches ? watchFolders(path, hint) : undefined;
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

/** The looks at all files that are quiet take place together: one waking for all of them. */
const nextOnGrid = (now: number, lookMs: number) => (Math.floor(now / lookMs) + 1) * lookMs;

/** With the name that may be meant. */
function missing(path: string, error: CsvError): CsvError {
  const similar = similarName(path);
  return similar === undefined
    ? error
    : new CsvError(error.kind, `${error.reason}; is ${printable(similar)} meant?`, error.line);
}

/** Whether there is nothing at a path, and no link either that leads in circles. */
function isNotThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

/** When a file was last written to, by its own account; a clock that is ahead makes nothing younger than now. */
function modifiedAt(path: string): number {
  return Math.min(Date.now(), statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity);
}
