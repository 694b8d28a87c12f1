// Tab at the prompt.
import { readdirSync, statSync } from "node:fs";
import { printable } from "../../feed/printable.ts";
import { pathParts, underHome } from "./words.ts";

/**
 * readline's completer for paths: a folder ends with a slash, so that Tab goes on into it. Names that would command the terminal are
 * left out: nobody could type them either.
 */
export function completePath(typed: string, home: string, platform = process.platform): [string[], string] {
  const opening = /^\s*["']?/.exec(typed)?.[0] ?? "";
  const { folder, start, separator } = pathParts(typed.slice(opening.length), platform);
  const real = underHome(folder, home, platform) || ".";
  try {
    const names = readdirSync(real, { withFileTypes: true })
      .filter(({ name }) => name.startsWith(start) && (start !== "" || !name.startsWith(".")))
      .filter(({ name }) => printable(name) === name)
      .map((entry) => entry.name + (isFolder(entry, real) ? separator : ""))
      .sort();
    return [names.map((name) => opening + folder + name), typed];
  } catch {
    return [[], typed];
  }
}

function isFolder(entry: { name: string; isDirectory(): boolean; isSymbolicLink(): boolean }, folder: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return statSync(`${folder}/${entry.name}`, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
