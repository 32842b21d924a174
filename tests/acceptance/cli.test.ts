// The `baton` command as a person runs it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runBaton, startBaton, type Told } from '../support/baton-command.ts';
import { PROFILE, patientProfile, searchParameter } from '../support/guide-artefacts.ts';
import { packGuide } from '../support/guide-package.ts';

const ROOT = join(import.meta.dirname, '../..');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const told = (words: readonly string[], input = '', settings: Record<string, string> = {}): Told => ({
  ...{ words, input },
  settings: {
    BATON_SANDBOX: 'off',
    BATON_LOG_LEVEL: 'error',
    BATON_DATABASE_URL: `sqlite:${join(folder, 'baton.db')}`,
    ...settings,
  },
});

const baton = (...words: string[]) => runBaton(told(words));
/** The process itself: for what it prints where, what it reads and how it ends. */
const started = (...words: string[]) => startBaton(told(words));

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  const text = JSON.stringify(content);
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text);
  return path;
}

const PATIENT = { resourceType: 'Patient', id: 'p1', name: [{ family: 'Example' }] };
const BUNDLE = {
  resourceType: 'Bundle',
  type: 'transaction',
  entry: [
    {
      fullUrl: 'urn:uuid:5f0d4d2a-6d0b-4c07-9d5a-0a3f1a2b3c4d',
      resource: PATIENT,
      request: { method: 'POST', url: 'Patient' },
    },
    {
      resource: {
        resourceType: 'Task',
        status: 'requested',
        intent: 'order',
        for: { reference: 'urn:uuid:5f0d4d2a-6d0b-4c07-9d5a-0a3f1a2b3c4d' },
      },
      request: { method: 'POST', url: 'Task' },
    },
  ],
};

// Some of its tests start processes.
describe('baton', { timeout: 120_000 }, () => {
  test('lists its commands, and says so when it does not know one', async () => {
    expect((await baton()).out).toContain('audit verify');
    expect(await started('dance')).toMatchObject({ code: 1, err: expect.stringContaining('no command "dance"') });
    expect(await baton('token', '--scoop', 'x')).toMatchObject({ code: 1, err: expect.stringContaining('--scoop') });
  });

  test('ends quietly when who reads it has seen enough', async () => {
    const child = spawn(process.execPath, ['src/cli.ts'], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    const told: Buffer[] = [];
    child.stderr.on('data', (data: Buffer) => told.push(data));
    const [code] = await once(child, 'close');
    expect([code, Buffer.concat(told).toString()]).toEqual([0, '']);
  });

  test('doctor finds a new installation in order', async () => {
    const { code, out } = await started('doctor');
    expect(out).toMatch(/^ok .*can be written/m);
    expect(out).toMatch(/^ok +transport: HTTP on loopback/m);
    expect(out).toMatch(/^BAD +facilities: none/m);
    expect(code).toBe(1);
  });

  test('follow-ups of the sandbox are those of its hospital, not of anywhere', async () => {
    const settings = { BATON_SANDBOX: 'on', BATON_LOG_LEVEL: 'warn' };
    const { code, out, err } = await runBaton(told(['follow-ups'], '', settings));
    expect({ code, out }).toEqual({ code: 0, out: '0 messages could not be delivered\n' });
    expect(err).not.toContain('no facility is configured');
  });

  test('token prints a token with the scope asked for, and keeps its key to itself', async () => {
    const { out } = await started('token', '--scope', 'system/Task.rs', '--minutes', '5');
    const claims = JSON.parse(Buffer.from(out.split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({ scope: 'system/Task.rs', aud: 'http://127.0.0.1:8080/fhir/R4' });
    expect(claims.exp - claims.iat).toBe(300);
    expect(statSync(join(folder, 'keys.json')).mode & 0o777).toBe(0o600);
    expect((await baton('token', '--minutes', '0')).code).toBe(1);
  });

  test('what is about data that is there makes no database where there is none', async () => {
    const path = join(folder, 'typo', 'baton.db');
    const settings = { BATON_DATABASE_URL: `sqlite:${path}` };
    for (const line of [
      'sync pull',
      'connect mode ehr off',
      'conflicts',
      'messages',
      'deliveries',
      'follow-ups',
      'backup x',
    ]) {
      const { code, err } = await runBaton(told(line.split(' '), '', settings));
      expect({ line, code }).toEqual({ line, code: 1 });
      expect(err).toContain(`There is no database at ${path} yet, and nothing was done`);
    }
    expect(existsSync(join(folder, 'typo'))).toBe(false);
  });

  test('a fault is said once, and what a configuration file may say instead is named', async () => {
    const { err } = await baton('messages', 'class=typo');
    expect(err).toBe('class must be success, transient, ambiguous, conflict, permanent, auth.\n');
    const connections = [{ name: 'ehr', baseUrl: 'https://ehr.example.org/fhir', mode: 'of' }];
    const settings = { BATON_CONFIG: file('mode.json', { connections }) };
    const refused = await runBaton(told(['connect', 'list'], '', settings));
    expect(refused.err).toContain(
      '/connections/0/mode must be equal to one of the allowed values (off, dry-run, pull, push, both)',
    );
  });

  test('import commits transactions and single resources, gzipped too', async () => {
    expect((await baton('import', file('bundle.json.gz', BUNDLE), file('patient.json', PATIENT))).out).toMatch(
      /2 of 2 resources written[\s\S]*1 of 1 resources written/,
    );
    const broken = await baton('import', file('broken.json', { ...PATIENT, birthDate: '2026-02-30' }));
    expect(broken).toMatchObject({ code: 1, err: expect.stringContaining('Patient.birthDate') });
    const channel = { type: 'rest-hook', endpoint: 'https://app.example/hook' };
    const subscription = { resourceType: 'Subscription', status: 'requested', reason: 'x', criteria: 'Task?', channel };
    const refused = await baton('import', file('subscription.json', subscription));
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('made over HTTP') });
  });

  test('validate names the element and changes nothing', async () => {
    expect((await baton('validate', file('good.json', PATIENT))).out).toContain('valid');
    const action = [{ id: 'call', title: 'Call', relatedAction: [{ actionId: 'visit', relationship: 'after' }] }];
    const pathway = { resourceType: 'PlanDefinition', status: 'active', url: 'urn:p', name: 'P', action };
    const task = { resourceType: 'Task', status: 'dancing', intent: 'order' };
    const bad = await baton('validate', file('bad.json', task), file('pathway.json', pathway));
    expect(bad).toMatchObject({ code: 1, out: expect.stringContaining('Task.status') });
    expect(bad.out).toContain('Pathway P, action call: it is related to visit');
  });

  test('a guide is added, gone by, listed and removed; a file that cannot be read is said', async () => {
    const archive = join(folder, 'guide.tgz');
    writeFileSync(archive, packGuide({ resources: [patientProfile('1.0.0', 'gender'), searchParameter()] }));
    expect(await baton('guide', 'add', archive, '/nowhere.tgz')).toMatchObject({
      code: 1,
      out: expect.stringContaining('org.example.guide@1.0.0: added'),
      err: expect.stringContaining('ENOENT'),
    });
    const claiming = file('claiming.json', { ...PATIENT, meta: { profile: [PROFILE] } });
    expect(await baton('validate', claiming)).toMatchObject({
      code: 1,
      out: expect.stringContaining('Patient.gender'),
    });
    expect((await baton('guide', 'list')).out).toMatch(/org\.example\.guide@1\.0\.0 .* 1 profiles/);
    expect((await baton('guide', 'remove', 'org.example.guide@1.0.0')).code).toBe(0);
    expect((await baton('reindex')).out).toContain('Every resource is indexed');
  });

  test('backup is a whole database and recorded; audit seal and verify find a changed record', async () => {
    const copy = join(folder, 'copy.db');
    expect((await baton('backup', copy)).code).toBe(0);
    const count = 'SELECT COUNT(*) AS n FROM version';
    expect(new DatabaseSync(copy, { readOnly: true }).prepare(count).get()).toEqual({ n: 3 });
    const recorded = 7;
    expect((await baton('audit', 'verify')).out).toContain(`${recorded} records and 0 seals verified`);
    const seal = file('kept.txt', 'x');
    writeFileSync(seal, (await baton('audit', 'seal')).out);
    expect((await baton('audit', 'verify', '--from', seal)).out).toMatch(
      /7 records and 1 seals.*1 seals kept elsewhere/s,
    );
    const database = new DatabaseSync(join(folder, 'baton.db'));
    database.exec("UPDATE audit SET actor = 'somebody else' WHERE sequence = 2");
    database.close();
    expect(await baton('audit', 'verify')).toMatchObject({
      code: 1,
      out: expect.stringContaining('Record 2 is not what was written'),
    });
  });

  test('registers applications, shows a secret once, and keeps its hash only', async () => {
    const scope = 'launch/patient patient/*.rs';
    const added = await baton('client', 'add', 'app', '--scope', scope, '--redirect', 'https://app.example/cb');
    const secret = /shown only now: (\S+)/.exec(added.out)?.[1] ?? 'none';
    expect(secret.length).toBeGreaterThan(40);
    const listed = await baton('client', 'list');
    expect(listed.out).toContain('app  app  confidential  https://app.example/cb  launch/patient patient/*.rs');
    const rows = new DatabaseSync(join(folder, 'baton.db')).prepare('SELECT * FROM oauth_client').all();
    expect(JSON.stringify([rows, listed.out])).not.toContain(secret);
    expect(
      (await baton('client', 'add', 'app', '--scope', scope, '--public', '--redirect', 'https://x.example')).err,
    ).toContain('There is a client app already.');
    expect((await baton('client', 'remove', 'app')).code).toBe(0);
    expect(await baton('client', 'remove', 'app')).toMatchObject({
      code: 1,
      err: expect.stringContaining('There is no client app.'),
    });
  });

  test('lets people sign in, with a password that comes from standard input', async () => {
    const add = (password: string) => told(['user', 'add', 'grey', '--fhir-user', 'Practitioner/1'], `${password}\n`);
    expect((await runBaton(add('short'))).err).toContain('A password has 12 to 1024 characters.');
    expect((await startBaton(add('long enough for this'))).out).toContain('grey may sign in as Practitioner/1.');
    expect((await baton('user', 'disable', 'grey')).code).toBe(0);
    expect((await baton('user', 'list')).out).toContain('grey  Practitioner/1  disabled');
    const database = new DatabaseSync(join(folder, 'baton.db'));
    expect(JSON.stringify(database.prepare('SELECT * FROM oauth_account').all())).not.toMatch(/long/);
    const trail = database.prepare("SELECT interaction, query FROM audit WHERE interaction LIKE 'user-%'").all();
    expect(trail.map(({ interaction, query }) => `${interaction} ${query}`)).toEqual([
      'user-add user=grey&fhirUser=Practitioner%2F1',
      'user-disable user=grey',
    ]);
  });
});
