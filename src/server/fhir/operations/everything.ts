// $everything: a patient's record in pages: all of the patient's compartment, and what it refers to outside of anybody's
// compartment (practitioners, organizations, medications…). https://hl7.org/fhir/R4/patient-operation-everything.html
import { reachesAll } from '../../../access/decide.ts';
import type { Grant } from '../../../access/grant.ts';
import { Fault } from '../../../fault.ts';
import type { Pairs } from '../../../fhir/request-url.ts';
import { compartmentCondition } from '../../../fhir/search/compartment.ts';
import { parseSearch } from '../../../fhir/search/parse.ts';
import type { Condition, SearchQuery } from '../../../fhir/search/query.ts';
import type { Answer, FhirContext, FhirRequest } from '../context.ts';
import { reachOfTypes } from '../reach.ts';
import { readCurrent } from '../read.ts';
import { answerSearch } from '../search.ts';
import { careDateOf } from './care-dates.ts';
import { type OperationInput, operationInput } from './input.ts';
import type { Operation } from './operation.ts';

export const EVERYTHING: Operation = {
  code: 'everything',
  at: ['type', 'instance'],
  types: ['Patient'],
  affectsState: false,
  definition: 'http://hl7.org/fhir/OperationDefinition/Patient-everything',
  inputs: ['start', 'end', '_since', '_type', '_count', '_cursor'],
  handler: everything,
};

async function everything(context: FhirContext, request: FhirRequest): Promise<Answer> {
  const { grant, pairs } = request;
  const input = operationInput(EVERYTHING, request);
  const id = request.params.id ?? ownPatient(grant);
  await readCurrent(context, grant, 'Patient', id);
  const query = planEverything(context, grant, id, input);
  const path = `Patient/${id}/$everything`;
  return { status: 200, body: await answerSearch(context, grant, { query, path, pairs }) };
}

/** Without an id it is the record of the patient in context. @throws Fault invalid when the token names none */
function ownPatient(grant: Grant): string {
  if (grant.patient !== undefined) return grant.patient;
  const sentence = 'Say whose record: Patient/{id}/$everything. Without an id the token must name a patient.';
  throw new Fault('invalid', sentence, { code: 'too-costly' });
}

function planEverything(context: FhirContext, grant: Grant, id: string, input: OperationInput): SearchQuery {
  const { parameters } = context;
  const asked = input.values('_type').flatMap((list) => list.split(','));
  const isOf = (type: string) => asked.length === 0 || asked.includes(type);
  const compartment = parameters.types.filter((type) => type === 'Patient' || parameters.patientCompartment(type));
  const supporting = parameters.types.filter((type) => !compartment.includes(type) && isOf(type));
  const readable = supporting.filter((type) => reachesAll(grant, 'read', type));
  const since = input.value('_since');
  const paging = parseSearch(parameters, undefined, pagingPairs(asked, input), {
    handling: 'strict',
    baseUrl: context.base(),
    clock: context.clock,
  });
  const within = (types: readonly string[]) => reachOfTypes(context, grant, 'search-type', types);
  return {
    ...paging,
    conditions: [
      ...paging.conditions.filter(({ kind }) => kind === 'updated'),
      compartmentCondition(parameters, undefined, id),
      inPeriodOfCare(context, compartment.filter(isOf), input, within),
    ],
    includes:
      // What is asked for since an instant is what changed; who it refers to did not change with it.
      readable.length === 0 || since !== undefined
        ? []
        : [{ direction: 'include', iterate: true, amongTypes: readable }],
    applied: appliedOf(input),
  };
}

const PAGING = ['_count', '_cursor'] as const;

function pagingPairs(types: readonly string[], input: OperationInput): Pairs {
  const pairs: [string, string][] = PAGING.flatMap((name) =>
    input.values(name).map((value) => [name, value] as [string, string]),
  );
  const since = input.value('_since');
  if (since !== undefined) pairs.push(['_lastUpdated', `ge${since}`]);
  if (types.length > 0) pairs.push(['_type', types.join(',')]);
  return pairs;
}

function appliedOf(input: OperationInput): Pairs {
  return EVERYTHING.inputs.flatMap((name) => input.values(name).map((value) => [name, value] as const));
}

/** Of types that say when care was given, only care within `start` and `end`. */
function inPeriodOfCare(
  context: FhirContext,
  types: readonly string[],
  input: OperationInput,
  within: (types: readonly string[]) => Condition,
): Condition {
  if (input.value('start') === undefined && input.value('end') === undefined) return within(types);
  return {
    kind: 'any',
    of: types.map((type) => ({ kind: 'all', of: [within([type]), ...inPeriod(context, type, input)] })),
  };
}

/** Care within `start` and `end`; a resource whose type or content has no date of care is always part of the record. */
function inPeriod(context: FhirContext, type: string, input: OperationInput): Condition[] {
  const code = careDateOf(context.parameters, type);
  const bounds = [
    ['ge', input.value('start')],
    ['le', input.value('end')],
  ].flatMap(([prefix, day]) => (day === undefined ? [] : [`${prefix}${day}`]));
  if (bounds.length === 0) return [];
  const options = { handling: 'strict', baseUrl: context.base(), clock: context.clock } as const;
  // Parsed for every type, so that a date that is none is refused whatever the record holds.
  const conditions = (name: string, values: readonly string[]) =>
    parseSearch(
      context.parameters,
      type,
      values.map((value) => [name, value] as const),
      options,
    ).conditions;
  if (code === undefined) {
    conditions('_lastUpdated', bounds);
    return [];
  }
  const dated: Condition = { kind: 'all', of: conditions(code, bounds) };
  return [{ kind: 'any', of: [...conditions(`${code}:missing`, ['true']), dated] }];
}
