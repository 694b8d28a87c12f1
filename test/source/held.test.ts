// What is held of a source, and what a change makes of it: bytes in, revisions out.
import { describe, expect, test } from "bun:test";
import { type Held, type HeldOptions, openHeld, type Revision } from "../../src/source/held.ts";
import { atOnce } from "../../src/values/steps.ts";

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
    expect([held.table(), held.covered(), held.isOpen(), held.tail()]).toEqual([undefined, 0, true, undefined]);
    expect(held.append(bytesOf("a\n"))).toBe(false);
    expect(held.oversizeRow()).toBeUndefined();
    expect(held.publish(true)).toBeUndefined();
  });

  test("is published once: the whole, in a new epoch, and then nothing until something changes", () => {
    const held = openTestHeld("a,b\n1,2\n");
    expect(published(held, false)).toEqual({ all: ["1,2"], isNewEpoch: true });
    expect(held.publish(false)).toBeUndefined();
    expect(held.publish(true)).toBeUndefined();
  });

  test("of another encoding goes on in it", () => {
    const held = openHeld(OPTIONS);
    set(held, bytesOf("a\ncaf\xe9\n", "latin1"));
    expect(published(held, true)).toEqual({ all: ["café"], isNewEpoch: true });
    expect(held.append(bytesOf("th\xe9\n", "latin1"))).toBe(true);
    expect(held.covered()).toBe(11);
    expect(published(held, true)).toEqual([[1, 0, ["thé"]]]);
  });

  test("as windows-1252, for want of anything better, is needed whole when more of it is UTF-8", () => {
    const held = openHeld(OPTIONS);
    set(held, bytesOf("a\nnoise\xff\n", "latin1"));
    expect(published(held, true)).toEqual({ all: ["noiseÿ"], isNewEpoch: true });
    const more = bytesOf("grün\nschön\n");
    expect(held.append(more)).toBe(false);
    set(held, Buffer.concat([bytesOf("a\nnoise\xff\n", "latin1"), more]));
    expect(published(held, true)).toEqual([[0, 1, ["noise\ufffd", "grün", "schön"]]]);
    expect(held.append(bytesOf("\xff\xfe\xff\n", "latin1"))).toBe(true);
    expect(published(held, true)).toEqual([[3, 0, ["\ufffd\ufffd\ufffd"]]]);
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

  test("several times between two publications are one change", () => {
    const held = openTestHeld("a\n1\n");
    published(held, true);
    held.append(bytesOf("2\n"));
    held.append(bytesOf("3\n"));
    expect(published(held, true)).toEqual([[1, 0, ["2", "3"]]]);
  });

  test("that end in the middle of a character are text when the rest of it is there, or when nothing more comes", () => {
    const held = openTestHeld("a\n1\n");
    published(held, true);
    const line = bytesOf("é€\n");
    expect(held.append(line.subarray(0, 4))).toBe(true);
    expect(held.tail()).toEqual({ bytes: 4, cells: 1 });
    expect(held.append(line.subarray(4))).toBe(true);
    expect(held.covered()).toBe(10);
    expect(published(held, true)).toEqual([[1, 0, ["é€"]]]);
    held.append(line.subarray(0, 4));
    expect(published(held, true)).toEqual([[2, 0, ["é\ufffd"]]]);
    expect(held.append(line.subarray(4))).toBe(false);
  });

  test.each([
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

/** Gives the source piece by piece, as a reader does. */
function takeIn(held: Held, bytes: Uint8Array, firstBytes = 1 << 17): boolean {
  const first = Buffer.alloc(Math.min(firstBytes, bytes.length) + 16);
  first.set(bytes.subarray(0, first.length - 16));
  const intake = held.begin(first.subarray(0, first.length - 16), bytes.length <= firstBytes);
  if (!intake) return false;
  for (let at = first.length - 16; at < bytes.length;) {
    const space = intake.space();
    const piece = bytes.subarray(at, at + Math.min(1000, space.length));
    space.set(piece);
    if (!intake.took(piece.length)) return false;
    at += piece.length;
  }
  atOnce(intake.finish(bytes.length));
  return true;
}

describe("a source in a grammar of its own", () => {
  const grammar = { delimiter: ",", trim: true, quote: "'" };

  test("is followed: only what is appended is marked, and a mark that it changes is changed", () => {
    const held = openTestHeld(" a ,b\n 1 ,'x, y ", grammar);
    expect(published(held, true)).toEqual({ all: [], isNewEpoch: true });
    expect(held.append(bytesOf(" ''z''  "))).toBe(true);
    expect(held.openQuote()?.line).toBe(2);
    expect(held.append(bytesOf("' \n2 , half  "))).toBe(true);
    expect(published(held, true)).toEqual([[0, 0, ["1,x, y  'z'", "2,half"]]]);
    expect(held.append(bytesOf("a row\n"))).toBe(true);
    expect(published(held, true)).toEqual([[1, 1, ["2,half  a row"]]]);
  });

  test("is the same in pieces and at once, and each is the difference to the other", () => {
    const text = ` a , b \n${Array.from({ length: 20_000 }, (_, r) => ` ${r} ,' row, ${r} '\n`).join("")} last , 'o`;
    const held = openHeld({ ...OPTIONS, ...grammar });
    expect(takeIn(held, bytesOf(text))).toBe(true);
    const { table } = held.publish(true)!;
    expect([table.columns, table.rows(), held.tail()]).toEqual([["a", "b"], 20_000, { bytes: 10, cells: undefined }]);
    set(held, text);
    expect(held.publish(true)).toBeUndefined();
    expect(held.append(bytesOf("pen '\n"))).toBe(true);
    expect(published(held, true)).toEqual([[20_000, 0, ["last,open"]]]);
    takeIn(held, bytesOf(text.replace(" 7 ,", " seven ,")));
    expect(published(held, true)).toEqual([
      [7, 1, ["seven,row, 7"]],
      [20_000, 1, []],
    ]);
  });

  test("has its last row replaced", () => {
    const held = openTestHeld(" a ,b\n1,2\n 3 , 'x' \n", grammar);
    published(held, true);
    held.replaceFrom(held.lastRowAt()!, bytesOf(" 4 , 'y, z' \n"));
    expect(held.append(bytesOf(" 5 ,6\n"))).toBe(true);
    expect(published(held, true)).toEqual([[1, 1, ["4,y, z", "5,6"]]]);
  });

  test("is needed whole where what comes tells another delimiter, or another record end", () => {
    expect(openTestHeld("a,b;c,d\n", { trim: true }).append(bytesOf("1;2\n3;4\n5;6\n"))).toBe(false);
    expect(openTestHeld("a\r1\r", { trim: true }).append(bytesOf("2\n3\n"))).toBe(false);
  });
});

describe("a source that comes in pieces", () => {
  const large = `a,b\n${Array.from({ length: 40_000 }, (_, r) => `${r},row ${r}\n`).join("")}`;

  test("is the table that it is at once", () => {
    const held = openHeld(OPTIONS);
    expect(takeIn(held, bytesOf(large))).toBe(true);
    const { table, isNewEpoch } = held.publish(true)!;
    expect([table.rows(), held.covered(), isNewEpoch]).toEqual([40_000, large.length, true]);
    expect(Buffer.concat([...table.pieces()]).toString()).toBe(large);
  });

  test("is compared with what is held: what is published is the rows that differ, and equal blocks are kept", () => {
    const held = openHeld(OPTIONS);
    takeIn(held, bytesOf(large));
    const before = new Set(held.publish(true)!.blocks.blocks);
    expect(takeIn(held, bytesOf(large.replace("row 38997\n", "ROW\n").replace("0,row 0\n", "")))).toBe(true);
    const revision = held.publish(true)!;
    expect(shown(revision)).toEqual([
      [0, 1, []],
      [38_996, 1, ["38997,ROW"]],
    ]);
    expect(revision.blocks.blocks.filter((block) => !before.has(block)).length).toBeLessThanOrEqual(4);
  });

  test("and is the same is no change", () => {
    const held = openHeld(OPTIONS);
    takeIn(held, bytesOf(large));
    held.publish(true);
    expect(takeIn(held, bytesOf(large))).toBe(true);
    expect(held.publish(true)).toBeUndefined();
  });

  test("may be shorter", () => {
    const held = openHeld(OPTIONS);
    takeIn(held, bytesOf(large));
    held.publish(true);
    expect(takeIn(held, bytesOf(large.slice(0, large.indexOf("39995,"))))).toBe(true);
    expect(published(held, true)).toEqual([[39_995, 5, []]]);
  });

  test("with another header begins a new epoch", () => {
    const held = openHeld(OPTIONS);
    takeIn(held, bytesOf(large));
    held.publish(true);
    expect(takeIn(held, bytesOf(large.replace("a,b", "a,c")))).toBe(true);
    expect(held.publish(true)).toMatchObject({ isNewEpoch: true, change: "all" });
  });

  test("in another encoding than UTF-8, or with a broken byte, is the same as at once", () => {
    const broken = Buffer.concat([bytesOf(large), bytesOf("caf\xe9,1\n", "latin1"), bytesOf(large)]);
    for (const bytes of [bytesOf(large.replaceAll("row", "r\xf6w"), "latin1"), broken, Buffer.from(large, "utf16le")]) {
      const [held, whole] = [openHeld(OPTIONS), openHeld(OPTIONS)];
      expect(takeIn(held, bytes, 1 << 18)).toBe(true);
      whole.set(bytes, bytes.length);
      const texts = [held, whole].map((one) => Buffer.concat([...one.publish(true)!.table.pieces()]).toString());
      expect(texts[0]!.length).toBeGreaterThan(400_000);
      expect(texts[0] === texts[1]).toBe(true);
    }
  });

  test.each([
    {
      name: "turns out to be more UTF-8 than not",
      bytes: Buffer.concat([bytesOf("a\ncaf\xe9\n", "latin1"), bytesOf(large), bytesOf("grün,schön\n")]),
    },
    { name: "has no header in its first piece", bytes: bytesOf("\n".repeat(200_000) + large) },
    { name: "has a header longer than its first piece", bytes: bytesOf(`${"a,".repeat(100_000)}b\n1,2\n`) },
  ])("but that $name is needed whole, and nothing has changed", ({ bytes }) => {
    const held = openTestHeld(LARGE);
    published(held, true);
    expect(takeIn(held, bytes)).toBe(false);
    expect(held.covered()).toBe(LARGE.length);
    expect(held.publish(true)).toBeUndefined();
  });
});

describe("the last N rows of many", () => {
  const lines = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, r) => `${from + r},row ${from + r}\n`).join("");

  test("are held with a few blocks in front of them, however many came", () => {
    const held = openHeld({ ...OPTIONS, lastRows: 10 });
    takeIn(held, bytesOf(`a,b\n${lines(0, 100_000)}`));
    expect(shown(held.publish(true)!)).toMatchObject({ all: lines(99_990, 100_000).trim().split("\n") });
    expect(held.table()!.length()).toBeLessThan(400_000);
    let at = 100_000;
    for (let round = 0; round < 50; round++, at += 2_000) {
      expect(held.append(bytesOf(lines(at, at + 2_000)))).toBe(true);
      expect(published(held, true)).toEqual([
        [
          0,
          10,
          lines(at + 1_990, at + 2_000)
            .trim()
            .split("\n"),
        ],
      ]);
    }
    const table = held.table()!;
    expect(table.length()).toBeLessThan(400_000);
    expect(table.gone().rows + table.rows()).toBe(200_000);
    const whole = bytesOf(`a,b\n${lines(0, 200_000)}`);
    expect([held.covered(), table.gone().bytes + table.length()]).toEqual([whole.length, whole.length]);
    expect(table.lineAt(whole.length - 1)).toBe(200_001);
    // The same source, read anew, is no change.
    expect(takeIn(held, whole)).toBe(true);
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

  test("in another encoding is compared as text", () => {
    const held = openTestHeld("a\ncafé\nthé\n");
    published(held, true);
    set(held, bytesOf("a\ncaf\xe9\nth\xe8\n", "latin1"));
    expect(published(held, true)).toEqual([[1, 1, ["thè"]]]);
  });
});

describe("the last N rows", () => {
  test("are what is published: old ones leave as new ones come", () => {
    const held = openTestHeld("a\n1\n2\n3\n4\n", { lastRows: 2 });
    expect(published(held, true)).toEqual({ all: ["3", "4"], isNewEpoch: true });
    held.append(bytesOf("5\n"));
    expect(published(held, true)).toEqual([
      [0, 1, []],
      [1, 0, ["5"]],
    ]);
  });

  test("do not count one that is not published yet", () => {
    const held = openTestHeld("a\n1\n2\n3\n4", { lastRows: 2 });
    expect(published(held, false)).toEqual({ all: ["2", "3"], isNewEpoch: true });
    expect(published(held, true)).toEqual([
      [0, 1, []],
      [1, 0, ["4"]],
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

test.each(["\n", "\r\n", "\r"])("a hole ends the row that it cuts off, and no line: with %j", (end) => {
  const rows = (...all: string[]) => all.join(end);
  const held = openTestHeld(rows("a,b", "1,2", ""));
  held.append(bytesOf("3,4"));
  held.skip(100);
  held.append(bytesOf(rows("5,6", "7,8\0\0", '9,"open')));
  expect(shown(held.publish(true)!)).toEqual({ all: ["1,2", "3,4", "5,6", "7,8\0\0"], isNewEpoch: true });
  expect(held.openQuote()?.line).toBe(5);
});

test("what comes inside an open quote is not walked again, and the record is whole when it is closed", () => {
  const pieces = ['1,"open\n', ...Array.from({ length: 40 }, (_, i) => `${'he said ""so"" twice\n'.repeat(500)}${i}`)];
  pieces.push('"', '" not yet\n', "x".repeat(1_000), '"', "\n2,b\n", "3,c\n");
  const held = openTestHeld("a,b\n0,z\n");
  let text = "a,b\n0,z\n";
  for (const piece of pieces) {
    expect(held.append(bytesOf(piece))).toBe(true);
    held.publish(false);
    text += piece;
    const whole = openTestHeld(text);
    expect([held.table()!.rows(), held.table()!.openQuoteAt()]).toEqual([
      whole.table()!.rows(),
      whole.table()!.openQuoteAt(),
    ]);
  }
  expect(held.openQuote()).toBeUndefined();
  const rows = (one: Held) => one.table()!.render(0, one.table()!.rows(), "arrays").text;
  expect(rows(held)).toBe(rows(openTestHeld(text)));
  expect(held.table()!.rows()).toBe(4);
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
    expect(published(held, true)).toEqual([[1, 0, ["2", "3"]]]);
  });

  test("is one of as many bytes as cells may have, not a row of more", () => {
    const held = openTestHeld("a,b\n12345678,12345678\n", { maxCellBytes: 8 });
    expect(published(held, true)).toMatchObject({ all: ["12345678,12345678"] });
  });
});
