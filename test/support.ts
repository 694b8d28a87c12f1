// What the tests share: folders that go away, programs that are ended, a WebSocket client that misses no message, and
// waiting for a condition. Every program sees a runtime folder of its own, so no test ever meets another server.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");

/** How long a condition may take before the test fails; no test asserts how long it took. */
const PATIENCE_MS = 15_000;

/** For `setDefaultTimeout` in files that wait: more than the patience, so that a failure tells what was waited for. */
export const TEST_TIMEOUT_MS = 30_000;

export const sampleCsv = "11,22,33,44,55\n66,77,88,99,1010\n1111,1212,1313,1414,1515\n";
export const sampleJson =
  '[{"11":"66","22":"77","33":"88","44":"99","55":"1010"},{"11":"1111","22":"1212","33":"1313","44":"1414","55":"1515"}]';

/** Waits until `probe` gives something other than undefined and false. `describe` tells a failure what was there instead. */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  describe: () => string = () => "",
): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}\n${describe()}`);
    await Bun.sleep(3);
  }
}

/** Waits for what must come within the patience, so that what never comes fails by its name. */
export async function soon<T>(what: string, coming: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`waited in vain: ${what}`)), PATIENCE_MS);
  try {
    return await Promise.race([coming, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

export type Folder = AsyncDisposable & {
  readonly path: string;
  /** Puts a file into the folder, at once and whole, and gives its path. */
  write(name: string, content: string | Uint8Array): Promise<string>;
};

export async function temporaryFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), "csvcast-test-"));
  return {
    path,
    async write(name, content) {
      await Bun.write(join(path, `${name}.new`), content);
      await rename(join(path, `${name}.new`), join(path, name));
      return join(path, name);
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

export type ProgramName = "server" | "client";

export type ProgramOptions = {
  /** Where the program runs, and where its runtime folder is. */
  readonly folder: Folder;
  readonly env?: Record<string, string>;
  /** `none` is /dev/null; a text is all that the program gets to read; `open` leaves the pipe to `type` and `endInput`. */
  readonly stdin?: "none" | "open" | { readonly text: string };
  /** A line of shell that starts the program, which is `"$@"`. */
  readonly shell?: string;
};

/** The command of a program, for tests that start it in a way of their own. */
export function command(name: ProgramName, args: readonly string[], shell?: string): string[] {
  const program = [process.execPath, join(ROOT, "src", `${name}.ts`), ...args];
  return shell === undefined ? program : ["sh", "-c", shell, "sh", ...program];
}

/** What programs find in their environment: nothing of the person who runs the tests. */
export function environment(folder: Folder, env: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: folder.path,
    XDG_RUNTIME_DIR: folder.path,
    BUN_FEATURE_FLAG_NO_ORPHANS: "1", // it ends with the tests, also where those are killed
    ...env,
  };
}

export type Program = AsyncDisposable & {
  readonly pid: number;
  readonly exited: Promise<number>;
  /**
   * It has ended, and the runtime of the test neither gives its output nor says that there is no more: seen once in some ten thousand
   * programs, all of whose pipes were closed. Never resolves otherwise.
   */
  readonly unheard: Promise<void>;
  /** How it ended, as soon as the system has said so; its output may not be all there then. */
  ended(): string;
  /** All that it has printed so far. */
  stdout(): string;
  stderr(): string;
  /** Waits for a text, or for a match, on the stream. */
  prints(expected: string | RegExp, stream?: "stdout" | "stderr"): Promise<void>;
  type(text: string): void;
  endInput(): void;
  kill(signal: NodeJS.Signals): void;
};

/** The last output of a program that has ended is there within this, or never. */
const UNHEARD_MS = 8_000;

/** Starts a program; leaving the block ends it. */
export function start(name: ProgramName, args: readonly string[], options: ProgramOptions): Program {
  const { folder, env, stdin = "none", shell } = options;
  const child = Bun.spawn(command(name, args, shell), {
    cwd: folder.path,
    env: environment(folder, env),
    stdin: stdin === "none" ? "ignore" : "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const output = { stdout: "", stderr: "" };
  const read = [collect(child.stdout, output, "stdout"), collect(child.stderr, output, "stderr")];
  const type = (text: string) => {
    void child.stdin?.write(text);
    void child.stdin?.flush();
  };
  const endInput = () => void child.stdin?.end();
  if (typeof stdin === "object") {
    type(stdin.text);
    endInput();
  }
  const shown = () => `${name} ${args.join(" ")}\nstdout: ${output.stdout}\nstderr: ${output.stderr}`;
  let hasEnded = false;
  const exited = Promise.all([child.exited, ...read]).then(([code]) => {
    hasEnded = true;
    return code;
  });
  const unheard = Promise.withResolvers<void>();
  void child.exited.then(() => setTimeout(() => hasEnded || unheard.resolve(), UNHEARD_MS).unref());
  return {
    pid: child.pid,
    exited,
    unheard: unheard.promise,
    ended: () =>
      child.killed || child.exitCode !== null ? `ended with ${child.signalCode ?? child.exitCode}` : "runs",
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    async prints(expected, stream = "stdout") {
      const isThere = () => matches(output[stream], expected);
      await until(`${expected} on ${stream}`, () => isThere() || hasEnded, shown);
      if (!isThere()) throw new Error(`ended without ${expected} on ${stream}\n${shown()}`);
    },
    type,
    endInput,
    kill: (signal) => child.kill(signal),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

async function collect(
  from: ReadableStream<Uint8Array<ArrayBuffer>>,
  into: Record<"stdout" | "stderr", string>,
  stream: "stdout" | "stderr",
): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of from) into[stream] += decoder.decode(chunk, { stream: true });
}

const matches = (text: string, expected: string | RegExp) =>
  typeof expected === "string" ? text.includes(expected) : expected.test(text);

/** A program that should have ended may take so long on a busy machine, and no longer. */
const END_MS = 28_000;

async function inTime<T>(promise: Promise<T>, what: () => string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`waited in vain: ${what()}`)), END_MS);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** What the system says of a program that does not end: whether it runs, and what its threads wait for. */
function stateOf({ pid, ended, stdout, stderr }: Program): string {
  const folder = `/proc/${pid}/task`;
  const threads = existsSync(folder)
    ? readdirSync(folder).map((thread) => readFileSync(join(folder, thread, "stat"), "utf8").slice(0, 60))
    : ["it is not there"];
  return `${ended()}\n${threads.join("\n")}\nstdout: ${stdout()}\nstderr: ${stderr()}`;
}

export type Outcome = { readonly stdout: string; readonly stderr: string; readonly exitCode: number };

/** Runs a program to its end; once more if that was not heard. */
export async function run(name: ProgramName, args: readonly string[], options: ProgramOptions): Promise<Outcome> {
  const outcome = (await outcomeOf(name, args, options)) ?? (await outcomeOf(name, args, options));
  if (outcome) return outcome;
  throw new Error(`the output of ${name} ${args.join(" ")} did not end with it, twice`);
}

/** Undefined if it was not heard. */
async function outcomeOf(
  name: ProgramName,
  args: readonly string[],
  options: ProgramOptions,
): Promise<Outcome | undefined> {
  await using program = start(name, args, options);
  const ended = Promise.race([program.exited, program.unheard]);
  const exitCode = await inTime(ended, () => `${name} ${args.join(" ")} to end\n${stateOf(program)}`);
  return exitCode === undefined ? undefined : { stdout: program.stdout(), stderr: program.stderr(), exitCode };
}

export type RunningServer = Program & { readonly port: number; readonly url: string; readonly http: string };

/** A server on a free port of the loopback address that publishes often, once it listens. Later options win. */
export async function startServer(args: readonly string[], options: ProgramOptions): Promise<RunningServer> {
  const program = start(
    "server",
    ["--host=127.0.0.1", "--port=0", "--interval=30ms", "--settle=20ms", ...args],
    options,
  );
  try {
    await program.prints(/WebSocket server started\. Listening on .*:\d+\.["\n]/);
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  }
  const port = Number(/:(\d+)\.["\n]/.exec(program.stdout())?.[1]);
  return { ...program, port, url: `ws://127.0.0.1:${port}/`, http: `http://127.0.0.1:${port}` };
}

/** The same, and a folder of its own, with these files, where it runs. */
export async function startServerWith(
  files: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<AsyncDisposable & { readonly folder: Folder; readonly server: RunningServer }> {
  await using owned = new AsyncDisposableStack();
  const folder = owned.use(await temporaryFolder());
  for (const [name, content] of Object.entries(files)) await folder.write(name, content);
  const server = owned.use(await startServer(args, { folder }));
  const all = owned.move();
  return { folder, server, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** What /tables.json says. */
export type TableList = {
  tables: { name: string; file: string; path: string; state: string; rows: number }[];
  refused: { file: string; reason: string }[];
};

export const listOf = async ({ http }: { readonly http: string }, request: RequestInit = {}): Promise<TableList> =>
  (await (await fetch(`${http}/tables.json`, request)).json()) as TableList;

export type Close = { readonly code: number; readonly reason: string };

export type Client = AsyncDisposable & {
  /** The oldest message that was not taken yet; rejects once the connection has ended and none is left. */
  next(): Promise<string>;
  /** Takes messages until one passes. */
  nextThat(what: string, passes: (message: string) => boolean): Promise<string>;
  /** How many messages are there to be taken. */
  waiting(): number;
  readonly closed: Promise<Close>;
  readonly socket: WebSocket;
};

/** Connects to a server; rejects if it is turned away. */
export async function connect(url: string, options: Bun.WebSocketOptions = {}): Promise<Client> {
  const socket = new WebSocket(url, options);
  const messages: string[] = [];
  const closed = Promise.withResolvers<Close>();
  const opened = Promise.withResolvers<void>();
  let ended = false;
  let failure = "";
  socket.onmessage = ({ data }) => messages.push(String(data));
  socket.onopen = () => opened.resolve();
  socket.onerror = (event) => (failure = (event as ErrorEvent).message);
  socket.onclose = ({ code, reason }) => {
    ended = true;
    opened.reject(new Error(failure || `closed with ${code}`));
    closed.resolve({ code, reason });
  };
  await soon("a connection to open", opened.promise);

  async function next(): Promise<string> {
    await until("a message", () => messages.length > 0 || ended);
    const message = messages.shift();
    if (message === undefined) throw new Error("the connection ended");
    return message;
  }
  async function nextThat(what: string, passes: (message: string) => boolean): Promise<string> {
    return until(what, async () => {
      const message = await next();
      return passes(message) && message;
    });
  }
  return {
    next,
    nextThat,
    waiting: () => messages.length,
    closed: closed.promise,
    socket,
    async [Symbol.asyncDispose]() {
      socket.close();
      await soon("a connection to be closed", closed.promise);
    },
  };
}

/** Sends bytes over TCP and gives what comes back until the other side closes, or `isEnough`. */
export async function exchange(
  port: number,
  request: string | Uint8Array,
  isEnough: (answer: string) => boolean = () => false,
): Promise<string> {
  const done = Promise.withResolvers<string>();
  let answer = "";
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(_socket, data) {
        answer += data.toString("latin1");
        if (isEnough(answer)) done.resolve(answer);
      },
      close: () => done.resolve(answer),
      error: (_socket, error) => done.reject(error),
    },
  });
  socket.write(request);
  try {
    return await soon("an answer over TCP", done.promise);
  } finally {
    socket.end();
  }
}
