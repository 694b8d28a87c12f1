// The entry file of the Worker: knows every kind of source, so that none of them has to know another.
import { isRelayUrl } from "../relay/address.ts";
import { openFollowers } from "../relay/follow/follower.ts";
import type { Cursor } from "../feed/publication.ts";
import { isWebUrl, STDIN } from "../source/location.ts";
import { openPath } from "../source/path.ts";
import { openRemote } from "../source/remote/remote.ts";
import { openReplay } from "../source/replay/replay.ts";
import { openStdin } from "../source/stdin.ts";
import type { SourceSettings } from "../source/source.ts";
import { serveSources } from "../source/worker.ts";

const openFollower = openFollowers();

serveSources((settings, events, resume) => {
  if (settings.replay)
    return openReplay({ ...settings, replay: settings.replay, waits: isAwaited(settings, resume) }, events);
  if (settings.location === STDIN) return openStdin(settings, events);
  if (isRelayUrl(settings.location)) return openFollower(settings, events, resume);
  const waiting = { ...settings, waits: isAwaited(settings, resume) };
  return isWebUrl(settings.location) ? openRemote(waiting, events) : openPath(waiting, events);
});

/** What has been published once is not waited for: it is missing. */
const isAwaited = ({ waits }: SourceSettings, resume: Cursor | undefined) => waits === true && resume === undefined;
