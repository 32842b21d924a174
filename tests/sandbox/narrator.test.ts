// The story, told from a real log: each thing that happened once, in plain words, with a link.
import type { CarePlan, Encounter, Patient, Resource, RiskAssessment, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CODE_SYSTEM } from '../../src/care/systems.ts';
import { narrate } from '../../src/sandbox/story/narrator.ts';
import { createPage } from '../../src/sandbox/story/page.ts';
import type { Actor } from '../../src/store/store.ts';
import { openTempStore, type TempStore } from '../support/temp-store.ts';

const BATON: Actor = { reference: 'Device/baton-transitions', kind: 'service' };
const HAPI: Actor = { reference: 'Device/baton-sync', kind: 'connection', origin: 'hapi' };
const ZONE = 'America/New_York';

let temp: TempStore;
let told = 0;
beforeEach(async () => {
  temp = await openTempStore();
  temp.clock.moveTo(Temporal.Instant.from('2026-12-25T12:00:00Z'));
  told = 0;
});
afterEach(() => temp.cleanup());

async function save(actor: Actor, ...resources: Resource[]) {
  await temp.store.commit(
    actor,
    resources.map((resource) => ({ op: 'update', resource })),
  );
}

/** What happened since it was last asked. */
async function story(): Promise<string[]> {
  const entries = await temp.store.readLog(told, 100);
  told = entries.at(-1)?.sequence ?? told;
  const link = (type: string, id: string) => `link:${type}/${id}`;
  const happenings = await narrate(entries, { store: temp.store, zone: ZONE, link });
  return happenings.map((told) => [told.text, told.more, told.link].filter(Boolean).join(' '));
}

const patient: Patient = { resourceType: 'Patient', id: 'p', name: [{ given: ['Ada', 'B'], family: 'Sample' }] };
const subject = { reference: 'Patient/p' };
const stay = (status: Encounter['status'], rest: Partial<Encounter> = {}): Encounter => ({
  resourceType: 'Encounter',
  id: 'e',
  status,
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
  subject,
  ...rest,
});
const plan = (status: CarePlan['status']): CarePlan => ({
  resourceType: 'CarePlan',
  id: 'c',
  status,
  intent: 'plan',
  subject,
  title: 'Transition home, high risk',
});
const followUp = (step: string, status: Task['status'], clock: string): Task => ({
  resourceType: 'Task',
  id: step,
  identifier: [{ system: 'urn:baton:follow-up', value: `ep|${step}|1` }],
  status,
  businessStatus: { coding: [{ system: 'https://baton.health/fhir/CodeSystem/follow-up-status', code: clock }] },
  intent: 'order',
  code: { text: step === 'contact' ? 'Interactive contact' : 'Follow-up visit' },
  for: subject,
  restriction: { period: { start: '2026-11-27T09:00:00-05:00', end: '2026-11-30T23:59:59-05:00' } },
});
const risk: RiskAssessment = {
  method: { coding: [{ system: CODE_SYSTEM.riskMethod, code: 'lace' }] },
  resourceType: 'RiskAssessment',
  id: 'r',
  status: 'final',
  subject,
  prediction: [{ rationale: 'LACE 12 = L 4 + A 3 + C 5 + E 0' }],
};

describe('narrate', () => {
  it('follows a stay: admitted, gone home, discharge taken back', async () => {
    await save(BATON, patient, stay('in-progress'));
    await save(BATON, stay('in-progress', { priority: { text: 'urgent' } }));
    await save(BATON, stay('finished', { hospitalization: { dischargeDisposition: { text: 'Discharged to home' } } }));
    await save(BATON, stay('in-progress'));
    expect(await story()).toEqual([
      'Ada Sample is admitted.',
      'Ada Sample leaves the hospital: discharged to home.',
      'The hospital takes the discharge of Ada Sample back.',
    ]);
  });

  it('tells a plan with its risk and its first deadline, and its withdrawal', async () => {
    const [contact, visit] = [
      followUp('contact', 'requested', 'scheduled'),
      followUp('visit', 'requested', 'scheduled'),
    ];
    await save(BATON, patient, risk, plan('active'), contact, visit);
    expect(await story()).toEqual([
      'Baton plans for Ada Sample: transition home, high risk (LACE 12 = L 4 + A 3 + C 5 + E 0). ' +
        '2 follow-ups, first contact by Mon 30 Nov 23:59. link:CarePlan/c',
    ]);
    await save(
      BATON,
      plan('revoked'),
      followUp('contact', 'cancelled', 'scheduled'),
      followUp('visit', 'cancelled', 'scheduled'),
    );
    expect(await story()).toEqual(['Baton withdraws the plan for Ada Sample and 2 follow-ups. link:CarePlan/c']);
  });

  it('groups what falls due, names what was done elsewhere and what was missed', async () => {
    await save(
      BATON,
      patient,
      followUp('contact', 'requested', 'scheduled'),
      followUp('visit', 'requested', 'scheduled'),
    );
    expect(await story()).toEqual([]);
    await save(BATON, followUp('contact', 'requested', 'due'), followUp('visit', 'requested', 'due'));
    expect(await story()).toEqual(['Due now for Ada Sample: interactive contact and follow-up visit.']);
    await save(HAPI, followUp('contact', 'completed', 'due'));
    const escalation: Task = {
      resourceType: 'Task',
      id: 'x',
      status: 'requested',
      intent: 'order',
      code: { coding: [{ system: 'https://baton.health/fhir/CodeSystem/follow-up-step', code: 'escalation' }] },
      focus: { reference: 'Task/visit' },
      for: subject,
    };
    await save(BATON, followUp('visit', 'requested', 'overdue'), escalation);
    await save(BATON, { ...followUp('visit', 'requested', 'overdue'), priority: 'stat' });
    expect(await story()).toEqual([
      'Done for Ada Sample: interactive contact, in the EHR "hapi"; Baton has pulled it back. link:Task/contact',
      'Missed for Ada Sample: follow-up visit. Baton escalates it to a supervisor. link:Task/x',
    ]);
  });
});

it('prints a day once and then only times', () => {
  let text = '';
  const page = createPage((line) => {
    text += line;
  }, ZONE);
  page.tell({ at: Temporal.Instant.from('2026-11-20T14:15:00Z'), text: 'One.', link: 'http://x/1' });
  page.tell({ at: Temporal.Instant.from('2026-11-20T15:15:00Z'), text: 'Two.' });
  page.tell({ at: Temporal.Instant.from('2026-11-24T04:59:00Z'), text: 'Three.' });
  expect(text).toBe(
    'Fri 20 Nov  09:15  One.\n                   http://x/1\n            10:15  Two.\nMon 23 Nov  23:59  Three.\n',
  );
});
