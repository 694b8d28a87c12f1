// CSV file -> JSON text: csvcast against its peers, each in a process of its own, the rounds taking turns. Times are
// ratios within one run: the machine is never quiet.
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, startChild } from "./child.ts";
import { type Document, pathOf, plain, quoted, wide } from "./documents.ts";
import type { Inspection, PeerRequest, Round } from "./peer.ts";
import { type Peer, peers, reference } from "./peers.ts";
import { aligned, markdown, median, number, type Table, verdict } from "./report.ts";

/** Each sitting has fresh processes: what the JIT compiler makes of a program differs from one to the next. */
const SITTINGS = 2;
/** In each sitting, after one that warms up. */
const ROUNDS = 4;
const SLOW_ROUNDS = 2;

/** What a fresh process showed: its first conversion, its memory, and what came out. */
type Trial = { readonly firstMs: number; readonly peakBytes: number; readonly inspection: Inspection };
type Result = { readonly peer: Peer; readonly trial: Trial; readonly rounds: readonly Round[] };

export const benchPlainAndQuoted = () => benchDocuments([plain, quoted]);
export const benchWide = () => benchDocuments([wide]);

/** Prints a table for each document as it is done; resolves to the markdown of all. */
async function benchDocuments(documents: readonly Document[]): Promise<string> {
  const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "csvcast-bench-"));
  try {
    const sections: string[] = [];
    for (const document of documents) sections.push(await benchDocument(document, join(folder, "out.json")));
    return sections.join("\n\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function benchDocument(document: Document, out: string): Promise<string> {
  const csv = pathOf(document);
  const megabytes = statSync(csv).size / 1e6;
  const title = `${document.name}: ${number(megabytes)} MB, ${number(document.rows)} rows of ${document.columns.length}`;
  console.log(`\n${title}\n`);
  const trials = await tryAll(document, csv, out);
  const results = await takeTurns(trials, csv, out);
  console.log(`\n${aligned(tableOf(results, megabytes, true))}\n`);
  for (const line of verdicts(document, results)) console.log(line);
  return `**${title}**\n\n${markdown(tableOf(results, megabytes, false))}`;
}

/** Every peer once, in a fresh process; those whose rows are not the document's are told of and left out. */
async function tryAll(document: Document, csv: string, out: string): Promise<Map<Peer, Trial>> {
  const trials = new Map<Peer, Trial>();
  for (const peer of peers) {
    if (peer.isThere?.() === false) {
      console.log(`${peer.name}: not on this machine`);
      continue;
    }
    try {
      trials.set(peer, await tryOut(peer, document, csv, out));
    } catch (error) {
      console.log(`${peer.name}: NOT TIMED, it failed: ${error instanceof Error ? error.message : error}`);
    }
  }
  const expected = [...trials].find(([peer]) => peer.name === reference)?.[1].inspection;
  for (const [peer, { inspection }] of trials) {
    const difference = differenceOf(peer, inspection, document, expected);
    if (difference) trials.delete(peer);
    const same = peer.isTyped ? "the same values" : sameness(inspection, expected);
    console.log(`${peer.name}: ${difference ? `NOT TIMED, ${difference}` : same}`);
  }
  return trials;
}

async function tryOut(peer: Peer, document: Document, csv: string, out: string): Promise<Trial> {
  await using child = startChild("peer.ts", [peer.name, out]);
  const { ms: firstMs } = await ask<Round>(child, { type: "round", csv });
  const peakBytes = await ask<number>(child, { type: "peak" });
  const inspection = await ask<Inspection>(child, { type: "inspect", csv, sample: sampleOf(document) });
  return { firstMs, peakBytes, inspection };
}

/** The file is read beforehand, so that nobody waits for a disk. */
async function ask<Reply>(child: Child, request: PeerRequest): Promise<Reply> {
  if (request.type === "round") for await (const _chunk of Bun.file(request.csv).stream());
  return child.ask<Reply>(request);
}

/** Row numbers: the first, the last, and some between them. */
function sampleOf({ rows }: Document): number[] {
  return Array.from({ length: 11 }, (_, n) => Math.floor(((rows - 1) * n) / 10));
}

/** Rows are compared with the generator's, the whole with the reference. */
function differenceOf(
  { isTyped }: Peer,
  inspection: Inspection,
  document: Document,
  expected?: Inspection,
): string | undefined {
  if (inspection.rows !== document.rows) return `${inspection.rows} rows instead of ${document.rows}`;
  for (const [n, row] of sampleOf(document).entries()) {
    const cells = document.cells(row);
    const sample = inspection.sample[n];
    const valueOf = (column: string, cell: string) => (isTyped ? typedAs(sample?.[column], cell) : cell);
    const values = document.columns.map((column, c) => [column, valueOf(column, cells[c]!)]);
    const wanted = JSON.stringify(Object.fromEntries(values));
    const got = JSON.stringify(sample);
    if (got !== wanted) return `row ${row} is ${got} instead of ${wanted}`;
  }
  if (isTyped) return undefined;
  if (!expected) return `there is no ${reference} to compare with`;
  return inspection.rowsHash === expected.rowsHash ? undefined : "some rows outside the sample differ";
}

/** What a cell is as the type of the value that came out for it. */
function typedAs(value: unknown, cell: string): unknown {
  return typeof value === "number" ? Number(cell) : value === null && cell === "" ? null : cell;
}

function sameness(inspection: Inspection, expected?: Inspection): string {
  return inspection.textHash === expected?.textHash ? "the same text" : "the same rows, spaced otherwise";
}

async function takeTurns(trials: ReadonlyMap<Peer, Trial>, csv: string, out: string): Promise<Result[]> {
  const results = [...trials].map(([peer, trial]) => ({ peer, trial, rounds: [] as Round[] }));
  for (let sitting = 0; sitting < SITTINGS; sitting++) await sit(results, csv, out);
  return results;
}

/** The processes live through the whole sitting; in each round each of them is asked for one conversion. */
async function sit(results: readonly { peer: Peer; rounds: Round[] }[], csv: string, out: string): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const turns = results.map((result) => ({
    ...result,
    child: stack.use(startChild("peer.ts", [result.peer.name, out])),
  }));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { peer, child, rounds } of turns) {
      if (peer.isSlow && round > SLOW_ROUNDS) continue;
      const taken = await ask<Round>(child, { type: "round", csv });
      if (round > 0) rounds.push(taken);
    }
  }
}

const medianMs = ({ rounds }: Result) => median(rounds.map(({ ms }) => ms));

/** How often the time of csvcast goes into that of a peer, round by round: how far the noise of the machine reaches. */
function pairedRatios(own: Result, { peer, rounds }: Result): number[] {
  const perSitting = peer.isSlow ? SLOW_ROUNDS : ROUNDS;
  return rounds.map(({ ms }, n) => ms / own.rounds[Math.floor(n / perSitting) * ROUNDS + (n % perSitting)]!.ms);
}

function comparison(ratio: number): string {
  return ratio >= 1 ? `${number(ratio, 1)}× faster` : `${number(1 / ratio, 1)}× slower`;
}

function tableOf(results: readonly Result[], megabytes: number, isFull: boolean): Table {
  const [own] = results;
  const head = ["", "ms", "MB/s", "csvcast is", "peak MB"];
  const more = ["by rounds", "from", "to", "best ms", "worst ms", "CPU ms", "first ms", "rounds"];
  const rows = results.map((result) => {
    const ms = medianMs(result);
    const ratio = own && result !== own ? comparison(ms / medianMs(own)) : "";
    const speed = number(megabytes / (ms / 1_000));
    const cells = [result.peer.name, number(ms), speed, ratio, number(result.trial.peakBytes / 1e6)];
    return isFull && own ? [...cells, ...spreadOf(own, result)] : cells;
  });
  return { head: isFull ? [...head, ...more] : head, rows };
}

function spreadOf(own: Result, result: Result): string[] {
  const times = result.rounds.map(({ ms }) => ms);
  const ratios = pairedRatios(own, result);
  return [
    ...[median(ratios), Math.min(...ratios), Math.max(...ratios)].map((ratio) => number(ratio, 1)),
    ...[Math.min(...times), Math.max(...times)].map((ms) => number(ms)),
    number(median(result.rounds.map(({ cpuMs }) => cpuMs))),
    number(result.trial.firstMs),
    String(times.length),
  ];
}

/** The targets of the project for its own speed, and how far they are reached. */
function verdicts({ name }: Document, results: readonly Result[]): string[] {
  const find = (wanted: string) => results.find(({ peer }) => peer.name === wanted);
  const own = find("csvcast");
  const papaparse = find("papaparse");
  if (!own || !papaparse) return ["no verdict: csvcast or papaparse was not timed"];
  const { least, aim } = name === "plain" ? { least: 8, aim: 12 } : { least: 4, aim: 7 };
  const timesFaster = (peers: readonly Result[]) => Math.min(...peers.map(medianMs)) / medianMs(own);
  const other = timesFaster(results.filter(({ peer }) => peer.isScript && peer !== papaparse.peer));
  const memory = own.trial.peakBytes / papaparse.trial.peakBytes;
  const ratio = timesFaster([papaparse]);
  const lines = [
    verdict("times papaparse", ratio, ratio >= least, `${least}, aim ${aim}`),
    verdict("times the fastest other JavaScript parser", other, other >= 2, "2"),
    verdict("peak memory as a share of papaparse's", memory, memory <= 0.5, "at most 0.5"),
  ];
  const typed = find("csvcast, typed");
  if (typed) {
    const share = 1 / median(pairedRatios(own, typed));
    lines.push(verdict("speed of typed output as a share of that of strings", share, share >= 0.8, "0.8"));
  }
  const duckDb = find("DuckDB");
  return duckDb ? [...lines, verdict("times DuckDB", timesFaster([duckDb]), timesFaster([duckDb]) > 1, "1")] : lines;
}
