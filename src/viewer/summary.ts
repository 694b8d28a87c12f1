// What is in a column, or in what is selected: how many values, the most frequent ones, and of numbers the least, the greatest, the sum.
import type { Rows } from "../follow/blocks.ts";
import { isMissing } from "../values/missing.ts";
import type { Kind } from "./cells.ts";
import type { Breath } from "./sort.ts";

/** Of numbers, or times in ms since 1970. */
export type Figures = {
  readonly count: number;
  readonly sum: number;
  readonly least: number;
  readonly greatest: number;
};

export type Summary = {
  readonly rows: number;
  /** Cells that say nothing. */
  readonly blanks: number;
  /** Of the cells that are what the column is. */
  readonly figures: Figures;
  readonly top: readonly (readonly [text: string, count: number])[];
  /** How many different texts there are; more are not counted. */
  readonly distinct: number;
  readonly isDistinctKnown: boolean;
};

const MAX_DISTINCT = 100_000;
const MAX_TOP = 12;

/** Adds up value by value; what is no number is left out. The sum is as exact as doubles are (Neumaier). */
export function openFigures() {
  let [count, sum, rest, least, greatest] = [0, 0, 0, Infinity, -Infinity];
  return {
    add(value: number): void {
      if (Number.isNaN(value)) return;
      count++;
      const next = sum + value;
      rest += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
      sum = next;
      if (value < least) least = value;
      if (value > greatest) greatest = value;
    },
    figures: (): Figures => ({ count, sum: Number.isFinite(sum + rest) ? sum + rest : sum, least, greatest }),
  };
}

/** Of all rows; undefined if it was given up. */
export async function summaryOf(rows: Rows, column: number, kind: Kind, breathe: Breath): Promise<Summary | undefined> {
  const counts = new Map<string, number>();
  const { add, figures } = openFigures();
  let blanks = 0;
  let isDistinctKnown = true;
  for (const block of rows.blocks) {
    for (const cell of rows.cells(block, [column])[0]!) {
      if (isMissing(cell)) blanks++;
      else if (kind.type !== "text") add(kind.valueOf(cell));
      const before = counts.get(cell);
      if (before !== undefined || counts.size < MAX_DISTINCT) counts.set(cell, (before ?? 0) + 1);
      else isDistinctKnown = false;
    }
    if (!(await breathe())) return undefined;
  }
  const top = [...counts].sort((a, b) => b[1] - a[1]).slice(0, MAX_TOP);
  return { rows: rows.length, blanks, figures: figures(), top, distinct: counts.size, isDistinctKnown };
}

/** As much as a double says for sure, without the noise of its last digits: `0.3`, not `0.30000000000000004`. */
export const figureText = (value: number) => String(Number(value.toPrecision(12))).replace("e+", "e");

/** `24 numbers · sum 5.2 · mean 0.21 · min 0 · max 1`; "" of no number. */
export function figuresText({ count, sum, least, greatest }: Figures): string {
  if (count === 0) return "";
  const parts = [
    ["sum", sum],
    ["mean", sum / count],
    ["min", least],
    ["max", greatest],
  ] as const;
  return [`count ${count}`, ...parts.map(([name, value]) => `${name} ${figureText(value)}`)].join(" · ");
}
