// A process that answers one request at a time over IPC, and both ends of that conversation.

export type Child = AsyncDisposable & {
  readonly pid: number;
  /** Rejects if the child fails, ends, or takes longer than `timeoutMs`. */
  ask<Reply>(request: object, timeoutMs?: number): Promise<Reply>;
};

type Answer = { reply: unknown } | { failure: string };

const TIMEOUT_MS = 180_000;

/** Starts a Bun program of this folder that calls `answerRequests`; it ends when it is disposed of. */
export function startChild(program: string, args: readonly string[] = []): Child {
  let waiting: PromiseWithResolvers<unknown> | undefined;
  const subprocess = Bun.spawn([process.execPath, `${import.meta.dir}/${program}`, ...args], {
    stdio: ["ignore", "inherit", "inherit"],
    serialization: "json",
    ipc(answer: Answer) {
      if ("reply" in answer) waiting?.resolve(answer.reply);
      else waiting?.reject(new Error(answer.failure));
    },
    onExit: (_subprocess, code, signal) => waiting?.reject(new Error(`the process ended: ${signal ?? code}`)),
  });

  async function ask<Reply>(request: object, timeoutMs = TIMEOUT_MS): Promise<Reply> {
    const asked = Promise.withResolvers<unknown>();
    waiting = asked;
    const timer = setTimeout(() => asked.reject(new Error(`no answer within ${timeoutMs / 1_000} s`)), timeoutMs);
    try {
      subprocess.send(request);
      return (await asked.promise) as Reply;
    } finally {
      clearTimeout(timer);
      waiting = undefined;
    }
  }

  return { pid: subprocess.pid, ask, [Symbol.asyncDispose]: () => end(subprocess) };
}

const GRACE_MS = 3_000;

/** Ends a process of ours: politely, then by force. */
export async function end(subprocess: Bun.Subprocess): Promise<void> {
  subprocess.kill("SIGTERM");
  const timer = setTimeout(() => subprocess.kill("SIGKILL"), GRACE_MS);
  await subprocess.exited;
  clearTimeout(timer);
}

/** The child's end: answers each request with what `answer` returns or throws. */
export function answerRequests<Request>(answer: (request: Request) => unknown): void {
  process.on("message", async (request: Request) => {
    try {
      process.send?.({ reply: (await answer(request)) ?? null } satisfies Answer);
    } catch (error) {
      process.send?.({ failure: error instanceof Error ? error.message : String(error) } satisfies Answer);
    }
  });
  process.on("disconnect", () => process.exit());
}
