// Whatever happens in whatever order (writes, refusals, processes that die at any commit, two processes at once), a subscriber
// sees its events as 1, 2, 3… without gaps, in the order of the log. Also run on PostgreSQL.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { AuditRecord, Store } from '../../src/store/store.ts';
import type { Subscriptions } from '../../src/subscriptions/subscriptions.ts';
import { GRAVITY, read, task, wish } from './notified.ts';
import { openWorld, type Received, subscriptionsOn, type World } from './world.ts';

const SETTINGS = { errorAfter: 2, offHours: 8_760 };
const KILLED = 'killed';

let world: World;
beforeAll(async () => {
  world = await openWorld(SETTINGS);
});
afterAll(() => world.close());

/** One process: it dies at its n-th commit from now, before or after that is on disk, or once a message has arrived. */
interface Death {
  readonly at: number | 'sent';
  readonly afterwards: boolean;
}

function start(death?: Death): Pick<Subscriptions, 'settle' | 'stop'> {
  let commits = 0;
  let isDead = false;
  const die = (): never => {
    isDead = true;
    throw new Error(KILLED);
  };
  const { store } = world.temp;
  const mortal = new Proxy(store, {
    get(target, name: keyof Store) {
      // The only one that is not asked for an answer.
      if (name === 'audit') return (record: AuditRecord) => isDead || target.audit(record);
      const method = target[name] as (...args: unknown[]) => unknown;
      return async (...args: unknown[]) => {
        if (isDead) die();
        if (name !== 'commit' || ++commits !== death?.at) return method.apply(target, args);
        if (death.afterwards) await method.apply(target, args);
        return die();
      };
    },
  });
  const fetchOnce: typeof fetch = async (...args) => {
    if (isDead) die();
    const answer = await fetch(...args);
    return death?.at === 'sent' ? die() : answer;
  };
  return subscriptionsOn(
    { temp: { ...world.temp, store: mortal } as never, access: world.access },
    world.now,
    SETTINGS,
    fetchOnce,
  );
}

type Action =
  | { readonly kind: 'write'; readonly id: number; readonly isEvent: boolean }
  | { readonly kind: 'refuse'; readonly times: number }
  | { readonly kind: 'tick' | 'both' | 'wait' }
  | { readonly kind: 'die'; readonly death: Death };

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('write' as const), id: fc.nat(3), isEvent: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('refuse' as const), times: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('tick' as const, 'both' as const, 'wait' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('die' as const),
      death: fc.record({
        at: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constant('sent' as const)),
        afterwards: fc.boolean(),
      }),
    }),
  },
);

/** A death at each commit of what two events cause, before and after it is on disk, and once they were sent. */
const EACH_DEATH: Action[] = [1, 2, 3, 4, 5, 'sent' as const]
  .flatMap((at) => [false, true].map((afterwards): Death => ({ at, afterwards }) as Death))
  .flatMap((death): Action[] => [
    { kind: 'write', id: 0, isEvent: true },
    { kind: 'write', id: 1, isEvent: false },
    { kind: 'write', id: 2, isEvent: true },
    { kind: 'die', death },
    { kind: 'both' },
    { kind: 'wait' },
  ]);

/** What a process that was killed leaves behind, time has to take away: its lease. */
async function run(one: Pick<Subscriptions, 'settle'>): Promise<void> {
  await one.settle().catch((error: Error) => {
    if (!JSON.stringify([error.message, String(error.cause)]).includes(KILLED)) throw error;
  });
}

/** What says the same makes no version. */
let version = 0;

async function happen(one: Action, expected: string[]): Promise<void> {
  if (one.kind === 'write') {
    const owner = { reference: `Practitioner/${one.isEvent ? 'nurse' : 'other'}` };
    const body = task(`n${one.id}`, { owner, description: String(++version) });
    expect((await world.fhir('PUT', `/Task/n${one.id}`, { body })).status).toBeLessThan(300);
    if (one.isEvent) expected.push(`Task/n${one.id}`);
  } else if (one.kind === 'refuse') world.receiver.answer(...Array(one.times).fill(500));
  else if (one.kind === 'tick') await run(start());
  else if (one.kind === 'both') await Promise.all([run(start()), run(start())]);
  else if (one.kind === 'die') await run(start(one.death));
  else world.later(2);
}

/** What was focus of each event, in the order in which the events were seen first. */
function seenIn(received: readonly Received[]): (string | undefined)[] {
  const seen: (string | undefined)[] = [];
  for (const { numbers, focus, total } of received.map(read)) {
    for (const [at, number] of numbers.entries()) {
      // The next one, or one that came before; never one with a gap before it.
      expect(number).toBeLessThanOrEqual(seen.length + 1);
      expect(number).toBeLessThanOrEqual(total);
      if (number <= seen.length) expect(focus[at]).toBe(seen[number - 1]);
      else seen.push(focus[at]);
    }
  }
  return seen;
}

it('a subscriber sees every event, numbered without gaps, in the order of the log', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 25 }), async (actions) => {
      world.receiver.answer();
      // The lease of a process that was killed before is over.
      world.later(2);
      const filters = ['Task?owner=Practitioner/nurse'];
      const body = wish({ url: world.receiver.url, criteria: GRAVITY, filters });
      const { json } = await world.fhir('POST', '/Subscription', { body });
      try {
        await run(start());
        expect(world.receiver.take().map((one) => read(one).type)).toEqual(['handshake']);
        const expected: string[] = [];
        for (const one of actions) await happen(one, expected);
        world.receiver.answer();
        for (let rounds = 0; rounds < 3; rounds++) {
          world.later(61);
          await run(start());
        }
        expect(seenIn(world.receiver.take())).toEqual(expected);
      } finally {
        await world.fhir('DELETE', `/Subscription/${json.id}`);
        await run(start());
        world.receiver.take();
      }
    }),
    { numRuns: 4, examples: [[EACH_DEATH]] },
  );
}, 120_000);

it('two processes on one database tell each event once between them', async () => {
  const body = wish({ url: world.receiver.url, criteria: GRAVITY });
  const { json } = await world.fhir('POST', '/Subscription', { body });
  const stores = await Promise.all([1, 2].map(() => world.temp.another()));
  const both = stores.map((store) =>
    subscriptionsOn({ temp: { ...world.temp, store }, access: world.access }, world.now, SETTINGS),
  );
  try {
    await both[0]?.settle();
    world.receiver.take();
    const expected: number[] = [];
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        [0, 1, 2].map((n) =>
          world.fhir('PUT', `/Task/two${n}`, { body: task(`two${n}`, { description: String(++version) }) }),
        ),
      );
      expected.push(3 * round + 1, 3 * round + 2, 3 * round + 3);
      await Promise.all(both.map((one) => one.settle()));
    }
    await both[1]?.settle();
    expect(world.receiver.take().flatMap((one) => read(one).numbers)).toEqual(expected);
  } finally {
    await world.fhir('DELETE', `/Subscription/${json.id}`);
    await run(start());
    for (const one of both) await one.stop();
    for (const store of stores) await store.close();
  }
});
