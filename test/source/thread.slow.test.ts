// Sources in a real Worker, where that takes long: the largest tables, and what a Worker that dies rarely meets. The rest is in
// `thread.test.ts`.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { CsvError } from "../../src/csv/error.ts";
import type { Cursor } from "../../src/feed/publication.ts";
import { convertCsvToJson } from "../../src/source/convert.ts";
import type { Shape } from "../../src/source/source.ts";
import { openThread } from "../../src/source/thread.ts";
import { SCRIPTED, SHAPES, CSV, openHeard, openAlone, failureOf, textOf, jsonOf } from "./heard.ts";
import { crash, type Taken, taken, temporaryFolder } from "./writer.ts";

setDefaultTimeout(30_000);

const unhandled: unknown[] = [];
process.on("unhandledRejection", (reason) => unhandled.push(reason));
afterEach(() => expect(unhandled.splice(0)).toEqual([]));

describe.concurrent("a snapshot", () => {
  test("in a shape that would be too large fails; in the other ones it does not", async () => {
    using folder = temporaryFolder();
    const header = Array.from({ length: 20_000 }, (_, c) => `column ${c} of many`.padEnd(120, "x")).join();
    writeFileSync(folder.path("f.csv"), `${header}\n${"1\n".repeat(2_000)}`);
    using source = openAlone(folder.path("f.csv"));
    const [refused, csv] = await Promise.all([
      failureOf(taken(source.snapshot("json"))),
      taken(source.snapshot("csv")),
    ]);
    expect(refused).toBeInstanceOf(CsvError);
    expect(refused).toMatchObject({
      kind: "too-large",
      reason: expect.stringMatching(/^as .* the table is longer than 4 GiB$/),
    });
    expect(csv.rows).toBe(2_000);
    expect(await failureOf(taken(source.snapshot("json")))).toMatchObject({ kind: "too-large" });
  });

  test("is a whole table while the file grows, never older than what was published when it was asked for", async () => {
    using folder = temporaryFolder();
    const path = folder.path("f.csv");
    writeFileSync(path, "a,b\n");
    using source = openAlone(path);
    await source.until("the first table", () => source.publications.length > 0);
    let rows = 0;
    const rowsOfVersion = () => new Map(source.publications.map(({ cursor, rows: count }) => [cursor.version, count]));
    for (let round = 0; round < 60; round++) {
      appendFileSync(path, `${rows},${"x".repeat(3_000)}\n${rows + 1},y\n`);
      rows += 2;
      const asked: { at: Cursor; coming: Promise<Taken<Shape>> }[] = [];
      for (const shape of SHAPES) {
        asked.push({ at: source.cursor()!, coming: taken<Shape>(source.snapshot(shape)) });
        await Bun.sleep(round % 4);
      }
      for (const { at, coming } of asked) {
        const { cursor, rows: count } = await coming;
        expect(cursor.epoch).toBe(at.epoch);
        expect(cursor.version).toBeGreaterThanOrEqual(at.version);
        expect(rowsOfVersion().get(cursor.version)).toBe(count);
      }
    }
    await source.until("all rows", () => source.publications.at(-1)?.rows === rows);
    expect(jsonOf("rows", await taken(source.snapshot("rows")))).toBe(await convertCsvToJson(path));
  });
});

describe.concurrent("when the Worker dies", () => {
  test("all its sources are opened again, each where it had come to; one that was closed is not", async () => {
    const thread = openThread(SCRIPTED);
    try {
      const [one, two, closed] = ["published", "published", "published"].map((name) => openHeard(thread, name));
      for (const source of [one!, two!, closed!]) await source.until("its table", () => source.publications.length > 0);
      closed!.close();
      crash(thread);
      for (const source of [one!, two!]) await source.until("its next table", () => source.publications.length > 1);
      crash(thread);
      const late = openHeard(thread, "published"); // with the Worker dead or dying
      for (const source of [one!, two!]) {
        await source.until("its third table", () => source.publications.length > 2);
        expect(source.publications.map(({ cursor }) => `${cursor.epoch}:${cursor.version}`)).toEqual([
          "first:1",
          "first:2",
          "first:3",
        ]);
      }
      await late.until("its table", () => late.publications.length > 0);
      expect(late.cursor()).toEqual({ epoch: "first", version: 1 });
      expect(closed!.publications).toHaveLength(1);
      expect(closed!.statuses).toEqual([]);
    } finally {
      thread.close();
    }
  });

  test("and the file is gone, the last table stays until the file is back", async () => {
    using folder = temporaryFolder();
    const path = folder.path("f.csv");
    writeFileSync(path, CSV);
    using source = openAlone(path);
    await source.until("the first table", () => source.publications.length > 0);
    rmSync(path);
    crash(source.thread);
    const asked = taken(source.snapshot("json"));
    await source.until("the reason", () => source.statuses.at(-1)?.problem?.reason === "no such file");
    expect(source.statuses.at(-1)).toMatchObject({ state: "stale" });
    expect(source.refusals).toEqual([]);
    expect(source.publications).toHaveLength(1);
    const reported = source.statuses.length;
    await Bun.sleep(100); // some looks later
    expect(source.statuses).toHaveLength(reported);
    writeFileSync(`${path}.new`, "a,b\n7,8\n");
    renameSync(`${path}.new`, path); // an empty file would be a table, too
    expect(textOf(await asked)).toBe('[{"a":"7","b":"8"}]');
    await source.until("live again", () => source.statuses.at(-1)?.state === "live");
  });
});

describe.concurrent("closing", () => {
  test("while the Worker is about to be started again ends that, too", async () => {
    const thread = openThread(SCRIPTED);
    const source = openHeard(thread, "published");
    await source.until("its table", () => source.publications.length > 0);
    crash(thread);
    await source.until("its death", () => source.statuses.length > 0);
    const asked = failureOf(source.snapshot("rows"));
    thread.close();
    expect(await asked).toEqual(new CsvError("closed", "closed"));
    await Bun.sleep(1_200); // longer than it would take to be started again
    expect(source.publications).toHaveLength(1);
  });
});
