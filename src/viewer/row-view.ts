// All of one row, as name and value, live: it follows its row, and ↑ ↓ go to the next one.
import { number } from "./captions.ts";
import { shownText, wholeText } from "./cells.ts";
import { copyButton, element, openDialog, setText } from "./dom.ts";
import type { RowPlace, RowShown } from "./messages.ts";

export type RowView = {
  show(row: RowShown, names: readonly string[]): void;
  /** It says what it said, and is elsewhere. */
  move(place: RowPlace): void;
};

export type RowViewEvents = {
  /** Another row, or another column of it, is wanted in full. */
  onGo(position: number, column: number): void;
  onClose(): void;
};

/** A long text in pieces of which only those in view are laid out. */
const CHUNK = 20_000;
const MAX_FIELDS = 2_000;

export function openRowView({ onGo, onClose }: RowViewEvents): RowView {
  const fields = element("dl", { class: "record" });
  const place = element("span", { class: "muted", role: "status" });
  function go(by: number): void {
    if (!shown) return;
    position = Math.max(0, Math.min(position + by, shown.count - 1)); // a key that is held is ahead of what is shown
    onGo(position, shown.column);
  }

  const step = (text: string, label: string, by: number) =>
    element("button", { type: "button", "aria-label": label, onclick: () => go(by) }, text);
  const copying = element("span", {});
  let shown: RowShown | undefined;
  let position = 0;
  let key = "";
  const dialog = openDialog(
    "Row",
    element("div", { class: "line" }, step("↑", "Row before", -1), step("↓", "Next row", 1), copying, place),
    fields,
  );
  dialog.body.addEventListener("keydown", (event) => {
    const by = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
    if (by === 0) return;
    event.preventDefault();
    go(by);
  });
  dialog.body.addEventListener("close", onClose);

  function fieldsOf({ cells, lengths, column, whole }: RowShown, names: readonly string[]): HTMLElement[] {
    return names.slice(0, MAX_FIELDS).flatMap((name, i) => {
      const isHere = i === column;
      const value = element("dd", { class: isHere ? "here whole" : undefined });
      if (isHere) value.append(...chunksOf(whole));
      else value.append(wholeText(cells[i] ?? ""));
      const length = lengths[i] ?? 0;
      if (!isHere && length > (cells[i] ?? "").length) {
        const all = () => shown && onGo(shown.position, i);
        value.append("… ", element("button", { type: "button", onclick: all }, `all ${number(length)} characters`));
      }
      return [element("dt", { title: shownText(name) }, shownText(name) || "(no name)"), value];
    });
  }

  function move(to: RowPlace): void {
    if (shown) shown = { ...shown, ...to };
    position = to.position;
    setText(dialog.body.querySelector("h2")!, `Row ${number(to.row + 1)}`);
    setText(place, `${number(to.position + 1)} of ${number(to.count)}`);
  }

  return {
    move,
    show(row, names) {
      shown = row;
      move(row);
      const next =
        JSON.stringify([row.cells, row.lengths, row.column, row.whole.length, names]) + row.whole.slice(0, CHUNK);
      if (next === key) return;
      key = next;
      fields.replaceChildren(...fieldsOf(row, names));
      copying.replaceChildren(copyButton(row.whole, "Copy value"));
    },
  };
}

function chunksOf(text: string): (string | HTMLElement)[] {
  if (text.length <= CHUNK) return [wholeText(text)];
  const chunks: HTMLElement[] = [];
  for (let at = 0; at < text.length;) {
    const end = at + CHUNK + (/[\ud800-\udbff]/.test(text[at + CHUNK - 1] ?? "") ? 1 : 0); // no half of a character
    chunks.push(element("div", { class: "chunk" }, wholeText(text.slice(at, end))));
    at = end;
  }
  return chunks;
}
