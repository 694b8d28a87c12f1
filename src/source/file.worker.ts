// The Worker behind a live file: looks at it, reads it when it changed, counts its rows, and renders JSON when asked.
// All parsing happens here, so the event loop of the server never touches rows.
import { statSync } from "node:fs";
import { type CsvDocument, describeDialect, openDocument, renderDocument, takeCensus } from "../csv/document.ts";
import { type Arena } from "../csv/render.ts";
import type { CsvErrorKind } from "../csv/error.ts";
import type { FileReport, FileRequest, FileSettings, FileState } from "./file.ts";
import { asCsvError, identityOf, readWhole } from "./read.ts";

declare const self: Worker;

let settings: FileSettings;
let seen = ""; // identity of the content that was last tried, good or bad
let table: { document: CsvDocument; end: number; version: number } | undefined;
let reported = "";
const arena: Arena = {};

const report = (message: FileReport) => self.postMessage(message);

self.onmessage = ({ data }: MessageEvent<FileRequest>) => {
  switch (data.type) {
    case "open":
      settings = data.settings;
      look();
      if (table) setInterval(look, settings.lookMs);
      return;
    case "render":
      return render(data.maxBytes);
  }
};

const STATES: Partial<Record<CsvErrorKind, FileState>> = {
  "not-found": "missing",
  "not-csv": "invalid",
  "unclosed-quote": "invalid",
};

/** One look: `stat` tells whether there is anything to read. A bad read never replaces a good table. */
function look(): void {
  const { path } = settings;
  try {
    const stat = statSync(path, { bigint: true });
    if (identityOf(stat) === seen) return;
    seen = identityOf(stat);
    load();
  } catch (error) {
    const { kind, message } = asCsvError(path, error);
    if (kind === "changing") seen = "";
    else if (!table) report({ type: "refused", kind, message: named(message) });
    else reportState(STATES[kind] ?? "stale", `${named(message)}; the last good table stays on air`);
    if (kind === "not-found") seen = "";
  }
}

function load(): void {
  const { path, maxFileBytes, readOptions, version } = settings;
  const onProgress = (read: number, size: number) => report({ type: "progress", read, size });
  const { bytes, length, identity } = readWhole(path, { maxFileBytes, onProgress });
  const document = openDocument(bytes, length, readOptions);
  const { rows, surplus, end, openQuoteLine } = takeCensus(document);
  seen = identity;
  table = { document, end, version: (table?.version ?? version) + 1 };
  report({
    type: "table",
    facts: {
      version: table.version,
      rows,
      columns: document.dialect.columns.length,
      dialect: describeDialect(document),
      warnings: warningsOf(document, surplus),
    },
  });
  if (openQuoteLine === undefined) reportState("live", "");
  else
    reportState(
      "invalid",
      `${path}: line ${openQuoteLine}: a quote is opened and never closed; the rows before it are on air`,
    );
}

function warningsOf({ dialect, replaced }: CsvDocument, surplus: number): string[] {
  const warnings: string[] = [];
  if (dialect.renamed > 0) warnings.push(`${plural(dialect.renamed, "column")} renamed: the name was there already`);
  if (surplus > 0) warnings.push(`${plural(surplus, "cell")} dropped: beyond the last column of the header`);
  if (replaced > 0) warnings.push(`${plural(replaced, "character")} replaced: not valid in the encoding`);
  return warnings;
}

const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;

function named(message: string): string {
  return message.startsWith(settings.path) || message.startsWith('"') ? message : `${settings.path}: ${message}`;
}

/** Each state is reported when it begins, not again at every look. */
function reportState(state: FileState, message: string): void {
  if (reported === state + message) return;
  reported = state + message;
  report({ type: "state", state, message });
}

function render(maxBytes: number): void {
  if (!table) return;
  const { document, end, version } = table;
  const { text, bytes } = renderDocument(document, end, arena, maxBytes);
  report({ type: "json", version, text, bytes });
}
