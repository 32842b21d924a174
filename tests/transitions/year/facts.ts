// What is known of a patient's visits after everything told so far, reckoned anew from all of it: of each visit the newest event
// decides, in whatever order they came (domain.md 4, docs/intake.md). Of the end the newest that was told decides, and a day
// takes its time from the newest exact one of that day; where none was told, the first recording of the discharge.
import { dayOf, lastSecondOf, momentOf, nightsBetween } from './days.ts';
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
  /** Nobody has told when: that it was recorded is all that is known. */
  readonly isUntold?: boolean;
  /** When the visit was last told of and went on, before it was told to be over. */
  readonly inUntil?: number;
  /** Of a visit that has ended. */
  readonly disposition?: string;
  /** All messages about it. */
  readonly heard?: readonly Message[];
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

/** When the patient had left for certain. */
export function leftBy({ visit, left = 0, isDay }: VisitFacts): number {
  const { zone } = placeOf(visit.place);
  return isDay ? lastSecondOf(dayOf(left, zone), zone) : left;
}

/** @param at when it is told */
export function hear(known: VisitFacts | undefined, telling: Message | Put, at: number): VisitFacts {
  const facts = join(known, telling);
  if (facts.status === 'in-progress') return { ...facts, inUntil: at };
  return known?.inUntil === undefined ? facts : { ...facts, inUntil: known.inUntil };
}

function join(known: VisitFacts | undefined, telling: Message | Put): VisitFacts {
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
  const heard = [...(known?.heard ?? []), telling];
  const words = heard.flatMap((message) => says(message, zone)).toSorted((one, other) => one.at - other.at);
  const newest = words.at(-1);
  if (!newest) return { ...(known ?? { visit, status: 'in-progress' }), heard };
  if (newest.status !== 'finished') return { visit, heard, status: newest.status };
  const since = words.slice(words.findLastIndex(({ status }) => status !== 'finished') + 1);
  const disposition = since.findLast((word) => word.disposition !== undefined)?.disposition;
  return { visit, heard, status: 'finished', ...leftIn(since, zone), ...(disposition ? { disposition } : {}) };
}

/** What a message says of the patient's coming and going. */
interface Word {
  readonly at: number;
  readonly status: VisitFacts['status'];
  readonly left?: number;
  readonly isDay?: boolean;
  /** Nothing but when the discharge was recorded is known. */
  readonly isRecording?: boolean;
  readonly disposition?: string;
}

/** @param discharges all since the patient was last said to be in, the oldest first */
function leftIn(discharges: readonly Word[], zone: string): Pick<VisitFacts, 'left' | 'isDay' | 'isUntold'> {
  const told = discharges.filter(({ isRecording }) => !isRecording);
  const { left = 0, isDay } = told.at(-1) ?? discharges[0] ?? {};
  if (told.length === 0) return { left, isUntold: true };
  if (!isDay) return { left };
  const exact = told.findLast((word) => !word.isDay)?.left;
  return exact !== undefined && dayOf(exact, zone) === dayOf(left, zone) ? { left: exact } : { left, isDay: true };
}

function says({ trigger, recorded: at, occurred, end, disposition }: Message, zone: string): Word[] {
  if (trigger === 'A11') return [{ at, status: 'cancelled' }];
  if (trigger === 'A13') return [{ at, status: 'in-progress' }];
  if (end || trigger === 'A03') {
    const left = end ? moment(end, zone) : (occurred ?? at);
    const isDay = end !== undefined && 'day' in end;
    const isRecording = !end && occurred === undefined;
    return [{ at, status: 'finished', left, isDay, isRecording, ...(disposition ? { disposition } : {}) }];
  }
  return trigger === 'A01' || trigger === 'A04' ? [{ at, status: 'in-progress' }] : [];
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
