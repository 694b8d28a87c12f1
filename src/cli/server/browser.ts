// Opens a page in the browser of whoever sits at this machine. Never by way of a shell, which would read the address.
import { reasonOf } from "../errors.ts";

/** What opens an address, by system. On Windows `start` is a word of its shell; this is what that calls. */
export function openerOf(platform: NodeJS.Platform): readonly string[] {
  if (platform === "darwin") return ["open"];
  return platform === "win32" ? ["rundll32", "url.dll,FileProtocolHandler"] : ["xdg-open"];
}

/** xdg-open(1): "a required tool could not be found". */
const XDG_NO_PROGRAM = 3;

/** `onFailed` hears why the browser was not opened. What was started outlives the server. */
export function openBrowser(url: string, onFailed: (reason: string) => void): void {
  const command = openerOf(process.platform);
  const fail = (why: string) => onFailed(`no browser was opened: ${command[0]}: ${why}; the address is above`);
  try {
    const child = Bun.spawn([...command, url], { stdio: ["ignore", "ignore", "ignore"], detached: true });
    child.unref();
    void child.exited.then((code) => code === 0 || fail(code === XDG_NO_PROGRAM ? "finds none" : `ended with ${code}`));
  } catch (error) {
    const { code } = error as { code?: string };
    fail(code === "ENOENT" ? "no such program here" : reasonOf(error));
  }
}
