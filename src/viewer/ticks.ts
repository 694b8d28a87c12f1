// Labels of the ticks of an axis of numbers: whole, told apart from each other, and short. Pure.
import { number } from "./captions.ts";

/** Powers of a thousand, as the SI names them; `M` and above, as `20k` is no shorter to read than `20,000`. */
const PREFIXES = new Map([
  [6, "M"],
  [9, "G"],
  [12, "T"],
]);

/** From here on numbers have a prefix, or an exponent. */
const LONG = 1e6;
const VERY_LONG = 1e15;
/** Below they have an exponent: zeros are hard to count. */
const SHORT = 1e-3;
/** A number with a prefix and more decimals is better written out. */
const MAX_PREFIXED_DECIMALS = 3;
const MAX_DECIMALS = 15;

/**
 * A label for each tick; `increment` is the distance between them. `null` is a tick without a label (of a logarithmic axis).
 * `500,000`, `2.5M`, `0.001`, `1e-7`, `1e300`.
 */
export function tickLabels(ticks: readonly (number | null)[], increment: number): string[] {
  const greatest = ticks.reduce<number>((most, tick) => Math.max(most, Math.abs(tick ?? 0)), 0);
  const label = labelFor(greatest, increment);
  return ticks.map((tick) => (tick === null || !Number.isFinite(tick) ? "" : tick === 0 ? "0" : label(tick)));
}

/** Each for itself, as on a logarithmic axis, where they are far from each other. */
export const lonelyLabels = (ticks: readonly (number | null)[]): string[] =>
  ticks.map((tick) => tickLabels([tick], Math.abs(tick ?? 0))[0]!);

function labelFor(greatest: number, increment: number): (tick: number) => string {
  if (greatest >= VERY_LONG || (greatest > 0 && greatest < SHORT)) return exponential;
  const power = greatest >= LONG ? 3 * Math.floor(Math.log10(greatest) / 3) : 0;
  const decimals = decimalsOf(increment / 10 ** power);
  if (power > 0 && decimals <= MAX_PREFIXED_DECIMALS)
    return (tick) => plain(tick / 10 ** power, decimals) + PREFIXES.get(power);
  return (tick) => plain(tick, decimalsOf(increment));
}

/** `1.5e-7`. As many digits as it takes, and none that only binary fractions have. */
const exponential = (tick: number) => Number(tick.toPrecision(MAX_DECIMALS)).toExponential().replace("e+", "e");

function plain(tick: number, decimals: number): string {
  const text = Math.abs(tick).toFixed(decimals);
  const point = text.indexOf(".");
  const whole = point === -1 ? text : text.slice(0, point);
  return (tick < 0 ? "-" : "") + number(Number(whole)) + text.slice(whole.length);
}

/** How many decimals tell numbers apart that are so far from each other. */
function decimalsOf(increment: number): number {
  if (!(increment > 0) || increment >= 1e6) return 0;
  const rounded = Number(increment.toPrecision(6));
  const [, fraction = "", exponent = "0"] = /^\d(?:\.(\d+))?e([+-]\d+)$/.exec(rounded.toExponential()) ?? [];
  return Math.max(0, Math.min(MAX_DECIMALS, fraction.length - Number(exponent)));
}

/** Values beyond are divided by a power of ten to be drawn: what draws them counts decimals with numbers of this size. */
const DRAWN_LOW = 1e-12;
const DRAWN_HIGH = 1e15;

/** The power of ten that values up to this one are divided by; 0 for almost all. */
export function drawnPower(greatest: number): number {
  if (!(greatest > 0) || (greatest >= DRAWN_LOW && greatest <= DRAWN_HIGH)) return 0;
  return Math.floor(Math.log10(greatest));
}

/** A value times a power of ten: through decimal text, so that 0.2 times 10^300 is 2e299. */
export function timesPowerOfTen(value: number, power: number): number {
  if (power === 0 || value === 0) return value;
  const [digits, exponent] = Number(value.toPrecision(MAX_DECIMALS)).toExponential().split("e");
  return Number(`${digits}e${Number(exponent) + power}`);
}
