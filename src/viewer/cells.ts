// What the cells of a column are: numbers, times or text, and what a cell looks like on the page. A cell is text and stays it; only
// sorting, comparing and plotting read a value out of it.
import { valueOf } from "../values/cell.ts";
import type { Verdict } from "../values/verdict.ts";

export type ColumnType = "number" | "time" | "text";

/** How the cells of a column are read. `valueOf` gives a number, for a time ms since 1970 (UTC if it names no zone), or NaN. */
export type Kind = { readonly type: ColumnType; readonly valueOf: (cell: string) => number };

/** The cells that say that there is nothing. */
const MISSING = /^(?:|-|\.|na|n\/a|nan|null|none|nil|#n\/a)$/i;

/** So many of a hundred cells must be of a kind for a column to be. */
const MAJORITY = 0.9;

export const TEXT: Kind = { type: "text", valueOf: () => Number.NaN };

const DECIMAL_POINT: Kind = { type: "number", valueOf: numberOf };
const DECIMAL_COMMA: Kind = { type: "number", valueOf: commaNumberOf };
const DAY_FIRST: Kind = { type: "time", valueOf: (cell) => timeOf(cell, true) };
const MONTH_FIRST: Kind = { type: "time", valueOf: (cell) => timeOf(cell, false) };

/** The kind of a column that the server has told; `true` and `false` are words here. */
export function kindBy(verdict: Verdict): Kind {
  if (verdict.type === "text" || verdict.type === "boolean") return TEXT;
  return { type: verdict.type, valueOf: (cell) => valueOf(cell, verdict) };
}

/** For a server that tells nothing: the kind that most cells of the sample are of. Of dates like 03/04/2026 the sample as a whole tells which is the day. */
export function kindOf(sample: Iterable<string>): Kind {
  const cells = [...sample].filter((cell) => !MISSING.test(cell.trim()));
  if (cells.length === 0) return TEXT;
  const best = [DECIMAL_POINT, DECIMAL_COMMA, MONTH_FIRST, DAY_FIRST]
    .map((kind) => ({ kind, share: cells.filter((cell) => !Number.isNaN(kind.valueOf(cell))).length / cells.length }))
    .reduce((a, b) => (b.share > a.share ? b : a));
  return best.share >= MAJORITY ? best.kind : TEXT;
}

/** Longer than any number, and short enough for every pattern here. */
const MAX_NUMBER = 400;

const SURPLUS = /^[$€£¥]\s?|\s?[$€£¥%]$/g;

/** `-1.5`, `1e3`, `1,234.50`, `$5`, `12 %` */
function numberOf(cell: string): number {
  if (cell.length > MAX_NUMBER) return Number.NaN;
  const plain = Number(cell);
  if (!Number.isNaN(plain)) return cell.trim() === "" ? Number.NaN : plain;
  const bare = cell.trim().replace(SURPLUS, "");
  if (/^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$/.test(bare)) return Number(bare.replaceAll(",", ""));
  return /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(bare) ? Number(bare) : Number.NaN;
}

/** `-1,5`, `1.234,50`, `1 234,5 €` */
function commaNumberOf(cell: string): number {
  if (cell.length > MAX_NUMBER) return Number.NaN;
  const bare = cell.trim().replace(SURPLUS, "");
  if (!/^[+-]?(\d{1,3}([. \u00a0\u202f]\d{3})+|\d+)(,\d+)?$/.test(bare)) return Number.NaN;
  return Number(bare.replace(/[. \u00a0\u202f]/g, "").replace(",", "."));
}

const CLOCK = String.raw`(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([ap]m)?\s*(z|utc|gmt|[+-]\d{2}(?::?\d{2})?)?`;
const ISO = new RegExp(`^(\\d{4})[-/.](\\d{1,2})[-/.](\\d{1,2})(?:[t ,]+${CLOCK})?$`, "i");
const COMPACT = /^(\d{4})(\d{2})(\d{2})t(\d{2})(\d{2})(\d{2})(z)?$/i;
const NUMERIC = new RegExp(`^(\\d{1,2})([-/.])(\\d{1,2})\\2(\\d{4}|\\d{2})(?:[t ,]+${CLOCK})?$`, "i");
const DAY_NAMED = new RegExp(`^(?:[a-z]{3,9},? )?(\\d{1,2})[- ]([a-z]{3,9})[- ,]+(\\d{4})(?:[t ,]+${CLOCK})?$`, "i");
const NAME_DAY = new RegExp(`^([a-z]{3,9})[- ](\\d{1,2}),? (\\d{4})(?:[t ,]+${CLOCK})?$`, "i");
const TIME_OF_DAY = new RegExp(`^${CLOCK}$`, "i");
const MONTHS =
  /^(?:(jan(?:uary)?)|(feb(?:ruary)?)|(mar(?:ch)?)|(apr(?:il)?)|(may)|(june?)|(july?)|(aug(?:ust)?)|(sept?(?:ember)?)|(oct(?:ober)?)|(nov(?:ember)?)|(dec(?:ember)?))$/i;

/** ISO 8601 and what else is common; a time of day alone counts from midnight. */
function timeOf(cell: string, isDayFirst: boolean): number {
  const text = cell.trim();
  if (text.length < 4 || text.length > 48) return Number.NaN;
  const iso = ISO.exec(text);
  if (iso) return instant(iso[1], iso[2], iso[3], iso.slice(4));
  const numeric = NUMERIC.exec(text);
  if (numeric) {
    const [, first, separator, second, year] = numeric;
    const [day, month] = isDayFirst || separator === "." ? [first, second] : [second, first];
    return instant(year!.length === 2 ? `20${year}` : year, month, day, numeric.slice(5));
  }
  const clock = TIME_OF_DAY.exec(text);
  if (clock) return instant("1970", "1", "1", clock.slice(1));
  const compact = COMPACT.exec(text);
  if (compact) {
    const [, year, month, day, hour, minute, second, zone] = compact;
    return instant(year, month, day, [hour, minute, second, undefined, undefined, zone]);
  }
  const dayNamed = DAY_NAMED.exec(text);
  if (dayNamed) return instant(dayNamed[3], monthNumber(dayNamed[2]!), dayNamed[1], dayNamed.slice(4));
  const nameDay = NAME_DAY.exec(text);
  return nameDay ? instant(nameDay[3], monthNumber(nameDay[1]!), nameDay[2], nameDay.slice(4)) : Number.NaN;
}

/** `0`, which is no month, for another word. */
const monthNumber = (name: string) =>
  String(
    (MONTHS.exec(name)
      ?.slice(1)
      .findIndex((month) => month) ?? -1) + 1,
  );

type Digits = string | undefined;

/** `clock`: hour, minute, second, fraction, am or pm, zone. */
function instant(year: Digits, month: Digits, day: Digits, clock: readonly Digits[]): number {
  const [hour = "0", minute = "0", second = "0", fraction = "0", half, zone] = clock;
  if (half !== undefined && (Number(hour) < 1 || Number(hour) > 12)) return Number.NaN;
  const hours = half === undefined ? Number(hour) : (Number(hour) % 12) + (/p/i.test(half) ? 12 : 0);
  const isMidnight = hours === 24 && Number(minute) === 0 && Number(second) === 0; // ISO 8601
  if ((hours > 23 && !isMidnight) || Number(minute) > 59 || Number(second) > 60) return Number.NaN;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day)); // `Date.UTC` takes the year 1 for 1901
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return Number.NaN;
  const seconds = (hours * 60 + Number(minute)) * 60 + Number(second) + Number(`0.${fraction}`);
  return date.getTime() + seconds * 1000 - offsetMs(zone);
}

function offsetMs(zone: Digits): number {
  const match = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone ?? "");
  if (!match) return 0;
  return (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3] ?? 0)) * 60_000;
}

/** What numbers must be multiplied with to be ms since 1970, if all of them may be times: seconds, ms, µs or ns; else undefined. */
export function epochScale(low: number, high: number): number | undefined {
  // From 2001 to 2096, so that no unit is taken for another.
  return [1000, 1, 1e-3, 1e-6].find((scale) => low * scale >= 1e12 && high * scale < 4e12);
}

/** Longer ones are cut for the table; all of a cell is in its own view. */
export const SHOWN_CHARACTERS = 400;

/** At most so many UTF-16 units, and no half of a character. */
export const cut = (text: string, length: number) => text.slice(0, length).replace(/[\ud800-\udbff]$/, "");

/** A cell as the table shows it: one line, and nothing in it that could command or mislead. */
export function shownText(cell: string): string {
  const text = cell.length > SHOWN_CHARACTERS ? `${cut(cell, SHOWN_CHARACTERS)}…` : cell;
  return DECEPTIVE.test(text) ? text.replace(EACH_DECEPTIVE, visible) : text;
}

/** All of a cell, with its lines and tabs, and as harmless. */
export function wholeText(cell: string): string {
  return cell.replace(EACH_DECEPTIVE, (character) => (/[\n\t\r]/.test(character) ? character : visible(character)));
}

/** Controls, and characters that turn text around or cannot be seen (Unicode, general category Cf, and separators). */
const DECEPTIVE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;
const EACH_DECEPTIVE = new RegExp(DECEPTIVE, "gu");

function visible(character: string): string {
  const code = character.codePointAt(0)!;
  if (code === 0x0a || code === 0x0d) return "⏎";
  if (code === 0x09) return "⇥";
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return `‹${code.toString(16).toUpperCase().padStart(4, "0")}›`;
}
