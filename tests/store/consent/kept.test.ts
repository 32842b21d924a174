// The rules of consents stand and fall with the Consent: written in its commit, replaced, removed, and made up for when a
// database is older than they are.
import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Consent } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Asker } from '../../../src/fhir/consent/asker.ts';
import { NO_LABEL_POLICY } from '../../../src/fhir/consent/label-policy.ts';
import { withheldCondition } from '../../../src/fhir/search/withheld.ts';
import { actCode, actor, consent } from '../../support/consents.ts';
import { create, faultOf, NURSE, observation, patient, update } from '../../support/store-fixtures.ts';
import { testParameters } from '../../support/store-rules.ts';
import { openTempStore, type TempStore } from '../../support/temp-store.ts';

const MIGRATIONS = new URL('../../../src/store/migrations', import.meta.url).pathname;
const ASKER: Asker = { actors: ['Practitioner/12'], purposes: ['TREAT'], at: 1_800_000_000_000, external: false };
const CONDITION = withheldCondition(testParameters, 'Observation', ASKER, NO_LABEL_POLICY);

let temp: TempStore;
beforeEach(async () => {
  temp = await openTempStore();
  await put(patient('1', { id: 'p1' }), observation('Patient/p1', { id: 'o1' }));
});
afterEach(() => temp.cleanup());

const put = (...resources: Parameters<typeof update>[0][]) =>
  temp.store.commit(
    NURSE,
    resources.map((resource) => update(resource)),
  );
const rules = async () => Number((await temp.store.query('SELECT COUNT(*) AS n FROM consent_rule'))[0]?.n);
const isWithheld = async () => (await temp.store.withholding('Observation', 'o1', CONDITION)).withheld;

test('a consent holds from its commit on, changes with it and ends with it', async () => {
  expect(await isWithheld()).toBe(false);
  await put(consent('OPTOUT'));
  expect(await isWithheld()).toBe(true);
  await put(consent('OPTOUT', { type: 'permit', actor: [actor('Practitioner/12')] }));
  expect(await isWithheld()).toBe(false);
  await put(consent('OPTOUT'));
  await temp.store.commit(NURSE, [{ op: 'delete', type: 'Consent', id: 'c1' }]);
  expect(await isWithheld()).toBe(false);
  expect(await rules()).toBe(0);
  await put(consent('OPTOUT'));
  expect(await isWithheld()).toBe(true);
  await put(consent('OPTOUT', undefined, { status: 'inactive' }));
  expect(await rules()).toBe(0);
});

test('a commit that fails leaves no rule, and neither takes one away', async () => {
  await put(consent('OPTOUT', undefined, { id: 'before' }));
  const broken = { sql: 'UPDATE cursor SET sequence = 1 WHERE name = ?', params: ['nobody'], rows: 1 };
  const changes = [update(consent('OPTOUT')), update(consent('OPTIN', undefined, { id: 'before' }))];
  await faultOf(temp.store.commit(NURSE, changes, [broken]));
  expect(await rules()).toBe(1);
  expect((await temp.store.withholding('Observation', 'o1', CONDITION)).consents).toEqual(['before']);
});

test('commits that share a transaction fail one by one', async () => {
  const tooMany = consent('OPTIN', {
    type: 'deny',
    actor: Array.from({ length: 60 }, (_, i) => actor(`Practitioner/${i}`)),
    securityLabel: Array.from({ length: 60 }, (_, i) => actCode(`L${i}`)),
  });
  const [refused, taken] = await Promise.allSettled([put({ ...tooMany, id: 'big' }), put(consent('OPTOUT'))]);
  expect(refused).toMatchObject({ status: 'rejected', reason: { issues: [{ code: 'too-costly' }] } });
  expect(taken.status).toBe('fulfilled');
  expect(await temp.store.read('Consent', 'big')).toBeUndefined();
  expect(await rules()).toBe(1);
});

test('a consent whose patient is a conditional reference is one of the patient that it finds', async () => {
  const conditional = consent('OPTOUT', undefined, { patient: { reference: 'Patient?identifier=urn:test|1' } });
  const { id: _, ...fresh } = conditional;
  await temp.store.commit(NURSE, [create(fresh as Consent), create(observation('Patient/p1'))]);
  expect(await isWithheld()).toBe(true);
  expect(await rules()).toBe(1);
});

test('a guarded read knows of consents in the same statement', async () => {
  expect(await temp.store.mayWithhold([])).toBe(false);
  await put(consent('OPTIN'));
  expect(await temp.store.mayWithhold([])).toBe(false);
  await put(consent('OPTOUT', undefined, { patient: { reference: 'Patient/other' } }));
  expect(await temp.store.mayWithhold([])).toBe(true);
});

describe('a database that has consents and no rules', () => {
  const forget = async (...more: string[]) => {
    const statements = ['DELETE FROM consent_rule', "DELETE FROM setting WHERE key = 'consent-rules'", ...more];
    await temp.store.commit(
      NURSE,
      [],
      statements.map((sql) => ({ sql, params: [] })),
    );
  };

  test('gets them when it is opened', async () => {
    await put(...Array.from({ length: 450 }, (_, i) => consent('OPTOUT', undefined, { id: `c${i}` })));
    await put(consent('OPTOUT', undefined, { id: 'over', status: 'inactive' }));
    await forget();
    expect(await isWithheld()).toBe(false);
    await temp.reopen();
    expect(await rules()).toBe(450);
    expect(await isWithheld()).toBe(true);
  });

  test('of the schema before them, too', async () => {
    await temp.cleanup();
    // Of later migrations only what every write needs: the others would have to be undone as well.
    const folder = await mkdtemp(join(tmpdir(), 'baton-migrations-'));
    for (const name of await readdir(MIGRATIONS)) {
      if (name < '0009' || name === '0011_patients.sql') await copyFile(join(MIGRATIONS, name), join(folder, name));
    }
    temp = await openTempStore({ migrations: folder });
    await put(patient('1', { id: 'p1' }), observation('Patient/p1', { id: 'o1' }), consent('OPTOUT'));
    await forget(
      'DROP TABLE consent_rule',
      'DROP INDEX outbox_withheld',
      'ALTER TABLE resource DROP COLUMN patients',
      "DELETE FROM migration WHERE name IN ('0008_consent.sql', '0011_patients.sql')",
    );
    await temp.reopen();
    expect(await isWithheld()).toBe(true);
    await rm(folder, { recursive: true });
  });

  test('one that would need too many rules keeps everything', async () => {
    await put(consent('OPTIN', { type: 'deny', actor: [actor('Practitioner/99')] }));
    const [row] = await temp.store.query("SELECT content FROM resource WHERE type = 'Consent'");
    const stored = JSON.parse(String(row?.content)) as Consent;
    const many = Array.from({ length: 2_001 }, (_, i) => actor(`Practitioner/${i + 100}`));
    const big = JSON.stringify({ ...stored, provision: { type: 'deny', actor: many } });
    const statement = { sql: "UPDATE resource SET content = ? WHERE type = 'Consent'", params: [big] };
    await temp.store.commit(NURSE, [], [statement]);
    await forget();
    await temp.reopen();
    expect(await rules()).toBe(1);
    expect(await isWithheld()).toBe(true);
  });
});
