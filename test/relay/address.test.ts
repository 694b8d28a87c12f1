// Which Redis, which topic, and what a server does there; and that no message ever holds a password.
import { describe, expect, test } from "bun:test";
import { isRelayUrl, parseAddress, relayAddress, relayName, relayRole } from "../../src/relay/address.ts";

describe("the URL of a relay", () => {
  test.each([
    { text: "redis://h", url: "redis://h:6379/0", topic: "csv", name: "topic csv at h:6379" },
    { text: "redis://h:1/", url: "redis://h:1/0", topic: "csv", name: "topic csv at h:1" },
    {
      text: "REDISS://h/3?topic=a.b-c_1",
      url: "rediss://h:6379/3",
      topic: "a.b-c_1",
      name: "topic a.b-c_1 at h:6379/3",
    },
    {
      text: "redis://u:p%40ss@[::1]:7?topic=x",
      url: "redis://u:p%40ss@[::1]:7/0",
      topic: "x",
      name: "topic x at [::1]:7",
    },
    { text: "redis://:$&@h", url: "redis://:$&@h:6379/0", topic: "csv", name: "topic csv at h:6379" },
  ])("$text", ({ text, url, topic, name }) => {
    expect(relayAddress(text)).toMatchObject({ url, topic, name });
  });

  test.each([
    ["redis://", "a relay is redis://HOST"],
    ["http://h", "a relay is redis://HOST"],
    ["redis://h/csv", "a topic is given as ?topic=NAME"],
    ["redis://h/1/2", "the path is the number of a database"],
    ["redis://h?topic=", "a topic is 1 to 64 of"],
    [`redis://h?topic=${"x".repeat(65)}`, "a topic is 1 to 64 of"],
    ["redis://h?topic=a%7Bb%7D", "a topic is 1 to 64 of"],
    ["redis://h?topic=a&topic=b", "a relay is redis://HOST"],
    ["redis://h?db=1", "a relay is redis://HOST"],
    ["redis://h#csv", "a relay is redis://HOST"],
  ])("%s is none", (text, expected) => {
    expect(relayAddress(text)).toEqual({ fault: expect.stringContaining(expected) as string });
  });

  test("is shown without its password, whatever is in it, and whatever is wrong with it", () => {
    const secret = "s3cr3t";
    for (const password of [
      secret,
      `${secret}/x`,
      `${secret}@x`,
      `${secret} x`,
      `${secret}?x`,
      `${secret}#x`,
      `${secret}\n`,
    ])
      for (const rest of ["h", "h/csv", "h:99999", "h?topic=/", ""]) {
        const text = `redis://:${password}@${rest}`;
        const address = relayAddress(text);
        const parsed = parseAddress(text);
        const words = "fault" in address ? [address.fault] : [address.name, address.host, address.topic];
        if ("fault" in parsed) words.push(parsed.fault);
        expect([...words, relayName(text)].join(" ")).not.toContain(secret);
      }
  });
});

test.each([
  ["redis://u:p@h?topic=t", "topic t at h:6379"],
  ["redis://u:p@h/\n\u001b[1m", '"redis://***@h/\\n\\u001b[1m"'],
  ["f.csv", undefined],
])("%j is called %j", (location, expected) => {
  expect(relayName(location)).toBe(expected);
});

test.each([
  ["redis://h", true],
  ["rediss://h", true],
  ["REDIS://h", true],
  ["redis.csv", false],
  ["./redis://h", false],
] as const)("%s is a relay: %s", (text, expected) => {
  expect(isRelayUrl(text)).toBe(expected);
});

describe("a server", () => {
  const cases: { name: string; given: Parameters<typeof relayRole>; expected: object }[] = [
    {
      name: "without a relay",
      given: ["f.csv", undefined, false],
      expected: { location: "f.csv", publishesTo: undefined },
    },
    { name: "that asks for its file", given: [undefined, undefined, false], expected: { location: undefined } },
    {
      name: "that publishes to one",
      given: ["f.csv", "redis://h?topic=t", false],
      expected: { location: "f.csv", publishesTo: { topic: "t", host: "h:6379" } },
    },
    {
      name: "that follows one",
      given: ["redis://h?topic=t", undefined, false],
      expected: { location: "redis://h?topic=t", publishesTo: undefined },
    },
    {
      name: "that follows one with the credentials of the variable",
      given: ["redis://h:6379/2?topic=t", "redis://u:$&p@h", false],
      expected: { location: "redis://u:$&p@h:6379/2?topic=t", publishesTo: undefined },
    },
    {
      name: "that follows one with credentials of its own",
      given: ["redis://a:b@h?topic=t", "redis://u:p@h", false],
      expected: { location: "redis://a:b@h?topic=t", publishesTo: undefined },
    },
    {
      name: "that would do both",
      given: ["redis://h", "redis://u:p@other", false],
      expected: { fault: expect.stringContaining("--relay other:6379") as string },
    },
    {
      name: "that follows what is none",
      given: ["redis://h/x", undefined, false],
      expected: { fault: expect.any(String) as string },
    },
    {
      name: "with what is none",
      given: ["f.csv", "http://u:p@h", false],
      expected: { fault: expect.stringMatching(/^--relay http:\/\/\*\*\*@h: a relay is/) as string },
    },
    {
      name: "that stands by without a file",
      given: [undefined, "redis://h", true],
      expected: { fault: expect.stringContaining("--standby: needs FILE") as string },
    },
    {
      name: "that stands by for nothing",
      given: ["f.csv", undefined, true],
      expected: { fault: "--standby: needs --relay" },
    },
  ];
  test.each(cases)("$name", ({ given, expected }) => {
    expect(relayRole(...given)).toMatchObject(expected);
  });
});
