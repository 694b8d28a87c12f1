// The client on the live feed, --live, --ndjson and --csv: a real process against a server that the test plays.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFile } from "node:fs/promises";
import { atOnce } from "./at-once.ts";
import type { Message } from "../src/feed/protocol.ts";
import { startInTerminal } from "./cli/terminal.ts";
import { claimPort } from "./port.ts";
import {
  openScriptedServer,
  rowsOf,
  type ScriptedServer,
  speaker,
  statusOf,
  type Visit,
} from "./follow/scripted-server.ts";
import { printsAllOverRestarts } from "./client-window.ts";
import { command, environment, run, start, startServer, TEST_TIMEOUT_MS, temporaryFolder, until } from "./support.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);
atOnce(4);

const LIVE = statusOf("live", "");
const a = speaker("k3f9");
const numbered = speaker("k3f9", ["11", "2", "name"]);
const append = (from: number, count: number, ...names: string[]) =>
  a.delta(from, [[count, 0, rowsOf(...names)]], count + names.length);

/** Plays the same to whoever comes next. */
async function play(server: ScriptedServer, ...messages: readonly (Message | string)[]): Promise<Visit> {
  const visit = await server.visit();
  visit.send(...messages);
  return visit;
}

describe.concurrent("--live", () => {
  test("prints each message as it came, one a line, without sync, and goes on where it was", async () => {
    await using folder = await temporaryFolder();
    await using server = openScriptedServer();
    await using client = start("client", [server.url, "--live", "-n", "6"], { folder });
    const spaced = '{"type":"status", "state":"live","message":"","since":1}';
    const lines = [
      a.snapshot(1, rowsOf("x"), 0, 2),
      a.snapshot(1, rowsOf("é\u2028"), 1, 2),
      spaced,
      append(1, 2, "z"),
      append(2, 3, "!"),
      statusOf("missing", "s.csv: no such file"),
    ].map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
    const first = await play(server, ...lines.slice(0, 3), a.sync(1, 2), lines[3]!, lines[3]!);
    await client.prints(lines[3]!);
    first.close(1001, "server shutting down");
    const second = await play(server, lines[4]!, spaced, a.sync(3, 4), lines[5]!);
    expect(second.since).toBe("k3f9:2");
    expect(await client.exited).toBe(0);
    expect(client.stdout()).toBe(lines.map((line) => `${line}\n`).join(""));
    expect(client.stderr()).toMatch(
      /^connecting to .*\nconnected\nserver shutting down; trying again in \d\.\d s\nconnected\n$/,
    );
  });

  test("with --once prints one message", async () => {
    await using folder = await temporaryFolder();
    await using server = openScriptedServer();
    const outcome = run("client", [server.url, "--live", "--once", "-q"], { folder });
    await play(server, statusOf("waiting", "no file"));
    expect(await outcome).toEqual({
      stdout: '{"type":"status","state":"waiting","message":"no file","since":0}\n',
      stderr: "",
      exitCode: 0,
    });
  });

  test("gives its token in a header, and shows it to nobody", async () => {
    await using folder = await temporaryFolder();
    await using server = openScriptedServer();
    const env = { CSVCAST_TOKEN: "sesame" };
    const outcome = run("client", [`${server.url}?token=in-the-url`, "--live", "--once"], { folder, env });
    const { request } = await play(server, LIVE);
    expect(request.headers.get("authorization")).toBe("Bearer sesame");
    const { stderr, exitCode } = await outcome;
    expect([exitCode, stderr.includes("sesame"), stderr.includes("in-the-url")]).toEqual([0, false, false]);
  });

  test("ends with 5 where no live feed is spoken", async () => {
    await using folder = await temporaryFolder();
    await using server = openScriptedServer({ protocol: "" });
    const outcome = await run("client", [server.url, "--live", "-q"], { folder });
    expect(outcome).toEqual({
      stdout: "",
      stderr: `csvcast-client: ${server.url}: no csvcast.v1 is spoken there: an older csvcast, or something else\n`,
      exitCode: 5,
    });
  });
});

const FIRST = [["1", "é", 'a "b", c']];
const SECOND = [["", "x\ny", "\\"]];
const ndjsonLines = ['{"11":"1","2":"é","name":"a \\"b\\", c"}\n', '{"11":"","2":"x\\ny","name":"\\\\"}\n'] as const;
const csvLines = ['1,é,"a ""b"", c"\n', ',"x\ny",\\\n'] as const;

describe.concurrent.each([
  { mode: "--ndjson", header: "", lines: ndjsonLines },
  { mode: "--csv", header: "11,2,name\n", lines: csvLines },
])("$mode", ({ mode, header, lines }) => {
  const table = [numbered.snapshot(1, FIRST), LIVE, numbered.sync(1, 1)];
  const change = numbered.delta(1, [[1, 0, SECOND]], 2);

  test("prints the rows that are appended, not those that are there", async () => {
    await using folder = await temporaryFolder();
    await using server = openScriptedServer();
    await using client = start("client", [server.url, mode, "-n", "1"], { folder });
    await play(server, ...table, change);
    expect(await client.exited).toBe(0);
    expect(client.stdout()).toBe(header + lines[1]);
    expect(client.stderr()).toBe(`connecting to ${server.url}\nconnected\n`);
  });

  test("with --all prints both", async () => {
    await using folder = await temporaryFolder();
    await using server = openScriptedServer();
    await using client = start("client", [server.url, mode, "--all", "-n", "2", "-q"], { folder });
    await play(server, ...table, change);
    expect(await client.exited).toBe(0);
    expect(client.stdout()).toBe(header + lines.join(""));
  });

  test("with --once prints the table as it is, changes that came with it included, and ends", async () => {
    await using folder = await temporaryFolder();
    await using server = openScriptedServer();
    const outcome = run("client", [server.url, mode, "--once", "-q"], { folder });
    await play(server, numbered.snapshot(1, FIRST), change, LIVE, numbered.delta(2, [[0, 1, []]], 1));
    expect(await outcome).toEqual({ stdout: header + lines.join(""), stderr: "", exitCode: 0 });
  });

  test("with --once prints no row of a table that has none, once there is one", async () => {
    await using folder = await temporaryFolder();
    await using server = openScriptedServer();
    const outcome = run("client", [server.url, mode, "--once"], { folder });
    await play(server, statusOf("waiting", "no file"), numbered.snapshot(1, []), LIVE);
    const { stdout, stderr, exitCode } = await outcome;
    expect([stdout, exitCode]).toEqual([header, 0]);
    expect(stderr).toEndWith("\nconnected\nwaiting: no file\nlive\n");
  });

  test("prints nothing twice and loses nothing when the server is started again", async () => {
    await using folder = await temporaryFolder();
    await using server = openScriptedServer();
    await using client = start("client", [server.url, mode, "--all", "-n", "3", "-q"], { folder });
    const first = await play(server, ...table);
    await client.prints(lines[0]);
    first.close();
    const again = speaker("zzzz", ["11", "2", "name"]);
    await play(server, again.snapshot(1, [...FIRST, ...SECOND]), LIVE, again.delta(1, [[2, 0, FIRST]], 3));
    expect(await client.exited).toBe(0);
    expect(client.stdout()).toBe(header + lines[0] + lines[1] + lines[0]);
  });
});

describe.concurrent("rows", () => {
  test("that change elsewhere or go are not printed, which is said once; a completed last row is printed again", async () => {
    await using folder = await temporaryFolder();
    await using server = openScriptedServer();
    await using client = start("client", [server.url, "--ndjson", "-n", "3"], { folder });
    const shifted = a.delta(
      3,
      [
        [0, 1, []],
        [1, 0, rowsOf("between")],
        [4, 0, rowsOf("5")],
      ],
      5,
    );
    await play(
      server,
      a.snapshot(1, rowsOf("x", "y", "z")),
      LIVE,
      a.delta(1, [[2, 1, rowsOf("zz", "4")]], 4),
      a.delta(2, [[0, 1, rowsOf("X")]], 4),
      shifted,
    );
    expect(await client.exited).toBe(0);
    expect(client.stdout()).toBe('{"a":"zz"}\n{"a":"4"}\n{"a":"5"}\n');
    expect(client.stderr()).toEndWith("connected\nrows changed elsewhere, which is not printed; see --live\n");
  });

  test("of a table that was not there yet are all new", async () => {
    await using folder = await temporaryFolder();
    await using server = openScriptedServer();
    await using client = start("client", [server.url, "--csv", "-n", "3"], { folder });
    await play(server, statusOf("waiting", "no file"), a.snapshot(1, rowsOf("x", "")), LIVE, append(1, 2, "y"));
    expect(await client.exited).toBe(0);
    expect(client.stdout()).toBe('a\nx\n""\ny\n');
  });

  test("of other columns get a header of their own; with --all they are all printed", async () => {
    await using folder = await temporaryFolder();
    await using server = openScriptedServer();
    const other = speaker("zzzz", ["b", "c"]);
    const messages = [a.snapshot(1, rowsOf("x")), LIVE, other.snapshot(1, [["1", "2"]]), LIVE];
    const more = other.delta(1, [[1, 0, [["3", "4"]]]], 2);
    await using appended = start("client", [server.url, "--csv", "-n", "1"], { folder });
    await play(server, ...messages, more);
    await using all = start("client", [server.url, "--csv", "--all", "-n", "3"], { folder });
    await play(server, ...messages, more);
    expect([await appended.exited, await all.exited]).toEqual([0, 0]);
    expect(appended.stdout()).toBe("a\nb,c\n3,4\n");
    expect(all.stdout()).toBe("a\nx\nb,c\n1,2\n3,4\n");
    expect(all.stderr()).toEndWith("connected\nthe columns are others now\n");
  });

  test("come with word of the file on stderr, once for each state", async () => {
    await using folder = await temporaryFolder();
    await using server = openScriptedServer();
    await using client = start("client", [server.url, "--ndjson", "-n", "1"], { folder });
    const missing = statusOf("missing", "s.csv: no such file");
    const first = await play(server, a.snapshot(1, rowsOf("x")), LIVE, missing, missing);
    await client.prints("missing", "stderr");
    first.close();
    await play(server, missing, a.sync(1, 1), LIVE, append(1, 1, "y"));
    expect(await client.exited).toBe(0);
    expect(client.stdout()).toBe('{"a":"y"}\n');
    expect(client.stderr().split("\n").slice(2)).toEqual([
      "missing: s.csv: no such file",
      expect.stringMatching(/; trying again in/),
      "connected",
      "live again",
      "",
    ]);
  });

  test("are escaped on a terminal, one line each, and so is what the server says", async () => {
    await using folder = await temporaryFolder();
    await using server = openScriptedServer();
    await using client = startInTerminal("client", [server.url, "--csv", "--all", "-n", "1"], { folder, columns: 200 });
    await play(server, a.snapshot(1, rowsOf("\x1b[31m\u009b\n")), statusOf("stale", "\x1b]0;x\x07"));
    expect(await client.exited).toBe(0);
    await until("the row", () => client.output().includes("009b"));
    expect(client.output()).toContain('"\\u001b[31m\\u009b\\u000a"\r\n');
    expect(client.output()).toContain("stale: \\u001b]0;x\\u0007\r\n");
  });

  test("are taken no faster than they are printed, and none is lost", async () => {
    const COUNT = 60;
    const cell = "x".repeat(1 << 18);
    await using folder = await temporaryFolder();
    await using server = openScriptedServer();
    const client = Bun.spawn(command("client", [server.url, "--csv", "-q", "-n", String(COUNT)]), {
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
    const visit = await play(server, a.snapshot(1, []), LIVE);
    for (let i = 0; i < COUNT; i++) visit.send(append(1 + i, i, `${i} ${cell}`));
    await until("the server to be held up", () => visit.backlog() > 0);
    const lines = (await new Response(client.stdout).text()).trimEnd().split("\n");
    expect(lines.slice(1).map((line) => line.split(" ")[0])).toEqual(
      Array.from({ length: COUNT }, (_, i) => String(i)),
    );
    const cut = lines.slice(1).filter((line) => !line.endsWith(cell));
    expect(cut.map((line) => [line.slice(0, 10), line.length, line.slice(-10)])).toEqual([]);
    expect(await client.exited).toBe(0);
  });
});

test.concurrent.each(["--ndjson", "--csv"])(
  "%s beside a server with --last, over its restart, after different rows, as many as the window: no row is lost, repeated, or missing without a word",
  (mode) => printsAllOverRestarts({ mode, cell: String, steps: [100] }),
);

test.concurrent("more rows at once than a server with --last keeps are told, by their number", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("log.csv", "n\n0\n");
  await using server = await startServer([path, "--last=10"], { folder });
  await using client = start("client", [server.url, "--ndjson", "--all"], { folder });
  await client.prints('{"n":"0"}\n');
  await appendFile(path, Array.from({ length: 400 }, (_, i) => `${i + 1}\n`).join(""));
  await client.prints('{"n":"400"}\n');
  const numbers = client.stdout().match(/\d+/g)!.map(Number);
  const told = [...client.stderr().matchAll(/^(\d+) rows? w/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
  expect(numbers.length + told).toBe(401);
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
});

test.concurrent("beside the real server, over its restarts, each row is printed once and in order", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("log.csv", "n\n0\n");
  using port = await claimPort();
  let server = await startServer([path, `--port=${port.number}`, "--heartbeat=100ms"], { folder });
  await using client = start("client", [server.url, "--ndjson", "--all", "-q"], { folder });
  let rows = 1;
  const write = (count: number) => {
    const lines = Array.from({ length: count }, () => `${rows++}\n`).join("");
    return appendFile(path, lines);
  };
  const printed = () => client.prints(`{"n":"${rows - 1}"}\n`);
  await printed();
  for (let restart = 0; restart < 2; restart++) {
    await write(5);
    await printed();
    server.kill("SIGKILL");
    await server.exited;
    await write(5);
    server = await startServer([path, `--port=${port.number}`], { folder });
    await write(1);
    await printed();
  }
  await server[Symbol.asyncDispose]();
  expect(client.stdout()).toBe(Array.from({ length: rows }, (_, n) => `{"n":"${n}"}\n`).join(""));
});
