// Snapshots that are taken while the table goes on: each is the table that it was begun with, as long as its rows may be kept.
import { describe, expect, test } from "bun:test";
import { openDocument } from "../../src/csv/document.ts";
import { CsvError } from "../../src/csv/error.ts";
import { openTable } from "../../src/csv/table.ts";
import { type MemoryLimit, openMemory } from "../../src/source/memory.ts";
import { openSnapshots } from "../../src/source/snapshots.ts";
import { forSeeds } from "../fuzz/random.ts";

const COLUMNS = { count: 2, json: '["a","b"]' };
const SMALL = { min: 64, max: 256 };

function openScene(rows: number, pinned?: MemoryLimit, maxMemoryBytes?: number) {
  const text = `a,b\n${Array.from({ length: rows }, (_, r) => `${r},row ${r}\n`).join("")}`;
  const bytes = Buffer.from(text);
  const table = openTable(openDocument(bytes, bytes.length), { size: SMALL });
  const snapshots = openSnapshots(pinned, maxMemoryBytes);
  let version = 0;
  const show = () =>
    snapshots.show({
      cursor: { epoch: "e", version: ++version },
      columns: COLUMNS,
      table: table.blocks(),
      from: 0,
      to: table.rows(),
    });
  show();
  const rowsNow = () => JSON.parse(table.render(0, table.rows(), "arrays").text!) as string[][];
  return { table, snapshots, show, rowsNow };
}

async function rowsOf({ parts }: { parts: AsyncIterable<{ text: string }> }): Promise<string[][]> {
  const rows: string[][] = [];
  for await (const { text } of parts) rows.push(...(JSON.parse(text) as string[][]));
  return rows;
}

describe("a snapshot", () => {
  test("is the table that it was begun with, whatever comes, and in whatever order its parts are taken", async () => {
    await forSeedsAsync(40, async (random) => {
      const scene = openScene(50 + random.below(400));
      const begun: { rows: string[][]; taking: Promise<string[][]> }[] = [];
      for (let change = 0; change < 12; change++) {
        const rows = scene.rowsNow();
        const snapshot = await scene.snapshots.snapshot("rows");
        expect(snapshot.rows).toBe(rows.length);
        if (random.chance(0.5)) begun.push({ rows, taking: Promise.resolve().then(() => rowsOf(snapshot)) });
        else snapshot.close();
        const from = random.below(scene.table.rows());
        const to = Math.min(scene.table.rows(), from + random.below(20));
        scene.table.replaceRows(from, to, Buffer.from(`${change},new\n`.repeat(random.below(30))));
        if (random.chance(0.3)) scene.table.append(Buffer.from(`${change},appended\n`));
        scene.show();
      }
      for (const { rows, taking } of begun) expect(await taking).toEqual(rows);
    });
  });

  test("that holds more than may be held ends, the oldest first; those of the table as it is never do", async () => {
    const { table, snapshots, show, rowsNow } = openScene(2_000, { maxBytes: 4_000, share: undefined });
    const old = await snapshots.snapshot("rows");
    for (let change = 0; change < 16; change++) {
      table.replaceRows(0, table.rows(), Buffer.from(`${change},x\n`.repeat(500)));
      show();
    }
    const current = await snapshots.snapshot("rows");
    const failure = await old.part(0).catch((error: unknown) => error);
    expect(failure).toEqual(new CsvError("outdated", "the table has changed too much meanwhile: try again"));
    expect(await rowsOf(current)).toEqual(rowsNow());
  });

  test("of one version may hold more, so that a large table which is replaced again and again reaches somebody", async () => {
    const { table, snapshots, show, rowsNow } = openScene(2_000, { maxBytes: 4_000, share: undefined }, 4e6);
    const old = await snapshots.snapshot("rows");
    const replace = (cell: string) => {
      table.replaceRows(0, table.rows(), Buffer.from(`${cell},x\n`.repeat(2_000)));
      show();
    };
    replace("a");
    const next = { rows: rowsNow(), snapshot: await snapshots.snapshot("rows") };
    replace("b");
    expect(await old.part(0).catch((error: unknown) => error)).toBeInstanceOf(CsvError);
    expect(await rowsOf(next.snapshot)).toEqual(next.rows);
  });

  test("holds what all tables together may", async () => {
    const memory = openMemory(2);
    const limit = () => ({ maxBytes: 50_000, share: memory.share() });
    const [first, second] = [openScene(2_000, limit()), openScene(2_000, limit())];
    const begun = [];
    for (const { snapshots, table, show } of [first, second]) {
      begun.push(await snapshots.snapshot("rows"));
      for (let change = 0; change < 2; change++) {
        table.replaceRows(0, table.rows(), Buffer.from(`${change},x\n`.repeat(500)));
        show();
      }
    }
    expect(await begun[1]!.part(0).catch((error: unknown) => error)).toBeInstanceOf(CsvError);
    begun[0]!.close();
    const again = await second.snapshots.snapshot("rows");
    const rows = second.rowsNow();
    second.table.replaceRows(0, second.table.rows(), Buffer.from("z,z\n"));
    second.show();
    expect(await rowsOf(again)).toEqual(rows);
  });

  test("that is closed gives no more parts", async () => {
    const { snapshots } = openScene(3);
    const snapshot = await snapshots.snapshot("csv");
    snapshot.close();
    expect(await snapshot.part(0).catch((error: unknown) => error)).toBeInstanceOf(CsvError);
  });
});

async function forSeedsAsync(
  count: number,
  run: (random: Parameters<Parameters<typeof forSeeds>[1]>[0]) => Promise<void>,
) {
  const runs: Promise<void>[] = [];
  forSeeds(count, (random) => void runs.push(run(random)));
  await Promise.all(runs);
}
