// Connecting, backing off, silence and giving up, with sockets and a clock of our own.
import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { keepConnected, type Socket } from "../../src/follow/connection.ts";

/** A WebSocket that the test plays. */
class PlayedSocket extends EventTarget {
  protocol = "";
  closedWith: number | undefined;
  isPaused = false;
  close(code?: number): void {
    this.closedWith = code ?? 1005;
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  open(protocol = ""): void {
    this.protocol = protocol;
    this.dispatchEvent(new Event("open"));
  }
  receive(data: unknown): void {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }
  /** As Bun says why a connection could not be made. */
  fail(why: string): void {
    this.dispatchEvent(new ErrorEvent("error", { message: `WebSocket connection to 'ws://x/' failed: ${why}` }));
    this.end(1006);
  }
  end(code: number, reason = ""): void {
    this.dispatchEvent(new CloseEvent("close", { code, reason }));
  }
}

/** Texts that begin with "bad" are not as they should be. Jitter is none, unless `random` says otherwise. */
function openConnection(over: Partial<Parameters<typeof keepConnected>[0]> = {}) {
  const sockets: PlayedSocket[] = [];
  const log: string[] = [];
  const delays: number[] = [];
  const connection = keepConnected({
    connect() {
      const socket = new PlayedSocket();
      sockets.push(socket);
      return socket as unknown as Socket;
    },
    giveUpMs: 60_000,
    random: () => 1,
    onOpen: () => void log.push("open"),
    onMessage(text) {
      log.push(`message ${text}`);
      return !text.startsWith("bad");
    },
    onRetry(why, delayMs) {
      log.push(`retry: ${why}`);
      delays.push(delayMs);
    },
    onEnd: (why) => void log.push(`end: ${why}`),
    ...over,
  });
  return { sockets, log, delays, newest: () => sockets.at(-1)!, connection };
}

const UNREACHABLE = "Failed to connect";
const answered = (status: number) => `Expected 101 status code: ${status}`;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe("a connection", () => {
  test("passes text messages on, in order, and nothing else", () => {
    const { newest, log } = openConnection();
    newest().open();
    newest().receive("[1]");
    newest().receive(new Uint8Array([1]));
    newest().receive("[2]");
    expect(log).toEqual(["open", "message [1]", "message [2]"]);
  });

  test("tries again with a delay that doubles up to ten seconds", () => {
    const { newest, delays, sockets } = openConnection({ giveUpMs: 3_600_000 });
    for (let i = 0; i < 8; i++) {
      newest().fail(UNREACHABLE);
      jest.advanceTimersByTime(delays.at(-1)!);
    }
    expect(delays).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    expect(sockets).toHaveLength(9);
  });

  test("tries again after half of the delay at the least", () => {
    const { newest, delays } = openConnection({ random: () => 0 });
    newest().fail(UNREACHABLE);
    expect(delays).toEqual([125]);
  });

  test("begins with the short delay again once a message has come", () => {
    const { newest, delays } = openConnection();
    newest().fail(UNREACHABLE);
    jest.advanceTimersByTime(250);
    newest().fail(UNREACHABLE);
    jest.advanceTimersByTime(500);
    newest().open();
    newest().receive("[]");
    newest().end(1001, "server shutting down");
    expect(delays).toEqual([250, 500, 250]);
  });

  test("does not begin with the short delay for a server that lets in and throws out", () => {
    const { newest, delays } = openConnection();
    for (let i = 0; i < 3; i++) {
      newest().open();
      newest().end(1013, "busy");
      jest.advanceTimersByTime(delays.at(-1)!);
    }
    expect(delays).toEqual([250, 500, 1_000]);
  });

  test("ends when the server is gone for too long, and not before", () => {
    const { newest, log, delays } = openConnection({ giveUpMs: 3_000 });
    newest().open();
    newest().receive("[]");
    jest.advanceTimersByTime(3_600_000);
    newest().end(1006);
    for (let i = 0; i < 3; i++) {
      jest.advanceTimersByTime(delays.at(-1)!);
      newest().fail(UNREACHABLE);
    }
    expect(delays).toEqual([250, 500, 1_000]);
    expect(log.slice(2)).toEqual([
      "retry: connection lost (1006)",
      `retry: ${UNREACHABLE}`,
      `retry: ${UNREACHABLE}`,
      `end: ${UNREACHABLE}`,
    ]);
  });

  test("ends at the first failure when it may not wait", () => {
    const { newest, log, sockets } = openConnection({ giveUpMs: 0 });
    newest().fail(UNREACHABLE);
    jest.advanceTimersByTime(60_000);
    expect(log).toEqual([`end: ${UNREACHABLE}`]);
    expect(sockets).toHaveLength(1);
  });

  test("says what little it knows where the runtime tells nothing", () => {
    const { newest, log } = openConnection();
    newest().dispatchEvent(new Event("error"));
    newest().end(1006);
    expect(log).toEqual(["retry: cannot connect"]);
  });

  const hopeless = [200, 301, 400, 401, 403, 404, 426];
  test.each(hopeless)("ends when the server answers %d", (status) => {
    const { newest, log, sockets } = openConnection();
    newest().fail(answered(status));
    jest.advanceTimersByTime(60_000);
    expect(log).toEqual([`end: ${answered(status)}`]);
    expect(sockets).toHaveLength(1);
  });

  const passing = [408, 429, 500, 502, 503, 504];
  test.each(passing)("tries again when the server answers %d", (status) => {
    const { newest, log } = openConnection();
    newest().fail(answered(status));
    expect(log).toEqual([`retry: ${answered(status)}`]);
  });

  test("ends when a message is larger than this runtime can take, which the next one would be too", () => {
    const { newest, log } = openConnection();
    newest().open();
    newest().fail("Message too big");
    jest.advanceTimersByTime(60_000);
    expect(log).toEqual(["open", "end: Message too big"]);
  });

  test.each([1003, 1008, 1009])("ends when it is closed with %d, and says the reason", (code) => {
    const { newest, log } = openConnection();
    newest().open();
    newest().end(code, "why so");
    jest.advanceTimersByTime(60_000);
    expect(log).toEqual(["open", "end: why so"]);
  });

  test.each([1000, 1001, 1005, 1006, 1011, 1012, 1013])("tries again when it is closed with %d", (code) => {
    const { newest, log } = openConnection();
    newest().open();
    newest().end(code);
    expect(log).toEqual(["open", `retry: connection lost (${code})`]);
  });

  test("gives up on a handshake that is never answered, once", () => {
    const { newest, log, sockets } = openConnection();
    jest.advanceTimersByTime(10_000);
    const silent = sockets[0]!;
    expect(log).toEqual(["retry: no answer to the WebSocket handshake within 10 s"]);
    expect(silent.closedWith).toBeDefined();
    silent.end(1006);
    jest.advanceTimersByTime(250);
    expect(sockets).toHaveLength(2);
    newest().open();
    jest.advanceTimersByTime(60_000);
    expect(log).toHaveLength(2);
  });

  test("says nothing of a handshake that opens after it was given up", () => {
    const { newest, log, sockets } = openConnection();
    jest.advanceTimersByTime(10_250);
    newest().open();
    newest().receive("[new]");
    sockets[0]!.open();
    sockets[0]!.receive("[old]");
    expect(log.slice(1)).toEqual(["open", "message [new]"]);
  });

  test("is silent once it is closed, and does not come back", () => {
    const { newest, log, sockets, connection } = openConnection();
    newest().open();
    connection.close();
    newest().receive("[]");
    newest().end(1006);
    jest.advanceTimersByTime(60_000);
    expect(log).toEqual(["open"]);
    expect(newest().closedWith).toBe(1000);
    expect(sockets).toHaveLength(1);
  });

  test("can be closed while it waits to try again", () => {
    const { newest, sockets, connection } = openConnection();
    newest().fail(UNREACHABLE);
    connection.close();
    jest.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(1);
  });

  test("can be closed before the handshake is done", () => {
    const { newest, log, connection } = openConnection();
    connection.close();
    jest.advanceTimersByTime(60_000);
    newest().open();
    expect(log).toEqual([]);
  });

  test("leaves no timer behind when it is closed", () => {
    const { connection } = openConnection();
    connection.close();
    expect(jest.getTimerCount()).toBe(0);
  });

  test("calls nobody and stays away once it is closed by the one who is told of a retry", () => {
    const { newest, log, sockets, connection } = openConnection({
      onRetry() {
        log.push("retry");
        connection.close();
      },
    });
    newest().fail(UNREACHABLE);
    jest.advanceTimersByTime(60_000);
    expect(log).toEqual(["retry"]);
    expect(sockets).toHaveLength(1);
  });

  test("throws if the address is none, and ends if it is none any more", () => {
    const bad = () => {
      throw new TypeError("x: no address");
    };
    expect(() => openConnection({ connect: bad })).toThrow("x: no address");
    const first = new PlayedSocket();
    let count = 0;
    const { log } = openConnection({ connect: () => (count++ === 0 ? (first as unknown as Socket) : bad()) });
    first.fail(UNREACHABLE);
    jest.advanceTimersByTime(250);
    expect(log).toEqual([`retry: ${UNREACHABLE}`, "end: x: no address"]);
  });

  test("keeps its long delay while messages are not as they should be", () => {
    const { newest, delays } = openConnection();
    for (const text of ["bad", "bad", "good"]) {
      newest().open();
      newest().receive(text);
      newest().end(1006);
      jest.advanceTimersByTime(delays.at(-1)!);
    }
    expect(delays).toEqual([250, 500, 250]);
  });
});

describe("silence", () => {
  const SILENCE_MS = 12_000;

  test("for the time allowed is a dead connection, whatever TCP says", () => {
    const { newest, log, sockets } = openConnection({ silenceMs: SILENCE_MS });
    newest().open();
    newest().receive("a");
    jest.advanceTimersByTime(SILENCE_MS - 1);
    newest().receive("b");
    jest.advanceTimersByTime(SILENCE_MS - 1);
    expect(log).toEqual(["open", "message a", "message b"]);
    jest.advanceTimersByTime(SILENCE_MS / 2);
    expect(log.at(-1)).toBe("retry: nothing heard for 12 s");
    expect(sockets[0]!.closedWith).toBeDefined();
    sockets[0]!.receive("from the dead");
    newest().open();
    expect(log.slice(-2)).toEqual(["retry: nothing heard for 12 s", "open"]);
  });

  test("is not what a busy event loop hears", () => {
    const { newest, log } = openConnection({ silenceMs: SILENCE_MS });
    newest().open();
    jest.setSystemTime(Date.now() + 10 * SILENCE_MS);
    jest.advanceTimersByTime(SILENCE_MS / 4);
    newest().receive("late");
    expect(log).toEqual(["open", "message late"]);
  });

  test("is expected while the server has to wait, and counted anew afterwards", () => {
    const { newest, log, connection } = openConnection({ silenceMs: SILENCE_MS });
    newest().open();
    connection.pause();
    expect(newest().isPaused).toBe(true);
    jest.advanceTimersByTime(10 * SILENCE_MS);
    connection.resume();
    expect(newest().isPaused).toBe(false);
    jest.advanceTimersByTime(SILENCE_MS);
    expect(log).toEqual(["open"]);
    jest.advanceTimersByTime(SILENCE_MS / 2);
    expect(log.at(-1)).toStartWith("retry");
  });

  test("does not matter where it was not asked for", () => {
    const { newest, log } = openConnection();
    newest().open();
    jest.advanceTimersByTime(3_600_000);
    expect(log).toEqual(["open"]);
  });
});

describe("a renewal", () => {
  test("gives the connection up, and nothing more is heard of it", () => {
    const { newest, log, sockets, connection } = openConnection();
    newest().open();
    connection.renew("a gap");
    newest().receive("late");
    newest().end(1000);
    expect(newest().closedWith).toBe(1000);
    jest.advanceTimersByTime(250);
    expect(sockets).toHaveLength(2);
    expect(log).toEqual(["open", "retry: a gap"]);
  });

  test("comes the later the more often, though all is well in between, until it has been calm", () => {
    const { newest, delays, connection } = openConnection();
    newest().open();
    const renew = () => {
      newest().receive("good");
      connection.renew("a gap");
      jest.advanceTimersByTime(delays.at(-1)!);
      newest().open();
    };
    for (let i = 0; i < 4; i++) renew();
    jest.advanceTimersByTime(61_000);
    renew();
    expect(delays).toEqual([250, 500, 1_000, 2_000, 250]);
  });

  test("lets the server wait on the next connection, too", () => {
    const { newest, connection } = openConnection();
    newest().open();
    connection.pause();
    connection.renew("a gap");
    jest.advanceTimersByTime(250);
    newest().open();
    expect(newest().isPaused).toBe(true);
  });

  test("is nothing while there is no connection", () => {
    const { newest, log, connection } = openConnection();
    newest().fail(UNREACHABLE);
    connection.renew("a gap");
    connection.close();
    connection.renew("a gap");
    expect(log).toEqual([`retry: ${UNREACHABLE}`]);
  });
});

describe("a subprotocol that was asked for", () => {
  const protocol = "csvcast.v1";
  const none = "end: no csvcast.v1 is spoken there: an older csvcast, or something else";

  test("is spoken, or it ends", () => {
    const spoken = openConnection({ protocol });
    spoken.newest().open(protocol);
    expect(spoken.log).toEqual(["open"]);
    const silent = openConnection({ protocol });
    silent.newest().open("");
    expect(silent.log).toEqual([none]);
    expect(silent.newest().closedWith).toBe(1000);
  });

  const words = ["Missing client protocol", "Mismatch client protocol", "Server sent no subprotocol"];
  test.each([...words, "Server sent an invalid subprotocol"])("is refused in the words of a runtime: %s", (why) => {
    const { newest, log } = openConnection({ protocol });
    newest().fail(why);
    expect(log).toEqual([none]);
  });
});
