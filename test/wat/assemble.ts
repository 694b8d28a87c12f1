// `bun run wat`: src/csv/simd.wat -> src/csv/simd.bytes.ts. Needs `bun install` in test/wat.
import { join } from "node:path";

const CSV = join(import.meta.dir, "../../src/csv");
export const BYTES = join(CSV, "simd.bytes.ts");

type Wabt = {
  parseWat(name: string, text: string, features: object): { toBinary(options: object): { buffer: Uint8Array } };
};

/** What simd.bytes.ts is to be. */
export async function assembled(): Promise<string> {
  const source = await Bun.file(join(CSV, "simd.wat")).text();
  const wabt = (await import(join(import.meta.dir, "node_modules/wabt/index.js"))) as { default(): Promise<Wabt> };
  const { parseWat } = await wabt.default();
  const { buffer } = parseWat("simd.wat", source, { simd: true, bulk_memory: true }).toBinary({});
  const text = Buffer.from(buffer)
    .toString("base64")
    .replace(/.{120}/g, '$&" +\n  "');
  return `// Made of simd.wat by \`bun run wat\`.\nexport const SIMD_WASM =\n  "${text}";\n`;
}

if (import.meta.main) await Bun.write(BYTES, await assembled());
