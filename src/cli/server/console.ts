// The console of the server: a prompt for paths, lines above it, and on a terminal a status line. Plain lines elsewhere.
import { readFileSync } from "node:fs";
import * as readline from "node:readline";
import type { ReadStream, WriteStream } from "node:tty";
import { completePath } from "./completion.ts";
import { cleanPath, homeOf } from "./words.ts";

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
  /** Ctrl-Z: stops this program and those it belongs to, as the terminal would. */
  readonly suspend: () => void;
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
  /** Shows what this gives for a width in the status line; ignored where there is none. */
  status(text: (width: number) => string): void;
  /** The program goes on after it was stopped: in the foreground it has its terminal again. */
  wake(): void;
  /** Whether there is a status line. */
  readonly isLive: boolean;
  close(): void;
};

/** A stopped program does not come this far before it goes on; one that nobody can stop, without a shell, soon does. */
const STOPPED_MS = 50;
/** What tells that it goes on may come twice: this time, and a signal. */
const SAME_WAKING_MS = 250;

const PROMPT = "Enter the CSV file path: ";

export function openConsole({ output, env, prompts, input: open, suspend }: ConsoleOptions): Console {
  const input = prompts ? open() : undefined;
  const isTerminal = output.isTTY === true;
  const canMove = isTerminal && env["TERM"] !== "dumb" && isInForeground();
  const hasColour = canMove && !env["NO_COLOR"];
  const paint = (code: number, text: string) => (hasColour ? `\x1b[${code}m${text}\x1b[0m` : text);
  const home = homeOf(env);
  let wokenAt = -Infinity;
  let isAway = false; // stopped, or in the background: the terminal belongs to others
  let isOpen = prompts;
  let hasEnded = false;
  let events: ConsoleEvents = { onPath() {}, onEnd() {}, onInterrupt() {} };
  let isAsked = false; // without a cursor to move: the prompt stands on the last line
  // A closed pipe or terminal: nobody reads or types any more, the server goes on, or is told by a signal.
  for (const stream of [output, process.stderr, input]) stream?.on("error", () => {});

  const isLive = () => canMove && !isAway && !hasEnded;
  const hasCursor = () => isOpen && isLive() && prompt?.terminal === true;
  const editing = input && { input, output, home, isTerminal: canMove && input.isTTY === true };
  const prompt =
    editing && openEditor(editing, { onLine, onClose, onSuspend, onInterrupt: () => events.onInterrupt() });
  const footer = openFooter({ output, prompt, isLive, hasCursor, paint: (text) => paint(2, text) });
  if (canMove) output.prependListener("resize", footer.resize);

  function onLine(text: string): void {
    footer.drop(text);
    isAsked &&= !input?.isTTY; // a terminal has echoed the line end
    const path = cleanPath(text, home);
    footer.draw();
    if (path !== "") events.onPath(path);
  }

  function onClose(): void {
    footer.clear();
    isOpen = false;
    footer.draw();
    events.onEnd();
  }

  function onSuspend(): void {
    footer.clear();
    isAway = true;
    input?.setRawMode(false);
    suspend();
    setTimeout(wake, STOPPED_MS);
  }

  function ask(): void {
    if (!isOpen || isAsked || hasCursor()) return;
    output.write(PROMPT);
    isAsked = true;
  }

  function line(text: string): void {
    footer.clear();
    output.write(`${isAsked ? "\n" : ""}${text}\n`);
    isAsked = false;
    footer.draw();
  }

  /** In the background the terminal is left alone: whoever reads from it there, or changes it, is stopped again. */
  function wake(): void {
    if (!canMove || performance.now() - wokenAt < SAME_WAKING_MS) return;
    isAway = !isInForeground();
    if (isAway) return void prompt?.pause();
    wokenAt = performance.now();
    if (isOpen) {
      input?.setRawMode(false); // what the shell has made of it in the meantime
      input?.setRawMode(true);
      prompt?.resume();
    }
    footer.draw();
  }

  return {
    listen: (next) => void (events = next),
    line,
    ask,
    warn: (text) => (isTerminal ? line(paint(33, text)) : void process.stderr.write(`${text}\n`)),
    hold: () => void prompt?.pause(),
    resume: () => void (isOpen && prompt?.resume()),
    status(text) {
      footer.set(text);
      if (isAway) wake();
    },
    wake,
    isLive: canMove,
    close() {
      if (isOpen) prompt?.removeAllListeners("close");
      footer.leave();
      hasEnded = true; // what is still said, such as who leaves, has no status line below it, nor the shell's prompt beside it
      isOpen = false;
      prompt?.close();
    },
  };
}

type FooterOptions = {
  readonly output: WriteStream;
  readonly prompt: readline.Interface | undefined;
  readonly isLive: () => boolean;
  /** The cursor is in the prompt, below the status line; else at the end of that. */
  readonly hasCursor: () => boolean;
  readonly paint: (text: string) => string;
};

/** The last rows of the terminal: the status line, and below it the prompt, for as long as there is one. */
function openFooter({ output, prompt, isLive, hasCursor, paint }: FooterOptions) {
  let statusOf = (_width: number) => "";
  let status = ""; // as it is shown
  const columns = () => output.columns || 80;

  /** Rows that it takes: more than one if the window has become narrower, as terminals then wrap what is there. */
  const statusRows = () => Math.ceil(Bun.stringWidth(status) / columns());

  /**
   * From wherever the cursor is to the start of the status line, clearing all below. `isResized`: a cursor behind the last column is
   * still in its row then, and not in the next one, where readline takes care to put it.
   */
  function clear(isResized = false): void {
    if (!isLive()) return;
    const { rows, cols } = (hasCursor() && prompt?.getCursorPos()) || { rows: 0, cols: 1 };
    const above = hasCursor() ? statusRows() : Math.max(0, statusRows() - 1);
    readline.moveCursor(output, 0, -(rows - (isResized && cols === 0 && rows > 0 ? 1 : 0) + above));
    readline.cursorTo(output, 0);
    readline.clearScreenDown(output);
  }

  function drawStatus(): void {
    if (!isLive()) return;
    status = fit(statusOf, columns());
    if (status !== "") output.write(paint(status) + (hasCursor() ? "\n" : ""));
    // The cursor is where the prompt begins; readline would go up the rows that it wrote there before.
    if (prompt) (prompt as unknown as { prevRows: number }).prevRows = 0;
  }

  function draw(): void {
    drawStatus();
    if (hasCursor()) prompt?.prompt(true);
  }

  return {
    clear: () => clear(),
    draw,
    set(text: (width: number) => string): void {
      statusOf = text;
      if (!isLive() || fit(statusOf, columns()) === status) return;
      clear();
      draw();
    },
    /** Before readline, which then draws the prompt anew. */
    resize(): void {
      clear(true);
      drawStatus();
    },
    /** After Enter: takes the status line out from above what was entered, so that it does not pile up. */
    drop(entered: string): void {
      if (!hasCursor() || status === "") return;
      const rows = Math.floor(Bun.stringWidth(PROMPT + entered) / columns()) + 1;
      readline.moveCursor(output, 0, -(rows + 1));
      readline.clearScreenDown(output);
      output.write(`${PROMPT}${entered}\n`);
    },
    /** What follows is not written behind it. */
    leave: () => void (isLive() && status !== "" && output.write("\n")),
  };
}

type Editor = {
  readonly input: ReadStream;
  readonly output: WriteStream;
  readonly home: string;
  readonly isTerminal: boolean;
};

type EditorEvents = {
  onLine(text: string): void;
  onClose(): void;
  onInterrupt(): void;
  onSuspend(): void;
};

/** What is typed: on a terminal with keys to edit it, elsewhere line by line. */
function openEditor({ input, output, home, isTerminal }: Editor, events: EditorEvents): readline.Interface {
  const completer = (line: string) => completePath(line, home);
  const editor = readline.createInterface({ input, output, terminal: isTerminal, completer, prompt: PROMPT });
  editor.on("line", (text) => events.onLine(text));
  editor.on("close", () => events.onClose());
  editor.on("SIGINT", () => events.onInterrupt());
  editor.on("SIGTSTP", () => events.onSuspend());
  (editor as NodeJS.EventEmitter).on("error", () => {}); // the terminal is gone; a signal follows
  return editor;
}

/**
 * Whether this process may read from its terminal. One in the background (`server &`) would be stopped by SIGTTIN: its process group is
 * not the terminal's (on Linux proc(5), fields pgrp and tpgid; on other Unixes the + of ps(1); Windows knows no such thing).
 */
export function isInForeground(platform = process.platform): boolean {
  try {
    if (platform === "win32") return true;
    if (platform !== "linux") return stateByPs(process.pid).includes("+");
    const fields = readFileSync("/proc/self/stat", "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return fields[2] === fields[5];
  } catch {
    return true;
  }
}

function stateByPs(pid: number): string {
  const env = { PATH: process.env["PATH"] ?? "" };
  return Bun.spawnSync(["ps", "-o", "stat=", "-p", String(pid)], {
    env,
    stdin: "ignore",
    stderr: "ignore",
  }).stdout.toString();
}

/** One terminal line. Its last column stays free: who writes there does not know where the cursor is then. */
function fit(text: (width: number) => string, columns: number): string {
  const width = Math.max(10, columns - 1);
  return Bun.sliceAnsi(text(width), 0, width);
}
