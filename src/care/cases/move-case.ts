// The steps of a case after it was opened: active, on hold and again, closed, cancelled; and what of it is corrected.
import type { CarePlan, CareTeam, EpisodeOfCare, Extension } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { Change } from '../../fhir/change.ts';
import { type Coded, conceptOf } from '../coded.ts';
import { toFhirDateTime } from '../local-time.ts';
import { narrative } from '../narrative.ts';
import { readablePlansOfCase } from '../plans-of-case.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import { EXTENSION } from '../systems.ts';
import { type CASE_EVENTS, noteOfEvent } from './case-event.ts';
import type { CancelCase, CaseStep, CloseCase, ReasonedStep, ReviseCase } from './case-schema.ts';
import { inStatus } from './case-status.ts';
import { isOver, withExtension } from './episode.ts';
import { requireCase, teamsOfCase } from './find-cases.ts';
import { cancelWork, type OpenWork, openWork } from './open-work.ts';

/** From planned or the waiting list to work. */
export function activateCase(records: Records, caller: Caller, id: string, input: CaseStep): Promise<Planned> {
  return moveCase(records, caller, id, {
    status: 'active',
    event: 'activation',
    from: ['planned', 'waitlist'],
    ...input,
  });
}

export function holdCase(records: Records, caller: Caller, id: string, input: ReasonedStep): Promise<Planned> {
  return moveCase(records, caller, id, { status: 'onhold', event: 'hold', from: ['active'], ...input });
}

export function resumeCase(records: Records, caller: Caller, id: string, input: CaseStep): Promise<Planned> {
  return moveCase(records, caller, id, { status: 'active', event: 'resumption', from: ['onhold'], ...input });
}

/** @throws Fault not-found; unprocessable; conflict while interventions are open that are not to be cancelled */
export function closeCase(records: Records, caller: Caller, id: string, input: CloseCase): Promise<Planned> {
  return endCase(records, caller, id, { status: 'finished', event: 'closure', ...input });
}

/** A case that should not have been, or does not come about. @throws as closeCase */
export function cancelCase(records: Records, caller: Caller, id: string, input: CancelCase): Promise<Planned> {
  return endCase(records, caller, id, { status: 'cancelled', event: 'cancellation', ...input });
}

interface Move {
  readonly status: 'active' | 'onhold' | 'finished' | 'cancelled';
  readonly event: keyof typeof CASE_EVENTS;
  readonly reason?: Coded;
  readonly note?: string;
}

async function moveCase(
  records: Records,
  caller: Caller,
  id: string,
  { status, event, from, reason, note }: Move & { readonly from: readonly EpisodeOfCare['status'][] },
): Promise<Planned> {
  const episode = await requireCase(records, id);
  if (!from.includes(episode.status)) {
    const sentence = `Only a case that is ${from.join(' or ')} can do this; it is ${episode.status}.`;
    throw new Fault('unprocessable', sentence, { expression: 'EpisodeOfCare.status', code: 'business-rule' });
  }
  return {
    about: 0,
    changes: [update(episode, inStatus(episode, status, caller, reason)), ...noteOfEvent(episode, event, caller, note)],
  };
}

interface End extends Move {
  readonly status: 'finished' | 'cancelled';
  readonly reason: Coded;
  readonly outcome?: Coded;
  readonly outstanding?: 'refuse' | 'cancel';
}

/** With the case end its plan and its team. */
async function endCase(records: Records, caller: Caller, id: string, end: End): Promise<Planned> {
  const { status, event, reason, outcome, outstanding = 'refuse', note } = end;
  const episode = await requireCase(records, id);
  const next = inStatus(episode, status, caller, reason);
  const [plans, teams] = await Promise.all([readablePlansOfCase(records, id), teamsOfCase(records, episode)]);
  const work = await openWork(records, `Patient/${idOf(episode.patient, 'Patient') ?? ''}`, plans);
  if (outstanding === 'refuse') refuseOpen(work);
  const at = toFhirDateTime(caller.now, caller.zone);
  return {
    about: 0,
    releases: true,
    changes: [
      update(
        episode,
        outcome ? withExtension(next, EXTENSION.caseOutcome, { valueCodeableConcept: conceptOf(outcome) }) : next,
      ),
      ...plans.filter(isGoingOn).map((plan) => update(plan, endedPlan(plan, status, at))),
      ...teams.map((team) => update(team, endedTeam(team, at))),
      ...cancelWork(work, conceptOf(reason), caller),
      ...noteOfEvent(episode, event, caller, note),
    ],
  };
}

/** @throws Fault conflict naming what is open */
function refuseOpen({ tasks, orders }: OpenWork): void {
  const open = [...tasks.map(({ id }) => `Task/${id}`), ...orders.map(({ id }) => `ServiceRequest/${id}`)];
  if (open.length === 0) return;
  const named = `${open.slice(0, MOST_NAMED).join(', ')}${open.length > MOST_NAMED ? '…' : ''}`;
  throw new Fault(
    'conflict',
    `${open.length} of the case's interventions are open (${named}): finish them, or send outstanding: cancel.`,
    { expression: 'outstanding', code: 'business-rule', context: { open: open.length } },
  );
}

const MOST_NAMED = 5;

const isGoingOn = ({ status }: CarePlan) => status === 'active' || status === 'on-hold' || status === 'draft';

/** A plan that never began cannot have been completed. */
function endedPlan(plan: Kept<'CarePlan'>, as: End['status'], end: string): CarePlan {
  const status = as === 'finished' && plan.status !== 'draft' ? 'completed' : 'revoked';
  const generated = plan.text === undefined || plan.text.status === 'generated';
  const text = generated
    ? narrative(plan.title ?? 'Care plan', [`Status: ${status}`, `Ended ${end.slice(0, 10)}`])
    : plan.text;
  return { ...plan, status, period: { ...plan.period, end }, ...(text ? { text } : {}) };
}

function endedTeam(team: Kept<'CareTeam'>, end: string): CareTeam {
  const participant = team.participant?.map((each) =>
    each.period?.end === undefined ? { ...each, period: { ...each.period, end } } : each,
  );
  return { ...team, status: 'inactive', period: { ...team.period, end }, ...(participant ? { participant } : {}) };
}

/** @throws Fault not-found; unprocessable when the case is over */
export async function reviseCase(records: Records, id: string, input: ReviseCase): Promise<Planned> {
  const episode = await requireCase(records, id);
  if (isOver(episode)) {
    throw new Fault('unprocessable', `The case is ${episode.status}; it stays as it is.`, {
      expression: 'EpisodeOfCare.status',
      code: 'business-rule',
    });
  }
  return { about: 0, changes: [update(episode, revised(episode, input))] };
}

function revised(episode: Kept<'EpisodeOfCare'>, input: ReviseCase): EpisodeOfCare {
  const { priority, reasons, diagnoses, organization } = input;
  let next: EpisodeOfCare = { ...episode };
  if (priority !== undefined) {
    next = withExtension(next, EXTENSION.casePriority, priority === null ? undefined : { valueCode: priority });
  }
  if (reasons !== undefined) {
    const others = (next.extension ?? []).filter(({ url }) => url !== EXTENSION.caseReason);
    const own = reasons.map(
      (each): Extension => ({ url: EXTENSION.caseReason, valueCodeableConcept: conceptOf(each) }),
    );
    next = { ...next, extension: [...others, ...own] };
    if (next.extension?.length === 0) delete next.extension;
  }
  if (diagnoses !== undefined) {
    const kept = new Map(next.diagnosis?.map((each) => [each.condition.reference, each]));
    next = { ...next, diagnosis: diagnoses.map((condition) => kept.get(condition.reference) ?? { condition }) };
    if (diagnoses.length === 0) delete next.diagnosis;
  }
  if (organization === null) delete next.managingOrganization;
  else if (organization !== undefined) next = { ...next, managingOrganization: organization };
  return next;
}

function update(
  { meta }: { readonly meta: { readonly versionId: string } },
  resource: Extract<Change, { op: 'update' }>['resource'],
): Change {
  return { op: 'update', resource, ifMatch: meta.versionId };
}
