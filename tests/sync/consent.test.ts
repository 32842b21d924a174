// What a consent or a label keeps from the other side of a connection is not sent, and is sent when that changes.
// docs/sync-spec.md#I30
import type { Consent } from '@medplum/fhirtypes';
import { afterEach, expect, test } from 'vitest';
import { feedOutbox } from '../../src/sync/push/feed.ts';
import { actCode, actor, consent, purpose, resourceType } from '../support/consents.ts';
import { NURSE, openWorld, patient, task, type World, type WorldOptions } from '../support/sync-world.ts';

let world: World;
afterEach(() => world.cleanup());

const TYPES = { Patient: 'push', Task: 'push' } as const;

async function open(connection: WorldOptions['connection'] = {}): Promise<void> {
  world = await openWorld({ connection: { recipient: 'Organization/12', types: TYPES, ...connection } });
}

async function outbox(): Promise<Record<string, string>> {
  const rows = await world.temp.store.query('SELECT type, local_id, state FROM outbox ORDER BY at, upto_sequence');
  return Object.fromEntries(rows.map(({ type, local_id, state }) => [`${type}/${local_id}`, String(state)]));
}
const sent = (type: string) => world.remote.all(type).length;
const put = (resource: Consent) => world.write(resource as Consent & { id: string });
const optOut = (more: Partial<Consent> = {}) => put(consent('OPTOUT', undefined, more));

test('a withheld resource stays here, is told, and goes when the consent is withdrawn', async () => {
  await open();
  await optOut();
  await world.write(patient('p1'));
  await world.write(task('t1'));
  await world.write(patient('p2'));
  await world.sync.pushNow();
  expect(await outbox()).toEqual({ 'Patient/p1': 'withheld', 'Task/t1': 'withheld', 'Patient/p2': 'sent' });
  expect([sent('Patient'), sent('Task')]).toEqual([1, 0]);
  expect(world.events.filter(({ kind }) => kind === 'withheld')).toHaveLength(2);
  const [status] = await world.sync.status();
  expect(status?.outbox).toMatchObject({ withheld: 2, sent: 1 });
  await optOut({ status: 'inactive' });
  await world.sync.pushNow();
  expect(await outbox()).toEqual({ 'Patient/p1': 'sent', 'Task/t1': 'sent', 'Patient/p2': 'sent' });
  expect([sent('Patient'), sent('Task')]).toEqual([2, 1]);
});

test('deleting the consent, or giving it to another patient, sends what it kept', async () => {
  await open();
  await optOut();
  await world.write(patient('p1'));
  await world.sync.pushNow();
  await optOut({ patient: { reference: 'Patient/p2' } });
  await world.write(patient('p2'));
  await world.sync.pushNow();
  expect(await outbox()).toEqual({ 'Patient/p1': 'sent', 'Patient/p2': 'withheld' });
  await world.temp.store.commit(NURSE, [{ op: 'delete', type: 'Consent', id: 'c1' }]);
  await world.sync.pushNow();
  expect(await outbox()).toEqual({ 'Patient/p1': 'sent', 'Patient/p2': 'sent' });
});

test('only the recipient and the purpose of the connection are asked about', async () => {
  await open({ purpose: 'HPAYMT' });
  await put(
    consent('OPTOUT', {
      provision: [{ type: 'permit', actor: [actor('Organization/12')], purpose: [purpose('HPAYMT')] }],
    }),
  );
  await put(consent('OPTIN', { type: 'deny', actor: [actor('Organization/99')] }, { id: 'c2' }));
  await world.write(patient('p1'));
  await world.sync.pushNow();
  expect(await outbox()).toEqual({ 'Patient/p1': 'sent' });
});

test('a connection that does not say who it is gets nothing that is denied to anybody', async () => {
  await open();
  await world.cleanup();
  world = await openWorld({ connection: { types: TYPES } });
  await put(consent('OPTIN', { type: 'deny', actor: [actor('Organization/99')] }));
  await world.write(patient('p1'));
  await world.sync.pushNow();
  expect(await outbox()).toEqual({ 'Patient/p1': 'withheld' });
});

test('what was sent stays there; later versions do not follow until they may', async () => {
  await open();
  await world.write(patient('p1'));
  await world.sync.pushNow();
  await optOut();
  await world.write(patient('p1', { birthDate: '1951-02-01' }));
  await world.sync.pushNow();
  const births = () => world.remote.all('Patient').map((each) => (each as { birthDate?: string }).birthDate);
  expect(births()).toEqual(['1950-02-01']);
  await optOut({ status: 'inactive' });
  await world.sync.pushNow();
  expect(births()).toEqual(['1951-02-01']);
});

test('what refers to a withheld resource goes without it, with a logical reference', async () => {
  await open();
  await put(consent('OPTIN', { type: 'deny', class: [resourceType('Patient')] }));
  await world.write(patient('p1'));
  await world.write(task('t1'));
  await world.sync.pushNow();
  expect(await outbox()).toEqual({ 'Patient/p1': 'withheld', 'Task/t1': 'sent' });
  const [remote] = world.remote.all('Task') as { for?: { reference?: string; identifier?: { value?: string } } }[];
  expect(remote?.for).toMatchObject({ identifier: { value: 'p1' } });
  expect(remote?.for?.reference).toBeUndefined();
});

test('a label that needs a permit keeps a resource here until a consent names it', async () => {
  await open();
  const labelled = task('o1', { meta: { security: [actCode('42CFRPart2')] } });
  await world.write(patient('p1'));
  await world.write(labelled);
  await world.sync.pushNow();
  expect(await outbox()).toEqual({ 'Patient/p1': 'sent', 'Task/o1': 'withheld' });
  const release = {
    type: 'permit' as const,
    actor: [actor('Organization/12')],
    securityLabel: [actCode('42CFRPart2')],
  };
  await put(consent('OPTIN', release));
  await world.sync.pushNow();
  expect(await outbox()).toEqual({ 'Patient/p1': 'sent', 'Task/o1': 'sent' });
});

test('a consent that ends by itself lets go without anybody writing', async () => {
  await open();
  const end = Temporal.Now.instant().add({ hours: 48 }).toString().slice(0, 10);
  await put(consent('OPTOUT', { period: { end } }));
  await world.write(patient('p1'));
  await world.sync.pushNow();
  world.pass({ hours: 12 });
  await world.sync.pushNow();
  expect(await outbox()).toEqual({ 'Patient/p1': 'withheld' });
  world.pass({ hours: 72 });
  await world.sync.pushNow();
  expect(await outbox()).toEqual({ 'Patient/p1': 'sent' });
});

test('a consent that is withdrawn while it is being asked is not missed', async () => {
  await open();
  await optOut();
  await world.write(patient('p1'));
  let isFirst = true;
  await world.restart((store) => ({
    store: {
      ...store,
      async withholding(type, id, condition) {
        const answer = await store.withholding(type, id, condition);
        if (isFirst) {
          isFirst = false;
          await optOut({ status: 'inactive' });
          // Another process looks at the log, and finds nothing withheld to take up.
          const { signal } = new AbortController();
          await feedOutbox({ store, connection: world.connection, clock: world.temp.clock, signal });
        }
        return answer;
      },
    },
  }));
  await world.sync.pushNow();
  await world.sync.pushNow();
  expect(await outbox()).toEqual({ 'Patient/p1': 'sent' });
});

test('who lost its claim while it asked does not set aside what another process has sent since', async () => {
  await open();
  await optOut();
  await world.write(patient('p1'));
  let isFirst = true;
  await world.restart((store) => ({
    store: {
      ...store,
      async withholding(type, id, condition) {
        const answer = await store.withholding(type, id, condition);
        if (isFirst) {
          isFirst = false;
          await optOut({ status: 'inactive' });
          world.pass({ minutes: 3 });
          const another = world.another();
          // The claim was interrupted, for all it knows: it looks there, and sends when it has looked long enough.
          await another.pushNow();
          world.pass({ minutes: 3 });
          await another.pushNow();
          await another.stop();
        }
        return answer;
      },
    },
  }));
  await world.sync.pushNow();
  expect(await outbox()).toEqual({ 'Patient/p1': 'sent' });
  expect(sent('Patient')).toBe(1);
  expect(world.events.filter(({ kind }) => kind === 'withheld')).toEqual([]);
});

test('another recipient is asked about after a restart', async () => {
  await open();
  await put(consent('OPTIN', { type: 'deny', actor: [actor('Organization/12')] }));
  await world.write(patient('p1'));
  await world.sync.pushNow();
  expect(await outbox()).toEqual({ 'Patient/p1': 'withheld' });
  await world.restart(() => ({ connections: [{ ...world.connection, recipient: 'Organization/13' }] }));
  await world.sync.pushNow();
  expect(await outbox()).toEqual({ 'Patient/p1': 'sent' });
});

test('a dry run says so and shows no body', async () => {
  await open({ mode: 'dry-run' });
  await optOut();
  await world.write(patient('p1'));
  await world.sync.pushNow();
  const rows = await world.temp.store.query("SELECT outcome, request, response FROM message WHERE local_id = 'p1'");
  expect(rows).toEqual([{ outcome: 'withheld', request: null, response: null }]);
});

test('a consent may name the other side by its identifier', async () => {
  await open();
  await world.write({
    resourceType: 'Organization',
    id: '12',
    name: 'Other side',
    identifier: [{ system: 'urn:org', value: '5' }],
  });
  const reference = { identifier: { system: 'urn:org', value: '5' } };
  const deny = { type: 'deny' as const, actor: [{ role: { text: 'recipient' }, reference }] };
  await put(consent('OPTIN', deny));
  await world.write(patient('p1'));
  await world.sync.pushNow();
  expect(await outbox()).toEqual({ 'Patient/p1': 'withheld' });
});
