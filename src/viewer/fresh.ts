// How many rows have come while the end of the table was out of sight, and a button that goes there.
import { many } from "./captions.ts";
import { byId, setText } from "./dom.ts";

/** How many rows are shown, and how many there are. */
export type Counts = { readonly shown: number; readonly all: number };

export type Fresh = {
  /** `isInSight`: rows that come are seen. Undefined: it is counted anew. */
  show(counts: Counts | undefined, isInSight: boolean, isAtTop: boolean): void;
};

export function openFresh(onGo: () => void): Fresh {
  const button = byId("fresh");
  let seen: Counts | undefined;
  button.addEventListener("click", onGo);

  return {
    show(counts, isInSight, isAtTop) {
      const isLess = counts && seen && (counts.shown < seen.shown || counts.all < seen.all);
      if (!counts || !seen || isInSight || isLess) seen = counts;
      // Another filter shows other rows, of which none is new.
      const fresh = counts && seen ? Math.min(counts.shown - seen.shown, counts.all - seen.all) : 0;
      button.hidden = fresh === 0;
      button.classList.toggle("top", isAtTop);
      if (fresh > 0) setText(button, `${isAtTop ? "▲" : "▼"} ${many(fresh, "new row")}`);
    },
  };
}
