// Where the columns are: which are shown, how wide, and which of them are in view. Numbers only; the page measures the texts.
import { shownText } from "./cells.ts";
import type { ColumnFacts } from "./messages.ts";

export type Column = ColumnFacts & { readonly index: number; width: number; isHidden: boolean; isPinned: boolean };

export type Layout = {
  /** All of them, hidden ones too. */
  readonly columns: readonly Column[];
  /** Those that are shown: first those that are pinned, then the others, each in their order. */
  shown(): readonly Column[];
  /** How many are pinned, and how wide they are: they stay where they are, and the others go below them. */
  pinned(): number;
  pinnedWidth(): number;
  /** Where the shown column of this place begins; of the place behind the last, where it ends. */
  left(place: number): number;
  /** Places of the shown columns in view, without the pinned ones: `[from, to)`. */
  inView(scrollLeft: number, width: number): { from: number; to: number };
  /** The place that is at `x`, in px from the first. */
  placeAt(x: number): number;
  /** The place of a column among those shown, or the nearest. */
  placeOf(column: number): number;
  /** Takes other columns; those of the same name stay as wide, and hidden, as they were. */
  take(columns: readonly ColumnFacts[]): void;
  setWidth(column: number, width: number): void;
  /** A number, or a time, that is cut is another one: its column grows with what comes, unless a width was given. */
  widen(column: number, cells: readonly string[]): void;
  /** As wide as its content. */
  fit(column: number): void;
  setHidden(column: number, isHidden: boolean): void;
  setPinned(column: number, isPinned: boolean): void;
  /** What somebody has chosen, by name: it is kept for columns that are not there, too. */
  chosen(): Chosen;
  choose(chosen: Chosen): void;
};

export type Chosen = {
  readonly hidden: readonly string[];
  readonly pinned: readonly string[];
  readonly widths: readonly (readonly [name: string, px: number])[];
};

export const MIN_WIDTH = 44;
export const MAX_WIDTH = 1_600;
const MAX_FIT = 340;
const PADDING = 18;
/** For the arrow of a sorted column, and the mark of its menu. */
const HEAD_EXTRA = 26;

/** `measure` gives the width of a text in px; `bold`: in a header. `scale`: so much larger than usual is the text. */
export function openLayout(measure: (text: string, bold: boolean) => number, scale = 1): Layout {
  let columns: Column[] = [];
  let shown: Column[] = [];
  let lefts = new Float64Array(1);
  let given = new Map<string, number>(); // widths that somebody has dragged
  let hidden = new Set<string>();
  let pinned = new Set<string>();
  let pinnedCount = 0;

  function fitted({ name, longest }: ColumnFacts): number {
    const width = Math.max(measure(longest, false) + PADDING, measure(shownText(name), true) + PADDING + HEAD_EXTRA);
    return Math.round(Math.min(MAX_FIT * scale, Math.max(MIN_WIDTH, width)));
  }

  function arrange(): void {
    const visible = columns.filter(({ isHidden }) => !isHidden);
    shown = [...visible.filter(({ isPinned }) => isPinned), ...visible.filter(({ isPinned }) => !isPinned)];
    pinnedCount = visible.filter(({ isPinned }) => isPinned).length;
    lefts = new Float64Array(shown.length + 1);
    shown.forEach(({ width }, place) => (lefts[place + 1] = lefts[place]! + width));
  }

  /** The last place that begins at or before `x`. */
  function placeAt(x: number): number {
    let low = 0;
    let high = shown.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (lefts[middle + 1]! <= x) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function take(facts: readonly ColumnFacts[]): void {
    columns = facts.map((fact, index) => ({
      ...fact,
      index,
      width: given.get(fact.name) ?? fitted(fact),
      isHidden: hidden.has(fact.name),
      isPinned: pinned.has(fact.name),
    }));
    if (columns.length > 0 && columns.every(({ isHidden }) => isHidden)) columns[0]!.isHidden = false;
    arrange();
  }

  function change(column: number, to: Partial<Column>): void {
    if (columns[column]) columns[column] = { ...columns[column], ...to };
    arrange();
  }

  return {
    get columns() {
      return columns;
    },
    shown: () => shown,
    left: (place) => lefts[Math.max(0, Math.min(place, shown.length))]!,
    pinned: () => pinnedCount,
    pinnedWidth: () => lefts[pinnedCount]!,
    inView(scrollLeft, width) {
      const from = Math.max(pinnedCount, Math.min(placeAt(scrollLeft + lefts[pinnedCount]!), shown.length));
      return { from, to: Math.max(from, Math.min(shown.length, placeAt(scrollLeft + width) + 1)) };
    },
    placeAt: (x) => Math.min(placeAt(x), shown.length),
    placeOf(column) {
      const exact = shown.findIndex(({ index }) => index === column);
      const place = exact === -1 ? shown.findIndex(({ index }) => index >= column) : exact;
      return place === -1 ? Math.max(0, shown.length - 1) : place;
    },
    take,
    setWidth(column, width) {
      const bounded = Math.round(Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, width)));
      if (columns[column]) given.set(columns[column].name, bounded);
      change(column, { width: bounded });
    },
    widen(index, cells) {
      const column = columns[index];
      if (!column || column.type === "text" || given.has(column.name)) return;
      const longest = cells.reduce((a, b) => (b.length > a.length ? b : a), "");
      if (longest.length > column.longest.length)
        change(index, { longest, width: Math.max(column.width, fitted({ ...column, longest })) });
    },
    fit(column) {
      if (!columns[column]) return;
      given.delete(columns[column].name);
      change(column, { width: fitted(columns[column]) });
    },
    setHidden(column, isHidden) {
      const name = columns[column]?.name;
      if (name === undefined || (isHidden && shown.length === 1)) return;
      if (isHidden) hidden.add(name);
      else hidden.delete(name);
      change(column, { isHidden });
    },
    setPinned(column, isPinned) {
      const name = columns[column]?.name;
      if (name === undefined) return;
      if (isPinned) pinned.add(name);
      else pinned.delete(name);
      change(column, { isPinned });
    },
    chosen: () => ({ hidden: [...hidden], pinned: [...pinned], widths: [...given] }),
    choose(chosen) {
      hidden = new Set(chosen.hidden);
      pinned = new Set(chosen.pinned);
      given = new Map(chosen.widths.map(([name, px]) => [name, Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, px))]));
      take(columns);
    },
  };
}
