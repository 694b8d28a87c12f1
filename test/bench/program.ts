// Programs that listen, for the benches.
import { join } from "node:path";
import { end } from "./child.ts";

export type RunningServer = AsyncDisposable & { readonly pid: number; readonly url: string; readonly http: string };

/** Starts a server program and waits for the line that names its address. */
export async function startServer(command: readonly string[], folder: string): Promise<RunningServer> {
  const subprocess = Bun.spawn([process.execPath, ...command], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, XDG_RUNTIME_DIR: folder }, // `bun run client` elsewhere is not to find it
  });
  let said = "";
  const decoder = new TextDecoder();
  for await (const chunk of subprocess.stdout) {
    said += decoder.decode(chunk, { stream: true });
    const address = /Listening on (\S+:\d+)\./.exec(said)?.[1];
    if (!address) continue;
    const urls = { url: `ws://${address}/`, http: `http://${address}` };
    return { pid: subprocess.pid, ...urls, [Symbol.asyncDispose]: () => end(subprocess) };
  }
  throw new Error(`${command[0]} ended with ${await subprocess.exited} and said: ${said}`);
}

const SERVER = join(import.meta.dir, "../../src/server.ts");

/** csvcast itself, for a file. */
export const serverOf = (csv: string, folder: string, ...options: string[]) =>
  startServer([SERVER, csv, "--port", "0", "--host", "127.0.0.1", ...options], folder);

export type Health = { epoch: string; version: number; rows: number; state: string };

/** Waits until its table is live. */
export async function live(server: RunningServer): Promise<Health> {
  for (;;) {
    const response = await fetch(`${server.http}/healthz`);
    const health = (await response.json()) as Health;
    if (response.ok && health.state === "live") return health;
    await Bun.sleep(5);
  }
}
