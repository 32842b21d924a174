// Meeting, medication, education, preferences and safety through /api/v1, by people with roles: what is made is validated
// against Baton's profiles when it is committed.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, serveApi } from './api-client.ts';

const CARE_ROLE = 'https://baton.health/fhir/CodeSystem/care-role';
const V2_0360 = 'http://terminology.hl7.org/CodeSystem/v2-0360';
const CREDENTIAL = 'https://baton.health/fhir/CodeSystem/credential';
const RXNORM = 'http://www.nlm.nih.gov/research/umls/rxnorm';
const PLAN_NET = 'http://hl7.org/fhir/us/davinci-pdex-plan-net/StructureDefinition/practitioner-qualification';

let baton: ApiServer;
let rn: string;
let lpn: string;
let expired: string;
let elsewhere: string;
let now: Temporal.Instant;
let caseId: string;
let base: string;

const day = (days: number) =>
  now
    .add({ hours: 24 * days })
    .toString()
    .slice(0, 10);
const at = (hours: number) => now.add({ hours }).toString({ smallestUnit: 'second' });

function practitioner(id: string, qualification: object[] = []) {
  return {
    resourceType: 'Practitioner',
    id,
    name: [{ family: id }],
    ...(qualification.length > 0 ? { qualification } : {}),
  };
}

function role(id: string, practitionerId: string) {
  const code = [{ coding: [{ system: CARE_ROLE, code: 'case-manager' }] }];
  return {
    resourceType: 'PractitionerRole',
    id,
    active: true,
    practitioner: { reference: `Practitioner/${practitionerId}` },
    code,
  };
}

function licence(code: string, more: object = {}, system = V2_0360) {
  return { code: { coding: [{ system, code }] }, ...more };
}

function validIn(state: string) {
  const whereValid = { url: 'whereValid', valueCodeableConcept: { coding: [{ code: state }] } };
  return { extension: [{ url: PLAN_NET, extension: [{ url: 'status', valueCode: 'active' }, whereValid] }] };
}

function statement(id: string, name: string, code: string, dose: number, effectivePeriod: object) {
  return {
    resourceType: 'MedicationStatement',
    id,
    status: 'active',
    medicationCodeableConcept: { coding: [{ system: RXNORM, code }], text: name },
    subject: { reference: 'Patient/p1' },
    effectivePeriod,
    dosage: [{ text: `${dose} mg daily`, doseAndRate: [{ doseQuantity: { value: dose, unit: 'mg' } }] }],
  };
}

beforeAll(async () => {
  baton = await serveApi();
  now = baton.temp.clock.now();
  const team = ['rn', 'lpn', 'expired', 'elsewhere'];
  await baton.put(
    practitioner('rn', [
      licence('RN', { period: { end: day(400) }, ...validIn('NY') }),
      licence('CCM', {}, CREDENTIAL),
    ]),
    practitioner('lpn', [licence('LPN', {}, CREDENTIAL)]),
    practitioner('expired', [licence('RN', { period: { end: day(-3) } })]),
    practitioner('elsewhere', [licence('PharmD', validIn('CA'))]),
    practitioner('doctor'),
    ...team.map((id) => role(`role-${id}`, id)),
    { resourceType: 'Patient', id: 'p1', name: [{ family: 'Lindqvist' }], address: [{ use: 'home', state: 'NY' }] },
    { resourceType: 'RelatedPerson', id: 'son', patient: { reference: 'Patient/p1' } },
    {
      resourceType: 'CareTeam',
      id: 'team',
      status: 'active',
      subject: { reference: 'Patient/p1' },
      participant: team.map((id) => ({ member: { reference: `Practitioner/${id}` } })),
    },
    {
      resourceType: 'Encounter',
      id: 'stay',
      status: 'finished',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
      subject: { reference: 'Patient/p1' },
      period: { start: at(-240), end: at(-48) },
    },
    {
      resourceType: 'Task',
      id: 'asked',
      status: 'requested',
      intent: 'order',
      code: { coding: [{ system: 'http://snomed.info/sct', code: '430193006' }] },
      for: { reference: 'Patient/p1' },
    },
    statement('home', 'Lisinopril', '29046', 5, { start: at(-2_000) }),
    {
      ...statement('old', 'Warfarin', '11289', 3, { start: at(-9_000), end: at(-8_000) }),
      status: 'completed',
    },
    {
      resourceType: 'MedicationRequest',
      id: 'discharge',
      status: 'active',
      intent: 'order',
      category: [
        { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/medicationrequest-category', code: 'discharge' }] },
      ],
      medicationCodeableConcept: { coding: [{ system: RXNORM, code: '29046' }], text: 'Lisinopril' },
      subject: { reference: 'Patient/p1' },
      encounter: { reference: 'Encounter/stay' },
      authoredOn: at(-50),
      dosageInstruction: [{ text: '10 mg daily', doseAndRate: [{ doseQuantity: { value: 10, unit: 'mg' } }] }],
    },
  );
  rn = await baton.tokenOf('Practitioner/rn', 'user/*.cruds');
  lpn = await baton.tokenOf('Practitioner/lpn', 'user/*.cruds');
  expired = await baton.tokenOf('Practitioner/expired', 'user/*.cruds');
  elsewhere = await baton.tokenOf('Practitioner/elsewhere', 'user/*.cruds');
  const body = { patient: { reference: 'Patient/p1' }, careManager: { reference: 'Practitioner/rn' } };
  const opened = await baton.api('POST', '/cases', { body });
  expect(opened.status, opened.text).toBe(201);
  caseId = String(opened.json.id);
  base = `/cases/${caseId}`;
});

afterAll(() => baton.close());

/** A command that is carried out. */
async function done(path: string, body?: object, as = rn, method: 'POST' | 'PUT' = 'POST') {
  const answer = await baton.api(method, `${base}${path}`, { as, ...(body ? { body } : {}) });
  expect(answer.status, answer.text).toBeLessThan(300);
  // biome-ignore lint/suspicious/noExplicitAny: tests look into views freely
  return answer.json as any;
}

/** Status and members of a command that is refused. */
async function refused(path: string, body: object, as = rn, method: 'POST' | 'PUT' = 'POST') {
  const answer = await baton.api(method, `${base}${path}`, { as, body });
  const errors = (answer.json.errors ?? []) as { member?: string; detail: string }[];
  return [answer.status, errors[0]?.member ?? errors[0]?.detail];
}

async function planActivities(): Promise<string[]> {
  const found = await baton.fhir('GET', `/CarePlan?identifier=urn:baton:case-plan|${caseId}`);
  const plan = found.json.entry?.[0]?.resource as unknown as { activity?: { reference: { reference: string } }[] };
  return (plan.activity ?? []).map(({ reference }) => reference.reference);
}

it('a conference is planned, held and shown, and belongs to the plan', async () => {
  const participants = [
    { actor: { reference: 'Practitioner/rn' }, required: true },
    { actor: { reference: 'RelatedPerson/son' }, required: false },
  ];
  const planned = await done('/conferences', { title: 'Home', start: at(24), minutes: 30, participants });
  expect(planned).toMatchObject({ status: 'booked', ofCase: true });
  expect(await planActivities()).toContain(`Appointment/${planned.id}`);
  expect(await refused('/conferences', { title: 'Home', start: at(-24), minutes: 30, participants })).toEqual([
    422,
    'start',
  ]);
  const path = `/conferences/${planned.id}`;
  const attended = [{ reference: 'Practitioner/rn' }];
  expect(await refused(`${path}/hold`, { attended, unknown: 1 })).toEqual([400, 'unknown']);
  const decisions = [{ text: 'Order a rail', intervention: { due: day(7) } }];
  const held = await done(`${path}/hold`, { start: at(-1), end: at(0), attended, decisions });
  expect(held).toMatchObject({ status: 'fulfilled', held: { absent: [{ reference: 'RelatedPerson/son' }] } });
  expect(await planActivities()).toContain(held.held.decisions[0].intervention.reference);
  const list = await baton.api('GET', `${base}/conferences`, { as: rn });
  expect(list.json.items).toEqual([held]);
});

describe('medication reconciliation', () => {
  it('goes from lists that are stored to a sign-off by somebody qualified, once', async () => {
    const started = await done('/medication-reconciliations', { due: day(5) });
    const path = `/medication-reconciliations/${started.id}`;
    const linesOf = (view: { lines: { medication: { text: string }; dose: { value: number } }[] }) =>
      view.lines.map(({ medication, dose }) => `${medication.text} ${dose.value}`);
    expect(started.lists.map(linesOf)).toEqual([['Lisinopril 5'], ['Lisinopril 10'], ['Lisinopril 5']]);
    expect(started.lists.map(({ lines }: { lines: { source: string }[] }) => lines[0]?.source)).toEqual([
      'MedicationStatement/home',
      'MedicationRequest/discharge',
      'MedicationStatement/home',
    ]);
    expect(started.discrepancies.map(({ kind }: { kind: string }) => kind).sort()).toEqual([
      'dose',
      'dose',
      'unknown',
      'unknown',
    ]);
    expect(await planActivities()).toContain(`Task/${started.id}`);
    expect(await refused('/medication-reconciliations', {})).toEqual([422, expect.anything()]);

    const [, , current] = started.lists;
    const [line] = current.lines;
    const { source: _, ...same } = line;
    const lines = [
      { ...same, dose: { value: 10, unit: 'mg' }, instructions: '10 mg daily' },
      {
        medication: { text: 'Ibuprofen' },
        dose: { value: 400, unit: 'mg' },
        frequency: { times: 3, every: 1, unit: 'd' },
        asNeeded: true,
      },
    ];
    const set = await done(`${path}/lists/current`, { lines }, rn, 'PUT');
    expect(set.lists[2].lines).toMatchObject([{ ...lines[0], source: 'MedicationStatement/home' }, lines[1]]);
    expect(set.discrepancies.map(({ kind }: { kind: string }) => kind).sort()).toEqual(['addition', 'dose', 'unknown']);

    expect(await refused(`${path}/sign-off`, {})).toEqual([422, 'DetectedIssue.status']);
    for (const { id } of set.discrepancies) {
      const resolve = `${path}/discrepancies/${id}/resolve`;
      expect(await refused(resolve, { resolution: 'accept' })).toEqual([422, 'reason']);
      expect(await refused(resolve, { resolution: 'clarify' })).toEqual([422, 'prescriber']);
      await done(resolve, {
        resolution: 'clarify',
        prescriber: { reference: 'Practitioner/doctor' },
        reason: 'As ordered',
      });
    }
    for (const [as, missing] of [
      [lpn, 'no such qualification is recorded'],
      [expired, 'expired'],
      [elsewhere, 'does not cover NY'],
    ] as const) {
      const answer = await baton.api('POST', `${base}${path}/sign-off`, { as, body: {} });
      expect(answer.status, answer.text).toBe(403);
      expect(answer.text).toContain(missing);
    }
    const signed = await done(`${path}/sign-off`, { note: 'Reviewed with the son' });
    expect(signed).toMatchObject({
      status: 'completed',
      signedOff: { by: { reference: 'Practitioner/rn' }, note: 'Reviewed with the son' },
    });
    expect(await refused(`${path}/lists/current`, { none: 'nilknown' }, rn, 'PUT')).toEqual([422, 'Task.status']);
    expect(await refused(`${path}/sign-off`, {})).toEqual([422, 'Task.status']);

    const { status } = (await baton.fhir('GET', '/Task/asked')).json;
    expect([signed.followUp, status]).toEqual([{ reference: 'Task/asked' }, 'completed']);

    const correction = await done('/medication-reconciliations', { corrects: { reference: `Task/${started.id}` } });
    expect(correction.corrects).toEqual({ reference: `Task/${started.id}` });
    const given = await done(`/medication-reconciliations/${correction.id}/cancel`, { reason: { text: 'Not needed' } });
    expect(given).toMatchObject({ status: 'cancelled', cancelled: { text: 'Not needed' } });
    const list = await baton.api('GET', `${base}/medication-reconciliations`, { as: rn });
    expect((list.json.items as { id: string }[]).map(({ id }) => id).sort()).toEqual(
      [started.id, correction.id].sort(),
    );
  });

  it('shows lists that were edited as FHIR, and compares them anew', async () => {
    const { id, lists } = await done('/medication-reconciliations', {});
    const listId = lists[2].id;
    const { json } = await baton.fhir('GET', `/List/${listId}`);
    const kept = {
      ...json,
      note: [{ text: 'kept' }],
      entry: [{ item: { reference: 'MedicationRequest/discharge' } }],
      contained: undefined,
    };
    expect((await baton.fhir('PUT', `/List/${listId}`, { body: kept })).status).toBe(200);
    const path = `/medication-reconciliations/${id}`;
    const read = await baton.api('GET', `${base}${path}`, { as: rn });
    // biome-ignore lint/suspicious/noExplicitAny: tests look into views freely
    const view = read.json as any;
    expect(view.lists[2].lines).toMatchObject([{ dose: { value: 10 }, source: 'MedicationRequest/discharge' }]);
    expect(view.discrepancies.map(({ lists: between }: { lists: string[] }) => between)).toEqual([
      ['before-admission', 'at-discharge'],
      ['before-admission', 'at-discharge'],
    ]);
    await done(`${path}/compare`);
    const [line] = view.lists[2].lines;
    const { source: _, ...same } = line;
    await done(`${path}/lists/current`, { lines: [same, { medication: { text: 'Aspirin' } }] }, rn, 'PUT');
    const after = await baton.fhir('GET', `/List/${listId}`);
    expect(after.json.note).toEqual([{ text: 'kept' }]);
    expect((after.json.entry as unknown as { item: object }[])[0]?.item).toEqual({
      reference: 'MedicationRequest/discharge',
    });
    expect(
      await refused(`${path}/lists/current`, { lines: [{ id: 'no', medication: { text: 'x' } }] }, rn, 'PUT'),
    ).toEqual([422, 'lines[0].id']);
    await done(`${path}/cancel`, { reason: { text: 'Test' } });
  });

  it('is signed off by nobody else at the doors of FHIR, in whatever order', async () => {
    const { id } = await done('/medication-reconciliations', {});
    const path = `/Task/${id}`;
    const stored = (await baton.fhir('GET', path)).json as unknown as Record<'input' | 'meta' | 'status', unknown>;
    const signed = { ...stored, status: 'completed' };
    const { input: _, meta: __, ...bare } = signed;
    const completed = JSON.stringify([{ op: 'replace', path: '/status', value: 'completed' }]);
    const patch = { body: completed, headers: { 'content-type': 'application/json-patch+json' } };
    const bundle = (resource: object, method: string, url: string) => ({
      body: { resourceType: 'Bundle', type: 'transaction', entry: [{ resource, request: { method, url } }] },
    });
    const system = await baton.token('system/*.cruds');
    for (const as of [lpn, expired, elsewhere, system]) {
      for (const answer of [
        await baton.fhir('PUT', path, { as, body: signed }),
        await baton.fhir('PUT', path, { as, body: bare }),
        await baton.fhir('PATCH', path, { as, ...patch }),
        await baton.fhir('POST', '', { as, ...bundle(signed, 'PUT', `Task/${id}`) }),
        ...(as === system ? [] : [await baton.fhir('POST', '/Task', { as, body: signed })]),
      ]) {
        expect([answer.status, answer.json.issue?.[0]?.expression], answer.text).toEqual([422, ['Task.status']]);
        expect(answer.json.issue?.[0]?.details?.text).toContain('is completed by who signs it off');
      }
    }
    // An application passes on who did: the performer of the Procedure in its output.
    const reconciled = { coding: [{ system: 'http://snomed.info/sct', code: '430193006' }] };
    const passOn = (performer: string) => {
      const done = {
        ...{ resourceType: 'Procedure', status: 'completed', code: reconciled, subject: { reference: 'Patient/p1' } },
        performer: [{ actor: { reference: `Practitioner/${performer}` } }],
      };
      const output = [
        { type: reconciled, valueReference: { reference: 'urn:uuid:0d4f9a36-2f4e-4a4b-8a1b-0f2f0a4f8a11' } },
      ];
      const entry = [
        { resource: { ...signed, output }, request: { method: 'PUT', url: `Task/${id}` } },
        {
          fullUrl: 'urn:uuid:0d4f9a36-2f4e-4a4b-8a1b-0f2f0a4f8a11',
          resource: done,
          request: { method: 'POST', url: 'Procedure' },
        },
      ];
      return baton.fhir('POST', '', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry } });
    };
    expect((await passOn('lpn')).status).toBe(422);
    expect((await baton.fhir('GET', path)).json.status).toBe(stored.status);
    const answer = await passOn('rn');
    expect(answer.status, answer.text).toBe(200);
    const own = await done('/medication-reconciliations', { corrects: { reference: `Task/${id}` } });
    expect((await baton.fhir('PATCH', `/Task/${own.id}`, { as: rn, ...patch })).status).toBe(200);
  });

  it('tells what somebody is qualified for', async () => {
    const answer = await baton.api('GET', '/practitioners/rn/qualifications?state=NY', { as: rn });
    expect(answer.json).toMatchObject({
      items: [
        { credential: { code: 'RN' }, states: ['NY'], standing: 'current' },
        { credential: { code: 'CCM' }, standing: 'current' },
      ],
      signOffs: [{ what: 'medication-reconciliation', allowed: true }],
    });
    const outside = await baton.api('GET', '/practitioners/rn/qualifications?state=CA', { as: rn });
    expect(outside.json.signOffs).toMatchObject([{ allowed: false, missing: expect.stringContaining('CA') }]);
  });
});

describe('education', () => {
  const assignment = {
    topic: 'Weighing yourself',
    learner: { reference: 'RelatedPerson/son' },
    material: { url: 'https://medlineplus.gov/heartfailure.html', title: 'Heart failure' },
    language: 'es-US',
    readingLevel: { text: 'Grade 5' },
  };

  it('is taught, checked, and taught again when it was not understood', async () => {
    const assigned = await done('/education', { ...assignment, due: day(2) });
    expect(assigned).toMatchObject({ ...assignment, due: day(2), status: 'requested', ofCase: true });
    const path = `/education/${assigned.id}`;
    expect(await refused(`${path}/teach-back`, { result: 'understood' })).toEqual([422, 'Task.output']);
    await done(`${path}/deliver`, { at: at(-2), method: { text: 'At the bedside' } });
    expect(await refused(`${path}/teach-back`, { result: 'not-understood' })).toEqual([422, 'repeat']);
    expect(await refused(`${path}/teach-back`, { result: 'understood', repeat: { due: day(1) } })).toEqual([
      422,
      'repeat',
    ]);
    const checked = await done(`${path}/teach-back`, {
      result: 'needs-reinforcement',
      repeat: { due: day(3) },
      note: 'Scale',
    });
    expect(checked).toMatchObject({
      status: 'completed',
      delivered: at(-2),
      teachBack: { result: 'needs-reinforcement', by: { reference: 'RelatedPerson/son' }, note: 'Scale' },
    });
    const list = (await baton.api('GET', `${base}/education`, { as: rn })).json.items as {
      status: string;
      id: string;
    }[];
    const again = list.find(({ status }) => status === 'requested');
    expect(again).toMatchObject({
      ...assignment,
      due: day(3),
      repeats: { teachBack: `Procedure/${checked.teachBack.id}` },
    });
    expect(await planActivities()).toContain(`Task/${again?.id}`);
    const declined = await done(`/education/${again?.id}/teach-back`, { result: 'refused' });
    expect(declined).toMatchObject({ status: 'failed', teachBack: { result: 'refused' } });
    expect(await refused(`/education/${again?.id}/cancel`, { reason: { text: 'x' } })).toEqual([422, 'Task.status']);
  });

  it('is refused for somebody or something not known, or too late', async () => {
    expect(await refused('/education', { topic: 'x', learner: { reference: 'Patient/p2' } })).toEqual([422, 'learner']);
    expect(await refused('/education', { topic: 'x', due: day(-2) })).toEqual([422, 'due']);
    const material = { document: { reference: 'DocumentReference/none' } };
    expect(await refused('/education', { topic: 'x', material })).toEqual([422, 'material.document']);
  });
});

it('preferences are recorded, replaced and ended', async () => {
  const body = {
    kind: 'treatment',
    preference: 'Comfort first',
    since: day(-10),
    saidBy: { reference: 'RelatedPerson/son' },
  };
  const first = await done('/preferences', body);
  expect(first).toMatchObject(body);
  const second = await done('/preferences', {
    kind: 'treatment',
    preference: 'No tube',
    since: day(-5),
    replaces: first.id,
  });
  const list = await baton.api('GET', `${base}/preferences`, { as: rn });
  expect(list.json.items).toMatchObject([{ id: second.id }, { id: first.id, until: day(-5) }]);
  expect(await refused(`/preferences/${first.id}/end`, {})).toEqual([422, 'Observation.effective']);
  expect(await refused(`/preferences/${second.id}/end`, { on: day(3) })).toEqual([422, 'on']);
  expect(await done(`/preferences/${second.id}/end`, { on: day(-1) })).toMatchObject({ until: day(-1) });
  expect(await refused('/preferences', { ...body, since: day(3) })).toEqual([422, 'since']);
});

it('advance directives are recorded, replaced and revoked', async () => {
  const body = {
    type: { code: '86533-7', text: 'Living will' },
    url: 'https://example.org/will.pdf',
    signed: day(-100),
  };
  const first = await done('/advance-directives', body);
  expect(first).toMatchObject({ status: 'current', url: body.url, signed: body.signed, type: { code: '86533-7' } });
  const second = await done('/advance-directives', { ...body, signed: day(-2), replaces: first.id });
  expect(second.replaces).toEqual({ reference: `DocumentReference/${first.id}` });
  const list = await baton.api('GET', `${base}/advance-directives`, { as: rn });
  expect((list.json.items as { status: string }[]).map(({ status }) => status)).toEqual(['current', 'superseded']);
  expect(await refused(`/advance-directives/${first.id}/revoke`, {})).toEqual([422, 'DocumentReference.status']);
  expect(await done(`/advance-directives/${second.id}/revoke`, {})).toMatchObject({ status: 'superseded' });
  expect(await refused('/advance-directives', { ...body, type: { code: '11506-3' } })).toEqual([422, 'type']);
});

it('flags are raised and ended', async () => {
  const body = { category: 'safety', warning: { text: 'Falls at night' }, since: day(-1) };
  const flag = await done('/flags', body);
  expect(flag).toMatchObject({
    status: 'active',
    warning: body.warning,
    since: body.since,
    category: { code: 'safety' },
  });
  expect(await refused(`/flags/${flag.id}/end`, { on: day(-5) })).toEqual([422, 'on']);
  expect(await done(`/flags/${flag.id}/end`, {})).toMatchObject({ status: 'inactive' });
  expect(await refused(`/flags/${flag.id}/end`, {})).toEqual([422, 'Flag.status']);
  const list = await baton.api('GET', `${base}/flags`, { as: rn });
  expect(list.json.items).toHaveLength(1);
});

it('incidents are recorded and resolved', async () => {
  const body = {
    kind: 'fall',
    happened: true,
    description: 'Fell in the bathroom',
    at: at(-5),
    severity: 'mild',
    serious: false,
  };
  const incident = await done('/incidents', body);
  expect(incident).toMatchObject({ ...body, outcome: 'ongoing' });
  expect(await refused('/incidents', { ...body, at: at(5) })).toEqual([422, 'at']);
  const resolve = `/incidents/${incident.id}/resolve`;
  expect(await done(resolve, { outcome: 'resolved' })).toMatchObject({ outcome: 'resolved' });
  expect(await refused(resolve, { outcome: 'fatal' })).toEqual([422, 'AdverseEvent.outcome']);
});

it('an application without a person may plan, but not sign off', async () => {
  const conference = {
    title: 'x',
    start: at(48),
    minutes: 30,
    participants: [{ actor: { reference: 'Practitioner/rn' }, required: true }],
  };
  const as = await baton.token('system/*.cruds');
  expect(await done('/conferences', conference, as)).toMatchObject({ status: 'pending' });
  await done('/education', { topic: 'Salt' }, as);
  await done('/flags', { category: 'clinical', warning: { text: 'x' } }, as);
  await done('/incidents', { kind: 'other', happened: false, description: 'x', at: at(-1) }, as);
  await done('/preferences', { kind: 'care-experience', preference: 'Mornings' }, as);
  await done('/advance-directives', { type: { code: '64298-3' }, url: 'https://example.org/poa.pdf' }, as);
  const { id, lists } = await done('/medication-reconciliations', {}, as);
  expect(lists).toHaveLength(3);
  expect((await refused(`/medication-reconciliations/${id}/sign-off`, {}, as))[0]).toBe(403);
});

it('nothing of another patient is reached through the case', async () => {
  for (const path of [
    'conferences',
    'medication-reconciliations',
    'education',
    'flags',
    'incidents',
    'advance-directives',
  ]) {
    expect((await baton.api('GET', `${base}/${path}/none`, { as: rn })).status).toBe(404);
  }
});
