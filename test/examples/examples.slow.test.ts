// The examples, run as they are against a real server: what they print or show follows the file. What the machine lacks is skipped here,
// and installed by .ci/run.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { appendFile, cp } from "node:fs/promises";
import { join } from "node:path";
import { browserPath, openPage } from "../viewer/browser.ts";
import { environment, type Folder, startServer, temporaryFolder, TEST_TIMEOUT_MS, until } from "../support.ts";
import { clientLibrary, EXAMPLES, frameworks, installInto, ROOT } from "./installed.ts";

setDefaultTimeout(2 * TEST_TIMEOUT_MS);

const CSV = "id,time,price\n00123,2026-01-02 09:00,10.5\n00124,2026-01-02 09:01,11\n";
const NEXT = "00125,2026-01-02 09:02,12\n";
const TOKEN = "sesame-open";

const pythonWith = (...modules: string[]) =>
  ["/usr/bin/python3", "python3"].find((name) => {
    const found = Bun.which(name);
    return found !== null && Bun.spawnSync([found, "-c", `import ${modules.join(", ")}`], { stderr: "ignore" }).success;
  });
const python = pythonWith("websockets");
const pandas = pythonWith("pandas", "websockets");
const node = Bun.which("node");
const react = existsSync(join(frameworks, "react"));
if (!react) console.warn("examples: `bun install` in test/frameworks has not been run, so React is skipped");

/** A program that prints for ever; leaving the block ends it. */
function running(command: readonly string[], folder: Folder, env: Record<string, string> = {}) {
  const child = Bun.spawn([...command], {
    cwd: folder.path,
    env: environment(folder, env),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const output = { stdout: "", stderr: "" };
  const collect = async (name: "stdout" | "stderr") => {
    const decoder = new TextDecoder();
    for await (const chunk of child[name]) output[name] += decoder.decode(chunk, { stream: true });
  };
  const ended = Promise.all([collect("stdout"), collect("stderr"), child.exited]);
  return {
    output,
    ended,
    prints: (text: string) =>
      until(
        `${text} on stdout`,
        () => output.stdout.includes(text),
        () => JSON.stringify(output),
      ),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

describe("python/follow.py", () => {
  const follow = join(EXAMPLES, "python/follow.py");

  test.skipIf(!python)(
    "follows a table through changes and a restart (skipped without python3-websockets)",
    async () => {
      await using folder = await temporaryFolder();
      const path = await folder.write("a.csv", CSV);
      const env = { CSVCAST_TOKEN: TOKEN };
      const before = await startServer(["a.csv"], { folder, env });
      await using program = running([python!, follow, before.url, TOKEN], folder);
      await program.prints('2 rows; last: {"id": "00124", "time": "2026-01-02 09:01", "price": "11"}');
      await appendFile(path, NEXT);
      await program.prints('3 rows; last: {"id": "00125"');
      await folder.write("a.csv", `${CSV}${NEXT}00126,,ü\n`.replace("00123", "00100"));
      await program.prints('4 rows; last: {"id": "00126", "time": "", "price": "ü"}');
      before.kill("SIGTERM");
      await before.exited;
      await folder.write("a.csv", "other\n1\n");
      await using _after = await startServer(["a.csv", `--port=${before.port}`], { folder, env });
      await program.prints('1 rows; last: {"other": "1"}');
      expect(program.output.stderr).toContain("reconnecting");
      expect(program.output.stderr).not.toContain("Traceback");
    },
  );

  // The newer API is not in Debian: only how it is called is tried.
  test.skipIf(!python).each([
    { version: "10.4", name: "extra_headers" },
    { version: "13.1", name: "extra_headers" },
    { version: "15.0.1", name: "additional_headers" },
  ])("gives websockets $version its headers as $name", async ({ version, name }) => {
    await using folder = await temporaryFolder();
    const standIn = `import sys\n__version__ = "${version}"\nclass WebSocketException(Exception): pass\ndef connect(url, **options):\n  print(sorted(options), options.get("${name}"))\n  sys.exit(0)\n`;
    await folder.write("websockets.py", standIn);
    await using program = running([python!, follow, "ws://127.0.0.1:1/", TOKEN], folder, { PYTHONPATH: folder.path });
    await program.ended;
    expect(program.output.stdout).toBe(
      `${JSON.stringify([name, "max_size", "subprotocols"].sort()).replaceAll('"', "'").replaceAll(",", ", ")} {'Authorization': 'Bearer ${TOKEN}'}\n`,
    );
  });
});

test.skipIf(!pandas)(
  "python/frame.py has types, and keeps leading zeros (skipped without python3-pandas)",
  async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", CSV);
    await using server = await startServer(["a.csv"], { folder, env: { CSVCAST_TOKEN: TOKEN } });
    await using program = running([pandas!, join(EXAMPLES, "python/frame.py"), server.http, TOKEN], folder);
    await program.ended;
    expect(program.output.stderr).toBe("");
    expect(program.output.stdout).toMatch(/id +object\ntime +datetime64\[ns\]\nprice +float64\n/);
    expect(program.output.stdout).toMatch(/0 +00123 2026-01-02 09:00:00 +10\.5\n/);
  },
);

/** The cells of a notebook, run one after the other as IPython does, where `await` needs no function. */
const NOTEBOOK = `
import ast, asyncio, json, sys, types
shown = types.ModuleType("IPython.display")
shown.display = lambda value: print(value.to_string(), flush=True)
shown.clear_output = lambda wait=False: None
sys.modules["IPython"] = types.ModuleType("IPython")
sys.modules["IPython.display"] = shown
async def main():
    scope = {}
    for cell in json.load(open(sys.argv[1]))["cells"]:
        if cell["cell_type"] != "code": continue
        source = "".join(cell["source"]).replace("ws://127.0.0.1:59050/", sys.argv[2])
        value = eval(compile(source, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), scope)
        if asyncio.iscoroutine(value): await value
asyncio.run(main())
`;

test.skipIf(!pandas)("jupyter/live.ipynb shows the table as it changes (skipped without python3-pandas)", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("a.csv", CSV);
  await using server = await startServer(["a.csv"], { folder });
  const script = await folder.write("notebook.py", NOTEBOOK);
  const notebook = join(EXAMPLES, "jupyter/live.ipynb");
  await using program = running([pandas!, script, notebook, server.url], folder);
  await program.prints("00124");
  await appendFile(path, NEXT);
  await program.prints("00125");
});

test.skipIf(node === null)("node/follow.mjs follows a table in Node (skipped without node)", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("a.csv", CSV);
  await installInto(folder, { ws: join(ROOT, "node_modules/ws") });
  await cp(join(EXAMPLES, "node/follow.mjs"), join(folder.path, "follow.mjs"));
  const env = { CSVCAST_TOKEN: TOKEN };
  await using server = await startServer(["a.csv"], { folder, env });
  await using program = running([node!, "follow.mjs", server.url], folder, env);
  await program.prints('2 rows; last: ["00124","2026-01-02 09:01","11"]');
  await appendFile(path, NEXT);
  await program.prints('3 rows; last: ["00125","2026-01-02 09:02","12"]');
  expect(program.output.stderr).toMatch(/^(waiting: .*\n)?$/);
});

/** Serves these files on an origin of its own, as people's pages are. */
function servePages(files: Readonly<Record<string, string>>) {
  return Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      const { pathname } = new URL(request.url);
      const file = files[pathname];
      const type = pathname === "/" ? "text/html" : "text/javascript";
      return new Response(file ?? null, { status: file === undefined ? 404 : 200, headers: { "Content-Type": type } });
    },
  });
}
const htmlOf = (path: string) => Bun.file(join(EXAMPLES, path)).text();

async function showsTheTable(files: Readonly<Record<string, string>>): Promise<void> {
  await using folder = await temporaryFolder();
  const path = await folder.write("a.csv", CSV);
  const pages = servePages(files);
  const origin = `http://127.0.0.1:${pages.port}`;
  const env = { CSVCAST_TOKEN: TOKEN };
  await using server = await startServer(["a.csv", `--allow-origin=${origin}`], { folder, env });
  try {
    await using page = await openPage(`${origin}/?server=${encodeURIComponent(server.url)}&token=${TOKEN}`);
    const rows = `[...document.querySelectorAll("tr")].map((row) => [...row.children].map((cell) => cell.textContent).join(" ")).join("|")`;
    const shows = (text: string) => page.until(`${rows} === ${JSON.stringify(text)}`);
    await page.until(`document.querySelector("#state")?.textContent === "live"`);
    await shows("id time price|00123 2026-01-02 09:00 10.5|00124 2026-01-02 09:01 11");
    await appendFile(path, NEXT);
    await shows("id time price|00123 2026-01-02 09:00 10.5|00124 2026-01-02 09:01 11|00125 2026-01-02 09:02 12");
    await folder.write("a.csv", CSV.replace("10.5", "<b>99</b>"));
    await shows("id time price|00123 2026-01-02 09:00 <b>99</b>|00124 2026-01-02 09:01 11");
  } finally {
    await pages.stop(true);
  }
}

test.skipIf(!browserPath)("browser/index.html shows the table as it changes (skipped without Chromium)", async () => {
  await showsTheTable({ "/": await htmlOf("browser/index.html"), "/client.js": await clientLibrary() });
});

/** The example in a project where React is installed. */
async function reactProject(folder: Folder): Promise<void> {
  const names = ["react", "react-dom", "scheduler", "csstype", "@types/react", "@types/react-dom"];
  await installInto(folder, Object.fromEntries(names.map((name) => [name, join(frameworks, name)])));
  await cp(join(EXAMPLES, "react"), join(folder.path, "app"), { recursive: true });
}

test.skipIf(!browserPath || !react)(
  "react: the hook renders each change (skipped without Chromium, or without test/frameworks)",
  async () => {
    await using folder = await temporaryFolder();
    await reactProject(folder);
    const { outputs } = await Bun.build({ entrypoints: [join(folder.path, "app/index.html")], target: "browser" });
    const files = outputs.map(async (file) => [file.path.replace(/^\./, ""), await file.text()]);
    const { "/index.html": page = "", ...others } = Object.fromEntries(await Promise.all(files)) as Record<
      string,
      string
    >;
    await showsTheTable({ "/": page, ...others });
  },
);

test.skipIf(!react)(
  "react: the example has no type errors in strict mode (skipped without test/frameworks)",
  async () => {
    await using folder = await temporaryFolder();
    await reactProject(folder);
    const types = ["--declaration", "--emitDeclarationOnly", "--rewriteRelativeImportExtensions"];
    const tsc = [process.execPath, join(ROOT, "node_modules/typescript/bin/tsc"), "--ignoreConfig"];
    const shape = ["--target", "ESNext", "--moduleResolution", "bundler", "--types", "", "--strict"];
    const dist = join(folder.path, "node_modules/csvcast/dist/client");
    const built = Bun.spawnSync(
      [
        ...tsc,
        "src/follow/index.ts",
        "--module",
        "Preserve",
        "--lib",
        "ES2022,DOM",
        ...shape,
        ...types,
        "--rootDir",
        "src",
        "--outDir",
        dist,
      ],
      { cwd: ROOT },
    );
    expect(built.stdout.toString()).toBe("");
    const checked = Bun.spawnSync(
      [
        ...tsc,
        "app/main.tsx",
        "--noEmit",
        "--jsx",
        "react-jsx",
        "--module",
        "esnext",
        "--lib",
        "ES2022,DOM,DOM.Iterable",
        ...shape,
      ],
      { cwd: folder.path },
    );
    expect(checked.stdout.toString()).toBe("");
  },
);
