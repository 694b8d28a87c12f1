// What a person types, and what they see: paths as they are typed and dragged in, and the prompt in a real terminal.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, readdir, symlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import { atOnce } from "../../at-once.ts";
import { openerOf } from "../../../src/cli/server/browser.ts";
import { completePath } from "../../../src/cli/server/completion.ts";
import { isInForeground } from "../../../src/cli/server/console.ts";
import { cleanPath } from "../../../src/cli/server/words.ts";
import { connect, sampleCsv, sampleJson, startServer, TEST_TIMEOUT_MS, temporaryFolder } from "../../support.ts";
import { openedIn, withBrowser } from "../browser.ts";
import { KEYS, type Line, openScreen, startInTerminal } from "../terminal.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);
atOnce(4);

const PROMPT = "Enter the CSV file path:";
const SERVER = ["--host=127.0.0.1", "--port=0", "--interval=30ms", "--settle=20ms"];

describe("a path that was typed", () => {
  const cases: { name: string; input: string; expected: string }[] = [
    { name: "is taken as it is", input: "data/a.csv", expected: "data/a.csv" },
    { name: "loses blanks around it", input: "  a.csv \t", expected: "a.csv" },
    { name: "keeps blanks within", input: "my data.csv", expected: "my data.csv" },
    { name: "loses double quotes", input: '"my data.csv"', expected: "my data.csv" },
    { name: "loses single quotes", input: "'my data.csv'", expected: "my data.csv" },
    { name: "keeps the blanks that were quoted", input: "' a.csv '", expected: " a.csv " },
    { name: "keeps a quote that has no partner", input: "it's.csv", expected: "it's.csv" },
    { name: "keeps quotes of two kinds", input: "\"a.csv'", expected: "\"a.csv'" },
    { name: "keeps backslashes in quotes", input: "'a\\ b.csv'", expected: "a\\ b.csv" },
    { name: "is freed of a shell's backslashes", input: "my\\ data\\(1\\).csv", expected: "my data(1).csv" },
    { name: "is freed of a shell's backslash before a backslash", input: "a\\\\b.csv", expected: "a\\b.csv" },
    { name: "may begin at home", input: "~/a.csv", expected: "/home/ada/a.csv" },
    { name: "may be home", input: "~", expected: "/home/ada" },
    { name: "may begin at home in quotes", input: "'~/a b.csv'", expected: "/home/ada/a b.csv" },
    { name: "may not begin at the home of another", input: "~bob/a.csv", expected: "~bob/a.csv" },
    { name: "may have a tilde elsewhere", input: "a~/b.csv", expected: "a~/b.csv" },
    { name: "may be a file URL", input: "file:///data/my%20data.csv", expected: "/data/my data.csv" },
    { name: "may be a file URL in quotes", input: "'file:///data/a.csv'", expected: "/data/a.csv" },
    { name: "stays a file URL that leads nowhere", input: "file://host/%zz", expected: "file://host/%zz" },
    { name: "may be nothing", input: "   ", expected: "" },
    { name: "may be nothing in quotes", input: "''", expected: "" },
    { name: "may be one quote", input: '"', expected: '"' },
  ];
  test.each(cases)("$name", ({ input, expected }) => {
    expect(cleanPath(input, "/home/ada")).toBe(expected);
  });

  test("keeps its backslashes if there is a file of that name", async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("a\\ b.csv", "");
    expect(cleanPath(path, "")).toBe(path);
  });
});

describe("Tab", () => {
  const cases: { name: string; input: string; expected: string[] }[] = [
    { name: "lists what begins so", input: "$/sa", expected: ["$/sales.csv", "$/sample.csv"] },
    { name: "ends a folder with a slash", input: "$/da", expected: ["$/data/"] },
    { name: "goes on into a folder", input: "$/data/", expected: ["$/data/a.csv", "$/data/b c.csv"] },
    { name: "ends a link to a folder with a slash", input: "$/li", expected: ["$/link/"] },
    { name: "shows a link that leads nowhere", input: "$/bro", expected: ["$/broken.csv"] },
    {
      name: "leaves hidden files out",
      input: "$/",
      expected: ["$/broken.csv", "$/circle.csv", "$/data/", "$/link/", "$/red.csv", "$/sales.csv", "$/sample.csv"],
    },
    { name: "shows hidden files that are asked for", input: "$/.h", expected: ["$/.hidden.csv"] },
    { name: "keeps the quote before a path", input: "'$/data/b", expected: ["'$/data/b c.csv"] },
    { name: "keeps blanks before a path", input: "  $/sam", expected: ["  $/sample.csv"] },
    { name: "begins at home", input: "~/sam", expected: ["~/sample.csv"] },
    { name: "finds nothing that is not there", input: "$/x", expected: [] },
    { name: "finds nothing in a folder that is not there", input: "$/none/", expected: [] },
    { name: "finds nothing in a file", input: "$/sample.csv/", expected: [] },
    { name: "leaves out what would command the terminal", input: "$/red", expected: ["$/red.csv"] },
  ];
  test.each(cases)("$name", async ({ input, expected }) => {
    await using folder = await temporaryFolder();
    for (const name of [
      "sales.csv",
      "sample.csv",
      ".hidden.csv",
      "data/a.csv",
      "data/b c.csv",
      "red.csv",
      "red\x1b[31m.csv",
      "red\u202e.csv",
    ])
      await folder.write(name, "");
    await symlink("data", join(folder.path, "link"));
    await symlink("nowhere", join(folder.path, "broken.csv"));
    await symlink("circle.csv", join(folder.path, "circle.csv"));
    const real = (text: string) => text.replace("$", folder.path);
    expect(completePath(real(input), folder.path)).toEqual([expected.map(real), real(input)]);
  });

  test("begins in the folder that the program runs in", () => {
    expect(completePath("package.j", "")[0]).toEqual(completePath("./package.j", "")[0].map((path) => path.slice(2)));
  });
});

/** What a server with no network address to show says first. */
const STARTED = [
  /^WebSocket server started\. Listening on 127\.0\.0\.1:\d+\.$/,
  /^ {5}Open http:\S+$/,
  /^WebSocket ws:\S+$/,
  "o opens the browser, h lists what can be typed",
];
const WAITING = "no file yet · 0 clients";

describe.concurrent("in a terminal, a person", () => {
  test("is asked for a path, completes it with Tab, and sees one status line that follows the table", async () => {
    await using folder = await temporaryFolder();
    await folder.write("sample.csv", sampleCsv);
    await using server = startInTerminal("server", SERVER, { folder });
    await server.becomes([...STARTED, WAITING, PROMPT]);
    server.type("sam");
    await server.ends(`${PROMPT} sam`);
    server.type(KEYS.tab);
    await server.ends(`${PROMPT} sample.csv`);
    server.type(KEYS.enter);
    const entered = [...STARTED, `${PROMPT} sample.csv`, "sample.csv: 2 rows × 5 columns, comma, UTF-8"];
    const status = (text: string) => new RegExp(`^sample\\.csv · ${text} · changed \\d+ s ago$`);
    await server.becomes([...entered, status("2 rows × 5 columns · 0 clients"), PROMPT]);

    await using client = await connect(await server.url());
    expect(await client.next()).toBe(sampleJson);
    entered.push("client from 127.0.0.1: plain");
    await server.becomes([...entered, status("2 rows × 5 columns · 1 client"), PROMPT]);
    await folder.write("sample.csv", `${sampleCsv}1,2,3,4,5\n`);
    await server.becomes([...entered, status("3 rows × 5 columns · 1 client"), PROMPT]);
  });

  test("is told why a path is wrong, is asked again, and can switch to another file", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await folder.write("my data.csv", "y\n2\n");
    await mkdir(join(folder.path, "folder"));
    await using server = startInTerminal("server", [...SERVER, "a.csv"], { folder });
    const expected: Line[] = [...STARTED, "a.csv: 1 row × 1 column, comma, UTF-8"];
    await server.becomes([...expected, /^a\.csv · 1 row × 1 column · 0 clients ·/, PROMPT]);
    for (const { typed, answer } of [
      { typed: "b.csv", answer: "b.csv: no such file" },
      { typed: "folder", answer: "folder: is a directory, not a CSV file" },
    ]) {
      server.type(typed + KEYS.enter);
      expected.push(`${PROMPT} ${typed}`, answer);
      await server.becomes([...expected, /^a\.csv · 1 row × 1 column · 0 clients ·/, PROMPT]);
    }
    server.type(`'my data.csv'${KEYS.enter}`);
    expected.push(`${PROMPT} 'my data.csv'`, "my data.csv: 1 row × 1 column, comma, UTF-8");
    await server.becomes([...expected, /^my data\.csv · 1 row × 1 column · 0 clients ·/, PROMPT]);
    await using client = await connect(await server.url());
    expect(await client.next()).toBe('[{"y":"2"}]');
  });

  const WIDTH = 60;
  const wrapped = (line: string) => line.match(new RegExp(`.{1,${WIDTH}}`, "g")) ?? [];

  test("can edit what they type while the status line changes above it", async () => {
    await using folder = await temporaryFolder();
    const long = `${"long-".repeat(14)}name.csv`;
    await folder.write("a.csv", "x\n1\n");
    await folder.write(long, "y\n2\n");
    await using server = startInTerminal("server", [...SERVER, "a.csv"], { folder, columns: WIDTH });
    const expected: Line[] = [...STARTED, "a.csv: 1 row × 1 column, comma, UTF-8"];
    await server.becomes([...expected, /^a\.csv · 1 row × 1 column ·/, PROMPT]);
    server.type(long.replace("name", "nme"));
    const mistyped = wrapped(`${PROMPT} ${long.replace("name", "nme")}`);
    await server.becomes([...expected, /^a\.csv · 1 row × 1 column ·/, ...mistyped]);
    await folder.write("a.csv", "x\n1\n2\n");
    await server.becomes([...expected, /^a\.csv · 2 rows × 1 column ·/, ...mistyped]);
    for (let i = 0; i < "me.csv".length; i++) server.type(KEYS.left);
    server.type("a");
    const typed = wrapped(`${PROMPT} ${long}`);
    await server.becomes([...expected, /^a\.csv · 2 rows × 1 column ·/, ...typed]);
    await folder.write("a.csv", "x\n1\n2\n3\n");
    await server.becomes([...expected, /^a\.csv · 3 rows × 1 column ·/, ...typed]);
    server.type(KEYS.enter);
    expected.push(...typed, ...wrapped(`${long}: 1 row × 1 column, comma, UTF-8`));
    await server.becomes([...expected, /^long.*….*\.csv · 1 row × 1 column · 0 clients/, PROMPT]);
  });

  const lengths = [
    1,
    ...[-1, 0, 1, WIDTH - 1, WIDTH, WIDTH + 1, 2 * WIDTH].map((more) => WIDTH - PROMPT.length - 1 + more),
  ];
  test("leaves no trace of the status line behind, however long the line they enter", async () => {
    await using folder = await temporaryFolder();
    await using server = startInTerminal("server", SERVER, { folder, columns: WIDTH });
    const expected: Line[] = [...STARTED];
    await server.becomes([...expected, WAITING, PROMPT]);
    for (const length of lengths) {
      const path = Array.from({ length }, (_, i) => String.fromCharCode(97 + (i % 23))).join("");
      // Row by row, as fast as a person: readline loses count of its rows when a paste ends at the last column.
      for (const row of wrapped(`${PROMPT} ${path}`)) {
        server.type(row.replace(`${PROMPT} `, ""));
        await server.ends(row);
      }
      server.type(KEYS.enter);
      expected.push(...wrapped(`${PROMPT} ${path}`), ...wrapped(`${path}: no such file`));
      await server.becomes([...expected, WAITING, PROMPT]);
    }
  });

  test("ends the server with Ctrl-C, and clients see 1001", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await using server = startInTerminal("server", [...SERVER, "a.csv"], { folder });
    await server.ends(/^a\.csv · 1 row × 1 column ·/, PROMPT);
    await using client = await connect(await server.url());
    server.type(KEYS.ctrlC);
    expect(await client.closed).toEqual({ code: 1001, reason: "server shutting down" });
    expect(await server.exited).toBe(130);
    // The shell's prompt has a line of its own, below who left.
    await server.ends(/^client from 127\.0\.0\.1 is gone: plain, .* 1001 server shutting down$/);
    expect(server.output()).toEndWith("\n");
  });

  test("ends the server with Ctrl-D before a file is published", async () => {
    await using folder = await temporaryFolder();
    await using server = startInTerminal("server", SERVER, { folder });
    await server.ends(WAITING, PROMPT);
    server.type(KEYS.ctrlD);
    expect(await server.exited).toBe(0);
  });

  test("only closes the prompt with Ctrl-D once a file is published", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await using server = startInTerminal("server", [...SERVER, "a.csv"], { folder });
    await server.ends(/^a\.csv · 1 row × 1 column ·/, PROMPT);
    server.type(KEYS.ctrlD);
    await server.ends(/^a\.csv · 1 row × 1 column · 0 clients ·/);
    await using client = await connect(await server.url());
    expect(await client.next()).toBe('[{"x":"1"}]');
    await server.ends(/^a\.csv · 1 row × 1 column · 1 client ·/);
    server.kill("SIGINT");
    expect(await server.exited).toBe(130);
  });

  test("ends the server by closing the terminal, in order: clients see 1001, and no entry is left", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await using server = startInTerminal("server", [...SERVER, "a.csv"], { folder });
    await server.shows(/^a\.csv · 1 row × 1 column ·/);
    await using client = await connect(await server.url());
    await client.next();
    server.hangUp();
    expect(await client.closed).toEqual({ code: 1001, reason: "server shutting down" });
    expect(await server.exited).toBe(129);
    expect(await readdir(join(folder.path, "csvcast"))).toEqual([]);
  });

  test("can start the server in the background, where it asks nothing and is not stopped", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    const shell = 'set -m; "$@" & echo "started $!"; wait';
    await using server = startInTerminal("server", [...SERVER, "a.csv"], { folder, shell });
    await server.shows(/^started \d+$/);
    const pid = Number(/started (\d+)/.exec(server.output())?.[1]);
    using stack = new DisposableStack();
    stack.defer(() => void Bun.spawnSync(["kill", "-9", String(pid)])); // it outlives the shell
    await using client = await connect(await server.url());
    expect(await client.next()).toBe('[{"x":"1"}]');
    expect(server.output()).not.toContain(PROMPT);
    expect(server.output()).not.toContain("\x1b"); // the cursor is the shell's
  });

  test("sees colours only where they are wanted", async () => {
    await using folder = await temporaryFolder();
    await using plain = startInTerminal("server", SERVER, { folder, env: { NO_COLOR: "1" } });
    await using painted = startInTerminal("server", SERVER, { folder });
    await plain.shows(WAITING);
    await painted.shows(WAITING);
    expect(plain.output()).not.toMatch(/\x1b\[[\d;]*m/);
    expect(painted.output()).toMatch(/\x1b\[[\d;]*m/);
  });

  test("is asked on a dumb terminal too, with nothing but lines", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await using server = startInTerminal("server", SERVER, { folder, env: { TERM: "dumb" } });
    await server.ends(PROMPT);
    server.type("a.csv\n");
    await server.shows(/a\.csv: 1 row × 1 column, comma, UTF-8$/);
    expect(server.output()).not.toContain("\x1b");
  });
});

describe.concurrent("at the prompt, a person", () => {
  test("opens the browser with o, unless that is a file, and lists with h what can be typed", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await using server = startInTerminal("server", [...SERVER, "a.csv"], { folder, env: await withBrowser(folder) });
    await server.ends(/^a\.csv · 1 row × 1 column ·/, PROMPT);
    server.type(`h${KEYS.enter}`);
    await server.shows(/^ {2}o +opens the page in a browser$/);
    server.type(`o${KEYS.enter}`);
    expect(await openedIn(folder)).toBe((await server.url()).replace("ws:", "http:"));
    await folder.write("o", "y\n2\n");
    server.type(`o${KEYS.enter}`);
    await server.shows("o: 1 row × 1 column, comma, UTF-8");
  });

  test("adds tables by their paths, takes them off by their names, and is told what is not so", async () => {
    await using folder = await temporaryFolder();
    for (const name of ["a.csv", "b.csv", "c.csv", "-x.csv"]) await folder.write(name, "x\n1\n");
    await using server = startInTerminal("server", [...SERVER, "a.csv", "b.csv"], { folder, columns: 120 });
    await server.ends("2 tables · 0 clients", PROMPT);
    const steps = [
      { typed: "c.csv", answer: "/c: c.csv: 1 row × 1 column, comma, UTF-8", tables: 3 },
      { typed: "./c.csv", answer: "c.csv is published already", tables: 3 },
      { typed: "-c", answer: "c is no longer published", tables: 2 },
      { typed: "-c", answer: "-c: no table of that name; others: b", tables: 2 },
      { typed: "-a", answer: "-a: the first table stays, which is / and /csv", tables: 2 },
      { typed: "-csv", answer: "-csv: the first table stays, which is / and /csv", tables: 2 },
      { typed: "./-x.csv", answer: "/-x: -x.csv: 1 row × 1 column, comma, UTF-8", tables: 3 },
      { typed: "--x", answer: "-x is no longer published", tables: 2 },
      { typed: "-x.csv", answer: "/-x: -x.csv: 1 row × 1 column, comma, UTF-8", tables: 3 },
      {
        typed: "eur=c.csv",
        answer: /^eur=c\.csv: a name is given where the server is started; type c\.csv,/,
        tables: 3,
      },
    ];
    for (const { typed, answer, tables } of steps) {
      server.type(`${typed}${KEYS.enter}`);
      await server.ends(`${PROMPT} ${typed}`, answer, `${tables} tables · 0 clients`, PROMPT);
    }
  });

  test("makes the window narrower and wider, and finds nothing stale", async () => {
    await using folder = await temporaryFolder();
    const name = "measurements-of-2026.csv";
    const anHourAgo = Date.now() / 1000 - 3_700; // so that its age stays as it is
    await utimes(await folder.write(name, "x\n1\n"), anHourAgo, anHourAgo);
    await using server = startInTerminal("server", [...SERVER, name], { folder, columns: 100 });
    const shown: Line[] = [...STARTED, `${name}: 1 row × 1 column, comma, UTF-8`];
    const all = new RegExp(`^${name} · 1 row × 1 column · 0 clients · changed 1 h ago$`);
    await server.becomes([...shown, all, PROMPT]);
    server.type("abc");
    await server.becomes([...shown, all, `${PROMPT} abc`]);
    server.resize(60);
    await server.becomes([
      ...shown,
      /^meas.*….*\.csv · 1 row × 1 column · 0 clients · changed 1 h ago$/,
      `${PROMPT} abc`,
    ]);
    server.resize(27);
    await server.ends("1 row · 0 clients", `${PROMPT} ab`, "c");
    server.resize(100);
    await server.becomes([...shown, all, `${PROMPT} abc`]);
  });

  test("stops the server with Ctrl-Z, and fg has prompt and status line again", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    // As `bun run` does it: a parent in the same group, which waits for its child.
    const shell = `set -m; sh -c '"$@"; exit $?' sh "$@"; echo "stopped with $?"; read -r line; fg >/dev/null; echo "ended with $?"`;
    await using server = startInTerminal("server", [...SERVER, "a.csv"], { folder, shell });
    await server.ends(/^a\.csv · 1 row × 1 column ·/, PROMPT);
    server.type(`ab${KEYS.ctrlZ}`);
    await server.ends(/^stopped with \d+$/);
    server.type("\n");
    await server.ends(/^a\.csv · 1 row × 1 column ·/, `${PROMPT} ab`);
    server.type("c");
    await server.ends(/^a\.csv · 1 row × 1 column ·/, `${PROMPT} abc`);
    server.type(KEYS.ctrlC);
    await server.shows("ended with 130");
  });
});

test("--open gives no token that was given to another program, whose arguments others can see: the page asks for it", async () => {
  await using folder = await temporaryFolder();
  await folder.write("a.csv", "x\n1\n");
  const env = { ...(await withBrowser(folder)), CSVCAST_TOKEN: "sesame+open" };
  await using server = await startServer(["a.csv", "--open"], { folder, env });
  expect(await openedIn(folder)).toBe(`${server.http}/`);
  expect(server.stdout()).not.toContain("sesame");
});

test("--no-token says who may read, and --open needs no token then", async () => {
  await using folder = await temporaryFolder();
  await folder.write("a.csv", "x\n1\n");
  await using server = await startServer(["a.csv", "--no-token", "--open"], { folder, env: await withBrowser(folder) });
  expect(await openedIn(folder)).toBe(`${server.http}/`);
  await server.prints("--no-token: everyone who can reach this port may read\n", "stderr");
});

test("each system has a program that opens the browser, and none of them is a shell", () => {
  expect(openerOf("linux")).toEqual(["xdg-open"]);
  expect(openerOf("darwin")).toEqual(["open"]);
  expect(openerOf("win32")).toEqual(["rundll32", "url.dll,FileProtocolHandler"]);
});

test.skipIf(process.platform !== "linux")("whether it is in the foreground, ps says as proc does", () => {
  expect(isInForeground("darwin")).toBe(isInForeground("linux"));
  expect(isInForeground("win32")).toBe(true);
});

describe("the screen of these tests", () => {
  const cases: { name: string; input: string; expected: string[] }[] = [
    { name: "shows lines", input: "a\r\nb", expected: ["a", "b"] },
    { name: "wraps after its last column", input: "abcdefghijkl", expected: ["abcdefghij", "kl"] },
    { name: "does not wrap a line that just fits", input: "abcdefghij\r\nk", expected: ["abcdefghij", "k"] },
    { name: "overwrites", input: "abc\rX", expected: ["Xbc"] },
    { name: "clears below the cursor", input: "ab\r\ncd\r\nef\x1b[2A\x1b[2G\x1b[0J", expected: ["a"] },
    { name: "passes colours over, in pieces too", input: "\x1b[2ma\x1b[0m", expected: ["a"] },
  ];
  test.each(cases)("$name", ({ input, expected }) => {
    const whole = openScreen(10);
    whole.write(input);
    expect(whole.lines()).toEqual(expected);
    const pieces = openScreen(10);
    for (const character of input) pieces.write(character);
    expect(pieces.lines()).toEqual(expected);
  });
});
