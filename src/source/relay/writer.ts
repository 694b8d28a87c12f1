// What a publisher writes into the topic that is its own: changes one after the other, where it is, and a snapshot when changes alone
// do not lead there. What cannot be written is dropped, never waited for: a snapshot makes up for it.
import { randomBytes } from "node:crypto";
import { CsvError } from "../../csv/error.ts";
import { type Cursor, formatCursor } from "../../feed/protocol.ts";
import type { Rendering } from "../file.ts";
import { openLedger, openQueue } from "./queue.ts";
import { type Append, append, type RelayTopic } from "./scripts.ts";
import { hasReached, type RelayFacts, type Snapshot, writeSnapshot } from "./snapshot.ts";
import { entryFields, type RelayStatus } from "./wire.ts";

export type WriterOptions = {
  readonly heartbeatMs: number;
  /** The table that was published last, or a later one. */
  readonly render: () => Promise<Rendering>;
  /** The table cannot be written, though Redis would take it. */
  readonly onTrouble: (why: string) => void;
};

export type RelayWriter = {
  publish(table: RelayFacts, splices: string | undefined): void;
  setStatus(status: RelayStatus): void;
  /** The topic is this server's, and its stream has come to `head`. True if another server has written over this epoch. */
  begin(head: string): boolean;
  /** Writes what is to be written now. False if the topic is not this server's any more. */
  write(topic: RelayTopic): Promise<boolean>;
  /** Milliseconds until there is something to write. */
  dueIn(): number;
  /** Nothing that waits will be written. */
  drop(): void;
  counts(): { entries: number; bytes: number; snapshots: number; pendingEntries: number; pendingBytes: number };
};

const MAX_WAITING_BYTES = 16 << 20;
const MAX_WAITING = 4096;
/** At once, so that a sign of life is not long in coming. */
const BATCH_BYTES = 1 << 20;
const MAX_STREAM_BYTES = 16 << 20;
/** Below this, changes are worth more than the snapshot that would replace them. */
const MIN_CHANGES_BYTES = 1 << 16;
const POLL_MS = 5;
const TROUBLE_PAUSE_MS = 10_000;

const epochOf = (head: string) => head.slice(0, head.lastIndexOf(":"));

/** `wake`: there is something to write. */
export function openWriter({ heartbeatMs, render, onTrouble }: WriterOptions, wake: () => void): RelayWriter {
  const queue = openQueue(MAX_WAITING_BYTES, MAX_WAITING);
  const ledger = openLedger();
  const count = { entries: 0, bytes: 0, snapshots: 0 };
  let table: RelayFacts | undefined;
  let status: RelayStatus = { state: "waiting", message: "", since: Date.now() };
  let snapshot: Snapshot | undefined; // the current one
  let sinceSnapshot = 0; // bytes
  let isBroken = true; // what stands there does not lead to what waits: only a snapshot does
  let isRenewing = false;
  let renewAfter = 0;
  let isStatusDue = true;
  let beatAt = -Infinity;
  let head = "";
  let wroteEpoch = "";
  let current: RelayTopic | undefined; // the connection that is written to

  function publish(next: RelayFacts, splices: string | undefined): void {
    const before = table?.cursor;
    const { epoch, version: to } = next.cursor;
    table = next;
    const limit = Math.max(MIN_CHANGES_BYTES, next.bytes >> 1);
    if (splices === undefined || before?.epoch !== epoch || splices.length > limit) drop();
    else if (
      !queue.add({ kind: "delta", epoch, from: before.version, to, count: next.rows, splices, warnings: next.warnings })
    )
      isBroken = true;
    wake();
  }

  function drop(): void {
    queue.clear();
    isBroken = true;
  }

  function begin(found: string): boolean {
    head = found;
    settle();
    return found !== "" && table !== undefined && wroteEpoch === table.cursor.epoch && epochOf(found) !== wroteEpoch;
  }

  function settle(): void {
    if (!table || !queue.settle(head, table.cursor)) isBroken = true;
  }

  async function write(topic: RelayTopic): Promise<boolean> {
    current = topic;
    if (table && !isRenewing && (isBroken || isSnapshotDue()) && performance.now() >= renewAfter) void renew(topic);
    const entries = entriesDue();
    const { keys } = topic;
    const needed = isBroken || !snapshot ? [] : [keys.pointer, keys.list(snapshot.id)];
    const minId = ledger.trim(Math.max(MAX_STREAM_BYTES, (snapshot?.bytes ?? 0) >> 1), snapshot?.after ?? "0-0");
    const answer = await append(topic, entries, needed, minId);
    if (answer.outcome === "taken" || answer.outcome === "lapsed") return false;
    head = answer.head;
    answer.ids.forEach((id, i) => wrote(id, entries[i]!));
    if (answer.outcome === "gap") isBroken = isStatusDue = true;
    else if (!isBroken) settle();
    return true;
  }

  /** Changes, if they lead on from what is there; and where this server is, if that is to be said. */
  function entriesDue(): Append[] {
    const batch = isBroken ? [] : queue.batch(BATCH_BYTES);
    const entries = batch.map((delta) => {
      const { epoch, from, to } = delta;
      const text = (version: number) => formatCursor({ epoch, version });
      return { from: text(from), to: text(to), fields: entryFields(delta) };
    });
    const isWhole = isBroken || batch.length === queue.entries();
    if (!isWhole || !isBeatDue()) return entries;
    isStatusDue = false;
    beatAt = performance.now();
    // Before its first snapshot a server writes nothing: the epoch of another one may go on, if that has the lease again.
    if (!table || epochOf(head) !== table.cursor.epoch) return entries;
    const fields = entryFields({ kind: "status", ...table.cursor, ...status });
    return [...entries, { from: "", to: "", fields }];
  }

  const isBeatDue = () => isStatusDue || performance.now() - beatAt >= heartbeatMs;

  function wrote(id: string, { from, to, fields }: Append): void {
    const bytes = fields.reduce((sum, { length }) => sum + length, 0);
    if (from !== "") wroteEpoch = epochOf(to);
    count.entries++;
    count.bytes += bytes;
    sinceSnapshot += bytes;
    ledger.add(id, bytes);
  }

  const isSnapshotDue = () => !snapshot || sinceSnapshot > Math.max(MIN_CHANGES_BYTES, snapshot.bytes >> 1);

  /** Beside the changes, which go on if they can. */
  async function renew(topic: RelayTopic): Promise<void> {
    isRenewing = true;
    const newId = () => randomBytes(9).toString("base64url");
    const onWritten = (bytes: number) => void (count.bytes += bytes);
    try {
      const written = await writeSnapshot({
        topic,
        render,
        facts: () => table,
        reached: (cursor) => reached(topic, cursor),
        newId,
        onWritten,
      });
      if (written?.answer.outcome === "done") became(written);
    } catch (error) {
      // What is wrong with the connection shows in the next `write`.
      if (error instanceof CsvError) onTrouble(error.message);
      renewAfter = error instanceof CsvError ? performance.now() + TROUBLE_PAUSE_MS : 0;
      if (!(error instanceof CsvError)) topic.connection.close();
    }
    isRenewing = false;
    wake();
  }

  async function reached(topic: RelayTopic, cursor: Cursor): Promise<void> {
    const isUnderWay = () => !isBroken && table?.cursor.epoch === cursor.epoch && !hasReached(head, cursor);
    while (topic === current && isUnderWay()) await Bun.sleep(POLL_MS);
  }

  /** Changes that were written meanwhile have led further than the snapshot, unless there were none to lead there. */
  function became(written: Snapshot): void {
    snapshot = written;
    count.snapshots++;
    isStatusDue = true;
    if (isBroken) {
      ledger.clear();
      head = written.answer.head;
      wroteEpoch = epochOf(head);
      isBroken = false;
      settle();
    }
    sinceSnapshot = ledger.since(written.after);
  }

  return {
    publish,
    setStatus(next) {
      status = next;
      isStatusDue = true;
      wake();
    },
    begin,
    write,
    dueIn() {
      const isRenewalDue = isBroken && !isRenewing && performance.now() >= renewAfter;
      const isReady = isBroken ? isRenewalDue || isStatusDue : isStatusDue || queue.entries() > 0;
      return isReady && table ? 0 : Math.max(1, beatAt + heartbeatMs - performance.now());
    },
    drop,
    counts: () => ({ ...count, pendingEntries: queue.entries(), pendingBytes: queue.bytes() }),
  };
}
