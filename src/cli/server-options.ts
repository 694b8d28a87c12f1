// The options of the server and its --help.
import pkg from "../../package.json";
import { describeOptions, durationMs, flag, type Option, sizeBytes, wholeNumber } from "./options.ts";
import { tokenFile } from "./token.ts";

const DELIMITERS: Record<string, string> = {
  comma: ",",
  semicolon: ";",
  tab: "\t",
  "\\t": "\t",
  pipe: "|",
  space: " ",
};

const names = (text: string) => text.split(",").filter((name) => name !== "");

/** Every option with its default, unit and rule; `readOptions` turns them into values. */
export const serverOptions = {
  port: {
    value: "N",
    short: "p",
    help: "listen on this port (default: 59050, or any free one)",
    rule: "a port is a number from 0 to 65535",
    parse: (text) => wholeNumber(text, 0, 65_535),
    default: undefined,
  } as Option<number | undefined>,
  host: {
    value: "ADDRESS",
    help: "listen on this address (default: 0.0.0.0; :: for IPv6 too)",
    rule: "an address such as 127.0.0.1, :: or localhost",
    parse: (text) => (/^[\w.:-]+$/.test(text) ? text : undefined),
    default: "0.0.0.0",
  } as Option<string>,
  interval: {
    value: "TIME",
    short: "i",
    help: "time between two publications (default: 1s)",
    rule: "a time from 10ms to 1h, such as 500ms or 2s; a bare number is milliseconds",
    parse: (text) => durationMs(text, 10, 3_600_000),
    default: 1_000,
  } as Option<number>,
  last: {
    value: "N",
    help: "publish only the last N rows (default: all)",
    rule: "a number of rows, 1 or more",
    parse: (text) => wholeNumber(text, 1, Number.MAX_SAFE_INTEGER),
    default: Infinity,
  } as Option<number>,
  settle: {
    value: "TIME",
    help: "a writer that pauses for this long is done with what it\nwrites: a last line without newline counts, a rewritten\nfile is read (default: 250ms)",
    rule: "a time from 10ms to 1m, such as 250ms; a bare number is milliseconds",
    parse: (text) => durationMs(text, 10, 60_000),
    default: 250,
  } as Option<number>,
  delimiter: {
    value: "CHAR",
    short: "d",
    help: "what separates the cells (default: detected)",
    rule: "one ASCII character, or comma, semicolon, tab, pipe, space",
    parse: (text) => DELIMITERS[text] ?? (/^[\x01-\x09\x0b\x0c\x0e-\x21\x23-\x7e]$/.test(text) ? text : undefined),
    default: undefined,
  } as Option<string | undefined>,
  encoding: {
    value: "NAME",
    help: "how the file is encoded (default: detected)",
    rule: "an encoding such as utf-8, utf-16le, windows-1252 or shift_jis",
    parse: encodingLabel,
    default: undefined,
  } as Option<string | undefined>,
  "max-file": {
    value: "SIZE",
    help: "refuse larger files (default: 1GiB)",
    rule: "a size from 1 byte to 1GiB, such as 500MiB",
    parse: (text) => sizeBytes(text, 1, 2 ** 30),
    default: 2 ** 30,
  } as Option<number>,
  "max-message": {
    value: "SIZE",
    help: "send no larger message (default: 32MiB; Bun's own\nWebSocket client takes 128MiB at most)",
    rule: "a size from 1KiB to 1GiB, such as 64MiB",
    parse: (text) => sizeBytes(text, 2 ** 10, 2 ** 30),
    default: 32 * 2 ** 20,
  } as Option<number>,
  "max-clients": {
    value: "N",
    help: "let no more clients in (default: 10000)",
    rule: "a number from 1 to 1000000",
    parse: (text) => wholeNumber(text, 1, 1_000_000),
    default: 10_000,
  } as Option<number>,
  "max-backlog": {
    value: "SIZE",
    help: "what slow clients may keep waiting here, all together;\nover it the slowest are closed (default: 256MiB)",
    rule: "a size from 1MiB to 64GiB, such as 512MiB",
    parse: (text) => sizeBytes(text, 2 ** 20, 2 ** 36),
    default: 2 ** 28,
  } as Option<number>,
  stall: {
    value: "TIME",
    help: "close a client that takes nothing for so long although\nthere is something to take (default: 20s)",
    rule: "a time from 100ms to 10m, such as 20s",
    parse: (text) => durationMs(text, 100, 600_000),
    default: 20_000,
  } as Option<number>,
  heartbeat: {
    value: "TIME",
    help: "the live feed says that it is alive when it had nothing\nelse to say for so long (default: 5s)",
    rule: "a time from 50ms to 5s: clients count on it",
    parse: (text) => durationMs(text, 50, 5_000),
    default: 5_000,
  } as Option<number>,
  token: {
    value: "TEXT",
    isSecret: true,
    help: "everyone needs this token; argv is visible to others on\nthis machine, so prefer the variable or a file (default: a random\none, for other machines only)",
    rule: "at least 8 characters from A-Z a-z 0-9 - . _ ~ + / =",
    parse: (text) => (/^[A-Za-z0-9._~+/=-]{8,512}$/.test(text) ? text : undefined),
    default: undefined,
  } as Option<string | undefined>,
  "token-file": tokenFile,
  open: flag("let everyone in who can reach the port, without a token"),
  "allow-host": {
    value: "NAME",
    help: "a further name of this server; may be repeated",
    rule: "a host name such as csv.example",
    parse: (text) => (/^[\w.,-]+$/.test(text) ? names(text) : undefined),
    default: [],
    repeat: true,
  } as Option<string[]>,
  "allow-origin": {
    value: "ORIGIN",
    help: "a web page that may connect; may be repeated",
    rule: "an origin such as https://dash.example, without a path",
    parse: (text) => (names(text).every((origin) => isOrigin(origin)) ? names(text) : undefined),
    default: [],
    repeat: true,
  } as Option<string[]>,
  help: flag("show this", "h"),
  version: flag("show the version", "V"),
};

function encodingLabel(text: string): string | undefined {
  try {
    return new TextDecoder(text as Bun.Encoding).encoding;
  } catch {
    return undefined;
  }
}

function isOrigin(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/\s,]+$/i.test(text);
}

export const serverHelp = `csvcast-server ${pkg.version} - broadcasts a CSV file, live

Usage: bun run server [FILE] [options]

  bun run server                     asks for the file
  bun run server prices.csv          publishes prices.csv every second
  bun run server log.csv -i 200ms    five times a second
  logger | bun run server -          a CSV that grows on standard input
  bun run client                     (elsewhere) prints what arrives

Every client gets the whole table as a JSON array of row objects, at once and then
every interval, and every change of the file with it. Type another path at the
prompt to switch to another file.

Clients that offer the subprotocol csvcast.v1 get the table once, and then each change
within milliseconds (bun run client --live). On the same port: /csv.json /csv.ndjson
/csv.csv /csv/events /healthz /metrics

Options [environment variable]:
${describeOptions(serverOptions)}

Who may come in: programs on this machine are free to; others need the token in the
network URL. Behind a proxy on this machine set a token: the proxy's visitors
would count as this machine otherwise.

Exit codes: 0 done, 1 failure, 2 usage, 3 file, 4 cannot listen, 128 + signal.
`;
