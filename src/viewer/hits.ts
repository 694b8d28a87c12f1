// What the filter was looking for, found in the cells that are shown. The Worker does it, which may be ended if that never ends. Pure.
import type { Hit } from "./filter.ts";

type Pattern = { readonly column: number | undefined; readonly pattern: RegExp };

export const patternsOf = (hits: readonly Hit[]): Pattern[] =>
  hits.map(({ column, source }) => ({ column, pattern: new RegExp(source, "giu") }));

/** Where each of what is found in a cell begins, and where it ends. */
export function hitsIn(cell: string, column: number, patterns: readonly Pattern[]): number[] {
  const places: number[] = [];
  for (const { column: of, pattern } of patterns)
    if (of === undefined || of === column)
      for (const { 0: found, index } of cell.matchAll(pattern))
        if (found !== "") places.push(index, index + found.length);
  return places;
}
