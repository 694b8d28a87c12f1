// The files of the viewer for whoever serves them: built by Bun on the first request, or taken from the executable that they are in.
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import type { PageFile } from "../channel/http.ts";
import { LIBRARY_PATH } from "../feed/endpoints.ts";
import page from "./index.html";

/** In an executable the import is a manifest of what was bundled; from the sources it has nothing. */
type Manifest = {
  readonly index: string;
  readonly files: readonly { path: string; headers: Record<string, string> }[];
};

const compress = promisify(brotliCompress);
/** Of 11: what the first visitor waits for, and what all later ones get. */
const QUICK = 5;
const SMALLEST = 11;
/** Below it a file is no smaller when it is packed, in bytes. */
const SMALL = 150;

let files: Promise<ReadonlyMap<string, PageFile>> | undefined;

/** By path; the page itself is `/`. Made once. */
export const viewerFiles = () => (files ??= makeFiles());

async function makeFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const raws = Bun.isStandaloneExecutable ? await embedded() : await built();
  const made = raws.map(
    async ({ path, type, bytes }) => [path, await fileOf(type, bytes, path !== "/" && path !== LIBRARY_PATH)] as const,
  );
  const files = new Map(await Promise.all(made));
  smaller = Promise.all(files.values().map(pack));
  return files;
}

let smaller: Promise<unknown> | undefined;

/** When the files are as small as they get: that takes half a second of another thread. */
export async function viewerFilesAtBest(): Promise<ReadonlyMap<string, PageFile>> {
  const files = await viewerFiles();
  await smaller;
  return files;
}

type Raw = { readonly path: string; readonly type: string; readonly bytes: Uint8Array<ArrayBuffer> };

function embedded(): Promise<Raw[]> {
  const { index, files } = page as unknown as Manifest;
  const parts = files.map(({ path, headers }) => ({
    path: path === index ? "/" : `/${path.split("/").pop()}`,
    type: headers["content-type"] ?? "application/octet-stream",
    file: Bun.file(path),
  }));
  // Embedded as it is: as an entry of its own (`build:library`), and not as a module of the executable.
  const library = Bun.embeddedFiles.filter((file) => "name" in file && /^library-\w+\.bundle$/.test(String(file.name)));
  const own = library.map((file) => ({ path: LIBRARY_PATH, type: "text/javascript;charset=utf-8", file }));
  return Promise.all(
    [...parts, ...own].map(async ({ path, type, file }) => ({
      path,
      type,
      bytes: new Uint8Array(await file.arrayBuffer()),
    })),
  );
}

async function built(): Promise<Raw[]> {
  const entry = Bun.fileURLToPath(new URL("./index.html", import.meta.url));
  const { outputs } = await Bun.build({ entrypoints: [entry], minify: true, publicPath: "/" });
  const library = Bun.fileURLToPath(new URL("../follow/index.ts", import.meta.url));
  const { outputs: own } = await Bun.build({ entrypoints: [library], minify: true, target: "browser" });
  const pathOf = ({ type, path }: Bun.BuildArtifact) =>
    type.startsWith("text/html") ? "/" : `/${path.replace(/^\.?\//, "")}`;
  return Promise.all([
    ...outputs.map((output) => rawOf(pathOf(output), output)),
    ...own.map((output) => rawOf(LIBRARY_PATH, output)),
  ]);
}

async function rawOf(path: string, output: Bun.BuildArtifact): Promise<Raw> {
  return { path, type: output.type, bytes: new Uint8Array(await output.arrayBuffer()) };
}

type Packed = { -readonly [key in keyof PageFile]: PageFile[key] };

async function fileOf(type: string, bytes: Uint8Array<ArrayBuffer>, isImmutable: boolean): Promise<Packed> {
  const isText = /^(text|image\/svg|application\/(javascript|json))/.test(type);
  const packed = isText && bytes.length > SMALL;
  const gzip = packed ? Bun.gzipSync(bytes) : undefined;
  return { type, bytes, gzip, brotli: packed ? await brotli(bytes, QUICK) : undefined, isImmutable };
}

async function pack(file: Packed): Promise<void> {
  if (file.brotli) file.brotli = await brotli(file.bytes, SMALLEST);
}

async function brotli(bytes: Uint8Array, quality: number): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await compress(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } }));
}
