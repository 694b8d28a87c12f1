// The options of the server, grouped by who consumes them; their names here are the consumers' own.
import { totalmem } from "node:os";
import { isIP } from "node:net";
import { durationMs, helpOption, onOff, option, sizeBytes, type Values, wholeNumber } from "../options.ts";
import { parseSpeed, type ReplaySpeed } from "../../source/replay/speed.ts";
import { tokenFile } from "../token.ts";

const DELIMITERS = new Map([
  ["comma", ","],
  ["semicolon", ";"],
  ["tab", "\t"],
  ["\\t", "\t"],
  ["pipe", "|"],
  ["space", " "],
  ["whitespace", "whitespace"],
]);

/** What a header, a URL and a shell take as it is (RFC 6750, section 2.1). */
const TOKEN_RULE = "8 to 512 characters from A-Z a-z 0-9 - . _ ~ + / =, without blanks";

const names = (text: string) => text.split(",").filter((name) => name !== "");
const filled = (text: string) => (text === "" ? undefined : text);
const isOneCharacter = (text: string) => /^[\t\x20-\x7e]$/.test(text);
const filePath = (text: string) => (text === "" ? undefined : text);

/** Every option with its default, unit and rule; `readOptions` turns them into values. */
export const serverOptions = {
  csv: {
    delimiter: option<string | undefined>({
      flag: "delimiter",
      value: "CHAR",
      short: "d",
      help: "what separates the cells (default: detected)",
      rule: "one ASCII character, or comma, semicolon, tab, pipe, space, whitespace",
      parse: (text) =>
        DELIMITERS.get(text) ?? (/^[\x01-\x09\x0b\x0c\x0e-\x21\x23-\x7e]$/.test(text) ? text : undefined),
      default: undefined,
    }),
    encoding: option<string | undefined>({
      flag: "encoding",
      value: "NAME",
      help: "how the file is encoded (default: detected)",
      rule: "an encoding such as utf-8, utf-16le, windows-1252 or shift_jis",
      parse: encodingLabel,
      default: undefined,
    }),
    skipLines: option<number | undefined>({
      flag: "skip-lines",
      value: "N",
      help: "number of lines above the header; 0: the first line is the\nheader, and nothing is detected (default: detected)",
      rule: "a number of lines, 0 or more",
      parse: (text) => wholeNumber(text, 0, Number.MAX_SAFE_INTEGER),
      default: undefined,
    }),
    headerLine: option<string | undefined>({
      flag: "header-line",
      value: "TEXT",
      help: "the header is the first line that contains this",
      rule: "a piece of the header's line",
      parse: filled,
      default: undefined,
    }),
    skipAfterHeader: option<number | undefined>({
      flag: "skip-after-header",
      value: "N",
      help: "skip this many lines below the header",
      rule: "a number of lines, 0 or more",
      parse: (text) => wholeNumber(text, 0, Number.MAX_SAFE_INTEGER),
      default: undefined,
    }),
    comment: option<string | undefined>({
      flag: "comment",
      value: "PREFIX",
      help: "skip lines that begin with this",
      rule: "the beginning of a line, such as #",
      parse: filled,
      default: undefined,
    }),
    noHeader: onOff("no-header", "the first line is a row; columns are called c1, c2, …,\nor as --names says"),
    names: option<readonly string[] | undefined>({
      flag: "names",
      value: "A,B,C",
      help: "the names of the columns, instead of those in the header",
      rule: "names, with commas between them, none of them empty",
      parse: (text) => (/^,|,,|,$|^$/.test(text) ? undefined : text.split(",")),
      default: undefined,
    }),
    trim: onOff("trim", "take blanks around cells and names away, in quotes too"),
    quote: option<string | undefined>({
      flag: "quote",
      value: "CHAR",
      help: 'what cells are quoted with, or none (default: ")',
      rule: "one ASCII character, or none",
      parse: (text) => (text === "none" || isOneCharacter(text) ? text : undefined),
      default: undefined,
    }),
    escape: option<string | undefined>({
      flag: "escape",
      value: "CHAR",
      help: "makes the next character one like any other, in quotes",
      rule: "one ASCII character, such as \\",
      parse: (text) => (isOneCharacter(text) ? text : undefined),
      default: undefined,
    }),
    types: option<TypesOption | undefined>({
      flag: "types",
      value: "TYPES",
      help: "numbers and booleans in JSON as such, not as strings: auto,\nor NAME=TYPE,… (number, text, time, boolean)",
      rule: "auto, or NAME=TYPE with commas between, each name once, such as price=number,id=text",
      parse: typesOf,
      default: undefined,
    }),
    maxColumns: option<number>({
      flag: "max-columns",
      value: "N",
      help: "refuse a file with more columns (default: 100000)",
      rule: "a number from 1 to 1000000",
      parse: (text) => wholeNumber(text, 1, 1_000_000),
      default: 100_000,
      isAdvanced: true,
    }),
  },
  source: {
    lastRows: option<number>({
      flag: "last",
      value: "N",
      help: "publish only the last N rows (default: all)",
      rule: "a number of rows, 1 or more",
      parse: (text) => wholeNumber(text, 1, Number.MAX_SAFE_INTEGER),
      default: Infinity,
    }),
    isNewest: onOff("newest", "one table: the newest file of the folder or pattern"),
    maxTables: option<number>({
      flag: "max-tables",
      value: "N",
      help: "serve no more tables (default: 256)",
      rule: "a number from 1 to 10000",
      parse: (text) => wholeNumber(text, 1, 10_000),
      default: 256,
      isAdvanced: true,
    }),
    settleMs: option<number>({
      flag: "settle",
      value: "TIME",
      help: "a rewritten file is read once its writer has been quiet for\nthis long; then a last line without newline counts, too\n(default: 250ms)",
      rule: "a time from 10ms to 1m, such as 250ms; a bare number is seconds",
      parse: (text) => durationMs(text, 10, 60_000),
      default: 250,
      isAdvanced: true,
    }),
    pollMs: option<number>({
      flag: "poll",
      value: "TIME",
      help: "a FILE that is http(s):// is asked for so often\n(default: 5s)",
      rule: "a time from 100ms to 24h, such as 5s; a bare number is seconds",
      parse: (text) => durationMs(text, 100, 86_400_000),
      default: 5_000,
    }),
    replay: option<ReplaySpeed | undefined>({
      flag: "replay",
      value: "SPEED",
      help: "play a finished FILE as if it were written now: 10x, ten\ntimes as fast, by its times; 100/s, so many rows a second",
      rule: "10x, as a multiple of the time it took, or 100/s, in rows",
      parse: parseSpeed,
      default: undefined,
    }),
    replayBy: option<string | undefined>({
      flag: "replay-by",
      value: "COLUMN",
      help: "the column that --replay 10x goes by: times, or numbers, which\nare seconds if they say no other unit (default: the first of times)",
      rule: "the name of a column",
      parse: filled,
      default: undefined,
      isAdvanced: true,
    }),
    loops: onOff("loop", "with --replay: begin once more at the end"),
    maxFileBytes: option<number>({
      flag: "max-file",
      value: "SIZE",
      help: "refuse larger files (default: no limit)",
      rule: "a size of 1 byte or more, such as 500MiB",
      parse: (text) => sizeBytes(text, 1, Number.MAX_SAFE_INTEGER),
      default: Infinity,
    }),
    maxMemoryBytes: option<number>({
      flag: "max-memory",
      value: "SIZE",
      help: "limit the memory of all tables together (default: half of\nwhat the machine has, or of what this process may use)",
      rule: "a size from 1MiB, such as 2GiB",
      parse: (text) => sizeBytes(text, 2 ** 20, Number.MAX_SAFE_INTEGER),
      default: halfOfMemory(),
      isAdvanced: true,
    }),
    maxCellBytes: option<number>({
      flag: "max-cell",
      value: "SIZE",
      help: "refuse a file with a larger cell (default: 16MiB)",
      rule: "a size from 1KiB to 1GiB, such as 64MiB",
      parse: (text) => sizeBytes(text, 2 ** 10, 2 ** 30),
      default: 2 ** 24,
      isAdvanced: true,
    }),
  },
  feeds: {
    maxFrameBytes: option<number>({
      flag: "max-message",
      value: "SIZE",
      help: "send no larger message (default: 32MiB; Bun's own\nWebSocket client takes 128MiB at most)",
      rule: "a size from 1KiB to 1GiB, such as 64MiB",
      parse: (text) => sizeBytes(text, 2 ** 10, 2 ** 30),
      default: 32 * 2 ** 20,
      isAdvanced: true,
    }),
    maxHistory: option<number>({
      flag: "history",
      value: "SIZE",
      help: "what is kept of the changes, for clients that come back;\nnever more than half a table (default: 16MiB)",
      rule: "a size from 0 to 1GiB, such as 64MiB",
      parse: (text) => sizeBytes(text, 0, 2 ** 30),
      default: 2 ** 24,
      isAdvanced: true,
    }),
    heartbeatMs: option<number>({
      flag: "heartbeat",
      value: "TIME",
      help: "the live feed sends a heartbeat after this long without a\nchange (default: 5s)",
      rule: "a time from 50ms to 5s: clients count on it",
      parse: (text) => durationMs(text, 50, 5_000),
      default: 5_000,
      isAdvanced: true,
    }),
  },
  network: {
    port: option<number | undefined>({
      flag: "port",
      value: "N",
      short: "p",
      help: "listen on this port (default: 59050, or any free one)",
      rule: "a port is a number from 0 to 65535",
      parse: (text) => wholeNumber(text, 0, 65_535),
      default: undefined,
    }),
    hostname: option<string>({
      flag: "host",
      value: "ADDRESS",
      help: "listen on this address (default: 0.0.0.0; :: for IPv6 too)",
      rule: "an address such as 127.0.0.1, :: or localhost",
      parse: (text) => (/^[\w.:-]+$/.test(text) ? text : undefined),
      default: "0.0.0.0",
    }),
    intervalMs: option<number>({
      flag: "interval",
      value: "TIME",
      short: "i",
      help: "time between two publications (default: 1s)",
      rule: "a time from 10ms to 1h, such as 500ms or 2s; a bare number is seconds",
      parse: (text) => durationMs(text, 10, 3_600_000),
      default: 1_000,
    }),
    maxClients: option<number>({
      flag: "max-clients",
      value: "N",
      help: "maximum number of clients (default: 10000)",
      rule: "a number from 1 to 1000000",
      parse: (text) => wholeNumber(text, 1, 1_000_000),
      default: 10_000,
      isAdvanced: true,
    }),
    maxPerAddress: option<number>({
      flag: "max-per-address",
      value: "N",
      help: "maximum number of clients from one address; behind a proxy\nsee --trust-proxy (default: 1000)",
      rule: "a number from 1 to 1000000",
      parse: (text) => wholeNumber(text, 1, 1_000_000),
      default: 1_000,
      isAdvanced: true,
    }),
    maxBacklogBytes: option<number>({
      flag: "max-backlog",
      value: "SIZE",
      help: "memory for data that slow clients have not read yet; above\nit the slowest are disconnected (default: 256MiB)",
      rule: "a size from 1MiB to 64GiB, such as 512MiB",
      parse: (text) => sizeBytes(text, 2 ** 20, 2 ** 36),
      default: 2 ** 28,
      isAdvanced: true,
    }),
    stallMs: option<number>({
      flag: "stall",
      value: "TIME",
      help: "disconnect a client that reads nothing for this long while\ndata is waiting for it (default: 20s)",
      rule: "a time from 100ms to 10m, such as 20s",
      parse: (text) => durationMs(text, 100, 600_000),
      default: 20_000,
      isAdvanced: true,
    }),
    maxIncomingBytes: option<number>({
      flag: "max-incoming",
      value: "SIZE",
      help: "disconnect a client that sends a larger message; clients\nhave nothing to send (default: 4KiB)",
      rule: "a size from 125 bytes to 1MiB",
      parse: (text) => sizeBytes(text, 125, 2 ** 20),
      default: 4096,
      isAdvanced: true,
    }),
    idleMs: option<number>({
      flag: "idle",
      value: "TIME",
      help: "close a connection that has been idle for this long\n(default: 30s)",
      rule: "a time from 8s to 255s, such as 30s",
      parse: (text) => durationMs(text, 8_000, 255_000),
      default: 30_000,
      isAdvanced: true,
    }),
  },
  access: {
    token: option<string | undefined>({
      flag: "token",
      value: "TEXT",
      isSecret: true,
      help: "everyone needs this token: 8 or more of A-Z a-z 0-9\n- . _ ~ + / =; argv is visible to others on this machine, so prefer\nthe variable or a file (default: a random one, for other machines\nonly)",
      rule: TOKEN_RULE,
      parse: (text) => (/^[A-Za-z0-9._~+/=-]{8,512}$/.test(text) ? text : undefined),
      default: undefined,
    }),
    isPublic: onOff("no-token", "no token: everyone who can reach the port may read"),
    allowedHosts: option<string[]>({
      flag: "allow-host",
      value: "NAME",
      help: "a further name of this server; may be repeated",
      rule: "a host name such as csv.example",
      parse: (text) => (/^[\w.,-]+$/.test(text) ? names(text) : undefined),
      default: [],
      repeat: true,
    }),
    allowedOrigins: option<string[]>({
      flag: "allow-origin",
      value: "ORIGIN",
      help: "a web page that may connect; may be repeated",
      rule: "an origin such as https://dash.example, without a path",
      parse: (text) => (names(text).every((origin) => isOrigin(origin)) ? names(text) : undefined),
      default: [],
      repeat: true,
    }),
    trustedProxies: option<string[]>({
      flag: "trust-proxy",
      value: "ADDRESS",
      help: "believe X-Forwarded-For from this proxy; this machine is\nbelieved always; may be repeated",
      rule: "an IP address such as 10.0.0.2",
      parse: (text) => (names(text).every((address) => isIP(address) !== 0) ? names(text) : undefined),
      default: [],
      repeat: true,
    }),
  },
  relay: {
    relayUrl: option<string | undefined>({
      flag: "relay",
      value: "URL",
      isSecret: true,
      help: "publish to Redis or Valkey, for servers whose FILE is this\nURL: redis://HOST[:PORT][/DATABASE][?topic=NAME], rediss://\nfor TLS; put credentials into the variable",
      rule: "a URL that begins with redis:// or rediss://",
      parse: (text) => (text === "" ? undefined : text),
      default: undefined,
    }),
    isStandby: onOff(
      "standby",
      "with --relay: follow the topic while another server\npublishes it, and publish the FILEs when that one is gone",
    ),
    relayHeartbeatMs: option<number>({
      flag: "relay-heartbeat",
      value: "TIME",
      help: "time between two heartbeats of a relay's publisher; after\nfive missed ones it counts as gone. Use the same value on\nall servers (default: 1s)",
      rule: "a time from 50ms to 1m, such as 1s",
      parse: (text) => durationMs(text, 50, 60_000),
      default: 1_000,
      isAdvanced: true,
    }),
  },
  program: {
    tokenFile,
    tlsCert: option<string | undefined>({
      flag: "tls-cert",
      value: "PATH",
      help: "https and wss with this certificate and its chain (PEM);\nread again when it is renewed",
      rule: "the path of a PEM file",
      parse: filePath,
      default: undefined,
    }),
    tlsKey: option<string | undefined>({
      flag: "tls-key",
      value: "PATH",
      help: "the private key of it (PEM, no passphrase)",
      rule: "the path of a PEM file",
      parse: filePath,
      default: undefined,
    }),
    log: option<"text" | "json">({
      flag: "log",
      value: "FORMAT",
      help: "json: a line for each event, for machines; nothing is asked\nthen, and no token printed (default: text)",
      rule: "text or json",
      parse: (text) => (text === "text" || text === "json" ? text : undefined),
      default: "text",
    }),
    opensBrowser: onOff("open", "open the page in a browser"),
    help: helpOption,
    version: onOff("version", "show the version", { short: "V" }),
  },
};

/** What the server takes, without the groups. */
export function serverSettings({ csv, source, feeds, network, access, relay }: Values<typeof serverOptions>) {
  return { ...csv, ...source, ...feeds, ...network, ...access, ...relay };
}

type TypeName = "number" | "text" | "time" | "boolean";
type TypesOption = "auto" | Readonly<Record<string, TypeName>>;

/** Of the machine, or of what the program may use of it (a control group). */
function halfOfMemory(): number {
  const allowed = process.constrainedMemory();
  return Math.floor(Math.min(totalmem(), allowed > 0 ? allowed : Infinity) / 2);
}

/** A name may have an equals sign itself: the last one counts. */
function typesOf(text: string): TypesOption | undefined {
  if (text === "auto") return "auto";
  const pairs = text.split(",").map((pair) => /^(.+)=(number|text|time|boolean)$/.exec(pair));
  if (!pairs.every((pair) => pair !== null)) return undefined;
  if (new Set(pairs.map(([, name]) => name)).size < pairs.length) return undefined;
  return Object.fromEntries(pairs.map(([, name, type]) => [name!, type as TypeName]));
}

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
