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
  /** What tells the process from a later one with its id; undefined where that cannot be known. */
  readonly process?: string;
};

type Env = Record<string, string | undefined>;

function folderOf(env: Env): string {
  const runtime = env["XDG_RUNTIME_DIR"];
  return runtime ? join(runtime, "csvcast") : join(tmpdir(), `csvcast-${process.getuid?.() ?? "user"}`);
}

/** Leaves an entry for a process and returns how to take it away. Throws if the folder cannot be written or trusted. */
export function announce(announced: Omit<Entry, "process">, env: Env): () => void {
  const mark = processMark(announced.pid);
  const entry: Entry = { ...announced, ...(mark !== undefined && { process: mark }) };
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
      if (isRunning(entry) && typeof entry.url === "string") entries.push(entry);
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

/** The very process: its id may be another's by now, and its port a stranger's, who would be sent the token. */
function isRunning({ pid, process: mark }: Entry): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false; // which stand for groups of processes, ours too
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as { code?: string }).code !== "EPERM") return false;
  }
  return mark === processMark(pid);
}

/**
 * When a process was started, as exactly as the system tells: on Linux in clock ticks since a certain boot (proc(5), the 22nd field of
 * `stat`, counted from behind the name, which may hold anything), elsewhere in seconds (ps(1)).
 */
function processMark(pid: number): string | undefined {
  try {
    if (process.platform !== "linux") return startedBy(pid);
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()}:${ticks}`;
  } catch {
    return undefined;
  }
}

function startedBy(pid: number): string | undefined {
  const env = { PATH: process.env["PATH"] ?? "", LC_ALL: "C", TZ: "UTC" };
  const { stdout } = Bun.spawnSync(["ps", "-o", "lstart=", "-p", String(pid)], {
    env,
    stdin: "ignore",
    stderr: "ignore",
  });
  return stdout.toString().trim() || undefined;
}
