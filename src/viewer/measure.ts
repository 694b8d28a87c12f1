// How wide a text is in the font of the table.

/** Texts whose width is remembered. */
const MAX_KNOWN = 20_000;

export function measuring(): (text: string, isBold: boolean) => number {
  const context = document.createElement("canvas").getContext("2d");
  const { fontFamily, fontSize } = getComputedStyle(document.body);
  const known = new Map<string, number>();
  return (text, isBold) => {
    if (!context) return text.length * 8;
    const font = `${isBold ? "600" : "400"} ${fontSize} ${fontFamily}`;
    const key = font + text;
    const before = known.get(key);
    if (before !== undefined) return before;
    if (context.font !== font) context.font = font;
    const { width } = context.measureText(text);
    if (known.size > MAX_KNOWN) known.clear();
    known.set(key, width);
    return width;
  };
}
