// What is held of a source, and what a change makes of it: bytes in, revisions out.
import { describe, expect, test } from "bun:test";
import { HEAD_BYTES } from "../../src/csv/encoding.ts";
import { type Held, type HeldOptions, openHeld, type Revision } from "../../src/source/held.ts";
import { difference } from "../../src/source/difference.ts";

const OPTIONS: HeldOptions = { lastRows: Infinity, maxCellBytes: 1 << 24 };

const bytesOf = (text: string, encoding: BufferEncoding = "utf8") => new Uint8Array(Buffer.from(text, encoding));

function openTestHeld(text: string, changes: Partial<HeldOptions> = {}): Held {
  const held = openHeld({ ...OPTIONS, ...changes });
  set(held, text);
  return held;
}

function set(held: Held, text: string | Uint8Array): void {
  const bytes = typeof text === "string" ? bytesOf(text) : text;
  held.set(bytes, bytes.length);
}

/** The change as the wire has it, `[start, deleted, rows]`, or the rows there are after a change of all. */
function published(held: Held, isQuiet: boolean) {
  const revision = held.publish(isQuiet);
  return revision && shown(revision);
}

function shown({ table, view, change, isNewEpoch }: Revision) {
  const rows = (from: number, to: number) =>
    (JSON.parse(table.render(from, to, "arrays").text!) as string[][]).map((row) => row.join());
  if (change === "all") return { all: rows(view.first, view.end), isNewEpoch };
  return change.map(({ start, deleted, from, inserted }) => [start, deleted, rows(from, from + inserted)]);
}

/** More rows than the head has, which decides on the dialect. */
const LARGE = `a,b\n${Array.from({ length: 9_000 }, (_, r) => `${r},row ${r}\n`).join("")}`;

describe("what is held", () => {
  test("is nothing at first, and nothing is published", () => {
    const held = openHeld(OPTIONS);
    expect([held.table(), held.covered(), held.source()]).toEqual([undefined, 0, undefined]);
    expect(held.append(bytesOf("a\n"))).toBe(false);
    expect(held.setFrom(0, bytesOf("a\n"))).toBe(false);
    expect(held.matches(0, bytesOf("a"))).toBe(false);
    expect(held.oversizeRow()).toBeUndefined();
    expect(held.publish(true)).toBeUndefined();
  });

  test("is published once: the whole, in a new epoch, and then nothing until something changes", () => {
    const held = openTestHeld("a,b\n1,2\n");
    expect(published(held, false)).toEqual({ all: ["1,2"], isNewEpoch: true });
    expect(held.publish(false)).toBeUndefined();
    expect(held.publish(true)).toBeUndefined();
  });

  test("can be compared with the source, where it is as it was read", () => {
    const held = openTestHeld("a,b\n1,2\n");
    expect(held.covered()).toBe(8);
    expect(held.matches(4, bytesOf("1,2"))).toBe(true);
    expect(held.matches(4, bytesOf("1,3"))).toBe(false);
    expect(held.matches(6, bytesOf("2\n\0"))).toBe(false);
    expect(Buffer.from(held.source()!).toString()).toBe("a,b\n1,2\n");
  });

  test("of another encoding is decoded, and says nothing about the source", () => {
    const held = openHeld(OPTIONS);
    set(held, bytesOf("a\ncaf\xe9\n", "latin1"));
    expect(published(held, true)).toEqual({ all: ["café"], isNewEpoch: true });
    expect([held.covered(), held.source()]).toEqual([7, undefined]);
    expect(held.matches(0, bytesOf("a"))).toBe(false);
    expect(held.append(bytesOf("2\n"))).toBe(false);
    expect(held.setFrom(0, bytesOf("a\n"))).toBe(false);
  });

  test("stays as it is when what comes is no CSV", () => {
    const held = openTestHeld("a\n1\n");
    published(held, true);
    expect(() => set(held, bytesOf("\x89PNG\r\n\x1a\n", "latin1"))).toThrow("not a CSV but a PNG image");
    expect(held.covered()).toBe(4);
    expect(held.publish(true)).toBeUndefined();
    expect(held.append(bytesOf("2\n"))).toBe(true);
    expect(published(held, true)).toEqual([[1, 0, ["2"]]]);
  });
});

describe("bytes that are appended", () => {
  test("bring the rows they end", () => {
    const held = openTestHeld("a,b\n1,2\n");
    published(held, true);
    expect(held.append(bytesOf("3,4\n5,6\n"))).toBe(true);
    expect(held.covered()).toBe(16);
    expect(published(held, false)).toEqual([[1, 0, ["3,4", "5,6"]]]);
  });

  test("bring a row without its end only when the source is quiet; more of it is a change of that row", () => {
    const held = openTestHeld("a,b\n1,2\n");
    published(held, true);
    held.append(bytesOf("3,4\n5,"));
    expect(published(held, false)).toEqual([[1, 0, ["3,4"]]]);
    expect(held.publish(false)).toBeUndefined();
    expect(published(held, true)).toEqual([[2, 0, ["5,"]]]);
    held.append(bytesOf("6"));
    expect(published(held, false)).toEqual([[2, 1, []]]);
    held.append(bytesOf("\n"));
    expect(published(held, false)).toEqual([[2, 0, ["5,6"]]]);
  });

  test("several times between two publications are taken anew", () => {
    const held = openTestHeld("a\n1\n");
    published(held, true);
    held.append(bytesOf("2\n"));
    held.append(bytesOf("3\n"));
    expect(published(held, true)).toEqual({ all: ["1", "2", "3"], isNewEpoch: false });
  });

  test("cover what is whole of them: a torn character comes again", () => {
    const held = openTestHeld("a\n1\n");
    published(held, true);
    const line = bytesOf("é€\n");
    expect(held.append(line.subarray(0, 4))).toBe(true);
    expect(held.covered()).toBe(6);
    expect(held.append(line.subarray(2))).toBe(true);
    expect(held.covered()).toBe(10);
    expect(published(held, true)).toEqual({ all: ["1", "é€"], isNewEpoch: false });
  });

  test.each([
    { name: "are no UTF-8", before: "a\n1\n", added: bytesOf("caf\xe9\n", "latin1") },
    { name: "come before there is a header", before: "\n\n", added: bytesOf("a\n1\n") },
    { name: "go on with the header", before: "a,b", added: bytesOf(",c\n1,2,3\n") },
  ])("are not enough where they $name: the whole is needed", ({ before, added }) => {
    const held = openTestHeld(before);
    published(held, true);
    const covered = held.covered();
    expect(held.append(added)).toBe(false);
    expect(held.covered()).toBe(covered);
    expect(held.publish(true)).toBeUndefined();
  });
});

describe("a source that is the same up to some byte", () => {
  const at = bytesOf(LARGE).length - 100;

  test("is compared from there on: what is published is the rows that differ", () => {
    const held = openTestHeld(LARGE);
    published(held, true);
    const rest = LARGE.slice(at).replace("row 8997", "ROW");
    expect(held.setFrom(at, bytesOf(rest))).toBe(true);
    expect(held.covered()).toBe(at + rest.length);
    expect(published(held, true)).toEqual([[8_997, 1, ["8997,ROW"]]]);
  });

  test("may be shorter, or end there", () => {
    const held = openTestHeld(LARGE);
    published(held, true);
    const border = LARGE.indexOf("8995,");
    expect(held.setFrom(border, new Uint8Array(0))).toBe(true);
    expect(published(held, true)).toEqual([[8_995, 5, []]]);
  });

  test("and is all the same is no change", () => {
    const held = openTestHeld(LARGE);
    published(held, true);
    expect(held.setFrom(at, bytesOf(LARGE.slice(at)))).toBe(true);
    expect(held.publish(true)).toBeUndefined();
  });

  test.each([
    { name: "differs within the head, which decides on the dialect", from: HEAD_BYTES - 1, rest: bytesOf("x\n") },
    { name: "is no UTF-8 there", from: at, rest: bytesOf("caf\xe9\n", "latin1") },
    { name: "ends in the middle of a character", from: at, rest: bytesOf("x\n€").subarray(0, 4) },
  ])("but $name is needed whole", ({ from, rest }) => {
    const held = openTestHeld(LARGE);
    published(held, true);
    expect(held.setFrom(from, rest)).toBe(false);
    expect(held.covered()).toBe(LARGE.length);
    expect(held.publish(true)).toBeUndefined();
  });
});

describe("a source that comes whole", () => {
  test("is compared with what is held: the rows that differ are the change", () => {
    const held = openTestHeld("a,b\n1,2\n3,4\n5,6\n");
    published(held, true);
    set(held, "a,b\n1,2\n3,X\n5,6\n");
    expect(published(held, true)).toEqual([[1, 1, ["3,X"]]]);
  });

  test("and is the same is no change", () => {
    const held = openTestHeld("a\n1\n");
    published(held, true);
    set(held, "a\n1\n");
    expect(held.publish(true)).toBeUndefined();
  });

  test.each([
    { name: "another header", text: "x,y\n1,2\n" },
    { name: "one more column", text: "a,b,c\n1,2,3\n" },
    { name: "another delimiter", text: "a;b\n1;2\n" },
  ])("with $name begins a new epoch", ({ text }) => {
    const held = openTestHeld("a,b\n1,2\n");
    published(held, true);
    set(held, text);
    expect(published(held, true)).toMatchObject({ isNewEpoch: true });
    expect(held.covered()).toBe(text.length);
  });

  test("in another encoding begins a new epoch", () => {
    const held = openTestHeld("a\ncafé\n");
    published(held, true);
    set(held, bytesOf("a\ncaf\xe9\n", "latin1"));
    expect(published(held, true)).toEqual({ all: ["café"], isNewEpoch: true });
  });
});

describe("the last N rows", () => {
  test("are what is published: old ones leave as new ones come", () => {
    const held = openTestHeld("a\n1\n2\n3\n4\n", { lastRows: 2 });
    expect(published(held, true)).toEqual({ all: ["3", "4"], isNewEpoch: true });
    held.append(bytesOf("5\n"));
    expect(published(held, true)).toEqual([
      [2, 0, ["5"]],
      [0, 1, []],
    ]);
  });

  test("do not count one that is not published yet", () => {
    const held = openTestHeld("a\n1\n2\n3\n4", { lastRows: 2 });
    expect(published(held, false)).toEqual({ all: ["2", "3"], isNewEpoch: true });
    expect(published(held, true)).toEqual([
      [2, 0, ["4"]],
      [0, 1, []],
    ]);
  });

  test("come back when later ones go", () => {
    const held = openTestHeld("a\n1\n2\n3\n4\n", { lastRows: 2 });
    published(held, true);
    set(held, "a\n1\n2\n");
    expect(published(held, true)).toEqual([
      [0, 2, []],
      [0, 0, ["1", "2"]],
    ]);
  });

  test("do not change with a row in front of them", () => {
    const held = openTestHeld("a\n1\n2\n3\n4\n", { lastRows: 2 });
    published(held, true);
    set(held, "a\nX\n2\n3\n4\n");
    expect(held.publish(true)).toBeUndefined();
  });
});

describe("a cell that is too large", () => {
  test("is refused at first", () => {
    const held = openHeld({ ...OPTIONS, maxCellBytes: 8 });
    expect(() => set(held, `a\n1\n${"x".repeat(9)}\n`)).toThrow("row 2: a cell of more than 8 bytes; see --max-cell");
    expect(held.table()).toBeUndefined();
  });

  test("holds all publications back while it is there; then the change is from what was published", () => {
    const held = openTestHeld("a\n1\n", { maxCellBytes: 8 });
    published(held, true);
    held.append(bytesOf(`${"x".repeat(9)}\n`));
    expect(held.oversizeRow()).toBe(2);
    held.append(bytesOf("3\n"));
    expect(held.publish(true)).toBeUndefined();
    set(held, "a\n1\n2\n3\n");
    expect(held.oversizeRow()).toBeUndefined();
    expect(published(held, true)).toEqual({ all: ["1", "2", "3"], isNewEpoch: false });
  });

  test("is one of as many bytes as cells may have, not a row of more", () => {
    const held = openTestHeld("a,b\n12345678,12345678\n", { maxCellBytes: 8 });
    expect(published(held, true)).toMatchObject({ all: ["12345678,12345678"] });
  });
});

describe("the difference of two texts", () => {
  const long = "x".repeat(150_000);
  const cases = [
    { name: "that are equal", before: "abc", after: "abc", at: 3, removed: 0, inserted: "" },
    { name: "of which one is empty", before: "", after: "abc", at: 0, removed: 0, inserted: "abc" },
    { name: "with something appended", before: "abc", after: "abcd", at: 3, removed: 0, inserted: "d" },
    { name: "with something gone", before: "abcd", after: "ad", at: 1, removed: 2, inserted: "" },
    { name: "with something replaced", before: "abcd", after: "aXYd", at: 1, removed: 2, inserted: "XY" },
    { name: "that repeat themselves", before: "aaa", after: "aaaa", at: 3, removed: 0, inserted: "a" },
    {
      name: "in long ones",
      before: `${long}b${long}`,
      after: `${long}cc${long}`,
      at: 150_000,
      removed: 1,
      inserted: "cc",
    },
  ];
  test.each(cases)("$name is one range", ({ before, after, at, removed, inserted }) => {
    const found = difference(bytesOf(before), bytesOf(after));
    expect({ ...found, inserted: Buffer.from(found.inserted).toString() }).toEqual({ at, removed, inserted });
  });
});
