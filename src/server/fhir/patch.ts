// patch by id and conditional patch; JSON Patch and FHIRPath Patch. https://hl7.org/fhir/R4/http.html#patch
import { decide } from '../../access/decide.ts';
import { Fault } from '../../fault.ts';
import type { Change } from '../../fhir/change.ts';
import { JSON_PATCH, readPatch } from '../../fhir/patch/patch.ts';
import { isId } from '../../fhir/request-url.ts';
import { writeAnswer } from './answer.ts';
import { authorizeChange } from './authorize-change.ts';
import { commitOne } from './commit-one.ts';
import type { Answer, FhirContext, FhirRequest } from './context.ts';
import { parsePrefer } from './prefer.ts';
import { criteriaIn, ifMatchIn } from './update.ts';
import { mayShow } from './write-guard.ts';

export async function patch(context: FhirContext, request: FhirRequest): Promise<Answer> {
  const { grant, params, pairs, headers, body } = request;
  const { type = '', id } = params;
  decide(grant, 'patch', type);
  const prefer = parsePrefer(headers.prefer);
  if (id !== undefined && !isId(id)) throw new Fault('not-found', `${type} has no resource with this id.`);
  checkKind(headers['content-type'], body);
  const { revise, tellsContent } = readPatch(body);
  const change: Change = {
    op: 'patch',
    type,
    revise,
    tellsContent,
    ...(id === undefined ? { query: criteriaIn(type, pairs) } : { id }),
    ...ifMatchIn(headers['if-match']),
  };
  const outcome = await commitOne(context, grant, authorizeChange(context, grant, change));
  const mayRead = await mayShow(context, grant, type, outcome.id);
  // A client that may only write does not learn from a small patch what else the resource says.
  const told = mayRead || prefer.return === 'OperationOutcome' ? prefer : ({ ...prefer, return: 'minimal' } as const);
  return writeAnswer(context, outcome, told, mayRead);
}

/** @throws Fault invalid when the body is of the other kind than its media type says */
function checkKind(contentType: string | undefined, body: unknown): void {
  const mediaType = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase();
  const isList = Array.isArray(body);
  if (mediaType === JSON_PATCH && !isList) {
    throw new Fault('invalid', 'A JSON Patch is a list of operations.', { code: 'structure' });
  }
  if (mediaType === 'application/fhir+json' && isList) {
    throw new Fault('invalid', `A JSON Patch has the media type ${JSON_PATCH}.`, { code: 'structure' });
  }
}
