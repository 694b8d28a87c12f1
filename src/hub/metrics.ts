// Figures in the text format of Prometheus (exposition format 0.0.4).
import type { Feed } from "../feed/feed.ts";

export type Metric = {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  /** A value, or one for each value of a label: `{feed: {plain: 3, live: 5}}`. */
  readonly value: number | Readonly<Record<string, Readonly<Record<string, number>>>>;
};

export function metricsText(metrics: readonly Metric[]): string {
  return metrics
    .map(({ name, help, type, value }) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${linesOf(name, value)}`)
    .join("");
}

function linesOf(name: string, value: Metric["value"]): string {
  if (typeof value === "number") return `${name} ${value}\n`;
  return Object.entries(value)
    .flatMap(([label, values]) => Object.entries(values).map(([key, count]) => `${name}{${label}="${key}"} ${count}\n`))
    .join("");
}

export type Counts = {
  readonly clients: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>;
  readonly closed: { readonly stalled: number; readonly overBudget: number };
  readonly backlogBytes: number;
  readonly skipped: number;
  readonly snapshots: number;
  readonly catchUps: number;
  readonly fellBehind: number;
};

/** What there is to say about a hub. */
export function hubMetrics(counts: Counts, feed: Feed): string {
  const { rss } = process.memoryUsage();
  const cpu = process.cpuUsage();
  const gauge = (name: string, help: string, value: Metric["value"]): Metric => ({ name, help, type: "gauge", value });
  const counter = (name: string, help: string, value: Metric["value"]): Metric => ({
    name,
    help,
    type: "counter",
    value,
  });
  const { state } = feed.status();
  const states = ["live", "waiting", "missing", "stale", "invalid"].map((name) => [name, name === state ? 1 : 0]);
  return metricsText([
    gauge("csvcast_clients", "Connected clients.", { feed: counts.clients }),
    gauge("csvcast_state", "1 for the state the table is in.", { state: Object.fromEntries(states) }),
    gauge("csvcast_table_rows", "Rows of the table on air.", feed.rows()),
    counter("csvcast_table_version", "Changes of the table so far.", feed.cursor()?.version ?? 0),
    gauge("csvcast_backlog_bytes", "Bytes of frames that slow clients have not taken yet.", counts.backlogBytes),
    counter("csvcast_frames_skipped_total", "Frames of the plain feed that passed slow clients by.", counts.skipped),
    counter("csvcast_live_fell_behind_total", "Times that a live client was too slow for a delta.", counts.fellBehind),
    counter(
      "csvcast_live_catch_ups_total",
      "Squashed deltas sent to those who came back or fell behind.",
      counts.catchUps,
    ),
    counter("csvcast_live_snapshots_total", "Snapshots begun.", counts.snapshots),
    counter("csvcast_closed_total", "Clients closed for being too slow.", {
      reason: { stalled: counts.closed.stalled, backlog: counts.closed.overBudget },
    }),
    counter("csvcast_refused_total", "Requests turned away.", { reason: counts.refused }),
    gauge("process_resident_memory_bytes", "Resident memory.", rss),
    counter("process_cpu_seconds_total", "CPU time used.", (cpu.user + cpu.system) / 1e6),
  ]);
}
