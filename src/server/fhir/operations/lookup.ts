// $lookup: what is known of a concept. https://hl7.org/fhir/R4/codesystem-operation-lookup.html
import type { Coding } from '@medplum/fhirtypes';
import { decide } from '../../../access/decide.ts';
import { Fault } from '../../../fault.ts';
import { createLibrary } from '../../../fhir/terminology/library.ts';
import { lookup as lookupConcept } from '../../../fhir/terminology/lookup.ts';
import type { Answer, FhirContext, FhirRequest } from '../context.ts';
import { codingsIn } from './coding-input.ts';
import { findConcept } from './find-concept.ts';
import type { Operation } from './operation.ts';
import { gatherTerminology } from './stored-terminology.ts';
import { terminologyInput } from './terminology-input.ts';
import { dateIn } from './terminology-subject.ts';

export const LOOKUP: Operation = {
  code: 'lookup',
  at: ['type'],
  types: ['CodeSystem'],
  affectsState: false,
  definition: 'http://hl7.org/fhir/OperationDefinition/CodeSystem-lookup',
  inputs: ['code', 'system', 'version', 'coding', 'date', 'displayLanguage', 'property'],
  handler: lookup,
};

async function lookup(context: FhirContext, request: FhirRequest): Promise<Answer> {
  const { grant } = request;
  decide(grant, 'read', 'CodeSystem');
  const input = terminologyInput(context, LOOKUP, request);
  const [coding] = codingsIn(input, { system: 'system', version: 'version' }) as [Coding];
  const { system: url, version, code } = coding;
  if (url === undefined || code === undefined) {
    throw new Fault('invalid', 'The coding needs a system and a code.', { code: 'required' });
  }
  const asOf = dateIn(input);
  const source = await gatherTerminology({ context, grant }, [], [{ type: 'CodeSystem', url }]);
  const library = createLibrary(source, asOf === undefined ? {} : { asOf });
  const { system, concept } = findConcept(library, { url, ...(version === undefined ? {} : { version }) }, code);
  const found = lookupConcept(library, system, concept, {
    property: input.values('property'),
    displayLanguage: input.value('displayLanguage'),
  });
  return { status: 200, body: JSON.stringify(found) };
}
