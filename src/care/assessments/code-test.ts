// Whether an answer's code is in the value set of its question, as far as installed terminology can tell.
import type { Artefacts } from '../../fhir/artefacts.ts';
import { installedTerminology } from '../../fhir/terminology/installed.ts';
import { createTerminology, type Terminology } from '../../fhir/terminology/terminology.ts';
import type { CodeTest } from '../sdc/check-answer.ts';

/** Made when a form first asks for a value set; most have their options in themselves. */
const made = new WeakMap<Artefacts, Terminology>();

export function codeTest(installed: Artefacts): CodeTest {
  return (valueSet, { code, system }) => {
    const terminology = made.get(installed) ?? createTerminology(installedTerminology(installed));
    made.set(installed, terminology);
    return code === undefined ? undefined : terminology.codes(valueSet)?.has(code, system);
  };
}
