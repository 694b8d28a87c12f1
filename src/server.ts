#!/usr/bin/env -S bun --no-env-file --config=/dev/null --tsconfig-override=/dev/null
// `bun run server`: a server that publishes a CSV file, with its command line and its console. Parses, wires, runs and exits.
import pkg from "../package.json";
import { nameOf } from "./channel/sources.ts";
import { asCalled, type Commands, commandsOf } from "./cli/called.ts";
import { CliError, EXIT_CODES, kindOf, reasonOf, reportFatal } from "./cli/errors.ts";
import { readOptions } from "./cli/options.ts";
import { openBrowser } from "./cli/server/browser.ts";
import { uselessOption } from "./cli/server/effect.ts";
import { certificateFiles, readCertificate, watchCertificate } from "./cli/server/certificate.ts";
import { openConsole } from "./cli/server/console.ts";
import { clientsWithin, openFileLimit } from "./cli/server/descriptors.ts";
import { serverHelp } from "./cli/server/help.ts";
import { onPort } from "./cli/server/listen.ts";
import { openLog } from "./cli/server/log.ts";
import { serverOptions, serverSettings } from "./cli/server/options.ts";
import { openPrompt, promptsForPath } from "./cli/server/prompt.ts";
import { report } from "./cli/server/reporter.ts";
import { printStartup } from "./cli/server/startup.ts";
import { statusLine } from "./cli/server/status.ts";
import { givenFiles } from "./cli/server/words.ts";
import { type EndSignal, endSignals, exitCodeOf } from "./cli/signals.ts";
import { givenToken, TOKEN_OR_NONE } from "./cli/token.ts";
import { type ServerEvent, websocketServer } from "./websocket-server.ts";

/** `bun run` passes one Ctrl-C on twice, within milliseconds; a later one means it. */
const SECOND_SIGNAL_MS = 1_000;
const STATUS_MS = 500;

/** Runs the server until a signal ends it. Throws CliError for what keeps it from starting. */
function run(argv: readonly string[], called: (text: string) => string): void {
  const { values, positionals, flags } = readOptions(serverOptions, argv, process.env);
  const { program } = values;
  if (program.help) return void process.stdout.write(called(serverHelp(positionals.includes("all"))));
  if (program.version) return void process.stdout.write(`${pkg.version}\n`);
  const given = givenFiles(positionals, values.source.isNewest);
  const { file, tables } = given;
  const useless = uselessOption(flags, given);
  if (useless !== undefined) throw new CliError("usage", useless);
  const isGiven = file !== undefined || tables !== undefined;
  const isForMachines = program.log === "json";
  const prompts = promptsForPath({
    isGiven,
    isStdin: positionals.some((given) => /^(.*=)?-$/.test(given)),
    isForMachines,
  });
  const token = givenToken(values.access.token, program.tokenFile, serverOptions.access.token);
  if (token !== undefined && values.access.isPublic) throw new CliError("usage", TOKEN_OR_NONE);
  const files = certificateFiles(program.tlsCert, program.tlsKey);
  const openFiles = openFileLimit();
  const maxClients = Math.min(values.network.maxClients, clientsWithin(openFiles));

  const screen = openConsole({
    input: () => process.stdin,
    output: process.stdout,
    env: isForMachines ? { TERM: "dumb" } : process.env,
    prompts,
    suspend: () => process.kill(0, "SIGTSTP"), // its group, to which `bun run` belongs
  });
  const log = openLog({
    format: program.log,
    line: (text) => screen.line(called(text)),
    warn: (text) => screen.warn(called(text)),
    now: Date.now,
  });
  const ending = Promise.withResolvers<{ failure?: CliError }>();
  const fail = (failure: CliError) => ending.resolve({ failure });

  /** Resolves when there is nothing to be done for now but to wait. */
  let awaited = Promise.withResolvers<void>();

  function onEvent(event: ServerEvent): void {
    report(log, event);
    if (event.type === "file-awaited") {
      awaited.resolve();
      awaited = Promise.withResolvers();
    }
    if (event.type === "relay-refused") fail(new CliError("failure", event.reason));
  }

  const server = onPort(values.network.port, values.network.hostname, (port) =>
    websocketServer({
      ...serverSettings(values),
      ...{
        file,
        tables,
        waitsForFile: true,
        token,
        port,
        maxClients,
        certificate: files && readCertificate(files),
        onEvent,
      },
    }),
  );
  const started = printStartup({
    address: server.address,
    givenPort: values.network.port,
    onEvent,
    line: isForMachines ? undefined : screen.line,
    isPublic: values.access.isPublic,
    token: server.token,
    isTokenGiven: token !== undefined,
  });
  if (prompts && screen.isLive) screen.line("o opens the browser, h lists what can be typed");
  const openPage = () => openBrowser(started.page, (reason) => onEvent({ type: "browser-unopened", reason }));
  if (program.opensBrowser) openPage();
  if (maxClients < values.network.maxClients) onEvent({ type: "few-descriptors", maxClients, openFiles });
  const unwatch = files && watchCertificate(files, server.renew, onEvent);
  const update = () => screen.status((width) => statusLine(server.overview(), Date.now(), width));
  const clock = screen.isLive ? setInterval(update, STATUS_MS) : undefined;

  const prompt = openPrompt({
    screen,
    open: (path) => Promise.race([server.open(path), awaited.promise]),
    hasFile() {
      const { publication, awaited } = server.overview();
      return publication !== undefined || awaited !== undefined;
    },
    nameOf,
    ...(tables && { many: { names: () => server.overview().names, remove: server.remove } }),
    openPage,
    called,
    onRefused: (reason) => onEvent({ type: "file-refused", reason }),
    onFailed: fail,
    onQuit: () => ending.resolve({}),
  });
  if (file !== undefined && prompts) prompt.track(file, Promise.race([server.ready, awaited.promise]));
  else server.ready.catch((error: unknown) => fail(new CliError(kindOf(error), reasonOf(error))));

  let closingAt = 0;
  async function shutDown(signal: EndSignal | undefined, failure?: CliError): Promise<void> {
    const code = failure ? EXIT_CODES[failure.kind] : signal ? exitCodeOf(signal) : 0;
    if (closingAt > 0 && performance.now() - closingAt > SECOND_SIGNAL_MS) process.exit(code);
    if (closingAt > 0) return;
    closingAt = performance.now();
    clearInterval(clock);
    unwatch?.();
    log.flush();
    const reason = failure?.message ?? `ended by ${signal ?? "the end of its input"}`;
    if (isForMachines) onEvent({ type: "ending", code, reason });
    screen.close();
    if (failure) reportFatal("csvcast-server", failure, called);
    started.withdraw();
    await server.close();
    process.exit(code);
  }

  void ending.promise.then(({ failure }) => shutDown(undefined, failure));
  for (const signal of endSignals()) process.on(signal, () => void shutDown(signal));
  process.on("unhandledRejection", (error) => onEvent({ type: "unexpected", reason: reasonOf(error) }));
  process.on("SIGCONT", screen.wake);
  screen.listen({ onPath: prompt.enter, onEnd: prompt.end, onInterrupt: () => void shutDown("SIGINT") });
  if (!isGiven) screen.ask();
  update();
}

/** `commands`: how both programs are called. */
export function main(argv: readonly string[], commands: Commands): void {
  const called = (text: string) => asCalled(text, commands);
  try {
    run(argv, called);
  } catch (error) {
    process.exit(reportFatal("csvcast-server", new CliError(kindOf(error), reasonOf(error)), called));
  }
}

if (import.meta.main)
  main(process.argv.slice(2), commandsOf(Bun.isStandaloneExecutable, process.execArgv, import.meta.path));
