// A discharge that arrives, a call that is logged, and what the evidence says then: nothing in between is made by the test.
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { loadCalendars } from '../../src/care/business-calendar.ts';
import { loadProfiles } from '../../src/care/profiles.ts';
import { loadRiskMethods } from '../../src/care/transition/risk-method.ts';
import { parseSearchUrl } from '../../src/fhir/search/parse.ts';
import { createTransitions, type Transitions } from '../../src/transitions/transitions.ts';
import { FHIR, PARAMETERS, serve } from './serve.ts';

const PROFILES = join(import.meta.dirname, '../../profiles');
const ZONE = 'America/New_York';

it('a discharge begins an evidence record at the facility, and what is logged fills it', async () => {
  let transitions: Transitions | undefined;
  const baton = await serve(({ store, clock }) => {
    transitions = createTransitions({
      ...{ store, clock, log: pino({ level: 'silent' }), artifacts: loadProfiles(PROFILES) },
      facilities: [{ code: 'RIVER', name: 'Riverside', zone: ZONE, calendar: 'us-federal' }],
      calendars: loadCalendars(join(PROFILES, 'calendars')),
      riskMethods: loadRiskMethods(join(PROFILES, 'risk-methods')),
      parse: (query) => parseSearchUrl(PARAMETERS, query, { handling: 'strict', baseUrl: FHIR }),
    });
    return { transitions, evidence: transitions.sources };
  });
  const put = async (body: { resourceType: string; id: string; [name: string]: unknown }) => {
    const { status, text } = await baton.fhir('PUT', `/${body.resourceType}/${body.id}`, { body });
    expect(status, text).toBeLessThan(300);
  };
  const now = baton.temp.clock.now().toZonedDateTimeISO(ZONE);
  const text = (moment: Temporal.ZonedDateTime) => moment.toString({ timeZoneName: 'never', smallestUnit: 'second' });
  await put({
    resourceType: 'Organization',
    id: 'river',
    name: 'Riverside',
    identifier: [{ system: 'https://baton.health/fhir/sid/facility', value: 'RIVER' }],
  });
  await put({ resourceType: 'Patient', id: 'ann', birthDate: '1950-01-01' });
  await put({
    resourceType: 'Encounter',
    id: 'stay',
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
    subject: { reference: 'Patient/ann' },
    serviceProvider: { reference: 'Organization/river' },
    period: { start: text(now.subtract({ days: 4 })), end: text(now.subtract({ hours: 2 })) },
    hospitalization: {
      dischargeDisposition: { coding: [{ system: 'https://www.nubc.org/CodeSystem/PatDischargeStatus', code: '01' }] },
    },
  });
  await transitions?.run();
  const { json } = await baton.send('GET', '/api/v1/billing-readiness');
  const [item] = json.items as { transition: { reference: string } }[];
  const id = item?.transition.reference.split('/')[1];
  const read = async () => (await baton.send('GET', `/api/v1/transitions/${id}/evidence`)).json as unknown as Evidence;
  const before = await read();
  expect(before).toMatchObject({ zone: ZONE, destination: 'home', facility: { reference: 'Organization/river' } });
  expect(before.risks.map(({ method }) => method).sort()).toEqual(['hospital-2016', 'hospital-simplified', 'lace']);
  expect(before.tcm.findings.map(({ state }) => state)).toEqual(['pending', 'pending', 'pending', 'unknown']);

  const call = {
    ...{ resourceType: 'Communication', id: 'call', status: 'completed', sent: text(now.subtract({ hours: 1 })) },
    category: [{ coding: [{ system: 'https://baton.health/fhir/CodeSystem/contact-party', code: 'patient' }] }],
    medium: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationMode', code: 'PHONE' }] }],
    ...{ subject: { reference: 'Patient/ann' }, recipient: [{ reference: 'Patient/ann' }] },
  };
  await put(call);
  expect((await read()).tcm.findings[0]).toMatchObject({
    state: 'on-time',
    proof: [{ reference: 'Communication/call' }],
  });
  await baton.close();
});

interface Evidence {
  readonly risks: readonly { readonly method: string }[];
  readonly tcm: { readonly findings: readonly { readonly state: string }[] };
}
