// The words for what is going on: tables, clients, sizes, ages.
import type { Publication, Status } from "../../feed/publication.ts";

const plural = (count: number, noun: string) => `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;

/** `2 rows × 5 columns` */
export function shapeText({ rows, columns }: { rows: number; columns: number }): string {
  return `${plural(rows, "row")} × ${plural(columns, "column")}`;
}

/** `12 s`, `3 min`, `2 h` */
export function ageText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
}

/** What the status line is made of. */
export type StatusSource = {
  readonly publication: Publication | undefined;
  readonly status: Status;
  readonly clients: number;
  /** How many there are, and of them not live. */
  readonly tables: number;
  readonly troubled: number;
  readonly awaited: string | undefined;
  readonly loading: { readonly name: string; readonly sinceMs: number; readonly share: number | undefined } | undefined;
};

/** What is read for less than this is not worth a word. */
const LOADING_MS = 500;

/**
 * The status line of the server, in so many columns of a terminal; `now` in ms since 1970. Where there is not room for all, the name
 * is shortened, then the age goes, then the number of columns, and at last the name: what changes, and what is wrong, stays.
 */
export function statusLine(source: StatusSource, now: number, width = Infinity): string {
  const { publication, status, clients, awaited, loading, tables, troubled } = source;
  if (tables > 1) {
    const trouble = troubled === 0 ? "" : ` · ${troubled} NOT LIVE`;
    return `${plural(tables, "table")} · ${plural(clients, "client")}${trouble}`;
  }
  if (loading && loading.sinceMs >= LOADING_MS) {
    const share = shareText(loading.share);
    return fitting([(name) => `loading ${name}${share}`], loading.name, width);
  }
  const audience = plural(clients, "client");
  if (!publication && awaited === undefined) return `no file yet · ${audience}`;
  if (!publication) return fitting([(name) => `waiting for ${name} · ${audience}`], awaited!, width);
  const { rows, columns, about } = publication;
  const warnings = about.warnings.map((warning) => warning.split(":")[0] ?? "");
  const states = status.state === "live" ? [] : [status.state.toUpperCase()];
  const trouble = [...replayWords(status), ...states, ...warnings].map((text) => ` · ${text}`).join("");
  const age = ageText(Math.max(0, now - about.changedAt));
  const shape = shapeText({ rows, columns: columns.count });
  const few = plural(rows, "row");
  const whole = about.relay === undefined ? about.name : `${about.name} (${about.relay})`;
  const forms = [
    (name: string) => `${name} · ${shape} · ${audience} · changed ${age} ago${trouble}`,
    (name: string) => `${name} · ${shape} · ${audience}${trouble}`,
    (name: string) => `${name} · ${few} · ${audience}${trouble}`,
    () => `${few} · ${audience}${trouble}`,
  ];
  return fitting(forms, whole, width);
}

/** A shorter name tells too little. */
const SHORTEST_NAME = 8;

/** The first form in which enough of the name has room, or the last one. */
function fitting(forms: readonly ((name: string) => string)[], name: string, width: number): string {
  const texts = forms.map((form) => form(shortened(name, Math.max(SHORTEST_NAME, width - Bun.stringWidth(form(""))))));
  return texts.find((text) => Bun.stringWidth(text) <= width) ?? texts.at(-1)!;
}

/** Its end stays, where numbers and dates are: `measurem…01-17.csv`. */
function shortened(name: string, width: number): string {
  const all = Bun.stringWidth(name);
  if (all <= width) return name;
  const front = Math.floor((width - 1) / 2);
  return `${Bun.sliceAnsi(name, 0, front)}…${Bun.sliceAnsi(name, all - (width - 1 - front), all)}`;
}

/** `replay 10x` */
function replayWords({ replay }: Status): string[] {
  return replay ? [`replay ${replay.speed}${replay.isFinished ? ", finished" : ""}`] : [];
}

/** ` 40 %` */
const shareText = (share: number | undefined) =>
  share === undefined ? "" : ` ${Math.min(99, Math.floor(100 * share))} %`;
