// A page of the viewer in headless Chromium, through Bun.WebView: what it shows, and what it must never do.
import { until } from "../support.ts";

const NAMES = [
  "google-chrome-stable",
  "google-chrome",
  "chromium-browser",
  "chromium",
  "brave-browser",
  "microsoft-edge",
];

/** Where there is no browser its tests are skipped. */
export const browserPath =
  process.env["BUN_CHROME_PATH"] ?? NAMES.map((name) => Bun.which(name)).find((path) => path !== null) ?? undefined;

if (!browserPath) console.warn("viewer: no Chromium or Chrome is installed, so the tests of the page are skipped");

/** No call home, and no sandbox, which needs rights that a container does not have: the only page is our own. */
const FLAGS = [
  "--no-sandbox",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--disable-component-update",
  "--disable-sync",
  "--disable-site-isolation-trials",
  "--disable-features=IsolateOrigins,site-per-process,Translate,OptimizationHints,MediaRouter",
];

/** Runs before the page's own script: what went wrong is kept, and what would leave the page. */
const WITNESS = `
  window.faults = []; window.copied = []; window.copiedHtml = []; window.saved = []; window.longTasks = [];
  addEventListener("error", (event) => faults.push("error: " + event.message));
  addEventListener("unhandledrejection", (event) => faults.push("rejection: " + event.reason));
  addEventListener("securitypolicyviolation", (event) => faults.push("csp: " + event.violatedDirective + " " + event.blockedURI));
  window.alert = (text) => faults.push("alert: " + text);
  Object.defineProperty(navigator, "clipboard", { value: {
    writeText: async (text) => void copied.push(text),
    write: async ([item]) => {
      const textOf = async (type) => (await item.getType(type)).text();
      copiedHtml.push(await textOf("text/html"));
      copied.push(await textOf("text/plain"));
    },
  } });
  const makeUrl = URL.createObjectURL;
  URL.createObjectURL = (blob) => { saved.push(blob); return makeUrl.call(URL, blob); };
  const follow = HTMLAnchorElement.prototype.click;
  HTMLAnchorElement.prototype.click = function () { if (this.download) saved.push(this.download); else follow.call(this); };
  new PerformanceObserver((list) => longTasks.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: "longtask", buffered: true });
`;

export type Page = AsyncDisposable & {
  readonly view: Bun.WebView;
  /** The value of an expression. */
  value<T>(expression: string): Promise<T>;
  /** Waits until the expression is true. */
  until(expression: string): Promise<void>;
  /** The text of the first element of that selector. */
  text(selector: string): Promise<string>;
  /** The rows in view from the top, each as its number and the cells in view. */
  rows(): Promise<string[][]>;
  /** Waits until the rows in view pass. */
  untilRows(what: string, passes: (rows: string[][]) => boolean): Promise<string[][]>;
  /** The state that the badge names. */
  badge(word: string): Promise<void>;
  /** Types into the filter, in the place of what is there. */
  filter(text: string): Promise<void>;
  /** Turns the wheel until the table is there, and at rest: browsers scroll smoothly. */
  scrollTo(top: number): Promise<void>;
  clickHeader(column: string): Promise<void>;
  /** A click on the first cell with this text. */
  clickCell(text: string): Promise<void>;
};

const ROWS = `[...document.querySelectorAll(".row")].filter((row) => !row.hidden)
  .sort((a, b) => Number(a.ariaRowIndex) - Number(b.ariaRowIndex))
  .map((row) => [row.querySelector(".number").textContent, ...[...row.querySelectorAll(".cell")].filter((cell) => !cell.hidden).map((cell) => cell.textContent)])`;

/** Tabs that are used again: opening one takes longer than most tests. */
const idle: Bun.WebView[] = [];

async function openTab(): Promise<Bun.WebView> {
  const view = new Bun.WebView({
    backend: { type: "chrome", ...(browserPath && { path: browserPath }), argv: FLAGS },
  });
  await view.navigate("about:blank");
  await view.cdp("Page.enable");
  await view.cdp("Emulation.setFocusEmulationEnabled", { enabled: true }); // each is as if it were the one in front
  await view.cdp("Page.addScriptToEvaluateOnNewDocument", { source: WITNESS });
  return view;
}

export type PageSize = {
  readonly width?: number;
  readonly height?: number;
  /** Pixels of the screen for one of the page. */
  readonly scale?: number;
  /** Of the browser, such as `Europe/Berlin`. */
  readonly zone?: string;
};

/** Opens the page; where it went wrong the test that leaves the block fails. */
export async function openPage(url: string, size: PageSize = {}): Promise<Page> {
  const view = idle.pop() ?? (await openTab());
  const { width = 1000, height = 700, scale = 1, zone = "" } = size;
  await view.resize(width, height);
  const metrics = { width, height, deviceScaleFactor: scale, mobile: false };
  await view.cdp("Emulation.setDeviceMetricsOverride", metrics);
  await view.cdp("Emulation.setTimezoneOverride", { timezoneId: zone });
  await view.cdp("Emulation.setEmulatedMedia", { features: [] });
  await view.navigate(url);

  const value = async <T>(expression: string) => (await view.evaluate(expression)) as T;
  const state = () => value<string>(`document.body.innerText.slice(0, 2000)`);
  /** Looks for a second on the page itself: asking across two programs again and again takes more than what is tested. */
  const becomesTrue = (expression: string) =>
    value<boolean>(`new Promise((resolve, reject) => {
      const end = performance.now() + 1000;
      const look = () => {
        try {
          const isTrue = Boolean(${expression});
          if (isTrue || performance.now() > end) resolve(isTrue);
          else setTimeout(look, 10);
        } catch (error) { reject(error); }
      };
      look();
    })`);
  const untilTrue = async (expression: string): Promise<void> => {
    try {
      await until(expression, () => becomesTrue(expression));
    } catch (error) {
      throw new Error(`${expression}\n${await state()}`, { cause: error });
    }
  };
  const rows = () => value<string[][]>(ROWS);
  const clickText = (selector: string, text: string) => {
    const box = `(() => { const found = [...document.querySelectorAll(${JSON.stringify(selector)})].find((e) => !e.hidden && !e.closest("[hidden]") && e.textContent === ${JSON.stringify(text)});
      if (!found) return null; const { left, top, width, height } = found.getBoundingClientRect(); return [left + Math.min(width / 2, 30), top + height / 2]; })()`;
    return until(`something to click: ${text}`, async () => {
      const at = await value<[number, number] | null>(box);
      if (!at) return false;
      await view.click(...at);
      return true;
    });
  };

  return {
    view,
    value,
    until: untilTrue,
    text: (selector) => value<string>(`document.querySelector(${JSON.stringify(selector)})?.textContent ?? ""`),
    rows,
    async untilRows(what, passes) {
      let seen: string[][] = [];
      return until(
        what,
        async () => {
          seen = await rows();
          if (passes(seen)) return seen;
          await Bun.sleep(10);
          return false;
        },
        () => seen.map((row) => row.join(" | ")).join("\n"),
      );
    },
    badge: (word) => untilTrue(`document.querySelector("#badge-word").textContent === ${JSON.stringify(word)}`),
    async filter(text) {
      await value(`(document.querySelector("#filter").focus(), document.querySelector("#filter").select())`);
      if (text === "") await view.press("Backspace");
      else await view.type(text);
    },
    async scrollTo(top) {
      const scroller = `document.querySelector(".scroller").scrollTop`;
      await view.scroll(0, top - (await value<number>(scroller)));
      await untilTrue(`Math.abs(${scroller} - ${top}) < 1`);
    },
    clickHeader: async (column) => void (await clickText(".head .cell", column)),
    clickCell: async (text) => void (await clickText(".row .cell", text)),
    async [Symbol.asyncDispose]() {
      const faults = await value<string[]>("window.faults");
      await view.navigate("about:blank");
      idle.push(view);
      if (faults.length > 0) throw new Error(`on the page: ${faults.join("\n")}`);
    },
  };
}
