// The table of a replay: under the header of a file, its rows so far. Touches no file and no clock.
import type { Understanding } from "../../csv/document.ts";
import { CsvError } from "../../csv/error.ts";
import { tableUnder } from "../../csv/table.ts";
import { openRevising, type Revision } from "../revising.ts";

export type Played = {
  /** Rows that follow, whole. Throws CsvError, and changes nothing, if the table would be too large. */
  append(text: Uint8Array): void;
  /** What has changed since the last publication: at first all of it, in a new epoch. */
  publish(): Revision | undefined;
  oversizeRow(): number | undefined;
};

export type PlayedOptions = {
  readonly lastRows: number;
  readonly maxCellBytes: number;
  readonly maxMemoryBytes: number;
};

/** `head`: the text in front of the rows. */
export function openPlayed(document: Understanding, head: Uint8Array, options: PlayedOptions): Played {
  const table = tableUnder(head, document.dialect, options);
  const revising = openRevising(options.lastRows);
  revising.renewed();
  return {
    append(text) {
      if (table.length() + text.length > options.maxMemoryBytes)
        throw new CsvError("too-large", `takes more than ${options.maxMemoryBytes} bytes; see --max-memory and --last`);
      revising.changed(table.append(text));
    },
    publish: () => revising.revise(table, document, true),
    oversizeRow: table.oversizeRow,
  };
}
