// Hints that something may have happened to a file: a watch of the folder it is in, and of the folder its target is in.
// Only a hint: events get lost, some file systems have none, so whoever uses this looks from time to time as well.
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

/** A folder that was replaced, or a file by a link, is found so late. */
const REARM_MS = 500;

/**
 * A watch on the file itself would die with the first atomic replace; a folder's lives as long as the folder. What happens to other files
 * there is no hint, unless the path is a link: then what it leads through may be among them.
 */
export function watchFolders(path: string, onHint: () => void): FolderWatch {
  const watches = new Map<string, { watcher: FSWatcher; inode: bigint }>();
  const name = basename(path).normalize();
  let isLink = false;
  let armedAt = -Infinity;

  const hear = (_event: string, changed: string | null) => {
    if (isLink || changed === null || changed.normalize() === name) onHint();
  };

  function rearm(now: number): boolean {
    if (!isLink && now - armedAt < REARM_MS) return false;
    armedAt = now;
    let isNew = false;
    const folders = foldersOf(path);
    isLink = isSymbolicLink(path);
    for (const [folder, { watcher, inode }] of watches) {
      if (folders.get(folder) === inode) continue;
      watcher.close();
      watches.delete(folder);
    }
    for (const [folder, inode] of folders) if (!watches.has(folder)) isNew = arm(folder, inode) || isNew;
    return isNew;
  }

  function arm(folder: string, inode: bigint): boolean {
    try {
      const watcher = watch(folder, { persistent: false }, hear);
      watcher.on("error", () => drop(folder));
      watches.set(folder, { watcher, inode });
      return true;
    } catch {
      // No more watches to be had, or none on this file system: the looks go on without hints.
      return false;
    }
  }

  function drop(folder: string): void {
    watches.get(folder)?.watcher.close();
    watches.delete(folder);
    onHint();
  }

  rearm(-Infinity);
  return {
    rearm,
    close() {
      for (const { watcher } of watches.values()) watcher.close();
      watches.clear();
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

/** The folders to watch, with their inodes: one that was replaced under the same name must be watched anew. */
function foldersOf(path: string): Map<string, bigint> {
  const folders = new Map<string, bigint>();
  const add = (file: () => string) => {
    try {
      const folder = dirname(file());
      folders.set(folder, statSync(folder, { bigint: true }).ino);
    } catch {
      // Not there at the moment.
    }
  };
  add(() => resolve(path));
  add(() => realpathSync(path));
  return folders;
}
