// The Worker behind a live file: looks at it when something may have happened, publishes its changes as finished strings, and
// renders JSON when asked. All parsing happens here, so the event loop of the server never touches rows.
import { statSync } from "node:fs";

import { MAX_RENDERED_BYTES, renderParts, type Shape } from "../csv/parts.ts";
import type { Arena } from "../csv/render.ts";
import { describeDialect, warningsOf } from "../csv/verdict.ts";
import { type FileReport, type FileRequest, type FileSettings, type Rendering, STDIN } from "./file.ts";
import type { Publication } from "./held.ts";
import { type FileState, openReader, type Reader } from "./reader.ts";
import { openRelay, type ReplicaFigures } from "./relay/replica.ts";
import { isRelayUrl, relayAddress } from "./relay/address.ts";
import { openStdin } from "./stdin.ts";
import { watchFolders } from "./watch.ts";

declare const self: Worker;

/** Looks are at least this far apart, so that a busy writer costs a bounded share of a core. */
const MIN_LOOK_MS = 20;

let settings: FileSettings;
let onAir: Publication | undefined;
let version = 0;
let reported = "";
let lookingSince = 0;
let arena: Arena = {};

const report = (message: FileReport) => self.postMessage(message);

self.onmessage = ({ data }: MessageEvent<FileRequest>) => {
  switch (data.type) {
    case "open":
      settings = data.settings;
      version = settings.version;
      return follow();
    case "render":
      return render(data.maxBytes);
    case "parts":
      return renderShape(data.shape);
    case "rest":
      arena = {};
      return;
  }
};

/** Looks at every hint, at every `lookMs`, and when the reader is due. */
function follow(): void {
  const hint = () => schedule(performance.now());
  let timer: ReturnType<typeof setTimeout> | undefined;
  let timerAt = Infinity;
  let lookedAt = -Infinity;
  const { reader, isFile } = openSource(hint);
  const watch = settings.watches && isFile ? watchFolders(settings.path, hint) : undefined;

  function schedule(at: number): void {
    const wanted = Math.max(at, lookedAt + MIN_LOOK_MS);
    if (wanted >= timerAt) return;
    clearTimeout(timer);
    timerAt = wanted;
    timer = setTimeout(look, Math.max(0, wanted - performance.now()));
  }

  function look(): void {
    timerAt = Infinity;
    watch?.rearm();
    lookingSince = performance.now();
    reader.look(lookingSince);
    lookedAt = performance.now();
    schedule(Math.min(lookedAt + settings.lookMs, reader.dueAt() ?? Infinity));
  }

  look();
}

/** Undefined if it is gone again. */
function modifiedAt(): number | undefined {
  return statSync(settings.path, { throwIfNoEntry: false })?.mtimeMs;
}

function openSource(hint: () => void): { reader: Reader; isFile: boolean } {
  const events = { onPublication, onState, onRefused, onProgress };
  if (settings.path === STDIN) return { reader: openStdin(settings, events, hint), isFile: false };
  if (!isRelayUrl(settings.path)) return { reader: openReader(settings, events), isFile: true };
  const address = relayAddress(settings.path);
  const onFigures = (figures: ReplicaFigures) => report({ type: "replica", figures });
  if (!("fault" in address))
    return { reader: openRelay(address, settings, { ...events, onFigures }, hint), isFile: false };
  onRefused("not-found", address.fault);
  return { reader: { look() {}, dueAt: () => undefined }, isFile: false };
}

function onProgress(read: number, size: number): void {
  report({ type: "progress", read, size });
}

function onRefused(kind: Extract<FileReport, { type: "refused" }>["kind"], message: string): void {
  report({ type: "refused", kind, message });
}

function onPublication(publication: Publication): void {
  const isFirst = onAir === undefined;
  const isFile = settings.path !== STDIN && publication.origin === undefined;
  onAir = publication;
  const { table, document, view, isNewEpoch, origin } = publication;
  const splices = splicesOf(publication);
  const noticedAt = origin?.noticedAt ?? lookingSince;
  version = origin?.cursor.version ?? version + 1;
  report({
    type: "table",
    facts: {
      version,
      epoch: origin?.cursor.epoch,
      file: origin?.file,
      rows: view.end - view.first,
      columns: table.columns.length,
      bytes: table.length(),
      dialect: origin?.dialect ?? describeDialect(document),
      warnings: origin?.warnings ?? warningsOf(document, table),
      readMs: Math.round((performance.now() - noticedAt) * 1000) / 1000,
    },
    change: {
      isNewEpoch,
      splices,
      columnsJson: splices === undefined ? JSON.stringify(table.columns) : undefined,
      modifiedAt: isFirst && isFile ? modifiedAt() : undefined,
    },
  });
}

/** The change as JSON, `[[start, deleted, rows], …]`; undefined if the view is to be taken anew. */
function splicesOf({ table, change }: Publication): string | undefined {
  if (change === "all") return undefined;
  if ("text" in change) return change.text;
  const texts = change.map(({ start, deleted, from, inserted }) => {
    const rows = table.render(from, from + inserted, "arrays");
    return `[${start},${deleted},${rows.text}]`;
  });
  return `[${texts.join(",")}]`;
}

/** Each state is reported when it begins, not again at every look. */
function onState(state: FileState, message: string, since?: number): void {
  const told = `${state} ${since} ${message}`;
  if (reported === told) return;
  reported = told;
  report({ type: "state", state, message, since: since ?? Date.now() });
}

function render(maxBytes: number): void {
  if (!onAir) return;
  const { table, view } = onAir;
  const { text, bytes } = table.render(view.first, view.end, "objects", arena, maxBytes);
  report({ type: "json", version, epoch: onAir.origin?.cursor.epoch, text, bytes });
}

/** The chunks change hands. Parts are copied over there: they go one by one, as they are made, so that no turn has many. */
function renderShape(shape: Shape): void {
  if (!onAir) return;
  const { table, view } = onAir;
  const rendered = renderParts(table, view.first, view.end, shape, MAX_RENDERED_BYTES, (part) =>
    report({ type: "part", part }),
  );
  if (!rendered) {
    const message = `as ${shape} the table is longer than ${MAX_RENDERED_BYTES / 2 ** 30} GiB`;
    return report({ type: "unrenderable", shape, message });
  }
  const rendering: Rendering = { version, epoch: onAir.origin?.cursor.epoch, shape, ...rendered };
  self.postMessage(
    { type: "rendering", rendering } satisfies FileReport,
    rendering.chunks.map(({ buffer }) => buffer),
  );
}
