// create, also conditional. https://hl7.org/fhir/R4/http.html#create and #ccreate
import { decide } from '../../access/decide.ts';
import { criteriaOf } from '../../fhir/request-url.ts';
import { writeAnswer } from './answer.ts';
import { authorizeChange } from './authorize-change.ts';
import { resourceIn } from './body.ts';
import { commitOne } from './commit-one.ts';
import type { Answer, FhirContext, FhirRequest } from './context.ts';
import { parsePrefer } from './prefer.ts';
import { mayShow } from './write-guard.ts';

export async function create(context: FhirContext, { grant, params, headers, body }: FhirRequest): Promise<Answer> {
  const { type = '' } = params;
  decide(grant, 'create', type);
  const prefer = parsePrefer(headers.prefer);
  const condition = headers['if-none-exist'];
  const change = {
    op: 'create',
    resource: resourceIn(body, type),
    ...(condition === undefined
      ? {}
      : { ifNoneExist: criteriaOf([condition].flat().join('&'), type, 'If-None-Exist') }),
  } as const;
  authorizeChange(context, grant, change);
  const outcome = await commitOne(context, grant, change);
  return writeAnswer(context, outcome, prefer, await mayShow(context, grant, type, outcome.id));
}
