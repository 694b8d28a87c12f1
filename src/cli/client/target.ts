// What is to be followed: an address, a table of a server on this machine, or the newest of those servers.
import { existsSync } from "node:fs";
import { printable } from "../../feed/printable.ts";
import { CliError } from "../errors.ts";
import { DEFAULT_PORT } from "../port.ts";
import { type Entry, liveEntries } from "../runtime.ts";
import { type ListedTable, namesText, tablesAt } from "./listing.ts";

export type Target = {
  readonly url: URL;
  readonly token: string | undefined;
  /** Found on this machine, by its entry, which only this user can write. */
  readonly isLocal: boolean;
};

export type Finding = {
  /** That was given; an entry has its own. */
  readonly token: string | undefined;
  readonly env: Record<string, string | undefined>;
  readonly say: (text: string) => void;
  /** The names of the tables are not printed anyway. */
  readonly namesTables: boolean;
};

/** A server on this machine that does not answer at once has other things to do. */
const LOCAL_MS = 1_000;

const NONE_RUNNING = "no server of yours is running on this machine";

/** Throws CliError for what leads nowhere, with what would. */
export async function targetOf(given: string | undefined, finding: Finding): Promise<Target> {
  if (given === undefined) return newest(finding);
  const fault = faultOf(given);
  if (fault !== undefined) throw new CliError("usage", fault);
  if (isTable(given)) return localTable(given.normalize("NFC"), finding);
  const url = parsed(given);
  if (url.port === "" && !hasScheme(given) && !hasPort(given)) {
    url.port = String(DEFAULT_PORT);
    finding.say(`${printable(given)}: no port given; trying ${DEFAULT_PORT}`);
  }
  return { url, token: finding.token, isLocal: false };
}

const hasScheme = (given: string) => /^[a-z]+:\/\//i.test(given);

const hasPort = (given: string) => /:\d+$/.test(given.split(/[/?#]/, 1)[0]!);

/** A word without a dot or a colon, and no number: that is how tables are called. Of hosts only `localhost` is. */
const isTable = (given: string) => /^(?!\d+$)[\p{L}\p{M}\p{N}_-]+$/u.test(given) && given.toLowerCase() !== "localhost";

/** A file, or a document of a server, in the place of a table; undefined if it is neither. */
function faultOf(given: string): string | undefined {
  const [text, origin = "", path = ""] = /^((?:[a-z]+:\/\/)?[^/?#]*)([^?#]*)/i.exec(given) ?? [];
  const shown = printable(text ?? "");
  const isPath = /^([./~\\]|[a-z]:[/\\](?![/\\]))/i.test(given);
  const isFile = !given.includes(":") && (/\.(csv|tsv)$/i.test(shown) || existsSync(given));
  if ((isPath || isFile) && !isTable(given))
    return `${shown}: a file; bun run server ${shown} publishes it, and then bun run client prints it`;
  const [, table] = /^(.*\/[^/]+?)(?:\.json|\.ndjson|\.csv|\/events)$/.exec(path) ?? [];
  if (table === undefined) return undefined;
  const way = table.endsWith("/tables") ? "--list prints the tables" : `the table is at ${printable(origin + table)}`;
  return `${shown}: a document, for curl and browsers; ${way}`;
}

async function newest({ token, env, say, namesTables }: Finding): Promise<Target> {
  const [found, ...others] = liveEntries(env);
  if (!found) throw new CliError("connect", `${NONE_RUNNING}: start one with \`bun run server\`, or give a URL`);
  if (others.length > 0) say(`${others.length + 1} servers are running; taking the newest, ${found.url}`);
  const tables = namesTables ? await tablesOf(found, token) : [];
  const first = tables.find(({ isFirst }) => isFirst);
  if (first && tables.length > 1)
    say(`${tables.length} tables: ${namesText(tables)}; this is ${first.name}, bun run client NAME follows another`);
  return at(found, token);
}

/** None if the server does not say. */
async function tablesOf(entry: Entry, token: string | undefined): Promise<readonly ListedTable[]> {
  const { url, token: shown } = at(entry, token);
  return tablesAt({ url, token: shown, ca: false, timeoutMs: LOCAL_MS }).catch(() => []);
}

const at = ({ url, token }: Entry, given: string | undefined, path = "/"): Target => ({
  url: new URL(path, url),
  token: given ?? token,
  isLocal: true,
});

/** The newest server that has it. */
async function localTable(name: string, { token, env }: Finding): Promise<Target> {
  const asHost = `for a host of that name: bun run client ${name}:${DEFAULT_PORT}`;
  const entries = liveEntries(env);
  const there: ListedTable[] = [];
  for (const entry of entries) {
    const tables = await tablesOf(entry, token);
    const found = tables.find((table) => table.name === name || (table.isFirst && name === "csv"));
    if (found) return at(entry, token, found.path);
    there.push(...tables);
  }
  if (entries.length === 0) throw new CliError("connect", `${name}: ${NONE_RUNNING}; ${asHost}`);
  const others = there.length === 0 ? "there are none" : `tables: ${namesText(there)}`;
  throw new CliError("connect", `${name}: no table of that name here; ${others}; ${asHost}`);
}

function parsed(given: string): URL {
  // A number alone would be an IPv4 address to URL; who types one means a port of this machine.
  const address = /^:?\d+$/.test(given) ? `127.0.0.1:${given.replace(":", "")}` : given;
  const url = URL.parse(hasScheme(address) ? address : `ws://${address}`);
  if (url) url.hash = "";
  if (url && /^(wss?|https?):$/.test(url.protocol) && url.hostname !== "") return url;
  throw new CliError("usage", `${given}: not a WebSocket URL; it looks like ws://127.0.0.1:${DEFAULT_PORT}/`);
}
