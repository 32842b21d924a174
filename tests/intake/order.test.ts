import type { Encounter } from '@medplum/fhirtypes';
import * as fc from 'fast-check';
import pino from 'pino';
import { expect, it } from 'vitest';
import { rewriteLinks } from '../../src/fhir/references.ts';
import { isStandIn } from '../../src/fhir/stand-in-end.ts';
import { parseMessage } from '../../src/intake/er7/message.ts';
import { checkHeader } from '../../src/intake/header.ts';
import { readAdt } from '../../src/intake/map/adt.ts';
import { startReading } from '../../src/intake/map/reading.ts';
import { PLANNED_END } from '../../src/intake/map/whereabouts.ts';
import { createIntake } from '../../src/intake/receive.ts';
import { testParameters } from '../support/store-rules.ts';
import { openTempStore } from '../support/temp-store.ts';
import { bytes, edited, FACILITIES, fixture } from './fixture.ts';
import { permutations } from './permutations.ts';

const ADMIT = fixture('a01-admit');
const SOURCES = {
  A01: ADMIT,
  A03: fixture('a03-discharge'),
  A08: fixture('a08-update'),
  A11: fixture('a11-cancel-admit'),
  A13: fixture('a13-cancel-discharge'),
  A02: ADMIT,
  A04: ADMIT,
  A05: ADMIT,
  A06: ADMIT,
  A07: ADMIT,
  A12: ADMIT,
  A15: ADMIT,
  A16: ADMIT,
  A25: ADMIT,
  A26: ADMIT,
};
type Trigger = keyof typeof SOURCES;
const OTHERS: Trigger[] = ['A02', 'A02', 'A04', 'A05', 'A06', 'A07', 'A12', 'A15', 'A16', 'A25', 'A26'];

interface Sent {
  readonly trigger: Trigger;
  readonly minute: number;
  readonly start?: string;
  readonly end?: string;
  readonly occurred?: string;
  readonly disposition: string;
  readonly ward?: string;
}

const message = ({ trigger, minute, start = '', end = '', occurred = '', disposition, ward = '4EAST' }: Sent) =>
  edited(SOURCES[trigger], {
    'MSH-9': `ADT^${trigger}`,
    'PV1-3': `${ward}^1^1^HARBOR`,
    'PV1-42': trigger === 'A15' ? 'ICU^9^9^HARBOR' : '',
    'PV2-9': trigger === 'A16' ? '20261128' : '',
    'MSH-10': `${trigger}-${minute}`,
    'EVN-2': `2026112510${String(minute).padStart(2, '0')}`,
    'EVN-6': occurred,
    'PV1-44': start,
    'PV1-45': end,
    'PV1-36': disposition,
  });

const sent: fc.Arbitrary<Sent> = fc.record(
  {
    trigger: fc.constantFrom<Trigger>('A01', 'A01', 'A03', 'A03', 'A08', 'A08', 'A13', 'A11', ...OTHERS),
    ward: fc.constantFrom('4EAST', 'ICU', '5WEST'),
    minute: fc.integer({ min: 0, max: 59 }),
    start: fc.constantFrom('20261120101500', '20261120', '20261121080000'),
    end: fc.constantFrom('20261124120000', '20261124150000', '20261124', '20261123', '20261125'),
    occurred: fc.constantFrom('20261124120000', '20261124'),
    disposition: fc.constantFrom('', '01', '03', '""'),
  },
  { requiredKeys: ['trigger', 'minute', 'disposition'] },
);

/** What must not depend on the order of delivery. */
function stay({ status, period, hospitalization, location, classHistory, extension }: Encounter) {
  return {
    status,
    start: period?.start,
    end: period?.end,
    standsIn: isStandIn(period),
    disposition: hospitalization?.dischargeDisposition,
    places: location?.map(({ location: { display }, ...rest }) => ({ display, ...rest })),
    classes: classHistory,
    leaves: extension?.find(({ url }) => url === PLANNED_END)?.valueDateTime,
  };
}

function encounterDraft(text: string) {
  const parsed = parseMessage(text);
  const content = readAdt(startReading(parsed, checkHeader(parsed), FACILITIES));
  const draftOf = (url: string) => content.drafts.find(({ fullUrl }) => fullUrl === url)?.resource;
  // As after the first commit: a place has one reference, whichever message named it.
  const placed = (resource: Encounter) =>
    rewriteLinks(resource, (url) => {
      const place = draftOf(url);
      return place?.resourceType === 'Location' ? `Location/${place.identifier?.[0]?.value}` : undefined;
    });
  const draft = content.drafts.find(({ fullUrl }) => fullUrl === content.encounter);
  if (draft?.resource.resourceType !== 'Encounter') throw new Error('no Encounter');
  return { ...draft, resource: { ...placed(draft.resource), subject: { reference: 'Patient/1' } } };
}

function endOf(messages: readonly Sent[]) {
  const drafts = messages.map((one) => encounterDraft(message(one)));
  const last = drafts.reduce<Encounter | undefined>(
    (stored, draft) => (stored ? (draft.merge(stored, draft.resource) as Encounter) : draft.resource),
    undefined,
  );
  if (!last) throw new Error('nothing was sent');
  return stay(last);
}

it('any order of delivery ends in the same status, period, disposition, places, classes and expected end', () => {
  const distinct = fc.uniqueArray(sent, { selector: ({ minute }) => minute, minLength: 2, maxLength: 6 });
  const orders = distinct.chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
  );
  fc.assert(
    fc.property(orders, ([all, shuffled]) => {
      const inOrder = [...all].sort((one, other) => one.minute - other.minute);
      expect(endOf(shuffled)).toEqual(endOf(inOrder));
    }),
    { numRuns: 200 },
  );
});

it('a discharge told by its date has the time that was told exactly, unless that was taken back in between', () => {
  const exact: Sent = { trigger: 'A03', minute: 1, end: '20261124120000', disposition: '' };
  const back: Sent = { trigger: 'A13', minute: 2, disposition: '' };
  const day: Sent = { trigger: 'A03', minute: 3, end: '20261124', disposition: '' };
  for (const order of permutations([exact, day])) expect(endOf(order).end).toBe('2026-11-24T12:00:00-05:00');
  for (const order of permutations([exact, back, day])) expect(endOf(order).end).toBe('2026-11-24');
});

it('a time in UTC, whose day at the hospital nobody knows, is not the time of a discharge told by its date', () => {
  const inUtc: Sent = { trigger: 'A03', minute: 1, end: '20261124020000+0000', disposition: '' };
  const day: Sent = { trigger: 'A03', minute: 3, end: '20261124', disposition: '' };
  const drafts = [inUtc, day].map((one) => encounterDraft(message(one)));
  const utc = drafts[0];
  if (!utc) throw new Error('nothing was sent');
  expect(utc.resource.period?.end).toBe('2026-11-23T21:00:00-05:00');
  const told: Encounter = { ...utc.resource, period: { end: '2026-11-24T02:00:00Z' } };
  const merged = utc.merge(told, (drafts[1] ?? utc).resource) as Encounter;
  expect(merged.period?.end).toBe('2026-11-24');
});

it.each([
  ['the last one that names one', ['01', '03', ''], '03'],
  ['the last one that names one, also when it came before one that names none', ['', '01', ''], '01'],
  ['nowhere, when the sender wants it removed', ['01', '""'], undefined],
])('a discharge told several times leads to %s', (_, dispositions, code) => {
  const told = dispositions.map(
    (disposition, at): Sent => ({ trigger: 'A03', minute: at, end: '20261124120000', disposition }),
  );
  for (const order of [told, told.toReversed()]) expect(endOf(order).disposition?.coding?.[0]?.code).toBe(code);
});

it('what was said of the destination before the discharge was cancelled does not come back', () => {
  const events: Sent[] = [
    { trigger: 'A03', minute: 2, end: '20261124120000', disposition: '01' },
    { trigger: 'A13', minute: 3, disposition: '' },
    { trigger: 'A03', minute: 4, end: '20261124150000', disposition: '' },
  ];
  for (const order of [events, events.toReversed()]) expect(endOf(order).disposition).toBeUndefined();
});

it('a discharge that was cancelled and made again ends as the last one says', () => {
  const events: Sent[] = [
    { trigger: 'A01', minute: 1, start: '20261120101500', disposition: '' },
    { trigger: 'A03', minute: 2, end: '20261124120000', disposition: '01' },
    { trigger: 'A13', minute: 3, disposition: '' },
    { trigger: 'A03', minute: 4, end: '20261124150000', disposition: '03' },
  ];
  expect(endOf(events.toReversed())).toMatchObject({ status: 'finished', end: '2026-11-24T15:00:00-05:00' });
  expect(endOf(events.slice(0, 3).toReversed())).toMatchObject({ status: 'in-progress', end: undefined });
});

it('holds through the real store for every order of A01, A08, A03 and A13', async () => {
  const events = (['A01', 'A08', 'A03', 'A13'] as const).map((trigger) => SOURCES[trigger]);
  const temp = await openTempStore({ memory: true });
  try {
    const intake = createIntake({
      store: temp.store,
      clock: temp.clock,
      facilities: FACILITIES,
      parameters: testParameters,
      log: pino({ level: 'silent' }),
    });
    const ends = new Set<string>();
    for (const [index, order] of permutations(events).entries()) {
      const own = { 'PID-3': `P${index}^^^HARBOR^MR`, 'PV1-19': `V${index}^^^HARBOR^VN` };
      for (const event of order) {
        const controlId = `${index}-${events.indexOf(event)}`;
        const receipt = await intake.receive(bytes(edited(event, { ...own, 'MSH-10': controlId })), 'mllp');
        expect(receipt.code).toBe('AA');
      }
      const [found] = await temp.store.find(`Encounter?identifier=https://baton.health/fhir/sid/HARBOR|V${index}`);
      ends.add(JSON.stringify(stay(JSON.parse(found?.content ?? '{}') as Encounter)));
    }
    expect(ends.size).toBe(1);
    const [end] = [...ends].map((text): unknown => JSON.parse(text));
    expect(end).toMatchObject({ status: 'in-progress', start: '2026-11-20T14:15:00-05:00' });
  } finally {
    await temp.cleanup();
  }
});

it('holds for people whose records are merged, changed and deleted, whichever number a message uses', async () => {
  const temp = await openTempStore({ memory: true });
  try {
    const { store, clock } = temp;
    const log = pino({ level: 'silent' });
    const intake = createIntake({ store, clock, facilities: FACILITIES, parameters: testParameters, log });
    const ends = new Set<string>();
    const pid = ADMIT.split('\r').slice(0, 3).join('\r');
    for (const [index, order] of permutations([0, 1, 2, 3]).entries()) {
      const [old, now] = [`O${index}^^^HARBOR^MR`, `N${index}^^^HARBOR^MR`];
      const visit = { 'PV1-19': `V${index}^^^HARBOR^VN` };
      const events = [
        edited(ADMIT, { 'MSH-9': 'ADT^A01', 'EVN-2': '20261120', 'PID-3': old, ...visit }),
        edited(`${pid}\rMRG|${old}\r`, { 'MSH-9': 'ADT^A40', 'EVN-2': '20261121', 'PID-3': now }),
        edited(ADMIT, { 'MSH-9': 'ADT^A31', 'EVN-2': '20261119', 'PID-3': now }),
        edited(SOURCES.A03, { 'EVN-2': '20261122', 'PID-3': now, ...visit }),
      ];
      for (const event of order) {
        const told = edited(events[event] ?? '', { 'MSH-10': `M${index}-${event}` });
        const receipt = await intake.receive(bytes(told), 'mllp');
        // A discharge under the new number of a visit under the old one waits for the merge, and is sent again.
        if (receipt.code === 'AA') continue;
        expect(receipt.ack).toContain('205');
        order.push(event);
      }
      const [found] = await store.find(`Encounter?identifier=https://baton.health/fhir/sid/HARBOR|V${index}`);
      const encounter = JSON.parse(found?.content ?? '{}') as Encounter;
      const records = await store.find(
        `Patient?identifier=${['N', 'O'].map((name) => `https://baton.health/fhir/sid/HARBOR|${name}${index}`).join(',')}`,
      );
      const live = records.filter(({ content }) => !content.includes('"replaced-by"'));
      expect(live.map(({ id }) => `Patient/${id}`)).toEqual([encounter.subject?.reference]);
      ends.add(JSON.stringify({ status: encounter.status, end: encounter.period?.end, live: live.length }));
    }
    expect([...ends]).toEqual([JSON.stringify({ status: 'finished', end: '2026-11-25T16:00:00-05:00', live: 1 })]);
  } finally {
    await temp.cleanup();
  }
});
