// What a server cannot take as itself goes there in words: once, up to date, withdrawn when it does not hold any more.
import type { Communication, DocumentReference, Provenance, Resource, ServiceRequest } from '@medplum/fhirtypes';
import { afterEach, expect, test } from 'vitest';
import { createValidator } from '../../src/fhir/validation/validator.ts';
import { jsonOf } from '../../src/sync/body.ts';
import type { Connection } from '../../src/sync/connections/settings.ts';
import { type Link, saveLink } from '../../src/sync/identity.ts';
import { actCode, consent, resourceType } from '../support/consents.ts';
import { EPIC_DOORS, type Knobs, ORACLE_DOORS } from '../support/fake-remote-knobs.ts';
import { testDefinitions } from '../support/store-rules.ts';
import { carePlan, NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
afterEach(() => world.cleanup());

const MRN = { system: 'urn:hospital', value: '4711', type: { text: 'MRN' } };
const { validate } = createValidator(testDefinitions);

const EPIC: Partial<Knobs> = { doors: EPIC_DOORS, conditionalCreate: false, transactions: false, versioning: false };
const ORACLE: Partial<Knobs> = {
  ...{ doors: ORACLE_DOORS, conditionalCreate: false, transactions: false, versioning: true, requireIfMatch: true },
  forgets: ['identifier', 'masterIdentifier', 'relatesTo'],
};
const FLOWS = { Patient: 'pull', CarePlan: 'both', Goal: 'both', Task: 'both', DocumentReference: 'pull' } as const;

async function open(vendor: 'epic' | 'oracle', more: Partial<Connection> = {}, knobs: Partial<Knobs> = {}) {
  const base = vendor === 'epic' ? EPIC : ORACLE;
  world = await openWorld({
    knobs: { ...base, ...knobs },
    connection: { vendor, types: FLOWS, recipient: 'Organization/12', ...more },
  });
  await knowPatient();
}

/** The patient is registered there, and matched by the record number. */
async function knowPatient(): Promise<void> {
  await world.write(patient('p1', { identifier: [MRN] }));
  await isThere('Patient', 'p1', world.remote.put(patient('there', { identifier: [MRN] })));
}

/** As a pull leaves it that has found them to be one. */
async function isThere(type: string, localId: string, there: Resource & { id: string }): Promise<void> {
  const link: Link = {
    ...{ connection: 'ehr', type, localId, remoteId: there.id, remoteVersion: undefined, remoteHash: undefined },
    ...{
      baseVersion: '1',
      baseLocal: undefined,
      baseRemote: jsonOf(there),
      state: 'linked',
      how: 'matched-identifier',
    },
  } as const;
  await world.temp.store.commit(NURSE, [], [saveLink(link, 0)]);
}

const goal = (id: string, fields: object = {}): Resource & { id: string } => ({
  resourceType: 'Goal',
  id,
  lifecycleStatus: 'active',
  description: { text: 'Walk without help' },
  subject: { reference: 'Patient/p1' },
  target: [{ measure: { text: 'Distance' }, detailQuantity: { value: 100, unit: 'm' }, dueDate: '2026-12-24' }],
  ...fields,
});

const PLAN = {
  goal: [{ reference: 'Goal/g1' }],
  activity: [{ reference: { reference: 'Task/t1' } }],
  note: [{ text: 'Lives alone.' }],
};

async function writePlan(fields: object = {}): Promise<void> {
  await world.temp.store.commit(NURSE, [
    { op: 'update', resource: goal('g1') },
    { op: 'update', resource: task('t1') },
    { op: 'update', resource: carePlan('c1', { ...PLAN, ...fields }) },
  ]);
}

const documents = () => world.remote.all('DocumentReference') as (DocumentReference & { id: string })[];
const messages = () => world.remote.all('Communication') as (Communication & { id: string })[];
const textOf = (document: DocumentReference | undefined) =>
  Buffer.from(
    document?.content?.find(({ attachment }) => attachment?.contentType?.startsWith('text/plain'))?.attachment?.data ??
      '',
    'base64',
  ).toString();
const outbox = async () => {
  const rows = await world.temp.store.query(
    'SELECT type, local_id, state, fault FROM outbox ORDER BY at, upto_sequence',
  );
  return Object.fromEntries(
    rows.map(({ type, local_id, state, fault }) => [`${type}/${local_id}`, `${state} ${fault ?? ''}`.trim()]),
  );
};

test('Epic gets a plan as one document with its goals and tasks, and the task as a message', async () => {
  await open('epic');
  await writePlan();
  await world.sync.pushNow();
  const [document, second] = documents();
  expect(second).toBeUndefined();
  expect(document).toMatchObject({
    status: 'current',
    docStatus: 'final',
    type: { coding: [{ system: 'http://loinc.org', code: '18776-5' }] },
    subject: { reference: 'Patient/there' },
    content: [
      { attachment: { contentType: 'text/plain; charset=utf-8' } },
      { attachment: { contentType: 'application/pdf' } },
    ],
  });
  const text = textOf(document);
  for (const part of [
    'Care plan: Transition',
    'Rivera',
    '1950-02-01',
    'MRN 4711',
    'Walk without help',
    'Distance 100 m',
  ])
    expect(text).toContain(part);
  for (const part of ['Due: 2026-12-24', 'Call the patient', 'Lives alone.']) expect(text).toContain(part);
  expect(validate(document)).toEqual([]);
  const [message, another] = messages();
  expect(another).toBeUndefined();
  expect(message).toMatchObject({ status: 'completed', subject: { reference: 'Patient/there' } });
  expect(message?.payload?.[0]?.contentString).toContain('Call the patient');
  expect(validate(message)).toEqual([]);
  expect(await outbox()).toMatchObject({
    'CarePlan/c1': 'sent',
    'Goal/g1': 'superseded in-care-plan',
    'Task/t1': 'sent',
  });
});

test('ten quiet rounds write nothing, and nothing comes back as new', async () => {
  await open('epic');
  await writePlan();
  await world.sync.pushNow();
  const before = world.remote.writes().length;
  for (let round = 0; round < 10; round += 1) {
    await world.sync.pullNow();
    await world.sync.pushNow();
    world.pass({ minutes: 20 });
  }
  expect(world.remote.writes()).toHaveLength(before);
  expect(await world.all('DocumentReference')).toEqual([]);
  expect(await world.all('CarePlan')).toHaveLength(1);
});

test('a write that no reader would see is not sent', async () => {
  await open('epic');
  await writePlan();
  await world.sync.pushNow();
  const before = world.remote.writes().length;
  await writePlan({ instantiatesUri: ['urn:protocol:2'] });
  await world.sync.pushNow();
  expect(world.remote.writes()).toHaveLength(before);
});

test('a changed goal, task or patient changes the one document in place', async () => {
  await open('epic');
  await writePlan();
  await world.sync.pushNow();
  const [first] = documents();
  await world.write(goal('g1', { achievementStatus: { text: 'improving' } }));
  await world.write(task('t1', { status: 'in-progress' }));
  await world.sync.pushNow();
  const [document, second] = documents();
  expect([document?.id, second]).toEqual([first?.id, undefined]);
  expect(textOf(document)).toContain('Achievement: improving');
  expect(textOf(document)).toContain('Status: in progress');
  expect(document?.masterIdentifier?.value).not.toBe(first?.masterIdentifier?.value);
  expect(document?.identifier).toEqual(first?.identifier);
  await world.write(patient('p1', { identifier: [MRN], name: [{ family: 'Rivera', given: ['Ana'] }] }));
  await world.sync.pushNow();
  expect(textOf(documents()[0])).toContain('Ana Rivera');
});

test('many changes at once make one document', async () => {
  await open('epic');
  await writePlan();
  for (let turn = 0; turn < 20; turn += 1) {
    await world.write(goal('g1', { note: [{ text: `Turn ${turn}` }] }));
    await world.write(task('t1', { note: [{ text: `Turn ${turn}` }] }));
  }
  await world.sync.pushNow();
  expect(world.remote.writes().filter((line) => line.includes('DocumentReference'))).toHaveLength(1);
});

test('what others added to the document there stays', async () => {
  await open('epic');
  await writePlan();
  await world.sync.pushNow();
  const [document] = documents();
  const theirs = { system: 'urn:epic:document', value: '88' };
  world.remote.put({
    ...document,
    identifier: [...(document?.identifier ?? []), theirs],
    custodian: { display: 'Ward' },
  } as Resource);
  await writePlan({ title: 'Second title' });
  await world.sync.pushNow();
  expect(documents()[0]).toMatchObject({
    custodian: { display: 'Ward' },
    description: expect.stringMatching(/Second title/),
  });
  expect(documents()[0]?.identifier).toContainEqual(theirs);
});

test('where documents cannot be updated, another one replaces it', async () => {
  const doors = {
    ...EPIC_DOORS,
    DocumentReference: { ...EPIC_DOORS.DocumentReference, interactions: ['read', 'search-type', 'create'] },
  };
  await open('epic', {}, { doors: doors as Knobs['doors'] });
  await writePlan();
  await world.sync.pushNow();
  await writePlan({ title: 'Second' });
  await world.sync.pushNow();
  const [first, second, third] = documents();
  expect(second?.relatesTo).toEqual([{ code: 'replaces', target: { reference: `DocumentReference/${first?.id}` } }]);
  expect(third).toBeUndefined();
  await world.sync.pullNow();
  expect(await world.all('DocumentReference')).toEqual([]);
  await world.temp.store.commit(NURSE, [{ op: 'delete', type: 'CarePlan', id: 'c1' }]);
  await world.sync.pushNow();
  // The goal is in no plan any more, so it has a document of its own.
  expect(documents().map(({ type }) => type?.text)).toEqual([
    'Care plan: Transition',
    'Care plan: Second',
    'Withdrawn: Care plan: Second',
    'Goal: Walk without help',
  ]);
  expect(documents()[2]?.relatesTo?.[0]?.target?.reference).toBe(`DocumentReference/${documents()[1]?.id}`);
});

test('a deleted or mistaken plan takes its document with it; a revoked one says so and is superseded', async () => {
  await open('epic');
  await writePlan();
  await world.sync.pushNow();
  await writePlan({ status: 'revoked' });
  await world.sync.pushNow();
  expect(documents()[0]?.status).toBe('superseded');
  expect(textOf(documents()[0])).toContain('Status: revoked');
  await world.write(carePlan('c2'));
  await world.sync.pushNow();
  await world.write(carePlan('c2', { status: 'entered-in-error' }));
  await world.write(carePlan('c3'));
  await world.sync.pushNow();
  await world.temp.store.commit(NURSE, [{ op: 'delete', type: 'CarePlan', id: 'c3' }]);
  await world.sync.pushNow();
  const before = world.remote.writes().length;
  await world.sync.pushNow();
  expect(world.remote.writes()).toHaveLength(before);
  const plans = documents().filter(({ description }) => description?.startsWith('Care plan'));
  expect(plans.map(({ status }) => status)).toEqual(['superseded', 'entered-in-error', 'entered-in-error']);
});

test('a goal without a plan has a document of its own until a plan carries it', async () => {
  await open('epic');
  await world.write(goal('g1'));
  await world.sync.pushNow();
  expect(documents().map(({ status }) => status)).toEqual(['current']);
  expect(textOf(documents()[0])).toContain('Goal: Walk without help');
  await writePlan();
  await world.sync.pushNow();
  expect(
    documents()
      .map(({ status }) => status)
      .sort(),
  ).toEqual(['current', 'superseded']);
});

test('a message goes to the care team there, and each change is another message in the thread', async () => {
  await open(
    'epic',
    { types: { ...FLOWS, Practitioner: 'pull' } },
    { doors: { ...EPIC_DOORS, Practitioner: EPIC_DOORS.Patient } as Knobs['doors'] },
  );
  const npi = { identifier: [{ system: 'urn:npi', value: '1' }] };
  await world.write({ resourceType: 'Practitioner', id: 'd1', name: [{ family: 'Okafor' }], ...npi });
  const there = { resourceType: 'Practitioner', id: 'doc', name: [{ family: 'Okafor' }], ...npi } as const;
  await isThere('Practitioner', 'd1', world.remote.put(there as unknown as Resource));
  await world.write({
    resourceType: 'CareTeam',
    id: 'team',
    subject: { reference: 'Patient/p1' },
    participant: [{ member: { reference: 'Practitioner/d1' }, role: [{ text: 'Physician' }] }],
  });
  await writePlan({ careTeam: [{ reference: 'CareTeam/team' }] });
  await world.sync.pushNow();
  expect(messages()[0]?.recipient).toEqual([{ reference: 'Practitioner/doc' }]);
  expect(textOf(documents()[0])).toContain('Role: Physician');
  await world.write(task('t1', { status: 'completed' }));
  await world.sync.pushNow();
  expect(messages()[1]?.inResponseTo).toEqual([{ reference: `Communication/${messages()[0]?.id}` }]);
  expect(messages()).toHaveLength(2);
});

test('a task with a code goes as a request where the connection says so, and is updated in place', async () => {
  await open('epic', { projections: { Task: 'ServiceRequest' } });
  await world.write(
    task('t1', { code: { text: 'Home visit' }, restriction: { period: { end: '2026-12-01T12:00:00Z' } } }),
  );
  await world.sync.pushNow();
  const requests = () => world.remote.all('ServiceRequest') as ServiceRequest[];
  expect(requests()[0]).toMatchObject({
    status: 'active',
    intent: 'order',
    code: { text: 'Home visit' },
    occurrencePeriod: { end: '2026-12-01T12:00:00Z' },
  });
  expect(validate(requests()[0])).toEqual([]);
  await world.write(task('t1', { code: { text: 'Home visit' }, status: 'completed' }));
  await world.sync.pushNow();
  expect(requests().map(({ status }) => status)).toEqual(['completed']);
  await world.write(task('t2'));
  await world.sync.pushNow();
  expect(messages()).toHaveLength(1);
});

test('Oracle Health gets one PDF under If-Match; without identifiers there it is still one', async () => {
  await open('oracle');
  await writePlan();
  await world.sync.pushNow();
  await writePlan({ title: 'Second title' });
  await world.sync.pushNow();
  await world.sync.pullNow();
  const [document, second] = documents();
  expect(second).toBeUndefined();
  expect(document?.content?.map(({ attachment }) => attachment?.contentType)).toEqual(['application/pdf']);
  expect(document?.description).toContain('Second title');
  expect(await world.all('DocumentReference')).toEqual([]);
});

test.each(['epic', 'oracle'] as const)(
  'a create whose answer is lost is found and not repeated: %s',
  async (vendor) => {
    await open(vendor, { types: { ...FLOWS, Task: 'pull' } });
    await world.write(carePlan('c1'));
    world.remote.knobs.dropWrite = 'after';
    await world.sync.pushNow();
    // While nobody knows, it changes here, and it comes by on a pull.
    await world.write(carePlan('c1', { title: 'Second title' }));
    await world.sync.pullNow();
    for (let round = 0; round < 3; round += 1) {
      world.pass({ minutes: 20 });
      await world.sync.pushNow();
    }
    expect(documents().map(({ description }) => description)).toEqual([expect.stringContaining('Second title')]);
    expect(world.remote.writes().filter((line) => line.startsWith('POST'))).toHaveLength(1);
    expect(await world.all('DocumentReference')).toEqual([]);
  },
);

test('a create that never arrived is sent once it was looked for twice', async () => {
  await open('epic', { types: { ...FLOWS, Task: 'pull' } });
  await world.write(carePlan('c1'));
  world.remote.knobs.dropWrite = 'before';
  await world.sync.pushNow();
  expect(documents()).toHaveLength(0);
  for (let round = 0; round < 3; round += 1) {
    world.pass({ minutes: 20 });
    await world.sync.pushNow();
  }
  expect(documents()).toHaveLength(1);
});

test('the version here and the document there are linked', async () => {
  await open('epic');
  await writePlan();
  await world.sync.pushNow();
  const [document] = documents();
  const [link] = await world.temp.store.query(
    "SELECT type, local_id, remote_id, base_version FROM identity WHERE how = 'projected' AND type = 'DocumentReference'",
  );
  expect(link).toEqual({
    type: 'DocumentReference',
    local_id: 'CarePlan/c1',
    remote_id: document?.id,
    base_version: '1',
  });
  const [provenance] = (await world.temp.store.find('Provenance?target=CarePlan/c1')).map(
    ({ content }) => JSON.parse(content) as Provenance,
  );
  expect(provenance?.target).toEqual([{ reference: 'CarePlan/c1/_history/1' }]);
  expect(provenance?.entity?.[0]?.what?.reference).toContain(`/DocumentReference/${document?.id}`);
});

test('a patient who is not known there is waited for, and goes on when a pull finds them', async () => {
  const registered = { interactions: ['read', 'search-type'], search: ['_lastUpdated', 'identifier'] };
  const doors = { ...EPIC_DOORS, Patient: registered };
  // A roster is of who is linked, unless it is said where new ones come from.
  const patients = { kind: 'query', query: `identifier=${MRN.system}|${MRN.value}` } as const;
  world = await openWorld({ knobs: { ...EPIC, doors }, connection: { vendor: 'epic', types: FLOWS, patients } });
  await world.write(patient('p1', { identifier: [MRN] }));
  await world.write(carePlan('c1'));
  await world.sync.pushNow();
  expect(await outbox()).toMatchObject({ 'CarePlan/c1': 'queued The patient is not known there.' });
  world.remote.put(patient('there', { identifier: [MRN] }));
  await world.sync.pullNow();
  await world.sync.pushNow();
  expect(documents()).toHaveLength(1);
});

test('what a consent keeps from the other side is not in the document, not even its display, and the document says so', async () => {
  await open('epic');
  await world.write(
    consent('OPTIN', {
      type: 'deny',
      data: [{ meaning: 'instance', reference: { reference: 'Task/t1' } }],
    }) as Resource & { id: string },
  );
  await writePlan({ activity: [{ reference: { reference: 'Task/t1', display: 'Call the patient' } }] });
  await world.sync.pushNow();
  expect(textOf(documents()[0])).not.toContain('Call the patient');
  expect(textOf(documents()[0])).toContain('may not contain the whole plan');
  await world.temp.store.commit(NURSE, [{ op: 'delete', type: 'Consent', id: 'c1' }]);
  await world.sync.pushNow();
  expect(textOf(documents()[0])).toContain('Call the patient');
  expect(textOf(documents()[0])).not.toContain('may not contain the whole plan');
  expect(documents()).toHaveLength(1);
});

test('labels travel with the document; a withheld patient withholds the whole', async () => {
  await open('epic');
  await writePlan({ meta: { security: [actCode('PSY')] } });
  await world.sync.pushNow();
  expect(documents()[0]?.securityLabel).toMatchObject([{ coding: [{ code: 'PSY' }] }]);
  await world.write(consent('OPTIN', { type: 'deny', class: [resourceType('Patient')] }) as Resource & { id: string });
  await writePlan({ title: 'Second title' });
  await world.sync.pushNow();
  expect(textOf(documents()[0])).not.toContain('Second title');
  expect((await outbox())['CarePlan/c1']).toMatch(/^withheld/);
});

test('a server without any door is counted, not parked', async () => {
  const { DocumentReference: _d, Communication: _c, ...doors } = EPIC_DOORS;
  await open('epic', {}, { doors });
  await writePlan();
  await world.sync.pushNow();
  expect(await outbox()).toMatchObject({
    'CarePlan/c1': 'superseded no-capability',
    'Task/t1': 'superseded no-capability',
  });
});

test('where tasks go into the document, they have none of their own and bring it up to date', async () => {
  await open('epic', { projections: { Task: 'DocumentReference' } });
  await writePlan();
  await world.sync.pushNow();
  await world.write(task('t1', { status: 'completed' }));
  await world.sync.pushNow();
  expect([documents(), messages()].map((all) => all.length)).toEqual([1, 0]);
  expect(textOf(documents()[0])).toContain('Status: completed');
  expect((await outbox())['Task/t1']).toBe('superseded in-care-plan');
});

test('a document that was removed there is made anew by the next change, not before', async () => {
  await open('epic', { types: { ...FLOWS, Task: 'pull' } });
  await writePlan();
  await world.sync.pushNow();
  const [first] = documents();
  world.remote.remove('DocumentReference', first?.id ?? '');
  await world.sync.pushNow();
  expect(documents()).toEqual([]);
  await writePlan({ title: 'Second title' });
  await world.sync.pushNow();
  expect(documents().map(({ type }) => type?.text)).toEqual(['Care plan: Second title']);
});

test('a request whose task lost its code is revoked, and told in words', async () => {
  await open('epic', { projections: { Task: 'ServiceRequest' } });
  await world.write(task('t1', { code: { text: 'Home visit' } }));
  await world.sync.pushNow();
  await world.write(task('t1'));
  await world.sync.pushNow();
  expect((world.remote.all('ServiceRequest') as ServiceRequest[]).map(({ status }) => status)).toEqual(['revoked']);
  expect(messages()).toHaveLength(1);
});

test('the encounter of the plan is in the document where it is known there', async () => {
  await open('epic');
  const stay = { resourceType: 'Encounter', id: 'e1', status: 'finished', class: { code: 'IMP' } } as const;
  await world.write({ ...stay, subject: { reference: 'Patient/p1' } } as Resource & { id: string });
  await isThere('Encounter', 'e1', { ...stay, id: 'stay' } as Resource & { id: string });
  await writePlan({ encounter: { reference: 'Encounter/e1' } });
  await world.sync.pushNow();
  expect(documents()[0]?.context?.encounter).toEqual([{ reference: 'Encounter/stay' }]);
});

test('a dry run shows what would be sent and sends nothing', async () => {
  await open('epic', { mode: 'dry-run' });
  await writePlan();
  await world.sync.pushNow();
  const rows = await world.temp.store.query("SELECT local_id, outcome, response FROM message WHERE type = 'CarePlan'");
  expect(rows).toMatchObject([{ local_id: 'c1', outcome: 'would-project' }]);
  expect(JSON.parse(String(rows[0]?.response))).toMatchObject({ resourceType: 'DocumentReference', status: 'current' });
  expect(documents()).toEqual([]);
});

test('a consent that ends by itself brings back what it kept out', async () => {
  await open('epic');
  const end = Temporal.Now.instant().add({ hours: 48 }).toString().slice(0, 10);
  const provision = {
    type: 'deny' as const,
    data: [{ meaning: 'instance' as const, reference: { reference: 'Goal/g1' } }],
  };
  await world.write(consent('OPTIN', { ...provision, period: { end } }) as Resource & { id: string });
  await writePlan();
  await world.sync.pushNow();
  expect(textOf(documents()[0])).not.toContain('Walk without help');
  world.pass({ hours: 100 });
  await world.sync.pushNow();
  expect(textOf(documents()[0])).toContain('Walk without help');
});

test('a message about a task that was a mistake is taken back in the thread', async () => {
  await open('epic');
  await world.write(task('t1'));
  await world.sync.pushNow();
  await world.temp.store.commit(NURSE, [{ op: 'delete', type: 'Task', id: 't1' }]);
  await world.sync.pushNow();
  await world.sync.pushNow();
  const [first, notice, third] = messages();
  expect(third).toBeUndefined();
  expect(notice?.inResponseTo).toEqual([{ reference: `Communication/${first?.id}` }]);
  expect(notice?.payload?.[0]?.contentString).toContain('Withdrawn: Task: Call the patient');
  expect(validate(notice)).toEqual([]);
});

test('our documents are known on a server that they reached by another way; others come in', async () => {
  await open('epic');
  await writePlan();
  await world.sync.pushNow();
  world.remote.put({ ...documents()[0], id: 'copy' } as Resource);
  const foreign = {
    status: 'current',
    content: [{ attachment: { contentType: 'text/plain', data: 'aGk=' } }],
  } as const;
  const subject = { reference: 'Patient/there' };
  world.remote.put({ resourceType: 'DocumentReference', id: 'foreign', subject, ...foreign } as unknown as Resource);
  await world.sync.pullNow();
  expect(await world.all<DocumentReference>('DocumentReference')).toMatchObject([foreign]);
});

test('a type that is only pulled is never projected', async () => {
  await open('epic', { types: { ...FLOWS, CarePlan: 'pull', Task: 'pull' } });
  await writePlan();
  await world.sync.pushNow();
  expect(documents().map(({ type }) => type?.text)).toEqual(['Goal: Walk without help']);
});

test('a plan may go as a message where the connection says so', async () => {
  await open('epic', { types: { CarePlan: 'push' }, projections: { CarePlan: 'Communication' } });
  await writePlan();
  await world.sync.pushNow();
  expect(documents()).toEqual([]);
  expect(messages().map(({ payload }) => payload?.[0]?.contentString)).toEqual([
    expect.stringContaining('Lives alone.'),
  ]);
});

test.each([
  ['a plan while its type', ['CarePlan']],
  ['a plan while that of its goals', ['Goal']],
  ['a plan while neither type', ['CarePlan', 'Goal']],
])('what changed of %s did not flow out is in the document once it does again', async (_, types) => {
  await open('epic');
  await writePlan();
  await world.sync.pushNow();
  const others = Object.fromEntries(Object.entries(FLOWS).filter(([type]) => !types.includes(type)));
  const restartWith = (types: Connection['types']) =>
    world.restart(() => ({ connections: [{ ...world.connection, types }] }));
  await restartWith(others);
  await world.write(goal('g1', { description: { text: 'Climb the stairs' } }));
  await world.sync.pushNow();
  await restartWith(FLOWS);
  await world.sync.pushNow();
  const plans = documents().filter((one) => one.status === 'current' && textOf(one).includes('Care plan: Transition'));
  expect(plans.map((one) => textOf(one).includes('Climb the stairs'))).toEqual([true]);
  const writes = world.remote.writes().length;
  await world.sync.pushNow();
  expect(world.remote.writes()).toHaveLength(writes);
});
