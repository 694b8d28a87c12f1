// Files in the shape that programs write, through real servers: as they are, and as they grow from the first byte to the last.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFile } from "node:fs/promises";
import { CsvError } from "../../src/csv/error.ts";
import { convertCsvToJson } from "../../src/source/convert.ts";
import { type Random, randomFrom, RUNS, seedOfRun, shown } from "../fuzz/random.ts";
import { type Folder, temporaryFolder, until } from "../support.ts";
import { bytesOf, type Case, pathOf, type Table, wanted } from "./program-cases.ts";
import { serve, type Served, watch } from "./served.ts";

setDefaultTimeout(120_000);

const entries = wanted.map(([, entry]) => entry);
/** A server has one set of options; those without any have the most files, and share a few servers. */
const MAX_FILES = 40;
/** So many files grow in bare `bun test`. */
const FEW_FILES = 16;
/** Appends that a file grows by. */
const PIECES = 8;

function lanesOf(files: readonly Case[]): Case[][] {
  const groups = Map.groupBy(files, ({ options }) => JSON.stringify(options));
  return [...groups.values()].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / MAX_FILES) }, (_, i) =>
      group.slice(i * MAX_FILES, (i + 1) * MAX_FILES),
    ),
  );
}

/** Servers in three lanes, one after the other in each: they wait most of the time. */
async function throughServers(files: readonly Case[], act: (served: Served, entry: Case) => Promise<void>) {
  const lanes = lanesOf(files);
  const work = async () => {
    for (let lane = lanes.shift(); lane; lane = lanes.shift()) {
      await using served = serve(lane[0]!.options);
      for (const entry of lane) await act(served, entry).catch((error) => fail(entry, error));
    }
  };
  await Promise.all(Array.from({ length: 3 }, work));
}

function fail({ name }: Case, error: unknown): never {
  throw new Error(`${name}: ${error instanceof Error ? error.message : error}`, { cause: error });
}

/** What the case says of the table, of what the server says. */
function expectTable(served: Served, json: string, { columns, rows, first, last }: Table): void {
  const objectOf = (cells: readonly string[]) =>
    `{${columns.map((name, c) => `${JSON.stringify(name)}:${JSON.stringify(cells[c])}`).join()}}`;
  expect(served.columns()).toEqual(columns);
  expect(served.server.overview().publication?.rows).toBe(rows);
  if (rows === 0) return expect(json).toBe("[]");
  expect(json.startsWith(`[${objectOf(first)}`)).toBe(true);
  expect(json.endsWith(`${objectOf(last)}]`)).toBe(true);
}

test(`${shown(entries.length)} files are served as they are expected, one in the place of the other`, async () => {
  await using folder = await temporaryFolder();
  await throughServers(entries, async (served, entry) => {
    const { expected, options, name } = entry;
    const path = await folder.write(`${served.server.address.port}.csv`, bytesOf(entry));
    if ("error" in expected) return expect(served.server.open(path)).rejects.toBeInstanceOf(CsvError);
    if (!served.server.overview().publication) await served.server.open(path);
    const whole = await convertCsvToJson(path, options);
    let json = "";
    await until(
      `the table of ${name}`,
      async () => (json = await served.json()) === whole && Bun.deepEquals(served.columns(), expected.columns),
      () => json.slice(0, 2_000),
    );
    expectTable(served, json, expected);
  });
});

describe("grow on a real server, watched by a client,", () => {
  // The first half of its text is UTF-8, and the whole as much of it as not: the verdict of the first half is kept.
  const growing = entries.filter(({ name, expected }) => !("error" in expected) && name !== "equal-numbers");
  const random = randomFrom(seedOfRun());
  const some = drawn(growing, RUNS >= 8 ? growing.length : FEW_FILES, random);

  test(`${shown(some.length)} files cut at the ends of records: at most three tables, and the last one is right`, async () => {
    await using folder = await temporaryFolder();
    await throughServers(some, async (served, entry) => {
      const epochs = await grow(served, entry, folder, recordEnds(bytesOf(entry), random));
      expect(epochs).toBeLessThanOrEqual(3);
    });
  });

  test(`${shown(some.length)} files cut anywhere: no wrong row stays`, async () => {
    await using folder = await temporaryFolder();
    await throughServers(some, async (served, entry) => {
      await grow(served, entry, folder, anywhere(bytesOf(entry).length, random));
    });
  });
});

function drawn<T>(items: readonly T[], count: number, random: Random): T[] {
  const left = [...items];
  return Array.from({ length: Math.min(count, items.length) }, () => left.splice(random.below(left.length), 1)[0]!);
}

/** Lets the file grow up to each of the borders; gives how many tables a client has seen that were not the one before. */
async function grow(served: Served, entry: Case, folder: Folder, borders: readonly number[]): Promise<number> {
  const bytes = bytesOf(entry);
  const whole = await convertCsvToJson(pathOf(entry), entry.options);
  const path = await folder.write(`${crypto.randomUUID()}-${entry.file.replaceAll("/", "-")}`, "");
  await served.server.open(path);
  await using client = watch(served);
  let at = 0;
  for (const border of borders) {
    await appendFile(path, bytes.subarray(at, border));
    at = border;
    await Bun.sleep(15);
  }
  let json = "";
  const isWhole = async () => (json = await served.json()) === whole;
  await until("the whole table", isWhole, () => json.slice(0, 2_000));
  expectTable(served, json, entry.expected as Table);
  const { columns, rows } = await client.caughtUp();
  const objects = rows.map(
    (row) => `{${row.map((cell, c) => `${JSON.stringify(columns[c])}:${JSON.stringify(cell)}`).join()}}`,
  );
  expect(`[${objects.join()}]`).toBe(whole);
  return client.epochs();
}

/** Some ends of records, the first ones among them: there the verdict is made. */
function recordEnds(bytes: Uint8Array, random: Random): number[] {
  const ends: number[] = [];
  for (let i = 0; i < bytes.length - 1; i++) if (bytes[i] === 10) ends.push(bytes[i + 1] === 0 ? i + 2 : i + 1);
  const first = ends.splice(0, PIECES / 2);
  return [...first, ...drawn(ends, PIECES / 2, random).toSorted((a, b) => a - b), bytes.length];
}

function anywhere(length: number, random: Random): number[] {
  const cuts = Array.from({ length: PIECES }, () => 1 + random.below(length));
  return [1, ...cuts, length].toSorted((a, b) => a - b);
}
