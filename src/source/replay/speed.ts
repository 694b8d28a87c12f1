// How fast a file is played: by the times in it, or by its rows. Pure.
import { isWebUrl, STDIN } from "../location.ts";

/** `times` as fast as it was written; or so many rows a second. */
export type ReplaySpeed = { readonly times: number } | { readonly rowsPerSecond: number };

export type ReplayOptions = {
  /** The file is finished, and played as if it were written now. Default: it is not. */
  readonly replay?: ReplaySpeed | undefined;
  /** The column that a replay goes by. Default: the first one of times. */
  readonly replayBy?: string | undefined;
  /** At its end a replay begins once more, in a new epoch. Default: no. */
  readonly loops?: boolean | undefined;
};

const MAX_SPEED = 1e9;
const isSpeed = (value: number) => value > 0 && value <= MAX_SPEED;

/** `10x`, `0.5x`, `100/s`; undefined for anything else. */
export function parseSpeed(text: string): ReplaySpeed | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(x|\/s)$/.exec(text.trim()) ?? [];
  const value = Number(digits);
  if (!isSpeed(value)) return undefined;
  return unit === "x" ? { times: value } : { rowsPerSecond: value };
}

export const speedText = (speed: ReplaySpeed) => ("times" in speed ? `${speed.times}x` : `${speed.rowsPerSecond}/s`);

/** Why these options make no replay; undefined if they do, or ask for none. `location`: the first one, if there is one. */
export function replayFault({ replay, replayBy, loops }: ReplayOptions, location?: string): string | undefined {
  if (!replay && replayBy !== undefined) return `--replay-by ${replayBy}: needs --replay, such as --replay 10x`;
  if (!replay) return loops ? "--loop: needs --replay, such as --replay 10x" : undefined;
  const speed = "times" in replay ? replay.times : replay.rowsPerSecond;
  if (!isSpeed(speed)) return `--replay ${speedText(replay)}: a speed is over 0, and at most ${MAX_SPEED}`;
  if (!("times" in replay) && replayBy !== undefined)
    return `--replay-by ${replayBy}: --replay ${speedText(replay)} goes by rows; --replay 10x goes by times`;
  if (location === undefined || isPath(location)) return undefined;
  const what = location === STDIN ? "standard input" : "no file";
  return `--replay ${speedText(replay)}: plays a file that is finished, and FILE is ${what}`;
}

/** Whether a location may be that of a file. */
export const isPath = (location: string) =>
  location !== STDIN && !isWebUrl(location) && !/^rediss?:\/\//i.test(location);
