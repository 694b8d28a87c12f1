// Following a file that somebody else writes, with the time in our hands: the file is real, the clocks are numbers.
import { describe, expect, spyOn, test } from "bun:test";
import * as fs from "node:fs";
import { appendFileSync, chmodSync, closeSync, mkdirSync, openSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { unlinkSync, utimesSync, writeFileSync, writeSync } from "node:fs";
import { openPrints } from "../../src/source/file/prints.ts";
import { openVerification } from "../../src/source/file/verification.ts";
import { openReader, type ReaderSettings } from "../../src/source/file/reader.ts";
import type { Revision } from "../../src/source/held.ts";
import { temporaryFolder } from "./writer.ts";

const SETTLE_MS = 250;
const MAX_WAIT_MS = 5_000;
const VERIFY_MS = 2_000;
const TAIL_QUIET_MS = 2_000;
const UPDATING_MS = 1_000;

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
const UPDATING = { states: ["updating"] };

/** A file `f.csv` with `content`, and a reader of it. */
function openTestReader(
  content: string | Uint8Array | undefined,
  { clock = LONG_AFTER, ...changes }: Partial<ReaderSettings> & { clock?: () => number } = {},
) {
  const folder = temporaryFolder();
  const path = folder.path("f.csv");
  let writes = 0;
  let seen: Seen = {};
  const revisions: string[][] = [];
  const progress: [read: number, size: number][] = [];
  const worded = (problem: { kind: string; message: string } | undefined) =>
    problem ? ` ${problem.kind}: ${problem.message}` : "";
  const reader = openReader(
    path,
    { ...SETTINGS, ...changes },
    {
      *onRevision(revision) {
        seen.rows = rowsOf(revision);
        revisions.push(seen.rows);
        if (revision.isNewEpoch) seen.isNewEpoch = true;
      },
      onState(state, problem, pendingBytes) {
        const text = state + worded(problem) + (pendingBytes === undefined ? "" : ` ${pendingBytes} pending`);
        if (seen.states?.at(-1) !== text) (seen.states ??= []).push(text);
      },
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
    revisions,
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
    /** As a source looks: whatever it is that a file at rest has, a look at it finds nothing. */
    look(now: number): Seen {
      seen = {};
      const isAtRest = reader.isAtRest();
      reader.look(now);
      reader.dueAt();
      if (isAtRest) expect(seen).toEqual({});
      return seen;
    },
    isAtRest: reader.isAtRest,
    /** A file of this content takes its place. */
    replace(text: string | Uint8Array) {
      writeFileSync(`${path}.new`, text);
      utimesSync(`${path}.new`, 1_000_000, 1_000_000 + ++writes);
      renameSync(`${path}.new`, path);
    },
    [Symbol.dispose]() {
      reader.close();
      folder[Symbol.dispose]();
    },
  };
  if (content !== undefined) test.write(content);
  return test;
}

describe("the first look at a file", () => {
  test("that was written some time ago publishes it, also its unterminated last row", () => {
    using file = openTestReader("a,b\n1,2\n3,4");
    expect(file.look(1_000)).toEqual({ rows: ["1,2", "3,4"], isNewEpoch: true, states: ["live"] });
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
  test("count at the next look; what is behind the last line end only if it is a whole row, and the writer quiet for long", () => {
    using file = openTestReader("a,b\n1,2\n");
    file.look(0);
    file.append("3,4\n5,");
    expect(file.look(10_000)).toEqual({ rows: ["1,2", "3,4"], ...LIVE });
    expect(file.look(10_000 + SETTLE_MS)).toEqual(LIVE);
    expect(file.look(10_000 + TAIL_QUIET_MS - 1)).toEqual({ states: ["live 2 pending"] });
    expect(file.look(10_000 + TAIL_QUIET_MS)).toEqual({ rows: ["1,2", "3,4", "5,"], ...LIVE });
    file.append("6\n");
    expect(file.look(20_000)).toEqual({ rows: ["1,2", "3,4", "5,6"], ...LIVE });
    file.append("7");
    file.look(30_000);
    expect(file.look(60_000)).toEqual({ states: ["live 1 pending"] });
    expect(file.look(90_000)).toEqual({});
  });

  test("leave a file at rest once nothing is due: then a look costs one `stat`, until the file is another", () => {
    using file = openTestReader("a\n1\n");
    const lookOn = (from: number) => {
      for (let ms = 0; ms <= 3 * VERIFY_MS; ms += SETTLE_MS) file.look(from + ms);
    };
    expect(file.isAtRest()).toBe(false);
    lookOn(0);
    expect(file.isAtRest()).toBe(true);
    const { path } = file;
    const changes = [
      () => file.append("2\n"),
      () => file.edit(2, "9"),
      () => file.replace("a\n7\n"),
      () => chmodSync(path, 0o600),
      () => renameSync(path, `${path}.gone`),
    ];
    for (const [n, change] of changes.entries()) {
      change();
      expect(file.isAtRest()).toBe(false);
      lookOn(100_000 * (n + 1));
      expect(file.isAtRest()).toBe(n < changes.length - 1); // one that is missing is looked for
    }
  });

  test("a look that finds nothing new says nothing", () => {
    using file = openTestReader("a\n1\n");
    file.look(0);
    file.look(VERIFY_MS);
    for (let now = 3_000; now < 200_000; now += 1_000) expect(file.look(now)).toEqual({});
    expect(file.dueAt()).toBeUndefined();
  });

  test("that come while a look is under way are no other change at the next one", () => {
    using file = openTestReader("a\n1\n");
    file.look(0);
    file.append("2\n");
    const { statSync } = fs;
    let stats = 0;
    const spy = spyOn(fs, "statSync").mockImplementation(((path: string, options: { bigint: true }) => {
      const stat = statSync(path, options);
      if (++stats === 1) appendFileSync(file.path, "3\n"); // before that of the reading
      return stat;
    }) as typeof statSync);
    expect(file.look(10_000).rows).toEqual(["1", "2", "3"]);
    spy.mockRestore();
    expect(stats).toBe(1);
    expect(file.look(10_010)).toEqual({});
    for (let now = 10_100; now < 20_000; now += 100) {
      file.append(`${now}\n`);
      expect(file.look(now)).toMatchObject({ ...LIVE, rows: expect.anything() });
    }
  });

  test("whose time is there before they are, as on Linux for a moment, are no other change", () => {
    using file = openTestReader("a\n1\n");
    file.look(0);
    const { size } = fs.statSync(file.path, { bigint: true });
    file.append("2\n");
    const isShort = <T extends (...args: never[]) => unknown>(real: T) =>
      ((...args: never[]) => Object.assign(real(...args) as object, { size })) as unknown as T;
    const spies = (["statSync", "fstatSync"] as const).map((name) => {
      const short = isShort(fs[name]);
      return spyOn(fs, name).mockImplementation(short as never);
    });
    expect(file.look(10_000)).toEqual({});
    for (const spy of spies) spy.mockRestore();
    expect(file.look(10_001)).toEqual({ rows: ["1", "2"], ...LIVE });
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

  test("that are no UTF-8 are windows-1252 if all before was ASCII, and else one broken character", () => {
    using file = openTestReader("a\n1\n");
    file.look(0);
    file.append(Buffer.from("caf\xe9\n", "latin1"));
    expect(file.look(10_000)).toEqual({ rows: ["1", "café"], ...LIVE });
    file.append(Buffer.from("\x80 5\n", "latin1"));
    expect(file.look(10_100)).toEqual({ rows: ["1", "café", "€ 5"], ...LIVE });
    using other = openTestReader("a\ngrün\n");
    other.look(0);
    other.append(Buffer.from("b\xffd\n", "latin1"));
    expect(other.look(10_000)).toEqual({ rows: ["grün", "b\ufffdd"], ...LIVE });
    other.append("grün\n");
    expect(other.look(10_100)).toEqual({ rows: ["grün", "b\ufffdd", "grün"], ...LIVE });
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

test("a quote that is open is told within a second, and so is that it is closed, however busy the writer", () => {
  using file = openTestReader("a,b\n1,2\n");
  file.look(0);
  file.append('3,"open\n');
  let now = 10_000;
  const states: string[] = [];
  for (file.look(now); now < 11_500; states.push(...(file.look((now += 100)).states ?? [])))
    file.append("still inside\n");
  expect(states.at(-1)).toStartWith("invalid unclosed-quote: line 3: a quote is opened and never closed");
  file.append('"\n4,x\n');
  expect(file.look(now + 100)).toEqual({ rows: ["1,2", expect.stringMatching(/^3,open\n/), "4,x"], ...LIVE });
});

describe("the last row", () => {
  const rows = (count: number) => Array.from({ length: count }, (_, r) => `${r},done`);

  test.each([3, 20_000])("that is written anew, again and again, is shown at once, under %d others", (count) => {
    using file = openTestReader(`a,b\n${[...rows(count), `${count},0 %`].join("\n")}\n`);
    file.look(0);
    let now = 10_000;
    const at = Buffer.byteLength(`a,b\n${rows(count).join("\n")}\n`);
    for (const progress of ["7 %", "45 %", "100 %"]) {
      file.edit(at, `${count},${progress}\n`);
      expect(file.look((now += 10)).rows?.slice(count)).toEqual([`${count},${progress}`]);
    }
    file.append(`${count + 1},0 %\n`);
    expect(file.look((now += 10)).rows?.slice(count)).toEqual([`${count},100 %`, `${count + 1},0 %`]);
    expect(file.look(now + 100_000)).toEqual(LIVE);
  });

  test("that is cut off, or half written, waits as any other change", () => {
    using file = openTestReader("a,b\n1,2\n3,4\n");
    file.look(0);
    file.write("a,b\n1,2\n3,");
    expect(file.look(10_000)).toEqual({});
    file.write("a,b\n1,2\n");
    expect(file.look(10_010)).toEqual({});
    file.write("a,b\n9,2\n3,4\n");
    expect(file.look(10_020)).toEqual({});
    expect(file.look(10_020 + SETTLE_MS)).toEqual({ rows: ["9,2", "3,4"], ...LIVE });
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
      expect(file.look(now)).toEqual(now === begin + UPDATING_MS ? UPDATING : {});
      const due = Math.min(now + SETTLE_MS, begin + MAX_WAIT_MS);
      expect(file.dueAt()).toBe(now < begin + UPDATING_MS ? Math.min(due, begin + UPDATING_MS) : due);
    }
    file.write("a\nnow\n");
    expect(file.look(begin + MAX_WAIT_MS)).toEqual({ rows: ["now"], ...UPDATING });
    file.append("and\n");
    expect(file.look(begin + MAX_WAIT_MS + 100)).toEqual({ rows: ["now", "and"], ...UPDATING });
    expect(file.look(begin + MAX_WAIT_MS + 100 + SETTLE_MS)).toEqual(LIVE);
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
    file.look(2 * VERIFY_MS);
    expect(file.dueAt()).toBeUndefined();
    file.edit(200_000, "X");
    file.append("40000,row\n");
    const appended = file.look(10_000);
    expect(appended.rows).toEqual(rows(0, 40_001));
    expect(file.look(10_000 + SETTLE_MS)).toEqual(LIVE);
    expect(file.dueAt()).toBe(10_000 + VERIFY_MS);
    expect(file.look(10_000 + VERIFY_MS - 1)).toEqual({});
    const verified = file.look(10_000 + VERIFY_MS);
    expect(verified.rows?.filter((row, r) => row !== appended.rows?.[r])).toHaveLength(1);
    // Who does so once may do so again.
    const again = file.dueAt()!;
    expect(again).toBeGreaterThanOrEqual(10_000 + 2 * VERIFY_MS);
    expect(file.look(again)).toEqual({});
    expect(file.dueAt()).toBeUndefined();
  });

  test.each([
    { clock: "a fine clock", at: 1_000_000.5, due: undefined },
    { clock: "one of whole seconds", at: 1_000_000, due: 10_000 + SETTLE_MS + VERIFY_MS },
  ])("read anew is not compared again with $clock, unless that may hide a change", ({ at, due }) => {
    using file = openTestReader("a\n1\n2\n");
    file.look(0);
    utimesSync(file.path, at, at);
    expect(file.look(10_000)).toEqual({});
    expect(file.look(10_000 + SETTLE_MS)).toEqual(LIVE);
    if (due === undefined) expect(file.dueAt()).toBeUndefined();
    else expect(file.dueAt()).toBeWithin(due, due + 1_000);
  });

  test("is compared while it is never quiet, too", () => {
    using file = openTestReader(LARGE);
    file.look(0);
    file.look(VERIFY_MS);
    file.edit(200_000, "X");
    const isFound = ({ rows: seen }: Seen) => seen !== undefined && seen.some((row, r) => row !== `${r},row`);
    let appended = 40_000;
    let now = 10_000;
    for (let seen: Seen = {}; !isFound(seen); now += 200) {
      expect(now).toBeLessThan(20_000);
      file.append(`${appended++},row\n`);
      seen = file.look(now);
    }
    expect(now).toBeGreaterThan(10_000 + VERIFY_MS);
  });

  test("of many steps is compared one by one: with a row now and then, so much of it as was written meanwhile and a MB a second", () => {
    const verification = openVerification(() => 0);
    using folder = temporaryFolder();
    const bytes = Buffer.alloc(100 << 20, "0123456789\n");
    writeFileSync(folder.path("large"), bytes);
    const prints = openPrints();
    prints.add(bytes);
    const fd = openSync(folder.path("large"), "r+");
    let steps = 0;
    for (let now = 0; now < 60_000; now += 20) {
      if (now % 3_000 === 0) verification.expect(now);
      if ((verification.dueAt() ?? Infinity) > now) continue;
      steps++;
      expect(verification.step(fd, prints, now)).toBe(true);
    }
    expect(steps).toBeGreaterThan(50);
    expect(steps).toBeLessThan(61);
    writeSync(fd, "X", 99 << 20);
    let found = 0;
    for (let now = 60_000; found === 0 && now < 120_000; now = verification.dueAt()!)
      if (!verification.step(fd, prints, now)) found = now;
    expect(found).toBeLessThan(80_000);
    closeSync(fd);
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
    using file = openTestReader("a\n0\n1\n");
    file.look(0);
    unlinkSync(file.path);
    const missing = { states: ["missing not-found: no such file"] };
    expect(file.look(10_000)).toEqual({});
    expect(file.dueAt()).toBe(10_000 + SETTLE_MS);
    for (let now = 10_000 + SETTLE_MS; now < 12_000; now += 100) expect(file.look(now)).toEqual(missing);
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

describe("a tail without a line end", () => {
  const ROW = "1234567,abcdefg"; // 16 bytes with a line end

  test("that ends at the edge of a buffer is torn, however long the writer is quiet", () => {
    using file = openTestReader("a,b\n1,2\n");
    file.look(0);
    file.append(`${`${ROW}\n`.repeat(255)}${ROW}\n`.slice(0, 4_095) + "x"); // 4,096 bytes
    expect(file.look(10_000).rows).toHaveLength(256);
    expect(file.look(1_000_000)).toEqual({ states: ["live 16 pending"] });
    file.append(`yz\n${ROW}`);
    expect(file.look(1_000_100).rows).toHaveLength(257);
    expect(file.look(1_000_100 + TAIL_QUIET_MS).rows?.at(-1)).toBe("1234567,abcdefg");
  });

  test("is torn where the file as a whole ends at an edge", () => {
    using file = openTestReader(`a,b\n${"12,45\n".repeat(170)}`); // 4 + 1020
    file.look(0);
    expect(file.look(100)).toEqual({});
    using torn = openTestReader(`a,b\n${"12,45\n".repeat(169)}12,456`); // 1,024 bytes
    expect(torn.look(0).rows).toHaveLength(169);
    expect(torn.look(100_000)).toEqual({ states: ["live 6 pending"] });
  });

  test("that is inside a quote at the edge of a buffer is no damage, however long the writer is quiet", () => {
    using file = openTestReader("a,b\n1,2\n");
    file.look(0);
    const flush = (text: string) => file.append(text.padEnd(4_096, "x"));
    flush(`${`${ROW}\n`.repeat(255)}3,"open\n`);
    expect(file.look(10_000)).toMatchObject({ rows: { length: 256 }, ...LIVE });
    expect(file.look(1_000_000)).toEqual({ states: ["live 16 pending"] });
    flush("still\n");
    file.look(1_000_100);
    expect(file.look(2_000_000)).toEqual({ states: ["live 4112 pending"] });
    flush('"\n4,');
    expect(file.look(2_000_100)).toMatchObject({ rows: { length: 257 }, ...LIVE });
  });

  test("that is inside a quote is damage if it ever ended elsewhere, or is longer than a cell", () => {
    using file = openTestReader("a,b\n1,2\n");
    file.look(0);
    file.append('3,"open\n');
    file.look(10_000);
    const invalid = { states: [expect.stringMatching(/^invalid unclosed-quote: line 3: .* pending$/)] };
    expect(file.look(20_000)).toEqual(invalid);
    file.append("x".repeat(1_024));
    file.look(20_100);
    expect(file.look(30_000)).toEqual(invalid);
    using other = openTestReader("a,b\n1,2\n");
    other.look(0);
    other.append('3,"'.padEnd(65 << 10, "x"));
    other.look(10_000);
    expect(other.look(20_000)).toEqual(invalid);
  });

  test("of a file written whole counts once it is quiet for a moment, however many cells it has", () => {
    using file = openTestReader("a,b\n1,2\n");
    file.look(0);
    file.replace("a,b\n1,2\n3");
    file.look(10_000);
    expect(file.look(10_000 + SETTLE_MS)).toEqual({ rows: ["1,2", "3,"], ...LIVE });
  });

  test("of a file that was seen to grow counts as one that was appended", () => {
    using file = openTestReader("a,b\n1,2\n");
    file.look(0);
    file.replace("a,b\n3,4\n");
    file.look(10_000);
    file.append("5");
    expect(file.look(10_010)).toEqual({});
    expect(file.look(10_010 + SETTLE_MS)).toEqual({ rows: ["3,4"], ...LIVE });
    expect(file.look(100_000)).toEqual({ states: ["live 1 pending"] });
  });

  test("counts at once with a writer who puts line ends first", () => {
    using file = openTestReader("a,b\n1,2");
    expect(file.look(0).rows).toEqual(["1,2"]);
    let now = 10_000;
    for (const row of ["3,4", "5,6"]) {
      file.append(`\n${row}`);
      expect(file.look((now += 100)).rows?.at(-1)).not.toBe(row);
    }
    file.append("\n7,8");
    expect(file.look((now += 100)).rows).toEqual(["1,2", "3,4", "5,6", "7,8"]);
    file.append("\n9,10");
    expect(file.look((now += 100)).rows?.at(-1)).toBe("9,10");
  });

  test("of a header is no header yet", () => {
    using file = openTestReader("a,b", { clock: AT_ONCE });
    expect(file.look(0)).toEqual({});
    file.append(",c\n1,2,3\n");
    expect(file.look(100)).toMatchObject({ rows: ["1,2,3"], isNewEpoch: true });
    using other = openTestReader("a,b", { clock: AT_ONCE });
    other.look(0);
    expect(other.look(SETTLE_MS)).toMatchObject({ rows: [], isNewEpoch: true });
  });
});

describe("a file that is replaced", () => {
  const version = (n: number) => `a\n${n}\n`;

  test("is shown without a wait once two were put there whole, one after the other", () => {
    using file = openTestReader(version(0));
    file.look(0);
    let now = 10_000;
    file.replace(version(1));
    expect(file.look(now)).toEqual({});
    expect(file.dueAt()).toBe(now + SETTLE_MS);
    file.replace(version(2));
    expect(file.look((now += 100))).toEqual({});
    file.replace(version(3));
    expect(file.look((now += 100)).rows).toEqual(["2"]);
    expect(file.dueAt()).toBe(now + 20);
    expect(file.look(now + 20)).toEqual({ rows: ["3"], ...LIVE });
    for (let n = 4; n < 30; n++) {
      file.replace(version(n));
      expect(file.look((now += 10)).rows).toEqual(n === 4 ? undefined : [`${n - 1}`]);
    }
  });

  test("by one that grows is waited for, and those after it", () => {
    using file = openTestReader(version(0));
    file.look(0);
    let now = 10_000;
    for (let n = 1; n <= 3; n++) {
      file.replace(version(n));
      file.look((now += 1_000));
      file.look((now += SETTLE_MS));
    }
    file.replace("a\n");
    expect(file.look((now += 1_000))).toEqual({});
    file.append("4\n");
    expect(file.look((now += 10))).toEqual({});
    expect(file.dueAt()).toBe(now + SETTLE_MS);
    expect(file.look((now += SETTLE_MS))).toEqual({ rows: ["4"], ...LIVE });
    file.replace(version(5));
    expect(file.look((now += 1_000))).toEqual({});
    expect(file.dueAt()).toBe(now + SETTLE_MS);
  });

  test("is not there for a moment is not missing", () => {
    using file = openTestReader(version(0));
    file.look(0);
    unlinkSync(file.path);
    expect(file.look(10_000)).toEqual({});
    file.write(version(1));
    expect(file.look(10_000 + SETTLE_MS - 1)).toEqual({});
    expect(file.look(10_000 + 2 * SETTLE_MS)).toEqual({ rows: ["1"], ...LIVE });
  });
});

describe("a log that is rotated", () => {
  test("is read to its end, and the new one shown although it is written to", () => {
    using file = openTestReader("a,b\n1,2\n");
    file.look(0);
    renameSync(file.path, file.folder.path("f.csv.1"));
    appendFileSync(file.folder.path("f.csv.1"), "3,4\n");
    expect(file.look(10_000).rows).toEqual(["1,2", "3,4"]);
    appendFileSync(file.folder.path("f.csv.1"), "5,6\n");
    file.write("a,b\n");
    expect(file.look(10_010).rows).toEqual(["1,2", "3,4", "5,6"]);
    let now = 10_010;
    let n = 10;
    const seen: string[][] = [];
    while (now < 10_600) {
      file.append(`${n++},x\n`);
      const { rows, states = [] } = file.look((now += 50));
      if (rows) seen.push(rows);
      for (const state of states) expect(state).toBe("live");
    }
    expect(seen[0]).toEqual(Array.from({ length: 10 }, (_, r) => `${10 + r},x`));
    expect(seen.at(-1)).toHaveLength(n - 10);
  });

  test("is read to its end also if its writer goes on there until it sees the new one", () => {
    using file = openTestReader("a,b\n1,2\n");
    file.look(0);
    const old = file.folder.path("f.csv.1");
    renameSync(file.path, old);
    file.write("a,b\n3,4\n");
    expect(file.look(10_000)).toEqual({});
    appendFileSync(old, "late,1\n");
    file.append("5,6\n");
    const seen: (string[] | undefined)[] = [];
    for (let now = 10_100; now <= 10_100 + SETTLE_MS; now += 50) seen.push(file.look(now).rows);
    expect(seen.filter((rows) => rows !== undefined).at(-1)).toEqual(["3,4", "5,6"]);
    expect(file.revisions.slice(-2)).toEqual([
      ["1,2", "late,1"],
      ["3,4", "5,6"],
    ]);
  });

  test.each([{}, { trim: true }, { quote: '"' }])(
    "without a header keeps the columns, if its first record is a row like those before: %o",
    (options) => {
      using file = openTestReader("time,value,unit\n1,2.5,kPa\n2,2.6,kPa\n", options);
      file.look(0);
      file.write("3,2.7,kPa\n");
      file.look(10_000);
      expect(file.look(10_000 + SETTLE_MS)).toMatchObject({ rows: ["3,2.7,kPa"] });
      file.append("4,2.8,kPa\n");
      expect(file.look(20_000).rows).toEqual(["3,2.7,kPa", "4,2.8,kPa"]);
      expect(file.look(20_000 + SETTLE_MS)).toEqual(LIVE);
      expect(file.look(20_000 + VERIFY_MS)).toEqual({});
      file.write("x,y,z\n5,2.9,kPa\n");
      file.look(30_000);
      expect(file.look(30_000 + SETTLE_MS)).toMatchObject({ rows: ["5,2.9,kPa"], isNewEpoch: true });
    },
  );

  test.each([{}, { trim: true }])(
    "of which the last bytes were kept keeps the columns, and all rows but the cut one: %o",
    (options) => {
      const text = Array.from({ length: 60 }, (_, i) => `1${i},${i}.5,some text,kPa\n`).join("");
      for (let cut = text.length - 200; cut < text.length - 170; cut++) {
        using file = openTestReader(`time,value,note,unit\n${text}`, options);
        const all = file.look(0).rows!;
        file.write(text.slice(cut));
        file.look(10_000);
        const { rows = [] } = file.look(10_000 + SETTLE_MS);
        expect(rows.length).toBeGreaterThan(6);
        expect([cut, rows.slice(1)]).toEqual([cut, all.slice(1 - rows.length)]);
        file.append("170,9.5,x,kPa\n");
        expect(file.look(20_000).rows).toEqual([...rows, "170,9.5,x,kPa"]);
      }
    },
  );

  test.each([
    { name: "names of before, some of them", text: "time,value\n4,2.8,kPa\n5,2.9,kPa\n", rows: ["4,2.8", "5,2.9"] },
    { name: "fewer names", text: "x,y\n4,2.8,kPa\n5,2.9,kPa\n", rows: ["4,2.8", "5,2.9"] },
    { name: "fewer cells", text: "3,2.7\n4,2.8\n", rows: ["4,2.8"] },
    { name: "no number where one was", text: "a,b,c\n4,2.8,kPa\n", rows: ["4,2.8,kPa"] },
  ])("with $name has another header", ({ text, rows }) => {
    using file = openTestReader("time,value,unit\n1,2.5,kPa\n2,2.6,kPa\n");
    file.look(0);
    file.write(text);
    file.look(10_000);
    expect(file.look(10_000 + SETTLE_MS)).toMatchObject({ rows, isNewEpoch: true });
  });
});

describe("NULs", () => {
  const hole = (bytes: number) => Buffer.alloc(bytes);

  test("in front, where a log was cut under its writer, are no text, however many", () => {
    using file = openTestReader("a,b\n1,2\n");
    file.look(0);
    for (const bytes of [100, 70_000, 3 << 20]) {
      file.write(Buffer.concat([hole(bytes), Buffer.from("3,4\n")]));
      file.look(bytes * 10);
      expect(file.look(bytes * 10 + SETTLE_MS).rows).toEqual(["3,4"]);
      file.append("5,6\n");
      expect(file.look(bytes * 10 + 2 * SETTLE_MS).rows).toEqual(["3,4", "5,6"]);
    }
  });

  test("at the end of a file that was preallocated are rows once they are written over", () => {
    const text = Buffer.concat([Buffer.from("a,b\n1,2\n"), hole(200_000)]);
    using file = openTestReader(text);
    expect(file.look(0).rows).toEqual(["1,2"]);
    file.edit(8, "3,4\n5,");
    expect(file.look(10_000).rows).toEqual(["1,2", "3,4"]);
    file.edit(14, "6\n");
    expect(file.look(10_010).rows).toEqual(["1,2", "3,4", "5,6"]);
    file.append("7,8\n");
    expect(file.look(10_020).rows).toEqual(["1,2", "3,4", "5,6", "7,8"]);
    expect(file.look(20_000)).toEqual(LIVE);
  });

  test("after a loss of power end the row that they cut off", () => {
    using file = openTestReader("a,b\n1,2\n");
    file.look(0);
    file.append(Buffer.concat([Buffer.from("3,"), hole(3_000)]));
    expect(file.look(10_000)).toEqual(LIVE);
    file.append("5,6\n");
    expect(file.look(10_010).rows).toEqual(["1,2", "3,", "5,6"]);
  });
});

test.each(["utf-16le", "utf-16be", "shift_jis", "windows-1252"])("%s is followed as it is appended to", (encoding) => {
  const encode = (text: string): Buffer => {
    if (encoding === "utf-16le") return Buffer.from(text, "utf16le");
    if (encoding === "utf-16be") return Buffer.from(text, "utf16le").swap16();
    if (encoding === "windows-1252") return Buffer.from(text.replaceAll("ア", "\xe9"), "latin1");
    return Buffer.concat([...text].map((c) => (c === "ア" ? Buffer.from([0x83, 0x41]) : Buffer.from(c))));
  };
  const kana = encoding === "windows-1252" ? "é" : "ア";
  using file = openTestReader(encode("a,b\n1,ア\n"), { encoding });
  expect(file.look(0).rows).toEqual([`1,${kana}`]);
  const line = encode("2,アア\n");
  for (const [at, byte] of line.entries()) {
    file.append(Buffer.from([byte]));
    const { rows } = file.look(10_000 + at);
    if (at < line.length - 2) expect(rows).toBeUndefined();
  }
  expect(file.look(10_100).rows ?? []).toEqual([]);
  file.append(encode("3,x\n"));
  expect(file.look(10_200).rows).toEqual([`1,${kana}`, `2,${kana}${kana}`, "3,x"]);
});

test("a file without a link that its path still leads to, as in a mount of one file, is stale", () => {
  using file = openTestReader(undefined);
  const one = file.folder.path("one");
  writeFileSync(one, "a\n1\n");
  symlinkSync(one, file.path);
  file.look(0);
  const fd = openSync(one, "r");
  unlinkSync(one);
  unlinkSync(file.path);
  symlinkSync(`/proc/self/fd/${fd}`, file.path);
  const [state] = file.look(10_000).states ?? [];
  if (process.platform === "linux")
    expect(state).toBe(
      "stale replaced: was replaced, but the path still leads to the old one: mount its folder instead",
    );
  closeSync(fd);
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
