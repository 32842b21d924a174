// ActivityDefinition → the resource it defines. https://hl7.org/fhir/R4/activitydefinition.html
import type {
  ActivityDefinition,
  CommunicationRequest,
  DeviceRequest,
  MedicationRequest,
  PlanDefinitionAction,
  Reference,
  Resource,
  ServiceRequest,
  SupplyRequest,
  Task,
} from '@medplum/fhirtypes';
import { toFhirDateTime } from '../local-time.ts';
import type { Link } from '../reference-to.ts';
import { EXTENSION } from '../systems.ts';
import type { Activity } from './pathway.ts';
import type { Performers } from './team.ts';
import type { Span } from './timing.ts';

/** Everything that is known when an activity is made. */
export interface Making {
  readonly activity: Activity;
  /** The action that names the activity; absent when it is applied by itself. */
  readonly action?: PlanDefinitionAction;
  /** How a person names it. */
  readonly title: string;
  readonly span?: Span;
  readonly performers: Performers;
  readonly subject: Link;
  readonly encounter?: Link;
  readonly requester?: Reference;
  /** The plan it belongs to. */
  readonly basedOn?: Link;
  readonly goals: readonly Link[];
  /** `proposal` for what nobody has decided yet. */
  readonly intent: 'proposal' | 'plan' | 'order';
  /** False: planned, but its start condition does not hold yet. */
  readonly isReady: boolean;
  readonly identifier?: { readonly system: string; readonly value: string };
  readonly now: Temporal.Instant;
  readonly zone: string;
}

type Maker = (making: Making) => Resource;

/** What a definition can make. */
const MAKERS: Readonly<Record<string, Maker>> = {
  Task: makeTask,
  ServiceRequest: makeServiceRequest,
  CommunicationRequest: makeCommunicationRequest,
  MedicationRequest: makeMedicationRequest,
  DeviceRequest: makeDeviceRequest,
  SupplyRequest: makeSupplyRequest,
};

export const KINDS = Object.keys(MAKERS);

/** @returns undefined when the definition cannot be made as it is, with what is missing */
export function whyNotMade({ kind, code, transform, doNotPerform, ...rest }: ActivityDefinition): string | undefined {
  if (transform) return 'a transform (StructureMap) is not supported; say the elements or use dynamicValue.';
  if (!kind || !KINDS.includes(kind)) return `its kind must be one of ${KINDS.join(', ')}.`;
  if (kind === 'MedicationRequest' && !rest.productCodeableConcept && !rest.productReference) {
    return 'a MedicationRequest needs product[x].';
  }
  if (!['Task', 'CommunicationRequest', 'MedicationRequest'].includes(kind) && !code && !rest.productCodeableConcept) {
    return `a ${kind} needs a code.`;
  }
  const canSayNot = kind === 'ServiceRequest' || kind === 'CommunicationRequest' || kind === 'MedicationRequest';
  return doNotPerform && !canSayNot ? `a ${kind} cannot say what is not to be done.` : undefined;
}

/** The resource, without dynamic values. */
export function makeActivity(making: Making): Resource {
  const { definition } = making.activity;
  const maker = MAKERS[definition.kind ?? ''];
  if (!maker) throw new Error(`whyNotMade lets ${definition.kind} through.`);
  const resource = maker(making);
  const extension = making.goals.map((valueReference) => ({ url: EXTENSION.pertainsToGoal, valueReference }));
  return {
    ...resource,
    ...(definition.profile ? { meta: { profile: [definition.profile] } } : {}),
    ...(extension.length > 0 ? { extension } : {}),
  } as Resource;
}

function makeTask(making: Making): Task {
  const { activity, action, performers, zone, intent } = making;
  const { definition, canonical, questionnaire, uri } = activity;
  const at = toFhirDateTime(making.now, zone);
  const repetitions = timingOf(making)?.repeat?.count;
  const period = periodOf(making);
  const restriction = { ...(repetitions ? { repetitions } : {}), ...(period ? { period } : {}) };
  const [owner] = performers.people;
  const [reason] = action?.reason ?? [];
  const text = action?.description ?? definition.description;
  return {
    resourceType: 'Task',
    ...identifierOf(making),
    ...(canonical ? { instantiatesCanonical: canonical } : {}),
    ...(uri ? { instantiatesUri: uri } : {}),
    ...basedOnOf(making),
    // A proposal that is sent nowhere and a step that waits for its start condition are drafts.
    status: intent === 'proposal' || !making.isReady ? 'draft' : 'requested',
    intent: intent === 'proposal' ? intent : 'order',
    priority: priorityOf(making),
    ...codeOf(making),
    description: making.title,
    for: making.subject,
    ...(making.encounter ? { encounter: making.encounter } : {}),
    authoredOn: at,
    lastModified: at,
    ...(making.requester ? { requester: making.requester as NonNullable<Task['requester']> } : {}),
    ...(performers.roles.length > 0 ? { performerType: [...performers.roles] } : {}),
    ...(owner ? { owner } : {}),
    ...(reason ? { reasonCode: reason } : {}),
    ...(text && text !== making.title ? { note: [{ text }] } : {}),
    ...(Object.keys(restriction).length > 0 ? { restriction } : {}),
    ...(questionnaire ? { input: [{ type: { text: 'Questionnaire' }, valueCanonical: questionnaire }] } : {}),
  };
}

function makeServiceRequest(making: Making): ServiceRequest {
  const { definition } = making.activity;
  const instruction = making.action?.description ?? definition.description;
  return {
    resourceType: 'ServiceRequest',
    ...requestOf(making),
    intent: making.intent,
    ...(definition.topic ? { category: definition.topic } : {}),
    priority: priorityOf(making),
    ...(definition.doNotPerform === undefined ? {} : { doNotPerform: definition.doNotPerform }),
    ...codeOf(making),
    ...(definition.quantity ? { quantityQuantity: definition.quantity } : {}),
    subject: making.subject,
    ...occurrenceOf(making),
    ...whoOf(making),
    ...(definition.location ? { locationReference: [definition.location] } : {}),
    ...(definition.bodySite ? { bodySite: definition.bodySite } : {}),
    ...reasonsOf(making),
    ...(instruction ? { patientInstruction: instruction } : {}),
  };
}

function makeCommunicationRequest(making: Making): CommunicationRequest {
  const { activity, performers } = making;
  const { definition } = activity;
  const words = making.action?.description ?? definition.description ?? making.title;
  const recipient = performers.people.length > 0 ? [...performers.people] : [making.subject];
  return {
    resourceType: 'CommunicationRequest',
    ...identifierOf(making),
    ...basedOnOf(making),
    status: making.intent === 'proposal' || !making.isReady ? 'draft' : 'active',
    ...(definition.code ? { category: [definition.code] } : {}),
    priority: priorityOf(making),
    ...(definition.doNotPerform === undefined ? {} : { doNotPerform: definition.doNotPerform }),
    subject: making.subject,
    ...(making.encounter ? { encounter: making.encounter } : {}),
    payload: [{ contentString: words }],
    ...(periodOf(making) ? { occurrencePeriod: periodOf(making) } : {}),
    authoredOn: toFhirDateTime(making.now, making.zone),
    ...(making.requester ? { requester: making.requester as CommunicationRequest['requester'] } : {}),
    recipient: recipient as CommunicationRequest['recipient'],
    ...reasonsOf(making),
  };
}

function makeMedicationRequest(making: Making): MedicationRequest {
  const { definition } = making.activity;
  return {
    resourceType: 'MedicationRequest',
    ...requestOf(making),
    intent: making.intent,
    priority: priorityOf(making),
    ...(definition.doNotPerform === undefined ? {} : { doNotPerform: definition.doNotPerform }),
    ...(definition.productCodeableConcept
      ? { medicationCodeableConcept: definition.productCodeableConcept }
      : { medicationReference: definition.productReference as MedicationRequest['medicationReference'] }),
    subject: making.subject,
    ...reasonsOf(making),
    ...(definition.dosage ? { dosageInstruction: definition.dosage } : {}),
  };
}

function makeDeviceRequest(making: Making): DeviceRequest {
  const { definition } = making.activity;
  const { requester, ...request } = requestOf(making);
  const { people, roles } = making.performers;
  const [performer] = people;
  return {
    resourceType: 'DeviceRequest',
    ...request,
    ...(requester ? { requester: requester as DeviceRequest['requester'] } : {}),
    intent: making.intent,
    priority: priorityOf(making),
    codeCodeableConcept: definition.productCodeableConcept ?? definition.code,
    subject: making.subject,
    ...occurrenceOf(making),
    ...(roles[0] ? { performerType: roles[0] } : {}),
    ...(performer ? { performer: performer as DeviceRequest['performer'] } : {}),
    ...reasonsOf(making),
  };
}

/** Has neither subject nor intent nor basedOn: what is supplied goes to the patient. */
function makeSupplyRequest(making: Making): SupplyRequest {
  const { definition } = making.activity;
  return {
    resourceType: 'SupplyRequest',
    ...identifierOf(making),
    status: making.intent === 'proposal' || !making.isReady ? 'draft' : 'active',
    ...(definition.code ? { category: definition.code } : {}),
    priority: priorityOf(making),
    itemCodeableConcept: definition.productCodeableConcept ?? definition.code,
    quantity: definition.quantity ?? { value: 1 },
    ...occurrenceOf(making),
    authoredOn: toFhirDateTime(making.now, making.zone),
    deliverTo: making.subject as SupplyRequest['deliverTo'],
    ...reasonsOf(making),
  };
}

/** What requests have in common. */
function requestOf(making: Making) {
  const { canonical, uri } = making.activity;
  return {
    ...identifierOf(making),
    ...(canonical ? { instantiatesCanonical: [canonical] } : {}),
    ...(uri ? { instantiatesUri: [uri] } : {}),
    ...basedOnOf(making),
    status: making.intent === 'proposal' || !making.isReady ? ('draft' as const) : ('active' as const),
    ...(making.encounter ? { encounter: making.encounter } : {}),
    authoredOn: toFhirDateTime(making.now, making.zone),
    ...(making.requester ? { requester: making.requester as ServiceRequest['requester'] } : {}),
  };
}

function whoOf({ performers: { roles, people } }: Making) {
  const performer = people as NonNullable<ServiceRequest['performer']>;
  return {
    ...(roles[0] ? { performerType: roles[0] } : {}),
    ...(performer.length > 0 ? { performer: [...performer] } : {}),
  };
}

/** The Timing when something is repeated, else the window. */
function occurrenceOf(making: Making) {
  const timing = timingOf(making);
  if (timing?.repeat?.frequency || timing?.code || timing?.event) return { occurrenceTiming: timing };
  const occurrencePeriod = periodOf(making);
  return occurrencePeriod ? { occurrencePeriod } : {};
}

function timingOf({ action, activity }: Making) {
  return action?.timingTiming ?? activity.definition.timingTiming;
}

function periodOf({ span, zone }: Making): { start: string; end?: string } | undefined {
  if (!span) return undefined;
  const start = toFhirDateTime(span.start, zone);
  return span.end ? { start, end: toFhirDateTime(span.end, zone) } : { start };
}

function codeOf({ action, activity }: Making) {
  const code = activity.definition.code ?? action?.code?.[0];
  return code ? { code } : {};
}

function reasonsOf({ action }: Making) {
  return action?.reason ? { reasonCode: action.reason } : {};
}

function priorityOf({ action, activity }: Making) {
  return action?.priority ?? activity.definition.priority ?? 'routine';
}

function identifierOf({ identifier }: Making) {
  return identifier ? { identifier: [{ ...identifier }] } : {};
}

function basedOnOf({ basedOn }: Making) {
  return basedOn ? { basedOn: [basedOn] } : {};
}
