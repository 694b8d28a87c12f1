// What is counted of a hub, and what /metrics says of it and its channel.
import pkg from "../../package.json";
import { type Channel, FIRST_TOPIC, type Traffic } from "../channel/channel.ts";
import { CLIENT_KINDS, type ClientKind, type RefusalCause } from "../channel/events.ts";
import { type Histogram, openHistogram } from "../channel/histogram.ts";
import type { Tables } from "../channel/tables.ts";
import { STATES } from "../feed/protocol.ts";
import type { LinkCounts } from "../source/source.ts";
import type { BoundedBacklog } from "./backlog.ts";
import { type Labels, type Metric, metricsText, type Sample, samplesBy } from "./metrics.ts";

/** Counts since the start; each is counted where it happens. */
export type Figures = {
  readonly connections: Record<ClientKind, number>;
  readonly refused: Record<RefusalCause, number>;
  /** By the runtime, for what the client did. */
  readonly closed: Record<"message" | "protocol" | "idle", number>;
  readonly tickLagSeconds: Histogram;
};

const LAG_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

export function openFigures(): Figures {
  return {
    connections: { plain: 0, live: 0, events: 0 },
    refused: { host: 0, origin: 0, token: 0, guesses: 0, full: 0, address: 0 },
    closed: { message: 0, protocol: 0, idle: 0 },
    tickLagSeconds: openHistogram(LAG_BOUNDS),
  };
}

export type MetricsSources = {
  readonly figures: Figures;
  readonly tables: Tables;
  readonly backlog: BoundedBacklog;
  readonly startedAt: number;
  readonly relay: RelayCounts | undefined;
};

/** Of a replica, or of a publisher, which has a role and a queue. */
export type RelayCounts = LinkCounts & {
  readonly role?: string;
  readonly pendingEntries?: number;
  readonly pendingBytes?: number;
};

/** The text of /metrics: `table` is the name of each, at most `--max-tables`. */
export function serverMetrics({ figures, tables, backlog, startedAt, relay }: MetricsSources): string {
  const cpu = process.cpuUsage();
  return metricsText([
    gauge("csvcast_build_info", "What runs here; always 1.", samplesOf(1, { version: pkg.version, bun: Bun.version })),
    counter("csvcast_connections_total", "Clients that were let in.", samplesBy("feed", figures.connections)),
    counter("csvcast_refused_total", "Requests turned away.", samplesBy("reason", figures.refused)),
    counter("csvcast_closed_total", "Clients closed by the server.", closedBy(figures, backlog)),
    gauge("csvcast_backlog_bytes", "Bytes of messages that slow clients have not taken yet.", backlog.bytes()),
    gauge("csvcast_waiting_clients", "Clients that wait for room in the backlog.", backlog.waiting()),
    ...tableMetrics(tables.list().map(({ name, channel }) => ({ table: name ?? FIRST_TOPIC, channel }))),
    gauge("csvcast_tables_refused", "Files that cannot be tables.", tables.refused().length),
    histogram("csvcast_tick_lag_seconds", "How late the plain feed's publications were.", figures.tickLagSeconds),
    ...(relay ? relayMetrics(relay) : []),
    gauge("process_resident_memory_bytes", "Resident memory.", process.memoryUsage.rss()),
    counter("process_cpu_seconds_total", "CPU time used.", (cpu.user + cpu.system) / 1e6),
    gauge("process_start_time_seconds", "When the server was started.", startedAt / 1000),
  ]);
}

type Measured = { readonly table: string; readonly channel: Channel };

function tableMetrics(all: readonly Measured[]): Metric[] {
  const of = (read: (channel: Channel) => number | readonly Sample[]): Sample[] =>
    all.flatMap(({ table, channel }) =>
      sampled(read(channel)).map(({ labels, value }) => ({ labels: { table, ...labels }, value })),
    );
  const skipped = ({ plain, live }: Channel): Sample[] => [
    { labels: { feed: "plain", reason: "slow" }, value: plain.skipped },
    { labels: { feed: "live", reason: "slow" }, value: live.counts.fellBehind },
  ];
  const sent = (what: "messages" | "bytes") => of(({ traffic }) => samplesBy("feed", trafficOf(traffic, what)));
  return [
    gauge(
      "csvcast_clients",
      "Connected clients.",
      of((channel) => samplesBy("feed", channel.clients())),
    ),
    counter("csvcast_frames_sent_total", "Messages sent to clients.", sent("messages")),
    counter("csvcast_frames_skipped_total", "Messages that passed slow clients by.", of(skipped)),
    counter("csvcast_bytes_sent_total", "Bytes of the messages sent.", sent("bytes")),
    counter(
      "csvcast_catch_ups_total",
      "Squashed deltas sent to who came back or fell behind.",
      of(({ live }) => live.counts.catchUps),
    ),
    counter(
      "csvcast_snapshots_total",
      "Snapshots begun.",
      of(({ live }) => live.counts.snapshots),
    ),
    gauge(
      "csvcast_file_state",
      "1 for the state that the file is in.",
      of((channel) => samplesBy("state", stateFlags(channel.status().state))),
    ),
    gauge(
      "csvcast_file_rows",
      "Rows of the table.",
      of(({ feed }) => feed.rows()),
    ),
    gauge(
      "csvcast_file_version",
      "The version of the table.",
      of(({ feed }) => feed.cursor()?.version ?? 0),
    ),
    gauge(
      "csvcast_file_changed_timestamp_seconds",
      "When the source last changed.",
      of(({ feed }) => (feed.publication()?.about.changedAt ?? 0) / 1000),
    ),
    {
      name: "csvcast_read_seconds",
      help: "From noticing a change to having it as a table.",
      type: "histogram",
      histograms: all.map(({ table, channel }) => ({ labels: { table }, values: channel.readSeconds })),
    },
  ];
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

const trafficOf = (traffic: Traffic, what: "messages" | "bytes") =>
  Object.fromEntries(CLIENT_KINDS.map((kind) => [kind, traffic[kind][what]]));

function closedBy({ closed }: Figures, backlog: BoundedBacklog): Sample[] {
  return samplesBy("reason", { stalled: backlog.closed.stalled, backlog: backlog.closed.overBudget, ...closed });
}

const stateFlags = (state: string) => Object.fromEntries(STATES.map((name) => [name, name === state ? 1 : 0]));

const samplesOf = (value: number, labels: Labels): Sample[] => [{ labels, value }];

const sampled = (value: number | readonly Sample[]) => (typeof value === "number" ? [{ value }] : value);

function gauge(name: string, help: string, value: number | readonly Sample[]): Metric {
  return { name, help, type: "gauge", samples: sampled(value) };
}

function counter(name: string, help: string, value: number | readonly Sample[]): Metric {
  return { name, help, type: "counter", samples: sampled(value) };
}

function histogram(name: string, help: string, values: Histogram): Metric {
  return { name, help, type: "histogram", histograms: [{ values }] };
}
