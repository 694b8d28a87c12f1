// How a client finds a server: entries that only their user can read, and trusts.
import { afterEach, describe, expect, mock, setDefaultTimeout, spyOn, test } from "bun:test";
import { lstat, mkdir, readdir, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { announce, type Entry, liveEntries } from "../../src/cli/runtime.ts";
import { type Folder, temporaryFolder } from "../support.ts";

setDefaultTimeout(30_000);

const envOf = ({ path }: Folder) => ({ XDG_RUNTIME_DIR: path });

/** What tells a process from others, as an announcement has it. */
async function markOf(pid: number): Promise<string> {
  await using folder = await temporaryFolder();
  announce({ pid, url: "", startedAt: 0 }, envOf(folder));
  const { process: mark } = (await Bun.file(join(folder.path, "csvcast", `${pid}.json`)).json()) as Entry;
  return mark!;
}

const mark = await markOf(process.pid);

const entryOf = (over: Partial<Entry> = {}): Entry => ({
  pid: process.pid,
  process: mark,
  url: "ws://127.0.0.1:59050/",
  startedAt: 1_760_000_000_000,
  ...over,
});

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

/** The id of a process that has just ended, so that none has it now. */
async function endedPid(): Promise<number> {
  const child = Bun.spawn(["true"]);
  await child.exited;
  return child.pid;
}

async function leave(folder: Folder, name: string, content: unknown): Promise<string> {
  return folder.write(join("csvcast", name), typeof content === "string" ? content : JSON.stringify(content));
}

describe("an entry", () => {
  test("is found by clients of the same user while the server runs, and gone when it is withdrawn", async () => {
    await using folder = await temporaryFolder();
    const entry = entryOf({ token: "secret" });
    const withdraw = announce(entry, envOf(folder));
    expect(liveEntries(envOf(folder))).toEqual([entry]);
    withdraw();
    expect(liveEntries(envOf(folder))).toEqual([]);
    expect(await readdir(join(folder.path, "csvcast"))).toEqual([]);
    withdraw();
  });

  test("can be read by nobody else, and neither can its folder, even one that was there before", async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, "csvcast"), { mode: 0o777 });
    announce(entryOf(), envOf(folder));
    expect(await modeOf(join(folder.path, "csvcast"))).toBe("700");
    expect(await modeOf(join(folder.path, "csvcast", `${process.pid}.json`))).toBe("600");
  });

  test("makes its folder where there is none", async () => {
    await using folder = await temporaryFolder();
    announce(entryOf(), { XDG_RUNTIME_DIR: join(folder.path, "not", "there") });
    expect(await modeOf(join(folder.path, "not", "there", "csvcast"))).toBe("700");
  });

  test("takes the place of one that an earlier process with the same id left", async () => {
    await using folder = await temporaryFolder();
    announce(entryOf({ url: "ws://127.0.0.1:1/" }), envOf(folder));
    announce(entryOf({ url: "ws://127.0.0.1:2/" }), envOf(folder));
    expect(liveEntries(envOf(folder)).map(({ url }) => url)).toEqual(["ws://127.0.0.1:2/"]);
  });

  test("follows no symbolic link that somebody put in its place", async () => {
    await using folder = await temporaryFolder();
    const precious = await folder.write("precious", "mine");
    await mkdir(join(folder.path, "csvcast"));
    await symlink(precious, join(folder.path, "csvcast", `${process.pid}.json`));
    announce(entryOf(), envOf(folder));
    expect(await Bun.file(precious).text()).toBe("mine");
    expect((await lstat(join(folder.path, "csvcast", `${process.pid}.json`))).isSymbolicLink()).toBe(false);
  });
});

/** Of a process that was started later than this one. */
async function markOfChild(): Promise<string> {
  const child = Bun.spawn([process.execPath, "-e", "await Bun.stdin.text()"], { stdin: "pipe" });
  try {
    return (await markOf(child.pid))!;
  } finally {
    child.kill();
    await child.exited;
  }
}

describe("among several entries", () => {
  test("the newest comes first", async () => {
    await using folder = await temporaryFolder();
    await leave(folder, "1.json", entryOf({ startedAt: 1 }));
    await leave(folder, "3.json", entryOf({ startedAt: 3 }));
    await leave(folder, "2.json", entryOf({ startedAt: 2 }));
    expect(liveEntries(envOf(folder)).map(({ startedAt }) => startedAt)).toEqual([3, 2, 1]);
  });

  test("those of servers that are gone are removed", async () => {
    await using folder = await temporaryFolder();
    await leave(folder, "1.json", entryOf({ pid: await endedPid(), startedAt: 2 }));
    await leave(folder, "2.json", entryOf({ startedAt: 1 }));
    expect(liveEntries(envOf(folder)).map(({ startedAt }) => startedAt)).toEqual([1]);
    expect(await readdir(join(folder.path, "csvcast"))).toEqual(["2.json"]);
  });

  const others: { name: string; over: () => Promise<Partial<Entry>> | Partial<Entry> }[] = [
    { name: "the id is that of another process now", over: () => ({ process: `${mark}0` }) },
    { name: "the id is that of another user's process now", over: () => ({ pid: 1 }) },
    { name: "it does not tell its process from a later one", over: () => ({ process: undefined! }) },
    { name: "the id is ours, and the entry another's", over: async () => ({ process: await markOfChild() }) },
    { name: "the id stands for our group of processes", over: () => ({ pid: 0 }) },
    { name: "the id stands for all processes", over: () => ({ pid: -1 }) },
  ];
  test.each(others)("one with a token is not trusted if $name", async ({ over }) => {
    await using folder = await temporaryFolder();
    await leave(folder, "1.json", { ...entryOf({ token: "secret" }), ...(await over()) });
    expect(liveEntries(envOf(folder))).toEqual([]);
    expect(await readdir(join(folder.path, "csvcast"))).toEqual([]);
  });

  const broken: { name: string; content: unknown }[] = [
    { name: "half written", content: '{"pid":1,"ur' },
    { name: "empty", content: "" },
    { name: "null", content: "null" },
    { name: "a list", content: "[]" },
    { name: "without a URL", content: { pid: process.pid, startedAt: 9 } },
    { name: "with a URL that is no text", content: { pid: process.pid, url: 5, startedAt: 9 } },
    { name: "with a process id that is no number", content: { pid: "me", url: "ws://127.0.0.1:1/", startedAt: 9 } },
  ];
  test.each(broken)("one that is $name is passed over", async ({ content }) => {
    await using folder = await temporaryFolder();
    await leave(folder, "1.json", content);
    await leave(folder, "2.json", entryOf());
    expect(liveEntries(envOf(folder))).toEqual([entryOf()]);
  });

  test("other files in the folder are left alone", async () => {
    await using folder = await temporaryFolder();
    await leave(folder, "notes.txt", "keep");
    await leave(folder, "12.json.new", "being written");
    expect(liveEntries(envOf(folder))).toEqual([]);
    expect((await readdir(join(folder.path, "csvcast"))).sort()).toEqual(["12.json.new", "notes.txt"]);
  });
});

describe("the folder", () => {
  afterEach(() => mock.restore());

  test("may be missing", async () => {
    await using folder = await temporaryFolder();
    expect(liveEntries(envOf(folder))).toEqual([]);
    expect(liveEntries({ XDG_RUNTIME_DIR: join(folder.path, "gone") })).toEqual([]);
  });

  test("counts for nothing if it belongs to somebody else", async () => {
    await using folder = await temporaryFolder();
    await leave(folder, "1.json", entryOf());
    const uid = process.getuid!();
    spyOn(process, "getuid").mockReturnValue(uid + 1);
    expect(liveEntries(envOf(folder))).toEqual([]);
    expect(() => announce(entryOf(), envOf(folder))).toThrow(
      `${join(folder.path, "csvcast")}: belongs to another user`,
    );
  });

  test("counts for nothing if it is a symbolic link", async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, "elsewhere"));
    await Bun.write(join(folder.path, "elsewhere", "1.json"), JSON.stringify(entryOf()));
    await symlink(join(folder.path, "elsewhere"), join(folder.path, "csvcast"));
    expect(liveEntries(envOf(folder))).toEqual([]);
    expect(() => announce(entryOf(), envOf(folder))).toThrow();
  });

  test("counts for nothing if it is a file, and announcing says so", async () => {
    await using folder = await temporaryFolder();
    await folder.write("csvcast", "");
    expect(liveEntries(envOf(folder))).toEqual([]);
    expect(() => announce(entryOf(), envOf(folder))).toThrow(join(folder.path, "csvcast"));
  });
});
