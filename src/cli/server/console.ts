// The console of the server: a prompt for paths, lines above it, and on a terminal a status line. Plain lines elsewhere.
import { readdirSync, readFileSync, statSync } from "node:fs";
import * as readline from "node:readline";
import type { ReadStream, WriteStream } from "node:tty";
import { cleanPath, underHome } from "./words.ts";

export type ConsoleEvents = {
  /** A path was entered, cleaned of quotes and `~`. */
  onPath(path: string): void;
  /** The input ended: Ctrl-D, or the end of a pipe. */
  onEnd(): void;
  onInterrupt(): void;
};

export type ConsoleOptions = {
  /** Not called, and standard input left alone, where nothing is asked. */
  readonly input: () => ReadStream;
  readonly output: WriteStream;
  readonly env: Record<string, string | undefined>;
  /** Whether to ask for paths at all. */
  readonly prompts: boolean;
};

export type Console = {
  /** What is typed goes there from now on. */
  listen(events: ConsoleEvents): void;
  /** A line for a person, above the prompt. */
  line(text: string): void;
  /** Asks for a path, where the prompt is not there all the time. */
  ask(): void;
  /** What goes wrong; on stderr where output is no terminal. */
  warn(text: string): void;
  /** Reads no more input, beyond the lines that it has read, until `resume()`. */
  hold(): void;
  resume(): void;
  /** Shows `text` in the status line; ignored where there is none. */
  status(text: string): void;
  /** Whether there is a status line. */
  readonly isLive: boolean;
  close(): void;
};

const PROMPT = "Enter the CSV file path: ";

export function openConsole({ output, env, prompts, input: open }: ConsoleOptions): Console {
  const input = prompts ? open() : undefined;
  const isTerminal = output.isTTY === true;
  const isLive = isTerminal && env["TERM"] !== "dumb" && isInForeground();
  const hasColour = isLive && !env["NO_COLOR"];
  const paint = (code: number, text: string) => (hasColour ? `\x1b[${code}m${text}\x1b[0m` : text);
  let status = "";
  let isOpen = prompts;
  let events: ConsoleEvents = { onPath() {}, onEnd() {}, onInterrupt() {} };
  let isAsked = false; // without a cursor to move: the prompt stands on the last line
  // A closed pipe or terminal: nobody reads or types any more, the server goes on, or is told by a signal.
  for (const stream of [output, process.stderr, input]) stream?.on("error", () => {});

  const prompt = input
    ? readline.createInterface({
        input,
        output,
        terminal: isLive && input.isTTY === true,
        completer: (line: string) => completePath(line, env["HOME"] ?? ""),
        prompt: PROMPT,
      })
    : undefined;
  prompt?.on("line", (text) => {
    dropStatus(text);
    isAsked &&= !input?.isTTY; // a terminal has echoed the line end
    const path = cleanPath(text, env["HOME"] ?? "");
    redraw();
    if (path !== "") events.onPath(path);
  });
  prompt?.on("close", () => {
    clear();
    isOpen = false;
    redraw();
    events.onEnd();
  });
  prompt?.on("SIGINT", () => events.onInterrupt());
  (prompt as NodeJS.EventEmitter | undefined)?.on("error", () => {}); // the terminal is gone; a signal follows

  const hasCursor = () => isOpen && isLive && prompt?.terminal === true;

  /** From wherever the cursor is to the start of the status line, clearing all below. */
  function clear(): void {
    if (!isLive) return;
    const rows = hasCursor() ? (prompt?.getCursorPos().rows ?? 0) : 0;
    readline.moveCursor(output, 0, -(rows + (hasCursor() && status !== "" ? 1 : 0)));
    readline.cursorTo(output, 0);
    readline.clearScreenDown(output);
  }

  /** After Enter: takes the status line out from above what was entered, so that it does not pile up. */
  function dropStatus(entered: string): void {
    if (!hasCursor() || status === "") return;
    const rows = Math.floor(Bun.stringWidth(PROMPT + entered) / (output.columns || 80)) + 1;
    readline.moveCursor(output, 0, -(rows + 1));
    readline.clearScreenDown(output);
    output.write(`${PROMPT}${entered}\n`);
  }

  function redraw(): void {
    if (isLive && status !== "") output.write(paint(2, fit(status, output.columns)) + (hasCursor() ? "\n" : ""));
    if (!prompt || !hasCursor()) return;
    // The cursor is where the prompt begins; readline would go up the rows that it wrote there before.
    (prompt as unknown as { prevRows: number }).prevRows = 0;
    prompt.prompt(true);
  }

  function ask(): void {
    if (!isOpen || isAsked || hasCursor()) return;
    output.write(PROMPT);
    isAsked = true;
  }

  function line(text: string): void {
    clear();
    output.write(`${isAsked ? "\n" : ""}${text}\n`);
    isAsked = false;
    if (isLive) redraw();
  }

  function setStatus(text: string): void {
    if (!isLive || text === status) return;
    clear();
    status = text;
    redraw();
  }

  return {
    listen: (next) => void (events = next),
    line,
    ask,
    warn: (text) => (isTerminal ? line(paint(33, text)) : void process.stderr.write(`${text}\n`)),
    hold: () => void prompt?.pause(),
    resume: () => void (isOpen && prompt?.resume()),
    status: setStatus,
    isLive,
    close() {
      if (isOpen) prompt?.removeAllListeners("close");
      if (isLive && status !== "") output.write("\n");
      isOpen = false;
      prompt?.close();
    },
  };
}

/**
 * Whether this process may read from its terminal. One in the background (`server &`) would be stopped by SIGTTIN:
 * its process group is not the terminal's (proc(5), fields pgrp and tpgid).
 */
export function isInForeground(): boolean {
  try {
    const fields = readFileSync("/proc/self/stat", "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return fields[2] === fields[5];
  } catch {
    return true;
  }
}

/** One terminal line, cut to the width of the window. */
function fit(text: string, columns: number | undefined): string {
  return Bun.sliceAnsi(text, 0, Math.max(10, (columns ?? 80) - 1));
}

/** readline's completer for paths: a directory ends with a slash, so that Tab goes on into it. */
export function completePath(typed: string, home: string): [string[], string] {
  const opening = /^\s*["']?/.exec(typed)?.[0] ?? "";
  const path = typed.slice(opening.length);
  const slash = path.lastIndexOf("/") + 1;
  const folder = path.slice(0, slash);
  const start = path.slice(slash);
  const real = underHome(folder, home) || ".";
  try {
    const names = readdirSync(real, { withFileTypes: true })
      .filter(({ name }) => name.startsWith(start) && (start !== "" || !name.startsWith(".")))
      .map((entry) => entry.name + (isFolder(entry, real) ? "/" : ""))
      .sort();
    return [names.map((name) => opening + folder + name), typed];
  } catch {
    return [[], typed];
  }
}

function isFolder(entry: { name: string; isDirectory(): boolean; isSymbolicLink(): boolean }, folder: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return statSync(`${folder}/${entry.name}`, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
