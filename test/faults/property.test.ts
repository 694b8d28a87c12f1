// The property of DESIGN section 4: after any sequence of what writers do, once the writer is quiet, what a client holds
// is what a fresh conversion of the file gives. Runs in `bun test` for a few seeds; CSVCAST_RUNS asks for more.
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { follow, temporaryFolder } from "../source/writer.ts";
import { RUNS, seedOfRun } from "../fuzz/random.ts";

const PARALLEL = 4;

async function run(seed: number): Promise<void> {
  using folder = temporaryFolder();
  const path = folder.path("f.csv");
  writeFileSync(path, "id,b,c\n1,2,3\n");
  await using followed = follow(path, { watches: seed % 2 === 0, lastRows: seed % 3 === 0 ? 7 : Infinity });
  await followed.until(() => followed.state() === "live", "live");
  const script = new URL("./random-writer.ts", import.meta.url).pathname;
  const writer = Bun.spawn([process.execPath, script, path, `${seed}`, "25"], { stdout: "pipe" });
  const actions = await new Response(writer.stdout).text();
  expect(await writer.exited).toBe(0);
  try {
    await followed.converges(path, seed % 3 === 0 ? 7 : Infinity);
  } catch (error) {
    throw new Error(`CSVCAST_SEED=${seed}: ${error instanceof Error ? error.message : error}\n${actions}`, {
      cause: error,
    });
  }
}

test(
  `${RUNS} random writers: what is published converges to what the file says`,
  async () => {
    const first = seedOfRun();
    for (let seed = first; seed < first + RUNS; seed += PARALLEL)
      await Promise.all(Array.from({ length: Math.min(PARALLEL, first + RUNS - seed) }, (_, n) => run(seed + n)));
  },
  60_000 + RUNS * 5_000,
);
