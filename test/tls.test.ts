// https and wss: the same rules, a certificate that is renewed while clients are connected, and one line for what is no certificate.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { first, second } from "./certificates.ts";
import { connect, run, TEST_TIMEOUT_MS } from "./support.ts";
import { folderWithTls, startTls, nameShown, isNoCertificate } from "./tls.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

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
    expect(metrics).toContain('csvcast_clients{table="a",feed="plain"} 2\n');
    server.kill("SIGTERM");
    expect((await before.closed).code).toBe(1001);
    expect((await after.closed).code).toBe(1001);
    expect(await server.exited).toBe(143);
  });
});

describe.concurrent("what is no certificate ends with one line", () => {
  test("the key of another one", () =>
    isNoCertificate({
      args: ["--tls-cert=server.crt", "--tls-key=other.key"],
      expected: "--tls-cert server.crt, --tls-key other.key: not the key of server.crt",
    }));
});
