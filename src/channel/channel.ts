// One table that is served: which source it comes from, switching to another, and the feeds that it goes out by.
import { CsvError } from "../csv/error.ts";
import type { DocumentShape } from "../csv/parts.ts";
import { type Feed, openFeed } from "../feed/feed.ts";
import { printable, sizeText } from "../feed/printable.ts";
import type { About, Columns, Publication, Sink, Status } from "../feed/publication.ts";
import type {
  LinkCounts,
  ListedTables,
  Problem,
  Shape,
  Snapshot,
  Source,
  SourceEvents,
  SourceStatus,
} from "../source/source.ts";
import type { Backlog } from "./client.ts";
import { type Documents, openDocuments } from "./documents.ts";
import { type EventStreams, openEventStreams } from "./event-stream.ts";
import type { ClientKind, TableEvent } from "./events.ts";
import { type Histogram, openHistogram } from "./histogram.ts";
import * as liveFeed from "./live.ts";
import type { FeedOptions } from "./options.ts";
import * as plainFeed from "./plain.ts";
import { nameOf, pathOf } from "./sources.ts";

/** Of the table that is at `/` and `/csv`. */
export const FIRST_TOPIC = "csv";

export type ChannelOptions = FeedOptions & {
  /** The topic of the plain feed; that of the live feed is derived from it: no name of a table has a dot. */
  readonly topic: string;
  /** `waits`: what is not there yet is waited for. */
  readonly openSource: (location: string, events: SourceEvents, waits: boolean) => Source;
  readonly backlog: Backlog;
  /** Sends a text to all who have subscribed to a topic; gives how many they are. */
  readonly broadcast: (topic: string, text: string) => number;
  /** What tables there are where this one comes from, if that is a relay, at `location`. */
  readonly onTables?: ((tables: ListedTables, location: string) => void) | undefined;
  readonly onEvent: (event: TableEvent) => void;
};

/** Messages that went out, and their bytes. */
export type Traffic = Readonly<Record<ClientKind, { messages: number; bytes: number }>>;

export type Channel = {
  readonly topic: string;
  readonly liveTopic: string;
  readonly feed: Feed;
  readonly plain: plainFeed.PlainState;
  readonly live: liveFeed.LiveState;
  readonly streams: EventStreams;
  readonly documents: Documents;
  readonly traffic: Traffic;
  readonly readSeconds: Histogram;
  /**
   * Reads what is at a location and publishes it; until its first table is there, what was published still is. Resolves then, or
   * when another location was opened meanwhile, or the channel was closed; rejects with CsvError if it cannot be published. With
   * `waits` what is not there yet is waited for, until it or another table is published. What `accepts` does not take is not published.
   */
  open(location: string, waits?: boolean, accepts?: (publication: Publication) => boolean): Promise<void>;
  /** Where the published table comes from; undefined before the first. */
  location(): string | undefined;
  /** Where it is to come from, while there is none. */
  expected(): string | undefined;
  status(): Status;
  /** What the source is called that is waited for. */
  awaited(): string | undefined;
  /** What is being read, and how far it is. */
  loading(): Loading | undefined;
  /** Of the relay that the table comes by. */
  link(): LinkCounts | undefined;
  /** As of a `Source`; of whichever is the active one by then. */
  snapshot<S extends Shape>(shape: S): Promise<Snapshot<S>>;
  addSink(sink: Sink): void;
  /** How many clients there are. */
  clients(): Readonly<Record<ClientKind, number>>;
  /** Publishes a frame to all clients of the plain feed. */
  tick(): void;
  /** To be called at least five times within `heartbeatMs`. */
  beat(): void;
  /** Takes no more part in anything: what is to be sent by the feeds is not. */
  close(): void;
};

/** `share` of it that was read, from 0 to 1, if that is known. */
export type Loading = { readonly name: string; readonly sinceMs: number; readonly share: number | undefined };

/** A source, and the promise of `open`. */
type Opened = {
  readonly location: string;
  readonly source: Source;
  readonly done: PromiseWithResolvers<void>;
  readonly openedAt: number;
  share: number | undefined;
  link: LinkCounts | undefined;
  tables: ListedTables | undefined;
  /** It has a table, which is not accepted yet. */
  isHeld: boolean;
};

const NO_TABLE = "no table is published yet";

const READ_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function openChannel(options: ChannelOptions): Channel {
  const { topic, openSource, backlog, maxFrameBytes, heartbeatMs, onEvent } = options;
  const liveTopic = `${topic}.live`;
  const feed = openFeed(options.maxHistory);
  const traffic = openTraffic();
  const readSeconds = openHistogram(READ_BOUNDS);
  const sinks = new Set<Sink>();
  let status: Status = { state: "waiting", message: NO_TABLE, since: Date.now() };
  let active: Opened | undefined;
  let candidate: Opened | undefined;
  let awaited: Opened | undefined;
  let warned = "";
  let warnings: readonly string[] = [];
  let layout: Layout = { epoch: "", columns: 0, names: "", dialect: "" };
  let isClosed = false;

  const streams = openEventStreams((bytes) => count(traffic.events, 1, bytes));
  const plain = plainFeed.openPlainFeed({
    backlog,
    snapshot: frame,
    broadcast(text, reached, bytes) {
      options.broadcast(topic, text);
      count(traffic.plain, reached, bytes);
    },
    tooLarge: `the table is larger than --max-message (${sizeText(maxFrameBytes)}): take csvcast.v1 or /csv.ndjson`,
    onTooLarge: () => onEvent({ type: "message-too-large", maxBytes: maxFrameBytes }),
  });
  const live = liveFeed.openLiveFeed(
    {
      feed,
      backlog,
      snapshot: () => snapshot("rows"),
      broadcast(text, cursor) {
        count(traffic.live, options.broadcast(liveTopic, text), Buffer.byteLength(text));
        streams.broadcast(text, cursor);
      },
      heartbeatMs,
    },
    status,
  );
  const documents = openDocuments({
    cursor: feed.cursor,
    why,
    snapshot: (shape: DocumentShape) => snapshot(shape),
    backlog,
  });

  const isHeard = (opened: Opened) => [active, candidate, awaited].includes(opened);

  function open(
    location: string,
    waits = false,
    accepts: (publication: Publication) => boolean = () => true,
  ): Promise<void> {
    if (isClosed) return Promise.resolve();
    dismiss(candidate);
    const events: SourceEvents = {
      onPublication(publication) {
        if (!isHeard(opened)) return;
        if (opened === active || accepts(publication)) publish(opened, publication);
        else opened.isHeld = true;
      },
      onStatus: (next) => isHeard(opened) && hear(opened, next),
      onProgress: (read, size) => void (opened.share = size > 0 ? Math.min(read / size, 1) : undefined),
      onRefused: (problem) => active !== opened && isHeard(opened) && refuse(opened, problem),
      onLink: (counts) => void (opened.link = counts),
      onTables(tables) {
        opened.tables = tables;
        if ((active ?? candidate ?? awaited) === opened) options.onTables?.(tables, location);
      },
    };
    const source = openSource(location, events, waits);
    const done = Promise.withResolvers<void>();
    const opened: Opened = {
      location,
      source,
      done,
      openedAt: performance.now(),
      share: undefined,
      link: undefined,
      tables: undefined,
      isHeld: false,
    };
    candidate = opened;
    return done.promise;
  }

  function dismiss(opened: Opened | undefined): void {
    opened?.source.close();
    opened?.done.resolve();
  }

  /** It is no candidate any more. */
  function leave(opened: Opened): void {
    if (candidate === opened) candidate = undefined;
    if (awaited === opened) awaited = undefined;
  }

  /** A candidate that is not there yet makes room for another one. How it is doing is nobody's business while a table is published. */
  function hear(opened: Opened, next: SourceStatus): void {
    const isNews = candidate === opened && next.awaited !== undefined;
    if (isNews) {
      dismiss(awaited);
      candidate = undefined;
      awaited = opened;
    }
    if ((active ?? candidate ?? awaited) === opened) takeStatus(opened, next, !isNews);
    if (isNews) reportAwaited(opened.location, next);
  }

  function reportAwaited(location: string, { problem, awaited: { similar } = {} }: SourceStatus): void {
    const names = { file: nameOf(location), path: pathOf(location) };
    const guess = similar === undefined ? {} : { similar: printable(similar) };
    onEvent({ type: "file-awaited", ...names, reason: problem?.reason ?? "", ...guess });
  }

  function refuse(opened: Opened, { kind, reason, line }: Problem): void {
    leave(opened);
    opened.source.close();
    opened.done.reject(new CsvError(kind, reason, line, nameOf(opened.location)));
  }

  function publish(opened: Opened, publication: Publication): void {
    const isNew = active !== opened;
    if (isNew) become(opened);
    readSeconds.observe(publication.about.readMs / 1000);
    liveFeed.publish(live, publication);
    for (const sink of sinks) sink.publish(publication);
    if (isNew) for (const sink of sinks) sink.setStatus(status);
    plainFeed.change(plain, publication.cursor);
    report(publication, isNew);
    if (isNew) opened.done.resolve();
  }

  /** The source before it is heard no more. */
  function become(opened: Opened): void {
    active?.source.close();
    leave(opened);
    active = opened;
    if (opened.tables) options.onTables?.(opened.tables, opened.location);
    dismiss(awaited);
    awaited = undefined;
    status = { state: "live", message: "", since: Date.now() };
    tellStatus();
  }

  function tellStatus(): void {
    liveFeed.setStatus(live, { ...status, warnings });
  }

  function report({ cursor, columns, rows, about }: Publication, isNew: boolean): void {
    const { dialect } = about;
    const name = displayName(about);
    const before = layout;
    layout = layoutOf(cursor.epoch, columns, dialect);
    const facts = { file: name, rows, columns: columns.count, dialect };
    const change = isNew ? undefined : changeOf(before, layout);
    if (isNew) onEvent({ type: "file-on-air", ...facts });
    if (change) onEvent({ type: "file-changed", change, ...facts });
    const kinds = about.warnings.join("; ").replace(/\d+/g, "");
    if (kinds === warned) return;
    warned = kinds;
    warnings = about.warnings;
    tellStatus();
    if (kinds !== "") onEvent({ type: "file-warning", file: name, warnings });
  }

  function takeStatus(opened: Opened, next: SourceStatus, isReported: boolean): void {
    const about = active === opened ? feed.publication()?.about : undefined;
    const name = about ? displayName(about) : nameOf(opened.location);
    const message = messageOf(next, name, active === opened);
    const isSame = next.state === status.state && message === status.message;
    const { pendingBytes, replay } = next;
    const isPlayedOn = Bun.deepEquals(replay, status.replay);
    if (isSame && isPlayedOn && pendingBytes === status.pendingBytes && next.since === undefined) return;
    const since = next.since ?? (isSame ? status.since : Date.now());
    const { state } = next;
    status = { state, message, since, ...(pendingBytes !== undefined && { pendingBytes }), ...(replay && { replay }) };
    tellStatus();
    for (const sink of sinks) sink.setStatus(status);
    if (replay && !isPlayedOn) onEvent({ type: "file-replay", file: name, ...replay });
    if (isReported && !isSame) onEvent({ type: "file-state", file: name, ...status });
  }

  function snapshot<S extends Shape>(shape: S): Promise<Snapshot<S>> {
    return ofActive((source) => source.snapshot(shape));
  }

  function frame() {
    return ofActive(async (source) => {
      const taken = await source.snapshot("frame", maxFrameBytes);
      try {
        return { cursor: taken.cursor, part: await taken.part(0) };
      } finally {
        taken.close();
      }
    });
  }

  /** Once more if another source has taken the place of the one that was asked: it was closed in the middle of that. */
  async function ofActive<T>(take: (source: Source) => Promise<T>): Promise<T> {
    for (;;) {
      const from = active;
      if (!from || isClosed) throw new CsvError("closed", isClosed ? "closed" : NO_TABLE);
      try {
        return await take(from.source);
      } catch (error) {
        if (from === active) throw error;
      }
    }
  }

  /** Why there is no table. */
  function why(): string {
    const isKnown = status.message !== "" && status.message !== NO_TABLE;
    return isKnown ? `${NO_TABLE}: ${status.message}` : NO_TABLE;
  }

  function loading(): Loading | undefined {
    if (!candidate || candidate.isHeld) return undefined;
    const { location, openedAt, share } = candidate;
    return { name: nameOf(location), sinceMs: performance.now() - openedAt, share };
  }

  function clients(): Record<ClientKind, number> {
    const events = streams.count();
    return { plain: plain.clients.size, live: live.subscribers.size - events, events };
  }

  return {
    topic,
    liveTopic,
    feed,
    plain,
    live,
    streams,
    documents,
    traffic,
    readSeconds,
    open,
    location: () => active?.location,
    expected: () => (candidate ?? awaited)?.location,
    status: () => status,
    awaited: () => awaited && nameOf(awaited.location),
    loading,
    link: () => (active ?? candidate ?? awaited)?.link,
    snapshot,
    addSink: (sink) => void sinks.add(sink),
    clients,
    tick: () => plainFeed.publish(plain),
    beat() {
      liveFeed.beat(live);
      documents.expire(performance.now());
    },
    close() {
      isClosed = true;
      plainFeed.stop(plain);
      liveFeed.stop(live);
      dismiss(candidate);
      dismiss(awaited);
      dismiss(active);
    },
  };
}

/** What a table looks like, as far as that is worth a line in a log when it changes. */
type Layout = {
  readonly epoch: string;
  readonly columns: number;
  readonly names: string;
  readonly dialect: string;
};

const layoutOf = (epoch: string, { count, json }: Columns, dialect: string): Layout => ({
  epoch,
  columns: count,
  names: json,
  dialect,
});

function changeOf(before: Layout, after: Layout): "first" | "none" | "columns" | "dialect" | undefined {
  if ((before.columns === 0) !== (after.columns === 0)) return after.columns === 0 ? "none" : "first";
  // Only a new epoch has other columns.
  if (before.epoch !== after.epoch && before.names !== after.names) return "columns";
  return before.dialect !== after.dialect && after.columns > 0 ? "dialect" : undefined;
}

/** With the relay that it came through: what is wrong with a replica's table is mostly wrong there. */
const displayName = ({ name, relay }: About) => (relay === undefined ? name : `${name} (${relay})`);

/** The words for a state: what is wrong with what, and what clients hold meanwhile. */
function messageOf({ state, message, problem }: SourceStatus, name: string, isPublished: boolean): string {
  if (message !== undefined) return message;
  if (state === "updating") return `${name} is being written anew, and not whole yet`;
  if (!problem) return "";
  const text = new CsvError(problem.kind, problem.reason, problem.line, name).message;
  const isPartlyShown = problem.kind === "unclosed-quote";
  return isPublished && !isPartlyShown ? `${text}; clients keep the last good table` : text;
}

const openTraffic = (): Traffic => ({
  plain: { messages: 0, bytes: 0 },
  live: { messages: 0, bytes: 0 },
  events: { messages: 0, bytes: 0 },
});

function count(traffic: { messages: number; bytes: number }, messages: number, bytes: number): void {
  traffic.messages += messages;
  traffic.bytes += messages * bytes;
}
