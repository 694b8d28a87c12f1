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
  const twice = all.find(({ name, location }) =>
    all.some((other) => name !== undefined && other.location === location && other.name !== name),
  );
  if (twice) throw new CliError("usage", twiceText(twice));
  const isOne = all.length === 1 && only.name === undefined && (isNewest || !isPlace(only.location));
  return isOne ? { file: only.location } : { tables: all };
}

const twiceText = ({ name, location }: Nameable) =>
  `${name}=${printable(redacted(location))}: the file is given twice, and a table has one name; give it once`;

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
  if (!mayBeFolder(folder))
    throw new CliError("file", `${printable(path)}: no such folder: ${printable(folder)}${hint(path)}`);
  return path;
}

const hint = (path: string) =>
  /^[~$]/.test(path) ? "; ~ and $HOME are replaced by a shell that sees them without quotes, and at the prompt" : "";

function mayBeFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch {
    return true;
  }
}

/** Why this is no path of a file, and the way out; undefined if it is, or if there is a file of that name. */
export function noPath(text: string): string | undefined {
  if (isWebUrl(text)) return webFault(text);
  if (!(isAddress(text) || isPattern(text)) || exists(text)) return undefined;
  return isAddress(text) ? addressText(text) : patternText(text);
}

/** A name is given on the command line only; undefined if this gives none, or if there is a file of that name. */
export function namedFault(text: string): string | undefined {
  const [, name, location = ""] = (!exists(text) && /^([^/\\=]*)=(.*)$/s.exec(text)) || [];
  if (name === undefined) return undefined;
  return `${printable(text)}: a name is given where the server is started; type ${printable(location)}, and the table is called as its file is`;
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
  return `${shown}: neither a path, nor a web address (https://, http://), nor the redis:// of a relay`;
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

function fromFileUrl(text: string): string {
  if (!text.startsWith("file://")) return text;
  try {
    return Bun.fileURLToPath(text);
  } catch {
    return text;
  }
}

/** What a person typed or dragged in -> a path: quotes around it, `~`, `$HOME`, `file://` and a shell's backslashes are undone. */
export function cleanPath(typed: string, home: string, platform = process.platform): string {
  const text = typed.trim();
  if (text === "" || exists(text)) return text;
  const quoted = /^(['"])(.*)\1$/s.exec(text);
  const plain = quoted || platform === "win32" ? (quoted?.[2] ?? text) : text.replace(/\\(.)/g, "$1");
  return underHome(fromFileUrl(plain), home, platform);
}

/** Where `~` leads to; empty where nobody says. */
export const homeOf = (env: Record<string, string | undefined>, platform = process.platform) =>
  env["HOME"] || (platform === "win32" ? env["USERPROFILE"] : undefined) || "";

/** `~`, `$HOME` and `${HOME}` as a shell has them, on Windows `%USERPROFILE%` too; also in quotes, as who drags a path in does not choose them. */
export function underHome(path: string, home: string, platform = process.platform): string {
  const isWindows = platform === "win32";
  const [, word, rest = ""] = (isWindows ? /^([^/\\]*)([/\\].*)?$/s : /^([^/]*)(\/.*)?$/s).exec(path) ?? [];
  const words = ["~", "$HOME", "${HOME}", ...(isWindows ? ["%USERPROFILE%"] : [])];
  return home !== "" && words.some((known) => known === word) ? home + rest : path;
}

/** What Tab goes by: the folder with the separator behind it, the beginning of a name in it, and the separator to go on with. */
export function pathParts(path: string, platform = process.platform) {
  const isWindows = platform === "win32";
  const end = (isWindows ? Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) : path.lastIndexOf("/")) + 1;
  const drive = isWindows && end === 0 && /^[a-z]:/i.test(path) ? 2 : 0; // `C:x` is in the current folder of that drive
  const folder = path.slice(0, Math.max(end, drive));
  return { folder, start: path.slice(folder.length), separator: isWindows && !folder.includes("/") ? "\\" : "/" };
}

/** What is typed at the prompt and is no path. */
export type Word = "quit" | "help" | "open";

const WORDS: ReadonlyMap<string, Word> = new Map([
  ["exit", "quit"],
  ["quit", "quit"],
  ["help", "help"],
  ["h", "help"],
  ["?", "help"],
  ["o", "open"],
  ["open", "open"],
]);

export function wordOf(path: string): Word | undefined {
  const word = WORDS.get(path.toLowerCase());
  return word === undefined || exists(path) ? undefined : word;
}

/** For a person at the prompt. */
export const PROMPT_HELP = [
  "  PATH   publishes this file instead: data.csv, ~/data.csv, in quotes, or as",
  "         file://, https:// or redis://; Tab completes it",
  "  o      opens the page in a browser",
  "  h      shows this; for the options: bun run server --help",
  "  exit   ends the server, as quit and Ctrl-C do",
] as const;

/** The same where there are several tables. */
export const PROMPT_HELP_MANY = [
  "  PATH   publishes this file, too: data.csv, ~/data.csv, in quotes, or as",
  "         file:// or https://; Tab completes it",
  "  -NAME  no longer publishes that table; ./-x is a file",
  "  o      opens the page in a browser",
  "  h      shows this; for the options: bun run server --help",
  "  exit   ends the server, as quit and Ctrl-C do",
] as const;

/** At the prompt. */
export const STDIN_FAULT = "-: standard input is where paths are typed; bun run server - reads a CSV from it";
