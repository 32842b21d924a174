// Searches lag behind: a page may show a copy that the server itself has replaced. Taken for an edit it would undo what was
// written since, so a copy that seems to be from before the common version is asked for directly. docs/sync-spec.md#I4
import type { JsonObject } from '../../fhir/canonical-json.ts';
import { jsonOf } from '../body.ts';
import type { RunContext } from '../context.ts';
import type { Link } from '../identity.ts';
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

/** The same, asked for in any case. */
export async function readCopy(context: RunContext, received: Copy): Promise<Copy | undefined> {
  const reply = await context.client.read(received.type, received.remoteId);
  if (!reply.ok || !reply.value.body) return undefined;
  const { body, versionId } = reply.value;
  return { ...received, body: jsonOf(body), version: body.meta?.versionId ?? versionId };
}
