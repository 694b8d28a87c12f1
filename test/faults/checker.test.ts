// The check that has nothing of csvcast in it (checker.py), of a publisher and of a replica that hears it through a relay.
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { RUNS, seedOfRun } from "../fuzz/random.ts";
import { engines, startRedis } from "../redis.ts";
import { startServer, temporaryFolder } from "../support.ts";

setDefaultTimeout(30_000);

const python = ["/usr/bin/python3", "python3"].find((name) => {
  const found = Bun.which(name);
  return found !== null && Bun.spawnSync([found, "-c", "import websockets"], { stderr: "ignore" }).success;
});

/** Each takes 6 s or so: ten minutes in `bun run soak`. */
const CHECKS = Math.ceil(RUNS / 2);
const ACTIONS = 15;

test.skipIf(!python || engines.length === 0)(
  `${CHECKS} times: Python's csv module sees no table that the file was not, here or behind a relay (skipped without python3-websockets or redis-server)`,
  async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("f.csv", "id,text,value\n0,x,1\n");
    await using redis = await startRedis(folder.path);
    const relay = `redis://127.0.0.1:${redis.port}`;
    const settle = "--settle=250ms";
    await using publisher = await startServer([path, settle, `--relay=${relay}`], { folder });
    await publisher.prints("f.csv: ");
    await using replica = await startServer([`${relay}/0?topic=csv`], { folder });
    await replica.prints("f.csv");
    const script = join(import.meta.dir, "checker.py");
    for (let seed = seedOfRun(), run = 0; run < CHECKS; run++, seed++) {
      const command = [python!, script, `${publisher.url},${replica.url}`, path, `${seed}`, `${ACTIONS}`];
      const checker = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" });
      const [out, problem] = await Promise.all(
        [checker.stdout, checker.stderr].map((pipe) => new Response(pipe).text()),
      );
      expect([problem, await checker.exited]).toEqual(["", 0]);
      expect(out).toMatch(/^\d+ tables, all of them were there\n$/);
    }
  },
  60_000 + CHECKS * 150_000,
);
