// The axes of a plot: labels of numbers and times, how much room they take, and whether series can share one.
import type uPlot from "uplot";
import { lonelyLabels, tickLabels, timesPowerOfTen } from "./ticks.ts";

const DAY = 86_400_000;
const ON_NEW_DAY = ["\n{MMM} {D} {YYYY}", null, "\n{MMM} {D}", null, null, null, 1];
const NEVER = [null, null, null, null, null, null, 1];

const clocks = (onNewDay: readonly (string | number | null)[]) => [
  [60_000, "{HH}:{mm}", ...onNewDay],
  [1_000, "{HH}:{mm}:{ss}", ...onNewDay],
  [1, "{HH}:{mm}:{ss}.{fff}", ...onNewDay],
];

/** Labels of a time axis, by the distance of its ticks in ms; the second line is for a new year, or a new day. */
const TIMES = [
  [365 * DAY, "{YYYY}", null, null, null, null, null, null, 1],
  [28 * DAY, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [DAY, "{MMM} {D}", "\n{YYYY}", null, null, null, null, null, 1],
  ...clocks(ON_NEW_DAY),
] as unknown as uPlot.Axis.Values;

/** Times of day have no day. */
const TIMES_OF_DAY = clocks(NEVER) as unknown as uPlot.Axis.Values;

/** In px. Ticks of times are so far apart that labels with ms fit. */
const TIME_SPACE = 92;
/** Below the days, in the second line, is the name. */
const TIME_PX = 39;
const TIME_TICK_PX = 4;
const MIN_SPACE = 56;
/** In a low chart labels are closer: one alone says nothing of the others. */
const Y_SPACE = 22;
const TICK_PX = 22;
/** The name of an axis. */
export const LABEL_PX = 18;

export type AxisLook = {
  readonly stroke: string;
  readonly line: string;
  readonly font: string;
  readonly measure: (text: string) => number;
  /** So much larger than usual is the text. */
  readonly scale: number;
};

function base({ stroke, line, font, scale }: AxisLook): uPlot.Axis {
  const rule = { stroke: line, width: 1 };
  return { stroke, font, labelFont: font, labelSize: LABEL_PX * scale, labelGap: 2, grid: rule, ticks: rule };
}

export function timeAxis(look: AxisLook, label: string, isOfDay: boolean): uPlot.Axis {
  const axis = base(look);
  return {
    ...axis,
    label,
    space: TIME_SPACE * look.scale,
    size: TIME_PX * look.scale,
    ticks: { ...axis.ticks, size: TIME_TICK_PX },
    values: isOfDay ? TIMES_OF_DAY : TIMES,
  };
}

/** Over numbers; `label` may be empty. */
export function numberXAxis(look: AxisLook, label: string): uPlot.Axis {
  const space = (_: uPlot, _axis: number, min: number, max: number) => {
    const longest = Math.max(...tickLabels([min, max], (max - min) / 10).map(look.measure));
    return Math.max(MIN_SPACE, longest + 16);
  };
  return {
    ...base(look),
    label,
    size: 36 * look.scale,
    space,
    values: (_, ticks, _axis, _space, step) => tickLabels(ticks, step),
  };
}

/** `power`: what is drawn has been divided by ten to that. */
export function yAxis(look: AxisLook, label: string, isLog: boolean, power: number): uPlot.Axis {
  const times = (tick: number | null) => (tick === null ? null : timesPowerOfTen(tick, power));
  return {
    ...base(look),
    scale: "y",
    label,
    space: (_, _axis, _min, _max, px) => Math.min(Y_SPACE * look.scale, px / 4),
    size: (_, labels) => Math.ceil(Math.max(0, ...(labels ?? []).map((text) => look.measure(text ?? "")))) + TICK_PX,
    values: (_, ticks, _axis, _space, step) =>
      isLog ? lonelyLabels(ticks.map(times)) : tickLabels(ticks.map(times), timesPowerOfTen(step, power)),
  };
}

/** So much wider than the narrowest series all of them are together: in one range that one would be a line. */
const APART = 8;

export function rangesDiffer(series: readonly (readonly (number | null | undefined)[])[]): boolean {
  const ranges = series.map(rangeOf).filter(({ low, high }) => high > low);
  if (ranges.length < 2) return false;
  const all = Math.max(...ranges.map(({ high }) => high)) - Math.min(...ranges.map(({ low }) => low));
  return all > APART * Math.min(...ranges.map(({ low, high }) => high - low));
}

export function rangeOf(values: readonly (number | null | undefined)[]) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value === null || value === undefined) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return { low, high };
}
