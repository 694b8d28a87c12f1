// What the writers of `writer.ts` write, so that whoever reads it can tell whether it is whole.

import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

export type Encoding = "utf8" | "latin1" | "utf16le";

export type Rotated = { rotatedAt: number };

export const QUOTES_HEADER = "id,symbol,price,time\n";
export const LOG_HEADER = "n,sensor,value,check\n";

/** In ms since 1970: the same in all processes of a machine. */
export const now = () => performance.timeOrigin + performance.now();

/** All of it follows from its number. */
export const logCells = (n: number): string[] => [
  String(n),
  `Fühler-${n % 90}`,
  `${(n * 7) % 1_000}.25`,
  `${(n * 7_919) % 1_000_003}-end`,
];
export const logRow = (n: number) => `${logCells(n).join(",")}\n`;

export const isWholeRow = (row: readonly string[]) => row.join() === logCells(Number(row[0])).join();

export const encoded = (text: string, encoding: Encoding) => Buffer.from(text, encoding);

/** Calls `act` so many times, so far apart; what is late is made up for. */
export async function paced(count: number, gapMs: number, act: (n: number) => void): Promise<void> {
  const startedAt = performance.now();
  for (let n = 0; n < count; n++) {
    await Bun.sleep(Math.max(0, startedAt + n * gapMs - performance.now()));
    act(n);
  }
}

/** A log of so many bytes or a few more; `rows` of it again and again. */
export function writeLarge(path: string, bytes: number, encoding: Encoding, rows = 20_000): void {
  const fd = openSync(path, "w");
  let written = writeSync(fd, encoded(`${encoding === "utf16le" ? "\ufeff" : ""}${LOG_HEADER}`, encoding));
  const piece = encoded(Array.from({ length: rows }, (_, n) => logRow(n)).join(""), encoding);
  while (written < bytes) written += writeSync(fd, piece);
  closeSync(fd);
}

/** A writer of `writer.ts`. */
export function startWriter(...args: (string | number)[]) {
  const command = [process.execPath, join(import.meta.dir, "writer.ts"), ...args.map(String)];
  return Bun.spawn(command, { stdio: ["ignore", "pipe", "inherit"] });
}

/** What it has said, once it is done. */
export async function linesOf<Line>(writer: ReturnType<typeof startWriter>): Promise<Line[]> {
  const text = await new Response(writer.stdout).text();
  return text.split("\n").flatMap((line) => (line ? [JSON.parse(line) as Line] : []));
}
