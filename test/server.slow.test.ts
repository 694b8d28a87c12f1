// The server as a person or a script meets it, where that takes long or rarely breaks. The rest is in `server.test.ts`.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, rename, rm } from "node:fs/promises";
import { atOnce } from "./at-once.ts";
import { connect, run, startServer, TEST_TIMEOUT_MS, temporaryFolder, until } from "./support.ts";
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
  QUICK,
} from "./served.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);
atOnce(4);

describe.concurrent("a path through a pipe", () => {
  test.each([
    { name: "/dev/null", stdin: "none" as const },
    { name: "blank lines", stdin: { text: "\n \n" } },
  ])("that never comes, from $name, is a usage error", ({ stdin }) => isUsageError(stdin));

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

  test("is looked for ten times; a CSV is not taken for a list of paths", async () => {
    await using folder = await temporaryFolder();
    const outcome = await run("server", QUICK, { folder, shell: 'yes 1,2 | exec "$@"' });
    expect(outcome.exitCode).toBe(3);
    expect(outcome.stderr).toBe(
      `${"1,2: no such file\n".repeat(10)}csvcast-server: 10 wrong paths; for a CSV on standard input give - as FILE\n`,
    );
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

describe.concurrent("a published file", () => {
  test.each([
    { name: "blank lines", content: "\n\n", first: "h1,h2\n5,6\n", then: '[{"h1":"5","h2":"6"}]' },
    { name: "a header alone", content: "h1,h2", first: "\n5,6\n", then: '[{"h1":"5","h2":"6"}]' },
  ])("may begin as $name, which is a table with no rows, for everyone", beginsWithNoRows);

  test.each([
    {
      name: "is replaced by a directory",
      make: async (path: string) => {
        await rm(path);
        await mkdir(path);
      },
      message: "stale: a.csv: is a directory, not a CSV file; clients keep the last good table\n",
    },
    {
      name: "becomes a picture",
      make: async (path: string) => {
        await Bun.write(`${path}.png`, PNG);
        await rename(`${path}.png`, path);
      },
      message: "invalid: a.csv: not a CSV but a PNG image; clients keep the last good table\n",
    },
  ])("that $name keeps its last table, says so once, and is welcome back", keepsItsLastTable);

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
  const cases: CommandLineMistake[] = [
    {
      args: ["a.csv", "redis://h?topic=t", "--relay=redis://h"],
      expected: "--relay h:6379: a server publishes files or follows a relay; topic t at h:6379 is a relay",
    },
    { args: ["x=a.csv", "x=b.csv"], expected: "x: the name of a.csv and of b.csv; give another one" },
    {
      args: ["x.csv", "b=x.csv"],
      expected: "b=x.csv: the file is given twice, and a table has one name; give it once",
    },
    {
      args: ["a=x.csv", "a.csv"],
      expected: "a.csv: has the name that x.csv was given; give one of them another, as in NAME=FILE",
    },
    { args: ["a.csv", "--standby"], expected: "--standby: needs --relay" },
    {
      args: ["a.csv", "--poll=5s"],
      expected: "--poll: needs a FILE that is a web address; a file is looked at when it changes, and every --interval",
    },
    { args: ["a.csv", "--newest"], expected: "--newest: needs one FILE that is a folder or a pattern" },
  ];
  test.each(cases)("$expected", isMistaken);
});

describe.concurrent("an address that cannot be had ends with 4:", () => {
  const why = "the port is taken; give another --port, or 0 for any free one";

  test("a port that another csvcast has", async () => {
    await using folder = await temporaryFolder();
    await using holder = await startServer([], { folder, stdin: "open" });
    expect(await run("server", ["a.csv", "--host=127.0.0.1", `--port=${holder.port}`], { folder })).toEqual({
      stdout: "",
      stderr: `csvcast-server: cannot listen on 127.0.0.1:${holder.port}: ${why}\n`,
      exitCode: 4,
    });
  });
});

describe.concurrent("the entry for clients on this machine", () => {
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
  test.each([
    { signal: "SIGHUP" as const, expected: 129 },
    { signal: "SIGINT" as const, expected: 130 },
  ])("$signal closes clients with 1001 and ends with $expected", ({ signal, expected }) =>
    endsInOrder(signal, expected),
  );

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

test.concurrent("a token that was given is in no output, with --log json", () => neverTellsItsToken("json"));
