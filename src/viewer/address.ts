// Keeps the address in step with the view: a reload, Back and whoever gets the link have the same one.
import { formatView, parseView, type View } from "./fragment.ts";

export type Address = {
  /** The view has changed. */
  changed(): void;
  /** With the view as it is now. */
  link(): string;
};

/** Browsers refuse an address that changes often (WebKit: 100 times in 30 s). */
const WRITE_MS = 400;

/** `view` gives what is shown; `onView` is told of an address that somebody has typed, or has gone back to. */
export function openAddress(view: () => View, onView: (view: View) => void): Address {
  let timer: ReturnType<typeof setTimeout> | undefined;

  function link(): string {
    const address = new URL(location.href);
    address.hash = formatView(view());
    return address.href.replace(/#$/, "");
  }

  function write(): void {
    timer = undefined;
    const next = link();
    if (next === location.href) return;
    try {
      history.replaceState(null, "", next);
    } catch {
      timer = setTimeout(write, 10 * WRITE_MS);
    }
  }

  addEventListener("hashchange", () => {
    clearTimeout(timer);
    timer = undefined;
    onView(parseView(location.hash));
  });
  addEventListener("pagehide", () => timer !== undefined && write());
  return { link, changed: () => void (timer ??= setTimeout(write, WRITE_MS)) };
}
