// The files of the viewer for whoever serves them: built by Bun on the first request, or taken from the executable that they are in.
import { brotliCompressSync, constants } from "node:zlib";
import type { PageFile } from "../channel/http.ts";
import page from "./index.html";

/** In an executable the import is a manifest of what was bundled; from the sources it has nothing. */
type Manifest = {
  readonly index: string;
  readonly files: readonly { path: string; headers: Record<string, string> }[];
};

let files: Promise<ReadonlyMap<string, PageFile>> | undefined;

/** By path; the page itself is `/`. Made once. */
export const viewerFiles = () => (files ??= makeFiles());

async function makeFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  for (const { path, type, bytes } of Bun.isStandaloneExecutable ? await embedded() : await built())
    files.set(path, fileOf(type, bytes, path !== "/"));
  return files;
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

function fileOf(type: string, bytes: Uint8Array<ArrayBuffer>, isImmutable: boolean): PageFile {
  const isText = /^(text|image\/svg|application\/(javascript|json))/.test(type);
  const smaller = (packed: Uint8Array<ArrayBuffer>) => (isText && packed.length < bytes.length ? packed : undefined);
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
  return { type, bytes, gzip: smaller(Bun.gzipSync(bytes)), brotli: smaller(new Uint8Array(brotli)), isImmutable };
}
