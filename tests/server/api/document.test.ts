// Plans as exchanged between servers: out as a document, in as a document, and in words for the patient.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchangeRulesOf } from '../../../src/server/exchange-rules.ts';
import { readPolicies } from '../../../src/sync/conflicts/policies.ts';
import { readMatchRules } from '../../../src/sync/patients/match-rules.ts';
import type { Json } from '../serve.ts';
import { type ApiServer, serveApi } from './api-client.ts';

const PROFILES = join(import.meta.dirname, '../../../profiles');
const exchangeRules = exchangeRulesOf(
  readPolicies(join(PROFILES, 'policies')),
  readMatchRules(join(PROFILES, 'matching')),
);

const FHIR_JSON = { accept: 'application/fhir+json' };
const MRN = { system: 'urn:mrn', value: '4711' };
const PATIENT = { resourceType: 'Patient', identifier: [MRN], birthDate: '1950-05-01', gender: 'female' } as const;
const ANN = {
  ...PATIENT,
  id: 'ann',
  name: [{ family: '<script>alert(1)</script>', given: ['Ann "&\''] }],
  communication: [{ language: { text: 'Spanish' }, preferred: true }],
} as const;
const subject = { reference: 'Patient/ann' };

let here: ApiServer;
let there: ApiServer;
let caseId: string;
let theirCase: string;

beforeAll(async () => {
  [here, there] = [
    await serveApi({ exchangeRules }),
    await serveApi({ exchangeRules, baseUrl: () => 'https://there.example' }),
  ];
  await here.put(
    ANN,
    { resourceType: 'Patient', id: 'bob', name: [{ family: 'Other' }] },
    { resourceType: 'Practitioner', id: 'nurse', name: [{ family: 'Nightingale' }] },
    { resourceType: 'Organization', id: 'org', name: 'Clinic' },
    {
      resourceType: 'Condition',
      id: 'chf',
      subject,
      code: { text: 'Heart failure' },
      clinicalStatus: coded('http://terminology.hl7.org/CodeSystem/condition-clinical', 'active'),
    },
    { resourceType: 'Goal', id: 'weigh', subject, lifecycleStatus: 'active', description: { text: 'Weigh daily' } },
    { resourceType: 'Goal', id: 'walk', subject, lifecycleStatus: 'active', description: { text: 'Walk' } },
    {
      resourceType: 'Observation',
      id: 'weight',
      status: 'final',
      subject,
      category: [coded('http://terminology.hl7.org/CodeSystem/observation-category', 'vital-signs')],
      code: { text: 'Weight' },
      valueQuantity: { value: 70.5, unit: 'kg' },
    },
  );
  const opened = await here.api('POST', '/cases', {
    body: {
      patient: subject,
      careManager: { reference: 'Practitioner/nurse' },
      organization: { reference: 'Organization/org' },
      diagnoses: [{ reference: 'Condition/chf' }],
    },
  });
  caseId = String(opened.json.id);
  const plan = await planOf(here, caseId);
  await here.put({
    resourceType: 'Task',
    id: 'call',
    status: 'requested',
    intent: 'order',
    description: 'Call about weight',
    for: subject,
    owner: { reference: 'Practitioner/nurse' },
    basedOn: [{ reference: `CarePlan/${plan.id}` }],
  });
  await here.put({
    ...plan,
    id: String(plan.id),
    resourceType: 'CarePlan',
    goal: [{ reference: 'Goal/weigh' }, { reference: 'Goal/walk' }],
    activity: [{ reference: { reference: 'Task/call' } }],
  });
  await there.put({ ...PATIENT, id: 'a1', name: [{ family: 'Anything', given: ['Ann'] }] });
  const theirs = await there.api('POST', '/cases', { body: { patient: { reference: 'Patient/a1' } } });
  theirCase = String(theirs.json.id);
});
afterAll(() => Promise.all([here.close(), there.close()]));

function coded(system: string, code: string) {
  return { coding: [{ system, code }] };
}

async function planOf(server: ApiServer, of: string): Promise<Json & { goal?: unknown[]; activity?: unknown[] }> {
  const found = await server.fhir('GET', `/CarePlan?identifier=${encodeURIComponent(`urn:baton:case-plan|${of}`)}`);
  return (found.json.entry?.[0]?.resource ?? {}) as Json;
}

type Resource = Json & Record<string, unknown>;
interface Document extends Json {
  identifier: { system: string; value: string };
  entry: { fullUrl: string; resource: Resource }[];
}

async function exported(server: ApiServer, of: string, as?: string): Promise<Document> {
  const answer = await server.api('GET', `/cases/${of}/document`, { headers: FHIR_JSON, ...(as ? { as } : {}) });
  expect(answer.status, answer.text).toBe(200);
  return answer.json as Document;
}

/** The same document as if it had been edited elsewhere, as a new one. */
function edited(document: Document, edit: (resource: Resource) => void): Document {
  const copy = structuredClone(document);
  for (const { resource } of copy.entry) edit(resource);
  return { ...copy, identifier: { ...copy.identifier, value: `urn:uuid:${randomUUID()}` } };
}

const bring = (server: ApiServer, to: string, document: object, decisions?: object[]) =>
  server.api('POST', `/cases/${to}/documents`, { body: { document, ...(decisions ? { decisions } : {}) } });

const sectionsOf = (document: Document) =>
  document.entry[0]?.resource.section as {
    title: string;
    text: { div: string };
    emptyReason?: { coding: { code: string }[] };
    entry?: { reference: string }[];
  }[];

describe('a plan as a document', () => {
  it('is valid, has its fifteen sections, and everything that they lead to once', async () => {
    const document = await exported(here, caseId);
    const checked = await here.fhir('POST', '/Bundle/$validate', { body: document });
    expect(checked.json.issue?.filter((issue) => (issue as { severity?: string }).severity === 'error')).toEqual([]);
    const sections = sectionsOf(document);
    expect(sections).toHaveLength(15);
    expect(sections.every(({ text, entry, emptyReason }) => text.div && (entry ? !emptyReason : emptyReason))).toBe(
      true,
    );
    const urls = document.entry.map(({ fullUrl }) => fullUrl);
    expect(new Set(urls).size).toBe(urls.length);
    for (const { reference } of sections.flatMap(({ entry = [] }) => entry)) expect(urls).toContain(reference);
    const text = JSON.stringify(document.entry);
    for (const [, reference] of text.matchAll(/"reference":"([A-Z]\w+\/[\w.-]+)"/g)) {
      expect(urls).toContain(`http://127.0.0.1:8080/fhir/R4/${reference}`);
    }
    const composition = document.entry[0]?.resource;
    expect(composition).toMatchObject({
      type: { coding: [{ code: '18761-7' }] },
      custodian: { reference: expect.stringContaining('Organization/org') },
    });
  });

  it('is the same as the operation answers, which the server declares', async () => {
    const plan = await planOf(here, caseId);
    const answer = await here.fhir('GET', `/CarePlan/${plan.id}/$export-document`);
    expect(answer.status, answer.text).toBe(200);
    expect((answer.json as Document).identifier).toEqual((await exported(here, caseId)).identifier);
    const { rest } = (await here.fhir('GET', '/metadata')).json as { rest: { resource: Record<string, unknown>[] }[] };
    const declared = rest[0]?.resource.find(({ type }) => type === 'CarePlan')?.operation as { name: string }[];
    expect(declared.map(({ name }) => name)).toContain('export-document');
  });

  it('says what its reader may not read', async () => {
    const as = await here.token('system/EpisodeOfCare.rs system/CarePlan.rs system/Patient.rs system/Goal.rs');
    const document = await exported(here, caseId, as);
    const types = new Set(document.entry.map(({ resource }) => resource.resourceType));
    expect([...types].sort()).toEqual(['CarePlan', 'Composition', 'EpisodeOfCare', 'Goal', 'Patient']);
    const vitals = sectionsOf(document).find(({ title }) => title === 'Vital signs');
    expect(vitals?.emptyReason?.coding[0]?.code).toBe('withheld');
    const view = (await here.api('GET', `/cases/${caseId}/document`, { as })).json;
    expect(view).toMatchObject({ isComplete: false, withheld: expect.arrayContaining(['Vital signs', 'Problems']) });
  });

  it('reads as a page that nobody can inject anything into', async () => {
    const page = await here.api('GET', `/cases/${caseId}/document`, { headers: { accept: 'text/html' } });
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(page.text).toContain('<html lang="en-US">');
    expect(page.text).not.toMatch(/<script|<style|javascript:|<a /i);
    expect(page.text).toContain('&lt;script&gt;');
    expect(page.text).toContain('<th scope="col">');
    expect(page.text).toContain('<td>Spanish</td>');
    expect(page.text).toContain('Your goals');
  });

  it('opens as PDF', async () => {
    const { server } = here;
    const answer = await server.inject({
      url: `/api/v1/cases/${caseId}/document`,
      headers: { accept: 'application/pdf', authorization: `Bearer ${await here.token('system/*.rs')}` },
    });
    expect(answer.headers['content-type']).toBe('application/pdf');
    expect(answer.rawPayload.subarray(0, 5).toString()).toBe('%PDF-');
    expect(answer.rawPayload.subarray(-6).toString()).toContain('%%EOF');
  });
});

describe('a document from elsewhere', () => {
  let document: Document;

  it('makes the same plan on another server', async () => {
    document = await exported(here, caseId);
    const answer = await bring(there, theirCase, document);
    expect(answer.status, answer.text).toBe(201);
    const plan = await planOf(there, theirCase);
    expect([plan.goal?.length, plan.activity?.length]).toEqual([2, 1]);
    const again = await exported(there, theirCase);
    const told = ({ entry }: Document, type: string, element: string) =>
      entry.flatMap(({ resource }) => (resource.resourceType === type ? JSON.stringify(resource[element]) : [])).sort();
    for (const [type, element] of [
      ['Goal', 'description'],
      ['Task', 'description'],
      ['Condition', 'code'],
      ['Observation', 'valueQuantity'],
      ['Practitioner', 'name'],
    ] as const) {
      expect(told(again, type, element), type).toEqual(told(document, type, element));
    }
    expect(JSON.stringify(again.entry.map(({ resource }) => resource))).not.toContain('127.0.0.1:8080/fhir');
    const view = answer.json as { custodian: object; resources: { reference: string }[]; leftOut: unknown[] };
    expect(view.custodian).toMatchObject({ reference: expect.stringMatching(/^Organization\//) });
    expect(view.resources.length).toBe(document.entry.length - 1);
    expect((await there.api('GET', `/cases/${theirCase}/documents`)).json.items).toHaveLength(1);
    const from = await there.fhir('GET', `/Provenance?target=${view.resources[0]?.reference}`);
    expect(from.status).toBe(200);
  });

  it('writes nothing when it comes again', async () => {
    const before = await there.temp.store.head();
    const answer = await bring(there, theirCase, document);
    expect(answer.status, answer.text).toBe(200);
    expect(await there.temp.store.head()).toBe(before);
    const renamed = { ...edited(document, () => undefined), identifier: document.identifier, language: 'en' };
    expect((await bring(there, theirCase, renamed)).status).toBe(409);
  });

  it('is merged where both sides changed, and asks where no policy decides', async () => {
    const back = await exported(there, theirCase);
    const changed = edited(back, (resource) => {
      const text = (resource.description as { text?: string } | undefined)?.text;
      // Baton saw none of the steps between, and a person brings what others did.
      if (resource.resourceType === 'Task') resource.status = 'completed';
      if (resource.resourceType !== 'Goal') return;
      resource.note = [{ text: 'Seen elsewhere' }];
      if (text === 'Walk') Object.assign(resource, { lifecycleStatus: 'on-hold', statusReason: 'Snow' });
    });
    const walk = (await here.fhir('GET', '/Goal/walk')).json;
    await here.put({ ...walk, resourceType: 'Goal', id: 'walk', lifecycleStatus: 'completed' });
    const head = await here.temp.store.head();
    const asked = await bring(here, caseId, changed);
    expect(asked.status, asked.text).toBe(409);
    expect(await here.temp.store.head()).toBe(head);
    const { differences } = asked.json as { differences: { item: string; places: object[] }[] };
    expect(differences).toMatchObject([
      {
        item: 'Goal/walk#lifecycleStatus',
        places: [{ base: 'active', ours: 'completed', theirs: 'on-hold' }],
      },
    ]);
    const stray = await bring(here, caseId, changed, [{ item: 'Goal/walk#note', take: 'ours' }]);
    expect([stray.status, stray.json.outcome]).toMatchObject([422, { issue: [{ expression: ['decisions[0].item'] }] }]);
    const done = await bring(here, caseId, changed, [{ item: 'Goal/walk#lifecycleStatus', take: 'ours' }]);
    expect(done.status, done.text).toBe(201);
    const [weigh, after] = [(await here.fhir('GET', '/Goal/weigh')).json, (await here.fhir('GET', '/Goal/walk')).json];
    expect(weigh).toMatchObject({ lifecycleStatus: 'active', note: [{ text: 'Seen elsewhere' }] });
    expect(after).toMatchObject({ lifecycleStatus: 'completed', statusReason: 'Snow' });
    expect((await here.fhir('GET', '/Task/call')).json.status).toBe('completed');
    const goals = await here.fhir('GET', '/Goal?patient=Patient/ann&_summary=count');
    expect(goals.json.total).toBe(2);
  });

  it('goes to and fro until nothing is left to change', async () => {
    const contentOf = async (server: ApiServer, patient: string) => {
      const types = ['CarePlan', 'Goal', 'Task', 'Condition', 'Observation', 'CareTeam'];
      const found = await Promise.all(types.map((type) => server.fhir('GET', `/${type}?patient=Patient/${patient}`)));
      return found.flatMap(({ json }) =>
        (json.entry ?? []).map(({ resource }) => `${resource?.id} ${resource?.meta?.versionId}`),
      );
    };
    const exchange = async (from: ApiServer, of: string, to: ApiServer, into: string) => {
      const answer = await bring(to, into, await exported(from, of));
      expect([200, 201], answer.text).toContain(answer.status);
    };
    for (let round = 0; round < 2; round++) {
      await exchange(here, caseId, there, theirCase);
      await exchange(there, theirCase, here, caseId);
    }
    const before = [await contentOf(here, 'ann'), await contentOf(there, 'a1')];
    await exchange(here, caseId, there, theirCase);
    await exchange(there, theirCase, here, caseId);
    expect([await contentOf(here, 'ann'), await contentOf(there, 'a1')]).toEqual(before);
    const [ours, theirs] = [await planOf(here, caseId), await planOf(there, theirCase)];
    expect([ours.goal?.length, theirs.goal?.length]).toEqual([2, 2]);
  });
});

describe('refused, with the entry named, and nothing written', () => {
  const refusal = async (document: object) => {
    const before = await here.temp.store.head();
    const { status, json } = await bring(here, caseId, document);
    expect(await here.temp.store.head()).toBe(before);
    return [status, (json.outcome as Json).issue?.[0]?.expression?.[0]];
  };
  const indexOf = (document: Document, type: string) =>
    document.entry.findIndex(({ resource }) => resource.resourceType === type);

  it('another patient', async () => {
    const document = edited(await exported(there, theirCase), (resource) => {
      if (resource.resourceType !== 'Patient') return;
      Object.assign(resource, { identifier: [{ system: 'urn:mrn', value: '1' }], birthDate: '1990-01-01' });
    });
    const place = `Bundle.entry[${indexOf(document, 'Patient')}].resource`;
    expect(await refusal(document)).toEqual([422, place]);
  });

  it('a resource about another patient', async () => {
    const document = edited(await exported(here, caseId), (resource) => {
      if (resource.resourceType === 'Condition') resource.subject = { reference: 'Patient/bob' };
    });
    const place = `Bundle.entry[${indexOf(document, 'Condition')}].resource.subject`;
    expect(await refusal(document)).toEqual([422, place]);
  });

  it.each([
    ['an unknown type', { resourceType: 'Wish' }],
    ['what is no part of a record', { resourceType: 'StructureDefinition' }],
  ])('%s', async (_, resource) => {
    const document = edited(await exported(here, caseId), () => undefined);
    document.entry.push({ fullUrl: 'urn:uuid:8d1a3e0f-5c8e-4c0e-9a53-0c2c8a6c2a11', resource });
    expect(await refusal(document)).toEqual([422, `Bundle.entry[${document.entry.length - 1}].resource`]);
  });

  it('an invalid resource', async () => {
    const document = edited(await exported(here, caseId), (resource) => {
      if (resource.resourceType === 'Goal') resource.lifecycleStatus = 'maybe';
    });
    const place = `Bundle.entry[${indexOf(document, 'Goal')}].resource.lifecycleStatus`;
    expect(await refusal(document)).toEqual([422, place]);
  });

  it('too much at once, and what is no document', async () => {
    const document = edited(await exported(here, caseId), () => undefined);
    const entry = Array.from({ length: 2_001 }, () => ({ resource: { resourceType: 'Goal' } }));
    expect(await refusal({ ...document, entry })).toEqual([413, 'Bundle.entry']);
    expect(await refusal({ ...document, type: 'collection' })).toEqual([422, 'Bundle.type']);
  });
});

it('a document carries the security labels of what is in it, and is kept under them', async () => {
  const label = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' };
  const labelled = edited(await exported(here, caseId), ({ meta, resourceType }) => {
    if (resourceType === 'Observation') Object.assign(meta ?? {}, { security: [label] });
  });
  const { id } = (await bring(here, caseId, labelled)).json;
  expect((await here.fhir('GET', `/DocumentReference/${id}`)).json.meta).toMatchObject({ security: [label] });
  expect((await exported(here, caseId)).meta).toMatchObject({ security: [label] });
});

it('a plan that came into one case does not go into another', async () => {
  const other = await there.api('POST', '/cases', {
    body: { patient: { reference: 'Patient/a1' }, programme: { text: 'Another' } },
  });
  const answer = await bring(
    there,
    String(other.json.id),
    edited(await exported(here, caseId), () => undefined),
  );
  expect([answer.status, answer.json.detail]).toEqual([409, expect.stringContaining(`EpisodeOfCare/${theirCase}`)]);
});

describe('a case manager, who may not write the directory', () => {
  const urn = (digit: string) => `urn:uuid:00000000-0000-4000-8000-00000000000${digit}`;
  const [first, patient, doctor, plan, goal] = ['1', '2', '3', '4', '5'].map(urn) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const xhtml = (text: string) => ({
    status: 'generated',
    div: `<div xmlns="http://www.w3.org/1999/xhtml">${text}</div>`,
  });
  const foreign = {
    resourceType: 'Bundle',
    type: 'document',
    identifier: { system: 'urn:ietf:rfc:3986', value: urn('9') },
    timestamp: '2026-11-28T12:00:00Z',
    entry: [
      {
        fullUrl: first,
        resource: {
          resourceType: 'Composition',
          status: 'final',
          type: { text: 'Plan' },
          subject: { reference: patient },
          date: '2026-11-28',
          author: [{ reference: doctor }],
          title: 'Plan',
          custodian: { display: 'Elsewhere' },
          section: [{ title: 'Plan', text: xhtml('Plan'), entry: [{ reference: plan }] }],
        },
      },
      {
        fullUrl: patient,
        resource: {
          resourceType: 'Patient',
          identifier: [{ system: 'urn:mrn', value: '0815' }],
          birthDate: '1960-01-01',
        },
      },
      { fullUrl: doctor, resource: { resourceType: 'Practitioner', name: [{ family: 'Who' }] } },
      {
        fullUrl: plan,
        resource: {
          resourceType: 'CarePlan',
          status: 'active',
          intent: 'plan',
          subject: { reference: patient },
          goal: [{ reference: goal }],
        },
      },
      {
        fullUrl: goal,
        resource: {
          resourceType: 'Goal',
          lifecycleStatus: 'active',
          subject: { reference: patient },
          description: { text: 'Eat' },
          expressedBy: { reference: doctor, display: 'Dr. Who' },
        },
      },
    ],
  };

  it('brings in a document of another system; who is not known here stays a name', async () => {
    await here.put(
      {
        ...{ resourceType: 'Patient', id: 'cid', name: [{ family: 'Cid' }] },
        ...{ identifier: [{ system: 'urn:mrn', value: '0815' }], birthDate: '1960-01-01' },
      },
      {
        ...{ resourceType: 'PractitionerRole', id: 'role', practitioner: { reference: 'Practitioner/nurse' } },
        ...{ active: true, code: [coded('https://baton.health/fhir/CodeSystem/care-role', 'case-manager')] },
      },
    );
    const careManager = { reference: 'Practitioner/nurse' };
    const opened = await here.api('POST', '/cases', { body: { patient: { reference: 'Patient/cid' }, careManager } });
    const id = String(opened.json.id);
    const as = await here.tokenOf('Practitioner/nurse', 'user/*.cruds');
    const answer = await here.api('POST', `/cases/${id}/documents`, { as, body: { document: foreign } });
    expect(answer.status, answer.text).toBe(201);
    expect(answer.json).toMatchObject({ custodian: { display: 'Elsewhere' }, leftOut: [{ type: 'Practitioner' }] });
    const mine = await planOf(here, id);
    const [{ reference } = { reference: '' }] = (mine.goal ?? []) as { reference: string }[];
    const brought = (await here.fhir('GET', `/${reference}`, { as })).json;
    expect(brought.expressedBy).toEqual({
      identifier: { system: 'urn:ietf:rfc:3986', value: doctor },
      display: 'Dr. Who',
    });
    const page = await here.api('GET', `/cases/${id}/document`, { as, headers: { accept: 'text/html' } });
    expect([page.status, page.text]).toEqual([200, expect.stringContaining('Eat')]);
  });
});
