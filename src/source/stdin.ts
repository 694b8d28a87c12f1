// A CSV that grows on standard input, until its end: the same table, without a file to look at.
import { read } from "node:fs";
import { CsvError } from "../csv/error.ts";
import { lineOf } from "../csv/records.ts";
import { openHeld, oversize } from "./held.ts";
import type { Reader, ReaderEvents, ReaderSettings } from "./reader.ts";

const NAME = "standard input";
const CHUNK_BYTES = 1 << 18;
/** Reading waits while more than this has not been taken into the table. */
const MAX_WAITING_BYTES = 16 << 20;
const RETRY_MS = 20;
/** A source that must be decoded whole at each change is decoded at most this share of the time. */
const REST_PER_WORK = 4;

/** Follows standard input; `onHint` is called when a look is worth while. */
export function openStdin(settings: ReaderSettings, events: ReaderEvents, onHint: () => void): Reader {
  const held = openHeld(settings);
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let total = 0;
  let raw: Uint8Array = new Uint8Array(0); // everything so far, where the table does not hold it; else what it does not cover
  let changedAt = -Infinity;
  let isSettled = true;
  let hasEnded = false;
  let restUntil = 0;

  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  const next = () =>
    read(0, chunk, 0, CHUNK_BYTES, null, (error, length) => {
      if (error?.code === "EAGAIN") return void setTimeout(next, RETRY_MS);
      if (error || length === 0) {
        hasEnded = true;
        isSettled = false;
      } else {
        waiting.push(new Uint8Array(chunk.subarray(0, length)));
        waitingBytes += length;
        total += length;
        if (total <= settings.maxFileBytes && waitingBytes < MAX_WAITING_BYTES) next();
      }
      onHint();
    });

  function look(now: number): void {
    try {
      if (waitingBytes > 0 && now >= restUntil) take(now);
      const isQuiet = hasEnded || now - changedAt >= settings.settleMs;
      if (isQuiet && !isSettled && waitingBytes === 0) settle();
    } catch (error) {
      const { kind, message } = error instanceof CsvError ? error : new CsvError("io", String(error));
      if (!held.table()) return events.onRefused(kind, `${NAME}: ${message}`);
      isSettled = true;
      events.onState(
        kind === "too-large" ? "stale" : "invalid",
        `${NAME}: ${message}; the last good table stays on air`,
      );
    }
  }

  function take(now: number): void {
    const isFull = waitingBytes >= MAX_WAITING_BYTES;
    const added = Buffer.concat([raw, ...waiting]);
    waiting = [];
    waitingBytes = 0;
    changedAt = now;
    isSettled = false;
    if (total > settings.maxFileBytes)
      throw new CsvError(
        "too-large",
        `more than ${settings.maxFileBytes} bytes; raise the limit with --max-file, or see --last`,
      );
    if (isFull) next();
    raw = added;
    const covered = held.covered();
    if (held.append(added)) raw = added.subarray(held.covered() - covered);
    else if (held.table() || /[\r\n]/.test(added.toString("latin1"))) openWhole(now);
    publish(false);
  }

  /** The whole of it once more: at the start, and where what comes changes what was understood. */
  function openWhole(now: number): void {
    const whole = Buffer.concat([held.source() ?? new Uint8Array(0), raw]);
    held.set(whole, whole.length);
    raw = held.source() ? new Uint8Array(0) : whole;
    restUntil = now + REST_PER_WORK * (performance.now() - now);
  }

  function settle(): void {
    isSettled = true;
    if (!held.table() || (raw.length > 0 && held.source())) openWhole(performance.now());
    publish(true);
  }

  function publish(isQuiet: boolean): void {
    const publication = held.publish(isQuiet);
    if (publication) events.onPublication(publication);
    const table = held.table();
    if (!table) return;
    const row = held.oversizeRow();
    if (row !== undefined) throw oversize(row, settings.maxCellBytes);
    const open = table.openQuoteAt();
    if (open === -1) events.onState("live", "");
    else if (isQuiet)
      events.onState(
        "invalid",
        `${NAME}: line ${lineOf(table.bytes(), open, table.layout)}: a quote is opened and not closed`,
      );
  }

  next();
  return {
    look,
    dueAt: () => (waitingBytes > 0 ? restUntil : isSettled ? undefined : changedAt + settings.settleMs),
  };
}
