#!/usr/bin/env -S bun --no-env-file --config=/dev/null --tsconfig-override=/dev/null
// `bun run client`: prints what a server broadcasts, one line each, on stdout and nothing else there.
import { readFileSync } from "node:fs";
import pkg from "../package.json";
import { clientHelp, clientOptions, type Mode, modeOf } from "./cli/client/options.ts";
import { CliError, reportFatal } from "./cli/errors.ts";
import { readOptions } from "./cli/options.ts";
import { escapeControls, openOutput, type Output } from "./cli/client/output.ts";
import { csv, ndjson, openRowLog } from "./cli/client/rows.ts";
import { openTextSink } from "./cli/client/stdout.ts";
import { liveEntries } from "./cli/runtime.ts";
import { endSignals, exitCodeOf } from "./cli/signals.ts";
import { givenToken } from "./cli/token.ts";
import type { StatusMessage } from "./feed/protocol.ts";
import { handshakeOf } from "./cli/client/handshake.ts";
import { websocketClient } from "./cli/client/plain.ts";
import { subscribe, type SubscriberEvents } from "./follow/subscriber.ts";

const STDOUT = 1;

/** Something that is listened to, and can be let wait. */
type Feed = { close(): void; pause(): void; resume(): void };

type Wiring = {
  readonly url: URL;
  readonly token: string | undefined;
  readonly ca: string | false | undefined;
  readonly giveUpMs: number;
  readonly output: Output;
  readonly say: (text: string) => void;
  readonly onEnd: (why: string) => void;
};

/** Prints until it has printed enough, is ended, or the server is gone for good; then exits. */
function run(argv: readonly string[]): void {
  const { values, positionals } = readOptions(clientOptions, argv, process.env);
  const { print, connection, program } = values;
  if (program.help) return void process.stdout.write(clientHelp);
  if (program.version) return void process.stdout.write(`${pkg.version}\n`);
  if (positionals.length > 1) throw new CliError("usage", `${positionals[1]}: one URL at a time; see --help`);
  const mode = modeOf(print);
  const say = (text: string) => void (print.quiet || process.stderr.write(`${forTerminal(text)}\n`));
  const given = givenToken(connection.token, connection.tokenFile, clientOptions.connection.token);
  const { url, token, isLocal } = target(positionals[0], given, say);
  // A server that was found here is known by its entry, which only this user can write; its certificate is for other names.
  const ca = isLocal ? false : authority(connection.ca);
  let feed: Feed | undefined;
  let exitCode = 0;

  say(`connecting to ${withoutSecrets(url)}`);
  process.stderr.on("error", () => {});
  for (const signal of endSignals()) process.on(signal, () => end(exitCodeOf(signal)));

  const isRows = mode === "ndjson" || mode === "csv";
  const output = openOutput({
    sink: openTextSink(STDOUT, ({ code, message }) =>
      process.exit(
        code === "EPIPE" ? 0 : reportFatal("csvcast-client", new CliError("failure", `cannot print: ${message}`)),
      ),
    ),
    limit: print.once && !isRows ? 1 : print.count,
    onFull: () => feed?.pause(),
    onDrained: () => feed?.resume(),
    onDone: () => end(exitCode),
  });
  function onEnd(why: string): void {
    exitCode = reportFatal("csvcast-client", new CliError("connect", forTerminal(`${withoutSecrets(url)}: ${why}`)));
    output.finish();
  }
  const wiring: Wiring = { url, token, ca, giveUpMs: connection.giveUpMs, output, say, onEnd };
  if (mode === "plain") feed = plainFeed(wiring);
  else feed = liveFeed(wiring, mode === "live" ? messagePrinter(output) : rowPrinter(wiring, mode, print));

  function end(code: number): void {
    feed?.close();
    process.exit(code);
  }
}

const retrying = (why: string, delayMs: number) =>
  `${why}${/certificate/.test(why) ? " (see --ca)" : ""}; trying again in ${(delayMs / 1000).toFixed(1)} s`;

function plainFeed({ output, say, ...options }: Wiring): Feed {
  return websocketClient({
    ...options,
    onOpen: () => say("connected"),
    onMessage: (text) => output.print([text]),
    onRetry: (why, delayMs) => say(retrying(why, delayMs)),
  });
}

type Printer = Pick<SubscriberEvents, "onMessage" | "onSnapshot" | "onChange" | "onStatus"> & {
  onCurrent?(subscription: ReturnType<typeof subscribe>): void;
};

function liveFeed({ say, output: _output, ...options }: Wiring, printer: Printer): Feed {
  const handshake = handshakeOf(options);
  const subscription = subscribe(options.url, {
    ...printer,
    connect: (address, protocol) => new WebSocket(address, { ...handshake, protocols: [protocol] }),
    giveUpMs: options.giveUpMs,
    onConnection(connection) {
      if (connection.state === "open") say("connected");
      else if (connection.state === "current") printer.onCurrent?.(subscription);
      else say(retrying(connection.why, connection.delayMs));
    },
    onEnd: options.onEnd,
  });
  return subscription;
}

/** The messages as received. A status comes again with each connection: only a new one is printed. */
function messagePrinter(output: Output): Printer {
  let lastStatus = "";
  return {
    onMessage(text, { type }) {
      if (type === "sync" || text === lastStatus) return;
      if (type === "status") lastStatus = text;
      output.print([text]);
    },
  };
}

function rowPrinter({ output, say }: Wiring, mode: Mode, { all, once }: { all: boolean; once: boolean }): Printer {
  const format = mode === "csv" ? csv : ndjson;
  const log = openRowLog({ format, isAll: all || once, print: output.print, printHeader: output.printHeader, say });
  return {
    onSnapshot: log.update,
    onChange: log.update,
    onStatus: statusSpeaker(say),
    onCurrent({ table }) {
      if (once && !table) return;
      log.begin(table);
      if (once) output.finish();
    },
  };
}

/** Says when the table is not what the file says, and when it is again. */
function statusSpeaker(say: (text: string) => void): (status: StatusMessage) => void {
  let printed = "live";
  return ({ state, message }) => {
    const text = state === "live" ? "live" : `${state}: ${message}`;
    if (text === printed) return;
    const isAgain = state === "live" && !printed.startsWith("waiting");
    printed = text;
    say(isAgain ? "live again" : text);
  };
}

/** The certificates to trust besides those of the public authorities. Throws CliError("usage"). */
function authority(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new CliError("usage", `--ca ${path}: ${(error as NodeJS.ErrnoException).code ?? "cannot be read"}`);
  }
}

/** The URL given, or the newest server on this machine. */
function target(
  given: string | undefined,
  token: string | undefined,
  say: (text: string) => void,
): { url: URL; token: string | undefined; isLocal: boolean } {
  if (given !== undefined) return { url: parseUrl(given), token, isLocal: false };
  const [newest, ...others] = liveEntries(process.env);
  if (!newest)
    throw new CliError(
      "connect",
      "no server of yours is running on this machine: start one with `bun run server`, or give a URL",
    );
  if (others.length > 0) say(`${others.length + 1} servers are running; taking the newest, ${newest.url}`);
  return { url: parseUrl(newest.url), token: token ?? newest.token, isLocal: true };
}

function parseUrl(given: string): URL {
  // A number alone would be an IPv4 address to URL; who types one means a port of this machine.
  const address = /^:?\d+$/.test(given) ? `127.0.0.1:${given.replace(":", "")}` : given;
  const url = URL.parse(/^[a-z]+:\/\//i.test(address) ? address : `ws://${address}`);
  if (url) url.hash = "";
  if (url && /^(wss?|https?):$/.test(url.protocol) && url.hostname !== "") return url;
  throw new CliError("usage", `${given}: not a WebSocket URL; it looks like ws://127.0.0.1:59050/`);
}

function withoutSecrets(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** What a server says is no command to the terminal. */
const forTerminal = (text: string) => (process.stderr.isTTY ? escapeControls(text) : text);

export function main(argv: readonly string[]): void {
  try {
    run(argv);
  } catch (error) {
    process.exit(reportFatal("csvcast-client", error));
  }
}

if (import.meta.main) main(process.argv.slice(2));
