// Past versions for grants that reach only some resources of a type. Only current versions are indexed, so that the store
// cannot say of a past one whether it was within reach. But where that hangs on patients and labels alone, a past version
// about the same patients, with the same labels, is within reach exactly when the current one is.
import type { Resource } from '@medplum/fhirtypes';
import { decide, type Interaction } from '../../access/decide.ts';
import type { Grant } from '../../access/grant.ts';
import { Fault } from '../../fault.ts';
import { collectPlaced } from '../../fhir/references.ts';
import type { FhirContext } from './context.ts';
import { readCurrent } from './read.ts';

/** Whether the content of a past version is within reach. */
export type IsShown = (content: string) => boolean;

/**
 * @returns undefined when every version is within reach
 * @throws Fault forbidden when the reach hangs on more than patients and labels; not-found | gone
 */
export async function pastVersionsShown(
  context: FhirContext,
  grant: Grant,
  interaction: Extract<Interaction, 'vread' | 'history-instance'>,
  { type, id }: { readonly type: string; readonly id: string },
): Promise<IsShown | undefined> {
  const narrowing = decide(grant, interaction, type);
  if (!narrowing) return undefined;
  const current = subjectOf((await readCurrent(context, grant, type, id)).content);
  if (narrowing.lanes.some(({ constraint, role }) => constraint.length > 0 || role?.matching)) {
    const sentence =
      `The token reaches ${type} resources by what they say, and Baton knows that of current versions only; ` +
      `it shows past ones to tokens that reach all, or go by patient.`;
    throw new Fault('forbidden', sentence);
  }
  return (content) => content !== '' && subjectOf(content) === current;
}

/** Whom a version is about and how it is labelled, as text to compare. */
function subjectOf(content: string): string {
  const resource = JSON.parse(content) as Resource;
  // Where they are named counts too: the record is that of the subject, not that of who requested.
  const patients = collectPlaced(resource)
    .filter(({ reference }) => /(^|\/)Patient\/[^/]+(\/_history\/.*)?$/.test(reference))
    .map(({ place, reference }) => `${place} ${reference}`);
  const labels = (resource.meta?.security ?? []).map(({ system, code }) => `${system}|${code}`);
  return JSON.stringify([[...new Set(patients)].sort(), [...new Set(labels)].sort()]);
}
