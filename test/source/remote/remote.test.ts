// A web address as a source, with real servers on this machine.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { first } from "../../certificates.ts";
import { TEST_TIMEOUT_MS, until } from "../../support.ts";
import { type Answer, followWeb, openRaw, openWeb, serving } from "./web.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const CSV = "a,b\n1,2\n";
const ROWS = [{ a: "1", b: "2" }];
const PNG = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
const MORE = [...ROWS, { a: "3", b: "4" }];

describe.concurrent("what is at a web address", () => {
  test("is a table that is called like the end of its path", async () => {
    using web = openWeb(serving(CSV));
    using followed = followWeb(`${web.url.replace("prices.csv", "data/%C3%A9%20tat.csv")}?key=secret#top`);
    await followed.becomes(ROWS);
    expect(followed.publications[0]!.about.name).toBe("é tat.csv");
    expect(followed.publications[0]!.about.dialect).toBe("comma, UTF-8");
    expect(followed.state()).toBe("live");
  });

  test("is not sent again while it is the same: by its tag", async () => {
    using web = openWeb(serving(CSV));
    using followed = followWeb(web.url);
    await followed.until("three looks", () => web.requests.length > 3);
    expect(web.requests[0]!.headers.get("if-none-match")).toBeNull();
    expect(web.requests[2]!.headers.get("if-none-match")).toBe(`"${Bun.hash(CSV)}"`);
    expect(followed.publications).toHaveLength(1);
  });

  test("is not sent again while it is the same: by its date", async () => {
    const modified = "Sun, 01 Mar 2026 12:00:00 GMT";
    using web = openWeb((request) =>
      request.headers.get("if-modified-since") === modified
        ? new Response(null, { status: 304 })
        : new Response(CSV, { headers: { "last-modified": modified } }),
    );
    using followed = followWeb(web.url);
    await followed.until("three looks", () => web.requests.length > 3);
    expect(followed.publications).toHaveLength(1);
    expect(followed.publications[0]!.about.changedAt).toBe(Date.parse(modified));
  });

  test("is sent again while its date proves nothing: it is too young", async () => {
    let body = CSV;
    const modified = new Date(Date.now() + 3_600_000).toUTCString();
    using web = openWeb((request) =>
      request.headers.has("if-modified-since")
        ? new Response(null, { status: 304 })
        : new Response(body, { headers: { "last-modified": modified } }),
    );
    using followed = followWeb(web.url);
    await followed.becomes(ROWS);
    body = `${CSV}3,4\n`;
    await followed.becomes(MORE);
  });

  test("is asked for twice seldom, also if it changes at its top each time", async () => {
    const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, "utf16le");
    const version = (n: number) => utf16(`a,b\n${n},é\n1,é\n`);
    using web = openWeb(serving(version(0)));
    using followed = followWeb(web.url);
    let asked = 0;
    for (let n = 0; n < 5; n++) {
      const answer = serving(version(n));
      web.answer((request) => {
        asked += request.headers.has("if-none-match") ? 0 : 1;
        return answer(request);
      });
      await followed.becomes([
        { a: `${n}`, b: "é" },
        { a: "1", b: "é" },
      ]);
    }
    expect(asked).toBeLessThanOrEqual(2);
  });

  test("is asked for once more where it must be read anew, also if that fails at first", async () => {
    const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, "utf16le");
    using web = openWeb(serving(utf16("a,b\n1,é\n2,é\n")));
    using followed = followWeb(web.url);
    await followed.becomes([
      { a: "1", b: "é" },
      { a: "2", b: "é" },
    ]);
    const next = serving(utf16("a,b\n2,é\n"));
    let asked = 0;
    web.answer((request) => (++asked === 2 ? new Response("oh", { status: 500 }) : next(request)));
    await followed.becomes([{ a: "2", b: "é" }]);
    expect(asked).toBeGreaterThan(2);
    await followed.until("live", () => followed.state() === "live");
  });

  test("is compared where the server knows neither, or gives the same bytes another tag", async () => {
    let tag = 0;
    using web = openWeb(() => new Response(CSV, { headers: { etag: `"${tag++}"` } }));
    using followed = followWeb(web.url);
    await followed.until("five looks", () => web.requests.length > 5);
    web.answer(() => new Response(CSV));
    const before = web.requests.length;
    await followed.until("more looks", () => web.requests.length > before + 3);
    expect(followed.publications).toHaveLength(1);
    expect(followed.state()).toBe("live");
  });

  test("goes on with what was appended, and is the difference for other changes", async () => {
    using web = openWeb(serving(CSV));
    using followed = followWeb(web.url);
    await followed.becomes(ROWS);
    web.answer(serving(`${CSV}3,4\n`));
    await followed.becomes(MORE);
    expect(followed.publications.at(-1)!.splices).toBe('[[1,0,[["3","4"]]]]');
    web.answer(serving("a,b\n1,5\n3,4\n"));
    await followed.becomes([
      { a: "1", b: "5" },
      { a: "3", b: "4" },
    ]);
    expect(followed.publications.at(-1)!.splices).toBe('[[0,1,[["1","5"]]]]');
    web.answer(serving("a,c\n1,5\n"));
    await followed.becomes([{ a: "1", c: "5" }]);
    const epochs = new Set(followed.publications.map(({ cursor }) => cursor.epoch));
    expect(epochs.size).toBe(2);
  });

  test("has its last row also without a line end, once it is still the same", async () => {
    using web = openWeb(() => new Response("a,b\n1,2\n3,4"));
    using followed = followWeb(web.url);
    await followed.becomes(MORE);
    web.answer(() => new Response("a,b\n1,2\n3,45\n"));
    await followed.becomes([...ROWS, { a: "3", b: "45" }]);
  });

  test("is read in every encoding, and followed in it", async () => {
    const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, "utf16le");
    using web = openWeb(serving(utf16("a,b\n1,é\n")));
    using followed = followWeb(web.url);
    await followed.becomes([{ a: "1", b: "é" }]);
    web.answer(serving(utf16("a,b\n1,é\n2,ü\n")));
    await followed.becomes([
      { a: "1", b: "é" },
      { a: "2", b: "ü" },
    ]);
    expect(followed.publications.at(-1)!.splices).toBe('[[1,0,[["2","ü"]]]]');
    web.answer(serving(utf16("a,b\n2,ü\n")));
    await followed.becomes([{ a: "2", b: "ü" }]);
  });

  test("keeps the last rows only, and is followed so", async () => {
    const rows = Array.from({ length: 30_000 }, (_, i) => `${i},x\n`);
    using web = openWeb(serving(`a,b\n${rows.join("")}`));
    using followed = followWeb(web.url, { lastRows: 2 });
    await followed.becomes([
      { a: "29998", b: "x" },
      { a: "29999", b: "x" },
    ]);
    web.answer(serving(`a,b\n${rows.join("")}30000,y\n`));
    await followed.becomes([
      { a: "29999", b: "x" },
      { a: "30000", b: "y" },
    ]);
    expect(followed.publications.at(-1)!.splices).toBe('[[0,1,[]],[1,0,[["30000","y"]]]]');
    web.answer(serving(`a,b\n${rows.slice(1).join("")}`));
    await followed.becomes([
      { a: "29998", b: "x" },
      { a: "29999", b: "x" },
    ]);
  });

  test.each([
    { name: "gzip", bytes: gzipSync(CSV) },
    { name: "br", bytes: brotliCompressSync(CSV) },
  ])("is inflated: $name", async ({ name, bytes }) => {
    using web = openWeb(serving(bytes, { "content-encoding": name }));
    using followed = followWeb(web.url);
    await followed.becomes(ROWS);
  });

  test("is read and followed in a grammar of its own", async () => {
    using web = openWeb(serving("a b\n1   2\n"));
    using followed = followWeb(web.url, { delimiter: "whitespace" });
    await followed.becomes(ROWS);
    web.answer(serving("a b\n1   2\n3 4\n"));
    await followed.becomes(MORE);
  });
});

describe.concurrent("what goes wrong", () => {
  const gone: Answer = () => new Response("not here", { status: 404 });

  test.each([404, 410])("%d is missing, with the last good table, until it is there again", async (status) => {
    using web = openWeb(serving(CSV));
    using followed = followWeb(web.url);
    await followed.becomes(ROWS);
    web.answer(() => new Response("not here", { status }));
    await followed.until("missing", () => followed.state() === "missing");
    expect(followed.reason()).toBe(`nothing is there: ${status}`);
    web.answer(serving(CSV));
    await followed.until("live", () => followed.state() === "live");
    expect(followed.publications).toHaveLength(1);
  });

  test("what is not there yet is waited for, or refused", async () => {
    using web = openWeb(gone);
    using refused = followWeb(web.url);
    await refused.until("a refusal", () => refused.refusals.length > 0);
    expect(refused.refusals[0]).toMatchObject({ kind: "not-found", reason: "nothing is there: 404" });
    using followed = followWeb(web.url, { waits: true });
    await followed.until("waiting", () => followed.state() === "waiting");
    expect(followed.statuses[0]).toMatchObject({ awaited: {}, problem: { reason: "nothing is there: 404" } });
    web.answer(serving(CSV));
    await followed.becomes(ROWS);
  });

  const answers: {
    readonly name: string;
    readonly answer: Answer;
    readonly expected: string;
    readonly state?: string;
  }[] = [
    { name: "500", answer: () => new Response("oh", { status: 500 }), expected: "the server answers 500" },
    {
      name: "a request for credentials",
      answer: () => new Response("who?", { status: 401 }),
      expected: "who asks must say who they are: 401; https://USER:PASSWORD@HOST/… does",
    },
    { name: "403", answer: () => new Response("no", { status: 403 }), expected: "this may not be read from here: 403" },
    {
      name: "a web page",
      answer: () => new Response("<p>log in", { headers: { "content-type": "text/html; charset=utf-8" } }),
      expected: "is a web page (text/html), not a CSV: is it behind a login?",
    },
    {
      name: "a web page that says it is a CSV",
      answer: () => new Response("\n<!DOCTYPE html><p>log in", { headers: { "content-type": "text/csv" } }),
      expected: "is a web page, not a CSV: is it behind a login?",
    },
    {
      name: "an image",
      answer: () => new Response(PNG),
      expected: "not a CSV but a PNG image",
      state: "invalid",
    },
    {
      name: "a body that is not compressed as it says",
      answer: () => new Response(CSV, { headers: { "content-encoding": "gzip" } }),
      expected: "its body is torn, or not compressed as it says",
    },
    {
      name: "a compression that is not read",
      answer: () => new Response(CSV, { headers: { "content-encoding": "zstd" } }),
      expected: "its body is compressed in a way that is not read here",
    },
    {
      name: "304 to who did not ask for it",
      answer: ({ headers }) => new Response(null, { status: headers.has("if-none-match") ? 500 : 304 }),
      expected: "the server answers 500",
    },
    {
      name: "a table that is too large",
      answer: () => new Response(`a\n${"1\n".repeat(1_000)}`),
      expected: "is larger than 1000 bytes; raise the limit with --max-file",
    },
  ];
  test.each(answers)("$name: the last good table, and the reason", async ({ answer, expected, state = "stale" }) => {
    using web = openWeb(serving(CSV));
    using followed = followWeb(web.url, { maxFileBytes: 1_000 });
    await followed.becomes(ROWS);
    web.answer(answer);
    await followed.until(state, () => followed.state() === state);
    expect(followed.reason()).toBe(expected);
    web.answer(serving(`${CSV}3,4\n`));
    await followed.becomes(MORE);
    await followed.until("live", () => followed.state() === "live");
  });

  test("what the bytes say stays wrong while they are the same, and is not fetched again", async () => {
    using web = openWeb(serving(CSV));
    using followed = followWeb(web.url);
    await followed.becomes(ROWS);
    web.answer(serving(PNG));
    await followed.until("invalid", () => followed.state() === "invalid");
    const before = web.requests.length;
    await followed.until("more looks", () => web.requests.length > before + 3);
    expect(followed.state()).toBe("invalid");
    expect(web.requests.at(-1)!.headers.get("if-none-match")).toBe(`"${Bun.hash(PNG)}"`);
  });

  test("a server that wants to be left alone is, within bounds", async () => {
    using web = openWeb(serving(CSV));
    using followed = followWeb(web.url, {}, { maxRetryAfterMs: 400 });
    await followed.becomes(ROWS);
    web.answer(() => new Response("busy", { status: 503, headers: { "retry-after": "86400" } }));
    await followed.until("stale", () => followed.state() === "stale");
    web.answer(serving(`${CSV}3,4\n`));
    await followed.becomes(MORE);
  });

  test("a bomb is stopped while it inflates", async () => {
    const member = gzipSync(Buffer.alloc(16 << 20, "1\n"));
    const bomb = Buffer.concat(Array.from({ length: 256 }, () => member)); // 4 GiB
    using web = openWeb(serving(CSV));
    using followed = followWeb(web.url, { maxFileBytes: 32 << 20 });
    await followed.becomes(ROWS);
    web.answer(serving(bomb, { "content-encoding": "gzip" }));
    await followed.until("stale", () => followed.state() === "stale");
    expect(followed.reason()).toBe("is larger than 33554432 bytes; raise the limit with --max-file");
  });

  test("a certificate that nobody knows is said to be one", async () => {
    using web = openWeb(serving(CSV), { tls: first });
    using followed = followWeb(web.url, { waits: true });
    await followed.until("a refusal", () => followed.refusals.length > 0);
    expect(followed.refusals[0]!.reason).toStartWith("its certificate is signed by nobody who is trusted here");
  });

  test("nobody there: it is waited for", async () => {
    const web = openWeb(serving(CSV));
    web[Symbol.dispose]();
    using followed = followWeb(web.url, { waits: true });
    await followed.until("waiting", () => followed.state() === "waiting");
    expect(followed.reason()).toBe("nothing answers there: the connection is refused");
  });

  test("no such host", async () => {
    using followed = followWeb("http://nowhere.invalid/x.csv");
    await followed.until("a refusal", () => followed.refusals.length > 0);
    expect(followed.refusals[0]!.reason).toMatch(/there is no such host|cannot be looked up/);
  });
});

describe.concurrent("a torn body is never a table:", () => {
  const HEAD = "HTTP/1.1 200 OK\r\nConnection: close\r\n";
  const zipped = gzipSync("a,b\n".concat("1,2\n".repeat(1_000))).toString("latin1");
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
  const cases = [
    { name: "shorter than its length", answer: `${HEAD}Content-Length: 100\r\n\r\na,b\n` },
    { name: "without its last chunk", answer: `${HEAD}Transfer-Encoding: chunked\r\n\r\n${chunk("a,b\n")}` },
    { name: "within a chunk", answer: `${HEAD}Transfer-Encoding: chunked\r\n\r\n40\r\na,b\n` },
    { name: "compressed, within", answer: `${HEAD}Content-Encoding: gzip\r\n\r\n${zipped.slice(0, 25)}` },
    {
      name: "compressed, without its checksum",
      answer: `${HEAD}Content-Encoding: gzip\r\n\r\n${zipped.slice(0, -6)}`,
    },
  ];
  test.each(cases)("$name", async ({ answer }) => {
    using web = await openRaw((socket) => void socket.end(`${HEAD}Content-Length: ${CSV.length}\r\n\r\n${CSV}`));
    using followed = followWeb(web.url);
    await followed.becomes(ROWS);
    web.write((socket) => void socket.end(answer, "latin1"));
    await followed.until("stale", () => followed.state() === "stale");
    expect(followed.reason()).toMatch(/^the connection ended in the middle of the body|^its body is torn/);
    expect(await followed.json()).toBe(JSON.stringify(ROWS));
    expect(followed.publications).toHaveLength(1);
  });

  test("one that says neither its length nor its end counts when it comes twice", async () => {
    using web = await openRaw((socket) => void socket.end(`${HEAD}\r\n${CSV}`));
    using followed = followWeb(web.url);
    await followed.becomes(ROWS);
    expect(web.count()).toBeGreaterThan(1);
    let row = 0;
    web.write((socket) => void socket.end(`${HEAD}\r\n${CSV}${row++},`));
    await followed.until("stale", () => followed.state() === "stale");
    expect(followed.reason()).toContain("it may be torn");
    expect(followed.publications).toHaveLength(1);
  });

  test("one that stalls ends, at its head and in its middle", async () => {
    using web = await openRaw((socket) => void socket.end(`${HEAD}Content-Length: ${CSV.length}\r\n\r\n${CSV}`));
    using followed = followWeb(web.url, {}, { stallMs: 150 });
    await followed.becomes(ROWS);
    web.write((socket) => void socket.write(`${HEAD}Content-Length: 100\r\n\r\na,b\n9,9\n`));
    await followed.until("a stalled body", () => followed.reason().startsWith("its body has stalled"));
    web.write(() => {});
    await followed.until("no answer", () => followed.reason().startsWith("there is no answer"));
    web.write((socket) => void socket.end(`${HEAD}Content-Length: ${CSV.length + 4}\r\n\r\n${CSV}3,4\n`));
    await followed.becomes(MORE);
  });

  test("one that drips ends, too", async () => {
    using web = await openRaw((socket) => {
      socket.write(`${HEAD}Content-Length: 1000000\r\n\r\na,b\n`);
      const timer = setInterval(() => socket.write("1,2\n"), 20);
      socket.on("close", () => clearInterval(timer));
    });
    using followed = followWeb(web.url, {}, { stallMs: 150 });
    await followed.until("a refusal", () =>
      followed.refusals.some(({ reason }) => reason.startsWith("its body has stalled")),
    );
    expect(followed.publications).toHaveLength(0);
  });

  test("one that goes on for ever ends at the limit, and with the last rows only is told to be late", async () => {
    using web = openWeb(serving(CSV));
    const forever: Answer = () =>
      new Response(new ReadableStream({ pull: (stream) => stream.enqueue(Buffer.alloc(1 << 16, "1,2\n")) }));
    using followed = followWeb(web.url, { maxFileBytes: 8 << 20 });
    using last = followWeb(web.url, { lastRows: 10 }, { lateMs: 50 });
    await followed.becomes(ROWS);
    await last.becomes(ROWS);
    web.answer(forever);
    await followed.until("the limit", () => followed.reason().startsWith("is larger than"));
    await last.until("late", () => last.reason().startsWith("what comes from there has not ended"));
  });
});

describe.concurrent("redirects", () => {
  const to = (location: string, status = 302) => new Response(null, { status, headers: { location } });

  test.each([301, 302, 303, 307, 308])("%d leads on", async (status) => {
    using web = openWeb((request) => (request.url.endsWith("/end") ? serving(CSV)(request) : to("/end", status)));
    using followed = followWeb(web.url);
    await followed.becomes(ROWS);
    await followed.until("another look", () => web.requests.length > 3);
    expect(web.requests[3]!.headers.get("if-none-match")).toBe(`"${Bun.hash(CSV)}"`);
    expect(web.requests[2]!.headers.get("if-none-match")).toBeNull();
  });

  test("five lead on, and no more: not in a circle either", async () => {
    using web = openWeb((request) => {
      const at = Number(new URL(request.url).pathname.slice(1)) || 0;
      return at === 5 ? new Response(CSV) : to(`/${at + 1}`);
    });
    using followed = followWeb(web.url);
    await followed.becomes(ROWS);
    web.answer((request) => to(request.url));
    await followed.until("stale", () => followed.state() === "stale");
    expect(followed.reason()).toBe("it leads on more than 5 times");
  });

  test.each([
    { location: "file:///etc/passwd", expected: "it leads on to file:, which is not followed" },
    { location: "http://[", expected: "it leads on, and does not say where to" },
  ])("$location is not followed", async ({ location, expected }) => {
    using web = openWeb(() => to(location));
    using followed = followWeb(web.url);
    await followed.until("a refusal", () => followed.refusals.length > 0);
    expect(followed.refusals[0]!.reason).toBe(expected);
  });

  test("credentials are for the given origin only, and never those of a redirect", async () => {
    using other = openWeb(serving(CSV));
    using web = openWeb((request) =>
      request.url.endsWith("/next") ? to(other.url.replace("http://", "http://eve:evil@")) : to("/next"),
    );
    using followed = followWeb(web.url.replace("http://", "http://ada:pa%20ss%3Aw%C3%B6rd%25@"));
    await followed.becomes(ROWS);
    const basic = `Basic ${Buffer.from("ada:pa ss:wörd%").toString("base64")}`;
    expect(web.requests[0]!.headers.get("authorization")).toBe(basic);
    expect(web.requests[1]!.headers.get("authorization")).toBe(basic);
    expect(other.requests[0]!.headers.get("authorization")).toBeNull();
  });
});

test("nothing is asked any more once it is closed, not even for a body that is under way", async () => {
  using web = openWeb(serving(CSV));
  const followed = followWeb(web.url);
  await followed.becomes(ROWS);
  let hasEnded = false;
  web.answer(
    () =>
      new Response(
        new ReadableStream({ start: (stream) => stream.enqueue("a,b\n"), cancel: () => void (hasEnded = true) }),
      ),
  );
  const before = web.requests.length;
  await until("a body under way", () => web.requests.length > before);
  followed[Symbol.dispose]();
  await until("its end", () => hasEnded);
  expect(followed.statuses.at(-1)!.state).toBe("live");
});
