// Where tables come from that a person names: files, and folders and patterns, which have files that come and go.
import { existsSync } from "node:fs";
import { basename, resolve } from "node:path";
import {
  type Finder,
  type FinderOptions,
  fixedPart,
  type Found,
  isFolder,
  isPattern,
  NONE_YET,
  openFinder,
} from "../source/folder.ts";
import { isRelayUrl } from "../relay/address.ts";
import { isWebUrl } from "../source/location.ts";
import type { Nameable } from "./names.ts";
import type { Tables } from "./tables.ts";

/** Whether a location is a folder, or a pattern of files: a file of that name is none. */
export const isPlace = (location: string) =>
  isFolder(location) || (isPattern(location) && !isUrl(location) && !existsSync(location));

const isUrl = (location: string) => isRelayUrl(location) || isWebUrl(location);

/** What a folder or a pattern is called: the folder's name. */
export const nameOfPlace = (place: string) => basename(resolve(isFolder(place) ? place : fixedPart(place)));

export type PlacesOptions = FinderOptions & {
  /** A folder or a pattern has no file yet: why. */
  readonly onNone: (place: string, reason: string) => void;
  /** All tables that there are for now are known: every folder and pattern was looked at once. */
  readonly onKnown: () => void;
};

/** Serves all of it. Those that are named are there at once, the others when all folders and patterns were looked at once. */
export function openPlaces(all: readonly Nameable[], tables: Tables, options: PlacesOptions): { close(): void } {
  const places = all.map(({ location }) => location).filter(isPlace);
  const early = new Map<string, Found>(); // so that none is first because its folder was quicker
  tables.add(all.filter(({ location }) => !places.includes(location)));

  function onFound(place: string, found: Found): void {
    if (early.size === places.length) return tables.find(new Map([[place, found]]));
    if (found.files.length === 0) options.onNone(place, found.problem ?? NONE_YET);
    early.set(place, found);
    if (early.size < places.length) return;
    tables.find(early);
    options.onKnown();
  }

  const finders: Finder[] = places.map((place) => openFinder(place, options, (found) => onFound(place, found)));
  if (places.length === 0) options.onKnown();
  return { close: () => finders.forEach((finder) => finder.close()) };
}
