#!/usr/bin/env bun
// `bun run client`: prints every message of a server, one line each, on stdout and nothing else there.
import pkg from "../package.json";
import { CliError, reportFatal } from "./cli/errors.ts";
import { describeOptions, durationMs, flag, type Option, readOptions, wholeNumber } from "./cli/options.ts";
import { liveEntries } from "./cli/runtime.ts";
import { endSignals, exitCodeOf } from "./cli/signals.ts";
import { subscribe } from "./feed/subscriber.ts";

const clientOptions = {
  once: flag("print one message and end"),
  count: {
    value: "N",
    short: "n",
    help: "print N messages and end",
    rule: "a number of messages, 1 or more",
    parse: (text) => wholeNumber(text, 1, Number.MAX_SAFE_INTEGER),
    default: Infinity,
  } as Option<number>,
  quiet: flag("no word about the connection on stderr", "q"),
  token: {
    value: "TEXT",
    isSecret: true,
    help: "what the server asks strangers for; prefer the variable",
    rule: "the token that the server prints",
    parse: (text) => (/^[\x21-\x7e]+$/.test(text) ? text : undefined),
    default: undefined,
  } as Option<string | undefined>,
  "give-up": {
    value: "TIME",
    help: "end when the server is gone for this long (default: 1m)",
    rule: "a time from 0s to 24h, such as 30s",
    parse: (text) => durationMs(text, 0, 86_400_000),
    default: 60_000,
  } as Option<number>,
  help: flag("show this", "h"),
  version: flag("show the version", "V"),
};

const clientHelp = `csvcast-client ${pkg.version} - prints what a csvcast server broadcasts

Usage: bun run client [URL] [options]

  bun run client                          the newest server of yours on this machine
  bun run client ws://127.0.0.1:59050/    that one
  bun run client --once | jq length       one message, for a script

Each message is one line on stdout, exactly as it was received; everything else goes
to stderr. A lost connection is made again.

Options [environment variable]:
${describeOptions(clientOptions)}

Exit codes: 0 done, 1 failure, 2 usage, 5 cannot connect, 128 + signal.
`;

/** While more characters than this wait to be printed nothing is read: the server then skips frames for us. */
const MAX_UNPRINTED = 1 << 20;

/** Prints messages until it has printed enough, is ended, or the server is gone for good; then exits. */
export function websocketClient(argv: readonly string[]): void {
  const { values: options, positionals } = readOptions(clientOptions, argv, process.env);
  if (options.help) return void process.stdout.write(clientHelp);
  if (options.version) return void process.stdout.write(`${pkg.version}\n`);
  if (positionals.length > 1) throw new CliError("usage", `${positionals[1]}: one URL at a time; see --help`);
  const say = (text: string) => void (options.quiet || process.stderr.write(`${text}\n`));
  const { url, token } = target(positionals[0], options.token, say);

  let remaining = options.once ? 1 : options.count;
  let socket: WebSocket | undefined;
  let unprinted = 0;
  say(`connecting to ${withoutSecrets(url)}`);

  process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) =>
    process.exit(
      code === "EPIPE" ? 0 : reportFatal("csvcast-client", new CliError("failure", `cannot print: ${message}`)),
    ),
  );
  process.stderr.on("error", () => {});

  const subscription = subscribe({
    connect: () => (socket = open(url, token)),
    giveUpMs: options["give-up"],
    onOpen: () => say("connected"),
    onMessage(text) {
      if (remaining <= 0) return;
      remaining--;
      unprinted += text.length;
      if (unprinted > MAX_UNPRINTED) socket?.pause();
      process.stdout.write(`${process.stdout.isTTY ? escapeControls(text) : text}\n`, (error) => {
        if (error) return; // "error" follows
        unprinted -= text.length;
        if (unprinted <= MAX_UNPRINTED) socket?.resume();
        if (remaining === 0 && unprinted === 0) end(0);
      });
    },
    onRetry: (why, delayMs) => say(`${why}; trying again in ${(delayMs / 1000).toFixed(1)} s`),
    onEnd(why) {
      process.exitCode = reportFatal("csvcast-client", new CliError("connect", `${withoutSecrets(url)}: ${why}`));
      end(process.exitCode);
    },
  });

  function end(code: number): void {
    subscription.close();
    process.exit(code);
  }
  for (const signal of endSignals()) process.on(signal, () => end(exitCodeOf(signal)));
}

function open(url: URL, token: string | undefined): WebSocket {
  return new WebSocket(url.href, token ? { headers: { Authorization: `Bearer ${token}` } } : {});
}

/** The URL given, or the newest server on this machine. */
function target(
  given: string | undefined,
  token: string | undefined,
  say: (text: string) => void,
): { url: URL; token: string | undefined } {
  if (given !== undefined) return { url: parseUrl(given), token };
  const [newest, ...others] = liveEntries(process.env);
  if (!newest)
    throw new CliError(
      "connect",
      "no server of yours is running on this machine: start one with `bun run server`, or give a URL",
    );
  if (others.length > 0) say(`${others.length + 1} servers are running; taking the newest, ${newest.url}`);
  return { url: parseUrl(newest.url), token: token ?? newest.token };
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

/**
 * DEL, C1 controls and bidirectional controls as JSON escapes: inside strings the text stays the same JSON, and no cell
 * of somebody's file can command the terminal. C0 controls other than tab are escaped too, for servers that send no JSON.
 */
export function escapeControls(text: string): string {
  return text.replace(
    /[\0-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

if (import.meta.main) {
  try {
    websocketClient(process.argv.slice(2));
  } catch (error) {
    process.exit(reportFatal("csvcast-client", error));
  }
}
