// A follower without a Worker around it, for tests: what it has published, rebuilt from its publications as a client would.
import type { Splice } from "../../src/feed/protocol.ts";
import type { Cursor, Publication } from "../../src/feed/publication.ts";
import { openFollowers } from "../../src/relay/follow/follower.ts";
import type {
  LinkCounts,
  ListedTables,
  Part,
  Problem,
  Shape,
  Source,
  SourceSettings,
  SourceStatus,
} from "../../src/source/source.ts";
import { until } from "../support.ts";
import { HEARTBEAT_MS } from "./publishing.ts";

export type TestFollower = Disposable & {
  readonly source: Source;
  readonly publications: readonly Publication[];
  readonly statuses: readonly SourceStatus[];
  readonly refusals: readonly Problem[];
  readonly links: readonly LinkCounts[];
  /** Each list of tables that it was told of. */
  readonly lists: readonly ListedTables[];
  /** From the splices, and from snapshots where there were none. */
  rows(): readonly (readonly string[])[];
  status(): SourceStatus | undefined;
  last(): Publication | undefined;
  until(what: string, condition: () => boolean): Promise<void>;
};

export const SILENCE_MS = 5 * HEARTBEAT_MS;

export const settingsOf = (location: string, changes: Partial<SourceSettings> = {}): SourceSettings => ({
  location,
  maxColumns: 100,
  maxFileBytes: 1 << 30,
  maxMemoryBytes: Infinity,
  maxCellBytes: 1 << 24,
  lastRows: Infinity,
  settleMs: 20,
  pollMs: 100,
  lookMs: 20,
  watches: false,
  silenceMs: SILENCE_MS,
  ...changes,
});

/** All parts of a snapshot, taken before the table may change. */
export async function partsOf<S extends Shape>(
  source: Source,
  shape: S,
): Promise<{ cursor: Cursor; parts: Part<S>[] }> {
  const { cursor, parts } = await source.snapshot(shape);
  return { cursor, parts: await Array.fromAsync(parts) };
}

/** `open`: with what others of the same relay are followed by the same connection. */
export function followWith(
  location: string,
  changes: Partial<SourceSettings> = {},
  resume?: Cursor,
  open = openFollowers(),
): TestFollower {
  const publications: Publication[] = [];
  const statuses: SourceStatus[] = [];
  const refusals: Problem[] = [];
  const links: LinkCounts[] = [];
  const lists: ListedTables[] = [];
  let rows: (readonly string[])[] = [];
  let pending = 0; // snapshots that are being read
  const source = open(
    settingsOf(location, changes),
    {
      onPublication(publication) {
        publications.push(publication);
        if (publication.splices === undefined) return void readAll();
        for (const [start, deleted, added] of JSON.parse(publication.splices) as Splice[])
          rows.splice(start, deleted, ...added);
      },
      onStatus: (status) => void statuses.push(status),
      onProgress() {},
      onRefused: (problem) => void refusals.push(problem),
      onLink: (counts) => void links.push(counts),
      onTables: (tables) => void lists.push(tables),
    },
    resume,
  );

  async function readAll(): Promise<void> {
    pending++;
    const { parts } = await partsOf(source, "rows");
    rows = parts.flatMap(({ text }) => JSON.parse(text) as string[][]);
    pending--;
  }

  return {
    source,
    publications,
    statuses,
    refusals,
    links,
    lists,
    rows: () => (pending > 0 ? [] : rows),
    status: () => statuses.at(-1),
    last: () => publications.at(-1),
    async until(what, condition) {
      await until(what, condition, () => JSON.stringify([statuses.at(-1), publications.at(-1), rows]).slice(0, 500));
    },
    [Symbol.dispose]: source.close,
  };
}

/** Several tables of a relay, by one connection; the first one is called csv. */
export function followAll<Name extends string>(
  location: string,
  names: readonly Name[],
  changes: Partial<SourceSettings> = {},
): Record<Name, TestFollower> & Disposable {
  const open = openFollowers();
  const all = names.map((table) => [table, followWith(location, { ...changes, table }, undefined, open)] as const);
  return {
    ...(Object.fromEntries(all) as Record<Name, TestFollower>),
    [Symbol.dispose]: () => all.forEach(([, follower]) => follower[Symbol.dispose]()),
  };
}
