// A CSV that comes as a stream of bytes and only grows: the same table, without a file to look at. Touches no file and no clock.
import { CsvError } from "../csv/error.ts";
import type { State } from "../feed/publication.ts";
import { type HeldOptions, openHeld, openQuote, oversize, type Revision } from "./held.ts";

/** Reading waits while more than this has not been taken into the table. */
const MAX_WAITING_BYTES = 16 << 20;
/** So much of it is taken at once. */
const TAKEN_BYTES = 4 << 20;
/** A source that must be decoded whole at each change is decoded at most this share of the time. */
const REST_PER_WORK = 4;

export type StreamEvents = {
  onRevision(revision: Revision): void;
  onState(state: State, problem?: CsvError): void;
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
  let raw: Uint8Array = new Uint8Array(0); // everything so far, where the table does not hold it; else what it does not cover
  let changedAt = -Infinity;
  let isSettled = true;
  let hasEnded = false;
  let restUntil = 0;

  /** Bytes of rows that were let go. */
  const gone = () => held.table()?.gone().bytes ?? 0;
  /** Nothing is read beyond it: with the last rows only, what came may leave before it counts. */
  const most = settings.lastRows === Infinity ? (settings.maxMemoryBytes ?? Infinity) : Infinity;
  const isAccepting = () => total - gone() <= Math.min(settings.maxFileBytes, most) && waitingBytes < MAX_WAITING_BYTES;

  function look(at: number): boolean {
    const wasFull = !isAccepting();
    try {
      if (waitingBytes > 0 && at >= restUntil) take(at);
      const isQuiet = hasEnded || at - changedAt >= settings.settleMs;
      if (isQuiet && !isSettled && waitingBytes === 0) settle();
    } catch (error) {
      fail(error instanceof CsvError ? error : new CsvError("io", String(error)));
    }
    return wasFull && isAccepting();
  }

  function fail(problem: CsvError): void {
    if (!held.table()) return events.onRefused(problem);
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
      add(Buffer.concat([raw, ...came.slice(i, next)]), at);
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
    raw = added;
    const covered = held.covered();
    if (held.append(added)) raw = added.subarray(held.covered() - covered);
    else if (gone() > 0) raw = appendReplaced(added);
    else if (held.table() || /[\r\n]/.test(Buffer.from(added).toString("latin1"))) openWhole(at);
    publish(false);
  }

  /** What is not there any more cannot be understood anew: what is no UTF-8 is replaced. */
  function appendReplaced(added: Uint8Array): Uint8Array {
    held.append(Buffer.from(new TextDecoder().decode(added)));
    return new Uint8Array(0);
  }

  /** The whole of it once more: at the start, and where what comes changes what was understood. */
  function openWhole(at: number): void {
    const whole = Buffer.concat([...(held.isRaw() ? held.table()!.pieces() : []), raw]);
    held.set(whole, whole.length);
    raw = held.isRaw() ? new Uint8Array(0) : whole;
    restUntil = at + REST_PER_WORK * (now() - at);
  }

  function settle(): void {
    isSettled = true;
    if (!held.table() || (raw.length > 0 && held.isRaw() && gone() === 0)) openWhole(now());
    publish(true);
  }

  function publish(isQuiet: boolean): void {
    const revision = held.publish(isQuiet);
    if (revision) events.onRevision(revision);
    const table = held.table();
    if (!table) return;
    const row = held.oversizeRow();
    if (row !== undefined) throw oversize(row, settings.maxCellBytes);
    const open = table.openQuoteAt();
    if (open === -1) events.onState("live");
    else if (isQuiet) events.onState("invalid", openQuote(table.lineAt(open)));
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
    dueAt: () => (waitingBytes > 0 ? restUntil : isSettled ? undefined : changedAt + settings.settleMs),
  };
}
