// What a publisher says of its tables, beat by beat.
import { describe, expect, test } from "bun:test";
import { openBeats } from "../../src/relay/publish/beats.ts";

const parsed = (beat: { text: string } | undefined) => beat && (JSON.parse(beat.text) as Record<string, unknown>);

describe("of one table", () => {
  test("a beat is what it is, and as many are kept as say something", () => {
    const beats = openBeats();
    beats.begin("l", false);
    expect(beats.next([["csv", undefined]], true)).toBeUndefined();
    const beat = beats.next([["csv", '{"version":1}']], false);
    expect(parsed(beat)).toEqual({ kind: "beat", list: "l", tables: { csv: { version: 1 } } });
    expect(beat!.keeps).toEqual(["MAXLEN", "16"]);
    beats.written("1-0");
    expect(parsed(beats.next([["csv", '{"version":1}']], true))).toMatchObject({ tables: { csv: { version: 1 } } });
  });
});

describe("of several", () => {
  test("all is said at first, then what is news, and nothing when there is none, but for a heartbeat", () => {
    const beats = openBeats();
    beats.begin("l", true);
    expect(
      parsed(
        beats.next(
          [
            ["a", "1"],
            ["b", undefined],
          ],
          true,
        ),
      ),
    ).toEqual({
      ...{ kind: "beat", list: "l", n: 1, full: true },
      tables: { a: 1, b: null },
    });
    beats.written("1-0");
    expect(beats.isFull()).toBe(false);
    expect(beats.next([["a", "1"]], false)).toBeUndefined();
    expect(
      parsed(
        beats.next(
          [
            ["a", "1"],
            ["b", "2"],
          ],
          false,
        ),
      ),
    ).toEqual({ kind: "beat", list: "l", n: 2, tables: { b: 2 } });
    beats.written("2-0");
    const heartbeat = beats.next([], true);
    expect(parsed(heartbeat)).toEqual({ kind: "beat", list: "l", n: 3, tables: {} });
    expect(heartbeat!.keeps).toEqual(["MINID", "1-0"]); // since all was said last
  });

  test("one that was not written is said again, under the same number", () => {
    const beats = openBeats();
    beats.begin("l", true);
    beats.next([["a", "1"]], true);
    beats.written("1-0");
    beats.next([["a", "2"]], false);
    expect(parsed(beats.next([["a", "2"]], false))).toMatchObject({ n: 2, tables: { a: 2 } });
  });

  test("all is said again after a while, after many bytes, with another list, and when it was lost", () => {
    const beats = openBeats();
    const say = (text: string) => {
      beats.next([["a", text]], true);
      beats.written("1-0");
    };
    beats.begin("l", true);
    say("1");
    let count = 0;
    for (; !beats.isFull(); count++) say("1");
    expect(count).toBe(63);
    say("1");
    say(JSON.stringify("x".repeat(40_000)));
    expect(beats.isFull()).toBe(false);
    say(JSON.stringify("y".repeat(40_000)));
    expect(beats.isFull()).toBe(true);
    say("1");
    beats.renew();
    expect(beats.isFull()).toBe(true);
    say("1");
    beats.begin("m", true);
    expect(beats.isFull()).toBe(true);
  });
});
