// A search by a parameter whose index is still being built would miss patients without a word, so it is refused.
import { Fault } from '../../fault.ts';
import { compartmentCondition } from '../../fhir/search/compartment.ts';
import type { SearchParameters } from '../../fhir/search/parameters.ts';
import type { Condition, Include, ParameterKey, SearchQuery } from '../../fhir/search/query.ts';
import type { Unindexed } from './index-state.ts';

/** @throws Fault unavailable when the query asks by, sorts by or includes through a parameter that is not indexed yet */
export function refuseUnindexed(query: SearchQuery, unindexed: Unindexed, parameters: SearchParameters): void {
  if (unindexed.size === 0) return;
  const { conditions, sort, includes, compartment, type } = query;
  refuseIn([conditions, sort], unindexed);
  for (const include of includes) refuseInclude(include, unindexed, parameters);
  if (compartment) refuseIn(compartmentCondition(parameters, type, compartment.id), unindexed);
}

/** @throws Fault unavailable when a condition that is asked by itself needs a parameter that is not indexed yet */
export function refuseUnindexedIn(condition: Condition, unindexed: Unindexed): void {
  if (unindexed.size > 0) refuseIn(condition, unindexed);
}

/** Looks for parameter keys wherever they are in the tree. */
function refuseIn(node: unknown, unindexed: Unindexed): void {
  if (typeof node !== 'object' || node === null) return;
  const { kind, type, code } = node as { kind?: unknown; type?: unknown; code?: unknown };
  if (typeof type === 'string' && typeof code === 'string') refuseUnindexedParameter({ type, code }, unindexed);
  if (kind === 'words') refuseUnindexedParameter({ type: 'Resource', code: '_content' }, unindexed);
  for (const member of Object.values(node)) refuseIn(member, unindexed);
}

function refuseInclude(include: Include, unindexed: Unindexed, parameters: SearchParameters): void {
  const { source, code, within } = include;
  refuseIn(within, unindexed);
  for (const type of source === undefined ? unindexed.keys() : [source]) {
    const codes = code === undefined ? referencesOf(type, parameters) : [code];
    for (const each of codes) refuseUnindexedParameter({ type, code: each }, unindexed);
  }
}

function referencesOf(type: string, parameters: SearchParameters): string[] {
  return parameters
    .forType(type)
    .filter(({ kind }) => kind === 'reference')
    .map(({ code }) => code);
}

/** @throws Fault unavailable when it is not indexed yet */
export function refuseUnindexedParameter({ type, code }: ParameterKey, unindexed: Unindexed): void {
  if (unindexed.size === 0) return;
  // `identifier:of-type` and the components of composites (`code$0`, `near$1`) are indexed with their parameter.
  const [parameter = code] = code.split(/[:$]/);
  const isMissing =
    type === 'Resource'
      ? [...unindexed.values()].some((codes) => codes.has(parameter))
      : unindexed.get(type)?.has(parameter) === true;
  if (!isMissing) return;
  const name = type === 'Resource' ? parameter : `${type}.${parameter}`;
  throw new Fault(
    'unavailable',
    `The index of ${name} is still being built, so a search by it would miss resources. Try again later.`,
    { context: { parameter: name } },
  );
}
