// What of a plot a person has chosen: it is in the address, and what is asked of the Worker comes of it. Pure.
import { durationMs } from "./limits.ts";
import type { PlotRequest } from "./messages.ts";
import type { ZoneChoice } from "./zones.ts";

export type PlotView = Omit<PlotRequest, "points"> & {
  /** Each line in a chart of its own; undefined: as the ranges are. */
  readonly isApart: boolean | undefined;
  readonly isLog: boolean;
  readonly zone: ZoneChoice;
  /** In px; undefined: as the page has it. */
  readonly height: number | undefined;
};

export const WHOLE = { from: -Infinity, to: Infinity };

export const NO_PLOT_VIEW: PlotView = {
  ...WHOLE,
  x: undefined,
  ys: undefined,
  split: undefined,
  last: Infinity,
  lastMs: undefined,
  isApart: undefined,
  isLog: false,
  zone: "file",
  height: undefined,
};

/** How much of the table is drawn. */
export type Window = Pick<PlotView, "last" | "lastMs">;

export const ALL_ROWS: Window = { last: Infinity, lastMs: undefined };

/** `500 rows`, `500`, `90 min`; undefined if it is none of these. */
export function windowOf(text: string): Window | undefined {
  const [, rows] = /^\s*(\d{1,9})\s*(?:rows?)?\s*$/i.exec(text) ?? [];
  if (rows !== undefined) return Number(rows) > 0 ? { last: Number(rows), lastMs: undefined } : undefined;
  const lastMs = durationMs(text);
  return lastMs ? { last: Infinity, lastMs } : undefined;
}

const LENGTHS: readonly (readonly [ms: number, unit: string])[] = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
  [1, "ms"],
];

/** `5min`, `90s`, `500rows`; `all`. As `windowOf` reads it. */
export function windowText({ last, lastMs }: Window): string {
  if (lastMs === undefined) return last === Infinity ? "all" : `${last}rows`;
  const [ms, unit] = LENGTHS.find(([length]) => lastMs % length === 0) ?? [1, "ms"];
  return `${lastMs / ms}${unit}`;
}

/** A share of the range nearer or further, around its middle or another place from 0 to 1. */
export function zoomed({ min, max }: Range, factor: number, around = 0.5): Range {
  const at = min + (max - min) * around;
  return { min: at - (at - min) * factor, max: at + (max - at) * factor };
}

export const moved = ({ min, max }: Range, share: number): Range => {
  const by = (max - min) * share;
  return { min: min + by, max: max + by };
};

export type Range = { readonly min: number; readonly max: number };

/** What was under each finger stays there. */
export function pinched(
  { min, max }: Range,
  before: { readonly from: number; readonly to: number },
  after: { readonly from: number; readonly to: number },
): Range {
  const width = (max - min) * ((before.to - before.from) / Math.max(0.02, after.to - after.from));
  const left = min + (max - min) * before.from - width * after.from;
  return { min: left, max: left + width };
}
