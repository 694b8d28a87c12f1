// What a person types behind an operator, as a value of the column: numbers with their unit or another one of the same, times as in the
// file or as elsewhere, and times before the newest one. Pure.
import { typedTime } from "../values/times.ts";
import type { Kind } from "./cells.ts";

/** Longer ones first: the `i` of `GiB` is no part of a unit. */
const PREFIXES: ReadonlyMap<string, number> = new Map([
  ["Ki", 2 ** 10],
  ["Mi", 2 ** 20],
  ["Gi", 2 ** 30],
  ["Ti", 2 ** 40],
  ["p", 1e-12],
  ["n", 1e-9],
  ["µ", 1e-6],
  ["u", 1e-6],
  ["m", 1e-3],
  ["", 1],
  ["k", 1e3],
  ["K", 1e3],
  ["M", 1e6],
  ["G", 1e9],
  ["T", 1e12],
]);

const MEASURED = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)\s*(\S*)$/i;

/** `value` as a number of a column of this kind; NaN if it is none. A decimal point is always understood. */
export function limitOf(value: string, kind: Kind): number {
  const limit = kind.valueOf(value);
  if (!Number.isNaN(limit) || kind.type === "text") return limit;
  if (kind.type === "time") return typedTime(value);
  const [, digits, unit = ""] = MEASURED.exec(value.trim()) ?? [];
  return digits === undefined ? Number.NaN : Number(digits) * factorBetween(unit, kind.unit ?? "");
}

/** How many of `to` one of `from` is: `GB` are 1,000 `MB`; NaN if they are not of one kind. */
export function factorBetween(from: string, to: string): number {
  if (from === to || from === "") return 1;
  for (const [one, size] of PREFIXES)
    for (const [other, otherSize] of PREFIXES)
      if (from.startsWith(one) && to.startsWith(other) && from.slice(one.length) === to.slice(other.length))
        return size / otherSize;
  return Number.NaN;
}

const AGO = /^-\s*(\d+(?:\.\d+)?)\s*(ms|s|sec|m|min|h|d|w)$/i;
const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  sec: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `-10m`: so many ms before the newest time; undefined if it is none of these. */
export function agoMs(value: string): number | undefined {
  const [, count, unit] = AGO.exec(value.trim()) ?? [];
  return count === undefined ? undefined : Number(count) * UNITS_MS[unit!.toLowerCase()]!;
}

/** `90 s`, `5 min`, `1h`: a length of time in ms; undefined if it is none. */
export const durationMs = (text: string): number | undefined => agoMs(`-${text.trim()}`);
