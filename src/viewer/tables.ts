// The other tables of the server: each is a page of its own, which is found again as it was left.
import { shownText } from "./cells.ts";
import { many } from "./captions.ts";
import { element, openDialog } from "./dom.ts";
import { isAt, type Listed } from "./listed.ts";
import { ageText } from "./verdict.ts";

const viewKey = (path: string) => `csvcast.view:${path}`;

/** For when somebody comes back to it; a browser may forbid to keep anything. */
export function keepView(path: string, view: string): void {
  try {
    sessionStorage.setItem(viewKey(path), view);
  } catch {
    // then it is not kept
  }
}

function keptView(path: string): string {
  try {
    return sessionStorage.getItem(viewKey(path)) ?? "";
  } catch {
    return "";
  }
}

export function openTables(tables: readonly Listed[], here: string): void {
  const rows = tables.map((table) => {
    const { name, file, path, state, rows, changedMs } = table;
    const link = element("a", { href: path + keptView(path) }, shownText(name ?? file));
    if (isAt(table, here)) link.setAttribute("aria-current", "page");
    const age = changedMs === undefined ? "" : `${ageText(changedMs)} ago`;
    const cells = [link, shownText(file), many(rows, "row"), state, age];
    return element("tr", {}, ...cells.map((cell) => element("td", {}, cell)));
  });
  const { body } = openDialog("Tables", element("table", { class: "tables" }, ...rows));
  body.querySelector<HTMLElement>("a[aria-current]")?.focus();
  body.addEventListener("keydown", ({ key }) => {
    const links = [...body.querySelectorAll<HTMLElement>("a")];
    const step = key === "ArrowDown" ? 1 : key === "ArrowUp" ? -1 : 0;
    if (step !== 0) links[links.indexOf(document.activeElement as HTMLElement) + step]?.focus();
  });
}
