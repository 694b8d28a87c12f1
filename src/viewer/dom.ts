// Elements, made without markup: text is text, whatever is in it.

type Attributes = Readonly<Record<string, string | number | boolean | undefined | ((event: never) => void)>>;
type Child = Node | string | undefined;

/** Attributes that begin with `on` are listeners; false and undefined leave an attribute out. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name.slice(2), value as EventListener);
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** The element of the page with this id. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

export type Dialog = { readonly body: HTMLElement; close(): void };

/** Opens a dialog; it is gone when it is closed. */
export function openDialog(title: string, ...children: readonly Child[]): Dialog {
  const close = element(
    "button",
    { class: "close", type: "button", "aria-label": "Close", onclick: () => dialog.close() },
    "✕",
  );
  const dialog = element("dialog", { "aria-label": title }, element("h2", {}, title), close, ...children);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close()); // beside it
  document.body.append(dialog);
  dialog.showModal();
  return { body: dialog, close: () => dialog.close() };
}

/** The clipboard of browsers is for https and localhost only; elsewhere there is the old way. False if neither works. */
export async function copyText(text: string, html?: string): Promise<boolean> {
  try {
    if (html === undefined || typeof navigator.clipboard.write !== "function")
      await navigator.clipboard.writeText(text);
    else await navigator.clipboard.write([itemOf(text, html)]);
    return true;
  } catch {
    const box = element("textarea", { class: "spoken", "aria-hidden": "true" });
    box.value = text;
    (document.querySelector("dialog[open]") ?? document.body).append(box);
    const focused = document.activeElement;
    box.select();
    const isDone = document.execCommand("copy");
    box.remove();
    if (focused instanceof HTMLElement) focused.focus();
    return isDone;
  }
}

const itemOf = (text: string, html: string) =>
  new ClipboardItem({
    "text/plain": new Blob([text], { type: "text/plain" }),
    "text/html": new Blob([html], { type: "text/html" }),
  });

/** Touches the page only if the text is another. */
export function setText(to: HTMLElement, text: string): void {
  if (to.textContent !== text) to.textContent = text;
}

/** Copies, and says for a moment whether it could. */
export function copyButton(text: string, title = "Copy"): HTMLButtonElement {
  const button = element("button", { type: "button" }, title);
  button.addEventListener("click", async () => {
    button.textContent = (await copyText(text)) ? "Copied" : "Not allowed";
    setTimeout(() => (button.textContent = title), 1_500);
  });
  return button;
}
