// Snapshots of a table, for sources that hold one: each belongs to the blocks that were shown when it was asked for.
import { CsvError } from "../csv/error.ts";
import { type Typing, typingOf } from "../csv/literals.ts";
import { type Chunk, checkSize, documentPart, type Range, rowsPart, type TextPart } from "../csv/parts.ts";
import type { Arena } from "../csv/render.ts";
import { renderBlocks } from "../csv/table.ts";
import type { Block } from "../csv/blocks.ts";
import type { Columns, Cursor } from "../feed/publication.ts";
import type { Verdict } from "../values/verdict.ts";
import { collectAfter } from "./garbage.ts";
import { heldByOthers, hold, type MemoryLimit } from "./memory.ts";
import { type Part, type Shape, type Snapshot, snapshotOf, type Source } from "./source.ts";

/** The rows of a table that are shown. */
export type Shown = Range & {
  readonly cursor: Cursor;
  readonly columns: Columns;
  /** Rows of the source in front of them. */
  readonly first?: number | undefined;
  /** By them frames and documents have literals; without them every value is a string. */
  readonly verdicts?: readonly Verdict[] | undefined;
};

/** What frames are written in is kept for so long: for the next one, while somebody wants them. */
const ARENA_IDLE_MS = 5_000;

export type Snapshots = Pick<Source, "snapshot" | "close"> & {
  /** From now on this is the table. `splices`: what has changed, as text; without them nothing of the one before may be left. */
  show(shown: Shown, splices?: string): void;
};

/** Unless it is said otherwise. */
const PINNED: MemoryLimit = { maxBytes: 256 << 20, share: undefined };
/** To look at what snapshots hold takes as long as a small change: it is done when so much of what they may hold can be new. */
const LOOK_SHARE = 8;
/** What a change of a few rows replaces: the blocks that they are in. */
const CHANGED_BYTES = 1 << 17;
/** Of the memory for a table: a version of it that only snapshots still have may take one of so many shares. */
const ONE_SHARE = 4;

/** A snapshot that somebody takes. */
type Taken = { shown: Shown | undefined };

/**
 * `pinned`: of blocks that only snapshots still have; beyond it the one that was begun first can be had no more. One version of one
 * table may be larger, up to its share of `maxMemoryBytes`: else a large table that is replaced again and again would reach nobody.
 */
export function openSnapshots({ maxBytes, share } = PINNED, maxMemoryBytes = 0): Snapshots {
  const maxOneBytes = Math.max(maxBytes, maxMemoryBytes / ONE_SHARE);
  const coming = Promise.withResolvers<void>();
  coming.promise.catch(() => {}); // nobody may be waiting
  const taken = new Set<Taken>();
  let shown: Shown | undefined;
  let changed = 0; // bytes, since what is held was last looked at
  let arena: Arena = {};
  let idle: ReturnType<typeof setTimeout> | undefined;

  async function snapshot<S extends Shape>(shape: S, maxBytes?: number): Promise<Snapshot<S>> {
    if (!shown) await coming.promise;
    const { cursor, columns, first, from, to, verdicts } = shown!;
    if (shape !== "frame") checkSize(shown!, shape as Exclude<Shape, "frame">);
    const of: Taken = { shown };
    taken.add(of);
    const typing = verdicts && typingOf(verdicts);
    return snapshotOf({
      cursor,
      columns,
      rows: to - from,
      first,
      async part(at) {
        if (!of.shown) throw new CsvError("outdated", "the table has changed too much meanwhile: try again");
        return partOf(of.shown, shape, at, typing, maxBytes);
      },
      close() {
        end(of);
      },
    });
  }

  function partOf<S extends Shape>(of: Shown, shape: S, at: number, typing?: Typing, maxBytes?: number): Part<S> {
    const part: TextPart | Chunk =
      shape === "rows"
        ? rowsPart(of, at)
        : shape === "frame"
          ? frameOf(of, typing, maxBytes)
          : documentPart(of, at, shape as Exclude<Shape, "frame" | "rows">, typing);
    return part as Part<S>;
  }

  function frameOf({ table, from, to }: Shown, typing?: Typing, maxBytes?: number): TextPart {
    clearTimeout(idle);
    idle = setTimeout(() => (arena = {}), ARENA_IDLE_MS);
    const { text, bytes } = renderBlocks(table, from, to, "objects", arena, maxBytes, typing);
    if (text === undefined) throw new CsvError("too-large", "the table is larger than a message may be");
    return { at: 0, next: to - from, text, bytes };
  }

  function end(one: Taken): void {
    one.shown = undefined;
    taken.delete(one);
    if (taken.size === 0) hold(share, 0);
  }

  /** The oldest of those taken end while they have too many blocks that the table has not any more. */
  function expire(): void {
    changed = 0;
    const others = heldByOthers(share);
    const seen = new Set<Block>(shown?.table.blocks);
    let held = 0;
    for (const one of [...taken].reverse()) {
      const own = one.shown?.table.blocks.filter((block) => !seen.has(block)) ?? [];
      const bytes = own.reduce((sum, block) => sum + block.bytes.length, 0);
      const most = held + others === 0 ? maxOneBytes : maxBytes;
      if (bytes > 0 && held + others + bytes > most) {
        end(one);
        collectAfter(bytes);
        continue;
      }
      held += bytes;
      for (const block of own) seen.add(block);
    }
    hold(share, held);
  }

  return {
    show(next, splices) {
      shown = next;
      coming.resolve();
      changed += splices === undefined ? bytesIn(next) : splices.length + CHANGED_BYTES;
      if (taken.size > 0 && changed >= maxBytes / LOOK_SHARE) expire();
    },
    snapshot,
    close() {
      clearTimeout(idle);
      coming.reject(new CsvError("closed", "closed"));
    },
  };
}

const bytesIn = ({ table }: Shown) => table.blocks.reduce((sum, { bytes }) => sum + bytes.length, 0);
