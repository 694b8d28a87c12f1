// A server whose FILE is a FIFO, and writers of it.
import { expect } from "bun:test";
import { join } from "node:path";
import { type Folder, type RunningServer, startServer, temporaryFolder, until } from "./support.ts";

export const NOBODY = "a FIFO that nobody has written to yet";

export async function openScene(args: readonly string[] = []) {
  const folder = await temporaryFolder();
  const path = join(folder.path, "p.csv");
  Bun.spawnSync(["mkfifo", path]);
  const server = await startServer(["p.csv", ...args], { folder });
  return {
    ...sceneOf(server, folder),
    path,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

export function sceneOf(server: RunningServer, folder: Folder) {
  const health = async () => (await (await fetch(`${server.http}/healthz`)).json()) as Record<string, unknown>;
  return {
    server,
    folder,
    health,
    /** A line of shell whose output goes to the FIFO; ends when all is written. */
    async writes(shell: string): Promise<void> {
      const writer = Bun.spawn(["sh", "-c", `{ ${shell}; } > p.csv`], { cwd: folder.path });
      expect(await writer.exited).toBe(0);
    },
    becomes: (what: string, passes: (health: Record<string, unknown>) => boolean) =>
      until(what, async () => passes(await health())),
    sees: (table: string) =>
      until(table, async () => (await (await fetch(`${server.http}/csv.json`)).text()) === table),
  };
}
