// Which column a replay goes by, and what time its cells say. Pure.
import { CsvError } from "../../csv/error.ts";
import { numberOf } from "../../values/numbers.ts";
import { timeOf } from "../../values/times.ts";
import type { Verdict } from "../../values/verdict.ts";
import type { RowClock } from "./pace.ts";

const SHOWN_COLUMNS = 8;

/**
 * Of columns with these names and verdicts: the first one of times with a date, else of times of day, or the one that is called `by`,
 * which may be one of numbers: seconds, if its unit is no other. Throws CsvError if there is none.
 */
export function rowClock(names: readonly string[], verdicts: readonly Verdict[], by: string | undefined): RowClock {
  if (by === undefined) return clockOf(verdicts, firstTime(verdicts));
  const column = names.indexOf(by);
  if (column === -1) {
    const shown = names.slice(0, SHOWN_COLUMNS).join(", ") + (names.length > SHOWN_COLUMNS ? ", …" : "");
    throw new CsvError("options", `--replay-by ${by}: no such column; there are ${shown}`);
  }
  if (verdicts[column]!.type === "time" || verdicts[column]!.type === "number") return clockOf(verdicts, column);
  const way = "name one of times or numbers, or play by rows: --replay 100/s";
  throw new CsvError("options", `--replay-by ${by}: is a column of ${verdicts[column]!.type}; ${way}`);
}

function firstTime(verdicts: readonly Verdict[]): number {
  const times = verdicts.flatMap((verdict, column) => (verdict.type === "time" ? [{ ...verdict, column }] : []));
  const found = times.find(({ format }) => format !== "clock") ?? times[0];
  if (found) return found.column;
  const way = "--replay-by COLUMN names one of numbers, --replay 100/s goes by rows";
  throw new CsvError("options", `has no column of times to be replayed by: ${way}`);
}

function clockOf(verdicts: readonly Verdict[], column: number): RowClock {
  const verdict = verdicts[column]!;
  if (verdict.type === "number") {
    const unitMs = UNITS_MS[(verdict.unit ?? "s").toLowerCase()] ?? 1000;
    return (cells) => numberOf(cells[column] ?? "", verdict) * unitMs;
  }
  if (verdict.type !== "time") return () => Number.NaN;
  const { clock } = verdict;
  const timeIn = (cells: readonly string[]) => timeOf(cells[column] ?? "", verdict);
  if (clock === undefined) return timeIn;
  return (cells) => timeIn(cells) + timeOf(cells[clock] ?? "", { format: "clock" });
}

const UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  min: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
  d: 86_400_000,
};
