// Web servers for tests: one that answers as a test says, and one that writes raw bytes to the socket, which may be no answer at all.
import { createServer, type Socket } from "node:net";
import type { Publication } from "../../../src/feed/publication.ts";
import { openRemote, type Timing } from "../../../src/source/remote/remote.ts";
import type { Problem, SourceSettings, SourceStatus } from "../../../src/source/source.ts";
import { until } from "../../support.ts";
import { settingsOf } from "../writer.ts";

export type Answer = (request: Request) => Response | Promise<Response>;

export type Web = Disposable & {
  readonly port: number;
  readonly url: string;
  /** All that was asked so far. */
  readonly requests: readonly { readonly url: string; readonly headers: Headers }[];
  /** From now on it answers so. */
  answer(next: Answer): void;
};

export function openWeb(
  first: Answer,
  options: { readonly tls?: Bun.TLSOptions; readonly hostname?: string } = {},
): Web {
  let answer = first;
  const requests: { url: string; headers: Headers }[] = [];
  const server = Bun.serve({
    hostname: options.hostname ?? "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    ...(options.tls && { tls: options.tls }),
    fetch(request) {
      requests.push({ url: request.url, headers: new Headers(request.headers) }); // they are gone with the request
      return answer(request);
    },
  });
  return {
    port: server.port ?? 0,
    url: `${options.tls ? "https" : "http"}://127.0.0.1:${server.port}/prices.csv`,
    requests,
    answer: (next) => void (answer = next),
    [Symbol.dispose]: () => void server.stop(true),
  };
}

/** A file as web servers serve one: with an entity tag, by which it is not sent twice. */
export function serving(body: string | Uint8Array, headers: Record<string, string> = {}): Answer {
  const etag = `"${Bun.hash(body)}"`;
  return (request) =>
    request.headers.get("if-none-match") === etag
      ? new Response(null, { status: 304, headers: { etag } })
      : new Response(typeof body === "string" ? body : new Uint8Array(body), {
          headers: { "content-type": "text/csv", etag, ...headers },
        });
}

/** What is written to each socket once it has asked; `end` or `destroy` it, or do not. */
export async function openRaw(first: (socket: Socket, asked: string) => void) {
  let write = first;
  let count = 0;
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (asked) => {
      count++;
      write(socket, asked.toString());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  return {
    url: `http://127.0.0.1:${port}/prices.csv`,
    count: () => count,
    write: (next: typeof write) => void (write = next),
    [Symbol.dispose]: () => void server.close(),
  };
}

/** Short enough for a test that waits for what they lead to. */
export const QUICK: Timing = { stallMs: 10_000, lateMs: 60_000, maxBackoffMs: 100, maxRetryAfterMs: 60_000 };

/** A web address that is followed in this thread, and all that is heard of it. */
export function followWeb(url: string, changes: Partial<SourceSettings> = {}, timing: Partial<Timing> = {}) {
  const publications: Publication[] = [];
  const statuses: SourceStatus[] = [];
  const refusals: Problem[] = [];
  const source = openRemote(
    settingsOf(url, { pollMs: 20, ...changes }),
    {
      onPublication: (publication) => void publications.push(publication),
      onStatus: (status) => void statuses.push(status),
      onRefused: (problem) => void refusals.push(problem),
      onProgress() {},
    },
    { ...QUICK, ...timing },
  );
  const heard = { publications, statuses, refusals };

  async function json(): Promise<string> {
    const snapshot = await source.snapshot("frame", 2 ** 30);
    const { text } = await snapshot.part(0);
    snapshot.close();
    return text ?? "";
  }

  return {
    ...heard,
    json,
    state: () => statuses.at(-1)?.state,
    reason: () => statuses.at(-1)?.problem?.reason ?? "",
    until: (what: string, condition: () => boolean) => until(what, condition, () => JSON.stringify(heard)),
    /** Waits until the table is this. */
    async becomes(expected: unknown) {
      const wanted = JSON.stringify(expected);
      await until(
        `the table ${wanted}`,
        async () => publications.length > 0 && (await json()) === wanted,
        () => JSON.stringify(heard),
      );
    },
    [Symbol.dispose]: source.close,
  };
}
