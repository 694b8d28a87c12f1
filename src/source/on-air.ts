// Which file is on air: another one takes its place only once it has been read, and not before.
import { CsvError, type CsvErrorKind } from "../csv/error.ts";
import {
  type FileEvents,
  type FileSettings,
  type FileState,
  type LiveFile,
  openFile,
  type Rendering,
  type Shape,
  type TableChange,
  type TableFacts,
  type TableJson,
} from "./file.ts";
import type { ReplicaFigures } from "./relay/replica.ts";

export type OnAirEvents = {
  /** A file that is to go on air is being read: bytes so far, of about `size`. */
  onLoading(read: number, size: number): void;
  /** `path` could not be put on air; what was on air still is. */
  onRefused(kind: CsvErrorKind, message: string): void;
  /** A table is there: of a new file, or a changed one. Versions grow from file to file too. */
  onTable(path: string, facts: TableFacts, change: TableChange, isNewFile: boolean): void;
  /** `since` in ms since 1970. */
  onState(state: FileState, message: string, since: number): void;
  /** A relay is on air, or on its way to be: how it goes with it. */
  onReplica?(figures: ReplicaFigures): void;
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
  /**
   * The table on air in pieces: as it is now or later, of whatever file is on air then; without one, the first there will be.
   * Who asks for the same shape meanwhile gets the same. Rejects with Error("closed") on `close`, and with
   * CsvError `too-large` if the shape takes more than 4 GiB.
   */
  rendering(shape: Shape): Promise<Rendering>;
  /** Nobody listens: memory kept for the next rendering is given back. */
  rest(): void;
  close(): void;
};

export function openOnAir(settings: Omit<FileSettings, "path" | "version" | "floor">, events: OnAirEvents): OnAir {
  let current: { file: LiveFile; facts: TableFacts } | undefined;
  let candidate: LiveFile | undefined;
  let tables = 0; // that came
  let rendered = 0; // of these, the last that was asked for: versions of different epochs may be the same
  let isClosed = false;
  const waiting = new Map<Shape, PromiseWithResolvers<Rendering>>();

  function open(path: string): void {
    candidate?.close();
    let shift = 0; // what was on air may have come further than was known when this file was opened
    /** Not that of a relay: its publisher numbers. */
    const shifted = <T extends { version: number; epoch?: string | undefined }>(told: T): T =>
      told.epoch === undefined ? { ...told, version: told.version + shift } : told;
    const isHeard = () => (current ? current.file === file : candidate === file);
    const forFile: FileEvents = {
      onProgress: (read, size) => candidate === file && events.onLoading(read, size),
      onRefused(kind, message) {
        candidate = undefined;
        events.onRefused(kind, message);
      },
      onTable(told, change) {
        const isNewFile = current?.file !== file;
        if (isNewFile) {
          current?.file.close();
          candidate = undefined;
          shift = Math.max(0, (current?.facts.version ?? 0) + 1 - told.version);
        }
        const facts = shifted(told);
        tables++;
        current = { file, facts };
        if (isNewFile) for (const shape of waiting.keys()) file.renderParts(shape);
        events.onTable(path, facts, change, isNewFile);
      },
      onReplica: (figures) => isHeard() && events.onReplica?.(figures),
      onState: (state, message, since) => isHeard() && events.onState(state, message, since),
      onJson: (json) => current?.file === file && events.onJson(shifted(json)),
      onRendering: (rendering) => current?.file === file && settle(rendering.shape)?.resolve(shifted(rendering)),
      onUnrenderable: (shape, message) =>
        current?.file === file && settle(shape)?.reject(new CsvError("too-large", message)),
    };
    const file = openFile({ ...settings, path, version: current?.facts.version ?? 0 }, forFile);
    candidate = file;
  }

  function render(maxBytes: number): void {
    if (!current || rendered === tables) return;
    rendered = tables;
    current.file.render(maxBytes);
  }

  function rendering(shape: Shape): Promise<Rendering> {
    const pending = waiting.get(shape);
    if (pending) return pending.promise;
    const asked = Promise.withResolvers<Rendering>();
    asked.promise.catch(() => {}); // who has gone meanwhile does not hear of `close`
    if (isClosed) asked.reject(new Error("closed"));
    else {
      waiting.set(shape, asked);
      current?.file.renderParts(shape);
    }
    return asked.promise;
  }

  /** Reports come in order, so what came is the version of the last table: as new as anybody waiting has asked for. */
  function settle(shape: Shape): PromiseWithResolvers<Rendering> | undefined {
    const asked = waiting.get(shape);
    waiting.delete(shape);
    return asked;
  }

  return {
    open,
    table: () => current?.facts,
    isLoading: () => candidate !== undefined,
    render,
    rendering,
    rest: () => current?.file.rest(),
    close() {
      isClosed = true;
      candidate?.close();
      current?.file.close();
      for (const { reject } of waiting.values()) reject(new Error("closed"));
      waiting.clear();
    },
  };
}
