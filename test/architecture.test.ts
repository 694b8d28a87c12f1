// The rules of the house (docs/architecture.md), read from the sources: what a room may import, what it may touch, and how long a
// function may be.
import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import {
  isCallExpression,
  isExportDeclaration,
  isFunctionLikeDeclaration,
  isImportDeclaration,
  isImportTypeNode,
  isLiteralTypeNode,
  isNewExpression,
  isStringLiteral,
  type Node,
  type SourceFile,
  SyntaxKind,
} from "typescript/unstable/ast";
import { API } from "typescript/unstable/async";

type Text = { readonly path: string; readonly text: string };

type Import = { readonly specifier: string; readonly isTypeOnly: boolean };

/** `lines`: its own, without those of the functions in it. */
type Func = { readonly name: string; readonly lines: number };

type Source = Text & { readonly imports: readonly Import[]; readonly functions: readonly Func[] };

const SRC = join(import.meta.dir, "../src");

/** Who reads the command line, listens to signals and exits. Beside them `index.ts`, which is the package, and does none of that. */
const PROGRAMS = ["server.ts", "client.ts", "csvcast.ts"];

const PACKAGE = ["index.ts", "websocket-server.ts"];

/** A room may import any room of a lower floor, and none of its own or a higher one. `programs` are the files beside the rooms. */
const FLOORS = [
  ["programs"],
  ["cli", "viewer", "hub"],
  ["channel"],
  ["source", "relay"],
  ["follow", "feed", "csv"],
  ["values"],
] as const;

type Exception = { readonly from: string; readonly to: string; readonly isTypeOnly: boolean };

const EXCEPTIONS: readonly Exception[] = [
  // What came of a change is one value that everybody passes on as it is.
  { from: "", to: "feed/publication.ts", isTypeOnly: true },
  // A relay is a source, and its publisher takes snapshots of one; of files it knows nothing.
  { from: "relay/", to: "source/source.ts", isTypeOnly: false },
  { from: "relay/", to: "source/snapshots.ts", isTypeOnly: false },
  // What replicas hold counts with what all tables hold.
  { from: "relay/", to: "source/memory.ts", isTypeOnly: false },
  // The client library speaks the protocol, and shares its one implementation with the server.
  { from: "follow/", to: "feed/protocol.ts", isTypeOnly: false },
  // The program and the package are users of the server; the program does not load what only the package has.
  { from: "server.ts", to: "websocket-server.ts", isTypeOnly: false },
  { from: "index.ts", to: "websocket-server.ts", isTypeOnly: false },
  // One name for both programs.
  { from: "csvcast.ts", to: "server.ts", isTypeOnly: false },
  { from: "csvcast.ts", to: "client.ts", isTypeOnly: false },
];

/** Outside of src: who may import it. `node:` and `bun` are the runtime, and a matter of the purity rules. */
const OUTSIDE: Readonly<Record<string, readonly string[]>> = {
  papaparse: ["csv"],
  uplot: ["viewer"],
  "package.json": ["programs", "cli", "hub"],
};

/** They take what they need as arguments: no file, socket, timer, clock, random or environment. */
const isPure = (path: string) =>
  /^(csv|feed|values)\//.test(path) || /^follow\/(table|blocks|scan|part)\.ts$/.test(path);
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
const isForBrowsers = (path: string) => /^(follow|feed|viewer|values)\//.test(path) && path !== "viewer/files.ts";
const BROWSER_ROOMS = ["viewer", "follow", "feed", "values", "uplot"];

/** Text nodes only: what is in a file never becomes markup, a script or an address. */
const MARKUP =
  /\b(innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|setHTML\w*|DOMParser|document\.write|eval)\b|new Function/;

const FORBIDDEN_NAMES = /(^|[-_.])(util|helper|type|common|lib|manager)s?(?=[-_./]|$)/i;

/**
 * Lines of a function that are its own: from its first to its last, less those of the functions in it, each of which counts as the one
 * line where it begins. So what is measured is what has to be read at once: a factory that returns an object of small functions is as
 * long as its state and its wiring.
 */
const MAX_LINES = 60;

/** Longer ones, and why they are. */
const LONG_FUNCTIONS: Readonly<Record<string, string>> = {
  "csv/json.ts write": "the hot loop of the conversion: a call per byte or cell would cost more than it clears up",
  "csv/records.ts walkRecords": "the hot loop of reading, for the same reason",
  "csv/rfc4180.ts write": "the hot loop of the documents in CSV, for the same reason",
  "channel/channel.ts openChannel":
    "the composition root of a table: its feeds, documents and sinks, wired once, without a branch",
  "viewer/page.ts startPage": "the composition root of the page: every widget, wired once",
  "viewer/plot.ts openPlotPanel":
    "elements of the page, made one after the other without a branch, and the state they share",
  "viewer/grid.ts openGrid": "the state of the table in view, and what its small inner functions share",
};

const paths = (await Array.fromAsync(new Bun.Glob("**/*.{ts,tsx}").scan(SRC)))
  .map((path) => path.replaceAll("\\", "/"))
  .sort();

const INNER = (lines: number) => `  function inner() {\n${"    work();\n".repeat(lines - 2)}  }\n`;

const CASES: readonly {
  readonly name: string;
  readonly path: string;
  readonly text: string;
  readonly expected: string;
}[] = [
  {
    name: "an import that points up",
    path: "csv/json.ts",
    text: 'import { openFile } from "../source/file.ts";\nopenFile();',
    expected: "csv/json.ts imports source: ../source/file.ts",
  },
  {
    name: "an import from the room above",
    path: "channel/plain.ts",
    text: 'import { openHub } from "../hub/hub.ts";\nopenHub();',
    expected: "channel/plain.ts imports hub: ../hub/hub.ts",
  },
  {
    name: "a room of the same floor",
    path: "hub/hub.ts",
    text: 'import { x } from "../cli/token.ts";\nx();',
    expected: "hub/hub.ts imports cli: ../cli/token.ts",
  },
  {
    name: "Redis in a source",
    path: "source/file/file.ts",
    text: 'import { isRelayUrl } from "../../relay/address.ts";\nisRelayUrl("");',
    expected: "source/file/file.ts imports relay: ../../relay/address.ts",
  },
  {
    name: "files in a relay",
    path: "relay/follow/follower.ts",
    text: 'import type { Held } from "../../source/held.ts";\nexport type X = Held;',
    expected: "relay/follow/follower.ts imports source: ../../source/held.ts",
  },
  {
    name: "a CSV in the client library",
    path: "follow/table.ts",
    text: 'import { walk } from "../csv/records.ts";\nwalk();',
    expected: "follow/table.ts imports csv: ../csv/records.ts",
  },
  {
    name: "more than the protocol in the client library",
    path: "follow/subscriber.ts",
    text: 'import { openFeed } from "../feed/feed.ts";\nopenFeed(1);',
    expected: "follow/subscriber.ts imports feed: ../feed/feed.ts",
  },
  {
    name: "more than types of a publication",
    path: "csv/view.ts",
    text: 'import { x } from "../feed/publication.ts";\nx();',
    expected: "csv/view.ts imports feed: ../feed/publication.ts",
  },
  {
    name: "a type-only import, which the transpiler drops",
    path: "cli/server/console.ts",
    text: 'import type { Hub } from "../../hub/hub.ts";\nexport type X = Hub;',
    expected: "cli/server/console.ts imports hub: ../../hub/hub.ts",
  },
  {
    name: "a type-only import over several lines",
    path: "cli/server/console.ts",
    text: 'import type {\n  Hub,\n  Frame,\n} from "../../hub/hub.ts";',
    expected: "cli/server/console.ts imports hub: ../../hub/hub.ts",
  },
  {
    name: "an inline type import",
    path: "feed/feed.ts",
    text: 'export type X = import("../hub/hub.ts").Hub;',
    expected: "feed/feed.ts imports hub: ../hub/hub.ts",
  },
  {
    name: "a re-export of a type",
    path: "channel/live.ts",
    text: 'export type { Hub } from "../hub/hub.ts";',
    expected: "channel/live.ts imports hub: ../hub/hub.ts",
  },
  {
    name: "a re-export of everything",
    path: "channel/live.ts",
    text: 'export * from "../hub/hub.ts";',
    expected: "channel/live.ts imports hub: ../hub/hub.ts",
  },
  {
    name: "a dynamic import",
    path: "follow/subscriber.ts",
    text: 'const hub = await import("../hub/hub.ts");',
    expected: "follow/subscriber.ts imports hub: ../hub/hub.ts",
  },
  {
    name: "a Worker of another room",
    path: "source/thread.ts",
    text: 'new Worker(new URL("../channel/sources.worker.ts", import.meta.url));',
    expected: "source/thread.ts imports channel: ../channel/sources.worker.ts",
  },
  {
    name: "a room that imports a program",
    path: "cli/options.ts",
    text: 'import { websocketServer } from "../index.ts";\nwebsocketServer();',
    expected: "cli/options.ts imports programs: ../index.ts",
  },
  {
    name: "a package that imports a program",
    path: "index.ts",
    text: 'import { run } from "./server.ts";\nrun();',
    expected: "index.ts imports programs: ./server.ts",
  },
  {
    name: "what the page shares with the server only",
    path: "viewer/page.ts",
    text: 'import { pathOf } from "../channel/http.ts";\npathOf("");',
    expected: "viewer/page.ts is for browsers and imports channel",
  },
  {
    name: "papaparse outside csv",
    path: "source/read.ts",
    text: 'import Papa from "papaparse";\nPapa.parse("");',
    expected: "source/read.ts imports papaparse: papaparse",
  },
  {
    name: "the plots outside the viewer",
    path: "hub/hub.ts",
    text: 'import uPlot from "uplot";\nnew uPlot();',
    expected: "hub/hub.ts imports uplot: uplot",
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
    path: "follow/table.ts",
    text: "setTimeout(() => {}, 10);",
    expected: "follow/table.ts is pure and touches a timer: setTimeout(",
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
    path: "follow/subscriber.ts",
    text: "const t: Bun.Timer = 1;",
    expected: "follow/subscriber.ts is for browsers and mentions Bun.",
  },
  {
    name: "node: where browsers go",
    path: "follow/subscriber.ts",
    text: 'import { EventEmitter } from "node:events";\nnew EventEmitter();',
    expected: 'follow/subscriber.ts is for browsers and mentions "node:',
  },
  {
    name: "Bun on the page",
    path: "viewer/page.ts",
    text: 'Bun.escapeHTML("");',
    expected: "viewer/page.ts is for browsers and mentions Bun.",
  },
  {
    name: "markup made of text",
    path: "viewer/rows.ts",
    text: "cell.innerHTML = text;",
    expected: "viewer/rows.ts makes markup of text: innerHTML",
  },
  {
    name: "a room that exits",
    path: "cli/errors.ts",
    text: "process.exit(1);",
    expected: "cli/errors.ts is no program and uses process.exit",
  },
  {
    name: "a room that reads argv or handles signals",
    path: "source/file/watch.ts",
    text: 'process.on("SIGINT", () => {});',
    expected: "source/file/watch.ts is no program and uses process.on",
  },
  {
    name: "a package that exits",
    path: "index.ts",
    text: "process.exit(1);",
    expected: "index.ts is the package and uses process",
  },
  {
    name: "a package that reads the environment",
    path: "index.ts",
    text: 'const port = process.env["PORT"];',
    expected: "index.ts is the package and uses process",
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
    name: "a function that is too long to be read at once",
    path: "hub/hub.ts",
    text: `export function openHub() {\n${"  work();\n".repeat(59)}}`,
    expected: `hub/hub.ts openHub has 61 lines of its own; ${MAX_LINES} is the limit`,
  },
  {
    name: "one whose name is that of its variable",
    path: "hub/hub.ts",
    text: `const open = async () => {\n${"  work();\n".repeat(59)}};`,
    expected: `hub/hub.ts open has 61 lines of its own; ${MAX_LINES} is the limit`,
  },
  {
    name: "one that is a method, its braces in strings, templates and expressions",
    path: "hub/hub.ts",
    text: `export const hub = {\n  open() {\n${'    work("}", `}${`}`}`, /}/);\n'.repeat(59)}  },\n};`,
    expected: `hub/hub.ts open has 61 lines of its own; ${MAX_LINES} is the limit`,
  },
  {
    name: "one that is long besides the functions in it",
    path: "hub/hub.ts",
    text: `function openHub() {\n${INNER(40)}${"  work();\n".repeat(58)}}`,
    expected: `hub/hub.ts openHub has 61 lines of its own; ${MAX_LINES} is the limit`,
  },
];

const FINE: readonly Text[] = [
  {
    path: "server.ts",
    text: 'import { a } from "./hub/hub.ts";\nimport { b } from "./websocket-server.ts";\nimport pkg from "../package.json";\nprocess.exit(a);',
  },
  {
    path: "csv/a.ts",
    text: 'import { isUtf8 } from "node:buffer";\n// no Date.now() here\nisUtf8(new Uint8Array());',
  },
  { path: "csv/b.ts", text: 'import Papa from "papaparse";\nimport { x } from "./c.ts";\nPapa.parse(x);' },
  { path: "csv/c.ts", text: 'import type { Cursor } from "../feed/publication.ts";\nexport type X = Cursor;' },
  { path: "relay/publish/a.ts", text: 'import { problemOf } from "../../source/source.ts";\nproblemOf(1);' },
  { path: "follow/subscriber.ts", text: "// runs in Bun and with node: too\nsetTimeout(() => {}, 1);" },
  { path: "follow/connection.ts", text: 'import { CLOSE } from "../feed/protocol.ts";\nCLOSE;' },
  {
    path: "viewer/files.ts",
    text: 'import { gzipSync } from "node:zlib";\nimport { x } from "../channel/http.ts";\nx();',
  },
  { path: "cli/client/rows.ts", text: 'import pkg from "../../../package.json";\nprocess.stdout.write(pkg.version);' },
  { path: "hub/figures.ts", text: 'export const text = `import { x } from "../cli/x.ts"`;' },
  { path: "hub/sockets.ts", text: `function openSockets() {\n${INNER(50)}${INNER(50)}${"  work();\n".repeat(50)}}` },
];

const sources = await parse(
  await Promise.all(paths.map(async (path) => ({ path, text: await Bun.file(join(SRC, path)).text() }))),
);
const faulty = await parse(CASES);
const fine = await parse(FINE);

describe("the rules of the house hold for", () => {
  test.each(sources)("src/$path", (source) => {
    expect(violations(source)).toEqual([]);
  });

  test("all rooms that the rules name or may name", () => {
    expect(new Set(sources.map(({ path }) => roomOf(path)))).toEqual(new Set(FLOORS.flat()));
  });

  test("the functions that are said to be long: no other is forgiven", () => {
    const long = sources.flatMap(({ path, functions }) =>
      functions.filter(({ lines }) => lines > MAX_LINES).map(({ name }) => `${path} ${name}`),
    );
    expect(Object.keys(LONG_FUNCTIONS).filter((name) => !long.includes(name))).toEqual([]);
  });
});

/** What waits for another program, or for a socket, waits long on a busy machine. */
test("tests that start programs or servers have more time than the five seconds of the runtime", async () => {
  const starts = /\bBun\.(spawn|serve|listen|Terminal|WebView)\b|\bspawn\(|\bstart(Server|Client|Child)\(/;
  const hasTime = /setDefaultTimeout\(|^  60_000 \+ /m;
  const files = await Array.fromAsync(new Bun.Glob("**/*.test.ts").scan(import.meta.dir));
  const own = files.filter((path) => !path.includes("node_modules"));
  const texts = await Promise.all(own.map((path) => Bun.file(join(import.meta.dir, path)).text()));
  expect(own.length).toBeGreaterThan(100);
  expect(own.filter((_, at) => starts.test(texts[at]!) && !hasTime.test(texts[at]!))).toEqual([]);
});

describe("the check itself finds", () => {
  test.each(CASES.map((found, i) => ({ ...found, source: faulty[i]! })))("$name", ({ source, expected }) => {
    expect(violations(source)).toContain(expected);
  });

  test("no fault with what is allowed", () => {
    expect(fine.flatMap(violations)).toEqual([]);
  });
});

function violations(source: Source): string[] {
  return [...importViolations(source), ...purityViolations(source), ...shapeViolations(source)];
}

function importViolations({ path, imports }: Source): string[] {
  const modules = imports.filter(({ specifier }) => !isBuiltin(specifier));
  const targets = modules.map((found) => ({ ...found, target: targetOf(path, found.specifier) }));
  const forBrowsers = isForBrowsers(path) ? targets.map(({ target }) => roomOf(target)) : [];
  return [
    ...targets
      .filter(({ target, isTypeOnly }) => !mayImport(path, target, isTypeOnly))
      .map(({ specifier, target }) => `${path} imports ${roomOf(target)}: ${specifier}`),
    ...forBrowsers
      .filter((room) => !BROWSER_ROOMS.includes(room))
      .map((room) => `${path} is for browsers and imports ${room}`),
  ];
}

function mayImport(path: string, target: string, isTypeOnly: boolean): boolean {
  const room = roomOf(path);
  const outside = OUTSIDE[target];
  if (outside) return outside.includes(room);
  const from = floorOf(room);
  const to = floorOf(roomOf(target));
  if (from < 0 || to < 0) return false;
  if (to > from || (room === roomOf(target) && room !== "programs")) return true;
  return EXCEPTIONS.some(
    (allowed) => path.startsWith(allowed.from) && target === allowed.to && (isTypeOnly || !allowed.isTypeOnly),
  );
}

function purityViolations({ path, text, imports }: Source): string[] {
  const code = withoutComments(text);
  const found: string[] = [];
  if (isPure(path)) {
    const builtins = imports.map(({ specifier }) => specifier).filter((name) => isBuiltin(name));
    const impure = builtins.filter((name) => !PURE_BUILTINS.includes(name));
    found.push(...impure.map((name) => `${path} is pure and imports ${name}`));
    for (const [what, pattern] of Object.entries(IMPURITIES)) {
      const match = pattern.exec(code);
      if (match) found.push(`${path} is pure and touches ${what}: ${match[0]}`);
    }
  }
  const runtime = isForBrowsers(path) ? /\bBun\s*\.|["']node:|["']bun\b/.exec(code) : null;
  if (runtime) found.push(`${path} is for browsers and mentions ${runtime[0]}`);
  const markup = path.startsWith("viewer/") ? MARKUP.exec(code) : null;
  if (markup) found.push(`${path} makes markup of text: ${markup[0]}`);
  const privilege = PROGRAMS.includes(path) ? null : /\bprocess\s*\.\s*(exit|argv|on|once)\b/.exec(code);
  if (privilege) found.push(`${path} is no program and uses ${privilege[0]}`);
  if (PACKAGE.includes(path) && /\bprocess\s*[.[]/.test(code)) found.push(`${path} is the package and uses process`);
  return found;
}

function shapeViolations({ path, functions }: Source): string[] {
  const long = functions.filter(({ name, lines }) => lines > MAX_LINES && !(`${path} ${name}` in LONG_FUNCTIONS));
  return [
    ...(FORBIDDEN_NAMES.test(path) ? [`${path} has a name that says nothing`] : []),
    ...long.map(({ name, lines }) => `${path} ${name} has ${lines} lines of its own; ${MAX_LINES} is the limit`),
  ];
}

const isBuiltin = (specifier: string) => /^(node:|bun$|bun:)/.test(specifier);

/** The first folder under src, or `programs` for the files beside the rooms; a package is a room of its own. */
function roomOf(path: string): string {
  if (path.includes("/")) return path.slice(0, path.indexOf("/"));
  return path.endsWith(".ts") ? "programs" : path;
}

const floorOf = (room: string) => FLOORS.findIndex((rooms) => (rooms as readonly string[]).includes(room));

/** The file under src that a relative specifier leads to, a file of the project's root, or the name of the package. */
function targetOf(path: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  return posix.join("src", posix.dirname(path), specifier).replace(/^src\//, "");
}

/** Whole-line comments are taken out: they may name what code may not. */
function withoutComments(text: string): string {
  return text.replace(/^\s*(\/\/|\/\*|\*).*$/gm, "");
}

/** Reads sources with the compiler's own parser, which wants them in files. */
async function parse(texts: readonly Text[]): Promise<Source[]> {
  const folder = await mkdtemp(join(tmpdir(), "csvcast-architecture-"));
  const files = texts.map(({ path }, i) => join(folder, String(i), path));
  const compilerOptions = { noLib: true, noResolve: true, types: [], noEmit: true, allowImportingTsExtensions: true };
  const config = join(folder, "tsconfig.json");
  const compiler = new API();
  try {
    await Promise.all(texts.map(({ text }, i) => Bun.write(files[i]!, text)));
    await Bun.write(config, JSON.stringify({ compilerOptions, files }));
    const { program } = (await compiler.updateSnapshot({ openProjects: [config] })).getProjects()[0]!;
    const parsed = await Promise.all(files.map((file) => program.getSourceFile(file)));
    return texts.map((text, i) => ({ ...text, ...read(parsed[i]!) }));
  } finally {
    await compiler.close();
    await rm(folder, { recursive: true });
  }
}

type Counted = { readonly name: string; lines: number };

function read(file: SourceFile): { imports: Import[]; functions: Func[] } {
  const imports: Import[] = [];
  const functions: Counted[] = [];
  const lineOf = (position: number) => file.getLineAndCharacterOfPosition(position).line;

  function visit(node: Node, outer: Counted | undefined): void {
    const found = importIn(node);
    if (found) imports.push(found);
    let within = outer;
    if (isFunctionLikeDeclaration(node) && node.body) {
      const lines = lineOf(node.end) - lineOf(node.getStart(file)) + 1;
      if (outer) outer.lines -= lines - 1;
      functions.push((within = { name: nameOf(node) ?? nameOf(node.parent) ?? "a function", lines }));
    }
    node.forEachChild((child) => visit(child, within));
  }

  visit(file, undefined);
  return { imports, functions };
}

/** Its own, or that of the variable or property that it is the value of. */
function nameOf(node: Node): string | undefined {
  return (node as Node & { name?: { text?: string } }).name?.text;
}

/** `import`, `export … from`, `import()`, the type `import()`, and `new URL("…", import.meta.url)`, as Workers are named. */
function importIn(node: Node): Import | undefined {
  const of = (specifier: Node | undefined, isTypeOnly: boolean) =>
    specifier && isStringLiteral(specifier) ? { specifier: specifier.text, isTypeOnly } : undefined;
  if (isImportDeclaration(node))
    return of(node.moduleSpecifier, node.importClause?.phaseModifier === SyntaxKind.TypeKeyword);
  if (isExportDeclaration(node)) return of(node.moduleSpecifier, node.isTypeOnly);
  if (isImportTypeNode(node)) return of(isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true);
  if (isCallExpression(node) && node.expression.kind === SyntaxKind.ImportKeyword) return of(node.arguments[0], false);
  if (
    isNewExpression(node) &&
    node.expression.getText() === "URL" &&
    node.arguments?.[1]?.getText() === "import.meta.url"
  )
    return of(node.arguments[0], false);
  return undefined;
}
