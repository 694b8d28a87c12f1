// What a publisher writes into the topic that is its own: changes one after the other, where it is, and a snapshot when changes alone
// do not lead there. What cannot be written is dropped, never waited for: a snapshot makes up for it.
import { randomBytes } from "node:crypto";
import { CsvError } from "../../csv/error.ts";
import { formatCursor } from "../../feed/protocol.ts";
import type { About, Cursor, Publication, Status } from "../../feed/publication.ts";
import type { Snapshot } from "../../source/source.ts";
import { type Append, append, type RelayTopic } from "../scripts.ts";
import { refusalOf } from "../redis.ts";
import { entryFields } from "../wire.ts";
import { type Delta, openLedger, openQueue } from "./queue.ts";
import { hasReached, writeSnapshot, type WrittenSnapshot } from "./snapshot.ts";

export type WriterOptions = {
  readonly heartbeatMs: number;
  /** The table that was published last, or a later one. */
  readonly snapshot: () => Promise<Snapshot<"rows">>;
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
  /** The connection that is written to. */
  topic: RelayTopic | undefined;
  /** The cursor that the stream has come to, as text; "" for none. */
  head: string;
  /** Of the last entry or snapshot of this server. */
  writtenEpoch: string;
  /** Another server has written over this epoch: nothing of it may be written any more. */
  foreignEpoch: string | undefined;
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
  isStatusDue: boolean;
  heartbeatAt: number;
  trouble: string;
  /** How often Redis has refused the snapshot, one time after the other. */
  refusals: number;
  entries: number;
  bytes: number;
  snapshots: number;
};

const MAX_PENDING_BYTES = 16 << 20;
const MAX_PENDING = 4096;
/** At once, so that a heartbeat is not long in coming. */
const BATCH_BYTES = 1 << 20;
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

export const epochOf = (head: string) => head.slice(0, head.lastIndexOf(":"));

export function newWriter(options: WriterOptions): WriterState {
  return {
    options,
    queue: openQueue(MAX_PENDING_BYTES, MAX_PENDING),
    ledger: openLedger(),
    published: undefined,
    status: undefined,
    topic: undefined,
    head: "",
    writtenEpoch: "",
    foreignEpoch: undefined,
    snapshot: undefined,
    unfinished: undefined,
    bytesSinceSnapshot: 0,
    needsSnapshot: true,
    isWritingSnapshot: false,
    snapshotAt: 0,
    isStatusDue: true,
    heartbeatAt: -Infinity,
    trouble: "",
    refusals: 0,
    entries: 0,
    bytes: 0,
    snapshots: 0,
  };
}

/** A table has taken the place of the one before. */
export function addPublication(state: WriterState, publication: Publication): void {
  const delta = deltaOf(state.published, publication);
  const { epoch } = publication.cursor;
  state.published = publication;
  state.status ??= { state: "live", message: "", since: Date.now() };
  if (epoch !== state.foreignEpoch) state.foreignEpoch = undefined;
  if (!delta) dropPending(state);
  else if (!state.queue.add(delta)) state.needsSnapshot = true;
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

/** Writes what is to be written now. False if the topic is not this server's any more. */
export async function write(state: WriterState, topic: RelayTopic): Promise<boolean> {
  state.topic = topic;
  if (isSnapshotDue(state, performance.now())) void renewSnapshot(state, topic);
  const entries = entriesDue(state, performance.now());
  const { ledger, snapshot } = state;
  const { keys } = topic;
  const needed = state.needsSnapshot || !snapshot ? [] : [keys.pointer, keys.list(snapshot.id)];
  const minId = ledger.trim(Math.max(MAX_STREAM_BYTES, (snapshot?.bytes ?? 0) >> 1), snapshot?.after ?? "0-0");
  const answer = await append(topic, entries, needed, minId);
  if (answer.outcome === "taken" || answer.outcome === "lapsed") {
    stopWriting(state);
    return false;
  }
  state.head = answer.head;
  answer.ids.forEach((id, i) => count(state, id, entries[i]!));
  if (answer.outcome === "gap") state.needsSnapshot = state.isStatusDue = true;
  else if (!state.needsSnapshot) settle(state);
  return true;
}

/** A snapshot that is under way ends. */
export function stopWriting(state: WriterState): void {
  state.topic = undefined;
}

/** Changes, if they lead on from what is stored; and where this server is, if that is to be written. */
export function entriesDue(state: WriterState, now: number): Append[] {
  const { queue, published, status, head } = state;
  const batch = state.needsSnapshot ? [] : queue.batch(BATCH_BYTES);
  const entries = batch.map(appendOf);
  const isWhole = state.needsSnapshot || batch.length === queue.entries();
  if (!isWhole || !isStatusEntryDue(state, now)) return entries;
  state.isStatusDue = false;
  state.heartbeatAt = now;
  // Before its first snapshot a server writes nothing: the epoch of another one may go on, if that has the lease again.
  if (!published || !status || epochOf(head) !== published.cursor.epoch) return entries;
  const fields = entryFields({ kind: "status", ...published.cursor, ...status });
  return [...entries, { from: "", to: "", fields }];
}

function appendOf(delta: Delta): Append {
  const { epoch, from, to } = delta;
  const text = (version: number) => formatCursor({ epoch, version });
  return { from: text(from), to: text(to), fields: entryFields(delta) };
}

const isStatusEntryDue = ({ isStatusDue, heartbeatAt, options }: WriterState, now: number) =>
  isStatusDue || now - heartbeatAt >= options.heartbeatMs;

function count(state: WriterState, id: string, { from, to, fields }: Append): void {
  const bytes = fields.reduce((sum, { length }) => sum + length, 0);
  state.entries++;
  state.bytes += bytes;
  if (from === "") return; // is not in the stream
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
async function renewSnapshot(state: WriterState, topic: RelayTopic): Promise<void> {
  const { unfinished, snapshot: last } = state;
  const id = randomBytes(9).toString("base64url");
  state.isWritingSnapshot = true;
  state.unfinished = id;
  try {
    const written = await writeSnapshot({
      topic,
      snapshot: state.options.snapshot,
      aboutOf: (epoch) => (topic === state.topic ? aboutOf(state, epoch) : undefined),
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
  while (topic === state.topic && isUnderWay()) await Bun.sleep(POLL_MS);
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

/** Milliseconds until there is something to write. */
export function dueInMs(state: WriterState, now: number): number {
  const { published, needsSnapshot, isStatusDue, queue, heartbeatAt, snapshotAt, options } = state;
  const isReady = isStatusDue || (needsSnapshot ? isSnapshotDue(state, now) : queue.entries() > 0);
  if (isReady && published) return 0;
  const heartbeatInMs = Math.max(1, heartbeatAt + options.heartbeatMs - now);
  const isPostponed = needsSnapshot && snapshotAt > now;
  return isPostponed ? Math.min(heartbeatInMs, Math.max(1, snapshotAt - now)) : heartbeatInMs;
}

export function countsOf({ entries, bytes, snapshots, queue }: WriterState) {
  return { entries, bytes, snapshots, pendingEntries: queue.entries(), pendingBytes: queue.bytes() };
}
