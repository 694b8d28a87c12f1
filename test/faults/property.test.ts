// The two properties of DESIGN section 4. After any sequence of what writers do, once the writer is quiet, what a client holds is what a
// fresh conversion of the file gives, in the encoding and with the names that were found; and each table that it held before is one that
// the file was, up to whole rows. Runs for a few seeds; CSVCAST_RUNS asks for more.
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { openHeld } from "../../src/source/held.ts";
import type { ReadOptions } from "../../src/csv/options.ts";
import { type Followed, follow, SETTLE_MS, temporaryFolder } from "../source/writer.ts";
import { RUNS, seedOfRun } from "../fuzz/random.ts";

const PARALLEL = 4;
/** 500 in `bun run soak`. */
const LIVES = RUNS >= 200 ? RUNS * 2.5 : RUNS;
/** A header that went. */
const KEPT: ReadOptions = { noHeader: true, names: ["id", "b", "c"] };

/** What is no ASCII is one sign: which letters it is hangs on the encoding, and that on what came before. */
const normal = (rows: readonly (readonly string[])[]) => JSON.stringify(rows).replace(/[^\0-\x7f]+/g, "?");

/** The rows of a content; a record without its end is one only if it `isWhole`. */
function tableOf(content: Buffer, isWhole: boolean, options: ReadOptions): string[][] | undefined {
  const held = openHeld({ ...options, lastRows: Infinity, maxCellBytes: Infinity });
  try {
    held.set(content, content.length);
  } catch {
    return undefined;
  }
  const { table, view } = held.publish(isWhole) ?? {};
  return table && view && (JSON.parse(table.render(view.first, view.end, "arrays").text!) as string[][]);
}

/** A content that the file had, how much of it was there before, when its write began and was done, and whether its writer puts line ends first. */
type Entry = [base64: string, before: number, begun: number, done: number, endsFirst: boolean];

/** All tables that the file was: each record end is a border, and the end of a content that stood for as long as a writer is waited for. */
function tablesIn(record: string, lastRows: number): Set<string> {
  const allowed = new Set<string>([normal([])]);
  const entries = record
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Entry);
  const isUtf16 = entries.some(([base64]) => base64.startsWith("//"));
  entries.forEach(([base64, before, begun, , endsFirst], e) => {
    const content = Buffer.from(base64, "base64");
    const borders = new Set([before, content.length]);
    for (let at = content.indexOf(10, before); at !== -1; at = content.indexOf(10, at + 1))
      borders.add(at + (isUtf16 ? 2 : 1));
    const goneAt = entries[e + 1]?.[3] ?? Infinity;
    const isWhole = endsFirst || goneAt - begun >= SETTLE_MS - 1;
    for (const border of borders)
      for (const options of [{}, { encoding: "utf-8" }, KEPT, { ...KEPT, skipLines: 1 }]) {
        const rows = tableOf(content.subarray(0, border), isWhole && border === content.length, options);
        if (rows) allowed.add(normal(lastRows === Infinity ? rows : rows.slice(-lastRows)));
      }
  });
  return allowed;
}

function checkEachMoment(followed: Followed, record: string, lastRows: number): void {
  const allowed = tablesIn(record, lastRows);
  const seen = new Set(followed.publications().map(({ rows }) => normal(rows)));
  expect([...seen].filter((rows) => !allowed.has(rows))).toEqual([]);
}

async function run(seed: number): Promise<void> {
  using folder = temporaryFolder();
  const [path, record] = [folder.path("f.csv"), folder.path("record")];
  writeFileSync(path, "id,b,c\n1,2,3\n");
  const lastRows = seed % 3 === 0 ? 7 : Infinity;
  await using followed = follow(path, { watches: seed % 2 === 0, lastRows });
  await followed.until(() => followed.state() === "live", "live");
  const script = new URL("./random-writer.ts", import.meta.url).pathname;
  const writer = Bun.spawn([process.execPath, script, path, `${seed}`, "25", record], { stdout: "pipe" });
  const actions = await new Response(writer.stdout).text();
  expect(await writer.exited).toBe(0);
  try {
    await followed.converges(path, lastRows);
    await followed.until(() => followed.state() === "live", "live at the end");
    checkEachMoment(followed, readFileSync(record, "utf8"), lastRows);
  } catch (error) {
    throw new Error(`CSVCAST_SEED=${seed}: ${error instanceof Error ? error.message : error}\n${actions}`, {
      cause: error,
    });
  }
}

test(
  `${LIVES} random writers: each table that is published is one that the file was, and the last one is what it says`,
  async () => {
    const first = seedOfRun();
    for (let seed = first; seed < first + LIVES; seed += PARALLEL)
      await Promise.all(Array.from({ length: Math.min(PARALLEL, first + LIVES - seed) }, (_, n) => run(seed + n)));
  },
  60_000 + LIVES * 10_000,
);
