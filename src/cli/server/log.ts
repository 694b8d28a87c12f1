// What the server has to say: lines for a person, or with `--log json` one JSON object a line for a machine. What may come by the
// thousand, a crowd of clients or an attack, is summed up instead of filling a disk.

export type LogFormat = "text" | "json";

export type Fields = Readonly<Record<string, unknown>>;

export type Log = {
  /** `text` for a person; `event` and `fields` for a machine. */
  info(event: string, text: string, fields?: Fields): void;
  warn(event: string, text: string, fields?: Fields): void;
  /** As `info` or `warn`, but at most BURST lines of one kind a second; of the rest the number. */
  often(level: "info" | "warn", event: string, text: string, fields?: Fields, kind?: string): void;
  /** Says what is still to be summed up. */
  flush(): void;
};

export type LogOptions = {
  readonly format: LogFormat;
  /** Where lines go that are news, and those that are trouble. */
  readonly line: (text: string) => void;
  readonly warn: (text: string) => void;
  /** ms since 1970. */
  readonly now: () => number;
};

const BURST = 5;
const WINDOW_MS = 1_000;

type Window = {
  readonly event: string;
  readonly level: "info" | "warn";
  shown: number;
  more: number;
  readonly timer: ReturnType<typeof setTimeout>;
};

export function openLog({ format, line, warn, now }: LogOptions): Log {
  const windows = new Map<string, Window>();

  function write(level: "info" | "warn", event: string, text: string, fields: Fields = {}): void {
    if (format === "text") return level === "info" ? line(text) : warn(text);
    line(JSON.stringify({ time: new Date(now()).toISOString(), level, event, message: text, ...fields }));
  }

  function often(level: "info" | "warn", event: string, text: string, fields?: Fields, kind = event): void {
    const window = windows.get(kind) ?? openWindow(level, event, kind);
    if (window.shown++ < BURST) write(level, event, text, fields);
    else window.more++;
  }

  function openWindow(level: "info" | "warn", event: string, kind: string): Window {
    const timer = setTimeout(() => close(kind), WINDOW_MS);
    timer.unref();
    const window = { event, level, shown: 0, more: 0, timer };
    windows.set(kind, window);
    return window;
  }

  function close(kind: string): void {
    const { level = "info", event = kind, more = 0, timer } = windows.get(kind) ?? {};
    clearTimeout(timer);
    windows.delete(kind);
    if (more > 0) write(level, event, `${kind}: ${more.toLocaleString("en-US")} more within a second`, { more });
  }

  return {
    info: (event, text, fields) => write("info", event, text, fields),
    warn: (event, text, fields) => write("warn", event, text, fields),
    often,
    flush: () => [...windows.keys()].forEach(close),
  };
}
