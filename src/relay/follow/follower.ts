// A table that another server publishes, through Redis or Valkey, as a source. All tables of a relay that are opened together share one
// connection to it, `link.ts`. Everything is validated, and only what follows what is known is applied. RELAY.md has the layout.
import { openSnapshots } from "../../source/snapshots.ts";
import { hold } from "../../source/memory.ts";
import type { OpenSource, Source, SourceEvents, SourceSettings } from "../../source/source.ts";
import type { Cursor } from "../../feed/publication.ts";
import { parseAddress, type RelayAddress } from "../address.ts";
import { START } from "../stream.ts";
import { FIRST_TABLE, relayKeys } from "../wire.ts";
import { addTo, closeLink, type Followed, type Link, linkCounts, openLink } from "./link.ts";
import { type Change, type FollowerState, newState, publicationOf, publishUnconfirmed, statusOf } from "./state.ts";
import { wantedVerdicts } from "./typing.ts";

/** Counts are reported so often, and when the connection comes or goes. */
const COUNTS_MS = 500;
const RETRY_MS = 50;

/** Follows tables of relays: each is the one of `settings.table`, at `settings.location`. */
export function openFollowers(): OpenSource {
  const links: Link[] = [];

  /** The first table opens a connection, and the others come by that. */
  function linkTo(address: RelayAddress, { silenceMs, table = FIRST_TABLE }: SourceSettings): Link {
    const known = links.findLast(
      ({ address: other, tables }) => other.url === address.url && other.topic === address.topic && !tables.has(table),
    );
    if (known && table !== FIRST_TABLE) return known;
    const link = openLink(address, silenceMs);
    links.push(link);
    return link;
  }

  function leave(link: Link, { name }: Followed): void {
    link.tables.delete(name);
    if (link.tables.size > 0) return;
    closeLink(link);
    links.splice(links.indexOf(link), 1);
  }

  return (settings, events, resume) => {
    const address = parseAddress(settings.location);
    if ("fault" in address) return refuse(address.fault, events);
    const link = linkTo(address, settings);
    return follow(link, settings, events, resume, leave);
  };
}

function refuse(reason: string, events: SourceEvents): Source {
  const snapshots = openSnapshots();
  const refusal = setTimeout(() => events.onRefused({ kind: "not-found", reason }));
  return { snapshot: snapshots.snapshot, close: () => (clearTimeout(refusal), snapshots.close()) };
}

function follow(
  link: Link,
  settings: SourceSettings,
  events: SourceEvents,
  resume: Cursor | undefined,
  leave: (link: Link, followed: Followed) => void,
): Source {
  const name = settings.table ?? FIRST_TABLE;
  const { address } = link;
  const snapshots = openSnapshots(settings.pinned, settings.maxMemoryBytes);
  const state = newState(address.name, settings.silenceMs, resume);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let countedAt = -Infinity;
  let wasConnected = false;
  let isClosed = false;

  function publish(change: Change): void {
    const { copy } = state;
    if (isClosed || !copy) return;
    const publication = publicationOf(copy, address.name, change, performance.now());
    const { cursor, columns, first } = publication;
    const { first: from, end: to } = copy.contents.view();
    const verdicts = wantedVerdicts(settings.types, columns);
    const { table } = copy.contents;
    hold(settings.memory, table.length());
    snapshots.show({ cursor, columns, first, table: table.blocks(), from, to, verdicts }, change.splices);
    events.onPublication(publication);
  }

  /** What time alone changes: silence, and counts that are due. Comes again in time for either. */
  function review(): void {
    if (isClosed) return;
    const now = performance.now();
    const isNews = wasConnected !== state.isConnected;
    if (name === FIRST_TABLE && (isNews || now - countedAt >= COUNTS_MS)) {
      events.onLink?.(linkCounts(link));
      countedAt = now;
    }
    wasConnected = state.isConnected;
    const change = publishUnconfirmed(state, now);
    if (change) publish(change);
    reportStatus();
    clearTimeout(timer);
    timer = setTimeout(review, nextReviewMs(state, settings.silenceMs, name === FIRST_TABLE, now));
  }

  function reportStatus(): void {
    const status = isClosed ? undefined : statusOf(state, performance.now());
    if (status) events.onStatus(status);
  }

  const keys = relayKeys(address.topic, name);
  const followed: Followed = {
    ...{ name, keys, settings, state },
    place: { key: keys.stream, at: START, tip: name === FIRST_TABLE ? START : undefined },
    ...{ need: "gap", retryAt: 0, retryMs: RETRY_MS, heardAt: -Infinity, gapAt: "", loading: undefined },
    onChange: publish,
    onState: () => (wasConnected === state.isConnected ? reportStatus() : review()),
    onHeld: (bytes) => hold(settings.memory, bytes),
    onTables: (tables) => isClosed || events.onTables?.(tables),
  };
  addTo(link, followed);
  timer = setTimeout(review);
  return {
    snapshot: snapshots.snapshot,
    close() {
      isClosed = true;
      clearTimeout(timer);
      followed.loading = undefined;
      leave(link, followed);
      snapshots.close();
    },
  };
}

/** The deadline only ever moves away: whoever looks four times on the way to it misses none. */
function nextReviewMs(
  { confirmedAt, copiedAt }: FollowerState,
  silenceMs: number,
  isFirst: boolean,
  now: number,
): number {
  const soonMs = isFirst ? Math.min(COUNTS_MS, silenceMs / 4) : silenceMs / 4;
  const leftMs = Math.max(confirmedAt, copiedAt) + silenceMs - now;
  return leftMs > 0 ? Math.min(soonMs, leftMs + 1) : soonMs;
}
