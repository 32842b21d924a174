// Whose records flow is asked of the server before each pull; what it does not say is told. docs/strategies.md#roster
import { afterEach, expect, test } from 'vitest';
import type { Connection } from '../../src/sync/connections/settings.ts';
import { openWorld, patient, type World } from '../support/sync-world.ts';

let world: World;
afterEach(() => world.cleanup());

const opened = async (patients: Connection['patients']) => {
  world = await openWorld({ connection: { types: { Patient: 'pull' }, ...(patients ? { patients } : {}) } });
  world.remote.put(patient('r1'));
};
const messages = (outcome: string) =>
  world.temp.store.query('SELECT type, detail FROM message WHERE outcome = ? ORDER BY at', [outcome]);

test('a Group that is gone is said to stop the pull, where a stalled pull is looked for', async () => {
  await opened({ kind: 'group', id: 'g1' });
  await world.sync.pullNow();
  expect(await messages('stopped')).toEqual([
    { type: 'Patient', detail: expect.stringMatching(/^Group\/g1 .* nothing is read: The server answered 404/) },
  ]);
  world.remote.put({ resourceType: 'Group', id: 'g1', type: 'person', actual: true, member: [] });
  await world.sync.pullNow();
  expect(await messages('stopped')).toHaveLength(1);
});

test('a query whose answer may leave some out is noted, and by the check as well', async () => {
  await opened({ kind: 'query', query: 'gender=unknown,female,male' });
  await world.sync.pullNow();
  expect(await messages('patients-in-scope')).toEqual([{ type: 'Patient', detail: null }]);
  expect(await finding()).toBe('ok');
  world.remote.knobs.warnings = { Patient: '4127' };
  await world.sync.pullNow();
  const [, second] = await messages('patients-in-scope');
  expect(second?.detail).toContain('4127');
  expect(await finding()).toBe('note');
});

async function finding(): Promise<string | undefined> {
  const { steps } = await world.sync.checkConnection('ehr');
  return steps.find(({ step }) => step === 'patients')?.finding;
}
