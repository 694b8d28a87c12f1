// Which files there are in a folder, or fit a pattern: looked at when something may have happened there, and from time to time.
import { existsSync, type FSWatcher, realpathSync, statSync, watch } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { asCsvError } from "./file/read.ts";

/** `problem`: why the place itself cannot be read; then `files` are those of before. All in ascending order. */
export type Found = {
  readonly files: readonly string[];
  readonly refused: readonly { readonly path: string; readonly reason: string }[];
  readonly problem?: string | undefined;
};

export type Finder = { close(): void };

export type FinderOptions = {
  /** Milliseconds between two looks. */
  readonly lookMs: number;
  readonly watches: boolean;
};

/** Of a folder or a pattern. */
export const NONE_YET = "no file yet";

/** Events that come together are one. */
const HINT_MS = 20;

/**
 * As a shell has them: `*.csv`, `run-?.csv`, `{a,b}.csv`, `**` for folders below. `run-[0-9].csv` only if it fits something: there are names
 * with brackets, too.
 */
export function isPattern(text: string): boolean {
  if (/[*?]|\{[^{}]*,[^{}]*\}/.test(text)) return true;
  return /\[[^\]]+\]/.test(text) && !existsSync(text) && fitsNow(text);
}

function fitsNow(pattern: string): boolean {
  const folder = fixedPart(pattern);
  try {
    return !globOf(folder, pattern)
      .scanSync({ cwd: resolve(folder), onlyFiles: false, dot: true })
      .next().done;
  } catch {
    return false;
  }
}

export function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch {
    return false;
  }
}

/** `place`: a folder, or a pattern. `onFound` hears of the first look, and of each that finds something else than the one before. */
export function openFinder(place: string, { lookMs, watches }: FinderOptions, onFound: (found: Found) => void): Finder {
  const isGlob = !isFolder(place) && isPattern(place);
  const folder = isGlob ? fixedPart(place) : place;
  const find = () => (isGlob ? matching(folder, place) : inFolder(place));
  let watcher: FSWatcher | undefined;
  let last = "";
  let before: Found = { files: [], refused: [] };
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isLooking = false;
  let isHinted = false;
  let isClosed = false;

  async function look(): Promise<void> {
    isLooking = true;
    isHinted = false;
    arm();
    let found: Found;
    try {
      found = await find();
    } catch (error) {
      found = { ...before, problem: asCsvError(error).reason };
    }
    isLooking = false;
    if (isClosed) return;
    const text = JSON.stringify(found);
    before = found;
    if (text !== last) onFound(found);
    last = text;
    later(isHinted ? HINT_MS : lookMs);
  }

  function later(ms: number): void {
    clearTimeout(timer);
    if (!isClosed) timer = setTimeout(() => void look(), ms);
  }

  function hint(): void {
    if (!isHinted && !isLooking) later(HINT_MS);
    isHinted = true;
  }

  function arm(): void {
    if (watcher || !watches) return;
    try {
      watcher = watch(folder, { persistent: false }, hint);
      watcher.on("error", drop);
    } catch {
      // Not there, or no more watches to be had: it is looked at from time to time all the same.
    }
  }

  function drop(): void {
    watcher?.close();
    watcher = undefined;
  }

  void look();
  return {
    close() {
      isClosed = true;
      clearTimeout(timer);
      drop();
    },
  };
}

const isTable = (name: string) => /\.(csv|tsv)$/i.test(name) && !name.startsWith(".");

/** Its `*.csv` and `*.tsv`; no dotfiles, nothing below, no link that leads out of it. */
async function inFolder(folder: string): Promise<Found> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => isTable(name));
  const plain = entries.filter((entry) => entry.isFile() || entry.isFIFO()).map(({ name }) => join(folder, name));
  const links = entries
    .filter((entry) => entry.isSymbolicLink())
    .map(({ name }) => ({ path: join(folder, name), leads: whereLeads(join(folder, name), folder) }));
  const inside = links.filter(({ leads }) => leads === "inside").map(({ path }) => path);
  const outside = links.filter(({ leads }) => leads === "outside").map(({ path }) => path);
  const reason = "a link that leads out of the folder";
  return { files: [...plain, ...inside].sort(), refused: outside.sort().map((path) => ({ path, reason })) };
}

function whereLeads(link: string, folder: string): "inside" | "outside" | "nowhere" {
  try {
    return isBelow(realpathSync(folder), realpathSync(link)) ? "inside" : "outside";
  } catch {
    return "nowhere";
  }
}

/** The root of a drive has its separator already. */
export const isBelow = (folder: string, path: string, separator: string = sep) =>
  path.startsWith(folder.endsWith(separator) ? folder : folder + separator);

/** What of a pattern is for a glob that is looked for in `folder`; both are absolute. A backslash is no separator there. */
export function globIn(folder: string, pattern: string, separator: string = sep): string {
  const rest = pattern.slice(folder.length);
  return (separator === "/" ? rest : rest.replaceAll(separator, "/")).replace(/^\//, "");
}

const globOf = (folder: string, pattern: string) => new Bun.Glob(globIn(resolve(folder), resolve(pattern)));

async function matching(folder: string, pattern: string): Promise<Found> {
  const files: string[] = [];
  const dot = globIn(resolve(folder), resolve(pattern)).startsWith(".");
  for await (const path of globOf(folder, pattern).scan({ cwd: resolve(folder), onlyFiles: true, dot }))
    files.push(folder === "." ? path : join(folder, path));
  return { files: files.sort(), refused: [] };
}

/** The folder in front of the first part with a wildcard in it. */
export function fixedPart(pattern: string): string {
  let folder = dirname(pattern);
  while (isPattern(folder)) folder = dirname(folder);
  return folder;
}

/** Newest first: by when they were begun, and by name where the file system does not say. */
export function newestFirst(files: readonly string[]): string[] {
  const begun = files.map((path) => ({ path, at: begunAt(path) }));
  return begun.sort((a, b) => b.at - a.at || (basename(a.path) < basename(b.path) ? 1 : -1)).map(({ path }) => path);
}

function begunAt(path: string): number {
  try {
    return statSync(path, { throwIfNoEntry: false })?.birthtimeMs ?? 0;
  } catch {
    return 0;
  }
}
