// What the log says, for a person and for a machine, and how it holds its tongue.
import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { type LogFormat, openLog } from "../../src/cli/log.ts";
import { openFileReport, reportClient } from "../../src/cli/report.ts";

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

describe("a client", () => {
  const cases = [
    {
      event: { type: "connected", feed: "live", address: "10.0.0.7" },
      expected: ["info", "client from 10.0.0.7: live"],
    },
    {
      event: { type: "disconnected", feed: "plain", address: "10.0.0.7", seconds: 12.34, code: 1000, reason: "" },
      expected: ["info", "client from 10.0.0.7 is gone: plain, 12.3 s, 1000"],
    },
    {
      event: { type: "disconnected", feed: "plain", address: "::1", seconds: 1, code: 1006, reason: "" },
      expected: ["info", "client from ::1 is gone: plain, 1.0 s"],
    },
    {
      event: { type: "disconnected", feed: "live", address: "::1", seconds: 1, code: 1013, reason: "too slow: x" },
      expected: ["warn", "client from ::1 is gone: live, 1.0 s, 1013 too slow: x"],
    },
    {
      event: { type: "disconnected", feed: "events", address: "::1", seconds: 1, reason: "too slow: x" },
      expected: ["warn", "client from ::1 is gone: events, 1.0 s, too slow: x"],
    },
    {
      event: { type: "refused", address: "10.0.0.7", status: 401, cause: "token" },
      expected: ["warn", "refused 10.0.0.7: 401, no token, or a wrong one"],
    },
  ] as const;
  test.each(cases)("$event.type: $expected", ({ event, expected }) => {
    const { log, lines, warnings } = openTestLog();
    reportClient(log, event);
    expect([expected[0] === "info" ? lines : warnings, lines.length + warnings.length]).toEqual([[expected[1]], 1]);
  });
});

test("a file's state is said when it begins, and when it is over", () => {
  const { log, lines, warnings } = openTestLog();
  const report = openFileReport(log);
  report.onAir("a.csv", { rows: 1, columns: 2, dialect: "comma, UTF-8", warnings: [] });
  report.state("a.csv", "live", "");
  report.state("a.csv", "missing", "a.csv: no such file");
  report.state("a.csv", "missing", "a.csv: no such file");
  report.state("a.csv", "live", "");
  report.warnings("a.csv", ["3 cells dropped"]);
  report.warnings("a.csv", ["4 cells dropped"]);
  expect(lines).toEqual(["a.csv: 1 row × 2 columns, comma, UTF-8", "live again: a.csv"]);
  expect(warnings).toEqual(["missing: a.csv: no such file", "warning: 3 cells dropped"]);
});
