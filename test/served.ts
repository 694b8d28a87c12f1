// What tests of the server share: the same done to several files, pipes and signals.
import { expect } from "bun:test";
import { appendFile, rm } from "node:fs/promises";
import { openCopy } from "./hub/copy.ts";
import { connect, run, startServer, temporaryFolder, until } from "./support.ts";

export const QUICK = ["--host=127.0.0.1", "--port=0"];
export const PROMPT = "Enter the CSV file path: ";
export const PNG = Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1");
export const GOODBYE = { code: 1001, reason: "server shutting down" };

export type Beginning = { readonly content: string; readonly first: string; readonly then: string };

/** A file of that content is a table with no rows, for everyone, and `first`, appended, makes the row `then`. */
export async function beginsWithNoRows({ content, first, then }: Beginning): Promise<void> {
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
}

export type Trouble = { readonly make: (path: string) => Promise<unknown>; readonly message: string };

/** What `make` does to a published file is said once; the last table is kept until the file is back. */
export async function keepsItsLastTable({ make, message }: Trouble): Promise<void> {
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
}

/** Clients are closed with 1001, and the exit status is `expected`. */
export async function endsInOrder(signal: NodeJS.Signals, expected: number): Promise<void> {
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
}

/** Whatever is asked of a server with a token, the token is in no output and no answer. */
export async function neverTellsItsToken(format: "text" | "json"): Promise<void> {
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
}

/** A server without FILE whose standard input has no path either. */
export async function isUsageError(stdin: "none" | { readonly text: string }): Promise<void> {
  await using folder = await temporaryFolder();
  const outcome = await run("server", QUICK, { folder, stdin });
  expect(outcome.exitCode).toBe(2);
  expect(outcome.stderr).toBe("csvcast-server: no FILE given, and standard input has none; see --help\n");
}

/** What is typed, with the variables that are set, and the advice that it gets. */
export type CommandLineMistake = {
  readonly args: string[];
  readonly env?: Record<string, string>;
  readonly expected: string;
};

/** The server says so in one line, and ends with 2. */
export async function isMistaken({ args, env = {}, expected }: CommandLineMistake): Promise<void> {
  await using folder = await temporaryFolder();
  const outcome = await run("server", args, { folder, env });
  expect(outcome).toEqual({ stdout: "", stderr: `csvcast-server: ${expected}\n`, exitCode: 2 });
}
