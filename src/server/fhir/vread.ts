// vread: one past or present version of a resource. https://hl7.org/fhir/R4/http.html#vread
import { decide } from '../../access/decide.ts';
import type { Grant } from '../../access/grant.ts';
import { Fault } from '../../fault.ts';
import { isId } from '../../fhir/request-url.ts';
import type { StoredVersion } from '../../store/store.ts';
import { versionHeaders } from './answer.ts';
import type { Answer, FhirContext, FhirRequest } from './context.ts';
import { readCurrent } from './read.ts';

export async function vread(context: FhirContext, { grant, params, pairs }: FhirRequest): Promise<Answer> {
  const { type = '', id = '', version = '' } = params;
  const found = await readVersion(context, grant, { type, id, versionId: version });
  const { content, lastUpdated } = found;
  return { status: 200, headers: versionHeaders(found), body: context.subset(pairs)(content), lastUpdated };
}

/** @throws Fault forbidden | not-found | gone */
export async function readVersion(
  context: FhirContext,
  grant: Grant,
  { type, id, versionId }: Pick<StoredVersion, 'type' | 'id' | 'versionId'>,
): Promise<StoredVersion> {
  // Only current versions are indexed, so only of the current one it is known whether a narrowed grant reaches it.
  if (decide(grant, 'vread', type) !== undefined) {
    const current = await readCurrent(context, grant, type, id);
    if (current.versionId === versionId) return current;
    throw onlyCurrent(type);
  }
  const found = isId(id) && isId(versionId) ? await context.store.vread(type, id, versionId) : undefined;
  if (!found) throw new Fault('not-found', `There is no such version of ${type}/${id}.`);
  if (found.operation === 'delete') throw new Fault('gone', `Version ${versionId} is the deletion of ${type}/${id}.`);
  return found;
}

function onlyCurrent(type: string): Fault {
  return new Fault(
    'forbidden',
    `The token reaches only some ${type} resources, and Baton shows past versions only to tokens that reach all of them.`,
  );
}
