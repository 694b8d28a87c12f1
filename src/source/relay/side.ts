// What a server has to do with a relay: it publishes its file there, follows one, or follows until it may publish; or nothing at all.
import type { Cursor } from "../../feed/protocol.ts";
import { type Rendering, STDIN, type TableChange, type TableFacts } from "../file.ts";
import { type Fault, followedRelay, isRelayUrl, type RelayAddress, relayAddress, type RelayRole } from "./address.ts";
import { show } from "../read.ts";
import { openPublisher, type PublisherFigures, type RelayStatus } from "./publisher.ts";
import type { ReplicaFigures } from "./replica.ts";

export type RelaySideOptions = RelayRole & {
  /** `--relay`: where to publish, or the credentials of what is followed. */
  readonly relayUrl: string | undefined;
  readonly isStandby: boolean;
  readonly heartbeatMs: number;
  /** The table on air. */
  readonly render: () => Promise<Rendering>;
  /** What a path is called. */
  readonly nameOf: (path: string) => string;
};

/** How clients know a table. */
export type Named = { readonly cursor: Cursor; readonly columnsJson: string };

export type RelaySideEvents = {
  /** This is to be put on air. */
  open(path: string): void;
  onWrongPath(message: string): void;
  /** Another server publishes the topic, and this one was not to stand by. */
  onRefused(message: string): void;
  /** The table on air needs a new epoch: gives what it is called then. */
  renew(columnsJson: string): Named;
  /** For the log. */
  readonly report: {
    owned(): void;
    taken(isStandby: boolean): void;
    away(why: string): void;
    back(): void;
    trouble(why: string): void;
  };
};

export type RelaySide = {
  /** Puts FILE on air, when that is right; nothing if there is none. */
  begin(): void;
  /** Puts a path that somebody typed on air. */
  enter(path: string): void;
  /** A table came on air, and is called so. */
  publish(path: string, facts: TableFacts, change: TableChange, named: Named): void;
  setStatus(status: RelayStatus): void;
  setReplica(figures: ReplicaFigures): void;
  /** The relay of this server, if there is one. */
  address(): RelayAddress | undefined;
  figures(): PublisherFigures | ReplicaFigures | undefined;
  close(): Promise<void>;
};

const addressOf = (path: string | undefined): RelayAddress | undefined => {
  const address = path !== undefined && isRelayUrl(path) ? relayAddress(path) : undefined;
  return address && "fault" in address ? undefined : address;
};

/** `topic csv at redis.example:6379`; undefined for a path that is no relay. */
export const relayName = (path: string) => addressOf(path)?.name;

export function openRelaySide(options: RelaySideOptions, events: RelaySideEvents): RelaySide {
  const { path: file, publishesTo, relayUrl, isStandby, heartbeatMs, render, nameOf } = options;
  const { report } = events;
  let onAir: { path: string; facts: TableFacts; columnsJson: string } | undefined;
  let replica: ReplicaFigures | undefined;
  let hasBegun = false; // with the file that is published
  let isFollowing = false; // until it may publish
  let isEstablished = false; // it has had the topic, or has served its clients without Redis: it is not ended any more
  const publisher =
    publishesTo &&
    openPublisher(
      { address: publishesTo, heartbeatMs, isStandby, render },
      {
        onOwned(isForeign) {
          report.owned();
          isEstablished = true;
          if (isStandby) openFile();
          if (isForeign && onAir) tell(onAir, events.renew(onAir.columnsJson), undefined);
        },
        onTaken() {
          if (!isEstablished && !isStandby) return events.onRefused(takenText(publishesTo));
          report.taken(isStandby && !hasBegun);
          if (isStandby) follow();
        },
        onAway(why) {
          report.away(why);
          isEstablished = true;
          if (isStandby) follow();
        },
        onBack: report.back,
        onTrouble: report.trouble,
      },
    );

  /** A standby opens it when the topic is its own. */
  function openFile(): void {
    if (hasBegun || file === undefined) return;
    hasBegun = true;
    events.open(file);
  }

  function follow(): void {
    if (hasBegun || isFollowing || relayUrl === undefined) return;
    isFollowing = true;
    events.open(relayUrl);
  }

  function tell(
    { path, facts }: { path: string; facts: TableFacts },
    { cursor, columnsJson }: Named,
    splices: string | undefined,
  ) {
    const { rows, bytes, dialect, warnings } = facts;
    publisher?.publish({ cursor, columnsJson, rows, bytes, file: nameOf(path), dialect, warnings }, splices);
  }

  function resolved(path: string): string | Fault {
    if (!isRelayUrl(path)) return path;
    if (publisher)
      return { fault: `${relayName(path) ?? "a relay"}: this server publishes to a relay, and follows none` };
    return followedRelay(path, relayUrl);
  }

  return {
    begin() {
      if (file === undefined || isStandby) return;
      events.open(file);
    },
    enter(typed) {
      const path = resolved(typed);
      if (typeof path === "string") events.open(path);
      else events.onWrongPath(path.fault);
    },
    publish(path, facts, change, named) {
      onAir = { path, facts, columnsJson: named.columnsJson };
      if (isRelayUrl(path)) return;
      hasBegun = true;
      tell(onAir, named, change.isNewEpoch ? undefined : change.splices);
    },
    setStatus(status) {
      if (onAir && !isRelayUrl(onAir.path)) publisher?.setStatus(status);
    },
    setReplica: (figures) => void (replica = figures),
    address: () => publishesTo ?? addressOf(onAir?.path ?? file),
    figures: () => publisher?.figures() ?? replica,
    close: async () => publisher?.close(),
  };
}

const takenText = ({ name }: RelayAddress) =>
  `relay: ${name} is published by another server; take another topic (?topic=NAME), or stand by with --standby`;

/** How a path is called in messages, never with what is secret in it; `file` is what a relay's publisher calls its file. */
export function pathName(path: string, file: string | undefined, base: (path: string) => string): string {
  if (path === STDIN) return "standard input";
  const relay = relayName(path);
  return relay === undefined || file === undefined ? (relay ?? base(path)) : `${show(file)} (${relay})`;
}
