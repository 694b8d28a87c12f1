// The rules of the house (DESIGN section 2), read from the sources: what a room may import, and what it may touch.
import { describe, expect, test } from "bun:test";
import { join, posix } from "node:path";

type Source = { readonly path: string; readonly text: string };

const SRC = join(import.meta.dir, "../src");
const MAX_LINES = 250;
const PROGRAMS = ["server.ts", "client.ts"];

/** What each room may import besides itself. `node:` and `bun` are the runtime, and a matter of the purity rules. */
const FLOORS: Record<string, readonly string[]> = {
  programs: ["source", "hub", "cli", "viewer", "feed", "package.json"],
  source: ["csv", "values", "feed"],
  hub: ["feed"],
  viewer: ["feed", "values", "uplot"],
  cli: ["feed", "package.json"],
  csv: ["values", "papaparse"],
  feed: [],
  values: [],
};

/** They take what they need as arguments: no file, socket, timer, clock, random or environment. */
const isPure = (path: string) =>
  path.startsWith("csv/") || path.startsWith("values/") || /^feed\/(protocol|feed|table)\.ts$/.test(path);
const PURE_BUILTINS = ["node:buffer"];
const IMPURITIES: Record<string, RegExp> = {
  "a file or socket": /\bBun\s*\.\s*(serve|file|write|connect|listen|udpSocket|spawn\w*|mmap|stdin|stdout|stderr)\b/,
  network: /\b(fetch|WebSocket|EventSource|XMLHttpRequest)\s*\(/,
  "a timer": /\b(setTimeout|setInterval|setImmediate|queueMicrotask|Bun\s*\.\s*sleep\w*)\s*\(/,
  "a clock": /\b(Date\s*[.(]|new\s+Date\b|performance\s*\.|Bun\s*\.\s*nanoseconds\b|process\s*\.\s*hrtime\b)/,
  random: /\b(Math\s*\.\s*random\b|crypto\s*\.|randomBytes\b|randomUUID)/,
  "the environment": /\b(process\s*[.[]|Bun\s*\.\s*(env|argv)\b|import\.meta\.env\b|console\s*\.)/,
  "a thread": /\bnew\s+Worker\b/,
};

/** Browsers bundle these; `viewer/files.ts` is what bundles them. */
const isForBrowsers = (path: string) =>
  /^feed\/(client|connection|follow|protocol|subscriber|table)\.ts$/.test(path) ||
  path.startsWith("values/") ||
  (path.startsWith("viewer/") && path !== "viewer/files.ts");

/** Text nodes only: what is in a file never becomes markup, a script or an address. */
const MARKUP =
  /\b(innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|setHTML\w*|DOMParser|document\.write|eval)\b|new Function/;

const FORBIDDEN_NAMES = /(^|[-_.])(util|helper|type|common|lib|manager)s?(?=[-_./]|$)/i;

describe("the rules of the house hold for", async () => {
  const paths = await Array.fromAsync(new Bun.Glob("**/*.{ts,tsx}").scan(SRC));
  test.each(paths.map((path) => path.replaceAll("\\", "/")).sort())("src/%s", async (path) => {
    const text = await Bun.file(join(SRC, path)).text();
    expect(violations({ path, text })).toEqual([]);
  });

  test("all rooms that the rules name or may name", () => {
    const rooms = new Set(paths.map((path) => roomOf(path)));
    expect([...rooms].filter((room) => !(room in FLOORS))).toEqual([]);
    expect([...rooms]).toContain("csv");
  });
});

describe("the check itself finds", () => {
  const cases: { name: string; path: string; text: string; expected: string }[] = [
    {
      name: "an import that points up",
      path: "csv/json.ts",
      text: 'import { openFile } from "../source/file.ts";\nopenFile();',
      expected: "csv/json.ts imports source: ../source/file.ts",
    },
    {
      name: "a sibling on the same floor",
      path: "hub/hub.ts",
      text: 'import { show } from "../source/read.ts";\nshow();',
      expected: "hub/hub.ts imports source: ../source/read.ts",
    },
    {
      name: "a type-only import, which the transpiler drops",
      path: "cli/console.ts",
      text: 'import type { Hub } from "../hub/hub.ts";\nexport type X = Hub;',
      expected: "cli/console.ts imports hub: ../hub/hub.ts",
    },
    {
      name: "a type-only import over several lines",
      path: "cli/console.ts",
      text: 'import type {\n  Hub,\n  Frame,\n} from "../hub/hub.ts";',
      expected: "cli/console.ts imports hub: ../hub/hub.ts",
    },
    {
      name: "an inline type import",
      path: "feed/feed.ts",
      text: 'export type X = import("../hub/hub.ts").Hub;',
      expected: "feed/feed.ts imports hub: ../hub/hub.ts",
    },
    {
      name: "a re-export of a type",
      path: "hub/hub.ts",
      text: 'export type { CsvError } from "../csv/error.ts";',
      expected: "hub/hub.ts imports csv: ../csv/error.ts",
    },
    {
      name: "a dynamic import",
      path: "feed/subscriber.ts",
      text: 'const hub = await import("../hub/hub.ts");',
      expected: "feed/subscriber.ts imports hub: ../hub/hub.ts",
    },
    {
      name: "a room that imports a program",
      path: "cli/options.ts",
      text: 'import { websocketServer } from "../server.ts";\nwebsocketServer();',
      expected: "cli/options.ts imports programs: ../server.ts",
    },
    {
      name: "papaparse outside csv",
      path: "source/read.ts",
      text: 'import Papa from "papaparse";\nPapa.parse("");',
      expected: "source/read.ts imports papaparse: papaparse",
    },
    {
      name: "a package nobody agreed on",
      path: "hub/hub.ts",
      text: 'import express from "express";\nexpress();',
      expected: "hub/hub.ts imports express: express",
    },
    {
      name: "a pure module that reads files",
      path: "csv/json.ts",
      text: 'import { readFileSync } from "node:fs";\nreadFileSync("a");',
      expected: "csv/json.ts is pure and imports node:fs",
    },
    {
      name: "a pure module that opens a file with Bun",
      path: "csv/json.ts",
      text: 'Bun.file("a");',
      expected: "csv/json.ts is pure and touches a file or socket: Bun.file",
    },
    {
      name: "a pure module with a clock",
      path: "feed/feed.ts",
      text: "const now = Date.now();",
      expected: "feed/feed.ts is pure and touches a clock: Date.",
    },
    {
      name: "a pure module with a timer",
      path: "feed/table.ts",
      text: "setTimeout(() => {}, 10);",
      expected: "feed/table.ts is pure and touches a timer: setTimeout(",
    },
    {
      name: "a pure module with chance",
      path: "csv/dialect.ts",
      text: "const x = Math.random();",
      expected: "csv/dialect.ts is pure and touches random: Math.random",
    },
    {
      name: "a pure module with an environment",
      path: "csv/dialect.ts",
      text: 'const x = process.env["X"];',
      expected: "csv/dialect.ts is pure and touches the environment: process.",
    },
    {
      name: "Bun where browsers go",
      path: "feed/subscriber.ts",
      text: "const t: Bun.Timer = 1;",
      expected: "feed/subscriber.ts is for browsers and mentions Bun.",
    },
    {
      name: "node: where browsers go",
      path: "feed/subscriber.ts",
      text: 'import { EventEmitter } from "node:events";\nnew EventEmitter();',
      expected: 'feed/subscriber.ts is for browsers and mentions "node:',
    },
    {
      name: "markup made of text",
      path: "viewer/rows.ts",
      text: "cell.innerHTML = text;",
      expected: "viewer/rows.ts makes markup of text: innerHTML",
    },
    {
      name: "Bun on the page",
      path: "viewer/page.ts",
      text: 'Bun.escapeHTML("");',
      expected: "viewer/page.ts is for browsers and mentions Bun.",
    },
    {
      name: "the plots outside the viewer",
      path: "hub/hub.ts",
      text: 'import uPlot from "uplot";\nnew uPlot();',
      expected: "hub/hub.ts imports uplot: uplot",
    },
    {
      name: "a room that exits",
      path: "cli/errors.ts",
      text: "process.exit(1);",
      expected: "cli/errors.ts is no program and uses process.exit",
    },
    {
      name: "a room that reads argv or handles signals",
      path: "source/watch.ts",
      text: 'process.on("SIGINT", () => {});',
      expected: "source/watch.ts is no program and uses process.on",
    },
    {
      name: "a name that says nothing",
      path: "cli/path-utils.ts",
      text: "",
      expected: "cli/path-utils.ts has a name that says nothing",
    },
    {
      name: "a folder that says nothing",
      path: "helpers/path.ts",
      text: "",
      expected: "helpers/path.ts has a name that says nothing",
    },
    {
      name: "a file that does not fit in a head",
      path: "hub/hub.ts",
      text: "\n".repeat(251),
      expected: "hub/hub.ts has 251 lines; 250 is the limit",
    },
  ];
  test.each(cases)("$name", ({ path, text, expected }) => {
    expect(violations({ path, text })).toContain(expected);
  });

  test("no fault with what is allowed", () => {
    const fine: Source[] = [
      {
        path: "server.ts",
        text: 'import { a } from "./hub/hub.ts";\nimport pkg from "../package.json";\nprocess.exit(a);',
      },
      {
        path: "csv/a.ts",
        text: 'import { isUtf8 } from "node:buffer";\n// no Date.now() here\nisUtf8(new Uint8Array());',
      },
      { path: "csv/b.ts", text: 'import Papa from "papaparse";\nimport { x } from "./c.ts";\nPapa.parse(x);' },
      { path: "feed/subscriber.ts", text: "// runs in Bun and with node: too\nsetTimeout(() => {}, 1);" },
      { path: "cli/terminal.ts", text: 'import pkg from "../../package.json";\nprocess.stdout.write(pkg.version);' },
    ];
    expect(fine.flatMap(violations)).toEqual([]);
  });
});

function violations(source: Source): string[] {
  return [...importViolations(source), ...purityViolations(source), ...shapeViolations(source)];
}

function importViolations({ path, text }: Source): string[] {
  const room = roomOf(path);
  const allowed = [room, ...(FLOORS[room] ?? [])];
  return importsOf(path, text)
    .filter((specifier) => !isBuiltin(specifier))
    .map((specifier) => ({ specifier, target: targetOf(path, specifier) }))
    .filter(({ target }) => !allowed.includes(target) || (room === "programs" && target === "programs"))
    .map(({ specifier, target }) => `${path} imports ${target}: ${specifier}`);
}

function purityViolations({ path, text }: Source): string[] {
  const code = withoutComments(text);
  const found: string[] = [];
  if (isPure(path)) {
    const builtins = importsOf(path, text).filter((name) => isBuiltin(name) && !PURE_BUILTINS.includes(name));
    found.push(...builtins.map((name) => `${path} is pure and imports ${name}`));
    for (const [what, pattern] of Object.entries(IMPURITIES)) {
      const match = pattern.exec(code);
      if (match) found.push(`${path} is pure and touches ${what}: ${match[0]}`);
    }
  }
  const runtime = isForBrowsers(path) ? /\bBun\s*\.|["']node:|["']bun\b/.exec(code) : null;
  if (runtime) found.push(`${path} is for browsers and mentions ${runtime[0]}`);
  const markup = path.startsWith("viewer/") ? MARKUP.exec(code) : null;
  if (markup) found.push(`${path} makes markup of text: ${markup[0]}`);
  const privilege = PROGRAMS.includes(path) ? null : /\bprocess\s*\.\s*(exit|argv|on|once)\b(?!Code)/.exec(code);
  if (privilege) found.push(`${path} is no program and uses ${privilege[0]}`);
  return found;
}

function shapeViolations({ path, text }: Source): string[] {
  const lines = text.split("\n").length - 1;
  return [
    ...(FORBIDDEN_NAMES.test(path) ? [`${path} has a name that says nothing`] : []),
    ...(lines > MAX_LINES ? [`${path} has ${lines} lines; ${MAX_LINES} is the limit`] : []),
  ];
}

/** Every module that a source names; the transpiler drops imports of types, so these are looked for in the text. */
function importsOf(path: string, text: string): string[] {
  const transpiler = new Bun.Transpiler({ loader: path.endsWith(".tsx") ? "tsx" : "ts" });
  const scanned = transpiler.scanImports(text.replace(/^#!.*/, "")).map((found) => found.path);
  const typed = [
    ...withoutComments(text).matchAll(/\b(?:import|export)\b[^"'`;]*?\bfrom\s*["']([^"']+)["']/g),
    ...withoutComments(text).matchAll(/\bimport\s*\(?\s*["']([^"']+)["']/g),
  ].map((match) => match[1]!);
  return [...new Set([...scanned, ...typed])];
}

const isBuiltin = (specifier: string) => /^(node:|bun$|bun:)/.test(specifier);

/** The first folder under src, or `programs` for the files beside the rooms. */
const roomOf = (path: string) => (path.includes("/") ? path.slice(0, path.indexOf("/")) : "programs");

/** The room that a relative specifier leads to, or the name of the package. */
function targetOf(path: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  const target = posix.join("src", posix.dirname(path), specifier);
  return target.startsWith("src/") ? roomOf(target.slice("src/".length)) : target;
}

/** Whole-line comments are taken out: they may name what code may not. */
function withoutComments(text: string): string {
  return text.replace(/^\s*(\/\/|\/\*|\*).*$/gm, "");
}
