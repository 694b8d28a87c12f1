// How the axes of a plot look: labels of times, whether series share a range, how much room the labels take.
import type uPlot from "uplot";
import type { Plot } from "./messages.ts";

const DAY = 86_400_000;
const ON_NEW_DAY = ["\n{MMM} {D} {YYYY}", null, "\n{MMM} {D}", null, null, null, 1];

/** Labels of a time axis, by the distance of its ticks in ms; the second line is for a new year, or a new day. */
export const TIMES = [
  [365 * DAY, "{YYYY}", null, null, null, null, null, null, 1],
  [28 * DAY, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [DAY, "{MMM} {D}", "\n{YYYY}", null, null, null, null, null, 1],
  [60_000, "{HH}:{mm}", ...ON_NEW_DAY],
  [1_000, "{HH}:{mm}:{ss}", ...ON_NEW_DAY],
  [1, "{HH}:{mm}:{ss}.{fff}", ...ON_NEW_DAY],
] as unknown as uPlot.Axis.Values;

/** So much wider than the narrowest series all of them are together: in one range that one would be a line. */
const APART = 8;

export function rangesDiffer({ data }: Plot): boolean {
  const ranges = data
    .slice(1)
    .map(rangeOf)
    .filter(({ low, high }) => high > low);
  if (ranges.length < 2) return false;
  const all = Math.max(...ranges.map(({ high }) => high)) - Math.min(...ranges.map(({ low }) => low));
  return all > APART * Math.min(...ranges.map(({ low, high }) => high - low));
}

function rangeOf(values: readonly (number | null)[]) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value === null) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return { low, high };
}

/** As wide as the longest label. */
export function axisSize(chart: uPlot, labels: string[] | null): number {
  const longest = (labels ?? []).reduce((a, b) => (b.length > a.length ? b : a), "");
  chart.ctx.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  return Math.ceil(chart.ctx.measureText(longest).width / devicePixelRatio) + 24;
}
