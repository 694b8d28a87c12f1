// A server with a certificate.
import { expect } from "bun:test";
import { connect as connectTls } from "node:tls";
import { first, second } from "./certificates.ts";
import { type Folder, start, startServer, temporaryFolder } from "./support.ts";

const FILES = ["--tls-cert=server.crt", "--tls-key=server.key"];

export async function folderWithTls(pem = first): Promise<Folder> {
  const folder = await temporaryFolder();
  await folder.write("a.csv", "x\n1\n");
  await folder.write("server.crt", pem.cert);
  await folder.write("server.key", pem.key);
  return folder;
}

export async function startTls(folder: Folder, args: readonly string[] = []) {
  const server = await startServer(["a.csv", ...FILES, ...args], { folder });
  await server.prints("a.csv: ");
  return { ...server, url: `wss://127.0.0.1:${server.port}/`, https: `https://127.0.0.1:${server.port}` };
}

/** The name in the certificate that the server shows. */
export async function nameShown(port: number): Promise<string> {
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

/** One line says what is wrong with these options. */
export async function isNoCertificate({
  args,
  expected,
}: {
  readonly args: string[];
  readonly expected: string;
}): Promise<void> {
  await using folder = await folderWithTls();
  await folder.write("other.key", second.key);
  await using server = start("server", ["a.csv", "--port=0", ...args], { folder });
  expect(await server.exited).toBe(2);
  expect(server.stderr()).toBe(`csvcast-server: ${expected}\n`);
  expect(server.stdout()).toBe("");
}
