// delete by id, and conditional delete of at most one match. Deleting what is not there succeeds.
// https://hl7.org/fhir/R4/http.html#delete
import { decide } from '../../access/decide.ts';
import type { Grant } from '../../access/grant.ts';
import type { Change } from '../../fhir/change.ts';
import { etagOf } from '../../fhir/etag.ts';
import { isId } from '../../fhir/request-url.ts';
import { information } from './answer.ts';
import { authorizeChange } from './authorize-change.ts';
import { commitOne } from './commit-one.ts';
import type { Answer, FhirContext, FhirRequest } from './context.ts';
import { parsePrefer } from './prefer.ts';
import { criteriaIn, ifMatchIn } from './update.ts';

export async function remove(context: FhirContext, { grant, params, pairs, headers }: FhirRequest): Promise<Answer> {
  const { type = '', id } = params;
  decide(grant, 'delete', type);
  const prefer = parsePrefer(headers.prefer);
  if (id !== undefined && !isId(id)) return nothingThere(context, grant, type);
  const change: Change = {
    op: 'delete',
    type,
    ...(id === undefined ? { query: criteriaIn(type, pairs) } : { id }),
    ...ifMatchIn(headers['if-match']),
  };
  authorizeChange(context, grant, change);
  const outcome = await commitOne(context, grant, change);
  const versioned: Record<string, string> = outcome.versionId ? { etag: etagOf(outcome.versionId) } : {};
  if (prefer.return !== 'OperationOutcome') return { status: 204, headers: versioned };
  const sentence = outcome.written ? `${type}/${outcome.id} was deleted.` : 'There was nothing to delete.';
  return { status: 200, headers: versioned, body: information(sentence) };
}

/** No resource can have the id, so the store is not asked; the trail hears of it all the same. */
function nothingThere({ store }: FhirContext, { actor }: Grant, type: string): Answer {
  store.audit({ actor, interaction: 'delete', action: 'D', status: 204, type });
  return { status: 204 };
}
