// Writing the current table into Redis: part after part into a list that nobody reads yet, which then becomes the snapshot at once.
import { type Cursor, formatCursor } from "../../feed/protocol.ts";
import type { Rendering } from "../file.ts";
import { type Answer, type RelayTopic, switchSnapshot } from "./scripts.ts";
import { lastId } from "./stream.ts";
import { parsePointer, type RelayPointer } from "./wire.ts";

/** A table to be written: what the rendering does not say of it. */
export type RelayFacts = {
  readonly cursor: Cursor;
  readonly columnsJson: string;
  readonly rows: number;
  /** About what it takes as text. */
  readonly bytes: number;
  readonly file: string;
  readonly dialect: string;
  readonly warnings: readonly string[];
};

export type SnapshotOptions = {
  readonly topic: RelayTopic;
  /** The table on air. */
  readonly render: () => Promise<Rendering>;
  readonly facts: () => RelayFacts | undefined;
  /** Waits until the stream has come to this cursor, or the entries that lead there will not be written. */
  readonly reached: (cursor: Cursor) => Promise<void>;
  readonly newId: () => string;
  readonly onWritten: (bytes: number) => void;
};

export type Snapshot = { readonly answer: Answer; readonly id: string; readonly after: string; readonly bytes: number };

/** A list that does not become the snapshot goes after this time, and the one before it, which somebody may be reading. */
const KEPT_MS = 60_000;
/** A slow network may take longer for a part than for anything else. */
const PART_EXTRA_MS = 8_000;

/** Undefined if another table has taken its place meanwhile: then it is to be tried again. */
export async function writeSnapshot(options: SnapshotOptions): Promise<Snapshot | undefined> {
  const { topic, facts } = options;
  const { connection, keys } = topic;
  const old = pointerOf(await connection.send("GET", [keys.pointer]));
  const after = await lastId(connection, keys.stream); // all that is written from here on is a later version than what is rendered
  const rendering = await options.render();
  const table = facts();
  if (!table || table.cursor.version !== rendering.version) return undefined;
  const id = options.newId();
  const bytes = await push(options, id, rendering);
  await options.reached(table.cursor);
  if (facts()?.cursor.epoch !== table.cursor.epoch) return undefined;
  const pointer: RelayPointer = {
    ...table.cursor,
    id,
    columns: JSON.parse(table.columnsJson) as string[],
    rows: rendering.rows,
    parts: rendering.parts.length,
    after,
    file: table.file,
    dialect: table.dialect,
    warnings: table.warnings,
  };
  // The entries of whoever wrote before, as far as somebody may be reading them.
  const minId = old && old.epoch !== table.cursor.epoch ? old.after : "";
  return {
    answer: await switchSnapshot(topic, pointer, { id: old?.id ?? id, keptMs: KEPT_MS, minId }),
    id,
    after,
    bytes,
  };
}

/** One after the other, so that changes find their way between them. */
async function push({ topic, onWritten }: SnapshotOptions, id: string, { parts }: Rendering): Promise<number> {
  const { connection, keys } = topic;
  const list = keys.list(id);
  let bytes = 0;
  for (const { text } of parts) {
    const pushed = connection.send("RPUSH", [list, text], PART_EXTRA_MS);
    await Promise.all([pushed, connection.send("PEXPIRE", [list, `${KEPT_MS}`], PART_EXTRA_MS)]);
    bytes += text.length;
    onWritten(text.length);
  }
  return bytes;
}

/** What stands there may be anything. */
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
