// The wire: what is written is what docs/protocol.md says, and what is read is either that or refused.
import { describe, expect, test } from "bun:test";
import {
  deltaText,
  formatCursor,
  isRetryable,
  parseCursor,
  parseMessage,
  ProtocolError,
  snapshotText,
  statusText,
  syncText,
} from "../../src/feed/protocol.ts";

const cursor = { epoch: "k3f9", version: 120 };

describe("a message is what docs/protocol.md shows:", () => {
  const cases = [
    {
      name: "snapshot",
      text: snapshotText(cursor, '["time","0"]', 0, '[["09:00","1.5"]]', 1200),
      expected:
        '{"type":"snapshot","epoch":"k3f9","version":120,"columns":["time","0"],"at":0,"rows":[["09:00","1.5"]],"count":1200}',
    },
    {
      name: "delta",
      text: deltaText("k3f9", 120, 121, '[[1200,0,[["09:01","1.6"]]]]', 1201),
      expected:
        '{"type":"delta","epoch":"k3f9","from":120,"to":121,"splices":[[1200,0,[["09:01","1.6"]]]],"count":1201}',
    },
    {
      name: "snapshot with types",
      text: snapshotText(cursor, '["a"]', 0, "[]", 0, { types: '["number"]', units: '["V"]' }),
      expected:
        '{"type":"snapshot","epoch":"k3f9","version":120,"columns":["a"],"at":0,"rows":[],"count":0,"types":["number"],"units":["V"]}',
    },
    {
      name: "delta with types",
      text: deltaText("k3f9", 120, 121, "[]", 0, { types: '["number"]', units: "[null]" }),
      expected:
        '{"type":"delta","epoch":"k3f9","from":120,"to":121,"splices":[],"count":0,"types":["number"],"units":[null]}',
    },
    {
      name: "snapshot of the last rows",
      text: snapshotText(cursor, '["a"]', 0, "[]", 0, { types: '["number"]', units: "[null]" }, 1000),
      expected:
        '{"type":"snapshot","epoch":"k3f9","version":120,"columns":["a"],"at":0,"rows":[],"count":0,"first":1000,"types":["number"],"units":[null]}',
    },
    {
      name: "delta of the last rows",
      text: deltaText("k3f9", 120, 121, "[]", 0, undefined, 1001),
      expected: '{"type":"delta","epoch":"k3f9","from":120,"to":121,"splices":[],"count":0,"first":1001}',
    },
    {
      name: "sync",
      text: syncText({ epoch: "k3f9", version: 121 }, 1201, 1760000000000),
      expected: '{"type":"sync","epoch":"k3f9","version":121,"count":1201,"time":1760000000000}',
    },
    {
      name: "status",
      text: statusText({ state: "missing", message: 'a "b".csv: no such file', since: 1760000000000 }),
      expected: '{"type":"status","state":"missing","message":"a \\"b\\".csv: no such file","since":1760000000000}',
    },
    {
      name: "status of a replay",
      text: statusText({ state: "live", message: "", since: 1, replay: { speed: "10x", isFinished: true } }),
      expected: '{"type":"status","state":"live","message":"","since":1,"replay":{"speed":"10x","isFinished":true}}',
    },
    {
      name: "status with what is held back, and what seems odd",
      text: statusText({ state: "live", message: "", since: 1, pendingBytes: 34, warnings: ["line 2: odd"] }),
      expected: '{"type":"status","state":"live","message":"","since":1,"pendingBytes":34,"warnings":["line 2: odd"]}',
    },
    {
      name: "status without warnings",
      text: statusText({ state: "updating", message: "anew", since: 1, warnings: [] }),
      expected: '{"type":"status","state":"updating","message":"anew","since":1}',
    },
  ];
  test.each(cases)("$name, and is read as that", ({ text, expected }) => {
    expect(text).toBe(expected);
    expect(parseMessage(text) as unknown).toEqual(JSON.parse(expected));
  });

  test.each([
    { pendingBytes: -1 },
    { pendingBytes: "7" },
    { warnings: "odd" },
    { warnings: [1] },
    { replay: { speed: 1 } },
  ])("a status with %p, which says nothing, is one without it", (odd) => {
    const text = statusText({ state: "live", message: "", since: 1 });
    expect(parseMessage(JSON.stringify({ ...JSON.parse(text), ...odd }))).toEqual(parseMessage(text));
  });

  test.each([-1, 1.5, "7", null, {}])(
    "with a first row of %p, which is no number of rows, is one without it",
    (first) => {
      const text = snapshotText(cursor, '["a"]', 0, "[]", 0);
      expect(parseMessage(JSON.stringify({ ...JSON.parse(text), first }))).toEqual(parseMessage(text));
      const delta = deltaText("k3f9", 1, 2, "[]", 0);
      expect(parseMessage(JSON.stringify({ ...JSON.parse(delta), first }))).toEqual(parseMessage(delta));
    },
  );

  test("of an unknown type, which is ignored, and with unknown fields, which are too", () => {
    expect(parseMessage('{"type":"weather"}')).toBeUndefined();
    expect(parseMessage('{"type":"status","state":"live","message":"","since":0,"more":1}')?.type).toBe("status");
  });
});

describe("what is no message is refused:", () => {
  const cases = [
    "",
    "hello",
    "[]",
    "null",
    '{"type":"snapshot"}',
    '{"type":"snapshot","epoch":"a","version":1,"columns":["x"],"at":-1,"rows":[],"count":0}',
    '{"type":"snapshot","epoch":"a","version":1,"columns":["x"],"at":0,"rows":["x"],"count":1}',
    '{"type":"delta","epoch":"a","from":1,"to":2,"splices":[[0,1]],"count":0}',
    '{"type":"delta","epoch":"a","from":1,"to":2,"splices":[["0",1,[]]],"count":0}',
    '{"type":"delta","epoch":7,"from":1,"to":2,"splices":[],"count":0}',
    '{"type":"sync","epoch":"a","version":1.5,"count":0,"time":0}',
    '{"type":"status"}',
  ];
  test.each(cases)("%s", (text) => {
    expect(() => parseMessage(text)).toThrow(ProtocolError);
  });
});

describe("a cursor", () => {
  test("survives being written and read", () => {
    expect(parseCursor(formatCursor(cursor))).toEqual(cursor);
    expect(formatCursor({ epoch: "a-_Z", version: 0 })).toBe("a-_Z:0");
    const last = { epoch: "a", version: Number.MAX_SAFE_INTEGER }; // which a message may have
    expect(parseCursor(formatCursor(last))).toEqual(last);
  });

  test.each([
    "",
    ":1",
    "a:",
    "a:-1",
    "a:1:2",
    "a b:1",
    `${"a".repeat(65)}:1`,
    "a:1e3",
    '"a":1',
    "a:9007199254740992",
    "a:00000000000000001",
  ])("is not %j", (text) => expect(parseCursor(text)).toBeUndefined());
});

test("only unsupported data, a breach of policy and too big a message are final", () => {
  const final = [1000, 1001, 1003, 1006, 1008, 1009, 1011, 1012, 1013, 4000].filter((code) => !isRetryable(code));
  expect(final).toEqual([1003, 1008, 1009]);
});

test.each(['"types":1', '"types":["number"]', '"types":["number"],"units":[1]', '"types":[null],"units":[null]'])(
  "types and units that are none are as if they were not there: %s",
  (fields) => {
    const text = deltaText("k3f9", 1, 2, "[]", 0);
    expect(parseMessage(text.replace(/}$/, `,${fields}}`)) as unknown).toEqual(JSON.parse(text));
  },
);
