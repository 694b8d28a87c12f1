// A FIFO as a source: whoever writes to it, one after the other, writes one table. Opened and read without waiting, as the system would
// keep a thread for it until there is a writer (fifo(7)): so it is looked at again and again.
import { closeSync, constants, fstatSync, openSync, read, type Stats, statSync } from "node:fs";
import { CsvError } from "../csv/error.ts";
import { asCsvError } from "./file/read.ts";
import { type Came, type Input, type InputEvents, openInput } from "./input.ts";
import { fileName } from "./location.ts";
import { problemOf, type Source, type SourceEvents, type SourceSettings } from "./source.ts";

/** Between two looks: from the first for a writer that is about to go on, to the last for one that may never come. */
const MIN_PAUSE_MS = 1;
const MAX_PAUSE_MS = 20;

export function isFifo(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFIFO() ?? false;
  } catch {
    return false;
  }
}

export function openFifo(settings: SourceSettings, events: SourceEvents): Source {
  const path = settings.location;
  const options = { name: fileName(path), isForEver: true };
  return openInput(options, settings, events, (inputEvents) => openInputOf(path, inputEvents));
}

function openInputOf(path: string, { onStatus }: InputEvents): Input {
  let opened: { fd: number; stat: Stats } | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isReading = false;
  let isClosed = false;
  let hasWritten = false; // somebody, since the last pause
  let hasCome = false; // anything at all
  let pauseMs = MIN_PAUSE_MS;
  let said = "";

  function next(chunk: Buffer, done: (came: Came) => void): void {
    if (isClosed) return;
    if (!hasWritten) reopen();
    if (!opened) return again(chunk, done);
    isReading = true;
    read(opened.fd, chunk, 0, chunk.length, null, (error, length) => {
      isReading = false;
      if (isClosed) return release();
      if (length > 0) return come({ bytes: chunk.subarray(0, length) }, done);
      // Without a writer there is nothing to be read, which is an end only behind what somebody has written.
      if (error?.code !== "EAGAIN" && hasWritten) return come("pause", done);
      again(chunk, done);
    });
  }

  function come(came: Came, done: (came: Came) => void): void {
    hasWritten = came !== "pause";
    if (!hasCome) say("");
    hasCome = true;
    pauseMs = MIN_PAUSE_MS;
    done(came);
  }

  function again(chunk: Buffer, done: (came: Came) => void): void {
    timer = setTimeout(next, pauseMs, chunk, done);
    pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
  }

  /** The one at the path, which may be another. What is open stays so for who writes, as a file that was renamed does. */
  function reopen(): void {
    try {
      const stat = statSync(path);
      if (!stat.isFIFO()) throw new CsvError("not-a-file", "is no FIFO any more; start the server again");
      if (opened?.stat.ino !== stat.ino || opened.stat.dev !== stat.dev) {
        release();
        const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
        opened = { fd, stat: fstatSync(fd) };
        if (!opened.stat.isFIFO()) release();
      }
      say(hasCome ? "" : "a FIFO that nobody has written to yet");
    } catch (error) {
      const problem = asCsvError(error);
      say(problem.reason, problem);
    }
  }

  /** `reason`: why nothing is read; "" when something may be. */
  function say(reason: string, error?: CsvError): void {
    if (reason === said) return;
    said = reason;
    if (reason === "") return onStatus(undefined);
    const problem = error ? problemOf(error) : ({ kind: "not-found", reason } as const);
    if (!hasCome) return onStatus({ state: "waiting", problem, awaited: {} });
    onStatus({ state: error?.kind === "not-found" ? "missing" : "stale", problem });
  }

  function release(): void {
    if (opened) closeSync(opened.fd);
    opened = undefined;
  }

  return {
    next,
    close() {
      isClosed = true;
      clearTimeout(timer);
      if (!isReading) release();
    },
  };
}
