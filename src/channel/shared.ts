// Snapshots that several take at once, each at its own pace: parts that were made are kept for the next one, while there is room.
import type { Columns, Cursor } from "../feed/publication.ts";
import type { Part, Shape, Snapshot } from "../source/source.ts";

/** One snapshot. Whoever takes it says so, and says when it has done. */
export type Shared<S extends Shape> = {
  readonly cursor: Cursor;
  readonly columns: Columns;
  readonly rows: number;
  readonly first?: number | undefined;
  /** A part that is kept. */
  kept(at: number): Part<S> | undefined;
  /** Rejects as that of `Snapshot`. */
  part(at: number): Promise<Part<S>>;
  /** Makes the next part while one is on its way, if so few take any that it is still kept when it is asked for. */
  prepare(at: number): void;
  /** Somebody takes it. Gives what that one says when it has done: once is enough, and more is no harm. */
  acquire(): () => void;
};

export type SharedSnapshots<S extends Shape> = {
  /** The last one, if it was not dropped. */
  latest(): Shared<S> | undefined;
  /** A new one, or the one that is on its way. Rejects as `take` does. */
  renew(): Promise<Shared<S>>;
  /** It was of use just now. */
  touch(): void;
  /** To be called every second or so, with the time of the monotonic clock in ms. */
  expire(now: number): void;
};

const KEPT_MS = 5_000;
const KEPT_BYTES = 8 << 20;
/** Each at a place of its own: what is prepared for them is half of what is kept. */
const MAX_PREPARED = 8;

export function openShared<S extends Shape>(
  take: () => Promise<Snapshot<S>>,
  now: () => number,
  keptBytes = KEPT_BYTES,
): SharedSnapshots<S> {
  const room = openRoom<S>(keptBytes);
  let latest: (Shared<S> & { isLost(): boolean }) | undefined;
  let release = () => {};
  let coming: Promise<Shared<S>> | undefined;
  let usedAt = 0;

  async function renew(): Promise<Shared<S>> {
    try {
      const snapshot = await take();
      drop();
      latest = shared(snapshot, room);
      release = latest.acquire();
      usedAt = now();
      return latest;
    } finally {
      coming = undefined;
    }
  }

  function drop(): void {
    release();
    latest = undefined;
  }

  return {
    latest() {
      if (latest?.isLost()) drop();
      return latest;
    },
    renew: () => (coming ??= renew()),
    touch: () => void (usedAt = now()),
    expire(at) {
      if (at - usedAt > KEPT_MS) drop();
    },
  };
}

/** Where parts of all snapshots are kept, those of each by their rows: the oldest go for the newest. */
type Room<S extends Shape> = {
  keep(parts: Map<number, Part<S>>, at: number, part: Part<S>): void;
  /** Nobody takes these any more. */
  letGo(parts: Map<number, Part<S>>): void;
};

function openRoom<S extends Shape>(keptBytes: number): Room<S> {
  const all = new Map<Part<S>, { readonly parts: Map<number, Part<S>>; readonly at: number }>();
  let bytes = 0;

  function remove(part: Part<S>, parts: Map<number, Part<S>>, at: number): void {
    all.delete(part);
    parts.delete(at);
    bytes -= sizeOf(part);
  }

  return {
    keep(parts, at, part) {
      parts.set(at, part);
      all.set(part, { parts, at });
      bytes += sizeOf(part);
      for (const [oldest, of] of all) {
        if (bytes <= keptBytes) break;
        remove(oldest, of.parts, of.at);
      }
    },
    letGo(parts) {
      for (const [at, part] of parts) remove(part, parts, at);
    },
  };
}

function shared<S extends Shape>(snapshot: Snapshot<S>, room: Room<S>): Shared<S> & { isLost(): boolean } {
  const { cursor, columns, rows, first } = snapshot;
  const kept = new Map<number, Part<S>>();
  const coming = new Map<number, Promise<Part<S>>>();
  let takers = 0;
  let isLost = false;

  async function make(at: number): Promise<Part<S>> {
    try {
      const part = await snapshot.part(at);
      if (takers > 0) room.keep(kept, at, part);
      return part;
    } catch (error) {
      isLost = true;
      throw error;
    } finally {
      coming.delete(at);
    }
  }

  function part(at: number): Promise<Part<S>> {
    const part = kept.get(at);
    if (part) return Promise.resolve(part);
    const made = coming.get(at) ?? make(at);
    coming.set(at, made);
    return made;
  }

  return {
    cursor,
    columns,
    rows,
    first,
    kept: (at) => kept.get(at),
    part,
    prepare(at) {
      if (at < rows && takers <= MAX_PREPARED) part(at).catch(() => {}); // whoever asks for it hears why
    },
    acquire() {
      let isTaking = true;
      takers++;
      return () => {
        if (!isTaking) return;
        isTaking = false;
        if (--takers > 0) return;
        snapshot.close();
        room.letGo(kept);
      };
    },
    isLost: () => isLost,
  };
}

const sizeOf = (part: Part<Shape>) => ("data" in part ? part.data.length : part.bytes);
