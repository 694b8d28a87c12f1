// A snapshot that is collected when somebody needs it, shared by all who need it while it is of use, and dropped when nobody has for a while.
import type { Columns, Cursor } from "../feed/publication.ts";
import type { Part, Shape, Snapshot } from "../source/source.ts";

/** A whole snapshot. */
export type Collected<S extends Shape> = {
  readonly cursor: Cursor;
  readonly columns: Columns;
  readonly rows: number;
  readonly parts: readonly Part<S>[];
  /** Of all parts together, in UTF-8. */
  readonly bytes: number;
};

export type SharedSnapshot<S extends Shape> = {
  /** The last one, if it was not dropped. */
  latest(): Collected<S> | undefined;
  /** A new one, or the one that is on its way. Rejects as `take` does. */
  renew(): Promise<Collected<S>>;
  /** It was of use just now. */
  touch(): void;
  /** To be called every second or so, with the time of the monotonic clock in ms. */
  expire(now: number): void;
};

const KEPT_MS = 5_000;

export function openShared<S extends Shape>(take: () => Promise<Collected<S>>, now: () => number): SharedSnapshot<S> {
  let latest: Collected<S> | undefined;
  let coming: Promise<Collected<S>> | undefined;
  let usedAt = 0;

  async function collect(): Promise<Collected<S>> {
    try {
      latest = await take();
      usedAt = now();
      return latest;
    } finally {
      coming = undefined;
    }
  }

  return {
    latest: () => latest,
    renew: () => (coming ??= collect()),
    touch: () => void (usedAt = now()),
    expire(at) {
      if (at - usedAt > KEPT_MS) latest = undefined;
    },
  };
}

export async function collected<S extends Shape>({ cursor, columns, rows, parts }: Snapshot<S>): Promise<Collected<S>> {
  const all: Part<S>[] = [];
  let bytes = 0;
  for await (const part of parts) {
    all.push(part);
    bytes += part instanceof Uint8Array ? part.byteLength : part.bytes;
  }
  return { cursor, columns, rows, parts: all, bytes };
}
