// The bytes of one regular file, whole and bounded. Never follows a FIFO or a device, nor a file that the kernel makes up; never trusts
// the size in `stat`.
import { closeSync, constants, fstatSync, openSync, readSync, statfsSync } from "node:fs";
import { SPARE_BYTES } from "../../csv/encoding.ts";
import { CsvError } from "../../csv/error.ts";

export type FileBytes = { readonly bytes: Uint8Array; readonly length: number };

/** Largest CSV file that is read, in bytes: 1 GiB. */
export const MAX_FILE_BYTES = 2 ** 30;

const STEP_BYTES = 4 << 20;

/** Reads at most this often when the file changes under the reading. */
const ATTEMPTS = 3;

export type ReadLimits = { readonly maxFileBytes: number; readonly onProgress?: (read: number, size: number) => void };

/**
 * Reads a file whole. The bytes count only if `stat` before and after agree.
 * Throws CsvError.
 */
export function readWhole(path: string, limits: ReadLimits): FileBytes {
  for (let attempt = 1; ; attempt++) {
    const fd = openRegular(path);
    try {
      const before = fstatSync(fd, { bigint: true });
      const { bytes, length } = readAll(fd, Number(before.size), limits);
      if (isSameState(before, fstatSync(fd, { bigint: true }))) return { bytes, length };
      if (attempt === ATTEMPTS) throw new CsvError("changing", "is being written to faster than it can be read");
    } finally {
      closeSync(fd);
    }
  }
}

/** Opens a regular file. O_NONBLOCK, because opening a FIFO waits for its writer otherwise. */
export function openRegular(path: string): number {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw asCsvError(error);
  }
  const what = strangeness(fd, path);
  if (what === undefined) return fd;
  closeSync(fd);
  throw new CsvError("not-a-file", `is ${what}, not a CSV file`);
}

/** What is open there, if it is no file that somebody wrote. */
function strangeness(fd: number, path: string): string | undefined {
  const stat = fstatSync(fd);
  if (!stat.isFile()) return stat.isDirectory() ? "a directory" : stat.isFIFO() ? "a FIFO" : "a device";
  return isOfKernel(fd, path) ? "a file of the kernel" : undefined;
}

/** The `f_type` (statfs(2), linux/magic.h) of file systems whose files tell of processes and of the machine: secrets among them. */
const KERNEL_FILE_SYSTEMS = new Set([
  0x9fa0, // proc: /proc/self/environ, which a link may lead to
  0x62656572, // sysfs
  0x64626720, // debugfs
  0x74726163, // tracefs
  0x73636673, // securityfs
  0x62656570, // configfs
  0x27e0eb, // cgroup
  0x63677270, // cgroup2
  0xcafe4a11, // bpf
  0x6165676c, // pstore
  0xde5e81e4, // efivarfs
]);

/** Of the very file that is open, whatever has become of its path; of the path where there is no /proc to find it by. */
function isOfKernel(fd: number, path: string): boolean {
  if (process.platform !== "linux") return false;
  for (const found of [`/proc/self/fd/${fd}`, path]) {
    try {
      return KERNEL_FILE_SYSTEMS.has(statfsSync(found).type);
    } catch {
      // It cannot be found there.
    }
  }
  return false;
}

export type BigStat = {
  dev: bigint;
  ino: bigint;
  mode: bigint;
  uid: bigint;
  gid: bigint;
  nlink: bigint;
  size: bigint;
  mtimeMs: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
};

/** Whether nothing has happened in between, as far as the file system tells without its content. */
export const isSameState = (a: BigStat, b: BigStat) =>
  a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.ino === b.ino && a.dev === b.dev;

/** Reads an open file from its start to its end. */
export function readAll(fd: number, size: number, { maxFileBytes, onProgress }: ReadLimits) {
  if (size > maxFileBytes) throw tooLarge(maxFileBytes);
  // Room for what will be appended; pages that are not touched cost nothing.
  let bytes: Uint8Array = Buffer.allocUnsafeSlow(size + Math.min(size >> 2, 64 << 20) + 4096 + SPARE_BYTES);
  let length = 0;
  for (;;) {
    if (bytes.length - SPARE_BYTES === length) bytes = enlarged(bytes, length);
    const room = Math.min(bytes.length - SPARE_BYTES - length, STEP_BYTES);
    let read: number;
    try {
      read = readSync(fd, bytes, length, room, length);
    } catch (error) {
      throw asCsvError(error);
    }
    if (read === 0) return { bytes, length };
    length += read;
    if (length > maxFileBytes) throw tooLarge(maxFileBytes);
    onProgress?.(length, size);
  }
}

/** Reads `length` bytes at `at`, or as many as there are, into `bytes` or a buffer of their own. */
export function readRange(
  fd: number,
  at: number,
  length: number,
  bytes: Uint8Array = Buffer.allocUnsafeSlow(length),
): Uint8Array {
  let have = 0;
  for (let got = -1; have < length && got !== 0; have += got)
    got = readSync(fd, bytes, have, Math.min(length - have, STEP_BYTES), at + have);
  return bytes.subarray(0, have);
}

function enlarged(bytes: Uint8Array, length: number): Uint8Array {
  const larger = Buffer.allocUnsafeSlow(Math.max(length * 2, 1 << 16) + SPARE_BYTES);
  larger.set(bytes.subarray(0, length));
  return larger;
}

export function tooLarge(maxFileBytes: number): CsvError {
  return new CsvError("too-large", `is larger than ${maxFileBytes} bytes; raise the limit with --max-file`);
}

/** The error of a system call in the words of a person. */
export function asCsvError(error: unknown): CsvError {
  if (error instanceof CsvError) return error;
  const { code, message } = error as { code?: string; message?: string };
  if (code === "ENOENT" || code === "ENOTDIR") return new CsvError("not-found", "no such file");
  if (code === "EACCES" || code === "EPERM") return new CsvError("not-permitted", "no permission to read it");
  if (code === "ELOOP") return new CsvError("not-found", "its symbolic links form a loop");
  if (code === "ENAMETOOLONG") return new CsvError("not-found", "the name is too long");
  if (code === "ENXIO") return new CsvError("not-a-file", "is a socket or a device, not a CSV file");
  return new CsvError("io", message ?? String(error));
}
