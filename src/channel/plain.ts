// The plain feed: every message is the whole table, a frame. Who is too slow for it skips whole frames and gets the newest.
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
  /** Of the table as it is now, and of the one that was last asked for as a frame. */
  cursor: Cursor | undefined;
  renderedCursor: Cursor | undefined;
  isRendering: boolean;
  isStopped: boolean;
  /** Frames that passed slow clients by. */
  skipped: number;
};

/** Above this many bytes a publication is sent in slices, so that the event loop stays free for others. */
const SLICED_BYTES = 16 << 20;
const SLICE_MS = 10;

export function openPlainFeed(options: PlainOptions): PlainState {
  return {
    ...options,
    clients: new Set(),
    unsent: new Set(),
    frame: undefined,
    cursor: undefined,
    renderedCursor: undefined,
    isRendering: false,
    isStopped: false,
    skipped: 0,
  };
}

export function open(plain: PlainState, client: PlainClient): void {
  plain.clients.add(client);
  if (plain.frame) serve(plain, client, plain.frame);
  refresh(plain);
}

/** It has taken something. */
export function drain(plain: PlainState, client: PlainClient): void {
  if (client.buffered() > 0) return;
  plain.backlog.settle(client);
  if (client.isBehind && plain.frame) serve(plain, client, plain.frame);
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
}

/** The table is another. Nothing is rendered while nobody listens. */
export function change(plain: PlainState, cursor: Cursor): void {
  plain.cursor = cursor;
  if (plain.clients.size === 0) plain.frame = undefined;
  refresh(plain);
}

/** Asks for the frame of the current table: one at a time, and never again for a version that was rendered. */
function refresh(plain: PlainState): void {
  const { cursor, renderedCursor, clients, isRendering, isStopped } = plain;
  if (isStopped || isRendering || !cursor || clients.size === 0) return;
  if (plain.frame && renderedCursor?.epoch === cursor.epoch && renderedCursor.version === cursor.version) return;
  plain.isRendering = true;
  void render(plain).then((isDone) => {
    plain.isRendering = false;
    if (isDone) refresh(plain);
  });
}

/** False if there will be no frame for now: what is to come asks again. */
async function render(plain: PlainState): Promise<boolean> {
  const asked = plain.cursor;
  try {
    const { cursor, part } = await plain.snapshot();
    plain.renderedCursor = cursor;
    set(plain, part);
    return true;
  } catch (error) {
    if (!(error instanceof CsvError && error.kind === "too-large")) return false;
    if (!(plain.frame && "tooLarge" in plain.frame)) plain.onTooLarge();
    plain.renderedCursor = asked;
    set(plain, { tooLarge: plain.tooLarge });
    return true;
  }
}

/** Who has had no frame yet gets it at once. */
function set(plain: PlainState, frame: Frame): void {
  plain.frame = frame;
  sendSliced(
    plain,
    [...plain.clients].filter(({ isServed }) => !isServed),
  );
}

/** Sends the frame to everyone: at each tick. */
export function publish(plain: PlainState): void {
  const { frame, clients, backlog } = plain;
  if (!frame || clients.size === 0) return;
  if ("tooLarge" in frame || frame.bytes * clients.size > SLICED_BYTES) return sendSliced(plain, clients);
  let behind = 0;
  for (const client of clients) {
    client.isServed = true;
    if (client.buffered() === 0) continue;
    passBy(plain, client);
    behind++;
  }
  plain.broadcast(frame.text, clients.size - behind, frame.bytes);
  for (const client of clients) if (!client.isBehind && client.buffered() > 0) backlog.add(client, frame.bytes);
}

function serve(plain: PlainState, client: PlainClient, frame: Frame): void {
  if ("tooLarge" in frame) return client.close(1009, frame.tooLarge);
  client.isServed = true;
  if (client.buffered() > 0) return passBy(plain, client);
  client.isBehind = false;
  if (!client.send(frame.text)) plain.backlog.add(client, frame.bytes);
}

function passBy(plain: PlainState, client: PlainClient): void {
  client.isBehind = true;
  plain.skipped++;
}

/** The frame to these, in slices. */
function sendSliced(plain: PlainState, to: Iterable<PlainClient>): void {
  const isPumping = plain.unsent.size > 0;
  for (const client of to) plain.unsent.add(client);
  if (!isPumping) pump(plain);
}

/** Serves those who have waited longest first, always with the newest frame, and lets the event loop breathe. */
function pump(plain: PlainState): void {
  const { unsent } = plain;
  const until = performance.now() + SLICE_MS;
  for (const client of unsent) {
    unsent.delete(client);
    if (plain.frame) serve(plain, client, plain.frame);
    if (performance.now() > until) break;
  }
  if (unsent.size > 0) setImmediate(pump, plain);
}
