// Makes up a year of a region's hospitals from a seed: who is admitted when and where, and everything that goes wrong in
// telling of it.
import { randomFrom } from '../../support/seeded-random.ts';
import { PLACES } from './places.ts';
import {
  type Message,
  type Person,
  patientOf,
  type Staff,
  type Story,
  type Telling,
  type ToldEnd,
  type Visit,
} from './story.ts';

export interface StoryOptions {
  readonly seed: number;
  readonly patients: number;
  readonly stays: number;
  readonly days: number;
  /** How many times as often as usual something goes wrong. */
  readonly mess?: number;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Whatever goes wrong, it mostly does not. */
const MOST_OFTEN = 0.4;

/** Thursday; the year has both changes of daylight saving of every zone. */
const BEGINS = Temporal.Instant.from('2026-01-01T00:00:00Z').epochMilliseconds / 1000;

/** Each stands for itself in the comorbidity table of LACE (domain.md 1.4). */
const CONDITIONS = ['I50.9', 'E11.9', 'J44.9', 'F03.90', 'C34.10', 'C78.00', 'I63.9', 'B20', 'M32.10', 'Z47.1'];

/** NUBC codes with how many of a hundred discharges have them. */
const DISPOSITIONS: readonly (readonly [string | undefined, number])[] = [
  ['01', 46],
  ['06', 18],
  ['04', 5],
  ['03', 9],
  ['62', 3],
  ['50', 2],
  ['07', 3],
  ['02', 4],
  ['20', 2],
  ['70', 2],
  [undefined, 6],
];

export function writeStory({ seed, patients, stays, days, mess = 1 }: StoryOptions): Story {
  const random = randomFrom(seed);
  const ends = BEGINS + days * DAY;
  const author = createAuthor(random, ends, mess);
  const people = Array.from({ length: patients }, (_, n) => {
    const person = author.person(`P${n + 1}`);
    return person.byFhir ? { ...person, staff: staffOf(n, ends) } : person;
  });
  const perPatient = stays / patients;
  for (const person of people) author.life(person, Math.max(1, Math.round(perPatient * (0.3 + 1.4 * random()))));
  const tellings = author.tellings
    .filter(({ arrives }) => arrives < ends)
    .map((telling, order) => ({ telling, order }))
    .toSorted((a, b) => a.telling.arrives - b.telling.arrives || a.order - b.order)
    .map(({ telling }) => telling);
  return { seed, begins: BEGINS, ends, people, visits: author.visits, tellings };
}

function createAuthor(random: () => number, ends: number, mess: number) {
  const visits: Visit[] = [];
  const tellings: Telling[] = [];
  let controlIds = 0;

  const chance = (share: number) => random() < share;
  /** Of what goes wrong. */
  const mishap = (share: number) => random() < Math.min(share * mess, MOST_OFTEN);
  const between = (low: number, high: number) => low + random() * (high - low);
  const minutes = (seconds: number) => Math.round(seconds / MINUTE) * MINUTE;
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)] as T;

  /** How long after its event a message is sent. */
  const delay = () => {
    const dice = random();
    if (dice < 0.7) return between(0, 10 * MINUTE);
    if (dice < 0.9) return between(0, 6 * HOUR);
    if (dice < 0.985) return between(0, 3 * DAY);
    return between(3 * DAY, 45 * DAY);
  };

  const disposition = () => {
    let left = random() * 100;
    for (const [code, share] of DISPOSITIONS) {
      left -= share;
      if (left < 0) return code;
    }
    return '01';
  };

  /** The end as this sender gives it; undefined leaves it to the event. */
  const told = (end: number, zone: string): ToldEnd | undefined => {
    if (mishap(0.03)) return undefined;
    if (mishap(0.03)) return { day: localDay(end, zone) };
    return { at: end };
  };

  function tell(telling: Omit<Message, 'kind' | 'controlId'>, arrives: number): void {
    controlIds += 1;
    const message: Telling = { kind: 'message', controlId: `C${controlIds}`, arrives, ...telling };
    tellings.push(message);
    // The engine sends it again, or the sender tells the same under another control id.
    if (mishap(0.04)) tellings.push({ ...message, arrives: arrives + between(0, 2 * DAY) });
    if (mishap(0.02)) {
      controlIds += 1;
      tellings.push({ ...message, controlId: `C${controlIds}`, arrives: arrives + between(0, DAY) });
    }
  }

  /** @returns when the patient really left for the last time, or undefined when not in this year */
  function stay(visit: Visit, end: number): { left: number; code: string | undefined } | undefined {
    visits.push(visit);
    const { zone } = PLACES.find(({ code }) => code === visit.place) ?? { zone: 'UTC' };
    const send = (message: Omit<Message, 'kind' | 'controlId' | 'visit'>, late = delay()) =>
      tell({ visit, ...message }, message.recorded + late);
    let clock = visit.start + between(0, 20 * MINUTE);
    const next = (from: number) => {
      clock = Math.max(clock + MINUTE, from + between(0, 20 * MINUTE));
      return Math.round(clock);
    };
    if (!mishap(0.03)) send({ trigger: 'A01', recorded: next(visit.start) });
    if (chance(0.4)) send({ trigger: 'A08', recorded: next(between(visit.start, end)) });
    if (chance(0.2)) send({ trigger: 'A02', recorded: next(between(visit.start, end)) });
    let left = end;
    let code = disposition();
    const discharge = () => {
      const how = told(left, zone);
      const recorded = next(left);
      send({
        trigger: 'A03',
        recorded,
        ...(how ? { end: how } : {}),
        ...(how || chance(0.5) ? { occurred: left } : {}),
        ...(code ? { disposition: code } : {}),
      });
    };
    discharge();
    if (mishap(0.06)) {
      // Not discharged after all; mostly some time later.
      send({ trigger: 'A13', recorded: next(left + between(10 * MINUTE, 3 * DAY)) });
      if (chance(0.15)) return undefined;
      left = minutes(clock + between(HOUR, 4 * DAY));
      code = disposition();
      discharge();
    }
    if (mishap(0.08)) {
      // The time was wrong, or where to.
      if (chance(0.6)) left = minutes(Math.max(visit.start + HOUR, left + between(-30 * HOUR, 30 * HOUR)));
      else code = disposition();
      const recorded = next(Math.max(left, clock) + between(10 * MINUTE, 5 * DAY));
      send({ trigger: 'A08', recorded, end: { at: left }, ...(code ? { disposition: code } : {}) });
    }
    if (chance(0.15)) send({ trigger: 'A08', recorded: next(clock + between(HOUR, 20 * DAY)) });
    if (mishap(0.05)) {
      // Told once more days later, as if it had just happened.
      const recorded = next(Math.max(left, clock) + between(HOUR, 12 * DAY));
      send({ trigger: 'A03', recorded, ...(code ? { disposition: code } : {}) });
    }
    if (mishap(0.01) && code !== '20') {
      // Died at home; sometimes it was somebody else.
      send({ trigger: 'A08', recorded: next(clock + between(DAY, 25 * DAY)), died: true });
      if (chance(0.5)) {
        send({ trigger: 'A08', recorded: next(clock + between(HOUR, 6 * DAY)), died: false }, between(0, HOUR));
        return { left: Math.max(left, clock), code };
      }
      return undefined;
    }
    return { left, code };
  }

  function fhirStay(visit: Visit, end: number): { left: number; code: string | undefined } | undefined {
    visits.push(visit);
    let arrives = visit.start + between(0, HOUR);
    const put = (
      status: 'in-progress' | 'finished' | 'cancelled',
      more: { end?: ToldEnd; disposition?: string } = {},
    ) => {
      tellings.push({ kind: 'put', visit, status, ...more, arrives });
      if (mishap(0.05)) tellings.push({ kind: 'put', visit, status, ...more, arrives: arrives + 1 });
    };
    if (chance(0.9)) put('in-progress');
    let left = end;
    const code = disposition();
    const why = code ? { disposition: code } : {};
    arrives = Math.max(arrives + MINUTE, left + between(0, DAY));
    put('finished', { end: { at: left }, ...why });
    if (mishap(0.1)) {
      left = minutes(Math.max(visit.start + HOUR, left + between(-30 * HOUR, 30 * HOUR)));
      arrives = Math.max(arrives + MINUTE, left + between(0, 2 * DAY));
      put('finished', { end: { at: left }, ...why });
    }
    return { left: Math.max(left, arrives), code };
  }

  function merge({ patient, place }: Visit, alias: string, at: number): void {
    controlIds += 1;
    const recorded = Math.round(at);
    const arrives = recorded + between(0, HOUR);
    tellings.push({ kind: 'merge', patient, alias, place, controlId: `C${controlIds}`, recorded, arrives });
  }

  /** An admission that was none. */
  function phantom(visit: Visit): void {
    visits.push(visit);
    const cancelled = visit.start + between(10 * MINUTE, 30 * HOUR);
    tell({ visit, trigger: 'A01', recorded: visit.start + MINUTE }, visit.start + MINUTE + between(0, HOUR));
    const recorded = Math.round(cancelled);
    tell({ visit, trigger: 'A11', recorded }, recorded + between(0, 3 * HOUR));
  }

  /** An emergency visit that led to no stay; told in time, because LACE counts what is known. */
  function emergency(visit: Visit): void {
    visits.push(visit);
    const left = minutes(visit.start + between(HOUR, 9 * HOUR));
    tellings.push({
      kind: 'message',
      visit,
      trigger: 'A04',
      controlId: `E${visit.id}a`,
      recorded: visit.start + MINUTE,
      arrives: visit.start + 2 * MINUTE,
    });
    tellings.push({
      kind: 'message',
      visit,
      trigger: 'A03',
      controlId: `E${visit.id}b`,
      recorded: left + MINUTE,
      end: { at: left },
      disposition: '01',
      arrives: left + 2 * MINUTE,
    });
  }

  return {
    visits,
    tellings,
    person: (id: string): Person => ({
      id,
      byFhir: chance(0.1),
      birthYear: 1930 + Math.floor(random() * 60),
      conditions: CONDITIONS.filter(() => chance(0.22)),
    }),
    life(person: Person, count: number): void {
      let at = BEGINS + between(0, Math.max(DAY, (ends - BEGINS) / (count + 1)));
      const home = pick(PLACES).code;
      for (let n = 1; n <= count && at < ends; n++) {
        // Registered as somebody new, which is found out later.
        const alias = !person.byFhir && n > 1 && mishap(0.04) ? `${person.id}D${n}` : undefined;
        const visit = (patientClass: Visit['patientClass'], start: number, suffix = ''): Visit => ({
          id: `${person.id}V${n}${suffix}`,
          patient: person.id,
          place: chance(0.85) ? home : pick(PLACES).code,
          patientClass,
          admissionType: pick(['E', 'E', 'U', 'C', 'R']),
          start: minutes(start),
          ...(alias ? { alias } : {}),
        });
        if (!person.byFhir && mishap(0.1)) {
          emergency(visit('E', at, 'E'));
          at += between(4 * DAY, 20 * DAY);
        }
        const patientClass = !person.byFhir && chance(0.03) ? 'O' : 'I';
        const start = minutes(at);
        const end = minutes(
          start + (chance(0.1) ? between(HOUR, DAY) : between(DAY, chance(0.2) ? 20 * DAY : 7 * DAY)),
        );
        const now = visit(patientClass, start);
        const result = person.byFhir ? fhirStay(now, end) : stay(now, end);
        if (alias) merge(now, alias, between(now.start, end + 25 * DAY));
        if (!result || result.code === '20') return;
        const spare = Math.max(4 * DAY, (ends - result.left) / (count - n + 1) - 4 * DAY);
        const dice = random();
        // Moved to another hospital within the hour, back the same week, within the month, or later.
        if (result.code === '02') at = result.left + between(10 * MINUTE, HOUR);
        else if (dice < 0.1) at = result.left + between(HOUR, 3 * DAY);
        else if (dice < 0.35) at = result.left + between(3 * DAY, 34 * DAY);
        else at = result.left + between(spare * 0.5, spare);
        if (!person.byFhir && mishap(0.04)) {
          phantom(visit('I', result.left + between(DAY, 10 * DAY), 'X'));
          at = Math.max(at, result.left + 12 * DAY);
        }
      }
    },
  };
}

/** The supervisor changes in the middle of the year, on another day for each. */
function staffOf(n: number, ends: number): Staff {
  const [one, two] = n % 2 === 0 ? (['1', '2'] as const) : (['2', '3'] as const);
  return {
    ...(n % 3 > 0 ? { manager: `manager-${n % 3}` } : {}),
    backup: `backup-${(n % 2) + 1}`,
    supervisor: `supervisor-${one}`,
    lastDay: localDay((BEGINS + ends) / 2 + (n % 60) * DAY, 'UTC'),
    nextSupervisor: `supervisor-${two}`,
  };
}

function localDay(seconds: number, zone: string): string {
  return Temporal.Instant.fromEpochMilliseconds(seconds * 1000)
    .toZonedDateTimeISO(zone)
    .toPlainDate()
    .toString();
}

/** Everything told of one patient, for people. */
export function tellingsOf(story: Story, patient: string): readonly Telling[] {
  return story.tellings.filter((telling) => patientOf(telling) === patient);
}
