// Asks a remote to notify: one Subscription per type that is read, made where the server offers it, renewed before it ends,
// looked at now and then. One that has stopped is told about once and asked for again. The payload is empty, so nothing
// about a patient travels in a notification. https://hl7.org/fhir/R4/subscription.html
import type { Subscription } from '@medplum/fhirtypes';
import type { FhirReply } from '../../remote/fhir-reply.ts';
import type { Result } from '../../remote/result.ts';
import type { Lease } from '../../store/lease.ts';
import type { Statement } from '../../store/store.ts';
import { actorOf } from '../connections/settings.ts';
import { ownExchanges, type RunContext, realNow } from '../context.ts';
import { writeMessage } from '../messages/message-log.ts';
import { markHint } from './hint-rows.ts';
import { forgetSource, type HintSource, readSources, saveSource } from './hint-sources.ts';
import type { Hook } from './settings.ts';

export const HOOK_HEADER = 'X-Baton-Hook';
const HEARTBEAT_EXTENSION =
  'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-heartbeat-period';
const HEARTBEAT_SECONDS = 600;
const CHECK_EVERY = 10 * 60_000;
const REFUSED_PAUSE = 24 * 3_600_000;
const NOT_MADE = 'not-made';
const LIFETIME = 7 * 24 * 3_600_000;
const RENEW_BEFORE = 2 * 24 * 3_600_000;

/** @param types that are read */
export async function keepSubscriptions(
  run: RunContext,
  types: readonly string[],
  lease: Lease,
  hook: Hook,
): Promise<void> {
  const { store, connection, capability } = run;
  const sources = await readSources(store, connection.name);
  for (const source of sources) if (isSilent(source, realNow(run))) await catchUp(run, source, lease);
  if (!capability.supports('Subscription', 'create')) return;
  for (const type of types) {
    if (run.signal.aborted || lease.signal.aborted) return;
    const source = sources.find((one) => one.ours && one.type === type);
    if (source && realNow(run) < source.checkedAt + CHECK_EVERY) continue;
    if (!source || source.status === NOT_MADE) await make(run, type, lease, hook);
    else await check(run, source, lease, hook);
  }
}

async function make(run: RunContext, type: string, lease: Lease, hook: Hook): Promise<void> {
  const context = ownExchanges(run);
  const wanted = subscriptionFor(context, type, hook);
  const reply = await context.client.create(wanted.resource);
  const { name } = context.connection;
  const id = reply.ok ? reply.value.id : undefined;
  const none = notMade(type, realNow(context), !reply.ok && reply.failure.class === 'permanent');
  const rows =
    id === undefined
      ? [saveSource(name, none)]
      : [
          forgetSource(name, none.remoteId),
          saveSource(name, sourceOf(context, id, type, wanted.endsAt, reply)),
          // What happened before it began was not notified: the stream is read once more.
          markHint(name, type, '', realNow(context)),
        ];
  await settle(context, type, lease, rows);
}

/** In place of a Subscription that could not be made, so that it is not asked for with every pull. */
function notMade(type: string, now: number, isRefused: boolean): HintSource {
  return {
    remoteId: `${NOT_MADE}:${type}`,
    type,
    ours: true,
    status: NOT_MADE,
    eventNumber: undefined,
    heartbeatSeconds: undefined,
    heardAt: undefined,
    checkedAt: isRefused ? now + REFUSED_PAUSE : now,
    endsAt: undefined,
  };
}

async function check(run: RunContext, source: HintSource, lease: Lease, hook: Hook): Promise<void> {
  const context = ownExchanges(run);
  const { client, connection, emit } = context;
  const reply = await client.read('Subscription', source.remoteId);
  if (!reply.ok) {
    const isGone = reply.failure.status === 404 || reply.failure.status === 410;
    const rows = isGone ? [forgetSource(connection.name, source.remoteId)] : [];
    await settle(context, source.type, lease, rows);
    if (isGone) emit({ kind: 'subscription', connection: connection.name, type: source.type });
    return;
  }
  const now = realNow(context);
  const status = statusOf(reply);
  const stopped = status === 'error' || status === 'off';
  const ending = source.endsAt !== undefined && source.endsAt - now < RENEW_BEFORE;
  const rows: Statement[] = [saveSource(connection.name, { ...source, status, checkedAt: now })];
  if (stopped || ending) {
    const wanted = subscriptionFor(context, source.type, hook);
    const renewed = await client.update({ ...wanted.resource, id: source.remoteId });
    if (renewed.ok) {
      rows.push(saveSource(connection.name, sourceOf(context, source.remoteId, source.type, wanted.endsAt, renewed)));
    }
    // While it was stopped nothing was notified.
    if (stopped) rows.push(markHint(connection.name, source.type, '', now));
  }
  await settle(context, source.type, lease, rows);
  if (stopped && status !== source.status)
    emit({ kind: 'subscription', connection: connection.name, type: source.type });
}

/** Notifications that should have come did not: the stream is read, and the silence is not counted again. */
async function catchUp(run: RunContext, source: HintSource, lease: Lease): Promise<void> {
  const { connection, store } = run;
  const now = realNow(run);
  const types = source.type === '' ? [] : [source.type];
  const rows = types.map((type) => markHint(connection.name, type, '', now));
  const heard = 'UPDATE hint_source SET heard_at = ? WHERE connection = ? AND remote_id = ?';
  const reset = { sql: heard, params: [now, connection.name, source.remoteId] };
  await store.commit(actorOf(connection, run.runId), [], [...rows, reset, lease.fence]);
}

function isSilent({ heartbeatSeconds, heardAt }: HintSource, now: number): boolean {
  return heartbeatSeconds !== undefined && heardAt !== undefined && now - heardAt > 2_000 * heartbeatSeconds;
}

function subscriptionFor(context: RunContext, type: string, hook: Hook): { resource: Subscription; endsAt: number } {
  // The remote compares it with its own time; a week is more than clocks differ.
  const endsAt = realNow(context) + LIFETIME;
  const resource: Subscription = {
    resourceType: 'Subscription',
    status: 'requested',
    reason: 'Baton reads what has changed.',
    criteria: `${type}?`,
    end: Temporal.Instant.fromEpochMilliseconds(endsAt).toString(),
    channel: {
      extension: [{ url: HEARTBEAT_EXTENSION, valueUnsignedInt: HEARTBEAT_SECONDS }],
      type: 'rest-hook',
      endpoint: `${hook.url}/${type}`,
      header: [`${HOOK_HEADER}: ${hook.secret}`],
    },
  };
  return { resource, endsAt };
}

/** What the server made of it: it may have kept another end, and no heartbeat. */
function sourceOf(
  context: RunContext,
  remoteId: string,
  type: string,
  endsAt: number,
  reply: Result<FhirReply>,
): HintSource {
  const now = realNow(context);
  const body = reply.ok && reply.value.body?.resourceType === 'Subscription' ? reply.value.body : undefined;
  const kept = body?.channel?.extension?.find(({ url }) => url === HEARTBEAT_EXTENSION)?.valueUnsignedInt;
  return {
    remoteId,
    type,
    ours: true,
    status: statusOf(reply),
    eventNumber: undefined,
    // A server that speaks of no events sends no heartbeats either, whatever it stored.
    heartbeatSeconds: typeof kept === 'number' && kept > 0 && isTopicBased(body) ? kept : undefined,
    heardAt: now,
    checkedAt: now,
    endsAt,
  };
}

function isTopicBased(body: Subscription | undefined): boolean {
  return body?.meta?.profile?.some((profile) => profile.includes('subscriptions-backport')) ?? false;
}

function statusOf(reply: Result<FhirReply>): string {
  const status = reply.ok && reply.value.body?.resourceType === 'Subscription' ? reply.value.body.status : undefined;
  return typeof status === 'string' && /^[a-z-]{1,20}$/.test(status) ? status : 'requested';
}

/** The bodies of these exchanges carry the secret of the hook, so they are not kept. */
async function settle(context: RunContext, type: string, lease: Lease, rows: readonly Statement[]): Promise<void> {
  const { store, connection, runId } = context;
  const about = { connection: connection.name, runId, direction: 'pull', type, outcome: 'subscription' } as const;
  const messages = context.exchanges
    .take()
    .map(({ request: _request, response: _response, ...exchange }) =>
      writeMessage({ ...about, exchange }, realNow(context)),
    );
  await store.commit(actorOf(connection, runId), [], [...rows, ...messages, lease.fence]);
}
