// Who may come in: the rules alone. That they are asked on every request is shown in hub.test.ts.
import { describe, expect, test } from "bun:test";
import { type AccessPolicy, refusalOf, type Visitor, visitorOf } from "../../src/hub/access.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";

const policy: AccessPolicy = {
  token: TOKEN,
  tokenFor: "strangers",
  hosts: ["csv.example", "MyMachine.local"],
  origins: ["https://dash.example", "http://Grafana.example:3000"],
  proxies: [],
  scheme: "http",
};

const script: Visitor = {
  address: "127.0.0.1",
  isLocal: true,
  peer: { address: "127.0.0.1", port: 1 },
  neighbour: undefined,
  host: "localhost:59050",
  origin: null,
  isCrossSite: false,
  token: null,
};

const peer = (address: string) => ({ address, port: 50_000 });

const statusOf = (visitor: Partial<Visitor>, over: Partial<AccessPolicy> = {}) =>
  refusalOf({ ...script, ...visitor }, { ...policy, ...over })?.status ?? "in";

describe("a Host header", () => {
  const cases: { name: string; input: string | null; expected: "in" | 403 }[] = [
    { name: "localhost", input: "localhost", expected: "in" },
    { name: "localhost with a port", input: "localhost:59050", expected: "in" },
    { name: "localhost in upper case", input: "LOCALHOST:59050", expected: "in" },
    { name: "a name under localhost", input: "csv.localhost:59050", expected: "in" },
    { name: "an IPv4 address", input: "192.168.1.20:59050", expected: "in" },
    { name: "an IPv6 address", input: "[::1]:59050", expected: "in" },
    { name: "an IPv6 address without a port", input: "[2001:db8::1]", expected: "in" },
    { name: "an IPv4-mapped address", input: "[::ffff:127.0.0.1]:59050", expected: "in" },
    { name: "an allowed name", input: "csv.example", expected: "in" },
    { name: "an allowed name in another case", input: "CSV.Example:443", expected: "in" },
    { name: "a machine name that was given in another case", input: "mymachine.local:59050", expected: "in" },
    { name: "no header", input: null, expected: 403 },
    { name: "an empty header", input: "", expected: 403 },
    { name: "a foreign name", input: "evil.example", expected: 403 },
    { name: "a foreign name with the right port", input: "evil.example:59050", expected: 403 },
    { name: "two headers, joined by a comma", input: "localhost:59050, evil.example", expected: 403 },
    { name: "two headers, the foreign one first", input: "evil.example, localhost:59050", expected: 403 },
    { name: "two headers joined without a space", input: "localhost,evil.example", expected: 403 },
    { name: "userinfo", input: "localhost@evil.example", expected: 403 },
    { name: "userinfo before a good name", input: "evil.example@localhost:59050", expected: 403 },
    { name: "userinfo with a password", input: "a:b@localhost", expected: 403 },
    { name: "localhost6", input: "localhost6:59050", expected: 403 },
    { name: "localhost with a trailing dot", input: "localhost.:59050", expected: 403 },
    { name: "an allowed name with a trailing dot", input: "csv.example.", expected: 403 },
    { name: "an address with a trailing dot", input: "127.0.0.1.", expected: 403 },
    { name: "an address as the start of a name", input: "127.0.0.1.evil.com", expected: 403 },
    { name: "a name that ends like localhost", input: "evillocalhost", expected: 403 },
    { name: "localhost as the start of a name", input: "localhost.evil.com", expected: 403 },
    { name: "an allowed name as the end of another", input: "evil-csv.example", expected: 403 },
    { name: "a name under an allowed one", input: "a.csv.example", expected: 403 },
    { name: "a short address", input: "127.1", expected: 403 },
    { name: "a decimal address", input: "2130706433", expected: 403 },
    { name: "an octal address", input: "0177.0.0.1", expected: 403 },
    { name: "an address with leading zeros", input: "127.000.000.001", expected: 403 },
    { name: "a hexadecimal address", input: "0x7f.0.0.1", expected: 403 },
    { name: "an address with a part above 255", input: "127.0.0.256", expected: 403 },
    { name: "an IPv6 address without brackets", input: "::1", expected: 403 },
    { name: "an IPv6 address with a zone", input: "[fe80::1%25eth0]:59050", expected: 403 },
    { name: "an IPv6 bracket that is never closed", input: "[::1", expected: 403 },
    { name: "something in brackets that is no address", input: "[::ffff:999.0.0.1]", expected: 403 },
    { name: "an IPv6 address that ends with a colon", input: "[::1:]", expected: 403 },
    { name: "colons in brackets", input: "[:::::]", expected: 403 },
    { name: "a port that is no number", input: "localhost:port", expected: 403 },
    { name: "two ports", input: "localhost:80:80", expected: 403 },
    { name: "a space", input: "ev il", expected: 403 },
    { name: "a space after a good name", input: "localhost evil.example", expected: 403 },
    { name: "a path", input: "localhost/evil.example", expected: 403 },
    { name: "a query", input: "localhost?evil.example", expected: 403 },
    { name: "a fragment", input: "localhost#evil.example", expected: 403 },
    { name: "a backslash", input: "localhost\\evil.example", expected: 403 },
    { name: "a line feed before a good name", input: "evil.example\nlocalhost", expected: 403 },
    { name: "a line feed after a good name", input: "localhost\n", expected: 403 },
    { name: "a name in Greek that looks the same", input: "lοcalhost", expected: 403 },
  ];
  test.each(cases)("with $name: $expected", ({ input, expected }) => {
    expect(statusOf({ host: input })).toBe(expected);
  });

  test("is checked even where nobody needs a token", () => {
    expect(statusOf({ host: "evil.example" }, { tokenFor: "nobody" })).toBe(403);
    expect(statusOf({ host: "evil.example", token: TOKEN }, { tokenFor: "everyone" })).toBe(403);
  });
});

describe("an Origin header", () => {
  const cases: { name: string; input: string; host?: string; expected: "in" | 403 }[] = [
    { name: "the server's own", input: "http://localhost:59050", expected: "in" },
    { name: "the server's own by address", input: "http://10.0.0.7:59050", host: "10.0.0.7:59050", expected: "in" },
    { name: "the server's own by IPv6", input: "http://[::1]:59050", host: "[::1]:59050", expected: "in" },
    {
      name: "the server's own, Host in upper case",
      input: "http://localhost:59050",
      host: "LOCALHOST:59050",
      expected: "in",
    },
    { name: "the server's own on port 80", input: "http://localhost", host: "localhost:80", expected: "in" },
    { name: "the server's own on port 80, left out", input: "http://localhost", host: "localhost", expected: "in" },
    { name: "an allowed one", input: "https://dash.example", expected: "in" },
    { name: "an allowed one that was given in another case", input: "http://grafana.example:3000", expected: "in" },
    { name: "null (a sandboxed page, a file)", input: "null", expected: 403 },
    { name: "nothing", input: "", expected: 403 },
    { name: "another port of this machine", input: "http://localhost:3000", expected: 403 },
    { name: "no port where the server has one", input: "http://localhost", expected: 403 },
    { name: "another scheme", input: "https://localhost:59050", expected: 403 },
    { name: "another name of this machine", input: "http://127.0.0.1:59050", expected: 403 },
    { name: "the WebSocket scheme", input: "ws://localhost:59050", expected: 403 },
    { name: "an extension", input: "chrome-extension://abcdefgh", expected: 403 },
    { name: "a file", input: "file://", expected: 403 },
    { name: "a foreign page", input: "https://evil.example", expected: 403 },
    { name: "the own name under a foreign one", input: "http://localhost.evil.com", expected: 403 },
    { name: "the own name and port under a foreign one", input: "http://localhost:59050.evil.com", expected: 403 },
    { name: "the own name as a fragment", input: "http://evil.com#localhost", expected: 403 },
    { name: "the own origin as a fragment", input: "http://evil.com#http://localhost:59050", expected: 403 },
    { name: "the own name as a path", input: "http://evil.com/localhost:59050", expected: 403 },
    { name: "the own name as userinfo", input: "http://localhost:59050@evil.com", expected: 403 },
    { name: "a path after the own one", input: "http://localhost:59050/", expected: 403 },
    { name: "the own one in upper case, which no browser sends", input: "HTTP://LOCALHOST:59050", expected: 403 },
    { name: "two of them", input: "http://localhost:59050, https://evil.example", expected: 403 },
    {
      name: "two of them, the foreign one first",
      input: "https://evil.example, http://localhost:59050",
      expected: 403,
    },
    { name: "an allowed one with another scheme", input: "http://dash.example", expected: 403 },
    { name: "an allowed one with a port", input: "https://dash.example:8443", expected: 403 },
    { name: "a name under an allowed one", input: "https://a.dash.example", expected: 403 },
    { name: "an allowed one as the start of another", input: "https://dash.example.evil.com", expected: 403 },
    { name: "an allowed name as Host is not an allowed Origin", input: "http://csv.example", expected: 403 },
  ];
  test.each(cases)("of $name: $expected", ({ input, host, expected }) => {
    expect(statusOf({ origin: input, host: host ?? script.host })).toBe(expected);
  });

  test("is checked even with the right token, and where nobody needs one", () => {
    expect(statusOf({ origin: "https://evil.example", token: TOKEN })).toBe(403);
    expect(statusOf({ origin: "https://evil.example" }, { tokenFor: "nobody" })).toBe(403);
  });
});

describe("a page of another site", () => {
  test.each([
    { name: "that embeds an answer", visitor: { isCrossSite: true }, expected: 403 },
    { name: "that embeds one and knows the token", visitor: { isCrossSite: true, token: TOKEN }, expected: 403 },
    { name: "of an allowed origin", visitor: { isCrossSite: true, origin: "https://dash.example" }, expected: "in" },
    { name: "of a foreign origin", visitor: { isCrossSite: true, origin: "https://evil.example" }, expected: 403 },
  ])("$name: $expected", ({ visitor, expected }) => {
    expect(statusOf(visitor)).toBe(expected as "in" | 403);
  });
});

describe("a token", () => {
  const cases: { name: string; visitor: Partial<Visitor>; tokenFor: AccessPolicy["tokenFor"]; expected: "in" | 401 }[] =
    [
      { name: "none, from this machine", visitor: {}, tokenFor: "strangers", expected: "in" },
      { name: "a wrong one, from this machine", visitor: { token: "no" }, tokenFor: "strangers", expected: "in" },
      { name: "none, from elsewhere", visitor: { isLocal: false }, tokenFor: "strangers", expected: 401 },
      {
        name: "the right one, from elsewhere",
        visitor: { isLocal: false, token: TOKEN },
        tokenFor: "strangers",
        expected: "in",
      },
      {
        name: "a wrong one, from elsewhere",
        visitor: { isLocal: false, token: "no" },
        tokenFor: "strangers",
        expected: 401,
      },
      {
        name: "an empty one, from elsewhere",
        visitor: { isLocal: false, token: "" },
        tokenFor: "strangers",
        expected: 401,
      },
      {
        name: "the start of it",
        visitor: { isLocal: false, token: TOKEN.slice(1) },
        tokenFor: "strangers",
        expected: 401,
      },
      {
        name: "it and more",
        visitor: { isLocal: false, token: `${TOKEN} ` },
        tokenFor: "strangers",
        expected: 401,
      },
      {
        name: "it in another case",
        visitor: { isLocal: false, token: TOKEN.toUpperCase() },
        tokenFor: "strangers",
        expected: 401,
      },
      { name: "none, through a proxy here", visitor: { isLocal: false }, tokenFor: "strangers", expected: 401 },
      {
        name: "the right one, through a proxy here",
        visitor: { isLocal: false, token: TOKEN },
        tokenFor: "strangers",
        expected: "in",
      },
      { name: "none, from an unknown address", visitor: { isLocal: false }, tokenFor: "strangers", expected: 401 },
      { name: "none, from this machine, when one was set", visitor: {}, tokenFor: "everyone", expected: 401 },
      { name: "the right one, when one was set", visitor: { token: TOKEN }, tokenFor: "everyone", expected: "in" },
      {
        name: "none, from elsewhere, when all is open",
        visitor: { isLocal: false },
        tokenFor: "nobody",
        expected: "in",
      },
    ];
  test.each(cases)("$name: $expected", ({ visitor, tokenFor, expected }) => {
    expect(statusOf(visitor, { tokenFor })).toBe(expected);
  });

  test("is asked for, or called wrong, without being repeated", () => {
    const stranger = { ...script, isLocal: false };
    expect(refusalOf(stranger, policy)?.reason).toBe(
      "a token is needed: it is in the Network lines of the server's console; a server with --log json needs --token or CSVCAST_TOKEN",
    );
    const wrong = refusalOf({ ...stranger, token: "guess" }, policy)?.reason;
    expect(wrong).toStartWith("the token is wrong: it is in the Network lines");
    const given: AccessPolicy = { ...policy, tokenFor: "everyone" };
    const asked = "ask whoever runs the server for the one that it was started with";
    expect(refusalOf(stranger, given)?.reason).toBe(`a token is needed: ${asked}`);
  });
});

describe("what a request says of itself", () => {
  const bearer = { authorization: `Bearer ${TOKEN}` };
  const cases: { name: string; headers?: Record<string, string>; query?: string; expected: Partial<Visitor> }[] = [
    { name: "nothing", expected: { origin: null, token: null, isLocal: true } },
    { name: "a bearer token", headers: bearer, expected: { token: TOKEN } },
    {
      name: "a bearer token, spelled small",
      headers: { authorization: `bearer ${TOKEN}` },
      expected: { token: TOKEN },
    },
    { name: "another kind of authorization", headers: { authorization: "Basic YTpi" }, expected: { token: null } },
    { name: "a token in the URL", query: `?token=${TOKEN}`, expected: { token: TOKEN } },
    { name: "a token in the URL, escaped", query: "?token=a%2Bb", expected: { token: "a+b" } },
    { name: "an empty token in the URL", query: "?token=", expected: { token: "" } },
    { name: "another parameter", query: "?tokens=1", expected: { token: null } },
    { name: "a token in both", headers: bearer, query: "?token=other", expected: { token: TOKEN } },
    { name: "a query that is no query", query: "?%E0%A4%A&token=%zz", expected: { token: "%zz" } },
    { name: "no site", expected: { isCrossSite: false } },
    { name: "its own site", headers: { "sec-fetch-site": "same-origin" }, expected: { isCrossSite: false } },
    { name: "no site: typed in", headers: { "sec-fetch-site": "none" }, expected: { isCrossSite: false } },
    { name: "another site", headers: { "sec-fetch-site": "cross-site" }, expected: { isCrossSite: true } },
    { name: "Host and Origin", headers: { host: "a", origin: "b" }, expected: { host: "a", origin: "b" } },
    ...["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via"].map((name) => ({
      name,
      headers: { [name]: "x" },
      expected: { isLocal: false },
    })),
  ];
  test.each(cases)("$name", ({ headers, query, expected }) => {
    const visitor = visitorOf(new Headers(headers), `http://localhost/${query ?? ""}`, peer("127.0.0.1"), []);
    expect(visitor).toMatchObject(expected);
  });

  test("from elsewhere it is never local", () => {
    expect(visitorOf(new Headers(), "http://localhost/", peer("10.0.0.7"), []).isLocal).toBe(false);
    expect(visitorOf(new Headers(), "http://localhost/", peer(""), []).isLocal).toBe(false);
    const claims = new Headers({ "x-forwarded-for": "127.0.0.1" });
    expect(visitorOf(claims, "http://localhost/", peer("10.0.0.7"), ["10.0.0.7"])).toMatchObject({
      address: "127.0.0.1",
      isLocal: false,
    });
  });
});
