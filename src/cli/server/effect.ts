// Options that would do nothing beside the FILEs they were given with. Pure.
import { isRelayUrl } from "../../relay/address.ts";
import { isWebUrl } from "../../source/location.ts";
import type { Given } from "./words.ts";

/** How a file is read: by the publisher, where a server follows a relay. */
const READING = [
  ...["delimiter", "encoding", "skip-lines", "header-line", "skip-after-header", "comment", "no-header", "names"],
  ...["trim", "quote", "escape"],
];

/**
 * What is wrong with an option of the command line that has no effect there, and the way out; undefined if each has one. Variables are
 * not among `flags`: the environment may be that of several servers. Without a FILE anything may still be typed at the prompt.
 * `publishes`: to a relay.
 */
export function uselessOption(
  flags: ReadonlySet<string>,
  { file, tables }: Given,
  publishes: boolean,
): string | undefined {
  const locations = file === undefined ? (tables ?? []).map(({ location }) => location) : [file];
  if (locations.length === 0) return undefined;
  if (flags.has("poll") && !locations.some(isWebUrl))
    return "--poll: needs a FILE that is a web address; a file is looked at when it changes, and every --interval";
  if (flags.has("relay-heartbeat") && !publishes && !locations.some(isRelayUrl))
    return "--relay-heartbeat: needs --relay, or a FILE that is a relay";
  const reading = locations.every(isRelayUrl) ? READING.find((flag) => flags.has(flag)) : undefined;
  return reading && `--${reading}: a relay has tables, not files; give it to the server that publishes them`;
}
