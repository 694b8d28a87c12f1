// Where attacks take place: the real server with a published file, and a witness to each attack, who must be served as before.
import { readdir } from "node:fs/promises";
import { expect } from "bun:test";
import { type Client, connect, type RunningServer, startServer, temporaryFolder, until } from "../support.ts";

/** Stands in the file, and in nothing else that the server says. */
export const TREASURE = "treasure";

export type Scene = AsyncDisposable & {
  readonly server: RunningServer;
  readonly port: number;
  /** An ordinary client that comes before an attack. */
  witness(): Promise<Witness>;
  /** What the server has held at most, in MiB. Only Linux tells; elsewhere 0, which no bound fails. */
  peakMemory(): Promise<number>;
  /** How many file descriptors the server has open. Only Linux tells; elsewhere 0. */
  descriptors(): Promise<number>;
  /** How many clients of both feeds the server believes to have. */
  clients(): Promise<number>;
};

export type Witness = AsyncDisposable & {
  /** The witness gets a frame that was not there yet. */
  isServed(): Promise<void>;
  /** The witness and a newcomer get what the file says next, and the server has met nothing that it did not expect. */
  expectNoHarm(): Promise<void>;
};

const hasProc = process.platform === "linux";
if (!hasProc) console.warn("test/attack: the server's memory and descriptors are not looked at, there is no /proc");

const STRANGE = /unexpected:|\bError\b|\bat .*:\d+:\d+|\.ts:\d+/;

export async function openScene(args: readonly string[] = []): Promise<Scene> {
  const folder = await temporaryFolder();
  let number = 0;
  let writing: Promise<unknown> = Promise.resolve();
  /** One after the other, where attacks are under way at once. */
  const publish = async () => {
    const mine = ++number;
    await (writing = writing.then(() => folder.write("a.csv", `name,number\n${TREASURE},${mine}\n`)));
    return mine;
  };
  await publish();
  const server = await startServer(["a.csv", "--interval=10ms", "--settle=10ms", ...args], { folder });
  const isSince = (least: number) => (message: string) =>
    Number(/^\[\{"name":"treasure","number":"(\d+)"\}\]$/.exec(message)?.[1]) >= least;

  async function expectNoHarm(witness: Client): Promise<void> {
    const isNew = isSince(await publish());
    await witness.nextThat("the next frame for the witness", isNew);
    await using newcomer = await until("room for a newcomer", () => connect(server.url).catch(() => undefined));
    await newcomer.nextThat("the next frame for a newcomer", isNew);
    expect(server.stdout() + server.stderr()).not.toMatch(STRANGE);
  }

  return {
    server,
    port: server.port,
    async witness() {
      const client = await connect(server.url);
      await client.next();
      return {
        async isServed() {
          for (let left = client.waiting() + 1; left > 0; left--) await client.next();
        },
        expectNoHarm: () => expectNoHarm(client),
        [Symbol.asyncDispose]: client[Symbol.asyncDispose],
      };
    },
    async peakMemory() {
      if (!hasProc) return 0;
      const status = await Bun.file(`/proc/${server.pid}/status`).text();
      return Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]) / 1024;
    },
    descriptors: async () => (hasProc ? (await readdir(`/proc/${server.pid}/fd`)).length : 0),
    async clients() {
      const response = await fetch(`${server.http}/healthz`);
      const { clients } = (await response.json()) as { clients: Record<"plain" | "live" | "events", number> };
      return clients.plain + clients.live + clients.events;
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}
