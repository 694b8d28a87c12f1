// A finished file as a source, row by row, as if it were written now: what the file was when its replay began, and at each new beginning
// what it is then. Cells are never changed.
import { atOnce } from "../../values/steps.ts";
import { CsvError } from "../../csv/error.ts";
import { oversize } from "../held.ts";
import { fileName } from "../location.ts";
import { openPublishing } from "../publishing.ts";
import { openSchedule } from "../schedule.ts";
import { problemOf, type Source, type SourceEvents, type SourceSettings } from "../source.ts";
import { rowClock } from "./clock.ts";
import { openPace, type Pace } from "./pace.ts";
import { openPlayed, type Played } from "./played.ts";
import { type FileRows, openFileRows, type Row } from "./rows.ts";
import { isPath, type ReplaySpeed, speedText } from "./speed.ts";

export type ReplaySettings = SourceSettings & { readonly replay: ReplaySpeed };

/** Between the last row and the first one of the next round. */
const LOOP_PAUSE_MS = 1_000;
/** More is published in pieces: up to here what comes is always a change, and no table to be taken anew. */
const PUBLISHED_BYTES = 1 << 16;
/** A timer that is set for longer than 2^31 ms is due at once: gaps in a file may be. */
const MAX_WAIT_MS = 3_600_000;

/** One round of a replay. */
type Round = {
  readonly rows: FileRows;
  readonly played: Played;
  readonly pace: Pace;
  readonly startedAt: number;
  /** The row that comes next, and when; undefined if there are no more. */
  next: { readonly row: Row; readonly dueAt: number } | undefined;
};

/** `settings.location`: a path. `now`: the clock of the schedule, in ms. */
export function openReplay(settings: ReplaySettings, events: SourceEvents): Source {
  const { location: path, replay: speed, replayBy, loops, waits, lookMs } = settings;
  const now = () => performance.now();
  const publishing = openPublishing(settings, {
    name: fileName(path),
    now,
    oddities: () => round?.pace.oddities() ?? [],
    onPublication: events.onPublication,
  });
  let round: Round | undefined;
  let hasPublished = false;
  let isOver = false;

  function* look(): Generator<void, number | undefined> {
    if (isOver) return undefined;
    try {
      round ??= begin();
      return yield* play(round);
    } catch (error) {
      return fail(error);
    }
  }

  function begin(): Round {
    if (!isPath(path)) throw new CsvError("options", `--replay ${speedText(speed)} plays files, and nothing else`);
    const rows = openFileRows(path, settings);
    try {
      const { document, head, verdicts } = rows;
      const isEmpty = document.dialect.columns.length === 0;
      const byTimes = "times" in speed && !isEmpty;
      const clock = byTimes ? rowClock(document.dialect.columns, verdicts, replayBy) : () => Number.NaN;
      const begun = {
        rows,
        played: openPlayed(document, head, settings),
        pace: openPace(speed, clock),
        startedAt: now(),
      };
      return { ...begun, next: nextOf(begun) };
    } catch (error) {
      rows.close();
      throw error;
    }
  }

  function nextOf({ rows, pace, startedAt }: Omit<Round, "next">): Round["next"] {
    const row = rows.next();
    return row && { row, dueAt: startedAt + pace.next(row.cells) };
  }

  /** Publishes what is due; when to look again. */
  function* play(playing: Round): Generator<void, number | undefined> {
    for (;;) {
      const at = now();
      const due: Uint8Array[] = [];
      let bytes = 0;
      for (; playing.next && playing.next.dueAt <= at && bytes < PUBLISHED_BYTES; playing.next = nextOf(playing)) {
        due.push(playing.next.row.text);
        bytes += playing.next.row.text.length;
      }
      if (bytes > 0) playing.played.append(Buffer.concat(due));
      publish(playing, at);
      if (!playing.next) return end(playing);
      if (playing.next.dueAt > now()) return Math.min(playing.next.dueAt, now() + MAX_WAIT_MS);
      yield;
    }
  }

  function publish({ played, next }: Round, noticedAt: number): void {
    const row = played.oversizeRow();
    if (row !== undefined) throw oversize(row, settings.maxCellBytes);
    const revision = played.publish();
    if (!revision) return;
    atOnce(publishing.publish(revision, Date.now(), noticedAt));
    hasPublished = true;
    if (next || loops) events.onStatus({ state: "live", replay: { speed: speedText(speed), isFinished: false } });
  }

  function end({ rows }: Round): number | undefined {
    const trouble = rows.trouble();
    rows.close();
    round = undefined;
    if (loops) return now() + LOOP_PAUSE_MS;
    isOver = true;
    const state = trouble ? "invalid" : "live";
    const replay = { speed: speedText(speed), isFinished: true };
    events.onStatus({ state, problem: trouble && problemOf(trouble), replay });
    return undefined;
  }

  /** A file that cannot be played may be there later: before the first round, if it is waited for, and before another one. */
  function fail(error: unknown): number | undefined {
    const problem = problemOf(error);
    round?.rows.close();
    round = undefined;
    const isMissing = problem.kind === "not-found";
    if (!hasPublished) {
      if (!waits || !isMissing) return void events.onRefused(problem);
      events.onStatus({ state: "waiting", problem: { kind: "not-found", reason: "no such file yet" }, awaited: {} });
      return now() + lookMs;
    }
    const replay = { speed: speedText(speed), isFinished: !loops };
    events.onStatus({ state: isMissing ? "missing" : "stale", problem, replay });
    isOver = !loops;
    return loops ? now() + LOOP_PAUSE_MS : undefined;
  }

  const schedule = openSchedule(look);
  schedule.hint();
  return {
    snapshot: publishing.snapshot,
    close() {
      schedule.close();
      round?.rows.close();
      publishing.close();
    },
  };
}
