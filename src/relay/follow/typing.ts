// What a replica writes literals by: the verdicts that its publisher told, as far as its own --types asks for them.
import type { TypesOption } from "../../csv/columns.ts";
import type { Columns } from "../../feed/publication.ts";
import { type ColumnType, parseVerdicts, TEXT, type Verdict } from "../../values/verdict.ts";

/**
 * Undefined if no types are asked for. By name a column is of the type that is asked for, and read as the publisher told if that is
 * the same type; columns that are not named are text, as they all are while nothing is told.
 */
export function wantedVerdicts(types: TypesOption | undefined, columns: Columns): readonly Verdict[] | undefined {
  if (types === undefined) return undefined;
  const { count, json, verdicts } = columns;
  const told = parseVerdicts(JSON.parse(verdicts?.types ?? "[]"), JSON.parse(verdicts?.units ?? "[]"), count);
  if (types === "auto") return told;
  const names = JSON.parse(json) as readonly string[];
  return told.map((verdict, c) => {
    const type = Object.hasOwn(types, names[c]!) ? types[names[c]!]! : "text";
    return verdict.type === type ? verdict : plainVerdict(type, verdict.unit);
  });
}

function plainVerdict(type: ColumnType, unit: string | undefined): Verdict {
  switch (type) {
    case "text":
      return TEXT;
    case "boolean":
      return { type, unit };
    case "number":
      return { type, decimal: ".", thousands: "", unit };
    case "time":
      return { type, format: "iso", clock: undefined, unit };
  }
}
