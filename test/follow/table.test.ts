// A client's copy of the table: the one rule, snapshots in parts, and splices, compared with Array.prototype.splice.
import { describe, expect, test } from "bun:test";
import type { DeltaMessage, Row, SnapshotMessage, Splice, SyncMessage } from "../../src/feed/protocol.ts";
import { readPart } from "../../src/follow/part.ts";
import {
  blocksIn,
  changesBetween,
  openTable,
  rowsFrom,
  splicesBetween,
  type Table,
  toObjects,
  windowChange,
} from "../../src/follow/table.ts";
import { spliced as bySplice } from "./splice.ts";

const EPOCH = "k3f9";
const rowsOf = (...names: readonly string[]): Row[] => names.map((name) => [name]);

const part = (rows: readonly Row[], over: Partial<SnapshotMessage> = {}): SnapshotMessage => ({
  type: "snapshot",
  epoch: EPOCH,
  version: 1,
  columns: ["a"],
  at: 0,
  rows,
  count: rows.length,
  ...over,
});

const delta = (from: number, splices: Splice[], count: number, over: Partial<DeltaMessage> = {}): DeltaMessage => ({
  type: "delta",
  epoch: EPOCH,
  from,
  to: from + 1,
  splices,
  count,
  ...over,
});

const sync = (version: number, count: number, epoch = EPOCH): SyncMessage => ({
  type: "sync",
  epoch,
  version,
  count,
  time: 0,
});

function holding(...names: readonly string[]) {
  const copy = openTable();
  copy.applySnapshotPart(part(rowsOf(...names)));
  return copy;
}

describe("a snapshot", () => {
  test("becomes the table when its last part is there, and not before", () => {
    const copy = openTable();
    expect(copy.applySnapshotPart(part(rowsOf("x", "y"), { count: 3 }))).toBe("part");
    expect([copy.table(), copy.cursor(), copy.isPartial()]).toEqual([undefined, undefined, true]);
    expect(copy.applySnapshotPart(part(rowsOf("z"), { at: 2, count: 3 }))).toBe("complete");
    expect({ ...copy.table() }).toEqual({ columns: ["a"], rows: rowsOf("x", "y", "z"), cursor: "k3f9:1" });
    expect([copy.cursor(), copy.isPartial()]).toEqual(["k3f9:1", false]);
  });

  test("of a table without rows is complete at once", () => {
    const copy = openTable();
    expect(copy.applySnapshotPart(part([]))).toBe("complete");
    expect(copy.table()?.rows).toEqual([]);
  });

  test("leaves the table before it as it was, for whoever has kept it", () => {
    const copy = holding("old");
    const before = copy.table();
    copy.applySnapshotPart(part(rowsOf("new"), { epoch: "other", columns: ["b"] }));
    expect({ ...before }).toEqual({ columns: ["a"], rows: rowsOf("old"), cursor: "k3f9:1" });
    expect({ ...copy.table() }).toEqual({ columns: ["b"], rows: rowsOf("new"), cursor: "other:1" });
  });

  test("that begins anew makes the one that was under way forgotten", () => {
    const copy = openTable();
    copy.applySnapshotPart(part(rowsOf("x"), { count: 9 }));
    copy.applySnapshotPart(part(rowsOf("y"), { version: 2, count: 2 }));
    expect(copy.applySnapshotPart(part(rowsOf("z"), { version: 2, at: 1, count: 2 }))).toBe("complete");
    expect(copy.table()?.rows).toEqual(rowsOf("y", "z"));
  });

  const misfits: { name: string; over: Partial<SnapshotMessage> }[] = [
    { name: "leaves rows out", over: { at: 2 } },
    { name: "repeats rows", over: { at: 1, rows: rowsOf("x"), version: 1, count: 4 } },
    { name: "is of another version", over: { version: 2 } },
    { name: "is of another epoch", over: { epoch: "other" } },
    { name: "has other ideas of how many rows there are", over: { count: 4 } },
    { name: "has more rows than there are", over: { rows: rowsOf("y", "z", "!") } },
  ];
  test.each(misfits)("part that $name is a gap, after which nothing is trusted", ({ over }) => {
    const copy = holding("old");
    copy.applySnapshotPart(part(rowsOf("x"), { version: 1, count: 3 }));
    expect(copy.applySnapshotPart(part(rowsOf("y"), { at: 1, count: 3, ...over }))).toBe("gap");
    expect([copy.cursor(), copy.isPartial(), copy.table()?.rows]).toEqual([undefined, false, rowsOf("old")]);
  });

  test("part that comes out of nowhere is a gap", () => {
    expect(openTable().applySnapshotPart(part(rowsOf("y"), { at: 1, count: 2 }))).toBe("gap");
    const copy = openTable();
    copy.applySnapshotPart(part(rowsOf("x"), { count: 2 }));
    copy.dropParts();
    expect(copy.applySnapshotPart(part(rowsOf("y"), { at: 1, count: 2 }))).toBe("gap");
  });
});

describe("a delta", () => {
  test("of my epoch and from my version makes another table, and leaves the one before as it was", () => {
    const copy = holding("a", "b", "c");
    const table = copy.table();
    expect(copy.applyDelta(delta(1, [[3, 0, rowsOf("d")]], 4))).toBe("applied");
    const between = copy.table();
    expect(copy.applyDelta(delta(2, [[0, 2, []]], 2, { to: 7 }))).toBe("applied");
    expect([table, between, copy.table()].map((one) => ({ ...one }))).toEqual([
      { columns: ["a"], rows: rowsOf("a", "b", "c"), cursor: "k3f9:1" },
      { columns: ["a"], rows: rowsOf("a", "b", "c", "d"), cursor: "k3f9:2" },
      { columns: ["a"], rows: rowsOf("c", "d"), cursor: "k3f9:7" },
    ]);
    expect(copy.cursor()).toBe("k3f9:7");
  });

  test("makes a table that shares all blocks but those that it touches, and reads none of them", () => {
    const parsed: string[] = [];
    const parse = (json: string): unknown => {
      parsed.push(json);
      return JSON.parse(json);
    };
    const settings = { cells: 2, keepsText: false, parse };
    const copy = openTable(settings);
    const text = JSON.stringify(part(rowsOf(..."abcdef"), { columns: ["a"] }));
    const { message, blocks } = readPart(text, settings)!;
    copy.applySnapshotPart(message, blocks);
    const before = copy.table()!;
    copy.applyDelta(delta(1, [[6, 0, rowsOf("g")]], 7));
    copy.applyDelta(delta(2, [[0, 2, []]], 5));
    const after = copy.table()!;
    expect([before.length, after.length, parsed.length]).toEqual([6, 5, 0]);
    expect(blocksIn(after).blocks.slice(0, 2)).toEqual(blocksIn(before).blocks.slice(1));
    expect(blocksIn(after).blocks[0]).toBe(blocksIn(before).blocks[1]!);
    expect([after.row(0), after.slice(-2), [...after].length, parsed.length]).toEqual([["c"], rowsOf("f", "g"), 5, 2]);
    expect(after.rows[0]).toBe(after.row(0)!);
    expect(after.rows).toBe(after.rows);
    expect({ before: before.rows.flat().join(""), after: after.rows.flat().join("") }).toEqual({
      before: "abcdef",
      after: "cdefg",
    });
  });

  test("may change nothing but the version", () => {
    const copy = holding("a");
    expect(copy.applyDelta(delta(1, [], 1))).toBe("applied");
    expect(copy.cursor()).toBe("k3f9:2");
  });

  const others: { name: string; message: DeltaMessage; expected: "gap" | "duplicate" }[] = [
    { name: "that begins later", message: delta(2, [[0, 1, []]], 1), expected: "gap" },
    { name: "that begins earlier and ends later", message: delta(0, [[0, 1, []]], 1, { to: 2 }), expected: "gap" },
    { name: "of another epoch", message: delta(1, [[0, 1, []]], 1, { epoch: "x" }), expected: "gap" },
    { name: "that is known already", message: delta(0, [[0, 1, []]], 1), expected: "duplicate" },
  ];
  test.each(others)("$name is a $expected, and the cursor stays", ({ message, expected }) => {
    const copy = holding("a", "b");
    expect(copy.applyDelta(message)).toBe(expected);
    expect([copy.table()?.rows, copy.cursor()]).toEqual([rowsOf("a", "b"), "k3f9:1"]);
  });

  const wrong: { name: string; splices: Splice[]; count: number }[] = [
    { name: "leads to another number of rows", splices: [[0, 1, []]], count: 2 },
    { name: "begins behind the end", splices: [[3, 0, rowsOf("x")]], count: 3 },
    { name: "takes more than there is", splices: [[1, 2, rowsOf("x")]], count: 2 },
    {
      name: "goes wrong in its second half",
      splices: [
        [0, 2, []],
        [1, 0, rowsOf("x", "y")],
      ],
      count: 2,
    },
  ];
  test.each(wrong)("that $name is a gap: nothing of it applies, and nothing is trusted", ({ splices, count }) => {
    const copy = holding("a", "b");
    expect(copy.applyDelta(delta(1, splices, count))).toBe("gap");
    expect([copy.table()?.rows, copy.cursor()]).toEqual([rowsOf("a", "b"), undefined]);
    expect(copy.applyDelta(delta(1, [], 2))).toBe("gap");
    expect(copy.applySnapshotPart(part(rowsOf("c")))).toBe("complete");
    expect(copy.cursor()).toBe("k3f9:1");
  });

  test("is a gap before there is a table", () => {
    expect(openTable().applyDelta(delta(1, [], 0))).toBe("gap");
  });

  test("that applies makes parts of a snapshot forgotten", () => {
    const copy = holding("a");
    copy.applySnapshotPart(part(rowsOf("x"), { version: 5, count: 2 }));
    expect(copy.applyDelta(delta(1, [[1, 0, rowsOf("b")]], 2))).toBe("applied");
    expect(copy.applySnapshotPart(part(rowsOf("y"), { version: 5, at: 1, count: 2 }))).toBe("gap");
  });
});

test("a table that is copied or written as JSON is what it says", () => {
  const table = holding("x", "y").table()!;
  const expected = { columns: ["a"], rows: rowsOf("x", "y"), cursor: "k3f9:1" };
  expect([{ ...table }, JSON.parse(JSON.stringify(table)), structuredClone({ ...table })]).toEqual([
    expected,
    expected,
    expected,
  ]);
  expect(Array.isArray(table.rows)).toBe(true);
});

describe("a part of a snapshot", () => {
  const settings = { cells: 4, keepsText: true, parse: JSON.parse };

  test("is the message that it would be, and its rows are blocks", () => {
    const message = part(rowsOf(..."abcdefg"), { types: ["text"], units: [null], at: 3, count: 10 });
    const read = readPart(JSON.stringify(message), settings)!;
    expect({ ...read.message }).toEqual(message);
    expect(read.blocks.map(({ count, text }) => `${count} ${text}`)).toEqual([
      '4 ["a"],["b"],["c"],["d"]',
      '3 ["e"],["f"],["g"]',
    ]);
    expect(readPart(JSON.stringify(part([])), settings)!.blocks).toEqual([]);
  });

  const others: { name: string; text: string }[] = [
    { name: "another message", text: JSON.stringify(sync(1, 1)) },
    { name: "one with blanks", text: JSON.stringify(part(rowsOf("x")), null, 1) },
    { name: "one with rows in another place", text: '{"type":"snapshot","x":{"columns":["a"],"rows":[["x"]]}}' },
    { name: "one with rows twice", text: JSON.stringify(part(rowsOf("x"))).replace("}", ',"rows":[["y"]]}') },
    { name: "one without columns in front", text: '{"type":"snapshot","at":0,"rows":[["x"]],"columns":["a"]}' },
    { name: "one with other cells", text: JSON.stringify(part(rowsOf("x"))).replace('"x"', "1") },
  ];
  test.each(others)("is read as before: $name", ({ text }) => {
    expect(readPart(text, settings)).toBeUndefined();
  });

  test("that is no message throws as any other", () => {
    expect(() => readPart(`${JSON.stringify(part(rowsOf("x")))}}`, settings)).toThrow("not a JSON object");
    const text = JSON.stringify(part(rowsOf("x"))).replace('"count":1', '"count":-1');
    expect(() => readPart(text, settings)).toThrow("malformed");
  });
});

test("the changes between two tables in blocks are those between their rows", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const below = randomOf(seed);
    const table = () => Array.from({ length: below(12) }, (): Row => [String(below(3)), "x"]);
    const [before, after] = [table(), table()];
    const same = Array.from({ length: below(9) }, (_, i): Row => [String(i), "y"]);
    const rows = [...same, ...before, ...same];
    const held = rowsFrom(rows, { cells: 4, keepsText: true, parse: JSON.parse });
    const next = held.spliced([[same.length, before.length, after]]);
    expect({ seed, rows: bySplice(rows, changesBetween(held, next)) }).toEqual({ seed, rows: [...next] });
  }
});

test("types and units come with a snapshot, and stay until a delta brings others", () => {
  const copy = openTable();
  copy.applySnapshotPart(part(rowsOf("x"), { count: 2, types: ["text"], units: [null] }));
  copy.applySnapshotPart(part(rowsOf("y"), { at: 1, count: 2 }));
  expect(copy.table()).toMatchObject({ types: ["text"], units: [null] });
  copy.applyDelta(delta(1, [], 2));
  expect(copy.table()).toMatchObject({ types: ["text"], units: [null] });
  copy.applyDelta(delta(2, [], 2, { types: ["number"], units: ["V"] }));
  expect(copy.table()).toMatchObject({ types: ["number"], units: ["V"] });
  copy.applySnapshotPart(part([]));
  expect(copy.table()).not.toHaveProperty("types");
});

test("a sync is compared with what is held", () => {
  const copy = holding("a", "b");
  expect(copy.compare(sync(1, 2))).toBe("same");
  expect(copy.compare(sync(2, 2))).toBe("gap");
  expect(copy.compare(sync(1, 2, "x"))).toBe("gap");
  expect(copy.cursor()).toBe("k3f9:1");
  expect(copy.compare(sync(1, 3))).toBe("gap");
  expect(copy.cursor()).toBeUndefined();
  expect(openTable().compare(sync(1, 0))).toBe("gap");
  copy.applySnapshotPart(part(rowsOf("a"), { count: 2 }));
  expect(copy.compare(sync(1, 2))).toBe("part");
});

/** A sequence of numbers from a seed (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

describe("the splices between two tables", () => {
  const cases: { name: string; before: string; after: string; expected: Splice[] }[] = [
    { name: "that are the same", before: "abc", after: "abc", expected: [] },
    { name: "of which one has grown", before: "abc", after: "abcde", expected: [[3, 0, rowsOf("d", "e")]] },
    { name: "of which one has lost its head", before: "abc", after: "bc", expected: [[0, 1, []]] },
    { name: "with a row in between", before: "abc", after: "abXc", expected: [[2, 0, rowsOf("X")]] },
    {
      name: "with rows that were edited, and a new one",
      before: "abcd",
      after: "XbYZe",
      expected: [
        [0, 1, rowsOf("X")],
        [2, 2, rowsOf("Y", "Z", "e")],
      ],
    },
    {
      name: "of which the first row was edited and one was appended",
      before: "abcd",
      after: "Xbcde",
      expected: [
        [0, 1, rowsOf("X")],
        [4, 0, rowsOf("e")],
      ],
    },
    { name: "that share nothing", before: "ab", after: "xyz", expected: [[0, 2, rowsOf("x", "y", "z")]] },
    { name: "of which one is empty", before: "ab", after: "", expected: [[0, 2, []]] },
    { name: "with rows that repeat", before: "aa", after: "aaa", expected: [[2, 0, rowsOf("a")]] },
  ];
  test.each(cases)("$name", ({ before, after, expected }) => {
    const splices = splicesBetween(rowsOf(...before), rowsOf(...after));
    expect(splices).toEqual(expected);
    expect(bySplice(rowsOf(...before), splices)).toEqual(rowsOf(...after));
  });

  test("lead from any to any", () => {
    for (let seed = 1; seed <= 500; seed++) {
      const below = randomOf(seed);
      const table = () => Array.from({ length: below(12) }, (): Row => [String(below(3)), "x"]);
      const [before, after] = [table(), table()];
      expect({ seed, rows: bySplice(before, splicesBetween(before, after)) }).toEqual({ seed, rows: after });
    }
  });
});

describe("two windows of a source", () => {
  const windowOf = (first: number, names: string): Table => {
    const copy = openTable();
    const rows = rowsOf(...names);
    const part = { type: "snapshot", epoch: "e", version: 1, columns: ["name"], at: 0, rows } as const;
    copy.applySnapshotPart({ ...part, count: rows.length, first });
    return copy.table()!;
  };
  type Case = { name: string; before: [number, string]; after: [number, string]; expected: Splice[] | undefined };
  const cases: Case[] = [
    {
      name: "that has moved on, of rows that are all the same",
      before: [3, "aaa"],
      after: [5, "aaa"],
      expected: [
        [0, 2, []],
        [1, 0, rowsOf("a", "a")],
      ],
    },
    { name: "that has not moved", before: [3, "abc"], after: [3, "abc"], expected: [] },
    { name: "that has grown", before: [3, "ab"], after: [3, "abc"], expected: [[2, 0, rowsOf("c")]] },
    {
      name: "of which the last row was completed",
      before: [3, "abc"],
      after: [4, "bCd"],
      expected: [
        [0, 1, []],
        [1, 1, rowsOf("C", "d")],
      ],
    },
    { name: "that follow one another", before: [3, "ab"], after: [5, "cd"], expected: [[0, 2, rowsOf("c", "d")]] },
    { name: "with rows between them", before: [3, "ab"], after: [9, "yz"], expected: [[0, 2, rowsOf("y", "z")]] },
    {
      name: "of which the later is longer at both ends",
      before: [3, "ab"],
      after: [1, "xyabc"],
      expected: [
        [0, 0, rowsOf("x", "y")],
        [4, 0, rowsOf("c")],
      ],
    },
    { name: "of which rows have changed", before: [3, "abc"], after: [4, "Xcd"], expected: undefined },
    { name: "of which the later ends before the other", before: [3, "abc"], after: [2, "ab"], expected: undefined },
    { name: "that are the whole of it", before: [0, "ab"], after: [0, "abc"], expected: undefined },
  ];
  test.each(cases)("$name", ({ before, after, expected }) => {
    const [earlier, later] = [windowOf(...before), windowOf(...after)];
    const splices = windowChange(earlier, later);
    expect(splices).toEqual(expected);
    if (splices) expect(bySplice(earlier.rows, splices)).toEqual([...later.rows]);
  });

  test("are where the messages say", () => {
    const copy = openTable();
    const { table, applyDelta, applySnapshotPart } = copy;
    const part = {
      type: "snapshot",
      epoch: "e",
      version: 1,
      columns: ["n"],
      at: 0,
      rows: rowsOf("a"),
      count: 1,
    } as const;
    applySnapshotPart({ ...part, first: 7 });
    expect(table()!.first).toBe(7);
    const delta = { type: "delta", epoch: "e", from: 1, to: 2, splices: [], count: 1 } as const;
    applyDelta({ ...delta, first: 8 });
    expect(table()!.first).toBe(8);
    applyDelta({ ...delta, from: 2, to: 3 });
    expect(table()!.first).toBeUndefined();
  });
});

test("rows become objects, even under names that mean something to objects", () => {
  const [object] = toObjects({ columns: ["b", "__proto__", "constructor"], rows: [["1", "2", "3"]] });
  expect(JSON.stringify(object)).toBe('{"b":"1","__proto__":"2","constructor":"3"}');
  expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
});

test.each([1000, 4])(
  "a window that has moved loses its first rows and gets new ones at its end, of %d different rows",
  (values) => {
    const log = Array.from({ length: 1100 }, (_, i) => [String(Math.imul(i ^ (i >> 3), 0x9e3779b1) % values), "x"]);
    const after = [...log.slice(100, 1000), ...Array.from({ length: 100 }, (_, i) => [`new ${i}`, "x"])];
    expect(splicesBetween(log.slice(0, 1000), after)).toEqual([
      [0, 100, []],
      [900, 0, after.slice(900)],
    ]);
  },
);
