// What stands in messages: names, which may hold any character and must not forge a line or command a terminal, and sizes.

/** As it is, or as a JSON string if it holds control characters, or ones that change the direction of writing. */
export function printable(text: string): string {
  return text.search(COMMANDING) === -1 ? text : JSON.stringify(text).replace(COMMANDING, escaped);
}

const COMMANDING = /[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g;
/** JSON escapes only the first of them. */
const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** `900 bytes`, `1.5 MiB` */
export function sizeText(bytes: number): string {
  const unit = ["bytes", "KiB", "MiB", "GiB"].findIndex((_, i) => bytes < 1024 ** (i + 1));
  if (unit <= 0) return unit === 0 ? `${bytes} bytes` : `${Math.round(bytes / 2 ** 30)} GiB`;
  return `${Number((bytes / 1024 ** unit).toFixed(1))} ${["", "KiB", "MiB", "GiB"][unit]}`;
}
