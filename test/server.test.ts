// The server as a person or a script meets it: a real process, real files, real clients.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFile, mkdir, readdir, rename, rm, stat, symlink, truncate } from "node:fs/promises";
import { join } from "node:path";
import { atOnce } from "./at-once.ts";
import pkg from "../package.json";
import { openCopy } from "./hub/copy.ts";
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

setDefaultTimeout(4 * TEST_TIMEOUT_MS);
atOnce(4);

const QUICK = ["--host=127.0.0.1", "--port=0"];
const PROMPT = "Enter the CSV file path: ";
const PNG = Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1");
const GOODBYE = { code: 1001, reason: "server shutting down" };

/** Without the notice that a busy machine takes long to read a file. */
const linesOf = (stdout: string) => stdout.split("\n").filter((line) => !line.startsWith("loading "));

describe.concurrent("the server", () => {
  test("says first, to the letter, where it listens; then the addresses; then what is published", async () => {
    await using folder = await temporaryFolder();
    await folder.write("sample.csv", sampleCsv);
    await using server = start("server", ["sample.csv", "--port=0"], { folder });
    await server.prints("sample.csv: ");
    const [first, local, browser, ...others] = linesOf(server.stdout());
    expect(first).toMatch(/^WebSocket server started\. Listening on 0\.0\.0\.0:\d+\.$/);
    const port = /(\d+)\.$/.exec(first!)![1];
    expect(local).toBe(`  this machine  ws://127.0.0.1:${port}/`);
    expect(browser).toBe(`  in a browser  http://127.0.0.1:${port}/`);
    expect(others.at(-2)).toBe("sample.csv: 2 rows × 5 columns, comma, UTF-8");
    expect(others.at(-1)).toBe("");
    for (const network of others.slice(0, -2))
      expect(network).toMatch(new RegExp(`^  network       ws://[\\d.]+:${port}/\\?token=[0-9a-f]{32}$`));
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
    expect(help.stdout).toContain("Usage: bun run server [FILE] [options]\n");
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

  test("counts with the line end of Windows, in quotes, with a shell's backslashes and from home", async () => {
    await using folder = await temporaryFolder();
    await using server = await startServer([], { folder, stdin: "open" });
    await using client = await connect(server.url);
    for (const [name, typed] of [
      ["of Windows", "of Windows.csv\r"],
      ["in quotes", '"in quotes.csv"'],
      ["by a shell", "by\\ a\\ shell.csv"],
      ["from home", "~/from home.csv"],
    ] as const) {
      await folder.write(`${name}.csv`, `x\n${name}\n`);
      server.type(`${typed}\n`);
      await client.nextThat(name, (message) => message === `[{"x":"${name}"}]`);
    }
    expect(server.stderr()).toBe("");
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

  test("is looked for ten times; a CSV is not taken for a list of paths", async () => {
    await using folder = await temporaryFolder();
    const outcome = await run("server", QUICK, { folder, shell: 'yes 1,2 | exec "$@"' });
    expect(outcome.exitCode).toBe(3);
    expect(outcome.stderr).toBe(
      `${"1,2: no such file\n".repeat(10)}csvcast-server: 10 wrong paths; for a CSV on standard input give - as FILE\n`,
    );
  });

  const empty: { name: string; stdin: "none" | { text: string } }[] = [
    { name: "/dev/null", stdin: "none" },
    { name: "an empty pipe", stdin: { text: "" } },
    { name: "blank lines", stdin: { text: "\n \n" } },
  ];
  test.each(empty)("that never comes, from $name, is a usage error", async ({ stdin }) => {
    await using folder = await temporaryFolder();
    const outcome = await run("server", QUICK, { folder, stdin });
    expect(outcome.exitCode).toBe(2);
    expect(outcome.stderr).toBe("csvcast-server: no FILE given, and standard input has none; see --help\n");
  });

  test("that cannot come, standard input being closed, is a usage error; with FILE none is needed", async () => {
    await using folder = await temporaryFolder();
    const shell = 'exec "$@" <&-';
    const outcome = await run("server", QUICK, { folder, shell });
    expect(outcome.exitCode).toBe(2);
    expect(outcome.stderr).toBe("csvcast-server: no FILE given, and standard input has none; see --help\n");

    const wrong = await run("server", [...QUICK, "nowhere/a.csv"], { folder, shell });
    expect(wrong.exitCode).toBe(3);
    expect(wrong.stderr).toBe("csvcast-server: nowhere/a.csv: no such folder: nowhere\n");
  });

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

  test("switches to a file that takes long to read while the old one still changes", async () => {
    await using folder = await temporaryFolder();
    await folder.write("old.csv", "x\n1\n");
    await folder.write("slow.csv", `y\n${"\n".repeat(20_000_000)}2\n`);
    await using server = await startServer([], { folder, stdin: "open" });
    await using client = await connect(server.url);
    server.type("old.csv\n");
    expect(await client.next()).toBe('[{"x":"1"}]');
    server.type("slow.csv\n");
    const seen: string[] = [];
    for (let row = 2; seen.at(-1) !== '[{"y":"2"}]'; row++) {
      await folder.write("old.csv", `x\n1\n${row}\n`);
      expect(server.stderr()).toBe(""); // a file that is refused would be waited for in vain
      await until("another frame", async () => seen.push(await client.next()));
    }
    await server.prints("slow.csv: 1 row");
    const changes = new Set(seen.filter((message) => /^\[\{"x":"1"\},\{"x":"\d+"\}\]$/.test(message)));
    expect(changes.size).toBeGreaterThan(0);
    expect(seen.filter((message) => message !== '[{"x":"1"}]' && !changes.has(message))).toEqual(['[{"y":"2"}]']);
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

  test.each([
    { name: "an empty file", content: "", first: "h1,h2\n5,6\n", then: '[{"h1":"5","h2":"6"}]' },
    { name: "blank lines", content: "\n\n", first: "h1,h2\n5,6\n", then: '[{"h1":"5","h2":"6"}]' },
    { name: "a header alone", content: "h1,h2", first: "\n5,6\n", then: '[{"h1":"5","h2":"6"}]' },
  ])("may begin as $name, which is a table with no rows, for everyone", async ({ content, first, then }) => {
    await using folder = await temporaryFolder();
    const path = await folder.write("a.csv", content);
    await using server = await startServer(["a.csv"], { folder });
    await using plain = await connect(server.url);
    await using live = await connect(server.url, { protocols: ["csvcast.v1"] });
    const copy = openCopy();
    const isSynced = async () => copy.take(await live.next()).type === "sync";
    expect(await plain.next()).toBe("[]");
    await until("the live client to have it", isSynced);
    expect(copy.json()).toBe("[]");
    for (const [path, expected] of [
      ["csv.json", "[]"],
      ["csv.ndjson", ""],
    ])
      expect(await (await fetch(`${server.http}/${path}`)).text()).toBe(expected!);
    await appendFile(path, first);
    await plain.nextThat("the row", (message) => message === then);
    await until("the live client to have the row", async () => (await isSynced()) && copy.rows().length > 0);
    expect(copy.json()).toBe(then);
  });

  type Trouble = { name: string; make: (path: string) => Promise<unknown>; message: string };
  const troubles: Trouble[] = [
    {
      name: "vanishes",
      make: (path) => rm(path),
      message: "missing: a.csv: no such file; clients keep the last good table\n",
    },
    {
      name: "is replaced by a directory",
      make: async (path) => {
        await rm(path);
        await mkdir(path);
      },
      message: "stale: a.csv: is a directory, not a CSV file; clients keep the last good table\n",
    },
    {
      name: "becomes a picture",
      make: async (path) => {
        await Bun.write(`${path}.png`, PNG);
        await rename(`${path}.png`, path);
      },
      message: "invalid: a.csv: not a CSV but a PNG image; clients keep the last good table\n",
    },
  ];
  test.each(troubles)(
    "that $name keeps its last table, says so once, and is welcome back",
    async ({ make, message }) => {
      await using folder = await temporaryFolder();
      const path = await folder.write("a.csv", "x\n1\n");
      await using server = await startServer(["a.csv"], { folder });
      await using client = await connect(server.url);
      expect(await client.next()).toBe('[{"x":"1"}]');
      await make(path);
      await server.prints(message, "stderr");
      for (let tick = 0; tick < 10 || client.waiting() > 0; tick++) expect(await client.next()).toBe('[{"x":"1"}]');
      await using newcomer = await connect(server.url);
      expect(await newcomer.next()).toBe('[{"x":"1"}]');
      expect(server.stderr().split("\n").at(-2)).toBe(message.trimEnd());
      expect(server.stderr().split(message)).toHaveLength(2);

      await rm(path, { recursive: true, force: true });
      await folder.write("a.csv", "x\n2\n");
      await client.nextThat("the file again", (message) => message === '[{"x":"2"}]');
      await server.prints("live again: a.csv\n");
      expect(server.stdout().split("live again")).toHaveLength(2);
    },
  );

  test("whose JSON outgrows --max-message closes clients with 1009 and says so once, until it fits again", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await using server = await startServer(["a.csv", "--max-message=1KiB"], { folder });
    await using client = await connect(server.url);
    expect(await client.next()).toBe('[{"x":"1"}]');
    const large = (rows: number) => folder.write("a.csv", `x\n${"12345\n".repeat(rows)}`);
    await large(1_000);
    const why = "the table is larger than --max-message (1 KiB)";
    const reason = `${why}: take csvcast.v1 or /csv.ndjson`;
    expect(await client.closed).toEqual({ code: 1009, reason });
    await using late = await connect(server.url);
    expect(await late.closed).toEqual({ code: 1009, reason });
    expect(server.stderr()).toBe(`${why}: clients are closed with 1009; raise it\n`);
    await folder.write("a.csv", "x\n2\n");
    const again = await until("to be let in again", async () => {
      const attempt = await connect(server.url);
      const message = await attempt.next().catch(() => undefined);
      await attempt[Symbol.asyncDispose]();
      return message;
    });
    expect(again).toBe('[{"x":"2"}]');
  });
});

describe.concurrent("a mistake on the command line ends with 2 and one line of advice:", () => {
  const interval = "a time from 10ms to 1h, such as 500ms or 2s; a bare number is milliseconds";
  const cases: { args: string[]; env?: Record<string, string>; expected: string }[] = [
    { args: [], env: { CSVCAST_INTERVAL: "0" }, expected: `CSVCAST_INTERVAL=0: ${interval}` },
    { args: ["a.csv", "b.csv"], expected: "b.csv: one file at a time; see --help" },
  ];
  test.each(cases)("$expected", async ({ args, env = {}, expected }) => {
    await using folder = await temporaryFolder();
    const outcome = await run("server", args, { folder, env });
    expect(outcome).toEqual({ stdout: "", stderr: `csvcast-server: ${expected}\n`, exitCode: 2 });
  });
});

describe.concurrent("an address that cannot be had ends with 4:", () => {
  const why = "the port is taken (or the host unknown); give another --port, or 0 for any free one";

  test("a port that another program has", async () => {
    await using folder = await temporaryFolder();
    using holder = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    expect(await run("server", ["a.csv", "--host=127.0.0.1", `--port=${holder.port}`], { folder })).toEqual({
      stdout: "",
      stderr: `csvcast-server: cannot listen on 127.0.0.1:${holder.port}: ${why}\n`,
      exitCode: 4,
    });
  });

  test("a port that another csvcast has", async () => {
    await using folder = await temporaryFolder();
    await using holder = await startServer([], { folder, stdin: "open" });
    expect(await run("server", ["a.csv", "--host=127.0.0.1", `--port=${holder.port}`], { folder })).toEqual({
      stdout: "",
      stderr: `csvcast-server: cannot listen on 127.0.0.1:${holder.port}: ${why}\n`,
      exitCode: 4,
    });
  });

  test("a host that this machine is not", async () => {
    await using folder = await temporaryFolder();
    expect(await run("server", ["a.csv", "--host=198.51.100.77", "--port=0"], { folder })).toEqual({
      stdout: "",
      stderr: "csvcast-server: cannot listen on 198.51.100.77:0: this machine has no such address; see --host\n",
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

  test.each([["text"], ["json"]])("a token that was given is in no output, with --log %s", async (format) => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    const env = { CSVCAST_TOKEN: "sesame-open", CSVCAST_LOG: format };
    await using server = await startServer(["a.csv"], { folder, env });
    await using client = await connect(`${server.url}?token=sesame-open`);
    await client.next();
    const answers = await Promise.all(
      ["/csv.json?token=sesame-open", "/nowhere?token=sesame-open", "/?token=sesame-shut", "/metrics", "/healthz"].map(
        async (path) => (await fetch(server.http + path)).text(),
      ),
    );
    const cmdline = process.platform === "linux" ? await Bun.file(`/proc/${server.pid}/cmdline`).text() : "";
    server.kill("SIGTERM");
    await server.exited;
    expect([server.stdout(), server.stderr(), cmdline, ...answers].join("\n")).not.toContain("sesame");
  });

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
      "refused 127.0.0.1: 403, a web page from elsewhere (--allow-origin)\n" +
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

  test("is a convenience: without it the server says so and goes on", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await folder.write("csvcast", "a file where the folder should be");
    await using server = await startServer(["a.csv"], { folder });
    await using client = await connect(server.url);
    expect(await client.next()).toBe('[{"x":"1"}]');
    expect(server.stderr()).toStartWith("clients must be given the URL: ");
  });
});

describe.concurrent("a signal", () => {
  const cases: { signal: NodeJS.Signals; expected: number }[] = [
    { signal: "SIGHUP", expected: 129 },
    { signal: "SIGINT", expected: 130 },
    { signal: "SIGTERM", expected: 143 },
  ];
  test.each(cases)("$signal closes clients with 1001 and ends with $expected", async ({ signal, expected }) => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await using server = await startServer(["a.csv"], { folder });
    await using first = await connect(server.url);
    await using second = await connect(server.url);
    expect([await first.next(), await second.next()]).toEqual(['[{"x":"1"}]', '[{"x":"1"}]']);
    server.kill(signal);
    expect(await Promise.all([first.closed, second.closed])).toEqual([GOODBYE, GOODBYE]);
    expect(await server.exited).toBe(expected);
    expect(server.stderr()).toBe("");
  });

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

  test("ends a server that still waits for a path", async () => {
    await using folder = await temporaryFolder();
    await using server = await startServer([], { folder, stdin: "open" });
    await using client = await connect(server.url);
    server.kill("SIGTERM");
    expect(await client.closed).toEqual(GOODBYE);
    expect(await server.exited).toBe(143);
  });

  test("is not held up by a client that does not read", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", `x\n${"x".repeat(16 << 20)}\n`);
    await using server = await startServer(["a.csv"], { folder });
    await using stuck = await connect(server.url);
    await using healthy = await connect(server.url);
    stuck.socket.pause();
    await healthy.next();
    await healthy.next();
    server.kill("SIGTERM");
    expect(await server.exited).toBe(143);
    stuck.socket.resume();
  });
});
