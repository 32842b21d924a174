// Making a referral, asking again after a refusal, and letting the patient choose the provider.
import { randomUUID } from 'node:crypto';
import type { Reference, ServiceRequest } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { Change } from '../../fhir/change.ts';
import { type CaseAtHand, openCaseAtHand, workableCase } from '../case-at-hand.ts';
import { nowOf, requirePast } from '../given-time.ts';
import { notOfPatient } from '../known-resource.ts';
import type { LinkedOut } from '../linked.ts';
import { withNote } from '../note.ts';
import { type ExtendablePlan, planToExtend } from '../plans/plan-of-case.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { roleInCase } from '../role-in-case.ts';
import { idOf } from '../stored.ts';
import { latestTask, readReferral } from './find-referral.ts';
import { CHOSEN, CHOSEN_BY } from './referral-codes.ts';
import type { Choose, MakeReferral, ReferAgain } from './referral-schema.ts';
import { type Asking, askToFulfil, offerChoice, type ReferralPlace, writeReferral } from './write-referral.ts';

type Of<T> = { readonly case: string; readonly input: T };

/** @throws Fault not-found; unprocessable for a patient who has died, or a need, goal or consent of somebody else */
export async function makeReferral(records: Records, caller: Caller, command: Of<MakeReferral>): Promise<Planned> {
  const { input } = command;
  const found = await workableCase(records, command.case);
  refuseBoth(input);
  await requireOwn(records, found, input);
  const plan = await planToExtend(records, caller, found);
  const place = await placeOf(records, caller, found, plan);
  const id = randomUUID();
  const taskId = randomUUID();
  const performer = await performersOf(records, input);
  const order = writeReferral(input, input.offer ? [] : performer, place, caller);
  const asking: Asking = { focus: `ServiceRequest/${id}`, owner: ownerOf(input, performer, caller), due: input.due };
  const task = input.offer
    ? offerChoice(input.offer, asking, place, caller)
    : askToFulfil(order, asking, place, caller);
  return {
    changes: [
      { op: 'create', id, resource: order },
      { op: 'create', id: taskId, resource: task },
      ...plan.add({ activities: [`ServiceRequest/${id}`, `Task/${taskId}`] }),
    ],
    about: 0,
  };
}

/**
 * A new Task for the same order, after the one before came to nothing.
 * @throws Fault unprocessable while somebody is still asked, or when the loop is closed
 */
export async function referAgain(
  records: Records,
  caller: Caller,
  command: Of<ReferAgain> & { readonly id: string },
): Promise<Planned> {
  const { input } = command;
  const found = await workableCase(records, command.case);
  refuseBoth(input);
  const { order, tasks } = await readReferral(records, found, command.id);
  requireActive(order);
  const last = latestTask(tasks);
  if (last && !CAME_TO_NOTHING.has(last.status)) {
    throw new Fault('unprocessable', `The referral is ${last.status}; ask again when it was rejected or failed.`, {
      expression: 'Task.status',
      code: 'business-rule',
    });
  }
  const performer = await performersOf(records, input);
  const named = performer.length > 0 ? { performer: performer as ServiceRequest['performer'] } : {};
  const { performer: _, ...unnamed } = order;
  const resource = { ...unnamed, ...named, ...withNote(order.note, caller, input.note) } as ServiceRequest;
  return askAnew(records, caller, found, { order, resource, performer, ...input }, []);
}

/** Completed but never received counts: the nurse asks somebody else. */
const CAME_TO_NOTHING = new Set(['rejected', 'cancelled', 'failed', 'completed', 'entered-in-error']);

/** @throws Fault unprocessable for one that was not offered, or when the choice was made before */
export async function chooseProvider(
  records: Records,
  caller: Caller,
  command: Of<Choose> & { readonly id: string; readonly choice: string },
): Promise<Planned> {
  const { input } = command;
  const found = await openCaseAtHand(records, command.case);
  const { order, tasks } = await readReferral(records, found, command.id);
  requireActive(order);
  const task = tasks.find(({ id }) => id === command.choice);
  if (!task) throw new Fault('not-found', 'There is no such choice for this referral.');
  const offered = (task.input ?? []).flatMap(({ valueReference }) => valueReference?.reference ?? []);
  if (!offered.includes(input.chosen.reference)) {
    throw new Fault('unprocessable', 'The provider is not on the list that the patient was shown.', {
      expression: 'chosen',
      code: 'business-rule',
    });
  }
  const { on = nowOf(caller), by = { reference: `Patient/${found.patient.id}` } } = input;
  requirePast(on, 'on', caller);
  const made = {
    ...task,
    status: 'completed' as const,
    lastModified: nowOf(caller),
    executionPeriod: { ...task.executionPeriod, end: on },
    output: [
      ...(task.output ?? []),
      { type: CHOSEN, valueReference: input.chosen },
      { type: CHOSEN_BY, valueReference: by },
    ] as typeof task.output,
    ...withNote(task.note, caller, input.note),
  } as Kept<'Task'>;
  const performer = await performersOf(records, { to: input.chosen });
  const resource = { ...order, performer: performer as ServiceRequest['performer'] } as ServiceRequest;
  const asked = { order, resource, performer, to: input.chosen, followedBy: input.followedBy };
  return askAnew(records, caller, found, asked, [{ op: 'update', resource: made, ifMatch: task.meta.versionId }]);
}

interface Anew extends ReferAgain {
  readonly order: Kept<'ServiceRequest'>;
  readonly resource: ServiceRequest;
  readonly performer: readonly LinkedOut[];
}

async function askAnew(
  records: Records,
  caller: Caller,
  found: CaseAtHand,
  { order, resource, performer, due, ...who }: Anew,
  before: readonly Change[],
): Promise<Planned> {
  const plan = await planToExtend(records, caller, found);
  const place = await placeOf(records, caller, found, plan);
  const taskId = randomUUID();
  const asking: Asking = {
    focus: `ServiceRequest/${order.id}`,
    owner: ownerOf(who, performer, caller),
    due: due ?? order.occurrencePeriod?.end,
  };
  return {
    changes: [
      { op: 'update', resource, ifMatch: order.meta.versionId },
      { op: 'create', id: taskId, resource: askToFulfil(order, asking, place, caller) },
      ...plan.add({ activities: [`Task/${taskId}`] }),
      ...before,
    ],
    about: 0,
  };
}

function requireActive({ status }: ServiceRequest): void {
  if (status === 'active') return;
  throw new Fault('unprocessable', `The referral is ${status}; make a new one.`, {
    expression: 'ServiceRequest.status',
    code: 'business-rule',
  });
}

function refuseBoth({ to, pool, offer }: Pick<MakeReferral, 'to' | 'pool' | 'offer'>): void {
  if ([to, pool, offer].filter((one) => one !== undefined).length < 2) return;
  throw new Fault('unprocessable', 'Give one of `to`, `pool` and `offer`.', {
    expression: 'to',
    code: 'business-rule',
  });
}

/** The organization behind a service is named beside it: it is who reads and answers. */
async function performersOf(records: Records, { to, pool }: Pick<MakeReferral, 'to' | 'pool'>): Promise<LinkedOut[]> {
  const asked = to ? [to] : (pool ?? []);
  const all = await Promise.all(asked.map(async (party) => [party, await providerOf(records, party)]));
  const flat = all.flat().filter((party): party is LinkedOut => party !== undefined);
  return [...new Map(flat.map((party) => [party.reference, party])).values()];
}

async function providerOf(records: Records, party: LinkedOut): Promise<LinkedOut | undefined> {
  const id = idOf(party, 'HealthcareService');
  const service = id === undefined ? undefined : await records.read('HealthcareService', id);
  if (id !== undefined && !service) throw notOfPatient(party.reference, 'to');
  const provider = service?.providedBy;
  return provider?.reference ? { reference: provider.reference, ...displayOf(provider) } : undefined;
}

const displayOf = ({ display }: Reference) => (display === undefined ? {} : { display });

/** An organization before the service it provides; nobody for an open referral. */
function ownerOf(
  { to, followedBy }: ReferAgain,
  performer: readonly LinkedOut[],
  caller: Caller,
): LinkedOut | undefined {
  if (followedBy === 'us') return caller.who;
  if (!to) return undefined;
  return performer.find(({ reference }) => reference?.startsWith('Organization/')) ?? to;
}

/** The role in which the caller works at the organization of the case, or the caller. */
async function placeOf(
  records: Records,
  caller: Caller,
  about: CaseAtHand,
  plan: ExtendablePlan,
): Promise<ReferralPlace> {
  const role = await roleInCase(records, caller, about);
  const requester = role ? { reference: `PractitionerRole/${role.id}`, ...displayOf(caller.who) } : caller.who;
  return {
    patient: `Patient/${about.patient.id}`,
    plan: plan.reference,
    requester,
    asker: role?.organization ?? requester,
  };
}

/** @throws Fault unprocessable naming the member whose resource is not there, or of another patient */
async function requireOwn(records: Records, { patient }: CaseAtHand, input: MakeReferral): Promise<void> {
  const { needs = [], goals = [], consent } = input;
  for (const [at, id] of needs.entries()) {
    const need = await records.read('Condition', id);
    if (idOf(need?.subject, 'Patient') !== patient.id) throw notOfPatient(`Condition/${id}`, `needs[${at}]`);
  }
  for (const [at, id] of goals.entries()) {
    const goal = await records.read('Goal', id);
    if (idOf(goal?.subject, 'Patient') !== patient.id) throw notOfPatient(`Goal/${id}`, `goals[${at}]`);
  }
  if (!consent) return;
  const given = await records.read('Consent', idOf(consent, 'Consent') ?? '');
  if (idOf(given?.patient, 'Patient') !== patient.id) throw notOfPatient(consent.reference, 'consent');
  if (given?.status !== 'active') {
    throw new Fault('unprocessable', `The consent is ${given?.status}, and does not let the partner know.`, {
      expression: 'consent',
      code: 'business-rule',
    });
  }
}
