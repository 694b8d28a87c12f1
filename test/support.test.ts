// What the tests share, as far as it can fail without anybody seeing it.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setDefaultTimeout, test } from "bun:test";
import { temporaryFolder, TEST_TIMEOUT_MS, until } from "./support.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const isRunning = (pid: number) =>
  existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));

test.skipIf(process.platform !== "linux")(
  "a server of a test run that is killed ends with it (skipped where there is no /proc)",
  async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("a.csv", "x\n1\n");
    const script = `
import { startServer } from ${JSON.stringify(join(import.meta.dir, "support.ts"))};
const server = await startServer([${JSON.stringify(path)}], { folder: { path: ${JSON.stringify(folder.path)} } });
console.log(server.pid);
await Bun.sleep(1e6);`;
    const run = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "inherit" });
    const { value } = await run.stdout.getReader().read();
    const pid = Number(Buffer.from(value!).toString());
    await until("the server to run", () => isRunning(pid));
    run.kill("SIGKILL");
    await until("the server to end", () => !isRunning(pid));
  },
);
