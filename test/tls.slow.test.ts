// Certificates, as they are renewed, lost and mistaken. The rest is in `tls.test.ts`.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, rename } from "node:fs/promises";
import { join } from "node:path";
import { second } from "./certificates.ts";
import { TEST_TIMEOUT_MS, until } from "./support.ts";
import { folderWithTls, startTls, nameShown, isNoCertificate } from "./tls.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

describe.concurrent("with a certificate", () => {
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

test.concurrent("a certificate that can be read no more is kept, and said once", async () => {
  await using folder = await folderWithTls();
  await using server = await startTls(folder);
  await chmod(join(folder.path, "server.key"), 0o600);
  await server.prints("new connections get the new certificate"); // another ctime
  await Bun.$`rm ${join(folder.path, "server.key")}`;
  await server.prints("--tls-key server.key: no such file; the last good one stays in use", "stderr");
  expect(await nameShown(server.port)).toBe("one.example");
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
      expected: "--tls-cert none.crt: no such file",
    },
    {
      name: "something else",
      args: ["--tls-cert=a.csv", "--tls-key=server.key"],
      expected:
        "--tls-cert a.csv, --tls-key server.key: they are no certificate and key in PEM form, without a passphrase",
    },
  ];
  test.each(cases)("$name", isNoCertificate);
});
