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
  | RelayBeat;

/** The publisher is at this cursor of a table, whose file is in this state. */
export type RelayStatus = { readonly kind: "status" } & Cursor & Status;

/** In the stream of the server: that it is there, and how its tables are. */
export type RelayBeat = {
  readonly kind: "beat";
  /** Which list of tables it belongs to. */
  readonly list?: string | undefined;
  /**
   * Counts the beats of a server with several tables: what the one before has said of a table holds, if this one does not name it.
   * Without a number a beat speaks of the tables that it names, and of no other.
   */
  readonly number?: number | undefined;
  /** It names all tables of which there is something to say. */
  readonly isFull: boolean;
  /** Undefined: nothing can be said of the table for now. */
  readonly tables: ReadonlyMap<string, RelayStatus | undefined>;
  /** What is wrong with it, where a part of it is malformed. */
  readonly fault?: string | undefined;
};

/** The tables of a server. The first one has the keys of `ONLY_TABLE`, whatever it is called, and each other one those of its name. */
export type RelayTables = {
  /** Another one with each change. */
  readonly id: string;
  /** Undefined while it has no file. */
  readonly first: string | undefined;
  readonly others: readonly string[];
};

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

/** Under this name are the keys of the first table, also where there is no other. No other table is called so. */
export const FIRST_TABLE = "csv";

/**
 * Those of a server, which are one for all of its tables, and those of a table: a name has letters, digits, `_` and `-`, so no key of a
 * table is one of the server. All keys of a topic share a hash tag: a cluster keeps them on one node, where one script may touch them.
 */
export function relayKeys(topic: string, table = FIRST_TABLE) {
  const server = (name: string) => `csvcast:{${topic}}:${name}`;
  const key = (name: string) => server(`${table}:${name}`);
  return {
    lease: server("lease"),
    beat: server("beat"),
    tables: server("tables"),
    stream: key("stream"),
    head: key("head"),
    pointer: key("snapshot"),
    list: (id: string) => key(`snapshot:${id}`),
  };
}

/** The fields of an entry. */
export function entryFields(entry: Exclude<RelayEntry, RelayBeat>): string[] {
  if (entry.kind !== "delta") return ["h", JSON.stringify(entry)];
  const { splices, ...head } = entry;
  return ["h", JSON.stringify(head), "s", splices];
}

/** What a beat says of a table, as text. */
export const statusText = ({ epoch, version }: Cursor, status: Status) => JSON.stringify({ epoch, version, ...status });

/** The text of a beat; `tables` has what `statusText` gives, or undefined for a table of which nothing can be said for now. */
export function beatText(
  { list, number, isFull }: Pick<RelayBeat, "list" | "number" | "isFull">,
  tables: Iterable<readonly [name: string, status: string | undefined]>,
): string {
  const said = Array.from(tables, ([name, status]) => `${JSON.stringify(name)}:${status ?? "null"}`);
  const head = JSON.stringify({ kind: "beat", list, n: number, full: isFull || undefined });
  return `${head.slice(0, -1)},"tables":{${said.join(",")}}}`;
}

/**
 * Throws CsvError for anything else than `entryFields` and `beatText` give; splices are checked by `parseSplices`. Undefined for kinds
 * that are not known.
 */
export function parseEntry(fields: readonly unknown[]): RelayEntry | undefined {
  const head = objectOf(fields[0] === "h" ? fields[1] : undefined, "an entry");
  switch (head["kind"]) {
    case "snapshot":
      return isCursor(head) ? { kind: "snapshot", epoch: head.epoch, version: head.version } : malformed("snapshot");
    case "beat":
      return parseBeat(head);
    case "delta":
      return parseDelta(head, fields[2] === "s" ? fields[3] : undefined);
    default:
      return undefined;
  }
}

/** What is wrong with what it says of one table is nothing to the others. */
function parseBeat({ tables, list, n, full }: Fields): RelayBeat {
  if (!isObject(tables)) return malformed("beat");
  const said = new Map<string, RelayStatus | undefined>();
  let fault: string | undefined;
  for (const [name, status] of Object.entries(tables).slice(0, MAX_TABLES)) {
    const found = isObject(status) ? parseStatus(status) : undefined;
    if (!found && status !== null) fault = "a status is malformed";
    said.set(name, found);
  }
  return {
    kind: "beat",
    list: isListId(list) ? list : undefined,
    number: isCount(n) ? n : undefined,
    isFull: full === true,
    tables: said,
    ...(fault !== undefined && { fault }),
  };
}

/** The text of a list of tables. */
export const tablesText = ({ id, first, others }: RelayTables) => JSON.stringify({ id, first: first ?? null, others });

/** `dropped`: names that can be none, or came twice. Throws CsvError for what is no list. */
export function parseTables(text: string): RelayTables & { readonly dropped: number } {
  const { id, first, others } = objectOf(text, "the list of tables");
  if (!isListId(id) || !Array.isArray(others)) return malformed("list of tables");
  if (others.length >= MAX_TABLES)
    throw new CsvError("too-large", `the list of tables has more than ${MAX_TABLES} of them`);
  const names = new Set((others as unknown[]).filter(isName));
  names.delete(FIRST_TABLE);
  if (isName(first)) names.delete(first);
  return {
    ...{ id, first: isName(first) ? first : undefined, others: [...names] },
    dropped: others.length - names.size + (isName(first) || first === null ? 0 : 1),
  };
}

function parseStatus(head: Fields): RelayStatus | undefined {
  const { state, message, since, pendingBytes, replay } = head;
  if (!isCursor(head) || !isState(state) || typeof message !== "string" || !isCount(since)) return undefined;
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

/** As many as a server may have. */
const MAX_TABLES = 10_000;
const MAX_NAME = 100;
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
const isName = (value: unknown): value is string =>
  typeof value === "string" && value.length <= MAX_NAME && /^[\p{L}\p{M}\p{N}_-]+$/u.test(value);
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
