// What the server would tell of a column with these cells, as the page reads it.
import { openColumns } from "../../src/csv/columns.ts";
import { type Kind, kindsBy } from "../../src/viewer/cells.ts";

export function kindsOf(columns: readonly string[], rows: readonly (readonly string[])[]): Kind[] {
  const found = openColumns(columns);
  found.refine(rows);
  return kindsBy(found.verdicts());
}

export const kindOf = (cells: readonly string[], name = "c"): Kind =>
  kindsOf(
    [name],
    cells.map((cell) => [cell]),
  )[0]!;
