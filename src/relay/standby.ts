// What a server does with a relay: it publishes its tables there, follows one, or follows until it may publish; or nothing at all.
import type { Sink } from "../feed/publication.ts";
import type { LinkCounts, Snapshot } from "../source/source.ts";
import {
  type Fault,
  followedRelay,
  isRelayUrl,
  relayAddress,
  type RelayAddress,
  relayName,
  type RelayRole,
} from "./address.ts";
import type { RelayEvent } from "./events.ts";
import { FIRST_TABLE } from "./wire.ts";
import { openPublisher, type PublisherCounts, type PublisherEvents } from "./publish/publisher.ts";
import type { PublishedTables } from "./publish/tables.ts";

export type RelayRoleOptions = RelayRole & {
  /** `--relay`: where to publish, or the credentials of what is followed. */
  readonly relayUrl: string | undefined;
  /** Follow while another server publishes, and publish when it does not any more. */
  readonly isStandby: boolean;
  readonly heartbeatMs: number;
  /** It was given something to serve. */
  readonly hasOwn: boolean;
  /** What it serves are several tables: another file takes the place of none. */
  readonly isMany: boolean;
};

export type RelayRoleEvents = {
  /** What the server was given is to be served, when it is there. Rejects if it cannot. */
  openOwn(): Promise<void>;
  /** The tables of this relay are to be served. Rejects if they cannot. */
  follow(location: string): Promise<void>;
  /** What these rejected with. */
  onUnusable(error: unknown): void;
  /** The file of a table is to be read anew, in a new epoch: another server has written over the one that is published. */
  reopen(table: string): void;
  /** Another server publishes the topic, and this one was not to stand by. */
  onRefused(problem: string): void;
  onEvent(event: RelayEvent): void;
};

export type OpenRelayRole = {
  /** What takes the publications of a table; undefined if this server publishes to no relay. */
  sinkOf(table: string, snapshot: () => Promise<Snapshot<"rows">>): Sink | undefined;
  /** The tables of this server, of which each has a sink. */
  setTables(tables: PublishedTables): void;
  /** Opens what the server was given, when that is right. */
  begin(): void;
  /** The location that a path which somebody typed leads to. */
  resolve(typed: string): string | Fault;
  /** The relay that this server publishes to, or that it follows at `current`, which is FILE if nothing else is open. */
  address(current?: string): RelayAddress | undefined;
  /** `link`: that of the source, if it has one. */
  counts(link: LinkCounts | undefined): PublisherCounts | LinkCounts | undefined;
  close(): Promise<void>;
};

type RoleState = {
  readonly options: RelayRoleOptions;
  readonly events: RelayRoleEvents;
  /** Of the relay that is published to. */
  readonly relay: string;
  /** What was given was opened, or another file in its place: from then on a standby follows no more. */
  hasFile: boolean;
  isFollowing: boolean;
  /** It has had the topic, or has served its clients without Redis: it is not ended any more. */
  isEstablished: boolean;
  isOwner: boolean;
  isClosed: boolean;
};

export function openRelayRole(options: RelayRoleOptions, events: RelayRoleEvents): OpenRelayRole {
  const { location, publishesTo, relayUrl, isStandby, heartbeatMs, hasOwn, isMany } = options;
  const relay = publishesTo?.name ?? "";
  const state: RoleState = {
    options,
    events,
    relay,
    hasFile: false,
    isFollowing: false,
    isEstablished: false,
    isOwner: false,
    isClosed: false,
  };
  const publisher = publishesTo && openPublisher({ address: publishesTo, heartbeatMs, isStandby }, eventsOf(state));
  return {
    sinkOf(table, snapshot) {
      const sink = publisher?.table(table, snapshot);
      return (
        sink && {
          ...sink,
          publish(publication) {
            if (publication.about.relay === undefined && !isMany) state.hasFile = true;
            sink.publish(publication);
          },
        }
      );
    },
    setTables: (tables) => publisher?.setTables(tables),
    begin() {
      if (hasOwn && !isStandby) open(state, events.openOwn());
    },
    resolve(typed) {
      if (!isRelayUrl(typed)) return typed;
      if (publisher) return { fault: `${relayName(typed)}: this server publishes to a relay, and follows none` };
      return followedRelay(typed, relayUrl);
    },
    address: (current = location) => publishesTo ?? addressOf(current),
    counts: (link) => publisher?.counts() ?? link,
    async close() {
      state.isClosed = true;
      await publisher?.close();
    },
  };
}

function eventsOf(state: RoleState): PublisherEvents {
  const { options, events, relay } = state;
  return {
    onOwned: () => own(state),
    onForeign: (table) => events.reopen(table),
    onTaken: () => giveWay(state),
    onAway(reason) {
      events.onEvent({ type: "relay-away", relay, reason });
      state.isEstablished = true;
      if (options.isStandby) follow(state);
    },
    onBack: () => events.onEvent({ type: "relay-back", relay }),
    onTrouble: (table, reason) =>
      events.onEvent({ type: "relay-trouble", relay, reason, ...(table !== FIRST_TABLE && { table }) }),
  };
}

function own(state: RoleState): void {
  const { options, events, relay, isOwner } = state;
  state.isOwner = state.isEstablished = true;
  if (!isOwner) events.onEvent({ type: "relay-published", relay });
  if (options.isStandby) openFile(state);
}

function giveWay(state: RoleState): void {
  const { options, events, relay, hasFile, isEstablished } = state;
  const { isStandby } = options;
  state.isOwner = false;
  if (!isEstablished && !isStandby) return events.onRefused(takenText(relay));
  events.onEvent({ type: "relay-taken", relay, isStandby: isStandby && !hasFile });
  if (isStandby) follow(state);
}

/** A standby opens it when the topic is its own. */
function openFile(state: RoleState): void {
  if (state.hasFile || !state.options.hasOwn) return;
  state.hasFile = true;
  open(state, state.events.openOwn()); // it serves what it has followed until that is there
}

function open({ events }: RoleState, opening: Promise<void>): void {
  opening.catch(events.onUnusable);
}

function follow(state: RoleState): void {
  const { relayUrl } = state.options;
  if (state.hasFile || state.isFollowing || relayUrl === undefined) return;
  state.isFollowing = true;
  open(state, state.events.follow(relayUrl));
}

function addressOf(location: string | undefined): RelayAddress | undefined {
  const address = location !== undefined && isRelayUrl(location) ? relayAddress(location) : undefined;
  return address && "fault" in address ? undefined : address;
}

const takenText = (relay: string) =>
  `relay: ${relay} is published by another server; take another topic (?topic=NAME), or stand by with --standby`;
