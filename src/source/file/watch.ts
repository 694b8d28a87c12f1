// Hints that something may have happened to a file: a watch of the folder it is in, and of the folder its target is in; one for all files
// of a folder. Only a hint: events get lost, some file systems have none, so whoever uses this looks from time to time as well.
import { type FSWatcher, lstatSync, realpathSync, statSync, watch } from "node:fs";
import { basename, dirname, resolve } from "node:path";

export type FolderWatch = {
  /**
   * Watches what the path leads to now: links may have been re-pointed, folders replaced. Whether there is a new watch: what happened
   * before it gave no hint. Where there is no link that takes place now and then only; `now` by a monotonic clock in ms.
   */
  rearm(now: number): boolean;
  close(): void;
};

/** A folder that was replaced, or a file by a link, gives no hints for so long: what happens there is seen at the next look. */
const REARM_MS = 5_000;

type Listener = { readonly onHint: () => void; readonly onLost: () => void };

/** Of one folder: who hears of one name there, and who of all. */
type Watched = {
  readonly watcher: FSWatcher;
  readonly inode: bigint;
  readonly byName: Map<string, Set<Listener>>;
  readonly ofAll: Set<Listener>;
};

const watched = new Map<string, Watched>();

const everyone = ({ byName, ofAll }: Watched) => [...ofAll, ...[...byName.values()].flatMap((some) => [...some])];

/** Undefined if there are no more watches to be had, or none on this file system: the looks go on without hints. */
function watchedAt(folder: string, inode: bigint): Watched | undefined {
  const known = watched.get(folder);
  if (known?.inode === inode) return known;
  if (known) lose(folder, known); // another folder is there now
  try {
    const hear = (_event: string, changed: string | null) => {
      if (changed === null) for (const { onHint } of everyone(opened)) onHint();
      else for (const { onHint } of [...opened.ofAll, ...(opened.byName.get(changed.normalize()) ?? [])]) onHint();
    };
    const watcher = watch(folder, { persistent: false }, hear);
    const opened: Watched = { watcher, inode, byName: new Map(), ofAll: new Set() };
    watcher.on("error", () => lose(folder, opened));
    watched.set(folder, opened);
    return opened;
  } catch {
    return undefined;
  }
}

function lose(folder: string, lost: Watched): void {
  lost.watcher.close();
  if (watched.get(folder) === lost) watched.delete(folder);
  for (const { onLost } of everyone(lost)) onLost();
}

/** Returns how to hear no more; the last one takes the watch away. */
function listen(folder: string, at: Watched, name: string | undefined, listener: Listener): () => void {
  const listeners = name === undefined ? at.ofAll : (at.byName.get(name) ?? new Set());
  if (name !== undefined) at.byName.set(name, listeners);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (name !== undefined && listeners.size === 0) at.byName.delete(name);
    if (at.ofAll.size > 0 || at.byName.size > 0) return;
    at.watcher.close();
    if (watched.get(folder) === at) watched.delete(folder);
  };
}

/**
 * A watch on the file itself would die with the first atomic replace; a folder's lives as long as the folder. What happens to other files
 * there is no hint, unless the path is a link: then what it leads through may be among them.
 */
export function watchFolders(path: string, onHint: () => void): FolderWatch {
  const own = new Map<string, { at: Watched; stop: () => void }>();
  const name = basename(path).normalize();
  let isLink = false;
  let armedAt = -Infinity;

  function rearm(now: number): boolean {
    if (!isLink && now - armedAt < REARM_MS) return false;
    armedAt = now;
    const wasLink = isLink;
    isLink = isSymbolicLink(path);
    const folders = foldersOf(path, isLink, now);
    for (const [folder, { at, stop }] of own) {
      if (folders.get(folder) === at.inode && wasLink === isLink) continue;
      stop();
      own.delete(folder);
    }
    let isNew = false;
    for (const [folder, inode] of folders) if (!own.has(folder)) isNew = arm(folder, inode) || isNew;
    return isNew;
  }

  function arm(folder: string, inode: bigint): boolean {
    const at = watchedAt(folder, inode);
    if (!at) return false;
    const onLost = () => {
      own.delete(folder);
      onHint();
    };
    own.set(folder, { at, stop: listen(folder, at, isLink ? undefined : name, { onHint, onLost }) });
    return true;
  }

  rearm(-Infinity);
  return {
    rearm,
    close() {
      for (const { stop } of own.values()) stop();
      own.clear();
    },
  };
}

function isSymbolicLink(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  } catch {
    return false;
  }
}

type Folders = ReadonlyMap<string, bigint>;

/** The files of a folder are looked at one after the other: what was seen for one holds for the next so long. */
const SAME_MS = 100;
let last: { readonly folder: string; readonly at: number; readonly folders: Folders } | undefined;

/** The folders to watch, with their inodes: one that was replaced under the same name must be watched anew. */
function foldersOf(path: string, isLink: boolean, now: number): Folders {
  const folder = dirname(resolve(path));
  if (isLink) return withInodes([() => folder, () => dirname(realpathSync(path))]);
  if (last?.folder !== folder || now >= last.at + SAME_MS || now < last.at)
    last = { folder, at: now, folders: withInodes([() => folder, () => realpathSync(folder)]) };
  return last.folders;
}

function withInodes(found: readonly (() => string)[]): Folders {
  const folders = new Map<string, bigint>();
  for (const find of found) {
    try {
      const folder = find();
      folders.set(folder, statSync(folder, { bigint: true }).ino);
    } catch {
      // Not there at the moment.
    }
  }
  return folders;
}
