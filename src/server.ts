#!/usr/bin/env -S bun --no-env-file --config=/dev/null --tsconfig-override=/dev/null
// `bun run server`: a server that publishes a CSV file, with its command line and its console. Parses, wires, runs and exits.
import pkg from "../package.json";
import { nameOf } from "./channel/sources.ts";
import { asCalled, type Commands, commandsOf } from "./cli/called.ts";
import { CliError, EXIT_CODES, kindOf, reasonOf, reportFatal } from "./cli/errors.ts";
import { readOptions } from "./cli/options.ts";
import { readCertificate, watchCertificate } from "./cli/server/certificate.ts";
import { serverHelp } from "./cli/server/help.ts";
import { onPort } from "./cli/server/listen.ts";
import { serverOptions, serverSettings } from "./cli/server/options.ts";
import { type Plan, planOf } from "./cli/server/plan.ts";
import { openPrompt } from "./cli/server/prompt.ts";
import { report } from "./cli/server/reporter.ts";
import { openScreen, type Screen } from "./cli/server/screen.ts";
import { start } from "./cli/server/startup.ts";
import { statusLine } from "./cli/server/status.ts";
import { type EndSignal, endSignals, exitCodeOf } from "./cli/signals.ts";
import { type ServerEvent, websocketServer } from "./websocket-server.ts";

/** `bun run` passes one Ctrl-C on twice, within milliseconds; a later one means it. */
const SECOND_SIGNAL_MS = 1_000;
const STATUS_MS = 500;

type Server = ReturnType<typeof websocketServer>;
type OnEvent = (event: ServerEvent) => void;

/** Listens; throws CliError if it cannot. */
function openServer({ values, file, tables, token, certificate, maxClients }: Plan, onEvent: OnEvent): Server {
  const { port, hostname } = values.network;
  return onPort(port, hostname, (port) =>
    websocketServer({
      ...serverSettings(values),
      ...{ file, tables, token, port, maxClients, onEvent },
      waitsForFile: true,
      certificate: certificate && readCertificate(certificate),
    }),
  );
}

/** Ends the program in order, or at once if it is told to for the second time. */
function openEnd({ isForMachines }: Plan, server: Server, screen: Screen, onEvent: OnEvent, stop: () => void) {
  let closingAt = 0;
  return async function shutDown(signal: EndSignal | undefined, failure?: CliError): Promise<void> {
    const code = failure ? EXIT_CODES[failure.kind] : signal ? exitCodeOf(signal) : 0;
    if (closingAt > 0 && performance.now() - closingAt > SECOND_SIGNAL_MS) process.exit(code);
    if (closingAt > 0) return;
    closingAt = performance.now();
    stop();
    screen.log.flush();
    const reason = failure?.message ?? `ended by ${signal ?? "the end of its input"}`;
    if (isForMachines) onEvent({ type: "ending", code, reason });
    screen.close();
    if (failure) reportFatal("csvcast-server", failure, screen.called);
    await server.close();
    process.exit(code);
  };
}

/** Runs the server until a signal ends it. Throws CliError for what keeps it from starting. */
function run(argv: readonly string[], called: (text: string) => string): void {
  const parsed = readOptions(serverOptions, argv, process.env);
  const { program } = parsed.values;
  if (program.help) return void process.stdout.write(called(serverHelp(parsed.positionals.includes("all"))));
  if (program.version) return void process.stdout.write(`${pkg.version}\n`);
  const plan = planOf(parsed);
  const screen = openScreen(plan, called);
  const ending = Promise.withResolvers<CliError | undefined>();
  let awaited = Promise.withResolvers<void>(); // resolves when there is nothing to be done for now but to wait

  function onEvent(event: ServerEvent): void {
    report(screen.log, event);
    if (event.type === "file-awaited") {
      awaited.resolve();
      awaited = Promise.withResolvers();
    }
    if (event.type === "relay-refused") ending.resolve(new CliError("failure", event.reason));
  }

  const server = openServer(plan, onEvent);
  const started = start(plan, server, screen, onEvent);
  const unwatch = plan.certificate && watchCertificate(plan.certificate, server.renew, onEvent);
  const update = () => screen.status((width) => statusLine(server.overview(), Date.now(), width));
  const clock = screen.isLive ? setInterval(update, STATUS_MS) : undefined;
  const untilOpen = (opening: Promise<void>) => Promise.race([opening, awaited.promise]);
  const prompt = openPrompt({
    ...{ screen, nameOf, called },
    open: (path) => untilOpen(server.open(path)),
    hasFile() {
      const { publication, awaited } = server.overview();
      return publication !== undefined || awaited !== undefined;
    },
    ...(plan.tables && { many: { names: () => server.overview().names, remove: server.remove } }),
    openPage: started.openPage,
    onRefused: (reason) => onEvent({ type: "file-refused", reason }),
    onFailed: ending.resolve,
    onQuit: () => ending.resolve(undefined),
  });
  if (plan.file !== undefined && plan.prompts) prompt.track(plan.file, untilOpen(server.ready));
  else server.ready.catch((error: unknown) => ending.resolve(new CliError(kindOf(error), reasonOf(error))));

  const shutDown = openEnd(plan, server, screen, onEvent, () => {
    clearInterval(clock);
    unwatch?.();
    started.withdraw();
  });
  void ending.promise.then((failure) => shutDown(undefined, failure));
  for (const signal of endSignals()) process.on(signal, () => void shutDown(signal));
  process.on("unhandledRejection", (error) => onEvent({ type: "unexpected", reason: reasonOf(error) }));
  process.on("SIGCONT", screen.wake);
  screen.listen({ onPath: prompt.enter, onEnd: prompt.end, onInterrupt: () => void shutDown("SIGINT") });
  if (!plan.isGiven) screen.ask();
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
