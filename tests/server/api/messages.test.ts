// Messages among the people of a case, through the API.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Thread } from '../../../src/care/messages/message-schema.ts';
import { type ReferWorld, referWorld, type Shown } from './refer-world.ts';

let baton: ReferWorld;
let id: string;
let doctor: string;

const see = (answer: { json: unknown }) => answer.json as Shown;
const NURSE = { reference: 'Practitioner/nurse' };
const DOCTOR = { reference: 'Practitioner/doctor' };

beforeAll(async () => {
  baton = await referWorld();
  id = await baton.open('mia');
  await baton.put(
    { resourceType: 'Practitioner', id: 'doctor', name: [{ family: 'Reed' }] },
    {
      resourceType: 'PractitionerRole',
      id: 'doctor-role',
      active: true,
      practitioner: DOCTOR,
      organization: { reference: 'Organization/clinic' },
      code: [{ coding: [{ system: 'https://baton.health/fhir/CodeSystem/care-role', code: 'case-manager' }] }],
    },
    { resourceType: 'RelatedPerson', id: 'mia-son', active: true, patient: { reference: 'Patient/mia' } },
    { resourceType: 'Patient', id: 'zoe', name: [{ family: 'zoe' }] },
    { resourceType: 'RelatedPerson', id: 'zoe-son', active: true, patient: { reference: 'Patient/zoe' } },
  );
  await baton.asNurse('POST', `/cases/${id}/team/members`, { member: DOCTOR, role: { text: 'Family doctor' } });
  doctor = await baton.tokenOf('Practitioner/doctor', 'user/*.cruds');
});

afterAll(() => baton.close());

const write = (body: object, as = baton.nurse) => baton.api('POST', `/cases/${id}/messages`, { as, body });
const threads = async () => (await baton.asNurse('GET', `/cases/${id}/messages`)).json.items as unknown as Thread[];

describe('messages about a case', () => {
  it('go back and forth in threads, the latest first', async () => {
    const first = await write({ to: [DOCTOR], text: 'Weight up two kilos.' });
    expect(first.status, first.text).toBe(201);
    const other = await write({
      to: [{ reference: 'RelatedPerson/mia-son' }, { reference: 'Patient/mia' }],
      text: 'Hi',
    });
    expect(other.status, other.text).toBe(201);
    const reply = { to: [NURSE], text: 'Double the dose.', inReplyTo: { reference: `Communication/${see(first).id}` } };
    const answer = await write(reply, doctor);
    expect(answer.status, answer.text).toBe(201);
    expect(see(answer)).toMatchObject({ from: DOCTOR, to: [NURSE], text: 'Double the dose.', retracted: false });
    expect(await threads()).toMatchObject([
      { id: see(first).id, messages: [{ from: NURSE }, { from: DOCTOR, inReplyTo: reply.inReplyTo }] },
      { id: see(other).id, messages: [{ text: 'Hi' }] },
    ]);
    expect(see(await baton.fhir('GET', `/Communication/${see(first).id}`))).toMatchObject({
      meta: { profile: ['https://baton.health/fhir/StructureDefinition/baton-message'] },
      status: 'completed',
      subject: { reference: 'Patient/mia' },
      about: [{ reference: `EpisodeOfCare/${id}` }],
      sender: NURSE,
      recipient: [DOCTOR],
      payload: [{ contentString: 'Weight up two kilos.' }],
    });
  });

  it('are no contacts: not among them, not in the hand-over, in the timeline by name and without their words', async () => {
    await write({ to: [{ reference: 'Patient/mia' }], text: 'See you on Monday.' });
    expect(see(await baton.asNurse('GET', `/cases/${id}/contacts`)).items).toEqual([]);
    const handover = await baton.asNurse('GET', `/cases/${id}/handover`);
    expect([handover.status, handover.json.contacts], handover.text).toEqual([200, []]);
    const timeline = await baton.asNurse('GET', `/cases/${id}/timeline`);
    expect(see(timeline).items.some(({ kind }) => kind === 'message')).toBe(true);
    expect(timeline.text).not.toContain('Monday');
    const requests = see(await baton.fhir('GET', '/CommunicationRequest?subject=Patient/mia'));
    expect(requests).toMatchObject({ total: 0 });
  });

  it('are taken back by who wrote them only, and not shown then', async () => {
    const sent = see(await write({ to: [DOCTOR], text: 'Wrong patient, sorry.' }));
    const path = `/cases/${id}/messages/${sent.id}`;
    expect((await baton.api('POST', `${path}/retract`, { as: doctor, body: {} })).status).toBe(403);
    const asContact = `/cases/${id}/contacts/${sent.id}/retract`;
    expect((await baton.api('POST', asContact, { as: doctor, body: {} })).status).toBe(404);
    const retracted = await baton.asNurse('POST', `${path}/retract`);
    expect(see(retracted), retracted.text).toMatchObject({ retracted: true });
    expect(see(retracted).text).toBeUndefined();
    expect((await baton.asNurse('POST', `${path}/retract`)).status).toBe(422);
  });

  it('reach nobody who is not of the case, and answer only messages of it', async () => {
    const elsewhere = await baton.open('yan');
    const foreign = await baton.asNurse('POST', `/cases/${elsewhere}/messages`, { to: [NURSE], text: 'Elsewhere' });
    expect(foreign.status, foreign.text).toBe(201);
    for (const reference of ['Practitioner/paula', 'Patient/yan', 'RelatedPerson/zoe-son']) {
      const refused = await write({ to: [DOCTOR, { reference }], text: 'Hello' });
      expect([refused.status, refused.json.errors], refused.text).toMatchObject([422, [{ member: 'to[1]' }]]);
    }
    const inReplyTo = { reference: `Communication/${see(foreign).id}` };
    const refused = await write({ to: [DOCTOR], text: 'Hello', inReplyTo });
    expect([refused.status, refused.json.errors]).toMatchObject([422, [{ member: 'inReplyTo' }]]);
    expect((await write({ to: [], text: 'Hello' })).status).toBe(400);
  });

  it('are for who may read the case', async () => {
    const before = (await threads()).length;
    expect((await baton.api('GET', `/cases/${id}/messages`, { as: baton.paula })).status).toBe(403);
    expect((await write({ to: [NURSE], text: 'Let me in' }, baton.paula)).status).toBe(403);
    expect(await threads()).toHaveLength(before);
  });
});
