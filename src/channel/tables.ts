// The tables of a server: which channel is at which address. Those that were named are there until they are taken off; those of a folder or
// a pattern come and go with their files, and those of a relay with its list. The first one is also `/` and `/csv`, for good.
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { CsvError } from "../csv/error.ts";
import { isRelayUrl } from "../relay/address.ts";
import type { ListedTables } from "../source/source.ts";
import type { Found } from "../source/folder.ts";
import { fileName, STDIN } from "../source/location.ts";
import type { Channel } from "./channel.ts";
import type { TableEvent } from "./events.ts";
import { type FollowedTables, openFollowed } from "./followed.ts";
import { type Nameable, namesOf } from "./names.ts";
import { nameOf } from "./sources.ts";

export type TablesOptions = {
  /** On topic `csv`. */
  readonly first: Channel;
  /** What the first one is called, whatever is published there; without it that comes of its location. */
  readonly firstName?: string | undefined;
  readonly openChannel: (topic: string) => Channel;
  /** The same, for the table of that name of a relay. */
  readonly openFollowed: (name: string) => Channel;
  /** Closes the clients of a channel, which is closed itself then. */
  readonly dismiss: (channel: Channel, reason: string) => void;
  readonly maxTables: number;
  /** A file that is not there any more may come back within this time, in ms. */
  readonly graceMs: number;
  readonly onEvent: (event: TableEvent) => void;
};

/** A table that is served. `name` is undefined only of the first one while there is none. */
export type Served = {
  readonly name: string | undefined;
  readonly channel: Channel;
  readonly isFirst: boolean;
  /** It was asked for by name, and did not come of a folder or a pattern. */
  readonly isNamed: boolean;
};

/** `file`: what it is called, without its folder; `isNamed`: it was asked for by name. */
export type Refused = { readonly file: string; readonly reason: string; readonly isNamed: boolean };

export type Tables = {
  readonly first: Channel;
  /** The first one, and the others by name. */
  list(): readonly Served[];
  at(name: string): Channel | undefined;
  /** Files that cannot be tables, and why. */
  refused(): readonly Refused[];
  /** Locations to be served beside the others; each is listed with the reason if it cannot be, and tried again when its file changes. */
  add(all: readonly Nameable[]): void;
  /** One more, which is not there yet or cannot be published: rejects with CsvError, and is not listed. */
  tryToAdd(location: string): Promise<void>;
  /** Takes a table off the air. False if there is none of that name, or it is the first. */
  remove(name: string): boolean;
  /** What folders and patterns have now. */
  find(places: ReadonlyMap<string, Found>): void;
  /** The relay at `location` has these beside its first; undefined if it is followed no more; without a location none is. */
  follow(tables: ListedTables | undefined, location?: string): void;
  /** Tries again what was refused, if its file is another by now. To be called every second or so. */
  beat(): void;
  /** Hears of each change of the list; returns how to hear no more. */
  onChange(listener: () => void): () => void;
  close(): void;
};

type Entry = {
  readonly location: string;
  readonly given: string | undefined;
  /** Where it was found; undefined if it was named. */
  place: string | undefined;
  name: string;
  channel: Channel | undefined;
  /** Why it is no table, and what its file was then. */
  refusal: { readonly reason: string; readonly mark: string } | undefined;
  leaving: ReturnType<typeof setTimeout> | undefined;
};

type State = {
  readonly options: TablesOptions;
  readonly entries: Map<string, Entry>;
  readonly byName: Map<string, Entry>;
  readonly places: Map<string, Found>;
  /** Files that are there and were taken off the air: they stay off until they have gone. */
  readonly removed: Set<string>;
  readonly listeners: Set<() => void>;
  /** What comes by relays, by location. */
  readonly relays: Map<string, FollowedTables>;
  first: Entry | undefined;
  /** Entries that have a channel of their own. */
  served: number;
  isClosed: boolean;
};

export function openTables(options: TablesOptions): Tables {
  const state: State = {
    options,
    entries: new Map(),
    byName: new Map(),
    places: new Map(),
    removed: new Set(),
    listeners: new Set(),
    relays: new Map(),
    first: undefined,
    served: 0,
    isClosed: false,
  };
  return {
    first: options.first,
    list: () => listOf(state),
    at: (name) =>
      name === firstName(state) ? options.first : (state.byName.get(name)?.channel ?? followed(state).get(name)),
    refused: () => refusedOf(state),
    add(all) {
      for (const { location, name } of all) nameEntry(state, location, name);
      forget(settle(state));
    },
    tryToAdd: (location) => tryToAdd(state, location),
    remove: (name) => remove(state, name),
    find: (places) => find(state, places),
    follow: (tables, location) => follow(state, tables, location),
    beat: () => beat(state),
    onChange(listener) {
      state.listeners.add(listener);
      return () => void state.listeners.delete(listener);
    },
    close: () => close(state),
  };
}

function follow(state: State, tables: ListedTables | undefined, location?: string): void {
  if (state.isClosed) return;
  if (tables) relayAt(state, location!).follow(tables, location!);
  else
    for (const [from, relay] of [...state.relays]) {
      if (location !== undefined && from !== location) continue;
      relay.follow(undefined, from);
      state.relays.delete(from);
    }
  tell(state);
}

function relayAt(state: State, location: string): FollowedTables {
  const { relays, options } = state;
  const opened =
    relays.get(location) ??
    openFollowed({
      openChannel: options.openFollowed,
      dismiss: options.dismiss,
      room: () => options.maxTables - countOf(state),
      maxTables: options.maxTables,
      isTaken: (name) => name === firstName(state) || state.byName.has(name) || followed(state).has(name),
      onEvent: options.onEvent,
    });
  relays.set(location, opened);
  return opened;
}

/** All that come by a relay, besides the first of each. */
const followed = ({ relays }: State): ReadonlyMap<string, Channel> =>
  new Map([...relays.values()].flatMap((relay) => [...relay.all()]));

/** Of one table that may be switched: what is published now; a relay's has the name that its publisher gave it. */
function firstName({ first, options, relays }: State): string | undefined {
  const location = options.first.location() ?? options.first.expected();
  const own = options.firstName ?? first?.name;
  if (own !== undefined || location === undefined) return own;
  return isRelayUrl(location) ? relays.get(location)?.firstName() : namesOf([{ location }]).get(location);
}

function listOf(state: State): Served[] {
  const { entries, options } = state;
  const first: Served = {
    name: firstName(state),
    channel: options.first,
    isFirst: true,
    isNamed: state.first?.place === undefined,
  };
  const others = [...entries.values()].flatMap(({ name, channel, place }) =>
    channel && channel !== options.first ? [{ name, channel, isNamed: place === undefined, isFirst: false }] : [],
  );
  for (const [name, channel] of followed(state)) others.push({ name, channel, isNamed: false, isFirst: false });
  return [first, ...others.sort((a, b) => (a.name < b.name ? -1 : 1))];
}

function refusedOf({ entries, places, relays }: State): Refused[] {
  const ofPlaces = [...places].flatMap(([place, { refused, problem }]) => [
    ...(problem === undefined ? [] : [{ file: fileName(resolve(place)), reason: problem, isNamed: true }]),
    ...refused.map(({ path, reason }) => ({ file: fileName(path), reason, isNamed: false })),
  ]);
  const ofFiles = [...entries.values()].flatMap(({ location, refusal, place }) =>
    refusal ? [{ file: nameOf(location), reason: refusal.reason, isNamed: place === undefined }] : [],
  );
  return [...ofPlaces, ...ofFiles, ...[...relays.values()].flatMap((relay) => relay.refused())];
}

/** The same file is not served twice. */
const keyOf = (location: string) =>
  location === STDIN || /^[a-z]+:\/\//i.test(location) ? location : resolve(location);

function newEntry({ entries }: State, location: string, given?: string, place?: string): Entry {
  const rest = { name: "", channel: undefined, refusal: undefined, leaving: undefined };
  const entry: Entry = { location, given, place, ...rest };
  entries.set(keyOf(location), entry);
  return entry;
}

/** One that was found is named from now on. */
function nameEntry(state: State, location: string, name: string | undefined): Entry {
  const known = state.entries.get(keyOf(location));
  state.removed.delete(keyOf(location));
  if (!known) return newEntry(state, location, name);
  known.place = undefined;
  return known;
}

async function tryToAdd(state: State, location: string): Promise<void> {
  if (state.entries.get(keyOf(location))?.channel) return;
  const entry = nameEntry(state, location, undefined);
  entry.refusal = undefined;
  try {
    await settle(state, entry).get(entry);
  } catch (error) {
    leave(state, entry, "");
    forget(settle(state));
    throw error;
  }
}

/** What comes of it is listed. */
function forget(openings: ReadonlyMap<Entry, Promise<void>>): void {
  for (const opening of openings.values()) opening.catch(() => {});
}

/** Names all, and opens those that are not; what is not there is waited for, but for `urgent`. What each opening comes to. */
function settle(state: State, urgent?: Entry): Map<Entry, Promise<void>> {
  const { entries, byName, options } = state;
  const openings = new Map<Entry, Promise<void>>();
  const names = namesOf([...entries.values()].map(({ location, given }) => ({ location, name: given })));
  const all = [...entries.values()];
  for (const entry of all) {
    const name = names.get(entry.location)!;
    if (entry.name === name) continue;
    if (entry.channel && entry.channel !== options.first) shut(state, entry, `this table is at /${name} now`);
    entry.name = name;
  }
  byName.clear();
  for (const entry of all) byName.set(entry.name, entry);
  state.first ??= all.find(({ place }) => place === undefined) ?? all.sort((a, b) => (a.name < b.name ? -1 : 1))[0];
  for (const entry of all)
    if (!entry.channel && !entry.refusal) openings.set(entry, open(state, entry, entry !== urgent));
  const surplus = [...openings.keys()].filter((entry) => entry !== urgent && entry.refusal?.mark === FULL).length;
  if (surplus > 0) options.onEvent({ type: "file-refused", reason: `${surplus} more: ${fullReason(options)}` });
  tell(state);
  return openings;
}

/** Rejects with CsvError if it is refused. */
async function open(state: State, entry: Entry, waits: boolean): Promise<void> {
  const { options } = state;
  const isFirst = state.first === entry;
  if (isFull(state, isFirst || followed(state).has(entry.name))) {
    entry.refusal = { reason: fullReason(options), mark: FULL };
    throw new CsvError("too-large", entry.refusal.reason, undefined, nameOf(entry.location));
  }
  const mark = markOf(entry.location);
  const channel = isFirst ? options.first : (adopt(state, entry.name) ?? options.openChannel(entry.name));
  attach(state, entry, channel);
  try {
    await channel.open(entry.location, waits);
  } catch (error) {
    if (!(error instanceof CsvError) || entry.channel !== channel) throw error;
    entry.refusal = { reason: error.reason, mark };
    if (isFirst) attach(state, entry, undefined);
    else shut(state, entry, "it cannot be published");
    if (waits) options.onEvent({ type: "file-refused", reason: error.message });
    tell(state);
    throw error;
  }
}

/** It has the table's clients, and what it has of it, until what it is opened with is there. */
function adopt({ relays }: State, name: string): Channel | undefined {
  for (const relay of relays.values()) {
    const channel = relay.adopt(name);
    if (channel) return channel;
  }
  return undefined;
}

/** What tells whether a file has changed since it was refused. */
function markOf(location: string): string {
  try {
    const stat = statSync(location, { throwIfNoEntry: false });
    return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}` : "";
  } catch {
    return "";
  }
}

function shut(state: State, entry: Entry, reason: string): void {
  if (entry.channel) state.options.dismiss(entry.channel, reason);
  attach(state, entry, undefined);
}

function attach(state: State, entry: Entry, channel: Channel | undefined): void {
  const { first } = state.options;
  if (entry.channel && entry.channel !== first) state.served--;
  if (channel && channel !== first) state.served++;
  entry.channel = channel;
}

function find(state: State, places: ReadonlyMap<string, Found>): void {
  if (state.isClosed) return;
  for (const [place, found] of places) state.places.set(place, found);
  const there = new Map<string, string>();
  for (const [place, { files }] of state.places) for (const file of files) there.set(keyOf(file), place);
  for (const key of state.removed) if (!there.has(key)) state.removed.delete(key);
  for (const [place, { files }] of places)
    for (const file of files) {
      if (state.removed.has(keyOf(file))) continue;
      const entry = state.entries.get(keyOf(file)) ?? newEntry(state, file, undefined, place);
      clearTimeout(entry.leaving);
      entry.leaving = undefined;
    }
  for (const [key, entry] of [...state.entries]) {
    if (entry.place === undefined) continue;
    entry.place = there.get(key) ?? entry.place;
    if (!there.has(key)) goAway(state, entry);
  }
  forget(settle(state));
}

function goAway(state: State, entry: Entry): void {
  const { options, first } = state;
  if (entry.leaving || entry === first) return;
  if (!entry.channel) return leave(state, entry, "");
  const file = nameOf(entry.location);
  options.onEvent({ type: "file-leaving", file, graceMs: options.graceMs });
  entry.leaving = setTimeout(() => {
    options.onEvent({ type: "file-gone", file });
    leave(state, entry, `${file} is gone`);
    forget(settle(state));
  }, options.graceMs);
}

const FULL = "full";
const fullReason = ({ maxTables }: TablesOptions) => `${maxTables} tables are served already (--max-tables)`;

/** The first one is there in any case. */
const countOf = (state: State) => 1 + state.served + followed(state).size;

/** `isCounted`: it has its place already. */
const isFull = (state: State, isCounted: boolean) => !isCounted && countOf(state) >= state.options.maxTables;

function beat(state: State): void {
  const refused = [...state.entries.values()].filter(({ refusal }) => refusal);
  const hasRoom = !isFull(state, false);
  const again = refused.filter(({ refusal, location }) =>
    refusal!.mark === FULL ? hasRoom : refusal!.mark !== markOf(location),
  );
  if (again.length === 0 || state.isClosed) return;
  for (const entry of again) entry.refusal = undefined;
  forget(settle(state));
}

function tell({ listeners }: State): void {
  for (const listener of [...listeners]) listener();
}

function leave(state: State, entry: Entry, reason: string): void {
  clearTimeout(entry.leaving);
  shut(state, entry, reason);
  state.entries.delete(keyOf(entry.location));
  if (state.byName.get(entry.name) === entry) state.byName.delete(entry.name);
  if (state.relays.has(entry.location)) follow(state, undefined, entry.location);
  for (const relay of state.relays.values()) relay.review();
}

function remove(state: State, name: string): boolean {
  const entry = state.byName.get(name);
  if (!entry || entry === state.first) return false;
  if (entry.place !== undefined) state.removed.add(keyOf(entry.location));
  leave(state, entry, "no longer published");
  forget(settle(state));
  return true;
}

function close(state: State): void {
  state.isClosed = true;
  for (const entry of state.entries.values()) {
    clearTimeout(entry.leaving);
    if (entry.channel !== state.options.first) entry.channel?.close();
  }
  for (const relay of state.relays.values()) relay.close();
  state.options.first.close();
}
