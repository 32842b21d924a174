// The audit trail as AuditEvents: what is read, searched and refused, by whom, and that all of it is valid R4.
import type { AuditEvent } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Actor } from '../../src/store/store.ts';
import { testValidate } from '../support/store-rules.ts';
import { FHIR, type RequestExtras, serve, type TestServer } from './serve.ts';

const NURSE: Actor = {
  reference: 'Practitioner/nina',
  kind: 'user',
  client: 'ward-app',
  address: '10.1.2.3',
  purposes: ['TREAT'],
  requestId: 'nurse-1',
};

let baton: TestServer;

beforeAll(async () => {
  baton = await serve();
  await put('Patient', 'own', {});
  await put('Patient', 'other', {});
  await put('Task', 't-own', task('own'));
  await put('Task', 't-other', task('other'));
  await baton.fhir('GET', '/Task/t-own', { headers: { 'x-request-id': 'read-1' } });
  await baton.fhir('GET', '/Task?patient=own&status=requested');
  await baton.fhir('GET', '/Task?patient=Patient/own,Patient/other');
  await baton.fhir('GET', '/Patient/own/Task');
  await baton.fhir('GET', '/Patient/own/$everything');
  await baton.fhir('GET', '/Task/none');
  await baton.fhir('GET', '/Task/t-other', { as: await baton.token('system/Goal.r') });
  await baton.fhir('GET', '/Nonsense/x%20y');
  await baton.fhir('DELETE', '/Task/t-other');
  await baton.send('POST', '/oauth/token', { as: '', body: 'grant_type=client_credentials', headers: FORM });
  await baton.temp.store.commit(NURSE, [
    { op: 'update', resource: { resourceType: 'Goal', id: 'g', ...GOAL } as never },
  ]);
  baton.temp.store.audit({ actor: { ...NURSE, emergency: 'btg-7', purposes: [] }, ...READ, id: 't-own' });
  baton.temp.store.audit({
    actor: { reference: 'Device/baton-sync', kind: 'connection', origin: 'epic', address: 'https://epic.test/fhir' },
    ...{ interaction: 'sync-read', action: 'R', status: 0, type: 'Task', id: 't-own' },
  });
  baton.temp.store.audit({ actor: NURSE, interaction: 'export', action: 'R', status: 200, query: 'backup' });
  await baton.audited();
});

afterAll(() => baton.close());

const READ = { interaction: 'read', action: 'R', status: 200, type: 'Task' } as const;
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const GOAL = {
  lifecycleStatus: 'active',
  description: { text: 'Walk' },
  subject: { reference: 'Patient/own' },
} as const;
const task = (patient: string) => ({ status: 'requested', intent: 'order', for: { reference: `Patient/${patient}` } });
const put = (type: string, id: string, more: object) =>
  baton.fhir('PUT', `/${type}/${id}`, { body: { resourceType: type, id, ...more } });

async function events(query: string, more?: RequestExtras): Promise<AuditEvent[]> {
  const { status, json, text } = await baton.fhir('GET', query, more);
  if (status !== 200) throw new Error(`${status} ${text}`);
  return (json.entry ?? []).flatMap(({ resource }) => (resource ? [resource as unknown as AuditEvent] : []));
}

const codes = (found: readonly AuditEvent[]) => found.map(({ subtype }) => subtype?.[0]?.code).toSorted();
const patientsOf = ({ entity = [] }: AuditEvent) =>
  entity.filter(({ type }) => type?.code === '1').map(({ what }) => what?.reference);

describe('an AuditEvent', () => {
  it('is valid R4, whatever was recorded', async () => {
    const all = await events('/AuditEvent?_count=1000');
    expect(all.length).toBeGreaterThanOrEqual(18);
    const wrong = all.flatMap((event) => testValidate(event).filter(({ severity }) => severity === 'error'));
    expect(wrong).toEqual([]);
  });

  it('of a read says who, from where, which version, whose and under which request id', async () => {
    const [event] = await events('/AuditEvent?entity=Task/t-own&subtype=read&altid=tester&_sort=date');
    expect(event).toMatchObject({
      type: { code: 'rest' },
      subtype: [{ system: 'http://hl7.org/fhir/restful-interaction', code: 'read' }],
      action: 'R',
      outcome: '0',
      agent: [
        {
          type: { coding: [{ code: '110152' }] },
          who: { identifier: { value: 'tester' } },
          requestor: true,
          network: { address: '127.0.0.1', type: '2' },
        },
        { type: { coding: [{ code: '110153' }] }, who: { identifier: { value: FHIR } }, requestor: false },
      ],
      entity: [
        { type: { code: 'XrequestId' }, what: { identifier: { value: 'read-1' } } },
        { what: { reference: 'Task/t-own/_history/1' }, type: { code: '2' }, role: { code: '4' } },
        { what: { reference: 'Patient/own' }, type: { code: '1' }, role: { code: '1' } },
      ],
    });
    const again = await baton.fhir('GET', `/AuditEvent/${event?.id}`);
    expect(again.json).toEqual(event);
    expect(again.headers.etag).toBe('W/"1"');
  });

  it("of a person's write names the person and the application", async () => {
    const [event] = await events('/AuditEvent?agent=Practitioner/nina&action=U');
    expect(event).toMatchObject({
      purposeOfEvent: [{ coding: [{ code: 'TREAT' }] }],
      agent: [
        { who: { identifier: { value: 'ward-app' } }, altId: 'ward-app', requestor: false },
        {},
        { type: { coding: [{ code: 'AUT' }] }, who: { reference: 'Practitioner/nina' }, requestor: true },
      ],
    });
    expect(event && patientsOf(event)).toEqual(['Patient/own']);
  });

  it('of emergency access says so', async () => {
    const found = await events('/AuditEvent?agent=Practitioner/nina&subtype=read');
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ purposeOfEvent: [{ coding: [{ code: 'BTG' }] }] });
    expect(JSON.stringify(found[0]?.entity)).toContain('btg-7');
  });

  it('of a search has the query as it was sent and the patients it names', async () => {
    const found = await events('/AuditEvent?subtype=search-type&patient=own&_sort=date');
    const asked = found.map(({ entity = [] }) => entity.map(({ query }) => query).filter(Boolean));
    expect(asked.flat().map((each) => Buffer.from(each ?? '', 'base64').toString())).toEqual([
      'Task?patient=own&status=requested',
      'Task?patient=Patient/own,Patient/other',
      'Task?_compartment=Patient/own',
    ]);
    expect(found.map(patientsOf)).toEqual([['Patient/own'], ['Patient/own', 'Patient/other'], ['Patient/own']]);
  });

  it('of an exchange, a login and an export has the codes of its kind', async () => {
    const [exchange] = await events('/AuditEvent?subtype=sync-read');
    expect(exchange).toMatchObject({
      outcome: '8',
      subtype: [{ code: 'read' }, { code: 'sync-read' }],
      agent: [{ who: { display: 'Baton' } }, { who: { identifier: { value: 'connection epic' } } }],
    });
    expect(exchange && patientsOf(exchange)).toEqual(['Patient/own']);
    expect(await events('/AuditEvent?type=110114')).toMatchObject([{ outcome: '4', subtype: [{ code: '110126' }] }]);
    expect(await events('/AuditEvent?type=110106')).toMatchObject([{ subtype: [{ code: 'export' }] }]);
  });
});

describe('a search', () => {
  it.each([
    ['outcome=4&type=rest', ['read', 'read', 'read']],
    ['patient=other&subtype=delete', ['delete']],
    ['entity=Patient/own&subtype=operation', ['operation']],
    ['address=10.1.&action=R', [undefined, 'read']],
    ['altid=ward-app&action=U', ['update']],
    ['entity=Task/t-own/_history/1&action=U', ['update']],
    ['type=http://nowhere|rest', []],
    ['_id=1,2&action=U', ['update', 'update']],
    ['date=lt2000-01-01', []],
  ])('%s', async (query, wanted) => {
    const found = codes(await events(`/AuditEvent?${query}`));
    expect(found.map((code) => (code === 'export' ? undefined : code))).toEqual(wanted);
  });

  it('by a form, in a compartment and as an entry of a batch and a transaction finds the same', async () => {
    const one = codes(await events('/AuditEvent?patient=other&action=U,D'));
    const form = await baton.fhir('POST', '/AuditEvent/_search', { body: 'patient=other&action=U,D', headers: FORM });
    const compartment = codes(await events('/Patient/other/AuditEvent?action=U,D'));
    expect([form.json.entry?.length, compartment]).toEqual([one.length, one]);
    for (const type of ['batch', 'transaction']) {
      const entry = [
        { request: { method: 'GET', url: 'AuditEvent?patient=other&action=U,D' } },
        { request: { method: 'GET', url: 'AuditEvent/1' } },
      ];
      const { json } = await baton.fhir('POST', '', { body: { resourceType: 'Bundle', type, entry } });
      expect(json.entry?.map(({ response }) => response?.status)).toEqual(['200 OK', '200 OK']);
      expect(json.entry?.[0]?.resource?.entry).toHaveLength(one.length);
      expect(json.entry?.[1]?.resource?.id).toBe('1');
    }
  });

  it('is paged without loss, in both directions', async () => {
    for (const sort of ['date', '-date']) {
      const whole = (await events(`/AuditEvent?_sort=${sort}&action=U,D&_count=500`)).map(({ id }) => id);
      const seen: (string | undefined)[] = [];
      let next: string | undefined = `/AuditEvent?_sort=${sort}&action=U,D&_count=2`;
      while (next !== undefined) {
        const { json } = await baton.fhir('GET', next);
        seen.push(...(json.entry ?? []).map(({ resource }) => resource?.id));
        next = json.link?.find(({ relation }) => relation === 'next')?.url.replace(FHIR, '');
      }
      expect(seen).toEqual(whole);
    }
  });

  it('counts, and cuts what is shown', async () => {
    const counted = await baton.fhir('GET', '/AuditEvent?action=D&_summary=count');
    expect([counted.json.total, counted.json.entry]).toEqual([1, undefined]);
    expect((await baton.fhir('GET', '/AuditEvent?action=D&_total=accurate')).json.total).toBe(1);
    const [cut] = await events('/AuditEvent?action=D&_elements=recorded');
    expect(cut).not.toHaveProperty('entity');
  });

  it.each([
    'nonsense=1',
    'agent-name=x',
    'date=ap2020',
    'date=x',
    '_sort=agent',
    '_cursor=x',
    'patient:missing=true',
    '_count=x',
  ])('by %s is refused', async (query) => {
    expect((await baton.fhir('GET', `/AuditEvent?${query}`)).status).toBe(400);
  });

  it('ignores what it does not know when the client prefers that, and says so', async () => {
    const found = await events('/AuditEvent?nonsense=1&action=D', { headers: { prefer: 'handling=lenient' } });
    expect(found.map(({ resourceType }) => resourceType as string)).toEqual(['AuditEvent', 'OperationOutcome']);
  });

  it('over several types is refused with the way to ask', async () => {
    const { status, text } = await baton.fhir('GET', '?_type=AuditEvent');
    expect([status, text.includes('GET AuditEvent?')]).toEqual([400, true]);
    for (const query of ['/Patient?_revinclude=AuditEvent:patient', '/Patient?_has:AuditEvent:patient:action=D']) {
      expect((await baton.fhir('GET', query)).status).toBe(400);
    }
  });
});

describe('nobody but Baton', () => {
  const body = { resourceType: 'AuditEvent', id: '1' };
  it.each([
    ['POST', '/AuditEvent', body],
    ['PUT', '/AuditEvent/1', body],
    ['PATCH', '/AuditEvent/1', { resourceType: 'Parameters' }],
    ['DELETE', '/AuditEvent/1', undefined],
    ['DELETE', '/AuditEvent?action=D', undefined],
    ['GET', '/AuditEvent/1/_history', undefined],
    ['GET', '/AuditEvent/_history', undefined],
    ['GET', '/AuditEvent/1/_history/1', undefined],
  ] as const)('%s %s', async (method, path, sent) => {
    const answer = await baton.fhir(method, path, sent ? { body: sent } : {});
    expect(answer.status).toBe(405);
    expect(answer.json.issue?.[0]?.details?.text).toContain('Baton keeps itself');
  });

  it('writes them in a batch or a transaction', async () => {
    const entry = [{ request: { method: 'DELETE', url: 'AuditEvent/1' } }];
    const batch = await baton.fhir('POST', '', { body: { resourceType: 'Bundle', type: 'batch', entry } });
    expect(batch.json.entry?.[0]?.response?.status).toBe('405 Method Not Allowed');
    const transaction = await baton.fhir('POST', '', { body: { resourceType: 'Bundle', type: 'transaction', entry } });
    expect(transaction.status).toBe(405);
    expect((await baton.fhir('POST', '/AuditEvent/1/$meta-add', { body: { resourceType: 'Parameters' } })).status).toBe(
      404,
    );
    expect((await baton.fhir('GET', '/AuditEvent/1')).status).toBe(200);
  });
});

describe('who may', () => {
  it('needs the scope, as for other types', async () => {
    const without = await baton.token('system/Task.cruds');
    expect((await baton.fhir('GET', '/AuditEvent', { as: without })).status).toBe(403);
    expect((await baton.fhir('GET', '/AuditEvent/1', { as: without })).status).toBe(403);
    expect((await baton.fhir('GET', '/AuditEvent', { as: await baton.token('system/AuditEvent.s') })).status).toBe(200);
    expect((await baton.fhir('GET', '/AuditEvent', { as: '' })).status).toBe(401);
  });

  it('sees the access log of one patient with a patient scope, and nobody else in it', async () => {
    const as = await baton.token('patient/AuditEvent.rs', 'own');
    const found = await events('/AuditEvent?_count=500', { as });
    expect(found.length).toBeGreaterThan(6);
    expect(new Set(found.flatMap(patientsOf))).toEqual(new Set(['Patient/own']));
    expect(JSON.stringify(found)).not.toMatch(/other/);
    const queries = found.flatMap(({ entity = [] }) => entity.flatMap(({ query }) => query ?? []));
    expect(queries.some((query) => Buffer.from(query, 'base64').toString().includes('other'))).toBe(false);
    expect(await events('/AuditEvent?patient=own&subtype=search-type', { as })).not.toEqual([]);
    expect(await events('/Patient/other/AuditEvent', { as })).toEqual([]);
    expect(await events('/Patient/own/AuditEvent', { as })).toHaveLength(found.length);
    for (const criteria of ['patient=other', 'entity=Patient/other', 'patient=own,other']) {
      expect(await events(`/AuditEvent?${criteria}`, { as })).toEqual([]);
    }
    const [others] = await events('/AuditEvent?patient=other&subtype=delete');
    expect((await baton.fhir('GET', `/AuditEvent/${others?.id}`, { as })).status).toBe(404);
    expect(await events('/AuditEvent?patient=other&subtype=delete', { as })).toEqual([]);
    expect((await baton.fhir('GET', '/AuditEvent?patient=other&action=D&_summary=count', { as })).json.total).toBe(0);
  });

  it('is refused with a constrained scope', async () => {
    const as = await baton.token('system/AuditEvent.rs?action=D');
    expect((await baton.fhir('GET', '/AuditEvent', { as })).status).toBe(403);
    expect((await baton.fhir('GET', '/AuditEvent/1', { as })).status).toBe(403);
  });
});
