// What of a table is published: the last N rows, and not a last row that is still being written. Splices of the table become
// splices of the view.
import type { Splice } from "../values/hunks.ts";

/** Rows `[first, end)` of a table of `rows` rows; at most the very last one is missing at the end. */
export type View = { readonly first: number; readonly end: number; readonly rows: number };

/** At row `start` of the view, `deleted` rows go and rows `[from, from + inserted)` of the new table come. */
export type ViewSplice = { start: number; deleted: number; from: number; inserted: number };

/** The view of `rows` rows of which `shown` may be seen, the last `limit` of them. */
export function viewOf(rows: number, shown: number, limit: number): View {
  return { first: Math.max(0, shown - limit), end: shown, rows };
}

/** Splices, in order, that turn the view before into the view after, given those of the tables, in ascending order. */
export function viewSplices(splices: readonly Splice[], before: View, after: View): ViewSplice[] {
  const seen: ViewSplice[] = [];
  let first = before.first; // rows of the table, as far as it is spliced, that are in front of the view
  for (const { start, deleted, inserted } of withHiddenLast(splices, before, after)) {
    const end = start + deleted;
    if (start >= first) seen.push({ start: start - first, deleted, from: start, inserted });
    else if (end <= first) first += inserted - deleted;
    else {
      seen.push({ start: 0, deleted: end - first, from: start, inserted });
      first = start;
    }
  }
  if (first < after.first) return withoutFront(seen, after.first - first);
  if (first > after.first) seen.push({ start: 0, deleted: 0, from: after.first, inserted: first - after.first });
  return seen;
}

/** The first `gone` rows that there are after the splices leave: those that come by them do not come at all. */
function withoutFront(splices: readonly ViewSplice[], gone: number): ViewSplice[] {
  let shift = 0;
  let next = 0;
  let front: ViewSplice | undefined;
  for (; next < splices.length && !front; next++) {
    const { start, deleted, from, inserted } = splices[next]!;
    const end = start + inserted;
    if (start >= gone) break;
    if (end > gone)
      front = { start: 0, deleted: start - shift + deleted, from: from + gone - start, inserted: end - gone };
    shift += inserted - deleted;
  }
  front ??= { start: 0, deleted: gone - shift, from: 0, inserted: 0 };
  return [front, ...splices.slice(next).map((splice) => ({ ...splice, start: splice.start - gone }))];
}

/** A last row that was not shown cannot be deleted, and comes; one that is not shown any more goes, or does not come. */
function withHiddenLast(splices: readonly Splice[], before: View, after: View): Splice[] {
  const all = splices.map((splice) => ({ ...splice }));
  const shift = all.reduce((sum, { deleted, inserted }) => sum + inserted - deleted, 0);
  const last = all.at(-1);
  if (before.end < before.rows) {
    const isReplaced = last && last.deleted > 0 && last.start + last.inserted === after.rows;
    const insertsBehind = last && last.deleted === 0 && last.inserted > 0 && last.start + last.inserted === after.rows;
    if (isReplaced) last.deleted--;
    else if (insertsBehind) {
      last.start--;
      last.inserted++;
    } else all.push({ start: before.rows + shift - 1, deleted: 0, inserted: 1 });
  }
  if (after.end < after.rows) {
    const end = all.at(-1);
    if (end && end.inserted > 0 && end.start + end.inserted === after.rows) end.inserted--;
    else all.push({ start: after.end, deleted: 1, inserted: 0 });
  }
  return all.filter(({ deleted, inserted }) => deleted > 0 || inserted > 0);
}
