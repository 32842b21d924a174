// Whether a discharge still counts, given a patient's other stays. domain.md 1.2: a readmission or direct transfer from the
// day of the discharge to 30 days after it extends the episode, and the last discharge counts; 7, PCR: stays two or more
// calendar days apart are distinct. docs/transitions.md, When things change.
import { dayOf, daysBetween } from './days.ts';
import { leftBy, type VisitFacts } from './facts.ts';
import { placeOf } from './places.ts';

const CHAIN_DAYS = 30;
/** Two encounters may overlap by so much, and the one that began later is the next one all the same. */
const OVERLAP = 24 * 3600;

/** What another stay makes of this discharge; undefined when it counts. */
export function laterStay(stay: VisitFacts, known: Iterable<VisitFacts>): 'continued' | 'readmitted' | undefined {
  const stays = [...known].filter(({ visit, status }) => visit.patientClass === 'I' && status !== 'cancelled');
  const left = leftAsKnown(stay, stays);
  const { zone } = placeOf(stay.visit.place);
  const later = stays.filter((other) => {
    if (other === stay) return false;
    const beganSince = other.visit.start >= left - OVERLAP;
    if (other.status !== 'finished') return beganSince;
    return leftAsKnown(other, stays) > left;
  });
  const apart = later.map((other) => daysBetween(dayOf(left, zone), dayOf(other.visit.start, zone)));
  const days = Math.min(...apart);
  if (days > CHAIN_DAYS) return undefined;
  return days <= 1 ? 'continued' : 'readmitted';
}

/**
 * When the patient left. Where nobody has told it, who was admitted again had left before the discharge was recorded; not for a stay
 * that was over while the patient was still told to be in here, nor for one that perhaps was never closed. Where only the day is
 * told, the patient had come before.
 */
function leftAsKnown({ visit, left = 0, ...facts }: VisitFacts, stays: readonly VisitFacts[]): number {
  const { isDay, isUntold, inUntil = 0 } = facts;
  if (isDay) return Math.max(left, visit.start + 1);
  if (!isUntold) return left;
  const next = stays.filter(
    (other) => other.status === 'finished' && other.visit.start > visit.start && leftBy(other) > inUntil,
  );
  return Math.min(left, ...next.map((other) => other.visit.start));
}
