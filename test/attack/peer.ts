// A peer on bare TCP that keeps no rule unless it wants to. It says what it likes, as slowly as it likes, and goes as it likes.
import { until } from "../support.ts";
import { handshake } from "../hub/raw-client.ts";

export type Peer = AsyncDisposable & {
  /** Written as fast as the server takes it; what is left when the connection ends is dropped. */
  send(bytes: string | Uint8Array): void;
  /** How much of it the server has not taken yet. */
  unsent(): number;
  /** All that the server has said. */
  received(): Buffer;
  isEnded(): boolean;
  /** Takes nothing any more. */
  pause(): void;
  resume(): void;
  /** Says that nothing more will come, and goes on reading. */
  finish(): void;
  /** Ends the connection with RST. */
  reset(): void;
};

export async function connectPeer(port: number, hostname = "127.0.0.1"): Promise<Peer> {
  let said: Buffer[] = [];
  let queue: Buffer[] = [];
  let isEnded = false;
  const socket = await Bun.connect({
    hostname,
    port,
    socket: {
      data: (_socket, data) => void said.push(Buffer.from(data)),
      drain: write,
      close: end,
      error: end,
    },
  });

  function write(): void {
    while (queue[0] && !isEnded) {
      const taken = socket.write(queue[0]);
      if (taken < queue[0].length) {
        if (taken > 0) queue[0] = queue[0].subarray(taken);
        return;
      }
      queue.shift();
    }
  }

  function end(): void {
    isEnded = true;
    queue = [];
  }

  return {
    send(bytes) {
      queue.push(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : Buffer.from(bytes));
      if (queue.length === 1) write();
    },
    unsent: () => queue.reduce((sum, { length }) => sum + length, 0),
    received() {
      if (said.length > 1) said = [Buffer.concat(said)];
      return said[0] ?? Buffer.alloc(0);
    },
    isEnded: () => isEnded,
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    finish: () => void socket.shutdown(),
    reset: () => void socket.terminate(),
    [Symbol.asyncDispose]: async () => void socket.terminate(),
  };
}

export const textOf = (peer: Peer) => peer.received().toString("latin1");

/** Connects and upgrades. */
export async function upgradePeer(port: number, headers: readonly string[] = []): Promise<Peer> {
  const peer = await connectPeer(port);
  peer.send(handshake(port, headers));
  await until("the upgrade of a peer", () => textOf(peer).startsWith("HTTP/1.1 101 ") && headOf(peer) > 0);
  return peer;
}

/** Where the first answer's head ends. */
const headOf = (peer: Peer) => peer.received().indexOf("\r\n\r\n") + 4;

export type Frame = { readonly opcode: number; readonly payload: Buffer };

/** The whole frames that came after the upgrade. */
export function framesOf(peer: Peer): Frame[] {
  const frames: Frame[] = [];
  let rest = peer.received().subarray(headOf(peer));
  while (rest.length >= 2) {
    const short = rest[1]!;
    if (short > 126) throw new Error("a frame of the server that is masked, or larger than these tests know");
    if (short === 126 && rest.length < 4) break;
    const [start, length] = short < 126 ? [2, short] : [4, rest.readUInt16BE(2)];
    if (rest.length < start + length) break;
    frames.push({ opcode: rest[0]! & 0x0f, payload: rest.subarray(start, start + length) });
    rest = rest.subarray(start + length);
  }
  return frames;
}
