// Where a patient went, by a code that ConceptMap discharge-destination knows: only then can protocols be chosen by it.
import type { CodeableConcept, ConceptMap } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { Artefacts } from '../../fhir/artefacts.ts';
import { MAPS } from '../systems.ts';

/**
 * The code with its system, of several systems that have it the first in the map.
 * @throws Fault unprocessable when the map does not know it
 */
export function dispositionOf(installed: Artefacts, code: string): CodeableConcept {
  const map = installed.find('ConceptMap', MAPS.destination)?.read() as ConceptMap | undefined;
  const groups = map?.group ?? [];
  for (const { source, element } of groups) {
    const known = element.find((one) => one.code === code);
    if (!known) continue;
    const text = known.display ?? known.target?.[0]?.display;
    return { coding: [{ ...(source ? { system: source } : {}), code }], ...(text ? { text } : {}) };
  }
  const words = groups.at(-1)?.element.flatMap((one) => one.code ?? []) ?? [];
  throw new Fault(
    'unprocessable',
    `disposition must be an NUBC patient discharge status or one of ${words.join(', ')}.`,
    {
      expression: 'disposition',
      code: 'code-invalid',
    },
  );
}
