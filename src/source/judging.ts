// What the columns of a live table are: made from the first rows that are shown, anew with each change while they are few, and then kept
// while the epoch lasts. What comes later and is not what its column is, is counted.
import { stretches } from "../csv/blocks.ts";
import { type Columns as Judged, openColumns, refineFrom, type TypesOption } from "../csv/columns.ts";
import type { Verdicts } from "../feed/publication.ts";
import { encodeVerdicts, type Verdict } from "../values/verdict.ts";
import type { Revision } from "./held.ts";

export type Judging = {
  /** Takes the table as it is now; `splices`: what is published of the change. */
  judge(revision: Revision, splices: string | undefined): void;
  verdicts(): readonly Verdict[];
  /** As they are told: the same object while they are the same. */
  codes(): Verdicts;
  /** Cells that do not fit, of rows that came since the verdicts are final. */
  misfits(): number;
};

/** The rows of a larger change are not counted: it is not to wait for that. */
const MAX_COUNTED = 1 << 17;

export function openJudging(types: TypesOption = "auto"): Judging {
  let judged: Judged = openColumns([]);
  let codes: Verdicts = { types: "[]", units: "[]" };

  function judge({ table, blocks, document, view, isNewEpoch }: Revision, splices: string | undefined): void {
    if (!isNewEpoch && judged.isSettled()) return count(splices);
    judged = openColumns(table.columns, { types, units: document.dialect.units });
    for (const { bytes, start, end } of stretches(blocks, view.first, view.end)) {
      if (judged.isSettled()) break;
      refineFrom(judged, bytes, start, end, table.layout, table.columns.length);
    }
    const { types: found, units } = encodeVerdicts(judged.verdicts());
    const next: Verdicts = { types: JSON.stringify(found), units: JSON.stringify(units) };
    if (next.types !== codes.types || next.units !== codes.units) codes = next;
  }

  function count(splices: string | undefined): void {
    if (splices === undefined || splices.length > MAX_COUNTED) return;
    for (const [, , rows] of JSON.parse(splices) as [number, number, string[][]][]) judged.refine(rows);
  }

  return {
    judge,
    verdicts: () => judged.verdicts(),
    codes: () => codes,
    misfits: () => judged.misfits().reduce((sum, found) => sum + found, 0),
  };
}
