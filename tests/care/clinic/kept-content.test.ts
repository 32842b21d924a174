// What others wrote into a resource stays when a command changes it, and what was written as FHIR shows in the views.
import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  assignEducation,
  cancelEducation,
  deliverEducation,
  recordTeachBack,
} from '../../../src/care/education/educate.ts';
import { listEducation } from '../../../src/care/education/education-view.ts';
import { startReconciliation } from '../../../src/care/medications/start-reconciliation.ts';
import { compareAnew, setMedicationList } from '../../../src/care/medications/work-on-reconciliation.ts';
import { listDirectives, recordDirective, revokeDirective } from '../../../src/care/preferences/advance-directive.ts';
import { endPreference, listPreferences, recordPreference } from '../../../src/care/preferences/preference.ts';
import type { Planned } from '../../../src/care/records.ts';
import { endFlag, listFlags, raiseFlag } from '../../../src/care/safety/flag.ts';
import { listIncidents, recordIncident, resolveIncident } from '../../../src/care/safety/incident.ts';
import { openWorld, refusal, type World } from './world.ts';

const caseId = 'c1';
const UNKNOWN = { url: 'https://elsewhere.example/x', valueString: 'kept' };

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

type Loose = Resource & { id: string; [name: string]: unknown };

/** Makes it, has another system add to it, runs the command, and compares all members that it is not about. */
async function expectKept(made: Promise<Planned>, command: (id: string) => Promise<Planned>, about: readonly string[]) {
  const { meta: _, ...resource } = (await world.run(made)) as Loose;
  const others = { extension: [UNKNOWN], language: 'en', implicitRules: undefined };
  await world.put(JSON.parse(JSON.stringify({ ...resource, ...others })) as Loose);
  const before = (await world.read(resource.resourceType, resource.id)) as unknown as Loose;
  await world.run(command(resource.id));
  const after = (await world.read(resource.resourceType, resource.id)) as unknown as Loose;
  const rest = (one: Loose) =>
    Object.fromEntries(Object.entries(one).filter(([name]) => ![...about, 'meta'].includes(name)));
  expect(rest(after)).toEqual(rest(before));
  expect(after.extension).toEqual([UNKNOWN]);
  expect(after).not.toEqual(before);
}

test('commands change only what they are about', async () => {
  const { records } = world;
  const caller = world.caller();
  const education = () => assignEducation(records, caller, { caseId, body: { topic: 'Salt', language: 'es' } });
  const taught = ['status', 'executionPeriod', 'output', 'lastModified'];
  await expectKept(education(), (id) => deliverEducation(records, caller, { caseId, id, body: {} }), taught);
  await expectKept(education(), (id) => recordTeachBack(records, caller, { caseId, id, body: { result: 'refused' } }), [
    ...taught,
    'statusReason',
    'businessStatus',
  ]);
  const reason = { text: 'No' };
  await expectKept(education(), (id) => cancelEducation(records, caller, { caseId, id, body: { reason } }), [
    'status',
    'statusReason',
    'lastModified',
  ]);
  const preference = { kind: 'treatment', preference: 'Quiet' } as const;
  await expectKept(
    recordPreference(records, caller, { caseId, body: preference }),
    (id) => endPreference(records, caller, { caseId, id, body: {} }),
    ['effectivePeriod'],
  );
  const directive = { type: { code: '86533-7' }, url: 'https://example.org/a' };
  await expectKept(
    recordDirective(records, caller, { caseId, body: directive }),
    (id) => revokeDirective(records, caller, { caseId, id, body: {} }),
    ['status', 'context'],
  );
  const flag = { category: 'safety', warning: { text: 'Falls' } } as const;
  await expectKept(
    raiseFlag(records, caller, { caseId, body: flag }),
    (id) => endFlag(records, caller, { caseId, id, body: {} }),
    ['status', 'period'],
  );
  const incident = { kind: 'fall', happened: true, description: 'Fell', at: '2026-11-30T09:00:00Z' } as const;
  await expectKept(
    recordIncident(records, caller, { caseId, body: incident }),
    (id) => resolveIncident(records, caller, { caseId, id, body: { outcome: 'resolved' } }),
    ['outcome'],
  );
  await expectKept(
    startReconciliation(records, caller, { caseId, body: {} }),
    (id) => setMedicationList(records, caller, { caseId, id, kind: 'current', body: { none: 'nilknown' } }),
    ['lastModified'],
  );
});

test('what was written as FHIR by others shows', async () => {
  const subject = { reference: 'Patient/p1' };
  await world.put(
    { resourceType: 'Flag', id: 'f', status: 'active', code: { text: 'Allergic to latex' }, subject },
    { resourceType: 'AdverseEvent', id: 'a', actuality: 'actual', subject, event: { text: 'Burn' } },
    {
      resourceType: 'Observation',
      id: 'o',
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '95541-9' }] },
      subject,
      effectiveDateTime: '2024-02',
      valueCodeableConcept: { text: 'Visits in the evening' },
    },
    {
      resourceType: 'DocumentReference',
      id: 'd',
      status: 'current',
      type: { coding: [{ system: 'http://loinc.org', code: '64298-3' }] },
      subject,
      content: [{ attachment: { url: 'https://elsewhere.example/d' } }],
    },
    {
      resourceType: 'Task',
      id: 't',
      status: 'ready',
      intent: 'order',
      code: { coding: [{ system: 'http://snomed.info/sct', code: '311401005' }], text: 'Inhaler' },
      for: subject,
    },
  );
  const { records } = world;
  const byId = <T extends { id: string }>(items: readonly T[], id: string) => items.find((one) => one.id === id);
  expect(byId(await listFlags(records, caseId), 'f')).toMatchObject({ warning: { text: 'Allergic to latex' } });
  expect(byId(await listIncidents(records, caseId), 'a')).toMatchObject({ description: 'Burn' });
  expect(byId(await listPreferences(records, caseId), 'o')).toMatchObject({
    preference: 'Visits in the evening',
    since: '2024-02',
  });
  expect(byId(await listDirectives(records, caseId), 'd')).toMatchObject({ url: 'https://elsewhere.example/d' });
  expect(byId(await listEducation(records, caseId), 't')).toMatchObject({ topic: 'Inhaler', ofCase: false });
});

test.each([
  ['c-dead', 'Patient.deceased'],
  ['c-merged', 'Patient.link'],
  ['c-closed', 'EpisodeOfCare.status'],
])('nothing is done on case %s', async (closed, at) => {
  const { records } = world;
  const caller = world.caller();
  const on = <B>(body: B) => ({ caseId: closed, body });
  const none = { caseId: closed, id: 'x' };
  const commands: Promise<Planned>[] = [
    startReconciliation(records, caller, on({})),
    compareAnew(records, caller, none),
    assignEducation(records, caller, on({ topic: 'Salt' })),
    deliverEducation(records, caller, { ...none, body: {} }),
    recordPreference(records, caller, on({ kind: 'treatment', preference: 'Quiet' })),
    recordDirective(records, caller, on({ type: { code: '86533-7' }, url: 'https://example.org/a' })),
    raiseFlag(records, caller, on({ category: 'safety', warning: { text: 'Falls' } })),
    recordIncident(records, caller, on({ kind: 'fall', happened: true, description: 'x', at: '2026-11-30T09:00:00Z' })),
  ];
  const refusals = await Promise.all(commands.map(refusal));
  expect(refusals).toEqual(commands.map(() => ({ kind: 'unprocessable', at })));
});
