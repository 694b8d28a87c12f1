// Command line and environment -> values: one table of options per program gives parsing, validation and --help.
import { parseArgs } from "node:util";
import { CliError } from "./errors.ts";

/** One option, declared once: under the name that its consumer gives it. `parse` returns undefined for a value that breaks `rule`. */
export type Option<T> = {
  /** `max-file` for `--max-file`. */
  readonly flag: string;
  /** What stands for the value in --help; an option without it is a switch. */
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
  /** Few need it: only `--help all` shows it. */
  readonly isAdvanced?: boolean;
};

type Group = Readonly<Record<string, Option<unknown>>>;

/** The options of a program, by who consumes them. */
export type Options = Readonly<Record<string, Group>>;

type GroupValues<G> = { readonly [K in keyof G]: G[K] extends Option<infer T> ? T : never };

export type Values<O> = { readonly [G in keyof O]: GroupValues<O[G]> };

export type Parsed<O> = {
  readonly values: Values<O>;
  readonly positionals: readonly string[];
  /** The flags that stood on the command line, without dashes. */
  readonly flags: ReadonlySet<string>;
};

/** For type inference: an option whose values are `T`. */
export const option = <T>(declared: Option<T>): Option<T> => declared;

/** The environment variable of an option: `--max-file` is CSVCAST_MAX_FILE. */
export const envName = (flag: string) => `CSVCAST_${flag.toUpperCase().replaceAll("-", "_")}`;

/** Asked for on the command line only. */
const COMMANDS = new Set(["help", "version"]);

const allOf = (options: Options): Option<unknown>[] => Object.values(options).flatMap((group) => Object.values(group));

/** Reads options from the command line, then the environment, then the defaults. Throws CliError("usage"). */
export function readOptions<O extends Options>(
  options: O,
  argv: readonly string[],
  env: Record<string, string | undefined>,
): Parsed<O> {
  const byFlag = new Map(allOf(options).map((declared) => [declared.flag, declared]));
  const given = new Map<string, string>();
  const positionals: string[] = [];
  for (const token of tokensOf([...byFlag.values()], argv)) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const declared = byFlag.get(token.name);
    if (!declared) throw unknownOption(token.rawName, [...byFlag.keys()]);
    const text = valueOf(token, declared);
    const before = given.get(token.name);
    given.set(token.name, declared.repeat && before !== undefined ? `${before},${text}` : text);
  }
  const values = valuesOf(options, (declared) => readOption(declared, given.get(declared.flag), env));
  return { values, positionals, flags: new Set(given.keys()) };
}

/** Every option's default. */
export const defaultsOf = <O extends Options>(options: O): Values<O> =>
  valuesOf(options, (declared) => declared.default);

function valuesOf<O extends Options>(options: O, read: (declared: Option<unknown>) => unknown): Values<O> {
  const groups = Object.entries(options).map(([name, group]) => [
    name,
    Object.fromEntries(Object.entries(group).map(([key, declared]) => [key, read(declared)])),
  ]);
  return Object.fromEntries(groups) as Values<O>;
}

function readOption(
  declared: Option<unknown>,
  text: string | undefined,
  env: Record<string, string | undefined>,
): unknown {
  const { flag, value, isSecret } = declared;
  const variable = envName(flag);
  const fromEnv = COMMANDS.has(flag) ? undefined : env[variable];
  if (text !== undefined) return checked(declared, text, value ? `--${flag} ${text}` : `--${flag}`);
  if (fromEnv) return checked(declared, fromEnv, variable + (isSecret ? "" : `=${fromEnv}`));
  return declared.default;
}

function tokensOf(options: readonly Option<unknown>[], argv: readonly string[]) {
  const config = options.map(({ flag, value, short }) => [
    flag,
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
  if (value !== undefined) return value;
  const isInDoubt = option.value === "TIME" && isBareAndLarge(text);
  throw new CliError("usage", `${shown}: ${isInDoubt ? `${text}ms or ${text}s?` : (option.rule ?? "not understood")}`);
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

/** The options part of --help, group by group: name, what it does, its environment variable. `titles` in the order of the help. */
export function describeOptions(options: Options, titles: Readonly<Record<string, string>>, isAll: boolean): string {
  const left = ({ flag, value, short }: Option<unknown>) =>
    `${short ? `-${short}, ` : "    "}--${flag}${value ? ` ${value}` : ""}`;
  const shown = (group: Group) => Object.values(group).filter(({ isAdvanced }) => isAll || !isAdvanced);
  const groups = Object.entries(titles).map(([name, title]) => ({ title, group: shown(options[name] ?? {}) }));
  const width = Math.max(...groups.flatMap(({ group }) => group.map((declared) => left(declared).length))) + 2;
  const lineOf = (declared: Option<unknown>) => {
    const variable = COMMANDS.has(declared.flag) ? "" : ` [${envName(declared.flag)}]`;
    return `  ${left(declared).padEnd(width)}${declared.help.replaceAll("\n", `\n${" ".repeat(width + 2)}`)}${variable}`;
  };
  return groups
    .filter(({ group }) => group.length > 0)
    .map(({ title, group }) => `${title}:\n${group.map(lineOf).join("\n")}`)
    .join("\n\n");
}

const FLAG_VALUES = new Map([
  ...["1", "true", "yes", "on"].map((text) => [text, true] as const),
  ...["0", "false", "no", "off"].map((text) => [text, false] as const),
]);

type SwitchTraits = Pick<Option<boolean>, "short" | "isAdvanced">;

/** An option that is on or off. */
export const onOff = (flag: string, help: string, traits: SwitchTraits = {}): Option<boolean> => ({
  flag,
  help,
  ...traits,
  rule: "is on with 1 or true, off with 0 or false",
  parse: (text) => FLAG_VALUES.get(text.toLowerCase()),
  default: false,
});

export const helpOption = onOff("help", "show this; --help all shows every option", { short: "h" });

/** A whole number from `low` to `high`. */
export function wholeNumber(text: string, low: number, high: number): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= low && value <= high ? value : undefined;
}

const DURATION_UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000 };

/** From here on a number without a unit is more likely one of milliseconds, and nobody can know. */
const DOUBTFUL = 100;

const isBareAndLarge = (text: string) => /^\d+(\.\d+)?$/.test(text.trim()) && Number(text) >= DOUBTFUL;

/** `250ms`, `1s`, `1.5s`, `2m`; a bare number below 100 is seconds. Undefined outside `low` to `high` milliseconds. */
export function durationMs(text: string, low: number, high: number): number | undefined {
  const match = isBareAndLarge(text) ? null : /^(\d+(?:\.\d+)?)(ms|s|m|min|h)?$/.exec(text.trim());
  const value = match ? Math.round(Number(match[1]) * DURATION_UNITS[match[2] ?? "s"]!) : Number.NaN;
  return value >= low && value <= high ? value : undefined;
}

const SIZE_UNITS: Record<string, number> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** `1GiB`, `32M`, `64k`, in powers of 1024; a bare number is bytes. Undefined outside `low` to `high` bytes. */
export function sizeBytes(text: string, low: number, high: number): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([kmg])i?)?b?$/i.exec(text.trim());
  const value = match ? Math.round(Number(match[1]) * SIZE_UNITS[(match[2] ?? "").toLowerCase()]!) : Number.NaN;
  return value >= low && value <= high ? value : undefined;
}
