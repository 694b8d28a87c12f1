// The calendar and the zones, as arithmetic: days and months to days since 1970, names of zones to offsets. No clock.

/** English and German, whole and cut short. */
const MONTHS =
  /^(?:(jan(?:uary?)?|jänner)|(feb(?:ruary?)?)|(mar(?:ch)?|märz?|mrz)|(apr(?:il)?)|(ma[iy])|(jun[ei]?)|(jul[iy]?)|(aug(?:ust)?)|(sept?(?:ember)?)|(o[ck]t(?:ober)?)|(nov(?:ember)?)|(de[cz](?:ember)?))\.?$/i;

/** 1 to 12; 0 for another word. */
export function monthNumber(name: string): number {
  const match = MONTHS.exec(name);
  return match ? match.slice(1).findIndex((month) => month !== undefined) + 1 : 0;
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** Days since 1 January 1970 in the Gregorian calendar; NaN for a day that there is not. */
export function dayNumber(year: number, month: number, day: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const last = month === 2 && isLeap ? 29 : (DAYS[month - 1] ?? 0);
  if (!(day >= 1 && day <= last)) return Number.NaN;
  // Years from 1 March, so that the leap day is the last one of its year.
  const y = month > 2 ? year : year - 1;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear - 719_468;
}

/** Hours ahead of UTC: those of RFC 5322 (section 4.3), and others whose names mean nothing else. */
const ZONES: Record<string, number> = {
  Z: 0,
  UTC: 0,
  GMT: 0,
  EST: -5,
  EDT: -4,
  CST: -6,
  CDT: -5,
  MST: -7,
  MDT: -6,
  PST: -8,
  PDT: -7,
  WET: 0,
  WEST: 1,
  CET: 1,
  CEST: 2,
  MEZ: 1,
  MESZ: 2,
  EET: 2,
  EEST: 3,
  MSK: 3,
  JST: 9,
  KST: 9,
  HKT: 8,
  AEST: 10,
  AEDT: 11,
  NZST: 12,
  NZDT: 13,
  AKST: -9,
  AKDT: -8,
  HST: -10,
};

/** The pattern of a zone: a name, `Z`, `+01:00`, `-0530`, `+02`, `GMT+01:00`. */
export const ZONE = String.raw`${Object.keys(ZONES).join("|")}|(?:GMT|UTC)?[+-]\d{2}(?::?\d{2})?`;

/** Nothing for a zone that is not known. */
export function offsetMs(zone: string | undefined): number {
  if (zone === undefined) return 0;
  const match = /^(?:GMT|UTC)?([+-])(\d{2}):?(\d{2})?$/i.exec(zone);
  if (!match) return (ZONES[zone.toUpperCase()] ?? 0) * 3_600_000;
  return (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3] ?? 0)) * 60_000;
}
