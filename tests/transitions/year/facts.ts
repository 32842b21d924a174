// What is known of a patient's visits after everything told so far: of each visit the newest event decides, in whatever
// order they came (domain.md 4, docs/intake.md); a day takes its time from the newest exact word, when that is a discharge of it.
import { dayOf, momentOf, nightsBetween } from './days.ts';
import { placeOf } from './places.ts';
import type { Asked } from './protocols.ts';
import type { Message, Person, Put, Telling, ToldEnd, Visit } from './story.ts';

export interface VisitFacts {
  readonly visit: Visit;
  readonly status: 'in-progress' | 'finished' | 'cancelled';
  /** When the patient left; a day counts from its start, so that a deadline can be early, never late. */
  readonly left?: number;
  /** Only its day is known. */
  readonly isDay?: boolean;
  /** The start of the day, when the newest word tells no more. */
  readonly day?: number;
  /** The newest word that tells a time, or that the patient has not left. */
  readonly exact?: { readonly at: number; readonly left?: number };
  /** Of a visit that has ended. */
  readonly disposition?: string;
  /** When the event was that said so. */
  readonly said?: number;
  /** The newest word about where the patient went; a discharge that names nothing is none. */
  readonly word?: { readonly at: number; readonly disposition?: string };
}

/** Where dispositions lead (domain.md 4, NUBC). */
const DESTINATIONS: Readonly<{ [code: string]: string }> = {
  '01': 'home',
  '02': 'acute-hospital',
  '03': 'skilled-nursing',
  '04': 'assisted-living',
  '06': 'home-health',
  '07': 'against-advice',
  '20': 'died',
  '50': 'hospice-home',
  '62': 'rehabilitation',
  '70': 'other-facility',
};

export function destinationOf({ disposition }: VisitFacts): string {
  return DESTINATIONS[disposition ?? ''] ?? 'unknown';
}

export function hear(known: VisitFacts | undefined, telling: Message | Put): VisitFacts {
  const { visit } = telling;
  const { zone } = placeOf(visit.place);
  if (telling.kind === 'put') {
    const { status, end, disposition } = telling;
    return {
      visit,
      status: status === 'entered-in-error' ? 'cancelled' : status,
      ...(end ? { left: moment(end, zone) } : {}),
      ...(disposition ? { disposition } : {}),
    };
  }
  const fresh = says(telling, zone);
  if (!fresh) return known ?? { visit, status: 'in-progress' };
  if (known?.said === undefined) return fresh;
  const [newer, older] = known.said > telling.recorded ? [known, fresh] : [fresh, known];
  const word = older.word && !(newer.word && newer.word.at >= older.word.at) ? older.word : newer.word;
  const exact = older.exact && !(newer.exact && newer.exact.at >= older.exact.at) ? older.exact : newer.exact;
  const { disposition: _, ...rest } = withTimeOf({ ...newer, ...(exact ? { exact } : {}) }, zone);
  const disposition = rest.status === 'finished' ? word?.disposition : undefined;
  return { ...rest, ...(word ? { word } : {}), ...(disposition ? { disposition } : {}) };
}

/** A day takes the time of the exact word that is a discharge of that day. */
function withTimeOf({ isDay: _, ...facts }: VisitFacts, zone: string): VisitFacts {
  const { day, exact } = facts;
  if (day === undefined) return facts;
  const isKnown = exact?.left !== undefined && dayOf(exact.left, zone) === dayOf(day, zone);
  return isKnown ? { ...facts, left: exact.left } : { ...facts, left: day, isDay: true };
}

/** Undefined when the message does not speak of the patient's coming and going. */
function says({ visit, trigger, recorded, occurred, end, disposition }: Message, zone: string): VisitFacts | undefined {
  const base = { visit, said: recorded };
  const word = { at: recorded };
  if (trigger === 'A11') return { ...base, word, exact: word, status: 'cancelled' };
  if (trigger === 'A13') return { ...base, word, exact: word, status: 'in-progress' };
  const left = end ? moment(end, zone) : trigger === 'A03' ? (occurred ?? recorded) : undefined;
  if (left !== undefined) {
    const isDay = end !== undefined && 'day' in end;
    const told = disposition ? { disposition, word: { ...word, disposition } } : {};
    const time = isDay ? { isDay, day: left } : { exact: { ...word, left } };
    return { ...base, status: 'finished', left, ...time, ...told };
  }
  return trigger === 'A01' || trigger === 'A04' ? { ...base, word, exact: word, status: 'in-progress' } : undefined;
}

const moment = (end: ToldEnd, zone: string) => ('day' in end ? momentOf(end.day, '00:00:00', zone) : end.at);

/** A patient is dead as the newest event that speaks of it says. */
export function hearDeath(known: { dead: boolean; said: number }, telling: Telling): { dead: boolean; said: number } {
  if (telling.kind !== 'message' || telling.died === undefined || telling.recorded < known.said) return known;
  return { dead: telling.died, said: telling.recorded };
}

/** Weights of LACE's comorbidities (domain.md 1.4) for the diagnoses of the story. */
const WEIGHTS: Readonly<{ [code: string]: number }> = {
  'I50.9': 2,
  'E11.9': 1,
  'J44.9': 2,
  'F03.90': 3,
  'C34.10': 2,
  'C78.00': 6,
  'I63.9': 1,
  B20: 4,
  'M32.10': 3,
};

/** LACE of a stay that has ended, from everything known (domain.md 1.4). */
export function lace(stay: VisitFacts, person: Person, others: readonly VisitFacts[]): number {
  const { visit, left = 0 } = stay;
  const { zone } = placeOf(visit.place);
  const nights = nightsBetween(dayOf(visit.start, zone), dayOf(left, zone));
  const length = nights < 4 ? nights : nights < 7 ? 4 : nights < 14 ? 5 : 7;
  const acute = visit.admissionType === 'E' || visit.admissionType === 'U' ? 3 : 0;
  // Any tumour is covered by a metastatic one.
  const counted = person.conditions.filter((code) => code !== 'C34.10' || !person.conditions.includes('C78.00'));
  const sum = counted.reduce((points, code) => points + (WEIGHTS[code] ?? 0), 0);
  const halfYearBefore = Temporal.Instant.fromEpochMilliseconds(visit.start * 1000)
    .toZonedDateTimeISO(zone)
    .subtract({ months: 6 });
  const emergencies = others.filter(
    (other) =>
      other.visit.patientClass === 'E' &&
      other.status === 'finished' &&
      other.visit.start * 1000 >= halfYearBefore.epochMilliseconds &&
      (other.left ?? 0) <= visit.start - 86_400,
  );
  return length + acute + (sum > 3 ? 5 : sum) + Math.min(4, emergencies.length);
}

/**
 * What a protocol's conditions can ask about a stay (docs/transitions.md).
 * @param points of LACE
 */
export function askedOf(stay: VisitFacts, person: Person, points: number): Asked {
  const conditions = person.conditions.map((code) => ({
    resourceType: 'Condition',
    code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code }] },
  }));
  const { visit, left = 0 } = stay;
  const day = dayOf(left, placeOf(visit.place).zone);
  const age = Number(day.slice(0, 4)) - person.birthYear - (day.slice(5) < '07-04' ? 1 : 0);
  return {
    encounter: { resourceType: 'Encounter', class: { code: CLASSES[visit.patientClass] }, status: 'finished' },
    patient: { resourceType: 'Patient', birthDate: `${person.birthYear}-07-04` },
    conditions,
    diagnoses: conditions,
    principal: conditions.slice(0, 1),
    orders: [],
    pendingResults: [],
    payer: [],
    facility: visit.place,
    class: CLASSES[visit.patientClass],
    destination: destinationOf(stay),
    age,
    lace: points,
    score: points,
    band: points >= 10 ? 'high' : points >= 5 ? 'moderate' : 'low',
  };
}

const CLASSES = { I: 'IMP', E: 'EMER', O: 'AMB' } as const;
