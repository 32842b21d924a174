// QuestionnaireResponse/$extract: what a finished response says, as a transaction that stores it. Nothing is stored here.
// https://hl7.org/fhir/uv/sdc/OperationDefinition-QuestionnaireResponse-extract.html
import type { Parameters, Questionnaire, QuestionnaireResponse } from '@medplum/fhirtypes';
import { findQuestionnaire } from '../../../care/assessments/instruments.ts';
import { extract, toTransaction } from '../../../care/sdc/extract.ts';
import { openForm } from '../../../care/sdc/form.ts';
import { Fault } from '../../../fault.ts';
import { parseExact } from '../../../fhir/exact-json.ts';
import { grantedRecords } from '../../api/granted-records.ts';
import type { Answer, FhirContext, FhirRequest } from '../context.ts';
import { readCurrent } from '../read.ts';
import type { OperationInput } from './input.ts';
import type { Operation } from './operation.ts';
import { issuesOf } from './populate.ts';
import { terminologyInput } from './terminology-input.ts';

export const EXTRACT: Operation = {
  code: 'extract',
  at: ['type', 'instance'],
  types: ['QuestionnaireResponse'],
  affectsState: false,
  definition: 'http://hl7.org/fhir/uv/sdc/OperationDefinition/QuestionnaireResponse-extract',
  inputs: ['questionnaire-response', 'questionnaire'],
  handler: extractResponse,
};

async function extractResponse(context: FhirContext, request: FhirRequest): Promise<Answer> {
  const input = terminologyInput(context, EXTRACT, request, 'questionnaire-response');
  const response = await responseIn(context, request, input);
  if (response.status !== 'completed' && response.status !== 'amended') {
    throw new Fault('unprocessable', `The response is ${response.status}; only one that is completed is taken apart.`, {
      expression: 'QuestionnaireResponse.status',
      code: 'business-rule',
    });
  }
  const form = openForm(await questionnaireFor(context, request, input, response));
  const now = context.clock.now();
  const extraction = extract(form, response, { now, zone: 'UTC' });
  const parameters: Parameters = {
    resourceType: 'Parameters',
    parameter: [
      { name: 'return', resource: toTransaction(extraction, response, now) },
      ...issuesOf(extraction.problems),
    ],
  };
  return { status: 200, body: JSON.stringify(parameters) };
}

async function responseIn(
  context: FhirContext,
  { grant, params }: FhirRequest,
  input: OperationInput,
): Promise<QuestionnaireResponse> {
  if (params.id !== undefined) {
    return parseExact((await readCurrent(context, grant, 'QuestionnaireResponse', params.id)).content);
  }
  const given = input.resource('questionnaire-response');
  if (given?.resourceType === 'QuestionnaireResponse') return given;
  throw new Fault('invalid', 'The parameter questionnaire-response must hold a QuestionnaireResponse.', {
    code: given ? 'structure' : 'required',
  });
}

/** The form that came along, else the one that the response names. @throws Fault unprocessable */
async function questionnaireFor(
  context: FhirContext,
  { grant }: FhirRequest,
  input: OperationInput,
  { questionnaire }: QuestionnaireResponse,
): Promise<Questionnaire> {
  const given = input.resource('questionnaire');
  if (given?.resourceType === 'Questionnaire') return given;
  const shelf = { records: grantedRecords(context, grant), installed: context.artefacts };
  const found = questionnaire === undefined ? undefined : await findQuestionnaire(shelf, questionnaire);
  if (found) return found;
  throw new Fault(
    'unprocessable',
    'The Questionnaire of the response is not here; send it as the parameter questionnaire.',
    {
      expression: 'QuestionnaireResponse.questionnaire',
      code: 'not-found',
    },
  );
}
