// What the cells of a column are. Cells are text and stay it; a verdict says how a value is read out of them. It is made once, where
// the file is read, and told in the live feed; this is its shape there and here. Nothing is detected in this room.
import { READINGS, type Reading } from "./numbers.ts";
import { isTimeFormat, type TimeFormat } from "./times.ts";

export const COLUMN_TYPES = ["number", "text", "time", "boolean"] as const;
export type ColumnType = (typeof COLUMN_TYPES)[number];

/** `unit` is the column's, from its cells, its name or a row of units; as it is written there, without brackets. */
export type Verdict = { readonly unit: string | undefined } & (
  | { readonly type: "text" | "boolean" }
  | ({ readonly type: "number" } & Reading)
  /** `clock`: the number of the column that has the time of day, if this one has only the date. */
  | { readonly type: "time"; readonly format: TimeFormat; readonly clock: number | undefined }
);

export const TEXT: Verdict = { type: "text", unit: undefined };

/** Verdicts as they are told: two lists with an entry for each column. */
export type VerdictCodes = { readonly types: readonly string[]; readonly units: readonly (string | null)[] };

/** `number`, `number:,.` (decimal comma, points for thousands), `time:day-first`, `time:iso+1` (time of day in column 1). */
export function encodeVerdicts(verdicts: readonly Verdict[]): VerdictCodes {
  return { types: verdicts.map(codeOf), units: verdicts.map(({ unit }) => unit ?? null) };
}

function codeOf(verdict: Verdict): string {
  switch (verdict.type) {
    case "text":
    case "boolean":
      return verdict.type;
    case "number": {
      const { decimal, thousands } = verdict;
      return decimal === "." && thousands === "" ? "number" : `number:${decimal}${thousands}`;
    }
    case "time":
      return `time:${verdict.format}${verdict.clock === undefined ? "" : `+${verdict.clock}`}`;
  }
}

/** Verdicts of so many columns from what was told; whatever is missing or not known is text without a unit. */
export function parseVerdicts(types: unknown, units: unknown, columns: number): Verdict[] {
  const codes: readonly unknown[] = Array.isArray(types) ? types : [];
  const names: readonly unknown[] = Array.isArray(units) ? units : [];
  return Array.from({ length: columns }, (_, column) => {
    const unit = names[column];
    return parseVerdict(codes[column], typeof unit === "string" ? unit : undefined, columns);
  });
}

function parseVerdict(code: unknown, unit: string | undefined, columns: number): Verdict {
  const [, type, detail = ""] = (typeof code === "string" && /^(number|time|boolean|text)(?::(.*))?$/.exec(code)) || [];
  if (type === "boolean") return { type, unit };
  if (type === "number") {
    const reading = READINGS.find(({ decimal, thousands }) => (detail || ".") === decimal + thousands);
    if (reading) return { type, ...reading, unit };
  }
  if (type === "time") {
    const [, format = "", clock] = /^([^+]*)(?:\+(\d{1,6}))?$/.exec(detail) ?? [];
    const isThere = clock !== undefined && Number(clock) < columns;
    if (isTimeFormat(format)) return { type, format, clock: isThere ? Number(clock) : undefined, unit };
  }
  return { type: "text", unit };
}
