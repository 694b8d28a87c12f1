// What the world may see: the table's version, a bounded history of its changes, and what a client that was at some version
// needs now. Texts in, texts out: no row, socket, timer or file comes near.
import { type Cursor, deltaText, type State } from "./protocol.ts";

/** A table that takes the place of the one before. */
export type Change = {
  /** Larger than the one before of its epoch. */
  readonly version: number;
  /** Where another server numbers the versions: the epoch that it made. Without it a new epoch gets a name here. */
  readonly epoch?: string | undefined;
  /** Whether nothing that was known holds any more: another file, another header, a new start. */
  readonly isNewEpoch: boolean;
  /** JSON array of splices; undefined if the table is to be taken anew. */
  readonly splices: string | undefined;
  /** JSON array of column names; there whenever `splices` is undefined. */
  readonly columnsJson: string | undefined;
  readonly rows: number;
  /** About what the table takes as text. */
  readonly bytes: number;
};

/** What a table that was rendered says of itself; `epoch` as for a change. */
export type Rendered = Pick<Change, "version" | "epoch">;

export type Status = { readonly state: State; readonly message: string; readonly since: number };

export type Feed = {
  /** Undefined until the first table. */
  cursor(): Cursor | undefined;
  rows(): number;
  columnsJson(): string;
  status(): Status;
  setStatus(status: Status): void;
  /** The delta for those who were up to date; undefined if they need a snapshot. */
  publish(change: Change): string | undefined;
  /**
   * What takes a client from there to the current version: nothing, a delta, or it takes a snapshot. `ahead`: it comes from
   * another server of this feed, and holds a later version than there is here yet.
   */
  since(cursor: Cursor | undefined): Step;
  /** Characters of history since then; undefined if that is not known any more. */
  distance(cursor: Cursor): number | undefined;
  /** The cursor of a version of this epoch; undefined for one of another epoch. */
  cursorOf(rendered: Rendered): Cursor | undefined;
};

export type Step =
  | { readonly type: "none" }
  | { readonly type: "ahead" }
  | { readonly type: "delta"; readonly text: string }
  | { readonly type: "snapshot" };

/** Below this, saying what has changed is worth more than the bytes it takes. */
const MIN_HISTORY = 4096;
const MAX_ENTRIES = 1 << 16;

/** A change from version `from`; `begin` is the size of all changes of the epoch before it. */
type Entry = { readonly from: number; readonly splices: string; readonly begin: number };

const NONE: Step = { type: "none" };
const AHEAD: Step = { type: "ahead" };
const SNAPSHOT: Step = { type: "snapshot" };

/** `newEpoch` gives a name that no feed of any server has had; `startedAt` in ms since 1970; `maxHistory` in characters. */
export function openFeed(newEpoch: () => string, startedAt: number, maxHistory: number): Feed {
  let cursor: Cursor | undefined;
  let firstVersion = 0; // of the epoch
  let rows = 0;
  let columnsJson = "[]";
  let status: Status = { state: "waiting", message: "no file is on air yet", since: startedAt };
  let history: Entry[] = [];
  let end = 0; // size of all changes of the epoch
  let squashed: { from: number; step: Step } | undefined;

  function publish(change: Change): string | undefined {
    const from = cursor?.version;
    const epoch = change.epoch ?? (cursor && !change.isNewEpoch ? cursor.epoch : newEpoch());
    const isOther = change.isNewEpoch || epoch !== cursor?.epoch;
    if (epoch !== cursor?.epoch) firstVersion = change.version;
    cursor = { epoch, version: change.version };
    rows = change.rows;
    columnsJson = change.columnsJson ?? columnsJson;
    squashed = undefined;
    const limit = Math.min(maxHistory, Math.max(MIN_HISTORY, change.bytes >> 1));
    const { splices } = change;
    if (from === undefined || isOther || splices === undefined || splices.length > limit) {
      history = [];
      return undefined;
    }
    history.push({ from, splices: splices.slice(1, -1), begin: end });
    end += splices.length;
    const kept = history.findIndex(({ begin }, i) => end - begin <= limit && history.length - i <= MAX_ENTRIES);
    if (kept > 0) history.splice(0, kept);
    return deltaText(epoch, from, change.version, splices, rows);
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
    if (!cursor || from?.epoch !== cursor.epoch) return SNAPSHOT;
    if (from.version === cursor.version) return NONE;
    if (from.version > cursor.version) return AHEAD;
    if (squashed?.from !== from.version) squashed = { from: from.version, step: squash(from.version, cursor) };
    return squashed.step;
  }

  function squash(from: number, { epoch, version }: Cursor): Step {
    const index = indexOf(from);
    if (index === -1) return SNAPSHOT;
    const splices = history
      .slice(index)
      .map((entry) => entry.splices)
      .filter((text) => text !== "");
    return { type: "delta", text: deltaText(epoch, from, version, `[${splices.join(",")}]`, rows) };
  }

  function distance(from: Cursor): number | undefined {
    if (!cursor || from.epoch !== cursor.epoch) return undefined;
    if (from.version === cursor.version) return 0;
    const entry = history[indexOf(from.version)];
    return entry && end - entry.begin;
  }

  return {
    cursor: () => cursor,
    rows: () => rows,
    columnsJson: () => columnsJson,
    status: () => status,
    setStatus: (next) => void (status = next),
    publish,
    since,
    distance,
    cursorOf({ version, epoch = cursor?.epoch }) {
      return cursor && epoch === cursor.epoch && version >= firstVersion ? { epoch, version } : undefined;
    },
  };
}
