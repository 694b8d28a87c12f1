// Who converts: csvcast and the programs it is compared with, each used the way its documentation recommends for speed.
// Peers are imported when they are chosen, so that a process holds one of them only.
import { readFileSync } from "node:fs";

/** Converts the CSV file: resolves to the JSON text, or leaves it in the file `out` (the faster way for a program). */
export type Convert = (csv: string, out: string) => Promise<string | undefined> | string | undefined;

export type Peer = {
  readonly name: string;
  /** Every timed call follows directly on another one that is not timed. */
  readonly isRepeated?: boolean;
  /** Numbers, booleans and null are JSON literals: only its sample is compared. */
  readonly isTyped?: boolean;
  /** The file has one object per line instead of an array. */
  readonly isLines?: boolean;
  /** Another JavaScript parser: the second target compares with the fastest of them. */
  readonly isScript?: boolean;
  /** So slow that fewer rounds must do. */
  readonly isSlow?: boolean;
  readonly isThere?: () => boolean;
  readonly open: () => Promise<Convert>;
};

const csvcast: Peer = {
  name: "csvcast",
  async open() {
    const { convertCsvToJson } = await import("../../src/source/convert.ts");
    return (csv) => convertCsvToJson(csv);
  },
};

const typed: Peer = {
  name: "csvcast, typed",
  isTyped: true,
  async open() {
    const { convertCsvToJson } = await import("../../src/source/convert.ts");
    return (csv) => convertCsvToJson(csv, { types: "auto" });
  },
};

/** The reference: the whole text of the others is compared with its text. */
export const reference = "papaparse";

/** Those that matter most stand next to csvcast: each round takes them in this order. */
export const peers: readonly Peer[] = [
  csvcast,
  { ...csvcast, name: "csvcast, called again", isRepeated: true },
  typed,
  {
    name: "papaparse",
    isScript: true,
    async open() {
      const { default: Papa } = await import("papaparse");
      return (csv) =>
        JSON.stringify(Papa.parse(readFileSync(csv, "utf8"), { header: true, skipEmptyLines: true }).data);
    },
  },
  {
    name: "udsv",
    isScript: true,
    async open() {
      const { inferSchema, initParser } = await import("udsv");
      return (csv) => {
        const text = readFileSync(csv, "utf8");
        return JSON.stringify(initParser(inferSchema(text)).stringObjs(text));
      };
    },
  },
  {
    name: "d3-dsv",
    isScript: true,
    async open() {
      const { csvParse } = await import("d3-dsv");
      return (csv) => JSON.stringify(csvParse(readFileSync(csv, "utf8")));
    },
  },
  { name: "DuckDB", open: openDuckDb },
  {
    name: "csv-parse",
    isScript: true,
    isSlow: true,
    async open() {
      const { parse } = await import("csv-parse/sync");
      return (csv) => JSON.stringify(parse(readFileSync(csv), { columns: true, skip_empty_lines: true }));
    },
  },
  { name: "mlr --ojson", isSlow: true, isThere: hasMiller, open: async () => miller("--ojson") },
  { name: "mlr --ojsonl", isSlow: true, isThere: hasMiller, isLines: true, open: async () => miller("--ojsonl") },
];

/** `force_not_null`: an empty cell is an empty string here, as in the other peers. */
async function openDuckDb(): Promise<Convert> {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  return async (csv, out) => {
    const [header = ""] = (await Bun.file(csv).slice(0, 4_096).text()).split("\n", 1);
    const columns = header.split(",").map((name) => `'${name}'`);
    const options = `all_varchar=true, header=true, force_not_null=[${columns}]`;
    await connection.run(`COPY (SELECT * FROM read_csv('${csv}', ${options})) TO '${out}' (FORMAT json, ARRAY true)`);
    return undefined;
  };
}

function hasMiller(): boolean {
  return Bun.which("mlr") !== null;
}

/** The most memory that a program started by a peer has had in RAM. */
export let programPeakBytes = 0;

/** `-S`: values stay text, as in the other peers. */
function miller(format: string): Convert {
  return async (csv, out) => {
    const mlr = Bun.spawn(["mlr", "-S", "--icsv", format, "cat", csv], { stdout: Bun.file(out), stderr: "inherit" });
    const code = await mlr.exited;
    programPeakBytes = Math.max(programPeakBytes, mlr.resourceUsage()?.maxRSS ?? NaN);
    if (code !== 0) throw new Error(`mlr ended with ${code}`);
    return undefined;
  };
}
