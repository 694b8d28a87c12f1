// How many rows have come while the end of the table was out of sight, and a button that goes there.
import { many } from "./captions.ts";
import { byId, setText } from "./dom.ts";

export type Fresh = {
  /** So many rows are shown; `isInSight`: those that come are seen. Undefined: as it is counted anew. */
  show(count: number | undefined, isInSight: boolean, isAtTop: boolean): void;
};

export function openFresh(onGo: () => void): Fresh {
  const button = byId("fresh");
  let seen: number | undefined;
  button.addEventListener("click", onGo);

  return {
    show(count, isInSight, isAtTop) {
      if (count === undefined || seen === undefined || isInSight || count < seen) seen = count;
      const fresh = count === undefined || seen === undefined ? 0 : count - seen;
      button.hidden = fresh === 0;
      button.classList.toggle("top", isAtTop);
      if (fresh > 0) setText(button, `${isAtTop ? "▲" : "▼"} ${many(fresh, "new row")}`);
    },
  };
}
