// The path of the file: given, or asked for.
import { isInForeground } from "./console.ts";
import { CliError } from "./errors.ts";

/** FILE, if it was given. Throws CliError for what is none. */
export function givenFile([file, surplus]: readonly string[], show: (path: string) => string): string | undefined {
  if (surplus !== undefined) throw new CliError("usage", `${show(surplus)}: one file at a time; see --help`);
  if (file === "") throw new CliError("usage", "FILE is empty: give the path of a CSV file");
  return file;
}

export type Asking = {
  readonly file: string | undefined;
  /** Standard input is the file. */
  readonly isStdin: boolean;
  readonly isForMachines: boolean;
};

/** On a terminal always, so that another path may be typed; elsewhere if there is no FILE. Throws CliError if nobody would answer. */
export function asksForPath({ file, isStdin, isForMachines }: Asking): boolean {
  const isTerminal = !isStdin && process.stdin.isTTY === true && process.stdout.isTTY === true;
  const asks = !isForMachines && (isTerminal ? isInForeground() : file === undefined);
  if (file !== undefined || asks) return asks;
  const where = isForMachines ? "with --log json" : "in the background";
  throw new CliError("usage", `no FILE given, and nothing is asked ${where}`);
}
