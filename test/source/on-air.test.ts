import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { convertCsvToJson } from "../../src/source/convert.ts";
import type { Rendering, Shape, TableChange, TableFacts } from "../../src/source/file.ts";
import { openOnAir } from "../../src/source/on-air.ts";
import { SETTLE_MS, temporaryFolder } from "./writer.ts";

setDefaultTimeout(30_000);

const SHAPES = ["rows", "json", "ndjson", "csv"] as const;
const CSV = 'a,b\n1,"2,5"\n3,é\n';

type Seen = { path: string; facts: TableFacts; change: TableChange; isNewFile: boolean };

const unhandled: unknown[] = [];
process.on("unhandledRejection", (reason) => unhandled.push(reason));
afterEach(() => expect(unhandled.splice(0)).toEqual([]));

/** A file on air with short waits, and all that is told of it. */
function broadcast() {
  const seen: Seen[] = [];
  const states: { state: string; message: string; since: number }[] = [];
  const refusals: string[] = [];
  const onAir = openOnAir(
    {
      readOptions: {},
      maxFileBytes: 2 ** 30,
      settleMs: SETTLE_MS,
      maxCellBytes: 1 << 24,
      lastRows: Infinity,
      limitMs: 5_000,
      lookMs: 20,
      watches: true,
    },
    {
      onLoading() {},
      onRefused: (_kind, message) => refusals.push(message),
      onTable: (path, facts, change, isNewFile) => seen.push({ path, facts, change, isNewFile }),
      onState: (state, message, since) => states.push({ state, message, since }),
      onJson() {},
    },
  );
  async function until(condition: () => boolean, what: string): Promise<void> {
    const giveUp = performance.now() + 15_000;
    while (!condition()) {
      if (performance.now() > giveUp) throw new Error(`never ${what}: ${JSON.stringify([seen.at(-1), states])}`);
      await Bun.sleep(2);
    }
  }
  return {
    ...onAir,
    seen,
    states,
    refusals,
    until,
    /** Brings the Worker down, as a defect of ours would: a number it cannot reckon with. */
    crash() {
      onAir.rest(); // so that room must be reckoned anew
      onAir.render(1n as never);
    },
    [Symbol.dispose]: () => onAir.close(),
  };
}

/** Not `expect().rejects`: until the promise is settled that lets no message of the Worker through. */
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

const textOf = ({ chunks }: Rendering) => Buffer.concat(chunks).toString();

/** The rows of a rendering of whatever shape, as the JSON that convertCsvToJson gives. */
function jsonOf(rendering: Rendering, columns: readonly string[] = ["a", "b"]): string {
  const name = (row: string[]) => Object.fromEntries(columns.map((column, c) => [column, row[c]]));
  switch (rendering.shape) {
    case "rows":
      return JSON.stringify(rendering.parts.flatMap(({ text }) => JSON.parse(text) as string[][]).map(name));
    case "json":
      return textOf(rendering);
    case "ndjson":
      return `[${textOf(rendering).trimEnd().split("\n").join(",")}]`;
    case "csv":
      return textOf(rendering);
  }
}

test.concurrent("a table is rendered in every shape, with its version and size", async () => {
  using folder = temporaryFolder();
  using feed = broadcast();
  writeFileSync(folder.path("f.csv"), CSV);
  feed.open(folder.path("f.csv"));
  const renderings = await Promise.all(SHAPES.map(feed.rendering));
  const expected = await convertCsvToJson(folder.path("f.csv"));
  expect(renderings.map(({ shape }) => shape)).toEqual([...SHAPES]);
  for (const rendering of renderings) {
    expect([rendering.version, rendering.rows]).toEqual([feed.table()!.version, 2]);
    expect(jsonOf(rendering)).toBe(rendering.shape === "csv" ? 'a,b\r\n1,"2,5"\r\n3,é\r\n' : expected);
  }
  expect(renderings[0]!.parts).toEqual([{ at: 0, text: '[["1","2,5"],["3","é"]]' }]);
});

test.concurrent(
  "a large file is rendered in many parts, and what convertCsvToJson makes of the CSV is the same table",
  async () => {
    using folder = temporaryFolder();
    using feed = broadcast();
    const row = (r: number) => `${r},"row ${r}, ""é""€"\n`;
    writeFileSync(folder.path("f.csv"), "a,b\n" + Array.from({ length: 100_000 }, (_, r) => row(r)).join(""));
    feed.open(folder.path("f.csv"));
    const expected = await convertCsvToJson(folder.path("f.csv"));
    for (const shape of SHAPES) {
      const rendering = await feed.rendering(shape);
      expect(rendering.parts.length + rendering.chunks.length).toBeGreaterThan(2);
      if (shape === "csv") writeFileSync(folder.path("normal.csv"), Buffer.concat(rendering.chunks));
      else expect(jsonOf(rendering) === expected).toBe(true);
    }
    expect((await convertCsvToJson(folder.path("normal.csv"))) === expected).toBe(true);
  },
);

test.concurrent("facts and change carry what a feed needs", async () => {
  using folder = temporaryFolder();
  using feed = broadcast();
  const path = folder.path("f.csv");
  writeFileSync(path, CSV);
  feed.open(path);
  await feed.until(() => feed.seen.length === 1, "on air");
  expect(feed.seen[0]).toMatchObject({
    isNewFile: true,
    facts: { version: 1, rows: 2, columns: 2, bytes: Buffer.byteLength(CSV) },
    change: { isNewEpoch: true, splices: undefined, columnsJson: '["a","b"]' },
  });
  appendFileSync(path, "4,5\n");
  await feed.until(() => feed.seen.length === 2, "appended to");
  expect(feed.seen[1]).toMatchObject({
    isNewFile: false,
    facts: { version: 2, rows: 3, bytes: Buffer.byteLength(CSV) + 4 },
    change: { isNewEpoch: false, splices: '[[2,0,[["4","5"]]]]', columnsJson: undefined },
  });
  const anew = Array.from({ length: 20_000 }, (_, r) => `new,${r}\n`).join("");
  writeFileSync(path, `a,b\n${anew}`);
  await feed.until(() => feed.seen.at(-1)?.facts.rows === 20_000, "rewritten");
  const whole = { isNewEpoch: false, splices: undefined, columnsJson: '["a","b"]' };
  expect(feed.seen.at(-1)?.change).toEqual(whole);
  writeFileSync(path, "x,y\n1,2\n");
  await feed.until(() => feed.seen.at(-1)?.facts.rows === 1, "given another header");
  expect(feed.seen.at(-1)?.change).toEqual({ isNewEpoch: true, splices: undefined, columnsJson: '["x","y"]' });
  rmSync(path);
  await feed.until(() => feed.states.at(-1)?.state === "missing", "missing");
  expect(Math.abs(feed.states.at(-1)!.since - Date.now())).toBeLessThan(20_000);
});

test.concurrent("who asks for the same shape meanwhile gets the same; who asks later gets a new one", async () => {
  using folder = temporaryFolder();
  using feed = broadcast();
  writeFileSync(folder.path("f.csv"), CSV);
  feed.open(folder.path("f.csv"));
  const early = feed.rendering("json"); // before there is a table
  const [first, second] = await Promise.all([early, feed.rendering("json")]);
  expect(second).toBe(first);
  expect(await feed.rendering("json")).not.toBe(first);
});

test.concurrent(
  "while the file grows, each rendering is a whole table, never older than the one on air when it was asked for",
  async () => {
    using folder = temporaryFolder();
    using feed = broadcast();
    const path = folder.path("f.csv");
    writeFileSync(path, "a,b\n");
    feed.open(path);
    await feed.until(() => feed.seen.length > 0, "on air");
    let rows = 0;
    const rowsOfVersion = () => new Map(feed.seen.map(({ facts }) => [facts.version, facts.rows]));
    for (let round = 0; round < 60; round++) {
      appendFileSync(path, `${rows},${"x".repeat(3_000)}\n${rows + 1},y\n`);
      rows += 2;
      const asked: { version: number; rendering: Promise<Rendering> }[] = [];
      for (const shape of SHAPES) {
        asked.push({ version: feed.table()!.version, rendering: feed.rendering(shape) });
        await Bun.sleep(round % 4);
      }
      for (const { version, rendering } of asked) {
        const done = await rendering;
        expect(done.version).toBeGreaterThanOrEqual(version);
        expect(rowsOfVersion().get(done.version)).toBe(done.rows);
      }
    }
    await feed.until(() => feed.table()?.rows === rows, "read to its end");
    expect(jsonOf(await feed.rendering("rows"))).toBe(await convertCsvToJson(path));
  },
);

test.concurrent(
  "when another file goes on air during a rendering, it is one of that file, and versions go on growing",
  async () => {
    using folder = temporaryFolder();
    using feed = broadcast();
    const old = folder.path("old.csv");
    writeFileSync(old, "a,b\n" + "old,1\n".repeat(200_000));
    writeFileSync(folder.path("new.csv"), "a,b\nnew,1\n");
    feed.open(old);
    await feed.until(() => feed.seen.length > 0, "on air");
    const delivered: { rows: number; path: string | undefined }[] = [];
    const ask = (shape: Shape) =>
      feed.rendering(shape).then(({ rows }) => delivered.push({ rows, path: feed.seen.at(-1)?.path }));
    feed.open(folder.path("new.csv"));
    const asked: Promise<unknown>[] = [];
    let isOldGrown = false;
    while (!feed.seen.at(-1)?.isNewFile || feed.seen.at(-1)?.path === old) {
      asked.push(...SHAPES.map(ask));
      if (!isOldGrown) appendFileSync(old, "old,2\n"); // it goes on while the new one is read
      isOldGrown = true;
      await Bun.sleep(0);
    }
    asked.push(...SHAPES.map(ask));
    await Promise.all(asked);
    for (const { rows, path } of delivered) expect(rows === 1).toBe(path !== old);
    expect(delivered.slice(-4).every(({ rows }) => rows === 1)).toBe(true);
    const versions = feed.seen.map(({ facts }) => facts.version);
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
    expect(feed.seen.at(-1)?.change.isNewEpoch).toBe(true);
    expect((await feed.rendering("json")).version).toBe(feed.table()!.version);
  },
);

test.concurrent("a file that cannot take its place leaves renderings to the one on air", async () => {
  using folder = temporaryFolder();
  using feed = broadcast();
  writeFileSync(folder.path("f.csv"), CSV);
  feed.open(folder.path("f.csv"));
  await feed.until(() => feed.seen.length > 0, "on air");
  feed.open(folder.path("none.csv"));
  const asked = feed.rendering("ndjson");
  await feed.until(() => feed.refusals.length > 0, "refused");
  expect((await asked).rows).toBe(2);
  expect((await feed.rendering("rows")).rows).toBe(2);
});

test.concurrent("when the Worker dies, it is asked again once it has read the file anew", async () => {
  using folder = temporaryFolder();
  using feed = broadcast();
  writeFileSync(folder.path("f.csv"), CSV);
  feed.open(folder.path("f.csv"));
  await feed.until(() => feed.seen.length > 0, "on air");
  feed.crash();
  const during = SHAPES.map(feed.rendering);
  await feed.until(() => feed.states.at(-1)?.state === "stale", "told of the crash");
  const whileDead = feed.rendering("json");
  expect(whileDead).toBe(during[1]!);
  const renderings = await Promise.all(during);
  expect(renderings.map(({ rows, version }) => [rows, version])).toEqual(SHAPES.map(() => [2, 2]));
  const { mtimeMs: modifiedAt } = statSync(folder.path("f.csv"));
  expect(feed.seen.map(({ change }) => change)).toEqual([
    { isNewEpoch: true, splices: undefined, columnsJson: '["a","b"]', modifiedAt },
    { isNewEpoch: true, splices: undefined, columnsJson: '["a","b"]', modifiedAt },
  ]);
  expect(feed.seen[1]?.isNewFile).toBe(false);
});

test.concurrent(
  "when the Worker dies and the file is gone, the last table stays on air until the file is back",
  async () => {
    using folder = temporaryFolder();
    using feed = broadcast();
    const path = folder.path("f.csv");
    writeFileSync(path, CSV);
    feed.open(path);
    await feed.until(() => feed.seen.length > 0, "on air");
    rmSync(path);
    feed.crash();
    const asked = feed.rendering("json");
    await feed.until(() => feed.states.at(-1)?.message.includes("no such file") === true, "told why");
    expect(feed.states.at(-1)).toMatchObject({ state: "stale" });
    expect(feed.refusals).toEqual([]);
    expect(feed.table()?.version).toBe(1);
    const told = feed.states.length;
    await Bun.sleep(100); // some looks later
    expect(feed.states.length).toBe(told);
    writeFileSync(`${path}.new`, "a,b\n7,8\n");
    renameSync(`${path}.new`, path); // an empty file would be a table, too
    expect(textOf(await asked)).toBe('[{"a":"7","b":"8"}]');
    await feed.until(() => feed.states.at(-1)?.state === "live", "live again");
  },
);

test.concurrent("a shape that would be too large is rejected; the other ones are not", async () => {
  using folder = temporaryFolder();
  using feed = broadcast();
  const header = Array.from({ length: 50_000 }, (_, c) => `column ${c}`).join();
  writeFileSync(folder.path("f.csv"), `${header}\n${"1\n".repeat(6_000)}`);
  feed.open(folder.path("f.csv"));
  const [refused, csv] = await Promise.all([failureOf(feed.rendering("json")), feed.rendering("csv")]);
  const message = `${folder.path("f.csv")}: as json the table is longer than 4 GiB`;
  expect(refused).toMatchObject({ kind: "too-large", message });
  expect(csv.rows).toBe(6_000);
  expect(await failureOf(feed.rendering("json"))).toMatchObject({ kind: "too-large" });
});

test.concurrent("closing rejects what is waited for, and what is asked for afterwards", async () => {
  const feed = broadcast();
  const forgotten = feed.rendering("csv");
  const asked = feed.rendering("json");
  feed.close();
  expect(await failureOf(asked)).toEqual(new Error("closed"));
  expect(await failureOf(feed.rendering("rows"))).toEqual(new Error("closed"));
  void feed.rendering("rows");
  await Bun.sleep(20);
  expect(Bun.peek.status(forgotten)).toBe("rejected");
});

test.concurrent("a header that comes after 64 kB of blank lines is one", async () => {
  using folder = temporaryFolder();
  using feed = broadcast();
  writeFileSync(folder.path("f.csv"), "\n".repeat(70_000));
  feed.open(folder.path("f.csv"));
  await feed.until(() => feed.seen.length > 0, "on air");
  expect(feed.seen[0]?.change.columnsJson).toBe("[]");
  expect((await feed.rendering("csv")).bytes).toBe(0);
  appendFileSync(folder.path("f.csv"), "a,b\n1,2\n");
  await feed.until(() => feed.table()?.rows === 1, "read");
  expect(textOf(await feed.rendering("json"))).toBe('[{"a":"1","b":"2"}]');
});
