// Snapshots of a table, for sources that hold one: each belongs to the blocks that were shown when it was asked for.
import { CsvError } from "../csv/error.ts";
import { type Typing, typingOf } from "../csv/literals.ts";
import { type Chunk, checkSize, documentPart, type Range, rowsPart, type TextPart } from "../csv/parts.ts";
import type { Arena } from "../csv/render.ts";
import { renderBlocks } from "../csv/table.ts";
import type { Block } from "../csv/blocks.ts";
import type { Columns, Cursor } from "../feed/publication.ts";
import type { Verdict } from "../values/verdict.ts";
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
  /** From now on this is the table. */
  show(shown: Shown): void;
};

/** To look at what snapshots hold takes as long as a small change: it is done once in so many. */
const EXPIRED_EVERY = 8;

/** A snapshot that somebody takes. */
type Taken = { shown: Shown | undefined };

/** `maxHeldBytes`: of blocks that only snapshots still have; beyond it the one that was begun first can be had no more. */
export function openSnapshots(maxHeldBytes = Infinity): Snapshots {
  const coming = Promise.withResolvers<void>();
  coming.promise.catch(() => {}); // nobody may be waiting
  const taken = new Set<Taken>();
  let shown: Shown | undefined;
  let shownSince = 0;
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
        of.shown = undefined;
        taken.delete(of);
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

  /** The oldest of those taken end while they have too many blocks that the table has not any more. */
  function expire(): void {
    shownSince = 0;
    const seen = new Set<Block>(shown?.table.blocks);
    let held = 0;
    for (const one of [...taken].reverse()) {
      for (const block of one.shown?.table.blocks ?? []) {
        if (seen.has(block)) continue;
        seen.add(block);
        held += block.bytes.length;
      }
      if (held <= maxHeldBytes) continue;
      one.shown = undefined;
      taken.delete(one);
    }
  }

  return {
    show(next) {
      shown = next;
      coming.resolve();
      if (taken.size > 0 && ++shownSince >= EXPIRED_EVERY) expire();
    },
    snapshot,
    close() {
      clearTimeout(idle);
      coming.reject(new CsvError("closed", "closed"));
    },
  };
}
