// The process of one peer: `bun peer.ts NAME OUT`, asked by convert.ts. Converts on request, and tells what came out.
import { rmSync } from "node:fs";
import { answerRequests } from "./child.ts";
import { type Convert, type Peer, peers, programPeakBytes } from "./peers.ts";
import { cpuMsOf, peakBytesOf } from "./proc.ts";

export type PeerRequest =
  | { type: "round"; csv: string }
  /** What came out of one conversion; `sample` are row numbers. Heavy: the process is of no use for rounds afterwards. */
  | { type: "inspect"; csv: string; sample: readonly number[] }
  | { type: "peak" };

/** `cpuMs` is exact to 10 ms only. */
export type Round = { ms: number; cpuMs: number };
export type Inspection = {
  rows: number;
  sample: (Record<string, string> | undefined)[];
  /** Of the text as it came, and of the same rows as JSON.stringify writes them. */
  textHash: string;
  rowsHash: string;
};

const [name, out = ""] = process.argv.slice(2);
const peer = peers.find((candidate) => candidate.name === name);
if (!peer) throw new Error(`${name}: no such peer`);
const convert = await peer.open();
answerRequests((request: PeerRequest) => {
  switch (request.type) {
    case "round":
      return round(peer, convert, request.csv);
    case "inspect":
      return inspect(peer, convert, request.csv, request.sample);
    case "peak":
      return Math.max(peakBytesOf("self"), programPeakBytes);
  }
});

async function round({ isRepeated }: Peer, convert: Convert, csv: string): Promise<Round> {
  if (isRepeated) await convert(csv, out);
  rmSync(out, { force: true });
  const cpuBefore = cpuMsOf("self");
  const before = performance.now();
  await convert(csv, out);
  const ms = performance.now() - before;
  const cpuMs = cpuMsOf("self") - cpuBefore;
  Bun.gc(true); // the text just made is not the next round's burden
  return { ms, cpuMs };
}

async function inspect({ isLines }: Peer, convert: Convert, csv: string, sample: readonly number[]) {
  rmSync(out, { force: true });
  const text = (await convert(csv, out)) ?? (await Bun.file(out).text());
  const rows = (isLines ? Bun.JSONL.parse(text) : JSON.parse(text)) as Record<string, string>[];
  const inspection: Inspection = {
    rows: rows.length,
    sample: sample.map((row) => rows[row]),
    textHash: hashOf(text),
    rowsHash: hashOf(JSON.stringify(rows)),
  };
  return inspection;
}

function hashOf(text: string): string {
  return Bun.hash(text).toString(16);
}
