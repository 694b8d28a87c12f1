// The path of the file: given, or asked for. Paths of a pipe are taken one after the other, each with its answer; what takes long is shown.
import { CliError } from "../errors.ts";
import { STDIN } from "../../source/location.ts";
import { type Console, isInForeground } from "./console.ts";
import { printable } from "../../feed/printable.ts";
import { exists, namedFault, noPath, PROMPT_HELP, PROMPT_HELP_MANY, STDIN_FAULT, wordOf } from "./words.ts";

export type Prompting = {
  /** A FILE was given. */
  readonly isGiven: boolean;
  /** Standard input is the file. */
  readonly isStdin: boolean;
  readonly isForMachines: boolean;
};

/** On a terminal always, so that another path may be typed; elsewhere if there is no FILE. Throws CliError if nobody would answer. */
export function promptsForPath({ isGiven, isStdin, isForMachines }: Prompting): boolean {
  const isTerminal = !isStdin && process.stdin.isTTY === true && process.stdout.isTTY === true;
  const prompts = !isForMachines && (isTerminal ? isInForeground() : !isGiven);
  if (isGiven || prompts) return prompts;
  const where = isForMachines ? "with --log json" : "in the background";
  throw new CliError("usage", `no FILE given, and nothing is asked ${where}`);
}

export type PromptOptions = {
  readonly screen: Console;
  /** Publishes what is there: resolves when that is done, given up or waited for, rejects if it cannot be. */
  readonly open: (path: string) => Promise<void>;
  /** Whether there is a table, or a file that is waited for. */
  readonly hasFile: () => boolean;
  readonly nameOf: (path: string) => string;
  /** Where there are several tables. */
  readonly many?: {
    /** The first one first. */
    readonly names: () => readonly (string | undefined)[];
    /** Takes one off the air; false if it is not there, or stays. */
    readonly remove: (name: string) => boolean;
  };
  readonly openPage: () => void;
  /** A text with the commands that the person has. */
  readonly called: (text: string) => string;
  /** A path cannot be published; the next one may be. */
  readonly onRefused: (reason: string) => void;
  /** Nothing will ever be published. */
  readonly onFailed: (failure: CliError) => void;
  /** The person wants out: says so, or on a terminal has ended the input before there was a file. */
  readonly onQuit: () => void;
};

export type Prompt = {
  /** A path that was typed. */
  enter(path: string): void;
  /** A path that is being opened already. */
  track(path: string, opening: Promise<void>): void;
  /** Nothing more will be typed. */
  end(): void;
};

/** From a pipe: so many wrong paths are no paths. */
const MAX_WRONG_PATHS = 10;
const NOTICE_MS = 500;

export function openPrompt(options: PromptOptions): Prompt {
  const { screen, hasFile, nameOf, onFailed, many } = options;
  const queue: string[] = [];
  let loading = 0;
  let refusals = 0;
  let isInputOpen = true;

  function enter(path: string): void {
    if (loading > 0 && !screen.isLive) {
      queue.push(path);
      return screen.hold();
    }
    take(path);
  }

  function take(path: string): void {
    const word = wordOf(path);
    if (word === "quit") return options.onQuit();
    if (word === "help") return help();
    if (word === "open") return openPage();
    if (path.startsWith("-") && path !== STDIN && many && !exists(path)) return remove(path.slice(1).trim(), many);
    const fault = path === STDIN ? STDIN_FAULT : (noPath(path) ?? (many && namedFault(path)));
    if (fault !== undefined) return refuse(fault);
    const before = many?.names().length;
    const opened = options.open(path).then(() => {
      if (before === many?.names().length && many) screen.line(`${nameOf(path)} is published already`);
    });
    void load(path, opened);
  }

  function remove(typed: string, { names, remove }: NonNullable<PromptOptions["many"]>): void {
    const name = typed.normalize("NFC");
    const [first, ...others] = names();
    if (remove(name)) screen.line(`${name} is no longer published`);
    else if (name === first || name === "csv") return refuse(`-${name}: the first table stays, which is / and /csv`);
    else
      return refuse(
        `-${printable(name)}: no table of that name; ${others.length === 0 ? "none can be taken off" : `others: ${others.join(", ")}`}`,
      );
    screen.ask();
  }

  function openPage(): void {
    options.openPage();
    screen.ask();
  }

  function help(): void {
    for (const line of many ? PROMPT_HELP_MANY : PROMPT_HELP) screen.line(options.called(line));
    screen.ask();
  }

  async function load(path: string, opening: Promise<void>): Promise<void> {
    loading++;
    const notice = setTimeout(() => screen.isLive || screen.line(`loading ${nameOf(path)}`), NOTICE_MS);
    try {
      await opening;
    } catch (error) {
      refuse(error instanceof Error ? error.message : String(error));
    } finally {
      clearTimeout(notice);
      loading--;
    }
    while (loading === 0 && queue.length > 0) take(queue.shift()!);
    if (loading === 0) screen.resume();
    if (!isInputOpen) giveUp();
  }

  function refuse(reason: string): void {
    refusals++;
    options.onRefused(reason);
    if (refusals === MAX_WRONG_PATHS && !hasFile() && !process.stdin.isTTY)
      return onFailed(new CliError("file", `${refusals} wrong paths; for a CSV on standard input give - as FILE`));
    if (isInputOpen) screen.ask();
  }

  function giveUp(): void {
    if (hasFile() || loading > 0) return;
    if (process.stdin.isTTY) return options.onQuit();
    if (refusals > 0) return onFailed(new CliError("file", "no file to publish: the input has ended"));
    onFailed(new CliError("usage", "no FILE given, and standard input has none; see --help"));
  }

  return {
    enter,
    track: (path, opening) => void load(path, opening),
    end() {
      isInputOpen = false;
      giveUp();
    },
  };
}
