// The Worker's side of `thread.ts`: opens sources, passes on what they report, and sends snapshots part by part. What a source reports
// again and again, as a look at a file does, goes to the main thread once.
import { CsvError } from "../csv/error.ts";
import type { ThreadReport, ThreadRequest } from "./thread.ts";
import { type OpenSource, problemOf, type Shape, type Source, type SourceEvents } from "./source.ts";

declare const self: Worker;

const report = (message: ThreadReport, transfer: ArrayBuffer[] = []) => self.postMessage(message, transfer);

/** To be called by the entry file of a Worker, with the one that knows all kinds of sources. */
export function serveSources(open: OpenSource): void {
  const sources = new Map<number, Source>();

  self.onmessage = ({ data }: MessageEvent<ThreadRequest>) => {
    switch (data.type) {
      case "open":
        sources.set(data.source, open(data.settings, eventsOf(data.source), data.resume));
        return;
      case "snapshot":
        return void send(data.request, data.shape, sources.get(data.source), data.maxBytes);
      case "close":
        sources.get(data.source)?.close();
        sources.delete(data.source);
        return;
    }
  };
}

function eventsOf(source: number): SourceEvents {
  let reported = "";

  function once(text: string, message: ThreadReport): void {
    if (reported === text) return;
    reported = text;
    report(message);
  }

  return {
    onPublication: (publication) => report({ type: "publication", source, publication }),
    onStatus: (status) => once(`${status.state} ${JSON.stringify(status)}`, { type: "status", source, status }),
    onProgress: (read, size) => report({ type: "progress", source, read, size }),
    onRefused: (problem) => once(`refused ${JSON.stringify(problem)}`, { type: "refused", source, problem }),
    onLink: (counts) => report({ type: "link", source, counts }),
  };
}

async function send<S extends Shape>(
  request: number,
  shape: S,
  source: Source | undefined,
  maxBytes?: number,
): Promise<void> {
  try {
    if (!source) throw new CsvError("closed", "closed");
    const { cursor, columns, rows, parts } = await source.snapshot(shape, maxBytes);
    report({ type: "snapshot", request, head: { cursor, columns, rows } });
    // One by one, as they are made: parts are copied over there, and no turn is to have many.
    for await (const part of parts)
      report({ type: "part", request, part }, part instanceof Uint8Array ? [part.buffer] : []);
    report({ type: "end", request });
  } catch (error) {
    report({ type: "failed", request, problem: problemOf(error) });
  }
}
