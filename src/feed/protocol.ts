// The wire of the live feed, and the only implementation of docs/protocol.md: texts of messages, what a message says, cursors,
// close codes. Rows are written from JSON text that is there already, so that a publisher never touches them.
import type { Cursor, Replay, State, Status, Verdicts } from "./publication.ts";

export type { Cursor, Replay, State, Status } from "./publication.ts";

/** The WebSocket subprotocol of the live feed. */
export const SUBPROTOCOL = "csvcast.v1";

/** One value for each column, in their order. */
export type Row = readonly string[];

/** `Array.prototype.splice`: at row `start`, `deleteCount` rows go and `rows` come. Several apply in order. */
export type Splice = readonly [start: number, deleteCount: number, rows: readonly Row[]];

/** All states, in the order of the documentation. */
export const STATES = [
  "live",
  "updating",
  "waiting",
  "missing",
  "stale",
  "invalid",
] as const satisfies readonly State[];

/** What each column is, and its unit: one entry for each column. Told of a snapshot in its first part. */
export type ColumnCodes = {
  readonly types?: readonly string[] | undefined;
  readonly units?: readonly (string | null)[] | undefined;
};

/** The whole table, or the part that begins at row `at`: it is complete when `at + rows.length === count`. */
export type SnapshotMessage = ColumnCodes & {
  readonly type: "snapshot";
  readonly epoch: string;
  readonly version: number;
  readonly columns: readonly string[];
  readonly at: number;
  readonly rows: readonly Row[];
  readonly count: number;
  /** Rows of the source in front of the first one of the table: absent for none. */
  readonly first?: number | undefined;
};

/** Turns version `from` into version `to`, which has `count` rows. With `types` and `units` these replace those before. */
export type DeltaMessage = ColumnCodes & {
  readonly type: "delta";
  readonly epoch: string;
  readonly from: number;
  readonly to: number;
  readonly splices: readonly Splice[];
  readonly count: number;
  /** As in a snapshot, of the table that comes of it. */
  readonly first?: number | undefined;
};

/** "You are up to date": after catching up, and while nothing changes. `time` in ms since 1970, by the server's clock. */
export type SyncMessage = {
  readonly type: "sync";
  readonly epoch: string;
  readonly version: number;
  readonly count: number;
  readonly time: number;
};

export type StatusMessage = { readonly type: "status" } & Status;

export type Message = SnapshotMessage | DeltaMessage | SyncMessage | StatusMessage;

const cursorJson = ({ epoch, version }: Cursor) => `"epoch":${JSON.stringify(epoch)},"version":${version}`;

/** `columnsJson` and `rowsJson` are JSON arrays: of names, and of rows as arrays of cells. */
export function snapshotText(
  cursor: Cursor,
  columnsJson: string,
  at: number,
  rowsJson: string,
  count: number,
  verdicts?: Verdicts,
  first?: number,
): string {
  return `{"type":"snapshot",${cursorJson(cursor)},"columns":${columnsJson},"at":${at},"rows":${rowsJson},"count":${count}${firstJson(first)}${codesJson(verdicts)}}`;
}

const firstJson = (first = 0) => (first > 0 ? `,"first":${first}` : "");

const codesJson = (verdicts: Verdicts | undefined) =>
  verdicts ? `,"types":${verdicts.types},"units":${verdicts.units}` : "";

/** `splicesJson` is a JSON array of splices. */
export function deltaText(
  epoch: string,
  from: number,
  to: number,
  splicesJson: string,
  count: number,
  verdicts?: Verdicts,
  first?: number,
): string {
  return `{"type":"delta","epoch":${JSON.stringify(epoch)},"from":${from},"to":${to},"splices":${splicesJson},"count":${count}${firstJson(first)}${codesJson(verdicts)}}`;
}

export function syncText(cursor: Cursor, count: number, time: number): string {
  return `{"type":"sync",${cursorJson(cursor)},"count":${count},"time":${time}}`;
}

export function statusText({ state, message, since, pendingBytes, warnings, replay }: Status): string {
  const odd = warnings && warnings.length > 0 ? warnings : undefined;
  const told = { type: "status", state, message, since, pendingBytes, warnings: odd, replay } satisfies StatusMessage;
  return JSON.stringify(told);
}

/** The text of a cursor: opaque to clients. */
export const formatCursor = ({ epoch, version }: Cursor) => `${epoch}:${version}`;

/** Undefined for a text that is not a cursor. */
export function parseCursor(text: string): Cursor | undefined {
  const match = /^([0-9A-Za-z_-]{1,64}):(\d{1,16})$/.exec(text);
  const version = Number(match?.[2]);
  return match && Number.isSafeInteger(version) ? { epoch: match[1]!, version } : undefined;
}

/** A message that is not what docs/protocol.md says: nothing of it can be trusted. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

/** What a text says; undefined for a type of message that is not known here. Throws ProtocolError for anything malformed. */
export function parseMessage(text: string): Message | undefined {
  const message = parseObject(text);
  switch (message["type"]) {
    case "snapshot":
      return isSnapshot(message) ? withCodes(message) : malformed("snapshot");
    case "delta":
      return isDelta(message) ? withCodes(message) : malformed("delta");
    case "sync":
      return isCursor(message) && isCount(message["count"]) ? (message as unknown as SyncMessage) : malformed("sync");
    case "status":
      return typeof message["state"] === "string" ? statusOf(message) : malformed("status");
    default:
      return undefined;
  }
}

type Fields = Record<string, unknown>;

function parseObject(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  } catch {
    // thrown below
  }
  throw new ProtocolError("a message is not a JSON object");
}

function malformed(type: string): never {
  throw new ProtocolError(`a ${type} message is malformed`);
}

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const isCursor = (message: Fields) => typeof message["epoch"] === "string" && isCount(message["version"]);
/** The cells are taken on trust: looking at each would cost more than parsing them. */
const isRows = (value: unknown) => Array.isArray(value) && value.every(Array.isArray);

function isSnapshot(message: Fields): message is Fields & SnapshotMessage {
  const { at, count, rows, columns } = message;
  return isCursor(message) && isCount(at) && isCount(count) && isRows(rows) && Array.isArray(columns);
}

/** Types, units and `first` say how to read what is there: what they are not is as if they were not there. */
function withCodes<M extends Fields>(message: M): M {
  const { types, units, first } = message;
  if (first !== undefined && !isCount(first)) delete (message as Fields)["first"];
  const isTold =
    Array.isArray(types) &&
    types.every((type) => typeof type === "string") &&
    Array.isArray(units) &&
    units.every((unit) => unit === null || typeof unit === "string");
  if (isTold || (types === undefined && units === undefined)) return message;
  const { types: _types, units: _units, ...rest } = message;
  return rest as M;
}

/** What is said besides the state is left out where it is not what it should be. */
function statusOf({ pendingBytes, warnings, replay, ...status }: Fields): StatusMessage {
  const areWarnings = Array.isArray(warnings) && warnings.every((warning) => typeof warning === "string");
  return {
    ...(status as unknown as StatusMessage),
    ...(isCount(pendingBytes) && { pendingBytes: pendingBytes as number }),
    ...(areWarnings && { warnings }),
    ...(isReplay(replay) && { replay }),
  };
}

export function isReplay(value: unknown): value is Replay {
  const { speed, isFinished } = (value ?? {}) as Fields;
  return typeof speed === "string" && typeof isFinished === "boolean";
}

function isDelta(message: Fields): message is Fields & DeltaMessage {
  const { epoch, from, to, count, splices } = message;
  if (typeof epoch !== "string" || !isCount(from) || !isCount(to) || !isCount(count)) return false;
  return (
    Array.isArray(splices) &&
    splices.every((splice) => Array.isArray(splice) && isCount(splice[0]) && isCount(splice[1]) && isRows(splice[2]))
  );
}

/** Close codes of the live feed: RFC 6455 section 7.4.1, and IANA's registry for 1013. */
export const CLOSE = {
  /** The server shuts down. */
  goingAway: 1001,
  /** Too large for this client's feed: it would be so again. */
  tooLarge: 1009,
  /** Too slow, or too many clients: come back later. */
  tryAgainLater: 1013,
} as const;

/** Whether a client may come back after its connection was closed with this code: unsupported data, policy, too big. */
export function isRetryable(code: number): boolean {
  return code !== 1003 && code !== 1008 && code !== 1009;
}
