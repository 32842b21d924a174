// Equipment as a DeviceRequest and the Task that follows it. Pure. https://hl7.org/fhir/R4/devicerequest.html

import type { DeviceRequest, Task } from '@medplum/fhirtypes';
import { profileUrl } from '../../fhir/profile-canonical.ts';
import { codedOf, conceptOf } from '../coded.ts';
import { concept } from '../concept.ts';
import { nowOf } from '../given-time.ts';
import { linkedOf } from '../linked.ts';
import { withNote } from '../note.ts';
import { present, some } from '../present.ts';
import type { Caller, Kept } from '../records.ts';
import { FULFILL } from '../referrals/referral-codes.ts';
import { type Equipment, type OrderEquipment, STAGES, type Stage } from './equipment-schema.ts';

const BASE = 'https://baton.health/fhir';
const STAGE = `${BASE}/CodeSystem/equipment-stage`;
/** Identifier of the Task: the number under which the payer authorised it. */
export const AUTHORISATION = `${BASE}/sid/authorisation`;
const WORDS = {
  ordered: 'Ordered',
  authorised: 'Authorised',
  denied: 'Denied',
  delivered: 'Delivered',
  cancelled: 'Cancelled',
} as const satisfies Record<Stage, string>;

export const stageConcept = (stage: Stage) => concept(STAGE, stage, WORDS[stage]);

interface Place {
  readonly patient: string;
  readonly plan?: string;
}

export function writeOrder(input: OrderEquipment, { patient, plan }: Place, caller: Caller): DeviceRequest {
  const { item, supplier, priority = 'routine', needs = [], coverage, neededBy, note } = input;
  return {
    resourceType: 'DeviceRequest',
    meta: { profile: [profileUrl('baton', 'baton-equipment')] },
    ...(plan ? { basedOn: [{ reference: plan }] } : {}),
    status: 'active',
    intent: 'order',
    priority,
    codeCodeableConcept: conceptOf(item),
    subject: { reference: patient },
    ...(neededBy === undefined ? {} : { occurrencePeriod: { end: neededBy } }),
    authoredOn: nowOf(caller),
    ...(caller.who.reference ? { requester: caller.who as DeviceRequest['requester'] } : {}),
    ...(supplier ? { performer: supplier as DeviceRequest['performer'] } : {}),
    ...(needs.length > 0 ? { reasonReference: needs.map((id) => ({ reference: `Condition/${id}` })) } : {}),
    ...(coverage ? { insurance: [coverage as NonNullable<DeviceRequest['insurance']>[number]] } : {}),
    ...withNote(undefined, caller, note),
  };
}

/** The nurse owns it: suppliers rarely work in Baton, and she sees to it that the bed is there. */
export function followOrder(order: DeviceRequest, focus: string, { patient, plan }: Place, caller: Caller): Task {
  const now = nowOf(caller);
  const due = order.occurrencePeriod?.end;
  return {
    resourceType: 'Task',
    meta: { profile: [profileUrl('baton', 'baton-equipment-task')] },
    ...(plan ? { basedOn: [{ reference: plan }] } : {}),
    status: 'in-progress',
    businessStatus: stageConcept('ordered'),
    intent: 'order',
    priority: order.priority ?? 'routine',
    code: FULFILL,
    focus: { reference: focus },
    for: { reference: patient },
    authoredOn: now,
    lastModified: now,
    requester: caller.who as Task['requester'],
    owner: caller.who as Task['owner'],
    executionPeriod: { start: now },
    ...(due === undefined ? {} : { restriction: { period: { end: due } } }),
  } as Task;
}

export function viewEquipment(
  order: Kept<'DeviceRequest'>,
  task: Kept<'Task'> | undefined,
  inPlan: boolean,
): Equipment {
  const { note = [], reasonReference = [] } = order;
  const codes = task?.businessStatus?.coding?.flatMap(({ system, code }) => (system === STAGE ? (code ?? []) : []));
  const stage = STAGES.find((known) => codes?.includes(known));
  const notes = [...note, ...(task?.note ?? [])].flatMap(({ text }) => text ?? []);
  return present<Equipment>({
    id: order.id,
    version: order.meta.versionId,
    inPlan,
    status: order.status ?? 'unknown',
    stage,
    item: codedOf(order.codeCodeableConcept) ?? partyAsCoded(order),
    supplier: linkedOf(order.performer),
    priority: order.priority,
    needs: some(reasonReference.flatMap((one) => linkedOf(one) ?? [])),
    coverage: linkedOf(order.insurance?.[0]),
    ordered: order.authoredOn,
    neededBy: order.occurrencePeriod?.end ?? order.occurrenceDateTime,
    delivered: stage === 'delivered' ? task?.executionPeriod?.end : undefined,
    authorisation: task?.identifier?.find(({ system }) => system === AUTHORISATION)?.value,
    reason: task?.statusReason?.text,
    task: task && { reference: `Task/${task.id}` },
    notes: some(notes),
  });
}

function partyAsCoded({ codeReference }: DeviceRequest) {
  const words = codeReference?.display ?? codeReference?.reference;
  return words === undefined ? undefined : { text: words };
}
