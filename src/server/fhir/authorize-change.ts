// May the grant make this change? The interaction itself, and the searches that a conditional interaction or a
// conditional reference runs on the way: their answer (how many match) must not tell more than the grant may know.
// https://hl7.org/fhir/R4/http.html#trules

import type { Resource } from '@medplum/fhirtypes';
import { decide, decideFully, type Interaction, reachesAll } from '../../access/decide.ts';
import type { Grant } from '../../access/grant.ts';
import type { Change } from '../../fhir/change.ts';
import { parseSearchUrl } from '../../fhir/search/parse.ts';
import { refuseTrailChange } from './audit-events.ts';
import type { FhirContext } from './context.ts';
import { refuseBlindChains } from './narrow.ts';
import { searchOptions } from './search-options.ts';

/**
 * @returns the change to commit: what a patch adds shows only when it is applied, and is decided about then
 * @throws Fault forbidden, or invalid when the criteria of a conditional interaction are not understood
 */
export function authorizeChange(context: FhirContext, grant: Grant, change: Change): Change {
  const type = typeOf(change);
  refuseTrailChange(type);
  decide(grant, change.op satisfies Interaction, type);
  const criteria = change.op === 'create' ? change.ifNoneExist : change.query;
  if (criteria !== undefined) authorizeCriteria(context, grant, type, criteria);
  if (change.op === 'delete') return change;
  if (change.op !== 'patch') {
    authorizeReferences(context, grant, change.resource);
    return change;
  }
  if (change.tellsContent) decide(grant, 'read', type);
  return {
    ...change,
    evenIfSame: !reachesAll(grant, 'read', type),
    revise(current) {
      const next = change.revise(current);
      authorizeReferences(context, grant, next);
      return next;
    },
  };
}

/** What is stored has no conditional references any more, so those that are found are the client's. */
function authorizeReferences(context: FhirContext, grant: Grant, resource: Resource): void {
  for (const reference of conditionalReferences(resource)) {
    const mark = reference.indexOf('?');
    const type = reference.slice(0, mark);
    decideFully(grant, 'search-type', type);
    authorizeCriteria(context, grant, type, reference.slice(mark + 1));
  }
}

export function typeOf(change: Change): string {
  return 'type' in change ? change.type : change.resource.resourceType;
}

/** The commit keeps the matches within reach; where the criteria look into other resources nobody does. */
function authorizeCriteria(context: FhirContext, grant: Grant, type: string, criteria: string): void {
  decide(grant, 'search-type', type);
  const options = searchOptions(context, 'strict');
  refuseBlindChains(grant, parseSearchUrl(context.parameters, `${type}?${criteria}`, options).conditions);
}

/** References like `Patient?identifier=…`. */
function conditionalReferences(value: unknown, found = new Set<string>()): Set<string> {
  if (typeof value !== 'object' || value === null) return found;
  for (const [key, child] of Object.entries(value)) {
    if (typeof child === 'object') conditionalReferences(child, found);
    else if (key === 'reference' && typeof child === 'string' && /^[A-Z][A-Za-z]+\?/.test(child)) found.add(child);
  }
  return found;
}
