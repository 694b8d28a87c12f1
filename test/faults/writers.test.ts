// DESIGN section 4: what writers do to a file, done by real processes to a real file, seen with file events and without.
// After each, what is published is what a fresh conversion gives; and nothing ever was that the file did not say.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { isUtf8 } from "node:buffer";
import Papa from "papaparse";
import { mkdirSync, renameSync, symlinkSync, truncateSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { appendFileSync, closeSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { atOnce } from "../at-once.ts";
import { type Followed, follow, SETTLE_MS, temporaryFolder } from "../source/writer.ts";

setDefaultTimeout(60_000);
atOnce(6);

/** A shell, as writers are: in the folder of the file. */
async function shell(folder: string, script: string): Promise<void> {
  const writer = Bun.spawn(["sh", "-ec", script], { cwd: folder, stdout: "inherit", stderr: "inherit" });
  expect(await writer.exited).toBe(0);
}

const HEAD = "a,b\n";
const rows = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, r) => `${from + r},row ${from + r}\n`).join("");
const cells = (text: string) => Papa.parse<string[]>(text, { delimiter: ",", skipEmptyLines: true }).data.slice(1);
/** As the reader decodes it: what is no UTF-8 is windows-1252. */
const textOf = async (path: string) => {
  const bytes = await Bun.file(path).bytes();
  return isUtf8(bytes) ? new TextDecoder().decode(bytes) : new TextDecoder("windows-1252").decode(bytes);
};

type Scene = {
  name: string;
  before: string;
  act: (path: (name: string) => string, followed: Followed) => Promise<void> | void;
  /** Besides before and after, what may be published in between. */
  between?: string[];
  /** Rows that appends may have brought so far. */
  isAppend?: boolean;
  /** Where a pause of the writer must not be taken for its end, however busy the machine is. */
  settleMs?: number;
};

const SCENES: Scene[] = [
  {
    name: "appends whole lines (shell >>)",
    before: HEAD + rows(0, 2),
    isAppend: true,
    act: (path) => shell(path("."), 'for i in 2 3 4 5 6; do echo "$i,row $i" >> f.csv; done'),
  },
  {
    name: "appends half a line, then the rest",
    before: HEAD + rows(0, 2),
    isAppend: true,
    settleMs: 2_000,
    async act(path, followed) {
      appendFileSync(path("f.csv"), "2,row 2\n3,ro");
      await followed.until(() => followed.rows().length === 3, "seen the whole line");
      appendFileSync(path("f.csv"), "w 3\n");
    },
  },
  {
    name: "ends without a newline: the last row counts once the writer is quiet",
    before: HEAD + rows(0, 2),
    isAppend: true,
    act: (path) => appendFileSync(path("f.csv"), "2,row 2\n3,row 3"),
  },
  {
    name: "appends a record over several lines, in pieces",
    before: 'a,b\n1,"x\ny"\n',
    isAppend: true,
    settleMs: 2_000,
    async act(path) {
      const fd = openSync(path("f.csv"), "a");
      for (const piece of ['2,"new', '\nline"', '" and', "\nmore", '"\n', "3,z\n"]) {
        writeSync(fd, piece);
        await Bun.sleep(5);
      }
      closeSync(fd);
    },
  },
  {
    name: "rewrites in place: truncates, then writes (cp)",
    before: HEAD + rows(0, 50),
    async act(path) {
      writeFileSync(path("next"), HEAD + rows(100, 160));
      await shell(path("."), "cp next f.csv");
    },
  },
  {
    name: "rewrites slowly, in pieces that follow each other closely",
    before: HEAD + rows(0, 50),
    act: (path) =>
      shell(path("."), `: > f.csv; printf 'a,b\\n' >> f.csv; for i in 1 2 3 4 5 6 7 8; do echo "$i,x" >> f.csv; done`),
  },
  {
    name: "truncates and rewrites longer between two looks",
    before: HEAD + rows(0, 20),
    act: (path) => writeFileSync(path("f.csv"), HEAD + rows(500, 600)),
  },
  {
    name: "replaces atomically (mv)",
    before: HEAD + rows(0, 50),
    act: (path) => shell(path("."), "sed 's/row 7$/ROW SEVEN/' f.csv > tmp && mv tmp f.csv"),
  },
  {
    name: "edits a byte in the middle, same size",
    before: HEAD + rows(0, 50),
    act: (path) => shell(path("."), "printf X | dd of=f.csv bs=1 seek=30 conv=notrunc 2>/dev/null"),
  },
  {
    name: "edits a byte, same size, and restores the time of the file",
    before: HEAD + rows(0, 50),
    async act(path) {
      const { atime, mtime } = statSync(path("f.csv"));
      await shell(path("."), "printf X | dd of=f.csv bs=1 seek=30 conv=notrunc 2>/dev/null");
      utimesSync(path("f.csv"), atime, mtime);
    },
  },
  {
    name: "truncates to zero and starts again, header included",
    before: HEAD + rows(0, 50),
    async act(path) {
      truncateSync(path("f.csv"), 0);
      writeFileSync(path("f.csv"), HEAD + rows(0, 3));
    },
  },
  {
    name: "rotates: renames away and creates anew",
    before: HEAD + rows(0, 50),
    act: (path) => shell(path("."), "mv f.csv f.csv.1; printf 'a,b\\n1,new\\n' > f.csv; echo late,1 >> f.csv.1"),
    between: [`${HEAD}${rows(0, 50)}late,1\n`],
  },
  {
    name: "copytruncate",
    before: HEAD + rows(0, 50),
    act: (path) => shell(path("."), "cp f.csv f.csv.1; : > f.csv; printf 'a,b\\n9,nine\\n' >> f.csv"),
  },
  {
    name: "deletes and recreates",
    before: HEAD + rows(0, 5),
    async act(path, followed) {
      unlinkSync(path("f.csv"));
      await followed.until(() => followed.state() === "missing", "missing");
      expect(followed.rows()).toHaveLength(5);
      writeFileSync(path("f.csv"), HEAD + rows(7, 9));
      await followed.until(() => followed.state() === "live", "live again");
    },
  },
  {
    name: "changes the header",
    before: HEAD + rows(0, 5),
    async act(path, followed) {
      writeFileSync(path("f.csv"), "x,y,z\n1,2,3\n");
      await followed.until(
        () => followed.publications().at(-1)?.isNewEpoch === true && followed.rows().length === 1,
        "a new epoch",
      );
    },
  },
  {
    name: "loses read permission and gets it back",
    before: HEAD + rows(0, 5),
    async act(path, followed) {
      // Root reads everything, so the folder is what goes: a file that cannot be opened, and then can.
      renameSync(path("f.csv"), path("kept"));
      mkdirSync(path("f.csv"));
      await followed.until(() => followed.state() === "stale", "stale");
      expect(followed.message()).toContain("is a directory");
      expect(followed.rows()).toHaveLength(5);
      rmSync(path("f.csv"), { recursive: true });
      renameSync(path("kept"), path("f.csv"));
      await followed.until(() => followed.state() === "live", "live again");
    },
  },
  {
    name: "a symlink whose target in another folder is appended to, replaced, and re-pointed",
    before: HEAD + rows(0, 2),
    async act(path, followed) {
      mkdirSync(path("one"));
      mkdirSync(path("two"));
      writeFileSync(path("one/t.csv"), HEAD + rows(0, 2));
      writeFileSync(path("two/t.csv"), HEAD + rows(70, 72));
      unlinkSync(path("f.csv"));
      symlinkSync("one/t.csv", path("f.csv"));
      await followed.converges(path("one/t.csv"));
      appendFileSync(path("one/t.csv"), rows(2, 3));
      await followed.converges(path("one/t.csv"));
      await shell(path("."), "ln -s two/t.csv link && mv -T link f.csv");
      await followed.converges(path("two/t.csv"));
      appendFileSync(path("two/t.csv"), rows(72, 73));
    },
    between: [HEAD + rows(0, 3), HEAD + rows(70, 72)],
  },
  {
    name: "the folder is moved away and made anew",
    before: HEAD + rows(0, 2),
    async act(path, followed) {
      renameSync(path("."), path("../moved-folder-of-csvcast"));
      await followed.until(() => followed.state() === "missing", "missing");
      mkdirSync(path("."));
      writeFileSync(path("f.csv"), HEAD + rows(20, 23));
      await followed.converges(path("f.csv"));
      appendFileSync(path("f.csv"), rows(23, 24));
      rmSync(path("../moved-folder-of-csvcast"), { recursive: true });
    },
    between: [HEAD + rows(20, 23)],
  },
  {
    name: "becomes binary, and a CSV again",
    before: HEAD + rows(0, 2),
    async act(path, followed) {
      writeFileSync(path("f.csv"), Buffer.from("\x89PNG\r\n\x1a\n", "latin1"));
      await followed.until(() => followed.state() === "invalid", "invalid");
      expect(followed.rows()).toHaveLength(2);
      writeFileSync(path("f.csv"), HEAD + rows(0, 3));
    },
  },
  {
    name: "leaves a quote open, and closes it",
    before: HEAD + rows(0, 2),
    async act(path, followed) {
      appendFileSync(path("f.csv"), '2,"open\n3,x\n');
      await followed.until(() => followed.state() === "invalid", "invalid");
      expect(followed.message()).toContain("line 4: a quote is opened and never closed");
      expect(followed.rows()).toHaveLength(2);
      appendFileSync(path("f.csv"), '"\n');
      await followed.until(() => followed.rows().length === 3, "closed");
    },
    between: [HEAD + rows(0, 2)],
  },
  {
    name: "turns from UTF-8 to windows-1252 in the middle of an append",
    before: HEAD + rows(0, 2),
    isAppend: true,
    act: (path) => appendFileSync(path("f.csv"), Buffer.from("2,caf\xe9\n", "latin1")),
  },
  {
    name: "tears a character between two writes",
    before: HEAD + rows(0, 2),
    isAppend: true,
    settleMs: 500,
    async act(path) {
      const line = Buffer.from("2,€uro\n");
      appendFileSync(path("f.csv"), line.subarray(0, 3));
      await Bun.sleep(SETTLE_MS);
      appendFileSync(path("f.csv"), line.subarray(3));
    },
  },
];

/** `before`, `after` and what is in between; a prefix of rows where lines are appended. */
function isAllowed(published: string[][], scene: Scene, after: string): boolean {
  const text = JSON.stringify(published);
  const known = [scene.before, ...(scene.between ?? []), after].map((version) => JSON.stringify(cells(version)));
  if (known.includes(text)) return true;
  return (
    scene.isAppend === true &&
    cells(after)
      .slice(0, published.length)
      .every((row, r) => JSON.stringify(row) === JSON.stringify(published[r]))
  );
}

describe.concurrent.each([
  ["with file events", true],
  ["without file events", false],
] as const)("%s, a writer that", (_how, watches) => {
  test.each(SCENES.map((scene) => [scene.name, scene] as const))("%s", async (_name, scene) => {
    using folder = temporaryFolder();
    const path = folder.path("f.csv");
    writeFileSync(path, scene.before);
    await using followed = follow(path, { watches, settleMs: scene.settleMs ?? SETTLE_MS });
    await followed.converges(path);
    await scene.act(folder.path, followed);
    await followed.converges(path);
    await followed.until(() => followed.state() === "live", "live at the end");
    const after = await textOf(path);
    const never = followed
      .publications()
      .filter((publication) => publication.splices !== undefined && !isAllowed(publication.rows, scene, after));
    expect(never.map((publication) => publication.rows)).toEqual([]);
  });
});

const python = Bun.which("python3");

test.concurrent.skipIf(!python)(
  "a Python writer, buffered and unbuffered: rows come whole and in order (skipped without python3)",
  async () => {
    using folder = temporaryFolder();
    const path = folder.path("f.csv");
    for (const buffering of [0, 1_000]) {
      const script = `
import time
f = open('f.csv', 'wb', ${buffering})
f.write(b'a,b\\n')
for i in range(3000):
    f.write(f'{i},row {i}\\n'.encode())
    if i % 500 == 0: time.sleep(0.01)
f.close()`;

      writeFileSync(path, HEAD);
      await using followed = follow(path);
      await followed.until(() => followed.state() === "live", "live");
      const writer = Bun.spawn([python!, "-c", script], { cwd: folder.path(".") });
      expect(await writer.exited).toBe(0);
      await followed.converges(path);
      for (const { rows: seen } of followed.publications())
        expect(seen.every(([number, text], r) => number === `${r}` && text === `row ${r}`)).toBe(true);
    }
  },
);

test.concurrent("an edit behind an append is found when the file is quiet", async () => {
  using folder = temporaryFolder();
  const path = folder.path("f.csv");
  writeFileSync(path, HEAD + rows(0, 40_000));
  await using followed = follow(path);
  await followed.converges(path);
  // In one look: a byte far from the head and from the end, and a new row.
  const fd = openSync(path, "r+");
  writeSync(fd, "X", 200_000);
  closeSync(fd);
  appendFileSync(path, rows(40_000, 40_001));
  await followed.converges(path);
  expect(followed.publications().every(({ splices }) => splices === undefined || splices.length < 200)).toBe(true);
});

test.concurrent("one cell changed in a large rewritten file is published as one row", async () => {
  using folder = temporaryFolder();
  const path = folder.path("f.csv");
  writeFileSync(path, HEAD + rows(0, 50_000));
  await using followed = follow(path);
  await followed.converges(path);
  writeFileSync(path, HEAD + rows(0, 50_000).replace("\n25000,row 25000", "\n25000,edited"));
  await followed.converges(path);
  expect(followed.publications().at(-1)?.splices).toBe('[[25000,1,[["25000","edited"]]]]');
});

test.concurrent("--last keeps the newest rows; old ones leave as splices", async () => {
  using folder = temporaryFolder();
  const path = folder.path("f.csv");
  writeFileSync(path, HEAD + rows(0, 10));
  await using followed = follow(path, { lastRows: 3 });
  await followed.until(() => followed.rows().length === 3, "there");
  appendFileSync(path, rows(10, 12));
  await followed.until(() => followed.rows()[2]?.[0] === "11", "appended");
  expect(followed.rows().map(([number]) => number)).toEqual(["9", "10", "11"]);
  expect(followed.publications().at(-1)?.splices).toBe('[[0,2,[]],[1,0,[["10","row 10"],["11","row 11"]]]]');
  expect(await followed.json()).toBe('[{"a":"9","b":"row 9"},{"a":"10","b":"row 10"},{"a":"11","b":"row 11"}]');
});

describe.concurrent("a writer that has mapped the file into memory, which changes its time now and then only", () => {
  const script = (at: string) => `
import mmap, sys
with open('f.csv', 'r+b') as file:
    memory = mmap.mmap(file.fileno(), 0)
    at = ${at}
    for line in sys.stdin.buffer:
        memory[at:at + len(line)] = line
        at += len(line)`;
  const start = (folder: string, at: string) =>
    Bun.spawn([python!, "-c", script(at)], { cwd: folder, stdin: "pipe", stderr: "inherit" });

  test.skipIf(!python)("and fills up what was preallocated: its rows come (skipped without python3)", async () => {
    using folder = temporaryFolder();
    const path = folder.path("f.csv");
    writeFileSync(path, HEAD);
    truncateSync(path, 1 << 16);
    await using followed = follow(path);
    await followed.until(() => followed.state() === "live", "live");
    const writer = start(folder.path("."), `${HEAD.length}`);
    for (let n = 0; n < 5; n++) {
      writer.stdin.write(rows(n, n + 1));
      await writer.stdin.flush();
      await followed.until(() => followed.rows().length === n + 1, `${n + 1} rows`);
    }
    await writer.stdin.end();
    expect(await writer.exited).toBe(0);
    await followed.converges(path);
  });

  test.skipIf(!python)(
    "and edits in place: that is found as long as it goes on (skipped without python3)",
    async () => {
      using folder = temporaryFolder();
      const path = folder.path("f.csv");
      writeFileSync(path, HEAD + rows(0, 10));
      await using followed = follow(path);
      await followed.until(() => followed.state() === "live", "live");
      const writer = start(folder.path("."), `${HEAD.length}`);
      for (let n = 0; n < 4; n++) {
        writer.stdin.write(rows(n, n + 1).toUpperCase());
        await writer.stdin.flush();
        await followed.until(() => followed.rows()[n]?.[1] === `ROW ${n}`, `row ${n} edited`);
      }
      await writer.stdin.end();
      expect(await writer.exited).toBe(0);
      await followed.converges(path);
    },
  );
});
