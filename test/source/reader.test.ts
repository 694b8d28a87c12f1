// Following a file that somebody else writes, with the time in our hands: the file is real, the clocks are numbers.
import { describe, expect, test } from "bun:test";
import { appendFileSync, chmodSync, closeSync, mkdirSync, openSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { unlinkSync, utimesSync, writeFileSync, writeSync } from "node:fs";
import { openReader, type ReaderSettings } from "../../src/source/file/reader.ts";
import type { Revision } from "../../src/source/held.ts";
import { temporaryFolder } from "./writer.ts";

const SETTLE_MS = 250;
const MAX_WAIT_MS = 5_000;
const VERIFY_QUIET_MS = 2_000;
const VERIFY_BUSY_MS = 60_000;

const SETTINGS: ReaderSettings = {
  lastRows: Infinity,
  maxCellBytes: 1 << 24,
  maxFileBytes: 2 ** 30,
  settleMs: SETTLE_MS,
};

/** For the file system's clock: what is there was written long ago, or just now. */
const LONG_AFTER = () => Infinity;
const AT_ONCE = () => 0;

const rowsOf = ({ table, view }: Revision) =>
  (JSON.parse(table.render(view.first, view.end, "arrays").text!) as string[][]).map((row) => row.join());

/** What a look has brought: rows if they are new, and each state or refusal that was reported. */
type Seen = { rows?: string[]; isNewEpoch?: true; states?: string[]; refused?: string };

const LIVE = { states: ["live"] };

/** A file `f.csv` with `content`, and a reader of it. */
function openTestReader(
  content: string | Uint8Array | undefined,
  { clock = LONG_AFTER, ...changes }: Partial<ReaderSettings> & { clock?: () => number } = {},
) {
  const folder = temporaryFolder();
  const path = folder.path("f.csv");
  let writes = 0;
  let seen: Seen = {};
  const progress: [read: number, size: number][] = [];
  const worded = (problem: { kind: string; message: string } | undefined) =>
    problem ? ` ${problem.kind}: ${problem.message}` : "";
  const reader = openReader(
    path,
    { ...SETTINGS, ...changes },
    {
      onRevision(revision) {
        seen.rows = rowsOf(revision);
        if (revision.isNewEpoch) seen.isNewEpoch = true;
      },
      onState: (state, problem) => void (seen.states ??= []).push(state + worded(problem)),
      onRefused: (problem) => void (seen.refused = worded(problem).trim()),
      onProgress: (read, size) => void progress.push([read, size]),
    },
    clock,
  );
  /** No write hides from `stat` behind one just before it, however coarse the clock of the file system is. */
  const touch = () => utimesSync(path, 1_000_000, 1_000_000 + ++writes);
  const test = {
    path,
    folder,
    progress,
    dueAt: reader.dueAt,
    write(text: string | Uint8Array) {
      writeFileSync(path, text);
      touch();
    },
    append(text: string | Uint8Array) {
      appendFileSync(path, text);
      touch();
    },
    /** Bytes in the middle become others. */
    edit(at: number, text: string) {
      const fd = openSync(path, "r+");
      writeSync(fd, text, at);
      closeSync(fd);
      touch();
    },
    look(now: number): Seen {
      seen = {};
      reader.look(now);
      return seen;
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
  if (content !== undefined) test.write(content);
  return test;
}

describe("the first look at a file", () => {
  test("that was written some time ago publishes it, also its unterminated last row", () => {
    using file = openTestReader("a,b\n1,2\n3,4");
    expect(file.look(1_000)).toEqual({ rows: ["1,2", "3,4"], isNewEpoch: true, states: ["live", "live"] });
  });

  test("that is being written publishes what is terminated; the rest once it is quiet", () => {
    using file = openTestReader("a,b\n1,2\n3,4", { clock: AT_ONCE });
    expect(file.look(1_000)).toMatchObject({ rows: ["1,2"], isNewEpoch: true });
    expect(file.dueAt()).toBe(1_000 + SETTLE_MS);
    expect(file.look(1_000 + SETTLE_MS - 1)).toEqual({});
    expect(file.look(1_000 + SETTLE_MS)).toEqual({ rows: ["1,2", "3,4"], ...LIVE });
  });

  test("tells how far it has come; later ones do not", () => {
    using file = openTestReader("a\n1\n");
    file.look(0);
    expect(file.progress).toEqual([[4, 4]]);
    file.write("a\n2\n3\n");
    file.look(10);
    expect(file.look(10 + SETTLE_MS).rows).toEqual(["2", "3"]);
    expect(file.progress).toHaveLength(1);
  });

  test.each([
    { name: "is not there", content: undefined, refused: "not-found: no such file" },
    { name: "is no CSV", content: "\x89PNG\r\n\x1a\n", refused: "not-csv: not a CSV but a PNG image" },
    {
      name: "is too large",
      content: `a\n${"1\n".repeat(600)}`,
      refused: "too-large: is larger than 1024 bytes; raise the limit with --max-file",
    },
    {
      name: "has too large a cell",
      content: `a\n1\n${"x".repeat(65)}\n`,
      refused: "too-large: row 2: a cell of more than 64 bytes; see --max-cell",
    },
  ])("that $name refuses it", ({ content, refused }) => {
    const bytes = content === undefined ? undefined : Buffer.from(content, "latin1");
    using file = openTestReader(bytes, { maxFileBytes: 1024, maxCellBytes: 64 });
    expect(file.look(0)).toEqual({ refused });
  });

  test("that is a folder refuses it, and a later one takes the file that has taken its place", () => {
    using file = openTestReader(undefined);
    mkdirSync(file.path);
    expect(file.look(0)).toEqual({ refused: "not-a-file: is a directory, not a CSV file" });
    rmSync(file.path, { recursive: true });
    file.write("a\n1\n");
    expect(file.look(10)).toMatchObject({ rows: ["1"], isNewEpoch: true });
  });
});

describe("appended bytes", () => {
  test("count at the next look; what is behind the last line end only when the writer is quiet", () => {
    using file = openTestReader("a,b\n1,2\n");
    file.look(0);
    file.append("3,4\n5,");
    expect(file.look(10_000)).toEqual({ rows: ["1,2", "3,4"], ...LIVE });
    expect(file.dueAt()).toBe(10_000 + SETTLE_MS);
    expect(file.look(10_000 + SETTLE_MS - 1)).toEqual({});
    expect(file.look(10_000 + SETTLE_MS)).toEqual({ rows: ["1,2", "3,4", "5,"], ...LIVE });
    file.append("6\n");
    expect(file.look(20_000)).toEqual({ rows: ["1,2", "3,4", "5,6"], ...LIVE });
  });

  test("a look that finds nothing new says nothing", () => {
    using file = openTestReader("a\n1\n");
    file.look(0);
    file.look(VERIFY_QUIET_MS);
    for (let now = 3_000; now < 200_000; now += 1_000) expect(file.look(now)).toEqual({});
    expect(file.dueAt()).toBeUndefined();
  });

  test("that tear a character wait for the rest of it", () => {
    using file = openTestReader("a\n1\n");
    file.look(0);
    const line = Buffer.from("2\n€uro\n");
    file.append(line.subarray(0, 4));
    expect(file.look(10_000)).toEqual({ rows: ["1", "2"], ...LIVE });
    file.append(line.subarray(4));
    expect(file.look(10_100)).toEqual({ rows: ["1", "2", "€uro"], ...LIVE });
  });

  test("that are no UTF-8 make the file one in another encoding, once the writer is quiet", () => {
    using file = openTestReader("a\n1\n");
    file.look(0);
    file.append(Buffer.from("caf\xe9\n", "latin1"));
    expect(file.look(10_000)).toEqual({});
    expect(file.look(10_000 + SETTLE_MS)).toMatchObject({ rows: ["1", "café"], isNewEpoch: true });
  });

  test("inside a quote that is open are no row, and news only when the writer is quiet", () => {
    using file = openTestReader("a,b\n1,2\n");
    file.look(0);
    file.append('3,"open\n4,x\n');
    expect(file.look(10_000)).toEqual({});
    expect(file.look(10_000 + SETTLE_MS)).toEqual({
      states: ["invalid unclosed-quote: line 3: a quote is opened and never closed; the rows before it are shown"],
    });
    file.append('"\n');
    expect(file.look(20_000)).toEqual({ rows: ["1,2", "3,open\n4,x\n"], ...LIVE });
  });
});

describe("any other change", () => {
  test("waits until the writer is quiet", () => {
    using file = openTestReader("a\n1\n2\n3\n");
    file.look(0);
    file.write("a\n");
    expect(file.look(10_000)).toEqual({});
    expect(file.dueAt()).toBe(10_000 + SETTLE_MS);
    file.write("a\n7\n");
    expect(file.look(10_000 + SETTLE_MS)).toEqual({}); // it changed once more: appended or not, it is part of that
    expect(file.look(10_000 + 2 * SETTLE_MS - 1)).toEqual({});
    expect(file.look(10_000 + 2 * SETTLE_MS)).toEqual({ rows: ["7"], ...LIVE });
  });

  test("waits no longer than 5 s for a writer that is never quiet", () => {
    using file = openTestReader("a\nfirst\n");
    file.look(0);
    const begin = 10_000;
    for (let now = begin; now < begin + MAX_WAIT_MS; now += 100) {
      file.write(`a\nsince ${now}\n`);
      expect(file.look(now)).toEqual({});
      expect(file.dueAt()).toBe(Math.min(now + SETTLE_MS, begin + MAX_WAIT_MS));
    }
    file.write("a\nnow\n");
    expect(file.look(begin + MAX_WAIT_MS)).toEqual({ rows: ["now"], ...LIVE });
  });

  test("of a cell is a change of that row, and of the same size is seen", () => {
    using file = openTestReader("a,b\n1,2\n3,4\n");
    file.look(0);
    file.edit(6, "X");
    expect(file.look(10_000)).toEqual({});
    expect(file.look(10_000 + SETTLE_MS)).toEqual({ rows: ["1,X", "3,4"], ...LIVE });
  });

  test("to the same content is none", () => {
    using file = openTestReader("a\n1\n");
    file.look(0);
    file.write("a\n1\n");
    expect(file.look(10_000)).toEqual({});
    expect(file.look(10_000 + SETTLE_MS)).toEqual(LIVE);
  });

  test("of the header begins a new epoch", () => {
    using file = openTestReader("a,b\n1,2\n");
    file.look(0);
    file.write("x,y\n1,2\n");
    file.look(10_000);
    expect(file.look(10_000 + SETTLE_MS)).toEqual({ rows: ["1,2"], isNewEpoch: true, ...LIVE });
  });

  test("to something that is no CSV leaves the table as it is, until it is one again", () => {
    using file = openTestReader("a\n1\n");
    file.look(0);
    file.write(Buffer.from("\x89PNG\r\n\x1a\n", "latin1"));
    file.look(10_000);
    expect(file.look(10_000 + SETTLE_MS)).toEqual({ states: ["invalid not-csv: not a CSV but a PNG image"] });
    expect(file.look(15_000)).toEqual({});
    file.write("a\n2\n");
    file.look(20_000);
    expect(file.look(20_000 + SETTLE_MS)).toEqual({ rows: ["2"], ...LIVE });
  });
});

describe("the whole file", () => {
  const rows = (from: number, to: number) => Array.from({ length: to - from }, (_, r) => `${from + r},row`);
  const LARGE = `a,b\n${rows(0, 40_000).join("\n")}\n`;

  test("is compared once after it was quiet: that finds an edit behind an append", () => {
    using file = openTestReader(LARGE);
    file.look(0);
    file.look(VERIFY_QUIET_MS);
    expect(file.dueAt()).toBeUndefined();
    file.edit(200_000, "X");
    file.append("40000,row\n");
    const appended = file.look(10_000);
    expect(appended.rows).toEqual(rows(0, 40_001));
    expect(file.look(10_000 + SETTLE_MS)).toEqual(LIVE);
    expect(file.dueAt()).toBe(10_000 + VERIFY_QUIET_MS);
    expect(file.look(10_000 + VERIFY_QUIET_MS - 1)).toEqual({});
    const verified = file.look(10_000 + VERIFY_QUIET_MS);
    expect(verified.rows?.filter((row, r) => row !== appended.rows?.[r])).toHaveLength(1);
    expect(file.dueAt()).toBeUndefined();
  });

  test("is compared every minute while it is never quiet", () => {
    using file = openTestReader(LARGE);
    file.look(0);
    file.look(VERIFY_QUIET_MS);
    file.edit(200_000, "X");
    const begin = 10_000;
    const isFound = ({ rows: seen }: Seen) => seen !== undefined && seen.some((row, r) => row !== `${r},row`);
    let appended = 40_000;
    for (let now = begin; now < begin + VERIFY_BUSY_MS; now += 6_000) {
      file.append(`${appended++},row\n`);
      const seen = file.look(now);
      expect([now, seen.rows?.length, isFound(seen)]).toEqual([now, appended, false]);
    }
    file.append(`${appended++},row\n`);
    const seen = file.look(begin + VERIFY_BUSY_MS);
    expect([seen.rows?.length, isFound(seen)]).toEqual([appended, true]);
  });
});

test("rows that go and come back at the end of a large file are there again, though their bytes are still in memory", () => {
  const rows = Array.from({ length: 10_000 }, (_, r) => `${r},row`);
  using file = openTestReader(`a,b\n${rows.join("\n")}\n`);
  file.look(0);
  const replace = (text: string) => {
    writeFileSync(`${file.path}.new`, text);
    renameSync(`${file.path}.new`, file.path);
  };
  replace(`a,b\n${rows.slice(0, 9_000).join("\n")}\n`);
  file.look(10_000);
  expect(file.look(10_000 + SETTLE_MS).rows).toHaveLength(9_000);
  replace(`a,b\n${rows.slice(0, 9_500).join("\n")}\n`);
  file.look(20_000);
  expect(file.look(20_000 + SETTLE_MS).rows).toHaveLength(9_500);
});

describe("a file that", () => {
  test("is deleted is missing; the table stays, and goes on when the file is there again", () => {
    using file = openTestReader("a\n1\n");
    file.look(0);
    unlinkSync(file.path);
    const missing = { states: ["missing not-found: no such file"] };
    expect(file.look(10_000)).toEqual(missing);
    expect(file.look(10_100)).toEqual(missing);
    expect(file.dueAt()).toBeUndefined();
    file.write("a\n2\n");
    expect(file.look(20_000)).toEqual({});
    expect(file.look(20_000 + SETTLE_MS)).toEqual({ rows: ["2"], ...LIVE });
  });

  test("is deleted and comes back as it was is live again once it is quiet", () => {
    using file = openTestReader("a\n1\n");
    file.look(0);
    renameSync(file.path, file.folder.path("away"));
    file.look(10_000);
    renameSync(file.folder.path("away"), file.path);
    file.look(20_000);
    expect(file.look(20_000 + SETTLE_MS)).toEqual(LIVE);
  });

  test("is hidden behind a folder for a while is live at once, since it is the same", () => {
    using file = openTestReader(undefined);
    const [one, link] = [file.folder.path("one"), file.folder.path("link")];
    writeFileSync(one, "a\n1\n");
    const point = (target: string) => {
      symlinkSync(target, link);
      renameSync(link, file.path);
    };
    point(one);
    file.look(0);
    point(file.folder.path("."));
    expect(file.look(10_000)).toEqual({ states: ["stale not-a-file: is a directory, not a CSV file"] });
    point(one);
    expect(file.look(10_010)).toEqual(LIVE);
  });

  test("may not be read any more is stale until it may", () => {
    using file = openTestReader("a\n1\n");
    file.look(0);
    chmodSync(file.path, 0);
    expect(asStranger(() => file.look(10_000))).toEqual({ states: ["stale not-permitted: no permission to read it"] });
    chmodSync(file.path, 0o644);
    file.look(20_000);
    expect(file.look(20_000 + SETTLE_MS)).toEqual(LIVE);
  });

  test("grows too large is stale until it is smaller", () => {
    using file = openTestReader("a\n1\n", { maxFileBytes: 1024 });
    file.look(0);
    file.append("2\n".repeat(600));
    const stale = ["stale too-large: is larger than 1024 bytes; raise the limit with --max-file"];
    expect(file.look(10_000)).toEqual({ states: stale });
    expect(file.look(10_000 + SETTLE_MS)).toEqual({});
    file.write("a\n3\n");
    file.look(20_000);
    expect(file.look(20_000 + SETTLE_MS)).toEqual({ rows: ["3"], ...LIVE });
  });

  test("takes more memory than it may is stale, with the table it had; with its last rows only it may be any size", () => {
    const says = "takes more than 1024 bytes; see --max-memory and --last";
    using file = openTestReader("a\n1\n", { maxMemoryBytes: 1024 });
    file.look(0);
    file.append("2\n".repeat(600));
    expect(file.look(10_000)).toEqual({ states: [`stale too-large: ${says}`] });
    using large = openTestReader(`a\n${"1\n".repeat(600)}`, { maxMemoryBytes: 1024 });
    expect(large.look(0)).toEqual({ refused: `too-large: ${says}` });
    using last = openTestReader(`a\n${"1\n".repeat(400_000)}9\n`, { maxMemoryBytes: 600_000, lastRows: 2 });
    expect(last.look(0).rows).toEqual(["1", "9"]);
  });

  test("is given too large a cell is stale until that is gone, also while more rows come", () => {
    using file = openTestReader("a\n1\n", { maxCellBytes: 64 });
    file.look(0);
    file.append(`${"x".repeat(65)}\n`);
    const stale = ["stale too-large: row 2: a cell of more than 64 bytes; see --max-cell"];
    expect(file.look(10_000)).toEqual({ states: stale });
    file.append("3\n");
    expect(file.look(20_000)).toEqual({ states: stale });
    file.write("a\n1\n2\n3\n");
    file.look(30_000);
    expect(file.look(30_000 + SETTLE_MS)).toEqual({ rows: ["1", "2", "3"], ...LIVE });
  });
});

/** Root may read everything. */
function asStranger<T>(act: () => T): T {
  if (process.geteuid?.() !== 0) return act();
  process.seteuid!(65_534);
  try {
    return act();
  } finally {
    process.seteuid!(0);
  }
}
