// $evidence: what is proved of a transition of care, as individual MeasureReports computed now. The standard's own
// $evaluate-measure speaks of a patient in a period; a transition is one of possibly several in it.
import { decide } from '../../../access/decide.ts';
import { EVIDENCE_READS } from '../../../care/evidence/gather-evidence.ts';
import { measureReports } from '../../../care/evidence/measure-reports.ts';
import { readEvidence } from '../../../care/evidence/transition-evidence.ts';
import { Fault } from '../../../fault.ts';
import { stringifyExact } from '../../../fhir/exact-json.ts';
import { callerOf } from '../../api/caller-of.ts';
import { grantedRecords } from '../../api/granted-records.ts';
import type { Answer, FhirContext, FhirRequest } from '../context.ts';
import { readCurrent } from '../read.ts';
import { operationInput } from './input.ts';
import type { Operation } from './operation.ts';

export const EVIDENCE: Operation = {
  code: 'evidence',
  at: ['instance'],
  types: ['EpisodeOfCare'],
  affectsState: false,
  definition: 'https://baton.health/fhir/OperationDefinition/evidence',
  inputs: [],
  handler: evidence,
};

async function evidence(context: FhirContext, request: FhirRequest): Promise<Answer> {
  const { grant, params } = request;
  const { id = '' } = params;
  operationInput(EVIDENCE, request);
  for (const type of EVIDENCE_READS) decide(grant, 'read', type);
  await readCurrent(context, grant, 'EpisodeOfCare', id);
  const records = grantedRecords(context, grant);
  const found = await readEvidence(records, callerOf(grant, context), context.evidence, id);
  if (!found) {
    throw new Fault(
      'unprocessable',
      'There is evidence only of a transition of care whose patient and stay may be read.',
      {
        expression: 'EpisodeOfCare.type',
      },
    );
  }
  return { status: 200, body: stringifyExact(measureReports(found)), patients: [...records.patients] };
}
