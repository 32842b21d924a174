// What becomes of a referral's Task. Which status may follow which, and who may set it, the commit checks
// (src/fhir/status); here is what else each step says.
import { randomUUID } from 'node:crypto';
import type { Procedure, Task } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { conceptOf } from '../coded.ts';
import { nowOf, requireOrder, requirePast } from '../given-time.ts';
import { withNote } from '../note.ts';
import { requireStep } from '../plans/status-step.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import { readAsked } from './find-referral.ts';
import { isProcedureCode, PROFILE, RESULTING_ACTIVITY, sdohConcepts, sdohOf } from './referral-codes.ts';
import type { AcceptReferral, CompleteReferral, Reasoned, StartReferral } from './referral-schema.ts';

type Of<T> = { readonly id: string; readonly input: T };

/** An open referral is claimed by it. @throws Fault not-found; unprocessable */
export async function acceptReferral(records: Records, caller: Caller, { id, input }: Of<AcceptReferral>) {
  const task = await readAsked(records, id);
  const owner = task.owner ?? (await claimant(records, caller, input));
  const { startOfCare } = input;
  return plan(task, caller, 'accepted', input.note, {
    owner,
    ...(startOfCare === undefined ? {} : { executionPeriod: { ...task.executionPeriod, start: startOfCare } }),
  });
}

/** The day it starts is the start of care. */
export async function startReferral(records: Records, caller: Caller, { id, input }: Of<StartReferral>) {
  const task = await readAsked(records, id);
  const { on = nowOf(caller) } = input;
  requirePast(on, 'on', caller);
  const isResumed = task.status === 'on-hold' && task.executionPeriod?.start !== undefined;
  const start = isResumed ? task.executionPeriod?.start : on;
  return plan(task, caller, 'in-progress', input.note, { executionPeriod: { ...task.executionPeriod, start } });
}

export type ReasonedStatus = 'rejected' | 'on-hold' | 'failed' | 'cancelled';

export async function stopReferral(
  records: Records,
  caller: Caller,
  { id, input, to }: Of<Reasoned> & { readonly to: ReasonedStatus },
): Promise<Planned> {
  const task = await readAsked(records, id);
  const ended = to === 'failed' ? { executionPeriod: { ...task.executionPeriod, end: nowOf(caller) } } : {};
  return plan(task, caller, to, input.note, { statusReason: { text: input.reason }, ...ended });
}

/** What was done becomes a Procedure, which the Task names as its result. */
export async function completeReferral(records: Records, caller: Caller, { id, input }: Of<CompleteReferral>) {
  const task = await readAsked(records, id);
  const { end = nowOf(caller), start } = input;
  requirePast(end, 'end', caller);
  requireOrder(start ?? beganBefore(task), end, ['its start', 'end'], caller);
  const order = await records.read('ServiceRequest', idOf(task.focus, 'ServiceRequest') ?? '');
  const procedure = writeOutcome(task, order, { ...input, end }, caller);
  const procedureId = randomUUID();
  const result = { type: RESULTING_ACTIVITY, valueReference: { reference: `Procedure/${procedureId}` } };
  const period = { ...(start === undefined ? {} : { start }), ...task.executionPeriod, end };
  const done = plan(task, caller, 'completed', undefined, {
    executionPeriod: period,
    output: [...(task.output ?? []), result],
  });
  return { changes: [...done.changes, { op: 'create', id: procedureId, resource: procedure }], about: 0 } as Planned;
}

/** A start that was agreed on and then put off says nothing of the end. */
function beganBefore({ status, executionPeriod }: Task): string | undefined {
  return status === 'in-progress' ? executionPeriod?.start : undefined;
}

function plan(
  task: Kept<'Task'>,
  caller: Caller,
  status: Task['status'],
  note: string | undefined,
  more: Partial<Task>,
): Planned {
  // A reason is of the status it was given for.
  const { statusReason: _, ...rest } = task;
  const resource = {
    ...rest,
    status,
    lastModified: nowOf(caller),
    ...withNote(task.note, caller, note),
    ...more,
  } as Task;
  // Saying it again records nothing twice; another day of start that was agreed on is news.
  if (task.status === status && !(status === 'accepted' && more.executionPeriod)) requireStep(task, resource);
  return { changes: [{ op: 'update', resource, ifMatch: task.meta.versionId }], about: 0 };
}

/** @throws Fault unprocessable when the caller acts for no organization, or for several */
async function claimant(records: Records, { who }: Caller, input: AcceptReferral): Promise<Task['owner']> {
  if (input.as) return input.as as Task['owner'];
  const person = idOf(who, 'Practitioner');
  const roles =
    person === undefined
      ? []
      : await records.find('PractitionerRole', { practitioner: `Practitioner/${person}`, active: 'true' });
  const organizations = new Set(roles.flatMap(({ organization }) => organization?.reference ?? []));
  const [only] = organizations;
  if (only !== undefined && organizations.size === 1) return { reference: only };
  throw new Fault('unprocessable', 'Say in `as` for which organization you claim it.', {
    expression: 'as',
    code: 'business-rule',
  });
}

/** http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-Procedure */
function writeOutcome(
  task: Kept<'Task'>,
  order: Kept<'ServiceRequest'> | undefined,
  { service, start, end, note }: CompleteReferral,
  caller: Caller,
): Procedure {
  const code = service ? conceptOf(service) : (order?.code ?? { text: task.description ?? 'Service' });
  const sdoh = sdohOf(order?.category);
  const isGravity = sdoh.length > 0 && isProcedureCode(code);
  const [, ...categories] = sdohConcepts(sdoh);
  const actor = task.owner ?? caller.who;
  return {
    resourceType: 'Procedure',
    meta: {
      profile: [PROFILE.outcome, PROFILE.usCoreProcedure, ...(isGravity ? [PROFILE.gravityProcedure] : [])],
    },
    ...(order ? { basedOn: [{ reference: `ServiceRequest/${order.id}` }] } : {}),
    status: 'completed',
    ...(categories[0] ? { category: categories[0] } : {}),
    code,
    subject: task.for as Procedure['subject'],
    ...(start === undefined ? { performedDateTime: end } : { performedPeriod: { start, end } }),
    recorder: recorderOf(caller),
    ...(PERFORMERS.test(actor.reference ?? '') ? { performer: [{ actor }] } : {}),
    ...(order?.reasonReference ? { reasonReference: order.reasonReference } : {}),
    ...withNote(undefined, caller, note),
  } as Procedure;
}

const PERFORMERS = /^(Practitioner|PractitionerRole|Organization|Patient|RelatedPerson|Device)\//;

function recorderOf({ who }: Caller): Procedure['recorder'] {
  return /^(Practitioner|PractitionerRole|Patient|RelatedPerson)\//.test(who.reference ?? '')
    ? (who as Procedure['recorder'])
    : undefined;
}
