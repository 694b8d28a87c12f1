// Follows one file that somebody else writes: what happened since the last look, and when it is safe to show.
// Appended rows are read at once; every other change waits until what is there is whole, so that nobody sees half of it.
import { atOnce } from "../../values/steps.ts";
import { fstatSync } from "node:fs";
import { CsvError, type CsvErrorKind } from "../../csv/error.ts";
import type { State } from "../../feed/publication.ts";
import { type Held, type HeldOptions, openHeld, oversize, type Revision } from "../held.ts";
import { openTailRule } from "../tail.ts";
import { openContents } from "./contents.ts";
import { type Generation, isLinked, isWhole, openGenerations } from "./generations.ts";
import { asCsvError, type BigStat, tooLarge } from "./read.ts";
import { openVerification, VERIFY_MS } from "./verification.ts";

export type ReaderSettings = HeldOptions & {
  readonly maxFileBytes: number;
  /** Milliseconds without a change after which a writer counts as done for now. */
  readonly settleMs: number;
};

export type ReaderEvents = {
  /** In steps. */
  onRevision(revision: Revision): Generator<void>;
  /** `pendingBytes`: what has been held back for a while, as it is no whole row. */
  onState(state: State, problem?: CsvError, pendingBytes?: number): void;
  /** There is no table yet, and this is why. */
  onRefused(problem: CsvError): void;
  onProgress(read: number, size: number): void;
};

export type Reader = {
  /** Looks at the file. `now` is a monotonic clock in milliseconds. */
  look(now: number): void;
  /** The same in steps: between two of them others may have their turn, but for another look. */
  steps(now: number): Generator<void>;
  /** Whether a look would find nothing: nothing is due, and the file is as it was at the last one. Costs as much as one `stat`. */
  isAtRest(): boolean;
  /** When to look again even if nothing seems to happen; undefined if there is no reason. */
  dueAt(): number | undefined;
  close(): void;
};

/** For so long a table may be older than its file without a word. */
const UPDATING_MS = 1_000;

/** The clock of a file system that tells fractions of a second is finer than this; the others tell whole seconds, or every other one. */
const FINE_CLOCK_MS = 100;
const isFine = ({ mtimeNs }: BigStat) => mtimeNs % 1_000_000_000n !== 0n;

/** What is appended changes the time of a file a moment before its size: for so long that is no other change. */
const TOUCH_MS = 20;

/** A change that is larger is published in pieces. */
const PUBLISHED_BYTES = 4 << 20;
const WRONG_CONTENT: ReadonlySet<CsvErrorKind> = new Set(["not-csv", "too-large", "unclosed-quote", "not-a-file"]);

const STATES: Partial<Record<CsvErrorKind, State>> = {
  "not-found": "missing",
  "not-csv": "invalid",
  "unclosed-quote": "invalid",
};

/**
 * Since when, by the clock of `look`, and of how many bytes the file was at first; `isTouch`: so far only its time has changed;
 * `isHidden`: nothing but its bytes has.
 */
type Rewrite = {
  readonly since: number;
  readonly bytes: number;
  readonly isTouch?: boolean;
  readonly isHidden?: boolean;
};
const rewriteOf = ({ stat }: Generation, since: number): Rewrite => ({ since, bytes: Number(stat.size) });

/** `clock`: ms since 1970, as the file system counts. */
export function openReader(
  path: string,
  settings: ReaderSettings,
  events: ReaderEvents,
  clock: () => number = Date.now,
): Reader {
  const held: Held = openHeld(settings);
  const tailRule = openTailRule(settings.settleMs);
  const contents = openContents(held, settings.maxFileBytes);
  const generations = openGenerations(path);
  const verification = openVerification();
  let lookedAt = -Infinity;
  let changedAt = -Infinity;
  let rewrite: Rewrite | undefined; // what is at the path is not what is held, nor goes on from it
  let isRewriting = false; // what is held may be half of what a writer is about to write
  let isSettled = true;
  let mustRetry = false;
  let hasPublished = false;
  let trouble: CsvError | undefined; // which there is although the table may be as it was
  const reports = openReports(events);
  let absentSince: number | undefined;
  let isResting = false; // nothing was due at the end of the last look

  function* steps(now: number): Generator<void> {
    lookedAt = now;
    isResting = false;
    try {
      const { found, isNew, isChanged } = generations.look(now);
      absentSince = undefined;
      const isHeld = found === generations.taken() && rewrite === undefined && !trouble;
      if (isNew) yield* arrived(found, now);
      else if (isChanged || mustRetry || (isHeld && contents.isWrittenOver(found.fd))) yield* noticed(found, now);
      else if (trouble?.kind === "not-a-file") {
        // What was there for a while is gone.
        trouble = undefined;
        yield* publish(now);
      }
      const isVerified = rewrite !== undefined || (verification.dueAt() ?? Infinity) > now;
      if (!isVerified && !verification.step(found.fd, contents.prints(), now))
        rewrite = { ...rewriteOf(found, now), isHidden: true };
      if (isDue(now)) yield* settle(found, now);
      else if (tailRule.isDue(held.tail(), columns(), now)) yield* publish(now);
      else reportState(now);
    } catch (error) {
      const problem = asCsvError(error);
      if (problem.kind === "not-found" && generations.taken()) yield* absent(problem, now);
      else refuse(problem);
    }
  }

  /** Another file is at the path than before. */
  function* arrived(found: Generation, now: number): Generator<void> {
    const passed = generations.passed();
    const taken = generations.taken();
    const isPassedWhole = hasPublished && passed && passed !== taken && generations.areWhole() && isWhole(passed);
    if (isPassedWhole) yield* ofThePast(reload(passed, now));
    else if (taken) yield* ofThePast(readOn(taken, now));
    yield* noticed(found, now);
  }

  function* noticed(found: Generation, now: number): Generator<void> {
    changedAt = now;
    isSettled = mustRetry = false;
    if (!hasPublished) {
      // A file that was written some time ago is done; the clock of the file system decides only about a moment's wait.
      if (clock() - Number(found.stat.mtimeMs) >= settings.settleMs) changedAt = now - settings.settleMs;
      rewrite = rewriteOf(found, now);
      return yield* reload(found, now);
    }
    const isAsHeld = rewrite === undefined || (rewrite.isTouch && now - rewrite.since <= TOUCH_MS);
    const goesOn = found === generations.taken() && isAsHeld && (yield* readOn(found, now));
    if (goesOn) rewrite = undefined;
    else rewrite ??= { ...rewriteOf(found, now), isTouch: Number(found.stat.size) === held.covered() };
  }

  /** Takes what was appended to the file that is held. False if anything else happened to it. */
  function* readOn(taken: Generation, now: number): Generator<void, boolean> {
    // What has come since it was looked at is read as well, and no news at the next look.
    taken.stat = fstatSync(taken.fd, { bigint: true });
    const size = Number(taken.stat.size);
    const isLonger = size > held.covered() && contents.isAsBefore(taken.fd);
    if (isLonger && size > settings.maxFileBytes) throw tooLarge(settings.maxFileBytes);
    if (!isLonger && !contents.replaceLastRow(taken.fd, size)) return false;
    verification.expect(now);
    let published = held.covered();
    const isTaken = yield* contents.append(taken.fd, size, (text) => {
      tailRule.appended(text, size, now);
      // What comes at once is published in pieces, so that no text of all of it is made.
      if (held.covered() - published < PUBLISHED_BYTES) return;
      atOnce(publish(now));
      published = held.covered();
    });
    if (!isTaken) return false;
    trouble = undefined;
    yield* publish(now);
    return true;
  }

  const isQuiet = (now: number) => now - changedAt >= settings.settleMs;
  const columns = () => held.table()?.columns.length ?? 0;
  const isDue = (now: number) =>
    rewrite === undefined
      ? isQuiet(now) && !isSettled
      : generations.dueAt(changedAt, rewrite.since, settings.settleMs) <= now;

  function* settle(found: Generation, now: number): Generator<void> {
    if (rewrite !== undefined) {
      const taken = generations.taken();
      const isLog = taken !== undefined && taken !== found && isLinked(taken);
      const isInPlace = !isQuiet(now) && !isLog && !generations.areWhole();
      if (isLog) yield* ofThePast(readOn(taken, now));
      yield* reload(found, now);
      isRewriting = isInPlace && rewrite === undefined;
    }
    if (isQuiet(now)) {
      isSettled = true;
      isRewriting = false;
    }
    yield* publish(now);
  }

  /** Reads a whole file, and keeps what of it is as it was; what is held stays if that does not succeed. */
  function* reload(from: Generation, now: number): Generator<void> {
    const { fd } = from;
    const begun = performance.now();
    const before = (from.stat = fstatSync(fd, { bigint: true }));
    const size = Number(before.size);
    if (size > settings.maxFileBytes) throw tooLarge(settings.maxFileBytes);
    const isFirst = !hasPublished;
    const onProgress = isFirst ? events.onProgress : () => {};
    const coming = yield* contents.take(fd, size, onProgress);
    const after = fstatSync(fd, { bigint: true });
    const isSame = after.size === before.size && after.mtimeNs === before.mtimeNs;
    if (!isSame && after.size <= before.size) return;
    yield* coming.finish();
    generations.take(from);
    tailRule.replaced(size, from !== generations.found() || size === rewrite?.bytes, changedAt);
    // Within the granularity of its clock the file may change once more without showing it, and a writer that has mapped it into memory
    // may do so all the time: that takes another look.
    const isHidden = rewrite?.isHidden === true;
    rewrite = trouble = undefined;
    verification.clear();
    if (!isSame || isHidden || now - changedAt < (isFine(before) ? FINE_CLOCK_MS : VERIFY_MS))
      verification.expect(now + Math.round(performance.now() - begun));
    if (isFirst || from !== generations.found()) yield* publish(now);
  }

  function* publish(now: number): Generator<void> {
    const tail = held.tail();
    const revision = held.publish(tail === undefined || tailRule.isWhole(tail, columns(), now));
    if (revision) {
      hasPublished = true;
      yield* events.onRevision(revision);
    }
    reports.repeat();
    reportState(now);
  }

  function reportState(now: number): void {
    const table = held.table();
    if (!table || !hasPublished || trouble) return;
    const row = held.oversizeRow();
    if (row !== undefined) return refuse(oversize(row, settings.maxCellBytes));
    const tail = held.tail();
    const end = table.length() + table.gone().bytes;
    const pending = tailRule.pendingBytes(tail, end - (tail?.bytes ?? 0), columns(), now);
    const isUpdating = isRewriting || (rewrite !== undefined && now - rewrite.since >= UPDATING_MS);
    if (isUpdating) return reports.report("updating", undefined, pending);
    if (rewrite !== undefined) return;
    const open = held.openQuote();
    if (!open || tailRule.isTorn()) return reports.report("live", undefined, pending);
    if (isQuiet(now) || pending !== undefined) reports.report("invalid", open, pending);
  }

  /** Nothing is at the path: the file may be about to be replaced, and may have got its last rows elsewhere. */
  function* absent(problem: CsvError, now: number): Generator<void> {
    absentSince ??= now;
    try {
      yield* readOn(generations.taken()!, now);
    } catch (error) {
      return refuse(asCsvError(error));
    }
    if (now - absentSince >= settings.settleMs) refuse(problem);
  }

  function refuse(problem: CsvError): void {
    const { kind } = problem;
    // What the file says stays wrong until it changes; what keeps it from being read may pass by itself.
    if (!WRONG_CONTENT.has(kind)) mustRetry = true;
    isSettled = true;
    verification.clear();
    if (!hasPublished) return events.onRefused(problem);
    trouble = problem;
    rewrite = undefined;
    isRewriting = false;
    reports.repeat();
    reports.report(STATES[kind] ?? "stale", problem);
  }

  function dueAt(): number | undefined {
    const times = [
      isSettled ? undefined : changedAt + settings.settleMs,
      rewrite && rewrite.since + UPDATING_MS,
      tailRule.dueAt(held.tail(), columns(), lookedAt),
      absentSince === undefined ? undefined : absentSince + settings.settleMs,
    ].filter((time) => time !== undefined && time > lookedAt);
    if (rewrite !== undefined) times.push(generations.dueAt(changedAt, rewrite.since, settings.settleMs));
    else if (absentSince === undefined) times.push(verification.dueAt());
    const next = Math.min(...times.map((time) => time ?? Infinity));
    isResting = next === Infinity && hasPublished && !mustRetry && !trouble;
    return next === Infinity ? undefined : next;
  }

  return {
    look(now) {
      for (const _ of steps(now));
    },
    isAtRest() {
      return isResting && generations.isAsFound();
    },
    ...{ steps, dueAt, close: generations.close },
  };
}

/** What is done with a file that something else has taken the place of: whatever is wrong with it does not matter any more. */
function* ofThePast(steps: Generator<void, unknown>): Generator<void> {
  try {
    yield* steps;
  } catch {
    // Nothing hangs on it.
  }
}

/** States are reported once, unless they are to be repeated. */
function openReports(events: ReaderEvents) {
  let last = "";
  return {
    repeat: () => void (last = ""),
    report(state: State, problem?: CsvError, pendingBytes?: number): void {
      const text = `${state} ${problem?.message} ${pendingBytes}`;
      if (text !== last) events.onState(state, problem, pendingBytes);
      last = text;
    },
  };
}
