// What can be wrong with a file that should be a CSV. One class for the csv and source rooms; `kind` tells the cases apart.

export type CsvErrorKind =
  "not-found" | "not-a-file" | "not-permitted" | "not-csv" | "too-large" | "unclosed-quote" | "changing" | "io";

/** A file could not be read as CSV. `message` is one line for a person: the value at fault and the way out. */
export class CsvError extends Error {
  readonly kind: CsvErrorKind;
  constructor(kind: CsvErrorKind, message: string) {
    super(message);
    this.name = "CsvError";
    this.kind = kind;
  }
}
