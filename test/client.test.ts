// The client as a script or a person meets it: a real process against a real server whose messages the test makes up.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { atOnce } from "./at-once.ts";
import pkg from "../package.json";
import { openChannel } from "../src/channel/channel.ts";
import { defaultsOf } from "../src/cli/options.ts";
import { announce, type Entry } from "../src/cli/runtime.ts";
import { serverOptions } from "../src/cli/server/options.ts";
import type { AccessPolicy } from "../src/hub/access.ts";
import { openHub } from "../src/hub/hub.ts";
import { startInTerminal } from "./cli/terminal.ts";
import { claimPort } from "./port.ts";
import {
  command,
  connect,
  environment,
  type Folder,
  run,
  start,
  TEST_TIMEOUT_MS,
  temporaryFolder,
  until,
} from "./support.ts";
import { oneTable } from "./channel/one.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);
atOnce(4);

const TOKEN = "sesame-open";

type Tested = {
  readonly access?: AccessPolicy;
  readonly port?: number;
};

/** A server on the loopback address whose messages the test makes up: `text`, until it is another. */
function openTestServer(text: string, { access = accessFor("strangers"), port = 0 }: Tested = {}) {
  const { network, feeds } = defaultsOf(serverOptions);
  const hub = openHub({
    ...network,
    hostname: "127.0.0.1",
    port,
    intervalMs: 3_600_000, // the test publishes
    heartbeatMs: feeds.heartbeatMs,
    access,
    onEvent() {},
  });
  const channel = openChannel({
    ...feeds,
    topic: "csv",
    openSource: () => ({ snapshot: () => Promise.reject(new Error("no table")), close() {} }),
    backlog: hub.backlog,
    broadcast: hub.broadcast,
    onEvent() {},
  });
  hub.serve(oneTable(channel), { address: () => undefined, counts: () => undefined });
  const put = (next: string) => void (channel.plain.frame = { text: next, bytes: Buffer.byteLength(next) });
  put(text);
  return {
    port: hub.address.port,
    url: `ws://127.0.0.1:${hub.address.port}/`,
    clients: () => channel.clients().plain,
    /** To everyone. */
    publish: channel.tick,
    send(next: string) {
      put(next);
      channel.tick();
    },
    refuse: (tooLarge: string) => void (channel.plain.frame = { tooLarge }),
    close: () => hub.close(0),
    async [Symbol.asyncDispose]() {
      channel.close();
      await hub.close(0);
    },
  };
}

const accessFor = (tokenFor: AccessPolicy["tokenFor"]): AccessPolicy => ({
  token: TOKEN,
  tokenFor,
  hosts: [],
  origins: [],
  proxies: [],
  scheme: "http",
});

const needsToken: Tested = { access: accessFor("everyone") };

/** What a cell may hold to command a terminal: DEL, C1 controls, directions of writing. */
const HOSTILE = '[{"a\x7f":"\u009b31m\u0085\u202etxt.exe\u2066\u200f"}]';

describe.concurrent("the client prints", () => {
  test("exactly the text received, one line per message, on stdout and nothing else there", async () => {
    await using folder = await temporaryFolder();
    await using server = openTestServer('[{"a": "1"}]');
    await using client = start("client", [server.url, "--count", "4"], { folder });
    await client.prints('[{"a": "1"}]\n');
    server.send(HOSTILE);
    await client.prints(`${HOSTILE}\n`);
    server.send('[{"ключ":"héllo ✓ 𝄞"}]');
    await client.prints("𝄞");
    server.publish();
    expect(await client.exited).toBe(0);
    const again = '[{"ключ":"héllo ✓ 𝄞"}]\n';
    expect(client.stdout()).toBe(`[{"a": "1"}]\n${HOSTILE}\n${again}${again}`);
    expect(client.stderr()).toBe(`connecting to ${server.url}\nconnected\n`);
  });

  test("one message with --once, to its last byte, and not a word with --quiet", async () => {
    await using folder = await temporaryFolder();
    const text = JSON.stringify([{ a: "x".repeat(8 << 20) }]);
    await using server = openTestServer(text);
    const outcome = await run("client", [server.url, "--once", "--quiet"], { folder });
    expect(outcome).toMatchObject({ stderr: "", exitCode: 0 });
    expect(outcome.stdout === `${text}\n`).toBe(true);
  });

  test("no more than --count, however fast they come and slowly they are printed", async () => {
    await using folder = await temporaryFolder();
    const numbered = (number: number) => `[${number},"${"x".repeat(200_000)}"]`; // more than a pipe holds
    await using server = openTestServer(numbered(0));
    await using client = start("client", [server.url, "-q", "-n", "3"], { folder });
    await client.prints("[0,");
    for (let number = 1; number < 20; number++) server.send(numbered(number));
    expect(await client.exited).toBe(0);
    const lines = client.stdout().split("\n");
    expect(lines.map((line) => line.slice(0, 3))).toEqual(["[0,", "[1,", "[2,", ""]);
    expect(lines.slice(0, 3).every((line) => line.length === numbered(0).length)).toBe(true);
  });

  test("on until its reader has enough: a closed pipe is a clean end", async () => {
    await using folder = await temporaryFolder();
    await using server = openTestServer("[0]");
    const shell = '{ "$@"; echo "ended with $?" >&2; } | head -1';
    const outcome = run("client", [server.url, "--quiet"], { folder, shell });
    let isDone = false;
    void outcome.then(() => (isDone = true));
    await until("the end of the pipe", () => {
      server.publish();
      return isDone;
    });
    expect(await outcome).toEqual({ stdout: "[0]\n", stderr: "ended with 0\n", exitCode: 0 });
  });

  test.skipIf(process.platform !== "linux")("or says why it cannot, and ends with 1", async () => {
    await using folder = await temporaryFolder();
    await using server = openTestServer("[1]");
    const outcome = await run("client", [server.url, "--once", "-q"], { folder, shell: 'exec "$@" >/dev/full' });
    expect(outcome.exitCode).toBe(1);
    expect(outcome.stderr).toMatch(/^csvcast-client: cannot print: ENOSPC.*\n$/);
  });

  test("with controls escaped on a terminal, where they would be obeyed, and it stays the same JSON", async () => {
    await using folder = await temporaryFolder();
    await using server = openTestServer(HOSTILE);
    await using client = startInTerminal("client", [server.url, "--once", "--quiet"], { folder });
    expect(await client.exited).toBe(0);
    await until("a line", () => client.output().endsWith("\n"));
    expect(client.output()).toBe('[{"a\\u007f":"\\u009b31m\\u0085\\u202etxt.exe\\u2066\\u200f"}]\r\n');
    expect(JSON.parse(client.output())).toEqual(JSON.parse(HOSTILE));
  });

  test("only what its reader keeps up with: the others are skipped, and its memory stays bounded", async () => {
    const FRAMES = 150;
    const numbered = (number: number) => String(number).padStart(4, "0") + "x".repeat(1 << 20);
    await using folder = await temporaryFolder();
    await using server = openTestServer(numbered(0));
    const client = Bun.spawn(command("client", [server.url, "--quiet"]), {
      cwd: folder.path,
      env: environment(folder),
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
      lazy: true,
    });
    await using stack = new AsyncDisposableStack();
    stack.defer(async () => {
      client.kill("SIGKILL");
      await client.exited;
    });
    await until("the client", () => server.clients() === 1);
    await using witness = await connect(server.url);
    await witness.next();
    for (let number = 1; number < FRAMES; number++) {
      server.send(numbered(number));
      expect(await witness.next()).toStartWith(String(number).padStart(4, "0"));
    }
    if (process.platform === "linux") {
      const status = await Bun.file(`/proc/${client.pid}/status`).text();
      expect(Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]) / 1024).toBeLessThan(FRAMES * 0.7);
    }

    const lines: { number: number; length: number }[] = [];
    let rest = "";
    for await (const chunk of client.stdout.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + chunk).split("\n");
      rest = parts.pop()!;
      lines.push(...parts.map((line) => ({ number: Number(line.slice(0, 4)), length: line.length })));
      if (lines.at(-1)?.number === FRAMES - 1) break;
    }
    const numbers = lines.map(({ number }) => number);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    expect(lines.every(({ length }) => length === 4 + (1 << 20))).toBe(true);
    expect(numbers.length).toBeLessThan(FRAMES / 2);
  });
});

describe.concurrent("without a URL the client", () => {
  const leave = async (folder: Folder, name: string, entry: Omit<Entry, "pid">, pid = process.pid) => {
    announce({ pid, ...entry }, { XDG_RUNTIME_DIR: folder.path });
    await rename(join(folder.path, "csvcast", `${pid}.json`), join(folder.path, "csvcast", name));
  };

  test("finds the newest server of its user by itself, and names it", async () => {
    await using folder = await temporaryFolder();
    await using older = openTestServer('["older"]');
    await using newer = openTestServer('["newer"]');
    await leave(folder, "1.json", { url: newer.url, startedAt: 2 });
    await leave(folder, "2.json", { url: older.url, startedAt: 1 });
    expect(await run("client", ["--once"], { folder })).toEqual({
      stdout: '["newer"]\n',
      stderr: `2 servers are running; taking the newest, ${newer.url}\nconnecting to ${newer.url}\nconnected\n`,
      exitCode: 0,
    });
    expect(await run("client", ["--once", "--quiet"], { folder })).toEqual({
      stdout: '["newer"]\n',
      stderr: "",
      exitCode: 0,
    });
  });

  test("takes the token that the server left, and does not show it", async () => {
    await using folder = await temporaryFolder();
    await using server = openTestServer("[]", needsToken);
    await leave(folder, "1.json", { url: server.url, token: TOKEN, startedAt: 1 });
    const outcome = await run("client", ["--once"], { folder });
    expect(outcome).toMatchObject({ stdout: "[]\n", exitCode: 0 });
    expect(outcome.stderr).not.toContain(TOKEN);
  });

  test("says what to do if there is none, and clears away what a dead one left", async () => {
    await using folder = await temporaryFolder();
    const gone = Bun.spawn(["true"]);
    await gone.exited;
    await leave(folder, "1.json", { url: "ws://127.0.0.1:1/", startedAt: 1 }, gone.pid);
    expect(await run("client", [], { folder })).toEqual({
      stdout: "",
      stderr:
        "csvcast-client: no server of yours is running on this machine: start one with `bun run server`, or give a URL\n",
      exitCode: 5,
    });
    expect(await readdir(join(folder.path, "csvcast"))).toEqual([]);
  });
});

describe.concurrent("a URL", () => {
  const good: { name: string; form: (port: number) => string }[] = [
    { name: "without a scheme", form: (port) => `127.0.0.1:${port}` },
    { name: "by name", form: (port) => `localhost:${port}` },
    { name: "with a path", form: (port) => `ws://127.0.0.1:${port}/csv` },
    { name: "of the web", form: (port) => `http://127.0.0.1:${port}` },
    { name: "with a fragment", form: (port) => `ws://127.0.0.1:${port}/#top` },
  ];
  test.each(good)("$name is understood", async ({ form }) => {
    await using folder = await temporaryFolder();
    await using server = openTestServer("[]");
    const outcome = await run("client", [form(server.port), "--once", "-q"], { folder });
    expect(outcome).toEqual({ stdout: "[]\n", stderr: "", exitCode: 0 });
  });

  const bad = ["ftp://127.0.0.1/", "ws://", "ws://[::1", "ws://127.0.0.1:99999/", "ws://a b/", ""];
  test.each(bad)("'%s' is none, and that is a usage error", async (url) => {
    await using folder = await temporaryFolder();
    expect(await run("client", [url], { folder })).toEqual({
      stdout: "",
      stderr: `csvcast-client: ${url}: not a WebSocket URL; it looks like ws://127.0.0.1:59050/\n`,
      exitCode: 2,
    });
  });
});

describe.concurrent("a mistake on the command line ends with 2 and one line of advice:", () => {
  const cases: { args: string[]; env?: Record<string, string>; expected: string }[] = [
    { args: ["--count", "0"], expected: "--count 0: a number of messages or rows, 1 or more" },
    { args: ["--conut=1"], expected: "--conut: unknown option; did you mean --count?" },
    {
      args: [],
      env: { CSVCAST_GIVE_UP: "never" },
      expected: "CSVCAST_GIVE_UP=never: a time from 0s to 24h, such as 30s",
    },
    { args: ["--live", "--csv"], expected: "--live and --csv: one of them at a time; see --help" },
    {
      args: ["--csv"],
      env: { CSVCAST_NDJSON: "1" },
      expected: "--ndjson and --csv: one of them at a time; see --help",
    },
    { args: ["--all"], expected: "--all: goes with --ndjson or --csv; see --help" },
    { args: ["--all", "--live"], expected: "--all: goes with --ndjson or --csv; see --help" },
    { args: ["ws://a/", "ws://b/"], expected: "ws://b/: one table or URL at a time; see --help" },
  ];
  test.each(cases)("$expected", async ({ args, env = {}, expected }) => {
    await using folder = await temporaryFolder();
    const outcome = await run("client", args, { folder, env });
    expect(outcome).toEqual({ stdout: "", stderr: `csvcast-client: ${expected}\n`, exitCode: 2 });
  });
});

test.concurrent("the client tells whoever asks the version and how to use it", async () => {
  await using folder = await temporaryFolder();
  const version = await run("client", ["-V"], { folder });
  expect(version).toEqual({ stdout: `${pkg.version}\n`, stderr: "", exitCode: 0 });
  const help = await run("client", ["--help"], { folder });
  expect(help).toMatchObject({ stderr: "", exitCode: 0 });
  expect(help.stdout).toContain("Usage: bun run client [TABLE | URL] [options]\n");
});

describe.concurrent("a server that goes", () => {
  test("and comes back on the same port is found again", async () => {
    await using folder = await temporaryFolder();
    using port = await claimPort();
    const before = openTestServer("[1]", { port: port.number });
    await using client = start("client", [before.url, "-n", "2"], { folder });
    await client.prints("[1]\n");
    await before.close();
    await client.prints(/server shutting down; trying again in \d\.\d s\n/, "stderr");
    await using _after = openTestServer("[2]", { port: port.number });
    expect(await client.exited).toBe(0);
    expect(client.stdout()).toBe("[1]\n[2]\n");
    expect(client.stderr()).toEndWith("\nconnected\n");
  });

  test("and was not there to begin with is waited for", async () => {
    await using folder = await temporaryFolder();
    using port = await claimPort();
    await using client = start("client", [`ws://127.0.0.1:${port.number}/`, "--once"], { folder });
    await client.prints(/; trying again in \d\.\d s\n/, "stderr");
    await using _server = openTestServer("[1]", { port: port.number });
    expect(await client.exited).toBe(0);
    expect(client.stdout()).toBe("[1]\n");
  });

  test("for longer than --give-up is gone for good, which ends with 5", async () => {
    await using folder = await temporaryFolder();
    using port = await claimPort();
    const url = `ws://127.0.0.1:${port.number}/`;
    const outcome = await run("client", [url, "--give-up=0s", "--quiet"], { folder });
    expect(outcome).toMatchObject({ stdout: "", exitCode: 5 });
    expect(outcome.stderr).toBe(`csvcast-client: ${url}: Failed to connect\n`);
  });
});

describe.concurrent("it is hopeless, and ends with 5,", () => {
  test("when the token is refused, which is not shown", async () => {
    await using folder = await temporaryFolder();
    await using server = openTestServer("[]", needsToken);
    const cases = [
      { args: [server.url], env: {} },
      { args: [server.url], env: { CSVCAST_TOKEN: "sesame-shut" } },
      { args: [`${server.url}?token=sesame-shut`], env: {} },
    ];
    for (const { args, env } of cases) {
      const outcome = await run("client", args, { folder, env });
      expect(outcome).toMatchObject({ stdout: "", exitCode: 5 });
      expect(outcome.stderr).toContain("401");
      expect(outcome.stderr).not.toContain("sesame");
    }
    const welcome = await run("client", [server.url, "--once", "-q"], { folder, env: { CSVCAST_TOKEN: TOKEN } });
    expect(welcome).toEqual({ stdout: "[]\n", stderr: "", exitCode: 0 });
  });

  test("when the table is too large to be sent, with the reason of the server", async () => {
    await using folder = await temporaryFolder();
    await using server = openTestServer("[]");
    server.refuse("the table is larger than --max-message (32 MiB): take csvcast.v1 or /csv.ndjson");
    const outcome = await run("client", [server.url, "-q"], { folder });
    expect(outcome).toEqual({
      stdout: "",
      stderr: `csvcast-client: ${server.url}: the table is larger than --max-message (32 MiB): --live, --ndjson and --csv print it, however large it is\n`,
      exitCode: 5,
    });
  });

  test.each([200, 404])("when something else listens there, a web server that answers %d", async (status) => {
    await using folder = await temporaryFolder();
    await using server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("hello", { status }) });
    const outcome = await run("client", [`ws://127.0.0.1:${server.port}/`, "-q"], { folder });
    expect(outcome).toMatchObject({ stdout: "", exitCode: 5 });
    expect(outcome.stderr).toMatch(/^csvcast-client: ws:\/\/127\.0\.0\.1:\d+\/: .+\n$/);
  });

  test("when something else listens there that is no web server, once it has been tried for --give-up", async () => {
    await using folder = await temporaryFolder();
    using server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data() {},
        open(socket) {
          socket.end("SSH-2.0-OpenSSH_9.6\r\n");
        },
      },
    });
    const outcome = await run("client", [`ws://127.0.0.1:${server.port}/`, "--give-up=0s", "-q"], { folder });
    expect(outcome).toMatchObject({ stdout: "", exitCode: 5 });
    expect(outcome.stderr.split("\n")).toHaveLength(2);
  });
});

describe.concurrent("a signal", () => {
  const cases: { signal: NodeJS.Signals; expected: number }[] = [
    { signal: "SIGHUP", expected: 129 },
    { signal: "SIGINT", expected: 130 },
    { signal: "SIGTERM", expected: 143 },
  ];
  test.each(cases)("$signal ends the client with $expected", async ({ signal, expected }) => {
    await using folder = await temporaryFolder();
    await using server = openTestServer("[1]");
    await using client = start("client", [server.url, "-q"], { folder });
    await client.prints("[1]\n");
    client.kill(signal);
    expect(await client.exited).toBe(expected);
    expect(client.stderr()).toBe("");
    await until("the server to know", () => server.clients() === 0);
  });

  test("that the client was told to ignore, by nohup, is ignored", async () => {
    await using folder = await temporaryFolder();
    await using server = openTestServer("[1]");
    await using client = start("client", [server.url, "-n", "4"], { folder, shell: `trap "" HUP; exec "$@"` });
    await client.prints("[1]\n");
    client.kill("SIGHUP");
    for (const number of [2, 3, 4]) {
      server.send(`[${number}]`);
      await client.prints(`[${number}]\n`);
    }
    expect(await client.exited).toBe(0);
  });
});
