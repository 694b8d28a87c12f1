// A finished file as a source that plays it.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { convertCsvToJson } from "../../../src/source/convert.ts";
import type { ReplayOptions } from "../../../src/source/replay/speed.ts";
import { TEST_TIMEOUT_MS } from "../../support.ts";
import { openThread } from "../../../src/source/thread.ts";
import { openAlone, openHeard, textOf } from "../heard.ts";
import { follow, taken, temporaryFolder, WORKER } from "../writer.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const at = (second: number) => `2026-03-01T12:00:${String(second).padStart(2, "0")}Z`;
const FAST: ReplayOptions = { replay: { times: 100 } };

describe.concurrent("a replay", () => {
  test("gives the rows one after the other, each as an append, and ends with what the file is", async () => {
    using folder = temporaryFolder();
    const path = folder.path("f.csv");
    writeFileSync(path, `t,v\n${Array.from({ length: 20 }, (_, i) => `${at(3 * i)},${i}\n`).join("")}`);
    await using followed = follow(path, FAST);
    await followed.converges(path);
    const counts = followed.publications().map(({ rows }) => rows.length);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    const changes = followed.publications().slice(1);
    expect(changes.every(({ splices, isNewEpoch }) => splices?.startsWith("[[") && !isNewEpoch)).toBe(true);
    expect(followed.state()).toBe("live");
  });

  test("says that it is one, how fast, and when it is over", async () => {
    using folder = temporaryFolder();
    const path = folder.path("f.csv");
    writeFileSync(path, `t,v\n${at(0)},1\n${at(20)},2\n`);
    using heard = openAlone(path, FAST);
    await heard.until("the end", () => heard.statuses.at(-1)?.replay?.isFinished === true);
    expect(heard.statuses.map(({ state, replay }) => ({ state, replay }))).toEqual([
      { state: "live", replay: { speed: "100x", isFinished: false } },
      { state: "live", replay: { speed: "100x", isFinished: true } },
    ]);
    expect(heard.publications.map(({ rows }) => rows)).toEqual([1, 2]);
  });

  test("by rows needs no times", async () => {
    using folder = temporaryFolder();
    const path = folder.path("f.csv");
    writeFileSync(path, "a,b\n1,2\n3,4\n5,6\n");
    using heard = openAlone(path, { replay: { rowsPerSecond: 20 } });
    await heard.until("the end", () => heard.statuses.at(-1)?.replay?.isFinished === true);
    expect(heard.publications.at(-1)!.rows).toBe(3);
  });

  test("of a large file at the highest speed gives all of it, in changes", async () => {
    using folder = temporaryFolder();
    const path = folder.path("f.csv");
    writeFileSync(path, `a,b\n${Array.from({ length: 30_000 }, (_, i) => `${i},${i % 7}\n`).join("")}`);
    using heard = openAlone(path, { replay: { rowsPerSecond: 1e9 } });
    await heard.until("the end", () => heard.statuses.at(-1)?.replay?.isFinished === true);
    const [first, ...others] = heard.publications;
    expect(others.length).toBeGreaterThan(2); // of 64 kB each
    expect(others.every(({ splices, cursor }) => splices && cursor.epoch === first!.cursor.epoch)).toBe(true);
    expect(textOf(await taken(heard.snapshot("frame", 2 ** 30)))).toBe(await convertCsvToJson(path));
  });

  test("keeps the last rows only", async () => {
    using folder = temporaryFolder();
    const path = folder.path("f.csv");
    writeFileSync(path, `a\n${Array.from({ length: 12_000 }, (_, i) => `${i}\n`).join("")}`);
    await using followed = follow(path, { replay: { rowsPerSecond: 1e9 }, lastRows: 3 });
    await followed.converges(path, 3);
  });

  test("stops where there is no more room, and says so", async () => {
    using folder = temporaryFolder();
    const path = folder.path("f.csv");
    writeFileSync(path, `a\n${"0123456789\n".repeat(20_000)}`);
    using heard = openAlone(path, { replay: { rowsPerSecond: 1e9 }, maxMemoryBytes: 150_000 });
    await heard.until("the limit", () => heard.statuses.at(-1)?.state === "stale");
    expect(heard.statuses.at(-1)!.problem?.reason).toBe("takes more than 150000 bytes; see --max-memory and --last");
    expect(heard.publications.at(-1)!.rows).toBeGreaterThan(5_000);
  });

  test("has a warning for what is odd in its times, and goes on", async () => {
    using folder = temporaryFolder();
    const path = folder.path("f.csv");
    writeFileSync(path, `t,v\n${at(0)},1\n${at(9)},2\n${at(1)},3\nno time,4\n${`${at(10)},5\n`.repeat(20)}`);
    using heard = openAlone(path, FAST);
    await heard.until("the end", () => heard.statuses.at(-1)?.replay?.isFinished === true);
    expect(heard.publications.at(-1)!.rows).toBe(24);
    expect(heard.publications.at(-1)!.about.warnings).toEqual([
      "1 time before the one in front: such a row comes with that one",
      "1 row without a time: such a row comes with the one in front",
    ]);
  });

  test("that waits for a hundred years does not hurry", async () => {
    using folder = temporaryFolder();
    const path = folder.path("f.csv");
    writeFileSync(path, `t,v\n2026-03-01,1\n2026-03-01,2\n2126-03-01,3\n`);
    using heard = openAlone(path, { replay: { times: 1 } });
    await heard.until("the first rows", () => heard.publications.at(-1)?.rows === 2);
    await Bun.sleep(50);
    expect(heard.publications.at(-1)!.rows).toBe(2);
  });

  test("begins anew with what the file is then", async () => {
    using folder = temporaryFolder();
    const path = folder.path("f.csv");
    writeFileSync(path, "a\n1\n2\n");
    await using followed = follow(path, { replay: { rowsPerSecond: 1_000 }, loops: true });
    await followed.converges(path);
    writeFileSync(folder.path("g.csv"), "a\n1\n2\n3\n");
    renameSync(folder.path("g.csv"), path);
    await followed.converges(path);
    const epochs = followed.publications().filter(({ isNewEpoch }) => isNewEpoch);
    expect(epochs.length).toBeGreaterThan(1);
    rmSync(path);
    await followed.until(() => followed.state() === "missing", "missing");
    expect(followed.rows()).toHaveLength(3);
    writeFileSync(path, "a\n7\n");
    await followed.converges(path);
    await followed.until(() => followed.state() === "live", "live");
  });

  test("of what is not there yet is waited for", async () => {
    using folder = temporaryFolder();
    const path = folder.path("f.csv");
    using heard = openAlone(path, { ...FAST, waits: true });
    await heard.until("waiting", () => heard.statuses.at(-1)?.state === "waiting");
    writeFileSync(path, `t,v\n${at(0)},1\n`);
    await heard.until("the end", () => heard.statuses.at(-1)?.replay?.isFinished === true);
  });

  test.each([
    { name: "without times", text: "a,b\n1,2\n", changes: FAST, reason: /^has no column of times to be replayed by: / },
    { name: "no CSV", text: "\x89PNG\r\n\x1a\n", changes: FAST, reason: /^not a CSV but a PNG image$/ },
    {
      name: "with a cell that is too large",
      text: `a,b\n${"x".repeat(2_000)},2\n`,
      changes: { replay: { rowsPerSecond: 9 }, maxCellBytes: 1_000 },
      reason: /^row 1: a cell of more than 1000 bytes/,
    },
  ])("of a file $name is refused", async ({ text, changes, reason }) => {
    using folder = temporaryFolder();
    const path = folder.path("f.csv");
    writeFileSync(path, Buffer.from(text, "latin1"));
    using heard = openAlone(path, changes);
    await heard.until("a refusal", () => heard.refusals.length > 0);
    expect(heard.refusals[0]!.reason).toMatch(reason);
    expect(heard.publications).toHaveLength(0);
  });
});

test("that is over is closed once: its descriptor may be another file's by then", async () => {
  using folder = temporaryFolder();
  const path = folder.path("f.csv");
  writeFileSync(path, "a\n1\n");
  const thread = openThread(WORKER);
  try {
    const over = openHeard(thread, path, { replay: { rowsPerSecond: 1e9 } });
    await over.until("the end", () => over.statuses.at(-1)?.replay?.isFinished === true);
    const next = openHeard(thread, path);
    await next.until("a table", () => next.publications.length > 0);
    over.close();
    writeFileSync(path, "a\n1\n2\n");
    await next.until("the change", () => next.publications.at(-1)?.rows === 2);
    expect(next.statuses.filter(({ state }) => state !== "live")).toEqual([]);
  } finally {
    thread.close();
  }
});
