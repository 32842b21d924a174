// Da Vinci Unsolicited Notifications over HTTP: into the same Encounter as HL7 v2, once. domain.md §3.7.
import type { Bundle, Encounter, Patient } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isStandIn } from '../../src/fhir/stand-in-end.ts';
import { createIntake } from '../../src/intake/receive.ts';
import { PARAMETERS, serve, type TestServer } from '../server/serve.ts';
import { edited, FACILITIES, fixture } from './fixture.ts';

const SID = 'https://baton.health/fhir/sid/HARBOR';
let baton: TestServer;
beforeAll(async () => {
  const log = pino({ level: 'silent' });
  baton = await serve(({ store, clock }) => ({
    intake: createIntake({ store, clock, facilities: FACILITIES, parameters: PARAMETERS, log }),
  }));
});
afterAll(() => baton.close());

type Event = 'admit' | 'discharge' | 'transfer';

function notice(event: Event, id: string, timestamp: string, encounter: Partial<Encounter> = {}): Bundle {
  const patient: Patient = {
    resourceType: 'Patient',
    id: 'p',
    identifier: [{ system: SID, value: `P${id}` }],
    name: [{ family: 'Notified', given: ['Nora'] }],
  };
  const visit = {
    resourceType: 'Encounter',
    id: 'e',
    identifier: [{ system: SID, value: `V${id}` }],
    status: event === 'discharge' ? 'finished' : 'in-progress',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
    subject: { reference: 'Patient/p' },
    participant: [{ individual: { reference: 'Practitioner/elsewhere', display: 'Dr. Elsewhere' } }],
    location: [{ location: { reference: 'urn:uuid:11111111-1111-4111-8111-111111111111' } }],
    period: {
      start: '2026-11-20T08:00:00-05:00',
      ...(event === 'discharge' ? { end: '2026-11-24T12:00:00-05:00' } : {}),
    },
    ...encounter,
  } as Encounter;
  return {
    resourceType: 'Bundle',
    type: 'message',
    identifier: { system: 'urn:hospital:messages', value: `${id}-${event}-${timestamp}` },
    timestamp,
    entry: [
      {
        fullUrl: 'urn:uuid:22222222-2222-4222-8222-222222222222',
        resource: {
          resourceType: 'MessageHeader',
          eventCoding: {
            system: 'http://hl7.org/fhir/us/davinci-alerts/CodeSystem/notification-event',
            code: `notification-${event}`,
          },
          source: { endpoint: 'https://hospital.example/fhir' },
          focus: [{ reference: 'Encounter/e' }],
        },
      },
      { fullUrl: 'https://hospital.example/fhir/Encounter/e', resource: visit },
      { fullUrl: 'https://hospital.example/fhir/Patient/p', resource: patient },
      {
        fullUrl: 'urn:uuid:11111111-1111-4111-8111-111111111111',
        resource: { resourceType: 'Location', name: '4 East', status: 'active' },
      },
    ],
  };
}

const send = (body: object, as?: string) =>
  baton.fhir('POST', '/$process-message', { body, ...(as === undefined ? {} : { as }) });
const stays = async (id: string) => {
  const { json } = await baton.fhir('GET', `/Encounter?identifier=V${id}`);
  return (json.entry ?? []).map(({ resource }) => resource as unknown as Encounter);
};

describe('a notification', () => {
  it('admits, transfers and discharges in one Encounter, however often and in whatever order it comes', async () => {
    const messages = [
      notice('discharge', 'A', '2026-11-24T17:05:00Z'),
      notice('admit', 'A', '2026-11-20T13:05:00Z'),
      notice('transfer', 'A', '2026-11-22T13:05:00Z'),
    ];
    for (const message of [...messages, ...messages]) {
      const { status, text } = await send(message);
      expect([status, text]).toEqual([200, '']);
    }
    const [stay, second] = await stays('A');
    expect(second).toBeUndefined();
    expect(stay).toMatchObject({
      status: 'finished',
      period: { start: '2026-11-20T08:00:00-05:00', end: '2026-11-24T12:00:00-05:00' },
      location: [{ location: { reference: expect.stringMatching(/^Location\//) } }],
      participant: [{ individual: { display: 'Dr. Elsewhere' } }],
    });
    expect(stay?.participant?.[0]?.individual?.reference).toBeUndefined();
    // The admission is noted as the last word about where the patient went, for the discharge says nothing of it.
    expect(stay?.meta?.versionId).toBe('2');
    expect((await baton.fhir('GET', '/Location?name=4 East')).json.total).toBe(1);
  });

  it('joins the visit that HL7 v2 told of', async () => {
    const own = { 'MSH-10': 'N1', 'PID-3': 'PB^^^HARBOR^MR', 'PV1-19': 'VB^^^HARBOR^VN' };
    const er7 = { 'content-type': 'x-application/hl7-v2+er7' };
    await baton.send('POST', '/intake/hl7v2', { body: edited(fixture('a01-admit'), own), headers: er7 });
    expect((await send(notice('discharge', 'B', '2026-11-24T17:05:00Z'))).status).toBe(200);
    expect((await stays('B')).map(({ status }) => status)).toEqual(['finished']);
    expect((await baton.fhir('GET', '/Patient?identifier=PB')).json.total).toBe(1);
  });

  it('without a disposition leaves the one that HL7 v2 told; of copies of a stay the one that was told is meant', async () => {
    const er7 = { 'content-type': 'x-application/hl7-v2+er7' };
    const own = { 'PID-3': 'PK^^^HARBOR^MR', 'PV1-19': 'VK^^^HARBOR^VN' };
    const times = { 'EVN-2': '20261124113000', 'EVN-6': '', 'PV1-44': '', 'PV1-45': '20261124120000', 'PV1-36': '06' };
    const say = (name: string, fields: object) =>
      baton.send('POST', '/intake/hl7v2', { body: edited(fixture(name), { ...own, ...fields }), headers: er7 });
    await say('a03-discharge', { ...times, 'MSH-10': 'K1' });
    expect((await send(notice('discharge', 'K', '2026-11-24T17:05:00Z'))).status).toBe(200);
    const [told] = await stays('K');
    expect(told?.hospitalization?.dischargeDisposition?.coding?.[0]?.code).toBe('06');
    const { id: _, extension: _e, ...copy } = told ?? ({} as Encounter);
    expect((await baton.fhir('POST', '/Encounter', { body: copy })).status).toBe(201);
    const back = await say('a13-cancel-discharge', { 'MSH-10': 'K2', 'EVN-2': '20261124150000', 'EVN-6': '' });
    expect(back.status).toBe(200);
    const after = await stays('K');
    expect(after.map(({ id, status }) => [id === told?.id, status]).sort()).toEqual([
      [false, 'finished'],
      [true, 'in-progress'],
    ]);
  });

  it('is tolerant of what is missing', async () => {
    const bare = notice('discharge', 'C', '2026-11-24T17:05:00Z', {
      subject: undefined,
      period: undefined,
      class: undefined,
      status: undefined,
    } as never);
    expect((await send(bare)).status).toBe(200);
    expect(await stays('C')).toMatchObject([{ status: 'finished', period: { end: '2026-11-24T17:05:00.000Z' } }]);
  });

  const UNTOLD = { period: { start: '2026-11-20T08:00:00-05:00' } };
  const TOLD = '2026-11-24T12:00:00-05:00';

  it('of a discharge that tells no end leaves an end that was told, and of several such the first counts', async () => {
    const told = notice('discharge', 'S', '2026-11-24T17:05:00Z');
    const bare = ['2026-11-26T17:05:00Z', '2026-11-25T17:05:00Z'].map((at) => notice('discharge', 'S', at, UNTOLD));
    const [later, earlier] = bare as [Bundle, Bundle];
    const ends: (string | undefined)[] = [];
    for (const message of [later, earlier, told, notice('discharge', 'S', '2026-11-27T17:05:00Z', UNTOLD)]) {
      expect((await send(message)).status).toBe(200);
      const [stay] = await stays('S');
      ends.push(`${stay?.period?.end} ${isStandIn(stay?.period)}`);
    }
    expect(ends).toEqual([
      '2026-11-26T17:05:00.000Z true',
      '2026-11-25T17:05:00.000Z true',
      `${TOLD} false`,
      `${TOLD} false`,
    ]);
  });

  it('joins HL7 v2 over HTTP: whichever door an end is told by, it replaces the stand-in of the other', async () => {
    const er7 = { 'content-type': 'x-application/hl7-v2+er7' };
    const say = async (id: string, fields: object) => {
      const own = { 'PID-3': `P${id}^^^HARBOR^MR`, 'PV1-19': `V${id}^^^HARBOR^VN`, 'PV1-44': '', 'EVN-6': '' };
      const body = edited(fixture('a03-discharge'), { ...own, ...fields });
      expect((await baton.send('POST', '/intake/hl7v2', { body, headers: er7 })).status).toBe(200);
    };
    const end = async (id: string) => (await stays(id))[0]?.period?.end;
    // Told by the notification; the HL7 v2 message knows no time, and is recorded before and after.
    await say('T', { 'MSH-10': 'T1', 'EVN-2': '20261123090000', 'PV1-45': '' });
    expect(isStandIn((await stays('T'))[0]?.period)).toBe(true);
    await send(notice('discharge', 'T', '2026-11-24T17:05:00Z'));
    await say('T', { 'MSH-10': 'T2', 'EVN-2': '20261126090000', 'PV1-45': '' });
    expect(await end('T')).toBe(TOLD);
    // Told by HL7 v2.
    await send(notice('discharge', 'U', '2026-11-26T17:05:00Z', UNTOLD));
    await say('U', { 'MSH-10': 'U1', 'EVN-2': '20261124121000', 'PV1-45': '20261124120000' });
    expect(await end('U')).toBe(TOLD);
    expect(JSON.stringify((await stays('U'))[0]?.period)).not.toContain('stand-in');
  });

  it('withdraws a stay that was entered in error', async () => {
    await send(notice('admit', 'D', '2026-11-20T13:05:00Z'));
    await send(notice('admit', 'D', '2026-11-20T14:05:00Z', { status: 'entered-in-error' }));
    expect(await stays('D')).toMatchObject([{ status: 'entered-in-error' }]);
  });

  const changed = (change: (bundle: Bundle) => void) => {
    const bundle = notice('admit', 'X', '2026-11-20T13:05:00Z');
    change(bundle);
    return bundle;
  };
  it.each([
    ['a Bundle of another type', changed((bundle) => void Object.assign(bundle, { type: 'collection' })), 400],
    [
      'a discharge next year',
      notice('discharge', 'X', '2026-11-24T17:05:00Z', { period: { end: '2027-11-24T12:00:00-05:00' } }),
      422,
      'more than a day ahead',
    ],
    ['no MessageHeader', changed(({ entry }) => void entry?.shift()), 400],
    [
      'another event',
      JSON.parse(JSON.stringify(changed(() => undefined)).replace('notification-admit', 'notification-referral')),
      400,
    ],
    ['no identifier or id', changed((bundle) => delete bundle.identifier), 400],
    ['no Encounter', changed(({ entry }) => void entry?.splice(1, 1)), 422],
    ['no Patient', changed(({ entry }) => void entry?.splice(2, 1)), 422],
    [
      'what FHIR does not allow',
      changed(({ entry }) => void Object.assign(entry?.[2]?.resource ?? {}, { gender: 'unsaid' })),
      422,
    ],
    ['an entry that is null', changed(({ entry }) => void entry?.push(null as never)), 422, 'Bundle.entry[4]'],
    [
      'a text for the focus',
      changed(({ entry }) => void Object.assign(entry?.[0]?.resource ?? {}, { focus: 'Encounter/e' })),
      422,
      'focus',
    ],
    [
      'a text for extensions',
      changed(({ entry }) => void Object.assign(entry?.[1]?.resource ?? {}, { extension: 'none' })),
      422,
      'extension',
    ],
    [
      'a null for an identifier',
      changed(({ entry }) => void Object.assign(entry?.[2]?.resource ?? {}, { identifier: [null] })),
      422,
      'identifier[0]',
    ],
    [
      'more entries than a notification has',
      changed(
        ({ entry }) =>
          void entry?.push(
            ...Array.from({ length: 20_000 }, () => ({ resource: { resourceType: 'Location' as const } })),
          ),
      ),
      400,
      'at most 500 entries',
    ],
  ])('%s is refused and kept', async (_, bundle, status, says?: string) => {
    const before = (await baton.send('GET', '/ops/deliveries?channel=notification&limit=500')).json.items as object[];
    const answer = await send(bundle);
    expect([answer.status, answer.json.resourceType]).toEqual([status, 'OperationOutcome']);
    expect(answer.text).toContain(says ?? '');
    expect(answer.text).not.toContain('Internal');
    const after = (await baton.send('GET', '/ops/deliveries?channel=notification&limit=500')).json.items as object[];
    expect(after.length).toBeGreaterThanOrEqual(before.length);
    expect(after[0]).toMatchObject({ outcome: status === 400 ? 'AR' : 'AE' });
    expect(await stays('X')).toEqual([]);
  });

  it('that was refused is taken in again, as it was or as corrected, with a dry run first', async () => {
    const wrong = notice('admit', 'R', '2026-11-20T13:05:00Z', { class: { code: 5 } as never });
    expect((await send(wrong)).status).toBe(422);
    const key = encodeURIComponent(`https://hospital.example/fhir|urn:hospital:messages|${wrong.identifier?.value}`);
    const [kept] = (await baton.send('GET', `/ops/deliveries?key=${key}`)).json.items as { id: string }[];
    const replay = async (body: object) =>
      (
        await baton.send('POST', `/ops/deliveries/${kept?.id}/replay`, {
          body: JSON.stringify(body),
          headers: { 'content-type': 'application/json' },
        })
      ).json;
    expect(await replay({})).toMatchObject({ outcome: 'AE', remarks: [{ condition: '207' }] });
    const corrected = { body: JSON.stringify(notice('admit', 'R', '2026-11-20T13:05:00Z')) };
    const changes = expect.arrayContaining([{ op: 'create', type: 'Encounter' }]);
    expect(await replay({ ...corrected, dryRun: true })).toMatchObject({ outcome: 'would-AA', changes });
    expect(await stays('R')).toEqual([]);
    for (const body of ['MSH|', 'null']) expect(await replay({ body })).toMatchObject({ issue: [{ code: 'invalid' }] });
    expect(await replay(corrected)).toMatchObject({ outcome: 'AA', changes });
    expect((await stays('R')).map(({ status }) => status)).toEqual(['in-progress']);
    expect((await baton.send('GET', `/ops/deliveries/${kept?.id}`)).json).toMatchObject({
      outcome: 'AA',
      attempts: 3,
      correctedBy: expect.any(String),
      original: JSON.stringify(wrong),
    });
    expect(await replay({})).toMatchObject({ outcome: 'already-accepted' });
  });

  it('of a year to come does not hide what happens afterwards', async () => {
    const ahead = notice('admit', 'Y', '2999-01-01T00:00:00Z');
    const left = notice('discharge', 'Y', '2026-11-24T17:05:00Z');
    expect([(await send(ahead)).status, (await send({ ...left, timestamp: undefined })).status]).toEqual([200, 200]);
    expect((await stays('Y')).map(({ status }) => status)).toEqual(['finished']);
  });

  it('with the identifier of another message is a conflict', async () => {
    const first = notice('admit', 'E', '2026-11-20T13:05:00Z');
    await send(first);
    const other = { ...notice('admit', 'F', '2026-11-20T13:05:00Z'), identifier: first.identifier };
    expect((await send(other)).status).toBe(409);
  });

  it('needs a token that may write patients and encounters', async () => {
    const message = notice('admit', 'G', '2026-11-20T13:05:00Z');
    expect((await send(message, await baton.token('system/Encounter.cu'))).status).toBe(403);
    const both = await baton.token('system/Encounter.cu system/Patient.cu');
    const diagnosis = {
      resource: { resourceType: 'Condition' as const, id: 'c', subject: { reference: 'Patient/p' } },
    };
    const more = { ...message, entry: [...(message.entry ?? []), diagnosis] };
    // What comes along is written as well.
    expect((await send(more, both)).status).toBe(403);
    expect((await send(message, both)).status).toBe(200);
    expect((await baton.fhir('GET', '/metadata')).text).toContain('MessageHeader-process-message');
  });
});
