// A CSV that comes as a stream of bytes and only grows: the same table, without a file to look at. Touches no file and no clock.
import { CsvError } from "../csv/error.ts";
import type { Understanding } from "../csv/document.ts";
import type { CsvTable } from "../csv/table.ts";
import type { State } from "../feed/publication.ts";
import { type Held, type HeldOptions, openHeld, oversize, type Revision } from "./held.ts";
import { openingOf } from "./opening.ts";
import { openTailRule } from "./tail.ts";

/** Reading waits while more than this has not been taken into the table. */
const MAX_WAITING_BYTES = 16 << 20;
/** So much of it is taken at once. */
const TAKEN_BYTES = 4 << 20;
/** To understand a source anew takes at most this share of the time. */
const REST_PER_WORK = 4;
const PAUSE = "pause";

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
  /** Who wrote is done, and what it wrote is whole; another one may come, and go on with the table or begin another. */
  pause(): void;
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
  let held: Held = openHeld(settings);
  let document: Understanding | undefined; // of what was published last
  let waiting: (Uint8Array | typeof PAUSE)[] = [];
  let opening: Uint8Array | undefined; // of a writer that is not the first, as long as it is not known what it means
  let waitingBytes = 0;
  let total = 0;
  let kept: Uint8Array | undefined = new Uint8Array(0); // all that came, as long as it may have to be understood anew
  const tailRule = openTailRule(settings.settleMs);
  let changedAt = -Infinity;
  let lookedAt = -Infinity;
  let isSettled = true;
  let hasEnded = false;
  let restUntil = 0;

  const gone = () => held.table()?.gone().bytes ?? 0; // of rows that were let go
  const most = Math.min(settings.maxFileBytes, mostHeld(settings));
  const isAccepting = () => total - gone() <= most && waitingBytes < MAX_WAITING_BYTES;

  function look(at: number): boolean {
    lookedAt = at;
    const wasFull = !isAccepting();
    attempt(() => {
      if (waiting.length > 0 && at >= restUntil) take(at);
      const isQuiet = hasEnded || at - changedAt >= settings.settleMs;
      if (isQuiet && !isSettled && waiting.length === 0) settle(at, hasEnded);
      else if (tailRule.isPending() && waiting.length === 0) publish(at, hasEnded);
    });
    return wasFull && isAccepting();
  }

  function take(at: number): void {
    const came = waiting;
    waiting = [];
    waitingBytes = 0;
    changedAt = at;
    isSettled = false;
    checkSize(total - gone(), settings);
    for (let i = 0; i < came.length;) {
      const end = came.indexOf(PAUSE, i);
      const writer = came.slice(i, end === -1 ? came.length : end) as Uint8Array[];
      i += writer.length + 1;
      attempt(() => takeWriter(writer, at));
      if (end !== -1) attempt(() => takePause(at));
    }
  }

  /** What one writer does wrong is not the next one's loss. */
  function attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      const problem = error instanceof CsvError ? error : new CsvError("io", String(error));
      isSettled = true;
      if (!document) return events.onRefused(problem);
      events.onState(problem.kind === "too-large" ? "stale" : "invalid", problem);
    }
  }

  /** In pieces, so that rows that leave at once are not held, nor made a text of, all together. */
  function takeWriter(came: readonly Uint8Array[], at: number): void {
    for (let i = 0, next = 0; i < came.length; i = next) {
      for (let bytes = 0; next < came.length && bytes < TAKEN_BYTES; next++) bytes += came[next]!.length;
      takeOf(Buffer.concat(came.slice(i, next)), at);
    }
  }

  function takeOf(bytes: Uint8Array, at: number): void {
    if (!opening) return add(bytes, at);
    opening = Buffer.concat([opening, bytes]);
    decide(at, { hasEnded: false, isQuiet: false });
  }

  function decide(at: number, state: { hasEnded: boolean; isQuiet: boolean }): void {
    const table = held.table();
    if (!opening || opening.length === 0 || !table) return;
    const bytes = opening;
    const found = openingOf(bytes, state, table, settings);
    if (found === "more") return;
    opening = undefined;
    if (found === "table") beginAnew(bytes.length);
    const taken = typeof found === "object" ? bytes.subarray(found.skip) : bytes;
    if (taken.length > 0) add(taken, at);
  }

  function beginAnew(bytes: number): void {
    held = openHeld(settings);
    kept = new Uint8Array(0);
    total = bytes + waitingBytes;
    restUntil = 0;
  }

  /** The last record of a writer ends with it, and so does a quote that it has left open: it is the next one's loss else. */
  function takePause(at: number): void {
    try {
      decide(at, { hasEnded: true, isQuiet: true });
      if (total > 0 && !held.table() && kept) openWhole(kept, at);
      const end = endOf(held, document?.encoding, settings.quote);
      if (end.length > 0) add(end, at);
      settle(at, true);
    } finally {
      // What was no table is forgotten: the next one may write one.
      if (held.table()?.columns.length) opening = new Uint8Array(0);
      else beginAnew(0);
    }
  }

  function add(added: Uint8Array, at: number): void {
    tailRule.appended(added, total, at);
    const isTaken = held.append(added, kept === undefined);
    if (kept) {
      kept = Buffer.concat([kept, added]);
      if (!isTaken && (held.table() || /[\r\n]/.test(Buffer.from(added).toString("latin1")))) openWhole(kept, at);
      if (!held.isOpen()) kept = undefined;
    }
    publish(at, false);
  }

  /** The whole of it once more: at the start, and where what comes changes what was understood. */
  function openWhole(whole: Uint8Array, at: number): void {
    held.set(whole, whole.length);
    restUntil = at + REST_PER_WORK * (now() - at);
  }

  /** `isEnd`: the last record is whole, as nothing more will be added to it. */
  function settle(at: number, isEnd: boolean): void {
    isSettled = true;
    decide(at, { hasEnded, isQuiet: true });
    if (total === 0 && !hasEnded) return; // another writer may come
    if (!held.table() && kept) openWhole(kept, at);
    publish(at, isEnd);
  }

  function publish(at: number, isEnd: boolean): void {
    const table = held.table();
    if (!table) return;
    const tail = held.tail();
    const isWhole = tail === undefined || isEnd || tailRule.isWhole(tail, table.columns.length, at);
    const revision = held.publish(isWhole);
    document = revision?.document ?? document;
    if (revision) events.onRevision(revision);
    report(table, at, isEnd);
  }

  function report(table: CsvTable, at: number, isEnd: boolean): void {
    const tail = isEnd ? undefined : held.tail();
    const end = table.length() + table.gone().bytes;
    const pending = tailRule.pendingBytes(tail, end - (tail?.bytes ?? 0), table.columns.length, at);
    if (!document) return;
    const row = held.oversizeRow();
    if (row !== undefined) throw oversize(row, settings.maxCellBytes);
    const open = held.openQuote();
    if (!open || tailRule.isTorn()) events.onState("live", undefined, pending);
    else if (pending !== undefined || isEnd || at - changedAt >= settings.settleMs)
      events.onState("invalid", open, pending);
  }

  function dueAt(): number | undefined {
    if (waiting.length > 0) return restUntil;
    const tail = hasEnded ? undefined : held.tail();
    const times = [
      isSettled ? undefined : changedAt + settings.settleMs,
      tailRule.dueAt(tail, held.table()?.columns.length ?? 0, lookedAt),
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
    pause() {
      waiting.push(PAUSE);
      isSettled = false;
    },
    end() {
      hasEnded = true;
      isSettled = false;
    },
    look,
    dueAt,
  };
}

/** Nothing is read beyond it: with the last rows only, what came may leave before it counts. */
const mostHeld = ({ lastRows, maxMemoryBytes = Infinity }: StreamSettings) =>
  lastRows === Infinity ? maxMemoryBytes : Infinity;

function checkSize(bytes: number, settings: StreamSettings): void {
  const { maxFileBytes, maxMemoryBytes = Infinity } = settings;
  if (bytes > maxFileBytes)
    throw new CsvError("too-large", `more than ${maxFileBytes} bytes; raise the limit with --max-file, or see --last`);
  if (bytes > mostHeld(settings))
    throw new CsvError("too-large", `takes more than ${maxMemoryBytes} bytes; see --max-memory and --last`);
}

/** What is missing at the end of what somebody has written: a record end, and a quote in front of it. */
function endOf(held: Held, encoding: string | undefined, quote = '"'): Uint8Array {
  const table = held.table();
  if (!table || !held.tail()) return new Uint8Array(0);
  const isInQuote = table.openQuoteAt() !== -1;
  const text = `${isInQuote && quote !== "none" ? quote : ""}${String.fromCharCode(table.layout.recordEnd)}`;
  if (encoding !== "utf-16le" && encoding !== "utf-16be") return Buffer.from(text);
  const bytes = Buffer.from(text, "utf16le");
  return encoding === "utf-16le" ? bytes : bytes.swap16();
}
