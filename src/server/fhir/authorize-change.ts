// May the grant make this change? The interaction itself, and the searches that a conditional interaction or a
// conditional reference runs on the way: their answer (how many match) must not tell more than the grant may know.
// https://hl7.org/fhir/R4/http.html#trules
import { decideFully, type Interaction } from '../../access/decide.ts';
import type { Grant } from '../../access/grant.ts';
import type { Change } from '../../fhir/change.ts';

/** @throws Fault forbidden */
export function authorizeChange(grant: Grant, change: Change): void {
  const type = change.op === 'delete' ? change.type : change.resource.resourceType;
  decideFully(grant, change.op satisfies Interaction, type);
  const criteria = change.op === 'create' ? change.ifNoneExist : change.query;
  if (criteria !== undefined) decideFully(grant, 'search-type', type);
  if (change.op === 'delete') return;
  for (const searched of conditionalReferenceTypes(change.resource)) decideFully(grant, 'search-type', searched);
}

/** Types searched by references like `Patient?identifier=…`. */
function conditionalReferenceTypes(value: unknown, found = new Set<string>()): Set<string> {
  if (typeof value !== 'object' || value === null) return found;
  for (const [key, child] of Object.entries(value)) {
    if (typeof child === 'object') conditionalReferenceTypes(child, found);
    else if (key === 'reference' && typeof child === 'string') {
      const type = /^([A-Z][A-Za-z]+)\?/.exec(child)?.[1];
      if (type) found.add(type);
    }
  }
  return found;
}
