// The bytes of one regular file, whole and bounded. Never follows a FIFO or a device, never trusts the size in `stat`.
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { SPARE_BYTES } from "../../csv/encoding.ts";
import { CsvError } from "../../csv/error.ts";

/** What tells two contents of a path apart without reading them. */
export type Identity = string;

export type FileBytes = { readonly bytes: Uint8Array; readonly length: number; readonly identity: Identity };

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
      const identity = identityOf(before);
      if (identity === identityOf(fstatSync(fd, { bigint: true }))) return { bytes, length, identity };
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
  const stat = fstatSync(fd);
  if (stat.isFile()) return fd;
  closeSync(fd);
  const what = stat.isDirectory() ? "a directory" : stat.isFIFO() ? "a FIFO" : "a device";
  throw new CsvError("not-a-file", `is ${what}, not a CSV file`);
}

export type BigStat = { dev: bigint; ino: bigint; size: bigint; mtimeMs: bigint; mtimeNs: bigint; ctimeNs: bigint };

export function identityOf(stat: BigStat): Identity {
  return `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
}

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
