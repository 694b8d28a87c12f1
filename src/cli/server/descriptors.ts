// How many clients the open files of this process allow: beyond them connections wait unanswered, and the runtime spins.
import { readFileSync } from "node:fs";

/** For the file, its folders, the runtime, and connections that are about to be turned away. */
const RESERVED = 32;

/** The limit of open files (getrlimit(2), RLIMIT_NOFILE); Infinity where it cannot be known. */
export function openFileLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return soft === undefined ? Infinity : Number(soft);
  } catch {
    return Infinity;
  }
}

/** Clients for whom there are descriptors. */
export function clientsWithin(openFiles: number): number {
  return Math.max(1, openFiles - RESERVED);
}
