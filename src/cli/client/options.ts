// The options of the client and its --help.
import pkg from "../../../package.json";
import { CliError } from "../errors.ts";
import { describeOptions, durationMs, onOff, option, wholeNumber } from "../options.ts";
import { tokenFile } from "../token.ts";

/** Every option with its default, unit and rule; `readOptions` turns them into values. */
export const clientOptions = {
  print: {
    live: onOff("live", "print the messages of the live feed: the table, then\neach change"),
    ndjson: onOff("ndjson", "print rows as JSON objects, one a line: those that are\nappended from now on"),
    csv: onOff("csv", "print rows as CSV (RFC 4180, LF), header first: those\nthat are appended from now on"),
    all: onOff("all", "with --ndjson or --csv: the rows that are there, too"),
    once: onOff("once", "print one message and end; with --ndjson or --csv: the\ntable as it is now"),
    count: option<number>({
      flag: "count",
      value: "N",
      short: "n",
      help: "print N messages, or rows, and end",
      rule: "a number of messages or rows, 1 or more",
      parse: (text) => wholeNumber(text, 1, Number.MAX_SAFE_INTEGER),
      default: Infinity,
    }),
    list: onOff("list", "print the tables of the server: name, rows, state, file", { short: "l" }),
    quiet: onOff("quiet", "no word about connection and file on stderr", { short: "q" }),
  },
  connection: {
    token: option<string | undefined>({
      flag: "token",
      value: "TEXT",
      isSecret: true,
      help: "what the server asks strangers for; prefer the variable",
      rule: "the token that the server prints",
      parse: (text) => (/^[\x21-\x7e]+$/.test(text) ? text : undefined),
      default: undefined,
    }),
    tokenFile,
    ca: option<string | undefined>({
      flag: "ca",
      value: "PATH",
      help: "the certificate (PEM) that the server's is signed with,\nif no public authority did it: its own, for instance",
      rule: "the path of a PEM file",
      parse: (text) => (text === "" ? undefined : text),
      default: undefined,
    }),
    giveUpMs: option<number>({
      flag: "give-up",
      value: "TIME",
      help: "end when the server is gone for this long (default: 1m)",
      rule: "a time from 0s to 24h, such as 30s",
      parse: (text) => durationMs(text, 0, 86_400_000),
      default: 60_000,
    }),
  },
  program: {
    help: onOff("help", "show this", { short: "h" }),
    version: onOff("version", "show the version", { short: "V" }),
  },
};

const TITLES = {
  print: "What is printed [environment variable]",
  connection: "Connection",
  program: "Other",
};

export const clientHelp = `csvcast-client ${pkg.version} - prints what a csvcast server broadcasts

Usage: bun run client [TABLE | URL] [options]

  bun run client                          the newest server of yours on this machine
  bun run client prices                   its table of that name, at /prices
  bun run client --list                   which tables it has
  bun run client ws://192.168.1.20:59050/ that server; a host alone, too: port 59050
  bun run client --once | jq length       one message, for a script
  bun run client --ndjson | jq .price     each new row
  bun run client --csv --once > now.csv   the table as it is

Each message is one line on stdout, exactly as it was received; everything else goes
to stderr. On a terminal, and nowhere else, a large one is shortened. A lost connection
is made again. Without --live, --ndjson and --csv each message is the whole table, sent
again and again.

--live, --ndjson and --csv go on where they were after a lost connection: nothing is
lost, nothing is printed twice. If the server was started again, --live prints the table
that it sends, --ndjson and --csv only the rows beyond those printed; if more came than
a server with --last keeps, stderr says how many were skipped.

--ndjson and --csv: a last row that was not complete is printed again when it is. Rows
that change elsewhere or go are not printed; stderr says so once. If the columns change,
stderr says so, --csv prints the new header, and --all the rows of the new table.

${describeOptions(clientOptions, TITLES, true)}

Exit codes: 0 done, 1 failure, 2 usage, 5 cannot connect, 128 + signal.
`;

export type Mode = "plain" | "live" | "ndjson" | "csv";

/** What is to be printed. Throws CliError("usage") for options that contradict each other. */
export function modeOf(options: Record<"live" | "ndjson" | "csv" | "all", boolean>): Mode {
  const [mode = "plain", other] = (["live", "ndjson", "csv"] as const).filter((name) => options[name]);
  if (other) throw new CliError("usage", `--${mode} and --${other}: one of them at a time; see --help`);
  if (options.all && mode !== "ndjson" && mode !== "csv")
    throw new CliError("usage", "--all: goes with --ndjson or --csv; see --help");
  return mode;
}
