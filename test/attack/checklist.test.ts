// What else the checklist of docs/security.md promises, and no other test has as its subject.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect as connectTls, type SecureVersion } from "node:tls";
import { rename, symlink } from "node:fs/promises";
import { join } from "node:path";
import { first } from "../certificates.ts";
import { hasNetwork, withoutNetwork } from "../network.ts";
import {
  connect,
  exchange,
  type Folder,
  type RunningServer,
  startServer,
  temporaryFolder,
  TEST_TIMEOUT_MS,
  until,
} from "../support.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

let folder: Folder;
let server: RunningServer;
beforeAll(async () => {
  folder = await temporaryFolder();
  await folder.write("a.csv", "x\n1\n");
  await folder.write("other.csv", "x\nother\n");
  server = await startServer(["a.csv", "--no-token"], { folder });
  await server.prints("a.csv: ");
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const DOORS = ["/", "/csv", "/csv.json", "/csv.ndjson", "/csv.csv", "/healthz", "/metrics", "/nowhere"];

describe("every answer", () => {
  test.each(DOORS)("of %s sets no cookie, is typed, and cannot be embedded or framed", async (path) => {
    const { headers } = await fetch(server.http + path);
    expect(headers.get("set-cookie")).toBeNull();
    expect(headers.get("content-type")).not.toBeNull();
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
    expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
  });

  test("is of the one file, whatever the query or the path asks for", async () => {
    for (const query of ["?file=other.csv", "?path=../other.csv", "?f=/etc/passwd", "?url=file:///etc/passwd"])
      expect(await (await fetch(`${server.http}/csv.json${query}`)).text()).toBe('[{"x":"1"}]');
    for (const path of ["/other.csv", "/other.json", "/..%2fother.csv", "/csv.json/../other.csv", "/%2e%2e/etc/passwd"])
      expect((await fetch(server.http + path)).status).toBe(404);
  });
});

test.skipIf(!hasNetwork)(`a random token has 128 bits, and is another at every start${withoutNetwork}`, async () => {
  await using here = await temporaryFolder();
  await here.write("a.csv", "x\n1\n");
  const tokens = new Set<string>();
  for (let n = 0; n < 3; n++) {
    await using started = await startServer(["a.csv", "--host=0.0.0.0"], { folder: here });
    await started.prints("a.csv: ");
    const token = /\?token=([0-9a-f]+)/.exec(started.stdout())?.[1];
    expect(token).toHaveLength(32);
    tokens.add(token!);
  }
  expect(tokens.size).toBe(3);
});

test("nothing that a visitor sends makes a line of the log, and of one it is no more than a plain name to be allowed", async () => {
  const headers = [
    "X-Forwarded-For: 10.0.0.7%0aforged, forged",
    "Origin: http://evil.example/forged",
    "User-Agent: forged",
  ];
  await exchange(
    server.port,
    `GET /forged.json HTTP/1.1\r\nHost: localhost\r\n${headers.join("\r\n")}\r\nConnection: close\r\n\r\n`,
  );
  await exchange(
    server.port,
    "GET /forged.json?token=forged HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
  );
  await until("both to be told", () => server.stderr().includes("Host") && server.stderr().includes("elsewhere"));
  expect(server.stderr()).toContain("a web page from elsewhere (--allow-origin)\n");
  expect(server.stderr()).toContain("no host of this server; to let it in: --allow-host evil.example\n");
  expect(server.stdout() + server.stderr()).not.toMatch(/forged|\x1b/);
});

test("extensions and subprotocols that are named like properties of Object are unknown ones", async () => {
  for (const name of ["constructor", "__proto__", "toString"]) {
    await using client = await connect(server.url, { headers: { "Sec-WebSocket-Extensions": name } });
    expect(await client.next()).toBe('[{"x":"1"}]');
    await expect(connect(server.url, { protocols: [name] })).rejects.toThrow();
  }
});

describe("TLS", () => {
  async function versionOf(port: number, version: SecureVersion): Promise<string> {
    const result = Promise.withResolvers<string>();
    const range = { minVersion: version, maxVersion: version };
    const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false, ...range }, () =>
      result.resolve(`${socket.getProtocol()}`),
    );
    socket.on("error", () => result.resolve("refused"));
    socket.on("close", () => result.resolve("refused"));
    const answer = await result.promise;
    socket.destroy();
    return answer;
  }

  test("is 1.2 or 1.3, and nothing older", async () => {
    await using here = await temporaryFolder();
    await here.write("a.csv", "x\n1\n");
    await here.write("crt", first.cert);
    await here.write("key", first.key);
    await using secure = await startServer(["a.csv", "--tls-cert=crt", "--tls-key=key"], { folder: here });
    const versions: SecureVersion[] = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
    const answers = [];
    for (const version of versions) answers.push(await versionOf(secure.port, version));
    expect(answers).toEqual(["refused", "refused", "TLSv1.2", "TLSv1.3"]);
  });
});

test("a link that is re-pointed at what is no file keeps the last good table", async () => {
  await using here = await temporaryFolder();
  await here.write("a.csv", "x\n1\n");
  const link = join(here.path, "link.csv");
  const point = async (target: string) => {
    await symlink(target, `${link}.new`);
    await rename(`${link}.new`, link);
  };
  await point("a.csv");
  await using linked = await startServer(["link.csv"], { folder: here });
  await using client = await connect(linked.url);
  await client.next();
  for (const target of ["/dev/zero", "/", "nowhere", "/proc/self/environ", "/proc/self/status"]) {
    await point(target);
    await until("a word of it", async () => !(await fetch(`${linked.http}/healthz`)).ok);
    expect(await client.next()).toBe('[{"x":"1"}]');
    await point("a.csv");
    await until("the table again", async () => (await fetch(`${linked.http}/healthz`)).ok);
  }
});
