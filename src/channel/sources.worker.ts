// The entry file of the Worker: knows every kind of source, so that none of them has to know another.
import { isRelayUrl } from "../relay/address.ts";
import { openFollower } from "../relay/follow/follower.ts";
import { isWebUrl, STDIN } from "../source/location.ts";
import { openPath } from "../source/path.ts";
import { openRemote } from "../source/remote/remote.ts";
import { openStdin } from "../source/stdin.ts";
import { serveSources } from "../source/worker.ts";

serveSources((settings, events, resume) => {
  if (settings.location === STDIN) return openStdin(settings, events);
  if (isRelayUrl(settings.location)) return openFollower(settings, events, resume);
  // What has been published once is not waited for: it is missing.
  const waiting = { ...settings, waits: settings.waits === true && resume === undefined };
  return isWebUrl(settings.location) ? openRemote(waiting, events) : openPath(waiting, events);
});
