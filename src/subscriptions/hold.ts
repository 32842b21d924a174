// What a client's write of a Subscription comes to: checked, without its secrets, and on hold until the log's reader takes it
// up. Whoever wrote it last, in that one's name it is told: nobody gets at another's view by redirecting another's Subscription.
import { isDeepStrictEqual } from 'node:util';
import type { Resource, Subscription } from '@medplum/fhirtypes';
import type { Grant } from '../access/grant.ts';
import type { LastingGrant } from '../access/lasting-grant.ts';
import { Fault } from '../fault.ts';
import type { Change } from '../fhir/change.ts';
import type { Outcome, Statement } from '../store/store.ts';
import { splitHeaders } from './headers.ts';
import type { Parts } from './parts.ts';
import { countOf, holdRow, readRow } from './subscription-rows.ts';
import { readWanted } from './wanted.ts';

export interface Held {
  readonly changes: readonly Change[];
  /** Whether they hold only for the versions that were looked at: a failed precondition may be over when it is held anew. */
  readonly isPinned: boolean;
  /** Row changes of the same commit. */
  readonly alongside: (outcomes: readonly Outcome[]) => readonly Statement[];
}

/** @throws Fault unprocessable | forbidden, naming the element that cannot be as it is */
export async function holdChanges(parts: Parts, grant: Grant, changes: readonly Change[]): Promise<Held | undefined> {
  if (!changes.some(isSubscription)) return undefined;
  const { store, access, box, clock } = parts;
  const authority = await access.keep(grant);
  const owner = ownerOf(authority);
  const settle = settler(parts, grant, await countOf(store, owner));
  const secrets = new Map<number, readonly string[]>();
  let isPinned = false;
  const held = await Promise.all(
    changes.map(async (change, at): Promise<Change> => {
      if (!isSubscription(change) || change.op === 'delete') return change;
      if (change.op === 'update' && change.query !== undefined) {
        const sentence = 'A Subscription is updated by its id; nobody would know whose headers stay.';
        throw new Fault('unprocessable', sentence, { code: 'not-supported', expression: 'Subscription' });
      }
      const id = change.op === 'update' ? change.resource.id : change.id;
      // Read in this order: what changes in between fails the precondition.
      const before = change.op === 'create' || !id ? undefined : await store.read('Subscription', id);
      const known = before && before.operation !== 'delete' ? before : undefined;
      const kept = id === undefined ? [] : await keptHeaders(parts, id);
      const isFree = known && !('ifMatch' in change && change.ifMatch);
      const pin = isFree ? { ifMatch: known.versionId } : {};
      if (isFree) isPinned = true;
      const apply = (next: Resource, current: Resource | undefined): Resource => {
        secrets.delete(at);
        const { resource, secret } = settle(next as Subscription, current as Subscription | undefined, kept);
        if (secret) secrets.set(at, secret);
        return resource;
      };
      if (change.op === 'patch') {
        // What is patched may be changed in place.
        return { ...change, ...pin, revise: (current) => apply(change.revise(structuredClone(current)), current) };
      }
      const current = known ? JSON.parse(known.content) : undefined;
      return { ...change, ...pin, resource: apply(change.resource, current) } as Change;
    }),
  );
  const now = clock.real().epochMilliseconds;
  return {
    changes: held,
    isPinned,
    alongside: (outcomes) =>
      outcomes.flatMap(({ id, versionId, written }, at) => {
        const secret = secrets.get(at);
        if (!secret || !written) return [];
        const headers = secret.length > 0 ? box.close(secret, id) : undefined;
        return holdRow({ id, owner, authority, headers, version: Number(versionId) }, now);
      }),
  };
}

/** Whose Subscription one is that is made with it: ids of clients and persons mean something only with their issuer. */
export function ownerOf({ issuer, client, actor }: LastingGrant): string {
  const isPerson = actor.kind === 'user' || client === undefined;
  const parts = [issuer, client && encodeURIComponent(client), isPerson ? actor.reference : undefined];
  return parts.filter((part) => part !== undefined).join(' ');
}

function isSubscription(change: Change): boolean {
  return ('type' in change ? change.type : change.resource.resourceType) === 'Subscription';
}

function settler({ settings, sight, clock, meaning }: Parts, grant: Grant, count: number) {
  let own = count;
  return (next: Subscription, current: Subscription | undefined, kept: readonly string[]) => {
    const isSamePlace = current?.channel.endpoint === next.channel?.endpoint;
    const { shown, secret } = splitHeaders(next, isSamePlace ? kept : []);
    if (current && current.status === next.status && isToldAlike(current, next)) {
      return { resource: withError(shown, current.error) };
    }
    if (next.status === 'off') return { resource: withError(shown, undefined), secret };
    const wanted = readWanted(next, meaning().rules);
    for (const type of wanted.types) sight.requireRead(grant, type);
    checkEnd(next, clock.real());
    const isMore = !current || current.status === 'off';
    if (isMore && own >= settings.perClient) {
      throw new Fault('unprocessable', `A client may have ${settings.perClient} Subscriptions that are not off.`, {
        code: 'business-rule',
        expression: 'Subscription',
      });
    }
    own += Number(isMore);
    return { resource: withError({ ...shown, status: 'requested' as const }, undefined), secret };
  };
}

/** Nothing is different that says what is told, where or how. */
function isToldAlike(one: Subscription, other: Subscription): boolean {
  const parts = ({ criteria, _criteria, channel, end }: Subscription & { readonly _criteria?: unknown }) => [
    criteria,
    _criteria,
    channel,
    end,
  ];
  return isDeepStrictEqual(parts(one), parts(other));
}

/** Only the server says what went wrong. */
function withError({ error: _, ...subscription }: Subscription, error: string | undefined): Subscription {
  return error === undefined ? subscription : { ...subscription, error };
}

function checkEnd({ end }: Subscription, now: Temporal.Instant): void {
  if (end === undefined || !/T.*(Z|[+-]\d\d:\d\d)$/.test(end)) return;
  if (Temporal.Instant.compare(Temporal.Instant.from(end), now) > 0) return;
  throw new Fault('unprocessable', 'The end has passed.', { code: 'value', expression: 'Subscription.end' });
}

async function keptHeaders({ store, box }: Parts, id: string): Promise<readonly string[]> {
  const row = await readRow(store, id);
  return (row?.headers === undefined ? undefined : box.open(row.headers, id)) ?? [];
}
