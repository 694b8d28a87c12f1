// Which source a location leads to, and what it is called: a file, standard input, a web address, or the table of another server by way of
// a relay.
import { statSync } from "node:fs";
import { printable } from "../feed/printable.ts";
import { isRelayUrl, relayName } from "../relay/address.ts";
import type { Source, SourceEvents, SourceSettings } from "../source/source.ts";
import { fileName, isWebUrl, STDIN, STDIN_NAME, webAddress, webName } from "../source/location.ts";
import type { Memory, MemoryLimit } from "../source/memory.ts";
import { openThread, type Thread } from "../source/thread.ts";

/** In a Worker of its own: while one table is read, another one goes on. */
export function openSource(settings: SourceSettings, events: SourceEvents): Source {
  const thread = openThread(workerEntry());
  const source = thread.open(settings, events);
  return { snapshot: source.snapshot, close: thread.close };
}

export type Sources = {
  /** Of the first table: in a Worker of its own. */
  openFirst(settings: SourceSettings, events: SourceEvents): Source;
  /** Of another one: in one of a few Workers that they share. */
  open(settings: SourceSettings, events: SourceEvents): Source;
  close(): void;
};

/** Workers for all tables but the first, and for the large ones among them. */
const THREADS = 2;
const LARGE_THREADS = 4;
/** To take in so much anew, and to write what has changed, is more than many small tables should share a Worker with. */
const LARGE_BYTES = 1 << 20;

type Shared = { readonly thread: Thread; sources: number };

/** Up to so many Workers, which are there when they are needed. */
type Pool = { readonly most: number; readonly threads: Shared[] };

/**
 * Sources that share a few Workers: one that is busy gives way to the others after each step, but for the few that are long. So files
 * that are large when they are opened are among themselves. The tables of relays have a Worker of their own, as those of one relay share a connection.
 */
export function openSources(openOne: () => Thread = () => openThread(workerEntry())): Sources {
  const small: Pool = { most: THREADS, threads: [] };
  const large: Pool = { most: LARGE_THREADS, threads: [] };
  let relays: Shared | undefined;

  function freest({ most, threads }: Pool): Shared {
    if (threads.length < most && threads.every(({ sources }) => sources > 0))
      threads.push({ thread: openOne(), sources: 0 });
    return threads.reduce((least, other) => (other.sources < least.sources ? other : least));
  }

  function openIn(shared: Shared, settings: SourceSettings, events: SourceEvents): Source {
    shared.sources++;
    let isClosed = false;
    const source = shared.thread.open(settings, events);
    const close = () => {
      if (!isClosed) shared.sources--;
      isClosed = true;
      source.close();
      if (shared !== relays || shared.sources > 0) return;
      shared.thread.close();
      relays = undefined;
    };
    return { snapshot: source.snapshot, close };
  }

  function open(settings: SourceSettings, events: SourceEvents): Source {
    const { location } = settings;
    if (!isRelayUrl(location)) return openIn(freest(isLarge(location) ? large : small), settings, events);
    return openIn((relays ??= { thread: openOne(), sources: 0 }), settings, events);
  }

  return {
    openFirst: (settings, events) => (isRelayUrl(settings.location) ? open : openSource)(settings, events),
    open,
    close() {
      for (const { thread } of [...small.threads, ...large.threads]) thread.close();
      relays?.thread.close();
    },
  };
}

/** What is no file is none. */
function isLarge(location: string): boolean {
  try {
    return (statSync(location, { throwIfNoEntry: false })?.size ?? 0) >= LARGE_BYTES;
  } catch {
    return false;
  }
}

/** What sources have in common: their tables, if there are several, and what of them only those hold who are sent it. */
export type Common = { readonly tables: Memory | undefined; readonly pinned: Memory; readonly maxPinnedBytes: number };

/** What is held of it counts with what is held of the others. */
export function openWithin(
  { tables, pinned, maxPinnedBytes }: Common,
  open: Sources["open"],
  settings: SourceSettings,
  events: SourceEvents,
): Source {
  const memory = tables?.share();
  const limit: MemoryLimit = { maxBytes: maxPinnedBytes, share: pinned.share() };
  const source = open({ ...settings, memory, pinned: limit }, events);
  let isClosed = false;
  const close = () => {
    if (!isClosed && memory) tables!.free(memory);
    if (!isClosed && limit.share) pinned.free(limit.share);
    isClosed = true;
    source.close();
  };
  return { snapshot: source.snapshot, close };
}

/** In an executable the name is relative to the common root of its entry points, src/. */
function workerEntry(): URL | string {
  return Bun.isStandaloneExecutable ? "./channel/sources.worker.ts" : new URL("./sources.worker.ts", import.meta.url);
}

/** A path as it was given; an address without what is secret in it. */
export const pathOf = (location: string) =>
  relayName(location) ?? (isWebUrl(location) ? webAddress(location) : printable(location));

/** What a location is called before there is a table: never with what is secret in it. */
export function nameOf(location: string): string {
  if (location === STDIN) return STDIN_NAME;
  return relayName(location) ?? (isWebUrl(location) ? webName(location) : fileName(location));
}
