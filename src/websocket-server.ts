// A server for programs: opens hub, channel and relay, and wires them. Reads no command line and never exits.
import { randomBytes } from "node:crypto";
import { openChannel } from "./channel/channel.ts";
import type { ServerEvent } from "./channel/events.ts";
import type { Certificate, FeedOptions } from "./channel/options.ts";
import { openSource } from "./channel/sources.ts";
import { faultIn } from "./csv/options.ts";
import { defaultsOf } from "./cli/options.ts";
import { machineNames } from "./cli/server/addresses.ts";
import { serverOptions, serverSettings } from "./cli/server/options.ts";
import type { Publication, Status } from "./feed/publication.ts";
import { policyOf } from "./hub/access.ts";
import { openHub } from "./hub/hub.ts";
import type { AccessOptions, NetworkOptions } from "./hub/options.ts";
import { relayRole } from "./relay/address.ts";
import type { RelayOptions } from "./relay/options.ts";
import { openRelayRole } from "./relay/standby.ts";
import { replayFault } from "./source/replay/speed.ts";
import type { TableOptions } from "./source/settings.ts";
import { viewerFiles } from "./viewer/files.ts";

export type { ServerEvent } from "./channel/events.ts";

/** Everything has a default; `file` is what is published first. */
export type ServerOptions = Partial<TableOptions & FeedOptions & NetworkOptions & AccessOptions & RelayOptions> & {
  /** A path, `-` for standard input, a web address, or the URL of a relay. Without it nothing is published before `open`. */
  readonly file?: string | undefined;
  /** A `file` that is not there yet is waited for, and not refused. Default: only with `relayUrl`. */
  readonly waitsForFile?: boolean | undefined;
  /** Everything worth a line in a log. */
  readonly onEvent?: ((event: ServerEvent) => void) | undefined;
};

export type ServerHandle = {
  readonly address: { readonly hostname: string; readonly port: number; readonly scheme: "ws" | "wss" };
  /** What others need to come in: the given token, or the random one that other machines need. */
  readonly token: string;
  /** Resolves when the first table of `file` is published; rejects with CsvError if that cannot be. */
  readonly ready: Promise<void>;
  /**
   * Publishes another file. What was published still is until the new one has been read; resolves then, or when another one was
   * asked for meanwhile. Rejects with CsvError if it cannot be published, and with RangeError for a relay that may not be followed.
   */
  open(file: string): Promise<void>;
  /** The published table and its state. */
  overview(): Overview;
  /** For connections from now on. Throws if it is none. */
  renew(certificate: Certificate): void;
  /** Closes all clients with 1001, within `graceMs` (5 s without it) for those that still take what is under way to them. */
  close(graceMs?: number): Promise<void>;
};

export type Overview = {
  readonly publication: Publication | undefined;
  readonly status: Status;
  readonly clients: number;
  /** What a file is called that is not there yet, and waited for. */
  readonly awaited: string | undefined;
  /** What is being read to take its place; `share` of it was read, from 0 to 1, if that is known. */
  readonly loading: { readonly name: string; readonly sinceMs: number; readonly share: number | undefined } | undefined;
};

/** For clients that still take what is under way; nobody waits for those who do not. */
const CLOSE_GRACE_MS = 5_000;
/** Between two looks at a file, however long the interval. */
const MAX_LOOK_MS = 1_000;
/** A relay without its heartbeat for so many of them is stale. */
const MISSED_BEATS = 5;

/**
 * Starts a server that publishes a CSV file over WebSocket. Takes nothing but its options: no command line, no environment.
 * Throws what Bun.serve throws if the address cannot be had, and RangeError for relay options that contradict each other.
 */
export function websocketServer(options: ServerOptions = {}): ServerHandle {
  // An option that is undefined is one that was not given: not every compiler keeps programs from writing it so.
  const given: ServerOptions = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings = { ...serverSettings(defaultsOf(serverOptions)), ...given, port: options.port ?? 0 };
  const { file, relayHeartbeatMs: heartbeatMs } = settings;
  const waitsForFile = given.waitsForFile ?? settings.relayUrl !== undefined;
  const fault = faultIn(settings) ?? replayFault(settings, file);
  if (fault !== undefined) throw new RangeError(fault);
  const role = relayRole(file, settings.relayUrl, settings.isStandby);
  if ("fault" in role) throw new RangeError(role.fault);
  const onEvent = options.onEvent ?? (() => {});
  const lookMs = Math.min(settings.intervalMs, MAX_LOOK_MS);
  const sourceSettings = { ...tableOptionsOf(settings), lookMs, watches: true, silenceMs: MISSED_BEATS * heartbeatMs };
  const token = settings.token ?? randomBytes(16).toString("hex");
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => {}); // whoever is interested hears of it

  const hub = openHub({ ...settings, access: policyOf(settings, token, machineNames()), pages: viewerFiles, onEvent });
  const channel = openChannel({
    ...settings,
    topic: "csv",
    openSource: (location, events, waits) => openSource({ ...sourceSettings, location, waits }, events),
    backlog: hub.backlog,
    broadcast: hub.broadcast,
    onEvent,
  });
  const relay = openRelayRole(
    {
      ...role,
      relayUrl: settings.relayUrl,
      isStandby: settings.isStandby,
      heartbeatMs,
      snapshot: () => channel.snapshot("rows"),
    },
    {
      open: (location) => channel.open(location, waitsForFile).then(ready.resolve),
      onUnusable: ready.reject,
      reopen() {
        const location = channel.location();
        if (location !== undefined) void channel.open(location).catch(() => {}); // what is published still is
      },
      onRefused: (reason) => onEvent({ type: "relay-refused", reason }),
      onEvent,
    },
  );
  if (relay.sink) channel.addSink(relay.sink);
  hub.serve(channel, { address: () => relay.address(channel.location()), counts: () => relay.counts(channel.link()) });
  relay.begin();

  return {
    address: hub.address,
    token,
    ready: ready.promise,
    async open(typed) {
      const location = relay.resolve(typed);
      if (typeof location !== "string") throw new RangeError(location.fault);
      await channel.open(location);
    },
    overview: () => ({
      publication: channel.feed.publication(),
      status: channel.status(),
      clients: Object.values(channel.clients()).reduce((sum, count) => sum + count, 0),
      awaited: channel.awaited(),
      loading: channel.loading(),
    }),
    renew: hub.renew,
    async close(graceMs = CLOSE_GRACE_MS) {
      channel.close();
      await relay.close();
      await hub.close(graceMs);
    },
  };
}

/** What a Worker is told of them: values only. */
function tableOptionsOf({
  lastRows,
  maxFileBytes,
  maxMemoryBytes,
  maxCellBytes,
  settleMs,
  pollMs,
  replay,
  replayBy,
  loops,
  ...read
}: TableOptions): TableOptions {
  const { delimiter, encoding, maxColumns, skipLines, headerLine, skipAfterHeader, comment, noHeader } = read;
  const { names, trim, quote, escape, types } = read;
  return {
    ...{ delimiter, encoding, maxColumns, skipLines, headerLine, skipAfterHeader, comment, noHeader },
    ...{ names, trim, quote, escape, types, lastRows, maxFileBytes, maxMemoryBytes, maxCellBytes, settleMs, pollMs },
    ...{ replay, replayBy, loops },
  };
}
