// Which names of columns are offered while a filter is typed. Pure.
import type { ColumnFacts } from "./messages.ts";

const MAX_OFFERED = 8;

/** The word that is being typed. */
export function wordAt(text: string, caret: number) {
  const before = /[^\s!]*$/.exec(text.slice(0, caret))![0];
  const isName = /^[^":<>=!/]+$/.test(before) && !/^\S/.test(text.slice(caret));
  return { word: isName ? before : "", from: caret - before.length, to: caret };
}

/** First those that begin so. */
export function columnsFor(word: string, columns: readonly ColumnFacts[]): readonly ColumnFacts[] {
  if (word === "") return [];
  const wanted = word.toLowerCase();
  const found = columns.filter(({ name }) => name.toLowerCase().includes(wanted));
  const begins = ({ name }: ColumnFacts) => Number(!name.toLowerCase().startsWith(wanted));
  return found.sort((a, b) => begins(a) - begins(b)).slice(0, MAX_OFFERED);
}

/** A name as the filter reads it. */
export const quotedName = (name: string) =>
  name === "" || /[\s":<>=!/]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
