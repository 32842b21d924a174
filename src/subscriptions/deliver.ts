// One step of telling a subscriber what is due: in order, at least once. One that fails is tried again after longer and longer
// pauses, is marked `error`, and at last turned `off`.
import type { Subscription } from '@medplum/fhirtypes';
import { asFault } from '../fault.ts';
import type { Change } from '../fhir/change.ts';
import { minutesAfter, NotTaken, post } from '../notify/post.ts';
import { writeAlert } from '../store/alert.ts';
import type { SqlValue, Statement } from '../store/store.ts';
import { nameEvents } from './event-rows.ts';
import { ACTOR, type Parts, SUBJECT } from './parts.ts';
import { changeRow, idleRow, offRow, type SubscriptionRow, turnRow } from './subscription-rows.ts';
import { type Subscriber, type Told, tellEvents, tellStanding } from './tell.ts';

/**
 * What came of a step: 'more' may be left to tell; 'rest': it was told or changed, and what follows is another turn's;
 * 'nothing': the log's reader comes first.
 */
export type Step = 'more' | 'rest' | 'nothing';

/** @throws Fault conflict | precondition when somebody changed it meanwhile */
export async function step(parts: Parts, row: SubscriptionRow, fence: Statement): Promise<Step> {
  const { clock } = parts;
  const now = clock.real().epochMilliseconds;
  if (row.endsAt !== undefined && row.endsAt <= now)
    return turn(parts, row, fence, { status: 'off', error: 'It has ended.' });
  const subscriber = await subscriberOf(parts, row);
  if (typeof subscriber === 'string')
    return turn(parts, row, fence, { status: 'off', error: subscriber, event: 'subscriber.off' });
  // Looked at all the same, because it may end. The next event makes it due again, and so does `retry`.
  if (row.paused) {
    await parts.store.commit(ACTOR, [], [idleRow(row, null), fence]);
    return 'rest';
  }
  const { wanted } = subscriber;
  if (row.state === 'requested') {
    // Plain R4 begins without a word.
    if (wanted.topic && !(await send(parts, subscriber, tellStanding(parts, subscriber, 'handshake'), fence)))
      return 'rest';
    return turn(parts, row, fence, { status: 'active' }, contact(now));
  }
  const told = (await tellEvents(parts, subscriber)) ?? heartbeatFor(parts, subscriber, now);
  if (!told) {
    await parts.store.commit(ACTOR, [], [idleRow(row, nextBeat(subscriber)), fence]);
    return 'rest';
  }
  if (!(await send(parts, subscriber, told, fence))) return 'rest';
  const named = nameEvents(row.id, told.named);
  const arrived = { delivered: told.upTo, ...(told.message ? contact(now) : {}) };
  if (row.state === 'error' && told.message) {
    return turn(parts, row, fence, { status: 'active' }, arrived, named);
  }
  await parts.store.commit(ACTOR, [], [changeRow(row, { ...arrived, next_at: now }), ...named, fence]);
  return 'more';
}

/** @returns a sentence when it can be told nothing any more */
async function subscriberOf(parts: Parts, row: SubscriptionRow): Promise<Subscriber | string> {
  const grant = await parts.access.renew(row.authority);
  if (!grant) return 'What it was made with (the client, or what a person allowed it) was taken back.';
  const headers = row.headers === undefined ? [] : parts.box.open(row.headers, row.id);
  if (!headers) return 'Its headers cannot be read with the key that this server has now; send them again.';
  try {
    const wanted = parts.meaning().wantedBy(row.content);
    return { row, wanted, grant, headers, subscription: JSON.parse(row.content) as Subscription };
  } catch (error) {
    const fault = asFault(error);
    if (fault.kind !== 'unprocessable') throw error;
    return `It asks what this server does not do any more: ${fault.message}`;
  }
}

/** @returns whether it has arrived */
async function send(parts: Parts, subscriber: Subscriber, told: Told, fence: Statement): Promise<boolean> {
  const { store, fetch, ending } = parts;
  if (!told.message) return true;
  try {
    await post(fetch, 'The endpoint', { ...told.message, ending });
  } catch (error) {
    if (!(error instanceof NotTaken)) throw error;
    // Whoever did not say that it has taken it may have it all the same.
    if (error.why !== 'unreached') {
      for (const record of told.records) store.audit({ ...record, status: error.why === 'timeout' ? 504 : 502 });
    }
    // That we did not wait is no failure of theirs.
    if (!ending.aborted) await fail(parts, subscriber, error.message, fence);
    return false;
  }
  // Written with the commit that says it has arrived.
  for (const record of told.records) store.audit({ ...record, status: 200 });
  return true;
}

async function fail(parts: Parts, { row }: Subscriber, sentence: string, fence: Statement): Promise<void> {
  const { store, clock, settings, log } = parts;
  const real = clock.real();
  const now = real.epochMilliseconds;
  const failures = row.failures + 1;
  const since = row.failingSince ?? now;
  log.warn({ subscription: row.id, failures, sentence }, 'a subscriber could not be told');
  const next = real.add({ minutes: minutesAfter(row.failures) }).epochMilliseconds;
  const values = { failures, failing_since: since, next_at: next, detail: sentence };
  const isOver = now - since >= settings.offHours * 3_600_000;
  const isNew = row.state === 'requested';
  if (isOver || (isNew && failures >= settings.errorAfter)) {
    const why = isNew ? `${sentence} It never answered the handshake.` : `${sentence} It has failed for too long.`;
    await turn(parts, row, fence, { status: 'off', error: why, event: 'subscriber.off' }, values);
  } else if (row.state === 'active' && failures >= settings.errorAfter) {
    await turn(parts, row, fence, { status: 'error', error: sentence, event: 'subscriber.failing' }, values);
  } else {
    await store.commit(ACTOR, [], [changeRow(row, values), fence]);
  }
}

interface Turn {
  readonly status: Subscription['status'];
  readonly error?: string;
  /** Of an alert for operators. */
  readonly event?: string;
}

/** A version of the resource with another status, from which on the log's reader goes by it. */
async function turn(
  parts: Parts,
  row: SubscriptionRow,
  fence: Statement,
  { status, error, event }: Turn,
  values: Readonly<Record<string, SqlValue>> = {},
  named: readonly Statement[] = [],
): Promise<Step> {
  const { store, clock } = parts;
  const current = await store.read('Subscription', row.id);
  // What the log's reader has taken up is not what is stored any more: it comes to that first.
  if (!current || current.operation === 'delete' || current.content !== row.content) return 'nothing';
  const now = clock.real().epochMilliseconds;
  const detail = `Subscription/${row.id} of ${row.owner} is ${status}: ${error ?? ''}`;
  const alerts = event === undefined ? [] : [writeAlert({ subject: SUBJECT, event, detail }, now)];
  const change: Change = {
    op: 'patch',
    type: 'Subscription',
    id: row.id,
    ifMatch: current.versionId,
    revise: (resource) => {
      const { error: _, ...rest } = resource as Subscription;
      return error === undefined ? { ...rest, status } : { ...rest, status, error };
    },
  };
  try {
    await store.commit(ACTOR, [change], ([outcome]) => [
      turnRow(row, Number(outcome?.versionId), { detail: error ?? null, ...values }),
      ...named,
      ...alerts,
      fence,
    ]);
  } catch (refusal) {
    const fault = asFault(refusal);
    if (fault.kind !== 'unprocessable') throw refusal;
    await turnOffByRow(parts, row, fence, `It cannot be ${status}, because it is not valid any more: ${fault.message}`);
  }
  return 'rest';
}

/** A guide has changed what is valid: no version of it can say that it is off, so its row does, and `$status`. */
async function turnOffByRow({ store, clock }: Parts, row: SubscriptionRow, fence: Statement, why: string) {
  const detail = `Subscription/${row.id} of ${row.owner} is off: ${why}`;
  const alert = writeAlert({ subject: SUBJECT, event: 'subscriber.off', detail }, clock.real().epochMilliseconds);
  await store.commit(ACTOR, [], [offRow(row, why), alert, fence]);
}

const contact = (now: number) => ({ contact_at: now, failures: 0, failing_since: null, detail: null });

function nextBeat({ row, wanted }: Subscriber): number | null {
  return wanted.topic && wanted.heartbeat !== undefined ? (row.contactAt ?? 0) + wanted.heartbeat * 1_000 : null;
}

function heartbeatFor(parts: Parts, subscriber: Subscriber, now: number): Told | undefined {
  const beat = nextBeat(subscriber);
  return beat !== null && beat <= now ? tellStanding(parts, subscriber, 'heartbeat') : undefined;
}
