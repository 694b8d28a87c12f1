#!/usr/bin/env bun
// `bun run client`: prints what a server broadcasts, one line each, on stdout and nothing else there.
import { readFileSync } from "node:fs";
import pkg from "../package.json";
import { clientHelp, clientOptions, type Mode, modeOf } from "./cli/client-options.ts";
import { CliError, reportFatal } from "./cli/errors.ts";
import { readOptions } from "./cli/options.ts";
import { escapeControls, openOutput, type Output } from "./cli/output.ts";
import { csv, ndjson, openRowLog } from "./cli/rows.ts";
import { liveEntries } from "./cli/runtime.ts";
import { endSignals, exitCodeOf } from "./cli/signals.ts";
import { givenToken } from "./cli/token.ts";
import { keepConnected } from "./feed/connection.ts";
import type { StatusMessage } from "./feed/protocol.ts";
import { subscribe, type SubscriberEvents } from "./feed/subscriber.ts";

/** Something that is listened to, and can be let wait. */
type Feed = { close(): void; pause(): void; resume(): void };

type Wiring = {
  readonly url: URL;
  readonly handshake: Bun.WebSocketOptions;
  readonly giveUpMs: number;
  readonly output: Output;
  readonly say: (text: string) => void;
  readonly onEnd: (why: string) => void;
};

/** Prints until it has printed enough, is ended, or the server is gone for good; then exits. */
export function websocketClient(argv: readonly string[]): void {
  const { values: options, positionals } = readOptions(clientOptions, argv, process.env);
  if (options.help) return void process.stdout.write(clientHelp);
  if (options.version) return void process.stdout.write(`${pkg.version}\n`);
  if (positionals.length > 1) throw new CliError("usage", `${positionals[1]}: one URL at a time; see --help`);
  const mode = modeOf(options);
  const say = (text: string) => void (options.quiet || process.stderr.write(`${forTerminal(text)}\n`));
  const { url, token, isLocal } = target(positionals[0], givenToken(options, clientOptions.token), say);
  const handshake: Bun.WebSocketOptions = {
    ...(token !== undefined && { headers: { Authorization: `Bearer ${token}` } }),
    // A server that was found here is known by its entry, which only this user can write; its certificate is for other names.
    ...(url.protocol === "wss:" && { tls: isLocal ? { rejectUnauthorized: false } : authority(options.ca) }),
  };
  let feed: Feed | undefined;
  let exitCode = 0;

  say(`connecting to ${withoutSecrets(url)}`);
  process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) =>
    process.exit(
      code === "EPIPE" ? 0 : reportFatal("csvcast-client", new CliError("failure", `cannot print: ${message}`)),
    ),
  );
  process.stderr.on("error", () => {});
  for (const signal of endSignals()) process.on(signal, () => end(exitCodeOf(signal)));

  const isRows = mode === "ndjson" || mode === "csv";
  const output = openOutput({
    stream: process.stdout,
    limit: options.once && !isRows ? 1 : options.count,
    onFull: () => feed?.pause(),
    onDrained: () => feed?.resume(),
    onDone: () => end(exitCode),
  });
  function onEnd(why: string): void {
    exitCode = reportFatal("csvcast-client", new CliError("connect", forTerminal(`${withoutSecrets(url)}: ${why}`)));
    output.finish();
  }
  const wiring: Wiring = { url, handshake, giveUpMs: options["give-up"], output, say, onEnd };
  if (mode === "plain") feed = plainFeed(wiring);
  else feed = liveFeed(wiring, mode === "live" ? messagePrinter(output) : rowPrinter(wiring, mode, options));

  function end(code: number): void {
    feed?.close();
    process.exit(code);
  }
}

const retrying = (why: string, delayMs: number) =>
  `${why}${/certificate/.test(why) ? " (see --ca)" : ""}; trying again in ${(delayMs / 1000).toFixed(1)} s`;

function plainFeed({ url, handshake, giveUpMs, output, say, onEnd }: Wiring): Feed {
  return keepConnected({
    connect: () => new WebSocket(url.href, handshake),
    giveUpMs,
    onOpen: () => say("connected"),
    onMessage(text) {
      output.print([text]);
      return true;
    },
    onRetry: (why, delayMs) => say(retrying(why, delayMs)),
    onEnd,
  });
}

type Printer = Pick<SubscriberEvents, "onMessage" | "onSnapshot" | "onChange" | "onStatus"> & {
  onCurrent?(subscription: ReturnType<typeof subscribe>): void;
};

function liveFeed({ url, handshake, giveUpMs, say, onEnd }: Wiring, printer: Printer): Feed {
  const subscription = subscribe(url, {
    ...printer,
    connect: (address, protocol) => new WebSocket(address, { ...handshake, protocols: [protocol] }),
    giveUpMs,
    onConnection(connection) {
      if (connection.state === "open") say("connected");
      else if (connection.state === "current") printer.onCurrent?.(subscription);
      else say(retrying(connection.why, connection.delayMs));
    },
    onEnd,
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
  let said = "live";
  return ({ state, message }) => {
    const text = state === "live" ? "live" : `${state}: ${message}`;
    if (text === said) return;
    const isAgain = state === "live" && !said.startsWith("waiting");
    said = text;
    say(isAgain ? "live again" : text);
  };
}

/** Whom to trust besides the public authorities. Throws CliError("usage"). */
function authority(path: string | undefined): Bun.TLSOptions {
  if (path === undefined) return {};
  try {
    return { ca: readFileSync(path, "utf8") };
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

if (import.meta.main) {
  try {
    websocketClient(process.argv.slice(2));
  } catch (error) {
    process.exit(reportFatal("csvcast-client", error));
  }
}
