// A healthy neighbour of a crowd, as a program of its own: `bun probe.ts HTTP_URL PATH`. It asks for /healthz again and again, and
// follows the table at PATH, whose cells tell when they were written (`@` and microseconds). For each line of input it says how long that
// took since the last one, as JSON; it ends with its input.
import { parseMessage, SUBPROTOCOL } from "../../src/feed/protocol.ts";

/** In ms. */
export type Waits = { readonly health: readonly number[]; readonly live: readonly number[]; readonly closed: number };

const FOLLOWERS = 5;
const PAUSE_MS = 25;
/** A larger message is somebody else's change. */
const MAX_LENGTH = 1 << 14;

const [, , http = "", path = ""] = process.argv;
const now = () => performance.timeOrigin + performance.now();
let health: number[] = [];
let live: number[] = [];
let closed = 0;

for (let n = 0; n < FOLLOWERS; n++) {
  const socket = new WebSocket(http.replace("http", "ws") + path, SUBPROTOCOL);
  socket.onmessage = ({ data }) => {
    const text = String(data);
    if (text.length > MAX_LENGTH || parseMessage(text)?.type !== "delta") return;
    for (const [, at] of text.matchAll(/@(\d+)/g)) live.push(now() - Number(at) / 1000);
  };
  socket.onclose = () => void closed++;
}

async function ask(): Promise<void> {
  for (;;) {
    const before = now();
    await (await fetch(`${http}/healthz`)).text();
    health.push(now() - before);
    await Bun.sleep(PAUSE_MS);
  }
}

void ask();
for await (const _line of console) {
  console.log(JSON.stringify({ health, live, closed } satisfies Waits));
  [health, live] = [[], []];
}
process.exit(0);
