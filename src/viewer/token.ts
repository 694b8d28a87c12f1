// The token of the server: taken from the address once, kept for this tab, and never put into an address that anybody sees.
import { byId, element } from "./dom.ts";

const KEY = "csvcast.token";

/** From the address, which is cleaned, or what this tab had before. */
export function takeToken(): string | undefined {
  const address = new URL(location.href);
  const given = address.searchParams.get("token");
  if (given !== null) {
    keepToken(given);
    address.searchParams.delete("token");
    history.replaceState(null, "", address);
  }
  return given ?? keptToken();
}

/** A browser may forbid to keep anything; then it is asked for again. */
function keptToken(): string | undefined {
  try {
    return sessionStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

function keepToken(token: string): void {
  try {
    sessionStorage.setItem(KEY, token);
  } catch {
    // see keptToken
  }
}

/** We are in. */
export function askNoMore(): void {
  byId("notice").querySelector("form")?.remove();
}

/** Asks for it on the page. */
export function askForToken(why: string, onToken: (token: string) => void): void {
  const notice = byId("notice");
  if (notice.querySelector("form")) return;
  const input = element("input", { type: "password", "aria-label": "Token", autocomplete: "off", required: true });
  const form = element("form", {}, input, element("button", { type: "submit" }, "Use"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    form.remove();
    notice.hidden = true;
    keepToken(input.value.trim());
    onToken(input.value.trim());
  });
  notice.replaceChildren(why, form);
  notice.hidden = false;
  input.focus();
}
