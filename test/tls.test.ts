// https and wss: the same rules, a certificate that is renewed while clients are connected, and one line for what is no certificate.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect as connectTls } from "node:tls";
import { chmod, rename } from "node:fs/promises";
import { join } from "node:path";
import { first, second } from "./certificates.ts";
import { connect, type Folder, run, start, startServer, temporaryFolder, TEST_TIMEOUT_MS, until } from "./support.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const FILES = ["--tls-cert=server.crt", "--tls-key=server.key"];

async function folderWithTls(pem = first): Promise<Folder> {
  const folder = await temporaryFolder();
  await folder.write("a.csv", "x\n1\n");
  await folder.write("server.crt", pem.cert);
  await folder.write("server.key", pem.key);
  return folder;
}

async function startTls(folder: Folder, args: readonly string[] = []) {
  const server = await startServer(["a.csv", ...FILES, ...args], { folder });
  await server.prints("a.csv: ");
  return { ...server, url: `wss://127.0.0.1:${server.port}/`, https: `https://127.0.0.1:${server.port}` };
}

/** The name in the certificate that the server shows. */
async function nameShown(port: number): Promise<string> {
  const shown = Promise.withResolvers<string>();
  const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false }, () =>
    shown.resolve(`${socket.getPeerCertificate().subject.CN}`),
  );
  socket.on("error", shown.reject);
  try {
    return await shown.promise;
  } finally {
    socket.destroy();
  }
}

describe.concurrent("with a certificate", () => {
  test("wss and https are served, by the same rules, and nothing in the clear", async () => {
    await using folder = await folderWithTls();
    await using server = await startTls(folder);
    const tls = { ca: first.cert };
    await using client = await connect(server.url, { tls });
    expect(await client.next()).toBe('[{"x":"1"}]');
    const answer = await fetch(`${server.https}/csv.json`, { tls });
    expect(await answer.text()).toBe('[{"x":"1"}]');
    const own = { Origin: `https://127.0.0.1:${server.port}` };
    await using page = await connect(server.url, { tls, headers: own });
    expect(await page.next()).toBe('[{"x":"1"}]');
    const insecure = { Origin: `http://127.0.0.1:${server.port}` };
    await expect(connect(server.url, { tls, headers: insecure })).rejects.toThrow("403");
    expect((await fetch(`${server.https}/csv.json`, { tls, headers: { Host: "evil.example" } })).status).toBe(403);
    await expect(fetch(`http://127.0.0.1:${server.port}/csv.json`)).rejects.toThrow();
  });

  test("the client follows: found on this machine, or with --ca, and not without", async () => {
    await using folder = await folderWithTls();
    await using server = await startTls(folder);
    expect(await run("client", ["--once", "-q"], { folder })).toMatchObject({ stdout: '[{"x":"1"}]\n', exitCode: 0 });
    const known = await run("client", [server.url, "--once", "-q", "--ca=server.crt"], { folder });
    expect(known).toMatchObject({ stdout: '[{"x":"1"}]\n', exitCode: 0 });
    const unknown = await run("client", [server.url, "--once", "--give-up=0s"], { folder });
    expect(unknown.exitCode).toBe(5);
    expect(unknown.stderr).toContain("self signed certificate");
    expect(unknown.stdout).toBe("");
  });

  test("that is renewed newcomers get the new one, and those who are there stay", async () => {
    await using folder = await folderWithTls();
    await using server = await startTls(folder);
    await using before = await connect(server.url, { tls: { ca: first.cert } });
    await using live = await connect(server.url, { tls: { ca: first.cert }, protocols: ["csvcast.v1"] });
    expect(await nameShown(server.port)).toBe("one.example");
    await folder.write("server.crt", second.cert); // the key follows: for a moment they are no pair
    await server.prints("not the key of server.crt; the last good one stays in use", "stderr");
    expect(await nameShown(server.port)).toBe("one.example");
    await folder.write("server.key", second.key);
    await server.prints("new connections get the new certificate");
    expect(await nameShown(server.port)).toBe("two.example");
    await using after = await connect(server.url, { tls: { ca: second.cert } });
    await folder.write("a.csv", "x\n2\n");
    for (const client of [before, after]) await client.nextThat("the change", (text) => text === '[{"x":"2"}]');
    await live.nextThat("the change", (text) => text.includes('"2"'));
    const metrics = await (await fetch(`${server.https}/metrics`, { tls: { ca: second.cert } })).text();
    expect(metrics).toContain('csvcast_clients{feed="plain"} 2\n');
    server.kill("SIGTERM");
    expect((await before.closed).code).toBe(1001);
    expect((await after.closed).code).toBe(1001);
    expect(await server.exited).toBe(143);
  });

  test("that is replaced by a renewal through links, as certbot does, is seen", async () => {
    await using folder = await folderWithTls();
    await using server = await startTls(folder);
    for (const [name, text] of [
      ["key", second.key],
      ["crt", second.cert],
    ] as const) {
      await Bun.write(join(folder.path, `2.${name}`), text);
      await Bun.$`ln -s ${`2.${name}`} ${join(folder.path, `link.${name}`)}`;
      await rename(join(folder.path, `link.${name}`), join(folder.path, `server.${name}`));
    }
    // A handshake that is under way at that moment is cut.
    await until("the new one", async () => (await nameShown(server.port).catch(() => "")) === "two.example");
  });
});

describe.concurrent("what is no certificate ends with one line", () => {
  const cases: { name: string; args: string[]; expected: string }[] = [
    {
      name: "a certificate without its key",
      args: ["--tls-cert=server.crt"],
      expected: "--tls-cert and --tls-key go together: the key is missing",
    },
    {
      name: "a key without its certificate",
      args: ["--tls-key=server.key"],
      expected: "--tls-cert and --tls-key go together: the certificate is missing",
    },
    {
      name: "a file that is not there",
      args: ["--tls-cert=none.crt", "--tls-key=server.key"],
      expected: "--tls-cert none.crt: ENOENT",
    },
    {
      name: "something else",
      args: ["--tls-cert=a.csv", "--tls-key=server.key"],
      expected:
        "--tls-cert a.csv, --tls-key server.key: they are no certificate and key in PEM form, without a passphrase",
    },
    {
      name: "the key of another one",
      args: ["--tls-cert=server.crt", "--tls-key=other.key"],
      expected: "--tls-cert server.crt, --tls-key other.key: not the key of server.crt",
    },
  ];
  test.each(cases)("$name", async ({ args, expected }) => {
    await using folder = await folderWithTls();
    await folder.write("other.key", second.key);
    await using server = start("server", ["a.csv", "--port=0", ...args], { folder });
    expect(await server.exited).toBe(2);
    expect(server.stderr()).toBe(`csvcast-server: ${expected}\n`);
    expect(server.stdout()).toBe("");
  });
});

test.concurrent("a certificate that can be read no more is kept, and said once", async () => {
  await using folder = await folderWithTls();
  await using server = await startTls(folder);
  await chmod(join(folder.path, "server.key"), 0o600);
  await server.prints("new connections get the new certificate"); // another ctime
  await Bun.$`rm ${join(folder.path, "server.key")}`;
  await server.prints("--tls-key server.key: ENOENT; the last good one stays in use", "stderr");
  expect(await nameShown(server.port)).toBe("one.example");
});
