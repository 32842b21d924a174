// The status machines at every door of the FHIR API: no update, patch, Bundle or conditional update leaves them.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Resource, Task } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AnyMachine } from '../../src/fhir/status/machine.ts';
import { machineOf, statusOf } from '../../src/fhir/status/machine-of.ts';
import { FILE_COMMANDS, type FileCommandParts } from '../../src/file-commands.ts';
import { type Answer, serve, type TestServer } from './serve.ts';

let baton: TestServer;
const CARE_ROLE = 'https://baton.health/fhir/CodeSystem/care-role';
const ref = (reference: string) => ({ reference });
const FULFILL = { coding: [{ system: 'http://hl7.org/fhir/CodeSystem/task-code', code: 'fulfill' }] };

async function put<T extends { resourceType: string; id?: string }>(body: T, as?: string): Promise<Answer> {
  return baton.fhir('PUT', `/${body.resourceType}/${body.id}`, { body, ...(as ? { as } : {}) });
}

async function must(answer: Promise<Answer>): Promise<Answer> {
  const settled = await answer;
  if (settled.status >= 300) throw new Error(settled.text);
  return settled;
}

let [nurse, colleague, partner, stranger, patient] = ['', '', '', '', ''];

beforeAll(async () => {
  baton = await serve();
  for (const id of ['agency', 'pantry', 'clinic']) await must(put({ resourceType: 'Organization', id, name: id }));
  for (const [id, code, organization] of [
    ['nurse', 'supervisor', 'agency'],
    ['anna', 'community-partner', 'pantry'],
    ['other', 'case-manager', 'clinic'],
    ['cover', 'supervisor', 'agency'],
  ] as const) {
    await must(put({ resourceType: 'Practitioner', id }));
    const role = { practitioner: ref(`Practitioner/${id}`), organization: ref(`Organization/${organization}`) };
    const held = [{ coding: [{ system: CARE_ROLE, code }] }];
    await must(put({ resourceType: 'PractitionerRole', id: `${id}-role`, active: true, ...role, code: held }));
  }
  await must(put({ resourceType: 'Patient', id: 'ann', managingOrganization: ref('Organization/agency') }));
  await must(
    put({
      ...{ resourceType: 'ServiceRequest', id: 'food', status: 'active', intent: 'order', code: { text: 'Food' } },
      ...{ subject: ref('Patient/ann') },
    }),
  );
  // Somebody who cares for the same patient elsewhere.
  const participant = [{ member: ref('Practitioner/other') }];
  await must(put({ resourceType: 'CareTeam', id: 'else', status: 'active', subject: ref('Patient/ann'), participant }));
  nurse = await baton.tokenOf('Practitioner/nurse', 'user/*.cruds');
  colleague = await baton.tokenOf('Practitioner/cover', 'user/*.cruds');
  partner = await baton.tokenOf('Practitioner/anna', 'user/*.cruds');
  stranger = await baton.tokenOf('Practitioner/other', 'user/*.cruds');
  patient = await baton.token('patient/*.cruds', 'ann');
});

afterAll(() => baton.close());

const SUBJECT = ref('Patient/ann');
const FRESH: readonly ((id: string) => Resource)[] = [
  (id) => ({ resourceType: 'Task', id, status: 'draft', intent: 'order', for: SUBJECT }) as Resource,
  (id) => ({ resourceType: 'CarePlan', id, status: 'unknown', intent: 'plan', subject: SUBJECT }) as Resource,
  (id) =>
    ({
      resourceType: 'Goal',
      id,
      lifecycleStatus: 'proposed',
      description: { text: 'x' },
      subject: SUBJECT,
    }) as Resource,
  (id) => ({ resourceType: 'ServiceRequest', id, status: 'draft', intent: 'order', subject: SUBJECT }) as Resource,
  (id) => ({ resourceType: 'EpisodeOfCare', id, status: 'planned', patient: SUBJECT }) as Resource,
  (id) => ({ resourceType: 'CareTeam', id, status: 'proposed', subject: SUBJECT }) as Resource,
  (id) =>
    ({
      ...{ resourceType: 'Task', id, status: 'draft', intent: 'order', for: SUBJECT },
      ...{ code: FULFILL, focus: ref('ServiceRequest/food') },
    }) as Resource,
];

const door = fc.constantFrom('put', 'patch', 'conditional', 'transaction', 'batch');

/** Asks for a status at one of the doors. @returns the HTTP status and the OperationOutcome, if there is one */
async function ask(resource: Resource, { element }: AnyMachine, status: string, by: string) {
  const { resourceType: type, id } = resource;
  const path = `${type}/${id}`;
  const body = { ...resource, [element]: status };
  if (by === 'put') return baton.fhir('PUT', `/${path}`, { body });
  if (by === 'conditional') return baton.fhir('PUT', `/${type}?_id=${id}`, { body });
  if (by === 'patch') {
    return baton.fhir('PATCH', `/${path}`, {
      body: JSON.stringify([{ op: 'replace', path: `/${element}`, value: status }]),
      headers: { 'content-type': 'application/json-patch+json' },
    });
  }
  const entry = [{ resource: body, request: { method: 'PUT', url: path } }];
  const answer = await baton.fhir('POST', '', { body: { resourceType: 'Bundle', type: by, entry } });
  const [only] = answer.json.entry ?? [];
  if (by === 'transaction' || !only) return answer;
  return { ...answer, status: Number.parseInt(only.response?.status ?? '', 10), json: only.response?.outcome ?? {} };
}

describe('whatever is asked for, at whichever door', () => {
  test('a status changes by the table, or is refused with 422 and the ones that may follow', async () => {
    let walks = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...FRESH),
        fc.array(fc.tuple(fc.nat(), door), { minLength: 4, maxLength: 9 }),
        async (fresh, wishes) => {
          walks += 1;
          const start = fresh(`walk-${walks}`);
          await must(put(start));
          const machine = machineOf(start) as AnyMachine;
          const statuses = Object.keys(machine.successors);
          let stored = start;
          for (const [pick, by] of wishes) {
            const from = statusOf(machine, stored) ?? '';
            const to = statuses[pick % statuses.length] ?? '';
            const isLegal = from === to || (machine.successors[from]?.includes(to) ?? false);
            const answer = await ask(stored, machine, to, by);
            expect([by, from, to, answer.status]).toEqual([by, from, to, isLegal ? 200 : 422]);
            stored = (await baton.fhir('GET', `/${start.resourceType}/${start.id}`)).json as unknown as Resource;
            expect(statusOf(machine, stored)).toBe(isLegal ? to : from);
            if (isLegal) continue;
            const [issue] = answer.json.issue ?? [];
            expect(issue?.expression?.[0]).toContain(`${start.resourceType}.${machine.element}`);
            expect(issue?.code).toBe('business-rule');
            for (const next of machine.successors[from] ?? []) expect(issue?.details?.text).toContain(next);
          }
        },
      ),
      { numRuns: 15 },
    );
  });

  test('a file that is imported is no way around', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'baton-import-'));
    const load = async (status: string) => {
      const file = join(folder, `${status}.json`);
      const filed = { resourceType: 'Task', id: 'filed', status, intent: 'order' };
      const entry = [{ resource: filed, request: { method: 'PUT', url: 'Task/filed' } }];
      await writeFile(file, JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }));
      const app = { store: baton.temp.store } as unknown as FileCommandParts['app'];
      const actor = { reference: 'Device/baton-cli', kind: 'service' } as const;
      await FILE_COMMANDS.find(({ words }) => words === 'import')?.run({ app, actor, print: () => {} }, [file]);
    };
    await load('draft');
    await load('completed');
    const back = 'A Task that is completed cannot become requested; it can become entered-in-error.';
    await expect(load('requested')).rejects.toMatchObject({ kind: 'unprocessable', message: back });
    expect((await baton.fhir('GET', '/Task/filed')).json.status).toBe('completed');
    await rm(folder, { recursive: true });
  });

  test('one refusal refuses the whole transaction', async () => {
    const done = { resourceType: 'Task', id: 'done', status: 'completed', intent: 'order' } as const;
    await must(put(done));
    const goal = { resourceType: 'Goal', id: 'unwritten', lifecycleStatus: 'active', description: { text: 'x' } };
    const entry = [
      { resource: { ...goal, subject: SUBJECT }, request: { method: 'PUT', url: 'Goal/unwritten' } },
      { resource: { ...done, status: 'requested' }, request: { method: 'PUT', url: 'Task/done' } },
    ];
    const answer = await baton.fhir('POST', '', { body: { resourceType: 'Bundle', type: 'transaction', entry } });
    expect([answer.status, answer.json.issue?.[0]?.details?.text]).toEqual([
      422,
      expect.stringContaining('A Task that is completed cannot become requested; it can become entered-in-error.'),
    ]);
    expect((await baton.fhir('GET', '/Goal/unwritten')).status).toBe(404);
  });

  test('history from elsewhere is created in whatever status, and a deleted resource goes on from what it was', async () => {
    const old = { resourceType: 'Task', id: 'old', status: 'failed', intent: 'order' } as const;
    expect((await put(old)).status).toBe(201);
    expect((await put({ ...old, status: 'requested' })).status).toBe(422);
    expect((await baton.fhir('DELETE', '/Task/old')).status).toBe(204);
    expect((await put({ ...old, status: 'requested' })).status).toBe(422);
  });

  test('what a Goal has achieved is free, but for what means nothing', async () => {
    const system = 'http://terminology.hl7.org/CodeSystem/goal-achievement';
    const goal = (lifecycleStatus: string, code?: string) => ({
      ...{ resourceType: 'Goal', id: 'achieve', lifecycleStatus, description: { text: 'x' }, subject: SUBJECT },
      ...(code ? { achievementStatus: { coding: [{ system, code }] } } : {}),
    });
    await must(put(goal('proposed')));
    expect((await put(goal('proposed', 'achieved'))).json.issue?.[0]?.expression).toEqual(['Goal.achievementStatus']);
    for (const code of ['improving', 'achieved', 'worsening'])
      expect((await put(goal('active', code))).status).toBe(200);
    expect((await put(goal('active', 'finished'))).status).toBe(422);
  });
});

describe('a referral', () => {
  let referrals = 0;
  async function referral(more: Partial<Task> = {}): Promise<Task & { id: string }> {
    referrals += 1;
    const task = {
      ...{ resourceType: 'Task', id: `referral-${referrals}`, status: 'requested', intent: 'order', code: FULFILL },
      ...{ focus: ref('ServiceRequest/food'), for: SUBJECT, authoredOn: '2026-11-20T10:00:00Z' },
      ...{ requester: ref('PractitionerRole/nurse-role'), owner: ref('Organization/pantry') },
      ...more,
    } as Task & { id: string };
    await must(put(task));
    return task;
  }
  const says = ({ status, json }: Answer) => [status, json.issue?.[0]?.details?.text];

  test('is answered by its owner, and withdrawn by who asked', async () => {
    const task = await referral();
    expect(says(await put({ ...task, status: 'accepted' }, nurse))).toEqual([
      422,
      'Only the owner of a referral Task sets it to accepted; yours to set: cancelled or entered-in-error.',
    ]);
    expect((await put({ ...task, status: 'accepted' }, partner)).status).toBe(200);
    expect(says(await put({ ...task, status: 'cancelled' }, stranger))[0]).toBe(422);
    expect(says(await put({ ...task, status: 'entered-in-error' }, partner))).toEqual([
      422,
      'Only the requester of a referral Task sets it to entered-in-error; yours to set: rejected, in-progress, on-hold, completed, failed or cancelled.',
    ]);
    expect((await put({ ...task, status: 'in-progress' }, partner)).status).toBe(200);
    expect((await put({ ...task, status: 'cancelled' }, nurse)).status).toBe(200);
  });

  test('is seen to by a colleague of who asked, and answered by none', async () => {
    const task = await referral();
    expect((await put({ ...task, status: 'accepted' }, colleague)).status).toBe(422);
    expect((await put({ ...task, status: 'cancelled' }, colleague)).status).toBe(200);
    const own = await referral({ owner: ref('Practitioner/nurse') });
    expect((await put({ ...own, status: 'accepted' }, colleague)).status).toBe(422);
    expect((await put({ ...own, status: 'accepted' }, nurse)).status).toBe(200);
  });

  test('says nothing about the status: who may write it may write the rest', async () => {
    const task = await referral();
    expect((await put({ ...task, description: 'Twice a week' }, stranger)).status).toBe(200);
  });

  test('cannot be made something else to get around that', async () => {
    const { code: _, focus: _focus, ...plain } = await referral();
    expect((await put({ ...plain, status: 'accepted' }, nurse)).status).toBe(422);
  });

  test('is written by an application or another server, which stands on neither side, as its table has it', async () => {
    const task = await referral();
    expect((await put({ ...task, status: 'accepted' })).status).toBe(200);
    expect(says(await put({ ...task, status: 'requested' }))[0]).toBe(422);
    expect(says(await put({ ...task, status: 'ready' }))[0]).toBe(422);
  });

  test('that is open is claimed by who accepts it as their own', async () => {
    const { owner: _, ...open } = await referral({ owner: undefined });
    const claim = (owner: string, as: string) => put({ ...open, status: 'accepted', owner: ref(owner) }, as);
    expect((await claim('Organization/pantry', stranger)).status).toBe(422);
    expect((await claim('Organization/clinic', stranger)).status).toBe(200);
  });

  test('is answered for a partner without a system by who asked, who says so', async () => {
    const task = await referral();
    const answered = { resource: { ...task, status: 'accepted' }, request: { method: 'PUT', url: `Task/${task.id}` } };
    const provenance = (onBehalfOf: string) => ({
      resource: {
        ...{ resourceType: 'Provenance', target: [ref(`Task/${task.id}`), SUBJECT], recorded: '2026-11-24T10:00:00Z' },
        agent: [{ who: ref('Practitioner/nurse'), onBehalfOf: ref(onBehalfOf) }],
      },
      request: { method: 'POST', url: 'Provenance' },
    });
    const bundle = (entry: object[], as: string) =>
      baton.fhir('POST', '', { as, body: { resourceType: 'Bundle', type: 'transaction', entry } });
    expect((await bundle([answered], nurse)).status).toBe(422);
    expect((await bundle([answered, provenance('Organization/agency')], nurse)).status).toBe(422);
    expect((await bundle([answered, provenance('Organization/pantry')], stranger)).status).toBe(422);
    const told = await bundle([answered, provenance('Organization/pantry')], nurse);
    expect([told.status, told.text]).toEqual([200, expect.stringContaining('Provenance')]);
  });
});

describe('what a refusal tells', () => {
  test('everything to an application that may read the patient', async () => {
    const goal = { resourceType: 'Goal', id: 'told', lifecycleStatus: 'completed', description: { text: 'x' } };
    await must(put({ ...goal, subject: SUBJECT }));
    const answer = await put({ ...goal, subject: SUBJECT, lifecycleStatus: 'active' }, patient);
    expect([answer.status, answer.json.issue?.[0]?.details?.text]).toEqual([
      422,
      'A Goal that is completed cannot become active; it can become entered-in-error.',
    ]);
  });

  test('nothing of what is stored to one that may only write', async () => {
    const goal = { resourceType: 'Goal', id: 'hid', lifecycleStatus: 'completed', description: { text: 'x' } };
    await must(put({ ...goal, subject: SUBJECT }));
    const as = await baton.token('system/Goal.u');
    const answer = await put({ ...goal, subject: SUBJECT, lifecycleStatus: 'active' }, as);
    expect([answer.status, answer.json.issue?.[0]?.details?.text]).toEqual([
      422,
      'It cannot follow what is stored, or stand beside it; only who may read the Goal learns why.',
    ]);
  });
});
