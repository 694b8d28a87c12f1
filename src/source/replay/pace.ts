// When each row of a replay is due. Pure: rows in, milliseconds out.
import type { ReplaySpeed } from "./speed.ts";

export type Pace = {
  /** When the next row is due, in ms from the first one on: never before the row in front of it. */
  next(cells: () => readonly string[]): number;
  /** What was odd so far: a sentence each. */
  oddities(): readonly string[];
};

/** The time of a row in ms, or NaN. */
export type RowClock = (cells: readonly string[]) => number;

/** `clock` is asked only if the speed is that of times. */
export function openPace(speed: ReplaySpeed, clock: RowClock): Pace {
  return "times" in speed ? byTimes(speed.times, clock) : byRows(speed.rowsPerSecond);
}

function byRows(rowsPerSecond: number): Pace {
  let rows = 0;
  return { next: () => (rows++ * 1000) / rowsPerSecond, oddities: () => [] };
}

/**
 * A row whose time is before that of the row in front of it, or is none, comes with that one. If the next row goes on from there, the
 * times have begun anew, as where a clock was set or a second run was appended: then they count from there.
 */
function byTimes(times: number, clock: RowClock): Pace {
  let latest = Number.NaN; // the time that `due` stands for
  let behind = Number.NaN; // of the last row, if it was before that
  let due = 0;
  let backwards = 0;
  let timeless = 0;

  function next(cells: () => readonly string[]): number {
    const time = clock(cells());
    if (!Number.isFinite(time)) {
      timeless++;
      return due;
    }
    if (Number.isNaN(latest)) latest = time;
    else if (time < latest && !(time >= behind)) {
      backwards++;
      behind = time;
      return due;
    }
    due += (time - (time < latest ? behind : latest)) / times;
    latest = time;
    behind = Number.NaN;
    return due;
  }

  function oddities(): string[] {
    return [
      ...(backwards > 0
        ? [`${plural(backwards, "time")} before the one in front: such a row comes with that one`]
        : []),
      ...(timeless > 0 ? [`${plural(timeless, "row")} without a time: such a row comes with the one in front`] : []),
    ];
  }

  return { next, oddities };
}

const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;
