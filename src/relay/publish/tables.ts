// The tables of a publisher, under its one lease and one budget: the list of them, and what is to be written next, of all of them at once.
import { randomBytes } from "node:crypto";
import type { Sink } from "../../feed/publication.ts";
import type { Snapshot } from "../../source/source.ts";
import { append, type Appends, type RelayTopic, writeList } from "../scripts.ts";
import { parseTables, relayKeys, type RelayTables, tablesText } from "../wire.ts";
import { type Beats, openBeats, type Said } from "./beats.ts";
import { type Budget, newBudget } from "./queue.ts";
import { keysInUse } from "./snapshot.ts";
import {
  appendsOf,
  begin,
  dropPending,
  dueInMs,
  isSnapshotDue,
  newWriter,
  publish,
  renewSnapshot,
  saidWith,
  setStatus,
  stopWriting,
  takeAnswer,
  type WriterState,
} from "./writer.ts";

/** What a server's tables are called: the first one, if it has a name, and the others. */
export type PublishedTables = Pick<RelayTables, "first" | "others">;

export type TablesOptions = {
  readonly topic: string;
  readonly heartbeatMs: number;
  /** `table`: the name of its keys. */
  readonly onTrouble: (table: string, reason: string) => void;
  /** There is something to write. */
  readonly onDue: () => void;
};

export type TablesState = {
  readonly options: TablesOptions;
  readonly budget: Budget;
  readonly writers: Map<string, WriterState>;
  readonly beats: Beats;
  /** Undefined while they are not known. */
  list: RelayTables | undefined;
  /** The list that is stored, as far as it is known. */
  stored: PublishedTables | undefined;
  isListDue: boolean;
  /** By the monotonic clock, as all times here. */
  heartbeatAt: number;
  /** The table that is the first to be written next. */
  turn: number;
  /** Of beats, and of tables that are gone. */
  readonly counts: { entries: number; bytes: number; snapshots: number };
};

/** Of changes that are pending, of all tables: beyond that the table with most of them drops its own. */
const MAX_PENDING_BYTES = 16 << 20;
const MAX_PENDING = 4096;
/** At once, so that a heartbeat is not long in coming. */
const BATCH_BYTES = 1 << 20;
/** Snapshots that are written at once. */
const MAX_SNAPSHOTS = 4;
/** Of so many tables each heartbeat sees whether their snapshots are still there. */
const CHECKED_PER_BEAT = 32;

export const newTables = (options: TablesOptions): TablesState => ({
  options,
  budget: newBudget(),
  writers: new Map(),
  beats: openBeats(),
  list: undefined,
  stored: undefined,
  isListDue: false,
  heartbeatAt: -Infinity,
  turn: 0,
  counts: { entries: 0, bytes: 0, snapshots: 0 },
});

/** Takes what is published of a table. */
export function openTable(state: TablesState, name: string, snapshot: () => Promise<Snapshot<"rows">>): Sink {
  const { writers, budget, options } = state;
  dropTable(state, name);
  const keptElsewhere = () =>
    [...writers.values()].reduce((sum, other) => sum + (other === writer ? 0 : (other.snapshot?.keptBytes ?? 0)), 0);
  const writer = newWriter({
    keys: relayKeys(options.topic, name),
    ...{ budget, snapshot, keptElsewhere },
    onTrouble: (reason) => options.onTrouble(name, reason),
    onDue: options.onDue,
  });
  writers.set(name, writer);
  return {
    publish(publication) {
      publish(writer, publication);
      makeRoom(state);
    },
    setStatus(status) {
      if (!writer.isRelayed) setStatus(writer, status);
    },
    close() {
      if (writers.get(name) === writer) dropTable(state, name);
    },
  };
}

function dropTable({ writers, counts }: TablesState, name: string): void {
  const writer = writers.get(name);
  if (!writer) return;
  writers.delete(name);
  stopWriting(writer);
  dropPending(writer);
  writer.ledger.clear();
  for (const key of ["entries", "bytes", "snapshots"] as const) counts[key] += writer[key];
}

function makeRoom({ budget: { pending }, writers }: TablesState): void {
  while (pending.bytes > MAX_PENDING_BYTES || pending.entries > MAX_PENDING) {
    const isBytes = pending.bytes > MAX_PENDING_BYTES;
    const sizeOf = ({ queue }: WriterState) => (isBytes ? queue.bytes() : queue.entries());
    dropPending([...writers.values()].reduce((most, one) => (sizeOf(one) > sizeOf(most) ? one : most)));
  }
}

/** Makes these the tables. */
export function setTables(state: TablesState, { first, others }: PublishedTables): void {
  const { list, writers } = state;
  if (list && list.first === first && list.others.join("/") === others.join("/")) return;
  for (const name of list?.others ?? []) if (writers.has(name) && !others.includes(name)) dropTable(state, name);
  state.list = { id: randomBytes(6).toString("base64url"), first, others };
  state.isListDue = true;
  state.options.onDue();
}

/** The keys of the heads of the tables, as `beginAll` needs them. */
export const headKeys = ({ writers }: TablesState) => [...writers.values()].map(({ options }) => options.keys.head);

/** The topic is this server's; `list` is what is stored there, and `heads` what their streams have come to. */
export function beginAll(state: TablesState, list: string, heads: readonly string[]): void {
  state.stored = listIn(list);
  state.isListDue = state.list !== undefined && list !== tablesText(state.list);
  state.beats.renew();
  state.heartbeatAt = -Infinity;
  [...state.writers.values()].forEach((writer, i) => begin(writer, heads[i] ?? ""));
}

/** What is stored there may be anything. */
function listIn(text: string): PublishedTables | undefined {
  try {
    return text === "" ? undefined : parseTables(text);
  } catch {
    return undefined;
  }
}

/** Snapshots that are under way end. */
export function stopAll({ writers }: TablesState): void {
  for (const writer of writers.values()) stopWriting(writer);
}

type Turn = { readonly name: string; readonly writer: WriterState; readonly appends: Appends | undefined };

/** Writes what is to be written now. False if the topic is not this server's any more. */
export async function writeAll(state: TablesState, topic: RelayTopic): Promise<boolean> {
  if (state.isListDue && !(await renewList(state, topic))) return false;
  const { options, beats, list } = state;
  const isBeatDue = performance.now() - state.heartbeatAt >= options.heartbeatMs;
  const turns = list ? turnsOf(state, topic, isBeatDue) : [];
  const beat = list && beats.next(newsOf(beats, turns, isBeatDue), isBeatDue);
  if (isBeatDue) state.heartbeatAt = performance.now();
  const written = turns.flatMap(({ writer, appends }) => (appends ? [{ writer, appends }] : []));
  const all = written.map(({ appends }) => appends);
  const answer = await append(topic, all, beat);
  if (answer.outcome !== "done") return false;
  written.forEach(({ writer, appends }, i) => takeAnswer(writer, appends, answer.tables[i]!));
  if (beat && answer.beatId !== "") {
    beats.written(answer.beatId);
    state.counts.entries++;
    state.counts.bytes += beat.text.length;
  } else if (beat) for (const { writer } of turns) writer.isStatusDue = true;
  if (list && !answer.isListed) state.isListDue = true;
  return true;
}

/** Each time from another table on: what there is no more room for is the first next time. */
function turnsOf(state: TablesState, topic: RelayTopic, isBeatDue: boolean): Turn[] {
  const all = [...state.writers];
  if (isBeatDue) state.turn = all.length > CHECKED_PER_BEAT ? (state.turn + CHECKED_PER_BEAT) % all.length : 0;
  const now = performance.now();
  let left = BATCH_BYTES;
  return [...all.slice(state.turn), ...all.slice(0, state.turn)].map(([name, writer], i) => {
    writer.connection = topic.connection;
    if (mayWriteSnapshot(state) && isSnapshotDue(writer, now)) void renewSnapshot(writer, topic);
    const appends = appendsOf(writer, left, isBeatDue && i < CHECKED_PER_BEAT);
    if (appends && appends.entries.length > 0) left -= writer.queue.bytes();
    return { name, writer, appends };
  });
}

const mayWriteSnapshot = ({ writers }: TablesState) =>
  [...writers.values()].filter(({ isWritingSnapshot }) => isWritingSnapshot).length < MAX_SNAPSHOTS;

/** What has changed, and when a heartbeat is due also of what nothing can be said any more. */
function newsOf(beats: Beats, turns: readonly Turn[], isBeatDue: boolean): Said[] {
  return turns.flatMap(({ name, writer, appends }): Said[] => {
    const isNews = writer.isStatusDue || (beats.isMany() ? beats.isFull() || writer.isMoved : isBeatDue);
    if (!isNews) return [];
    const text = saidWith(writer, appends);
    return text !== undefined || isBeatDue || beats.isFull() ? [[name, text]] : [];
  });
}

/** Makes the list that of this server's tables, and deletes what was stored of others. */
async function renewList(state: TablesState, topic: RelayTopic): Promise<boolean> {
  const { list, stored, options } = state;
  if (!list) return true;
  const gone = (stored?.others ?? []).filter((name) => !list.others.includes(name));
  const keys = await Promise.all(gone.map((name) => keysInUse({ ...topic, keys: relayKeys(options.topic, name) })));
  if ((await writeList(topic, tablesText(list), keys.flat())) !== "done") return false;
  state.stored = list;
  state.isListDue = state.list !== list;
  state.beats.begin(list.id, list.others.length > 0);
  state.heartbeatAt = -Infinity;
  return true;
}

/** Milliseconds until there is something to write. */
export function dueMsOf(state: TablesState, now: number): number {
  const { heartbeatAt, options, writers, isListDue, list } = state;
  if (isListDue) return 0;
  const maySnapshot = mayWriteSnapshot(state);
  const due = list ? [...writers.values()].map((writer) => dueInMs(writer, now, maySnapshot)) : [];
  return Math.min(Math.max(1, heartbeatAt + options.heartbeatMs - now), ...due);
}
