// The token from where it is given: the command line, the environment, or a file that others cannot read.
import { readFileSync, statSync } from "node:fs";
import { CliError, fileProblem } from "./errors.ts";
import type { Option } from "./options.ts";

export const tokenFile: Option<string | undefined> = {
  flag: "token-file",
  value: "PATH",
  help: "the token is in this file, which only you can read",
  rule: "the path of a file that holds the token",
  parse: (text) => (text === "" ? undefined : text),
  default: undefined,
};

/** The token that was given, if any, on the command line or in the file at `path`; `option` has its rule. Throws CliError("usage"). */
export function givenToken(
  token: string | undefined,
  path: string | undefined,
  option: Option<string | undefined>,
): string | undefined {
  if (path === undefined) return token;
  if (token !== undefined) throw new CliError("usage", "--token and --token-file: one of them at a time");
  const found = option.parse(read(path));
  if (found === undefined) throw new CliError("usage", `--token-file ${path}: holds no token: ${option.rule}`);
  return found;
}

/**
 * Like ssh with its keys: a secret that others can read is none. Its group may read it, as service managers arrange it
 * (systemd's credentials, Kubernetes' fsGroup).
 */
function read(path: string): string {
  try {
    if (process.platform !== "win32" && (statSync(path).mode & 0o037) !== 0)
      throw new CliError("usage", `--token-file ${path}: others can read or write it; chmod 600 it`);
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError("usage", `--token-file ${path}: ${fileProblem(error)}`);
  }
}
