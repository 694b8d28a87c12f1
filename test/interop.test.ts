// Clients that we did not write, against the real server. What the machine lacks is skipped here, and installed by .ci/run.
// And the library that the package offers to others, as they get it: built, typed, in Node.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFile, cp, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { atOnce } from "./at-once.ts";
import { openScriptedServer, rowsOf, speaker, statusOf } from "./follow/scripted-server.ts";
import { type Folder, startServer, temporaryFolder, TEST_TIMEOUT_MS, until } from "./support.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);
atOnce(4);

const SAMPLE = '[{"a":"1","b":"é"}]';
const python = ["/usr/bin/python3", "python3"].find((name) => {
  const found = Bun.which(name);
  return found !== null && Bun.spawnSync([found, "-c", "import websockets"], { stderr: "ignore" }).success;
});

test.concurrent.skipIf(!python)(
  "Python's websockets gets the table, and the next one (skipped without python3-websockets)",
  async () => {
    await using folder = await temporaryFolder();
    await folder.write("s.csv", "a,b\n1,é\n");
    await using server = await startServer(["s.csv"], { folder });
    const script = `
import asyncio, sys, websockets
async def main():
    async with websockets.connect(sys.argv[1], max_size=None) as feed:
        for _ in range(2): print(await feed.recv())
asyncio.run(main())`;

    const client = Bun.spawn([python!, "-c", script, server.url], { stdout: "pipe", stderr: "inherit" });
    expect(await new Response(client.stdout).text()).toBe(`${SAMPLE}\n${SAMPLE}\n`);
    expect(await client.exited).toBe(0);
  },
);

test.concurrent.skipIf(!python)(
  "Python's websockets follows the live feed by the one rule, and resumes (skipped without python3-websockets)",
  async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("s.csv", "a,b\n1,é\n");
    await using server = await startServer([path], { folder });
    await server.prints("s.csv: ");
    const script = `
import asyncio, json, sys, websockets
async def main():
    rows, cursor = [], None
    for wanted in (1, 2, 3):
        since = "" if cursor is None else f"?since={cursor[0]}:{cursor[1]}"
        async with websockets.connect(sys.argv[1] + since, subprotocols=["csvcast.v1"], max_size=None) as feed:
            assert feed.subprotocol == "csvcast.v1"
            kinds = []
            async for text in feed:
                message = json.loads(text)
                kinds.append(message["type"])
                if message["type"] == "snapshot":
                    assert message["at"] == 0 and len(message["rows"]) == message["count"]
                    rows, cursor = message["rows"], (message["epoch"], message["version"])
                elif message["type"] == "delta":
                    assert (message["epoch"], message["from"]) == cursor
                    for start, deleted, inserted in message["splices"]: rows[start:start + deleted] = inserted
                    cursor = (message["epoch"], message["to"])
                    assert len(rows) == message["count"]
                if len(rows) == wanted and message["type"] == "sync": break
            print(wanted, kinds[0], json.dumps(rows, ensure_ascii=False), flush=True)
        sys.stdin.readline()
asyncio.run(main())`;

    const client = Bun.spawn([python!, "-c", script, server.url], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
    const lines: string[] = [];
    for await (const line of createInterface({ input: Readable.fromWeb(client.stdout) })) {
      lines.push(line);
      await appendFile(path, `${lines.length + 1},x\n`);
      await until(
        "the row to be there",
        async () =>
          (await fetch(`${server.http}/csv.csv`)).ok &&
          (await (await fetch(`${server.http}/csv.csv`)).text()).includes(`${lines.length + 1},x`),
      );
      client.stdin.write("\n");
      client.stdin.flush();
    }
    expect(await client.exited).toBe(0);
    expect(lines).toEqual([
      '1 snapshot [["1", "é"]]',
      '2 delta [["1", "é"], ["2", "x"]]',
      '3 delta [["1", "é"], ["2", "x"], ["3", "x"]]',
    ]);
  },
);

test.concurrent.skipIf(!Bun.which("curl"))(
  "curl reads the doors: documents, conditional and compressed, and events (skipped without curl)",
  async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("s.csv", `a;b\n1;é\n${"2;z\n".repeat(500)}`);
    await using server = await startServer([path], { folder });
    await server.prints("s.csv: ");
    const curl = async (...args: string[]) => succeeds(["curl", "-s", "--max-time", "20", ...args], folder.path);
    const csv = `a,b\r\n1,é\r\n${"2,z\r\n".repeat(500)}`;
    expect(await curl(`${server.http}/csv.csv`)).toBe(csv);
    expect(await curl("--compressed", `${server.http}/csv.csv`)).toBe(csv);
    const head = await curl("-I", `${server.http}/csv.ndjson`);
    const etag = /^etag: (.*)\r$/im.exec(head)![1]!;
    const status = ["-o", join(folder.path, "out"), "-w", "%{http_code}"];
    expect(await curl(...status, "-H", `If-None-Match: ${etag}`, `${server.http}/csv.ndjson`)).toBe("304");
    await appendFile(path, "3;new\n");
    await until(
      "the change",
      async () => (await curl(...status, "-H", `If-None-Match: ${etag}`, `${server.http}/csv.ndjson`)) === "200",
    );
    expect((await Bun.file(join(folder.path, "out")).text()).trimEnd().split("\n").at(-1)).toBe('{"a":"3","b":"new"}');
    expect(JSON.parse(await curl(`${server.http}/healthz`))).toMatchObject({ state: "live", rows: 502, file: "s.csv" });
    const cursor = /"(.*)"/.exec(etag)![1]!;
    const events = Bun.spawn(
      ["curl", "-sN", "--max-time", "20", "-H", `Last-Event-ID: ${cursor}`, `${server.http}/csv/events`],
      { stdout: "pipe" },
    );
    let received = "";
    for await (const piece of events.stdout) {
      received += Buffer.from(piece).toString();
      if (received.includes('"type":"sync"')) break;
    }
    events.kill();
    expect(received).toContain('"splices":[[501,0,[["3","new"]]]],"count":502}\n\n');
  },
);

test.concurrent.skipIf(!Bun.which("curl"))(
  "curl gets the page, is told what there is elsewhere, and gets frames if it asks like a WebSocket (skipped without curl)",
  async () => {
    await using folder = await temporaryFolder();
    await folder.write("s.csv", "a,b\n1,é\n");
    await using server = await startServer(["s.csv"], { folder });
    const url = server.url.replace("ws:", "http:");
    const get = async (path: string) => {
      const curl = Bun.spawn(["curl", "-s", "-o", "-", "-w", "%{http_code}", url + path], { stdout: "pipe" });
      return new Response(curl.stdout).text();
    };
    expect(await get("")).toMatch(/^<!doctype html>[^]*200$/);
    expect(await get("csv")).toMatch(/^<!doctype html>[^]*200$/);
    expect(await get("nothing")).toMatch(/^nothing: no table of that name; there is s; and there is\n[^]*\n404$/);
    const upgrade = [
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
    ];
    const headers = upgrade.flatMap((header) => ["-H", header]);
    await using socket = Bun.spawn(["curl", "-sN", "--max-time", "20", ...headers, "--output", "-", url], {
      stdout: "pipe",
    });
    let received = "";
    for await (const piece of socket.stdout) {
      received += Buffer.from(piece).toString();
      if (received.split(SAMPLE).length > 2) break;
    }
    expect(received).toContain(SAMPLE);
    socket.kill();
  },
);

const ROOT = join(import.meta.dir, "..");
const NEIGHBOURS = ["ws", "undici", "undici-types", "@types/ws", "@types/node"];
const tsc = join(ROOT, "node_modules/typescript/bin/tsc");

async function succeeds(command: readonly string[], cwd: string): Promise<string> {
  await using child = Bun.spawn([...command], { cwd, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

/** Once for all tests. */
let built: Promise<string> | undefined;

/** A folder of a program that has installed the package, as `bun run build:client` builds it, and some WebSockets. */
async function installPackage(folder: Folder): Promise<void> {
  const installed = join(folder.path, "node_modules/csvcast");
  const client = join(installed, "dist/client");
  await mkdir(join(folder.path, "node_modules/@types"), { recursive: true });
  await folder.write("package.json", '{"type":"module"}');
  await (built ??= succeeds([process.execPath, "run", "build:client"], ROOT));
  await cp(join(ROOT, "dist/client"), client, { recursive: true });
  await cp(join(ROOT, "package.json"), join(installed, "package.json"));
  for (const name of NEIGHBOURS)
    await symlink(join(ROOT, "node_modules", name), join(folder.path, "node_modules", name));
}

/** Prints what it hears, one JSON array a line. */
const listener = (from: string) => `
import { follow, subscribe } from "csvcast/client";
import { WebSocket } from ${JSON.stringify(from)};
const say = (...words) => console.log(JSON.stringify(words));
const [url, other] = process.argv.slice(2);
const subscription = subscribe(url, {
  WebSocket,
  firstDelayMs: 1,
  token: "sesame",
  onSnapshot: ({ columns, rows }, splices) => say("snapshot", columns, rows, splices ?? null),
  onChange: ({ rows, cursor }) => say("change", rows, cursor),
  onStatus: ({ state }) => say("status", state),
  async onConnection({ state }) {
    say(state);
    if (state !== "current" || subscription.table.rows.length < 3) return;
    subscription.close();
    for await (const { rows } of follow(other, { WebSocket })) say("followed", rows);
  },
});
process.on("uncaughtException", ({ name }) => say("uncaught", name));
`;

describe.concurrent("the package's csvcast/client", () => {
  const a = speaker("k3f9");
  const live = statusOf("live");

  test.skipIf(!Bun.which("node")).each(["ws", "undici"])(
    "runs in Node with the WebSocket of %s (skipped without node)",
    async (from) => {
      await using folder = await temporaryFolder();
      await using server = openScriptedServer();
      await using other = openScriptedServer();
      await installPackage(folder);
      const program = await folder.write("program.mjs", listener(from));
      const output = succeeds(["node", program, server.url, other.url], folder.path);
      const first = await server.visit();
      first.send(a.snapshot(1, rowsOf("x"), 0, 2), a.snapshot(1, rowsOf("y"), 1, 2), live, a.delta(1, [], 2));
      first.close(1001);
      const second = await server.visit();
      second.send(a.delta(2, [[2, 0, rowsOf("z")]], 3), live);
      const third = await other.visit();
      third.send(a.snapshot(9, rowsOf("!")), live);
      third.close(1008, "no more");
      const xy = '[["x"],["y"]]';
      expect((await output).trimEnd().split("\n")).toEqual([
        '["open"]',
        `["snapshot",["a"],${xy},null]`,
        '["status","live"]',
        '["current"]',
        `["change",${xy},"k3f9:2"]`,
        '["waiting"]',
        '["open"]',
        '["change",[["x"],["y"],["z"]],"k3f9:3"]',
        '["status","live"]',
        '["current"]',
        '["followed",[["!"]]]',
        '["uncaught","FeedError"]',
      ]);
      expect([first.since, second.since, third.since]).toEqual([null, "k3f9:2", null]);
      expect(new URL(second.request.url).searchParams.get("token")).toBe("sesame");
    },
  );

  const compilers = [
    ["--module", "nodenext", "--lib", "es2022,dom"],
    ["--module", "esnext", "--moduleResolution", "bundler", "--lib", "es2022,dom"],
    ["--module", "nodenext", "--lib", "es2022", "--types", "node"],
  ];
  test.each(compilers.map((options) => ({ options, name: options.join(" ") })))(
    "has types for programs that are compiled with $name",
    async ({ options }) => {
      await using folder = await temporaryFolder();
      await installPackage(folder);
      await folder.write("program.ts", TYPED_PROGRAM);
      const strict = [
        "--ignoreConfig",
        "--noEmit",
        "--skipDefaultLibCheck",
        "--strict",
        "--exactOptionalPropertyTypes",
        "--target",
        "es2022",
      ];
      await succeeds([process.execPath, tsc, ...strict, ...options, "program.ts"], folder.path);
    },
  );
});

const TYPED_PROGRAM = `
import { type ConnectionState, FeedError, follow, subscribe, type Table, toObjects } from "csvcast/client";
import { WebSocket as Undici } from "undici";
import { WebSocket as Ws } from "ws";

export async function main(url: string, signal: AbortSignal, token: string | undefined): Promise<void> {
  for (const WebSocket of [Ws, Undici, globalThis.WebSocket]) subscribe(url, { WebSocket, token }).close();
  subscribe(url, { connect: (address, protocol) => new Ws(address, protocol, { headers: { Authorization: "x" } }) });
  const states: ConnectionState[] = [];
  const subscription = subscribe(new URL(url), {
    silenceMs: 1,
    onSnapshot: (table: Table, splices) => console.log(table.columns, splices?.[0]?.[2]),
    onChange: (_table, splices) => splices.map(([start, deleteCount, rows]) => start + deleteCount + rows.length),
    onStatus: ({ state }) => state === "live",
    onConnection: (connection) => states.push(connection),
    onEnd: (why: string) => why.length,
  });
  const cursor: string | undefined = subscription.cursor;
  // @ts-expect-error: the rows of a copy are not to be changed
  subscription.table?.rows.push([]);
  for await (const table of follow(url, { signal, WebSocket: Ws })) console.log(toObjects(table)[0]?.["a"], cursor);
  throw new FeedError("x");
}
`;
