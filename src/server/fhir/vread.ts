// vread: one past or present version of a resource. https://hl7.org/fhir/R4/http.html#vread
import { decide } from '../../access/decide.ts';
import type { Grant } from '../../access/grant.ts';
import { Fault } from '../../fault.ts';
import { isId } from '../../fhir/request-url.ts';
import type { StoredVersion } from '../../store/store.ts';
import { versionHeaders } from './answer.ts';
import type { Answer, FhirContext, FhirRequest } from './context.ts';
import { pastVersionsShown } from './past-versions.ts';
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
  // The current version is within reach when the resource is, by whatever the reach goes.
  const current = decide(grant, 'vread', type) ? await readCurrent(context, grant, type, id) : undefined;
  if (current?.versionId === versionId) return current;
  const brought = current || !context.brought.has(type) ? undefined : await context.brought.read(type, id);
  if (brought?.versionId === versionId) return brought;
  const isShown = await pastVersionsShown(context, grant, 'vread', { type, id });
  const found = isId(id) && isId(versionId) ? await context.store.vread(type, id, versionId) : undefined;
  if (!found || isShown?.(found.content) === false) {
    throw new Fault('not-found', `There is no such version of ${type}/${id}.`);
  }
  if (found.operation === 'delete') throw new Fault('gone', `Version ${versionId} is the deletion of ${type}/${id}.`);
  return found;
}
