// What a connection that cannot be made calls for.
import { isIP } from "node:net";
import { DEFAULT_PORT } from "../port.ts";

export type Attempt = {
  readonly url: URL;
  readonly hasToken: boolean;
  /** There has been a connection: so the address is right. */
  readonly wasOpen: boolean;
};

/** The runtime's reason, or plainer words for it, with the way out where one is known. */
export function advised(why: string, { url, hasToken, wasOpen }: Attempt): string {
  const status = Number(/status code: (\d+)/.exec(why)?.[1]);
  const advice = statusAdvice(status, url.hostname, hasToken);
  if (advice !== undefined) return `${status}: ${advice}`;
  if (/altnames/i.test(why)) return `its certificate is not for ${url.hostname}; connect by a name that it is for`;
  if (/WRONG_VERSION_NUMBER/.test(why)) return "no TLS is spoken there; try ws:// or http://";
  if (/certificate/i.test(why)) return `${why}; see --ca`;
  if (/larger than --max-message/.test(why))
    return `${why.split(":", 1)[0]}: --live, --ndjson and --csv print it, however large it is`;
  if (wasOpen) return why;
  if (/^Connection ended/.test(why) && /^(ws|http):$/.test(url.protocol))
    return `${why}; if TLS is spoken there, try wss://`;
  if (url.port === "" && /connect/i.test(why))
    return `${why}; no port was given, and a server's own is ${DEFAULT_PORT} unless it says another`;
  return why;
}

/** A server of this project accepts these for its own names. */
const isOwnName = (hostname: string) =>
  isIP(hostname.replace(/^\[|\]$/g, "")) !== 0 || /(^|\.)localhost$/.test(hostname);

function statusAdvice(status: number, hostname: string, hasToken: boolean): string | undefined {
  switch (status) {
    case 401:
      return hasToken
        ? "the token is wrong; the server prints it in its Network lines, or was started with it"
        : "a token is needed, in CSVCAST_TOKEN or --token-file; the server prints it in its Network lines, or was started with it";
    case 403:
      return isOwnName(hostname)
        ? "refused, and not by csvcast, which goes by this name: another server, or a proxy before it"
        : `the server may not know that it is ${hostname}; start it with --allow-host ${hostname}`;
    case 404:
      return "no such table; --list prints those that there are";
    case 429:
      return "too many wrong tokens; come back later";
    case 200:
    case 426:
      return "no table at this address, but something else";
    default:
      return undefined;
  }
}
