// A care conference from invitation to decisions.
import type { Appointment, CarePlan, Task } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  answerInvitation,
  cancelConference,
  rescheduleConference,
} from '../../../src/care/conferences/change-conference.ts';
import type { ConferencePlan } from '../../../src/care/conferences/conference-schema.ts';
import { holdConference } from '../../../src/care/conferences/hold-conference.ts';
import { listConferences, readConference } from '../../../src/care/conferences/list-conferences.ts';
import { planConference } from '../../../src/care/conferences/plan-conference.ts';
import { openWorld, refusal, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const PLAN: ConferencePlan = {
  title: 'Where to live after rehabilitation',
  start: '2026-12-01T14:00:00-05:00',
  minutes: 45,
  where: { reference: 'Location/room' },
  link: 'https://meet.example.org/1',
  participants: [
    { actor: { reference: 'Practitioner/nurse' }, required: true },
    { actor: { reference: 'Practitioner/doctor', display: 'Dr. Reyes' }, required: true },
    { actor: { reference: 'RelatedPerson/daughter' }, required: false },
  ],
  agenda: ['Stairs', 'Medication'],
};

const plan = (changes: Partial<ConferencePlan> = {}, caseId = 'c1') =>
  planConference(world.records, world.caller(), { caseId, body: { ...PLAN, ...changes } });

describe('planning', () => {
  test('the plan refers to it and keeps what it had; who plans has accepted', async () => {
    const made = await world.run(plan());
    const kept = (await world.read('CarePlan', 'plan-c1')) as CarePlan;
    expect(kept.title).toBe('Kept as it is');
    expect(kept.activity?.[0]).toEqual({ progress: [{ text: 'kept' }] });
    expect(kept.activity?.at(-1)?.reference?.reference).toBe(`Appointment/${made.id}`);
    const view = await readConference(world.records, 'c1', made.id);
    expect(view).toMatchObject({
      status: 'pending',
      ofCase: true,
      title: PLAN.title,
      start: PLAN.start,
      end: '2026-12-01T14:45:00-05:00',
      where: { reference: 'Location/room' },
      link: PLAN.link,
      agenda: PLAN.agenda,
    });
    expect(view.participants.map(({ answer }) => answer)).toEqual(['accepted', 'needs-action', 'needs-action']);
  });

  test('what is planned is what is shown', async () => {
    const words = fc.stringMatching(/^[a-zA-Z<&é][a-zA-Z0-9 <&"é]{0,40}[a-z]$/);
    const bodies = fc.record({
      title: words,
      start: fc
        .date({ min: new Date('2026-12-01T00:00:00Z'), max: new Date('2030-01-01T00:00:00Z'), noInvalidDate: true })
        .map((date) => `${date.toISOString().slice(0, 19)}Z`),
      minutes: fc.integer({ min: 5, max: 1_440 }),
      where: fc.constantFrom({ reference: 'Location/room' }, { display: 'The ward' }),
      agenda: fc.array(words, { maxLength: 5 }),
      participants: fc.subarray(PLAN.participants, { minLength: 1 }),
    });
    await fc.assert(
      fc.asyncProperty(bodies, async (body) => {
        const made = await world.run(planConference(world.records, world.caller(), { caseId: 'c1', body }));
        const view = await readConference(world.records, 'c1', made.id);
        expect({
          title: view.title,
          start: view.start,
          minutes: (made as Appointment).minutesDuration,
          where: view.where,
          agenda: view.agenda,
          participants: view.participants.map(({ actor, required }) => ({ actor, required })),
        }).toEqual(body);
      }),
      { numRuns: 15 },
    );
  });

  test.each([
    ['a time in the past', { start: '2026-11-30T09:59:59-05:00' }, 'start'],
    ['somebody twice', { participants: [...PLAN.participants, ...PLAN.participants] }, 'participants[3]'],
    ['nobody known', { participants: [{ actor: { reference: 'Practitioner/x' }, required: true }] }, 'participants[0]'],
    ['a team', { participants: [{ actor: { reference: 'CareTeam/1' }, required: true }] }, 'participants[0]'],
    [
      'another patient',
      { participants: [{ actor: { reference: 'Patient/dead' }, required: true }] },
      'participants[0]',
    ],
    [
      "another patient's caregiver",
      { participants: [{ actor: { reference: 'RelatedPerson/stranger' }, required: true }] },
      'participants[0]',
    ],
    ['an unknown place', { where: { reference: 'Location/nowhere' } }, 'where'],
  ])('%s is refused', async (_, changes, at) => {
    expect(await refusal(plan(changes))).toEqual({ kind: 'unprocessable', at });
  });

  test.each([
    ['c-dead', 'unprocessable', 'Patient.deceased'],
    ['c-merged', 'unprocessable', 'Patient.link'],
    ['c-closed', 'unprocessable', 'EpisodeOfCare.status'],
    ['none', 'not-found', undefined],
  ])('nothing is planned for case %s', async (caseId, kind, at) => {
    expect(await refusal(plan({}, caseId))).toEqual({ kind, at });
  });

  test('a case that has no plan yet gets it with the first thing that is planned', async () => {
    const { changes } = await plan({}, 'c-bare');
    expect(changes.map((change) => [change.op, 'resource' in change && change.resource.resourceType])).toEqual([
      ['create', 'Appointment'],
      ['create', 'CarePlan'],
    ]);
  });
});

describe('before it is held', () => {
  test('it is booked when all who must be there accept, and moving it asks them again', async () => {
    const { id } = await world.run(plan());
    const answer = (reference: string, said: 'accepted' | 'declined') =>
      answerInvitation(world.records, world.caller(), {
        caseId: 'c1',
        id,
        body: { participant: { reference }, answer: said },
      });
    await world.run(answer('RelatedPerson/daughter', 'declined'));
    expect((await world.read('Appointment', id)).status).toBe('pending');
    await world.run(answer('Practitioner/doctor', 'accepted'));
    expect((await world.read('Appointment', id)).status).toBe('booked');
    expect(await refusal(answer('Practitioner/else', 'accepted'))).toEqual({
      kind: 'unprocessable',
      at: 'participant',
    });

    const body = { start: '2026-12-02T09:00:00-05:00', minutes: 30, where: { display: 'At home' } };
    await world.run(rescheduleConference(world.records, world.caller(), { caseId: 'c1', id, body }));
    const view = await readConference(world.records, 'c1', id);
    expect(view).toMatchObject({ status: 'pending', end: '2026-12-02T09:30:00-05:00', where: { display: 'At home' } });
    expect(view.link).toBe(PLAN.link);
    expect(view.participants.map(({ answer: said }) => said)).toEqual(['accepted', 'needs-action', 'needs-action']);
  });

  test('what others wrote into it stays', async () => {
    const { id } = await world.run(plan());
    const stored = await world.read('Appointment', id);
    const unknown = { url: 'https://elsewhere.example/x', valueString: 'kept' };
    await world.put({ ...stored, comment: 'Bring the walker', extension: [unknown, ...(stored.extension ?? [])] });
    const body = { start: '2026-12-02T09:00:00-05:00', minutes: 30, link: 'https://meet.example.org/2' };
    await world.run(rescheduleConference(world.records, world.caller(), { caseId: 'c1', id, body }));
    await world.run(
      cancelConference(world.records, world.caller(), { caseId: 'c1', id, body: { reason: { text: 'Ill' } } }),
    );
    const after = await world.read('Appointment', id);
    expect(after.comment).toBe('Bring the walker');
    expect(after.extension).toContainEqual(unknown);
    expect(await readConference(world.records, 'c1', id)).toMatchObject({
      status: 'cancelled',
      cancelled: { text: 'Ill' },
      link: 'https://meet.example.org/2',
      agenda: PLAN.agenda,
    });
    const again = cancelConference(world.records, world.caller(), {
      caseId: 'c1',
      id,
      body: { reason: { text: 'x' } },
    });
    expect(await refusal(again)).toEqual({ kind: 'unprocessable', at: 'Appointment.status' });
  });
});

describe('holding', () => {
  const held = { start: '2026-11-30T09:00:00-05:00', end: '2026-11-30T09:40:00-05:00' };
  const hold = (id: string, body: Parameters<typeof holdConference>[2]['body']) =>
    holdConference(world.records, world.caller(), { caseId: 'c1', id, body });

  test('attendance, decisions and minutes are kept; a decision to act on becomes an intervention of the plan', async () => {
    const { id } = await world.run(plan());
    await world.run(
      hold(id, {
        ...held,
        attended: [{ reference: 'Practitioner/nurse' }, { reference: 'Practitioner/doctor' }],
        manner: ['video', 'in-person'],
        decisions: [
          { text: 'Stay at home' },
          {
            text: 'Order a stair lift',
            intervention: { owner: { reference: 'Practitioner/nurse' }, due: '2026-12-10' },
          },
        ],
        minutes: 'Long & hard.',
      }),
    );
    const view = await readConference(world.records, 'c1', id);
    expect(view.status).toBe('fulfilled');
    expect(view.held).toMatchObject({
      ...held,
      absent: [{ reference: 'RelatedPerson/daughter' }],
      manner: ['in-person', 'video'],
      minutes: 'Long & hard.',
    });
    const [words, task] = view.held?.decisions ?? [];
    expect(words).toEqual({ text: 'Stay at home' });
    expect(task?.text).toBe('Order a stair lift');
    const reference = task?.intervention?.reference ?? '';
    const intervention: Task = await world.read('Task', reference.slice('Task/'.length));
    expect(intervention).toMatchObject({
      basedOn: [{ reference: 'CarePlan/plan-c1' }],
      restriction: { period: { end: '2026-12-10T23:59:59-05:00' } },
    });
    const { activity } = await world.read('CarePlan', 'plan-c1');
    expect(activity?.at(-1)?.reference?.reference).toBe(reference);
    expect((await listConferences(world.records, 'c1')).find((one) => one.id === id)?.held?.id).toBe(view.held?.id);
  });

  test.each([
    ['one that lies ahead', {}, 'start'],
    ['an end before the beginning', { start: held.end, end: held.start }, 'end'],
    ['somebody unknown', { ...held, attended: [{ reference: 'Practitioner/x' }] }, 'attended[0]'],
    [
      'a due date that has passed',
      { ...held, decisions: [{ text: 'x', intervention: { due: '2026-11-29' } }] },
      'decisions[0].intervention.due',
    ],
  ])('%s is refused', async (_, changes, at) => {
    const { id } = await world.run(plan());
    const body = { attended: [{ reference: 'Practitioner/nurse' }], ...changes };
    expect(await refusal(hold(id, body))).toEqual({ kind: 'unprocessable', at });
  });
});
