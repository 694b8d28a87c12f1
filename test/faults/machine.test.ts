// A machine that is not as it should be: the server says what is wrong, or goes on.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { utimes } from "node:fs/promises";
import { connect, type Client, start, startServer, temporaryFolder, TEST_TIMEOUT_MS, until } from "../support.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const isLinux = process.platform === "linux";

describe.concurrent.if(isLinux)("the server goes on", () => {
  const cases: { name: string; env?: Record<string, string>; shell?: string; says?: string }[] = [
    { name: "without a HOME", shell: 'unset HOME XDG_RUNTIME_DIR; exec "$@"' },
    { name: "with an empty environment", shell: 'exec env -i "PATH=$PATH" "$@"' },
    {
      name: "where the runtime folder cannot be written",
      env: { XDG_RUNTIME_DIR: "/proc/self/nowhere" },
      says: "clients must be given the URL",
    },
    {
      name: "where the runtime folder is a file",
      env: { XDG_RUNTIME_DIR: "/dev/null" },
      says: "clients must be given",
    },
  ];
  test.each(cases)("$name", async ({ env, shell, says }) => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await using server = await startServer(["a.csv"], { folder, ...(env && { env }), ...(shell && { shell }) });
    await using client = await connect(server.url);
    expect(await client.next()).toBe('[{"x":"1"}]');
    if (says) expect(server.stderr()).toContain(says);
    else expect(server.stderr()).toBe("");
  });

  test("when its output goes to a disk that is full", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    const shell = 'exec "$@" > /dev/full 2> /dev/full';
    await using _server = start("server", ["a.csv", "--port=0", "--host=127.0.0.1", "--interval=30ms"], {
      folder,
      shell,
    });
    const entry = await until("the entry of the server", () => newestEntry(folder.path));
    await using client = await connect(entry.url);
    for (let n = 0; n < 3; n++) expect(await client.next()).toBe('[{"x":"1"}]');
    await folder.write("a.csv", "x\n2\n");
    await client.nextThat("the change", (text) => text === '[{"x":"2"}]');
  });
});

async function newestEntry(folder: string): Promise<{ url: string } | undefined> {
  for await (const path of new Bun.Glob("csvcast/*.json").scan(folder))
    return (await Bun.file(`${folder}/${path}`).json()) as { url: string };
  return undefined;
}

test.concurrent.if(isLinux)(
  "with 64 open files it lets in as many as it can serve, says so, and the others when there is room",
  async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await using server = await startServer(["a.csv"], { folder, shell: 'ulimit -n 64; exec "$@"' });
    await server.prints("no more than 32 clients: 64 files may be open; see ulimit -n", "stderr");
    const clients: Client[] = [];
    for (let n = 0; n < 32; n++) clients.push(await connect(server.url));
    for (let n = 0; n < 100; n++) await expect(connect(server.url)).rejects.toThrow("503");
    await folder.write("a.csv", "x\n2\n"); // there are descriptors left to read it
    for (const client of clients) await client.nextThat("the change", (text) => text === '[{"x":"2"}]');
    for (const client of clients) await client[Symbol.asyncDispose]();
    await using late = await until("room", () => connect(server.url).catch(() => undefined));
    expect(await late.next()).toBe('[{"x":"2"}]');
  },
);

describe.concurrent("a clock that is wrong", () => {
  test.each([
    ["a hundred years ahead of the file", new Date("1930-01-01")],
    ["behind the file: it is from the future", new Date("2100-01-01")],
  ])("%s", async (_name, time) => {
    await using folder = await temporaryFolder();
    const path = await folder.write("a.csv", "x\n1\n");
    await utimes(path, time, time);
    await using server = await startServer(["a.csv"], { folder });
    await using client = await connect(server.url);
    expect(await client.next()).toBe('[{"x":"1"}]');
    await Bun.write(path, "x\n2\n");
    await utimes(path, time, time); // as a clock that was set back would leave it
    await client.nextThat("the change", (text) => text === '[{"x":"2"}]');
  });

  const [faketime] = [...new Bun.Glob("/usr/lib/*/faketime/libfaketime.so.1").scanSync("/")];
  test.skipIf(!faketime)("that is set back by an hour while it runs (Debian's package libfaketime)", async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("a.csv", "x\n1\n");
    const offset = await folder.write("offset", "+0\n");
    const env = {
      LD_PRELOAD: `/${faketime}`.replace("//", "/"),
      FAKETIME_TIMESTAMP_FILE: offset,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
    await using server = await startServer(["a.csv", "--heartbeat=50ms"], { folder, env });
    await using client = await connect(server.url, { protocols: ["csvcast.v1"] });
    await client.nextThat("a table", (text) => text.includes('"1"'));
    const timeOf = (text: string) => Number(/"type":"sync".*"time":(\d+)/.exec(text)?.[1]);
    await folder.write("offset", "-3600\n");
    await client.nextThat("the clock to be set back", (text) => timeOf(text) < Date.now() - 1_800_000);
    await Bun.write(path, "x\n1\n2\n");
    await client.nextThat("the change", (text) => text.includes('"2"'));
    expect(server.stderr()).toBe("");
  });
});
