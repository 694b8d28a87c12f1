// One connection to a relay for all tables of a server: reads the stream of the server, and those of tables when there is something in
// them, and finds the place of a table that has lost it. What each entry means for a table is known in `state.ts`. RELAY.md has the rules.
import { MAX_COLUMNS } from "../../csv/dialect.ts";
import { CsvError } from "../../csv/error.ts";
import { formatCursor } from "../../feed/protocol.ts";
import type { LinkCounts, ListedTables, SourceSettings } from "../../source/source.ts";
import { heldByOthers } from "../../source/memory.ts";
import type { RelayAddress } from "../address.ts";
import { connectRelay, type RelayConnection } from "../redis.ts";
import { ENTRIES_PER_READ, openStreams, type Place, type RelayStreams, START, type StreamItem } from "../stream.ts";
import { FIRST_TABLE, isBehind, parsePointer, parseRows, parseTables, relayKeys, type RelayPointer } from "../wire.ts";
import { hear, nothingSaid, type Said } from "./said.ts";
import { type Change, disconnect, fail, type FollowerState, takeOrSkip, takeSnapshot } from "./state.ts";
import { draftTable, type RelayDraft } from "./table.ts";

/** A table that is followed. */
export type Followed = {
  readonly name: string;
  readonly keys: ReturnType<typeof relayKeys>;
  readonly settings: SourceSettings;
  readonly state: FollowerState;
  readonly place: Place;
  /**
   * What is to be done for it. `read`: there is something in its stream; `find`: that does not lead on, look at the snapshot; `gap`: and
   * read the stream anew behind it; `reread`: that is being done.
   */
  need: "read" | "find" | "gap" | "reread" | undefined;
  /** Nothing is done for it before, by the monotonic clock: what came could not be taken. */
  retryAt: number;
  retryMs: number;
  /** When the beat came that has confirmed it last: it does so once, by the monotonic clock. */
  heardAt: number;
  /** Where changes were missing last, as text. */
  gapAt: string;
  /** The snapshot that is being read: `at` is the next part. */
  loading: { readonly pointer: RelayPointer; readonly draft: RelayDraft; at: number } | undefined;
  /** It is to be published. */
  readonly onChange: (change: Change) => void;
  /** It was confirmed, or its state may be another. */
  readonly onState: () => void;
  /** So many bytes are held: of the snapshot that is being read, or of the table. */
  readonly onHeld: (bytes: number) => void;
  /** What tables the server has. */
  readonly onTables: (tables: ListedTables) => void;
};

export type Link = {
  readonly address: RelayAddress;
  readonly silenceMs: number;
  readonly tables: Map<string, Followed>;
  readonly said: Said;
  readonly counts: { entries: number; bytes: number; snapshots: number; reconnects: number };
  readonly beats: Place;
  /** Beats were missing, and the stream was read again from its beginning up to this entry: there was no more to be found. */
  rewoundAt: string | undefined;
  /** The list that was read last: its text, and its id, if it is one. */
  listText: string | undefined;
  list: string | undefined;
  /** A beat has named another one. */
  isListDue: boolean;
  /** Those of the list that are not followed yet may come any moment, until then by the monotonic clock: no wait is long before. */
  expected: readonly string[];
  expectsUntil: number;
  isConnected: boolean;
  /** Between two attempts to connect; grows until the publisher is heard. */
  pauseMs: number;
  connection: RelayConnection | undefined;
  endPause: () => void;
  isClosed: boolean;
};

/** However short the silence may be, so long an answer may take. */
const MIN_ANSWER_MS = 500;
const MIN_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2_000;
/** Parts of snapshots that are read at once: of 256 kB each. Where there are other tables, which wait meanwhile, no two of one table. */
const PARTS_PER_READ = 4;
/** A slow network may take longer for a part than for anything else. */
const PART_EXTRA_MS = 8_000;
/** Tables that come with a list come soon. */
const EXPECTED_MS = 1_000;
const EXPECTING_WAIT_MS = 10;

/** Follows the tables that are put into `tables` by `addTo`, until it is closed. */
export function openLink(address: RelayAddress, silenceMs: number): Link {
  const link: Link = {
    address,
    silenceMs,
    tables: new Map(),
    said: nothingSaid(),
    counts: { entries: 0, bytes: 0, snapshots: 0, reconnects: 0 },
    beats: { key: relayKeys(address.topic).beat, at: START, tip: START },
    rewoundAt: undefined,
    listText: undefined,
    list: undefined,
    isListDue: true,
    expected: [],
    expectsUntil: -Infinity,
    isConnected: false,
    pauseMs: MIN_PAUSE_MS,
    connection: undefined,
    endPause: () => {},
    isClosed: false,
  };
  run(link).catch((error: unknown) => {
    for (const { state, onState } of link.tables.values()) {
      disconnect(state, new Error(`${error}`)); // a defect of ours: what should not throw has
      onState();
    }
  });
  return link;
}

export function addTo(link: Link, table: Followed): void {
  table.state.isConnected = link.isConnected;
  link.tables.set(table.name, table);
}

export function closeLink(link: Link): void {
  link.isClosed = true;
  link.endPause();
  link.connection?.close();
}

export function linkCounts({ isConnected, counts, tables, said }: Link): LinkCounts {
  const heardAt = Math.max(said.heard?.date ?? 0, ...[...tables.values()].map(({ state }) => state.heardAt));
  return { connected: isConnected, heardAt, tables: tables.size, ...counts };
}

async function run(link: Link): Promise<void> {
  const boundMs = Math.max(link.silenceMs / 2, MIN_ANSWER_MS);
  for (; !link.isClosed; link.pauseMs = Math.min(link.pauseMs * 2, MAX_PAUSE_MS)) {
    try {
      link.connection = await connectRelay(link.address.url, boundMs);
      if (!link.isClosed) await read(link, link.connection);
    } catch (error) {
      lose(link, error);
    }
    link.connection?.close();
    link.connection = undefined;
    await pause(link, link.pauseMs * (0.5 + Math.random() / 2));
  }
}

function lose(link: Link, error: unknown): void {
  if (link.isConnected) link.counts.reconnects++;
  link.isConnected = false;
  for (const table of link.tables.values()) {
    endLoading(table);
    disconnect(table.state, error);
    table.onState();
  }
}

async function pause(link: Link, ms: number): Promise<void> {
  if (link.isClosed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  link.endPause = resolve;
  await promise;
  clearTimeout(timer);
}

/** For as long as the connection holds. */
async function read(link: Link, connection: RelayConnection): Promise<void> {
  const maxWaitMs = link.silenceMs / 4;
  const first = link.tables.get(FIRST_TABLE);
  const always = first ? [first.place, link.beats] : [link.beats];
  const streams = await openStreams(connection, always, maxWaitMs);
  begin(link);
  while (!link.isClosed) {
    if (link.isListDue) await readList(link, connection);
    await placeAll(link, connection);
    await readOn(link, streams, maxWaitMs);
  }
}

/** What was heard by another connection says nothing of now. */
function begin(link: Link): void {
  Object.assign(link.said, nothingSaid());
  link.beats.at = START;
  link.rewoundAt = undefined;
  link.isListDue = true;
  link.isConnected = true;
  for (const table of link.tables.values()) {
    table.state.isConnected = true;
    table.place.at = table.place.tip ?? START;
    table.need = "gap";
    table.gapAt = "";
    table.onState();
  }
}

/** Takes what has come of those tables that are said to be further, of the first one, and of the server. */
async function readOn(link: Link, streams: RelayStreams, maxWaitMs: number): Promise<void> {
  const now = performance.now();
  const reading = [...link.tables.values()].filter((table) => isReading(table, now));
  const others = reading.filter(({ place }) => place.tip === undefined).map(({ place }) => place);
  const items = await streams.next(others, reading.length > 0 ? 0 : waitOf(link, now, maxWaitMs));
  for (const table of [...link.tables.values()]) {
    const found = items.get(table.place) ?? [];
    if (link.isClosed) return;
    if (found.length > 0 || reading.includes(table)) attempt(table, () => takeAll(link, table, found));
  }
  for (const item of items.get(link.beats) ?? []) takeBeat(link, item);
}

const isReading = ({ need, retryAt }: Followed, now: number) =>
  (need === "read" || need === "reread") && now >= retryAt;

/** Not at all while there is something to be done, and not beyond the moment when there will be. */
function waitOf({ tables, expected, expectsUntil }: Link, now: number, maxWaitMs: number): number {
  const due = [...tables.values()].flatMap(({ need, loading, retryAt }) => (need || loading ? [retryAt - now] : []));
  const isExpecting = now < expectsUntil && expected.some((name) => !tables.has(name));
  const most = isExpecting ? Math.min(EXPECTING_WAIT_MS, maxWaitMs) : maxWaitMs;
  return Math.min(most, ...due);
}

/** What cannot be taken of a table hurts no other: it is tried again after a growing pause. */
function attempt(table: Followed, take: () => void): void {
  try {
    take();
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    postpone(table, error);
  }
}

function postpone(table: Followed, error: CsvError): void {
  fail(table.state, error);
  endLoading(table);
  table.need = "gap";
  table.gapAt = "";
  table.retryAt = performance.now() + table.retryMs * (0.5 + Math.random() / 2);
  table.retryMs = Math.min(table.retryMs * 2, MAX_PAUSE_MS);
  table.onState();
}

/**
 * Up to an entry that does not follow what is known, the first time at this place: what was read again and lacks the same changes leads
 * nowhere. What is malformed is passed over: if it was a change, the next one shows that it is missing.
 */
function takeAll(link: Link, table: Followed, items: readonly StreamItem[]): void {
  const { state } = table;
  let hasGap = false;
  for (const { entry, fault, bytes, isFresh } of items) {
    link.counts.entries++;
    link.counts.bytes += bytes;
    if (fault) state.skipped = fault.reason;
    if (!entry || entry.kind === "beat") continue;
    const step = takeOrSkip(state, entry, isFresh, { now: performance.now(), date: Date.now() });
    if (step.change) table.onChange(step.change);
    if (step.isConfirmed) confirmed(link, table);
    if (step.place === "gap" && isFirstGap(table)) return void (table.need = "gap");
    hasGap ||= step.place === "gap";
  }
  if (items.length === ENTRIES_PER_READ) return;
  table.need = nextNeed(link, table, hasGap);
  recheck(link, table);
}

/** Behind what there was in the stream. */
function nextNeed(link: Link, table: Followed, hasGap: boolean): Followed["need"] {
  const { state, need } = table;
  if (need === "find" || need === "gap") return need;
  if (hasGap || (!state.copy && need === undefined)) return "find";
  if (need !== "read" || !isLate(link, table)) return undefined;
  return isFirstGap(table) ? "gap" : "find";
}

function isLate({ said }: Link, { name, state: { copy } }: Followed): boolean {
  const status = said.tables.get(name);
  return status !== undefined && (copy?.epoch !== status.epoch || copy.version < status.version);
}

function isFirstGap(table: Followed): boolean {
  const { copy, skipped } = table.state;
  const at = copy ? formatCursor(copy) : "";
  const isFirst = at !== table.gapAt;
  table.gapAt = at;
  if (!isFirst && skipped === "") table.state.skipped = "changes are missing";
  return isFirst;
}

function confirmed(link: Link, table: Followed): void {
  link.pauseMs = MIN_PAUSE_MS;
  table.retryMs = MIN_PAUSE_MS;
  table.onState();
}

/** The first one leads to the others, and to the list. */
function takeBeat(link: Link, { id, entry, fault, bytes, isFresh }: StreamItem): void {
  const { said, tables, counts } = link;
  counts.entries++;
  counts.bytes += bytes;
  const reason = fault?.reason ?? (entry?.kind === "beat" ? entry.fault : undefined);
  if (reason !== undefined) for (const { state } of tables.values()) state.skipped = reason;
  if (entry?.kind !== "beat") return;
  if (entry.list !== undefined && entry.list !== link.list) link.isListDue = true;
  const isWhole = hear(said, entry, isFresh, { now: performance.now(), date: Date.now() });
  if (entry.isFull && link.rewoundAt !== undefined && isBehind(id, link.rewoundAt)) link.rewoundAt = undefined;
  for (const table of tables.values())
    if (recheck(link, table) === "ahead") table.need ??= table.state.copy ? "read" : "find";
  if (isWhole || link.rewoundAt !== undefined) return;
  link.rewoundAt = link.beats.at;
  link.beats.tip = link.beats.at; // what is read again is not fresh
  link.beats.at = START;
}

/** Whether the table is where the publisher has said that it is. */
function recheck(link: Link, table: Followed): "ahead" | undefined {
  const { tables, heard } = link.said;
  const status = tables.get(table.name);
  if (!status || !heard || table.loading || heard.now <= table.heardAt) return undefined;
  const step = takeOrSkip(table.state, status, true, heard);
  if (step.isConfirmed) table.heardAt = heard.now;
  if (step.change) table.onChange(step.change);
  if (step.isConfirmed) confirmed(link, table);
  return step.place === "ahead" ? "ahead" : undefined;
}

/** Reads the snapshots that are needed, a little of each at once: nobody waits for a large one. */
async function placeAll(link: Link, connection: RelayConnection): Promise<void> {
  const now = performance.now();
  const placing = [...link.tables.values()]
    .filter(({ need, loading, retryAt }) => (need === "find" || need === "gap" || loading) && now >= retryAt)
    .slice(0, PARTS_PER_READ);
  const parts = link.tables.size > 1 ? 1 : PARTS_PER_READ;
  await Promise.all(
    placing.map(async (table) => {
      try {
        if (table.loading) await load(link, connection, table, parts);
        else await findPlace(connection, table);
      } catch (error) {
        if (!(error instanceof CsvError)) throw error;
        postpone(table, error);
      }
    }),
  );
}

/** Begins to read the snapshot if it leads further than what is known, or reads on behind it after a gap. */
async function findPlace(connection: RelayConnection, table: Followed): Promise<void> {
  const { state, keys, settings, place } = table;
  const isGap = table.need === "gap";
  const text = await connection.send("GET", [keys.pointer]);
  table.need = undefined;
  if (typeof text !== "string") {
    if (!state.copy) state.problem = `has no such ${table.name === FIRST_TABLE ? "topic" : "table"} yet`;
    return table.onState();
  }
  const pointer = parsePointer(text, settings.maxColumns ?? MAX_COLUMNS);
  const { copy } = state;
  if (copy?.epoch === pointer.epoch && copy.version >= pointer.version) {
    if (!isGap) return;
    place.at = pointer.after;
    table.need = "reread";
    return;
  }
  const { maxFileBytes, maxMemoryBytes, maxCellBytes, lastRows, memory } = settings;
  const maxBytes = Math.min(maxFileBytes, maxMemoryBytes);
  const room = () => maxMemoryBytes - heldByOthers(memory);
  table.loading = { pointer, draft: draftTable(pointer.columns, { maxBytes, room, maxCellBytes, lastRows }), at: 0 };
}

/** The next parts of a snapshot, and when it is whole takes it. */
async function load(link: Link, connection: RelayConnection, table: Followed, most: number): Promise<void> {
  const { pointer, draft, at } = table.loading!;
  const { columns, rows, parts, id, after } = pointer;
  const last = Math.min(at + most, parts) - 1;
  const texts =
    last < at
      ? []
      : ((await connection.send("LRANGE", [table.keys.list(id), `${at}`, `${last}`], PART_EXTRA_MS)) as string[]);
  if (!table.loading) return; // closed meanwhile
  if (texts.length !== last - at + 1) throw new CsvError("io", "the snapshot was replaced while it was read");
  for (const text of texts) {
    draft.add(parseRows(text, columns.length));
    link.counts.bytes += text.length;
  }
  table.loading.at = last + 1;
  table.onHeld(draft.bytes());
  if (last + 1 < parts && draft.rows() <= rows) return;
  if (draft.rows() !== rows) throw new CsvError("io", `a snapshot has ${draft.rows()} rows instead of ${rows}`);
  table.loading = undefined;
  takeSnapshot(table.state, pointer, draft.finish(), { now: performance.now(), date: Date.now() });
  link.counts.snapshots++;
  table.place.at = after;
  table.need = "reread";
}

/** What was read of a snapshot is let go, so that other tables have its room. */
function endLoading(table: Followed): void {
  if (!table.loading) return;
  table.loading = undefined;
  table.onHeld(table.state.copy?.contents.table.length() ?? 0);
}

/** Which tables the server has. A list that is not there says nothing. */
async function readList(link: Link, connection: RelayConnection): Promise<void> {
  const { address, tables } = link;
  const text = await connection.send("GET", [relayKeys(address.topic).tables]);
  link.isListDue = false;
  if (typeof text !== "string" || text === link.listText) return;
  link.listText = text;
  link.list = undefined;
  try {
    const { id, first, others, dropped } = parseTables(text);
    const fault = dropped > 0 ? `${dropped} names in the list of tables are malformed` : undefined;
    link.list = id;
    link.expected = others;
    link.expectsUntil = performance.now() + EXPECTED_MS;
    tables.get(FIRST_TABLE)?.onTables({ first, others, fault });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    tables.get(FIRST_TABLE)?.onTables({ first: undefined, others: undefined, fault: error.reason });
  }
}
