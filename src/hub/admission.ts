// Who is let in, over time: the rules of access.ts, a brake on guessing tokens, and how many there may be of whom.
import { type AccessPolicy, needsToken, type Refusal, refusalOf, type Visitor } from "./access.ts";
import { networkOf } from "./address.ts";

export type AdmissionOptions = {
  readonly policy: AccessPolicy;
  readonly maxClients: number;
  /** Clients that come from one address. */
  readonly maxPerAddress: number;
  /** A monotonic clock in ms. */
  readonly now: () => number;
};

export type Admission = {
  /** Why this visitor may not come in, if so. */
  refusalOf(visitor: Visitor): Refusal | undefined;
  /** Counts a client in; the reason if there is no room for it. Each that came in must `leave`. */
  enter(address: string): Refusal | undefined;
  leave(address: string): void;
};

/** So many different wrong tokens are looked at from one address, and one more after each REFILL_MS. */
const MAX_GUESSES = 10;
const REFILL_MS = 6_000;
/** Addresses whose guesses are known; beyond it the oldest is forgotten. */
const MAX_GUESSERS = 10_000;

type Guesser = { left: number; at: number; readonly wrong: Set<bigint | number> };

export function openAdmission({ policy, maxClients, maxPerAddress, now }: AdmissionOptions): Admission {
  const guessers = new Map<string, Guesser>();
  const perAddress = new Map<string, number>();
  let total = 0;

  function refusal(visitor: Visitor): Refusal | undefined {
    const found = refusalOf(visitor, policy);
    if (found && found.cause !== "token") return found;
    if (visitor.token === null || !needsToken(visitor, policy)) return found;
    const from = networkOf(visitor.address);
    const isWrong = found !== undefined;
    const guesser = guesserOf(from);
    // Who says the same wrong thing again has a wrong setting, and does not guess: it costs the others at its address nothing.
    const token = Bun.hash(visitor.token);
    if (guesser?.wrong.has(token)) return found;
    if (guesser && guesser.left < 1) return GUESSING;
    if (isWrong) note(from, guesser, token);
    return found;
  }

  /** With what it may guess by now. */
  function guesserOf(from: string): Guesser | undefined {
    const guesser = guessers.get(from);
    if (!guesser) return undefined;
    guesser.left = Math.min(MAX_GUESSES, guesser.left + (now() - guesser.at) / REFILL_MS);
    guesser.at = now();
    return guesser;
  }

  function note(from: string, known: Guesser | undefined, token: bigint | number): void {
    const guesser = known ?? { left: MAX_GUESSES, at: now(), wrong: new Set() };
    guesser.left--;
    guesser.wrong.add(token);
    if (guesser.wrong.size > MAX_GUESSES) guesser.wrong.delete(guesser.wrong.values().next().value!);
    guessers.delete(from);
    guessers.set(from, guesser);
    if (guessers.size > MAX_GUESSERS) guessers.delete(guessers.keys().next().value!);
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

  return { refusalOf: refusal, enter, leave };
}

const full = (cause: "full" | "address", reason: string): Refusal => ({ status: 503, cause, reason, retrySeconds: 10 });

const GUESSING: Refusal = {
  status: 429,
  cause: "guesses",
  reason: "too many wrong tokens from this address; try again later",
  retrySeconds: REFILL_MS / 1000,
};
