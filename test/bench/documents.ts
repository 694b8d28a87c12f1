// The CSV files that are measured, made from the row number alone: any row can be told again without reading the file.
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";

export type Document = {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: number;
  /** The values of one row, as every reader of the file should see them. */
  cells(row: number): string[];
  /** A value as it is written in the file. */
  written(value: string): string;
};

const FOLDER = join(import.meta.dir, "data");
/** Part of the file names: raise it when a generator changes. */
const REVISION = 1;
const FLUSH_CHARACTERS = 1 << 20;

/** Writes the document into test/bench/data unless it is there, and returns its path. */
export function pathOf(document: Document): string {
  const path = join(FOLDER, `${document.name}-r${REVISION}.csv`);
  if (existsSync(path)) return path;
  mkdirSync(FOLDER, { recursive: true });
  writeDocument(document, document.rows, `${path}.new`);
  renameSync(`${path}.new`, path);
  return path;
}

/** Writes the header and the first `rows` rows. */
export function writeDocument({ columns, cells, written }: Document, rows: number, path: string): void {
  const fd = openSync(path, "w");
  let text = `${columns.join(",")}\n`;
  for (let row = 0; row < rows; row++) {
    text += `${cells(row).map(written).join(",")}\n`;
    if (text.length < FLUSH_CHARACTERS) continue;
    writeSync(fd, text);
    text = "";
  }
  writeSync(fd, text);
  closeSync(fd);
}

/** mulberry32 from the row number: numbers from 0 to below `limit`. */
function randomOf(row: number): (limit: number) => number {
  let state = Math.imul(row + 1, 0x9e3779b1);
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

const START_MS = Date.UTC(2026, 0, 1);
const STATUSES = ["ok", "ok", "ok", "ok", "warming", "warning", "error", "offline"] as const;

/** What a logger writes: six columns, no quotes. */
export const plain: Document = {
  name: "plain",
  columns: ["timestamp", "sensor", "value", "temperature", "status", "count"],
  rows: 1_500_000,
  cells(row) {
    const random = randomOf(row);
    return [
      new Date(START_MS + row * 1_000).toISOString().slice(0, 19),
      `sensor-${random(4_000)}`,
      (random(10_000_000) / 1_000).toFixed(random(4)),
      (random(6_000) / 100 - 15).toFixed(1),
      STATUSES[random(8)]!,
      String(random(10 ** (1 + random(6)))),
    ];
  },
  written: (value) => value,
};

const NAMES = ["Müller, Jörg", "Özdemir, Aylin", "Smith, Anne", "Núñez, José", "Brøgger, Åse"] as const;
const CITIES = ["Köln", "Zürich", "Sankt Pölten", "Lyon", "Málaga", "Leeds", "Århus"] as const;
const WORDS = ["pump", "valve", "größer", "leaks", "since", "März", "again", "über", "checked", "déjà vu"] as const;

/** What an office writes: quotes, doubled quotes, line feeds inside cells, umlauts, empty cells. */
export const quoted: Document = officeDocument("quoted", "EUR");

/** The same with a sign that is not Latin-1, so that the text takes two bytes for each character in memory. */
export const wide: Document = officeDocument("wide", "€");

function officeDocument(name: string, currency: string): Document {
  return {
    name,
    columns: ["id", "name", "city", "comment", "price", "note"],
    rows: 960_000,
    cells(row) {
      const random = randomOf(row);
      const words = (count: number) => Array.from({ length: count }, () => WORDS[random(10)]!).join(" ");
      return [
        String(row + 1),
        NAMES[random(5)]!,
        CITIES[random(7)]!,
        commentOf(random(6), words),
        `${random(9_000) + 1_000},${random(90) + 10} ${currency}`,
        random(4) === 0 ? "" : words(1 + random(2)),
      ];
    },
    written: (value) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value),
  };
}

function commentOf(kind: number, words: (count: number) => string): string {
  switch (kind) {
    case 0:
      return `said "${words(2)}", then left`;
    case 1:
      return `${words(3)}\n${words(3)}`;
    case 2:
      return `"${words(1)}"`;
    case 3:
      return `${words(2)}, ${words(3)}`;
    default:
      return words(4);
  }
}
