// What stands in Redis: what is written can be read, and whatever else may stand there is refused, never half taken.
import { describe, expect, test } from "bun:test";
import type { Status } from "../../src/feed/publication.ts";
import {
  beatText,
  entryFields,
  isBehind,
  parseEntry,
  parsePointer,
  parseRows,
  parseSplices,
  parseTables,
  type RelayBeat,
  type RelayEntry,
  relayKeys,
  statusText,
  tablesText,
} from "../../src/relay/wire.ts";

const entries: Exclude<RelayEntry, RelayBeat>[] = [
  {
    kind: "delta",
    epoch: "k3f9",
    from: 4,
    to: 5,
    count: 2,
    splices: '[[1,0,[["a","b"]]]]',
    warnings: ["w"],
    changedAt: 9,
    first: 7,
  },
  { kind: "snapshot", epoch: "k3f9", version: 5 },
];
const cursor = { epoch: "k3f9", version: 5 };
const statuses: Status[] = [
  { state: "stale", message: 'a "message"', since: 7 },
  { state: "live", message: "", since: 7, replay: { speed: "10x", isFinished: false } },
];
const pointer = {
  id: "x-1",
  bytes: 9,
  kept: [{ id: "x-0", bytes: 8 }],
  epoch: "k3f9",
  version: 5,
  columns: ["11", "__proto__", "a_1", ""],
  rows: 2,
  parts: 1,
  after: "1-0",
  file: "f.csv",
  dialect: "comma, UTF-8",
  warnings: ["1 cell dropped"],
  changedAt: 1_760_000_000_000,
  first: 1_000,
};

test.each(entries)("an entry of kind $kind survives", (entry) => {
  expect(parseEntry(entryFields(entry))).toEqual(entry);
});

test.each(statuses)("a status $state survives in a beat", (status) => {
  const text = beatText({ isFull: false }, [["csv", statusText(cursor, status)]]);
  expect(parseEntry(["h", text])).toEqual({
    ...{ kind: "beat", list: undefined, number: undefined, isFull: false },
    tables: new Map([["csv", { kind: "status", ...cursor, ...status }]]),
  });
});

test("a beat has its number, its list, the statuses of many tables, and those of which nothing can be said", () => {
  const said = statusText(cursor, statuses[0]!);
  const text = beatText({ list: "l1", number: 7, isFull: true }, [
    ["__proto__", said],
    ["prices", undefined],
  ]);
  const beat = parseEntry(["h", text]) as RelayBeat;
  expect(beat).toMatchObject({ list: "l1", number: 7, isFull: true });
  expect([...beat.tables.keys()]).toEqual(["__proto__", "prices"]);
  expect(beat.tables.get("__proto__")).toMatchObject({ version: 5 });
  expect([beat.tables.get("prices"), beat.tables.get("constructor"), beat.fault]).toEqual(Array(3).fill(undefined));
});

test.each([
  ["is none", 7],
  ["has no state", { epoch: "e", version: 1, state: "fine", message: "", since: 1 }],
  ["has no time", { epoch: "e", version: 1, state: "live", message: "" }],
  ["has an object as its message", { epoch: "e", version: 1, state: "live", message: {}, since: 1 }],
])("a status that %s hurts no other table", (_name, status) => {
  const tables = { bad: status, good: { ...cursor, ...statuses[0] } };
  const found = parseEntry(["h", JSON.stringify({ kind: "beat", tables })]) as RelayBeat;
  expect(found.fault).toBe("a status is malformed");
  expect(found.tables.get("bad")).toBeUndefined();
  expect(found.tables.get("good")).toMatchObject({ state: "stale" });
});

describe("the list of tables", () => {
  test("survives", () => {
    const list = { id: "x", first: "prices", others: ["\u8c61", "b_2"] };
    expect(parseTables(tablesText(list))).toEqual({ ...list, dropped: 0 });
    expect(parseTables(tablesText({ ...list, first: undefined }))).toEqual({ ...list, first: undefined, dropped: 0 });
  });

  test("has no name that makes a key of something else, is the first one's, or comes twice", () => {
    const others = ["a", "a", "csv", "x:y", "", "x".repeat(101), 7, "first", "a}b", "b"];
    expect(parseTables(JSON.stringify({ id: "x", first: "first", others }))).toEqual({
      ...{ id: "x", first: "first", others: ["a", "b"], dropped: 8 },
    });
    expect(parseTables(JSON.stringify({ id: "x", first: "\u001b", others: [] }))).toMatchObject({
      first: undefined,
      dropped: 1,
    });
  });

  test.each([
    ["no JSON", "{"],
    ["an array", "[]"],
    ["without an id", '{"first":null,"others":[]}'],
    ["without others", '{"id":"x","first":"a"}'],
    ["endless", JSON.stringify({ id: "x", first: null, others: Array.from({ length: 10_000 }, (_, n) => `${n}`) })],
  ])("that is %s is none", (_name, text) => {
    expect(() => parseTables(text)).toThrow();
  });
});

describe("texts for people", () => {
  const HOSTILE = '\u001b[2J\n{"forged":1}\u202e\ud800' + "x".repeat(5_000);
  const expectTame = (text: string, most: number) => {
    expect(text).toStartWith('"\\u001b[2J\\n{');
    expect(text).not.toMatch(/[\0-\x1f\u202a-\u202e]/);
    expect(text.isWellFormed()).toBe(true);
    expect(text.length).toBeLessThan(2 * most);
  };

  test("come from the pointer of bounded length, and with nothing that forges a line or commands a terminal", () => {
    const warnings = Array.from({ length: 1_000 }, () => HOSTILE);
    const found = parsePointer(JSON.stringify({ ...pointer, file: HOSTILE, dialect: HOSTILE, warnings }), 4);
    for (const text of [found.file, found.dialect, ...found.warnings]) expectTame(text, 255);
    expect(found.warnings).toHaveLength(8);
  });

  test("and so from entries", () => {
    const delta = parseEntry(entryFields({ ...entries[0]!, warnings: [HOSTILE] } as (typeof entries)[0]));
    if (delta?.kind !== "delta") throw new Error("no delta");
    expectTame(delta.warnings[0]!, 255);
    const text = beatText({ isFull: false }, [["csv", statusText(cursor, { ...statuses[0]!, message: HOSTILE })]]);
    expectTame((parseEntry(["h", text]) as RelayBeat).tables.get("csv")!.message, 1_000);
  });

  test("types and units are written anew: a line end between them would forge an event", () => {
    const verdicts = { types: '[\n"number",\n\nnull,null,null]', units: '[ "\u2028", null, null, null ]' };
    const found = parsePointer(JSON.stringify({ ...pointer, verdicts }), 4).verdicts!;
    expect(found).toEqual({ types: '["number",null,null,null]', units: '["\u2028",null,null,null]' });
  });

  test("a head beyond all measure is refused before it is read", () => {
    const text = JSON.stringify({ ...pointer, file: "x".repeat(17 << 20) });
    expect(() => parsePointer(text, 4)).toThrow("larger than 16 MiB");
    expect(() => parseEntry(["h", text])).toThrow("larger than 16 MiB");
  });
});

test.each([undefined, null, "7", -1, 0.5, 1e400])(
  "a time of change that is %p is none, and hurts nothing",
  (changedAt) => {
    const [delta] = entries;
    expect(parseEntry(entryFields({ ...delta, changedAt } as (typeof entries)[0]))).toEqual({
      ...delta,
      changedAt: undefined,
    } as RelayEntry);
    expect(parsePointer(JSON.stringify({ ...pointer, changedAt }), 4)).toEqual({ ...pointer, changedAt: undefined });
  },
);

test("an entry of a kind that is not known is none, and no error", () => {
  expect(parseEntry(["h", '{"kind":"later"}'])).toBeUndefined();
});

test("all keys of a topic share a hash tag, and no name makes a key of a table one of its server", () => {
  const { lease, beat, tables, ...ofTable } = relayKeys("t", "lease");
  const keys = [ofTable.stream, ofTable.head, ofTable.pointer, ofTable.list("x")];
  for (const key of [lease, beat, tables, ...keys]) expect(key).toStartWith("csvcast:{t}:");
  const other = relayKeys("t", "beat");
  const all = [lease, beat, tables, ...keys, other.stream, other.head, other.pointer, other.list("x")];
  expect(new Set(all).size).toBe(all.length);
  expect(relayKeys("t", "prices").lease).toBe(lease);
  expect(relayKeys("t", "prices").beat).toBe(beat);
});

const beat = (tables: unknown) => ["h", JSON.stringify({ kind: "beat", tables })];
const head = (fields: object) => ["h", JSON.stringify(fields), "s", "[]"];
test.each([
  ["no fields", []],
  ["another first field", ["x", "{}"]],
  ["no JSON", ["h", "{"]],
  ["an array", ["h", "[]"]],
  ["null", ["h", "null"]],
  ["a number", ["h", 7 as unknown as string]],
  ["a delta without splices", ["h", JSON.stringify({ kind: "delta", epoch: "e", from: 1, to: 2, count: 0 })]],
  ["a delta that leads nowhere", head({ kind: "delta", epoch: "e", from: 2, to: 2, count: 0 })],
  ["a delta with a negative version", head({ kind: "delta", epoch: "e", from: -1, to: 2, count: 0 })],
  ["a delta with half a row", head({ kind: "delta", epoch: "e", from: 1, to: 2, count: 0.5 })],
  ["a delta without an epoch", head({ kind: "delta", from: 1, to: 2, count: 0 })],
  ["an epoch that forges an event", head({ kind: "delta", epoch: "e\ndata: x", from: 1, to: 2, count: 0 })],
  ["a snapshot without a version", head({ kind: "snapshot", epoch: "e" })],
  ["a beat without tables", beat(undefined)],
  ["a beat whose tables are a list", beat([])],
])("%s is no entry", (_name, fields) => {
  expect(() => parseEntry(fields)).toThrow();
});

describe("the pointer to the snapshot", () => {
  test("survives, with the names of the columns as they are", () => {
    expect(parsePointer(JSON.stringify(pointer), 4)).toEqual(pointer);
  });

  test("forgets lists that are none: they are of no importance for the table", () => {
    const kept = [{ id: "x}:y", bytes: 1 }, { id: "a", bytes: -1 }, null, pointer.kept[0]];
    const text = JSON.stringify({ ...pointer, kept, bytes: "many" });
    expect(parsePointer(text, 4)).toEqual({ ...pointer, bytes: 0 });
    expect(parsePointer(JSON.stringify({ ...pointer, kept: 7 }), 4)).toEqual({ ...pointer, kept: [] });
  });

  test.each([
    ["no JSON", "{"],
    ["names twice", JSON.stringify({ ...pointer, columns: ["a", "a"] })],
    ["a name that is no text", JSON.stringify({ ...pointer, columns: [1] })],
    ["half a character in a name", JSON.stringify({ ...pointer, columns: ["\ud800"] })],
    ["an id that leads to another key", JSON.stringify({ ...pointer, id: "x}:y" })],
    ["no place in the stream", JSON.stringify({ ...pointer, after: "$" })],
    ["less than no rows", JSON.stringify({ ...pointer, rows: -1 })],
    ["no file", JSON.stringify({ ...pointer, file: undefined })],
  ])("with %s is none", (_name, text) => {
    expect(() => parsePointer(text, 100)).toThrow();
  });

  test("of too many columns is refused with the option that says so", () => {
    expect(() => parsePointer(JSON.stringify(pointer), 3)).toThrow("4 columns, more than --max-columns 3");
  });
});

test.each([
  ["no JSON", "["],
  ["an object", "{}"],
  ["a row that is none", '["a"]'],
  ["a cell that is a number", '[["a",1]]'],
  ["a cell too few", '[["a"]]'],
  ["a cell too many", '[["a","b","c"]]'],
  ["a hole", '[["a",null]]'],
])("%s is no part of a table with two columns", (_name, text) => {
  expect(() => parseRows(text, 2)).toThrow();
});

test("a table without columns has no rows", () => {
  expect(parseRows("[]", 0)).toEqual([]);
  expect(() => parseRows("[[]]", 0)).toThrow();
});

test.each([
  ["no JSON", "x", 3],
  ["an object", "{}", 3],
  ["a splice that is none", "[1]", 3],
  ["a splice of two", "[[0,1]]", 2],
  ["a splice of four", "[[0,0,[],0]]", 3],
  ["a negative start", "[[-1,0,[]]]", 3],
  ["a start that is a text", '[["0",0,[]]]', 3],
  ["rows that are not there", "[[2,2,[]]]", 1],
  ["rows that an earlier splice took", "[[0,2,[]],[2,1,[]]]", 0],
  ["another count", "[[0,1,[]]]", 3],
  ["a row of the wrong length", '[[0,0,[["a"]]]]', 4],
  ["a number that is none", "[[0,1e400,[]]]", 3],
])("%s is no change of three rows", (_name, text, count) => {
  expect(() => parseSplices(text, 2, 3, count)).toThrow();
});

test("splices apply one after the other", () => {
  expect(parseSplices('[[0,3,[]],[0,0,[["a","b"]]]]', 2, 3, 1)).toHaveLength(2);
});

test.each([
  ["2-0", "1-9", true],
  ["1-10", "1-9", true],
  ["1-9", "1-9", false],
  ["1-9", "2-0", false],
  ["18446744073709551615-1", "9-18446744073709551615", true],
])("entry %s is behind %s: %s", (a, b, expected) => {
  expect(isBehind(a, b)).toBe(expected);
});
