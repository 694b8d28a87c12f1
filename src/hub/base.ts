// The base snapshot of the live feed: rendered when somebody needs one, shared by all who come while the changes since are few.
import type { Feed } from "../feed/feed.ts";
import { type Cursor, snapshotText } from "../feed/protocol.ts";

/** A table as snapshot messages. */
export type Base = { readonly cursor: Cursor; readonly parts: readonly string[]; readonly bytes: number };

/** The table at some version: each part a JSON array of rows, the first of them row `at`. */
export type TableParts = {
  readonly version: number;
  readonly epoch?: string | undefined;
  readonly rows: number;
  readonly parts: readonly { readonly at: number; readonly text: string }[];
};

export type BaseSnapshot = {
  /** Undefined if there is none, or if it and the changes since are more than a new one would be. */
  get(): Base | undefined;
  /** Asks for a new one; `onReady` or `onFailed` is called. */
  renew(): void;
  /** Gives it up if nobody has needed it for a while. */
  expire(now: number): void;
};

const KEPT_MS = 5_000;
/** Changes of so many characters are less than a rendering, however small the table. */
const FEW = 4096;

export type BaseOptions = {
  readonly feed: Feed;
  /** The current table; rejects if it cannot be had, with the reason. */
  readonly render: () => Promise<TableParts>;
  readonly onReady: () => void;
  readonly onFailed: (why: string) => void;
};

export function openBase({ feed, render, onReady, onFailed }: BaseOptions): BaseSnapshot {
  let base: Base | undefined;
  let usedAt = 0;
  let isRendering = false;

  function get(): Base | undefined {
    const distance = base && feed.distance(base.cursor);
    if (!base || distance === undefined || distance > Math.max(base.bytes >> 1, FEW)) return undefined;
    usedAt = performance.now();
    return base;
  }

  function renew(): void {
    if (isRendering) return;
    isRendering = true;
    render().then(
      (table) => {
        isRendering = false;
        base = baseOf(table);
        usedAt = performance.now();
        onReady();
      },
      (error) => {
        isRendering = false;
        onFailed(error instanceof Error ? error.message : String(error));
      },
    );
  }

  function baseOf({ rows, parts, ...rendered }: TableParts): Base | undefined {
    const cursor = feed.cursorOf(rendered);
    if (!cursor) return undefined;
    const columns = feed.columnsJson();
    const texts = parts.map(({ at, text }) => snapshotText(cursor, columns, at, text, rows));
    return { cursor, parts: texts, bytes: texts.reduce((sum, text) => sum + text.length, 0) };
  }

  function expire(now: number): void {
    if (now - usedAt > KEPT_MS) base = undefined;
  }

  return { get, renew, expire };
}
