// A table that another server publishes, through Redis or Valkey: read like a file, with the same face. Everything is validated, and
// only what follows what is held is applied; whatever does not leads to the snapshot. RELAY.md has the layout.
import { CsvError } from "../../csv/error.ts";
import type { Cursor } from "../../feed/protocol.ts";
import type { Reader, ReaderEvents, ReaderSettings } from "../reader.ts";
import { redacted, type RelayAddress } from "./address.ts";
import { connectRelay, type RelayConnection } from "./connection.ts";
import { openStream, type RelayStream } from "./stream.ts";
import { draftTable, type RelayLimits, type RelayTable } from "./table.ts";
import { parsePointer, parseRows, parseSplices, type RelayEntry, relayKeys, type RelayPointer } from "./wire.ts";

/** What is told of a replica. */
export type ReplicaFigures = {
  readonly connected: boolean;
  /** When the publisher was last heard to be where this replica is; ms since 1970, 0 for never. */
  readonly heardAt: number;
  readonly entries: number;
  readonly bytes: number;
  readonly snapshots: number;
  readonly reconnects: number;
};

export type RelayEvents = ReaderEvents & { onFigures(figures: ReplicaFigures): void };

/** `floor` is where an earlier reader of this server came to: within its epoch nothing before it is published. */
export type RelaySettings = ReaderSettings & { readonly limitMs: number; readonly floor: Cursor | undefined };

/** However short the limit is, so long an answer may take. */
const MIN_ANSWER_MS = 500;
const MIN_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2_000;
/** Figures are told so often, and when the connection comes or goes. */
const FIGURES_MS = 500;
/** Parts of a snapshot that are asked for at once: of 256 kB each. */
const PARTS_PER_READ = 4;
/** A slow network may take longer for a part than for anything else. */
const PART_EXTRA_MS = 8_000;

type Held = {
  readonly epoch: string;
  version: number;
  warnings: readonly string[];
  readonly pointer: RelayPointer;
  readonly copy: RelayTable;
};

/** Follows a relay; `onHint` is called when a look is worth while. */
export function openRelay(
  address: RelayAddress,
  settings: RelaySettings,
  events: RelayEvents,
  onHint: () => void,
): Reader {
  const { limitMs } = settings;
  const keys = relayKeys(address.topic);
  const limits: RelayLimits = {
    maxBytes: settings.maxFileBytes,
    maxCellBytes: settings.maxCellBytes,
    lastRows: settings.lastRows,
  };
  const count = { entries: 0, bytes: 0, snapshots: 0, reconnects: 0 };
  let held: Held | undefined;
  let published = settings.floor;
  let isOnAir = false; // what is held is what was published last
  let confirmedAt = -Infinity; // the publisher was heard to be where this is
  let heldSince = 0;
  let heardAt = 0;
  let pauseMs = MIN_PAUSE_MS;
  let isConnected = false;
  let trouble = ""; // until a first attempt has shown something
  let figuresAt = -Infinity;
  let wasConnected = false;
  let told: Extract<RelayEntry, { kind: "status" }> | undefined;

  async function live(): Promise<never> {
    for (; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
      let connection: RelayConnection | undefined;
      try {
        connection = await connectRelay(address.url, Math.max(limitMs / 2, MIN_ANSWER_MS));
        await read(connection);
      } catch (error) {
        lose(error);
      }
      connection?.close();
      await Bun.sleep(pauseMs * (0.5 + Math.random() / 2));
    }
  }

  function lose(error: unknown): void {
    const why = redacted(error instanceof Error ? error.message : String(error));
    if (error instanceof CsvError) trouble = `sends what cannot be taken: ${why}`;
    else if (isConnected || trouble === "") trouble = `cannot be read: ${why}`; // one reason for each outage
    if (isConnected) count.reconnects++;
    isConnected = false;
    confirmedAt = -Infinity;
    if (!isOnAir) held = undefined;
    onHint();
  }

  async function read(connection: RelayConnection): Promise<never> {
    const stream = await openStream(connection, keys.stream, limitMs / 4);
    isConnected = true;
    await findPlace(connection, stream, true);
    onHint();
    for (;;) {
      for (const { entry, bytes, isNews } of await stream.next()) {
        count.entries++;
        count.bytes += bytes;
        if (!entry || take(entry, isNews)) continue;
        const isGap = entry.kind !== "status";
        if ((await findPlace(connection, stream, isGap)) || isGap) break;
      }
      if (!held) await findPlace(connection, stream, true);
    }
  }

  /** Reads the snapshot if it leads further than what is held, and then on behind it, as also after a gap. True if it was read. */
  async function findPlace(connection: RelayConnection, stream: RelayStream, isGap: boolean): Promise<boolean> {
    const text = await connection.send("GET", [keys.pointer]);
    if (typeof text !== "string") {
      if (!held) trouble = "has no such topic yet";
      return false;
    }
    const pointer = parsePointer(text, settings.readOptions.maxColumns ?? Infinity);
    if (held?.epoch === pointer.epoch && held.version >= pointer.version) {
      if (isGap) stream.seek(pointer.after);
      return false;
    }
    held = await load(connection, pointer);
    isOnAir = false;
    heldSince = performance.now();
    count.snapshots++;
    stream.seek(pointer.after);
    return true;
  }

  async function load(connection: RelayConnection, pointer: RelayPointer): Promise<Held> {
    const draft = draftTable(pointer.columns, limits);
    const list = keys.list(pointer.id);
    for (let at = 0; at < pointer.parts; at += PARTS_PER_READ) {
      const last = Math.min(at + PARTS_PER_READ, pointer.parts) - 1;
      const parts = (await connection.send("LRANGE", [list, `${at}`, `${last}`], PART_EXTRA_MS)) as unknown[];
      if (parts.length !== last - at + 1) throw new Error("the snapshot was replaced while it was read");
      for (const part of parts as string[]) {
        draft.add(parseRows(part, pointer.columns.length));
        count.bytes += part.length;
      }
      if (draft.rows() > pointer.rows) break;
    }
    if (draft.rows() !== pointer.rows)
      throw new CsvError("io", `a snapshot of ${draft.rows()} rows says it has ${pointer.rows}`);
    const { epoch, version, warnings } = pointer;
    return { epoch, version, warnings, pointer, copy: draft.finish() };
  }

  /** False if it does not follow what is held. */
  function take(entry: RelayEntry, isNews: boolean): boolean {
    if (entry.kind === "delta") return takeDelta(entry, isNews);
    if (entry.kind === "status" && isNews) told = entry;
    const isHere = held?.epoch === entry.epoch && held.version === entry.version;
    if (isHere && isNews) confirm();
    if (entry.kind === "status") return isHere || !isNews;
    return held?.epoch === entry.epoch && held.version >= entry.version;
  }

  function takeDelta(delta: Extract<RelayEntry, { kind: "delta" }>, isNews: boolean): boolean {
    if (held?.epoch !== delta.epoch) return false;
    if (delta.to <= held.version) return true;
    if (delta.from !== held.version) return false;
    const noticedAt = performance.now();
    const { table } = held.copy;
    const splices = parseSplices(delta.splices, table.columns.length, table.rows(), delta.count);
    const text = applied(held, splices);
    held.version = delta.to;
    held.warnings = delta.warnings;
    if (isOnAir) publish(text, noticedAt);
    if (isNews) confirm();
    return true;
  }

  /** A table that was changed in part is none. */
  function applied({ copy }: Held, splices: ReturnType<typeof parseSplices>): string {
    try {
      return copy.apply(splices);
    } catch (error) {
      held = undefined;
      isOnAir = false;
      throw error;
    }
  }

  /** A snapshot counts only now: what an engine has in it that was restarted from an old state would take versions back. */
  function confirm(): void {
    confirmedAt = performance.now();
    heardAt = Date.now();
    pauseMs = MIN_PAUSE_MS;
    if (held && !isOnAir && isFurther(held)) publish(undefined, heldSince);
    report();
  }

  const isFurther = ({ epoch, version }: Cursor) => published?.epoch !== epoch || version >= published.version;

  function publish(text: string | undefined, noticedAt: number): void {
    if (!held) return;
    const { epoch, version, warnings, pointer, copy } = held;
    const isNewEpoch = published?.epoch !== epoch;
    published = { epoch, version };
    isOnAir = true;
    const change = text === undefined ? ("all" as const) : { text };
    const origin = { cursor: published, noticedAt, file: pointer.file, dialect: pointer.dialect, warnings };
    events.onPublication({ ...copy, view: copy.view(), change, isNewEpoch, origin });
  }

  function look(): void {
    const now = performance.now();
    if (now - figuresAt >= FIGURES_MS || wasConnected !== isConnected) {
      events.onFigures({ connected: isConnected, heardAt, ...count });
      figuresAt = now;
      wasConnected = isConnected;
    }
    report();
  }

  function report(): void {
    const now = performance.now();
    const isLate = now - confirmedAt > limitMs;
    if (isLate && held && !published && now - heldSince > limitMs) publish(undefined, heldSince);
    if (!isLate) return isOnAir && told ? events.onState(told.state, told.message, told.since) : undefined;
    if (!published && isConnected && held) return; // it is only a matter of the next heartbeat
    const why = isConnected && held ? `has no heartbeat of its publisher for ${limitMs / 1000} s` : trouble;
    const text = `the relay (${address.name}) ${why}`;
    if (published) return events.onState("stale", `${text}; the last good table stays on air`);
    if (trouble !== "") events.onState("waiting", text);
  }

  live().catch((error: unknown) => events.onState("stale", `the relay (${address.name}) failed: ${error}`));
  return {
    look,
    dueAt() {
      const at = Math.max(confirmedAt, heldSince) + limitMs;
      return at > performance.now() ? at : undefined;
    },
  };
}
