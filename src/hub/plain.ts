// The plain feed: every message is the whole table. Who is too slow for it skips whole frames and gets the newest.
import type { Backlog, Debtor } from "./backlog.ts";

/** What is on air: a text, or the reason why there is none. */
export type Frame = { readonly text: string; readonly bytes: number } | { readonly tooLarge: string };

/** A client of the plain feed. */
export type Viewer = Debtor & {
  /** Has had a frame. */
  isServed: boolean;
  /** A frame passed it by; it gets the newest when it drains. */
  isBehind: boolean;
  /** False if the frame did not go out at once. */
  send(text: string): boolean;
};

export type PlainFeed = {
  clients(): number;
  open(viewer: Viewer): void;
  drain(viewer: Viewer): void;
  close(viewer: Viewer): void;
  /** Puts a frame on air: who has had none yet gets it at once. Undefined: nothing is on air, newcomers wait. */
  set(frame: Frame | undefined): void;
  /** Sends the frame on air to everyone. */
  publish(): void;
  /** Sends no more. */
  stop(): void;
  /** Frames that passed slow clients by. */
  skipped(): number;
};

/** Above this many bytes a publication is sent in slices, so that the event loop stays free for others. */
const SLICED_BYTES = 16 << 20;
const SLICE_MS = 10;

/** `broadcast` sends a text to all viewers at once; it does not reach those who are behind. */
export function openPlainFeed(
  broadcast: (text: string, reached: number, bytes: number) => void,
  backlog: Backlog,
): PlainFeed {
  const viewers = new Set<Viewer>();
  const unsent = new Set<Viewer>();
  let onAir: Frame | undefined;
  let skipped = 0;

  function serve(viewer: Viewer, frame: Frame): void {
    if ("tooLarge" in frame) return viewer.close(1009, frame.tooLarge);
    viewer.isServed = true;
    if (viewer.backlog() > 0) passBy(viewer);
    else {
      viewer.isBehind = false;
      if (!viewer.send(frame.text)) backlog.owe(viewer, frame.bytes);
    }
  }

  function passBy(viewer: Viewer): void {
    viewer.isBehind = true;
    skipped++;
  }

  function set(frame: Frame | undefined): void {
    onAir = frame;
    if (frame) send([...viewers].filter(({ isServed }) => !isServed));
  }

  function publish(): void {
    if (!onAir || viewers.size === 0) return;
    if ("tooLarge" in onAir || onAir.bytes * viewers.size > SLICED_BYTES) return send(viewers);
    let behind = 0;
    for (const viewer of viewers) {
      viewer.isServed = true;
      if (viewer.backlog() === 0) continue;
      passBy(viewer);
      behind++;
    }
    broadcast(onAir.text, viewers.size - behind, onAir.bytes);
    for (const viewer of viewers) if (!viewer.isBehind && viewer.backlog() > 0) backlog.owe(viewer, onAir.bytes);
  }

  /** The frame on air, to these, in slices. */
  function send(to: Iterable<Viewer>): void {
    const isPumping = unsent.size > 0;
    for (const viewer of to) unsent.add(viewer);
    if (!isPumping) pump();
  }

  /** Serves those who have waited longest first, always with the newest frame, and lets the event loop breathe. */
  function pump(): void {
    const until = performance.now() + SLICE_MS;
    for (const viewer of unsent) {
      unsent.delete(viewer);
      if (onAir) serve(viewer, onAir);
      if (performance.now() > until) break;
    }
    if (unsent.size > 0) setImmediate(pump);
  }

  return {
    clients: () => viewers.size,
    open(viewer) {
      viewers.add(viewer);
      if (onAir) serve(viewer, onAir);
    },
    drain(viewer) {
      if (viewer.backlog() > 0) return;
      backlog.settle(viewer);
      if (viewer.isBehind && onAir) serve(viewer, onAir);
    },
    close(viewer) {
      viewers.delete(viewer);
      unsent.delete(viewer);
      backlog.settle(viewer);
    },
    set,
    publish,
    stop: () => unsent.clear(),
    skipped: () => skipped,
  };
}
