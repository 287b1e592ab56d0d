/**
 * What happened to jobs, and what happens to them: told by their records, which are looked at again whenever the store says
 * that something has changed, and now and then without that.
 */
import { type Happening, happeningsOf, type Recorded } from "../job/happening.ts";
import type { ChangedEntries } from "../store/changed-entries.ts";
import { recordIn } from "../store/item.ts";
import type { Store } from "../store/store.ts";
import { Alarm } from "../worker/alarm.ts";
import { pause } from "../worker/pause.ts";
import { News } from "./news.ts";

export interface EventRequest {
  readonly follow: boolean;
  /** Of what has happened, only so many, the latest. */
  readonly tail: number | undefined;
  readonly archived: boolean;
  readonly isMeant: (entry: Recorded) => boolean;
  readonly isWanted: (happening: Happening) => boolean;
  readonly now: () => number;
}

/** For where nothing tells of a change. */
const LOOK_AGAIN_MS = 1000;
/** Between two looks at a store that keeps changing. */
const BETWEEN_LOOKS_MS = 20;
/** Of the time, looks may take a fifth where much goes on, and a twentieth where nothing is heard of. */
const SHARE = { busy: 5, idle: 20 };

/** In order of time, as far as they are known at once. */
export async function* events(store: Store, request: EventRequest): AsyncGenerator<readonly Happening[]> {
  if (!request.follow) {
    yield await past(store, request);
    return;
  }
  const alarm = new Alarm();
  using _changes = store.changes(() => alarm.ring(), "anything");
  using changed = await store.changed();
  // Before what has happened is read: what changes meanwhile is looked at again.
  const { at } = await changed.take();
  const isAsked = request.tail !== 0;
  const news = new News(at, { told: isAsked });
  if (isAsked) yield await past(store, request, news);
  yield* future(changed, { ...request, news, alarm });
}

async function* future(
  changed: ChangedEntries,
  { isMeant, isWanted, now, news, alarm }: EventRequest & { news: News; alarm: Alarm },
): AsyncGenerator<readonly Happening[]> {
  for (;;) {
    // What rang before this look is answered by it.
    alarm.reset();
    const began = now();
    const { entries, at } = await changed.take();
    const tookMs = Math.max(0, now() - began);
    yield news.of(entries.filter(isMeant), at).filter(isWanted);
    await pause(BETWEEN_LOOKS_MS + tookMs * (SHARE.busy - 1));
    await alarm.sleep(Math.max(LOOK_AGAIN_MS, tookMs * SHARE.idle));
  }
}

/** What the records tell as of one moment; `news` learns what they are. */
async function past(store: Store, request: EventRequest, news?: News): Promise<Happening[]> {
  const { tail, archived, isMeant, isWanted } = request;
  const found: Happening[] = [];
  await store.dump(async (items) => {
    // They come last, and may be many.
    const isPast = !archived && items.some((item) => "archived" in item);
    const asked = isPast ? items.filter((item) => !("archived" in item)) : items;
    const meant = asked.map(recordIn).filter((entry) => entry !== undefined && isMeant(entry)) as Recorded[];
    news?.learn(meant);
    for (const entry of meant) for (const one of happeningsOf(entry)) if (isWanted(one)) found.push(one);
    return !isPast;
  });
  found.sort((a, b) => a.at - b.at);
  return tail === undefined ? found : found.slice(Math.max(0, found.length - tail));
}
