// What is stored in Redis, and the only implementation of RELAY.md: keys, entries of the stream, the pointer to the snapshot. What
// comes from there is checked like any other input.
import { CsvError } from "../csv/error.ts";
import { printable, sizeText } from "../feed/printable.ts";
import { isReplay, type Row, type Splice, STATES } from "../feed/protocol.ts";
import type { Cursor, State, Status, Verdicts } from "../feed/publication.ts";

/** An entry of the stream; `splices` is JSON as in a delta of the live feed. */
export type RelayEntry =
  | {
      readonly kind: "delta";
      readonly epoch: string;
      readonly from: number;
      readonly to: number;
      readonly count: number;
      readonly splices: string;
      /** Of the table that it leads to, as in the pointer. */
      readonly warnings: readonly string[];
      readonly changedAt?: number | undefined;
      /** Rows of the file in front of the table. Absent for none. */
      readonly first?: number | undefined;
      /** What the columns are from now on, if that is known better than before. */
      readonly verdicts?: Verdicts | undefined;
    }
  | ({ readonly kind: "snapshot" } & Cursor)
  /** In the stream of the server, also as the heartbeat: the publisher is at this cursor, in this state. */
  | ({ readonly kind: "status" } & Cursor & Status);

/** A list with the rows of a snapshot. */
export type RelayList = { readonly id: string; readonly bytes: number };

/** Where the current snapshot is, and what it is. */
export type RelayPointer = Cursor & {
  readonly id: string;
  /** Of its list. */
  readonly bytes: number;
  /** The lists before it that are still there for whoever reads them, the last one first. */
  readonly kept: readonly RelayList[];
  readonly columns: readonly string[];
  readonly rows: number;
  /** Elements of its list. */
  readonly parts: number;
  /** The changes since are behind this entry of the stream. */
  readonly after: string;
  /** Of the publisher, for people: the name of its file, what kind of CSV it is, and what was found odd in it. */
  readonly file: string;
  readonly dialect: string;
  readonly warnings: readonly string[];
  /** When the file last changed, by the publisher's clock; ms since 1970. Undefined if the publisher does not know. */
  readonly changedAt?: number | undefined;
  /** Rows of the file in front of the table. Absent for none. */
  readonly first?: number | undefined;
  /** What the columns are, if the publisher says so. */
  readonly verdicts?: Verdicts | undefined;
};

/** What the only table of a topic is called. A name has letters, digits, `_` and `-`, so no key of a table is one of the server. */
export const ONLY_TABLE = "csv";

/**
 * Those of a server, which are one for all of its tables, and those of a table. All keys of a topic share a hash tag: a cluster keeps
 * them on one node, where one script may touch them.
 */
export function relayKeys(topic: string, table = ONLY_TABLE) {
  const server = (name: string) => `csvcast:{${topic}}:${name}`;
  const key = (name: string) => server(`${table}:${name}`);
  return {
    lease: server("lease"),
    beat: server("beat"),
    stream: key("stream"),
    head: key("head"),
    pointer: key("snapshot"),
    list: (id: string) => key(`snapshot:${id}`),
  };
}

/** The fields of an entry. A status is that of one table, in an entry that may have those of many. */
export function entryFields(entry: RelayEntry, table = ONLY_TABLE): string[] {
  if (entry.kind === "status") {
    const { kind: _kind, ...status } = entry;
    return ["h", JSON.stringify({ kind: "beat", tables: { [table]: status } })];
  }
  if (entry.kind !== "delta") return ["h", JSON.stringify(entry)];
  const { splices, ...head } = entry;
  return ["h", JSON.stringify(head), "s", splices];
}

/**
 * Throws CsvError for anything else than `entryFields` gives; splices are checked by `parseSplices`. Undefined for kinds that are not
 * known, and for what says nothing of this table.
 */
export function parseEntry(fields: readonly unknown[], table = ONLY_TABLE): RelayEntry | undefined {
  const head = objectOf(fields[0] === "h" ? fields[1] : undefined, "an entry");
  switch (head["kind"]) {
    case "snapshot":
      return isCursor(head) ? { kind: "snapshot", epoch: head.epoch, version: head.version } : malformed("snapshot");
    case "beat":
      return parseBeat(head["tables"], table);
    case "delta":
      return parseDelta(head, fields[2] === "s" ? fields[3] : undefined);
    default:
      return undefined;
  }
}

function parseBeat(tables: unknown, table: string): RelayEntry | undefined {
  if (!isObject(tables)) return malformed("beat");
  if (!Object.hasOwn(tables, table)) return undefined;
  const status = tables[table];
  return isObject(status) ? parseStatus(status) : malformed("status");
}

function parseStatus(head: Fields): RelayEntry {
  const { state, message, since, pendingBytes, replay } = head;
  if (!isCursor(head) || !isState(state) || typeof message !== "string" || !isCount(since)) return malformed("status");
  return {
    kind: "status",
    epoch: head.epoch,
    version: head.version,
    state,
    message: shown(message, MAX_MESSAGE),
    since,
    ...(isCount(pendingBytes) && { pendingBytes: pendingBytes as number }),
    ...(isReplay(replay) && { replay: { speed: shown(replay.speed, MAX_SPEED), isFinished: replay.isFinished } }),
  };
}

function parseDelta(head: Fields, splices: unknown): RelayEntry {
  const { epoch, from, to, count, warnings, changedAt } = head;
  const isWhole = isEpoch(epoch) && isCount(from) && isCount(to) && isCount(count) && typeof splices === "string";
  if (!isWhole || to <= from) return malformed("delta");
  const about = { warnings: textsOf(warnings), changedAt: timeOf(changedAt), first: firstOf(head["first"]) };
  return { kind: "delta", epoch, from, to, count, splices, ...about, verdicts: verdictsOf(head["verdicts"]) };
}

/** JSON arrays of an entry for each column; undefined for anything else, as a table is one without them. */
function verdictsOf(value: unknown, columns?: number): Verdicts | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { types, units } = value as Fields;
  if (typeof types !== "string" || typeof units !== "string") return undefined;
  const lists = [parsedList(types), parsedList(units)] as const;
  if (columns !== undefined && lists.some((list) => list?.length !== columns)) return undefined;
  // Written anew: as a text of others it may have line ends, which would forge a message where it is passed on.
  return lists[0] && lists[1] && { types: JSON.stringify(lists[0]), units: JSON.stringify(lists[1]) };
}

function parsedList(text: string): readonly unknown[] | undefined {
  try {
    const list: unknown = JSON.parse(text);
    const isShort = (entry: unknown) => entry === null || (typeof entry === "string" && entry.length <= MAX_TEXT);
    return Array.isArray(list) && list.every(isShort) ? list : undefined;
  } catch {
    return undefined;
  }
}

/** Throws CsvError for what is no pointer, or has more columns than allowed. */
export function parsePointer(text: string, maxColumns: number): RelayPointer {
  const fields = objectOf(text, "the pointer to the snapshot");
  const { id, columns, rows, parts, after, file, dialect } = fields;
  if (!isCursor(fields) || !isCount(rows) || !isCount(parts) || !isEntryId(after) || !isListId(id))
    return malformed("pointer to the snapshot");
  if (typeof file !== "string" || typeof dialect !== "string" || !isColumns(columns))
    return malformed("pointer to the snapshot");
  if (columns.length > maxColumns)
    throw new CsvError("too-large", `${columns.length} columns, more than --max-columns ${maxColumns}`);
  return {
    epoch: fields.epoch,
    version: fields.version,
    id,
    bytes: isCount(fields["bytes"]) ? fields["bytes"] : 0,
    kept: keptOf(fields["kept"]),
    columns,
    rows,
    parts,
    after,
    file: shown(file),
    dialect: shown(dialect),
    warnings: textsOf(fields["warnings"]),
    changedAt: timeOf(fields["changedAt"]),
    first: firstOf(fields["first"]),
    verdicts: verdictsOf(fields["verdicts"], columns.length),
  };
}

/** For the next publisher; of no importance for the table. */
function keptOf(value: unknown): RelayList[] {
  const lists = Array.isArray(value) ? (value as unknown[]) : [];
  return lists
    .filter((list): list is RelayList => isObject(list) && isListId(list["id"]) && isCount(list["bytes"]))
    .slice(0, MAX_TEXTS)
    .map(({ id, bytes }) => ({ id, bytes }));
}

/** Rows of exactly so many strings. Throws CsvError for anything else. */
export function parseRows(text: string, columns: number): readonly Row[] {
  const rows = jsonOf(text);
  return isRows(rows, columns) ? rows : malformed("part of the snapshot");
}

/** Splices that fit a table of `rows` rows, and make it one of `count`. Throws CsvError for anything else. */
export function parseSplices(text: string, columns: number, rows: number, count: number): readonly Splice[] {
  const splices = jsonOf(text);
  if (!Array.isArray(splices)) return malformed("delta");
  let length = rows;
  for (const splice of splices as unknown[]) {
    if (!Array.isArray(splice) || splice.length !== 3) return malformed("delta");
    const [start, deleted, inserted] = splice as unknown[];
    if (!isCount(start) || !isCount(deleted) || !isRows(inserted, columns)) return malformed("delta");
    if (start + deleted > length) throw new CsvError("io", "a delta changes rows that are not there");
    length += inserted.length - deleted;
  }
  if (length !== count) throw new CsvError("io", `a delta leads to ${length} rows instead of ${count}`);
  return splices as unknown as readonly Splice[];
}

const MAX_TEXT = 255;
const MAX_TEXTS = 8;
const MAX_MESSAGE = 1_000;
const MAX_SPEED = 40;
/** In characters: the pointer, and what an entry says of itself. Names of columns are most of it. */
const MAX_HEAD = 16 << 20;

/** For people, who read it in logs, terminals and pages: of bounded length, and with control characters written out. */
const shown = (text: string, most = MAX_TEXT) =>
  printable((text.length > most ? `${text.slice(0, most)}…` : text).toWellFormed());

/** For people: what is not a text is left out. */
function textsOf(value: unknown): string[] {
  const texts = Array.isArray(value) ? (value as unknown[]) : [];
  return texts
    .filter((text) => typeof text === "string")
    .slice(0, MAX_TEXTS)
    .map((text) => shown(text));
}

type Fields = Readonly<Record<string, unknown>>;

function objectOf(text: unknown, what: string): Fields {
  if (typeof text === "string" && text.length > MAX_HEAD)
    throw new CsvError("too-large", `${what} is larger than ${sizeText(MAX_HEAD)}`);
  const value = typeof text === "string" ? jsonOf(text) : undefined;
  if (!isObject(value)) throw new CsvError("io", `${what} is no JSON object`);
  return value;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CsvError("io", "what came is no JSON");
  }
}

function malformed(what: string): never {
  throw new CsvError("io", `a ${what} is malformed`);
}

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isState = (value: unknown): value is State => (STATES as readonly unknown[]).includes(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isEpoch = (value: unknown): value is string => typeof value === "string" && /^[0-9A-Za-z_-]{1,64}$/.test(value);
const isCursor = (fields: Fields): fields is Fields & Cursor => isEpoch(fields["epoch"]) && isCount(fields["version"]);
const isEntryId = (value: unknown): value is string => typeof value === "string" && /^\d{1,20}-\d{1,20}$/.test(value);
const isListId = (value: unknown): value is string => typeof value === "string" && /^[\w-]{1,64}$/.test(value);
/** Of no importance for the table: what is malformed is not there. */
const timeOf = (value: unknown) => (isCount(value) ? value : undefined);
const firstOf = timeOf;

function isColumns(value: unknown): value is readonly string[] {
  if (!Array.isArray(value) || !value.every((name) => typeof name === "string" && name.isWellFormed())) return false;
  return new Set(value).size === value.length;
}

function isRows(value: unknown, columns: number): value is readonly Row[] {
  if (!Array.isArray(value) || (columns === 0 && value.length > 0)) return false;
  for (const row of value as unknown[]) {
    if (!Array.isArray(row) || row.length !== columns) return false;
    for (let c = 0; c < columns; c++) if (typeof row[c] !== "string") return false;
  }
  return true;
}

/** Whether entry `a` of a stream is behind entry `b`. */
export function isBehind(a: string, b: string): boolean {
  const [aTime = "0", aCount = "0"] = a.split("-");
  const [bTime = "0", bCount = "0"] = b.split("-");
  return BigInt(aTime) > BigInt(bTime) || (BigInt(aTime) === BigInt(bTime) && BigInt(aCount) > BigInt(bCount));
}
