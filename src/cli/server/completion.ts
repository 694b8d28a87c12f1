// Tab at the prompt.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { printable } from "../../feed/printable.ts";
import { isFolder } from "../../source/folder.ts";
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
    const names = readdirSync(real)
      .filter((name) => name.startsWith(start) && (start !== "" || !name.startsWith(".")))
      .filter((name) => printable(name) === name)
      .map((name) => name + (isFolder(join(real, name)) ? separator : ""))
      .sort();
    return [names.map((name) => opening + folder + name), typed];
  } catch {
    return [[], typed];
  }
}
