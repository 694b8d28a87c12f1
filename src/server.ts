#!/usr/bin/env -S bun --no-env-file --config=/dev/null --tsconfig-override=/dev/null
// `bun run server`: a server that publishes a CSV file, with its command line and its console. Parses, wires, runs and exits.
import pkg from "../package.json";
import { nameOf } from "./channel/sources.ts";
import { asCalled, type Commands, commandsOf } from "./cli/called.ts";
import { CliError, EXIT_CODES, kindOf, reasonOf, reportFatal } from "./cli/errors.ts";
import { type Parsed, readOptions, type Values } from "./cli/options.ts";
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
import { givenToken } from "./cli/token.ts";
import { type ServerEvent, websocketServer } from "./websocket-server.ts";

/** `bun run` passes one Ctrl-C on twice, within milliseconds; a later one means it. */
const SECOND_SIGNAL_MS = 1_000;
const STATUS_MS = 500;

type Plan = ReturnType<typeof planOf>;
type Screen = ReturnType<typeof openScreen>;
type Access = Values<typeof serverOptions>["access"];
type Server = ReturnType<typeof websocketServer>;
type OnEvent = (event: ServerEvent) => void;

/** What the command line comes to. Throws CliError for what is wrong with it. */
function planOf({ values, positionals, flags }: Parsed<typeof serverOptions>) {
  const { program, access, network, source } = values;
  const given = givenFiles(positionals, source.isNewest);
  const useless = uselessOption(flags, given, values.relay.relayUrl !== undefined);
  if (useless !== undefined) throw new CliError("usage", useless);
  const isGiven = given.file !== undefined || given.tables !== undefined;
  const isForMachines = program.log === "json";
  const isStdin = positionals.some((given) => /^(.*=)?-$/.test(given));
  const openFiles = openFileLimit();
  return {
    ...given,
    ...{ values, isGiven, isForMachines, openFiles },
    prompts: promptsForPath({ isGiven, isStdin, isForMachines }),
    token: serverToken(access, program.tokenFile),
    certificate: certificateFiles(program.tlsCert, program.tlsKey),
    maxClients: Math.min(network.maxClients, clientsWithin(openFiles)),
  };
}

/** Undefined for a random one. Throws CliError("usage"), also for one beside --no-token, which would let everyone in. */
function serverToken({ token: text, isPublic }: Access, path: string | undefined): string | undefined {
  const token = givenToken(text, path, serverOptions.access.token);
  if (token === undefined || !isPublic) return token;
  throw new CliError("usage", "--no-token and a token (--token, --token-file, CSVCAST_TOKEN): one of them at a time");
}

/** `called`: a text with the commands that the person has. */
function openScreen({ values, isForMachines, prompts }: Plan, called: (text: string) => string) {
  const screen = openConsole({
    input: () => process.stdin,
    output: process.stdout,
    env: isForMachines ? { TERM: "dumb" } : process.env,
    prompts,
    suspend: () => process.kill(0, "SIGTSTP"), // its group, to which `bun run` belongs
  });
  const log = openLog({
    format: values.program.log,
    line: (text) => screen.line(called(text)),
    warn: (text) => screen.warn(called(text)),
    now: Date.now,
  });
  return { ...screen, log, called };
}

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

/** Says where it listens, and what else there is to know at the start. */
function start(
  { values, isForMachines, prompts, token, maxClients, openFiles }: Plan,
  server: Server,
  screen: Screen,
  onEvent: OnEvent,
) {
  const { network, access, program } = values;
  const started = printStartup({
    address: server.address,
    givenPort: network.port,
    onEvent,
    line: isForMachines ? undefined : screen.line,
    isPublic: access.isPublic,
    token: server.token,
    isTokenGiven: token !== undefined,
  });
  const openPage = () => openBrowser(started.page, (reason) => onEvent({ type: "browser-unopened", reason }));
  if (prompts && screen.isLive) screen.line("o opens the browser, h lists what can be typed");
  if (program.opensBrowser) openPage();
  if (maxClients < network.maxClients) onEvent({ type: "few-descriptors", maxClients, openFiles });
  return { ...started, openPage };
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
