// The model test of the live feed: random edits of a real file, and clients of every kind that join, leave, stall, drop and come
// back with old, current and foreign cursors. No delta is ever applied out of order, and once the writer is quiet everyone
// holds what a fresh conversion gives. Runs in `bun test` for a few seeds; CSVCAST_RUNS asks for more.
import { expect, test } from "bun:test";
import { SUBPROTOCOL } from "../../src/feed/protocol.ts";
import { convertCsvToJson } from "../../src/source/convert.ts";
import { type Random, randomFrom, RUNS, seedOfRun } from "../fuzz/random.ts";
import { type Copy, openCopy } from "../hub/copy.ts";
import { connectRaw, OPCODES } from "../hub/raw-client.ts";
import { startServer, temporaryFolder, until } from "../support.ts";

const PARALLEL = 2;

/** A client: lives through one connection, or one stretch of polling, and tells what it holds. */
type Actor = {
  readonly kind: string;
  /** Connects, follows while `isWanted`, and goes. */
  live(isWanted: () => boolean): Promise<void>;
  /** What it holds, as JSON; undefined if nothing yet. */
  json(): string | undefined;
};

type World = { readonly url: string; readonly http: string; readonly port: number; readonly random: Random };

/** What to come back with: what it holds, what it held once, nothing at all, or a cursor of nowhere. */
function comeBack(copy: Copy, old: readonly Copy[], random: Random): { copy: Copy; since: string | undefined } {
  if (random.chance(0.2)) return { copy: openCopy(), since: random.pick(["elsewhere:3", "elsewhere:1", undefined]) };
  const held = random.chance(0.3) && old.length > 0 ? openCopy(random.pick(old)) : copy;
  return { copy: held, since: held.cursor() };
}

const withSince = (url: string, since: string | undefined) => (since === undefined ? url : `${url}?since=${since}`);

function openWebSocketActor({ url, random }: World): Actor {
  let copy = openCopy();
  const old: Copy[] = [];
  return {
    kind: "live",
    json: () => (copy.cursor() === undefined ? undefined : copy.json()),
    async live(isWanted) {
      const back = comeBack(copy, old, random);
      copy = back.copy;
      const socket = new WebSocket(withSince(url, back.since), [SUBPROTOCOL]);
      const ended = Promise.withResolvers<void>();
      let failure: unknown;
      socket.onmessage = ({ data }) => {
        try {
          if (failure === undefined) copy.take(String(data));
          if (copy.cursor() && random.chance(0.1)) old.push(openCopy(copy));
        } catch (error) {
          failure = error;
          socket.close();
        }
      };
      socket.onclose = () => ended.resolve();
      while (isWanted() && socket.readyState <= WebSocket.OPEN) await Bun.sleep(5);
      if (random.chance(0.5)) socket.terminate();
      else socket.close();
      await ended.promise;
      socket.onmessage = null; // what a terminated socket still delivers is not for the copy of the next one
      copy.disconnect();
      if (failure !== undefined) throw failure;
    },
  };
}

/** Reads now and then only, like a machine that is suspended. */
function openStallingActor({ port, random }: World): Actor {
  let copy = openCopy();
  return {
    kind: "stalling",
    json: () => (copy.cursor() === undefined ? undefined : copy.json()),
    async live(isWanted) {
      copy = openCopy();
      await using raw = await connectRaw(port, [`Sec-WebSocket-Protocol: ${SUBPROTOCOL}`]);
      let taken = 0;
      while (isWanted() && !raw.isClosed()) {
        if (random.chance(0.2)) raw.pause();
        await Bun.sleep(random.below(80));
        raw.resume();
        for (; taken < raw.frames.length; taken++) {
          const { opcode, payload } = raw.frames[taken]!;
          if (opcode === OPCODES.text) copy.take(payload.toString());
        }
        await Bun.sleep(5);
      }
    },
  };
}

function openEventsActor({ http, random }: World): Actor {
  let copy = openCopy();
  return {
    kind: "events",
    json: () => (copy.cursor() === undefined ? undefined : copy.json()),
    async live(isWanted) {
      const { copy: held, since } = comeBack(copy, [], random);
      copy = held;
      const abort = new AbortController();
      const headers = since === undefined ? {} : { "Last-Event-ID": since };
      const response = await fetch(`${http}/csv/events`, { headers, signal: abort.signal });
      const watching = (async () => {
        while (isWanted()) await Bun.sleep(5);
        abort.abort();
      })();
      let text = "";
      const decoder = new TextDecoder();
      try {
        for await (const chunk of response.body!) {
          const events = (text + decoder.decode(chunk, { stream: true })).split("\n\n");
          text = events.pop()!;
          for (const event of events) {
            const data = event.split("\n").find((line) => line.startsWith("data: "));
            if (data) copy.take(data.slice(6));
          }
        }
      } catch (error) {
        if (!abort.signal.aborted) throw error;
      }
      await watching;
      copy.disconnect();
    },
  };
}

/** Asks for the document again and again, with the ETag of the last one. */
function openPollingActor({ http, random }: World): Actor {
  let etag = "";
  let text: string | undefined;
  return {
    kind: "polling",
    json: () => (text === undefined ? undefined : `[${text.trimEnd().split("\n").join(",")}]`),
    async live(isWanted) {
      while (isWanted()) {
        const response = await fetch(`${http}/csv.ndjson`, { headers: { "If-None-Match": etag } });
        if (response.status === 200) {
          text = await response.text();
          etag = response.headers.get("etag")!;
        } else expect(response.status).toBeOneOf([304, 503]);
        await Bun.sleep(random.below(60));
      }
    },
  };
}

function openPlainActor({ url }: World): Actor {
  let text: string | undefined;
  return {
    kind: "plain",
    json: () => text,
    async live(isWanted) {
      const socket = new WebSocket(url);
      socket.onmessage = ({ data }) => (text = String(data));
      while (isWanted()) await Bun.sleep(5);
      socket.close();
    },
  };
}

const ACTORS = [
  openWebSocketActor,
  openWebSocketActor,
  openWebSocketActor,
  openStallingActor,
  openEventsActor,
  openEventsActor,
  openPollingActor,
  openPlainActor,
];

async function run(seed: number): Promise<void> {
  const random = randomFrom(seed);
  await using folder = await temporaryFolder();
  const path = await folder.write("f.csv", "id,b,c\n1,2,3\n");
  const last = random.chance(0.3) ? ["--last=7"] : [];
  await using server = await startServer([path, "--heartbeat=50ms", "--stall=2s", ...last], { folder });
  await server.prints("f.csv: ");
  const world = { url: server.url, http: `http://127.0.0.1:${server.port}`, port: server.port, random };
  const script = new URL("./random-writer.ts", import.meta.url).pathname;
  const writer = Bun.spawn([process.execPath, script, path, `${seed}`, "25"], { stdout: "pipe" });
  let isWriting = true;
  let isOver = false;
  const actors = ACTORS.map((open) => open(world));
  const living = actors.map(async (actor) => {
    while (isWriting) {
      const until = performance.now() + random.below(400);
      await actor.live(() => isWriting && performance.now() < until);
    }
    if (random.chance(0.3)) await Bun.sleep(random.below(100));
    await actor.live(() => !isOver);
  });
  const failed = Promise.all(living);
  failed.catch(() => {}); // seen below
  expect(await writer.exited).toBe(0);
  isWriting = false;
  const limit = last.length > 0 ? 7 : Infinity;
  try {
    for (const actor of actors) {
      const converged = until(
        `a ${actor.kind} client to hold the file`,
        async () => actor.json() === lastRows(await convertCsvToJson(path), limit),
        () => `${actor.json()}`,
      );
      await Promise.race([converged, failed.then(() => converged)]);
    }
    isOver = true;
    await failed;
  } catch (error) {
    isOver = true;
    const actions = await new Response(writer.stdout).text();
    throw new Error(`CSVCAST_SEED=${seed}: ${error instanceof Error ? error.message : error}\n${actions}`, {
      cause: error,
    });
  }
}

/** The last rows of a table of objects whose cells hold no `},{`. */
function lastRows(json: string, limit: number): string {
  if (limit === Infinity || json === "[]") return json;
  return `[${json
    .slice(1, -1)
    .split(/(?<=\}),(?=\{)/)
    .slice(-limit)
    .join(",")}]`;
}

test(
  `${RUNS} random writers and clients of every kind: everyone ends with the file, and applies no delta out of order`,
  async () => {
    const first = seedOfRun();
    for (let seed = first; seed < first + RUNS; seed += PARALLEL)
      await Promise.all(Array.from({ length: PARALLEL }, (_, n) => run(seed + n)));
  },
  60_000 + RUNS * 5_000,
);
