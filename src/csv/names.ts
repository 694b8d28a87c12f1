// The names of the columns, from the cells of the header: trimmed, unique, and not too many.
import { CsvError } from "./error.ts";

/** A name is trimmed unless that makes it equal to another. One that is taken gets the first free suffix: `a`, `a_1`, `a_2`. */
export function namesOf(
  cells: readonly string[],
  maxColumns: number,
): { readonly columns: readonly string[]; readonly renamed: number } {
  if (cells.length > maxColumns)
    throw new CsvError(
      "too-large",
      `${cells.length} columns, more than ${maxColumns}; raise --max-columns if that is right`,
    );
  const trimmed = cells.map((cell) => cell.replace(/^[ \t]+|[ \t]+$/g, ""));
  const counts = new Map<string, number>();
  for (const name of trimmed) counts.set(name, (counts.get(name) ?? 0) + 1);
  const names = trimmed.map((name, c) => (counts.get(name) === 1 ? name : cells[c]!));
  const columns = uniqueNames(names);
  return { columns, renamed: columns.filter((name, c) => name !== names[c]).length };
}

/** Never the name of another column. */
function uniqueNames(names: readonly string[]): readonly string[] {
  const taken = new Set(names);
  const seen = new Map<string, number>();
  return names.map((name) => {
    let suffix = seen.get(name) ?? 0;
    let fresh = name;
    while (suffix > 0 && taken.has((fresh = `${name}_${suffix}`))) suffix++;
    seen.set(name, suffix + 1);
    taken.add(fresh);
    return fresh;
  });
}
