// What has happened to the rows, version by version, as far back as somebody may ask: where a row is now, and which changes there were.
import type { Splice } from "../feed/protocol.ts";
import { movedRow } from "./order.ts";

export type Moves = {
  /** Grows with each change. */
  readonly version: number;
  /** Rows have changed by these splices. */
  note(splices: readonly Splice[]): void;
  /** They are shown in another way, and are the same. */
  turn(): void;
  /** They are others, or more: what was before is not known any more. */
  forget(): void;
  /** Where a row of an earlier version is now. */
  moved(row: number, sinceVersion: number): number;
  /** What has happened since then; undefined if that is not known any more. */
  since(version: number): readonly (readonly Splice[])[] | undefined;
};

/** So far back it is known where rows have moved. */
const MAX_MOVES = 64;

export function openMoves(): Moves {
  let version = 0;
  let known = 0; // all that has happened since that version
  let moves: { readonly to: number; readonly splices: readonly Splice[] }[] = [];

  return {
    get version() {
      return version;
    },
    note(splices) {
      moves.push({ to: ++version, splices });
      if (moves.length > MAX_MOVES) known = moves.shift()!.to;
    },
    turn: () => void version++,
    forget() {
      moves = [];
      known = ++version;
    },
    moved(row, sinceVersion) {
      for (const { to, splices } of moves) if (to > sinceVersion) row = movedRow(row, splices);
      return row;
    },
    since(from) {
      if (from > version || from < known) return undefined;
      return moves.filter(({ to }) => to > from).map(({ splices }) => splices);
    },
  };
}
