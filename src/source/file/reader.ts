// Follows one file that somebody else writes: what happened since the last look, and when it is safe to show.
// Appended bytes are read at once; every other change waits until the writer is quiet, so that nobody sees half of it.
import { closeSync, fstatSync } from "node:fs";
import { HEAD_BYTES, SPARE_BYTES } from "../../csv/encoding.ts";
import { CsvError, type CsvErrorKind } from "../../csv/error.ts";
import type { State } from "../../feed/publication.ts";
import { type Held, type HeldOptions, openHeld, openQuote, oversize, type Revision } from "../held.ts";
import { asCsvError, type BigStat, identityOf, openRegular, readAll, readRange, tooLarge } from "./read.ts";

export type ReaderSettings = HeldOptions & {
  readonly maxFileBytes: number;
  /** Milliseconds without a change after which a writer counts as done for now. */
  readonly settleMs: number;
};

export type ReaderEvents = {
  onRevision(revision: Revision): void;
  /** Also if nothing has changed. */
  onState(state: State, problem?: CsvError): void;
  /** There is no table yet, and this is why. */
  onRefused(problem: CsvError): void;
  onProgress(read: number, size: number): void;
};

export type Reader = {
  /** Looks at the file. `now` is a monotonic clock in milliseconds. */
  look(now: number): void;
  /** The same in steps: between two of them others may have their turn, but for another look. */
  steps(now: number): Generator<void>;
  /** When to look again even if nothing seems to happen; undefined if there is no reason. */
  dueAt(): number | undefined;
};

/** A writer that is never quiet is waited for no longer than this. */
const MAX_WAIT_MS = 5_000;
/** After this long without a change the whole file is compared once: an edit may hide behind an append or a coarse clock. */
const VERIFY_QUIET_MS = 2_000;
/** And at least this often while it changes. */
const VERIFY_BUSY_MS = 60_000;

/** What is read at once. */
const STEP_BYTES = 1 << 20;
/** A change that is larger is published in pieces. */
const PUBLISHED_BYTES = 4 << 20;
/** What is compared to tell an append from another change. */
const compared = Buffer.allocUnsafeSlow(HEAD_BYTES);
/** What is read passes through here. */
const step = Buffer.allocUnsafeSlow(STEP_BYTES + SPARE_BYTES);

const WRONG_CONTENT: ReadonlySet<CsvErrorKind> = new Set(["not-csv", "too-large", "unclosed-quote", "not-a-file"]);

const STATES: Partial<Record<CsvErrorKind, State>> = {
  "not-found": "missing",
  "not-csv": "invalid",
  "unclosed-quote": "invalid",
};

/** `clock`: ms since 1970, as the file system counts. */
export function openReader(
  path: string,
  settings: ReaderSettings,
  events: ReaderEvents,
  clock: () => number = Date.now,
): Reader {
  const { settleMs } = settings;
  const held: Held = openHeld(settings);
  let seen: BigStat | undefined; // the file at the last look
  let changedAt = -Infinity;
  let rewriteSince: number | undefined; // the file has changed in a way that must be read whole
  let unverifiedSince: number | undefined;
  let verifiedAt = -Infinity;
  let isSettled = true;
  let isUnreachable = false;

  function look(now: number): void {
    for (const _ of steps(now));
  }

  function* steps(now: number): Generator<void> {
    let fd: number | undefined;
    try {
      fd = openRegular(path);
      const stat = fstatSync(fd, { bigint: true });
      if (!seen || identityOf(stat) !== identityOf(seen)) yield* noticed(fd, stat, now);
      else if (isUnreachable) publish(isQuiet(now));
      isUnreachable = false;
      if (isDue(now)) yield* settle(fd, stat, now);
    } catch (error) {
      isUnreachable = fd === undefined;
      failed(asCsvError(error));
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  function* noticed(fd: number, stat: BigStat, now: number): Generator<void> {
    const before = seen;
    seen = stat;
    changedAt = now;
    isSettled = false;
    unverifiedSince ??= now;
    if (!held.table()) {
      // A file that was written some time ago is done; the clock of the file system decides only about a moment's wait.
      if (clock() - Number(stat.mtimeMs) >= settleMs) changedAt = now - settleMs;
      rewriteSince = now;
      return yield* reload(fd, now);
    }
    if (rewriteSince === undefined && isAppended(fd, before, stat)) yield* append(fd, stat);
    else rewriteSince ??= now;
    if (rewriteSince === undefined) publish(false);
  }

  function isAppended(fd: number, before: BigStat | undefined, stat: BigStat): boolean {
    const covered = held.covered();
    if (!before || before.ino !== stat.ino || before.dev !== stat.dev || Number(stat.size) <= covered) return false;
    if (Number(stat.size) > settings.maxFileBytes) throw tooLarge(settings.maxFileBytes);
    const tail = Math.max(0, covered - HEAD_BYTES);
    const isSameAt = (at: number, length: number) => held.matches(at, readRange(fd, at, length, compared));
    return isSameAt(tail, covered - tail) && isSameAt(0, Math.min(HEAD_BYTES, tail));
  }

  function* append(fd: number, stat: BigStat): Generator<void> {
    let published = held.covered();
    for (let left = Number(stat.size) - published; left > 0;) {
      const covered = held.covered();
      const added = readRange(fd, covered, Math.min(left, STEP_BYTES), left > compared.length ? step : compared);
      if (!held.append(added)) return void (rewriteSince = changedAt);
      if (held.covered() === covered) return; // the beginning of a character
      left -= held.covered() - covered;
      // What comes at once is published in pieces, so that no text of all of it is made.
      if (held.covered() - published >= PUBLISHED_BYTES) {
        publish(false);
        published = held.covered();
      }
      yield;
    }
  }

  function isQuiet(now: number): boolean {
    return now - changedAt >= settleMs;
  }

  function isDue(now: number): boolean {
    if (rewriteSince !== undefined && now - rewriteSince >= MAX_WAIT_MS) return true;
    if (unverifiedSince !== undefined && now - Math.max(unverifiedSince, verifiedAt) >= VERIFY_BUSY_MS) return true;
    return isQuiet(now) && (rewriteSince !== undefined || !isSettled || isVerificationDue(now));
  }

  function isVerificationDue(now: number): boolean {
    return unverifiedSince !== undefined && now - changedAt >= VERIFY_QUIET_MS;
  }

  function* settle(fd: number, stat: BigStat, now: number): Generator<void> {
    const isTorn = held.covered() !== Number(stat.size); // in the middle of a character
    if (rewriteSince !== undefined || isTorn || isVerificationDue(now) || !isQuiet(now)) yield* reload(fd, now);
    isSettled ||= isQuiet(now);
    publish(isQuiet(now));
  }

  /** Reads the whole file, and keeps what of it is as it was; what is held stays if that does not succeed. */
  function* reload(fd: number, now: number): Generator<void> {
    const before = fstatSync(fd, { bigint: true });
    const size = Number(before.size);
    if (size > settings.maxFileBytes) throw tooLarge(settings.maxFileBytes);
    const isFirst = !held.table();
    const onProgress = isFirst ? events.onProgress : () => {};
    const finish = (yield* takeIn(fd, size, onProgress)) ?? readWhole(fd, size, onProgress);
    const after = fstatSync(fd, { bigint: true });
    const hasGrown = after.ino === before.ino && after.size > before.size;
    if (identityOf(before) !== identityOf(after) && !hasGrown) return;
    if (!finish()) readWhole(fd, size, onProgress)();
    rewriteSince = undefined;
    verifiedAt = now;
    // Within the granularity of its clock the file may change once more without showing it: that takes another look.
    unverifiedSince = hasGrown || now - changedAt < VERIFY_QUIET_MS ? now : undefined;
    if (isFirst) publish(isQuiet(now));
  }

  type Progress = ReaderEvents["onProgress"];

  /** The file piece by piece; undefined if only the whole of it at once tells what it means. */
  function* takeIn(fd: number, size: number, onProgress: Progress): Generator<void, (() => boolean) | undefined> {
    const first = readRange(fd, 0, Math.min(size, STEP_BYTES), step);
    const intake = held.begin(first, first.length === size);
    if (!intake) return undefined;
    let at = first.length;
    while (at < size) {
      onProgress(at, size);
      yield;
      const space = intake.space();
      const read = readRange(fd, at, Math.min(space.length, size - at), space).length;
      if (read === 0) break;
      at += read;
      if (!intake.took(read)) return undefined;
    }
    onProgress(at, size);
    return () => intake.finish(at);
  }

  /** The file at once. */
  function readWhole(fd: number, size: number, onProgress: Progress): () => boolean {
    const { bytes, length } = readAll(fd, size, { maxFileBytes: settings.maxFileBytes, onProgress });
    return () => {
      held.set(bytes, Math.min(length, size));
      return true;
    };
  }

  function publish(isQuietNow: boolean): void {
    const revision = held.publish(isQuietNow);
    if (revision) events.onRevision(revision);
    reportState(isQuietNow);
  }

  /** A record inside a quote is no news while it is being written; it is once the writer is quiet. */
  function reportState(isQuietNow: boolean): void {
    const table = held.table();
    if (!table) return;
    const row = held.oversizeRow();
    if (row !== undefined) return failed(oversize(row, settings.maxCellBytes));
    const open = table.openQuoteAt();
    if (open === -1) return events.onState("live");
    if (!isQuietNow) return;
    events.onState("invalid", openQuote(table.lineAt(open)));
  }

  function failed(problem: CsvError): void {
    const { kind } = problem;
    // What the file says stays wrong until it changes; what keeps it from being read may pass by itself.
    if (!WRONG_CONTENT.has(kind)) seen = undefined;
    isSettled = true;
    unverifiedSince = undefined;
    if (!held.table()) return events.onRefused(problem);
    rewriteSince = undefined;
    events.onState(STATES[kind] ?? "stale", problem);
  }

  function dueAt(): number | undefined {
    if (rewriteSince !== undefined) return Math.min(changedAt + settleMs, rewriteSince + MAX_WAIT_MS);
    if (!isSettled) return changedAt + settleMs;
    return unverifiedSince === undefined ? undefined : changedAt + VERIFY_QUIET_MS;
  }

  return { look, steps, dueAt };
}
