// One table that is served: which source it comes from, switching to another, and the feeds that it goes out by.
import { CsvError } from "../csv/error.ts";
import type { DocumentShape } from "../csv/parts.ts";
import { type Feed, openFeed } from "../feed/feed.ts";
import { sizeText } from "../feed/printable.ts";
import type { About, Publication, Sink, Status } from "../feed/publication.ts";
import type { LinkCounts, Problem, Shape, Snapshot, Source, SourceEvents, SourceStatus } from "../source/source.ts";
import type { Backlog } from "./client.ts";
import { type Documents, openDocuments } from "./documents.ts";
import { type EventStreams, openEventStreams } from "./event-stream.ts";
import type { ClientKind, TableEvent } from "./events.ts";
import { type Histogram, openHistogram } from "./histogram.ts";
import * as liveFeed from "./live.ts";
import type { FeedOptions } from "./options.ts";
import * as plainFeed from "./plain.ts";
import { nameOf } from "./sources.ts";

export type ChannelOptions = FeedOptions & {
  /** The topic of the plain feed; that of the live feed is derived from it. */
  readonly topic: string;
  readonly openSource: (location: string, events: SourceEvents) => Source;
  readonly backlog: Backlog;
  /** Sends a text to all who have subscribed to a topic; gives how many they are. */
  readonly broadcast: (topic: string, text: string) => number;
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
   * when another location was opened meanwhile, or the channel was closed; rejects with CsvError if it cannot be published.
   */
  open(location: string): Promise<void>;
  /** Where the published table comes from; undefined before the first. */
  location(): string | undefined;
  status(): Status;
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
};

const READ_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function openChannel(options: ChannelOptions): Channel {
  const { topic, openSource, backlog, maxFrameBytes, heartbeatMs, onEvent } = options;
  const liveTopic = `${topic}.live`;
  const feed = openFeed(options.maxHistory);
  const traffic = openTraffic();
  const readSeconds = openHistogram(READ_BOUNDS);
  const sinks = new Set<Sink>();
  let status: Status = { state: "waiting", message: "no table is published yet", since: Date.now() };
  let active: Opened | undefined;
  let candidate: Opened | undefined;
  let warned = "";
  let warnings: readonly string[] = [];
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
  const documents = openDocuments({ cursor: feed.cursor, snapshot: (shape: DocumentShape) => snapshot(shape) });

  function open(location: string): Promise<void> {
    if (isClosed) return Promise.resolve();
    dismiss(candidate);
    const events: SourceEvents = {
      onPublication: (publication) => (active === opened || candidate === opened) && publish(opened, publication),
      // How a candidate is doing is nobody's business while another table is published.
      onStatus: (next) => (active ?? candidate) === opened && takeStatus(opened, next),
      onProgress: (read, size) => void (opened.share = size > 0 ? Math.min(read / size, 1) : undefined),
      onRefused: (problem) => candidate === opened && refuse(opened, problem),
      onLink: (counts) => void (opened.link = counts),
    };
    const source = openSource(location, events);
    const done = Promise.withResolvers<void>();
    const opened: Opened = { location, source, done, openedAt: performance.now(), share: undefined, link: undefined };
    candidate = opened;
    return done.promise;
  }

  function dismiss(opened: Opened | undefined): void {
    opened?.source.close();
    opened?.done.resolve();
  }

  function refuse(opened: Opened, { kind, reason, line }: Problem): void {
    candidate = undefined;
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
    active = opened;
    candidate = undefined;
    status = { state: "live", message: "", since: Date.now() };
    tellStatus();
  }

  function tellStatus(): void {
    liveFeed.setStatus(live, { ...status, warnings });
  }

  function report({ columns, rows, about }: Publication, isNew: boolean): void {
    const { dialect } = about;
    const name = displayName(about);
    if (isNew) onEvent({ type: "file-on-air", file: name, rows, columns: columns.count, dialect });
    const kinds = about.warnings.join("; ").replace(/\d+/g, "");
    if (kinds === warned) return;
    warned = kinds;
    warnings = about.warnings;
    tellStatus();
    if (kinds !== "") onEvent({ type: "file-warning", file: name, warnings });
  }

  function takeStatus(opened: Opened, next: SourceStatus): void {
    const about = active === opened ? feed.publication()?.about : undefined;
    const name = about ? displayName(about) : nameOf(opened.location);
    const message = messageOf(next, name, active === opened);
    const wasReported = next.state === status.state && message === status.message;
    const { pendingBytes } = next;
    if (wasReported && pendingBytes === status.pendingBytes && next.since === undefined) return;
    const since = next.since ?? (wasReported ? status.since : Date.now());
    status = { state: next.state, message, since, ...(pendingBytes !== undefined && { pendingBytes }) };
    tellStatus();
    for (const sink of sinks) sink.setStatus(status);
    if (!wasReported) onEvent({ type: "file-state", file: name, ...status });
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
      if (!from || isClosed) throw new CsvError("closed", isClosed ? "closed" : "no table is published yet");
      try {
        return await take(from.source);
      } catch (error) {
        if (from === active) throw error;
      }
    }
  }

  function loading(): Loading | undefined {
    if (!candidate) return undefined;
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
    status: () => status,
    loading,
    link: () => (active ?? candidate)?.link,
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
      dismiss(active);
    },
  };
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
