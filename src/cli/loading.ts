// Paths on their way to be on air: those of a pipe are taken one after the other, each with its answer; what takes long is shown.
import type { Console } from "./console.ts";

export type Loading = {
  /** Loads a path now, or when those before it are done. */
  enter(path: string): void;
  /** Bytes read so far, of about `size`. */
  progress(read: number, size: number): void;
  /** The path that was being loaded is on air or refused: the next one has its turn. */
  done(): void;
  /** `loading prices.csv 40 %`, if there is something to say. */
  text(): string;
};

export type LoadingOptions = {
  readonly screen: Console;
  readonly load: (path: string) => void;
  readonly isLoading: () => boolean;
  readonly nameOf: (path: string) => string;
  readonly onText: () => void;
};

const NOTICE_MS = 500;

export function openLoading({ screen, load, isLoading, nameOf, onText }: LoadingOptions): Loading {
  const waiting: string[] = [];
  let name = "";
  let share = "";
  let notice: ReturnType<typeof setTimeout> | undefined;

  function enter(path: string): void {
    if (isLoading() && !screen.isLive) {
      waiting.push(path);
      return screen.hold();
    }
    clearTimeout(notice);
    notice = setTimeout(() => {
      name = nameOf(path);
      if (!screen.isLive) screen.line(`loading ${name}`);
      onText();
    }, NOTICE_MS);
    load(path);
  }

  function done(): void {
    clearTimeout(notice);
    name = share = "";
    const next = waiting.shift();
    if (next !== undefined) enter(next);
    else screen.resume();
  }

  return {
    enter,
    progress: (read, size) => void (share = size > 0 ? ` ${Math.min(99, Math.floor((100 * read) / size))} %` : ""),
    done,
    text: () => name && `loading ${name}${share}`,
  };
}
