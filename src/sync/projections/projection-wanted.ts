// What is to be read in place of a source as it is now.
import { planDocument } from '../../fhir/care-plan-document/plan-document.ts';
import type { ProjectionTarget } from '../connections/settings.ts';
import type { RunContext } from '../context.ts';
import type { Wanted } from './projection-body.ts';
import { readersOf } from './projection-readers.ts';
import type { Collected } from './projection-record.ts';

/** @param patient remote id of the patient */
export async function wantedFrom(
  context: RunContext,
  collected: Collected,
  patient: string,
  target: ProjectionTarget,
): Promise<Wanted> {
  const { record, labels } = collected;
  const { focus } = record;
  return {
    document: planDocument(record),
    labels,
    patient,
    status: focus.resourceType === 'CarePlan' && focus.status === 'revoked' ? 'superseded' : 'current',
    focus,
    readers: target === 'Communication' ? await readersOf(context, record) : [],
  };
}
