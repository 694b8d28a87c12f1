// The server as a person or a script meets it: a real process, real files, real clients. What is slow and rare is in
// `server.slow.test.ts`.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFile, mkdir, readdir, rm, stat, symlink, truncate } from "node:fs/promises";
import { join } from "node:path";
import { atOnce } from "./at-once.ts";
import pkg from "../package.json";
import {
  connect,
  exchange,
  run,
  sampleCsv,
  sampleJson,
  start,
  startServer,
  TEST_TIMEOUT_MS,
  temporaryFolder,
  until,
} from "./support.ts";
import {
  beginsWithNoRows,
  endsInOrder,
  GOODBYE,
  type CommandLineMistake,
  isMistaken,
  isUsageError,
  keepsItsLastTable,
  neverTellsItsToken,
  PNG,
  PROMPT,
  QUICK,
} from "./served.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);
atOnce(4);

/** Without the notice that a busy machine takes long to read a file. */
const linesOf = (stdout: string) => stdout.split("\n").filter((line) => !line.startsWith("loading "));

describe.concurrent("the server", () => {
  test("says first, to the letter, where it listens; then the addresses; then what is published", async () => {
    await using folder = await temporaryFolder();
    await folder.write("sample.csv", sampleCsv);
    await using server = start("server", ["sample.csv", "--port=0"], { folder });
    await server.prints("sample.csv: ");
    const [first, open, ...others] = linesOf(server.stdout()).filter((line) => !line.includes("is taken, using"));
    expect(first).toMatch(/^WebSocket server started\. Listening on 0\.0\.0\.0:\d+\.$/);
    const port = /(\d+)\.$/.exec(first!)![1];
    expect(open).toBe(`     Open http://127.0.0.1:${port}/`);
    expect(others.splice(-3)).toEqual([
      `WebSocket ws://127.0.0.1:${port}/`,
      "sample.csv: 2 rows × 5 columns, comma, UTF-8",
      "",
    ]);
    for (const network of others)
      expect(network).toMatch(new RegExp(`^  Network http://[\\d.]+:${port}/\\?token=[0-9a-f]{32}$`));
    expect(server.stderr()).toBe("");
  });

  test("publishes sample.csv, the same every interval", async () => {
    await using folder = await temporaryFolder();
    await folder.write("sample.csv", sampleCsv);
    await using server = await startServer(["sample.csv"], { folder });
    await using client = await connect(server.url);
    expect([await client.next(), await client.next(), await client.next()]).toEqual([
      sampleJson,
      sampleJson,
      sampleJson,
    ]);
  });

  test("publishes numbers as such with --types, and cells as they are in the live feed", async () => {
    await using folder = await temporaryFolder();
    await folder.write("t.csv", "id,temp [°C]\n1,7.50\n2,NA\n");
    await using server = await startServer(["t.csv", "--types", "auto"], { folder });
    await using plain = await connect(server.url);
    const typed = '[{"id":1,"temp [°C]":7.50},{"id":2,"temp [°C]":null}]';
    expect(await plain.next()).toBe(typed);
    expect(await (await fetch(`${server.http}/csv.json`)).text()).toBe(typed);
    expect(await (await fetch(`${server.http}/healthz`)).json()).toMatchObject({
      types: ["number", "number"],
      units: [null, "°C"],
      misfits: 0,
    });
    await using live = await connect(server.url, { protocols: ["csvcast.v1"] });
    const snapshot = JSON.parse(await live.next()) as unknown;
    expect(snapshot).toMatchObject({
      rows: [
        ["1", "7.50"],
        ["2", "NA"],
      ],
      types: ["number", "number"],
      units: [null, "°C"],
    });
  });

  test("listens on 59050 if that is free, and on another port if not; two of them live side by side", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    const args = ["a.csv", "--host=127.0.0.1", "--interval=30ms"];
    await using first = start("server", args, { folder });
    await first.prints("a.csv: ");
    await using second = start("server", args, { folder });
    await second.prints("a.csv: ");
    const ports = [first, second].map((server) => Number(/:(\d+)\.\n/.exec(server.stdout())?.[1]));
    expect(ports[0]).not.toBe(ports[1]);
    expect(ports[1]).not.toBe(59_050);
    expect(linesOf(second.stdout())[1]).toBe(`59050 is taken, using ${ports[1]}`);
    await using one = await connect(`ws://127.0.0.1:${ports[0]}/`);
    await using other = await connect(`ws://127.0.0.1:${ports[1]}/`);
    expect([await one.next(), await other.next()]).toEqual(['[{"x":"1"}]', '[{"x":"1"}]']);
  });

  test("writes nothing but lines where there is no terminal: no escape codes, no status", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x,x\n1,2,3\n");
    await using server = await startServer(["a.csv"], { folder, env: { TERM: "xterm-256color", FORCE_COLOR: "1" } });
    await using client = await connect(server.url);
    expect(await client.next()).toBe('[{"x":"1","x_1":"2"}]');
    await folder.write("a.csv", "x\n5\n");
    await client.nextThat("the change", (message) => message === '[{"x":"5"}]');
    server.kill("SIGTERM");
    expect(await server.exited).toBe(143);
    expect(linesOf(server.stdout()).slice(3).sort()).toEqual([
      "",
      "a.csv: 1 row × 2 columns, comma, UTF-8",
      "a.csv: other columns now: 1 row × 1 column, comma, UTF-8",
      expect.stringMatching(/^client from 127\.0\.0\.1 is gone: plain, \d\.\d s, 1001 server shutting down$/),
      "client from 127.0.0.1: plain",
    ]);
    expect(server.stderr()).toBe(
      "warning: 1 column renamed: the name was there already; 1 cell dropped: beyond the last column of the header; " +
        "line 2 has 3 cells, the header (line 1) has 2: if the header is another line, see --skip-lines and --header-line\n",
    );
  });

  test("shows a path with control characters without obeying them", async () => {
    await using folder = await temporaryFolder();
    const name = "a\x1b[31m\nb.csv";
    await folder.write(name, 'x\n1\n"never closed\n');
    await using server = await startServer([name], { folder });
    await server.prints("invalid:", "stderr");
    await folder.write(name, PNG);
    await server.prints("PNG", "stderr");
    const printed = server.stdout() + server.stderr();
    expect(printed).not.toContain("\x1b");
    expect(printed.split("\n").filter((line) => line.startsWith("b.csv"))).toEqual([]);
  });

  test("tells whoever asks the version and how to use it", async () => {
    await using folder = await temporaryFolder();
    const version = await run("server", ["--version"], { folder });
    expect(version).toEqual({ stdout: `${pkg.version}\n`, stderr: "", exitCode: 0 });
    const help = await run("server", ["-h", "--port", "0"], { folder });
    expect(help).toMatchObject({ stderr: "", exitCode: 0 });
    expect(help.stdout).toContain("Usage: bun run server [FILE…] [options]\n");
    expect(help.stdout).not.toContain("--max-cell");
    const all = await run("server", ["--help", "all"], { folder });
    expect(all).toMatchObject({ stderr: "", exitCode: 0 });
    expect(all.stdout).toContain("--max-cell SIZE");
  });
});

test.concurrent("the server reads a CSV that grows on standard input, and serves it after its end", async () => {
  await using folder = await temporaryFolder();
  await using server = await startServer(["-"], { folder, stdin: "open" });
  await using client = await connect(server.url);
  server.type("x\n1\n");
  await client.nextThat("the first row", (message) => message === '[{"x":"1"}]');
  server.type("2\n");
  await client.nextThat("the second row", (message) => message === '[{"x":"1"},{"x":"2"}]');
  server.type("3");
  server.endInput();
  await client.nextThat("the last row", (message) => message === '[{"x":"1"},{"x":"2"},{"x":"3"}]');
  await using newcomer = await connect(server.url);
  expect(await newcomer.next()).toBe('[{"x":"1"},{"x":"2"},{"x":"3"}]');
  expect(server.stderr()).toBe("");
});

describe.concurrent("a path through a pipe", () => {
  test("is asked for at once, and a client that is already there gets the table when it comes", async () => {
    await using folder = await temporaryFolder();
    await folder.write("sample.csv", sampleCsv);
    await using server = await startServer([], { folder, stdin: "open" });
    await server.prints(PROMPT);
    await using client = await connect(server.url);
    expect(client.waiting()).toBe(0);
    server.type("sample.csv\n");
    expect(await client.next()).toBe(sampleJson);
    await server.prints("\nsample.csv: 2 rows × 5 columns, comma, UTF-8\n");
  });

  const cases: { name: string; input: string }[] = [
    { name: "counts", input: "my data.csv\n" },
    {
      name: "counts without a newline at its end, and after blank lines and a wrong one",
      input: "\n  \nno.csv\nmy data.csv",
    },
  ];
  test.each(cases)("$name, and the end of the pipe is not the end of the server", async ({ input }) => {
    await using folder = await temporaryFolder();
    await folder.write("my data.csv", "x\n1\n");
    await using server = await startServer([], { folder, stdin: { text: input } });
    await server.prints("\nmy data.csv: 1 row × 1 column, comma, UTF-8\n");
    await using client = await connect(server.url);
    expect(await client.next()).toBe('[{"x":"1"}]');
    server.kill("SIGTERM");
    expect(await server.exited).toBe(143);
  });

  test("that is wrong is explained, and the end of the pipe then ends the server with 3", async () => {
    await using folder = await temporaryFolder();
    const outcome = await run("server", QUICK, { folder, stdin: { text: "nowhere.csv\n.\n" } });
    expect(outcome.exitCode).toBe(3);
    expect(outcome.stderr).toBe(
      "nowhere.csv: no such file\n" +
        ".: is a directory, not a CSV file\n" +
        "csvcast-server: no file to publish: the input has ended\n",
    );
  });

  test("that never comes, from an empty pipe, is a usage error", () => isUsageError({ text: "" }));

  test("switches to another file; after a wrong one the old one is still published", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await folder.write("b.csv", "y\n2\n");
    await using server = await startServer([], { folder, stdin: "open" });
    await using client = await connect(server.url);
    server.type("a.csv\n");
    expect(await client.next()).toBe('[{"x":"1"}]');
    server.type("nowhere.csv\n");
    await server.prints("nowhere.csv: no such file\n", "stderr");
    await folder.write("a.csv", "x\n3\n");
    await client.nextThat("a change of the old file", (message) => message === '[{"x":"3"}]');
    server.type("b.csv\n");
    await client.nextThat("the other file", (message) => message === '[{"y":"2"}]');
    await folder.write("a.csv", "x\n4\n");
    await folder.write("b.csv", "y\n5\n");
    const next = await client.nextThat("a change of the other file", (message) => message !== '[{"y":"2"}]');
    expect(next).toBe('[{"y":"5"}]');
  });
});

describe.concurrent("a FILE that is none", () => {
  test("is refused with 3 and the reason", async () => {
    await using folder = await temporaryFolder();
    await Bun.write(join(folder.path, "it.csv"), PNG);
    expect(await run("server", [...QUICK, "it.csv"], { folder })).toMatchObject({
      stderr: "csvcast-server: it.csv: not a CSV but a PNG image\n",
      exitCode: 3,
    });
  });

  const cases: { name: string; make: (path: string) => Promise<unknown>; expected: string }[] = [
    { name: "a directory", make: (path) => mkdir(path), expected: "is a directory, not a CSV file" },
    { name: "a device", make: (path) => symlink("/dev/zero", path), expected: "is a device, not a CSV file" },
    { name: "a loop of links", make: (path) => symlink(path, path), expected: "its symbolic links form a loop" },
    { name: "a picture", make: (path) => Bun.write(path, PNG), expected: "not a CSV but a PNG image" },
    {
      name: "too large",
      make: (path) => Bun.write(path, "x\n12345678901234567890\n"),
      expected: "is larger than 16 bytes; raise the limit with --max-file",
    },
  ];
  test("is refused with the reason, whatever it is, where it is asked for", async () => {
    await using folder = await temporaryFolder();
    await using server = await startServer(["--max-file=16"], { folder, stdin: "open" });
    for (const { name, make } of cases) {
      await make(join(folder.path, name));
      server.type(`${name}\n`);
    }
    const expected = cases.map(({ name, expected }) => `${name}: ${expected}\n`).join("");
    await until("all to be refused", () => server.stderr().length >= expected.length);
    expect(server.stderr()).toBe(expected);
    await folder.write("good.csv", "x\n1\n");
    server.type("good.csv\n");
    await server.prints("good.csv: 1 row × 1 column");
  });
});

describe.concurrent("a published file", () => {
  test("is followed: appended to, edited, replaced, emptied", async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("a.csv", "x\n1\n");
    await using server = await startServer(["a.csv"], { folder });
    await using client = await connect(server.url);
    expect(await client.next()).toBe('[{"x":"1"}]');
    const sees = (expected: string) => client.nextThat(expected, (message) => message === expected);
    await appendFile(path, "2\n");
    await sees('[{"x":"1"},{"x":"2"}]');
    await Bun.write(path, "x\n1\n3\n");
    await sees('[{"x":"1"},{"x":"3"}]');
    await folder.write("a.csv", "y\n4\n");
    await sees('[{"y":"4"}]');
    await truncate(path);
    await sees("[]");
    expect(server.stderr()).toBe("");
  });

  test("may begin as an empty file, which is a table with no rows, for everyone", () =>
    beginsWithNoRows({ content: "", first: "h1,h2\n5,6\n", then: '[{"h1":"5","h2":"6"}]' }));

  test("that vanishes keeps its last table, says so once, and is welcome back", () =>
    keepsItsLastTable({
      make: (path) => rm(path),
      message: "missing: a.csv: no such file; clients keep the last good table\n",
    }));
});

describe.concurrent("a mistake on the command line ends with 2 and one line of advice:", () => {
  const interval = "a time from 10ms to 1h, such as 500ms or 2s; a bare number is seconds";
  const cases: CommandLineMistake[] = [
    { args: [], env: { CSVCAST_INTERVAL: "0" }, expected: `CSVCAST_INTERVAL=0: ${interval}` },
    {
      args: ["healthz=a.csv"],
      expected:
        "healthz: a name has 1 to 100 letters, digits, _ and -, and is none of csv, tables, healthz, livez, metrics, client",
    },
    { args: ["a.csv", "--loop"], expected: "--loop: needs --replay, such as --replay 10x" },
    {
      args: ["a.csv", "--no-token"],
      env: { CSVCAST_TOKEN: "sesame-open" },
      expected: "--no-token and a token (--token, --token-file, CSVCAST_TOKEN): one of them at a time",
    },
  ];
  test.each(cases)("$expected", isMistaken);
});

describe.concurrent("an address that cannot be had ends with 4:", () => {
  const why = "the port is taken; give another --port, or 0 for any free one";

  test("a port that another program has", async () => {
    await using folder = await temporaryFolder();
    using holder = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    expect(await run("server", ["a.csv", "--host=127.0.0.1", `--port=${holder.port}`], { folder })).toEqual({
      stdout: "",
      stderr: `csvcast-server: cannot listen on 127.0.0.1:${holder.port}: ${why}\n`,
      exitCode: 4,
    });
  });

  const usual = "--host takes 127.0.0.1 for this machine alone, 0.0.0.0 for all networks";
  const strange = [
    { host: "198.51.100.77", port: ":0", fault: `this machine has no such address; ${usual}` },
    {
      host: "nowhere.invalid",
      port: ":59050",
      fault: `this machine has no address of that name; ${usual}, and a name under which it is asked for goes to --allow-host`,
    },
  ];
  test.each(strange)("$host, which this machine is not", async ({ host, port, fault }) => {
    await using folder = await temporaryFolder();
    const args = ["a.csv", `--host=${host}`, ...(port === ":0" ? ["--port=0"] : [])];
    expect(await run("server", args, { folder })).toEqual({
      stdout: "",
      stderr: `csvcast-server: cannot listen on ${host}${port}: ${fault}\n`,
      exitCode: 4,
    });
  });
});

describe.concurrent("who may come in", () => {
  test("a server with a token asks everyone for it, and takes it from the environment", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await using server = await startServer(["a.csv"], { folder, env: { CSVCAST_TOKEN: "sesame-open" } });
    await expect(connect(server.url)).rejects.toThrow("401");
    await expect(connect(`${server.url}?token=sesame-shut`)).rejects.toThrow("401");
    await using byUrl = await connect(`${server.url}?token=sesame-open`);
    expect(await byUrl.next()).toBe('[{"x":"1"}]');
    await using byHeader = await connect(server.url, { headers: { Authorization: "Bearer sesame-open" } });
    expect(await byHeader.next()).toBe('[{"x":"1"}]');
  });

  test("a token that was given is in no output, with --log text", () => neverTellsItsToken("text"));

  test("a foreign page is refused unless it is allowed, and the peer sees no stack trace", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    const allowed = ["--allow-origin=https://dash.example", "--allow-host=csv.example"];
    await using server = await startServer(["a.csv", ...allowed], { folder });
    const from = (Origin: string) => connect(server.url, { headers: { Origin } });
    await expect(from("https://evil.example")).rejects.toThrow("403");
    await using page = await from("https://dash.example");
    expect(await page.next()).toBe('[{"x":"1"}]');
    await using named = await connect(server.url, { headers: { Host: "csv.example" } });
    expect(await named.next()).toBe('[{"x":"1"}]');
    const answer = await exchange(server.port, "GET / HTTP/1.1\r\nHost: ev il\r\nConnection: close\r\n\r\n");
    expect(answer).toStartWith("HTTP/1.1 403 ");
    expect(answer).not.toMatch(/src\/|\.ts\b|\bat .*:\d+/);
    await until("both refusals to be told", () => server.stderr().split("\n").length === 3);
    expect(server.stderr()).toBe(
      "refused 127.0.0.1: 403, a web page from elsewhere; to let it in: --allow-origin https://evil.example\n" +
        "refused 127.0.0.1: 403, its Host header names no host of this server (--allow-host)\n",
    );
  });

  test("a full server turns newcomers away", async () => {
    await using folder = await temporaryFolder();
    await using server = await startServer(["--max-clients=1"], { folder, stdin: "open" });
    await using _client = await connect(server.url);
    await expect(connect(server.url)).rejects.toThrow("503");
  });
});

describe.concurrent("the entry for clients on this machine", () => {
  test("is private, holds the token only where one was set, and goes with the server", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await using open = await startServer(["a.csv"], { folder });
    await using closed = await startServer(["a.csv"], { folder, env: { CSVCAST_TOKEN: "sesame-open" } });
    await open.prints("a.csv: ");
    await closed.prints("a.csv: ");
    const entry = (pid: number) => join(folder.path, "csvcast", `${pid}.json`);
    expect((await stat(entry(closed.pid))).mode & 0o777).toBe(0o600);
    const parse = async (pid: number) => JSON.parse(await Bun.file(entry(pid)).text()) as unknown;
    const startedAt = expect.any(Number);
    const told = { startedAt, process: expect.any(String) };
    expect(await parse(open.pid)).toEqual({ pid: open.pid, url: open.url, ...told });
    expect(await parse(closed.pid)).toEqual({ pid: closed.pid, url: closed.url, token: "sesame-open", ...told });
    open.kill("SIGTERM");
    closed.kill("SIGTERM");
    await Promise.all([open.exited, closed.exited]);
    expect(await readdir(join(folder.path, "csvcast"))).toEqual([]);
  });
});

describe.concurrent("a signal", () => {
  test("SIGTERM closes clients with 1001 and ends with 143", () => endsInOrder("SIGTERM", 143));

  test("that comes twice at once, as `bun run` passes Ctrl-C on, is one", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await using server = await startServer(["a.csv"], { folder });
    await using client = await connect(server.url);
    await client.next();
    server.kill("SIGINT");
    server.kill("SIGINT");
    expect(await client.closed).toEqual(GOODBYE);
    expect(await server.exited).toBe(130);
  });

  test("that the server was told to ignore, by nohup, is ignored; another one ends it in order", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await using server = await startServer(["a.csv"], { folder, shell: `trap "" HUP; exec "$@"` });
    await using client = await connect(server.url);
    expect(await client.next()).toBe('[{"x":"1"}]');
    server.kill("SIGHUP");
    await folder.write("a.csv", "x\n2\n");
    await client.nextThat("a change after the signal", (message) => message === '[{"x":"2"}]');
    server.kill("SIGTERM");
    expect(await client.closed).toEqual(GOODBYE);
    expect(await server.exited).toBe(143);
  });
});
