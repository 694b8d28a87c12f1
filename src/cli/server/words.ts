// What people give for a file that is no path: addresses, patterns, words. A file of that name wins over all of them.
import { readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { printable } from "../../feed/printable.ts";
import { isRelayUrl, redacted } from "../../relay/address.ts";
import type { Nameable } from "../../channel/names.ts";
import { isPlace } from "../../channel/places.ts";
import { fixedPart, isPattern } from "../../source/folder.ts";
import { isWebUrl, STDIN } from "../../source/location.ts";
import { CliError } from "../errors.ts";

export function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true; // or it could be: whoever reads it says why not
  }
}

/** What is to be served: one file, which may be switched, or with `--newest` one place; or several tables. */
export type Given = { readonly file?: string; readonly tables?: readonly Nameable[] };

/** The FILEs that were given. Throws CliError for what can be none. */
export function givenFiles(positionals: readonly string[], isNewest: boolean): Given {
  const all = positionals.map(givenFile);
  const [only] = all;
  if (only === undefined) return {};
  const isOne = all.length === 1 && only.name === undefined && (isNewest || !isPlace(only.location));
  return isOne ? { file: only.location } : { tables: all };
}

/** `NAME=FILE`, or FILE alone. */
function givenFile(given: string): Nameable {
  const [, name, location = ""] = (!exists(given) && /^([^/\\=]*)=(.*)$/s.exec(given)) || [];
  return name === undefined ? { location: locationOf(given) } : { name, location: locationOf(location) };
}

function locationOf(given: string): string {
  if (given === "") throw new CliError("usage", "FILE is empty: give the path of a CSV file");
  if (given === STDIN || isRelayUrl(given)) return given;
  if (isWebUrl(given)) {
    const fault = webFault(given);
    if (fault !== undefined) throw new CliError("usage", fault);
    return exists(given) ? `./${given}` : given;
  }
  const path = exists(given) ? given : fromFileUrl(given);
  if (isAddress(path) && !exists(path)) throw new CliError("usage", addressText(path));
  const folder = /[/\\]$/.test(path) ? path : isPattern(path) && !exists(path) ? fixedPart(path) : dirname(path);
  if (!isFolder(folder))
    throw new CliError("file", `${printable(path)}: no such folder: ${printable(folder)}${hint(path)}`);
  return path;
}

const hint = (path: string) =>
  /^[~$]/.test(path) ? "; ~ and $HOME are replaced by a shell that sees them without quotes, and at the prompt" : "";

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch {
    return true; // or it could be
  }
}

/** Why this is no path of a file, and the way out; undefined if it is, or if there is a file of that name. */
export function noPath(text: string): string | undefined {
  if (isWebUrl(text)) return webFault(text);
  if (!(isAddress(text) || isPattern(text)) || exists(text)) return undefined;
  return isAddress(text) ? addressText(text) : patternText(text);
}

const isAddress = (text: string) => /^[a-z][a-z0-9+.-]*:\/\//i.test(text) && !isRelayUrl(text);

/** What is secret in it is not repeated. */
function webFault(text: string): string | undefined {
  if (exists(text) || URL.canParse(text)) return undefined;
  return "FILE is no web address: https://HOST[:PORT]/PATH, or http://";
}

function addressText(text: string): string {
  const shown = printable(redacted(text));
  if (/^wss?:/i.test(text)) return `${shown}: the address of a server; bun run client URL prints what it sends`;
  return `${shown}: neither a path nor the redis:// of a relay`;
}

const SHOWN_MATCHES = 3;

function patternText(text: string): string {
  const found = matchesOf(text);
  const names = found.slice(0, SHOWN_MATCHES).map(printable).join(", ");
  const more = found.length > SHOWN_MATCHES ? `, and ${found.length - SHOWN_MATCHES} more` : "";
  const fits = found.length === 0 ? "it fits no file" : `it fits ${names}${more}`;
  return `${printable(text)}: a pattern, and here one file is published at a time; ${fits}`;
}

/** In its own folder only: who looks further may look for long. */
function matchesOf(text: string): string[] {
  const folder = dirname(text);
  try {
    const glob = new Bun.Glob(basename(text));
    const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => !entry.isDirectory());
    return names
      .map(({ name }) => name)
      .filter((name) => glob.match(name))
      .sort()
      .map((name) => (folder === "." ? name : join(folder, name)));
  } catch {
    return [];
  }
}

export function fromFileUrl(text: string): string {
  if (!text.startsWith("file://")) return text;
  try {
    return Bun.fileURLToPath(text);
  } catch {
    return text;
  }
}

/** What a person typed or dragged in -> a path: quotes around it, `~`, `$HOME`, `file://` and a shell's backslashes are undone. */
export function cleanPath(typed: string, home: string): string {
  const text = typed.trim();
  if (text === "" || exists(text)) return text;
  const quoted = /^(['"])(.*)\1$/s.exec(text);
  const plain = quoted || process.platform === "win32" ? (quoted?.[2] ?? text) : text.replace(/\\(.)/g, "$1");
  return underHome(fromFileUrl(plain), home);
}

/** `~`, `$HOME` and `${HOME}` as a shell has them; also in quotes, as who drags a path in does not choose them. */
export function underHome(path: string, home: string): string {
  const rest = /^(?:~|\$HOME|\$\{HOME\})(\/.*)?$/s.exec(path);
  return rest && home !== "" ? home + (rest[1] ?? "") : path;
}

/** What is typed at the prompt and is no path. */
export type Word = "quit" | "help";

export function wordOf(path: string): Word | undefined {
  const word = /^(exit|quit|help|\?)$/i.exec(path)?.[0]?.toLowerCase();
  if (word === undefined || exists(path)) return undefined;
  return word === "exit" || word === "quit" ? "quit" : "help";
}

/** For a person at the prompt. */
export const PROMPT_HELP = [
  "Type the path of a CSV file, and it is published: data.csv, ~/data.csv,",
  "$HOME/data.csv, in quotes, or as file://. Tab completes it. redis://HOST is a relay, https:// is fetched.",
  "exit, quit or Ctrl-C ends the server; its options are in bun run server --help.",
] as const;

/** The same where there are several tables. */
export const PROMPT_HELP_MANY = [
  "Type the path of a CSV file, and it is one more table: data.csv, ~/data.csv,",
  "$HOME/data.csv, in quotes, or as file://. Tab completes it. -NAME takes a table off the air",
  "(./-x is a file). exit, quit or Ctrl-C ends the server; its options are in bun run server --help.",
] as const;

/** At the prompt. */
export const STDIN_FAULT = "-: standard input is where paths are typed; bun run server - reads a CSV from it";
