// In which zone times are shown: as the file has them, in UTC, or as on this machine. And times as text. Pure.
import type { Rows } from "../follow/blocks.ts";
import { offsetMs, ZONE } from "../values/calendar.ts";
import type { Kind } from "./cells.ts";

export const ZONES = ["file", "utc", "local"] as const;
export type ZoneChoice = (typeof ZONES)[number];

/** What a file says of its times. `of day`: they are no points in time. */
export type FileZone = { readonly name: string; readonly offsetMs: number } | "none" | "of day";

/** `ms` since 1970 that a clock there is ahead of UTC at that time, and the words for it. */
export type Zone = { readonly offsetAt: (ms: number) => number; readonly label: string };

const WRITTEN = new RegExp(`\\d{1,2}:\\d{2}(?::\\d{2}(?:[.,:]\\d{1,9})?)? *(?:[ap]m)? *(${ZONE})(?![a-z\\d])`, "i");
const MAX_CELL = 64;

/** The zone that is written in a cell with a time, such as `+01:00`; undefined if there is none. */
export function zoneIn(cell: string): FileZone | undefined {
  const name = cell.length > MAX_CELL ? undefined : WRITTEN.exec(cell)?.[1];
  if (name === undefined) return undefined;
  const offset = offsetMs(name);
  return { name: offset === 0 ? "UTC" : name.toUpperCase(), offsetMs: offset };
}

/** So far back the last times are looked at for a zone. */
const ZONE_ROWS = 20;

/** As the last times of a column have it. */
export function zoneOf(rows: Pick<Rows, "slice">, column: number, { format, clock }: Kind): FileZone {
  if (format?.startsWith("epoch-")) return { name: "UTC", offsetMs: 0 };
  if (format === "clock") return "of day";
  for (const row of rows.slice(-ZONE_ROWS).reverse()) {
    const zone = zoneIn(row[column] ?? "") ?? (clock && zoneIn(row[clock.column] ?? ""));
    if (zone) return zone;
  }
  return "none";
}

/** `localName`: as of `Intl`, such as `Europe/Berlin`. Times without a zone are taken for UTC, and shown as they are written. */
export function zoneFor(choice: ZoneChoice, file: FileZone, localName: () => string): Zone {
  if (file === "of day") return { offsetAt: () => 0, label: "time of day" };
  if (choice === "utc") return { offsetAt: () => 0, label: file === "none" ? "taken for UTC" : "UTC" };
  if (choice === "local") return { offsetAt: localOffset, label: localName() };
  if (file === "none") return { offsetAt: () => 0, label: "as in the file, which names no zone" };
  return { offsetAt: () => file.offsetMs, label: file.name };
}

const localOffset = (ms: number) => -new Date(ms).getTimezoneOffset() * 60_000;

/** `2026-11-24 16:03:20`, with `.123` where there are such; a time of day without the date. */
export function timeText(ms: number, { offsetAt }: Zone, isOfDay = false): string {
  const time = new Date(ms + offsetAt(ms));
  if (Number.isNaN(time.getTime())) return "–";
  const [date = "", clock = ""] = time
    .toISOString()
    .replace(/\.000Z$|Z$/, "")
    .split("T");
  if (!isOfDay) return `${date} ${clock}`;
  return String(Math.floor(ms / 3_600_000)).padStart(2, "0") + clock.slice(2); // 125:03:20 is one, too
}

/** From one time to another, the date only once if it is the same. */
export function spanText(from: string, to: string): string {
  if (from === to) return from;
  const date = /^\S+ /.exec(from)?.[0];
  return `${from} – ${date && to.startsWith(date) ? to.slice(date.length) : to}`;
}
