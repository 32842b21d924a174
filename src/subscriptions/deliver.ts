// Tells subscribers what is due: in order, at least once, one process at a time. A subscriber that fails is tried again after
// longer and longer pauses, is marked `error`, and at last turned `off`; the others do not wait for it.
import type { Subscription } from '@medplum/fhirtypes';
import { asFault } from '../fault.ts';
import { minutesAfter, post } from '../notify/post.ts';
import { writeAlert } from '../store/alert.ts';
import { type Lease, withLease } from '../store/lease.ts';
import type { SqlValue, Statement } from '../store/store.ts';
import { ACTOR, type Parts, SUBJECT } from './parts.ts';
import { changeRow, dueRows, readRow, type SubscriptionRow, turnRow } from './subscription-rows.ts';
import { type Subscriber, type Told, tellEvents, tellStanding } from './tell.ts';

const LEASE = Temporal.Duration.from({ seconds: 60 });
const MOST_AT_ONCE = 50;
/** Longer than this nobody is told in one go, so that who is due meanwhile comes to its turn. */
const LONGEST_TURN_MS = 5_000;

/** @returns whether more is due; false while another process tells */
export async function deliver(parts: Parts): Promise<boolean> {
  const { store, clock } = parts;
  const due = () => dueRows(store, clock.real().epochMilliseconds, MOST_AT_ONCE);
  if ((await due()).length === 0) return false;
  const result = await withLease(store, clock, 'subscriptions-deliver', LEASE, async (lease) => {
    const rows = await due();
    await Promise.all(rows.map((row) => tellOne(parts, row, lease)));
  });
  return result.held && (await due()).length > 0;
}

async function tellOne(parts: Parts, first: SubscriptionRow, lease: Lease): Promise<void> {
  const { store, clock, log } = parts;
  const until = clock.real().add({ milliseconds: LONGEST_TURN_MS });
  try {
    let row: SubscriptionRow | undefined = first;
    while (row && !lease.signal.aborted && Temporal.Instant.compare(clock.real(), until) < 0) {
      if (!(await step(parts, row, lease.fence))) return;
      row = await readRow(store, row.id);
    }
  } catch (error) {
    // Somebody changed it meanwhile: what is due is looked at anew.
    if (asFault(error).kind !== 'conflict' && asFault(error).kind !== 'precondition') throw error;
    log.debug({ subscription: first.id }, 'a Subscription changed while it was told');
  }
}

/** @returns whether something may be left to tell */
async function step(parts: Parts, row: SubscriptionRow, fence: Statement): Promise<boolean> {
  const { clock } = parts;
  const now = clock.real().epochMilliseconds;
  if (row.endsAt !== undefined && row.endsAt <= now)
    return turn(parts, row, fence, { status: 'off', error: 'It has ended.' });
  const subscriber = await subscriberOf(parts, row);
  if (typeof subscriber === 'string')
    return turn(parts, row, fence, { status: 'off', error: subscriber, event: 'subscriber.off' });
  const { wanted } = subscriber;
  if (row.state === 'requested') {
    const told = wanted.topic ? tellStanding(parts, subscriber, 'handshake') : { upTo: row.delivered, records: [] };
    return (await send(parts, subscriber, told, fence)) && turn(parts, row, fence, { status: 'active' }, contact(now));
  }
  const told = (await tellEvents(parts, subscriber)) ?? heartbeatFor(parts, subscriber, now);
  if (!told) {
    await parts.store.commit(ACTOR, [], [changeRow(row, { next_at: nextBeat(subscriber) }), fence]);
    return false;
  }
  if (!(await send(parts, subscriber, told, fence))) return false;
  const arrived = { delivered: told.upTo, ...contact(now) };
  if (row.state === 'error') return turn(parts, row, fence, { status: 'active' }, arrived);
  await parts.store.commit(ACTOR, [], [changeRow(row, { ...arrived, next_at: now }), fence]);
  return true;
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
  const { store, fetch } = parts;
  if (!told.message) return true;
  try {
    await post(fetch, 'The endpoint', told.message);
  } catch (error) {
    await fail(parts, subscriber, (error as Error).message, fence);
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
): Promise<false> {
  const { store, clock } = parts;
  const current = await store.read('Subscription', row.id);
  // What the log's reader has taken up is not what is stored any more: it comes to that first.
  if (!current || current.operation === 'delete' || current.content !== row.content) return false;
  const now = clock.real().epochMilliseconds;
  const detail = `Subscription/${row.id} of ${row.owner} is ${status}: ${error ?? ''}`;
  const alerts = event === undefined ? [] : [writeAlert({ subject: SUBJECT, event, detail }, now)];
  const { id } = row;
  await store.commit(
    ACTOR,
    [
      {
        op: 'patch',
        type: 'Subscription',
        id,
        ifMatch: current.versionId,
        revise: (resource) => {
          const { error: _, ...rest } = resource as Subscription;
          return error === undefined ? { ...rest, status } : { ...rest, status, error };
        },
      },
    ],
    ([outcome]) => [turnRow(row, Number(outcome?.versionId), { detail: error ?? null, ...values }), ...alerts, fence],
  );
  return false;
}

const contact = (now: number) => ({ contact_at: now, failures: 0, failing_since: null, detail: null });

function nextBeat({ row, wanted }: Subscriber): number | null {
  return wanted.topic && wanted.heartbeat !== undefined ? (row.contactAt ?? 0) + wanted.heartbeat * 1_000 : null;
}

function heartbeatFor(parts: Parts, subscriber: Subscriber, now: number): Told | undefined {
  const beat = nextBeat(subscriber);
  return beat !== null && beat <= now ? tellStanding(parts, subscriber, 'heartbeat') : undefined;
}
