// Which file is on air: another one takes its place only once it has been read, and not before.
import type { CsvErrorKind } from "../csv/error.ts";
import {
  type FileEvents,
  type FileSettings,
  type FileState,
  type LiveFile,
  openFile,
  type TableFacts,
  type TableJson,
} from "./file.ts";

export type OnAirEvents = {
  /** A file that is to go on air is being read: bytes so far, of about `size`. */
  onLoading(read: number, size: number): void;
  /** `path` could not be put on air; what was on air still is. */
  onRefused(kind: CsvErrorKind, message: string): void;
  /** A table is there: of a new file, or a changed one. */
  onTable(path: string, facts: TableFacts, isNewFile: boolean, splices?: string, isNewEpoch?: boolean): void;
  onState(state: FileState, message: string): void;
  onJson(json: TableJson): void;
};

export type OnAir = {
  /** Reads the file and puts it on air. A path given later wins over one that is still being read. */
  open(path: string): void;
  /** The table on air. */
  table(): TableFacts | undefined;
  isLoading(): boolean;
  /** Asks for the JSON of the table on air; one rendering runs at a time, and never for a version that was rendered. */
  render(maxBytes: number): void;
  /** Nobody listens: memory kept for the next rendering is given back. */
  rest(): void;
  close(): void;
};

export function openOnAir(settings: Omit<FileSettings, "path" | "version">, events: OnAirEvents): OnAir {
  let current: { file: LiveFile; facts: TableFacts } | undefined;
  let candidate: LiveFile | undefined;
  let renderedVersion = 0; // asked for, at least

  function open(path: string): void {
    candidate?.close();
    const forFile: FileEvents = {
      onProgress: (read, size) => candidate === file && events.onLoading(read, size),
      onRefused(kind, message) {
        candidate = undefined;
        events.onRefused(kind, message);
      },
      onTable(facts, splices, isNewEpoch) {
        const isNewFile = current?.file !== file;
        if (isNewFile) {
          current?.file.close();
          candidate = undefined;
          renderedVersion = 0;
        }
        current = { file, facts };
        events.onTable(path, facts, isNewFile, splices, isNewEpoch);
      },
      onState: (state, message) => current?.file === file && events.onState(state, message),
      onJson: (json) => current?.file === file && events.onJson(json),
    };
    const file = openFile({ ...settings, path, version: current?.facts.version ?? 0 }, forFile);
    candidate = file;
  }

  function render(maxBytes: number): void {
    if (!current || renderedVersion === current.facts.version) return;
    renderedVersion = current.facts.version;
    current.file.render(maxBytes);
  }

  return {
    open,
    table: () => current?.facts,
    isLoading: () => candidate !== undefined,
    render,
    rest: () => current?.file.rest(),
    close() {
      candidate?.close();
      current?.file.close();
    },
  };
}
