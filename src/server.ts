#!/usr/bin/env bun
// `bun run server`: puts a CSV file on air. Wires file, hub and console together.
import { randomBytes } from "node:crypto";
import { basename } from "node:path";
import pkg from "../package.json";
import { asksForPath, givenFile } from "./cli/asking.ts";
import { certificateFiles, followCertificate, readCertificate } from "./cli/certificate.ts";
import { openConsole } from "./cli/console.ts";
import { clientsWithin, openFileLimit } from "./cli/descriptors.ts";
import { CliError, EXIT_CODES, reportFatal } from "./cli/errors.ts";
import { openFrames } from "./cli/frames.ts";
import { greet } from "./cli/greeting.ts";
import { hubOptionsOf } from "./cli/hub-options.ts";
import { onPort } from "./cli/listen.ts";
import { openLoading } from "./cli/loading.ts";
import { openLog } from "./cli/log.ts";
import { readOptions } from "./cli/options.ts";
import { openRelayReport, relayHealth } from "./cli/relay-report.ts";
import { openFileReport, reportClient } from "./cli/report.ts";
import { serverHelp } from "./cli/server-help.ts";
import { serverOptions } from "./cli/server-options.ts";
import { type EndSignal, endSignals, exitCodeOf } from "./cli/signals.ts";
import { statusLine } from "./cli/status.ts";
import { givenToken } from "./cli/token.ts";
import { openHub } from "./hub/hub.ts";
import { startTicks } from "./hub/ticks.ts";
import { ageOf, type FileState, STDIN } from "./source/file.ts";
import { openOnAir } from "./source/on-air.ts";
import { show } from "./source/read.ts";
import { relayRole } from "./source/relay/address.ts";
import { openRelaySide, pathName } from "./source/relay/side.ts";
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
  const role = relayRole(givenFile(positionals, show), options.relay, options.standby);
  if ("fault" in role) throw new CliError("usage", role.fault);
  const { path: file } = role;

  const isStdin = file === STDIN; // then standard input is left to the Worker
  const isForMachines = options.log === "json";
  const asks = asksForPath({ file, isStdin, isForMachines });
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
        ...onAir.table(),
        file: onAir.table()?.file ?? nameOf(onAirPath),
        changedMs: Math.round(performance.now() - changedAt),
        relay: relayHealth(relay.address(), relay.figures(), Date.now()),
      }),
      relay: () => relay.figures(),
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
    onPath: (path) => relay.enter(path),
    onEnd: inputEnded,
    onInterrupt: () => void shutDown("SIGINT"),
  });
  const log = openLog({ format: options.log, line: screen.line, warn: screen.warn, now: Date.now });
  const fileReport = openFileReport(log);
  const frameOf = openFrames(log, options["max-message"]);
  const withdraw = greet({
    address: hub,
    log,
    line: isForMachines ? undefined : screen.line,
    isOpen: options.open,
    token,
    isTokenGiven: ownToken !== undefined,
    fewer: maxClients < options["max-clients"] ? { maxClients, openFiles } : undefined,
  });
  const unwatch = files && followCertificate(files, hub.renew, log);

  let onAirPath = "";
  let state: FileState = "live";
  let changedAt = 0;
  let refusals = 0;
  let isInputOpen = true;
  const onAirName = () => nameOf(onAirPath, onAir.table()?.file);

  const onAir = openOnAir(
    {
      readOptions: { delimiter: options.delimiter, encoding: options.encoding, maxColumns: options["max-columns"] },
      maxFileBytes: options["max-file"],
      maxCellBytes: options["max-cell"],
      settleMs: options.settle,
      lastRows: options.last,
      limitMs: 5 * options["relay-heartbeat"],
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
        changedAt = performance.now() - ageOf(change, Date.now());
        const live = { state: "live" as const, message: "", since: Date.now() };
        if (isNewFile) hub.setStatus(live);
        relay.publish(path, facts, change, hub.change({ ...facts, ...change }, facts.readMs));
        if (isNewFile) {
          onAirPath = path;
          state = "live";
          relay.setStatus(live);
          fileReport.onAir(onAirName(), facts);
          loading.done();
        }
        fileReport.warnings(onAirName(), facts.warnings);
        if (hub.plainClients() === 0) hub.set(undefined);
        refresh();
        update();
      },
      onState(next, message, since) {
        const status = { state: next, message: message.replaceAll(onAirPath, nameOf(onAirPath)), since };
        hub.setStatus(status);
        relay.setStatus(status);
        fileReport.state(onAirName(), next, message);
        state = next;
        update();
      },
      onReplica: (figures) => relay.setReplica(figures),
      onJson(json) {
        const table = onAir.table();
        const isCurrent = json.version === table?.version && json.epoch === table.epoch;
        if (!isCurrent && hub.plainClients() === 0) return; // whoever comes next gets a fresh one
        hub.set(frameOf(json));
        if (!isCurrent) refresh();
      },
    },
  );
  const loading = openLoading({ screen, load: onAir.open, isLoading: onAir.isLoading, nameOf, onText: update });
  const relay = openRelaySide(
    {
      ...role,
      relayUrl: options.relay,
      isStandby: options.standby,
      heartbeatMs: options["relay-heartbeat"],
      render: () => onAir.rendering("rows"),
      nameOf,
    },
    {
      open: (path) => loading.enter(path),
      onWrongPath: (message) => (log.warn("file-refused", message), screen.ask()),
      onRefused: (message) => fail(new CliError("failure", message)),
      renew: (columnsJson) => hub.change({ ...onAir.table()!, isNewEpoch: true, splices: undefined, columnsJson }),
      report: openRelayReport(log, role.publishesTo?.name ?? ""),
    },
  );
  const ticks = startTicks(options.interval, hub.publish);
  const clock = screen.isLive ? setInterval(update, 500) : undefined;

  /** Nothing is rendered while nobody listens to the plain feed. */
  function refresh(): void {
    if (hub.plainClients() > 0) onAir.render(options["max-message"]);
  }

  function update(): void {
    const changedMs = performance.now() - changedAt;
    screen.status(statusLine(onAirName(), onAir.table(), hub.clients(), changedMs, state, loading.text()));
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
    await relay.close();
    await hub.close(CLOSE_GRACE_MS);
    process.exit(code);
  }
  const fail = (failure: CliError) => void shutDown(undefined, failure);

  for (const signal of endSignals()) process.on(signal, () => void shutDown(signal));
  process.on("unhandledRejection", (error) =>
    log.warn("unexpected", `unexpected: ${error instanceof Error ? error.message : error}`),
  );
  if (file === undefined) screen.ask();
  relay.begin();
  update();
}

const nameOf = (path: string, file?: string) => pathName(path, file, (name) => show(basename(name)));

if (import.meta.main) {
  try {
    await websocketServer(process.argv.slice(2));
  } catch (error) {
    process.exit(reportFatal("csvcast-server", error));
  }
}
