// Senders that differ: local codes, time zone, character set, facility and acknowledgements, all from data.
import type { ConceptMap, Encounter } from '@medplum/fhirtypes';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createIntake, type Intake } from '../../src/intake/receive.ts';
import { readSender } from '../../src/intake/sender.ts';
import { testParameters } from '../support/store-rules.ts';
import { openTempStore, type TempStore } from '../support/temp-store.ts';
import { edited, FACILITIES, fixture } from './fixture.ts';

const MAP: ConceptMap = {
  resourceType: 'ConceptMap',
  url: 'urn:local-dispositions',
  status: 'active',
  group: [{ element: [{ code: 'H', target: [{ code: '06', equivalence: 'equivalent' }] }] }],
};
const CLASSES: ConceptMap = {
  ...{ resourceType: 'ConceptMap', url: 'urn:local-classes', status: 'active' },
  group: [{ element: [{ code: 'OBS', target: [{ code: 'OBSENC', equivalence: 'equivalent' }] }] }],
};
const sender = (given: object) => readSender(given, [MAP, CLASSES], 'site.json');
const A03 = fixture('a03-discharge');

let temp: TempStore;
let intake: Intake;
beforeAll(async () => {
  temp = await openTempStore({ memory: true });
  const odd = {
    facility: 'ODD',
    standsFor: 'HARBOR',
    zone: 'America/Denver',
    charset: '8859/1',
  };
  intake = createIntake({
    store: temp.store,
    clock: temp.clock,
    facilities: FACILITIES,
    senders: [sender({ ...odd, fields: { 'PV1-36': MAP.url, 'PV1-2': CLASSES.url } })],
    parameters: testParameters,
    log: pino({ level: 'silent' }),
  });
});
afterAll(() => temp.cleanup());

it('reads codes, times and letters as the sender means them', async () => {
  const text = edited(A03, {
    'MSH-4': 'ODD',
    'MSH-18': '',
    'PV1-36': 'H^Heim',
    'PV1-2': 'OBS',
    'PID-5': 'Müller^Ottilie',
  });
  const { code, ack } = await intake.receive(Buffer.from(text, 'latin1'), 'mllp');
  expect(code).toBe('AA');
  expect((await intake.receive(Buffer.from(text, 'latin1'), 'mllp')).ack, 'sent again').toBe(ack);
  const found = await temp.store.find('Encounter?status=finished');
  const encounter = JSON.parse(found[0]?.content ?? '{}') as Encounter;
  expect(encounter.period?.end).toBe('2026-11-25T16:00:00-07:00');
  const system = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
  expect(encounter.class).toMatchObject({ system, code: 'OBSENC' });
  const { dischargeDisposition } = encounter.hospitalization ?? {};
  expect([dischargeDisposition?.coding?.[0]?.code, dischargeDisposition?.text]).toEqual(['06', 'Heim']);
  expect((await temp.store.find('Patient?family=Müller')).length).toBe(1);
  expect((await temp.store.find('Organization?identifier=HARBOR')).length).toBe(1);
});

it.each([
  [{}, 'facility must be'],
  [{ facility: 'X', zones: 'UTC' }, 'there is no zones'],
  [{ facility: 'X', zone: 'Mars/Base' }, 'no IANA time zone'],
  [{ facility: 'X', charset: 'JIS' }, 'does not read'],
  [{ facility: 'X', acknowledgement: 'loud' }, 'original or enhanced'],
  [{ facility: 'X', acknowledge: 'soon' }, 'applied or stored'],
  [{ facility: 'X', fields: { 'PV1-36': 'urn:none' } }, 'is not in profiles/concept-maps'],
  [{ facility: 'X', fields: { disposition: MAP.url } }, 'no field like PV1-36'],
])('%j is refused at load', (given, sentence) => {
  expect(() => sender(given)).toThrow(sentence);
});
