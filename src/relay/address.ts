// Where a relay is: which Redis or Valkey, which database, which topic; and what a server does there. Texts in, values out.
import { printable } from "../feed/printable.ts";

export type RelayAddress = {
  /** For the client of Redis: with credentials, if any, and without the topic. */
  readonly url: string;
  readonly topic: string;
  /** `redis.example:6379`: never with credentials. */
  readonly host: string;
  /** `topic csv at redis.example:6379`, for people. */
  readonly name: string;
};

export type Fault = { readonly fault: string };

/** A server publishes its tables to `publishesTo`, if that is there; `location` is FILE, or the whole URL of the relay that it follows. */
export type RelayRole = { readonly location: string | undefined; readonly publishesTo: RelayAddress | undefined };

const DEFAULT_TOPIC = "csv";
const DEFAULT_PORT = "6379";
const RULE = "a relay is redis://HOST[:PORT][/DATABASE][?topic=NAME], or rediss:// for TLS";

export const isRelayUrl = (text: string) => /^rediss?:\/\//i.test(text);

/** A text without the credentials of a URL in it. Passwords may hold any character: all up to the last `@` could be one. */
export function redacted(text: string): string {
  return text.replace(/\/\/[^]*@/, "//***@");
}

/** Reads the URL of a relay; a fault names the rule, and no credentials. */
export function relayAddress(text: string): RelayAddress | Fault {
  const address = parseAddress(text);
  return "fault" in address ? { fault: `${redacted(text)}: ${address.fault}` } : address;
}

/** What a relay is called, never with credentials: `topic csv at redis.example:6379`; undefined for a location that is none. */
export function relayName(location: string): string | undefined {
  if (!isRelayUrl(location)) return undefined;
  const address = parseAddress(location);
  return "fault" in address ? printable(redacted(location)) : address.name;
}

/** As `relayAddress`, with a fault that does not name the text. */
export function parseAddress(text: string): RelayAddress | Fault {
  const fault = (reason: string) => ({ fault: reason });
  const url = isRelayUrl(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (!url || url.hostname === "" || url.hash !== "" || /[\s%]/.test(url.hostname)) return fault(RULE);
  const database = /^\/?(\d{0,5})$/.exec(url.pathname)?.[1];
  if (database === undefined) return fault("the path is the number of a database; a topic is given as ?topic=NAME");
  const unknown = [...url.searchParams.keys()].find((name, i) => name !== "topic" || i > 0);
  if (unknown !== undefined) return fault(RULE);
  const topic = url.searchParams.get("topic") ?? DEFAULT_TOPIC;
  if (!/^[\w.-]{1,64}$/.test(topic)) return fault("a topic is 1 to 64 of A-Z a-z 0-9 _ . -");
  const host = `${url.hostname}:${url.port || DEFAULT_PORT}`;
  const credentials = credentialsOf(url);
  const place = Number(database) > 0 ? `${host}/${Number(database)}` : host;
  return {
    url: `${url.protocol.toLowerCase()}//${credentials}${host}/${Number(database)}`,
    topic,
    host,
    name: `topic ${topic} at ${place}`,
  };
}

const credentialsOf = ({ username, password }: URL) =>
  username === "" && password === "" ? "" : `${username}${password === "" ? "" : `:${password}`}@`;

/** What a server is, by its FILE, or the several that it has in place of it, `--relay` and `--standby`. */
export function relayRole(
  file: string | undefined,
  relay: string | undefined,
  isStandby: boolean,
  several: readonly string[] = [],
): RelayRole | Fault {
  if (file !== undefined && isRelayUrl(file)) {
    const location = followedRelay(file, relay);
    return typeof location === "string" ? { location, publishesTo: undefined } : location;
  }
  if (relay === undefined)
    return isStandby ? { fault: "--standby: needs --relay" } : { location: file, publishesTo: undefined };
  if (isStandby && file === undefined && several.length === 0)
    return { fault: "--standby: needs FILE, which it publishes when it takes over" };
  const address = relayAddress(relay);
  if ("fault" in address) return { fault: `--relay ${address.fault}` };
  const followed = several.find(isRelayUrl);
  if (followed === undefined) return { location: file, publishesTo: address };
  return {
    fault: `--relay ${address.host}: a server publishes files or follows a relay; ${relayName(followed)} is a relay`,
  };
}

/**
 * The URL of a relay that is followed, with the credentials of `known` if it names the same server and has none itself:
 * so they stay out of the command line.
 */
export function followedRelay(text: string, known: string | undefined): string | Fault {
  const address = relayAddress(text);
  if ("fault" in address || known === undefined) return "fault" in address ? address : text;
  const other = relayAddress(known);
  if ("fault" in other) return { fault: `--relay ${other.fault}` };
  if (other.host !== address.host)
    return { fault: `--relay ${other.host}: a server publishes a file or follows a relay, and FILE is a relay` };
  const url = new URL(text);
  if (credentialsOf(url) !== "") return text;
  return text.replace("//", () => `//${credentialsOf(new URL(other.url))}`);
}
