// A folder's tables follow its files, whatever happens to them: real files, real watches, real sources; and a model of what there should be.
import { describe, expect, setDefaultTimeout, spyOn, test } from "bun:test";
import { renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openChannel } from "../../src/channel/channel.ts";
import type { TableEvent } from "../../src/channel/events.ts";
import { namesOf } from "../../src/channel/names.ts";
import { openPlaces } from "../../src/channel/places.ts";
import { openSources, openWithin } from "../../src/channel/sources.ts";
import { openMemory } from "../../src/source/memory.ts";
import { openTables } from "../../src/channel/tables.ts";
import { defaultsOf } from "../../src/cli/options.ts";
import { serverOptions, serverSettings } from "../../src/cli/server/options.ts";
import { temporaryFolder, TEST_TIMEOUT_MS, until } from "../support.ts";

setDefaultTimeout(2 * TEST_TIMEOUT_MS);

const settings = serverSettings(defaultsOf(serverOptions));

/** The tables of these locations; files may come back within `graceMs`. */
function openScene(locations: readonly string[], { graceMs = 30, maxTables = 256, maxMemoryBytes = Infinity } = {}) {
  const common = { tables: openMemory(maxTables), pinned: openMemory(maxTables), maxPinnedBytes: Infinity };
  const events: TableEvent[] = [];
  const dismissed: string[] = [];
  const sources = openSources();
  const onEvent = (event: TableEvent) => void events.push(event);
  const openOn = (topic: string) =>
    openChannel({
      ...settings,
      topic,
      openSource: (location, heard, waits) =>
        openWithin(
          common,
          sources.open,
          { ...settings, maxMemoryBytes, location, waits, lookMs: 200, watches: true, silenceMs: 5_000 },
          heard,
        ),
      backlog: { add() {}, settle() {}, waits: () => false },
      broadcast: () => 0,
      onEvent,
    });
  const tables = openTables({
    first: openOn("csv"),
    openChannel: openOn,
    openFollowed: openOn,
    dismiss(channel, reason) {
      dismissed.push(`${channel.topic}: ${reason}`);
      channel.close();
    },
    graceMs,
    maxTables,
    onEvent,
  });
  const none: string[] = [];
  const places = openPlaces(
    locations.map((location) => ({ location })),
    tables,
    { lookMs: 200, watches: true, onNone: (place, reason) => void none.push(`${place}: ${reason}`), onKnown() {} },
  );
  const names = () => tables.list().map(({ name }) => name ?? "");
  return {
    tables,
    events,
    dismissed,
    none,
    names,
    become: (what: string, isThat: () => boolean) =>
      until(what, isThat, () => JSON.stringify([names(), tables.refused()])),
    /** What a table has, as CSV. */
    async textOf(name: string): Promise<string> {
      const snapshot = await tables.at(name)!.snapshot("csv");
      let text = "";
      for await (const { data } of snapshot.parts) text += Buffer.from(data).toString();
      return text;
    },
    async [Symbol.asyncDispose]() {
      places.close();
      tables.close();
      sources.close();
    },
  };
}

describe("the tables of a folder", () => {
  test("are its *.csv and *.tsv, and the first by name is the first for good", async () => {
    await using folder = await temporaryFolder();
    for (const name of ["b.csv", "a.tsv", "c.txt", ".d.csv", "e.CSV"]) await folder.write(name, "x\n1\n");
    symlinkSync("/etc/hostname", join(folder.path, "out.csv"));
    symlinkSync("b.csv", join(folder.path, "in.csv"));
    symlinkSync("nowhere.csv", join(folder.path, "dead.csv"));
    await using scene = openScene([folder.path]);
    await scene.become("the tables", () => scene.names().join() === "a,b,e,in");
    expect(scene.tables.first).toBe(scene.tables.at("a")!);
    await until("all to be read", () => scene.tables.list().every(({ channel }) => channel.feed.rows() === 1));
    expect(scene.tables.refused()).toEqual([
      { file: "out.csv", reason: "a link that leads out of the folder", isNamed: false },
    ]);
    rmSync(join(folder.path, "a.tsv"));
    rmSync(join(folder.path, "b.csv"));
    await scene.become("b and what led there to be gone", () => scene.names().join() === "a,e");
    await until("missing", () => scene.tables.first.status().state === "missing");
    expect(scene.dismissed.toSorted()).toEqual(["b: b.csv is gone", "in: in.csv is gone"]);
    expect(scene.events.filter(({ type }) => type === "file-leaving")).toHaveLength(2);
  });

  test("that was taken off the air stays off, whatever else happens there, until its file has gone and come back", async () => {
    await using folder = await temporaryFolder();
    for (const name of ["a.csv", "b.csv"]) await folder.write(name, "x\n1\n");
    await using scene = openScene([folder.path]);
    await scene.become("both", () => scene.names().join() === "a,b");
    expect([scene.tables.remove("a"), scene.tables.remove("b"), scene.tables.remove("b")]).toEqual([
      false,
      true,
      false,
    ]);
    await folder.write("c.csv", "x\n1\n");
    await scene.become("the new one beside the first", () => scene.names().join() === "a,c");
    rmSync(join(folder.path, "b.csv"));
    await folder.write("d.csv", "x\n1\n");
    await scene.become("one more", () => scene.names().join() === "a,c,d");
    await folder.write("b.csv", "x\n1\n");
    await scene.become("b again", () => scene.names().join() === "a,b,c,d");
  });

  test("that come back in time never went", async () => {
    await using folder = await temporaryFolder();
    const first = await folder.write("a.csv", "x\n1\n");
    const path = await folder.write("b.csv", "x\n1\n");
    await using scene = openScene([folder.path], { graceMs: 60_000 });
    await scene.become("both", () => scene.names().join() === "a,b");
    const channel = scene.tables.at("b")!;
    await until("b", () => channel.feed.rows() === 1);
    rmSync(path);
    await until("the word", () => scene.events.some(({ type }) => type === "file-leaving"));
    writeFileSync(path, "x\n1\n2\n");
    await until("the rows", () => channel.feed.rows() === 2);
    expect(scene.tables.at("b")).toBe(channel);
    expect(scene.dismissed).toEqual([]);
    expect(first).toEndWith("a.csv");
  });

  test("one that is no CSV is listed with the reason, and is a table when it becomes one", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await folder.write("b.csv", Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), Buffer.alloc(2_000, 7)]));
    await using scene = openScene([folder.path]);
    await until("the refusal", () => scene.tables.refused().length === 1);
    expect(scene.tables.refused()[0]).toMatchObject({ file: "b.csv", isNamed: false });
    expect(scene.names()).toEqual(["a"]);
    await folder.write("b.csv", "x\n5\n");
    await scene.become("b", () => (scene.tables.beat(), scene.names().join() === "a,b"));
    await until("its row", () => scene.tables.at("b")?.feed.rows() === 1);
    expect(scene.tables.refused()).toEqual([]);
  });

  test("are no more than --max-tables, and the next one comes when another goes", async () => {
    await using folder = await temporaryFolder();
    for (const name of ["a.csv", "b.csv", "c.csv"]) await folder.write(name, "x\n1\n");
    await using scene = openScene([folder.path], { maxTables: 2 });
    await scene.become("two", () => scene.names().length === 2);
    expect(scene.tables.refused()).toEqual([
      { file: "c.csv", reason: "2 tables are served already (--max-tables)", isNamed: false },
    ]);
    expect(scene.events.filter(({ type }) => type === "file-refused")).toEqual([
      { type: "file-refused", reason: "1 more: 2 tables are served already (--max-tables)" },
    ]);
    rmSync(join(folder.path, "b.csv"));
    await scene.become("the third", () => (scene.tables.beat(), scene.names().join() === "a,c"));
  });

  test("beyond --max-tables are looked through once in a beat, and not once for each of them", async () => {
    await using folder = await temporaryFolder();
    for (let n = 0; n < 300; n++) writeFileSync(join(folder.path, `${n}.csv`), "x\n1\n");
    await using scene = openScene([folder.path], { maxTables: 2 });
    await scene.become("all but two refused", () => scene.tables.refused().length === 298);
    const passes = spyOn(Map.prototype, "values");
    try {
      scene.tables.beat();
      expect(passes.mock.calls.length).toBeWithin(1, 10);
    } finally {
      passes.mockRestore();
    }
  });

  test("hold no more than --max-memory all together, and as much again when one goes", async () => {
    await using folder = await temporaryFolder();
    const text = (bytes: number) => `x\n${"1234567\n".repeat(bytes / 8)}`;
    for (const name of ["a.csv", "b.csv"]) await folder.write(name, text(300_000));
    await using scene = openScene([folder.path], { maxMemoryBytes: 1_000_000 });
    await until("both", () => scene.tables.list().every(({ channel }) => channel.feed.rows() > 0));
    await folder.write("c.csv", text(500_000));
    await until("the refusal", () => scene.tables.refused().length === 1);
    const reason = "takes more than 1000000 bytes with the other tables; see --max-memory and --last";
    expect(scene.tables.refused()).toEqual([{ file: "c.csv", reason, isNamed: false }]);
    writeFileSync(join(folder.path, "b.csv"), text(800_000));
    await until("b to be as it was", () => scene.tables.at("b")!.status().message.includes(reason));
    rmSync(join(folder.path, "b.csv"));
    await scene.become("b to be gone", () => scene.names().join() === "a");
    await folder.write("c.csv", text(510_000));
    await scene.become("c", () => (scene.tables.beat(), scene.names().join() === "a,c"));
  });

  test("of an empty one are none, and of one that comes later", async () => {
    await using folder = await temporaryFolder();
    await using scene = openScene([join(folder.path, "*.csv")]);
    await until("the word", () => scene.none.length === 1);
    expect(scene.none).toEqual([`${join(folder.path, "*.csv")}: no file yet`]);
    await folder.write("z.csv", "x\n1\n");
    await until("the first row", () => scene.tables.first.feed.rows() === 1);
    expect(scene.names()).toEqual(["z"]);
  });
});

/** What happens to a folder, by chance. */
const NAMES = ["a.csv", "a.tsv", "a b.csv", "a-b.csv", "x.csv", "csv.csv", "b.csv"];
const RUNS = Number(process.env["CSVCAST_RUNS"] ?? 2);
const SEED = Number(process.env["CSVCAST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

function randomFrom(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test.each(Array.from({ length: RUNS }, (_, run) => SEED + run))(
  "whatever happens in a folder, its tables are its files (CSVCAST_SEED=%d)",
  async (seed) => {
    await using folder = await temporaryFolder();
    const random = randomFrom(seed);
    const model = new Map<string, string>();
    const put = (name: string) => {
      const text = `x\n${random(1_000)}\n${random(1_000)}\n`;
      writeFileSync(join(folder.path, name), text);
      model.set(name, text);
    };
    put(NAMES[random(NAMES.length)]!);
    const first = [...model.keys()][0]!;
    await using scene = openScene([folder.path]);
    await scene.become("the first one", () => scene.names()[0] !== "");
    for (let step = 0; step < 8; step++) {
      for (let act = 0; act < 1 + random(4); act++) {
        const name = NAMES[random(NAMES.length)]!;
        const other = NAMES[random(NAMES.length)]!;
        const kind = random(4);
        if (kind < 2) put(name);
        else if (!model.has(name)) continue;
        else if (kind === 2) {
          rmSync(join(folder.path, name));
          model.delete(name);
        } else if (name !== other) {
          renameSync(join(folder.path, name), join(folder.path, other));
          model.set(other, model.get(name)!);
          model.delete(name);
        }
      }
      // The first one stays, as a name too, when its file is gone.
      const there = [...new Set([first, ...model.keys()])].map((name) => join(folder.path, name));
      const names = namesOf(there.map((location) => ({ location })));
      const expected = [...names.values()].sort().join();
      await scene.become(`${expected} in step ${step}`, () => scene.names().toSorted().join() === expected);
      for (const [name, text] of model) {
        const table = names.get(join(folder.path, name))!;
        const rows = async () => (await scene.textOf(table).catch(() => "")).replaceAll("\r", "") === text;
        await until(`${name} to be what was written, in step ${step}`, rows);
      }
    }
  },
);
