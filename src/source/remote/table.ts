// The table of a web address: what it becomes with each body that came whole, and how it is doing. Touches no network and no timer.
import { atOnce } from "../../values/steps.ts";
import type { CsvError, CsvErrorKind } from "../../csv/error.ts";
import type { State } from "../../feed/publication.ts";
import { type Held, openHeld, oversize } from "../held.ts";
import type { Publishing } from "../publishing.ts";
import { problemOf, type SourceEvents, type SourceSettings, type SourceStatus } from "../source.ts";
import { openTailRule } from "../tail.ts";
import type { Body } from "./request.ts";
import type { Taking } from "./taking.ts";
import { RemoteError } from "./trouble.ts";

export type RemoteTableEvents = Pick<SourceEvents, "onStatus" | "onRefused"> & { onPublication: Publishing["publish"] };

export type RemoteTable = {
  readonly held: Held;
  /** All of a body came, which was asked for at `begun`: after these steps it counts. Throws CsvError if it is no table, and OnceMore. Times by a monotonic clock. */
  take(body: Body, taking: Taking, begun: number): Generator<void>;
  /** It is what it was. */
  confirm(now: number): void;
  fail(problem: CsvError): void;
  /** A body has been coming for so long. */
  isLate(ms: number): void;
  /** When it would be good to know whether it still is what it was; undefined if there is no reason. */
  dueAt(): number | undefined;
};

const STATES: Partial<Record<CsvErrorKind, State>> = { "not-csv": "invalid", "unclosed-quote": "invalid" };

/** `now`: a monotonic clock in ms. */
export function openRemoteTable(settings: SourceSettings, events: RemoteTableEvents, now: () => number): RemoteTable {
  const held = openHeld(settings);
  const tailRule = openTailRule(settings.settleMs);
  let hasPublished = false;
  let isAwaited = false;
  let wrong: CsvError | undefined; // what the last body says, which stays so until there is another one
  let lookedAt = -Infinity;

  const columns = () => held.table()?.columns.length ?? 0;

  function* take(body: Body, taking: Taking, begun: number): Generator<void> {
    lookedAt = now();
    const { modifiedAt, quietMs = 0 } = body;
    const outcome = yield* taking.finish((text) => tailRule.appended(text, held.covered(), lookedAt));
    if (outcome === "anew") tailRule.replaced(held.covered(), true, lookedAt - quietMs);
    wrong = undefined;
    const changedAt = hasPublished || modifiedAt === undefined ? Date.now() : Math.min(Date.now(), modifiedAt);
    yield* publish(changedAt, begun);
  }

  function* publish(changedAt: number, begun: number): Generator<void> {
    const tail = held.tail();
    const revision = held.publish(tail === undefined || tailRule.isWhole(tail, columns(), lookedAt));
    if (revision) {
      hasPublished = true;
      yield* events.onPublication(revision, changedAt, begun);
    }
    report();
  }

  function report(): void {
    const table = held.table();
    if (!table || !hasPublished) return;
    const row = held.oversizeRow();
    if (row !== undefined) return fail(oversize(row, settings.maxCellBytes));
    const tail = held.tail();
    const end = table.length() + table.gone().bytes;
    const pendingBytes = tailRule.pendingBytes(tail, end - (tail?.bytes ?? 0), columns(), lookedAt);
    const open = held.openQuote();
    events.onStatus({ state: open ? "invalid" : "live", problem: open && problemOf(open), pendingBytes });
  }

  function fail(problem: CsvError): void {
    const isRemote = problem instanceof RemoteError;
    if (!isRemote) wrong = problem;
    if (hasPublished) return tell((isRemote ? problem.state : STATES[problem.kind]) ?? "stale", problem);
    isAwaited ||= settings.waits === true && isRemote && problem.passes;
    if (!isAwaited) return events.onRefused(problemOf(problem));
    const awaited: Pick<SourceStatus, "awaited"> = isRemote && problem.passes ? { awaited: {} } : {};
    events.onStatus({ state: "waiting", problem: problemOf(problem), ...awaited });
  }

  function tell(state: State, problem: CsvError): void {
    events.onStatus({ state, problem: problemOf(problem) });
  }

  return {
    held,
    take,
    confirm(at) {
      lookedAt = at;
      if (wrong) fail(wrong);
      else atOnce(publish(Date.now(), at));
    },
    fail,
    isLate(ms) {
      if (hasPublished)
        tell("stale", new RemoteError("io", `what comes from there has not ended after ${Math.round(ms / 1000)} s`));
    },
    dueAt: () => tailRule.dueAt(held.tail(), columns(), lookedAt),
  };
}
