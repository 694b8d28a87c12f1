// How a client on this machine finds a server: a file per server in a folder that only its user can read.
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type Entry = {
  readonly pid: number;
  /** `ws://127.0.0.1:59050/` */
  readonly url: string;
  /** The token, if this machine needs one too. */
  readonly token?: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
};

type Env = Record<string, string | undefined>;

function folderOf(env: Env): string {
  const runtime = env["XDG_RUNTIME_DIR"];
  return runtime ? join(runtime, "csvcast") : join(tmpdir(), `csvcast-${process.getuid?.() ?? "user"}`);
}

/** Leaves an entry for this process and returns how to take it away. Throws if the folder cannot be written or trusted. */
export function announce(entry: Entry, env: Env): () => void {
  const folder = folderOf(env);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!isPrivate(folder)) throw new Error(`${folder}: belongs to another user`);
  chmodSync(folder, 0o700);
  const path = join(folder, `${entry.pid}.json`);
  writeFileSync(`${path}.new`, JSON.stringify(entry), { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return () => rmSync(path, { force: true });
}

/** The servers of this user on this machine that are still running, the newest first. */
export function liveEntries(env: Env): Entry[] {
  const folder = folderOf(env);
  if (!isPrivate(folder)) return [];
  const entries: Entry[] = [];
  for (const name of readdirSync(folder)) {
    if (!/^\d+\.json$/.test(name)) continue;
    try {
      const entry = JSON.parse(readFileSync(join(folder, name), "utf8")) as Entry;
      if (isRunning(entry.pid) && typeof entry.url === "string") entries.push(entry);
      else rmSync(join(folder, name), { force: true });
    } catch {
      // Being written or taken away at this moment.
    }
  }
  return entries.sort((a, b) => b.startedAt - a.startedAt);
}

/** The temporary folder is open to all: an entry counts only in a folder of our own, not in one somebody else put there. */
function isPrivate(folder: string): boolean {
  try {
    const stat = lstatSync(folder);
    return stat.isDirectory() && (process.getuid === undefined || stat.uid === process.getuid());
  } catch {
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}
