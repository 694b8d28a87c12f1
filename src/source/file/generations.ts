// Which file is at a path, and how it came there: each new one is a generation, and is held open until it is not needed any more, so that
// its last rows can be read although something else is at its path by then.
import { closeSync, fstatSync, statSync } from "node:fs";
import { CsvError } from "../../csv/error.ts";
import { type BigStat, isSameState, openRegular } from "./read.ts";

/** A file that is, or was, at the path. */
export type Generation = {
  readonly fd: number;
  /** By the clock of `look`. */
  readonly seenAt: number;
  /** As it was at first, and at the last look. */
  readonly first: BigStat;
  stat: BigStat;
};

export type Look = {
  readonly found: Generation;
  readonly isNew: boolean;
  /** It is not what it was at the last look. */
  readonly isChanged: boolean;
};

export type Generations = {
  /** Throws CsvError if there is no file that can be read. */
  look(now: number): Look;
  /** Whether it is, as far as `stat` tells, as it was at the last look: costs next to nothing, and changes nothing. */
  isAsFound(): boolean;
  /** The one that was there at the last look, and the one before it. */
  found(): Generation | undefined;
  passed(): Generation | undefined;
  /** The one that was taken. */
  taken(): Generation | undefined;
  take(generation: Generation): void;
  /** Whether files are put at this path whole: two, one after the other, had all their content when they were first seen. */
  areWhole(): boolean;
  /** When the one that is there may be taken, which changed last at `changedAt` and is another than was held since `since`. */
  dueAt(changedAt: number, since: number, settleMs: number): number;
  close(): void;
};

/** A writer that is never quiet is waited for no longer than this. */
const MAX_WAIT_MS = 5_000;
/** A log that was begun anew is shown after this time although it is written to. */
const ROTATION_WAIT_MS = 500;
/** Files that are put there whole are, if they are the same in two looks so far apart. */
const SAME_MS = 20;
/** So many files in a row that were put there whole tell that the next one is, too. */
const WHOLE_STREAK = 2;

const isSameFile = (a: BigStat, b: BigStat) => a.ino === b.ino && a.dev === b.dev;

export function openGenerations(path: string): Generations {
  let found: Generation | undefined;
  let passed: Generation | undefined;
  let taken: Generation | undefined;
  let streak = 0;
  let isFirst = true;

  function look(now: number): Look {
    const { fd, stat } = openAlready(found) ?? openLinked(path);
    if (found && isSameFile(found.stat, stat)) {
      if (fd !== found.fd) closeSync(fd);
      const isChanged = !isSameState(stat, found.stat);
      found.stat = stat;
      return { found, isNew: false, isChanged };
    }
    if (found && !isFirst) streak = isWhole(found) ? streak + 1 : 0;
    isFirst = found === undefined;
    const before = passed;
    passed = found;
    found = { fd, seenAt: now, first: stat, stat };
    drop(before);
    return { found, isNew: true, isChanged: true };
  }

  /** The one that was found before, if that is still there and may be read. */
  function openAlready(before: Generation | undefined): { fd: number; stat: BigStat } | undefined {
    const stat = before && statOf(path);
    return stat && isSameFile(before.stat, stat) && isAsAllowed(before.stat, stat)
      ? { fd: before.fd, stat }
      : undefined;
  }

  function isAsFound(): boolean {
    const there = openAlready(found);
    return there !== undefined && isSameState(there.stat, found!.stat);
  }

  function drop(generation: Generation | undefined): void {
    if (generation && generation !== taken && generation !== found && generation !== passed) closeSync(generation.fd);
  }

  const areWhole = () => streak >= WHOLE_STREAK;

  return {
    look,
    isAsFound,
    found: () => found,
    passed: () => passed,
    taken: () => taken,
    take(generation) {
      const before = taken;
      taken = generation;
      drop(before);
    },
    areWhole,
    dueAt(changedAt, since, settleMs) {
      const latest = Math.min(changedAt + settleMs, since + MAX_WAIT_MS);
      if (!found || found === taken) return latest;
      const { seenAt, first, stat } = found;
      if (areWhole() && first.size > 0n && isSameState(first, stat)) return seenAt + SAME_MS;
      const isRotation = taken !== undefined && isLinked(taken) && stat.size > 0n;
      return isRotation ? Math.min(latest, Math.max(seenAt, since) + ROTATION_WAIT_MS) : latest;
    },
    close() {
      const all = new Set([found, passed, taken]);
      found = passed = taken = undefined;
      for (const generation of all) if (generation) closeSync(generation.fd);
    },
  };
}

function statOf(path: string): BigStat | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Whether what could be opened before still can, as far as this tells: then it need not be opened. */
const isAsAllowed = (a: BigStat, b: BigStat) => a.mode === b.mode && a.uid === b.uid && a.gid === b.gid && b.nlink > 0n;

/** Whether it had all its content when it was first seen, and still has. */
export function isWhole({ fd, first }: Generation): boolean {
  const { size, mtimeNs } = fstatSync(fd, { bigint: true });
  return first.size > 0n && size === first.size && mtimeNs === first.mtimeNs;
}

/** Whether a path leads to it, or still did when this was asked. */
export const isLinked = ({ fd }: Generation) => fstatSync(fd, { bigint: true }).nlink > 0n;

/** A file that is replaced while it is opened is opened again, so often. */
const ATTEMPTS = 10;

/** A file without a link may have been replaced in this moment; if its path goes on leading to it, it was outside of a mount. */
function openLinked(path: string): { fd: number; stat: BigStat } {
  for (let attempt = 1; ; attempt++) {
    const fd = openRegular(path);
    const stat = fstatSync(fd, { bigint: true });
    if (stat.nlink > 0n) return { fd, stat };
    closeSync(fd);
    const there = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (there && isSameFile(there, stat))
      throw new CsvError("replaced", "was replaced, but the path still leads to the old one: mount its folder instead");
    if (attempt === ATTEMPTS) throw new CsvError("changing", "is replaced faster than it can be opened");
  }
}
