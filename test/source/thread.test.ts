// Sources in a real Worker: what they publish, snapshots in every shape, and a Worker that dies.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { openSource, openSources, openWithin } from "../../src/channel/sources.ts";
import { CsvError } from "../../src/csv/error.ts";
import type { Chunk } from "../../src/csv/parts.ts";
import type { Publication } from "../../src/feed/publication.ts";
import { convertCsvToJson } from "../../src/source/convert.ts";
import type { Shape } from "../../src/source/source.ts";
import { openMemory } from "../../src/source/memory.ts";
import { openThread } from "../../src/source/thread.ts";
import { SCRIPTED, SHAPES, CSV, openHeard, openAlone, failureOf, textOf, jsonOf } from "./heard.ts";
import { crash, NO_EVENTS, settingsOf, type Taken, taken, temporaryFolder, WORKER } from "./writer.ts";

setDefaultTimeout(30_000);

const unhandled: unknown[] = [];
process.on("unhandledRejection", (reason) => unhandled.push(reason));
afterEach(() => expect(unhandled.splice(0)).toEqual([]));

test("a source that is closed holds nothing afterwards, whatever it has said meanwhile; others have its place last", async () => {
  using folder = temporaryFolder();
  writeFileSync(folder.path("f.csv"), CSV);
  const tables = openMemory(2);
  const sources = openSources();
  const { all } = tables.share()!;
  const common = { tables, pinned: openMemory(2), maxPinnedBytes: Infinity };
  const source = openWithin(common, sources.open, settingsOf(folder.path("f.csv")), NO_EVENTS);
  while (all[1] === 0) await Bun.sleep(1);
  const [, held] = all;
  source.close();
  all[1] = held!; // as if it had been said by the Worker before it has heard of that
  while (all[1] !== 0) await Bun.sleep(1);
  tables.free({ all, at: 0 });
  expect(tables.share()!.at).toBe(1); // given back first
  sources.close();
});

describe.concurrent("a snapshot", () => {
  test("can be had in every shape, with its cursor, columns and number of rows", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.path("f.csv"), CSV);
    using source = openAlone(folder.path("f.csv"));
    const snapshots = await Promise.all(SHAPES.map((shape) => taken<Shape>(source.snapshot(shape))));
    const expected = await convertCsvToJson(folder.path("f.csv"));
    for (const [s, snapshot] of snapshots.entries()) {
      const { cursor, columns, rows } = snapshot;
      expect({ cursor, columns, rows }).toEqual({
        cursor: source.cursor()!,
        columns: { count: 2, json: '["a","b"]', verdicts: { types: '["number","text"]', units: "[null,null]" } },
        rows: 2,
      });
      if (SHAPES[s] === "csv") expect(textOf(snapshot)).toBe('a,b\r\n1,"2,5"\r\n3,é\r\n');
      else expect(jsonOf(SHAPES[s]!, snapshot)).toBe(expected);
    }
    expect(snapshots[0]!.parts as unknown).toEqual([{ at: 0, next: 2, text: '[["1","2,5"],["3","é"]]', bytes: 24 }]);
    expect(snapshots[1]!.parts as unknown).toEqual([
      { at: 0, next: 2, text: expected, bytes: Buffer.byteLength(expected) },
    ]);
  });

  test("of a large file has many parts, and is the table that convertCsvToJson makes of it", async () => {
    using folder = temporaryFolder();
    const row = (r: number) => `${r},"row ${r}, ""é""€"\n`;
    writeFileSync(folder.path("f.csv"), "a,b\n" + Array.from({ length: 100_000 }, (_, r) => row(r)).join(""));
    using source = openAlone(folder.path("f.csv"));
    const expected = await convertCsvToJson(folder.path("f.csv"));
    for (const shape of SHAPES) {
      const snapshot: Taken<Shape> = await taken<Shape>(source.snapshot(shape));
      if (shape === "frame") expect(snapshot.parts).toHaveLength(1);
      else expect(snapshot.parts.length).toBeGreaterThan(2);
      if (shape === "csv")
        writeFileSync(folder.path("normal.csv"), Buffer.concat((snapshot.parts as Chunk[]).map(({ data }) => data)));
      else expect(jsonOf(shape, snapshot) === expected).toBe(true);
    }
    expect((await convertCsvToJson(folder.path("normal.csv"))) === expected).toBe(true);
  });

  test("that is asked for several times is each time one of its own, of the same cursor", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.path("f.csv"), CSV);
    using source = openAlone(folder.path("f.csv")); // there is no table yet
    const [first, second] = await Promise.all([taken(source.snapshot("json")), taken(source.snapshot("json"))]);
    expect(second).toEqual(first);
    expect(second).not.toBe(first);
  });

  test("as a frame fails if that is longer than a message may be", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.path("f.csv"), CSV);
    using source = openAlone(folder.path("f.csv"));
    const bytes = Buffer.byteLength(await convertCsvToJson(folder.path("f.csv")));
    expect(await failureOf(taken(source.snapshot("frame", bytes - 1)))).toMatchObject({ kind: "too-large" });
    expect((await taken(source.snapshot("frame", bytes))).parts).toHaveLength(1);
  });

  test("of blank lines has no columns, until a header comes behind 64 kB of them", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.path("f.csv"), "\n".repeat(70_000));
    using source = openAlone(folder.path("f.csv"));
    await source.until("the first table", () => source.publications.length > 0);
    expect(source.publications[0]?.columns).toMatchObject({ count: 0, json: "[]" });
    expect((await taken(source.snapshot("csv"))).parts.map(({ data }) => data.length)).toEqual([0]);
    appendFileSync(folder.path("f.csv"), "a,b\n1,2\n");
    await source.until("a row", () => source.publications.at(-1)?.rows === 1);
    expect(textOf(await taken(source.snapshot("json")))).toBe('[{"a":"1","b":"2"}]');
  });
});

test.concurrent("a publication carries what a feed needs", async () => {
  using folder = temporaryFolder();
  const path = folder.path("f.csv");
  writeFileSync(path, CSV);
  using source = openAlone(path);
  const { publications } = source;
  await source.until("the first table", () => publications.length === 1);
  const { epoch } = publications[0]!.cursor;
  expect(epoch).toMatch(/^[\w-]{8}$/);
  expect(publications[0]).toEqual({
    cursor: { epoch, version: 1 },
    columns: { count: 2, json: '["a","b"]', verdicts: { types: '["number","text"]', units: "[null,null]" } },
    rows: 2,
    splices: undefined,
    about: {
      name: "f.csv",
      dialect: "comma, UTF-8",
      warnings: [],
      misfits: 0,
      changedAt: statSync(path).mtimeMs,
      readMs: expect.any(Number),
      bytes: Buffer.byteLength(CSV),
    },
  });
  appendFileSync(path, "4,5\n");
  await source.until("the appended row", () => publications.length === 2);
  expect(publications[1]).toMatchObject({
    cursor: { epoch, version: 2 },
    columns: { count: 2, json: '["a","b"]' },
    rows: 3,
    splices: '[[2,0,[["4","5"]]]]',
    about: { bytes: Buffer.byteLength(CSV) + 4 },
  });
  const anew = Array.from({ length: 20_000 }, (_, r) => `new,${r}\n`).join("");
  writeFileSync(path, `a,b\n${anew}`);
  await source.until("the new rows", () => publications.at(-1)?.rows === 20_000);
  expect(publications.at(-1)).toMatchObject({ cursor: { epoch, version: publications.length }, splices: undefined });
  writeFileSync(path, "x,y\n1,2\n");
  await source.until("the other header", () => publications.at(-1)?.columns.json === '["x","y"]');
  expect(publications.at(-1)).toMatchObject({ cursor: { version: 1 }, rows: 1, splices: undefined });
  expect(publications.at(-1)!.cursor.epoch).not.toBe(epoch);
  rmSync(path);
  await source.until("the end of it", () => source.statuses.at(-1)?.state === "missing");
  expect(source.statuses.at(-1)?.problem).toEqual({ kind: "not-found", reason: "no such file", line: undefined });
});

test.concurrent("several sources share a Worker, and each hears of its own only", async () => {
  using folder = temporaryFolder();
  const thread = openThread(WORKER);
  try {
    const sources = ["one", "two", "three"].map((name) => {
      writeFileSync(folder.path(name), `${name}\n1\n`);
      return openHeard(thread, folder.path(name));
    });
    const snapshots = await Promise.all(sources.map(({ snapshot }) => taken(snapshot("json"))));
    expect(snapshots.map(textOf)).toEqual(['[{"one":"1"}]', '[{"two":"1"}]', '[{"three":"1"}]']);
    sources[0]!.close();
    expect(await failureOf(sources[0]!.snapshot("json"))).toEqual(new CsvError("closed", "closed"));
    for (const name of ["one", "two", "three"]) appendFileSync(folder.path(name), "2\n");
    for (const source of sources.slice(1)) await source.until("a row", () => source.publications.at(-1)?.rows === 2);
    expect(sources.map(({ publications }) => publications.length)).toEqual([1, 2, 2]);
    expect(new Set(sources.map((source) => source.cursor()!.epoch)).size).toBe(3);
  } finally {
    thread.close();
  }
});

describe.concurrent("what a source reports", () => {
  test("is passed on; a status that is still the same only once", async () => {
    using source = openAlone("repeats", {}, SCRIPTED);
    await source.until("the last status", () => source.statuses.at(-1)?.state === "missing");
    expect(source.statuses).toEqual([
      { state: "live" },
      { state: "stale", problem: { kind: "io", reason: "broken", line: 7 } },
      { state: "stale", problem: { kind: "io", reason: "broken otherwise" } },
      { state: "live" },
      { state: "missing", since: 5 },
    ]);
    expect(source.progress).toEqual([
      [1, 2],
      [1, 2],
    ]);
    const link = { connected: true, heardAt: 1, entries: 2, bytes: 3, snapshots: 4, reconnects: 5, tables: 1 };
    expect(source.links).toEqual([link, link]);
    expect(await failureOf(source.snapshot("rows"))).toEqual(new CsvError("io", "no snapshot"));
  });

  test("ends with its refusal: nothing is heard of it any more, and who waits for a snapshot hears of that", async () => {
    using source = openAlone("refused", {}, SCRIPTED);
    const waiting = failureOf(source.snapshot("rows"));
    expect(await waiting).toEqual(new CsvError("closed", "closed"));
    await openHeard(source.thread, "published").snapshot("rows"); // whatever was sent before has come by then
    expect(source.refusals).toEqual([{ kind: "not-csv", reason: "no CSV" }]);
    expect(source.publications).toEqual([]);
  });
});

describe.concurrent("when the Worker dies", () => {
  test("it is started again, and pending requests are answered once the file has been read anew", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.path("f.csv"), CSV);
    using source = openAlone(folder.path("f.csv"));
    await source.until("the first table", () => source.publications.length > 0);
    crash(source.thread);
    const atOnce = SHAPES.map((shape) => taken<Shape>(source.snapshot(shape)));
    await source.until("its death", () => source.statuses.at(-1)?.state === "stale");
    const whileDead = taken(source.snapshot("json"));
    const snapshots = await Promise.all([...atOnce, whileDead]);
    expect(snapshots.map(({ rows, cursor }) => [rows, cursor])).toEqual(snapshots.map(() => [2, source.cursor()!]));
    expect(source.publications).toHaveLength(2);
    const [before, after] = source.publications as [Publication, Publication];
    expect(after).toMatchObject({ cursor: { version: 1 }, rows: 2, splices: undefined, columns: before.columns });
    expect(after.cursor.epoch).not.toBe(before.cursor.epoch);
    expect(after.about.changedAt).toBe(before.about.changedAt);
    await source.until("live again", () => source.statuses.at(-1)?.state === "live");
    expect(source.statuses.filter(({ state }) => state === "stale")).toEqual([
      {
        state: "stale",
        problem: { kind: "io", reason: expect.stringMatching(/^the reader failed and is started again: ./) },
      },
    ]);
  });

  test("a snapshot that has begun fails", async () => {
    using source = openAlone("published", {}, SCRIPTED);
    const { parts, cursor } = await source.snapshot("rows");
    expect(cursor).toEqual({ epoch: "first", version: 1 });
    const iterator = parts[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ done: false, value: { at: 0, next: 1, text: '[["1"]]', bytes: 7 } });
    const rest = failureOf(iterator.next());
    const untaken = await source.snapshot("rows");
    crash(source.thread);
    expect(await rest).toBeInstanceOf(CsvError);
    expect(await rest).toMatchObject({
      kind: "io",
      reason: "the reader failed and is started again: no source is called undefined",
    });
    const seen: string[] = [];
    const failure = await failureOf(
      (async () => {
        for await (const { text } of untaken.parts) seen.push(text);
      })(),
    );
    expect([seen, failure]).toEqual([[], await rest]);
  });
});

describe.concurrent("closing", () => {
  test("rejects what is waited for, and what is asked for afterwards", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.path("f.csv"), CSV);
    const source = openSource(settingsOf(folder.path("f.csv")), NO_EVENTS);
    const asked = failureOf(source.snapshot("json"));
    source.close();
    const closed = new CsvError("closed", "closed");
    expect(await asked).toEqual(closed);
    expect(await failureOf(source.snapshot("rows"))).toEqual(closed);
  });

  test("ends a snapshot that has begun, and one Worker is enough to close several sources", async () => {
    const thread = openThread(SCRIPTED);
    const sources = ["published", "published"].map((name) => openHeard(thread, name));
    const begun = await Promise.all(sources.map(({ snapshot }) => snapshot("rows")));
    const endings = begun.map((snapshot) => failureOf(taken(snapshot)));
    thread.close();
    const closed = new CsvError("closed", "closed");
    expect(await Promise.all(endings)).toEqual([closed, closed]);
    expect(sources.flatMap(({ statuses }) => statuses)).toEqual([]);
  });

  test("twice is once", () => {
    const source = openSource(settingsOf("none.csv"), NO_EVENTS);
    source.close();
    expect(source.close).not.toThrow();
  });
});
