// Connecting, backing off and giving up, with sockets and a clock of our own.
import { afterEach, beforeEach, describe, expect, jest, spyOn, test } from "bun:test";
import { type Socket, subscribe } from "../../src/feed/subscriber.ts";

/** A WebSocket that the test plays. */
class PlayedSocket extends EventTarget {
  readyState = 0;
  closedWith: number | undefined;
  close(code?: number): void {
    this.closedWith = code ?? 1000;
  }
  open(): void {
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

function openSubscription(giveUpMs = 60_000) {
  const sockets: PlayedSocket[] = [];
  const log: string[] = [];
  const delays: number[] = [];
  const subscription = subscribe({
    connect() {
      const socket = new PlayedSocket();
      sockets.push(socket);
      return socket as unknown as Socket;
    },
    giveUpMs,
    onOpen: () => void log.push("open"),
    onMessage: (text) => void log.push(`message ${text}`),
    onRetry(why, delayMs) {
      log.push(`retry: ${why}`);
      delays.push(delayMs);
    },
    onEnd: (why) => void log.push(`end: ${why}`),
  });
  return { sockets, log, delays, newest: () => sockets.at(-1)!, close: subscription.close };
}

const UNREACHABLE = "Failed to connect";
const answered = (status: number) => `Expected 101 status code: ${status}`;

describe("a subscription", () => {
  let random: ReturnType<typeof spyOn>;
  beforeEach(() => {
    jest.useFakeTimers();
    random = spyOn(Math, "random").mockReturnValue(1);
  });
  afterEach(() => {
    random.mockRestore();
    jest.useRealTimers();
  });

  test("passes text messages on, in order, and nothing else", () => {
    const { newest, log } = openSubscription();
    newest().open();
    newest().receive("[1]");
    newest().receive(new Uint8Array([1]));
    newest().receive("[2]");
    expect(log).toEqual(["open", "message [1]", "message [2]"]);
  });

  test("tries again with a delay that doubles up to ten seconds", () => {
    const { newest, delays, sockets } = openSubscription(3_600_000);
    for (let i = 0; i < 8; i++) {
      newest().fail(UNREACHABLE);
      jest.advanceTimersByTime(delays.at(-1)!);
    }
    expect(delays).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    expect(sockets).toHaveLength(9);
  });

  test("tries again after half of the delay at the least", () => {
    random.mockReturnValue(0);
    const { newest, delays } = openSubscription();
    newest().fail(UNREACHABLE);
    expect(delays).toEqual([125]);
  });

  test("begins with the short delay again once a message has come", () => {
    const { newest, delays } = openSubscription();
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
    const { newest, delays } = openSubscription();
    for (let i = 0; i < 3; i++) {
      newest().open();
      newest().end(1013, "busy");
      jest.advanceTimersByTime(delays.at(-1)!);
    }
    expect(delays).toEqual([250, 500, 1_000]);
  });

  test("ends when the server is gone for too long, and not before", () => {
    const { newest, log, delays } = openSubscription(3_000);
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
    const { newest, log, sockets } = openSubscription(0);
    newest().fail(UNREACHABLE);
    jest.advanceTimersByTime(60_000);
    expect(log).toEqual([`end: ${UNREACHABLE}`]);
    expect(sockets).toHaveLength(1);
  });

  test("says what little it knows where the runtime tells nothing", () => {
    const { newest, log } = openSubscription();
    newest().dispatchEvent(new Event("error"));
    newest().end(1006);
    expect(log).toEqual(["retry: cannot connect"]);
  });

  const hopeless = [200, 301, 400, 401, 403, 404, 426];
  test.each(hopeless)("ends when the server answers %d", (status) => {
    const { newest, log, sockets } = openSubscription();
    newest().fail(answered(status));
    jest.advanceTimersByTime(60_000);
    expect(log).toEqual([`end: ${answered(status)}`]);
    expect(sockets).toHaveLength(1);
  });

  const passing = [408, 429, 500, 502, 503, 504];
  test.each(passing)("tries again when the server answers %d", (status) => {
    const { newest, log } = openSubscription();
    newest().fail(answered(status));
    expect(log).toEqual([`retry: ${answered(status)}`]);
  });

  test("ends when a message is larger than this runtime can take, which the next one would be too", () => {
    const { newest, log } = openSubscription();
    newest().open();
    newest().fail("Message too big");
    jest.advanceTimersByTime(60_000);
    expect(log).toEqual(["open", "end: Message too big"]);
  });

  test.each([1003, 1008, 1009])("ends when it is closed with %d, and says the reason", (code) => {
    const { newest, log } = openSubscription();
    newest().open();
    newest().end(code, "why so");
    jest.advanceTimersByTime(60_000);
    expect(log).toEqual(["open", "end: why so"]);
  });

  test.each([1000, 1001, 1005, 1006, 1011, 1012, 1013])("tries again when it is closed with %d", (code) => {
    const { newest, log } = openSubscription();
    newest().open();
    newest().end(code);
    expect(log).toEqual(["open", `retry: connection lost (${code})`]);
  });

  test("gives up on a handshake that is never answered, once", () => {
    const { newest, log, sockets } = openSubscription();
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
    const { newest, log, sockets } = openSubscription();
    jest.advanceTimersByTime(10_250);
    newest().open();
    newest().receive("[new]");
    sockets[0]!.open();
    sockets[0]!.receive("[old]");
    expect(log.slice(1)).toEqual(["open", "message [new]"]);
  });

  test("is silent once it is closed, and does not come back", () => {
    const { newest, log, sockets, close } = openSubscription();
    newest().open();
    close();
    newest().receive("[]");
    newest().end(1006);
    jest.advanceTimersByTime(60_000);
    expect(log).toEqual(["open"]);
    expect(newest().closedWith).toBe(1000);
    expect(sockets).toHaveLength(1);
  });

  test("can be closed while it waits to try again", () => {
    const { newest, sockets, close } = openSubscription();
    newest().fail(UNREACHABLE);
    close();
    jest.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(1);
  });

  test("can be closed before the handshake is done", () => {
    const { newest, log, close } = openSubscription();
    close();
    jest.advanceTimersByTime(60_000);
    newest().open();
    expect(log).toEqual([]);
  });

  test("leaves no timer behind when it is closed", () => {
    const { close } = openSubscription();
    close();
    expect(jest.getTimerCount()).toBe(0);
  });
});
