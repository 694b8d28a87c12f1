// The signals that end a program in order.
import { readFileSync } from "node:fs";

const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

export type EndSignal = keyof typeof NUMBERS;

/** The exit code of a program that a signal has ended. */
export const exitCodeOf = (signal: EndSignal) => 128 + NUMBERS[signal];

/** Those to listen to: not those that whoever started us wants ignored, as `nohup` does, which a listener would undo. */
export function endSignals(): EndSignal[] {
  const ignored = ignoredMask();
  return (Object.keys(NUMBERS) as EndSignal[]).filter((signal) => !(ignored & (1n << BigInt(NUMBERS[signal] - 1))));
}

/** proc(5), SigIgn; nothing where there is no such file. */
function ignoredMask(): bigint {
  try {
    return BigInt(`0x${/^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))![1]}`);
  } catch {
    return 0n;
  }
}
