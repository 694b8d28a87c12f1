// What is at a web address as a source: asked for again and again, as seldom as `--poll` says, and more seldom while that goes wrong.
// A body counts when all of it is there; what was appended to it is published as such.
import { CsvError } from "../../csv/error.ts";
import { webName } from "../location.ts";
import { openPublishing } from "../publishing.ts";
import type { Source, SourceEvents, SourceSettings } from "../source.ts";
import { type Body, openRequests, type Validators } from "./request.ts";
import { openRemoteTable } from "./table.ts";
import { OnceMore, openTakings } from "./taking.ts";
import { failedRequest, RemoteError } from "./trouble.ts";

export type Timing = {
  /** For an answer to begin; a body of which less than 1 kB a second comes for so long has stalled. */
  readonly stallMs: number;
  /** A body that goes on for longer makes what is published old: that is told. */
  readonly lateMs: number;
  /** The longest pause after errors; and the longest that a server may ask for. */
  readonly maxBackoffMs: number;
  readonly maxRetryAfterMs: number;
};

const TIMING: Timing = { stallMs: 30_000, lateMs: 60_000, maxBackoffMs: 60_000, maxRetryAfterMs: 3_600_000 };

/** A further look, to see whether what ends without a line end goes on, comes so soon at most. */
const MIN_PAUSE_MS = 100;
const MAX_UNPROVEN = 3;

/** `settings.location`: http:// or https://. `timing` in ms: shorter for tests. */
export function openRemote(settings: SourceSettings, events: SourceEvents, timing: Timing = TIMING): Source {
  const now = () => performance.now();
  const publishing = openPublishing(settings, {
    name: webName(settings.location),
    now,
    onPublication: events.onPublication,
  });
  const polling = openPolling(settings, { ...events, onPublication: publishing.publish }, timing, now);
  return {
    snapshot: publishing.snapshot,
    close() {
      polling.close();
      publishing.close();
    },
  };
}

type PollingEvents = Omit<SourceEvents, "onPublication"> & {
  onPublication: ReturnType<typeof openPublishing>["publish"];
};

function openPolling(settings: SourceSettings, events: PollingEvents, timing: Timing, now: () => number) {
  const isClosed = new AbortController();
  const table = openRemoteTable(settings, events, now);
  const takings = openTakings(table.held, settings);
  const requests = URL.canParse(settings.location) ? openRequests(new URL(settings.location), timing) : undefined;
  let known: Validators | undefined;
  let unframed = ""; // the hash of the last body whose end cannot be told from the end of its connection
  let unproven = 0; // bodies of that kind in a row that were not the same
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function look(): Promise<void> {
    let pause = settings.pollMs;
    try {
      await ask();
      failures = 0;
      const soonest = unproven > 0 ? now() + settings.settleMs : (table.dueAt() ?? Infinity);
      pause = Math.max(MIN_PAUSE_MS, Math.min(pause, soonest - now()));
    } catch (error) {
      if (isClosed.signal.aborted) return;
      const problem = failedRequest(error, false);
      pause = pauseAfter(problem);
      table.fail(problem);
    }
    if (!isClosed.signal.aborted) timer = setTimeout(look, pause);
  }

  async function ask(): Promise<void> {
    if (!requests) throw new RemoteError("io", "is no web address: http://HOST/PATH or https://HOST/PATH");
    const answer = await requests.ask(known, isClosed.signal);
    if (answer === "same") return table.confirm(now());
    try {
      await take(answer);
    } catch (error) {
      if (!(error instanceof OnceMore)) throw error;
      const again = await requests.ask(undefined, isClosed.signal);
      if (again !== "same") await take(again);
    }
  }

  async function take(body: Body): Promise<void> {
    const begun = now();
    const taking = takings.open();
    const late = setTimeout(table.isLate, timing.lateMs, timing.lateMs);
    const hash = new Bun.CryptoHasher("sha1");
    let read = 0;
    let first = true;
    try {
      for await (const piece of body.pieces) {
        if (first && isMarkup(piece))
          throw new RemoteError("not-csv", "is a web page, not a CSV: is it behind a login?");
        first = false;
        await attempt(taking.add(piece), body);
        if (!body.isFramed) hash.update(piece);
        events.onProgress((read += piece.length), body.size ?? 0);
      }
    } finally {
      clearTimeout(late);
    }
    if (!body.isFramed && !isProven(hash.digest("base64"))) return;
    unproven = 0;
    await attempt(table.take(body, taking, begun), body);
    known = body.validators;
  }

  /** What the bytes say stays wrong until they are others. */
  async function attempt(steps: Generator<void>, { validators }: Body): Promise<void> {
    try {
      await inTurns(steps);
    } catch (error) {
      if (error instanceof CsvError && !(error instanceof RemoteError)) known = validators;
      throw error;
    }
  }

  /** A body that says neither its length nor its end may be torn: it counts if the next one is the same. */
  function isProven(digest: string): boolean {
    const isSame = digest === unframed;
    unframed = digest;
    if (isSame) return true;
    if (++unproven < MAX_UNPROVEN) return false;
    const reason = "its body says neither its length nor its end, and is never twice the same: it may be torn";
    throw new RemoteError("io", reason, { passes: true });
  }

  /** Backoff with jitter, within bounds; what is not there yet is asked for as if it were. */
  function pauseAfter(problem: CsvError): number {
    const { pollMs } = settings;
    const retryMs = problem instanceof RemoteError ? problem.retryMs : undefined;
    failures = problem instanceof RemoteError && problem.kind === "io" ? failures + 1 : 0;
    const backoff = Math.min(pollMs * 2 ** Math.min(failures - 1, 30), Math.max(timing.maxBackoffMs, pollMs));
    if (retryMs !== undefined) return Math.max(pollMs, Math.min(retryMs, timing.maxRetryAfterMs));
    return failures === 0 ? pollMs : backoff * (1 + Math.random() / 2);
  }

  timer = setTimeout(look, 0);
  return {
    close() {
      clearTimeout(timer);
      isClosed.abort();
    },
  };
}

const HTML = /^(\ufeff)?\s*<(!doctype html|html)\b/i;

/** A page that is not called one. */
const isMarkup = (piece: Uint8Array) => HTML.test(Buffer.from(piece.subarray(0, 256)).toString());

/** Steps go on for so long before others have their turn. */
const SLICE_MS = 10;

async function inTurns(steps: Generator<void>): Promise<void> {
  let until = performance.now() + SLICE_MS;
  for (const _ of steps) {
    if (performance.now() < until) continue;
    await new Promise((resolve) => setImmediate(resolve));
    until = performance.now() + SLICE_MS;
  }
}
