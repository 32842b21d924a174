// $export-document: a care plan as a FHIR document. The standard's own $document begins from a Composition that is stored;
// a plan has none, and its document is made from what the record says now.
import { documentOfPlan } from '../../../care/document/view-document.ts';
import { Fault } from '../../../fault.ts';
import { stringifyExact } from '../../../fhir/exact-json.ts';
import { callerOf } from '../../api/caller-of.ts';
import { grantedRecords } from '../../api/granted-records.ts';
import { exchangeOf } from '../../exchange-of.ts';
import type { Answer, FhirContext, FhirRequest } from '../context.ts';
import { readCurrent } from '../read.ts';
import { operationInput } from './input.ts';
import type { Operation } from './operation.ts';

export const EXPORT_DOCUMENT: Operation = {
  code: 'export-document',
  at: ['instance'],
  types: ['CarePlan'],
  affectsState: false,
  definition: 'https://baton.health/fhir/OperationDefinition/export-document',
  inputs: [],
  handler: exportDocument,
};

async function exportDocument(context: FhirContext, request: FhirRequest): Promise<Answer> {
  const { grant, params } = request;
  const { id = '' } = params;
  operationInput(EXPORT_DOCUMENT, request);
  await readCurrent(context, grant, 'CarePlan', id);
  const records = grantedRecords(context, grant);
  const plan = await records.read('CarePlan', id);
  const caller = callerOf(grant, context);
  const made = plan && (await documentOfPlan(records, caller, exchangeOf(context, grant), plan));
  if (!made) throw new Fault('forbidden', 'A document is made for who may read the patient of the plan.');
  return { status: 200, body: stringifyExact(made.bundle), patients: [...records.patients] };
}
