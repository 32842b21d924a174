// FHIR Subscriptions: a reader of the log that numbers what subscribers are to be told of, and what tells them.
// docs/subscriptions.md
import type { Subscription } from '@medplum/fhirtypes';
import type { Grant } from '../access/grant.ts';
import { asFault, Fault } from '../fault.ts';
import type { Change } from '../fhir/change.ts';
import { createMatcher, looksElsewhere } from '../fhir/search/in-memory/matcher.ts';
import type { SearchParameters } from '../fhir/search/parameters.ts';
import { parseSearch } from '../fhir/search/parse.ts';
import { createConsumer } from '../store/consumer.ts';
import { advanceCursor, readCursor } from '../store/cursor.ts';
import { createPassing } from '../store/pass-over.ts';
import type { Actor } from '../store/store.ts';
import { deliver } from './deliver.ts';
import { forgetEvents, hasOldEvents } from './event-rows.ts';
import { createSecretBox } from './headers.ts';
import { type Held, holdChanges } from './hold.ts';
import { createLogReader } from './on-entry.ts';
import { operate } from './operate.ts';
import { ACTOR, type Meaning, type Parts, SUBJECT } from './parts.ts';
import { type Asked, tellAsked, tellStatus } from './questions.ts';
import { loadTopics, type ReadQuery, type Topic } from './topic.ts';
import { readWanted } from './wanted.ts';

export interface SubscriptionsOptions extends Omit<Parts, 'box' | 'meaning'> {
  readonly parameters: SearchParameters;
  /** Another object when guides have changed what parameters there are. */
  readonly generation: () => object;
  /** Folder of the topics. */
  readonly topics: string;
  /** Of this Baton, the same for all its processes: encrypts the headers of channels. */
  readonly secret: string;
  /** Whether this machine may be told: in the sandbox. */
  readonly loopback: boolean;
}

export interface Subscriptions {
  readonly topics: readonly Topic[];
  /** Takes what the log has and tells what is due. */
  tick(): Promise<void>;
  /** The same soon after a commit, when anybody would be told of anything. */
  wake(): void;
  /** No telling begins after it resolves. */
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
/** Of one beat: what is left then is told at the next. */
const MOST_ROUNDS = 100;

/** @throws Fault unprocessable for a topic that is none */
export function createSubscriptions(options: SubscriptionsOptions): Subscriptions {
  const { store, clock, log } = options;
  const parts: Parts = { ...options, box: createSecretBox(options.secret), meaning: meaningOf(options) };
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
    for (let isMore = true, left = MOST_ROUNDS; isMore && left > 0 && !isStopped; left--) {
      await consumer.run();
      isMore = await deliver(parts);
    }
    // What turned while it was told is taken up, and told.
    await consumer.run();
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
  return {
    topics: [...parts.meaning().rules.topics.values()],
    async tick() {
      if (isStopped) return;
      await run();
      await forget(parts);
    },
    wake() {
      if (isStopped || !(expected > 0 || reader.isAnyLive())) return;
      setImmediate(() => {
        run().catch((error) => log.error({ err: error }, 'subscribers wait; the heartbeat tries again'));
      });
    },
    async stop() {
      isStopped = true;
      await waiting?.catch(() => undefined);
      await running;
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

/** What is remembered of searches and topics is forgotten when guides change what they mean. */
function meaningOf(options: SubscriptionsOptions): () => Meaning {
  const { generation, parameters, settings, loopback, topics: folder } = options;
  let known: { readonly of: object; readonly meaning: Meaning } | undefined;
  return () => {
    const of = generation();
    if (known?.of === of) return known.meaning;
    const read = reads(options);
    const endpoint = { hosts: settings.hosts, loopback };
    const isType = (type: string) => parameters.types.includes(type);
    const rules = { topics: loadTopics(folder, read), read, isType, endpoint };
    const wantedBy = remembered((content) => readWanted(JSON.parse(content) as Subscription, rules));
    known = { of, meaning: { matcher: createMatcher(parameters, options.base()), rules, wantedBy } };
    return known.meaning;
  };
}

/** Strict: what is not understood would tell more than was asked for. */
function reads({ parameters, base, clock }: SubscriptionsOptions): ReadQuery {
  const read = remembered((url) => {
    const type = url.slice(0, url.indexOf('?'));
    const pairs = [...new URLSearchParams(url.slice(type.length + 1))];
    const { conditions } = parseSearch(parameters, type, pairs, { handling: 'strict', baseUrl: base(), clock });
    if (conditions.length === pairs.length && !conditions.some(looksElsewhere)) return conditions;
    const sentence = 'A Subscription goes by what the resource itself says: no chains, text, or parameters of results.';
    throw new Fault('invalid', sentence, { code: 'not-supported' });
  });
  return (type, query) => read(`${type}?${query}`);
}

const REMEMBERED = 1_000;

function remembered<T>(make: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>();
  return (key) => {
    const before = known.get(key);
    if (before !== undefined) return before;
    const made = make(key);
    if (known.size >= REMEMBERED) known.clear();
    known.set(key, made);
    return made;
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
