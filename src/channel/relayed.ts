// What the tables of a server have to do with a relay: they are published there, each under its name, or come from there, or both, one
// after the other.
import type { Sink } from "../feed/publication.ts";
import { isRelayUrl, type RelayRole } from "../relay/address.ts";
import type { RelayEvent } from "../relay/events.ts";
import { type OpenRelayRole, openRelayRole } from "../relay/standby.ts";
import { FIRST_TABLE } from "../relay/wire.ts";
import type { LinkCounts, ListedTables } from "../source/source.ts";
import type { Channel } from "./channel.ts";
import type { Tables } from "./tables.ts";

export type RelayedOptions = RelayRole & {
  readonly relayUrl: string | undefined;
  readonly isStandby: boolean;
  readonly heartbeatMs: number;
  /** The server was given something to serve. */
  readonly hasOwn: boolean;
  /** Several tables, or what there is in folders. */
  readonly isMany: boolean;
  /** Serves what the server was given; `onKnown` is to be called once, when it is known which tables that are. */
  readonly openOwn: (onKnown: () => void) => Promise<void>;
  /** What `openOwn` rejected with. */
  readonly onUnusable: (error: unknown) => void;
  /** Another server publishes the topic, and this one was not to stand by. */
  readonly onRefused: (problem: string) => void;
  readonly onEvent: (event: RelayEvent) => void;
};

export type Relayed = Pick<OpenRelayRole, "begin" | "resolve" | "close"> & {
  /** The relay that the server publishes to, or that it follows. */
  address(): ReturnType<OpenRelayRole["address"]>;
  counts(): ReturnType<OpenRelayRole["counts"]> | LinkCounts;
  /** The relay that is followed at `location` has these tables. */
  list(tables: ListedTables, location: string): void;
  /** The first table may come from somewhere else, or be called otherwise. */
  review(): void;
};

export function openRelayed(tables: Tables, options: RelayedOptions): Relayed {
  const { first } = tables;
  const sinks = new Map<Channel, Sink>();
  let isOwn = false;
  let isKnown = false;
  let following: string | undefined; // where the first table comes from, if that is a relay

  const role = openRelayRole(options, {
    openOwn() {
      isOwn = options.publishesTo !== undefined;
      return options.openOwn(() => {
        isKnown = true;
        if (isOwn) tables.follow(undefined);
        review();
      });
    },
    follow: (location) => first.open(location, true),
    onUnusable: options.onUnusable,
    reopen(table) {
      const channel = table === FIRST_TABLE ? first : tables.at(table);
      const location = channel?.location();
      if (location !== undefined) void channel!.open(location).catch(() => {}); // what is published still is
    },
    onRefused: options.onRefused,
    onEvent: options.onEvent,
  });

  /** Each table has a sink as long as it is served, and the relay has the list of them. */
  function review(): void {
    if (!options.publishesTo) return leave();
    const all = tables.list();
    const served = new Set(all.map(({ channel }) => channel));
    for (const [channel, sink] of sinks)
      if (!served.has(channel)) {
        void sink.close();
        sinks.delete(channel);
      }
    for (const { channel, isFirst } of all) {
      if (sinks.has(channel)) continue;
      const sink = role.sinkOf(isFirst ? FIRST_TABLE : channel.topic, () => channel.snapshot("rows"));
      if (!sink) continue;
      sinks.set(channel, sink);
      channel.addSink(sink);
    }
    if (!isKnown) return;
    role.setTables({
      first: all.find(({ isFirst }) => isFirst)?.name,
      others: all.flatMap(({ name, isFirst }) => (isFirst || name === undefined ? [] : [name])),
    });
  }

  /** The first table comes from somewhere else now. */
  function leave(): void {
    const location = first.location() ?? first.expected();
    const before = following;
    if (before === undefined || location === undefined || location === before) return;
    following = isRelayUrl(location) ? location : undefined;
    tables.follow(undefined, before);
  }

  tables.onChange(review);
  review();
  return {
    begin: role.begin,
    resolve: role.resolve,
    close: role.close,
    address: () => role.address(first.location()),
    counts: () => role.counts(first.link()),
    list(listed, location) {
      if (isOwn) return;
      leave();
      if (location === (first.location() ?? first.expected())) following = location;
      tables.follow(listed, location);
    },
    review,
  };
}
