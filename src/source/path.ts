// What is at a path, as a source: a file, or a FIFO, which is read as standard input is.
import { openFifo, isFifo } from "./fifo.ts";
import { openFile } from "./file/file.ts";
import type { Shape, Source, SourceEvents, SourceSettings } from "./source.ts";

export function openPath(settings: SourceSettings, events: SourceEvents): Source {
  const path = settings.location;
  let isClosed = false;
  let source = isFifo(path) ? openFifo(settings, events) : openFile(settings, { ...events, onStatus });

  /** What was not there may come as a FIFO. */
  function onStatus(status: Parameters<SourceEvents["onStatus"]>[0]): void {
    if (status.state === "waiting" && isFifo(path)) setImmediate(change);
    else events.onStatus(status);
  }

  function change(): void {
    if (isClosed) return;
    source.close();
    source = openFifo(settings, events);
  }

  return {
    snapshot: <S extends Shape>(shape: S, maxBytes?: number) => source.snapshot(shape, maxBytes),
    close() {
      isClosed = true;
      source.close();
    },
  };
}
