// Which record a server has in the end for one that it merged. A merge that is known may be old: its record may be in use again, be
// somebody else's, or have been merged into another. docs/patient-matching.md#merges-there
import { LONGEST_CHAIN, replacedBy } from '../../fhir/patient-merge.ts';
import type { FhirClient } from '../../remote/fhir-client.ts';
import { type Result, success } from '../../remote/result.ts';
import { jsonOf } from '../body.ts';
import type { MappedContext } from '../context.ts';
import { mergedInto } from './alias.ts';
import { idOfPatient } from './held.ts';

export interface Survivor {
  readonly remoteId: string;
  /** It was merged itself and is in use again, as the server has it now. */
  readonly isBack: boolean;
}

type Asking = MappedContext & { readonly client: Pick<FhirClient, 'read'> };

/**
 * @param from the record that is no longer used
 * @param target what it says that it was replaced by
 * @returns a permanent failure when they go round in circles, or lead to a record of another server
 */
export async function survivorOf(context: Asking, from: string, target: string): Promise<Result<Survivor>> {
  const { store, connection } = context;
  const seen = new Set([from]);
  let id: string | undefined = target;
  while (id !== undefined && !seen.has(id) && seen.size <= LONGEST_CHAIN) {
    const known: string | undefined = await mergedInto(store, connection.name, id);
    if (known === id) return success({ remoteId: id, isBack: false });
    seen.add(id);
    const read = await replacementOf(context, id);
    if (!read.ok && read.failure.class !== 'permanent') return read;
    if (read.ok && read.value === undefined) return success({ remoteId: id, isBack: true });
    // Of one that nobody can read what is known is all there is.
    id = read.ok ? read.value : known;
  }
  const message = 'The records that the server merged go round in circles, or lead to one that is not among its own.';
  return { ok: false, failure: { class: 'permanent', message } };
}

/** What stands for the record by now, as it says itself or as a read of it leads to; undefined when it is in use. */
export async function replacementOf({ client, mapping }: Asking, id: string): Promise<Result<string | undefined>> {
  // A server may lead to the record in use instead of showing the one that is not.
  const reply = await client.read('Patient', id, { mayLead: true });
  if (!reply.ok) return reply;
  const { body } = reply.value;
  if (body?.id !== id) return success(body?.id ?? id);
  const reference = replacedBy(jsonOf(body));
  // What is no record there leads nowhere.
  return success(reference === undefined ? undefined : (idOfPatient(reference, mapping.remoteBase) ?? id));
}
