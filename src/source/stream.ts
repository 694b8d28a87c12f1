// A CSV that comes as a stream of bytes and only grows: the same table, without a file to look at. Touches no file and no clock.
import { CsvError } from "../csv/error.ts";
import type { Understanding } from "../csv/document.ts";
import type { CsvTable } from "../csv/table.ts";
import type { State } from "../feed/publication.ts";
import { type Held, type HeldOptions, openHeld, openQuote, oversize, type Revision } from "./held.ts";
import { openingOf } from "./opening.ts";

/** Reading waits while more than this has not been taken into the table. */
const MAX_WAITING_BYTES = 16 << 20;
/** So much of it is taken at once. */
const TAKEN_BYTES = 4 << 20;
/** A source that must be decoded whole at each change is decoded at most this share of the time. */
const REST_PER_WORK = 4;
const PAUSE = "pause";

export type StreamEvents = {
  onRevision(revision: Revision): void;
  onState(state: State, problem?: CsvError): void;
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
  let raw: Uint8Array = new Uint8Array(0); // everything so far, where the table does not hold it; else what it does not cover
  let changedAt = -Infinity;
  let isSettled = true;
  let hasEnded = false;
  let restUntil = 0;

  const gone = () => held.table()?.gone().bytes ?? 0; // of rows that were let go
  const most = Math.min(settings.maxFileBytes, mostHeld(settings));
  const isAccepting = () => total - gone() <= most && waitingBytes < MAX_WAITING_BYTES;

  function look(at: number): boolean {
    const wasFull = !isAccepting();
    attempt(() => {
      if (waiting.length > 0 && at >= restUntil) take(at);
      const isQuiet = hasEnded || at - changedAt >= settings.settleMs;
      if (isQuiet && !isSettled && waiting.length === 0) settle();
    });
    return wasFull && isAccepting();
  }

  function fail(problem: CsvError): void {
    isSettled = true;
    if (!held.table()) return events.onRefused(problem);
    events.onState(problem.kind === "too-large" ? "stale" : "invalid", problem);
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
      fail(error instanceof CsvError ? error : new CsvError("io", String(error)));
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
    if (!opening) return add(Buffer.concat([raw, bytes]), at);
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
    if (taken.length > 0) add(Buffer.concat([raw, taken]), at);
  }

  function beginAnew(bytes: number): void {
    held = openHeld(settings);
    raw = new Uint8Array(0);
    total = bytes + waitingBytes;
    restUntil = 0;
  }

  /** The last record of a writer ends with it, and so does a quote that it has left open: it is the next one's loss else. */
  function takePause(at: number): void {
    try {
      decide(at, { hasEnded: true, isQuiet: true });
      if (total > 0) complete();
      const end = endOf(held.table(), document?.encoding, settings.quote);
      if (end.length > 0) add(Buffer.concat([raw, end]), at);
      settle();
    } finally {
      // What was no table is forgotten: the next one may write one.
      if (held.table()?.columns.length) opening = new Uint8Array(0);
      else beginAnew(0);
    }
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
    decide(now(), { hasEnded, isQuiet: true });
    if (total === 0 && !hasEnded) return; // another writer may come
    complete();
    publish(true);
  }

  function complete(): void {
    if (!held.table() || (raw.length > 0 && held.isRaw() && gone() === 0)) openWhole(now());
  }

  function publish(isQuiet: boolean): void {
    const revision = held.publish(isQuiet);
    document = revision?.document ?? document;
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
    pause() {
      waiting.push(PAUSE);
      isSettled = false;
    },
    end() {
      hasEnded = true;
      isSettled = false;
    },
    look,
    dueAt: () => (waiting.length > 0 ? restUntil : isSettled ? undefined : changedAt + settings.settleMs),
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
function endOf(table: CsvTable | undefined, encoding: string | undefined, quote = '"'): Uint8Array {
  const isInQuote = table !== undefined && table.openQuoteAt() !== -1;
  if (!table || !(isInQuote || table.isLastOpen() || isHeaderOpen(table))) return new Uint8Array(0);
  const text = `${isInQuote && quote !== "none" ? quote : ""}${String.fromCharCode(table.layout.recordEnd)}`;
  if (encoding !== "utf-16le" && encoding !== "utf-16be") return Buffer.from(text);
  const bytes = Buffer.from(text, "utf16le");
  return encoding === "utf-16le" ? bytes : bytes.swap16();
}

/** Nothing has come behind the header, not even the end of its line. */
function isHeaderOpen(table: CsvTable): boolean {
  const head = table.head();
  return head.length > 0 && table.length() === head.length && head.at(-1) !== 10 && head.at(-1) !== 13;
}
