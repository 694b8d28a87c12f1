// The words for what is going on: tables, clients, sizes, ages.

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

/** `900 bytes`, `1.5 MiB` */
export function sizeText(bytes: number): string {
  const unit = ["bytes", "KiB", "MiB", "GiB"].findIndex((_, i) => bytes < 1024 ** (i + 1));
  if (unit <= 0) return unit === 0 ? `${bytes} bytes` : `${Math.round(bytes / 2 ** 30)} GiB`;
  return `${Number((bytes / 1024 ** unit).toFixed(1))} ${["", "KiB", "MiB", "GiB"][unit]}`;
}

/** The status line of the server. */
export function statusLine(
  path: string,
  table: { rows: number; columns: number; warnings?: readonly string[] } | undefined,
  clients: number,
  changedMs: number,
  state: string,
  loading = "",
): string {
  if (loading !== "") return loading;
  if (!table) return `no file yet · ${plural(clients, "client")}`;
  const warnings = (table.warnings ?? []).map((warning) => warning.split(":")[0] ?? "");
  const trouble = [...(state === "live" ? [] : [state.toUpperCase()]), ...warnings]
    .map((text) => ` · ${text}`)
    .join("");
  return `${path} · ${shapeText(table)} · ${plural(clients, "client")} · changed ${ageText(changedMs)} ago${trouble}`;
}
