// What a publisher says of its tables in the stream of the server: of one table as it is, of several only what is news, and from time to
// time of all. Touches nothing.
import { type Beat } from "../scripts.ts";
import { beatText } from "../wire.ts";

/** Undefined: nothing can be said of the table for now. */
export type Said = readonly [table: string, text: string | undefined];

export type Beats = {
  /** Another list of tables: who has read the one before knows nothing of these. `isMany`: there are several. */
  begin(list: string, isMany: boolean): void;
  isMany(): boolean;
  /** The next one is to name all tables: what is stored may not lead there. */
  renew(): void;
  /** Whether all tables are to be named in the next one. */
  isFull(): boolean;
  /** What was said of a table last; undefined for nothing. */
  said(table: string): string | undefined;
  /** The next one, of `news`; undefined if there is nothing to say. `isDue`: it is to be there in any case. */
  next(news: readonly Said[], isDue: boolean): Beat | undefined;
  /** The one of `next` was written, as this entry. */
  written(id: string): void;
};

/** Of an entry that leads nowhere only the last ones say something; who joins has heard the next one in no time. */
const KEPT_BEATS = "16";
/** After so many, and so many bytes, all is said again: who joins reads no more than that. */
const BEATS_PER_FULL = 64;
const BYTES_PER_FULL = 1 << 16;

export function openBeats(): Beats {
  const said = new Map<string, string | undefined>();
  let list = "";
  let isMany = false;
  let isFull = true;
  let number = 0;
  let fullId = "0-0";
  let beats = 0;
  let bytes = 0;
  let next: { readonly news: readonly Said[]; readonly length: number } | undefined;

  function ofOne(news: readonly Said[]): Beat | undefined {
    const known = news.filter(([, text]) => text !== undefined);
    if (known.length === 0) return undefined;
    return { text: beatText({ list, isFull: false }, known), keeps: ["MAXLEN", KEPT_BEATS] };
  }

  return {
    begin(id, several) {
      [list, isMany, isFull] = [id, several, true];
      said.clear();
    },
    isMany: () => isMany,
    renew() {
      isFull = true;
      said.clear();
    },
    isFull: () => isFull,
    said: (table) => said.get(table),
    next(all, isDue) {
      const news = all.filter(([table, text]) => isFull || text !== said.get(table));
      if (!isMany) return ofOne(all);
      if (news.length === 0 && !isDue) return undefined;
      const text = beatText({ list, number: number + 1, isFull }, news);
      next = { news, length: text.length };
      return { text, keeps: ["MINID", fullId] };
    },
    written(id) {
      if (!isMany || !next) return;
      for (const [table, text] of next.news) said.set(table, text);
      number++;
      bytes += next.length;
      if (isFull) [fullId, beats, bytes] = [id, 0, -next.length]; // a large one may be followed by as much
      isFull = ++beats >= BEATS_PER_FULL || bytes >= BYTES_PER_FULL;
    },
  };
}
