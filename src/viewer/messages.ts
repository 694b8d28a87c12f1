// What the page and its Worker say to each other. The Worker holds the table, the page what is to be seen of it.
import type { ConnectionState } from "../follow/subscriber.ts";
import type { Replay, State } from "../feed/protocol.ts";
import type { ColumnType } from "./cells.ts";
import type { Reading } from "./filter.ts";
import type { Rules } from "./model.ts";
import type { Points } from "./series.ts";
import type { Figures, Summary } from "./summary.ts";
import type { FileZone } from "./zones.ts";

/** A row: by its number at some version, or, if only its place is known, by that. Where it is now is for the Worker to say. */
export type Mark = { readonly row: number; readonly version: number } | { readonly position: number };

/** The part of the page that a person looks at, by position; `version` and `generation` are those of the frame that is there. */
export type Look = {
  readonly version: number;
  readonly generation: number;
  readonly from: number;
  readonly to: number;
  /** Which columns, by number. */
  readonly columns: readonly number[];
  /** What the part is bound to when rows come and go: the row at the top of the page, the end of the table, or nothing. */
  readonly anchor: { readonly mark: Mark; readonly position: number } | "end" | "none";
  /** The ends of the selection, if there is one, and a number for this selection. */
  readonly marks: readonly Mark[];
  readonly selection: number;
  /** The last row of the file when rows that came were seen the last time. */
  readonly seen: { readonly row: number; readonly version: number; readonly isNewestFirst: boolean } | undefined;
  /** What is asked for is not on the page yet: answer at once, not when something changes. */
  readonly isMissing: boolean;
};

/** Cells that are changed for `ms` by now. */
export type FrameFlash = { readonly ms: number; readonly cells: readonly number[] | "all" };

export type FrameRow = {
  /** Its number in the file, from 0. */
  readonly row: number;
  /** Of the columns that were asked for; `hits`: where in each the filter has found something, as of `hitsIn`. */
  readonly cells: readonly string[];
  readonly hits: readonly (readonly number[])[];
  readonly flash: FrameFlash | undefined;
};

export type Frame = {
  readonly version: number;
  readonly generation: number;
  /** How many rows there are, and how many of them are shown. */
  readonly total: number;
  readonly count: number;
  readonly from: number;
  readonly columns: readonly number[];
  readonly rows: readonly FrameRow[];
  /** So many positions what the part is bound to has moved. */
  readonly shift: number;
  /** Where the ends of that selection are: their rows, and positions. */
  readonly marks: readonly { readonly row: number; readonly position: number }[];
  readonly selection: number;
  /** Nothing of the table is still to come. */
  readonly isWhole: boolean;
  /** Where what is `seen` is now, and how many rows that are shown have come behind it. */
  readonly unseen: { readonly last: number; readonly count: number } | undefined;
};

export type ColumnFacts = {
  readonly name: string;
  readonly type: ColumnType;
  /** Of a sample. */ readonly longest: string;
  readonly unit?: string | undefined;
};

/** Where a row is; `count`: of so many that are shown. */
export type RowPlace = { readonly row: number; readonly position: number; readonly count: number };

/** A row as name and value; cells are cut, but for the one of `column`. */
export type RowShown = RowPlace & {
  readonly cells: readonly string[];
  readonly lengths: readonly number[];
  readonly column: number;
  readonly whole: string;
};

export type Facts = {
  readonly generation: number;
  readonly rows: number;
  readonly shown: number;
  /** There is more than the page shows. */
  readonly isBehind: boolean;
  readonly isBuilding: boolean;
  /** ms since the table changed last, as far as this page has seen; undefined if it has not. */
  readonly changedMs: number | undefined;
  /** ms since the server was heard last. */
  readonly heardMs: number | undefined;
  readonly hasTable: boolean;
  /** Its rows are in the order of their time. */
  readonly isLog: boolean;
  /** From 0 to 1: how much of a snapshot has come; undefined if none is coming. */
  readonly loaded: number | undefined;
  /** How many rows the table will have, if those that are here are only its beginning. */
  readonly total: number | undefined;
};

export type PlotRequest = {
  /** Names; undefined: pick; null: the row number. */
  readonly x: string | null | undefined;
  readonly ys: readonly string[] | undefined;
  /** A column of words: a line for each of them. */
  readonly split?: string | undefined;
  readonly from: number;
  readonly to: number;
  /** Only the last so many rows, or, over a time, what is no older than the newest by so much. */
  readonly last: number;
  readonly lastMs?: number | undefined;
  readonly points: number;
};

/** A line: a column, or the rows of it that have a word in another one. */
export type PlotSeries = {
  readonly column: string;
  readonly word: string | undefined;
  readonly unit: string | undefined;
};

export type Plot = Points & {
  /** Where it begins; -Infinity: with the first row. */
  readonly from: number;
  /** The name of the x axis; undefined: the row number. */
  readonly x: string | undefined;
  readonly xUnit: string | undefined;
  readonly isTime: boolean;
  readonly zone: FileZone;
  readonly series: readonly PlotSeries[];
  readonly split: string | undefined;
  /** So many words have no line. */
  readonly linesLeft: number;
  /** What can be chosen. */
  readonly xChoices: readonly string[];
  readonly yChoices: readonly string[];
  readonly splitChoices: readonly string[];
};

/** Rows by position, columns by number. */
export type Area = { readonly from: number; readonly to: number; readonly columns: readonly number[] };

export type ToWorker =
  | { readonly type: "open"; readonly url: string; readonly token: string | undefined }
  | { readonly type: "rules"; readonly rules: Rules }
  | { readonly type: "pause"; readonly isPaused: boolean }
  | { readonly type: "look"; readonly look: Look }
  | { readonly type: "print"; readonly look: Look }
  | { readonly type: "plot"; readonly request: PlotRequest | undefined }
  | { readonly type: "copy"; readonly area: Area; readonly isGuarded: boolean; readonly hasHeader: boolean }
  /** To be told of a row as it is and becomes; undefined: of none. */
  | { readonly type: "row"; readonly position: number | undefined; readonly column: number }
  /** What is in a column. */
  | { readonly type: "summary"; readonly column: number }
  /** Of the numbers in what is selected; undefined: of nothing. */
  | { readonly type: "figures"; readonly area: Area | undefined }
  | { readonly type: "export"; readonly isGuarded: boolean; readonly isShownOnly: boolean };

export type FromWorker =
  | { readonly type: "columns"; readonly generation: number; readonly columns: readonly ColumnFacts[] }
  | { readonly type: "facts"; readonly facts: Facts }
  | { readonly type: "frame" | "print"; readonly frame: Frame }
  | {
      readonly type: "status";
      readonly state: State;
      readonly message: string;
      readonly since: number;
      readonly pendingBytes?: number | undefined;
      readonly warnings?: readonly string[] | undefined;
      readonly replay?: Replay | undefined;
    }
  | { readonly type: "connection"; readonly connection: ConnectionState }
  | { readonly type: "ended"; readonly why: string }
  | { readonly type: "filter"; readonly readings: readonly Reading[] }
  | { readonly type: "plot"; readonly plot: Plot }
  /** Undefined: it is too much for a clipboard. */
  | {
      readonly type: "copied";
      readonly text: string | undefined;
      /** The same as a table for spreadsheets, which keeps texts of digits as they are. */
      readonly html: string;
      readonly rows: number;
    }
  | { readonly type: "row"; readonly row: RowShown }
  | { readonly type: "rowMoved"; readonly place: RowPlace }
  | { readonly type: "summary"; readonly column: number; readonly summary: Summary }
  | { readonly type: "figures"; readonly figures: Figures }
  | { readonly type: "exported"; readonly blob: Blob; readonly rows: number };
