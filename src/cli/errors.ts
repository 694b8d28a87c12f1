// What the programs say when they cannot go on, and the exit code of each kind.

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
export function reportFatal(program: string, error: unknown): number {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${program}: ${message.split("\n")[0]}\n`);
  return EXIT_CODES[error instanceof CliError ? error.kind : "failure"];
}
