// Sources in a real Worker, and all that they report.
import type { Publication } from "../../src/feed/publication.ts";
import type { LinkCounts, Problem, Shape, SourceSettings, SourceStatus } from "../../src/source/source.ts";
import { openThread, type Thread } from "../../src/source/thread.ts";
import { until } from "../support.ts";
import { settingsOf, type Taken, WORKER } from "./writer.ts";

export const SCRIPTED = new URL("./scripted.worker.ts", import.meta.url);
export const SHAPES = ["rows", "frame", "json", "ndjson", "csv"] as const;
export const CSV = 'a,b\n1,"2,5"\n3,é\n';

/** A source of a thread, and all that it reports. */
export function openHeard(thread: Thread, location: string, changes: Partial<SourceSettings> = {}) {
  const publications: Publication[] = [];
  const statuses: SourceStatus[] = [];
  const refusals: Problem[] = [];
  const progress: [read: number, size: number][] = [];
  const links: LinkCounts[] = [];
  const source = thread.open(settingsOf(location, changes), {
    onPublication: (publication) => publications.push(publication),
    onStatus: (status) => statuses.push(status),
    onProgress: (read, size) => progress.push([read, size]),
    onRefused: (problem) => refusals.push(problem),
    onLink: (counts) => links.push(counts),
  });
  const heard = { publications, statuses, refusals, progress, links };
  return {
    ...heard,
    ...source,
    thread,
    cursor: () => publications.at(-1)?.cursor,
    until: (what: string, condition: () => boolean) => until(what, condition, () => JSON.stringify(heard)),
  };
}

/** A source in a Worker of its own that ends with the block. */
export function openAlone(location: string, changes: Partial<SourceSettings> = {}, entry = WORKER) {
  const thread = openThread(entry);
  return { ...openHeard(thread, location, changes), [Symbol.dispose]: thread.close };
}

/** Not `expect().rejects`: until the promise is settled that lets no message of the Worker through. */
export const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

export const textOf = ({ parts }: Taken<Shape>) =>
  Buffer.concat(parts.map((part) => ("data" in part ? part.data : Buffer.from(part.text)))).toString();

/** The rows of a snapshot in whatever shape but CSV, as the JSON that convertCsvToJson gives. */
export function jsonOf(shape: Shape, snapshot: Taken<Shape>): string {
  const columns = JSON.parse(snapshot.columns.json) as string[];
  if (shape === "ndjson") return `[${textOf(snapshot).trimEnd().split("\n").join(",")}]`;
  if (shape !== "rows") return textOf(snapshot);
  const rows = (snapshot as Taken<"rows">).parts.flatMap(({ text }) => JSON.parse(text) as string[][]);
  return JSON.stringify(rows.map((row) => Object.fromEntries(columns.map((column, c) => [column, row[c]]))));
}
