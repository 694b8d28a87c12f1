// What a plot says in words: of the row under the cursor, or of the newest one. Where many rows share a pixel, from where to where they
// reach, as no single one of them is what is drawn. Pure.
import { number } from "./captions.ts";
import { shownText } from "./cells.ts";
import type { Plot, PlotSeries } from "./messages.ts";
import { spanText, timeText, type Zone } from "./zones.ts";

export type Readout = { readonly x: string; readonly values: readonly string[] };

const NOTHING = "–";

/** A column may have no name: pandas writes its index so. */
export const labelOf = (name: string) => shownText(name) || "(no name)";

export const seriesName = ({ column, word }: PlotSeries, isOnly: boolean): string => {
  if (word === undefined) return labelOf(column);
  const shown = shownText(word) || "(empty)";
  return isOnly ? shown : `${labelOf(column)}, ${shown}`;
};

/** `index`: of a point of the data; undefined: the newest values. */
export function readoutAt(plot: Plot, index: number | undefined, zone: Zone): Readout {
  const xText = xTextOf(plot, zone);
  const { data, mates, last, series } = plot;
  if (index === undefined || index >= mates.length) {
    const [x, ...values] = last;
    return {
      x: x === undefined ? NOTHING : xText(x),
      values: series.map((one, i) => valueText(values[i], values[i], one.unit)),
    };
  }
  const mate = mates[index]!;
  const [first, second] = [Math.min(index, mate), Math.max(index, mate)];
  const xs = data[0]!;
  if (mate === -1) return { x: `${xText(xs[index]!)}: no rows`, values: series.map(() => NOTHING) };
  const x = spanText(xText(xs[first]!), xText(xs[second]!));
  return {
    x,
    values: series.map((one, i) => {
      const values = data[i + 1]!;
      if (values[index] === undefined) return valueText(...repeated(before(values, index)), one.unit);
      return valueText(values[first], values[second], one.unit);
    }),
  };
}

/** Of a line whose rows are between those of others: its last value up to here. */
function before(values: readonly (number | null | undefined)[], index: number): number | null | undefined {
  for (let i = index; i >= 0; i--) if (values[i] !== undefined) return values[i];
  return undefined;
}

const repeated = <T>(value: T): [T, T] => [value, value];

function valueText(one: number | null | undefined, other: number | null | undefined, unit: string | undefined): string {
  const known = [one, other].filter((value) => value !== null && value !== undefined);
  if (known.length === 0) return NOTHING;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const digits = low === high ? digitsOf(low) : `${digitsOf(low)} – ${digitsOf(high)}`;
  return unit ? `${digits} ${unit}` : digits;
}

/** Zeros in front or behind are hard to count. */
function digitsOf(value: number): string {
  const size = Math.abs(value);
  const isPlain = size === 0 || (size >= 1e-4 && size < 1e15);
  return isPlain ? String(value) : value.toExponential().replace("e+", "e");
}

function xTextOf(plot: Plot, zone: Zone): (value: number) => string {
  const { isTime, zone: file, x, xUnit } = plot;
  if (isTime) {
    const end = areDays(plot, zone) ? 10 : undefined;
    return (value) => timeText(value, zone, file === "of day").slice(0, end);
  }
  if (x === undefined) return (value) => `row ${number(value)}`;
  return (value) => String(value) + (xUnit ? ` ${xUnit}` : "");
}

/** Dates without a time of day have none to be said. */
function areDays({ data: [xs], mates, zone: file }: Plot, { offsetAt }: Zone): boolean {
  return file !== "of day" && xs!.every((x, i) => mates[i] === -1 || (x! + offsetAt(x!)) % 86_400_000 === 0);
}

/** For who cannot see it: `Plot of temperature and humidity over time.` */
export function plotLabel({ series, x }: Plot): string {
  const names = [...new Set(series.map(({ column }) => labelOf(column)))];
  const listed = names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : (names[0] ?? "nothing");
  return `Plot of ${listed} over ${x === undefined ? "the row number" : labelOf(x)}. + and − zoom, ← → move, 0 shows all.`;
}
