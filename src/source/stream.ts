// A CSV that comes as a stream of bytes and only grows: the same table, without a file to look at. Touches no file and no clock.
import { CsvError } from "../csv/error.ts";
import type { State } from "../feed/publication.ts";
import { type HeldOptions, openHeld, oversize, type Revision } from "./held.ts";
import { openTailRule } from "./tail.ts";

/** Reading waits while more than this has not been taken into the table. */
const MAX_WAITING_BYTES = 16 << 20;
/** So much of it is taken at once. */
const TAKEN_BYTES = 4 << 20;
/** A source that must be decoded whole at each change is decoded at most this share of the time. */
const REST_PER_WORK = 4;

export type StreamEvents = {
  onRevision(revision: Revision): void;
  /** `pendingBytes`: what has been held back for a while, as it is no whole row. */
  onState(state: State, problem?: CsvError, pendingBytes?: number): void;
  onRefused(problem: CsvError): void;
};

/** The table of a stream of bytes. Reads nothing and waits for nothing: whoever reads gives it bytes, and looks when it is due. */
export type StreamReader = {
  /** Bytes that came. False if no more may come before `look` has taken these. */
  add(bytes: Uint8Array): boolean;
  /** Nothing more will come. */
  end(): void;
  /** Takes what came into the table. `now` is a monotonic clock in ms. True if more may come that might not before. */
  look(now: number): boolean;
  /** When to look if nothing comes; undefined if there is no reason. */
  dueAt(): number | undefined;
};

export type StreamSettings = HeldOptions & { readonly maxFileBytes: number; readonly settleMs: number };

/** `now`: the same clock as for `look`. */
export function openStreamReader(settings: StreamSettings, events: StreamEvents, now: () => number): StreamReader {
  const held = openHeld(settings);
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let total = 0;
  /** All that came, as long as it may have to be understood anew. */
  let kept: Uint8Array | undefined = new Uint8Array(0);
  const tailRule = openTailRule(settings.settleMs);
  let hasPublished = false;
  let changedAt = -Infinity;
  let lookedAt = -Infinity;
  let isSettled = true;
  let hasEnded = false;
  let restUntil = 0;

  /** Bytes of rows that were let go. */
  const gone = () => held.table()?.gone().bytes ?? 0;
  /** Nothing is read beyond it: with the last rows only, what came may leave before it counts. */
  const most = settings.lastRows === Infinity ? (settings.maxMemoryBytes ?? Infinity) : Infinity;
  const isAccepting = () => total - gone() <= Math.min(settings.maxFileBytes, most) && waitingBytes < MAX_WAITING_BYTES;

  function look(at: number): boolean {
    lookedAt = at;
    const wasFull = !isAccepting();
    try {
      if (waitingBytes > 0 && at >= restUntil) take(at);
      const isQuiet = hasEnded || at - changedAt >= settings.settleMs;
      if (isQuiet && !isSettled && waitingBytes === 0) settle(at);
      else if (tailRule.isPending() && waitingBytes === 0) publish(at);
    } catch (error) {
      fail(error instanceof CsvError ? error : new CsvError("io", String(error)));
    }
    return wasFull && isAccepting();
  }

  function fail(problem: CsvError): void {
    if (!hasPublished) return events.onRefused(problem);
    isSettled = true;
    events.onState(problem.kind === "too-large" ? "stale" : "invalid", problem);
  }

  function take(at: number): void {
    const came = waiting;
    waiting = [];
    waitingBytes = 0;
    changedAt = at;
    isSettled = false;
    checkSize();
    // In pieces, so that rows that leave at once are not held, nor made a text of, all together.
    for (let i = 0, next = 0; i < came.length; i = next) {
      for (let bytes = 0; next < came.length && bytes < TAKEN_BYTES; next++) bytes += came[next]!.length;
      add(Buffer.concat(came.slice(i, next)), at);
    }
  }

  function checkSize(): void {
    const { maxFileBytes, maxMemoryBytes = Infinity } = settings;
    const bytes = total - gone();
    if (bytes > maxFileBytes)
      throw new CsvError(
        "too-large",
        `more than ${maxFileBytes} bytes; raise the limit with --max-file, or see --last`,
      );
    if (bytes > most)
      throw new CsvError("too-large", `takes more than ${maxMemoryBytes} bytes; see --max-memory and --last`);
  }

  function add(added: Uint8Array, at: number): void {
    tailRule.appended(added, total, at);
    const isTaken = held.append(added, kept === undefined);
    if (kept) {
      kept = Buffer.concat([kept, added]);
      if (!isTaken && (held.table() || /[\r\n]/.test(Buffer.from(added).toString("latin1")))) openWhole(kept, at);
      if (!held.isOpen()) kept = undefined;
    }
    publish(at);
  }

  /** The whole of it once more: at the start, and where what comes changes what was understood. */
  function openWhole(whole: Uint8Array, at: number): void {
    held.set(whole, whole.length);
    restUntil = at + REST_PER_WORK * (now() - at);
  }

  function settle(at: number): void {
    isSettled = true;
    if (!held.table() && kept) openWhole(kept, at);
    publish(at);
  }

  function publish(at: number): void {
    const table = held.table();
    if (!table) return;
    const tail = held.tail();
    const isWhole = tail === undefined || hasEnded || tailRule.isWhole(tail, table.columns.length, at);
    const revision = held.publish(isWhole);
    if (revision) {
      hasPublished = true;
      events.onRevision(revision);
    }
    report(at);
  }

  function report(at: number): void {
    const table = held.table();
    if (!table) return;
    const tail = hasEnded ? undefined : held.tail();
    const end = table.length() + table.gone().bytes;
    const pending = tailRule.pendingBytes(tail, end - (tail?.bytes ?? 0), table.columns.length, at);
    if (!hasPublished) return;
    const row = held.oversizeRow();
    if (row !== undefined) throw oversize(row, settings.maxCellBytes);
    const open = held.openQuote();
    if (!open) events.onState("live", undefined, pending);
    else if (pending !== undefined || hasEnded || at - changedAt >= settings.settleMs)
      events.onState("invalid", open, pending);
  }

  function dueAt(): number | undefined {
    if (waitingBytes > 0) return restUntil;
    const times = [
      isSettled ? undefined : changedAt + settings.settleMs,
      tailRule.dueAt(hasEnded ? undefined : held.tail(), held.table()?.columns.length ?? 0, lookedAt),
    ].filter((time) => time !== undefined && time > lookedAt);
    return times.length === 0 ? undefined : Math.min(...times.map((time) => time!));
  }

  return {
    add(bytes) {
      waiting.push(bytes);
      waitingBytes += bytes.length;
      total += bytes.length;
      return isAccepting();
    },
    end() {
      hasEnded = true;
      isSettled = false;
    },
    look,
    dueAt,
  };
}
