// Hints that something may have happened to a file: a watch of the folder it is in, and of the folder its target is in.
// Only a hint: events get lost, some file systems have none, so whoever uses this looks from time to time as well.
import { type FSWatcher, realpathSync, statSync, watch } from "node:fs";
import { dirname, resolve } from "node:path";

export type FolderWatch = {
  /** Watches what the path leads to now: links may have been re-pointed, folders replaced. */
  rearm(): void;
  close(): void;
};

/** A watch on the file itself would die with the first atomic replace; a folder's lives as long as the folder. */
export function watchFolders(path: string, onHint: () => void): FolderWatch {
  const watches = new Map<string, { watcher: FSWatcher; inode: bigint }>();

  function rearm(): void {
    const folders = foldersOf(path);
    for (const [folder, { watcher, inode }] of watches) {
      if (folders.get(folder) === inode) continue;
      watcher.close();
      watches.delete(folder);
    }
    for (const [folder, inode] of folders) if (!watches.has(folder)) arm(folder, inode);
  }

  function arm(folder: string, inode: bigint): void {
    try {
      const watcher = watch(folder, { persistent: false }, onHint);
      watcher.on("error", () => drop(folder));
      watches.set(folder, { watcher, inode });
    } catch {
      // No more watches to be had, or none on this file system: the looks go on without hints.
    }
  }

  function drop(folder: string): void {
    watches.get(folder)?.watcher.close();
    watches.delete(folder);
    onHint();
  }

  rearm();
  return {
    rearm,
    close() {
      for (const { watcher } of watches.values()) watcher.close();
      watches.clear();
    },
  };
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
