// How a source is read. Types only.
import type { ReadOptions } from "../csv/options.ts";
import type { MemoryLimit, MemoryShare } from "./memory.ts";
import type { ReplayOptions } from "./replay/speed.ts";

/** How a table is taken from what is read. */
export type TableOptions = ReadOptions &
  ReplayOptions & {
    /** The table is the last so many rows of the source. Default: all. */
    readonly lastRows: number;
    /** A larger file is refused. Default: no limit. */
    readonly maxFileBytes: number;
    /** A table whose text is larger is refused, or not followed while it is. Default: half of the memory. */
    readonly maxMemoryBytes: number;
    /** A source with a larger cell is refused, or not published while it is there. Default: 16 MiB. */
    readonly maxCellBytes: number;
    /** Milliseconds without a change after which a writer counts as done for now. Default: 250. */
    readonly settleMs: number;
    /** Milliseconds between two looks at a web address. Default: 5,000. */
    readonly pollMs: number;
  };

export type SourceSettings = TableOptions & {
  /** What all tables hold together: `maxMemoryBytes` is for all of them. */
  readonly memory?: MemoryShare | undefined;
  /** What was in tables, and is held for those only who are still sent it. */
  readonly pinned?: MemoryLimit | undefined;
  /** A path, `-` for standard input, a web address, or the URL of a relay. */
  readonly location: string;
  /** Whether what is not there yet is waited for, and not refused. */
  readonly waits?: boolean | undefined;
  /** Milliseconds between two looks at a file. */
  readonly lookMs: number;
  /** Whether to use file events; without them a change is seen at the next look. */
  readonly watches: boolean;
  /** A relay: the table whose keys have this name. Default: the first one. */
  readonly table?: string | undefined;
  /** A relay: without a heartbeat of its publisher for so long the table counts as stale. */
  readonly silenceMs: number;
};
