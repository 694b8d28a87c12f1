// One table that is always the newest file of a folder or a pattern, as instruments and loggers begin one each day, or for each run.
import { statSync } from "node:fs";
import type { Publication } from "../feed/publication.ts";
import { type FinderOptions, newestFirst, NONE_YET, openFinder } from "../source/folder.ts";
import type { Channel } from "./channel.ts";

export type NewestOptions = FinderOptions & {
  /** There is no file yet: why. */
  readonly onNone: (place: string, reason: string) => void;
};

/** A table of these columns and rows is worth the move. */
const hasRows = ({ columns, rows }: Publication) => columns.count > 0 && rows > 0;

/**
 * Moves on to a file that was begun and written later than the one that is published, once it has a header and a row; at the earliest a
 * look after it was found, so that the one before has been read to its end. Goes back only if that one is deleted.
 */
export function openNewest(place: string, channel: Channel, { onNone, ...options }: NewestOptions): { close(): void } {
  let files: readonly string[] = [];
  let hasLooked = false;
  let seen = new Map<string, number>();
  let current: string | undefined;
  let opening: string | undefined;
  const unready = new Map<string, number>(); // and what their time was then
  let isClosed = false;

  const isThere = (path: string) => files.includes(path);

  function choose(): string | undefined {
    const now = performance.now();
    const all = newestFirst(files);
    if (current === undefined || !isThere(current)) return all.find((path) => !isUnready(path)) ?? all[0];
    const later = all.slice(0, all.indexOf(current));
    return later.find(
      (path) => now - seen.get(path)! >= options.lookMs && writtenAt(path) >= writtenAt(current!) && !isUnready(path),
    );
  }

  const isUnready = (path: string) => unready.get(path) === writtenAt(path);

  function look(): void {
    if (isClosed) return;
    const path = choose();
    if (path === undefined || path === current || path === opening) return;
    opening = path;
    const isLast = files.every((file) => file === path || isUnready(file)) && current === undefined;
    const begunAt = writtenAt(path);
    const accepts = (publication: Publication) => {
      const isReady = hasRows(publication) || (isLast && isUnready(path));
      if (!isReady && current === undefined) giveUp(path, begunAt);
      return isReady;
    };
    channel.open(path, false, accepts).then(
      () => {
        if (opening !== path) return;
        current = channel.location();
        opening = undefined;
        unready.clear();
      },
      () => giveUp(path, begunAt),
    );
  }

  /** Another one may do meanwhile. */
  function giveUp(path: string, at: number): void {
    unready.set(path, at);
    if (opening === path) opening = undefined;
    setImmediate(look);
  }

  const finder = openFinder(place, options, (found) => {
    files = found.files;
    if (!hasLooked && files.length === 0) onNone(place, found.problem ?? NONE_YET);
    hasLooked = true;
    const now = performance.now();
    seen = new Map(files.map((path) => [path, seen.get(path) ?? now]));
    for (const path of unready.keys()) if (!seen.has(path)) unready.delete(path);
    look();
  });
  const timer = setInterval(look, options.lookMs);
  return {
    close() {
      isClosed = true;
      clearInterval(timer);
      finder.close();
    },
  };
}

/** When it was last written to; ms since 1970. */
function writtenAt(path: string): number {
  try {
    return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  } catch {
    return 0;
  }
}
