// update by id (also as create) and conditional update. https://hl7.org/fhir/R4/http.html#update and #cond-update
import { decide } from '../../access/decide.ts';
import { Fault } from '../../fault.ts';
import type { Change } from '../../fhir/change.ts';
import { versionOf } from '../../fhir/etag.ts';
import { criteriaOf, isId, type Pairs } from '../../fhir/request-url.ts';
import { refuseSubsetted } from '../../fhir/subset.ts';
import { writeAnswer } from './answer.ts';
import { authorizeChange } from './authorize-change.ts';
import { resourceIn } from './body.ts';
import { commitOne } from './commit-one.ts';
import type { Answer, FhirContext, FhirRequest } from './context.ts';
import { parsePrefer } from './prefer.ts';
import { mayShow } from './write-guard.ts';

export async function update(context: FhirContext, request: FhirRequest): Promise<Answer> {
  const { grant, params, headers, body } = request;
  const { type = '', id } = params;
  decide(grant, 'update', type);
  const prefer = parsePrefer(headers.prefer);
  const resource = resourceIn(body, type);
  refuseSubsetted(resource);
  const change: Change = {
    op: 'update',
    resource,
    ...(id === undefined ? { query: criteriaIn(type, request.pairs) } : {}),
    ...ifMatchIn(headers['if-match']),
    ...ifAbsentIn(headers['if-none-match']),
  };
  if (id !== undefined) checkId(resource.id, id);
  authorizeChange(context, grant, change);
  const outcome = await commitOne(context, grant, change);
  return writeAnswer(context, outcome, prefer, await mayShow(context, grant, type, outcome.id));
}

/** Criteria of a conditional update or delete. @throws Fault invalid without any */
export function criteriaIn(type: string, pairs: Pairs): string {
  return criteriaOf(new URLSearchParams(pairs.map(([name, value]) => [name, value])).toString(), type, 'The URL');
}

export function ifMatchIn(header: string | undefined): { ifMatch?: string } {
  return header === undefined ? {} : { ifMatch: versionOf(header, 'If-Match') };
}

/** @throws Fault invalid for another tag than `*`, which would make no sense for an update */
function ifAbsentIn(header: string | undefined): { ifAbsent?: true } {
  if (header === undefined) return {};
  if (header.trim() === '*') return { ifAbsent: true };
  throw new Fault(
    'invalid',
    'If-None-Match on an update can only be *: create, but do not replace. Else use If-Match.',
    {
      code: 'not-supported',
    },
  );
}

function checkId(inBody: unknown, inUrl: string): void {
  if (!isId(inUrl)) {
    const sentence = 'An id is 1 to 64 letters, digits, dots and hyphens.';
    throw new Fault('invalid', sentence, { expression: 'id', code: 'value' });
  }
  if (inBody === inUrl) return;
  const sentence = inBody === undefined ? 'The resource needs the id of the URL.' : 'The ids of URL and body differ.';
  throw new Fault('invalid', sentence, { expression: 'id', code: inBody === undefined ? 'required' : 'value' });
}
