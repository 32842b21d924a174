// Questionnaire/$populate: a response filled in with what the request brings and what the record says, within what the
// grant lets be read. Nothing is stored. https://hl7.org/fhir/uv/sdc/OperationDefinition-Questionnaire-populate.html
import type {
  OperationOutcome,
  Parameters,
  ParametersParameter,
  Questionnaire,
  Reference,
  Resource,
} from '@medplum/fhirtypes';
import { findQuestionnaire } from '../../../care/assessments/instruments.ts';
import type { Records } from '../../../care/records.ts';
import type { Problem, Surroundings } from '../../../care/sdc/evaluate.ts';
import { type Fetched, fetchFor } from '../../../care/sdc/fetch-queries.ts';
import { openForm } from '../../../care/sdc/form.ts';
import { populate } from '../../../care/sdc/populate.ts';
import { Fault } from '../../../fault.ts';
import { parseExact } from '../../../fhir/exact-json.ts';
import { parseLiteral } from '../../../fhir/references.ts';
import { grantedRecords } from '../../api/granted-records.ts';
import type { Answer, FhirContext, FhirRequest } from '../context.ts';
import { readCurrent } from '../read.ts';
import type { OperationInput } from './input.ts';
import type { Operation } from './operation.ts';
import { terminologyInput } from './terminology-input.ts';

export const POPULATE: Operation = {
  code: 'populate',
  at: ['type', 'instance'],
  types: ['Questionnaire'],
  affectsState: false,
  definition: 'http://hl7.org/fhir/uv/sdc/OperationDefinition/Questionnaire-populate',
  inputs: [
    'identifier',
    'canonical',
    'questionnaire',
    'questionnaireRef',
    'subject',
    'context',
    'local',
    'launchContext',
  ],
  handler: populateForm,
};

async function populateForm(context: FhirContext, request: FhirRequest): Promise<Answer> {
  const input = terminologyInput(context, POPULATE, request, 'questionnaire');
  const { patients, ...rest } = grantedRecords(context, request.grant);
  const records: Records = rest;
  const form = openForm(await questionnaireIn(context, request, input, records));
  const subject = subjectIn(input);
  const launch = await launchIn(input, subject, records);
  const surroundings: Surroundings = { now: context.clock.now(), zone: 'UTC', launch };
  const fetched =
    input.flag('local') === false ? NOTHING : await fetchFor(form, subject.reference, surroundings, records);
  const authored = surroundings.now.round('second').toString();
  const { response, problems } = populate(form, { subject, authored }, surroundings, fetched);
  const parameters: Parameters = {
    resourceType: 'Parameters',
    parameter: [{ name: 'response', resource: response }, ...issuesOf(problems)],
  };
  return { status: 200, body: JSON.stringify(parameters), patients: [...patients] };
}

const NOTHING: Fetched = { queries: new Map(), observed: new Map(), problems: [] };

/** @throws Fault invalid when none is named; not-found */
async function questionnaireIn(
  context: FhirContext,
  { grant, params }: FhirRequest,
  input: OperationInput,
  records: Records,
): Promise<Questionnaire> {
  if (params.id !== undefined) {
    const found = await findQuestionnaire({ records, installed: context.artefacts }, params.id);
    // Says why there is none.
    return found ?? parseExact((await readCurrent(context, grant, 'Questionnaire', params.id)).content);
  }
  const given = input.resource('questionnaire');
  if (given?.resourceType === 'Questionnaire') return given;
  if (given)
    throw new Fault('invalid', 'The parameter questionnaire must hold a Questionnaire.', { code: 'structure' });
  const name = nameIn(input);
  if (name === undefined) {
    const sentence =
      'Say which form: Questionnaire/{id}/$populate, or one of questionnaire, canonical, questionnaireRef, identifier.';
    throw new Fault('invalid', sentence, { code: 'required' });
  }
  const found =
    typeof name === 'string'
      ? await findQuestionnaire({ records, installed: context.artefacts }, name)
      : (await records.find('Questionnaire', { identifier: `${name.system}|${name.value}`, _sort: '-date' }))[0];
  if (found) return found;
  throw new Fault('not-found', 'There is no such Questionnaire here.');
}

function nameIn(input: OperationInput): string | { system: string; value: string } | undefined {
  const [reference] = input.all('questionnaireRef');
  const [identifier] = input.all('identifier');
  const [named] = input.all('questionnaire');
  const text =
    named?.valueUri ?? named?.valueString ?? (named as { valueCanonical?: string } | undefined)?.valueCanonical;
  const id = parseLiteral(reference?.valueReference?.reference ?? reference?.valueString ?? '')?.id;
  const { system = '', value } = identifier?.valueIdentifier ?? {};
  return input.value('canonical') ?? text ?? id ?? (value === undefined ? undefined : { system, value });
}

/** @throws Fault invalid */
function subjectIn(input: OperationInput): Reference & { readonly reference: string } {
  const [given] = input.all('subject');
  const reference = given?.valueReference?.reference ?? given?.valueString;
  if (reference !== undefined && parseLiteral(reference)) return { ...given?.valueReference, reference };
  throw new Fault('invalid', 'The parameter subject must be a reference to whom the form is about, e.g. Patient/12.', {
    code: given ? 'value' : 'required',
    expression: "Parameters.parameter.where(name = 'subject')",
  });
}

/** Resources by name: those that came along, those that are referred to, and the subject as `patient`. */
async function launchIn(input: OperationInput, subject: Reference, records: Records): Promise<Record<string, unknown>> {
  const launch: Record<string, unknown> = {};
  const about = await follow(records, subject);
  if (about) launch[about.resourceType.toLowerCase()] = about;
  for (const { part = [] } of [...input.all('context'), ...input.all('launchContext')]) {
    const name = part.find((one) => one.name === 'name');
    const called = name?.valueString ?? name?.valueCode ?? name?.valueCoding?.code;
    const contents = await Promise.all(
      part.filter((one) => one.name === 'content').map((one) => contentOf(one, records)),
    );
    if (called !== undefined) launch[called] = contents.filter((one) => one !== undefined);
  }
  return launch;
}

async function contentOf({ resource, valueReference }: ParametersParameter, records: Records) {
  return resource ?? (valueReference && (await follow(records, valueReference)));
}

/** Undefined when it leads nowhere that the caller may see. */
async function follow(records: Records, { reference = '' }: Reference): Promise<Resource | undefined> {
  const target = parseLiteral(reference);
  return target && (records.read(target.type as Resource['resourceType'], target.id) as Promise<Resource | undefined>);
}

/** What could not be done, as the parameter `issues`. */
export function issuesOf(problems: readonly Problem[]): ParametersParameter[] {
  if (problems.length === 0) return [];
  const outcome: OperationOutcome = {
    resourceType: 'OperationOutcome',
    issue: problems.map(({ path, text }) => ({
      severity: 'warning',
      code: 'processing',
      details: { text: path === '' ? text : `${path}: ${text}` },
    })),
  };
  return [{ name: 'issues', resource: outcome }];
}
