// A program in a pseudo-terminal, and what a person sees of it: a screen that understands what readline and the console write.
import { command, environment, type Folder, type ProgramName, until } from "../support.ts";

export type Screen = {
  write(text: string): void;
  /** The lines that were shown, those that have scrolled away too, without trailing blanks. */
  lines(): string[];
  /** Another width: lines that were wrapped are wrapped anew, as most terminals do. */
  resize(columns: number): void;
};

const CONTROL = /\x1b\[([?\d;]*)([A-Za-z])|\x1b.|[\s\S]/gu;

/** Cursor moves, clearing, line wrap and backspace; colours and modes are passed over, anything else throws. */
export function openScreen(width: number): Screen {
  let columns = width;
  const rows: string[][] = [[]];
  const wrapped = new WeakSet<string[]>(); // rows that go on in the next one
  let row = 0;
  let column = 0;
  let rest = "";

  const moveTo = (toRow: number, toColumn: number) => {
    row = Math.max(0, toRow);
    column = Math.max(0, toColumn);
    while (rows.length <= row) rows.push([]);
  };
  const clearBelow = () => {
    rows[row]!.length = Math.min(rows[row]!.length, column);
    wrapped.delete(rows[row]!);
    rows.length = row + 1;
  };
  const put = (character: string) => {
    if (column >= columns) {
      wrapped.add(rows[row]!);
      moveTo(row + 1, 0);
    }
    const line = rows[row]!;
    while (line.length < column) line.push(" ");
    line[column++] = character;
  };

  const commands: Record<string, (count: number, argument: string) => void> = {
    A: (count) => moveTo(row - count, column),
    B: (count) => moveTo(row + count, column),
    C: (count) => moveTo(row, column + count),
    D: (count) => moveTo(row, Math.min(column, columns - 1) - count),
    G: (count) => moveTo(row, count - 1),
    J: clearBelow,
    K: () => void (rows[row]!.length = Math.min(rows[row]!.length, column)),
    m: () => {},
    h: () => {},
    l: () => {},
  };

  function write(text: string): void {
    const whole = rest + text;
    const cut = /\x1b(\[[?\d;]*)?$/.exec(whole)?.index ?? whole.length;
    rest = whole.slice(cut);
    for (const [token, argument, command] of whole.slice(0, cut).matchAll(CONTROL)) {
      if (command !== undefined) {
        const run = commands[command];
        if (!run) throw new Error(`the screen does not know ${JSON.stringify(token)}`);
        run(Number(argument) || 1, argument ?? "");
      } else if (token === "\r") column = 0;
      else if (token === "\n") moveTo(row + 1, column);
      else if (token === "\b") column = Math.max(0, column - 1);
      else if (token === "\x07") continue;
      else if (/[\0-\x1f\x7f-\x9f]/.test(token)) throw new Error(`the screen does not know ${JSON.stringify(token)}`);
      else put(token);
    }
  }

  function resize(to: number): void {
    const whole: string[][] = [];
    let cursor = { line: 0, at: 0 };
    let goesOn = false;
    for (const [i, cells] of rows.entries()) {
      if (!goesOn) whole.push([]);
      const line = whole.at(-1)!;
      if (i === row) cursor = { line: whole.length - 1, at: line.length + column };
      line.push(...cells);
      goesOn = wrapped.has(cells);
    }
    columns = to;
    rows.length = 0;
    for (const [i, line] of whole.entries()) {
      const first = rows.length;
      for (let at = 0; at === 0 || at < line.length; at += columns) {
        if (at > 0) wrapped.add(rows.at(-1)!);
        rows.push(line.slice(at, at + columns));
      }
      if (i !== cursor.line) continue;
      // A cursor behind the last column of a row stays in it.
      row = first + Math.min(Math.floor(cursor.at / columns), Math.ceil(Math.max(1, cursor.at) / columns) - 1);
      column = cursor.at - (row - first) * columns;
      while (rows.length <= row) rows.push([]);
    }
  }

  return { write, lines: () => rows.map((line) => line.join("").trimEnd()), resize };
}

export const KEYS = {
  enter: "\r",
  tab: "\t",
  left: "\x1b[D",
  up: "\x1b[A",
  backspace: "\x7f",
  ctrlC: "\x03",
  ctrlD: "\x04",
  ctrlZ: "\x1a",
};

/** A line of the screen, or what it must match. */
export type Line = string | RegExp;

export type TerminalProgram = AsyncDisposable & {
  readonly exited: Promise<number>;
  type(text: string): void;
  kill(signal: NodeJS.Signals): void;
  /** Makes the window as wide. */
  resize(columns: number): void;
  /** Takes the terminal away, as closing its window does. */
  hangUp(): void;
  /** All bytes that were written, as text. */
  output(): string;
  /** Waits for a line; empty ones do not count, here and below. */
  shows(expected: Line): Promise<void>;
  /** Waits until the last lines are these: the cursor's line comes last. */
  ends(...expected: readonly Line[]): Promise<void>;
  /** Waits until the whole screen is this, with what has scrolled away. */
  becomes(expected: readonly Line[]): Promise<void>;
  /** The URL that a server prints for this machine. */
  url(): Promise<string>;
};

export type TerminalOptions = {
  readonly folder: Folder;
  readonly env?: Record<string, string>;
  readonly columns?: number;
  /** A line of shell that starts the program, which is `"$@"`. */
  readonly shell?: string;
};

/** Starts a program in a pseudo-terminal; leaving the block ends it. */
export function startInTerminal(name: ProgramName, args: readonly string[], options: TerminalOptions): TerminalProgram {
  const { folder, env, columns = 80, shell } = options;
  const screen = openScreen(columns);
  const decoder = new TextDecoder();
  let output = "";
  const child = Bun.spawn(command(name, args, shell), {
    cwd: folder.path,
    env: environment(folder, { TERM: "xterm-256color", ...env }),
    terminal: {
      cols: columns,
      rows: 24,
      data(_terminal, bytes) {
        const text = decoder.decode(bytes, { stream: true });
        output += text;
        screen.write(text);
      },
    },
  });
  const shown = () => screen.lines().filter((line) => line !== "");
  const describe = () => `the screen:\n${screen.lines().join("\n")}`;
  const passes = (line: string | undefined, expected: Line) =>
    line !== undefined && (typeof expected === "string" ? line === expected : expected.test(line));
  const match = (lines: readonly string[], expected: readonly Line[]) =>
    lines.length === expected.length && expected.every((line, i) => passes(lines[i], line));
  return {
    exited: child.exited,
    type: (text) => void child.terminal?.write(text),
    kill: (signal) => child.kill(signal),
    resize(to) {
      screen.resize(to);
      child.terminal?.resize(to, 24);
    },
    hangUp: () => child.terminal?.close(),
    output: () => output,
    async shows(expected) {
      await until(`${expected} on the screen`, () => shown().some((line) => passes(line, expected)), describe);
    },
    async ends(...expected) {
      const isThere = () => match(shown().slice(-expected.length), expected);
      await until(`the screen to end with\n${expected.join("\n")}`, isThere, describe);
    },
    async becomes(expected) {
      await until(`the screen to become\n${expected.join("\n")}`, () => match(shown(), expected), describe);
    },
    url: () => until("a URL", () => /ws:\S+(?=\s)/.exec(output)?.[0], describe),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      child.terminal?.close();
    },
  };
}
