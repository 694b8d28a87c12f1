// The options of the client and its --help.
import pkg from "../../../package.json";
import { CliError } from "../errors.ts";
import { describeOptions, durationMs, onOff, option, type Values, wholeNumber } from "../options.ts";
import { tokenFile } from "../token.ts";

/** Every option with its default, unit and rule; `readOptions` turns them into values. */
export const clientOptions = {
  print: {
    live: onOff("live", "print the live feed: the table once, then each change"),
    ndjson: onOff("ndjson", "print each new row as a JSON object, one per line"),
    csv: onOff("csv", "print each new row as CSV (RFC 4180, LF), header first"),
    all: onOff("all", "with --ndjson or --csv: print the existing rows first"),
    once: onOff("once", "print one message and exit; with --ndjson or --csv:\nprint the current table and exit"),
    count: option<number>({
      flag: "count",
      value: "N",
      short: "n",
      help: "print N messages, or N rows, and exit",
      rule: "a number of messages or rows, 1 or more",
      parse: (text) => wholeNumber(text, 1, Number.MAX_SAFE_INTEGER),
      default: Infinity,
    }),
    list: onOff("list", "list the tables of the server: name, rows, state, file", { short: "l" }),
    quiet: onOff("quiet", "print nothing about the connection or the file on stderr", { short: "q" }),
  },
  connection: {
    token: option<string | undefined>({
      flag: "token",
      value: "TEXT",
      isSecret: true,
      help: "the token that the server asks for; other users of this\nmachine can see it here, so prefer the variable or a file",
      rule: "the token that the server prints",
      parse: (text) => (/^[\x21-\x7e]+$/.test(text) ? text : undefined),
      default: undefined,
    }),
    tokenFile,
    ca: option<string | undefined>({
      flag: "ca",
      value: "PATH",
      help: "trust this certificate (PEM): the server's own, or that of\nthe authority that signed it, if it is not a public one",
      rule: "the path of a PEM file",
      parse: (text) => (text === "" ? undefined : text),
      default: undefined,
    }),
    giveUpMs: option<number>({
      flag: "give-up",
      value: "TIME",
      help: "exit when the server has been unreachable for this long\n(default: 1m)",
      rule: "a time from 0s to 24h, such as 30s",
      parse: (text) => durationMs(text, 0, 86_400_000),
      default: 60_000,
    }),
  },
  program: {
    help: onOff("help", "show this help", { short: "h" }),
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

  bun run client                          the server you started last on this machine
  bun run client prices                   its table prices, at /prices
  bun run client --list                   which tables it has
  bun run client ws://192.168.1.20:59050/ a server elsewhere; a bare host means port 59050
  bun run client --once | jq length       one message, for a script
  bun run client --ndjson | jq .price     each new row
  bun run client --csv --once > now.csv   the table as it is

Each message is one line on stdout, exactly as received; everything else goes to
stderr. On a terminal, long messages are shortened; in pipes and files they never are.
Without --live, --ndjson or --csv, each message is the whole table, and the server sends
it every second (or as often as its --interval says).

The client reconnects automatically. With --live, --ndjson and --csv it resumes where it
was: nothing is lost and nothing is printed twice. If the server was restarted meanwhile,
--live prints the whole table again; --ndjson and --csv print only the rows after those
already printed. If more rows arrived than a server with --last keeps, stderr says how
many were skipped.

With --ndjson and --csv, a last row that was incomplete is printed again once it is
complete. Rows that are changed or deleted elsewhere in the table are not printed; stderr
says so once. If the columns change, stderr says so, --csv prints the new header, and
with --all the rows of the new table are printed.

${describeOptions(clientOptions, TITLES, true)}

Exit codes: 0 done, 1 failure, 2 usage, 5 cannot connect, 128 + signal.
`;

export type Mode = "plain" | "live" | "ndjson" | "csv";

type Print = Values<typeof clientOptions>["print"];

/** What is to be printed. Throws CliError("usage") for options that contradict each other, or have no effect. */
export function modeOf(options: Print): Mode {
  const [mode = "plain", other] = (["live", "ndjson", "csv"] as const).filter((name) => options[name]);
  if (other) throw new CliError("usage", `--${mode} and --${other}: one of them at a time; see --help`);
  if (options.all && mode !== "ndjson" && mode !== "csv")
    throw new CliError("usage", "--all: goes with --ndjson or --csv; see --help");
  if (options.once && options.count < Infinity && (mode === "plain" || mode === "live"))
    throw new CliError("usage", "--once and --count: one of them at a time; see --help");
  return mode;
}

/** What `--list` makes no use of. */
const NOT_LISTED = ["live", "ndjson", "csv", "all", "once", "count", "give-up"];

/**
 * Throws CliError("usage") for an option of the command line that would do nothing. Variables are not among `flags`: they may be meant
 * for other servers. `given`: the TABLE or URL.
 */
export function refuseUseless(flags: ReadonlySet<string>, given: string | undefined): void {
  const unlisted = flags.has("list") ? NOT_LISTED.find((flag) => flags.has(flag)) : undefined;
  if (unlisted) throw new CliError("usage", `--list and --${unlisted}: one of them at a time; see --help`);
  if (flags.has("ca") && !/^(wss|https):\/\//i.test(given ?? ""))
    throw new CliError(
      "usage",
      "--ca: needs a URL that begins with wss://; a server of yours on this machine needs none",
    );
}
