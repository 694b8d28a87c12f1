// What a person says that a column is, against what the server has found. For this page only.
import { numberOf } from "../values/numbers.ts";
import { epochFormat, timeOf, typedTime } from "../values/times.ts";
import { type Kind, TEXT } from "./cells.ts";

export const OVERRIDES = ["text", "number", "comma", "time"] as const;
export type Override = (typeof OVERRIDES)[number];

/** By name of the column. */
export type Overrides = readonly (readonly [name: string, type: Override])[];

export const isOverride = (text: string): text is Override => OVERRIDES.some((type) => type === text);

/** The kind of a column that is taken for this; `found` is what the server says. */
export function overridden(type: Override, found: Kind): Kind {
  const { unit } = found;
  switch (type) {
    case "text":
      return { ...TEXT, unit };
    case "number":
      return { type: "number", unit, valueOf: (cell) => numberOf(cell, { decimal: ".", thousands: "", unit }) };
    case "comma":
      return { type: "number", unit, valueOf: (cell) => numberOf(cell, { decimal: ",", thousands: ".", unit }) };
    case "time":
      return found.type === "time" ? found : { type: "time", unit, valueOf: anyTime };
  }
}

/** In any format; a number is one since 1970 in the unit that puts it into our times. */
function anyTime(cell: string): number {
  const written = typedTime(cell);
  const count = Number(cell);
  if (!Number.isNaN(written) || cell.trim() === "" || Number.isNaN(count)) return written;
  const format = epochFormat(count, count);
  return format ? timeOf(cell, { format }) : Number.NaN;
}
