// What can be wrong with a file that should be a CSV. One class for all that read files; `kind` tells the cases apart.

export type CsvErrorKind =
  | "closed"
  | "not-found"
  | "not-a-file"
  | "not-permitted"
  | "not-csv"
  | "too-large"
  | "unclosed-quote"
  | "changing"
  | "replaced"
  | "outdated"
  | "io"
  | "options";

/**
 * A file could not be read as CSV. `reason` is for a person: the value at fault and the way out, without the name of the file,
 * which only the one who shows it knows; `line` counts from 1. `message` is both, behind the file's name once it is known.
 */
export class CsvError extends Error {
  readonly kind: CsvErrorKind;
  readonly reason: string;
  readonly line: number | undefined;
  constructor(kind: CsvErrorKind, reason: string, line?: number, file?: string) {
    super(`${file === undefined ? "" : `${file}: `}${line === undefined ? "" : `line ${line}: `}${reason}`);
    this.name = "CsvError";
    this.kind = kind;
    this.reason = reason;
    this.line = line;
  }
}
