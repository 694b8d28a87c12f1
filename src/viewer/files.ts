// The files of the viewer for whoever serves them: built by Bun on the first request, or taken from the executable that they are in.
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import type { PageFile } from "../channel/http.ts";
import page from "./index.html";

/** In an executable the import is a manifest of what was bundled; from the sources it has nothing. */
type Manifest = {
  readonly index: string;
  readonly files: readonly { path: string; headers: Record<string, string> }[];
};

const pack = promisify(brotliCompress);
/** Of 11. Above it the first visitor would wait for half a second; below, every page weighs 4 kB more. */
const BROTLI_QUALITY = 10;

let files: Promise<ReadonlyMap<string, PageFile>> | undefined;

/** By path; the page itself is `/`. Made once. */
export const viewerFiles = () => (files ??= makeFiles());

async function makeFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const raws = Bun.isStandaloneExecutable ? await embedded() : await built();
  const made = raws.map(async ({ path, type, bytes }) => [path, await fileOf(type, bytes, path !== "/")] as const);
  return new Map(await Promise.all(made));
}

type Raw = { readonly path: string; readonly type: string; readonly bytes: Uint8Array<ArrayBuffer> };

function embedded(): Promise<Raw[]> {
  const { index, files } = page as unknown as Manifest;
  return Promise.all(
    files.map(async ({ path, headers }) => ({
      path: path === index ? "/" : `/${path.split("/").pop()}`,
      type: headers["content-type"] ?? "application/octet-stream",
      bytes: await Bun.file(path).bytes(),
    })),
  );
}

async function built(): Promise<Raw[]> {
  const entry = Bun.fileURLToPath(new URL("./index.html", import.meta.url));
  const { outputs } = await Bun.build({ entrypoints: [entry], minify: true, publicPath: "/" });
  return Promise.all(
    outputs.map(async (output) => ({
      path: output.type.startsWith("text/html") ? "/" : `/${output.path.replace(/^\.?\//, "")}`,
      type: output.type,
      bytes: new Uint8Array(await output.arrayBuffer()),
    })),
  );
}

async function fileOf(type: string, bytes: Uint8Array<ArrayBuffer>, isImmutable: boolean): Promise<PageFile> {
  const isText = /^(text|image\/svg|application\/(javascript|json))/.test(type);
  const smaller = (packed: Uint8Array<ArrayBuffer>) => (isText && packed.length < bytes.length ? packed : undefined);
  const brotli = await pack(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } });
  return { type, bytes, gzip: smaller(Bun.gzipSync(bytes)), brotli: smaller(new Uint8Array(brotli)), isImmutable };
}
