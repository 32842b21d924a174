// A ServiceRequest with its Tasks as a referral, and a Task as what a partner is asked, whoever wrote them.
import type { ServiceRequest, Task } from '@medplum/fhirtypes';
import { codedOf } from '../coded.ts';
import { hasCode } from '../concept.ts';
import { linkedOf } from '../linked.ts';
import { toInstant } from '../local-time.ts';
import { GRAVITY_CODES } from '../needs/social-needs.ts';
import { present, some } from '../present.ts';
import type { Kept } from '../records.ts';
import { EXTENSION } from '../systems.ts';
import { CHOSEN, CLOSURE, CONTACT_PROHIBITED, kindOf, OFFER_CHOICE, sdohOf } from './referral-codes.ts';
import type { AskedReferral, Choice, Referral, ReferralTask } from './referral-schema.ts';

export interface ReferralFacts {
  readonly order: Kept<'ServiceRequest'>;
  /** Those whose focus is the order. */
  readonly tasks: readonly Kept<'Task'>[];
  readonly inPlan: boolean;
  readonly warnings?: readonly string[];
}

export function viewReferral({ order, tasks, inPlan, warnings = [] }: ReferralFacts): Referral {
  const asked = latestFirst(tasks.filter((task) => !isChoice(task)));
  const [current, ...earlier] = asked.map(viewTask);
  const choice = latestFirst(tasks.filter(isChoice))[0];
  const { reasonReference = [], supportingInfo = [], note = [] } = order;
  const goals = (order.extension ?? []).filter(({ url }) => url === EXTENSION.pertainsToGoal);
  const consent = supportingInfo.find(({ reference }) => reference?.startsWith('Consent/'));
  return present<Referral>({
    id: order.id,
    version: order.meta.versionId,
    inPlan,
    status: order.status ?? 'unknown',
    kind: kindOf(order.category),
    service: codedOf(order.code),
    sdoh: some(sdohOf(order.category)),
    priority: order.priority,
    to: some((order.performer ?? []).flatMap((one) => linkedOf(one) ?? [])),
    requester: linkedOf(order.requester),
    made: order.authoredOn,
    due: order.occurrencePeriod?.end ?? order.occurrenceDateTime,
    needs: some(reasonReference.flatMap((one) => linkedOf(one) ?? [])),
    goals: some(goals.flatMap(({ valueReference }) => linkedOf(valueReference) ?? [])),
    consent: linkedOf(consent),
    doNotContactPatient: mayNotContact(order),
    instructions: order.patientInstruction,
    notes: some(note.flatMap(({ text }) => text ?? [])),
    task: current,
    earlier: some(earlier),
    choice: choice && viewChoice(choice),
    closure: closureOf(order),
    warnings: some(warnings),
  });
}

export function isChoice({ code }: Task): boolean {
  const [coding] = OFFER_CHOICE.coding ?? [];
  return hasCode(code, coding?.system ?? '', coding?.code ?? '');
}

function mayNotContact({ orderDetail = [] }: ServiceRequest): boolean {
  return orderDetail.some((detail) => hasCode(detail, GRAVITY_CODES, CONTACT_PROHIBITED.coding?.[0]?.code ?? ''));
}

/** @param tasks as they were found; of two of one second the later found is the later */
export function latestFirst<T extends Task>(tasks: readonly T[]): T[] {
  const asked = ({ authoredOn }: T) => toInstant(authoredOn ?? '1900-01-01', 'UTC');
  return tasks.toSorted((a, b) => Temporal.Instant.compare(asked(a), asked(b))).reverse();
}

export function viewTask(task: Kept<'Task'>): ReferralTask {
  return present<ReferralTask>({
    id: task.id,
    version: task.meta.versionId,
    status: task.status,
    owner: linkedOf(task.owner),
    open: task.owner === undefined,
    reason: reasonOf(task),
    asked: task.authoredOn,
    due: task.restriction?.period?.end,
    started: task.executionPeriod?.start,
    ended: task.executionPeriod?.end,
    outcomes: some(outcomesOf(task)),
    notes: some((task.note ?? []).flatMap(({ text }) => text ?? [])),
  });
}

const reasonOf = ({ statusReason }: Task) => statusReason?.text ?? statusReason?.coding?.[0]?.display;

/** What was done, as resources or in words. */
export function outcomesOf({ output = [] }: Task) {
  const results = output.filter(({ type }) => hasCode(type, GRAVITY_CODES, 'resulting-activity'));
  return results.flatMap(({ valueReference, valueCodeableConcept }) => {
    const words = codedOf(valueCodeableConcept)?.text;
    return linkedOf(valueReference) ?? (words === undefined ? [] : { display: words });
  });
}

export function viewChoice(task: Kept<'Task'>): Choice {
  const chosen = (task.output ?? []).find(({ type }) => type?.coding?.[0]?.code === CHOSEN.coding?.[0]?.code);
  return present<Choice>({
    id: task.id,
    version: task.meta.versionId,
    status: task.status,
    offered: (task.input ?? []).flatMap(({ valueReference }) => linkedOf(valueReference) ?? []),
    chosen: linkedOf(chosen?.valueReference),
    on: task.executionPeriod?.end,
  });
}

function closureOf({ extension = [] }: ServiceRequest): Referral['closure'] {
  const parts = extension.find(({ url }) => url === CLOSURE)?.extension;
  if (!parts) return undefined;
  const part = (name: string) => parts.find(({ url }) => url === name);
  return present<NonNullable<Referral['closure']>>({
    received: part('received')?.valueBoolean ?? false,
    on: part('on')?.valueDateTime,
    by: linkedOf(part('by')?.valueReference),
  });
}

/** @param order absent when the one who asks may not read it, which of an open referral they may not */
export function viewAsked(task: Kept<'Task'>, order: Kept<'ServiceRequest'> | undefined): AskedReferral {
  const open = task.owner === undefined;
  const { id, version, status, notes, outcomes, reason, due, started, ended, asked } = viewTask(task);
  return present<AskedReferral>({
    id,
    version,
    status,
    open,
    service: codedOf(order?.code)?.text ?? task.description,
    kind: kindOf(order?.category ?? (task.reasonCode ? [task.reasonCode] : [])),
    sdoh: some(sdohOf(order?.category)),
    priority: task.priority,
    patient: open ? undefined : linkedOf(task.for),
    requester: linkedOf(task.requester),
    owner: linkedOf(task.owner),
    request: linkedOf(task.focus),
    asked,
    changed: task.lastModified ?? task.meta.lastUpdated,
    due,
    started,
    ended,
    reason,
    instructions: order?.patientInstruction,
    doNotContactPatient: order && mayNotContact(order),
    outcomes,
    notes,
  });
}
