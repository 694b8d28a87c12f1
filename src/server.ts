#!/usr/bin/env bun
// `bun run server`: puts a CSV file on air. Wires file, hub and console together.
import { randomBytes } from "node:crypto";
import { basename } from "node:path";
import pkg from "../package.json";
import { addressLines, hostPort, localUrl } from "./cli/addresses.ts";
import { certificateFiles, readCertificate, watchCertificate } from "./cli/certificate.ts";
import { isInForeground, openConsole } from "./cli/console.ts";
import { clientsWithin, openFileLimit } from "./cli/descriptors.ts";
import { CliError, EXIT_CODES, reportFatal } from "./cli/errors.ts";
import { hubOptionsOf } from "./cli/hub-options.ts";
import { onPort } from "./cli/listen.ts";
import { openLoading } from "./cli/loading.ts";
import { openLog } from "./cli/log.ts";
import { readOptions } from "./cli/options.ts";
import { openFileReport, reportClient } from "./cli/report.ts";
import { announceIfPossible } from "./cli/runtime.ts";
import { serverHelp } from "./cli/server-help.ts";
import { serverOptions } from "./cli/server-options.ts";
import { type EndSignal, endSignals, exitCodeOf } from "./cli/signals.ts";
import { sizeText, statusLine } from "./cli/status.ts";
import { givenToken } from "./cli/token.ts";
import { openHub } from "./hub/hub.ts";
import { startTicks } from "./hub/ticks.ts";
import { STDIN } from "./source/file.ts";
import { openOnAir } from "./source/on-air.ts";
import { show } from "./source/read.ts";
import { viewerFiles } from "./viewer/files.ts";

/** From a pipe: so many wrong paths are no paths. */
const MAX_WRONG_PATHS = 10;
/** For clients that still take what they are owed; nobody waits for those who do not. */
const CLOSE_GRACE_MS = 5_000;
/** `bun run` passes one Ctrl-C on twice, within milliseconds; a later one means it. */
const SECOND_SIGNAL_MS = 1_000;

/** Runs the server until a signal ends it. Throws CliError for what keeps it from starting. */
export async function websocketServer(argv: readonly string[]): Promise<void> {
  const { values: options, positionals } = readOptions(serverOptions, argv, process.env);
  if (options.help) return void process.stdout.write(serverHelp);
  if (options.version) return void process.stdout.write(`${pkg.version}\n`);
  const [file, surplus] = positionals;
  if (surplus !== undefined) throw new CliError("usage", `${show(surplus)}: one file at a time; see --help`);
  if (file === "") throw new CliError("usage", "FILE is empty: give the path of a CSV file");

  const isStdin = file === STDIN; // then standard input is left to the Worker
  const isForMachines = options.log === "json";
  const isTerminal = !isStdin && process.stdin.isTTY === true && process.stdout.isTTY === true;
  const asks = !isForMachines && (isTerminal ? isInForeground() : file === undefined);
  if (file === undefined && !asks)
    throw new CliError(
      "usage",
      `no FILE given, and nothing is asked ${isForMachines ? "with --log json" : "in the background"}`,
    );

  const ownToken = givenToken(options, serverOptions.token);
  const token = ownToken ?? randomBytes(16).toString("hex");
  const files = certificateFiles(options["tls-cert"], options["tls-key"]);
  const openFiles = openFileLimit();
  const maxClients = Math.min(options["max-clients"], clientsWithin(openFiles));
  const hub = onPort(options.port, options.host, (port) =>
    openHub({
      ...hubOptionsOf(options, token, ownToken !== undefined),
      port,
      maxClients,
      certificate: files && readCertificate(files),
      onEvent: (event) => reportClient(log, event),
      pages: viewerFiles,
      renderRows: () => onAir.rendering("rows"),
      renderDocument: (shape) => onAir.rendering(shape),
      health: () => ({
        file: nameOf(onAirPath),
        ...onAir.table(),
        changedMs: Math.round(performance.now() - changedAt),
      }),
      onClients() {
        if (hub.clients() === 0) onAir.rest();
        refresh();
        update();
      },
    }),
  );
  const screen = openConsole({
    input: () => process.stdin,
    output: process.stdout,
    env: isForMachines ? { TERM: "dumb" } : process.env,
    asks,
    onPath: (path) => loading.enter(path),
    onEnd: inputEnded,
    onInterrupt: () => void shutDown("SIGINT"),
  });
  const log = openLog({ format: options.log, line: screen.line, warn: screen.warn, now: Date.now });
  const fileReport = openFileReport(log);
  const { hostname, port } = hub;
  log.info("listening", `WebSocket server started. Listening on ${hostPort(hub)}.`, {
    hostname,
    port,
    url: localUrl(hub),
  });
  if (maxClients < options["max-clients"])
    log.warn("few-descriptors", `no more than ${maxClients} clients: ${openFiles} files may be open; see ulimit -n`, {
      maxClients,
    });
  // A token that was given is known to whoever gave it, and stays out of files that others may read.
  const shown = options.open || (ownToken !== undefined && !process.stdout.isTTY) ? undefined : token;
  if (!isForMachines) for (const line of addressLines(hub, shown, ownToken !== undefined)) screen.line(line);
  const entry = {
    pid: process.pid,
    url: localUrl(hub),
    startedAt: Date.now(),
    ...(ownToken !== undefined && { token }),
  };
  const withdraw = announceIfPossible(entry, process.env, (text) => log.warn("unannounced", text));
  const unwatch =
    files &&
    watchCertificate(
      files,
      (pem) => {
        hub.renew(pem);
        log.info("certificate-renewed", "new connections get the new certificate");
      },
      (message) => log.warn("certificate-unusable", `${message}; the last good one stays in use`),
    );

  let onAirPath = "";
  let state = "live";
  let changedAt = 0;
  let refusals = 0;
  let isOversize = false;
  let isInputOpen = true;

  const onAir = openOnAir(
    {
      readOptions: { delimiter: options.delimiter, encoding: options.encoding, maxColumns: options["max-columns"] },
      maxFileBytes: options["max-file"],
      maxCellBytes: options["max-cell"],
      settleMs: options.settle,
      lastRows: options.last,
      lookMs: Math.min(options.interval, 1_000),
      watches: true,
    },
    {
      onLoading: (read, size) => loading.progress(read, size),
      onRefused(_kind, message) {
        refusals++;
        if (!asks) return fail(new CliError("file", message));
        log.warn("file-refused", message);
        if (refusals === MAX_WRONG_PATHS && !onAir.table() && !process.stdin.isTTY)
          return fail(new CliError("file", `${refusals} wrong paths; for a CSV on standard input give - as FILE`));
        loading.done();
        if (isInputOpen) screen.ask();
        if (!isInputOpen) inputEnded();
      },
      onTable(path, facts, change, isNewFile) {
        changedAt = performance.now();
        if (isNewFile) hub.setStatus({ state: "live", message: "", since: Date.now() });
        hub.change({ ...facts, ...change }, facts.readMs);
        if (isNewFile) {
          onAirPath = path;
          state = "live";
          fileReport.onAir(nameOf(path), facts);
          loading.done();
        }
        fileReport.warnings(nameOf(path), facts.warnings);
        if (hub.plainClients() === 0) hub.set(undefined);
        refresh();
        update();
      },
      onState(next, message, since) {
        hub.setStatus({ state: next, message: message.replaceAll(onAirPath, nameOf(onAirPath)), since });
        fileReport.state(nameOf(onAirPath), next, message);
        state = next;
        update();
      },
      onJson({ version, text, bytes }) {
        const isCurrent = version === onAir.table()?.version;
        if (!isCurrent && hub.plainClients() === 0) return; // whoever comes next gets a fresh one
        const reason = `the table is larger than --max-message (${sizeText(options["max-message"])})`;
        if (text === undefined && !isOversize)
          log.warn("message-too-large", `${reason}: clients are closed with 1009; raise it`);
        isOversize = text === undefined;
        hub.set(text === undefined ? { tooLarge: `${reason}: take csvcast.v1 or /csv.ndjson` } : { text, bytes });
        if (!isCurrent) refresh();
      },
    },
  );
  const loading = openLoading({ screen, load: onAir.open, isLoading: onAir.isLoading, nameOf, onText: update });
  const ticks = startTicks(options.interval, hub.publish);
  const clock = screen.isLive ? setInterval(update, 500) : undefined;

  /** Nothing is rendered while nobody listens to the plain feed. */
  function refresh(): void {
    if (hub.plainClients() > 0) onAir.render(options["max-message"]);
  }

  function update(): void {
    const name = nameOf(onAirPath);
    const changedMs = performance.now() - changedAt;
    screen.status(statusLine(name, onAir.table(), hub.clients(), changedMs, state, loading.text()));
  }

  function inputEnded(): void {
    isInputOpen = false;
    if (onAir.table() || onAir.isLoading()) return;
    if (process.stdin.isTTY) return void shutDown(undefined);
    const why =
      refusals > 0
        ? "no file to publish: the input has ended"
        : "no FILE given, and standard input has none; see --help";
    fail(new CliError(refusals > 0 ? "file" : "usage", why));
  }

  let closingAt = 0;
  async function shutDown(signal: EndSignal | undefined, failure?: CliError): Promise<void> {
    const code = failure ? EXIT_CODES[failure.kind] : signal ? exitCodeOf(signal) : 0;
    if (closingAt > 0 && performance.now() - closingAt > SECOND_SIGNAL_MS) process.exit(code);
    if (closingAt > 0) return;
    closingAt = performance.now();
    ticks.stop();
    clearInterval(clock);
    unwatch?.();
    log.flush();
    if (isForMachines) log.info("ending", failure?.message ?? `ended by ${signal ?? "the end of its input"}`, { code });
    screen.close();
    if (failure) reportFatal("csvcast-server", failure);
    withdraw();
    onAir.close();
    await hub.close(CLOSE_GRACE_MS);
    process.exit(code);
  }
  const fail = (failure: CliError) => void shutDown(undefined, failure);

  for (const signal of endSignals()) process.on(signal, () => void shutDown(signal));
  process.on("unhandledRejection", (error) =>
    log.warn("unexpected", `unexpected: ${error instanceof Error ? error.message : error}`),
  );
  if (file !== undefined) loading.enter(file);
  else screen.ask();
  update();
}

const nameOf = (path: string) => (path === STDIN ? "standard input" : show(basename(path)));

if (import.meta.main) {
  try {
    await websocketServer(process.argv.slice(2));
  } catch (error) {
    process.exit(reportFatal("csvcast-server", error));
  }
}
