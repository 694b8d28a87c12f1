// A writer that does at random what writers do, as a process of its own: bun random-writer.ts FILE SEED ACTIONS.
// Prints a line for each action, so that a failure can be read.
import {
  appendFileSync,
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { randomFrom } from "../fuzz/random.ts";

const [path = "", seed = "0", actions = "10"] = process.argv.slice(2);
const random = randomFrom(Number(seed));
const WORDS = ["x", "alpha", "é", "€uro", '"a,b"', '"two\nlines"', '"say ""hi"""', "", "1.5", "z".repeat(300)] as const;

let number = 0;
const row = () => `${number++},${random.pick(WORDS)},${random.pick(WORDS)}\n`;
const lines = (count: number) => Array.from({ length: count }, row).join("");
const header = () => (random.chance(0.9) ? "id,b,c\n" : "id,other,c,d\n");
const pause = () => Bun.sleep(random.below(random.chance(0.2) ? 120 : 15));

const ACTIONS: Record<string, () => Promise<void> | void> = {
  append: () => appendFileSync(path, lines(1 + random.below(random.chance(0.1) ? 3_000 : 5))),
  async "partial append"() {
    const text = Buffer.from(lines(3));
    const cut = random.below(text.length);
    appendFileSync(path, text.subarray(0, cut));
    await pause();
    appendFileSync(path, text.subarray(cut));
  },
  edit() {
    const text = readFileSync(path);
    const at = text.indexOf("\n") + 1 + random.below(Math.max(1, text.length - 20));
    if (at >= text.length || text[at]! < 48 || text[at]! > 122) return;
    const fd = openSync(path, "r+");
    writeSync(fd, "Q", at);
    closeSync(fd);
  },
  "fast rewrite": () => writeFileSync(path, header() + lines(random.below(60))),
  async "slow rewrite"() {
    const fd = openSync(path, "w");
    writeSync(fd, header());
    for (let i = random.below(6); i > 0; i--) {
      await Bun.sleep(random.below(10));
      writeSync(fd, lines(random.below(10)));
    }
    closeSync(fd);
  },
  replace() {
    writeFileSync(`${path}.new`, header() + lines(random.below(60)));
    renameSync(`${path}.new`, path);
  },
  "edit and replace"() {
    writeFileSync(`${path}.new`, readFileSync(path, "utf8").replace(/\nid?(\d*)7,/, "\n$1seven,"));
    renameSync(`${path}.new`, path);
  },
  truncate: () => truncateSync(path, random.below(50)),
  empty() {
    const fd = openSync(path, "r+");
    ftruncateSync(fd, 0);
    closeSync(fd);
  },
  async "delete and recreate"() {
    rmSync(path);
    await pause();
    writeFileSync(path, header() + lines(random.below(5)));
  },
  async rotate() {
    renameSync(path, `${path}.1`);
    await pause();
    writeFileSync(path, header() + lines(random.below(5)));
  },
};

for (let action = 0; action < Number(actions); action++) {
  const name = random.pick([...Object.keys(ACTIONS), "append", "append", "partial append"]);
  console.log(name);
  await ACTIONS[name]?.();
  await pause();
}
// The end is a file that can be converted: no open quote, no cut character.
writeFileSync(path, header() + lines(5 + random.below(20)));
await pause();
appendFileSync(path, lines(2));
