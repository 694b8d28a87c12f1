// The plain feed: every message is the whole table, a frame, which is made at a tick, or for somebody who has had none. Who is too slow
// for it skips whole frames and gets the newest.
import { CsvError } from "../csv/error.ts";
import type { Cursor } from "../feed/publication.ts";
import type { Backlog, PlainClient } from "./client.ts";
import type { TextPart } from "../csv/parts.ts";

/** A table as one message, or the reason why there is none. */
type Frame = { readonly text: string; readonly bytes: number } | { readonly tooLarge: string };

export type PlainOptions = {
  readonly backlog: Backlog;
  /** The current table as a frame; rejects with CsvError `too-large` if it is larger than a message may be. */
  readonly snapshot: () => Promise<{ readonly cursor: Cursor; readonly part: TextPart }>;
  /** Sends a text to all clients at once; `reached`: to how many, since those who are behind do not get it. */
  readonly broadcast: (text: string, reached: number, bytes: number) => void;
  /** For clients, when a frame would be larger than a message may be. */
  readonly tooLarge: string;
  /** That is so, for the first time since it was not. */
  readonly onTooLarge: () => void;
};

export type PlainState = PlainOptions & {
  readonly clients: Set<PlainClient>;
  /** To be sent the frame, one after the other. */
  readonly unsent: Set<PlainClient>;
  frame: Frame | undefined;
  /** Of the table as it is now, and of the one that the frame is of; when that was made, in ms of a monotonic clock. */
  cursor: Cursor | undefined;
  renderedCursor: Cursor | undefined;
  renderedAt: number;
  isRendering: boolean;
  /** Clients are sent it, or a slice of time for that was used up within this turn of the event loop. */
  isPumping: boolean;
  /** A tick has come while the frame for it is made: it goes to everyone then. */
  isDue: boolean;
  /** Until a frame is made for who has been slow. */
  later: ReturnType<typeof setTimeout> | undefined;
  isStopped: boolean;
  /** Frames that passed slow clients by. */
  skipped: number;
};

/** Above so many clients, and above this many bytes, a publication is sent in slices, so that the event loop stays free for others. */
const MANY = 1_000;
const SLICED_BYTES = 16 << 20;
const SLICE_MS = 10;
/** A newcomer gets a frame that is no older than this, even if there is a newer table. */
const RECENT_MS = 1_000;

export function openPlainFeed(options: PlainOptions): PlainState {
  return {
    ...options,
    clients: new Set(),
    unsent: new Set(),
    frame: undefined,
    cursor: undefined,
    renderedCursor: undefined,
    renderedAt: -Infinity,
    isRendering: false,
    isPumping: false,
    isDue: false,
    later: undefined,
    isStopped: false,
    skipped: 0,
  };
}

export function open(plain: PlainState, client: PlainClient): void {
  plain.clients.add(client);
  bringUpToDate(plain, client);
}

/** It has taken something. */
export function drain(plain: PlainState, client: PlainClient): void {
  if (client.buffered() > 0) return;
  plain.backlog.settle(client);
  if (client.isBehind) bringUpToDate(plain, client);
}

function bringUpToDate(plain: PlainState, client: PlainClient): void {
  if (isCurrent(plain) || (!client.isServed && isRecent(plain))) sendSliced(plain, [client]);
  else if (isRecent(plain)) refreshLater(plain);
  else refresh(plain);
}

/** However many clients come or drain, frames for them alone are not made more often than this. */
function isRecent({ frame, renderedAt }: PlainState): boolean {
  return frame !== undefined && "text" in frame && performance.now() - renderedAt < RECENT_MS;
}

function refreshLater(plain: PlainState): void {
  plain.later ??= setTimeout(() => {
    plain.later = undefined;
    refresh(plain);
  }, RECENT_MS);
}

/** It is gone. */
export function close(plain: PlainState, client: PlainClient): void {
  plain.clients.delete(client);
  plain.unsent.delete(client);
  plain.backlog.settle(client);
}

/** Sends nothing more. */
export function stop(plain: PlainState): void {
  plain.isStopped = true;
  plain.unsent.clear();
  clearTimeout(plain.later);
}

/** The table is another. Nothing is rendered but for those who have had none. */
export function change(plain: PlainState, cursor: Cursor): void {
  plain.cursor = cursor;
  if (plain.clients.size === 0) plain.frame = undefined;
  if (isRecent(plain)) return;
  for (const { isServed } of plain.clients) if (!isServed) return refresh(plain);
}

/** Whether the frame is of the table as it is now. */
function isCurrent({ frame, cursor, renderedCursor }: PlainState): boolean {
  if (!frame) return false;
  return !cursor || (renderedCursor?.epoch === cursor.epoch && renderedCursor.version === cursor.version);
}

/** Asks for the frame of the current table: one at a time, and never again for a version that was rendered. */
function refresh(plain: PlainState): void {
  if (plain.isStopped || plain.isRendering || !plain.cursor || isCurrent(plain)) return;
  plain.isRendering = true;
  void render(plain).then((frame) => {
    plain.isRendering = false;
    if (frame) set(plain, frame);
    else plain.isDue = false;
  });
}

/** Undefined if there will be no frame for now: what is to come asks again. */
async function render(plain: PlainState): Promise<Frame | undefined> {
  const asked = plain.cursor;
  try {
    const { cursor, part } = await plain.snapshot();
    plain.renderedCursor = cursor;
    return part;
  } catch (error) {
    if (!(error instanceof CsvError && error.kind === "too-large")) return undefined;
    if (!(plain.frame && "tooLarge" in plain.frame)) plain.onTooLarge();
    plain.renderedCursor = asked;
    return { tooLarge: plain.tooLarge };
  }
}

/** If a tick waits for it, everyone gets it; else who has had none yet, and who has been waiting for the newest. */
function set(plain: PlainState, frame: Frame): void {
  plain.frame = frame;
  plain.renderedAt = performance.now();
  if (plain.isDue) return send(plain, frame);
  const waiting = [...plain.clients].filter(
    (client) => !client.isServed || (client.isBehind && client.buffered() === 0),
  );
  sendSliced(plain, waiting);
}

/** To be called at each tick: everyone gets the frame of the table as it is now. It is made if somebody can take it. */
export function publish(plain: PlainState): void {
  const { frame, clients } = plain;
  if (plain.isDue || clients.size === 0) return;
  if (frame && isCurrent(plain)) return send(plain, frame);
  const canTake = [...clients].some((client) => client.buffered() === 0);
  if (!canTake) for (const client of clients) passBy(plain, client);
  plain.isDue = canTake && plain.cursor !== undefined;
  if (canTake) refresh(plain);
}

/** The frame to everyone. */
function send(plain: PlainState, frame: Frame): void {
  const { clients, backlog } = plain;
  plain.isDue = false;
  const isMuch = "tooLarge" in frame || frame.bytes * clients.size > SLICED_BYTES || clients.size > MANY;
  if (isMuch) return sendSliced(plain, clients);
  let behind = 0;
  for (const client of clients) {
    client.isServed = true;
    client.isBehind = false;
    if (client.buffered() === 0) continue;
    passBy(plain, client);
    behind++;
  }
  plain.broadcast(frame.text, clients.size - behind, frame.bytes);
  for (const client of clients) if (!client.isBehind && client.buffered() > 0) backlog.add(client, frame.bytes);
}

function serve(plain: PlainState, client: PlainClient, frame: Frame): void {
  if ("tooLarge" in frame) return client.close(1009, frame.tooLarge);
  if (client.buffered() > 0) {
    client.isServed = true;
    return passBy(plain, client);
  }
  const resume = () => void (plain.clients.has(client) && bringUpToDate(plain, client));
  if (!client.isServed && plain.backlog.waits(client, resume)) return;
  client.isServed = true;
  client.isBehind = false;
  if (!client.send(frame.text)) plain.backlog.add(client, frame.bytes);
}

function passBy(plain: PlainState, client: PlainClient): void {
  client.isBehind = true;
  plain.skipped++;
}

/** The frame to these, in slices. */
function sendSliced(plain: PlainState, to: Iterable<PlainClient>): void {
  for (const client of to) plain.unsent.add(client);
  if (!plain.isPumping) pump(plain);
}

/** Serves those who have waited longest first, always with the newest frame, and lets the event loop breathe. */
function pump(plain: PlainState): void {
  const { unsent } = plain;
  plain.isPumping = true;
  const until = performance.now() + SLICE_MS;
  for (const client of unsent) {
    unsent.delete(client);
    if (plain.frame) serve(plain, client, plain.frame);
    if (performance.now() > until) break;
  }
  setImmediate(resumePump, plain);
}

/** Whoever came within that turn of the event loop got no slice of its own. */
function resumePump(plain: PlainState): void {
  plain.isPumping = false;
  if (plain.unsent.size > 0) pump(plain);
}
