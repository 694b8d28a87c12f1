// A server for programs: opens hub, channel and relay, and wires them. Reads no command line and never exits.
import { randomBytes } from "node:crypto";
import { FIRST_TOPIC, openChannel } from "./channel/channel.ts";
import type { ServerEvent } from "./channel/events.ts";
import type { Certificate, FeedOptions } from "./channel/options.ts";
import { type Nameable, nameConflictIn } from "./channel/names.ts";
import { openNewest } from "./channel/newest.ts";
import { isPlace, nameOfPlace, openPlaces } from "./channel/places.ts";
import { openRelayed, type Relayed } from "./channel/relayed.ts";
import { openSources, openWithin, type Sources } from "./channel/sources.ts";
import { openTables, type Tables } from "./channel/tables.ts";
import { faultIn } from "./csv/options.ts";
import { defaultsOf } from "./cli/options.ts";
import { machineNames } from "./cli/server/addresses.ts";
import { serverOptions, serverSettings } from "./cli/server/options.ts";
import { printable } from "./feed/printable.ts";
import type { Publication, Status } from "./feed/publication.ts";
import { policyOf } from "./hub/access.ts";
import { type Hub, openHub } from "./hub/hub.ts";
import type { AccessOptions, NetworkOptions } from "./hub/options.ts";
import { isRelayUrl, relayRole } from "./relay/address.ts";
import type { RelayOptions } from "./relay/options.ts";
import { replayFault } from "./source/replay/speed.ts";
import { openMemory } from "./source/memory.ts";
import type { TableOptions } from "./source/settings.ts";
import { viewerFiles } from "./viewer/files.ts";

export type { ServerEvent } from "./channel/events.ts";

/** Everything has a default; `file` is what is published first. */
export type ServerOptions = Partial<TableOptions & FeedOptions & NetworkOptions & AccessOptions & RelayOptions> & {
  /**
   * A path, `-` for standard input, a web address, or the URL of a relay, whose tables are all served then. Without it nothing is
   * published before `open`.
   */
  readonly file?: string | undefined;
  /**
   * Several tables in place of `file`: each a location as that is, a folder (its `*.csv` and `*.tsv`) or a pattern (`logs/run-*.csv`), whose
   * tables come and go with their files. The first is `/` and `/csv`, and each `/NAME`: its `name`, or what its path is called.
   */
  readonly tables?: readonly Nameable[] | undefined;
  /** `file` is a folder or a pattern, and its newest file is the table. Default: false. */
  readonly isNewest?: boolean | undefined;
  /** Default: 256. */
  readonly maxTables?: number | undefined;
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
   * Publishes another file, or with `tables` one more. What was published still is until the new one has been read; resolves then, or when another one was
   * asked for meanwhile. Rejects with CsvError if it cannot be published, and with RangeError for a relay that may not be followed.
   */
  open(file: string): Promise<void>;
  /** With `tables`: takes one off the air. False if there is none of that name, or it is the first. */
  remove(name: string): boolean;
  /** The published table and its state; of several the first. */
  overview(): Overview;
  /** For connections from now on. Throws if it is none. */
  renew(certificate: Certificate): void;
  /** Closes all clients with 1001, within `graceMs` (5 s without it) for those that still take what is under way to them. */
  close(graceMs?: number): Promise<void>;
};

export type Overview = {
  readonly publication: Publication | undefined;
  readonly status: Status;
  /** Of all tables. */
  readonly clients: number;
  /** How many there are, and of them in a state that is not `live`. */
  readonly tables: number;
  readonly troubled: number;
  /** What they are called, the first one first; undefined while that has no file. */
  readonly names: readonly (string | undefined)[];
  /** What a file is called that is not there yet, and waited for. */
  readonly awaited: string | undefined;
  /** What is being read to take its place; `share` of it was read, from 0 to 1, if that is known. */
  readonly loading: { readonly name: string; readonly sinceMs: number; readonly share: number | undefined } | undefined;
};

/** A file that is gone from its folder may come back within this time. */
const GRACE_MS = 10_000;
/** Sources of tables that are just opened, while those whose place they take are still there. */
const AT_A_TIME = 16;
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
  const settings = settingsOf(options);
  const { file, isNewest, isMany, isStandby, relayUrl } = settings;
  const role = relayRole(
    file,
    relayUrl,
    isStandby,
    settings.tables?.map(({ location }) => location),
  );
  if ("fault" in role) throw new RangeError(role.fault);
  const onEvent = options.onEvent ?? (() => {});
  const token = settings.token ?? randomBytes(16).toString("hex");
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => {}); // whoever is interested hears of it

  const hub = openHub({ ...settings, access: policyOf(settings, token, machineNames()), pages: viewerFiles, onEvent });
  let relay: Relayed | undefined;
  const { tables, sources } = openAllTables(settings, hub, onEvent, () => relay);
  const channel = tables.first;
  let places: { close(): void } | undefined;
  relay = openRelayed(tables, {
    ...{ ...role, relayUrl, isStandby, isMany, heartbeatMs: settings.relayHeartbeatMs },
    hasOwn: file !== undefined || isMany,
    async openOwn(onKnown) {
      if (isMany || isNewest) {
        places = openGiven(settings, tables, onEvent, onKnown);
        return ready.resolve();
      }
      const opening = channel.open(role.location!, settings.waits);
      onKnown();
      await opening;
      ready.resolve();
    },
    onUnusable: ready.reject,
    onRefused: (reason) => onEvent({ type: "relay-refused", reason }),
    onEvent,
  });
  hub.serve(tables, relay);
  relay.begin();

  return {
    address: hub.address,
    token,
    ready: ready.promise,
    async open(typed) {
      const location = relay.resolve(typed);
      if (typeof location !== "string") throw new RangeError(location.fault);
      if (isMany) await tables.tryToAdd(location);
      else await channel.open(location);
    },
    remove: tables.remove,
    overview: () => overviewOf(tables),
    renew: hub.renew,
    async close(graceMs = CLOSE_GRACE_MS) {
      places?.close();
      tables.close();
      sources.close();
      await relay.close();
      await hub.close(graceMs);
    },
  };
}

type Settings = ReturnType<typeof settingsOf>;

/** With the defaults. Throws RangeError for options that contradict each other. */
function settingsOf(options: ServerOptions) {
  // An option that is undefined is one that was not given: not every compiler keeps programs from writing it so.
  const given: ServerOptions = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const defaults = serverSettings(defaultsOf(serverOptions));
  const { maxTables = defaults.maxTables, isNewest = false, ...merged } = { ...defaults, ...given };
  const locations = merged.tables?.map(({ location }) => location) ?? [merged.file];
  const replay = locations.map((location) => replayFault(merged, location)).find((found) => found !== undefined);
  const fault = conflictIn({ ...merged, isNewest }) ?? faultIn(merged) ?? replay;
  if (fault !== undefined) throw new RangeError(fault);
  return {
    ...merged,
    ...{ maxTables, isNewest, isMany: merged.tables !== undefined, port: options.port ?? 0 },
    waits: given.waitsForFile ?? merged.relayUrl !== undefined,
    lookMs: Math.min(merged.intervalMs, MAX_LOOK_MS),
  };
}

/** The first table has a Worker of its own, and the others share a few. */
function openAllTables(
  settings: Settings,
  hub: Hub,
  onEvent: (event: ServerEvent) => void,
  relay: () => Relayed | undefined,
) {
  const { file, isNewest, isMany, lookMs, maxTables, relayHeartbeatMs } = settings;
  const sourceSettings = {
    ...tableOptionsOf(settings),
    ...{ lookMs, watches: true, silenceMs: MISSED_BEATS * relayHeartbeatMs },
  };
  const sources = openSources();
  const all = openMemory(maxTables);
  const common = { pinned: openMemory(maxTables + AT_A_TIME), maxPinnedBytes: settings.maxBacklogBytes };
  const channelOn = (topic: string, open: Sources["open"], table?: string) =>
    openChannel({
      ...settings,
      topic,
      openSource(location, events, waits) {
        const tables = isMany || isRelayUrl(location) ? all : undefined;
        return openWithin({ ...common, tables }, open, { ...sourceSettings, location, waits, table }, events);
      },
      backlog: hub.backlog,
      broadcast: hub.broadcast,
      onTables: (listed, location) => table === undefined && relay()?.list(listed, location),
      onEvent(event) {
        onEvent(topic === FIRST_TOPIC ? event : { ...event, table: topic });
        if (topic === FIRST_TOPIC && event.type === "file-on-air") relay()?.review();
      },
    });
  const tables = openTables({
    first: channelOn(FIRST_TOPIC, sources.openFirst),
    firstName: isNewest ? nameOfPlace(file!) : undefined,
    openChannel: (topic) => channelOn(topic, sources.open),
    openFollowed: (name) => channelOn(name, sources.open, name),
    dismiss(channel, reason) {
      hub.dismiss(channel, reason);
      channel.close();
    },
    maxTables,
    graceMs: GRACE_MS,
    onEvent,
  });
  return { tables, sources };
}

/** Files, folders and patterns, of which there are several, or the newest file of one. */
function openGiven(
  { file, tables: given, lookMs }: Settings,
  tables: Tables,
  onEvent: (event: ServerEvent) => void,
  onKnown: () => void,
) {
  const options = {
    ...{ lookMs, watches: true, onKnown },
    onNone: (place: string, reason: string) =>
      onEvent({ type: "file-awaited", file: nameOfPlace(place), path: printable(place), reason }),
  };
  if (given) return openPlaces(given, tables, options);
  onKnown();
  return openNewest(file!, tables.first, options);
}

function overviewOf(tables: Tables): Overview {
  const { first } = tables;
  const all = tables.list();
  const channels = all.map(({ channel }) => channel);
  return {
    publication: first.feed.publication(),
    status: first.status(),
    clients: channels.flatMap((channel) => Object.values(channel.clients())).reduce((sum, count) => sum + count, 0),
    tables: channels.length,
    names: all.map(({ name }) => name),
    troubled: channels.filter((channel) => channel.status().state !== "live").length,
    awaited: first.awaited(),
    loading: first.loading(),
  };
}

/** Which options cannot be together, and the way out. */
function conflictIn({ file, tables, isNewest }: Pick<ServerOptions, "file" | "tables" | "isNewest">) {
  if (tables && file !== undefined) return "file and tables: give one of them";
  if (isNewest && (file === undefined || !isPlace(file)))
    return "--newest: needs one FILE that is a folder or a pattern";
  return tables && nameConflictIn(tables);
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
