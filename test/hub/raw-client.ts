// A WebSocket client on bare TCP that can stop reading, and so stalls like a laptop that was shut.
import { randomBytes } from "node:crypto";
import { until } from "../support.ts";

export type Frame = { readonly opcode: number; readonly payload: Buffer };

export type RawClient = AsyncDisposable & {
  /** The whole frames that have arrived. */
  readonly frames: readonly Frame[];
  /** Stops and starts reading from the socket. */
  pause(): void;
  resume(): void;
  send(bytes: Uint8Array): void;
  isClosed(): boolean;
};

export const OPCODES = { text: 1, binary: 2, close: 8 } as const;

export const handshake = (port: number, headers: readonly string[] = []) =>
  [
    "GET / HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    ...headers,
    "\r\n",
  ].join("\r\n");

/** Connects and upgrades; frames after that are collected while it reads, which with `isStalled` it does not. */
export async function connectRaw(
  port: number,
  headers: readonly string[] = [],
  { isStalled = false } = {},
): Promise<RawClient> {
  const frames: Frame[] = [];
  let rest: Buffer = Buffer.alloc(0);
  let isUpgraded = false;
  let isClosed = false;
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(socket, data) {
        rest = rest.length === 0 ? Buffer.from(data) : Buffer.concat([rest, data]);
        if (!isUpgraded) {
          const end = rest.indexOf("\r\n\r\n");
          if (end < 0) return;
          if (!rest.subarray(0, end).toString().startsWith("HTTP/1.1 101 ")) throw new Error(rest.toString());
          isUpgraded = true;
          if (isStalled) socket.pause();
          rest = rest.subarray(end + 4);
        }
        for (let taken = takeFrame(rest); taken; taken = takeFrame(rest)) {
          frames.push(taken.frame);
          rest = taken.rest;
        }
      },
      close: () => void (isClosed = true),
      error: () => void (isClosed = true),
    },
  });
  socket.write(handshake(port, headers));
  await until("the upgrade of a raw client", () => isUpgraded || isClosed);
  return {
    frames,
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    send: (bytes) => void socket.write(bytes),
    isClosed: () => isClosed,
    async [Symbol.asyncDispose]() {
      socket.resume();
      socket.end();
    },
  };
}

/** The first frame of `bytes` if it is whole. Servers do not mask and this one does not fragment (RFC 6455, section 5.2). */
function takeFrame(bytes: Buffer): { frame: Frame; rest: Buffer } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes[1]! & 0x7f;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < start) return undefined;
  const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + length) return undefined;
  const payload = Buffer.from(bytes.subarray(start, start + length));
  return { frame: { opcode: bytes[0]! & 0x0f, payload }, rest: bytes.subarray(start + length) };
}

/** A masked frame, as clients must send it. */
export function clientFrame(opcode: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(14);
  header[0] = 0x80 | opcode;
  header[1] = 0x80 | 127;
  header.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([header, payload]); // the mask is 0, which leaves the payload as it is
}
