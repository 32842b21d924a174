// `baton connect check`: what a person is told about a server before relying on it.
import { afterEach, describe, expect, test } from 'vitest';
import { Fault } from '../../src/fault.ts';
import { EPIC } from '../../src/remote/vendors/epic.ts';
import { type CheckReport, describeReport } from '../../src/sync/connections/check-report.ts';
import type { Connection } from '../../src/sync/connections/settings.ts';
import { makeCertificate } from '../support/certificate.ts';
import { startFakeRemote } from '../support/fake-remote.ts';
import type { Knobs } from '../support/fake-remote-knobs.ts';
import { openWorld, patient, type World } from '../support/sync-world.ts';
import { startTlsFront } from '../support/tls-front.ts';

let world: World;
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function open(connection: Partial<Connection> = {}, knobs: Partial<Knobs> = {}): Promise<World> {
  const readSecret = () => {
    throw new Fault('unavailable', 'The environment variable S is not set.');
  };
  world = await openWorld({ connection, knobs, sync: () => ({ readSecret }) });
  closing.push(() => world.cleanup());
  world.remote.now = Temporal.Now.instant().epochMilliseconds;
  return world;
}
const check = () => world.sync.checkConnection('ehr');
const step = (report: CheckReport, name: string) => report.steps.filter((one) => one.step === name);

/** A statement in which the types can what is written: letters of `crud`, `s` for search; then search parameters. */
function statement(types: Readonly<Record<string, readonly [string, ...string[]]>>, more: object = {}): object {
  const codes = { c: 'create', r: 'read', u: 'update', d: 'delete', s: 'search-type', h: 'history-type' };
  const resource = Object.entries(types).map(([type, [can, ...searchParam]]) => ({
    type,
    interaction: [...can].map((letter) => ({ code: codes[letter as keyof typeof codes] })),
    searchParam: searchParam.map((name) => ({ name, type: 'token' })),
  }));
  return { format: ['json'], ...more, rest: [{ mode: 'server', resource }] };
}

/** As the CapabilityStatements of Epic state it. */
const LIKE_EPIC = statement({
  Patient: ['crs', 'identifier'],
  CarePlan: ['rs', 'patient', 'identifier'],
  Task: ['rsu', 'patient', 'identifier'],
  ServiceRequest: ['crsu', 'patient', 'identifier'],
  DocumentReference: ['crsu', 'patient'],
});

describe('a server that can everything', () => {
  test('is usable, and nothing is written there', async () => {
    await open();
    const report = await check();
    expect(report).toMatchObject({ connection: 'ehr', usable: true });
    expect(report.types.map(({ type, finding }) => [type, finding])).toEqual(
      ['Patient', 'CarePlan', 'Goal', 'Task'].map((type) => [type, 'ok']),
    );
    expect(report.types[0]?.sentence).toBe('Patient can be read by what changed since the last time, can be written.');
    expect(world.remote.writes()).toEqual([]);
    expect(world.remote.requests.every(({ url }) => url.endsWith('_count=1'))).toBe(true);
    const text = describeReport(report);
    expect(text).toMatch(/^ok {4}metadata {2}fake; FHIR 4\.0\.1 in JSON; it takes transactions\.$/m);
    expect(text).toMatch(/can be used\.$/);
  });

  test('is recorded like every exchange, and names no patient', async () => {
    await open({ types: { Patient: 'pull' } });
    world.remote.put(patient('p1', { name: [{ family: 'Unmistakable' }] }));
    expect(JSON.stringify(await check())).not.toContain('Unmistakable');
    const rows = await world.temp.store.query("SELECT outcome, response FROM message WHERE outcome = 'check'");
    expect(rows).toEqual([
      { outcome: 'check', response: null },
      { outcome: 'check', response: null },
    ]);
  });
});

describe('a server like Epic', () => {
  const types = { Patient: 'both', CarePlan: 'both', Task: 'both', ServiceRequest: 'push', Goal: 'push' } as const;

  test('is told about type by type', async () => {
    await open({ vendor: 'epic', types, projections: { CarePlan: 'DocumentReference' } }, { statement: LIKE_EPIC });
    const report = await check();
    expect(report.usable).toBe(true);
    expect(Object.fromEntries(report.types.map(({ type, finding, sentence }) => [type, [finding, sentence]]))).toEqual({
      Patient: [
        'note',
        'Patient can be read patient by patient, can be made there but not changed; a create whose answer is lost is looked for by our identifier.',
      ],
      CarePlan: [
        'ok',
        'CarePlan can be read patient by patient, cannot be written; changes would go out as a DocumentReference.',
      ],
      Task: [
        'note',
        'Task can be read patient by patient, can be changed but not made there; what is new here would go out as a Communication, but the server does not take that either; the server keeps no versions, so Baton looks at it before it writes.',
      ],
      ServiceRequest: [
        'ok',
        'ServiceRequest can be written; the server keeps no versions, so Baton looks at it before it writes; a create whose answer is lost is looked for by our identifier.',
      ],
      Goal: ['ok', 'Goal cannot be written; changes would go out as a DocumentReference.'],
    });
  });

  test('at Oracle Health is not searched by time without a patient, as pulling does not either', async () => {
    const like = statement({ Encounter: ['rs', 'patient', '_lastUpdated'] });
    await open({ vendor: 'oracle', types: { Encounter: 'pull' } }, { statement: like });
    world.remote.knobs.refusals = [{ status: 400 }];
    const [encounter] = (await check()).types;
    expect(encounter).toMatchObject({ finding: 'note', abilities: { pull: 'roster' } });
    expect(encounter?.sentence).toContain('no patient is linked yet to try with');
  });

  test('is asked as pulling asks: with what its searches demand, and for a patient who is linked', async () => {
    await open({ vendor: 'epic', types: { Patient: 'pull', CarePlan: 'pull' } }, { statement: LIKE_EPIC });
    const [first = ''] = EPIC.required.CarePlan ?? [];
    const linked = `INSERT INTO identity (connection, type, local_id, remote_id, state, how, at)
      VALUES ('ehr', 'Patient', 'p1', 'there', 'linked', 'matched-manual', 0)`;
    await world.temp.store.commit({ reference: 'Device/test', kind: 'service' }, [], [{ sql: linked, params: [] }]);
    world.remote.put(patient('there'));
    expect((await check()).types.map(({ finding }) => finding)).toEqual(['ok', 'ok']);
    const urls = world.remote.requests.map(({ url }) => url);
    expect(urls).toEqual(['/Patient/there', `/CarePlan?patient=there&${first}&_count=1`]);
  });

  test('that takes none of the types is not usable', async () => {
    await open({ types: { Goal: 'push' } }, { statement: statement({ Goal: ['rs', 'patient'] }) });
    const report = await check();
    expect(report.usable).toBe(false);
    expect(report.types).toMatchObject([{ finding: 'bad', sentence: 'Goal cannot be written.' }]);
  });

  test('whose searches are refused is told so, by status only', async () => {
    await open({ vendor: 'epic', types: { CarePlan: 'pull', Patient: 'pull' } }, { statement: LIKE_EPIC });
    world.remote.knobs.refusals = [{ status: 400 }, { status: 403 }];
    const report = await check();
    expect(report.types.map(({ finding, sentence }) => [finding, sentence.split('. ')[1]])).toEqual([
      ['note', 'A search without a patient was answered 400, and no patient is linked yet to try with.'],
      ['bad', 'A search was answered 403: the scope does not reach it.'],
    ]);
  });
});

describe('the patients in scope', () => {
  const pulling = { vendor: 'epic', types: { Patient: 'pull' } } as const;

  test('of a Group that is not there are bad', async () => {
    await open({ ...pulling, patients: { kind: 'group', id: 'nobody' } }, { statement: LIKE_EPIC });
    const report = await check();
    expect(report.usable).toBe(false);
    expect(step(report, 'patients')).toMatchObject([{ finding: 'bad' }]);
    expect(step(report, 'patients')[0]?.sentence).toContain('Group/nobody cannot be read, so nothing would come in: ');
  });

  test('of a Group are counted, and of none it is said', async () => {
    await open({ ...pulling, patients: { kind: 'group', id: 'ours' } }, { statement: LIKE_EPIC });
    world.remote.put({ resourceType: 'Group', id: 'ours', type: 'person', actual: true });
    expect(step(await check(), 'patients')).toMatchObject([{ finding: 'note', sentence: 'No patient is in scope.' }]);
    const member = [
      { entity: { reference: 'Patient/there' } },
      { entity: { reference: 'Patient/left' }, inactive: true },
    ];
    world.remote.put({ resourceType: 'Group', id: 'ours', type: 'person', actual: true, member });
    expect(step(await check(), 'patients')).toMatchObject([{ finding: 'ok', sentence: 'Patients in scope: 1.' }]);
  });

  test('of a query that the server refuses are bad; where nothing is pulled nobody is asked for', async () => {
    await open({ ...pulling, patients: { kind: 'query', query: 'colour=red' } }, { statement: LIKE_EPIC });
    world.remote.knobs.refusals = [{ status: 400 }];
    expect(step(await check(), 'patients')).toMatchObject([{ finding: 'bad' }]);
    await open({ types: { Task: 'push' }, patients: { kind: 'group', id: 'nobody' } });
    expect(step(await check(), 'patients')).toEqual([]);
  });
});

describe('a credential that the server refuses', () => {
  test.each([true, false])('is bad, also where no patient is linked to ask about (patients: %s)', async (isPatient) => {
    const type = isPatient ? 'Patient' : 'CarePlan';
    await open({ vendor: 'epic', types: { [type]: 'pull' } }, { statement: LIKE_EPIC });
    world.remote.knobs.refusals = [{ status: 401 }, { status: 401 }];
    const report = await check();
    expect(report.usable).toBe(false);
    expect(report.types).toMatchObject([{ finding: 'bad' }]);
    expect(report.types[0]?.sentence).toContain(
      'A search was answered 401: the server does not accept our credential.',
    );
  });
});

describe('what is wrong on the way is said, and nothing after it is asked', () => {
  test.each([
    ['another FHIR version', { statement: { fhirVersion: '5.0.0' } }, 'metadata', 'The server speaks FHIR 5.0.0'],
    ['no JSON', { statement: { format: ['xml'] } }, 'metadata', 'The server speaks xml, and no JSON.'],
    ['no statement', { statement: { resourceType: 'Basic' } }, 'metadata', '/metadata: The server answered with'],
  ] as const)('%s', async (_, knobs, name, sentence) => {
    await open({}, knobs);
    const report = await check();
    expect(report).toMatchObject({ usable: false, types: [] });
    expect(step(report, name)).toMatchObject([{ finding: 'bad', sentence: expect.stringContaining(sentence) }]);
  });

  test('a base URL that leads elsewhere, to nobody, or to a name that is not there', async () => {
    await open();
    const said = async (baseUrl: string) => {
      Object.assign(world.connection, { baseUrl });
      await world.restart();
      const { steps } = await check();
      return steps.at(-1)?.sentence;
    };
    expect(await said(world.remote.baseUrl.replace('/fhir', '/other'))).toContain('this is no FHIR base URL');
    const gone = await startFakeRemote();
    await gone.close();
    expect(await said(gone.baseUrl)).toBe('No answer: nothing listens there.');
    expect(await said('http://nowhere.invalid/fhir')).toMatch(/^nowhere\.invalid was not found: /);
  });

  test('a secret that is missing, and credentials that are refused', async () => {
    await open({ auth: { type: 'token', token: { env: 'S' } } });
    expect((await check()).steps).toEqual([
      { step: 'settings', finding: 'bad', sentence: 'The environment variable S is not set.' },
    ]);
    const auth = { type: 'client-secret', clientId: 'b', secret: { env: 'S' }, method: 'client_secret_post' } as const;
    Object.assign(world.connection, { auth });
    await world.restart(() => ({ readSecret: () => 'x' }));
    const refused = await check();
    expect(step(refused, 'smart')).toMatchObject([{ finding: 'ok' }]);
    expect(step(refused, 'token')[0]?.sentence).toBe(
      'The token endpoint answered 400 (invalid_client). It does not accept who we are: check auth.clientId, and the secret or the registered key.',
    );
    expect((await world.sync.status())[0]?.breaker.state).toBe('closed');
  });

  test('an algorithm that the server does not verify', async () => {
    const auth = { type: 'smart-backend', clientId: 'b', scope: 's', algorithm: 'ES384' } as const;
    await open({ auth }, { algorithms: ['RS384'] });
    expect((await check()).steps.at(-1)).toMatchObject({ step: 'smart', finding: 'bad' });
    expect(world.remote.tokens.asked).toBe(0);
  });

  test('a clock that is off is no reason to stop', async () => {
    await open({ types: {} });
    world.remote.now = Temporal.Now.instant().subtract({ minutes: 10 }).epochMilliseconds;
    const report = await check();
    expect(step(report, 'clock')).toMatchObject([{ finding: 'note', sentence: expect.stringContaining('s behind') }]);
    expect(report.usable).toBe(true);
    expect(step(report, 'settings')[0]?.sentence).toContain('nothing flows');
  });

  test('certificates', async () => {
    const authority = makeCertificate('authority');
    const server = makeCertificate('server', authority);
    await open();
    const front = await startTlsFront(world.remote.baseUrl, { cert: server.cert, key: server.key });
    closing.push(() => front.close());
    const tls = async (settings: Partial<Connection>, secret: string) => {
      Object.assign(world.connection, { baseUrl: `${front.origin}/fhir`, ...settings });
      await world.restart(() => ({ readSecret: () => secret }));
      return step(await check(), 'tls')[0];
    };
    expect(await tls({}, '')).toMatchObject({ finding: 'bad', sentence: expect.stringContaining('tls.ca') });
    expect(await tls({ tls: { ca: { env: 'CA' } } }, authority.cert)).toEqual({
      step: 'tls',
      finding: 'ok',
      sentence: 'TLSv1.3; its certificate is good until 2099-12-31.',
    });
    const both = { cert: { env: 'C' }, key: { env: 'K' } };
    expect(await tls({ tls: both }, 'no PEM')).toMatchObject({
      finding: 'bad',
      sentence: expect.stringContaining('PEM'),
    });
  });
});

test('another connection to the same server is a note, where both carry a type', async () => {
  world = await openWorld({ others: { second: { connection: { types: { Task: 'pull', Goal: 'pull' } } } } });
  closing.push(() => world.cleanup());
  const notes = async () => {
    const { steps, usable } = await world.sync.checkConnection('ehr');
    expect(usable).toBe(true);
    return steps.filter(({ sentence }) => sentence.includes('same server'));
  };
  expect(await notes()).toEqual([]);
  Object.assign(world.connection, { baseUrl: `${world.remotes.second?.baseUrl}/` });
  const sentence =
    'The connection "second" is to the same server. What both carry (Goal, Task) is linked and exchanged twice, unless their patients differ.';
  expect(await notes()).toEqual([{ step: 'settings', finding: 'note', sentence }]);
  Object.assign(world.connection, { types: { Patient: 'both' } });
  expect(await notes()).toEqual([]);
});

test('a type that is read one by one is not searched, and that nothing new comes in is said; what is not there is not blamed on searches', async () => {
  const types = { Patient: 'pull', Practitioner: 'both', Location: 'pull', Task: 'both' } as const;
  await open(
    { vendor: 'oracle', types },
    {
      statement: statement({
        Patient: ['rs', 'identifier'],
        Practitioner: ['crs', 'identifier'],
        Location: ['rs'],
        Communication: ['c'],
      }),
    },
  );
  const { types: found } = await check();
  expect(world.remote.requests.filter(({ url }) => /\/(Practitioner|Location)\?/.test(url))).toEqual([]);
  expect(found.map(({ finding, sentence }) => [finding, sentence]).slice(1)).toEqual([
    [
      'note',
      'Practitioner can be read one by one once it is linked, so nothing new comes in, can be made there but not changed; a create whose answer is lost is looked for by our identifier.',
    ],
    ['note', 'Location can be read one by one once it is linked, so nothing new comes in.'],
    ['note', 'Task cannot be read, cannot be written; changes would go out as a Communication.'],
  ]);
});
