// A server that was put back from a backup gives its ids out again: under the id of one of ours it may have another resource by now.
// Nothing of that is an edit of ours. docs/sync-spec.md#I5 docs/sync-spec.md#I8
import type { Resource } from '@medplum/fhirtypes';
import type { JsonObject } from '../../fhir/canonical-json.ts';
import { jsonOf } from '../body.ts';
import { type RunContext, realNow } from '../context.ts';
import { hadContent, type Link, readLink, readLinksByRemote, replaceLink } from '../identity.ts';
import { ownIdentifierOf } from '../mapping.ts';
import { hold } from '../patients/held.ts';
import { inUseAmong } from '../patients/in-use.ts';
import { areTwo } from '../patients/match.ts';
import { withdrawDue } from '../push/outbox.ts';
import { readUnseen } from '../unseen.ts';
import type { Incoming, Shown } from './incoming.ts';
import { planLost } from './lost-there.ts';
import { nothingOf } from './remote-gone.ts';
import { suspect } from './suspect.ts';

/**
 * Whether what the server has under the id of a link is another of ours by our identifier, or somebody else.
 * @param isUnseen whether the server was replaced since it last showed the resource: only then a patient may be another one
 */
export async function isAnothers(
  { store, mapping, matching }: Pick<RunContext, 'store' | 'mapping' | 'matching'>,
  link: Link,
  body: JsonObject,
  isUnseen: boolean,
): Promise<boolean> {
  const { baseRemote, localId } = link;
  if (!baseRemote || link.remoteHash === undefined) return false;
  if (link.type === 'Patient' && isUnseen && areTwo(matching, baseRemote, body)) return true;
  const [then, now] = [ownIdentifierOf(mapping, baseRemote), ownIdentifierOf(mapping, body)];
  if (now === localId) return false;
  if (then === undefined) return now !== undefined && isMadeByUs(store, link, now);
  if (then !== localId) return false;
  // What we made there had our identifier from the first; of patients, the names tell.
  const isAlways = link.how === 'created-by-us' && link.type !== 'Patient';
  if (now === undefined) return isUnseen && isAlways && !(await hadContent(store, link, body));
  // An earlier copy of the record of somebody who was merged here.
  if ((await inUseAmong(store, [now])).get(now) === localId) return false;
  return !(await hadContent(store, link, body));
}

/** The same of a record that was read just now. */
export async function hasAnothers(
  context: Pick<RunContext, 'store' | 'connection' | 'mapping' | 'matching'>,
  type: string,
  remoteId: string,
  body: Resource | undefined,
  isUnseen: boolean,
): Promise<boolean> {
  if (!body) return false;
  const link = (await readLinksByRemote(context.store, context.connection.name, type, [remoteId])).get(remoteId);
  return link !== undefined && isAnothers(context, link, jsonOf(body), isUnseen);
}

/** A record that was theirs says that it is one of ours, which has none there as far as is known. Merged patients take identifiers over. */
async function isMadeByUs(store: RunContext['store'], { connection, type }: Link, localId: string): Promise<boolean> {
  if (type === 'Patient' || (await readLink(store, connection, type, localId))) return false;
  return (await store.read(type, localId)) !== undefined;
}

/** What follows when a linked record is another's by now; undefined when it is not. */
export async function planGivenOutAgain(context: RunContext, link: Link, copy: Shown): Promise<Incoming | undefined> {
  const isUnseen = (await readUnseen(context.store, link.connection, link.type, link.remoteId)) !== undefined;
  if (!(await isAnothers(context, link, copy.body, isUnseen))) return undefined;
  if (isUnseen && link.state === 'tombstone') return letIn(context, link, copy);
  if (isUnseen) return planLost(context, link, true);
  // The next pull finds out that the server is another than it was, and reads everything again.
  const statements = link.state === 'tombstone' ? [] : [suspect(context, link)];
  return { ...nothingOf(link), statements };
}

/** Ours is gone there by a person's decision: whoever has the id gets a record of their own here as soon as the link has ended. */
function letIn(context: RunContext, link: Link, { type, remoteId, body }: Shown): Incoming {
  const now = realNow(context);
  const waiting = hold({ connection: link.connection, type, remoteId, waitsFor: { type, id: remoteId }, body }, now);
  return {
    ...nothingOf(link),
    outcome: 'held',
    statements: [replaceLink(link, now), withdrawDue(link), waiting],
    isHeld: true,
  };
}
