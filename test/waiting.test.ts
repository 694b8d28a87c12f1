// FILE that is not there yet: what the console, clients of every kind and scripts see of it, and what happens when it comes.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { atOnce } from "./at-once.ts";
import { startInTerminal } from "./cli/terminal.ts";
import { SUBPROTOCOL } from "../src/feed/protocol.ts";
import {
  connect,
  run,
  type RunningServer,
  start,
  startServer,
  TEST_TIMEOUT_MS,
  temporaryFolder,
  until,
} from "./support.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);
atOnce(4);

const healthOf = async (server: RunningServer) => {
  const response = await fetch(`${server.http}/healthz`);
  const fields = (await response.json()) as Record<string, unknown>;
  return { ...fields, status: response.status } as Record<string, unknown>;
};

const becomes = (server: RunningServer, wanted: string, rows = 0) =>
  until(`to be ${wanted}`, async () => {
    const { state, rows: found } = await healthOf(server);
    return state === wanted && found === rows;
  });

describe.concurrent("FILE that is not there yet", () => {
  test("is waited for, by everyone, and is the table when it comes", async () => {
    await using folder = await temporaryFolder();
    await folder.write("Price.csv", "");
    await using server = await startServer(["./prices.csv", "--heartbeat=100ms"], { folder });
    await server.prints("waiting for ./prices.csv: no such file yet; is Price.csv meant?\n", "stderr");
    const message = "prices.csv: no such file yet";
    expect(await healthOf(server)).toMatchObject({
      status: 503,
      state: "waiting",
      message,
      file: "prices.csv",
      rows: 0,
    });
    const document = await fetch(`${server.http}/csv.json`);
    expect([document.status, document.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await document.text()).toBe(`no table is published yet: ${message}\n`);
    const metrics = await (await fetch(`${server.http}/metrics`)).text();
    expect(metrics).toContain('csvcast_file_state{table="prices",state="waiting"} 1\n');

    await using live = await connect(server.url, { protocols: [SUBPROTOCOL] });
    const waiting = { type: "status", state: "waiting", message };
    expect(JSON.parse(await live.next())).toMatchObject(waiting);
    expect(JSON.parse(await live.next())).toMatchObject(waiting);
    await using plain = await connect(server.url);
    await using rows = start("client", [server.url, "--ndjson"], { folder });
    await rows.prints(`waiting: ${message}\n`, "stderr");
    expect(plain.waiting()).toBe(0);

    await folder.write("prices.csv", "x\n1\n");
    expect(await plain.next()).toBe('[{"x":"1"}]');
    await live.nextThat("the table", (text) => text.includes('"rows":[["1"]]'));
    await rows.prints('{"x":"1"}\n');
    await rows.prints("live\n", "stderr");
    await server.prints("prices.csv: 1 row × 1 column, comma, UTF-8\n");
    await becomes(server, "live", 1);
    expect(server.stderr().match(/waiting/g)).toHaveLength(1);
    await rm(join(folder.path, "prices.csv"));
    await becomes(server, "missing", 1);
  });

  test("may come empty, its header later, and its rows after that: a client that prints rows prints all", async () => {
    await using folder = await temporaryFolder();
    await using server = await startServer(["log.csv"], { folder });
    await server.prints("waiting for log.csv: no such file yet\n", "stderr");
    await using rows = start("client", [server.url, "--csv"], { folder });
    await rows.prints("waiting: ", "stderr");
    const path = await folder.write("log.csv", "");
    await server.prints("log.csv: empty so far\n");
    await appendFile(path, "a,b\n");
    await server.prints("log.csv: 0 rows × 2 columns, comma, UTF-8\n");
    await appendFile(path, "1,2\n");
    await rows.prints("1,2\n");
    await folder.write("log.csv", "a;b;c\n1;2;3\n");
    await server.prints("log.csv: other columns now: 1 row × 3 columns, semicolon, UTF-8\n");
    await folder.write("log.csv", "a,b,c\n1,2,3\n");
    await server.prints("log.csv: read otherwise now: 1 row × 3 columns, comma, UTF-8\n");
    await folder.write("log.csv", "");
    await server.prints("log.csv: empty now\n");
    expect(rows.stdout()).toStartWith("a,b\n1,2\n");
    expect(server.stderr()).not.toContain("log.csv: empty");
  });

  test("may come as a folder or without permission first: that is told, and waited for, too", async () => {
    await using folder = await temporaryFolder();
    await using server = await startServer(["a.csv"], { folder });
    await server.prints("waiting for a.csv", "stderr");
    await mkdir(join(folder.path, "a.csv"));
    await server.prints("waiting: a.csv: is a directory, not a CSV file\n", "stderr");
    await rm(join(folder.path, "a.csv"), { recursive: true });
    await server.prints("waiting: a.csv: no such file yet\n", "stderr");
    await folder.write("a.csv", "x\n1\n");
    await becomes(server, "live", 1);
  });

  test("is one event for machines", async () => {
    await using folder = await temporaryFolder();
    await using server = await startServer(["d.csv", "--log=json"], { folder });
    await server.prints('"file-awaited"');
    const line = server
      .stdout()
      .split("\n")
      .find((text) => text.includes("file-awaited"))!;
    expect(JSON.parse(line)).toMatchObject({
      level: "warn",
      event: "file-awaited",
      message: "waiting for d.csv: no such file yet",
      file: "d.csv",
      path: "d.csv",
      reason: "no such file yet",
    });
  });

  test("in a folder that is not there either ends the server with 3, before it listens", async () => {
    await using folder = await temporaryFolder();
    const outcome = await run("server", ["--port=0", "data/a.csv"], { folder });
    expect(outcome).toEqual({
      stdout: "",
      stderr: "csvcast-server: data/a.csv: no such folder: data\n",
      exitCode: 3,
    });
  });

  test("is no business of the prompt: a path that is typed is refused, or takes its place", async () => {
    await using folder = await temporaryFolder();
    await folder.write("b.csv", "y\n2\n");
    await using server = startInTerminal("server", ["--host=127.0.0.1", "--port=0", "--no-token", "a.csv"], {
      folder,
      columns: 200,
    });
    await server.shows("waiting for a.csv: no such file yet");
    await server.shows(/^waiting for a\.csv · 0 clients$/);
    server.type("nowhere.csv\r");
    await server.shows(/^nowhere\.csv: no such file$/);
    await server.shows(/^waiting for a\.csv · 0 clients$/);
    server.type("help\r");
    await server.shows(/^  PATH   publishes this file instead/);
    server.type("*.csv\r");
    await server.shows(/it fits b\.csv$/);
    server.type("s3://h/x.csv\r");
    await server.ends(
      "Enter the CSV file path: s3://h/x.csv",
      /neither a path, nor/,
      "waiting for a.csv · 0 clients",
      "Enter the CSV file path:",
    );
    server.type("-\r");
    await server.shows(/standard input is where paths are typed/);
    server.type("$HOME/b.csv\r");
    await server.shows("b.csv: 1 row × 1 column, comma, UTF-8");
    await folder.write("a.csv", "x\n1\n");
    server.type("exit\r");
    expect(await server.exited).toBe(0);
    expect(server.output()).not.toContain("a.csv: 1 row");
  });

  test("is waited for beside a pipe with nothing in it", async () => {
    await using folder = await temporaryFolder();
    await using server = await startServer(["a.csv"], { folder, stdin: { text: "" } });
    await server.prints("waiting for a.csv", "stderr");
    await folder.write("a.csv", "x\n1\n");
    await becomes(server, "live", 1);
  });
});

describe.concurrent("words in a pipe of paths", () => {
  test.each(["exit\n", "nowhere.csv\nquit\nb.csv\n"])("%j ends the server with 0", async (text) => {
    await using folder = await temporaryFolder();
    const { exitCode } = await run("server", ["--host=127.0.0.1", "--port=0"], { folder, stdin: { text } });
    expect(exitCode).toBe(0);
  });

  test("are paths if there is a file of that name", async () => {
    await using folder = await temporaryFolder();
    await folder.write("exit", "x\n1\n");
    await using server = await startServer([], { folder, stdin: { text: "exit\n" } });
    await server.prints("exit: 1 row × 1 column, comma, UTF-8\n");
  });
});
