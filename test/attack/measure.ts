// `bun test/attack/measure.ts [SECONDS] [WORD]`: what crowds make a server use, as the table of docs/operations.md has it. Only the
// bound on memory decides how it ends: times depend on what else the machine does.
import { meet, SCENARIOS, SPARE_MIB } from "./crowds.ts";

const [, , seconds = "20", word = ""] = process.argv;
const at = (values: readonly number[], share: number) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length * share)] ?? NaN;
const ms = (value: number) => `${value.toFixed(1)} ms`;

for (const scenario of SCENARIOS.filter(({ name }) => name.includes(word))) {
  const { peak, quietPeak, waits, besideReaders, counts } = await meet(scenario, Number(seconds), true);
  const allowed = scenario.maxBacklogMib + SPARE_MIB;
  const isGood = peak - quietPeak <= allowed;
  console.log(`${isGood ? "good" : "FAILED"}: ${scenario.name}`);
  console.log(
    `  memory ${quietPeak.toFixed(0)} -> ${peak.toFixed(0)} MiB, ${(peak - quietPeak).toFixed(0)} more (${allowed} allowed); ${counts.in} came in`,
  );
  const told = (of: readonly number[]) =>
    `median ${ms(at(of, 0.5))}, p99 ${ms(at(of, 0.99))}, worst ${ms(Math.max(...of))}`;
  console.log(
    `  /healthz: ${told(waits.health)}; live: ${told(waits.live)} (${waits.live.length}); closed ${waits.closed}`,
  );
  if (besideReaders)
    console.log(`  beside readers: /healthz ${told(besideReaders.health)}; live ${told(besideReaders.live)}`);
  if (!isGood) process.exitCode = 1;
}
