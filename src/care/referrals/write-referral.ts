// A referral as the order and the Task that asks a partner to fulfil it. Pure.
// http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-TaskForReferralManagement
import type { Reference, ServiceRequest, Task } from '@medplum/fhirtypes';
import { conceptOf } from '../coded.ts';
import { nowOf } from '../given-time.ts';
import type { LinkedOut } from '../linked.ts';
import { withNote } from '../note.ts';
import type { Caller } from '../records.ts';
import { EXTENSION } from '../systems.ts';
import {
  CONTACT_PROHIBITED,
  FULFILL,
  isGravityRequester,
  isProcedureCode,
  kindConcept,
  OFFER_CHOICE,
  OFFERED,
  PROFILE,
  sdohConcepts,
} from './referral-codes.ts';
import type { MakeReferral } from './referral-schema.ts';

/** What an order belongs to. */
export interface ReferralPlace {
  /** `Patient/…` */
  readonly patient: string;
  /** `CarePlan/…`; absent: the case has none. */
  readonly plan?: string;
  /** Who orders it. */
  readonly requester: Reference;
  /** Who asks the partner: the organization where there is one, so that a colleague can take the Task back. */
  readonly asker: Reference;
}

/** @param performer whom the order names, in no order of preference */
export function writeReferral(
  input: MakeReferral,
  performer: readonly LinkedOut[],
  place: ReferralPlace,
  caller: Caller,
): ServiceRequest {
  const { kind, service, sdoh = [], needs = [], goals = [], consent, due, instructions, note } = input;
  const code = conceptOf(service);
  const isGravity = sdoh.length > 0 && isProcedureCode(code);
  const profile = [
    PROFILE.referral,
    PROFILE.usCoreServiceRequest,
    ...(isGravity ? [PROFILE.gravityServiceRequest] : []),
  ];
  const pertains = goals.map((id) => ({ url: EXTENSION.pertainsToGoal, valueReference: { reference: `Goal/${id}` } }));
  return {
    resourceType: 'ServiceRequest',
    meta: { profile },
    ...(pertains.length > 0 ? { extension: pertains } : {}),
    ...(place.plan ? { basedOn: [{ reference: place.plan }] } : {}),
    status: 'active',
    intent: 'order',
    category: [kindConcept(kind), ...sdohConcepts(sdoh)],
    priority: input.priority ?? 'routine',
    code,
    ...(input.doNotContactPatient ? { orderDetail: [CONTACT_PROHIBITED] } : {}),
    subject: { reference: place.patient },
    ...(due === undefined ? {} : { occurrencePeriod: { end: due } }),
    authoredOn: nowOf(caller),
    requester: place.requester as ServiceRequest['requester'],
    ...(performer.length > 0 ? { performer: performer as ServiceRequest['performer'] } : {}),
    ...(needs.length > 0 ? { reasonReference: needs.map((id) => ({ reference: `Condition/${id}` })) } : {}),
    ...(consent ? { supportingInfo: [consent] } : {}),
    ...withNote(undefined, caller, note),
    ...(instructions === undefined ? {} : { patientInstruction: instructions }),
  } as ServiceRequest;
}

export interface Asking {
  /** `ServiceRequest/…` */
  readonly focus: string;
  readonly owner?: LinkedOut | undefined;
  readonly due?: string | undefined;
}

/** Asks one partner, or whoever claims it. Says of the order what one may read who may not read it. */
export function askToFulfil(order: ServiceRequest, asking: Asking, place: ReferralPlace, caller: Caller): Task {
  const { focus, owner, due } = asking;
  const isGravity =
    order.meta?.profile?.includes(PROFILE.gravityServiceRequest) && isGravityRequester(place.asker.reference);
  const description = order.code?.text ?? order.code?.coding?.[0]?.display;
  const [kind] = order.category ?? [];
  const now = nowOf(caller);
  return {
    resourceType: 'Task',
    meta: { profile: [PROFILE.task, ...(isGravity ? [PROFILE.gravityTask] : [])] },
    ...(place.plan ? { basedOn: [{ reference: place.plan }] } : {}),
    status: 'requested',
    intent: 'order',
    priority: order.priority ?? 'routine',
    code: FULFILL,
    ...(description === undefined ? {} : { description }),
    focus: { reference: focus },
    for: { reference: place.patient },
    authoredOn: now,
    lastModified: now,
    requester: place.asker as Task['requester'],
    ...(owner ? { owner: owner as Task['owner'] } : {}),
    ...(kind ? { reasonCode: kind } : {}),
    ...(due === undefined ? {} : { restriction: { period: { end: due } } }),
  } as Task;
}

/** The list of providers that the patient chooses from. 42 CFR 482.43(c). */
export function offerChoice(offered: readonly LinkedOut[], asking: Asking, place: ReferralPlace, caller: Caller): Task {
  const now = nowOf(caller);
  return {
    resourceType: 'Task',
    meta: { profile: [PROFILE.choice] },
    ...(place.plan ? { basedOn: [{ reference: place.plan }] } : {}),
    status: 'requested',
    intent: 'order',
    code: OFFER_CHOICE,
    focus: { reference: asking.focus },
    for: { reference: place.patient },
    authoredOn: now,
    lastModified: now,
    requester: place.asker as Task['requester'],
    owner: caller.who as Task['owner'],
    input: offered.map((valueReference) => ({ type: OFFERED, valueReference })),
  } as Task;
}
