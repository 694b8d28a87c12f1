// The pages do what they say: each command and each program on them is run from the page itself. What is not run is listed, with the reason.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { parseMessage } from "../../src/feed/protocol.ts";
import { engines, startRedis } from "../redis.ts";
import { type Folder, TEST_TIMEOUT_MS } from "../support.ts";
import { browserPath, openPage } from "../viewer/browser.ts";
import { type Code, codeIn, page, readPages } from "./markdown.ts";
import { begin, beginServer, type Command, openProject, shell } from "./walk.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);

/** Lines of shell that are not run here, and why. */
const NOT_RUN: readonly { readonly line: RegExp; readonly why: string }[] = [
  { line: /^bun install$/, why: "test/docs/clone.slow.test.ts" },
  { line: /^bun test/, why: "this is one" },
  { line: /^CSVCAST_SEED=/, why: "tests of their own" },
  { line: /^\$ |^connecting to|^connected$|^\[\{/, why: "a session: test/docs/clone.slow.test.ts" },
];

const python = ["/usr/bin/python3", "python3"].find((name) => {
  const found = Bun.which(name);
  return found !== null && Bun.spawnSync([found, "-c", "import websockets, pandas"], { stderr: "ignore" }).success;
});
const node = Bun.which("node");

/** Where an example's other machines are. */
type Places = { readonly port: number; readonly redis: number | undefined; readonly web: number };

const placed = (text: string, { port, redis, web }: Places) =>
  text
    .replaceAll("59050", String(port))
    .replaceAll("redis://cache.example", `redis://127.0.0.1:${redis}`)
    .replaceAll("https://data.example", `http://127.0.0.1:${web}`);

const linesOf = ({ text }: Code) => text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
const mayRun = (line: string) => !NOT_RUN.some((not) => not.line.test(line));

/** What a command must come to: a server publishes a table, a client is connected, everything else succeeds. */
async function works(line: string, folder: Folder): Promise<Command> {
  const command = shell(line, folder);
  if (/bun run server/.test(line)) await command.until("a table", ({ stdout }) => / × |replaying/.test(stdout));
  else if (/--once|--list|curl.*\| jq/.test(line)) await succeeds(command, line);
  else if (/bun run client/.test(line))
    await command.until("a connection", ({ stderr }) => stderr.includes("connected"));
  else if (/curl.*events|--max-time/.test(line)) await command.until("an answer", ({ stdout }) => stdout.length > 0);
  else await succeeds(command, line);
  return command;
}

async function succeeds(command: Command, line: string): Promise<void> {
  const exitCode = await command.exited;
  expect({ line, exitCode, stderr: exitCode === 0 ? "" : command.output.stderr }).toEqual({
    line,
    exitCode: 0,
    stderr: "",
  });
  expect(command.output.stdout).not.toBe("");
}

/** A web server for the page's https://data.example. */
const webServer = () =>
  Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("a,b\n1,2\n", { headers: { ETag: '"1"' } }) });

async function runsAll(code: Code): Promise<void> {
  const lines = linesOf(code).filter(mayRun);
  if (lines.length === 0) return;
  await using folder = await openProject();
  await using server = await beginServer(folder, "prices.csv orders.csv");
  await using web = webServer();
  await using stack = new AsyncDisposableStack();
  const needsRedis = code.text.includes("redis://");
  const redis = needsRedis && engines.length > 0 ? stack.use(await startRedis(folder.path)).port : undefined;
  for (const line of lines) {
    if (line.includes("redis://") && redis === undefined) continue;
    stack.use(await works(placed(line, { port: server.port, redis, web: web.port! }), folder));
  }
}

/** How a program of each language is run; undefined where the machine cannot. */
const RUNNERS: Readonly<Record<string, { readonly name: string; readonly command?: string | undefined | null }>> = {
  python: { name: "program.py", command: python },
  js: { name: "program.mjs", command: node },
  ts: { name: "program.ts", command: process.execPath },
};

async function prints(code: Code): Promise<void> {
  const { name, command } = RUNNERS[code.language]!;
  await using folder = await openProject();
  await using server = await beginServer(folder, "prices.csv");
  const text = placed(code.text, { port: server.port, redis: 0, web: 0 });
  await using program = begin([command!, await folder.write(name, text)], folder);
  await program.until("something that it prints", ({ stdout }) => stdout.length > 1);
  expect(program.output.stderr).toBe("");
}

async function shows(code: Code): Promise<void> {
  await using folder = await openProject();
  const html = { text: "" };
  await using site = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ url }) =>
      new URL(url).pathname === "/"
        ? new Response(`<!doctype html><body>${html.text}`, { headers: { "Content-Type": "text/html" } })
        : new Response(null, { status: 204 }),
  });
  const origin = `http://127.0.0.1:${site.port}`;
  await using server = await beginServer(folder, `prices.csv --allow-origin ${origin}`);
  html.text = placed(code.text, { port: server.port, redis: 0, web: 0 });
  await using page = await openPage(origin);
  await page.until(`document.body.textContent === "2 rows"`);
}

const pages = (await readPages()).filter(({ path }) => /^(README|docs\/|examples\/)/.test(path));
const all = pages.flatMap((page) => codeIn(page).map((code) => ({ at: `${page.path}:${code.line}`, code })));
const of = (...languages: string[]) => all.filter(({ code }) => languages.includes(code.language));

describe("each command works:", () => {
  test.each(of("sh", "console"))("$at", ({ code }) => runsAll(code));
});

describe("each program prints what comes (skipped without its language):", () => {
  for (const { at, code } of of("python", "js", "ts"))
    test.skipIf(!RUNNERS[code.language]!.command)(at, () => prints(code));
});

describe("each piece of a web page shows what comes (skipped without Chromium):", () => {
  test.skipIf(!browserPath).each(of("html"))("$at", ({ code }) => shows(code));
});

test("there is no code that is not looked at", () => {
  // jsx is a part of examples/react, which is tested there; code without a language is what is shown, not run.
  const known = ["sh", "console", "python", "js", "ts", "html", "jsx", ""];
  expect(all.filter(({ code }) => !known.includes(code.language)).map(({ at }) => at)).toEqual([]);
});

test("the examples of docs/protocol.md are messages", async () => {
  const lines = (await page("docs/protocol.md")).text.match(/^ {4}\{"type"[^]*?\}$/gm) ?? [];
  expect(lines.length).toBeGreaterThanOrEqual(5);
  for (const line of lines) expect(parseMessage(line.trim().replaceAll(/\n\s*/g, ""))).toBeDefined();
});

test("docs/protocol.md and docs/csv.md name what the code has", async () => {
  const { text } = await page("docs/protocol.md");
  const { STATES } = await import("../../src/feed/protocol.ts");
  for (const state of STATES) {
    expect(text).toContain(`"${state}"`);
    expect((await page("docs/writers.md")).text).toContain(`| \`${state}\``);
  }
  const formats = await Bun.file(join(import.meta.dir, "../../src/csv/options.ts")).text();
  const names = [...formats.matchAll(/readonly (\w+)\??:/g)].map(([, name]) => name!);
  const told = (await page("docs/csv.md")).text;
  expect(names.filter((name) => !told.includes(`\`${name}\``))).toEqual([]);
});
