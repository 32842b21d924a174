// W4: transactions of 50 to 500 entries, of two entries from 1 to 128 clients, and Synthea's.
import { type BundleSeen, expectBundle } from '../driver/checks.ts';
import type { Ask, Session, World } from '../driver/session.ts';
import { chance } from '../population/seeded.ts';
import { pairOf, syntheaBundles, transactionOf } from './bundles.ts';
import { post } from './requests.ts';
import type { Workload } from './workload.ts';

function creating(entries: number) {
  return function* create({ population, run }: World, number: number): Session {
    for (let round = 0; ; round++) {
      const n = population.patients + chance(round, number + run, 100_000_000);
      expectBundle(yield post('', transactionOf(n, entries, population)), 'transaction-response', (bundle) =>
        checkCreated(bundle, entries),
      );
    }
  };
}

function* createPairs({ population }: World, number: number): Session {
  for (let round = 0; ; round++) {
    const n = chance(round, number, population.patients);
    expectBundle(yield post('', pairOf(n, population)), 'transaction-response', (bundle) => checkCreated(bundle, 2));
  }
}

function checkCreated({ entry = [] }: BundleSeen, entries: number): void {
  const created = entry.filter(({ response }) => response?.status.startsWith('201'));
  if (created.length !== entries) throw new Error(`${created.length} of ${entries} entries were created`);
}

const SYNTHEA_BUNDLES = 8;
const SYNTHEA_LARGEST = 2_000_000;
let synthea: Buffer[] | undefined;
/** Eight of a middling size, so that a short run holds several whole rounds of them. */
function chosenSynthea(): Buffer[] {
  synthea ??= syntheaBundles()
    .filter(({ length }) => length <= SYNTHEA_LARGEST)
    .slice(0, SYNTHEA_BUNDLES);
  return synthea;
}

/** How many entries Synthea's chosen bundles have on average. */
function syntheaEntries(): number {
  const all = chosenSynthea().map((text) => (JSON.parse(text.toString()) as { entry: unknown[] }).entry.length);
  return all.length === 0 ? 0 : all.reduce((sum, each) => sum + each, 0) / all.length;
}

/** All of them once: a bundle that is refused would make the numbers mean something else. */
async function tryAll(ask: Ask): Promise<readonly string[]> {
  const bundles = chosenSynthea();
  for (const [at, bundle] of bundles.entries()) {
    const { status, body } = await ask(post('', bundle));
    if (status !== 200)
      throw new Error(`Synthea bundle ${at} was refused with ${status}: ${body.toString('utf8', 0, 500)}`);
  }
  return bundles.map((_, at) => String(at));
}

function* importSynthea(_world: World, number: number): Session {
  const bundles = chosenSynthea();
  for (let round = number; ; round++) {
    const bundle = bundles[round % bundles.length] as Buffer;
    expectBundle(yield post('', bundle), 'transaction-response', ({ entry = [] }) => {
      if (entry.length === 0) throw new Error('an empty answer');
    });
  }
}

const goal = { sqlite: 6_000, postgres: 3_200 };

export const W4: readonly Workload[] = [
  ...[50, 200, 500].map(
    (entries): Workload => ({
      name: `W4 of-${entries}`,
      what: `transactions of ${entries} creates, resources`,
      connections: 8,
      resources: () => entries,
      script: { session: creating(entries) },
      goal,
      limit: { kind: 'insert', type: 'Task', perTransaction: entries },
      share: 0.5,
    }),
  ),
  {
    name: 'W4 synthea',
    what: `Synthea's transactions, resources`,
    connections: 4,
    resources: syntheaEntries,
    script: { prepare: tryAll, session: importSynthea },
    goal,
  },
  ...[1, 8, 32, 128].map(
    (clients): Workload => ({
      name: `W4 pair-at-${clients}`,
      what: `transactions of 2 creates from ${clients} clients, resources`,
      connections: clients,
      resources: () => 2,
      script: { session: createPairs },
    }),
  ),
];
