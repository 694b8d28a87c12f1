// Cells that are written already, as JSON strings, become what the verdicts of their columns say: the slow path of `json.ts`, for
// cells that are not plain numbers.
import { fits, literalOf } from "../values/cell.ts";
import type { Verdict } from "../values/verdict.ts";
import type { OutputEncoding } from "./frame.ts";

/** What makes JSON literals, and what did not become one. */
export type Typing = {
  readonly verdicts: readonly Verdict[];
  /** For each column how many cells, of all that were written, are not what their column is. Times are not looked at. */
  readonly misfits: Uint32Array;
};

export const typingOf = (verdicts: readonly Verdict[]): Typing => ({
  verdicts,
  misfits: new Uint32Array(verdicts.length),
});

/** Longer cells, as they are written, are strings. */
export const MAX_LITERAL_BYTES = 400;

/**
 * The literal of the cell whose JSON string, without its quotes, is `out[from, to)`; `true` if it fits and stays a string, `false` if
 * it is a misfit.
 */
export function settle(
  out: Uint8Array,
  from: number,
  to: number,
  verdict: Verdict,
  encoding: OutputEncoding,
): string | boolean {
  const isLong = to - from > MAX_LITERAL_BYTES;
  if (isLong && !isBlank(out, from, to)) return verdict.type === "time";
  const written = Buffer.from(out.buffer, out.byteOffset + from, to - from).toString(encoding);
  const cell = written.includes("\\") ? (JSON.parse(`"${written}"`) as string) : written;
  return literalOf(cell, verdict) ?? (verdict.type === "time" || fits(cell, verdict));
}

export const isDigit = (byte: number) => (byte - 48) >>> 0 < 10;

function isBlank(out: Uint8Array, from: number, to: number): boolean {
  for (let k = from; k < to; k++) if (out[k] !== 32) return false;
  return true;
}

/**
 * Whether `out[from, to)` is a number with the unit of its column behind it, such as `405.6 MB`: it stays the string that it is.
 * False means that it must be looked at.
 */
export function endsWithUnit(out: Uint8Array, from: number, to: number, unit: Uint8Array, decimal: number): boolean {
  let k = to - unit.length;
  if (unit.length === 0 || k <= from) return false;
  for (let u = 0; u < unit.length; u++) if (out[k + u] !== unit[u]) return false;
  if (out[k - 1] === 32) k--;
  let at = from;
  if (out[at] === 45) at++;
  const first = at;
  while (at < k && isDigit(out[at]!)) at++;
  if (at === first) return false;
  if (at < k && out[at] === decimal) {
    const fraction = ++at;
    while (at < k && isDigit(out[at]!)) at++;
    if (at === fraction) return false;
  }
  return at === k;
}
