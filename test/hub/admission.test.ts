// The brake on guessing tokens, and how many clients there may be of whom. The clock is the test's.
import { describe, expect, test } from "bun:test";
import type { AccessPolicy, Refusal, Visitor } from "../../src/hub/access.ts";
import { openAdmission } from "../../src/hub/admission.ts";
import type { Neighbour } from "../../src/hub/neighbours.ts";
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
  peer: { address: "127.0.0.1", port: 1 },
  neighbour: undefined,
  host: "localhost",
  origin: null,
  isCrossSite: false,
  token,
});

function openTestAdmission(over: Partial<AccessPolicy> = {}) {
  const clock = { now: 1000 };
  const limits = { maxClients: 5, maxPerAddress: 3, now: () => clock.now, userOf: async () => undefined };
  const admission = openAdmission({ policy: { ...policy, ...over }, ...limits });
  const statusOf = (address: string, token: string | null) =>
    ((admission.refusalOf(from(address, token)) as Refusal | undefined)?.status as number | undefined) ?? "in";
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

describe("on this machine", () => {
  /** Users are told by their ports. `forwardedFor`: whom one of them says it speaks for. */
  function openMachine(userOf = async ({ port }: Neighbour): Promise<number | undefined> => port) {
    const clock = { now: 1000 };
    const limits = { maxClients: 5, maxPerAddress: 3, now: () => clock.now };
    const admission = openAdmission({ policy, ...limits, userOf });
    const says = async (user: number, token: string, forwardedFor?: string) => {
      const address = forwardedFor ?? "127.0.0.1";
      const neighbour = { address: "127.0.0.1", port: user };
      const isLocal = forwardedFor === undefined;
      return (await admission.refusalOf({ ...from(address, token), isLocal, neighbour }))?.status ?? "in";
    };
    return { clock, says };
  }

  test("who guesses locks out itself, and no other user", async () => {
    const { says, clock } = openMachine();
    for (let n = 0; n < 10; n++) expect(await says(1000, `guess ${n}`)).toBe(401);
    expect(await says(1000, TOKEN)).toBe(429);
    expect([await says(1001, TOKEN), await says(1001, "wrong")]).toEqual(["in", 401]);
    clock.now += 6_001;
    expect(await says(1000, TOKEN)).toBe("in");
  });

  test("who makes up addresses to guess for gets a hundred answers, and locks out nobody else", async () => {
    const { says, clock } = openMachine();
    const answers = [];
    for (let n = 0; n < 200; n++) answers.push(await says(1000, `guess ${n}`, `10.0.0.${n}`));
    expect([answers.lastIndexOf(401), answers.indexOf(429)]).toEqual([99, 100]);
    expect(await says(1000, TOKEN, "10.1.0.1")).toBe(429);
    expect([await says(1000, TOKEN), await says(33, TOKEN, "10.1.0.1")]).toEqual(["in", "in"]);
    clock.now += 601;
    expect(await says(1000, TOKEN, "10.1.0.1")).toBe("in");
  });

  test("a proxy's visitors who had the token stay in while others guess through it, or have an old one", async () => {
    const { says } = openMachine();
    await says(33, "guess", "10.9.9.9");
    expect(await says(33, TOKEN, "10.0.0.8")).toBe("in");
    for (let n = 0; n < 200; n++) expect(await says(33, "an old token", `10.1.0.${n}`)).toBe(401);
    expect(await says(33, TOKEN, "10.0.0.9")).toBe("in");
    for (let n = 0; n < 200; n++) await says(33, `guess ${n}`, `10.2.0.${n}`);
    expect([await says(33, TOKEN, "10.0.0.8"), await says(33, TOKEN, "10.0.0.10")]).toEqual(["in", 429]);
  });

  test("nobody is asked who it is while nobody guesses, and all are one where that is not known", async () => {
    let asked = 0;
    const { says } = openMachine(async () => void asked++);
    expect([await says(1000, TOKEN), await says(1000, TOKEN, "10.0.0.7"), asked]).toEqual(["in", "in", 0]);
    for (let n = 0; n < 10; n++) await says(1000, `guess ${n}`);
    expect([await says(1001, TOKEN), asked]).toEqual([429, 11]);
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
