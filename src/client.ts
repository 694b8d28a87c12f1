#!/usr/bin/env -S bun --no-env-file --config=/dev/null --tsconfig-override=/dev/null
// `bun run client`: prints what a server broadcasts, one line each, on stdout and nothing else there.
import { readFileSync } from "node:fs";
import pkg from "../package.json";
import { asCalled, type Commands, commandsOf } from "./cli/called.ts";
import { advised } from "./cli/client/advice.ts";
import { handshakeOf } from "./cli/client/handshake.ts";
import { listLines, tablesAt } from "./cli/client/listing.ts";
import { clientHelp, clientOptions, type Mode, modeOf, refuseUseless } from "./cli/client/options.ts";
import { CliError, fileProblem, reasonOf, reportFatal } from "./cli/errors.ts";
import { readOptions, type Values } from "./cli/options.ts";
import { escapeControls, openOutput, type Output } from "./cli/client/output.ts";
import { websocketClient } from "./cli/client/plain.ts";
import { csv, ndjson, openRowLog } from "./cli/client/rows.ts";
import { openShortener } from "./cli/client/shorten.ts";
import { openTextSink, type TextSink } from "./cli/client/stdout.ts";
import { type Target, targetOf } from "./cli/client/target.ts";
import { endSignals, exitCodeOf } from "./cli/signals.ts";
import { givenToken } from "./cli/token.ts";
import type { StatusMessage } from "./feed/protocol.ts";
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
  readonly onOpen: () => void;
  readonly onRetry: (why: string, delayMs: number) => void;
  readonly onEnd: (why: string) => void;
};

type Settings = Values<typeof clientOptions>;

/** A server that does not list its tables by then never will. */
const LIST_MS = 10_000;

/** Prints until it has printed enough, is ended, or the server is gone for good; then exits. */
async function run(argv: readonly string[], called: (text: string) => string): Promise<void> {
  const { values, positionals, flags } = readOptions(clientOptions, argv, process.env);
  const { print, connection, program } = values;
  if (program.help) return void process.stdout.write(called(clientHelp));
  if (program.version) return void process.stdout.write(`${pkg.version}\n`);
  if (positionals.length > 1) throw new CliError("usage", `${positionals[1]}: one table or URL at a time; see --help`);
  const mode = modeOf(print);
  refuseUseless(flags, positionals[0]);
  const say = (text: string) => void (print.quiet || process.stderr.write(`${forTerminal(called(text))}\n`));
  process.stderr.on("error", () => {});
  const token = givenToken(connection.token, connection.tokenFile, clientOptions.connection.token);
  const target = await targetOf(positionals[0], { token, env: process.env, say, namesTables: !print.list });
  // A server that was found here is known by its entry, which only this user can write; its certificate is for other names.
  const ca = target.isLocal ? false : authority(connection.ca);
  const sink = openTextSink(STDOUT, ({ code, message }) =>
    process.exit(
      code === "EPIPE" ? 0 : reportFatal("csvcast-client", new CliError("failure", `cannot print: ${message}`)),
    ),
  );
  if (print.list) return list(target, ca, sink);
  follow(values, { ...target, ca, say, mode, sink });
}

type Following = Target & Pick<Wiring, "ca" | "say"> & { readonly mode: Mode; readonly sink: TextSink };

function follow({ print, connection }: Settings, { url, token, ca, say, mode, sink }: Following): void {
  let feed: Feed | undefined;
  let exitCode = 0;
  let wasOpen = false;

  say(`connecting to ${withoutSecrets(url)}`);
  for (const signal of endSignals()) process.on(signal, () => end(exitCodeOf(signal)));

  const isRows = mode === "ndjson" || mode === "csv";
  const shorten = openShortener(() => say(shortenedText(mode)));
  const output = openOutput({
    sink,
    ...(!isRows && sink.isTTY && { shown: shorten }),
    limit: print.once && !isRows ? 1 : print.count,
    onFull: () => feed?.pause(),
    onDrained: () => feed?.resume(),
    onDone: () => end(exitCode),
  });
  const explained = (why: string) =>
    advised(why, { url, wasOpen, hasToken: token !== undefined || url.searchParams.has("token") });
  function onEnd(why: string): void {
    const text = forTerminal(`${withoutSecrets(url)}: ${explained(why)}`);
    exitCode = reportFatal("csvcast-client", new CliError("connect", text));
    output.finish();
  }
  const onOpen = () => {
    wasOpen = true;
    say("connected");
  };
  const onRetry = (why: string, delayMs: number) =>
    say(`${explained(why)}; trying again in ${(delayMs / 1000).toFixed(1)} s`);
  const wiring: Wiring = { url, token, ca, giveUpMs: connection.giveUpMs, output, say, onOpen, onRetry, onEnd };
  if (mode === "plain") feed = plainFeed(wiring);
  else feed = liveFeed(wiring, mode === "live" ? messagePrinter(output) : rowPrinter(wiring, mode, print));

  function end(code: number): void {
    feed?.close();
    process.exit(code);
  }
}

function shortenedText(mode: Mode): string {
  const live = mode === "live" ? "" : "; --live prints only what changes, --ndjson and --csv new rows";
  return `shortened for the terminal: a pipe gets every message as it came, bun run client | cat${live}`;
}

/** Prints the tables of a server. */
async function list({ url, token }: Target, ca: string | false | undefined, sink: TextSink): Promise<void> {
  try {
    const tables = await tablesAt({ url, token, ca, timeoutMs: LIST_MS });
    const lines = listLines(tables, sink.isTTY).map((line) => `${sink.isTTY ? escapeControls(line) : line}\n`);
    await new Promise<void>((resolve) => sink.write(lines.join(""), resolve));
  } catch (error) {
    const hasToken = token !== undefined || url.searchParams.has("token");
    const why = advised(reasonOf(error), { url, hasToken, wasOpen: false });
    throw new CliError("connect", `${withoutSecrets(url)}: ${why}`);
  }
}

function plainFeed({ output, say: _say, ...options }: Wiring): Feed {
  return websocketClient({ ...options, onMessage: (text) => output.print([text]) });
}

type Printer = Pick<SubscriberEvents, "onMessage" | "onSnapshot" | "onChange" | "onStatus"> & {
  onCurrent?(subscription: ReturnType<typeof subscribe>): void;
};

function liveFeed({ onOpen, onRetry, ...options }: Wiring, printer: Printer): Feed {
  const handshake = handshakeOf(options);
  const subscription = subscribe(options.url, {
    ...printer,
    connect: (address, protocol) => new WebSocket(address, { ...handshake, protocols: [protocol] }),
    giveUpMs: options.giveUpMs,
    onConnection(connection) {
      if (connection.state === "open") onOpen();
      else if (connection.state === "current") printer.onCurrent?.(subscription);
      else onRetry(connection.why, connection.delayMs);
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
    throw new CliError("usage", `--ca ${path}: ${fileProblem(error)}`);
  }
}

function withoutSecrets(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** What a server says is no command to the terminal. */
const forTerminal = (text: string) => (process.stderr.isTTY ? escapeControls(text) : text);

/** `commands`: how both programs are called. */
export async function main(argv: readonly string[], commands: Commands): Promise<void> {
  const called = (text: string) => asCalled(text, commands);
  try {
    await run(argv, called);
  } catch (error) {
    process.exit(reportFatal("csvcast-client", error, called));
  }
}

if (import.meta.main)
  await main(process.argv.slice(2), commandsOf(Bun.isStandaloneExecutable, process.execArgv, import.meta.path));
