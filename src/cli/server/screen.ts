// Where the server speaks to people: its console and its log, in the words of how it was called.
import { openConsole } from "./console.ts";
import { openLog } from "./log.ts";
import type { Plan } from "./plan.ts";

export type Screen = ReturnType<typeof openScreen>;

/** `called`: a text with the commands that the person has. */
export function openScreen({ values, isForMachines, prompts }: Plan, called: (text: string) => string) {
  const screen = openConsole({
    input: () => process.stdin,
    output: process.stdout,
    env: isForMachines ? { TERM: "dumb" } : process.env,
    prompts,
    suspend: () => process.kill(0, "SIGTSTP"), // its group, to which `bun run` belongs
  });
  const log = openLog({
    format: values.program.log,
    line: (text) => screen.line(called(text)),
    warn: (text) => screen.warn(called(text)),
    now: Date.now,
  });
  return { ...screen, log, called };
}
