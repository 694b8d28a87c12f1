// Writing the current table into Redis: part after part into a list that nobody reads yet, which then becomes the snapshot at once.
import { formatCursor } from "../../feed/protocol.ts";
import type { About, Cursor } from "../../feed/publication.ts";
import type { Snapshot } from "../../source/source.ts";
import { type Answer, type RelayTopic, switchSnapshot } from "../scripts.ts";
import { lastId } from "../stream.ts";
import { parsePointer, type RelayList, type RelayPointer } from "../wire.ts";

export type SnapshotOptions = {
  readonly topic: RelayTopic;
  readonly snapshot: () => Promise<Snapshot<"rows">>;
  /** What is published of an epoch; undefined if that is not to be written any more. */
  readonly aboutOf: (epoch: string) => About | undefined;
  /** Waits until the stream has come to this cursor, or the entries that lead there will not be written. */
  readonly reached: (cursor: Cursor) => Promise<void>;
  readonly id: string;
  /** The snapshot that this server has written last, in case that nothing leads there any more. */
  readonly last: RelayList | undefined;
  /** Of an attempt that may have left something behind. */
  readonly unfinished: string | undefined;
  /** Bytes of the lists that are kept of other tables. */
  readonly keptElsewhere: () => number;
  readonly onWritten: (bytes: number) => void;
};

export type WrittenSnapshot = {
  readonly answer: Answer;
  readonly id: string;
  readonly after: string;
  readonly bytes: number;
  /** Of the lists that were kept beside it. */
  readonly keptBytes: number;
};

/** The list before the snapshot goes after this time: somebody may be reading it. */
const KEPT_MS = 60_000;
/** So many lists are kept beside a snapshot, and so many bytes of all tables, or one of any size: the one that is longest there goes. */
const KEPT_LISTS = 2;
const KEPT_BYTES = 16 << 20;
/** A list that does not become the snapshot goes after this time at the latest, without another part. */
const UNFINISHED_MS = 20_000;
/** A slow network may take longer for a part than for anything else. */
const PART_EXTRA_MS = 8_000;

/** Undefined if another table has taken its place meanwhile: then it is to be tried again. */
export async function writeSnapshot(options: SnapshotOptions): Promise<WrittenSnapshot | undefined> {
  const { topic, id, aboutOf } = options;
  const { connection, keys } = topic;
  const old = pointerOf(await connection.send("GET", [keys.pointer]));
  const { unfinished } = options;
  // It has become the snapshot if only the answer was lost.
  if (unfinished !== undefined && unfinished !== old?.id) await connection.send("UNLINK", [keys.list(unfinished)]);
  const after = await lastId(connection, keys.stream); // what is written from here on is later than the snapshot, or in it already
  const { cursor, columns, rows, first, parts, close } = await options.snapshot();
  const about = aboutOf(cursor.epoch);
  if (!about) return void close();
  const written = await push(options, parts);
  await options.reached(cursor);
  if (!aboutOf(cursor.epoch)) return undefined;
  const before = old ?? options.last;
  const { kept, dropped } = before
    ? retire([before, ...(old?.kept ?? [])], options.keptElsewhere())
    : { kept: [], dropped: [] };
  const pointer: RelayPointer = {
    ...cursor,
    id,
    bytes: written.bytes,
    kept,
    columns: JSON.parse(columns.json) as string[],
    rows,
    parts: written.parts,
    after,
    file: about.name,
    dialect: about.dialect,
    warnings: about.warnings,
    changedAt: Math.floor(about.changedAt),
    ...(first && { first }),
    verdicts: columns.verdicts,
  };
  // The entries of whoever wrote before, as far as somebody may be reading them.
  const minId = old && old.epoch !== cursor.epoch ? old.after : "";
  const answer = await switchSnapshot(topic, pointer, { id: before?.id ?? id, keptMs: KEPT_MS, minId, dropped });
  const keptBytes = kept.reduce((sum, { bytes }) => sum + bytes, 0);
  return { answer, id, after, bytes: written.bytes, keptBytes };
}

/** What stays of lists, the last one first, and what goes: however often tables are rewritten, they are within bounds. */
export function retire(lists: readonly RelayList[], elsewhere = 0): { kept: RelayList[]; dropped: RelayList[] } {
  let sum = elsewhere;
  const isOver = ({ bytes }: RelayList, i: number) => (sum += bytes) > KEPT_BYTES && i > 0;
  const first = lists.findIndex((list, i) => isOver(list, i) || i >= KEPT_LISTS);
  const end = first === -1 ? lists.length : first;
  const plain = lists.map(({ id, bytes }) => ({ id, bytes }));
  return { kept: plain.slice(0, end), dropped: plain.slice(end) };
}

/** One after the other, so that changes find their way between them. */
async function push({ topic, id, onWritten }: SnapshotOptions, parts: Snapshot<"rows">["parts"]) {
  const { connection, keys } = topic;
  const list = keys.list(id);
  const written = { parts: 0, bytes: 0 };
  for await (const { text, bytes } of parts) {
    const pushed = connection.send("RPUSH", [list, text], PART_EXTRA_MS);
    await Promise.all([pushed, connection.send("PEXPIRE", [list, `${UNFINISHED_MS}`], PART_EXTRA_MS)]);
    written.parts++;
    written.bytes += bytes;
    onWritten(bytes);
  }
  return written;
}

/** The keys of a table that is published no more. */
export async function keysInUse({ connection, keys }: RelayTopic): Promise<string[]> {
  const pointer = pointerOf(await connection.send("GET", [keys.pointer]));
  const lists = pointer ? [pointer, ...pointer.kept] : [];
  return [keys.head, keys.stream, keys.pointer, ...lists.map(({ id }) => keys.list(id))];
}

/** What is stored there may be anything. */
function pointerOf(text: unknown): RelayPointer | undefined {
  try {
    return typeof text === "string" ? parsePointer(text, Infinity) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a stream that has come to `head` is at this cursor, or behind it in its epoch. */
export function hasReached(head: string, cursor: Cursor): boolean {
  if (!head.startsWith(`${cursor.epoch}:`)) return false;
  return head === formatCursor(cursor) || Number(head.slice(cursor.epoch.length + 1)) > cursor.version;
}
