// What happens in a server, in words: for people as lines, with `--log json` for machines. The only place that finds words for events.
import type { RefusalCause, ServerEvent } from "../../channel/events.ts";
import type { Log } from "./log.ts";
import { sizeText } from "../../feed/printable.ts";
import { ageText, shapeText } from "./status.ts";

/** Why the server turns someone away, for the person who runs it. */
const CAUSES: Readonly<Record<RefusalCause, string>> = {
  host: "its Host header names no host of this server",
  origin: "a web page from elsewhere",
  token: "no token, or a wrong one",
  guesses: "too many wrong tokens",
  full: "--max-clients are connected",
  address: "--max-per-address are connected",
};

/** The option that would let it in, to be copied: so nothing is in it that a shell reads in a way of its own. */
function allowing({ cause, named }: Extract<ServerEvent, { type: "client-refused" }>): string {
  if (cause !== "host" && cause !== "origin") return "";
  if (cause === "origin" && named === "null") return "; it is a file or in a sandbox, and has no origin to allow";
  if (named === undefined || !NAMEABLE[cause].test(named)) return ` (--allow-${cause})`;
  return `; to let it in: --allow-${cause} ${named}`;
}

const NAMEABLE = {
  host: /^[a-z0-9_][a-z0-9_.-]*$/i,
  origin: /^https?:\/\/([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i,
};

export function report(log: Log, event: ServerEvent): void {
  switch (event.type) {
    case "client-connected":
    case "client-disconnected":
    case "client-refused":
      return reportClient(log, event);
    case "relay-published":
    case "relay-taken":
    case "relay-away":
    case "relay-back":
    case "relay-trouble":
      return reportRelay(log, event);
    case "relay-refused":
      return; // ends the program, which says why
    case "file-on-air":
    case "file-awaited":
    case "file-changed":
    case "file-warning":
    case "file-state":
    case "file-replay":
    case "file-refused":
    case "file-leaving":
    case "file-gone":
    case "message-too-large":
      return reportTable(log, event);
    default:
      return reportProgram(log, event);
  }
}

type EventOf<Prefix extends string> = Exclude<Extract<ServerEvent, { type: `${Prefix}-${string}` }>, Refused>;
type Refused = { type: "relay-refused" };

function reportTable(log: Log, event: EventOf<"file"> | EventOf<"message">): void {
  const { type, ...fields } = event;
  switch (event.type) {
    case "file-on-air":
      if (event.table !== undefined) return log.often("info", type, `/${event.table}: ${onAirText(event)}`, fields);
      return log.info(type, onAirText(event), fields);
    case "file-awaited": {
      const { path, reason, similar } = event;
      return log.warn(type, `waiting for ${path}: ${reason}${similar ? `; is ${similar} meant?` : ""}`, fields);
    }
    case "file-changed":
      return log.often("info", type, changedText(event), fields);
    case "file-warning":
      return log.warn(type, `warning: ${event.warnings.join("; ")}`, { file: event.file });
    case "file-state": {
      const { file, state, message, table } = event;
      const isLive = state === "live";
      const text = isLive ? `live again: ${file}` : `${state}: ${message}`;
      // With their relay all of them are stale at once.
      if (table !== undefined)
        return log.often(isLive ? "info" : "warn", type, text, { file, state }, `${type}, ${state}`);
      return isLive ? log.info(type, text, { file, state }) : log.warn(type, text, { file, state });
    }
    case "file-replay": {
      const { file, speed, isFinished } = event;
      return log.info(type, `${isFinished ? "replayed to its end" : "replaying"}: ${file} at ${speed}`, fields);
    }
    case "file-refused":
      return log.warn(type, event.reason);
    case "file-leaving":
      return log.info(type, `${event.file} is not there any more: its table goes in ${ageText(event.graceMs)}`, fields);
    case "file-gone":
      return log.info(type, `gone: ${event.file}`, fields);
    case "message-too-large": {
      const limit = `--max-message (${sizeText(event.maxBytes)})`;
      return log.warn(type, `the table is larger than ${limit}: clients are closed with 1009; raise it`);
    }
  }
}

type Shown = { readonly file: string; readonly rows: number; readonly columns: number; readonly dialect: string };

function onAirText({ file, dialect, ...shape }: Shown): string {
  return shape.columns === 0 ? `${file}: empty so far` : `${file}: ${shapeText(shape)}, ${dialect}`;
}

function changedText({ change, ...shown }: Extract<ServerEvent, { type: "file-changed" }>): string {
  const { file, dialect } = shown;
  switch (change) {
    case "first":
      return onAirText(shown);
    case "none":
      return `${file}: empty now`;
    case "columns":
      return `${file}: other columns now: ${shapeText(shown)}, ${dialect}`;
    case "dialect":
      return `${file}: read otherwise now: ${shapeText(shown)}, ${dialect}`;
  }
}

const tableText = ({ table }: { readonly table?: string | undefined }) => (table === undefined ? "" : `, ${table}`);

function reportClient(log: Log, event: EventOf<"client">): void {
  const { type, ...fields } = event;
  switch (event.type) {
    case "client-connected":
      return log.often("info", type, `client from ${event.address}: ${event.feed}${tableText(event)}`, fields);
    case "client-refused": {
      const text = `refused ${event.address}: ${event.status}, ${CAUSES[event.cause]}${allowing(event)}`;
      return log.often("warn", type, text, fields, `${type}, ${event.cause}`);
    }
    case "client-disconnected": {
      const { feed, address, seconds, code, reason } = event;
      const isTooSlow = code === 1013 || reason.startsWith("too slow");
      const why = [...(code === undefined || code === 1006 ? [] : [code]), ...(reason ? [reason] : [])].join(" ");
      const text = `client from ${address} is gone: ${feed}${tableText(event)}, ${seconds.toFixed(1)} s${why && `, ${why}`}`;
      const rounded = { ...fields, seconds: Math.round(seconds * 1000) / 1000 };
      return log.often(isTooSlow ? "warn" : "info", isTooSlow ? "client-too-slow" : type, text, rounded);
    }
  }
}

function reportRelay(log: Log, event: EventOf<"relay">): void {
  const { type, relay } = event;
  switch (event.type) {
    case "relay-published":
      return log.info(type, `relay: published as ${relay}`, { relay });
    case "relay-taken": {
      const text = `relay: ${relay} is published by another server`;
      if (event.isStandby) return log.info(type, `${text}; standing by`, { relay });
      const meanwhile = "own clients go on to be served, and the topic is taken back when it is free";
      return log.warn(type, `${text}; ${meanwhile}`, { relay });
    }
    case "relay-away":
      return log.warn(type, `relay: ${relay}: ${event.reason}; own clients go on to be served`, { relay });
    case "relay-back":
      return log.info(type, `relay: ${relay} answers again`, { relay });
    case "relay-trouble":
      if (event.table === undefined) return log.warn(type, `relay: ${relay}: ${event.reason}`, { relay });
      return log.often("warn", type, `/${event.table}: relay: ${relay}: ${event.reason}`, {
        relay,
        table: event.table,
      });
  }
}

function reportProgram(
  log: Log,
  event: Exclude<ServerEvent, EventOf<"file"> | EventOf<"message"> | EventOf<"client"> | EventOf<"relay"> | Refused>,
): void {
  const { type, ...fields } = event;
  switch (event.type) {
    case "listening":
      return log.info(type, `WebSocket server started. Listening on ${event.address}.`, fields);
    case "port-taken":
      return log.info(type, `${event.taken} is taken, using ${event.port}`, fields);
    case "public":
      return log.warn(type, "--no-token: everyone who can reach this port may read");
    case "browser-unopened":
      return log.warn(type, event.reason);
    case "few-descriptors": {
      const { maxClients, openFiles } = event;
      const text = `no more than ${maxClients} clients: ${openFiles} files may be open; see ulimit -n`;
      return log.warn(type, text, { maxClients });
    }
    case "unannounced":
      return log.warn(type, `clients must be given the URL: ${event.reason}`);
    case "certificate-renewed":
      return log.info(type, "new connections get the new certificate");
    case "certificate-unusable":
      return log.warn(type, `${event.reason}; the last good one stays in use`);
    case "ending":
      return log.info(type, event.reason, { code: event.code });
    case "unexpected":
      return log.warn(type, `unexpected: ${event.reason}`);
  }
}
