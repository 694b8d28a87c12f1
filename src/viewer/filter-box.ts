// The box for the filter: names of columns offered while one types, and below it how each term was read.
import { shownText } from "./cells.ts";
import { byId, element } from "./dom.ts";
import type { Reading } from "./filter.ts";
import type { ColumnFacts } from "./messages.ts";
import { columnsFor, quotedName, wordAt } from "./offers.ts";

export type FilterBox = {
  readonly input: HTMLInputElement;
  /** As if it had been typed. */
  set(filter: string): void;
  show(readings: readonly Reading[]): void;
  /** A filter that was given up stays in the box, to be mended. */
  stopped(filter: string): void;
};

export type FilterBoxEvents = {
  onFilter(filter: string): void;
  /** Enter, or Escape. */
  onLeave(): void;
  readonly columns: () => readonly ColumnFacts[];
};

/** After the last key. */
const TYPING_MS = 120;

export function openFilterBox({ onFilter, onLeave, columns }: FilterBoxEvents): FilterBox {
  const input = byId<HTMLInputElement>("filter");
  const offers = byId("offers");
  const strip = byId("readings");
  let timer: ReturnType<typeof setTimeout> | undefined;
  let offered: readonly ColumnFacts[] = [];
  let picked = -1;

  function set(filter: string): void {
    clearTimeout(timer);
    input.value = filter;
    onFilter(filter);
  }

  function offer(): void {
    const { word } = wordAt(input.value, input.selectionStart ?? input.value.length);
    offered = document.activeElement === input ? columnsFor(word, columns()) : [];
    picked = -1;
    offers.replaceChildren(
      ...offered.map(({ name, type }, i) => {
        const option = element("li", { role: "option", id: `offer-${i}` }, shownText(name) || '""');
        option.append(element("span", { class: "muted" }, ` ${type}`));
        option.addEventListener("pointerdown", (event) => {
          event.preventDefault(); // the box keeps the focus
          take(i);
        });
        return option;
      }),
    );
    showOffers();
  }

  function showOffers(): void {
    offers.hidden = offered.length === 0;
    input.ariaExpanded = String(offered.length > 0);
    [...offers.children].forEach((option, i) => (option.ariaSelected = String(i === picked)));
    if (picked === -1) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", `offer-${picked}`);
  }

  function take(index: number): void {
    const column = offered[index]!;
    const { from, to } = wordAt(input.value, input.selectionStart ?? input.value.length);
    const name = quotedName(column.name) + (column.type === "text" ? ":" : ">");
    input.setRangeText(name, from, to, "end");
    offered = [];
    showOffers();
    set(input.value);
  }

  function onKey(event: KeyboardEvent): void {
    const { key } = event;
    const isOffered = offered.length > 0;
    if (isOffered && (key === "ArrowDown" || key === "ArrowUp")) {
      event.preventDefault();
      const places = offered.length + 1; // and none
      picked = ((picked + 1 + (key === "ArrowDown" ? 1 : places - 1)) % places) - 1;
      return showOffers();
    }
    if (isOffered && picked >= 0 && (key === "Enter" || key === "Tab")) {
      event.preventDefault();
      return take(picked);
    }
    if (key !== "Escape" && key !== "Enter") return;
    if (key === "Escape" && input.value !== "") set("");
    onLeave();
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => set(input.value), TYPING_MS);
    offer();
  });
  input.addEventListener("keydown", onKey);
  input.addEventListener("blur", () => {
    offered = [];
    showOffers();
  });

  function show(readings: readonly Reading[]): void {
    strip.hidden = readings.length === 0;
    strip.replaceChildren(
      ...readings.map(({ text, says, isOdd }) =>
        element("li", { class: isOdd ? "odd" : undefined, title: shownText(text) }, isOdd ? "⚠ " : "", says),
      ),
    );
  }

  return {
    input,
    set,
    show,
    stopped(filter) {
      input.value = filter;
      show([{ text: filter, says: "stopped: the regular expression took too long", isOdd: true }]);
    },
  };
}
