// What tables are called: their address, `/NAME`, and their topic. Names come of paths alone, so that no table's name hangs on when it came. Pure.
import { basename, dirname, extname, resolve } from "node:path";
import { printable } from "../feed/printable.ts";
import { relayAddress } from "../relay/address.ts";
import { pathOf } from "./sources.ts";
import { isWebUrl, STDIN, webName } from "../source/location.ts";

/** What the server has at these addresses itself. */
const RESERVED: ReadonlySet<string> = new Set(["csv", "tables", "healthz", "livez", "metrics", "client"]);

const ALLOWED = /^[\p{L}\p{M}\p{N}_-]+$/u;
const MAX_LENGTH = 100;
const RULE = `a name has 1 to ${MAX_LENGTH} letters, digits, _ and -, and is none of ${[...RESERVED].join(", ")}`;

/** Whether a text may be the name of a table; letters are of any script (Unicode general categories L, M and N). */
export const isTableName = (text: string) =>
  ALLOWED.test(text) && text.length <= MAX_LENGTH && text === text.normalize("NFC") && !RESERVED.has(text);

/** Letters, digits, `_` and `-` stay, each other character becomes `-`; what the server has itself gets `_` behind. */
function named(text: string): string {
  const name =
    text
      .normalize("NFC")
      .replace(/[^\p{L}\p{M}\p{N}_-]/gu, "-")
      .slice(0, MAX_LENGTH) || "table";
  return RESERVED.has(name) ? `${name}_` : name;
}

/** How a location is told from others, in steps: its base name, the folder too, the extension too, all of it. */
const STEPS: readonly ((location: string) => string)[] = [
  stemOf,
  (location) => `${folderOf(location)}-${stemOf(location)}`,
  (location) => `${folderOf(location)}-${isWebUrl(location) ? webName(location) : basename(location)}`,
  (location) => `${stemOf(location).slice(0, MAX_LENGTH / 2)}-${Bun.hash.wyhash(location).toString(36)}`,
];

function stemOf(location: string): string {
  if (location === STDIN) return "stdin";
  const relay = relayAddress(location);
  if (!("fault" in relay)) return relay.topic;
  if (isWebUrl(location) && URL.canParse(location))
    return new URL(location).pathname.endsWith("/") ? webName(location) : webName(location).replace(/\.\w+$/, "");
  return basename(location, extname(location));
}

const folderOf = (location: string) =>
  isWebUrl(location) && URL.canParse(location) ? new URL(location).hostname : basename(dirname(resolve(location)));

/** One location; `name` if it was given one. */
export type Nameable = { readonly location: string; readonly name?: string | undefined };

/**
 * The names of these locations, none of which is there twice. Those that would have the same are told apart by the folder, all of
 * them, or else by more. Given names stay: two that are equal are for the caller to refuse.
 */
export function namesOf(all: readonly Nameable[]): ReadonlyMap<string, string> {
  const given = new Set(all.flatMap(({ name }) => name ?? []));
  const free = all.filter(({ name }) => name === undefined).map(({ location }) => location);
  const steps = new Map(free.map((location) => [location, 0]));
  const nameAt = (location: string) => named(STEPS[steps.get(location)!]!(location));
  for (let isClear = false; !isClear;) {
    isClear = true;
    for (const [name, group] of Map.groupBy(free, nameAt)) {
      if (group.length === 1 && !given.has(name)) continue;
      for (const location of group) {
        const step = steps.get(location)!;
        if (step === STEPS.length - 1) continue;
        steps.set(location, step + 1);
        isClear = false;
      }
    }
  }
  return new Map(all.map(({ location, name }) => [location, name ?? nameAt(location)]));
}

/** Why these cannot be served together: a given name is none, or is another's too. */
export function nameConflictIn(all: readonly Nameable[]): string | undefined {
  const taken = new Map<string, string>();
  for (const { location, name } of all.filter(({ name }) => name !== undefined)) {
    if (!isTableName(name!)) return `${printable(name!) || '""'}: ${RULE}`;
    const other = taken.get(name!);
    if (other !== undefined) return `${name}: the name of ${other} and of ${pathOf(location)}; give another one`;
    taken.set(name!, pathOf(location));
  }
  for (const { location } of all.filter((named) => named.name === undefined)) {
    const other = taken.get(namesOf([{ location }]).get(location)!);
    if (other !== undefined)
      return `${pathOf(location)}: has the name that ${other} was given; give one of them another, as in NAME=FILE`;
  }
  return undefined;
}
