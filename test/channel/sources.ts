// A server with a file of some name, and what it tells of it.
import { expect } from "bun:test";
import { rm } from "node:fs/promises";
import { nameOf } from "../../src/channel/sources.ts";
import { parseMessage, type StatusMessage, SUBPROTOCOL } from "../../src/feed/protocol.ts";
import { connect, type RunningServer, startServer, temporaryFolder, until } from "../support.ts";

type Health = { readonly file: string; readonly state: string; readonly message: string; readonly changedMs: number };

export const healthText = async ({ http }: RunningServer) => (await fetch(`${http}/healthz`)).text();
export const healthOf = async (server: RunningServer) => JSON.parse(await healthText(server)) as Health;

export const becomes = (server: RunningServer, state: string) =>
  until(`the state ${state}`, async () => {
    const health = await healthOf(server);
    return health.state === state && health;
  });

/** Through all that may become of a file, nobody is told in which folder it is. */
export async function neverTellsTheFolder(name: string): Promise<void> {
  await using folder = await temporaryFolder();
  const path = await folder.write(name, "x\n1\n");
  await using server = await startServer([path, "--max-cell=1KiB"], { folder });
  await becomes(server, "live");
  await using client = await connect(server.url, { protocols: [SUBPROTOCOL] });
  const seen: string[] = [];
  /** What everyone may see of the state. */
  async function look(state: string): Promise<void> {
    const { file, message } = await becomes(server, state);
    expect(file).toBe(nameOf(path));
    if (state !== "live") expect(message).toStartWith(`${nameOf(path)}: `);
    const isThat = (text: string) => (parseMessage(text) as StatusMessage | undefined)?.state === state;
    seen.push(await client.nextThat(`the status ${state}`, isThat), await healthText(server));
    seen.push(await (await fetch(`${server.http}/metrics`)).text());
  }

  await look("live");
  await rm(path);
  await look("missing");
  await folder.write(name, "x\n1\n");
  await look("live");
  await folder.write(name, `x\n${"y".repeat(2_000)}\n`);
  await look("stale");
  await folder.write(name, 'x\n1\n"open\n');
  await look("invalid");
  expect(seen.filter((text) => text.includes(folder.path) || text.includes("csvcast-test-"))).toEqual([]);
  expect(server.stdout() + server.stderr()).not.toContain(folder.path);
}
