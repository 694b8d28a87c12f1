// What the programs say when they cannot go on, and the exit code of each kind.
import { CsvError } from "../csv/error.ts";

/** Exit codes; a signal adds 128 to its number after a clean shutdown. */
export const EXIT_CODES = { failure: 1, usage: 2, file: 3, listen: 4, connect: 5 } as const;

export type ErrorKind = keyof typeof EXIT_CODES;

/** Ends a program: `message` is one line that names the thing, the value and the way out. */
export class CliError extends Error {
  readonly kind: ErrorKind;
  constructor(kind: ErrorKind, message: string) {
    super(message);
    this.name = "CliError";
    this.kind = kind;
  }
}

/** Prints what ended a program as one line, and gives its exit code. No stack trace reaches a user. */
export function reportFatal(program: string, error: unknown, said: (text: string) => string = String): number {
  process.stderr.write(`${program}: ${said(reasonOf(error))}\n`);
  return EXIT_CODES[error instanceof CliError ? error.kind : "failure"];
}

/** One line of what went wrong. */
export const reasonOf = (error: unknown) => String(error instanceof Error ? error.message : error).split("\n")[0] ?? "";

const FILE_PROBLEMS: Record<string, string> = {
  ENOENT: "no such file",
  ENOTDIR: "no such file",
  EISDIR: "is a folder; give a file",
  EACCES: "this user may not read it",
};

/** Why a file cannot be read, in words. */
export function fileProblem(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return FILE_PROBLEMS[code] ?? `cannot be read${code && `: ${code}`}`;
}

/** A file that cannot be published, options that contradict each other (RangeError), or a failure. */
export function kindOf(error: unknown): ErrorKind {
  if (error instanceof CliError) return error.kind;
  return error instanceof CsvError ? "file" : error instanceof RangeError ? "usage" : "failure";
}
