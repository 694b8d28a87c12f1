// A name in the same folder that somebody may have meant, for a file that is not there.
import { readdirSync } from "node:fs";
import { basename, dirname, extname } from "node:path";

/** Folders with more files are not looked through. */
const MAX_NAMES = 10_000;
const MAX_NAME = 100;
const MAX_EDITS = 3;

/** Undefined if there is none, or the folder cannot be read. */
export function similarName(path: string): string | undefined {
  try {
    const entries = readdirSync(dirname(path), { withFileTypes: true });
    if (entries.length > MAX_NAMES) return undefined;
    return mostSimilar(
      basename(path),
      entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name),
    );
  } catch {
    return undefined;
  }
}

/** The name that takes the fewest edits: one for each three letters in front of the extension, and three at most. Case is none. */
export function mostSimilar(wanted: string, names: readonly string[]): string | undefined {
  const stem = stemOf(wanted);
  if (wanted.length > MAX_NAME) return undefined;
  let least = Math.min(MAX_EDITS, Math.floor(stem.length / 3)) + 1;
  let found: string | undefined;
  for (const name of names) {
    if (name.length > MAX_NAME || name === wanted) continue;
    const edits = stemOf(name) === stem ? 0 : editsBetween(name.toLowerCase(), wanted.toLowerCase());
    if (edits >= least) continue;
    least = edits;
    found = name;
  }
  return found;
}

const stemOf = (name: string) => name.slice(0, name.length - extname(name).length).toLowerCase();

/** Levenshtein's distance. */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
