// What opens over the page: columns, download, connecting from code, and help.
import { shownText } from "./cells.ts";
import { HTTP_ENDPOINTS } from "../feed/endpoints.ts";
import { snippetsFor } from "./connect.ts";
import { copyButton, element, openDialog } from "./dom.ts";
import { KEYS } from "./keys.ts";
import type { Layout } from "./layout.ts";

/** So many are listed at once; the box above them finds the others. */
const MAX_LISTED = 300;

export function openColumns(layout: Layout, onChange: () => void): void {
  const list = element("ul", { class: "list" });
  const find = element("input", {
    type: "search",
    placeholder: "Find a column",
    "aria-label": "Find a column",
    oninput: fill,
  });
  const setAll = (isHidden: boolean) => {
    for (const { index } of matching()) layout.setHidden(index, isHidden);
    fill();
    onChange();
  };
  openDialog(
    "Columns",
    find,
    list,
    element(
      "div",
      { class: "line" },
      element("button", { type: "button", onclick: () => setAll(false) }, "Show all"),
      element("button", { type: "button", onclick: () => setAll(true) }, "Hide all"),
    ),
  );
  fill();
  find.focus();

  function matching() {
    const wanted = find.value.toLowerCase();
    return layout.columns.filter(({ name }) => name.toLowerCase().includes(wanted));
  }

  function fill(): void {
    const found = matching();
    const items = found.slice(0, MAX_LISTED).map(({ index, name, isHidden }) => {
      const box = element("input", { type: "checkbox", checked: !isHidden });
      box.addEventListener("change", () => {
        layout.setHidden(index, !box.checked);
        box.checked = !layout.columns[index]!.isHidden; // the last one stays
        onChange();
      });
      return element("li", {}, element("label", {}, box, shownText(name) || "(no name)"));
    });
    const more = found.length - items.length;
    list.replaceChildren(...items, ...(more > 0 ? [element("li", { class: "muted" }, `and ${more} more`)] : []));
  }
}

export type DownloadChoice = { readonly isGuarded: boolean; readonly isShownOnly: boolean };

export function openDownload(guard: { isOn: boolean }, onDownload: (choice: DownloadChoice) => void): void {
  const guarded = element("input", { type: "checkbox", checked: guard.isOn });
  guarded.addEventListener("change", () => (guard.isOn = guarded.checked));
  const shownOnly = element("input", { type: "checkbox" });
  const save = () => {
    dialog.close();
    onDownload({ isGuarded: guarded.checked, isShownOnly: shownOnly.checked });
  };
  const dialog = openDialog(
    "Download",
    element("p", { class: "muted" }, "CSV as this page has it: RFC 4180, UTF-8, comma."),
    element("label", { class: "choice" }, shownOnly, "Only the rows that are shown, in the order on the page"),
    element(
      "label",
      { class: "choice" },
      guarded,
      "Safe for spreadsheets: an apostrophe before cells that they would run as a formula (also when copying)",
    ),
    element("div", { class: "line" }, element("button", { type: "button", onclick: save }, "Save CSV")),
  );
}

/** `here`: the address of the table; `link`: to the page as it is shown now. */
export function openConnect(origin: string, here: string, link: string, needsToken: boolean): void {
  const endpoints = element("div", { class: "endpoints" });
  for (const { path: first, about } of HTTP_ENDPOINTS) {
    const path = first.replace(/^\/csv/, () => here);
    const url = origin + path;
    // With a token a link would need it in the address.
    const address = needsToken ? element("code", {}, url) : element("a", { href: path, target: "_blank" }, url);
    endpoints.append(address, element("span", { class: "muted" }, about), copyButton(url));
  }
  const snippets = snippetsFor(origin, needsToken, here).flatMap(({ title, code }) => [
    element("h3", {}, title),
    element("div", { class: "snippet" }, element("pre", {}, code), copyButton(code)),
  ]);
  const word = needsToken
    ? "This server asks for a token. Keep it in the variable CSVCAST_TOKEN, and out of addresses."
    : "The table as it is now, on this address:";
  const view = element(
    "div",
    { class: "line" },
    copyButton(link, "Copy link"),
    element("span", { class: "muted" }, "to this view: filter, order, columns and plot. Add kiosk to it for a wall."),
  );
  openDialog(
    "Connect",
    view,
    element("h3", {}, "From code"),
    element("p", { class: "muted" }, word),
    endpoints,
    ...snippets,
  );
}

export function openHelp(): void {
  const pairs = (entries: readonly (readonly [string, string])[]) =>
    element(
      "dl",
      { class: "keys" },
      ...entries.flatMap(([term, what]) => [element("dt", {}, term), element("dd", {}, what)]),
    );
  const FILTERS = [
    ["berlin", "some cell has it, upper or lower case"],
    ['"new york"', "the same, with a space"],
    ["city:ber", "the cell of this column has it"],
    ["city=Berlin", "the cell is exactly that; != is not"],
    ["price > 100", "also >= < <=; with a unit too: size > 5 GB"],
    ["time>=2026-01-31", "times, however the file writes them"],
    ["time>-10m", "no older than the newest by more: s, m, h, d, w"],
    ["/^E\\d+/", "a regular expression; code:/^E\\d+/ of a column"],
    ["!berlin", "not; several words must all be so"],
    ["a OR b", "either; below the box stands how it was read"],
  ] as const;
  openDialog("Keys and filters", pairs(KEYS), element("h3", {}, "In the filter"), pairs(FILTERS));
}
