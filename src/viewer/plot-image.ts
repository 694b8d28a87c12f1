// A plot as a picture: the charts as they are on the page, and above them what their lines are.

export type Picture = {
  readonly title: string;
  readonly lines: readonly { readonly name: string; readonly value: string; readonly colour: string }[];
  readonly canvases: readonly HTMLCanvasElement[];
  readonly background: string;
  readonly text: string;
  readonly font: string;
};

const MARGIN = 12;
const TITLE_PX = 24;
const LINE_PX = 18;
const GAP_PX = 18;
const SWATCH_PX = 8;

/** As PNG, in the pixels of this screen; undefined if there is nothing to draw. */
export function pictureOf(picture: Picture): Promise<Blob | undefined> {
  const { canvases } = picture;
  const context = document.createElement("canvas").getContext("2d");
  const [first] = canvases;
  if (!first || !context) return Promise.resolve(undefined);
  const scale = devicePixelRatio;
  const width = first.width / scale;
  const top = MARGIN + TITLE_PX + LINE_PX * legend(context, picture, width, false) + MARGIN / 2;
  const { canvas } = context;
  canvas.width = Math.ceil((width + MARGIN) * scale);
  canvas.height = Math.ceil((top + MARGIN) * scale) + canvases.reduce((sum, { height }) => sum + height, 0);
  context.scale(scale, scale);
  context.fillStyle = picture.background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  legend(context, picture, width, true);
  context.setTransform(1, 0, 0, 1, 0, 0);
  let y = Math.round(top * scale);
  for (const chart of canvases) {
    context.drawImage(chart, 0, y);
    y += chart.height;
  }
  return new Promise((resolve) => canvas.toBlob((blob) => resolve(blob ?? undefined), "image/png"));
}

/** Title and lines; gives how many lines of text these take. */
function legend(context: CanvasRenderingContext2D, picture: Picture, width: number, isDrawn: boolean): number {
  const { title, lines, text, font } = picture;
  context.textBaseline = "middle";
  context.fillStyle = text;
  context.font = `600 14px ${font}`;
  if (isDrawn) context.fillText(title, MARGIN, MARGIN + TITLE_PX / 2, width - 2 * MARGIN);
  context.font = `12px ${font}`;
  let x = MARGIN;
  let row = 0;
  for (const { name, value, colour } of lines) {
    const words = `${name}  ${value}`;
    const length = SWATCH_PX + 6 + context.measureText(words).width;
    if (x > MARGIN && x + length > width - MARGIN) {
      x = MARGIN;
      row++;
    }
    const y = MARGIN + TITLE_PX + LINE_PX * (row + 0.5);
    if (isDrawn) {
      context.fillStyle = colour;
      context.fillRect(x, y - SWATCH_PX / 2, SWATCH_PX, SWATCH_PX);
      context.fillStyle = text;
      context.fillText(words, x + SWATCH_PX + 6, y);
    }
    x += length + GAP_PX;
  }
  return row + 1;
}
