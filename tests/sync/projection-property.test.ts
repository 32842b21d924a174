// Whatever happens in whatever order, in the end exactly one document stands for a plan that holds and none for one that
// does not, and it says what is true here. docs/sync-spec.md#I31
import type { DocumentReference, Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonOf } from '../../src/sync/body.ts';
import { saveLink } from '../../src/sync/identity.ts';
import { consent } from '../support/consents.ts';
import { EPIC_DOORS, type Knobs, ORACLE_DOORS } from '../support/fake-remote-knobs.ts';
import { carePlan, NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

const STEPS = [
  'edit',
  'goal',
  'task',
  'mistake',
  'delete',
  'consent',
  'push',
  'pull',
  'lose',
  'drop',
  'wait',
  'restart',
] as const;
type Step = (typeof STEPS)[number];

const goal = (id: string, text: string): Resource & { id: string } => ({
  resourceType: 'Goal',
  id,
  lifecycleStatus: 'active',
  description: { text },
  subject: { reference: 'Patient/p1' },
});

const PARTS = { goal: [{ reference: 'Goal/g1' }], activity: [{ reference: { reference: 'Task/t1' } }] };

interface Truth {
  title: string;
  goal: string;
  task: string;
  holds: boolean;
  isMistake: boolean;
  shown: boolean;
}

async function begin(vendor: 'epic' | 'oracle', knobs: Partial<Knobs>): Promise<World> {
  const types = { CarePlan: 'both', Goal: 'both', Task: 'both', DocumentReference: 'pull' } as const;
  const projections = { Task: 'DocumentReference' } as const;
  const connection = { vendor, types, projections, recipient: 'Organization/12' };
  const world = await openWorld({ knobs, connection });
  const there = world.remote.put(patient('there'));
  const link = { connection: 'ehr', type: 'Patient', localId: 'p1', remoteId: 'there', remoteVersion: undefined };
  const known = { remoteHash: undefined, baseVersion: '1', baseLocal: undefined, baseRemote: jsonOf(there) };
  await world.temp.store.commit(
    NURSE,
    [
      patient('p1'),
      goal('g1', 'Goal 0'),
      task('t1', { description: 'Task 0' }),
      carePlan('c1', { title: 'Plan 0', ...PARTS }),
    ].map((resource) => ({ op: 'update' as const, resource })),
    [saveLink({ ...link, ...known, state: 'linked', how: 'matched-manual' }, 0)],
  );
  return world;
}

async function take(world: World, step: Step, turn: number, truth: Truth): Promise<void> {
  switch (step) {
    case 'edit':
      // A plan that was a mistake stays one: who wants it after all makes it anew.
      if (truth.isMistake) await world.temp.store.commit(NURSE, [{ op: 'delete', type: 'CarePlan', id: 'c1' }]);
      Object.assign(truth, { title: `Plan ${turn}`, holds: true, isMistake: false });
      await world.write(carePlan('c1', { title: truth.title, ...PARTS }));
      return;
    case 'goal':
      truth.goal = `Goal ${turn}`;
      await world.write(goal('g1', truth.goal));
      return;
    case 'task':
      truth.task = `Task ${turn}`;
      await world.write(task('t1', { description: truth.task }));
      return;
    case 'mistake':
      Object.assign(truth, { holds: false, isMistake: true });
      await world.write(carePlan('c1', { title: truth.title, status: 'entered-in-error', ...PARTS }));
      return;
    case 'delete':
      if (truth.holds) await world.temp.store.commit(NURSE, [{ op: 'delete', type: 'CarePlan', id: 'c1' }]);
      truth.holds = false;
      return;
    case 'consent': {
      truth.shown = !truth.shown;
      const data = [{ meaning: 'instance' as const, reference: { reference: 'Goal/g1' } }];
      const more = { status: truth.shown ? ('inactive' as const) : ('active' as const) };
      await world.write(consent('OPTIN', { type: 'deny', data }, more) as Resource & { id: string });
      return;
    }
    case 'push':
      return world.sync.pushNow();
    case 'pull':
      return world.sync.pullNow();
    case 'lose':
    case 'drop':
      world.remote.knobs.dropWrite = step === 'lose' ? 'after' : 'before';
      return;
    case 'wait':
      world.pass({ minutes: 20 });
      return;
    case 'restart':
      return world.restart();
  }
}

async function end(world: World): Promise<DocumentReference[]> {
  world.remote.knobs.dropWrite = undefined;
  for (let round = 0; round < 5; round += 1) {
    world.pass({ minutes: 20 });
    await world.sync.pullNow();
    await world.sync.pushNow();
  }
  const writes = world.remote.writes().length;
  await world.sync.pushNow();
  expect(world.remote.writes()).toHaveLength(writes);
  expect(await world.all('DocumentReference')).toEqual([]);
  const [status] = await world.sync.status();
  expect(status?.outbox).toMatchObject({ queued: 0, sending: 0, parked: 0, rejected: 0 });
  return world.remote.all('DocumentReference') as DocumentReference[];
}

/** Those that hold: current, and not replaced by another one. */
function holding(documents: readonly DocumentReference[]): DocumentReference[] {
  const replaced = documents.flatMap(({ relatesTo }) => (relatesTo ?? []).map(({ target }) => target?.reference));
  return documents.filter(({ id, status }) => status === 'current' && !replaced.includes(`DocumentReference/${id}`));
}

const textOf = (document: DocumentReference | undefined) =>
  Buffer.from(document?.content?.[0]?.attachment?.data ?? '', 'base64').toString();

const BARE = { conditionalCreate: false, transactions: false };
const CREATE_ONLY = {
  interactions: ['read', 'search-type', 'create'],
  search: ['patient', 'identifier', '_lastUpdated'],
};
const SERVERS = {
  epic: ['epic', { ...BARE, doors: EPIC_DOORS, versioning: false }],
  'without updates': ['epic', { ...BARE, doors: { ...EPIC_DOORS, DocumentReference: CREATE_ONLY } }],
  oracle: [
    'oracle',
    { ...BARE, doors: ORACLE_DOORS, requireIfMatch: true, forgets: ['identifier', 'masterIdentifier', 'relatesTo'] },
  ],
} as const;

test.each(Object.entries(SERVERS))(
  'one document in the end, and a true one: %s',
  async (name, [vendor, knobs]) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...STEPS), { minLength: 4, maxLength: 24 }), async (steps) => {
        const world = await begin(vendor, knobs);
        const truth: Truth = {
          title: 'Plan 0',
          goal: 'Goal 0',
          task: 'Task 0',
          holds: true,
          isMistake: false,
          shown: true,
        };
        try {
          for (const [turn, step] of steps.entries()) await take(world, step, turn + 1, truth);
          const found = holding(await end(world));
          const plans = found.filter(({ type }) => type?.text?.startsWith('Care plan'));
          expect(plans.map(({ type }) => type?.text)).toEqual(truth.holds ? [`Care plan: ${truth.title}`] : []);
          if (!truth.holds || name === 'oracle') return;
          const text = textOf(plans[0]);
          expect([text.includes(truth.goal), text.includes('may not contain')]).toEqual([truth.shown, !truth.shown]);
          expect(text).toContain(truth.task);
          // What the plan carries has no document of its own beside it; what was sent and is kept back now is left alone.
          const own = found.flatMap(({ type }) => (/^(Goal|Task)/.test(type?.text ?? '') ? [type?.text] : []));
          if (truth.shown) expect(own).toEqual([]);
        } finally {
          await world.cleanup();
        }
      }),
      { numRuns: Number(process.env.PROJECTION_RUNS ?? 5) },
    );
  },
  300_000,
);
