// `bun run demo`, as the first thing that somebody tries: from the script of package.json to a file that is gone.
import { expect, setDefaultTimeout, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { openedIn, withBrowser } from "./cli/browser.ts";
import { environment, TEST_TIMEOUT_MS, temporaryFolder, until } from "./support.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);

const ROOT = join(import.meta.dir, "..");

test("a demo is on air, opens the browser, grows, and leaves nothing behind", async () => {
  await using folder = await temporaryFolder();
  let output = "";
  const demo = Bun.spawn([process.execPath, "run", "demo", "--port", "0"], {
    cwd: ROOT,
    env: environment(folder, { TMPDIR: folder.path, ...(await withBrowser(folder)), TERM: "xterm" }),
    terminal: { cols: 100, rows: 24, data: (_, bytes) => void (output += bytes.toString()) },
  });
  await using stack = new AsyncDisposableStack();
  stack.defer(async () => {
    demo.kill("SIGKILL");
    await demo.exited;
    demo.terminal?.close();
  });
  const page = await openedIn(folder, () => output);
  expect(page).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
  const rows = async () => ((await (await fetch(`${page}healthz`)).json()) as { rows?: number }).rows ?? 0;
  await until("rows that are written now", async () => (await rows()) > 300);
  const types = (await (await fetch(`${page}healthz`)).json()) as { types: string[] };
  expect(types.types).toEqual(["time:iso", "number", "number", "number", "number"]);
  demo.terminal?.write("\x03");
  expect(await demo.exited).toBe(130);
  expect((await readdir(folder.path)).filter((name) => name.startsWith("csvcast-demo"))).toEqual([]);
});
