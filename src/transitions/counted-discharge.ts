// When the patient left, as follow-ups count it. An end that is told is believed, unless it was still to come when it was first
// told: the stay is over, and whoever waited for that day would call nobody. Without one the discharge counts from when it was
// first told that the stay is over; whatever is written about the stay later moves nothing.
import type { Encounter } from '@medplum/fhirtypes';
import { toInstant } from '../care/local-time.ts';
import { parseVersion } from '../care/stored.ts';
import type { Store } from '../store/store.ts';

/** Clocks of those who tell of it may be wrong by that much; HL7 v2 and notifications are refused beyond (intake/not-ahead-of.ts). */
const AHEAD = Temporal.Duration.from({ hours: 24 });

/** Versions read at a time. */
const PAGE = 50;

/** A version that says that the stay is over. */
interface Telling {
  readonly end: Temporal.Instant | undefined;
  readonly at: Temporal.Instant;
}

/** @param encounter as it is stored, finished */
export async function countedDischarge(
  store: Pick<Store, 'history'>,
  encounter: Encounter,
  zone: string,
): Promise<Temporal.Instant> {
  const [first, ...later] = await tellings(store, encounter, zone);
  let left = first.end && !isAhead(first) ? first.end : first.at;
  let said = first.end;
  for (const telling of later) {
    const isNews = telling.end !== undefined && !(said && telling.end.equals(said));
    if (isNews && telling.end && !isAhead(telling)) left = telling.end;
    said = telling.end;
  }
  return left;
}

const isAhead = ({ end, at }: Telling) => end !== undefined && Temporal.Instant.compare(end.subtract(AHEAD), at) > 0;

/** The versions since which it has said so without a break, oldest first. */
async function tellings(
  store: Pick<Store, 'history'>,
  encounter: Encounter,
  zone: string,
): Promise<readonly [Telling, ...Telling[]]> {
  const { id = '', meta } = encounter;
  const told: [Telling, ...Telling[]] = [tellingOf(encounter, meta?.lastUpdated ?? '', zone)];
  if (meta?.versionId === '1') return told;
  for (let cursor: string | undefined; ; ) {
    const page = await store.history({ type: 'Encounter', id, count: PAGE, ...(cursor ? { cursor } : {}) });
    for (const stored of page.items) {
      if (Number(stored.versionId) >= Number(meta?.versionId)) continue;
      const earlier = stored.operation === 'delete' ? undefined : parseVersion(stored, 'Encounter');
      if (earlier?.status !== 'finished') return told;
      told.unshift(tellingOf(earlier, stored.lastUpdated, zone));
    }
    if (page.next === undefined) return told;
    cursor = page.next;
  }
}

function tellingOf({ period }: Encounter, at: string, zone: string): Telling {
  const end = period?.end === undefined ? undefined : toInstant(period.end, zone);
  return { end, at: toInstant(at, 'UTC') };
}
