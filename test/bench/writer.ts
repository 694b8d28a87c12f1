// Writers as programs have them, each a process of its own: bun writer.ts KIND PATH NUMBER… It prints lines of JSON.
import { appendFileSync, closeSync, openSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { encoded, type Encoding, LOG_HEADER, logRow, now, paced, QUOTES_HEADER, type Rotated } from "./writing.ts";

const [kind = "", path = "", ...rest] = process.argv.slice(2);
const numbers = rest.map(Number);
const say = (value: object) => console.log(JSON.stringify(value));

/** A table that is put in the place of the one before, with the time at which its content was made up in its first row. */
async function ticker(rows: number, changed: number, periodMs: number, seconds: number): Promise<void> {
  const lines = Array.from({ length: rows }, (_, i) => `${i},SYM${i},${100 + (i % 50)},0`);
  await paced((seconds * 1_000) / periodMs, periodMs, (generation) => {
    const at = now();
    for (let i = 0; i < changed; i++) {
      const row = (generation * changed + i * 97) % rows;
      lines[row] = `${row},SYM${row},${100 + ((generation + i) % 50)}.${generation % 100},${at}`;
    }
    lines[0] = `0,CLOCK,${generation},${at}`;
    writeFileSync(`${path}.new`, `${QUOTES_HEADER}${lines.join("\n")}\n`);
    renameSync(`${path}.new`, path);
  });
}

/** A log that is renamed away and begun anew while it is written to; its writer goes on in the old one for `lingerMs`. */
async function rotate(perSecond: number, rotations: number, periodMs: number, lingerMs: number): Promise<void> {
  const each = perSecond / 100;
  const ticks = Math.round(periodMs / 10);
  let fd = openSync(path, "a");
  let next: number | undefined;
  let n = 0;
  await paced((rotations + 1) * ticks, 10, (tick) => {
    if (tick > 0 && tick % ticks === 0) {
      renameSync(path, `${path}.${tick / ticks}`);
      next = openSync(path, "ax");
      writeSync(next, LOG_HEADER);
      say({ rotatedAt: now() } satisfies Rotated);
    }
    if (next !== undefined && (tick % ticks) * 10 >= lingerMs) {
      closeSync(fd);
      fd = next;
      next = undefined;
    }
    let text = "";
    for (let i = 0; i < each; i++) text += logRow(n++);
    writeSync(fd, text);
  });
  say({ rows: n });
}

/** Rows at the end of several files, each in its encoding. */
async function append(perSecond: number, seconds: number): Promise<void> {
  const files = path.split("|").map((file) => file.split("=") as [Encoding, string]);
  await paced(perSecond * seconds, 1_000 / perSecond, (n) => {
    for (const [encoding, file] of files) appendFileSync(file, encoded(logRow(n), encoding));
  });
}

async function grow(bytes: number, perSecond: number): Promise<void> {
  const fd = openSync(path, "a");
  const each = perSecond / 50;
  let n = 0;
  await paced(Math.ceil(bytes / each), 20, () => {
    let text = "";
    while (text.length < each) text += logRow(n++);
    writeSync(fd, text);
  });
  closeSync(fd);
  say({ rows: n });
}

const [a = 0, b = 0, c = 0, d = 0] = numbers;
if (kind === "ticker") await ticker(a, b, c, d);
if (kind === "rotate") await rotate(a, b, c, d);
if (kind === "append") await append(a, b);
if (kind === "grow") await grow(a, b);
