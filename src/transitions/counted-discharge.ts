// When the patient left, as follow-ups count it. An end that is told is believed, unless it was more than a day ahead when it
// was first told: the stay is over, and whoever waited for that day would call nobody. Without one the discharge counts from when
// it was first told that the stay is over; whatever is written about the stay later moves nothing.
import type { Encounter } from '@medplum/fhirtypes';
import { toInstant } from '../care/local-time.ts';
import { parseVersion } from '../care/stored.ts';
import { isEmergency, MOST_AHEAD } from '../care/transition/discharge.ts';
import type { Store } from '../store/store.ts';

/** Versions read at a time. */
const PAGE = 50;

/** A version that says that the stay is over. */
interface Telling {
  readonly end: Temporal.Instant | undefined;
  readonly at: Temporal.Instant;
}

/**
 * @param encounter as it is stored, finished
 * @param kept what its transition under way is counted from: the record may be younger here than what it tells (an import)
 */
export async function countedDischarge(
  store: Pick<Store, 'history'>,
  encounter: Encounter,
  zone: string,
  kept?: Temporal.Instant,
): Promise<Temporal.Instant> {
  /** The first version that says what those after it say. */
  let first = tellingOf(encounter, encounter.meta?.lastUpdated ?? '', zone);
  const told = isAhead(first) ? undefined : first.end;
  if (told && kept && toSecond(told).equals(toSecond(kept))) return told;
  for await (const earlier of earlierTellings(store, encounter, zone)) {
    if (!isSameEnd(earlier, first) && first.end && !isAhead(first)) return first.end;
    first = earlier;
  }
  if (first.end && !isAhead(first)) return first.end;
  return kept && Temporal.Instant.compare(kept, first.at) < 0 ? kept : first.at;
}

const toSecond = (instant: Temporal.Instant) => instant.round({ smallestUnit: 'second', roundingMode: 'trunc' });

const isSameEnd = (one: Telling, other: Telling) =>
  one.end === undefined ? other.end === undefined : other.end?.equals(one.end) === true;

const isAhead = ({ end, at }: Telling) =>
  end !== undefined && Temporal.Instant.compare(end.subtract(MOST_AHEAD), at) > 0;

/** The versions before it since which it has said so without a break, newest first. An emergency visit is over when the stay begins. */
async function* earlierTellings(
  store: Pick<Store, 'history'>,
  encounter: Encounter,
  zone: string,
): AsyncGenerator<Telling> {
  const { id = '', meta } = encounter;
  if (meta?.versionId === '1') return;
  for (let cursor: string | undefined; ; ) {
    const page = await store.history({ type: 'Encounter', id, count: PAGE, ...(cursor ? { cursor } : {}) });
    for (const stored of page.items) {
      if (Number(stored.versionId) >= Number(meta?.versionId)) continue;
      const earlier = stored.operation === 'delete' ? undefined : parseVersion(stored, 'Encounter');
      if (earlier?.status !== 'finished' || isEmergency(earlier) !== isEmergency(encounter)) return;
      yield tellingOf(earlier, stored.lastUpdated, zone);
    }
    if (page.next === undefined) return;
    cursor = page.next;
  }
}

function tellingOf({ period }: Encounter, at: string, zone: string): Telling {
  const end = period?.end === undefined ? undefined : toInstant(period.end, zone);
  return { end, at: toInstant(at, 'UTC') };
}
