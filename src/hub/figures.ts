// What is counted of a hub, and what /metrics says of it.
import type { Feed } from "../feed/feed.ts";
import type { Backlog } from "./backlog.ts";
import type { LiveFeed } from "./live.ts";
import { type Histogram, type Metric, metricsText, openHistogram, type Sample, samplesBy } from "./metrics.ts";
import type { PlainFeed } from "./plain.ts";

/** How a client is connected: to the plain feed, to the live feed, to the live feed as an event stream. */
export type ClientKind = "plain" | "live" | "events";

export const CLIENT_KINDS = ["plain", "live", "events"] as const satisfies readonly ClientKind[];

/** Counts since the start; each is counted where it happens. */
export type Figures = {
  readonly frames: Record<ClientKind, number>;
  readonly bytes: Record<ClientKind, number>;
  readonly connections: Record<ClientKind, number>;
  readonly refused: Record<string, number>;
  readonly closed: Record<string, number>;
  readonly readSeconds: Histogram;
  readonly tickLagSeconds: Histogram;
  fileChangedAt: number;
};

const READ_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const LAG_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

export function openFigures(): Figures {
  return {
    frames: { plain: 0, live: 0, events: 0 },
    bytes: { plain: 0, live: 0, events: 0 },
    connections: { plain: 0, live: 0, events: 0 },
    refused: { host: 0, origin: 0, token: 0, guesses: 0, full: 0, address: 0 },
    closed: { message: 0, protocol: 0, idle: 0 },
    readSeconds: openHistogram(READ_BOUNDS),
    tickLagSeconds: openHistogram(LAG_BOUNDS),
    fileChangedAt: 0,
  };
}

export type MetricsSources = {
  readonly figures: Figures;
  readonly feed: Feed;
  readonly plain: PlainFeed;
  readonly live: LiveFeed;
  readonly backlog: Backlog;
  readonly clients: () => Readonly<Record<ClientKind, number>>;
  readonly startedAt: number;
  readonly relay: RelayCounts | undefined;
};

/** What is counted of a relay, by the publisher and by its replicas. */
export type RelayCounts = {
  readonly connected: boolean;
  /** When the other side was last heard; ms since 1970, 0 for never. */
  readonly heardAt: number;
  readonly entries: number;
  readonly bytes: number;
  readonly snapshots: number;
  readonly reconnects: number;
  readonly pendingBytes?: number;
};

const STATES = ["live", "waiting", "missing", "stale", "invalid"];

/** The text of /metrics. */
export function hubMetrics({ figures, feed, plain, live, backlog, clients, startedAt, relay }: MetricsSources): string {
  const cpu = process.cpuUsage();
  const { state } = feed.status();
  const skipped: Sample[] = [
    { labels: { feed: "plain", reason: "slow" }, value: plain.skipped() },
    { labels: { feed: "live", reason: "slow" }, value: live.counts.fellBehind },
  ];
  return metricsText([
    gauge("csvcast_clients", "Connected clients.", samplesBy("feed", clients())),
    counter("csvcast_connections_total", "Clients that were let in.", samplesBy("feed", figures.connections)),
    counter("csvcast_refused_total", "Requests turned away.", samplesBy("reason", figures.refused)),
    counter("csvcast_closed_total", "Clients closed by the server.", closedBy(figures, backlog)),
    counter("csvcast_frames_sent_total", "Messages sent to clients.", samplesBy("feed", figures.frames)),
    counter("csvcast_frames_skipped_total", "Messages that passed slow clients by.", skipped),
    counter("csvcast_bytes_sent_total", "Bytes of the messages sent.", samplesBy("feed", figures.bytes)),
    gauge("csvcast_backlog_bytes", "Bytes of messages that slow clients have not taken yet.", backlog.bytes()),
    counter("csvcast_catch_ups_total", "Squashed deltas sent to who came back or fell behind.", live.counts.catchUps),
    counter("csvcast_snapshots_total", "Snapshots begun.", live.counts.snapshots),
    gauge("csvcast_file_state", "1 for the state that the file is in.", samplesBy("state", stateFlags(state))),
    gauge("csvcast_file_rows", "Rows of the table on air.", feed.rows()),
    gauge("csvcast_file_version", "The version of the table on air.", feed.cursor()?.version ?? 0),
    gauge("csvcast_file_changed_timestamp_seconds", "When the table last changed.", figures.fileChangedAt / 1000),
    histogram("csvcast_read_seconds", "From noticing a change to having it as a table.", figures.readSeconds),
    histogram("csvcast_tick_lag_seconds", "How late the plain feed's publications were.", figures.tickLagSeconds),
    ...(relay ? relayMetrics(relay) : []),
    gauge("process_resident_memory_bytes", "Resident memory.", process.memoryUsage.rss()),
    counter("process_cpu_seconds_total", "CPU time used.", (cpu.user + cpu.system) / 1e6),
    gauge("process_start_time_seconds", "When the server was started.", startedAt / 1000),
  ]);
}

function relayMetrics(relay: RelayCounts): Metric[] {
  return [
    gauge("csvcast_relay_connected", "1 while Redis answers.", relay.connected ? 1 : 0),
    gauge("csvcast_relay_heard_timestamp_seconds", "When the other side was last heard.", relay.heardAt / 1000),
    gauge("csvcast_relay_pending_bytes", "Bytes of changes that wait to be written.", relay.pendingBytes ?? 0),
    counter("csvcast_relay_entries_total", "Entries of the stream written, or read.", relay.entries),
    counter("csvcast_relay_bytes_total", "Bytes written, or read.", relay.bytes),
    counter("csvcast_relay_snapshots_total", "Snapshots written, or read.", relay.snapshots),
    counter("csvcast_relay_reconnects_total", "Connections that were lost.", relay.reconnects),
  ];
}

function closedBy({ closed }: Figures, backlog: Backlog): Sample[] {
  return samplesBy("reason", { stalled: backlog.closed.stalled, backlog: backlog.closed.overBudget, ...closed });
}

const stateFlags = (state: string) => Object.fromEntries(STATES.map((name) => [name, name === state ? 1 : 0]));

const sampled = (value: number | readonly Sample[]) => (typeof value === "number" ? [{ value }] : value);

function gauge(name: string, help: string, value: number | readonly Sample[]): Metric {
  return { name, help, type: "gauge", samples: sampled(value) };
}

function counter(name: string, help: string, value: number | readonly Sample[]): Metric {
  return { name, help, type: "counter", samples: sampled(value) };
}

function histogram(name: string, help: string, values: Histogram): Metric {
  return { name, help, type: "histogram", histogram: values };
}
