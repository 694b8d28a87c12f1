// The brake on guessing tokens, and how many clients there may be of whom. The clock is the test's.
import { describe, expect, test } from "bun:test";
import type { AccessPolicy, Visitor } from "../../src/hub/access.ts";
import { openAdmission } from "../../src/hub/admission.ts";
import { TOKEN } from "../channel/open.ts";

const policy: AccessPolicy = {
  token: TOKEN,
  tokenFor: "everyone",
  hosts: [],
  origins: [],
  proxies: [],
  scheme: "http",
};

const from = (address: string, token: string | null): Visitor => ({
  address,
  isLocal: false,
  host: "localhost",
  origin: null,
  isCrossSite: false,
  token,
});

function openTestAdmission(over: Partial<AccessPolicy> = {}) {
  const clock = { now: 1000 };
  const limits = { maxClients: 5, maxPerAddress: 3, now: () => clock.now };
  const admission = openAdmission({ policy: { ...policy, ...over }, ...limits });
  const statusOf = (address: string, token: string | null) =>
    (admission.refusalOf(from(address, token))?.status as number | undefined) ?? "in";
  const guess = (address: string, times: number) =>
    Array.from({ length: times }, (_, n) => statusOf(address, `guess-${address}-${clock.now}-${n}`));
  return { ...admission, clock, statusOf, guess };
}

describe("who guesses tokens", () => {
  test("gets ten answers, then none, not even to the right one", () => {
    const { guess, statusOf } = openTestAdmission();
    expect(guess("10.0.0.7", 12)).toEqual([...Array<number>(10).fill(401), 429, 429]);
    expect(statusOf("10.0.0.7", TOKEN)).toBe(429);
  });

  test("locks out nobody at another address", () => {
    const { guess, statusOf } = openTestAdmission();
    guess("10.0.0.7", 100);
    expect(statusOf("10.0.0.8", TOKEN)).toBe("in");
    expect(statusOf("10.0.0.8", "wrong")).toBe(401);
  });

  test("has all of an IPv6 network, and is one", () => {
    const { guess, statusOf } = openTestAdmission();
    for (let n = 0; n < 10; n++) guess(`2001:db8::${n}`, 1);
    expect(statusOf("2001:db8::ffff", TOKEN)).toBe(429);
    expect(statusOf("2001:db8:0:1::1", TOKEN)).toBe("in");
  });

  test("has one more every six seconds, and never more than ten", () => {
    const { guess, clock } = openTestAdmission();
    guess("10.0.0.7", 10);
    clock.now += 6_001;
    expect(guess("10.0.0.7", 2)).toEqual([401, 429]);
    clock.now += 3_600_000;
    expect(guess("10.0.0.7", 11)).toEqual([...Array<number>(10).fill(401), 429]);
  });

  test("is not who says the same wrong token again and again, nor who says none", () => {
    const { statusOf } = openTestAdmission();
    for (let n = 0; n < 100; n++) expect(statusOf("10.0.0.7", "an old token")).toBe(401);
    for (let n = 0; n < 100; n++) expect(statusOf("10.0.0.7", null)).toBe(401);
    expect(statusOf("10.0.0.7", TOKEN)).toBe("in");
  });

  test("is let in where no token is needed, whatever is guessed", () => {
    const { guess, statusOf } = openTestAdmission({ tokenFor: "nobody" });
    expect(new Set(guess("10.0.0.7", 100))).toEqual(new Set(["in"]));
    expect(statusOf("10.0.0.7", null)).toBe("in");
  });

  test("takes a bounded memory, from however many addresses", () => {
    const { guess, statusOf } = openTestAdmission();
    guess("10.0.0.7", 10);
    expect(statusOf("10.0.0.7", TOKEN)).toBe(429);
    for (let n = 0; n < 10_000; n++) guess(`10.${1 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`, 1);
    expect(statusOf("10.0.0.7", TOKEN)).toBe("in"); // the oldest is forgotten
  });
});

describe("clients are let in", () => {
  test("until there are too many from one address", () => {
    const { enter } = openTestAdmission();
    const answers = Array.from({ length: 4 }, () => enter("10.0.0.7")?.cause);
    expect(answers).toEqual([undefined, undefined, undefined, "address"]);
    expect(enter("10.0.0.8")).toBeUndefined();
  });

  test("until there are too many in all, with a word when to come back", () => {
    const { enter } = openTestAdmission();
    for (let n = 0; n < 5; n++) expect(enter(`10.0.0.${n}`)).toBeUndefined();
    expect(enter("10.0.0.9")).toMatchObject({ status: 503, cause: "full", retrySeconds: 10 });
  });

  test("again when others have left", () => {
    const { enter, leave } = openTestAdmission();
    for (let n = 0; n < 1000; n++) {
      expect(enter("2001:db8::1")).toBeUndefined();
      leave("2001:db8::2"); // of the same network
    }
    for (let n = 0; n < 3; n++) expect(enter("2001:db8::1")).toBeUndefined();
    expect(enter("2001:db8::1")?.cause).toBe("address");
  });
});
