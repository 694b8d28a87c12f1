// Whether what is on the page is what the file says, in a word, with its age: so that nobody takes an old table for a fresh one. Pure.
import type { Replay, State } from "../feed/protocol.ts";

export type Tone = "live" | "waiting" | "trouble" | "gone" | "paused";

/** All that there is to say. Times by `performance.now()`. */
export type Situation = {
  /** Undefined until the server has sent something. */
  readonly status:
    | {
        readonly state: State;
        readonly message: string;
        readonly pendingBytes?: number | undefined;
        readonly warnings?: readonly string[] | undefined;
        readonly replay?: Replay | undefined;
      }
    | undefined;
  readonly connection: "connecting" | "open" | "current" | "reconnecting" | "ended";
  /** Why there is no connection. */
  readonly why: string;
  readonly changedAt: number | undefined;
  readonly heardAt: number | undefined;
  /** When the Worker was there last. */
  readonly aliveAt: number;
  readonly isPaused: boolean;
  readonly isBehind: boolean;
  /** From 0 to 1: so much of the table is there, and its beginning is shown; undefined if all is. */
  readonly loaded: number | undefined;
  readonly rows: number;
  readonly file: string;
};

export type Verdict = { readonly tone: Tone; readonly word: string; readonly age: string; readonly notice: string };

/** The server speaks every 5 s; what is silent for longer may be dead. */
const SILENT_MS = 8_000;
const DEAD_WORKER_MS = 10_000;

/** What the badge says; pure. The worst comes first. */
export function judge(situation: Situation, now: number): Verdict {
  const { status, connection, why, changedAt, heardAt, aliveAt, isPaused, isBehind, loaded } = situation;
  const changed = changedAt === undefined ? "" : `changed ${ageText(now - changedAt)} ago`;
  const heard = heardAt === undefined ? "" : `last heard ${ageText(now - heardAt)} ago`;
  const message = status?.message ?? "";
  if (connection === "ended")
    return { tone: "gone", word: "ended", age: heard, notice: `${why}. Reload to try again.` };
  if (now - aliveAt > DEAD_WORKER_MS)
    return { tone: "gone", word: "stopped", age: heard, notice: "This page has stopped following. Reload it." };
  if (connection === "reconnecting") return { tone: "gone", word: "reconnecting", age: heard, notice: "" };
  if (connection === "connecting") return { tone: "waiting", word: "connecting", age: "", notice: "" };
  if (heardAt !== undefined && now - heardAt > SILENT_MS)
    return { tone: "trouble", word: "silent", age: heard, notice: "" };
  if (loaded !== undefined)
    return { tone: "waiting", word: "loading", age: `${Math.floor(loaded * 100)} %`, notice: "" };
  const age = [changed, ...oddities(status)].filter((text) => text !== "").join(" · ");
  if (status?.state === "updating") return { tone: "waiting", word: "updating", age, notice: message };
  if (status && status.state !== "live" && status.state !== "waiting")
    return { tone: "trouble", word: status.state, age: changed, notice: message };
  if (isPaused) return { tone: "paused", word: "paused", age: isBehind ? "there is more" : changed, notice: "" };
  if (status?.state === "live") return { tone: "live", word: "live", age, notice: "" };
  if (!status) return { tone: "waiting", word: "loading", age: "", notice: "" }; // nobody has said that there is no table
  return { tone: "waiting", word: "waiting", age: "", notice: "" };
}

/** `replay 10x`, `incomplete row`, `2 warnings` */
function oddities(status: Situation["status"]): string[] {
  const { pendingBytes = 0, warnings = [], replay } = status ?? {};
  const played = replay ? [`replay ${replay.speed}${replay.isFinished ? ", finished" : ""}`] : [];
  const warned = warnings.length === 1 ? "1 warning" : `${warnings.length} warnings`;
  return [...played, ...(pendingBytes > 0 ? ["incomplete row"] : []), ...(warnings.length > 0 ? [warned] : [])];
}

/** `3 s`, `2 min`, `5 h`, `3 d` */
export function ageText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`;
}
