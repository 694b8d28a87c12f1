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

/** The status line of the server; `now` in ms since 1970. */
export function statusLine(source: StatusSource, now: number): string {
  const { publication, status, clients, awaited, loading, tables, troubled } = source;
  if (tables > 1) {
    const trouble = troubled === 0 ? "" : ` · ${troubled} NOT LIVE`;
    return `${plural(tables, "table")} · ${plural(clients, "client")}${trouble}`;
  }
  if (loading && loading.sinceMs >= LOADING_MS) return loadingText(loading.name, loading.share);
  if (!publication)
    return `${awaited === undefined ? "no file yet" : `waiting for ${awaited}`} · ${plural(clients, "client")}`;
  const { rows, columns, about } = publication;
  const warnings = about.warnings.map((warning) => warning.split(":")[0] ?? "");
  const states = status.state === "live" ? [] : [status.state.toUpperCase()];
  const trouble = [...replayWords(status), ...states, ...warnings].map((text) => ` · ${text}`).join("");
  const age = ageText(Math.max(0, now - about.changedAt));
  const shape = shapeText({ rows, columns: columns.count });
  const name = about.relay === undefined ? about.name : `${about.name} (${about.relay})`;
  return `${name} · ${shape} · ${plural(clients, "client")} · changed ${age} ago${trouble}`;
}

/** `replay 10x` */
function replayWords({ replay }: Status): string[] {
  return replay ? [`replay ${replay.speed}${replay.isFinished ? ", finished" : ""}`] : [];
}

/** `loading prices.csv 40 %` */
function loadingText(name: string, share: number | undefined): string {
  return `loading ${name}${share === undefined ? "" : ` ${Math.min(99, Math.floor(100 * share))} %`}`;
}
