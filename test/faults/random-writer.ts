// A writer that does at random what writers do, as a process of its own: bun random-writer.ts FILE SEED ACTIONS [RECORD].
// Prints a line for each action, so that a failure can be read. RECORD gets each content that the file had, a line of JSON for each:
// `[bytes in base64, bytes that were there before, when its write began and was done, whether its writer is known to put line ends first]`. Without it the end is a file that anybody converts to the same.
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

const [path = "", seed = "0", actions = "10", record = ""] = process.argv.slice(2);
const random = randomFrom(Number(seed));
/** What the writer of this seed writes in; one that is not plain ASCII has a mark in front, as such writers do. */
const encoding = record === "" ? "utf8" : random.pick(["utf8", "utf8", "utf8", "latin1", "utf16le"] as const);
const WORDS = ["x", "alpha", "é", "ü", '"a,b"', '"two\nlines"', '"say ""hi"""', "", "1.5", "z".repeat(300)] as const;
/** Tables are compared whole at each look while they are small. */
const MAX_BYTES = 40_000;

const bytes = (text: string) => Buffer.from(text, encoding);
let number = 0;
const row = () => `${number++},${random.pick(WORDS)},${random.pick(WORDS)}\n`;
const lines = (count: number) => Array.from({ length: count }, row).join("");
const mark = encoding === "utf16le" ? "\ufeff" : "";
const header = () => mark + (random.chance(0.9) ? "id,b,c\n" : "id,other,c,d\n");
const pause = () => Bun.sleep(random.below(random.chance(0.2) ? 120 : 15));

let before = 0; // how much of what is there was there
let endsFirst = 0; // so many actions ago rows were written so
/** Each write to the file; `isAnew`: nothing of what was there goes on. */
function write(act: () => void, isAnew = false): void {
  const begun = Date.now();
  act();
  const done = Date.now();
  if (record === "") return;
  const content = readFileSync(path);
  recorded(content, isAnew ? 0 : before, begun, done);
  before = content.length;
}

function recorded(content: Buffer, from: number, begun = Date.now(), done = Date.now()): void {
  appendFileSync(record, `${JSON.stringify([content.toString("base64"), from, begun, done, endsFirst > 0])}\n`);
}

const append = (data: Buffer) => write(() => appendFileSync(path, data));
const rewrite = (act: () => void) => write(act, true);

const text = () => readFileSync(path).toString(encoding);
const isLarge = () => readFileSync(path).length > MAX_BYTES;

const ACTIONS: Record<string, () => Promise<void> | void> = {
  append: () => append(bytes(lines(1 + random.below(random.chance(0.1) ? 30 : 5)))),
  async "partial append"() {
    const data = bytes(lines(3));
    const cut = random.below(data.length);
    append(data.subarray(0, cut));
    await pause();
    append(data.subarray(cut));
  },
  /** As C stdio, gawk and Python do: whatever has come when the buffer is full. */
  async "block-buffered append"() {
    const data = bytes(lines(80));
    for (let at = 0; at < data.length; at += 4_096) {
      append(data.subarray(at, at + 4_096));
      await pause();
    }
  },
  async "line ends first"() {
    if (text().endsWith("\n")) rewrite(() => truncateSync(path, readFileSync(path).length - bytes("\n").length));
    for (let i = 0; i < 5; i++) {
      // What comes next may be read together with the last of these.
      if (i === 2) endsFirst = 3;
      append(bytes(`\n${row().slice(0, -1).replaceAll("\n", " ")}`));
      await pause();
    }
    append(bytes("\n"));
  },
  edit() {
    const content = readFileSync(path);
    const at = content.indexOf("\n") + 1 + random.below(Math.max(1, content.length - 20));
    if (encoding === "utf16le" || at >= content.length || content[at]! < 48 || content[at]! > 122) return;
    const fd = openSync(path, "r+");
    rewrite(() => writeSync(fd, "Q", at));
    closeSync(fd);
  },
  "broken byte": () => append(Buffer.concat([bytes(`${number++},noise`), Buffer.from([0xff]), bytes(",x\n")])),
  "stray quote": () => append(bytes(`${number++},"stray,x\n${lines(3)}`)),
  "loss of power"() {
    append(Buffer.concat([bytes(row().slice(0, 3)), Buffer.alloc(200)]));
    append(bytes(lines(2)));
  },
  "fast rewrite": () => rewrite(() => writeFileSync(path, bytes(header() + lines(random.below(60))))),
  async "slow rewrite"() {
    let fd = -1;
    rewrite(() => (fd = openSync(path, "w")));
    write(() => writeSync(fd, bytes(header())));
    for (let i = random.below(6); i > 0; i--) {
      await Bun.sleep(random.below(10));
      write(() => writeSync(fd, bytes(lines(random.below(10)))));
    }
    closeSync(fd);
  },
  replace() {
    writeFileSync(`${path}.new`, bytes(header() + lines(random.below(60))));
    rewrite(() => renameSync(`${path}.new`, path));
  },
  async ticker() {
    for (let i = 0; i < 8; i++) {
      writeFileSync(`${path}.new`, bytes(`${mark}id,b,c\n${lines(5)}`));
      rewrite(() => renameSync(`${path}.new`, path));
      await Bun.sleep(random.below(40));
    }
  },
  "edit and replace"() {
    writeFileSync(`${path}.new`, bytes(text().replace(/\nid?(\d*)7,/, "\n$1seven,")));
    rewrite(() => renameSync(`${path}.new`, path));
  },
  /** Not longer than it is: a few NULs in a small file look like no text at all. */
  truncate: () => rewrite(() => truncateSync(path, Math.min(readFileSync(path).length & ~1, 2 * random.below(25)))),
  empty() {
    const fd = openSync(path, "r+");
    rewrite(() => ftruncateSync(fd, 0));
    closeSync(fd);
  },
  /** A log that is cut while its writer goes on, where it was or at the beginning. */
  async copytruncate() {
    const fd = openSync(path, "r+");
    const at = random.chance(0.5) ? readFileSync(path).length : 0;
    rewrite(() => ftruncateSync(fd, 0));
    const head = at === 0 ? header() : "";
    write(() => writeSync(fd, bytes(head + lines(2)), undefined, undefined, at & ~1));
    closeSync(fd);
    await pause();
    append(bytes(lines(3)));
  },
  async "delete and recreate"() {
    rmSync(path);
    await pause();
    rewrite(() => writeFileSync(path, bytes(header() + lines(random.below(5)))));
  },
  async rotate() {
    renameSync(path, `${path}.1`);
    appendFileSync(`${path}.1`, bytes(lines(2)));
    if (record !== "") recorded(readFileSync(`${path}.1`), before);
    await pause();
    rewrite(() => writeFileSync(path, bytes(header() + lines(random.below(5)))));
    for (let i = 0; i < 10; i++) {
      append(bytes(lines(2)));
      await Bun.sleep(random.below(20));
    }
  },
};

/** What leaves no file in UTF-16. */
const BYTEWISE = ["broken byte", "loss of power", "truncate", "empty", "copytruncate"];

rewrite(() => {});
for (let action = 0; action < Number(actions); action++) {
  const drawn = random.pick([...Object.keys(ACTIONS), "append", "append"]);
  const isPossible = encoding !== "utf16le" || (action > 0 && !BYTEWISE.includes(drawn));
  const name = isPossible && !isLarge() ? drawn : "fast rewrite";
  console.log(name);
  await ACTIONS[name]?.();
  endsFirst--;
  await pause();
}
// The end is a file that can be converted: no open quote, no cut row; but for some that is how it came to be.
if (record === "" || random.chance(0.5))
  rewrite(() => writeFileSync(path, bytes(header() + lines(5 + random.below(20)))));
else append(bytes(`\n${lines(20)}`));
await pause();
append(bytes(lines(2)));
