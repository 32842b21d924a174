// $meta, $meta-add and $meta-delete: profiles, security labels and tags, of one resource or of all of them.
// https://hl7.org/fhir/R4/resource-operation-meta.html
import type { Meta, Resource } from '@medplum/fhirtypes';
import { decideFully } from '../../../access/decide.ts';
import { Fault } from '../../../fault.ts';
import type { Change } from '../../../fhir/change.ts';
import { addMeta, deleteMeta, readMeta } from '../../../fhir/meta.ts';
import { isId } from '../../../fhir/request-url.ts';
import { versionHeaders } from '../answer.ts';
import { authorizeChange } from '../authorize-change.ts';
import { commitOne } from '../commit-one.ts';
import type { Answer, FhirContext, FhirHandler, FhirRequest } from '../context.ts';
import { readCurrent } from '../read.ts';
import { ifMatchIn } from '../update.ts';
import { readVersion } from '../vread.ts';
import { mayShow } from '../write-guard.ts';
import { operationInput } from './input.ts';
import type { Operation } from './operation.ts';

/** Baton's own records have no labels. */
const NOT_LABELLED = ['AuditEvent'];

export const META: Operation = {
  code: 'meta',
  at: ['system', 'type', 'instance', 'version'],
  notFor: NOT_LABELLED,
  affectsState: false,
  definition: 'http://hl7.org/fhir/OperationDefinition/Resource-meta',
  inputs: [],
  handler: meta,
};

/** Not on past versions: the log is never changed. */
export const META_ADD: Operation = {
  code: 'meta-add',
  at: ['instance'],
  notFor: NOT_LABELLED,
  affectsState: true,
  definition: 'http://hl7.org/fhir/OperationDefinition/Resource-meta-add',
  inputs: ['meta'],
  handler: changing(addMeta),
};

export const META_DELETE: Operation = {
  code: 'meta-delete',
  at: ['instance'],
  notFor: NOT_LABELLED,
  affectsState: true,
  definition: 'http://hl7.org/fhir/OperationDefinition/Resource-meta-delete',
  inputs: ['meta'],
  handler: changing(deleteMeta),
};

async function meta(context: FhirContext, request: FhirRequest): Promise<Answer> {
  const { type, id, version } = request.params;
  const { grant } = request;
  operationInput(META, request);
  if (type === undefined || id === undefined) {
    decideFully(grant, type === undefined ? 'search-system' : 'search-type', type ?? '*');
    return answerMeta(withoutEmpty(await context.store.metaInUse(type)));
  }
  const found =
    version === undefined
      ? await readCurrent(context, grant, type, id)
      : await readVersion(context, grant, { type, id, versionId: version });
  return answerMeta((JSON.parse(found.content) as Resource).meta ?? {}, versionHeaders(found));
}

/** A change of `meta` makes a version like every other change, unless there is nothing to change. */
function changing(combine: (current: Meta, given: Meta) => Meta): FhirHandler {
  return async (context, request) => {
    const { grant, params, headers } = request;
    const { type = '', id = '' } = params;
    const [given] = operationInput(META_ADD, request, 'meta').all('meta');
    if (!given) throw new Fault('invalid', 'The operation needs the parameter meta.', { code: 'required' });
    const wanted = readMeta(given.valueMeta);
    if (!isId(id)) throw new Fault('not-found', `${type} has no resource with this id.`);
    const change: Change = {
      op: 'patch',
      type,
      id,
      revise: (resource) => ({ ...resource, meta: combine(resource.meta ?? {}, wanted) }),
      ...ifMatchIn(headers['if-match']),
    };
    const outcome = await commitOne(context, grant, authorizeChange(context, grant, change));
    // Who may only write does not learn which other labels the resource has.
    if (!(await mayShow(context, grant, type, id))) return { status: 200, headers: versionHeaders(outcome) };
    return answerMeta((JSON.parse(outcome.content) as Resource).meta ?? {}, versionHeaders(outcome));
  };
}

function answerMeta(valueMeta: object, headers: Record<string, string> = {}): Answer {
  const parameter = [{ name: 'return', valueMeta }];
  return { status: 200, headers, body: JSON.stringify({ resourceType: 'Parameters', parameter }) };
}

function withoutEmpty(lists: object): object {
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => (list as unknown[]).length > 0));
}
