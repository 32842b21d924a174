// PlanDefinition/$apply and ActivityDefinition/$apply, as R4 has them with what the CPG adds, and Baton's `result`, `case`,
// `select`, `omit` and `persist` for a pathway that goes into the plan of a case.
// https://hl7.org/fhir/R4/plandefinition-operation-apply.html, https://hl7.org/fhir/R4/activitydefinition-operation-apply.html
import type { ActivityDefinition, Bundle, PlanDefinition, Resource } from '@medplum/fhirtypes';
import { readActivityAlone } from '../../../care/apply/apply-activity.ts';
import { gatherDefinitions } from '../../../care/apply/definition-source.ts';
import { isVariable } from '../../../care/apply/facts.ts';
import { withGiven } from '../../../care/apply/given-data.ts';
import { readCase } from '../../../care/cases/find-cases.ts';
import {
  type ApplyRequest,
  proposeActivity,
  proposeBundle,
  proposePlan,
} from '../../../care/pathways/apply-request.ts';
import type { ReadPathway } from '../../../care/pathways/pathway-library.ts';
import { followPathway } from '../../../care/pathways/plan-pathway.ts';
import type { Records } from '../../../care/records.ts';
import { idOf } from '../../../care/stored.ts';
import { Fault } from '../../../fault.ts';
import type { Change } from '../../../fhir/change.ts';
import { parseExact } from '../../../fhir/exact-json.ts';
import { callerOf } from '../../api/caller-of.ts';
import { type GrantedRecords, grantedRecords } from '../../api/granted-records.ts';
import { commitChanges } from '../commit-one.ts';
import type { Answer, FhirContext, FhirRequest } from '../context.ts';
import type { OperationInput } from './input.ts';
import type { Operation } from './operation.ts';
import { terminologyInput } from './terminology-input.ts';

const CONTEXT = ['userType', 'userLanguage', 'userTaskContext', 'setting', 'settingContext'] as const;
const COMMON = [
  ...['url', 'version', 'subject', 'encounter', 'practitioner', 'organization'],
  ...CONTEXT,
  ...['parameters', 'data', 'useServerData'],
];

export const APPLY_PLAN: Operation = {
  code: 'apply',
  at: ['type', 'instance'],
  types: ['PlanDefinition'],
  affectsState: false,
  definition: 'http://hl7.org/fhir/OperationDefinition/PlanDefinition-apply',
  inputs: ['planDefinition', ...COMMON, 'mergeNestedCarePlans', 'result', 'case', 'select', 'omit', 'persist'],
  handler: applyPlan,
};

export const APPLY_ACTIVITY: Operation = {
  code: 'apply',
  at: ['type', 'instance'],
  types: ['ActivityDefinition'],
  affectsState: false,
  definition: 'http://hl7.org/fhir/OperationDefinition/ActivityDefinition-apply',
  inputs: ['activityDefinition', ...COMMON],
  handler: applyOneActivity,
};

async function applyPlan(context: FhirContext, request: FhirRequest): Promise<Answer> {
  const input = terminologyInput(context, APPLY_PLAN, request, 'planDefinition');
  const granted = grantedRecords(context, request.grant);
  const { library } = context.pathways;
  const definition = await definitionIn<PlanDefinition>('PlanDefinition', request, input, (name) =>
    library.find(name, granted),
  );
  if (input.flag('mergeNestedCarePlans') === false) {
    throw new Fault('invalid', 'Nested plans are always merged; leave mergeNestedCarePlans out or send true.', {
      code: 'not-supported',
    });
  }
  const { given, records, around } = surroundings(context, request, input, granted);
  const read = await library.read(definition, records, Object.keys(given));
  const result = input.value('result') ?? 'care-plan';
  if (result === 'tasks') return planTasks(context, request, input, { read, granted, given });
  if (result !== 'care-plan' && result !== 'bundle') {
    throw new Fault('invalid', 'The parameter result must be care-plan, bundle or tasks.', { code: 'value' });
  }
  const asked = askedIn(input, given);
  const made = await (result === 'bundle' ? proposeBundle : proposePlan)(read, asked, around);
  return answer(made, granted);
}

async function applyOneActivity(context: FhirContext, request: FhirRequest): Promise<Answer> {
  const input = terminologyInput(context, APPLY_ACTIVITY, request, 'activityDefinition');
  const granted = grantedRecords(context, request.grant);
  const source = context.pathways.library.source(granted);
  const definition = await definitionIn<ActivityDefinition>('ActivityDefinition', request, input, async (name) =>
    name.includes(':')
      ? source.find('ActivityDefinition', name)
      : ((await granted.read('ActivityDefinition', name)) ??
        source.find('ActivityDefinition', `https://baton.health/fhir/ActivityDefinition/${name}`)),
  );
  const { given, records, around } = surroundings(context, request, input, granted);
  const lookup = await gatherDefinitions([definition], context.pathways.library.source(records));
  const pathway = readActivityAlone(definition, lookup, Object.keys(given));
  return answer(await proposeActivity({ pathway, lookup }, askedIn(input, given), around), granted);
}

interface ForCase {
  readonly read: ReadPathway;
  readonly granted: GrantedRecords;
  readonly given: Readonly<Record<string, unknown>>;
}

/** The pathway as Goals, Tasks and requests of a case's plan: what would be committed, or with `persist` the commit. */
async function planTasks(
  context: FhirContext,
  request: FhirRequest,
  input: OperationInput,
  { read, granted, given }: ForCase,
): Promise<Answer> {
  const caseId = idOf({ reference: input.required('case') }, 'EpisodeOfCare');
  const episode = caseId === undefined ? undefined : await readCase(granted, caseId);
  if (!episode) {
    throw new Fault('unprocessable', 'The parameter case must be EpisodeOfCare/ID of a case that you may see.', {
      expression: 'case',
    });
  }
  const subject = input.value('subject');
  if (subject !== undefined && subject !== episode.patient.reference) {
    throw new Fault('unprocessable', 'The case is of another patient than the subject.', { expression: 'subject' });
  }
  const { caller, locale } = surroundings(context, request, input, granted);
  const planned = await followPathway(
    granted,
    caller,
    { read, episode, choice: choiceIn(input), parameters: given },
    locale,
  );
  if (input.flag('persist') !== true) return answer(transactionOf(planned.changes), granted);
  if (request.body === undefined || request.body === null) {
    throw new Fault('invalid', 'persist changes data: send it by POST, in a Parameters resource.', { code: 'value' });
  }
  const outcomes = await commitChanges(context, request.grant, planned.changes, { transaction: true });
  const entry = outcomes.map(({ status, content, type, id, versionId }) => ({
    fullUrl: `${context.base()}/${type}/${id}`,
    resource: parseExact<Resource>(content),
    response: { status: String(status), location: `${type}/${id}/_history/${versionId}` },
  }));
  return answer({ resourceType: 'Bundle', type: 'transaction-response', entry }, granted);
}

function transactionOf(changes: readonly Change[]): Bundle {
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: changes.flatMap((change) => {
      if (change.op === 'create') {
        const { resource, fullUrl, ifNoneExist } = change;
        const url = resource.resourceType;
        return {
          ...(fullUrl ? { fullUrl } : {}),
          resource,
          request: { method: 'POST' as const, url, ...(ifNoneExist ? { ifNoneExist } : {}) },
        };
      }
      if (change.op !== 'update') return [];
      const { resource, ifMatch } = change;
      const url = `${resource.resourceType}/${resource.id}`;
      return { resource, request: { method: 'PUT' as const, url, ...(ifMatch ? { ifMatch: `W/"${ifMatch}"` } : {}) } };
    }),
  };
}

/** @throws Fault invalid when none or several are named; not-found */
async function definitionIn<D extends PlanDefinition | ActivityDefinition>(
  type: D['resourceType'],
  request: FhirRequest,
  input: OperationInput,
  find: (name: string) => Promise<D | undefined>,
): Promise<D> {
  const parameter = type === 'PlanDefinition' ? 'planDefinition' : 'activityDefinition';
  const inline = input.resource(parameter);
  const url = input.value('url');
  const { id } = request.params;
  const named = [inline, url, id].filter((one) => one !== undefined);
  if (named.length !== 1) {
    throw new Fault('invalid', `Name one definition: by the URL ${type}/{id}/$apply, or by ${parameter} or url.`, {
      code: named.length === 0 ? 'required' : 'value',
    });
  }
  if (inline) {
    if (inline.resourceType === type) return inline as D;
    throw new Fault('invalid', `The parameter ${parameter} must be of type ${type}.`, { code: 'value' });
  }
  const version = input.value('version');
  const name = url === undefined ? (id ?? '') : version === undefined ? url : `${url}|${version}`;
  if (url !== undefined && !url.includes(':')) {
    throw new Fault('invalid', 'The parameter url must be a canonical URL.', { code: 'value' });
  }
  const found = await find(name);
  if (found) return found;
  throw new Fault('not-found', `There is no ${type} ${name}.`);
}

function surroundings(context: FhirContext, { grant }: FhirRequest, input: OperationInput, granted: Records) {
  const caller = callerOf(grant, { clock: context.clock, zone: context.zone });
  const locale = { zone: context.zone, calendar: context.pathways.calendar };
  const data = input.resource('data');
  const sent = data?.resourceType === 'Bundle' ? (data.entry ?? []).flatMap(({ resource }) => resource ?? []) : [];
  const records = withGiven(sent, input.flag('useServerData') === false ? undefined : granted);
  return { given: givenIn(input), records, caller, locale, around: { records, caller, locale } };
}

/** Variables: who uses it where, and everything in `parameters`. */
function givenIn(input: OperationInput): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const name of CONTEXT) {
    const [parameter] = input.all(name);
    if (parameter) given[name] = givenValue(parameter);
  }
  const parameters = input.resource('parameters');
  const more = parameters?.resourceType === 'Parameters' ? (parameters.parameter ?? []) : [];
  for (const parameter of more) {
    const { name = '' } = parameter;
    if (!/^[A-Za-z]\w*$/.test(name) || isVariable(name)) {
      throw new Fault('invalid', `A parameter of the pathway cannot be called ${name}.`, { expression: 'parameters' });
    }
    given[name] = givenValue(parameter);
  }
  return given;
}

function givenValue(parameter: object): unknown {
  const [key, value] = Object.entries(parameter).find(([name]) => /^(?:value[A-Z]|resource$)/.test(name)) ?? [];
  if (key === undefined || key === 'resource') return value;
  const type = key.slice('value'.length);
  const isPrimitive = typeof value !== 'object';
  return { type: isPrimitive ? type.charAt(0).toLowerCase() + type.slice(1) : type, value };
}

function askedIn(input: OperationInput, given: Readonly<Record<string, unknown>>): ApplyRequest {
  const subjects = input.values('subject');
  if (subjects.length > 1) {
    throw new Fault('invalid', 'A definition is applied to one subject at a time.', { expression: 'subject' });
  }
  return {
    subject: input.required('subject'),
    encounter: input.value('encounter'),
    practitioner: input.value('practitioner'),
    organization: input.value('organization'),
    given,
  };
}

/** `select=ID` as often as it is to be taken; `omit=ID|REASON`. */
function choiceIn(input: OperationInput) {
  const take = new Map<string, number>();
  for (const id of input.values('select')) take.set(id, (take.get(id) ?? 0) + 1);
  const omit = new Map(
    input.values('omit').map((text) => {
      const [id = '', ...reason] = text.split('|');
      return [id, reason.join('|')] as const;
    }),
  );
  return { take, omit };
}

function answer(resource: Resource, { patients }: GrantedRecords): Answer {
  return { status: 200, body: JSON.stringify(resource), patients: [...patients] };
}
