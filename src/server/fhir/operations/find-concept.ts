// A concept that an operation needs, or why it is not there.
import { Fault } from '../../../fault.ts';
import type { Canonical } from '../../../fhir/terminology/canonical.ts';
import type { Concept, ConceptSystem } from '../../../fhir/terminology/concept-system.ts';
import type { Library } from '../../../fhir/terminology/library.ts';
import { subjectUnknown } from './terminology-subject.ts';

/** @throws Fault not-found */
export function findConcept(
  library: Library,
  { url, version }: Canonical,
  code: string,
): { readonly system: ConceptSystem; readonly concept: Concept } {
  const system = library.codeSystem(url, version);
  if (!system) throw subjectUnknown('CodeSystem', { url, ...(version === undefined ? {} : { version }) });
  return { system, concept: conceptIn(system, code) };
}

/** @throws Fault not-found, saying so when the code may exist all the same */
export function conceptIn(system: ConceptSystem, code: string): Concept {
  const concept = system.find(code);
  if (concept) return concept;
  const why = system.complete ? '' : ` Not all of its codes are here (its content is ${system.resource.content}).`;
  throw new Fault('not-found', `${system.url} has no code ${code} here.${why}`, { code: 'not-found' });
}
