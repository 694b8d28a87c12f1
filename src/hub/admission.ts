// Who is let in, over time: the rules of access.ts, a brake on guessing tokens, and how many there may be of whom.
import { type AccessPolicy, needsToken, type Refusal, refusalOf, type Visitor } from "./access.ts";
import { networkOf } from "./address.ts";
import type { Neighbour } from "./neighbours.ts";

export type AdmissionOptions = {
  readonly policy: AccessPolicy;
  readonly maxClients: number;
  /** Clients that come from one address. */
  readonly maxPerAddress: number;
  /** A monotonic clock in ms. */
  readonly now: () => number;
  /** The user of this machine at an end of a connection; undefined where that cannot be known: then all are one. */
  readonly userOf: (neighbour: Neighbour) => Promise<number | undefined>;
};

export type Admission = {
  /** Why this visitor may not come in, if so; it takes a moment while somebody on this machine guesses. */
  refusalOf(visitor: Visitor): Refusal | undefined | Promise<Refusal | undefined>;
  /** Counts a client in; the reason if there is no room for it. Each that came in must `leave`. */
  enter(address: string): Refusal | undefined;
  leave(address: string): void;
  /** How many are in. */
  count(): number;
};

/** So many different wrong tokens are looked at, and one more after each `refillMs`. */
type Allowance = { readonly most: number; readonly refillMs: number };
/** From one address; on this machine from one user. */
const OWN: Allowance = { most: 10, refillMs: 6_000 };
/** From all for whom one user of this machine speaks: as a proxy, or by making addresses up. */
const OF_PROXY: Allowance = { most: 100, refillMs: 600 };
/** By then everybody may guess as before. */
const FORGIVEN_MS = 60_000;
/** Guessers that are known, and visitors that had the token; beyond it the oldest are forgotten. */
const MAX_KNOWN = 10_000;

type Guesser = { left: number; at: number; readonly wrong: Set<bigint | number> };

export function openAdmission({ policy, maxClients, maxPerAddress, now, userOf }: AdmissionOptions): Admission {
  const guessers = new Map<string, Guesser>();
  const trusted = new Map<string, true>();
  const perAddress = new Map<string, number>();
  let guessedHereAt = -Infinity;
  let total = 0;

  function refusal(visitor: Visitor): Refusal | undefined | Promise<Refusal | undefined> {
    const found = refusalOf(visitor, policy);
    if (found && found.cause !== "token") return found;
    const { token, neighbour } = visitor;
    if (token === null || !needsToken(visitor, policy)) return found;
    if (!neighbour) return brake(networkOf(visitor.address), OWN, token, found);
    if (!found && now() - guessedHereAt > FORGIVEN_MS) return undefined;
    if (found) guessedHereAt = now();
    return userOf(neighbour).then((user) => brakeHere(`user ${user}`, visitor, token, found));
  }

  /** One user of this machine costs the others nothing, and gains nothing by speaking for many. */
  function brakeHere(user: string, { isLocal, address }: Visitor, token: string, found: Refusal | undefined) {
    if (isLocal) return brake(user, OWN, token, found);
    const from = `${user} for ${networkOf(address)}`;
    if (brake(from, OWN, token, found) === GUESSING) return GUESSING;
    if (brake(`${user} for all`, OF_PROXY, token, found) === GUESSING && !trusted.has(from)) return GUESSING;
    if (!found) remember(trusted, from, true);
    return found;
  }

  /** `found`: what becomes of the visitor if nobody guesses. */
  function brake(from: string, allowance: Allowance, token: string, found: Refusal | undefined): Refusal | undefined {
    const guesser = guesserOf(from, allowance);
    // Who says the same wrong thing again has a wrong setting, and does not guess: it costs the others at its address nothing.
    const hash = Bun.hash(token);
    if (guesser?.wrong.has(hash)) return found;
    if (guesser && guesser.left < 1) return GUESSING;
    if (found) note(from, guesser ?? { left: allowance.most, at: now(), wrong: new Set() }, hash);
    return found;
  }

  /** With what it may guess by now. */
  function guesserOf(from: string, { most, refillMs }: Allowance): Guesser | undefined {
    const guesser = guessers.get(from);
    if (!guesser) return undefined;
    guesser.left = Math.min(most, guesser.left + (now() - guesser.at) / refillMs);
    guesser.at = now();
    return guesser;
  }

  function note(from: string, guesser: Guesser, hash: bigint | number): void {
    guesser.left--;
    guesser.wrong.add(hash);
    if (guesser.wrong.size > OWN.most) guesser.wrong.delete(guesser.wrong.values().next().value!);
    remember(guessers, from, guesser);
  }

  function enter(address: string): Refusal | undefined {
    const from = networkOf(address);
    const count = perAddress.get(from) ?? 0;
    if (total >= maxClients) return full("full", `full: ${maxClients} clients are connected (--max-clients)`);
    if (count >= maxPerAddress)
      return full("address", `full: ${maxPerAddress} clients are connected from this address (--max-per-address)`);
    total++;
    perAddress.set(from, count + 1);
    return undefined;
  }

  function leave(address: string): void {
    const from = networkOf(address);
    const count = (perAddress.get(from) ?? 1) - 1;
    total--;
    if (count === 0) perAddress.delete(from);
    else perAddress.set(from, count);
  }

  return { refusalOf: refusal, enter, leave, count: () => total };
}

/** As the newest. */
function remember<V>(known: Map<string, V>, key: string, value: V): void {
  known.delete(key);
  known.set(key, value);
  if (known.size > MAX_KNOWN) known.delete(known.keys().next().value!);
}

const full = (cause: "full" | "address", reason: string): Refusal => ({ status: 503, cause, reason, retrySeconds: 10 });

const GUESSING: Refusal = {
  status: 429,
  cause: "guesses",
  reason: "too many wrong tokens from this address; try again later",
  retrySeconds: OWN.refillMs / 1000,
};
