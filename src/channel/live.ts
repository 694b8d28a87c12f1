// The live feed: everyone who is up to date gets each delta; newcomers and those who fell behind are brought up to date one by one, each
// as fast as it takes. Step functions over a state that tests can name.
import { CsvError } from "../csv/error.ts";
import type { Feed } from "../feed/feed.ts";
import { CLOSE, snapshotText, statusText, syncText } from "../feed/protocol.ts";
import type { Cursor, Publication, Status } from "../feed/publication.ts";
import type { Snapshot } from "../source/source.ts";
import type { Backlog, Subscriber, Transfer } from "./client.ts";
import { openShared, type Shared, type SharedSnapshots } from "./shared.ts";

export type LiveOptions = {
  readonly feed: Feed;
  readonly backlog: Backlog;
  /** The current table; rejects if there will be none. */
  readonly snapshot: () => Promise<Snapshot<"rows">>;
  /** Sends to everyone who follows. `cursor`: what they hold after it. */
  readonly broadcast: (text: string, cursor?: Cursor) => void;
  /** `sync` is sent when nothing else was for this long. */
  readonly heartbeatMs: number;
};

export type LiveState = LiveOptions & {
  status: Status;
  readonly subscribers: Set<Subscriber>;
  /** To be brought up to date, and able to take something. */
  readonly ready: Set<Subscriber>;
  /** For a snapshot. */
  readonly waiting: Set<Subscriber>;
  /** Hold a later version than there is here. */
  readonly ahead: Set<Subscriber>;
  readonly shared: SharedSnapshots<"rows">;
  readonly counts: { snapshots: number; catchUps: number; fellBehind: number };
  following: number;
  /** What is just told to those who follow, some in each turn of the event loop: `next` of them is to hear it. */
  telling: Telling | undefined;
  isPumping: boolean;
  isStopped: boolean;
  /** When something was last broadcast, and of how many characters it was. */
  broadcastAt: number;
  broadcastLength: number;
  aheadToldAt: number;
};

type Telling = {
  readonly text: string;
  readonly cursor: Cursor | undefined;
  /** What they hold until they hear it. */
  readonly before: Cursor | undefined;
  readonly followers: readonly Subscriber[];
  next: number;
};

/** If more follow, so many of them hear of a change in one turn: a write to a socket takes some 10 µs. */
const MANY = 1_000;
const AT_ONCE = 250;
/** Above this many bytes a delta is sent to one after the other, so that the event loop stays free. */
const SLICED_BYTES = 16 << 20;
const SLICE_MS = 5;
/** Changes of so many characters are less than a snapshot, however small the table. */
const FEW = 4096;
/** Of the heartbeat: `beat` is called five times within it. */
const EARLY = 0.8;

export function openLiveFeed(options: LiveOptions, status: Status): LiveState {
  return {
    ...options,
    status,
    subscribers: new Set(),
    ready: new Set(),
    waiting: new Set(),
    ahead: new Set(),
    shared: openShared(options.snapshot, () => performance.now()),
    counts: { snapshots: 0, catchUps: 0, fellBehind: 0 },
    following: 0,
    telling: undefined,
    isPumping: false,
    isStopped: false,
    broadcastAt: -Infinity,
    broadcastLength: 0,
    aheadToldAt: -Infinity,
  };
}

export function subscribe(live: LiveState, subscriber: Subscriber): void {
  live.subscribers.add(subscriber);
  live.ready.add(subscriber);
  pump(live);
}

/** It has taken something. */
export function drain(live: LiveState, subscriber: Subscriber): void {
  if (subscriber.buffered() > 0) return;
  live.backlog.settle(subscriber);
  if (subscriber.isFollowing || live.waiting.has(subscriber) || live.ahead.has(subscriber)) return;
  live.ready.add(subscriber);
  pump(live);
}

/** It is gone. */
export function unsubscribe(live: LiveState, subscriber: Subscriber): void {
  setFollowing(live, subscriber, false);
  for (const set of [live.subscribers, live.ready, live.waiting, live.ahead]) set.delete(subscriber);
  endTransfer(subscriber);
  live.backlog.settle(subscriber);
}

/** Sends nothing more. */
export function stop(live: LiveState): void {
  live.isStopped = true;
  live.telling = undefined;
}

export function publish(live: LiveState, publication: Publication): void {
  const { feed, ahead, ready } = live;
  const before = feed.cursor();
  takeOffSlow(live, before);
  const text = feed.publish(publication);
  if (text !== undefined && text.length * live.following <= SLICED_BYTES) broadcast(live, text, before, feed.cursor());
  else for (const subscriber of live.subscribers) if (subscriber.isFollowing) takeOff(live, subscriber, before);
  for (const subscriber of ahead)
    if (feed.since(subscriber.cursor).type !== "ahead" && ahead.delete(subscriber)) ready.add(subscriber);
  pump(live);
}

export function setStatus(live: LiveState, status: Status): void {
  live.status = status;
  takeOffSlow(live, live.feed.cursor());
  broadcast(live, statusText(status), live.feed.cursor());
  sendStatusAhead(live);
}

/** To be called at least five times within `heartbeatMs`. */
export function beat(live: LiveState): void {
  const now = performance.now();
  const { feed, heartbeatMs } = live;
  const cursor = feed.cursor();
  live.shared.expire(now);
  if (now - live.aheadToldAt >= heartbeatMs * EARLY) sendStatusAhead(live);
  if (live.following === 0 || now - live.broadcastAt < heartbeatMs * EARLY) return;
  if (!cursor) return setStatus(live, live.status);
  takeOffSlow(live, cursor);
  broadcast(live, syncText(cursor, feed.rows(), Date.now()), cursor, cursor);
}

/** `before`: what those who follow hold; `cursor`: what they hold after it. */
function broadcast(live: LiveState, text: string, before: Cursor | undefined, cursor?: Cursor): void {
  live.broadcastLength = text.length;
  live.broadcastAt = performance.now();
  if (live.following > MANY) {
    const followers = [...live.subscribers].filter(({ isFollowing }) => isFollowing);
    goOn(live, (live.telling = { text, before, cursor, followers, next: 0 }));
  } else if (live.following > 0) live.broadcast(text, cursor);
  pump(live);
}

function goOn(live: LiveState, telling: Telling): void {
  if (live.telling !== telling) return;
  tell(live, telling);
  if (live.telling) setImmediate(goOn, live, telling);
}

/** Something else is to be told: who has not heard this yet is brought up to date by itself. */
function breakOff(live: LiveState): void {
  if (!live.telling) return;
  const { followers, next, before } = live.telling;
  live.telling = undefined;
  for (const subscriber of followers.slice(next)) if (subscriber.isFollowing) takeOff(live, subscriber, before);
}

function tell(live: LiveState, telling: Telling): void {
  const { followers, text, before, cursor, next } = telling;
  telling.next = Math.min(next + AT_ONCE, followers.length);
  for (const subscriber of followers.slice(next, telling.next)) {
    if (!subscriber.isFollowing) continue;
    if (subscriber.buffered() > 0) takeOffBehind(live, subscriber, before);
    else send(live, subscriber, text, cursor);
  }
  if (telling.next === followers.length) live.telling = undefined;
}

/** Whoever has not taken everything would miss what comes next: it is caught up when it has. */
function takeOffSlow(live: LiveState, cursor: Cursor | undefined): void {
  breakOff(live);
  for (const subscriber of live.subscribers)
    if (subscriber.isFollowing && subscriber.buffered() > 0) takeOffBehind(live, subscriber, cursor);
}

function takeOffBehind(live: LiveState, subscriber: Subscriber, cursor: Cursor | undefined): void {
  live.counts.fellBehind++;
  takeOff(live, subscriber, cursor);
  live.backlog.add(subscriber, live.broadcastLength);
}

function takeOff(live: LiveState, subscriber: Subscriber, cursor: Cursor | undefined): void {
  setFollowing(live, subscriber, false);
  subscriber.cursor = cursor;
  live.ready.add(subscriber);
}

function setFollowing(live: LiveState, subscriber: Subscriber, isFollowing: boolean): void {
  if (subscriber.isFollowing === isFollowing) return;
  live.following += isFollowing ? 1 : -1;
  subscriber.isFollowing = isFollowing;
  subscriber.follow(isFollowing);
}

function pump(live: LiveState): void {
  if (!live.isPumping && live.ready.size > 0 && !live.isStopped) serve(live);
}

/** One step for each in turn, for a slice of time; then the event loop has its turn. */
function serve(live: LiveState): void {
  const { ready } = live;
  live.isPumping = true; // for itself, too: who takes a message may `drain` at once, in the middle of this
  const until = performance.now() + SLICE_MS;
  try {
    for (const subscriber of ready) {
      ready.delete(subscriber);
      if (subscriber.isFollowing || subscriber.buffered() > 0) continue;
      const resume = () => void (live.subscribers.has(subscriber) && live.ready.add(subscriber) && pump(live));
      if (!live.backlog.waits(subscriber, resume) && step(live, subscriber)) ready.add(subscriber);
      if (performance.now() > until) break;
    }
  } finally {
    setImmediate(resumePump, live);
  }
}

/** Whoever came within that turn of the event loop got no slice of its own: a thousand may drain in one. */
function resumePump(live: LiveState): void {
  live.isPumping = false;
  pump(live);
}

/** Brings a subscriber that has taken everything one message further. True if it can take the next one at once. */
function step(live: LiveState, subscriber: Subscriber): boolean {
  const { feed } = live;
  if (!feed.cursor()) return welcome(live, subscriber);
  if (subscriber.transfer) return sendPart(live, subscriber, subscriber.transfer);
  const next = feed.since(subscriber.cursor);
  switch (next.type) {
    case "none":
      return welcome(live, subscriber);
    case "snapshot":
      return beginTransfer(live, subscriber);
    case "ahead":
      return hold(live, subscriber);
    case "delta":
      live.counts.catchUps++;
      subscriber.cursor = next.cursor;
      return send(live, subscriber, next.text, next.cursor);
  }
}

/** It holds all there is: from now on it follows. It may have missed a status. */
function welcome(live: LiveState, subscriber: Subscriber): boolean {
  const cursor = live.feed.cursor();
  send(live, subscriber, statusText(live.status));
  if (cursor && subscriber.buffered() === 0)
    send(live, subscriber, syncText(cursor, live.feed.rows(), Date.now()), cursor);
  setFollowing(live, subscriber, true);
  return false;
}

/** It comes from a server that is further: nothing may take it back, so it hears the status here until this one is as far. */
function hold(live: LiveState, subscriber: Subscriber): boolean {
  live.ahead.add(subscriber);
  send(live, subscriber, statusText(live.status));
  return false;
}

function sendStatusAhead(live: LiveState): void {
  live.aheadToldAt = performance.now();
  for (const subscriber of live.ahead) if (subscriber.buffered() === 0) send(live, subscriber, statusText(live.status));
}

function beginTransfer(live: LiveState, subscriber: Subscriber): boolean {
  const snapshot = usableSnapshot(live);
  if (snapshot) return transferOf(live, subscriber, snapshot);
  live.waiting.add(subscriber);
  live.shared.renew().then(
    (fresh) => resume(live, fresh),
    (error: unknown) => refuse(live, [...live.waiting], error),
  );
  return false;
}

function transferOf(live: LiveState, subscriber: Subscriber, snapshot: Shared<"rows">): true {
  live.counts.snapshots++;
  subscriber.transfer = { snapshot, release: snapshot.acquire(), at: 0, part: undefined, isComing: false };
  return true;
}

function endTransfer(subscriber: Subscriber): void {
  subscriber.transfer?.release();
  subscriber.transfer = undefined;
}

/** Undefined if there is none, or if the changes since are so many that a new one costs less. */
function usableSnapshot({ shared, feed }: LiveState): Shared<"rows"> | undefined {
  const latest = shared.latest();
  const distance = latest && feed.distance(latest.cursor);
  const bytes = feed.publication()?.about.bytes ?? 0;
  if (!latest || distance === undefined || distance > Math.max(bytes >> 1, FEW)) return undefined;
  shared.touch();
  return latest;
}

function resume(live: LiveState, snapshot: Shared<"rows">): void {
  const { waiting, ready } = live;
  for (const subscriber of waiting) {
    transferOf(live, subscriber, snapshot);
    ready.add(subscriber);
  }
  waiting.clear();
  pump(live);
}

function refuse(live: LiveState, subscribers: readonly Subscriber[], error: unknown): void {
  if (live.isStopped) return;
  const isTooLarge = error instanceof CsvError && error.kind === "too-large";
  const reason = error instanceof Error ? error.message : String(error);
  for (const subscriber of subscribers) subscriber.close(isTooLarge ? CLOSE.tooLarge : CLOSE.tryAgainLater, reason);
}

function sendPart(live: LiveState, subscriber: Subscriber, transfer: Transfer): boolean {
  const { cursor, columns, rows, first } = transfer.snapshot;
  const part = transfer.part ?? transfer.snapshot.kept(transfer.at);
  if (!part) return askPart(live, subscriber, transfer);
  const isLast = part.next >= rows;
  transfer.at = part.next;
  transfer.part = undefined;
  // It goes on to its end, whatever changes meanwhile: what has changed since comes behind it.
  if (isLast) {
    endTransfer(subscriber);
    subscriber.cursor = cursor;
  } else transfer.snapshot.prepare(part.next);
  const { at, text } = part;
  const [verdicts, from] = at === 0 ? [columns.verdicts, first] : [];
  const message = snapshotText(cursor, columns.json, at, text, rows, verdicts, from);
  return send(live, subscriber, message, isLast ? cursor : undefined);
}

function askPart(live: LiveState, subscriber: Subscriber, transfer: Transfer): false {
  if (transfer.isComing) return false;
  transfer.isComing = true;
  const come = (part: Transfer["part"]) => {
    transfer.isComing = false;
    if (subscriber.transfer !== transfer) return;
    transfer.part = part;
    if (!part) endTransfer(subscriber);
    live.ready.add(subscriber);
    pump(live);
  };
  transfer.snapshot.part(transfer.at).then(come, (error: unknown) => {
    const isOver = error instanceof CsvError && (error.kind === "outdated" || error.kind === "too-large");
    if (isOver && subscriber.transfer === transfer) refuse(live, [subscriber], error);
    else come(undefined); // another source has taken the place of its own, or its Worker was started again: once more
  });
  return false;
}

function send(live: LiveState, subscriber: Subscriber, text: string, cursor?: Cursor): boolean {
  if (subscriber.send(text, cursor)) return true;
  live.backlog.add(subscriber, text.length);
  return false;
}
