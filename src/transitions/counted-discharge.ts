// When the patient left, as follow-ups count it. An end that is told is believed, unless it was more than a day ahead when it
// was first told: the stay is over, and whoever waited for that day would call nobody. Without one the discharge counts from when
// it was first told that the stay is over; whatever is written about the stay later moves nothing.
import type { Encounter } from '@medplum/fhirtypes';
import { toInstant } from '../care/local-time.ts';
import { parseVersion } from '../care/stored.ts';
import { isAheadOf, isEmergency, isInHouse } from '../care/transition/discharge.ts';
import { isStandIn } from '../fhir/stand-in-end.ts';
import type { Store } from '../store/store.ts';

/** Versions read at a time. */
const PAGE = 50;

/** When the patient left, as it is counted. */
export interface Counted {
  readonly at: Temporal.Instant;
  /**
   * `told`: that is when the patient left. Else they left by then, nobody knows when: `recorded` when the sender recorded the discharge,
   * `heard` when it was told here that the stay is over.
   */
  readonly basis: 'told' | 'recorded' | 'heard';
  /** Unless it was told: when the record last said that the patient was still in, before it said that the stay is over. */
  readonly inUntil?: Temporal.Instant;
}

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
): Promise<Counted> {
  /** The first version that says what those after it say. */
  let first = tellingOf(encounter, encounter.meta?.lastUpdated ?? '', zone);
  const isRecorded = isStandIn(encounter.period);
  const told = isAhead(first) || isRecorded ? undefined : first.end;
  if (told && kept && toSecond(told).equals(toSecond(kept))) return { at: told, basis: 'told' };
  let inUntil: Temporal.Instant | undefined;
  for await (const { version, at } of versionsBefore(store, encounter)) {
    // Since then it has said so without a break. An emergency visit is over when the stay begins.
    if (version?.status !== 'finished' || isEmergency(version) !== isEmergency(encounter)) {
      if (version && isInHouse(version)) inUntil = toInstant(at, 'UTC');
      break;
    }
    // Which of several was recorded first is settled (stay-words.ts).
    if (isRecorded) continue;
    const earlier = tellingOf(version, at, zone);
    if (!isSameEnd(earlier, first) && first.end && !isAhead(first)) break;
    first = earlier;
  }
  const said = inUntil ? { inUntil } : {};
  if (first.end && isRecorded) return { at: first.end, basis: 'recorded', ...said };
  if (first.end && !isAhead(first)) return { at: first.end, basis: 'told' };
  const at = kept && Temporal.Instant.compare(kept, first.at) < 0 ? kept : first.at;
  return { at, basis: 'heard', ...said };
}

const toSecond = (instant: Temporal.Instant) => instant.round({ smallestUnit: 'second', roundingMode: 'trunc' });

const isSameEnd = (one: Telling, other: Telling) =>
  one.end === undefined ? other.end === undefined : other.end?.equals(one.end) === true;

const isAhead = ({ end, at }: Telling) => end !== undefined && isAheadOf(end, at);

/** Earlier versions, newest first; of one that deleted it nothing but when. */
async function* versionsBefore(
  store: Pick<Store, 'history'>,
  { id = '', meta }: Encounter,
): AsyncGenerator<{ readonly version: Encounter | undefined; readonly at: string }> {
  if (meta?.versionId === '1') return;
  for (let cursor: string | undefined; ; ) {
    const page = await store.history({ type: 'Encounter', id, count: PAGE, ...(cursor ? { cursor } : {}) });
    for (const stored of page.items) {
      if (Number(stored.versionId) >= Number(meta?.versionId)) continue;
      const version = stored.operation === 'delete' ? undefined : parseVersion(stored, 'Encounter');
      yield { version, at: stored.lastUpdated };
    }
    if (page.next === undefined) return;
    cursor = page.next;
  }
}

function tellingOf({ period }: Encounter, at: string, zone: string): Telling {
  const end = period?.end === undefined ? undefined : toInstant(period.end, zone);
  return { end, at: toInstant(at, 'UTC') };
}
