// What clients may need: the table's cursor, a bounded history of its changes, and what takes a client from its cursor to the current
// one. Texts in, texts out: no row, socket, timer or file comes near.
import { type Cursor, deltaText } from "./protocol.ts";
import type { Columns, Publication, Verdicts } from "./publication.ts";

export type Feed = {
  /** The table as it is now; undefined until the first. */
  publication(): Publication | undefined;
  cursor(): Cursor | undefined;
  rows(): number;
  columns(): Columns;
  /** The delta for those who were up to date; undefined if they need a snapshot. */
  publish(publication: Publication): string | undefined;
  /**
   * What takes a client from there towards the current version: nothing, a delta, or it takes a snapshot. `ahead`: it comes from
   * another server of this feed, and holds a later version than there is here yet.
   */
  since(cursor: Cursor | undefined): Step;
  /** Characters of history since then; undefined if that is not known any more. */
  distance(cursor: Cursor): number | undefined;
};

export type Step =
  | { readonly type: "none" }
  | { readonly type: "ahead" }
  /** `cursor`: what the client holds after it, which is not the current version if the changes are many. */
  | { readonly type: "delta"; readonly text: string; readonly cursor: Cursor }
  | { readonly type: "snapshot" };

/** Below this, saying what has changed is worth more than the bytes it takes. */
const MIN_HISTORY = 4096;
const MAX_ENTRIES = 1 << 16;
/** Changes of so many characters go into one message, or one change: who is owed one holds no more than that. */
const MAX_DELTA = 1 << 18;

/**
 * A change from version `from`, and the rows there are after it; `begin` is the size of all changes of the epoch before it. `isRefined`:
 * what the columns are is known better since.
 */
type Entry = Pick<Publication, "rows" | "first"> & {
  readonly from: number;
  readonly splices: string;
  readonly begin: number;
  readonly isRefined: boolean;
};

const NONE: Step = { type: "none" };
const AHEAD: Step = { type: "ahead" };
const SNAPSHOT: Step = { type: "snapshot" };
const NO_COLUMNS: Columns = { count: 0, json: "[]" };

const isSame = (a: Verdicts | undefined, b: Verdicts | undefined) => a?.types === b?.types && a?.units === b?.units;

/** `maxHistory` in characters. */
export function openFeed(maxHistory: number): Feed {
  let current: Publication | undefined;
  let history: Entry[] = [];
  let end = 0; // size of all changes of the epoch
  let squashed: { from: number; step: Step } | undefined;

  function publish(publication: Publication): string | undefined {
    const before = current?.cursor;
    const { cursor, columns, splices, rows, first, about } = publication;
    const isRefined = !isSame(current?.columns.verdicts, columns.verdicts);
    current = publication;
    squashed = undefined;
    const limit = Math.min(maxHistory, Math.max(MIN_HISTORY, about.bytes >> 1));
    if (before?.epoch !== cursor.epoch || splices === undefined || splices.length > limit) {
      history = [];
      return undefined;
    }
    history.push({ from: before.version, splices: splices.slice(1, -1), begin: end, isRefined, rows, first });
    end += splices.length;
    const kept = history.findIndex(({ begin }, i) => end - begin <= limit && history.length - i <= MAX_ENTRIES);
    if (kept > 0) history.splice(0, kept);
    return deltaText(
      cursor.epoch,
      before.version,
      cursor.version,
      splices,
      rows,
      isRefined ? columns.verdicts : undefined,
      first,
    );
  }

  /** Index of the entry that begins at this version; -1 if there is none. */
  function indexOf(version: number): number {
    let low = 0;
    let high = history.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (history[middle]!.from < version) low = middle + 1;
      else high = middle;
    }
    return history[low]?.from === version ? low : -1;
  }

  function since(from: Cursor | undefined): Step {
    if (!current || from?.epoch !== current.cursor.epoch) return SNAPSHOT;
    if (from.version === current.cursor.version) return NONE;
    if (from.version > current.cursor.version) return AHEAD;
    if (squashed?.from !== from.version) squashed = { from: from.version, step: squash(from.version, current) };
    return squashed.step;
  }

  function squash(from: number, { cursor, columns }: Publication): Step {
    const index = indexOf(from);
    const begin = history[index]?.begin;
    if (begin === undefined) return SNAPSHOT;
    let next = index + 1;
    while (next < history.length && history[next]!.begin + history[next]!.splices.length - begin <= MAX_DELTA) next++;
    const missed = history.slice(index, next);
    const { rows, first } = missed.at(-1)!;
    const to = history[next]?.from ?? cursor.version;
    const verdicts = missed.some(({ isRefined }) => isRefined) ? columns.verdicts : undefined;
    const splices = missed.map((entry) => entry.splices).filter((text) => text !== "");
    const text = deltaText(cursor.epoch, from, to, `[${splices.join(",")}]`, rows, verdicts, first);
    return { type: "delta", text, cursor: { ...cursor, version: to } };
  }

  function distance(from: Cursor): number | undefined {
    if (from.epoch !== current?.cursor.epoch) return undefined;
    if (from.version === current.cursor.version) return 0;
    const entry = history[indexOf(from.version)];
    return entry && end - entry.begin;
  }

  return {
    publication: () => current,
    cursor: () => current?.cursor,
    rows: () => current?.rows ?? 0,
    columns: () => current?.columns ?? NO_COLUMNS,
    publish,
    since,
    distance,
  };
}
