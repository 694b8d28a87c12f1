// What the log says, for a person and for a machine, and how it holds its tongue.
import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { type LogFormat, openLog } from "../../../src/cli/server/log.ts";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function openTestLog(format: LogFormat = "text") {
  const lines: string[] = [];
  const warnings: string[] = [];
  const log = openLog({
    format,
    line: (text) => lines.push(text),
    warn: (text) => warnings.push(text),
    now: () => 0,
  });
  return { log, lines, warnings };
}

describe("a line", () => {
  test("for a person is the text; trouble goes where trouble goes", () => {
    const { log, lines, warnings } = openTestLog();
    log.info("event", "news", { a: 1 });
    log.warn("event", "trouble");
    expect([lines, warnings]).toEqual([["news"], ["trouble"]]);
  });

  test("for a machine is one JSON object, whatever is in it", () => {
    const { log, lines, warnings } = openTestLog("json");
    log.info("event", 'a "name"\nwith a line end', { a: 1, b: "\u202e" });
    log.warn("other", "trouble");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        time: "1970-01-01T00:00:00.000Z",
        level: "info",
        event: "event",
        message: 'a "name"\nwith a line end',
        a: 1,
        b: "\u202e",
      },
      { time: "1970-01-01T00:00:00.000Z", level: "warn", event: "other", message: "trouble" },
    ]);
    expect(lines.every((line) => !line.includes("\n"))).toBe(true);
    expect(warnings).toEqual([]);
  });
});

describe("what comes by the thousand", () => {
  test("is said five times a second, and then summed up", () => {
    const { log, lines } = openTestLog();
    for (let n = 0; n < 5000; n++) log.often("info", "client-connected", `client ${n}`);
    expect(lines).toEqual(["client 0", "client 1", "client 2", "client 3", "client 4"]);
    jest.advanceTimersByTime(1_000);
    expect(lines.slice(5)).toEqual(["client-connected: 4,995 more within a second"]);
    log.often("info", "client-connected", "one more");
    expect(lines.at(-1)).toBe("one more");
    jest.advanceTimersByTime(10_000);
    expect(lines).toHaveLength(7);
  });

  test("does not silence anything else, and is not lost at the end", () => {
    const { log, lines, warnings } = openTestLog();
    for (let n = 0; n < 7; n++) log.often("warn", "client-refused", `refused ${n}`);
    log.often("info", "client-connected", "client");
    expect(lines).toEqual(["client"]);
    log.flush();
    expect(warnings.at(-1)).toBe("client-refused: 2 more within a second");
  });
});
