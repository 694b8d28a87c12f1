// How many rows have come while the end of the table was out of sight, and a button that goes there.
import { many } from "./captions.ts";
import { byId, setText } from "./dom.ts";

export type Fresh = {
  show(count: number, isAtTop: boolean): void;
};

export function openFresh(onGo: () => void): Fresh {
  const button = byId("fresh");
  button.addEventListener("click", onGo);

  return {
    show(count, isAtTop) {
      button.hidden = count === 0;
      button.classList.toggle("top", isAtTop);
      if (count > 0) setText(button, `${isAtTop ? "▲" : "▼"} ${many(count, "new row")}`);
    },
  };
}
