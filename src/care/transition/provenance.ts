// Who made what from what, for everything that Baton plans by itself.
// http://hl7.org/fhir/us/core/StructureDefinition/us-core-provenance
import type { Provenance } from '@medplum/fhirtypes';
import { concept } from '../concept.ts';
import type { Link } from '../reference-to.ts';
import { IDENTIFIER } from '../systems.ts';

/**
 * Baton's own part is named by identifier, not by a resource: the name means the same on every server it travels to.
 * @param targets what was made or changed
 * @param source what it was made from, e.g. `Encounter/12`
 */
export function attribute(
  targets: readonly Link[],
  source: string,
  activity: 'CREATE' | 'UPDATE',
  now: Temporal.Instant,
): Provenance {
  const who = {
    type: 'Device' as const,
    identifier: { system: IDENTIFIER.component, value: 'baton-transitions' },
    display: 'Baton, transitions of care',
  };
  return {
    resourceType: 'Provenance',
    target: [...targets],
    recorded: now.toString({ fractionalSecondDigits: 3 }),
    activity: concept('http://terminology.hl7.org/CodeSystem/v3-DataOperation', activity, activity.toLowerCase()),
    agent: [
      { type: concept('http://terminology.hl7.org/CodeSystem/provenance-participant-type', 'author', 'Author'), who },
    ],
    entity: [{ role: 'source', what: { reference: source } }],
  };
}
