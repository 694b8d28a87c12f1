// What is to be written of one table into the topic of its server: changes one after the other, where it is, and a snapshot when changes
// alone do not lead there. What cannot be written is dropped, never waited for: a snapshot makes up for it.
import { randomBytes } from "node:crypto";
import { CsvError } from "../../csv/error.ts";
import { formatCursor } from "../../feed/protocol.ts";
import type { About, Cursor, Publication, Status } from "../../feed/publication.ts";
import type { Snapshot } from "../../source/source.ts";
import type { Answer, Append, Appends, RelayTopic } from "../scripts.ts";
import { refusalOf, type RelayConnection } from "../redis.ts";
import { entryFields, type relayKeys, statusText } from "../wire.ts";
import { type Budget, type Delta, openLedger, openQueue } from "./queue.ts";
import { hasReached, writeSnapshot, type WrittenSnapshot } from "./snapshot.ts";

export type WriterOptions = {
  readonly keys: ReturnType<typeof relayKeys>;
  /** Of all tables. */
  readonly budget: Budget;
  /** The table that was published last, or a later one. */
  readonly snapshot: () => Promise<Snapshot<"rows">>;
  /** Bytes of the lists that are kept of other tables. */
  readonly keptElsewhere: () => number;
  /** The table cannot be written, though Redis would take it. Once for each reason, until one was written. */
  readonly onTrouble: (reason: string) => void;
  /** There is something to write. */
  readonly onDue: () => void;
};

export type WriterState = {
  readonly options: WriterOptions;
  readonly queue: ReturnType<typeof openQueue>;
  readonly ledger: ReturnType<typeof openLedger>;
  published: Publication | undefined;
  status: Status | undefined;
  /** The last publication came through a relay itself: nothing of it is published. */
  isRelayed: boolean;
  /** What is written to, while the topic is this server's. */
  connection: RelayConnection | undefined;
  /** The cursor that the stream has come to, as text; "" for none. */
  head: string;
  /** Of the last entry or snapshot of this server. */
  writtenEpoch: string;
  /** Another server has written over this epoch: nothing of it may be written any more. */
  foreignEpoch: string | undefined;
  /** When that was reported last, by the monotonic clock. */
  foreignAt: number;
  /** The current snapshot. */
  snapshot: WrittenSnapshot | undefined;
  /** The list of a snapshot that was begun, and may have been left behind. */
  unfinished: string | undefined;
  bytesSinceSnapshot: number;
  /** What is stored does not lead to what is pending: only a snapshot does. */
  needsSnapshot: boolean;
  isWritingSnapshot: boolean;
  /** No snapshot is begun before; by the monotonic clock, as all times here. */
  snapshotAt: number;
  /** How its file is has not been said yet, nor, `isMoved`, where it is. */
  isStatusDue: boolean;
  isMoved: boolean;
  trouble: string;
  /** How often Redis has refused the snapshot, one time after the other. */
  refusals: number;
  entries: number;
  bytes: number;
  snapshots: number;
};

/** Of the streams of all tables. */
const MAX_STREAM_BYTES = 16 << 20;
/** Below this, changes are worth more than the snapshot that would replace them. */
const MIN_CHANGES_BYTES = 1 << 16;
const POLL_MS = 5;
/** A snapshot is tried again after this time: of a table that was replaced meanwhile or could not be read, or that is too large. */
const RETRY_PAUSE_MS = 100;
const TOO_LARGE_PAUSE_MS = 10_000;
/** After Redis has refused one; doubles each time. */
const REFUSED_PAUSE_MS = 500;
const MAX_REFUSED_PAUSE_MS = 30_000;

const epochOf = (head: string) => head.slice(0, head.lastIndexOf(":"));

export function newWriter(options: WriterOptions): WriterState {
  return {
    options,
    queue: openQueue(options.budget),
    ledger: openLedger(options.budget),
    published: undefined,
    status: undefined,
    isRelayed: false,
    connection: undefined,
    head: "",
    writtenEpoch: "",
    foreignEpoch: undefined,
    foreignAt: -Infinity,
    snapshot: undefined,
    unfinished: undefined,
    bytesSinceSnapshot: 0,
    needsSnapshot: true,
    isWritingSnapshot: false,
    snapshotAt: 0,
    isStatusDue: true,
    isMoved: false,
    trouble: "",
    refusals: 0,
    entries: 0,
    bytes: 0,
    snapshots: 0,
  };
}

/** A table has taken the place of the one before. */
export function publish(state: WriterState, publication: Publication): void {
  state.isRelayed = publication.about.relay !== undefined;
  if (state.isRelayed) setStatus(state, undefined);
  else addPublication(state, publication);
}

function addPublication(state: WriterState, publication: Publication): void {
  const delta = deltaOf(state.published, publication);
  const { epoch } = publication.cursor;
  state.published = publication;
  state.status ??= { state: "live", message: "", since: Date.now() };
  if (epoch !== state.foreignEpoch) state.foreignEpoch = undefined;
  if (delta) state.queue.add(delta);
  else dropPending(state);
  state.isMoved = true;
  state.options.onDue();
}

/** Undefined if the table is to be taken anew, or the change is worth no more than that. */
function deltaOf(before: Publication | undefined, publication: Publication): Delta | undefined {
  const { cursor, splices, rows: count, first, about } = publication;
  const { epoch, version: to } = cursor;
  const limit = Math.max(MIN_CHANGES_BYTES, about.bytes >> 1);
  if (splices === undefined || before?.cursor.epoch !== epoch || splices.length > limit) return undefined;
  const { warnings, changedAt } = about;
  const from = before.cursor.version;
  const { verdicts } = publication.columns;
  const known = before.columns.verdicts;
  const isRefined = verdicts !== undefined && (verdicts.types !== known?.types || verdicts.units !== known?.units);
  const facts = { warnings, changedAt: Math.floor(changedAt), ...(first && { first }), ...(isRefined && { verdicts }) };
  return { kind: "delta", epoch, from, to, count, splices, ...facts };
}

/** Undefined: that of the next publication, which is live. */
export function setStatus(state: WriterState, status: Status | undefined): void {
  state.status = status;
  state.isStatusDue = true;
  if (status) state.options.onDue();
}

/** Nothing that is pending will be written. */
export function dropPending(state: WriterState): void {
  state.queue.clear();
  state.needsSnapshot = true;
}

/** The topic is this server's, and its stream has come to `head`. */
export function begin(state: WriterState, head: string): void {
  const { published, writtenEpoch } = state;
  state.head = head;
  settle(state);
  const isForeign = head !== "" && epochOf(head) !== writtenEpoch;
  if (isForeign && published?.cursor.epoch === writtenEpoch) state.foreignEpoch = writtenEpoch;
}

function settle(state: WriterState): void {
  const { published, queue, head } = state;
  if (!published || !queue.settle(head, published.cursor)) state.needsSnapshot = true;
}

/**
 * What is to be written now, of changes about `maxBytes`; undefined for nothing. `isChecked`: it is also to be seen whether the snapshot
 * is still there.
 */
export function appendsOf(state: WriterState, maxBytes: number, isChecked: boolean): Appends | undefined {
  const { ledger, snapshot, queue, options } = state;
  const { keys } = options;
  const isWritable = !state.needsSnapshot && snapshot !== undefined;
  const batch = isWritable && maxBytes > 0 ? queue.batch(maxBytes) : [];
  if (batch.length === 0 && !isChecked) return undefined;
  return {
    keys,
    entries: batch.map(appendOf),
    needed: isWritable ? [keys.pointer, keys.list(snapshot.id)] : [],
    minId: ledger.trim(MAX_STREAM_BYTES, (snapshot?.bytes ?? 0) >> 1, snapshot?.after ?? "0-0"),
  };
}

/** What came of it. */
export function takeAnswer(state: WriterState, { entries }: Appends, answer: Answer): void {
  state.head = answer.head;
  answer.ids.forEach((id, i) => count(state, id, entries[i]!));
  if (answer.outcome === "gap") state.needsSnapshot = state.isStatusDue = true;
  else if (!state.needsSnapshot) settle(state);
}

/**
 * What can be said of the table when these changes have been written. Before its first snapshot that is nothing: the epoch of another
 * server may go on, if that has the lease again.
 */
export function saidWith(state: WriterState, appends: Appends | undefined): string | undefined {
  const { queue, published, status, head } = state;
  if (!state.needsSnapshot && (appends?.entries.length ?? 0) < queue.entries()) return undefined;
  state.isStatusDue = false;
  if (!published || !status || epochOf(head) !== published.cursor.epoch) return undefined;
  state.isMoved = false;
  return statusText(published.cursor, status);
}

/** A snapshot that is under way ends. */
export function stopWriting(state: WriterState): void {
  state.connection = undefined;
}

function appendOf(delta: Delta): Append {
  const { epoch, from, to } = delta;
  const text = (version: number) => formatCursor({ epoch, version });
  return { from: text(from), to: text(to), fields: entryFields(delta) };
}

function count(state: WriterState, id: string, { to, fields }: Append): void {
  const bytes = fields.reduce((sum, { length }) => sum + length, 0);
  state.entries++;
  state.bytes += bytes;
  state.writtenEpoch = epochOf(to);
  state.bytesSinceSnapshot += bytes;
  state.ledger.add(id, bytes);
}

export function isSnapshotDue(state: WriterState, now: number): boolean {
  const { published, snapshot, foreignEpoch, isWritingSnapshot, needsSnapshot, snapshotAt, bytesSinceSnapshot } = state;
  if (!published || published.cursor.epoch === foreignEpoch || isWritingSnapshot || now < snapshotAt) return false;
  return needsSnapshot || !snapshot || bytesSinceSnapshot > Math.max(MIN_CHANGES_BYTES, snapshot.bytes >> 1);
}

/** Beside the changes, which go on if they can. */
export async function renewSnapshot(state: WriterState, server: RelayTopic): Promise<void> {
  const topic = { ...server, keys: state.options.keys };
  const { unfinished, snapshot: last } = state;
  const id = randomBytes(9).toString("base64url");
  state.isWritingSnapshot = true;
  state.unfinished = id;
  try {
    const written = await writeSnapshot({
      topic,
      snapshot: state.options.snapshot,
      keptElsewhere: state.options.keptElsewhere,
      aboutOf: (epoch) => (topic.connection === state.connection ? aboutOf(state, epoch) : undefined),
      reached: (cursor) => reached(state, topic, cursor),
      ...{ id, last, unfinished },
      onWritten: (bytes) => void (state.bytes += bytes),
    });
    if (!written) state.snapshotAt = performance.now() + RETRY_PAUSE_MS;
    else if (written.answer.outcome === "done") adopt(state, written);
  } catch (error) {
    // What is wrong with the connection shows in the next `write`.
    if (error instanceof CsvError) postpone(state, error);
    else if (refusalOf(error) !== undefined) postponeRefused(state, (error as Error).message);
    else topic.connection.close();
  }
  state.isWritingSnapshot = false;
  state.options.onDue();
}

function aboutOf({ published, foreignEpoch }: WriterState, epoch: string): About | undefined {
  return published?.cursor.epoch === epoch && epoch !== foreignEpoch ? published.about : undefined;
}

function postpone(state: WriterState, { kind, reason }: CsvError): void {
  state.snapshotAt = performance.now() + (kind === "too-large" ? TOO_LARGE_PAUSE_MS : RETRY_PAUSE_MS);
  if (kind !== "closed") report(state, reason); // closed: another source takes its place
}

/** The rest of what is written may go on: a status takes less room, and needs fewer permissions. */
function postponeRefused(state: WriterState, reason: string): void {
  const pauseMs = Math.min(REFUSED_PAUSE_MS * 2 ** Math.min(state.refusals++, 10), MAX_REFUSED_PAUSE_MS);
  state.snapshotAt = performance.now() + pauseMs;
  report(state, reason);
}

function report(state: WriterState, reason: string): void {
  if (state.trouble === reason) return;
  state.trouble = reason;
  state.options.onTrouble(reason);
}

async function reached(state: WriterState, topic: RelayTopic, cursor: Cursor): Promise<void> {
  const isUnderWay = () =>
    !state.needsSnapshot && state.published?.cursor.epoch === cursor.epoch && !hasReached(state.head, cursor);
  while (topic.connection === state.connection && isUnderWay()) await Bun.sleep(POLL_MS);
}

/** Changes that were written meanwhile have led further than the snapshot, unless there were none to lead there. */
function adopt(state: WriterState, written: WrittenSnapshot): void {
  state.snapshot = written;
  state.unfinished = undefined;
  state.snapshots++;
  state.isStatusDue = true;
  state.trouble = "";
  state.refusals = 0;
  if (state.needsSnapshot) {
    state.ledger.clear();
    state.head = written.answer.head;
    state.writtenEpoch = epochOf(state.head);
    state.needsSnapshot = false;
    settle(state);
  }
  state.bytesSinceSnapshot = state.ledger.since(written.after);
}

/** Milliseconds until there is something to write of it; Infinity for nothing. `maySnapshot`: one may be begun. */
export function dueInMs(state: WriterState, now: number, maySnapshot: boolean): number {
  const { published, needsSnapshot, isStatusDue, queue, snapshotAt } = state;
  if (!published) return Infinity;
  if (isStatusDue || (!needsSnapshot && queue.entries() > 0)) return 0;
  if (!maySnapshot || state.isWritingSnapshot) return Infinity;
  if (isSnapshotDue(state, now)) return 0;
  return needsSnapshot && snapshotAt > now ? Math.max(1, snapshotAt - now) : Infinity;
}
