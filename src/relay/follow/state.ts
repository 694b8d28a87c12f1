// What a follower knows of the table of its publisher, and what each entry of the stream makes of that. Reads nothing and waits for
// nothing: `follower.ts` does, and passes on what is to be published. RELAY.md has the rules.
import { CsvError } from "../../csv/error.ts";
import { printable } from "../../feed/printable.ts";
import type { Columns, Cursor, Publication, Status } from "../../feed/publication.ts";
import type { SourceStatus } from "../../source/source.ts";
import { redacted } from "../address.ts";
import { parseSplices, type RelayBeat, type RelayEntry, type RelayPointer, type RelayStatus } from "../wire.ts";
import type { RelayTable } from "./table.ts";

/** The publisher's table, as far as it is known here. */
export type Copy = {
  readonly epoch: string;
  version: number;
  warnings: readonly string[];
  /** ms since 1970. */
  changedAt: number;
  /** Rows of the file in front of it. */
  first: number;
  readonly pointer: RelayPointer;
  columns: Columns;
  readonly contents: RelayTable;
};

export type FollowerState = {
  /** What the relay is called. */
  readonly name: string;
  /** Without a confirmation for so long the table counts as stale. */
  readonly silenceMs: number;
  copy: Copy | undefined;
  /** When it was read as a whole; all times but `heardAt` and `changedAt` are those of a monotonic clock in ms. */
  copiedAt: number;
  /** The last publication, of this follower or an earlier one. */
  published: Cursor | undefined;
  /** Whether `copy` is what was published last. */
  isCopyPublished: boolean;
  /** When the publisher was last known to be where `copy` is. */
  confirmedAt: number;
  /** The same, in ms since 1970; 0 for never. */
  heardAt: number;
  publisherStatus: Status | undefined;
  isConnected: boolean;
  /** What is wrong with the relay, without its name; "" until a first attempt has shown something. */
  problem: string;
  /** What was wrong with an entry that was passed over since the publisher was last known to be where `copy` is. */
  skipped: string;
};

/** What concerns one table: an entry of its stream, or what a beat says of it. */
export type TableEntry = Exclude<RelayEntry, RelayBeat> | RelayStatus;

/** `now` is a monotonic clock, `date` in ms since 1970. */
export type Moment = { readonly now: number; readonly date: number };

/** `splices` as in a publication; `noticedAt` by the monotonic clock. */
export type Change = { readonly splices: string | undefined; readonly noticedAt: number };

export type Step = {
  /** `ahead`: the publisher may be further than what is known here; `gap`: it is, and the entries between are missing. */
  readonly place: "follows" | "ahead" | "gap";
  /** What is to be published. */
  readonly change?: Change | undefined;
  /** The publisher is where `copy` is. */
  readonly isConfirmed?: boolean;
};

export function newState(name: string, silenceMs: number, resume: Cursor | undefined): FollowerState {
  return {
    name,
    silenceMs,
    copy: undefined,
    copiedAt: 0,
    published: resume,
    isCopyPublished: false,
    confirmedAt: -Infinity,
    heardAt: 0,
    publisherStatus: undefined,
    isConnected: false,
    problem: "",
    skipped: "",
  };
}

/** A snapshot was read as a whole. It is not published before it is confirmed. */
export function takeSnapshot(
  state: FollowerState,
  pointer: RelayPointer,
  contents: RelayTable,
  { now, date }: Moment,
): void {
  const { epoch, version, warnings, verdicts } = pointer;
  const columns = { count: pointer.columns.length, json: JSON.stringify(pointer.columns), verdicts };
  const changedAt = changedAtOf(pointer.changedAt, date);
  const { first = 0 } = pointer;
  state.copy = { epoch, version, warnings, changedAt, first, pointer, columns, contents };
  state.isCopyPublished = false;
  state.copiedAt = now;
}

/** Takes an entry, or passes over one that is malformed. Throws CsvError, and leaves the table as it was, for what is too large. */
export function takeOrSkip(state: FollowerState, entry: TableEntry, isFresh: boolean, moment: Moment): Step {
  try {
    return take(state, entry, isFresh, moment);
  } catch (error) {
    if (!(error instanceof CsvError) || error.kind !== "io") throw error;
    state.skipped = error.reason;
    return { place: "follows" };
  }
}

/** Takes an entry; `isFresh` if it says something of now. Throws CsvError, and leaves the table as it was, for what cannot be taken. */
export function take(state: FollowerState, entry: TableEntry, isFresh: boolean, moment: Moment): Step {
  if (entry.kind === "delta") return takeDelta(state, entry, isFresh, moment);
  if (entry.kind === "status" && isFresh) {
    const { state: said, message, since, pendingBytes, replay } = entry;
    state.publisherStatus = { state: said, message, since, pendingBytes, replay };
  }
  const { copy } = state;
  if (copy?.epoch === entry.epoch && copy.version === entry.version)
    return isFresh ? confirm(state, moment) : { place: "follows" };
  const isKnown = copy?.epoch === entry.epoch && copy.version > entry.version;
  if (entry.kind === "status") return { place: isFresh && !isKnown ? "ahead" : "follows" };
  return { place: isKnown ? "follows" : "gap" };
}

function takeDelta(
  state: FollowerState,
  delta: Extract<RelayEntry, { kind: "delta" }>,
  isFresh: boolean,
  moment: Moment,
): Step {
  const { copy } = state;
  if (copy?.epoch !== delta.epoch) return { place: "gap" };
  if (delta.to <= copy.version) return { place: "follows" };
  if (delta.from !== copy.version) return { place: "gap" };
  const { table } = copy.contents;
  const splices = copy.contents.apply(parseSplices(delta.splices, table.columns.length, table.rows(), delta.count));
  copy.version = delta.to;
  copy.warnings = delta.warnings;
  copy.first = delta.first ?? 0;
  if (delta.verdicts) copy.columns = { ...copy.columns, verdicts: delta.verdicts };
  copy.changedAt = changedAtOf(delta.changedAt, moment.date);
  const change = state.isCopyPublished ? publish(state, copy, { splices, noticedAt: moment.now }) : undefined;
  if (!isFresh) return { place: "follows", change };
  const confirmed = confirm(state, moment);
  return { ...confirmed, change: change ?? confirmed.change };
}

/** A snapshot counts only now: what an engine has in it that was restarted from an old state would take versions back. */
function confirm(state: FollowerState, { now, date }: Moment): Step {
  state.confirmedAt = Math.max(state.confirmedAt, now);
  state.heardAt = date;
  state.skipped = "";
  const { copy } = state;
  const isDue = copy && !state.isCopyPublished && isFurther(copy, state.published);
  const change = isDue ? publish(state, copy, { splices: undefined, noticedAt: state.copiedAt }) : undefined;
  return { place: "follows", change, isConfirmed: true };
}

const isFurther = ({ epoch, version }: Cursor, published: Cursor | undefined) =>
  published?.epoch !== epoch || version >= published.version;

function publish(state: FollowerState, { epoch, version }: Copy, change: Change): Change {
  state.published = { epoch, version };
  state.isCopyPublished = true;
  return change;
}

/** A table that nobody confirms is published all the same after a while, if it is the first one: it is more than nothing. */
export function publishUnconfirmed(state: FollowerState, now: number): Change | undefined {
  const { copy, published, copiedAt, silenceMs } = state;
  if (!copy || published || !isSilent(state, now) || now - copiedAt <= silenceMs) return undefined;
  return publish(state, copy, { splices: undefined, noticedAt: copiedAt });
}

const isSilent = ({ confirmedAt, silenceMs }: FollowerState, now: number) => now - confirmedAt > silenceMs;

/** The connection has failed, could not be had, or was given up for what came. */
export function disconnect(state: FollowerState, error: unknown): void {
  if (error instanceof CsvError) state.problem = `sends what cannot be taken: ${redacted(error.reason)}`;
  else if (state.isConnected || state.problem === "") state.problem = `cannot be read: ${reasonOf(error)}`; // one for each outage
  state.isConnected = false;
  state.confirmedAt = -Infinity;
  if (!state.isCopyPublished) state.copy = undefined;
}

/** The connection is as good as before, but of this table comes what cannot be taken. */
export function fail(state: FollowerState, { reason }: CsvError): void {
  state.skipped = redacted(reason);
  if (!state.copy) state.problem = `sends what cannot be taken: ${state.skipped}`;
}

/** Undefined while there is nothing to say. */
export function statusOf(state: FollowerState, now: number): SourceStatus | undefined {
  const { copy, published, publisherStatus: status, silenceMs, isConnected } = state;
  if (!isSilent(state, now))
    return state.isCopyPublished && status ? { ...status, message: printable(status.message) } : undefined;
  if (!published && isConnected && copy) return undefined; // it is only a matter of the next heartbeat
  const isQuiet = isConnected && copy !== undefined;
  const silence =
    state.skipped === ""
      ? `has no heartbeat of its publisher for ${silenceMs / 1000} s`
      : `sends what cannot be taken: ${state.skipped}`;
  const problem = isQuiet ? silence : state.problem;
  if (!published && problem === "") return undefined;
  const reason = `the relay ${problem}`;
  return { state: published ? "stale" : "waiting", problem: { kind: "io", reason } };
}

/** What is published of the copy, as it is now. */
export function publicationOf(copy: Copy, relay: string, { splices, noticedAt }: Change, now: number): Publication {
  const { epoch, version, warnings, changedAt, pointer, columns, contents } = copy;
  const view = contents.view();
  return {
    cursor: { epoch, version },
    columns,
    rows: view.end - view.first,
    first: copy.first + view.first || undefined,
    splices,
    about: {
      name: printable(pointer.file),
      relay,
      dialect: pointer.dialect,
      warnings,
      changedAt,
      readMs: Math.round((now - noticedAt) * 1000) / 1000,
      bytes: contents.table.length(),
    },
  };
}

const reasonOf = (error: unknown) => redacted(error instanceof Error ? error.message : String(error));

/** When it is not known, the file changed now; a clock that is ahead makes nothing younger than now. */
const changedAtOf = (changedAt: number | undefined, date: number) => Math.min(changedAt ?? date, date);
