// What Linux tells about a process in /proc (see proc_pid_stat(5)). Elsewhere these figures are NaN.
import { readFileSync, writeFileSync } from "node:fs";

/** USER_HZ: the unit of the times in /proc, the same on every Linux that Bun runs on. */
const MS_PER_TICK = 10;

/** CPU milliseconds of a process so far, all threads, and of the children that it has waited for. */
export function cpuMsOf(pid: number | "self"): number {
  const fields = read(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, "")
    .split(" ");
  // From the third field on: utime, stime, cutime, cstime are the fields 14 to 17.
  return fields ? fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * MS_PER_TICK : NaN;
}

/** The most memory that a process has had in RAM, in bytes, since its start or `resetPeak`. */
export const peakBytesOf = (pid: number | "self") => statusOf(pid, "VmHWM");

/** What it has there now. */
export const residentBytesOf = (pid: number | "self") => statusOf(pid, "VmRSS");

export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5"); // see proc_pid_clear_refs(5)
}

function statusOf(pid: number | "self", field: string): number {
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(read(`/proc/${pid}/status`) ?? "")?.[1];
  return kilobytes ? Number(kilobytes) * 1_024 : NaN;
}

/** What a process has read so far, in bytes, from the disk or not. */
export function readBytesOf(pid: number | "self"): number {
  const bytes = /^rchar: (\d+)/m.exec(read(`/proc/${pid}/io`) ?? "")?.[1];
  return bytes ? Number(bytes) : NaN;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
