// Why nothing came from a web address, in the words of a person, and what that means for the table: never with what is secret in an
// address, so nothing of the runtime's own messages, which repeat it.
import { CsvError, type CsvErrorKind } from "../../csv/error.ts";
import type { State } from "../../feed/publication.ts";

/** `passes`: it may be over at the next try, so that who waits for a first table goes on. */
export class RemoteError extends CsvError {
  readonly state: State;
  readonly passes: boolean;
  /** The server said when to come again: in ms from then. */
  readonly retryMs: number | undefined;
  constructor(
    kind: CsvErrorKind,
    reason: string,
    { state = "stale", passes = false, retryMs }: Partial<Pick<RemoteError, "state" | "passes" | "retryMs">> = {},
  ) {
    super(kind, reason);
    this.state = state;
    this.passes = passes;
    this.retryMs = retryMs;
  }
}

const MISSING: ReadonlySet<number> = new Set([404, 410]);
/** Of the server's own trouble, and of too many requests: RFC 9110, section 15, and RFC 6585. */
const isPassing = (status: number) => status >= 500 || status === 408 || status === 425 || status === 429;

/** An answer that is no table. */
export function refusedAnswer({ status, headers }: Response, now: number): RemoteError {
  if (MISSING.has(status))
    return new RemoteError("not-found", `nothing is there: ${status}`, { state: "missing", passes: true });
  const retryMs = retryAfter(headers.get("retry-after"), now);
  if (status === 401)
    return new RemoteError("not-permitted", "who asks must say who they are: 401; https://USER:PASSWORD@HOST/… does");
  if (status === 403) return new RemoteError("not-permitted", "this may not be read from here: 403");
  return new RemoteError("io", `the server answers ${status}`, { passes: isPassing(status), retryMs });
}

/** `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date. In ms from `now`, which is in ms since 1970. */
export function retryAfter(text: string | null, now: number): number | undefined {
  if (text === null) return undefined;
  const ms = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - now;
  return ms >= 0 ? ms : undefined;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the name of its host cannot be looked up",
  ECONNREFUSED: "nothing answers there: the connection is refused",
  ENETUNREACH: "its network cannot be reached",
  EHOSTUNREACH: "its host cannot be reached",
  EPROTO: "there is no TLS: is it http://?",
  ETIMEDOUT: "nothing answers there",
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host",
};
const UNKNOWN_ISSUER = "its certificate is signed by nobody who is trusted here; NODE_EXTRA_CA_CERTS=FILE trusts more";
/** As OpenSSL names its verdicts (X509_V_ERR_…). */
const isOfCertificate = (code: string) => /CERT|SIGNATURE|ISSUER|SIGNED|CRL|TRUST/.test(code);

/** What went wrong on the way there, or back. `isBody`: in the middle of an answer. */
export function failedRequest(error: unknown, isBody: boolean): CsvError {
  if (error instanceof CsvError) return error;
  const { code } = error as { code?: unknown };
  if (typeof code !== "string") return new RemoteError("io", `failed: ${(error as Error).name}`, { passes: true });
  const name = code;
  if (/^(Z_|ERR_BROTLI|ERR__ERROR)/.test(name))
    return new RemoteError("io", "its body is torn, or not compressed as it says", { passes: true });
  if (REASONS[name] !== undefined) return new RemoteError("io", REASONS[name], { passes: !name.includes("CERT") });
  if (isOfCertificate(name)) return new RemoteError("io", UNKNOWN_ISSUER);
  const where = isBody ? "the connection ended in the middle of the body" : "the connection ended without an answer";
  return new RemoteError("io", `${where}${name === "ECONNRESET" ? "" : ` (${name})`}`, { passes: true });
}
