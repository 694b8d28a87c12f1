// A CSV that comes in chunks, with the time in our hands: whoever reads is the test, and the clock a number.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Revision } from "../../src/source/held.ts";
import { openStreamReader, type StreamSettings } from "../../src/source/stream.ts";
import { TEST_TIMEOUT_MS } from "../support.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const SETTLE_MS = 250;
const TAIL_QUIET_MS = 2_000;

const SETTINGS: StreamSettings = {
  lastRows: Infinity,
  maxCellBytes: 1 << 24,
  maxFileBytes: 2 ** 30,
  settleMs: SETTLE_MS,
};

const bytesOf = (text: string, encoding: BufferEncoding = "utf8") => new Uint8Array(Buffer.from(text, encoding));

const rowsOf = ({ table, view }: Revision) =>
  (JSON.parse(table.render(view.first, view.end, "arrays").text!) as string[][]).map((row) => row.join());

/** What a look has brought: the rows if they are new, and each state or refusal that was reported. */
type Seen = { rows?: string[]; columns?: string; isNewEpoch?: true; states?: string[]; refused?: string };

const LIVE = { states: ["live"] };

/** `workMs`: how long it takes to read a whole stream once more. */
function openTestStream({ workMs = 0, ...changes }: Partial<StreamSettings> & { workMs?: number } = {}) {
  let time = 0;
  let seen: Seen = {};
  const reader = openStreamReader(
    { ...SETTINGS, ...changes },
    {
      onRevision(revision) {
        seen.rows = rowsOf(revision);
        if (!revision.isNewEpoch) return;
        seen.isNewEpoch = true;
        seen.columns = revision.table.columns.join();
      },
      onState(state, problem, pendingBytes) {
        const pending = pendingBytes === undefined ? "" : ` ${pendingBytes} pending`;
        const text = (problem ? `${state} ${problem.kind}: ${problem.message}` : state) + pending;
        if (seen.states?.at(-1) !== text) (seen.states ??= []).push(text);
      },
      onRefused: ({ kind, message }) => void (seen.refused = `${kind}: ${message}`),
    },
    () => time + workMs,
  );
  return {
    add: (bytes: string | Uint8Array) => reader.add(typeof bytes === "string" ? bytesOf(bytes) : bytes),
    end: reader.end,
    pause: reader.pause,
    dueAt: reader.dueAt,
    /** True if more may come that might not before. */
    makesRoom: (now: number) => reader.look((time = now)),
    look(now: number): Seen {
      seen = {};
      reader.look((time = now));
      return seen;
    },
  };
}

describe("chunks", () => {
  const TEXT = 'a,"b €"\n1,é\n"2\n2","x ""y"""\r\n😀,3\n4,last';
  const ROWS = ["1,é", '2\n2,x "y"', "😀,3", "4,last"];
  const bytes = bytesOf(TEXT);

  test.each([
    { name: "at the next look", looks: true },
    { name: "together", looks: false },
  ])("cut anywhere give the same table, taken $name", ({ looks }) => {
    for (let cut = 0; cut <= bytes.length; cut++) {
      const stream = openTestStream();
      const seen: Seen[] = [];
      for (const chunk of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
        stream.add(chunk);
        if (looks) seen.push(stream.look(10));
      }
      stream.end();
      seen.push(stream.look(20));
      expect([cut, seen.findLast(({ rows }) => rows)?.rows]).toEqual([cut, ROWS]);
      expect(seen.findLast(({ columns }) => columns)?.columns).toBe("a,b €");
      expect(seen.at(-1)?.states?.at(-1)).toBe("live");
    }
  });

  test("of one byte each give the rows, each when it is whole", () => {
    const stream = openTestStream();
    const seen: (string[] | undefined)[] = [];
    bytes.forEach((byte, i) => {
      stream.add(Uint8Array.of(byte));
      const { rows } = stream.look(i);
      if (rows) seen.push(rows);
    });
    expect(seen).toEqual([[], ROWS.slice(0, 1), ROWS.slice(0, 2), ROWS.slice(0, 3)]);
    stream.end();
    expect(stream.look(bytes.length).rows).toEqual(ROWS);
  });

  test("that do not come for a while count as the end for now, if they end with a whole row", () => {
    const stream = openTestStream();
    stream.add("a,b\n1,2\n3,");
    expect(stream.look(10)).toMatchObject({ rows: ["1,2"], isNewEpoch: true });
    expect(stream.look(10 + TAIL_QUIET_MS - 1)).toEqual({ states: ["live 2 pending"] });
    expect(stream.look(10 + TAIL_QUIET_MS)).toEqual({ rows: ["1,2", "3,"], ...LIVE });
    expect(stream.dueAt()).toBeUndefined();
    stream.add("4\n5");
    expect(stream.dueAt()).toBeLessThanOrEqual(10_000);
    expect(stream.look(10_000)).toEqual({ rows: ["1,2", "3,4"], ...LIVE });
    expect(stream.look(100_000)).toEqual({ states: ["live 1 pending"] });
    stream.end();
    expect(stream.look(100_010)).toEqual({ rows: ["1,2", "3,4", "5,"], ...LIVE });
  });

  test("of a buffer's size end in the middle of a row, however long nothing comes", () => {
    const stream = openTestStream();
    stream.add(`a,b\n${"12,45\n".repeat(169)}12,456`); // 1,024 bytes
    expect(stream.look(0).rows).toHaveLength(169);
    expect(stream.look(1_000_000)).toEqual({ states: ["live 6 pending"] });
    stream.add("7\n");
    expect(stream.look(1_000_010).rows?.at(-1)).toBe("12,4567");
  });

  test("that have not come are no reason to look", () => {
    const stream = openTestStream();
    expect(stream.dueAt()).toBeUndefined();
    expect(stream.look(0)).toEqual({});
    expect(stream.look(10_000)).toEqual({});
  });
});

describe("a header", () => {
  test("that comes late is waited for", () => {
    const stream = openTestStream();
    stream.add("a,");
    expect(stream.look(0)).toEqual({});
    stream.add("b\n");
    expect(stream.look(SETTLE_MS - 1)).toMatchObject({ rows: [], columns: "a,b", ...LIVE });
  });

  test("that does not go on for a while is taken as it is, and corrected when it does", () => {
    const stream = openTestStream();
    stream.add("a,");
    stream.look(0);
    expect(stream.look(SETTLE_MS)).toEqual({});
    expect(stream.look(TAIL_QUIET_MS)).toMatchObject({ rows: [], isNewEpoch: true });
    stream.add("b\n1,2\n");
    expect(stream.look(10_000)).toMatchObject({ rows: ["1,2"], columns: "a,b", isNewEpoch: true });
  });

  test("behind blank lines is one", () => {
    const stream = openTestStream();
    stream.add("\n\n");
    expect(stream.look(0)).toMatchObject({ rows: [], columns: "" });
    stream.add("a,b\n1,2\n");
    expect(stream.look(10)).toMatchObject({ rows: ["1,2"], columns: "a,b", isNewEpoch: true });
  });
});

describe("the end", () => {
  test("makes an unterminated last row one at once, and leaves nothing to wait for", () => {
    const stream = openTestStream();
    stream.add("a\n1\n2");
    expect(stream.look(0).rows).toEqual(["1"]);
    stream.end();
    expect(stream.look(1)).toEqual({ rows: ["1", "2"], ...LIVE });
    expect(stream.dueAt()).toBeUndefined();
    expect(stream.look(100_000)).toEqual({});
  });

  test("without a byte is an empty table", () => {
    const stream = openTestStream();
    stream.end();
    expect(stream.look(0)).toMatchObject({ rows: [], columns: "", isNewEpoch: true, ...LIVE });
  });

  test("of a header without a line end is a table without rows", () => {
    const stream = openTestStream();
    stream.add("a,b");
    stream.end();
    expect(stream.look(0)).toMatchObject({ rows: [], columns: "a,b", isNewEpoch: true });
  });

  test("inside a quote is invalid, and the rows before it are shown", () => {
    const stream = openTestStream();
    stream.add('a\n1\n"2\n');
    expect(stream.look(0)).toEqual({ rows: ["1"], columns: "a", isNewEpoch: true });
    stream.end();
    const message = "line 3: a quote is opened and never closed; the rows before it are shown";
    expect(stream.look(1)).toEqual({ states: [`invalid unclosed-quote: ${message}`] });
  });
});

describe("an open quote", () => {
  test("that ends where a buffer does is no damage, until the input ends", () => {
    const stream = openTestStream();
    stream.add("a,b\n1,2\n");
    stream.look(0);
    stream.add('3,"open\n'.padEnd(4_096, "x"));
    expect(stream.look(1_000)).toEqual(LIVE);
    expect(stream.look(3_000)).toEqual({ states: ["live 4096 pending"] });
    stream.end();
    expect(stream.look(3_001)).toEqual({ states: [expect.stringMatching(/^invalid unclosed-quote: line 3: /)] });
  });

  test("is news only once nothing comes for a while, and none any more when it is closed", () => {
    const stream = openTestStream();
    stream.add("a\n1\n");
    stream.look(0);
    stream.add('"2\n');
    expect(stream.look(1_000)).toEqual({});
    expect(stream.look(1_000 + SETTLE_MS).states).toEqual([expect.stringMatching(/^invalid unclosed-quote: line 3: /)]);
    stream.add('2"\n');
    expect(stream.look(2_000)).toEqual({ rows: ["1", "2\n2"], ...LIVE });
  });
});

describe("limits", () => {
  const message = "more than 16 bytes; raise the limit with --max-file, or see --last";

  test("more bytes than there may be are refused at first", () => {
    const stream = openTestStream({ maxFileBytes: 16 });
    expect(stream.add("a\n1\n2\n3\n4\n5\n6\n7\n8\n")).toBe(false);
    expect(stream.makesRoom(0)).toBe(false);
    const again = openTestStream({ maxFileBytes: 16 });
    again.add("a\n1\n2\n3\n4\n5\n6\n7\n8\n");
    expect(again.look(0)).toEqual({ refused: `too-large: ${message}` });
  });

  test("more bytes than there may be leave the table as it was, stale, and nothing is read any more", () => {
    const stream = openTestStream({ maxFileBytes: 16 });
    expect(stream.add("a\n1\n2\n")).toBe(true);
    stream.look(0);
    expect(stream.add("3\n4\n5\n6\n7\n8\n")).toBe(false);
    expect(stream.look(10)).toEqual({ states: [`stale too-large: ${message}`] });
    expect(stream.makesRoom(20)).toBe(false);
    expect(stream.dueAt()).toBeUndefined();
  });

  test("as many bytes as there may be are taken", () => {
    const stream = openTestStream({ maxFileBytes: 16 });
    expect(stream.add("a\n1\n2\n3\n4\n5\n6\n7\n")).toBe(true);
    expect(stream.look(0)).toMatchObject({ rows: ["1", "2", "3", "4", "5", "6", "7"], ...LIVE });
  });

  test("what waits to be taken is bounded: no more may come before it is", () => {
    const stream = openTestStream();
    const chunk = Buffer.alloc(1 << 20, `${"1".repeat(1023)}\n`);
    stream.add("number\n");
    const accepted = Array.from({ length: 17 }, () => stream.add(chunk));
    expect(accepted.indexOf(false)).toBe(15); // 16 MiB
    expect(stream.makesRoom(0)).toBe(true);
    expect(stream.makesRoom(1)).toBe(false); // there was room
    expect(stream.add(chunk)).toBe(true);
    expect(stream.look(2).rows).toHaveLength((18 << 20) / 1024);
  });

  test("too large a cell is refused at first, and holds back later rows", () => {
    const first = openTestStream({ maxCellBytes: 8 });
    first.add(`a\n${"x".repeat(9)}\n`);
    expect(first.look(0)).toEqual({ refused: "too-large: row 1: a cell of more than 8 bytes; see --max-cell" });
    const stream = openTestStream({ maxCellBytes: 8 });
    stream.add("a\n1\n");
    stream.look(0);
    stream.add(`${"x".repeat(9)}\n3\n`);
    const stale = ["stale too-large: row 2: a cell of more than 8 bytes; see --max-cell"];
    expect(stream.look(10)).toEqual({ states: stale });
    stream.add("4\n");
    expect(stream.look(20)).toEqual({ states: stale });
  });

  test("what is no CSV is refused", () => {
    const stream = openTestStream();
    stream.add(bytesOf("\x89PNG\r\n\x1a\n", "latin1"));
    expect(stream.look(0)).toEqual({ refused: "not-csv: not a CSV but a PNG image" });
  });
});

describe("a stream that must be understood anew", () => {
  test("takes a fifth of the time for it at most; what comes meanwhile waits", () => {
    const stream = openTestStream({ workMs: 100 });
    stream.add("a\none\n");
    expect(stream.look(1_000)).toMatchObject({ rows: ["one"], isNewEpoch: true });
    stream.add("two\n");
    expect(stream.dueAt()).toBe(1_400);
    expect(stream.look(1_399)).toEqual({});
    expect(stream.look(1_400)).toEqual({ rows: ["one", "two"], ...LIVE });
  });
});

test("bytes that are no UTF-8 are windows-1252 if all before were ASCII, however much that was", () => {
  for (const rows of [1, 100_000]) {
    const stream = openTestStream();
    stream.add(`a\n${"1\n".repeat(rows)}`);
    stream.look(0);
    stream.add(bytesOf("caf\xe9\n", "latin1"));
    expect(stream.look(10).rows?.at(-1)).toBe("café");
  }
});

test("--last: of what came only the last rows are published", () => {
  const stream = openTestStream({ lastRows: 2 });
  stream.add("a\n1\n2\n3\n");
  expect(stream.look(0)).toMatchObject({ rows: ["2", "3"] });
  stream.add("4\n5\n");
  expect(stream.look(10)).toMatchObject({ rows: ["4", "5"] });
});

describe("a stream of more than may be held", () => {
  const lines = (from: number, count: number) =>
    Array.from({ length: count }, (_, r) => `${from + r},row ${from + r}\n`).join("");
  const says = "stale too-large: takes more than 1048576 bytes; see --max-memory and --last";

  test("is stale, with the rows it had, and nothing more is read", () => {
    const stream = openTestStream({ maxMemoryBytes: 1 << 20 });
    stream.add("n,text\n0,row 0\n");
    expect(stream.look(0).rows).toEqual(["0,row 0"]);
    expect(stream.add(lines(1, 100_000))).toBe(false);
    expect(stream.look(10)).toEqual({ states: [says] });
    expect(stream.makesRoom(20)).toBe(false);
  });

  test("goes on for ever with its last rows only, however much comes at once", () => {
    const stream = openTestStream({ maxMemoryBytes: 1 << 20, lastRows: 3 });
    stream.add("n,text\n");
    stream.look(0);
    for (let round = 1; round <= 4; round++) {
      const text = bytesOf(lines(round * 400_000, 400_000));
      for (let at = 0; at < text.length; at += 1 << 18) stream.add(text.subarray(at, at + (1 << 18)));
      const last = (round + 1) * 400_000;
      const { rows, states } = stream.look(round * 10);
      expect(rows).toEqual([last - 3, last - 2, last - 1].map((n) => `${n},row ${n}`));
      expect(new Set(states)).toEqual(new Set(["live"]));
    }
  });
});

describe("writers that come one after the other", () => {
  const cases: { name: string; writers: string[]; columns?: string; rows: string[]; epochs?: number }[] = [
    { name: "make one table", writers: ["a,b\n1,2\n", "3,4\n", "5,6\n"], rows: ["1,2", "3,4", "5,6"] },
    { name: "end their last row", writers: ["a,b\n1,2", "3,4", "5,6"], rows: ["1,2", "3,4", "5,6"] },
    { name: "end their last quote", writers: ['a,b\n1,"2', "3,4\n"], rows: ["1,2", "3,4"] },
    { name: "may write the header alone", writers: ["a,b", "1,2"], rows: ["1,2"] },
    { name: "may write it each", writers: ["a,b\n1,2\n", "a,b\n3,4\n", "a,b"], rows: ["1,2", "3,4"] },
    {
      name: "may write another header",
      writers: ["a,b\n1,2\n", "x;y;z\n3;4;5\n"],
      columns: "x,y,z",
      rows: ["3,4,5"],
      epochs: 2,
    },
    { name: "may write what is no table first", writers: ["\x89PNG\r\n\x1a\n", "a,b\n1,2\n"], rows: ["1,2"] },
    { name: "may write nothing that counts first", writers: ["\n\n", "a,b\n1,2\n"], rows: ["1,2"], epochs: 2 },
  ];
  const scenes = cases.flatMap((each) => [
    { ...each, when: "at each look", isTogether: false },
    { ...each, when: "together", isTogether: true },
  ]);
  test.each(scenes)("$name, seen $when", ({ writers, columns = "a,b", rows, epochs = 1, isTogether }) => {
    const stream = openTestStream();
    const seen: Seen[] = [];
    let time = 0;
    for (const writer of writers) {
      stream.add(bytesOf(writer, writer.startsWith("\x89") ? "latin1" : "utf8"));
      stream.pause();
      if (!isTogether) seen.push(stream.look((time += 10)));
    }
    seen.push(stream.look((time += 10)), stream.look((time += 10 * SETTLE_MS)));
    expect(seen.findLast((each) => each.rows)?.rows).toEqual(rows);
    const begun = seen.filter((each) => each.isNewEpoch);
    expect(begun.at(-1)?.columns).toBe(columns);
    if (!isTogether) expect(begun.length).toBe(epochs);
    expect(seen.flatMap(({ states = [] }) => states).at(-1)).toBe("live");
    expect(seen.flatMap(({ states = [] }) => states.filter((state) => state !== "live"))).toEqual([]);
  });

  test.each(["utf16le", "latin1"] as const)("end their last row in %s, too", (encoding) => {
    const stream = openTestStream();
    const mark = encoding === "utf16le" ? "\ufeff" : "";
    for (const text of [`${mark}a,é\n1,é`, "3,é", "5,é"]) {
      stream.add(bytesOf(text, encoding));
      stream.pause();
    }
    expect(stream.look(10).rows).toEqual(["1,é", "3,é", "5,é"]);
  });

  test("cut anywhere, and with pauses between them, give the same table", () => {
    const text = "time,v\n12:00,1\n12:01,2\n";
    for (let cut = 0; cut <= text.length; cut++) {
      const stream = openTestStream();
      const pieces = ["time,v\n11:59,0\n", "pause", text.slice(0, cut), text.slice(cut), "pause"];
      let seen: Seen = {};
      let rows: string[] | undefined;
      pieces.forEach((piece, i) => {
        if (piece === "pause") stream.pause();
        else if (piece !== "") stream.add(piece);
        seen = stream.look((i + 1) * 10);
        rows = seen.rows ?? rows;
      });
      expect({ cut, rows }).toEqual({ cut, rows: ["11:59,0", "12:00,1", "12:01,2"] });
    }
  });
});
