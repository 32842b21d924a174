// Whether a discharge still counts, given a patient's other stays. domain.md 1.2: a readmission or direct transfer from the
// day of the discharge to 30 days after it extends the episode, and the last discharge counts; 7, PCR: stays two or more
// calendar days apart are distinct. docs/transitions.md, When things change.
import { dayOf, daysBetween } from './days.ts';
import { destinationOf, type VisitFacts } from './facts.ts';
import { placeOf } from './places.ts';

const CHAIN_DAYS = 30;
/** Two encounters may overlap by so much, and the one that began later is the next one all the same. */
const OVERLAP = 24 * 3600;

/** What another stay makes of this discharge; undefined when it counts. */
export function laterStay(stay: VisitFacts, known: Iterable<VisitFacts>): 'continued' | 'readmitted' | undefined {
  const { left = 0, visit } = stay;
  const { zone } = placeOf(visit.place);
  const later = [...known].filter((other) => {
    if (other === stay || other.visit.patientClass !== 'I' || other.status === 'cancelled') return false;
    const beganLater = other.visit.start >= left - OVERLAP;
    if (other.status !== 'finished') return beganLater;
    // Who was admitted again had left before, where nobody has told when.
    const beganSince = beganLater || (stay.isUntold && other.visit.start > visit.start);
    // Who was transferred from there went on to where this discharge is from, even on a day of which no time was told.
    return (other.left ?? 0) > left && (beganSince || destinationOf(other) !== 'acute-hospital');
  });
  const apart = later.map((other) => daysBetween(dayOf(left, zone), dayOf(other.visit.start, zone)));
  const days = Math.min(...apart);
  if (days > CHAIN_DAYS) return undefined;
  return days <= 1 ? 'continued' : 'readmitted';
}
