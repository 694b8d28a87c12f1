// The package as whoever installs it has it: packed, installed into an empty project, compiled by a strict compiler, and run.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { cp, mkdir, mkdtemp, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import pkg from "../package.json";
import { type Folder, sampleCsv, sampleJson, TEST_TIMEOUT_MS, temporaryFolder } from "./support.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const ROOT = join(import.meta.dir, "..");
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");
const TARBALL = `csvcast-${pkg.version}.tgz`;

async function outcomeOf(command: readonly string[], cwd: string) {
  await using child = Bun.spawn([...command], { cwd, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { stdout, stderr, exitCode: await child.exited };
}

async function succeeds(command: readonly string[], cwd: string): Promise<string> {
  const { stdout, stderr, exitCode } = await outcomeOf(command, cwd);
  if (exitCode !== 0) throw new Error(`${command.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

let folder: Folder;
/** Of the one who has installed the package. */
let project: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  project = join(folder.path, "project");
  await pack(join(folder.path, "source"));
  await install();
}, 120_000);

afterAll(() => folder[Symbol.asyncDispose]());

/** From a copy of the sources: other tests build in this folder at the same time. */
async function pack(source: string): Promise<void> {
  await mkdir(source);
  const made = pkg.files.filter((name) => !name.startsWith("dist/"));
  const names = ["package.json", "README.md", "LICENSE", ...made];
  await Promise.all(names.map((name) => cp(join(ROOT, name), join(source, name), { recursive: true })));
  await symlink(join(ROOT, "node_modules"), join(source, "node_modules"));
  await succeeds([process.execPath, "pm", "pack", "--destination", folder.path], source);
}

/** Without a network: what the package depends on comes from this project's own modules. */
async function install(): Promise<void> {
  await mkdir(project);
  const names = Object.keys(pkg.dependencies);
  const modules = join(ROOT, "node_modules");
  await Promise.all(names.map((name) => succeeds(["tar", "czhf", `${name}.tgz`, "-C", modules, name], folder.path)));
  await Bun.write(join(project, "package.json"), JSON.stringify(manifest("..")));
  await Bun.write(join(project, "sample.csv"), sampleCsv);
  await Bun.write(join(project, "compiled.ts"), COMPILED);
  await Bun.write(join(project, "run.ts"), RUN);
  await succeeds([process.execPath, "install", "--offline"], project);
}

/** Of a project that has nothing but csvcast, whose packages are in the folder. */
const manifest = (packages: string) => ({
  name: "project",
  type: "module",
  dependencies: { csvcast: `file:${packages}/${TARBALL}` },
  overrides: Object.fromEntries(Object.keys(pkg.dependencies).map((name) => [name, `file:${packages}/${name}.tgz`])),
});

/** Every function and type, as a program would use them. */
const COMPILED = `
import {
  type Certificate, type ClientHandle, type ClientOptions, convertCsvToJson, CsvError, type CsvErrorKind, type Publication,
  type ReadOptions, type ServerEvent, type ServerHandle, type ServerOptions, type Status, websocketClient, websocketServer,
} from "csvcast";
import { follow, subscribe, type Table, toObjects } from "csvcast/client";

const words = (event: ServerEvent): string => {
  if (event.type === "file-state") return event.state + event.message;
  if (event.type === "client-refused") return event.cause;
  return event.type;
};

export async function serve(file: string, certificate: Certificate | undefined): Promise<number> {
  const options: ServerOptions = { file, port: 0, intervalMs: 250, lastRows: 10, allowedOrigins: ["https://a.example"] };
  const server: ServerHandle = websocketServer({ ...options, certificate, onEvent: (event) => words(event) });
  await server.ready;
  await server.open("b.csv");
  if (certificate) server.renew(certificate);
  const publication: Publication | undefined = server.overview().publication;
  const { state }: Status = server.overview().status;
  await server.close(1_000);
  return state === "live" ? (publication?.rows ?? 0) + server.address.port + server.token.length : 0;
}

export function listen(url: string, token: string | undefined): ClientHandle {
  const options: ClientOptions = { url, token, giveUpMs: 1_000, onMessage: (text) => void text.length };
  websocketClient({ ...options, onRetry: (why, delayMs) => [why.length, delayMs] }).pause();
  return websocketClient(options);
}

export async function convert(path: string): Promise<string | CsvErrorKind> {
  const options: ReadOptions = { delimiter: ";", encoding: "latin1" };
  try {
    return await convertCsvToJson(path, options);
  } catch (error) {
    if (error instanceof CsvError && (error.line ?? 0) > 1) return error.kind;
    throw error;
  }
}

export async function newest(url: string): Promise<Table | undefined> {
  subscribe(url, { onStatus: ({ state }) => state === "live" }).close();
  for await (const table of follow(url)) if (toObjects(table).length > 0) return table;
  return undefined;
}

// @ts-expect-error: a port is a number
websocketServer({ port: "80" });
// @ts-expect-error: somebody has to listen
websocketClient({ url: "ws://127.0.0.1/" });
// @ts-expect-error: a publication is not to be changed
export const change = (publication: Publication) => (publication.rows = 0);
`;

/** Prints what it sees, one JSON value a line, and comes to its end by itself. */
const RUN = `
import { convertCsvToJson, websocketClient, websocketServer } from "csvcast";
import { follow } from "csvcast/client";

const say = (value: unknown) => console.log(JSON.stringify(value));
const events: string[] = [];
const where = { hostname: "127.0.0.1", port: undefined, intervalMs: undefined };
const server = websocketServer({ file: "sample.csv", ...where, onEvent: ({ type }) => events.push(type) });
await server.ready;
const url = "ws://127.0.0.1:" + server.address.port;
say(server.overview().status.state);

const { promise: first, resolve } = Promise.withResolvers<string>();
const client = websocketClient({ url, onMessage: resolve });
say(await first);
client.close();
for await (const { rows } of follow(url)) { say(rows); break; }
say((await fetch(url.replace("ws", "http") + "/csv.json")).status);
say(await convertCsvToJson("sample.csv") === await first);

try { websocketServer({ port: server.address.port, hostname: "127.0.0.1" }); } catch (error) { say(error.code); }
try { websocketServer({ isStandby: true }); } catch (error) { say(error.message); }
await server.open("nowhere.csv").catch((error) => say([error.name, error.kind, error.message]));

const { promise: ended, resolve: end } = Promise.withResolvers<string>();
websocketClient({ url, giveUpMs: 0, onMessage() {}, onEnd: end, onOpen: () => void server.close() });
say(typeof (await ended));
say(events.slice(0, 3));
`;

describe.concurrent("the package", () => {
  test.each(["bundler", "node16", "nodenext"])(
    "has types for a strict compiler that resolves modules as %s does, with nothing else installed",
    async (resolution) => {
      const modules = ["--module", resolution === "bundler" ? "esnext" : resolution, "--moduleResolution", resolution];
      const strict = [
        "--strict",
        "--exactOptionalPropertyTypes",
        "--noUncheckedIndexedAccess",
        "--skipLibCheck",
        "false",
      ];
      const options = ["--ignoreConfig", "--noEmit", "--listFiles", "--target", "es2022", "--types", ""];
      const { stdout: listed } = await outcomeOf(
        [process.execPath, TSC, ...options, ...strict, ...modules, "compiled.ts"],
        project,
      );
      expect(listed.split("\n").filter((line) => line.includes("error TS"))).toEqual([]);
      const files = listed.split("\n").filter((file) => /\.ts$/.test(file) && !/\/lib\.[\w.]+\.d\.ts$/.test(file));
      const declared = files.filter((file) => file.endsWith(".d.ts"));
      expect(declared.length).toBeGreaterThan(5);
      expect(declared.filter((file) => !file.includes("/node_modules/csvcast/dist/"))).toEqual([]);
      expect(files.filter((file) => !declared.includes(file))).toEqual([expect.stringMatching(/compiled\.ts$/)]);
    },
  );

  test("serves, follows and converts in a program, which ends by itself when all is closed", async () => {
    const { stdout, stderr, exitCode } = await outcomeOf([process.execPath, "run.ts"], project);
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    const rows = (JSON.parse(sampleJson) as Record<string, string>[]).map((row) => Object.values(row));
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      "live",
      sampleJson,
      rows,
      200,
      true,
      "EADDRINUSE",
      "--standby: needs --relay",
      ["CsvError", "not-found", "nowhere.csv: no such file"],
      "string",
      ["file-on-air", "client-connected", "client-disconnected"],
    ]);
  });

  test.each(["csvcast", "csvcast-server", "csvcast-client"])("brings the program %s", async (name) => {
    const program = join(project, "node_modules/.bin", name);
    expect(await outcomeOf([process.execPath, program, "--version"], project)).toEqual({
      stdout: `${pkg.version}\n`,
      stderr: "",
      exitCode: 0,
    });
  });

  test.each([
    { server: "csvcast", client: "csvcast client" },
    { server: "csvcast-server", client: "csvcast-client" },
  ])("names the commands $server and $client when started by them, and none of a clone", async ({ server, client }) => {
    const program = (command: string) => {
      const [first = "", ...rest] = command.split(" ");
      return [join(project, "node_modules/.bin", first), ...rest];
    };
    const { stdout } = await outcomeOf([...program(server), "--help", "all"], project);
    expect(stdout).toMatch(new RegExp(`^Usage: ${server} \\[FILE`, "m"));
    expect(stdout).toContain(`(${client} --live)`);
    const about = await outcomeOf([...program(client), "sample.csv"], project);
    expect(about.stderr).toContain(`${server} sample.csv publishes it, and then ${client} prints it`);
    expect(about.stdout + about.stderr + stdout).not.toContain("bun run");
  });

  /** Ways to start an installed program from a folder that others can write to, which is below the project's. */
  const ways = [
    { name: "its name, the server", way: ["../node_modules/.bin/csvcast-server"] },
    { name: "its name, the client", way: ["../node_modules/.bin/csvcast-client"] },
    { name: "bunx", way: [process.execPath, "x", "csvcast-server"] },
    { name: "bunx --bun", way: [process.execPath, "x", "--bun", "csvcast-client"] },
    { name: "bun run", way: [process.execPath, "run", "csvcast-server"] },
  ];
  const posix = test.skipIf(process.platform === "win32");
  posix.each(ways)("is started by $name without a word of the folder", async ({ way }) => {
    const hostile = await mkdtemp(join(project, "hostile-"));
    const trap = (name: string, content: string) => Bun.write(join(hostile, name), content);
    await trap("trap.ts", 'await Bun.write(new URL("./sprung", import.meta.url), "");');
    await trap("bunfig.toml", 'preload = ["./trap.ts"]\n');
    await trap("tsconfig.json", '{"compilerOptions":{"paths":{"*":["./trap.ts"]}}}');
    for (const name of [".env", ".env.local", ".env.production"])
      await trap(name, "CSVCAST_TOKEN=\nCSVCAST_PORT=none\n");
    await trap("node_modules/papaparse/package.json", '{"main":"../../trap.ts"}');
    await trap("channel/sources.worker.ts", 'await Bun.write("sprung", "");');
    expect(await outcomeOf([...way, "--version"], hostile)).toEqual({
      stdout: `${pkg.version}\n`,
      stderr: "",
      exitCode: 0,
    });
    expect(await Bun.file(join(hostile, "sprung")).exists()).toBe(false);
  });

  test("has one command for both programs: csvcast FILE, and csvcast client", async () => {
    const csvcast = [process.execPath, join(project, "node_modules/.bin/csvcast")];
    const notClient = await outcomeOf([...csvcast, "client", "--no-such"], project);
    expect(notClient).toEqual({ stdout: "", stderr: expect.stringMatching(/^csvcast-client: --no-such/), exitCode: 2 });
    await using server = Bun.spawn([...csvcast, "sample.csv", "--port", "0", "--host", "127.0.0.1", "--log", "json"], {
      cwd: project,
      env: { ...process.env, XDG_RUNTIME_DIR: project },
      stdin: "ignore",
      stdout: "pipe",
    });
    const lines = server.stdout.pipeThrough(new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>);
    let said = "";
    for await (const text of lines) if (/file-on-air/.test((said += text))) break;
    const { url } = JSON.parse(said.split("\n")[0]!) as { url: string };
    const client = await outcomeOf([...csvcast, "client", url, "--once", "--quiet"], project);
    expect(client).toEqual({ stdout: `${sampleJson}\n`, stderr: "", exitCode: 0 });
  });

  const node = Bun.which("node");
  test.skipIf(node === null)(
    "gives Node no TypeScript, and says where Bun is needed (skipped without node)",
    async () => {
      const program = `
      import { subscribe, toObjects } from "csvcast/client";
      console.log(typeof subscribe, import.meta.resolve("csvcast/client").split("/csvcast/")[1]);
      console.log(toObjects({ columns: ["a"], rows: [["1"]] }));
      await import("csvcast").catch((error) => console.log(error.message));`;
      await Bun.write(join(project, "program.mjs"), program);
      expect(await outcomeOf([node!, "program.mjs"], project)).toEqual({
        stdout:
          "function dist/client/index.js\n[ { a: '1' } ]\n" +
          "csvcast: the server and convertCsvToJson need Bun, https://bun.sh; in Node and browsers import from csvcast/client\n",
        stderr: "",
        exitCode: 0,
      });
      const conditions = Object.values(pkg.exports).flatMap((target) =>
        typeof target === "string"
          ? [target]
          : Object.entries(target).flatMap(([name, path]) => (name === "bun" ? [] : [path])),
      );
      expect(conditions.filter((path) => /(?<!\.d)\.ts$/.test(path))).toEqual([]);
    },
  );

  test("has what it needs, and neither tests nor executables", async () => {
    const names = (await succeeds(["tar", "tzf", TARBALL], folder.path)).trimEnd().split("\n");
    const folders = new Set(
      names.map((name) =>
        name
          .split("/")
          .slice(1, name.startsWith("package/dist/") ? 3 : 2)
          .join("/"),
      ),
    );
    expect([...folders].sort()).toEqual(
      [
        "package.json",
        "README.md",
        "LICENSE",
        ...pkg.files.map((name) => name.replace("test/viewer/screenshot.png", "test")),
      ].sort(),
    );
    expect(names.filter((name) => name.startsWith("package/test/"))).toEqual(["package/test/viewer/screenshot.png"]);
    expect(names.filter((name) => /\/(node_modules|\.git|\.env)/.test(name))).toEqual([]);
  });
});

test("its programs may be run as they are in the repository: `bun link` changes no file of a clone", async () => {
  for (const path of Object.values(pkg.bin))
    expect([path, ((await stat(join(ROOT, path))).mode & 0o111).toString(8)]).toEqual([path, "111"]);
});

test("what is not decided yet is left out of the manifest", () => {
  expect(Object.keys(pkg).filter((key) => ["repository", "homepage", "bugs", "author"].includes(key))).toEqual([]);
});

const npm = Bun.which("npm");
test.skipIf(npm === null)(
  "npm makes the same package, and an install of it in an empty project works in Node (skipped without npm)",
  async () => {
    await using other = await temporaryFolder();
    const source = join(folder.path, "source");
    const listed = JSON.parse(await succeeds([npm!, "pack", "--dry-run", "--json", "--ignore-scripts"], source)) as {
      files: { path: string }[];
    }[];
    const packed = (await succeeds(["tar", "tzf", TARBALL], folder.path)).trimEnd().split("\n");
    expect(listed[0]!.files.map(({ path }) => `package/${path}`).sort()).toEqual(packed.sort());
    await other.write("package.json", JSON.stringify(manifest(folder.path)));
    await succeeds([npm!, "install", "--offline", "--no-audit", "--no-fund"], other.path);
    await other.write("program.js", 'import { follow } from "csvcast/client"; console.log(typeof follow);');
    expect(await succeeds(["node", "program.js"], other.path)).toBe("function\n");
  },
);

test.each(["package.json", "deploy/Dockerfile", "deploy/executables.ts"])("what %s builds is there", async (name) => {
  const built = (await Bun.file(join(ROOT, name)).text()).match(/\bsrc\/[\w./-]+\.ts\b/g) ?? [];
  expect(built).toContain("src/channel/sources.worker.ts");
  for (const path of built) expect([path, await Bun.file(join(ROOT, path)).exists()]).toEqual([path, true]);
});
