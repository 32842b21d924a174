// Intake and the reckoning of the year, which share no code, agree on when the patient left after every message of any story.
import type { Encounter } from '@medplum/fhirtypes';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { toInstant } from '../../../src/care/local-time.ts';
import { parseMessage } from '../../../src/intake/er7/message.ts';
import { checkHeader } from '../../../src/intake/header.ts';
import { readAdt } from '../../../src/intake/map/adt.ts';
import { startReading } from '../../../src/intake/map/reading.ts';
import { hear, type VisitFacts } from './facts.ts';
import { PLACES, placeOf } from './places.ts';
import type { Message, Person, Trigger, Visit } from './story.ts';
import { writeMessage } from './tell.ts';

const HOUR = 3600;
const NOON = Date.parse('2026-09-10T12:00:00Z') / 1000;
const place = PLACES[0]?.code ?? '';
const { zone } = placeOf(place);
const FACILITIES = PLACES.map((one) => ({ code: one.code, name: one.code, zone: one.zone }));
const person: Person = { id: 'P', byFhir: false, birthYear: 1950, conditions: [] };
const visit: Visit = {
  ...{ id: 'V', patient: 'P', place, patientClass: 'I', admissionType: 'E' },
  start: NOON - 100 * HOUR,
};

const hours = fc.integer({ min: -60, max: 60 }).map((count) => NOON + count * HOUR);
const days = fc.constantFrom('2026-09-09', '2026-09-10', '2026-09-11').map((day) => ({ day }));
const message: fc.Arbitrary<Message> = fc
  .record(
    {
      trigger: fc.constantFrom<Trigger>('A03', 'A03', 'A03', 'A08', 'A13', 'A01', 'A11'),
      recorded: fc.integer({ min: 0, max: 200 }),
      end: fc.oneof(
        hours.map((at) => ({ at })),
        days,
      ),
      occurred: hours,
    },
    { requiredKeys: ['trigger', 'recorded'] },
  )
  .map(({ end, recorded, trigger, ...rest }) => ({
    ...{ kind: 'message', visit, trigger, controlId: String(recorded), recorded: NOON + recorded * HOUR },
    ...rest,
    ...(end && (trigger === 'A03' || trigger === 'A08') ? { end } : {}),
  }));

function joined(stored: Encounter | undefined, text: string): Encounter {
  const parsed = parseMessage(text);
  const { drafts, encounter } = readAdt(startReading(parsed, checkHeader(parsed), FACILITIES));
  const draft = drafts.find(({ fullUrl }) => fullUrl === encounter);
  if (draft?.resource.resourceType !== 'Encounter') throw new Error('no Encounter');
  const fresh: Encounter = { ...draft.resource, subject: { reference: 'Patient/1' } };
  return stored ? (draft.merge(stored, fresh) as Encounter) : fresh;
}

const secondsOf = ({ status, period }: Encounter) =>
  status === 'finished' ? toInstant(period?.end ?? '', zone).epochMilliseconds / 1000 : undefined;

it('they agree on the status and on when the patient left', () => {
  // Of two messages of one time the order of arrival decides in intake.
  const story = fc.uniqueArray(message, { selector: ({ recorded }) => recorded, minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(story, (messages) => {
      let facts: VisitFacts | undefined;
      let stay: Encounter | undefined;
      for (const one of messages) {
        facts = hear(facts, one, one.recorded);
        stay = joined(stay, writeMessage(one, person));
        expect([stay.status, secondsOf(stay)]).toEqual([facts.status, facts.left]);
      }
    }),
    { numRuns: 200 },
  );
});
