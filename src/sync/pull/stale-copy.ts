// Searches lag behind: a page may show a copy that the server itself has replaced. Taken for an edit it would undo what was
// written since, so a copy that seems to be from before the common version is asked for directly. docs/sync-spec.md#I4
import type { JsonObject } from '../../fhir/canonical-json.ts';
import { jsonOf } from '../body.ts';
import { readOpenConflict } from '../conflicts/conflict.ts';
import type { RunContext } from '../context.ts';
import { type Link, remoteHash } from '../identity.ts';
import { mayBeStale } from './version-age.ts';

interface Copy {
  readonly type: string;
  readonly remoteId: string;
  readonly body: JsonObject;
  readonly version: string | undefined;
}

/** The copy as the server has it now; undefined when it was stale and cannot be read, so that nothing is known. */
export async function currentCopy(context: RunContext, link: Link, received: Copy): Promise<Copy | undefined> {
  return mayBeStale(link, received.body, received.version) ? readCopy(context, received) : received;
}

/**
 * The very copy that both knew before the question that is open, when the server has it again instead of what the question is
 * about: a restored one gives its numbers and times out again, too.
 */
export async function backFromBackup(context: RunContext, link: Link, received: Copy): Promise<Copy | undefined> {
  const open = await readOpenConflict(context.store, link.connection, link.type, link.localId);
  if (!open) return undefined;
  const isGone = open.kind === 'deleted' && open.local !== undefined;
  const isAsked = open.remoteBody !== undefined && remoteHash(open.remoteBody) === remoteHash(received.body);
  return isAsked && !isGone ? undefined : readCopy(context, received);
}

async function readCopy(context: RunContext, received: Copy): Promise<Copy | undefined> {
  const reply = await context.client.read(received.type, received.remoteId);
  if (!reply.ok || !reply.value.body) return undefined;
  const { body, versionId } = reply.value;
  return { ...received, body: jsonOf(body), version: body.meta?.versionId ?? versionId };
}
