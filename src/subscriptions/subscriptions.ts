// FHIR Subscriptions: a reader of the log that numbers what subscribers are to be told of, and what tells them.
// docs/subscriptions.md
import type { Subscription } from '@medplum/fhirtypes';
import type { Grant } from '../access/grant.ts';
import { asFault } from '../fault.ts';
import type { Change } from '../fhir/change.ts';
import { createConsumer } from '../store/consumer.ts';
import { advanceCursor, readCursor } from '../store/cursor.ts';
import { createPassing } from '../store/pass-over.ts';
import type { Actor } from '../store/store.ts';
import { forgetEvents, hasOldEvents } from './event-rows.ts';
import { createSecretBox } from './headers.ts';
import { type Held, holdChanges } from './hold.ts';
import { type MeaningOptions, meaningOf } from './meaning.ts';
import { createLogReader } from './on-entry.ts';
import { operate } from './operate.ts';
import { ACTOR, type Parts, SUBJECT } from './parts.ts';
import { type Asked, tellAsked, tellStatus } from './questions.ts';
import type { Topic } from './topic.ts';
import { createTurns } from './turns.ts';

export interface SubscriptionsOptions extends Omit<Parts, 'box' | 'meaning' | 'ending'>, MeaningOptions {
  /** Of this Baton, the same for all its processes: encrypts the headers of channels. */
  readonly secret: string;
}

export interface Subscriptions {
  readonly topics: readonly Topic[];
  /** Takes what the log has and begins to tell what is due; subscribers are not waited for. */
  tick(): Promise<void>;
  /** The same until nothing is left that can be told now. */
  settle(): Promise<void>;
  /** The same soon after a commit, when anybody would be told of anything. */
  wake(): void;
  /** No telling begins after it resolves; what nobody has answered by then is told again after a restart. */
  stop(): Promise<void>;
  /** To be asked about every client's commit. @throws Fault unprocessable | forbidden */
  hold(grant: Grant, changes: readonly Change[]): Promise<Held | undefined>;
  /** Parameters that say how one stands. */
  status(subscription: Subscription): Promise<object>;
  /** A Bundle of the events that are asked for, as JSON text, showing what the asker may see. */
  events(grant: Grant, subscription: Subscription, asked: Asked): Promise<string>;
  /** By an operator. @throws Fault not-found | conflict */
  pause(actor: Actor, id: string): Promise<void>;
  retry(actor: Actor, id: string): Promise<void>;
}

const CURSOR = 'subscriptions';
/** Entries whose events are committed together. */
const BATCH = 50;
const ROUNDS_EXPECTED = 3;
/** Of settling: what is left then is told at the next beat. */
const MOST_ROUNDS = 100;

const DAY_MS = 86_400_000;
const LAST_MOMENT_MS = 1_000;

/** @throws Fault unprocessable for a topic that is none */
export function createSubscriptions(options: SubscriptionsOptions): Subscriptions {
  const { store, clock, log } = options;
  const ending = new AbortController();
  const made = { box: createSecretBox(options.secret), meaning: meaningOf(options), ending: ending.signal };
  const parts: Parts = { ...options, ...made };
  const reader = createLogReader(parts);
  const { begin, handle, gathered, settled } = reader;
  const passing = createPassing({
    ...{ store, clock, log, gathered },
    passed: settled,
    name: CURSOR,
    subject: SUBJECT,
  });
  const consumer = createConsumer({ ...{ store, log, begin, handle, gathered, passing }, name: CURSOR, batch: BATCH });
  let isStopped = false;
  /** Rounds that may be about a new one: a round may begin before the commit that was announced. */
  let expected = 0;
  let running: Promise<unknown> = Promise.resolve();
  let waiting: Promise<void> | undefined;

  const round = async () => {
    expected = Math.max(0, expected - 1);
    if (isStopped || (await skipAhead(parts))) return;
    // Who is due is told also while the log cannot be read on.
    await consumer.run().finally(turns.begin);
  };
  /** All that ask during one are served by the same next one. */
  const run = () => {
    waiting ??= running.then(() => {
      waiting = undefined;
      const now = round();
      running = now.catch(() => undefined);
      return now;
    });
    return waiting;
  };
  const runSoon = () => {
    if (isStopped) return;
    run().catch((error) => log.error({ err: error }, 'subscribers wait; the heartbeat tries again'));
  };
  const turns = createTurns(parts, runSoon);
  let forgotten = 0;
  /** What is kept is looked through, so not at every beat. */
  const forgetDaily = async () => {
    const now = clock.real().epochMilliseconds;
    if (now - forgotten < DAY_MS) return;
    await forget(parts);
    forgotten = now;
  };
  const tick = async () => {
    if (!isStopped) await run().finally(forgetDaily);
  };
  return {
    topics: [...parts.meaning().rules.topics.values()],
    tick,
    async settle() {
      for (let left = MOST_ROUNDS, before = -1; left > 0 && before !== turns.taken(); left--) {
        before = turns.taken();
        await tick().finally(turns.ended);
      }
    },
    wake() {
      if (isStopped || !(expected > 0 || reader.isAnyLive())) return;
      setImmediate(runSoon);
    },
    async stop() {
      isStopped = true;
      turns.stop();
      // Who answers within a moment is not told again after the restart.
      const late = setTimeout(() => ending.abort(), LAST_MOMENT_MS);
      await waiting?.catch(() => undefined);
      await running;
      await turns.ended();
      clearTimeout(late);
    },
    async hold(grant, changes) {
      const held = await holdChanges(parts, grant, changes);
      if (held) expected = ROUNDS_EXPECTED;
      return held;
    },
    status: (subscription) => tellStatus(parts, subscription),
    events: (grant, subscription, asked) => tellAsked(parts, grant, subscription, asked),
    ...operate(parts),
  };
}

/**
 * While there is no Subscription the log need not be read: a row comes with its first version, in one commit.
 * @returns whether there is none
 */
async function skipAhead({ store }: Parts): Promise<boolean> {
  const head = await store.head();
  if ((await store.query('SELECT 1 AS one FROM subscription LIMIT 1')).length > 0) return false;
  const at = (await readCursor(store, CURSOR)) ?? head;
  const skipped = at < head ? store.commit(ACTOR, [], [advanceCursor(CURSOR, at, head)]) : undefined;
  // Another process may have been first.
  await skipped?.catch((error) => {
    if (asFault(error).kind !== 'conflict') throw error;
  });
  return true;
}

async function forget({ store, clock, settings }: Parts): Promise<void> {
  const before = clock.real().subtract({ hours: 24 * settings.keepDays }).epochMilliseconds;
  if (await hasOldEvents(store, before)) await store.commit(ACTOR, [], [forgetEvents(before)]);
}
