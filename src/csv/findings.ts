// What the cells of one column look like, counted cell by cell, and the verdict that the counts give. The counts add up the same
// however the cells come.
import { booleanOf } from "../values/cell.ts";
import { isMissing } from "../values/missing.ts";
import { flawOf, partsOf, plainDigits, READINGS, type Reading, readingsOf } from "../values/numbers.ts";
import { epochFormat, type TimeFormat, WRITTEN_FORMATS, writtenTime } from "../values/times.ts";
import { unitInName } from "../values/units.ts";
import { TEXT, type Verdict } from "../values/verdict.ts";

/** So many of the cells that say something must be of a type for their column to be. */
const MAJORITY = 0.9;

export type Tally = {
  /** Cells that say something. */
  filled: number;
  booleans: number;
  /** For each of READINGS the cells that it fits; which readings some cell has proven, as bits. */
  readonly readings: number[];
  evidence: number;
  /** Cells such as `1,234`. */
  ambiguous: number;
  /** Whether a cell has digits that a JSON number cannot say: a leading zero, or more than a double holds. */
  hasLeadingZero: boolean;
  isBeyondDouble: boolean;
  /** How many numbers have which unit; "" without one. */
  readonly units: Map<string, number>;
  low: number;
  high: number;
  /** For each of WRITTEN_FORMATS the cells that are times in it, and those of them that have a time of day. */
  readonly formats: number[];
  readonly clocks: number[];
};

export function emptyTally(): Tally {
  const zeros = (length: number) => Array.from({ length }, () => 0);
  const counts = { filled: 0, booleans: 0, evidence: 0, ambiguous: 0, hasLeadingZero: false, isBeyondDouble: false };
  const formats = { formats: zeros(WRITTEN_FORMATS.length), clocks: zeros(WRITTEN_FORMATS.length) };
  const readings = zeros(READINGS.length);
  return { ...counts, readings, units: new Map(), low: Infinity, high: -Infinity, ...formats };
}

export function addCell(tally: Tally, cell: string): void {
  if (isMissing(cell)) return;
  tally.filled++;
  if (booleanOf(cell) !== undefined) tally.booleans++;
  addNumber(tally, cell);
  WRITTEN_FORMATS.forEach((format, i) => {
    const time = writtenTime(cell, format);
    if (time) tally.formats[i]!++;
    if (time?.hasClock) tally.clocks[i]!++;
  });
}

function addNumber(tally: Tally, cell: string): void {
  const parts = partsOf(cell);
  const found = parts && readingsOf(parts);
  if (!parts || !found || found.fits === 0) return;
  READINGS.forEach((_, bit) => (tally.readings[bit]! += (found.fits >> bit) & 1));
  tally.evidence |= found.evidence;
  if (found.isAmbiguous) tally.ambiguous++;
  tally.units.set(parts.unit, (tally.units.get(parts.unit) ?? 0) + 1);
  const plain = plainDigits(parts, READINGS[0]!) ?? plainDigits(parts, READINGS[1]!);
  if (plain === undefined || parts.unit !== "") return;
  const flaw = flawOf(plain, parts.exponent);
  if (flaw === "leading-zero") tally.hasLeadingZero = true;
  else if (flaw) tally.isBeyondDouble = true;
  const value = Number(parts.sign + plain + parts.exponent);
  tally.low = Math.min(tally.low, value);
  tally.high = Math.max(tally.high, value);
}

/** A verdict, why it is no other for a person, and, of times, whether the cells are dates without a time of day. */
export type Finding = { readonly verdict: Verdict; readonly hint?: string; readonly isDate?: boolean };

/** A name that makes a number in the range of times one: `1772366400`, `20260301`. */
const TIME_NAME = /time|date|epoch|stamp|zeit|datum|fecha|^ts$|^t$/i;

const isMostOf =
  ({ filled }: Tally): IsMost =>
  (count) =>
    filled > 0 && count >= MAJORITY * filled;

const bitOf = (reading: Reading) =>
  1 << READINGS.findIndex(({ decimal, thousands }) => decimal === reading.decimal && thousands === reading.thousands);
const DECIMAL_COMMA = bitOf({ decimal: ",", thousands: "" });
const THOUSANDS_COMMA = bitOf({ decimal: ".", thousands: "," });

/**
 * What columns of numbers prove for those beside them, as bits of READINGS: where some have decimal commas, and none has decimal points
 * or commas between thousands, `1,234` has one, too.
 */
export function sharedEvidence(tallies: readonly Tally[]): number {
  const numeric = tallies.filter((tally) => isMostOf(tally)(Math.max(...tally.readings)));
  const proven = numeric.reduce((bits, { evidence }) => bits | evidence, 0);
  const hasPoints = numeric.some(({ readings: [point = 0, comma = 0] }) => point > comma);
  return (proven & DECIMAL_COMMA) !== 0 && (proven & THOUSANDS_COMMA) === 0 && !hasPoints ? DECIMAL_COMMA : 0;
}

/** What the cells so far make of the column. `unit` is what its row of units says, if there is one; `shared`: see `sharedEvidence`. */
export function findingOf(tally: Tally, name: string, unit: string | undefined, shared: number): Finding {
  const named = unit ?? unitInName(name);
  const isMost = isMostOf(tally);
  if (isMost(tally.booleans)) return { verdict: { type: "boolean", unit: named } };
  const time = timeFinding(tally, name, named, isMost);
  const number = numberFinding(tally, named, isMost, shared);
  return time ?? number ?? { verdict: named === undefined ? TEXT : { type: "text", unit: named } };
}

/** `dd/MM/yyyy`, in a row of units or in a name, says what `03/04/2026` leaves open. */
const DAY_FIRST_PATTERN = /\bdd?[-/.]mm?\b/i;
const DAY_FIRST = WRITTEN_FORMATS.indexOf("day-first");

/** The number of the format that most cells have. */
function commonFormat({ formats }: Tally, said: string): number {
  const best = formats.reduce((at, count, i) => (count > formats[at]! ? i : at), 0);
  return formats[DAY_FIRST] === formats[best] && DAY_FIRST_PATTERN.test(said) ? DAY_FIRST : best;
}

type IsMost = (count: number) => boolean;

function timeFinding(tally: Tally, name: string, unit: string | undefined, isMost: IsMost): Finding | undefined {
  const isNumeric = isMost(tally.readings[0]!) && isMost(tally.units.get("") ?? 0);
  if (isNumeric && (tally.hasLeadingZero || !TIME_NAME.test(name))) return undefined;
  const found = (format: TimeFormat, isDate: boolean): Finding => ({
    verdict: { type: "time", format, clock: undefined, unit },
    isDate,
  });
  const best = commonFormat(tally, `${unit ?? ""} ${name}`);
  const format = WRITTEN_FORMATS[best]!;
  if (isMost(tally.formats[best]!) && (!isNumeric || format === "basic"))
    return found(format, tally.clocks[best] === 0);
  const epoch = isNumeric ? epochFormat(tally.low, tally.high) : undefined;
  return epoch && found(epoch, false);
}

/** The number of the reading that most cells have, of those that are proven. */
function commonReading({ readings, evidence, ambiguous }: Tally, shared: number): number {
  const proven = evidence | (ambiguous > 0 ? shared : 0);
  const isProven = (bit: number) => bit === 0 || (proven & (1 << bit)) !== 0;
  return readings.reduce((at, count, bit) => (isProven(bit) && count > readings[at]! ? bit : at), 0);
}

function numberFinding(tally: Tally, named: string | undefined, isMost: IsMost, shared: number): Finding | undefined {
  const best = commonReading(tally, shared);
  const bare = tally.units.get("") ?? 0;
  const [unit, measured] = [...tally.units].reduce((a, b) => (b[0] !== "" && b[1] > a[1] ? b : a), ["", 0] as const);
  const inCells = measured > 0 && measured >= bare;
  if (isMost(Math.max(...tally.readings)) && tally.ambiguous > 0 && !readsAmbiguous(READINGS[best]!))
    return { verdict: textWith(named), hint: "text, as 1,234 may be a decimal comma or a separator of thousands" };
  if (!isMost(Math.min(tally.readings[best]!, bare + (inCells ? measured : 0)))) return undefined;
  if (tally.hasLeadingZero) return { verdict: textWith(named), hint: "text, as a number has a leading zero" };
  if (tally.isBeyondDouble)
    return { verdict: textWith(named), hint: "text, as a number is beyond what a JSON number can say" };
  return { verdict: { type: "number", ...READINGS[best]!, unit: inCells ? unit : named } };
}

const textWith = (unit: string | undefined): Verdict => ({ type: "text", unit });

const readsAmbiguous = ({ decimal, thousands }: Reading) => decimal === "," || thousands === ",";

/** The verdict if somebody says what the column is: the cells only tell how it is written. */
export function declaredVerdict(
  type: Verdict["type"],
  tally: Tally,
  name: string,
  unit: string | undefined,
  shared: number,
): Verdict {
  const { verdict } = findingOf(tally, name, unit, shared);
  if (verdict.type === type) return verdict;
  const known = { unit: unit ?? unitInName(name) };
  switch (type) {
    case "text":
    case "boolean":
      return { type, ...known };
    case "number":
      return { type, ...READINGS[commonReading(tally, shared)]!, ...known };
    case "time": {
      const best = commonFormat(tally, `${unit ?? ""} ${name}`);
      return { type, format: WRITTEN_FORMATS[best]!, clock: undefined, ...known };
    }
  }
}
