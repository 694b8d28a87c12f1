// The tables that a server has by way of a relay, beside the first one: they are there while their publisher has them, under its names.
import { printable } from "../feed/printable.ts";
import type { ListedTables } from "../source/source.ts";
import type { Channel } from "./channel.ts";
import type { TableEvent } from "./events.ts";
import { isTableName } from "./names.ts";
import { nameOf } from "./sources.ts";
import type { Refused } from "./tables.ts";

export type FollowedOptions = {
  /** A channel for the table of this name of the relay that is opened in it. */
  readonly openChannel: (name: string) => Channel;
  /** Closes the clients of a channel, and the channel. */
  readonly dismiss: (channel: Channel, reason: string) => void;
  /** How many more tables there may be. */
  readonly room: () => number;
  readonly maxTables: number;
  /** Whether another table of this server has the name. */
  readonly isTaken: (name: string) => boolean;
  readonly onEvent: (event: TableEvent) => void;
};

export type FollowedTables = {
  /** What is at this location now; undefined if nothing is followed any more. */
  follow(tables: ListedTables | undefined, location: string): void;
  /** What was left out may have its place now. */
  review(): void;
  /** What the first table is called. */
  firstName(): string | undefined;
  all(): ReadonlyMap<string, Channel>;
  refused(): readonly Refused[];
  /** Gives a channel away, to be opened with something else: until that is there it has what it has. */
  adopt(name: string): Channel | undefined;
  close(): void;
};

export function openFollowed(options: FollowedOptions): FollowedTables {
  const { openChannel, dismiss, room, maxTables, isTaken, onEvent } = options;
  const channels = new Map<string, Channel>();
  let first: string | undefined;
  let from = "";
  let faults: readonly string[] = [];
  let last: ListedTables | undefined;

  function drop(name: string, channel: Channel): void {
    channels.delete(name);
    dismiss(channel, "the publisher has this table no more");
    onEvent({ type: "file-gone", file: `${name} (${nameOf(from)})` });
  }

  function refuse(reasons: readonly string[]): void {
    const news = reasons.filter((reason) => !faults.includes(reason));
    faults = reasons;
    for (const reason of news) onEvent({ type: "file-refused", reason: `${nameOf(from)}: ${reason}` });
  }

  function follow(tables: ListedTables | undefined, location: string): void {
    const isElsewhere = location !== from;
    const wanted = tables?.others ?? (tables && !isElsewhere ? [...channels.keys()] : []); // a list that cannot be read is no list
    const named = wanted.filter(isTableName);
    const names = named.filter((name) => channels.has(name) || !isTaken(name));
    for (const [name, channel] of [...channels]) if (isElsewhere || !names.includes(name)) drop(name, channel);
    from = location;
    last = tables;
    if (!tables || tables.others)
      first = tables?.first !== undefined && isTableName(tables.first) ? tables.first : undefined;
    let surplus = 0;
    for (const name of names) {
      if (channels.has(name)) continue;
      if (room() <= 0) surplus++;
      else open(name, location);
    }
    refuse([
      ...(tables?.fault === undefined ? [] : [printable(tables.fault)]),
      ...(named.length < wanted.length
        ? [`${wanted.length - named.length} of its tables have a name that is none`]
        : []),
      ...named
        .filter((name) => !names.includes(name))
        .map((name) => `its ${name} is left out: there is a /${name} here`),
      ...(surplus > 0 ? [`${surplus} more tables: ${maxTables} tables are served already (--max-tables)`] : []),
    ]);
  }

  function open(name: string, location: string): void {
    const channel = openChannel(name);
    channels.set(name, channel);
    channel.open(location, true).catch(() => {}); // why is in its state
  }

  return {
    follow,
    review: () => void (last && follow(last, from)),
    firstName: () => first,
    all: () => channels,
    refused: () => faults.map((reason) => ({ file: nameOf(from), reason, isNamed: false })),
    adopt(name) {
      const channel = channels.get(name);
      channels.delete(name);
      return channel;
    },
    close() {
      for (const channel of channels.values()) channel.close();
    },
  };
}
