// Files in the shape that programs write, each with the table that a person expects.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ReadOptions } from "../../src/csv/options.ts";

export type Table = { columns: string[]; rows: number; first: string[]; last: string[]; units?: (string | null)[] };

export type Case = {
  name: string;
  file: string;
  tier: "auto" | "option" | "hard";
  options: ReadOptions;
  expected: Table | { error: true };
};

export const FOLDER = join(import.meta.dir, "programs");
export const cases: readonly Case[] = JSON.parse(readFileSync(join(FOLDER, "cases.json"), "utf8"));

/** Those that must come out right, by name. */
export const wanted = cases.filter(({ tier }) => tier !== "hard").map((entry) => [entry.name, entry] as const);

/** Those of them that are no error. */
export const growing = wanted.filter(([, { expected }]) => !("error" in expected));

export const pathOf = ({ file }: Case) => join(FOLDER, file);
export const bytesOf = (entry: Case) => readFileSync(pathOf(entry));
