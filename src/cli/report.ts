// What happens to clients and files, in the words of the log.
import type { Log } from "./log.ts";
import { shapeText } from "./status.ts";

/** A client that came, went or was turned away. */
export type ClientEvent = {
  readonly type: "connected" | "disconnected" | "refused";
  readonly feed?: string;
  readonly address: string;
  readonly seconds?: number;
  readonly code?: number;
  readonly reason?: string;
  readonly cause?: string;
  readonly status?: number;
};

/** Why the server turns someone away, for the person who runs it. */
const CAUSES: Record<string, string> = {
  host: "its Host header names no host of this server (--allow-host)",
  origin: "a web page from elsewhere (--allow-origin)",
  token: "no token, or a wrong one",
  guesses: "too many wrong tokens",
  full: "--max-clients are connected",
  address: "--max-per-address are connected",
};

export function reportClient(log: Log, { type, ...event }: ClientEvent): void {
  const { feed, address, seconds = 0, code, reason, cause = "", status } = event;
  if (type === "refused")
    return log.often(
      "warn",
      "client-refused",
      `refused ${address}: ${status}, ${CAUSES[cause]}`,
      event,
      `client-refused, ${cause}`,
    );
  if (type === "connected") return log.often("info", "client-connected", `client from ${address}: ${feed}`, event);
  const isTrouble = code === 1013 || reason?.startsWith("too slow");
  const why = [...(code === undefined || code === 1006 ? [] : [code]), ...(reason ? [reason] : [])].join(" ");
  const text = `client from ${address} is gone: ${feed}, ${seconds.toFixed(1)} s${why && `, ${why}`}`;
  log.often(isTrouble ? "warn" : "info", isTrouble ? "client-too-slow" : "client-disconnected", text, {
    ...event,
    seconds: Math.round(seconds * 1000) / 1000,
  });
}

export type FileReport = {
  /** A file goes on air. */
  onAir(name: string, facts: { rows: number; columns: number; dialect: string; warnings: readonly string[] }): void;
  /** One warning for each kind; how the counts go on is in the status line. */
  warnings(name: string, warnings: readonly string[]): void;
  /** Whether what is on air is what the file says; each state once. */
  state(name: string, state: string, message: string): void;
};

export function openFileReport(log: Log): FileReport {
  let warned = "";
  let said = "live";

  function warnings(name: string, warnings: readonly string[]): void {
    const text = warnings.join("; ");
    const kinds = text.replace(/\d+/g, "");
    if (kinds !== warned && text !== "") log.warn("file-warning", `warning: ${text}`, { file: name });
    warned = kinds;
  }

  return {
    onAir(name, facts) {
      said = "live";
      const { rows, columns, dialect } = facts;
      log.info("file-on-air", `${name}: ${shapeText(facts)}, ${dialect}`, { file: name, rows, columns, dialect });
    },
    warnings,
    state(name, state, message) {
      const text = state === "live" ? "live" : `${state}: ${message}`;
      if (text === said) return;
      said = text;
      if (state === "live") log.info("file-state", `live again: ${name}`, { file: name, state });
      else log.warn("file-state", text, { file: name, state });
    },
  };
}
