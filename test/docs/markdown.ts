// Reads the pages of this project: which there are, their headings, links and code. Markdown as these pages use it, and no more.
import { dirname, join, relative } from "node:path";

export const ROOT = join(import.meta.dir, "../..");

export type Page = { readonly path: string; readonly text: string };

/** `language`: what stands behind the fence, or "". `line`: of the fence, from 1. */
export type Code = { readonly language: string; readonly text: string; readonly line: number };

/** Every page that people read, by its path from the root. */
export async function readPages(): Promise<Page[]> {
  const patterns = ["*.md", ...["docs", "deploy", "examples", "src", ".github"].map((folder) => `${folder}/**/*.md`)];
  const found = await Promise.all(
    patterns.map((pattern) => Array.fromAsync(new Bun.Glob(pattern).scan({ cwd: ROOT, dot: true }))),
  );
  return Promise.all(
    found
      .flat()
      .sort()
      .map(async (path) => ({ path, text: await Bun.file(join(ROOT, path)).text() })),
  );
}

export const page = async (path: string): Promise<Page> => ({ path, text: await Bun.file(join(ROOT, path)).text() });

export function codeIn({ text }: Page): Code[] {
  return [...text.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(({ 1: language = "", 2: code = "", index }) => ({
    language,
    text: code,
    line: text.slice(0, index).split("\n").length,
  }));
}

const withoutCode = (text: string) => text.replace(/^```[^]*?^```$/gm, "").replace(/`[^`\n]*`/g, "");

/** What a heading is called in a link: as GitHub makes it. */
export function anchorsIn({ text }: Page): Set<string> {
  const headings = text.replace(/^```[^]*?^```$/gm, "").matchAll(/^#{1,6} (.+)$/gm);
  const found = new Set<string>();
  for (const [, heading = ""] of headings) {
    const anchor = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-");
    let name = anchor;
    for (let again = 1; found.has(name); again++) name = `${anchor}-${again}`;
    found.add(name);
  }
  return found;
}

/** `target`: the path from the root; "" for a link that leaves the project, whose `url` it is. */
export type Link = { readonly url: string; readonly target: string; readonly anchor: string };

export function linksIn({ path, text }: Page): Link[] {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(({ 1: url = "" }) => {
    if (/^[a-z]+:/i.test(url)) return { url, target: "", anchor: "" };
    const [file = "", anchor = ""] = url.split("#");
    return { url, target: file === "" ? path : relative(ROOT, join(ROOT, dirname(path), file)), anchor };
  });
}
