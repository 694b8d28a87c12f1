// The client beside a server with several tables, and on a terminal.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { atOnce } from "./at-once.ts";
import { follow } from "../src/follow/index.ts";
import { startInTerminal } from "./cli/terminal.ts";
import { listOf, run, startServer, startServerWith, TEST_TIMEOUT_MS, temporaryFolder, until } from "./support.ts";
import { folderWithTls, startTls } from "./tls.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);
atOnce(4);

const FILES = { "prices.csv": "p\n1\n2\n", "orders.csv": "o\n3\n", "sizes.csv": "s\n4\n" };

async function withTables(args: readonly string[] = []) {
  const scene = await startServerWith(FILES, ["prices.csv", "orders.csv", "größe=sizes.csv", ...args]);
  const isThere = async () =>
    (await listOf(scene.server, bearer)).tables.filter(({ state }) => state === "live").length === 3;
  await until("the tables", isThere, scene.server.stderr);
  return scene;
}

const bearer = { headers: { Authorization: "Bearer sesame-open" } };

describe.concurrent("of several tables the client", () => {
  test("prints the first, and names the others", async () => {
    await using scene = await withTables();
    const { stdout, stderr } = await run("client", ["--once"], scene);
    expect(stdout).toBe('[{"p":"1"},{"p":"2"}]\n');
    expect(stderr).toStartWith(
      "3 tables: prices, größe, orders; this is prices, bun run client NAME follows another\n",
    );
  });

  test("prints the one that it is given by name, whichever way that is written", async () => {
    await using scene = await withTables();
    const cases = [
      ["orders", '[{"o":"3"}]'],
      ["gro\u0308ße", '[{"s":"4"}]'],
      ["csv", '[{"p":"1"},{"p":"2"}]'],
    ] as const;
    for (const [name, expected] of cases) {
      const outcome = await run("client", [name, "--once", "-q"], scene);
      expect(outcome).toEqual({ stdout: `${expected}\n`, stderr: "", exitCode: 0 });
    }
    const rows = await run("client", ["prices", "--once", "-q", "--ndjson"], scene);
    expect(rows.stdout).toBe('{"p":"1"}\n{"p":"2"}\n');
  });

  test("follows one of a server that wants a token, which its entry has", async () => {
    await using scene = await withTables(["--token=sesame-open"]);
    const { folder, server } = scene;
    expect(await run("client", ["orders", "--once", "-q"], { folder })).toMatchObject({ stdout: '[{"o":"3"}]\n' });
    const stranger = await run("client", [server.url, "--list"], { folder });
    expect(stranger.stderr).toStartWith(`csvcast-client: ${server.url}: 401: a token is needed`);
    const friend = await run("client", [`${server.url}?token=sesame-open`, "--list"], { folder });
    expect(friend).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test("lists them, and says which there are if there is none of a name", async () => {
    await using scene = await withTables();
    const expected = "prices\t2\tlive\tprices.csv\ngröße\t1\tlive\tsizes.csv\norders\t1\tlive\torders.csv\n";
    expect(await run("client", ["--list"], scene)).toEqual({ stdout: expected, stderr: "", exitCode: 0 });
    expect(await run("client", [scene.server.url, "--list"], scene)).toMatchObject({ stdout: expected, exitCode: 0 });
    const wrong = await run("client", ["order"], scene);
    expect(wrong).toMatchObject({ stdout: "", exitCode: 5 });
    expect(wrong.stderr).toBe(
      "csvcast-client: order: no table of that name here; tables: prices, größe, orders; for a host of that name: bun run client order:59050\n",
    );
  });

  test("of the library takes the address of one", async () => {
    await using scene = await withTables();
    for await (const table of follow(`${scene.server.http}/orders`)) {
      expect([...table]).toEqual([["3"]]);
      break;
    }
  });
});

describe.concurrent("a single table", () => {
  test("is listed as csv, and followed by that name", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await using server = await startServer(["a.csv"], { folder });
    await server.prints("a.csv: ");
    expect((await run("client", ["--list"], { folder })).stdout).toMatch(/^(a|csv)\t1\tlive\ta\.csv\n$/);
    const outcome = await run("client", ["csv", "--once"], { folder });
    expect(outcome).toEqual({
      stdout: '[{"x":"1"}]\n',
      stderr: `connecting to ${server.url}csv\nconnected\n`,
      exitCode: 0,
    });
  });

  test("that is large is shortened on a terminal, with a word about it, and whole in a pipe", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", `x\n${"1\n".repeat(2_000)}`);
    await using server = await startServer(["a.csv"], { folder });
    await server.prints("a.csv: ");
    await using client = startInTerminal("client", ["--once"], { folder, columns: 200 });
    expect(await client.exited).toBe(0);
    await client.shows(/^shortened for the terminal: a pipe gets every message .*--live/);
    await client.shows(/… \d+,\d+ characters …/);
    expect(client.output().length).toBeLessThan(3_000);
    const piped = await run("client", ["--once"], { folder });
    expect(piped.stdout.split('{"x":"1"}')).toHaveLength(2_001);
    expect(piped.stderr).not.toContain("shortened");
  });
});

test("a certificate for other names is told as that", async () => {
  await using folder = await folderWithTls();
  await using server = await startTls(folder, ["--host=0.0.0.0"]);
  const { stderr, exitCode } = await run(
    "client",
    [`wss://127.0.0.2:${server.port}/`, "--ca=server.crt", "--give-up=0"],
    { folder },
  );
  expect(exitCode).toBe(5);
  expect(stderr).toEndWith("its certificate is not for 127.0.0.2; connect by a name that it is for\n");
});

/** Of this machine, in a network. */
const address = Object.values(networkInterfaces())
  .flat()
  .find((found) => found?.family === "IPv4" && !found.internal)?.address;

test.skipIf(address === undefined)(
  "a server on the address of a network shows its token, and leaves it to the client here",
  async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await using server = await startServer(["a.csv", `--host=${address}`], { folder });
    await server.prints(new RegExp(`^ +Open http://${address}:\\d+/\\?token=[0-9a-f]{32}$`, "m"));
    expect(await run("client", ["--once", "-q"], { folder })).toMatchObject({ stdout: '[{"x":"1"}]\n', exitCode: 0 });
    const bare = await run("client", [`ws://${address}:${server.port}/`, "--give-up=0"], { folder });
    expect(bare.stderr).toContain("401: a token is needed");
  },
);
