// The Worker's side of `thread.ts`: opens sources, passes on what they report, and sends snapshots part by part. What a source reports
// again and again, as a look at a file does, goes to the main thread once.
import { collectAfter } from "./garbage.ts";
import { hold } from "./memory.ts";
import { CsvError } from "../csv/error.ts";
import type { ThreadReport, ThreadRequest } from "./thread.ts";
import {
  type OpenSource,
  problemOf,
  type Shape,
  type Snapshot,
  type Source,
  type SourceEvents,
  type SourceSettings,
} from "./source.ts";

declare const self: Worker;

const report = (message: ThreadReport, transfer: ArrayBuffer[] = []) => self.postMessage(message, transfer);

/** A source, and where it says what it holds. */
type Opened = Pick<SourceSettings, "memory" | "pinned"> & { readonly source: Source };

/** To be called by the entry file of a Worker, with the one that knows all kinds of sources. */
export function serveSources(open: OpenSource): void {
  const sources = new Map<number, Opened>();
  const snapshots = new Map<number, Snapshot<Shape>>();

  self.onmessage = ({ data }: MessageEvent<ThreadRequest>) => {
    switch (data.type) {
      case "open":
        sources.set(data.source, { ...data.settings, source: open(data.settings, eventsOf(data), data.resume) });
        return;
      case "snapshot":
        return void begin(snapshots, data, sources.get(data.source)?.source);
      case "part":
        return void send(snapshots.get(data.request), data);
      case "release":
        snapshots.get(data.request)?.close();
        snapshots.delete(data.request);
        return;
      case "close":
        close(sources.get(data.source));
        sources.delete(data.source);
        return;
    }
  };
}

/** Its memory was given back before it heard of that: it may have said since then that it holds something. */
function close(opened: Opened | undefined): void {
  opened?.source.close();
  hold(opened?.memory, 0);
  hold(opened?.pinned?.share, 0);
}

function eventsOf({ source, handled }: Extract<ThreadRequest, { type: "open" }>): SourceEvents {
  let publications = 0;
  let reported = "";

  function once(text: string, message: ThreadReport): void {
    if (reported === text) return;
    reported = text;
    report(message);
  }

  return {
    onPublication(publication) {
      publications++;
      report({ type: "publication", source, publication });
    },
    isBehind: () => Atomics.load(handled, 0) < publications,
    onStatus: (status) => once(`${status.state} ${JSON.stringify(status)}`, { type: "status", source, status }),
    onProgress: (read, size) => report({ type: "progress", source, read, size }),
    onRefused: (problem) => once(`refused ${JSON.stringify(problem)}`, { type: "refused", source, problem }),
    onLink: (counts) => report({ type: "link", source, counts }),
    onTables: (tables) => report({ type: "tables", source, tables }),
  };
}

async function begin(
  snapshots: Map<number, Snapshot<Shape>>,
  { request, shape, maxBytes }: Extract<ThreadRequest, { type: "snapshot" }>,
  source: Source | undefined,
): Promise<void> {
  try {
    if (!source) throw new CsvError("closed", "closed");
    const snapshot = await source.snapshot(shape, maxBytes);
    snapshots.set(request, snapshot);
    const { cursor, columns, rows, first } = snapshot;
    report({ type: "snapshot", request, head: { cursor, columns, rows, first } });
  } catch (error) {
    report({ type: "failed", request, call: undefined, problem: problemOf(error) });
  }
}

async function send(
  snapshot: Snapshot<Shape> | undefined,
  { request, call, at }: Extract<ThreadRequest, { type: "part" }>,
): Promise<void> {
  try {
    if (!snapshot) throw new CsvError("closed", "closed");
    const part = await snapshot.part(at);
    report({ type: "part", request, call, part }, "data" in part ? [part.data.buffer] : []);
    if ("text" in part) collectAfter(part.text.length);
  } catch (error) {
    report({ type: "failed", request, call, problem: problemOf(error) });
  }
}
