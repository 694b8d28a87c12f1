// What came of one change of a table, as one value: made by the source, passed on as it is by everything after it. Types only, so that
// every room may import them.

/** A state of the table: versions count changes within an epoch, and say nothing across epochs. */
export type Cursor = { readonly epoch: string; readonly version: number };

/** Whether the table is what the file says. `updating`: it is about to be; `waiting`: there is none yet, and nothing is wrong with that. */
export type State = "live" | "updating" | "waiting" | "missing" | "stale" | "invalid";

/** A state, in words for people, since when in ms since 1970. */
export type Status = {
  readonly state: State;
  readonly message: string;
  readonly since: number;
  /** What has been held back for a while, as it is no whole row: bytes at the end of the source. */
  readonly pendingBytes?: number | undefined;
  /** What seems odd in the table, as in `About`. */
  readonly warnings?: readonly string[] | undefined;
  /** Its rows come from a finished file, as if it were written now. */
  readonly replay?: Replay | undefined;
};

/** `speed`: `10x` as fast as it was written, or `100/s` rows. `isFinished`: all of them have come, and no more will. */
export type Replay = { readonly speed: string; readonly isFinished: boolean };

/** Column names in file order: how many, and as a JSON array; `verdicts` where they are known. */
export type Columns = { readonly count: number; readonly json: string; readonly verdicts?: Verdicts | undefined };

/** What each column is, as JSON arrays with an entry for each: docs/protocol.md, Types and units. */
export type Verdicts = { readonly types: string; readonly units: string };

/** What people want to know of a table besides its rows. */
export type About = {
  /** What its source is called: the name of the file, without its folder; control characters are written out. */
  readonly name: string;
  /** The relay that it came through: `topic csv at redis.example:6379`. */
  readonly relay?: string | undefined;
  /** `comma, UTF-8` */
  readonly dialect: string;
  readonly warnings: readonly string[];
  /** Cells that are not what their column is, of those that came later than the rows that tell what it is. */
  readonly misfits?: number | undefined;
  /** When the source last changed; ms since 1970. */
  readonly changedAt: number;
  /** From noticing the change to having it as a table, in ms. */
  readonly readMs: number;
  /** Length of the table as CSV text, header included, in UTF-8. */
  readonly bytes: number;
};

/** A table that takes the place of the one before. */
export type Publication = {
  /** Drawn by whoever made the table. Another epoch than before: nothing known of earlier tables holds any more. */
  readonly cursor: Cursor;
  readonly columns: Columns;
  readonly rows: number;
  /** Rows of the source in front of the first one here, which `--last` leaves out. Absent for none. */
  readonly first?: number | undefined;
  /**
   * `[[start, deleted, rows], …]` as JSON, rows as arrays of cells: what turns the table before, of the same epoch, into this one.
   * Undefined if the table is to be taken anew.
   */
  readonly splices?: string | undefined;
  readonly about: About;
};

/** Takes what is published of one table further: to the clients of the live feed, to a relay. */
export type Sink = {
  publish(publication: Publication): void;
  setStatus(status: Status): void;
  close(): void | Promise<void>;
};
