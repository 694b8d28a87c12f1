// Command line and environment -> values: one table of options per program gives parsing, validation and --help.
import { parseArgs } from "node:util";
import { CliError } from "./errors.ts";

/** One option, declared where its program is. `parse` returns undefined for a value that breaks `rule`. */
export type Option<T> = {
  /** What stands for the value in --help; an option without it is a flag. */
  readonly value?: string;
  readonly short?: string;
  readonly help: string;
  /** What a value must be: the second half of the error message. */
  readonly rule?: string;
  readonly parse: (text: string) => T | undefined;
  readonly default: T;
  /** May be given several times; the values are joined by a comma before `parse`. */
  readonly repeat?: boolean;
  /** Its value is not repeated in messages, if it comes from the environment: logs are read by more people. */
  readonly isSecret?: boolean;
};

type Values<S> = { readonly [K in keyof S]: S[K] extends Option<infer T> ? T : never };

export type Parsed<S> = { readonly values: Values<S>; readonly positionals: readonly string[] };

/** The environment variable of an option: `--max-file` is CSVCAST_MAX_FILE. */
export const envName = (option: string) => `CSVCAST_${option.toUpperCase().replaceAll("-", "_")}`;

/** Asked for on the command line only. */
const COMMANDS = new Set(["help", "version"]);

/** Reads options from the command line, then the environment, then the defaults. Throws CliError("usage"). */
export function readOptions<S extends Record<string, Option<unknown>>>(
  options: S,
  argv: readonly string[],
  env: Record<string, string | undefined>,
): Parsed<S> {
  const given = new Map<string, string>();
  const positionals: string[] = [];
  for (const token of tokensOf(options, argv)) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (!option) throw unknownOption(token.rawName, Object.keys(options));
    const text = valueOf(token, option);
    const before = given.get(token.name);
    given.set(token.name, option.repeat && before !== undefined ? `${before},${text}` : text);
  }
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(options)) {
    const text = given.get(name);
    const fromEnv = COMMANDS.has(name) ? undefined : env[envName(name)];
    if (text !== undefined) values[name] = checked(option, text, option.value ? `--${name} ${text}` : `--${name}`);
    else if (fromEnv) values[name] = checked(option, fromEnv, envName(name) + (option.isSecret ? "" : `=${fromEnv}`));
    else values[name] = option.default;
  }
  return { values: values as Values<S>, positionals };
}

function tokensOf(options: Record<string, Option<unknown>>, argv: readonly string[]) {
  const config = Object.entries(options).map(([name, { value, short }]) => [
    name,
    { type: value ? ("string" as const) : ("boolean" as const), ...(short ? { short } : {}) },
  ]);
  return parseArgs({
    args: [...argv],
    options: Object.fromEntries(config),
    strict: false,
    allowPositionals: true,
    tokens: true,
  }).tokens;
}

type OptionToken = { rawName: string; value?: string | undefined; inlineValue?: boolean | undefined };

function valueOf({ rawName, value, inlineValue }: OptionToken, option: Option<unknown>): string {
  if (!option.value) {
    if (value === undefined) return "true";
    throw new CliError("usage", `${rawName}=${value}: takes no value`);
  }
  const isNextOption = !inlineValue && value !== undefined && /^--?[a-z]/i.test(value);
  if (value === undefined || isNextOption) throw new CliError("usage", `${rawName}: needs a value, ${option.rule}`);
  return value;
}

function checked<T>(option: Option<T>, text: string, shown: string): T {
  const value = option.parse(text);
  if (value === undefined) throw new CliError("usage", `${shown}: ${option.rule ?? "not understood"}`);
  return value;
}

function unknownOption(rawName: string, names: string[]): CliError {
  const name = rawName.replace(/^-+/, "");
  const near = names
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .sort((a, b) => a.distance - b.distance)[0];
  const hint =
    near && near.distance <= Math.max(2, name.length / 3) ? `did you mean --${near.candidate}?` : "see --help";
  return new CliError("usage", `${rawName}: unknown option; ${hint}`);
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length]!;
}

/** The options part of --help: name, what it does, its environment variable. */
export function describeOptions(options: Record<string, Option<unknown>>): string {
  const left = Object.entries(options).map(
    ([name, { value, short }]) => `${short ? `-${short}, ` : "    "}--${name}${value ? ` ${value}` : ""}`,
  );
  const width = Math.max(...left.map((text) => text.length)) + 2;
  return Object.entries(options)
    .map(([name, { help }], i) => {
      const variable = COMMANDS.has(name) ? "" : ` [${envName(name)}]`;
      return `  ${left[i]!.padEnd(width)}${help.replaceAll("\n", `\n${" ".repeat(width + 2)}`)}${variable}`;
    })
    .join("\n");
}

const FLAG_VALUES = new Map([
  ...["1", "true", "yes", "on"].map((text) => [text, true] as const),
  ...["0", "false", "no", "off"].map((text) => [text, false] as const),
]);

export const flag = (help: string, short?: string): Option<boolean> => ({
  help,
  ...(short ? { short } : {}),
  rule: "is on with 1 or true, off with 0 or false",
  parse: (text) => FLAG_VALUES.get(text.toLowerCase()),
  default: false,
});

/** A whole number from `low` to `high`. */
export function wholeNumber(text: string, low: number, high: number): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= low && value <= high ? value : undefined;
}

const DURATION_UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000 };

/** `250ms`, `1s`, `1.5s`, `2m`; a bare number is milliseconds. Undefined outside `low` to `high` milliseconds. */
export function durationMs(text: string, low: number, high: number): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|min|h)?$/.exec(text.trim());
  const value = match ? Math.round(Number(match[1]) * DURATION_UNITS[match[2] ?? "ms"]!) : Number.NaN;
  return value >= low && value <= high ? value : undefined;
}

const SIZE_UNITS: Record<string, number> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** `1GiB`, `32M`, `64k`, in powers of 1024; a bare number is bytes. Undefined outside `low` to `high` bytes. */
export function sizeBytes(text: string, low: number, high: number): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([kmg])i?)?b?$/i.exec(text.trim());
  const value = match ? Math.round(Number(match[1]) * SIZE_UNITS[(match[2] ?? "").toLowerCase()]!) : Number.NaN;
  return value >= low && value <= high ? value : undefined;
}
