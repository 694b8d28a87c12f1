// Shows the verdict on what is on the page: as a badge, in the title, and in the icon of the page.
import { many } from "./captions.ts";
import { shownText } from "./cells.ts";
import { byId, setText } from "./dom.ts";
import goneIcon from "./icons/gone.svg";
import liveIcon from "./icons/live.svg";
import pausedIcon from "./icons/paused.svg";
import troubleIcon from "./icons/trouble.svg";
import waitingIcon from "./icons/waiting.svg";
import { judge, type Situation, type Tone, type Verdict } from "./verdict.ts";

const ICONS: Readonly<Record<Tone, string>> = {
  live: liveIcon,
  waiting: waitingIcon,
  trouble: troubleIcon,
  gone: goneIcon,
  paused: pausedIcon,
};

export type Badge = { show(situation: Situation, now: number): void };

export function openBadge(): Badge {
  const badge = byId("badge");
  const word = byId("badge-word");
  const age = byId("badge-age");
  const notice = byId("notice");
  const icon = byId<HTMLLinkElement>("icon");
  const spoken = byId("spoken");
  let announced = "";
  let shown = ""; // a page whose attributes are set, if only to what they are, is styled anew

  return {
    show(situation, now) {
      const verdict = judge(situation, now);
      const { loaded } = situation;
      if (shown !== `${verdict.tone} ${loaded}`) {
        badge.dataset["tone"] = document.body.dataset["tone"] = notice.dataset["tone"] = verdict.tone;
        document.body.toggleAttribute("data-loading", loaded !== undefined);
        document.body.style.setProperty("--loaded", String(loaded ?? 1));
      }
      shown = `${verdict.tone} ${loaded}`;
      setText(word, verdict.word);
      setText(age, verdict.age);
      const odd = detailsOf(situation);
      if (badge.title !== odd) badge.title = odd;
      if (!notice.querySelector("form")) {
        setText(notice, shownText(verdict.notice));
        notice.hidden = verdict.notice === "";
      }
      const title = titleOf(situation, verdict);
      if (document.title !== title) document.title = title;
      if (icon.getAttribute("href") !== ICONS[verdict.tone]) icon.setAttribute("href", ICONS[verdict.tone]);
      if (announced !== verdict.word) setText(spoken, `${verdict.word} ${shownText(verdict.notice)}`);
      announced = verdict.word;
    },
  };
}

/** What the badge only counts, a line each. */
function detailsOf({ status }: Situation): string {
  const { pendingBytes = 0, warnings = [] } = status ?? {};
  const pending = pendingBytes > 0 ? [`${many(pendingBytes, "byte")} at the end of the file are no whole row yet`] : [];
  return [...pending, ...warnings].map(shownText).join("\n");
}

function titleOf({ file, rows, status }: Situation, { tone, word }: Verdict): string {
  const name = shownText(file) || "csvcast";
  const count = status && status.state !== "waiting" ? `${many(rows, "row")} · ` : "";
  return tone === "live" ? `${count}${name}` : `(${word}) ${count}${name}`;
}
