// A web address as FILE, with real programs: what is said of it, and what never is.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { first } from "./certificates.ts";
import { openWeb, serving } from "./source/remote/web.ts";
import { connect, run, startServer, temporaryFolder, TEST_TIMEOUT_MS, until } from "./support.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const CSV = "a,b\n1,2\n";
const JSON_ROWS = '[{"a":"1","b":"2"}]';

describe.concurrent("a web address as FILE", () => {
  test("is published, and followed; user info and query are nowhere", async () => {
    using web = openWeb(serving(CSV));
    await using folder = await temporaryFolder();
    const url = `${web.url.replace("http://", "http://lovelace:s3cret-pw@")}?key=s3cret-key`;
    await using server = await startServer([url, "--poll=100ms", "--log=json"], { folder });
    await server.prints("file-on-air");
    await using plain = await connect(server.url);
    expect(await plain.next()).toBe(JSON_ROWS);
    await using live = await connect(server.url, { protocols: ["csvcast.v1"] });
    const heard: string[] = [];
    const hear = async (text: string) =>
      heard.push(await live.nextThat(text, (message) => (heard.push(message), message.includes(text))));
    await hear('"sync"');
    web.answer(serving(`${CSV}3,4\n`));
    await hear('"delta"');
    expect(heard.at(-1)).toContain('"splices":[[1,0,[["3","4"]]]]');
    web.answer(() => new Response("no", { status: 404 }));
    await hear('"missing"');
    web.answer(() => new Response("<p>", { headers: { "content-type": "text/html" } }));
    await hear("web page");
    const paths = ["/healthz", "/metrics", "/csv.json"];
    const texts = await Promise.all(paths.map(async (path) => (await fetch(server.http + path)).text()));
    expect(texts[0]).toContain('"file":"prices.csv"');
    for (const text of [...texts, ...heard, server.stdout(), server.stderr()])
      expect(text).not.toMatch(/s3cret|lovelace/);
    expect(server.stdout()).toContain("prices.csv: nothing is there: 404; clients keep the last good table");
  });

  test("is asked for directly, whatever proxy is in the environment", async () => {
    using web = openWeb(serving(CSV));
    await using folder = await temporaryFolder();
    const env = { HTTP_PROXY: "http://127.0.0.1:9", http_proxy: "http://127.0.0.1:9", ALL_PROXY: "http://127.0.0.1:9" };
    await using server = await startServer([web.url], { folder, env });
    await server.prints("prices.csv: 1 row × 2 columns, comma, UTF-8");
  });

  test("that is not there yet is waited for", async () => {
    using web = openWeb(() => new Response("no", { status: 404 }));
    await using folder = await temporaryFolder();
    await using server = await startServer([`${web.url}?key=s3cret`, "--poll=100ms"], { folder });
    await server.prints(`waiting for ${web.url}: nothing is there: 404`, "stderr");
    web.answer(serving(CSV));
    await server.prints("prices.csv: 1 row × 2 columns, comma, UTF-8");
    expect(server.stdout() + server.stderr()).not.toContain("s3cret");
  });

  test("that is no table ends the server with 3", async () => {
    using web = openWeb(() => new Response("<p>", { headers: { "content-type": "text/html" } }));
    await using folder = await temporaryFolder();
    const url = `${web.url.replace("http://", "http://ada:s3cret@")}?key=1`;
    expect(await run("server", [url, "--port=0", "--host=127.0.0.1"], { folder })).toMatchObject({
      exitCode: 3,
      stderr: "csvcast-server: prices.csv: is a web page (text/html), not a CSV: is it behind a login?\n",
    });
  });

  test("that is none is a usage error, which repeats nothing", async () => {
    await using folder = await temporaryFolder();
    expect(await run("server", ["https://ada:s3cret@", "--port=0"], { folder })).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: "csvcast-server: FILE is no web address: https://HOST[:PORT]/PATH, or http://\n",
    });
  });

  test("may be https with an authority of one's own, by its name, and never leads to http", async () => {
    await using folder = await temporaryFolder();
    const ca = await folder.write("ca.pem", first.cert);
    using plain = openWeb(serving(CSV));
    using web = openWeb(serving(CSV), { tls: { cert: first.cert, key: first.key } });
    const url = web.url.replace("127.0.0.1", "localhost");
    await using server = await startServer([url, "--poll=100ms"], { folder, env: { NODE_EXTRA_CA_CERTS: ca } });
    await server.prints("prices.csv: 1 row × 2 columns");
    web.answer(() => new Response(null, { status: 302, headers: { location: plain.url } }));
    await server.prints("it leads from https to http, which is not followed", "stderr");
    expect(plain.requests).toHaveLength(0);
  });

  test("that nobody vouches for ends the server, and says how to trust it", async () => {
    await using folder = await temporaryFolder();
    using web = openWeb(serving(CSV), { tls: { cert: first.cert, key: first.key } });
    const outcome = await run("server", [web.url, "--port=0"], { folder });
    expect(outcome.exitCode).toBe(3);
    expect(outcome.stderr).toMatch(/^csvcast-server: prices\.csv: its certificate .*NODE_EXTRA_CA_CERTS=FILE/);
  });

  test("typed at the prompt takes the place of a file", async () => {
    using web = openWeb(serving(CSV));
    await using folder = await temporaryFolder();
    await using server = await startServer([], { folder, stdin: "open" });
    server.type(`${web.url}?key=s3cret\n`);
    await server.prints("prices.csv: 1 row × 2 columns, comma, UTF-8");
    await until("a frame", async () => (await (await fetch(`${server.http}/csv.json`)).text()) === JSON_ROWS);
    expect(server.stdout() + server.stderr()).not.toContain("s3cret");
  });
});
