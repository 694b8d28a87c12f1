// The live feed: everyone who is up to date gets each delta; newcomers and those who fell behind are brought up to date one by
// one, each as fast as it takes. Knows readers, not sockets, so that WebSockets and event streams are served alike.
import type { Change, Feed, Status } from "../feed/feed.ts";
import { CLOSE, type Cursor, statusText, syncText } from "../feed/protocol.ts";
import type { Backlog, Debtor } from "./backlog.ts";
import { type Base, openBase, type TableParts } from "./base.ts";

/** A client of the live feed. */
export type Reader = Debtor & {
  /** What it holds. Not kept up while it follows. */
  cursor: Cursor | undefined;
  /** Gets what is broadcast. */
  isFollowing: boolean;
  transfer: { readonly base: Base; next: number } | undefined;
  /** Sends; false if it did not go out at once: no more until it drains. `cursor`: what the client holds after it. */
  send(text: string, cursor?: Cursor): boolean;
  follow(isFollowing: boolean): void;
};

export type LiveOptions = {
  readonly feed: Feed;
  readonly backlog: Backlog;
  /** The current table; rejects if there will be none. */
  readonly render: () => Promise<TableParts>;
  /** Sends to everyone who follows. `cursor`: what they hold after it. */
  readonly broadcast: (text: string, cursor?: Cursor) => void;
  /** `sync` is said when nothing else was for this long. */
  readonly heartbeatMs: number;
};

export type LiveFeed = {
  clients(): number;
  open(reader: Reader): void;
  drain(reader: Reader): void;
  close(reader: Reader): void;
  publish(change: Change): void;
  setStatus(status: Status): void;
  /** To be called at least five times within `heartbeatMs`. */
  beat(): void;
  stop(): void;
  readonly counts: { readonly snapshots: number; readonly catchUps: number; readonly fellBehind: number };
};

/** Above this many bytes a delta is sent to one after the other, so that the event loop stays free. */
const SLICED_BYTES = 16 << 20;
const SLICE_MS = 5;

export function openLiveFeed({ feed, backlog, render, broadcast, heartbeatMs }: LiveOptions): LiveFeed {
  const readers = new Set<Reader>();
  const ready = new Set<Reader>(); // to be brought up to date, and able to take something
  const waiting = new Set<Reader>(); // for a base
  const ahead = new Set<Reader>(); // hold a later version than there is here
  const counts = { snapshots: 0, catchUps: 0, fellBehind: 0 };
  const base = openBase({ feed, render, onReady: resume, onFailed: refuse });
  let isPumping = false;
  let isStopped = false;
  let saidAt = -Infinity;
  let toldAheadAt = -Infinity;
  let lastBytes = 0; // of what was broadcast last
  let following = 0;

  function publish(change: Change): void {
    const before = feed.cursor();
    takeOffSlow(before);
    const text = feed.publish(change);
    if (text !== undefined && text.length * following <= SLICED_BYTES) say(text, feed.cursor());
    else for (const reader of readers) if (reader.isFollowing) takeOff(reader, before);
    for (const reader of ahead)
      if (feed.since(reader.cursor).type !== "ahead" && ahead.delete(reader)) ready.add(reader);
    pump();
  }

  function setStatus(status: Status): void {
    feed.setStatus(status);
    takeOffSlow(feed.cursor());
    say(statusOf(status));
    tellAhead();
  }

  function say(text: string, cursor?: Cursor): void {
    if (following > 0) broadcast(text, cursor);
    lastBytes = text.length;
    saidAt = performance.now();
  }

  /** Whoever has not taken everything would miss what comes next: it is caught up when it has. */
  function takeOffSlow(cursor: Cursor | undefined): void {
    for (const reader of readers) {
      if (!reader.isFollowing || reader.backlog() === 0) continue;
      counts.fellBehind++;
      takeOff(reader, cursor);
      backlog.owe(reader, lastBytes);
    }
  }

  function takeOff(reader: Reader, cursor: Cursor | undefined): void {
    setFollowing(reader, false);
    reader.cursor = cursor;
    ready.add(reader);
  }

  function setFollowing(reader: Reader, isFollowing: boolean): void {
    if (reader.isFollowing === isFollowing) return;
    following += isFollowing ? 1 : -1;
    reader.isFollowing = isFollowing;
    reader.follow(isFollowing);
  }

  function pump(): void {
    if (!isPumping && ready.size > 0 && !isStopped) serve();
  }

  /** One step for each in turn, for a slice of time; then the event loop has its turn. */
  function serve(): void {
    isPumping = true; // for itself, too: who takes a message may `drain` at once, in the middle of this
    const until = performance.now() + SLICE_MS;
    try {
      for (const reader of ready) {
        ready.delete(reader);
        if (!reader.isFollowing && reader.backlog() === 0 && step(reader)) ready.add(reader);
        if (performance.now() > until) break;
      }
    } finally {
      isPumping = ready.size > 0 && !isStopped;
      if (isPumping) setImmediate(serve);
    }
  }

  /** Brings a reader that has taken everything one message further. True if it can take the next one at once. */
  function step(reader: Reader): boolean {
    if (!feed.cursor()) return welcome(reader);
    if (reader.transfer) return sendPart(reader, reader.transfer);
    const next = feed.since(reader.cursor);
    if (next.type === "none") return welcome(reader);
    if (next.type === "snapshot") return beginTransfer(reader);
    if (next.type === "ahead") return hold(reader);
    counts.catchUps++;
    reader.cursor = feed.cursor();
    return send(reader, next.text, reader.cursor);
  }

  /** It holds all there is: from now on it follows. It may have missed a status. */
  function welcome(reader: Reader): boolean {
    const cursor = feed.cursor();
    send(reader, statusOf(feed.status()));
    if (cursor && reader.backlog() === 0) send(reader, syncText(cursor, feed.rows(), Date.now()), cursor);
    setFollowing(reader, true);
    return false;
  }

  /** It comes from a server that is further: nothing may take it back, so it hears how it goes here until that is as far. */
  function hold(reader: Reader): boolean {
    ahead.add(reader);
    send(reader, statusOf(feed.status()));
    return false;
  }

  function tellAhead(): void {
    toldAheadAt = performance.now();
    for (const reader of ahead) if (reader.backlog() === 0) send(reader, statusOf(feed.status()));
  }

  function beginTransfer(reader: Reader): boolean {
    const current = base.get();
    if (current) {
      counts.snapshots++;
      reader.transfer = { base: current, next: 0 };
      return true;
    }
    waiting.add(reader);
    base.renew();
    return false;
  }

  function resume(): void {
    for (const reader of readers)
      if (reader.transfer && feed.distance(reader.transfer.base.cursor) === undefined) reader.transfer = undefined;
    for (const reader of waiting) ready.add(reader);
    waiting.clear();
    pump();
  }

  function refuse(why: string): void {
    for (const reader of [...waiting]) reader.close(CLOSE.tooLarge, why);
  }

  function sendPart(reader: Reader, transfer: { readonly base: Base; next: number }): boolean {
    const { cursor, parts } = transfer.base;
    if (feed.distance(cursor) === undefined) {
      reader.transfer = undefined; // what comes after it is not known any more
      return true;
    }
    const isLast = transfer.next === parts.length - 1;
    const text = parts[transfer.next++]!;
    if (isLast) {
      reader.transfer = undefined;
      reader.cursor = cursor;
    }
    return send(reader, text, isLast ? cursor : undefined);
  }

  function send(reader: Reader, text: string, cursor?: Cursor): boolean {
    if (reader.send(text, cursor)) return true;
    backlog.owe(reader, text.length);
    return false;
  }

  function beat(): void {
    const now = performance.now();
    const cursor = feed.cursor();
    base.expire(now);
    if (now - toldAheadAt >= heartbeatMs * 0.8) tellAhead();
    if (now - saidAt < heartbeatMs * 0.8) return;
    if (!cursor) return setStatus(feed.status());
    takeOffSlow(cursor);
    say(syncText(cursor, feed.rows(), Date.now()), cursor);
  }

  return {
    clients: () => readers.size,
    open(reader) {
      readers.add(reader);
      ready.add(reader);
      pump();
    },
    drain(reader) {
      if (reader.backlog() > 0) return;
      backlog.settle(reader);
      if (reader.isFollowing || waiting.has(reader) || ahead.has(reader)) return;
      ready.add(reader);
      pump();
    },
    close(reader) {
      setFollowing(reader, false);
      for (const set of [readers, ready, waiting, ahead]) set.delete(reader);
      reader.transfer = undefined;
      backlog.settle(reader);
    },
    publish,
    setStatus,
    beat,
    stop: () => void (isStopped = true),
    counts,
  };
}

const statusOf = ({ state, message, since }: Status) => statusText(state, message, since);
