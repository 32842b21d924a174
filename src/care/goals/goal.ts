// A goal of a case as a Goal, and back. https://hl7.org/fhir/R4/goal.html
import type { Goal } from '@medplum/fhirtypes';
import type { CaseAtHand } from '../case-at-hand.ts';
import { codedOf, conceptOf } from '../coded.ts';
import { today } from '../given-time.ts';
import { linkedOf } from '../linked.ts';
import { GRAVITY_CODES, SOCIAL_NEEDS } from '../needs/social-needs.ts';
import { notesOf, withNote } from '../note.ts';
import { CLAIMS, GRAVITY_CLAIMS } from '../plans/claims.ts';
import type { Caller, Kept } from '../records.ts';
import { acceptancesOf } from './acceptance.ts';
import { achievementOf, codeOrWords, priorityOf } from './goal-codes.ts';
import type { GoalInput, GoalRevision, GoalView } from './goal-schema.ts';
import { revisedTargets, targetOf, viewTarget } from './target.ts';

export function goalOf(input: GoalInput, { subject }: Pick<CaseAtHand, 'subject'>, caller: Caller): Goal {
  const { description, status = 'active', priority, category, targets, expressedBy, addresses, note } = input;
  return {
    resourceType: 'Goal',
    meta: { profile: [...CLAIMS.goal, ...(category ? [GRAVITY_CLAIMS.goal] : [])] },
    lifecycleStatus: status,
    ...(status === 'active' ? { achievementStatus: achievementOf('in-progress'), statusDate: today(caller) } : {}),
    ...(category ? { category: [{ coding: [{ system: GRAVITY_CODES, code: category }] }] } : {}),
    ...(priority ? { priority: priorityOf(priority) } : {}),
    description: conceptOf(description),
    subject,
    startDate: input.start ?? today(caller),
    ...(targets ? { target: targets.map(targetOf) } : {}),
    ...(expressedBy ? { expressedBy: expressedBy as Goal['expressedBy'] } : {}),
    ...(addresses ? { addresses: addresses as Goal['addresses'] } : {}),
    ...withNote(undefined, caller, note),
  } as Goal;
}

/** The goal with what is to change, and everything else as it was. */
export function revisedGoal(goal: Goal, revision: GoalRevision, caller: Caller): Goal {
  const { description, priority, start, targets, expressedBy, addresses, note } = revision;
  const revised = { ...goal };
  if (description) revised.description = conceptOf(description);
  if (priority !== undefined) delete revised.priority;
  if (priority) revised.priority = priorityOf(priority);
  if (start) {
    delete revised.startCodeableConcept;
    revised.startDate = start;
  }
  if (targets) {
    const next = revisedTargets(goal.target ?? [], targets);
    if (next.length > 0) revised.target = next;
    else delete revised.target;
  }
  if (expressedBy) revised.expressedBy = expressedBy as NonNullable<Goal['expressedBy']>;
  if (addresses) {
    const kept = addresses.map((one) => goal.addresses?.find(({ reference }) => reference === one.reference) ?? one);
    if (kept.length > 0) revised.addresses = kept as NonNullable<Goal['addresses']>;
    else delete revised.addresses;
  }
  return { ...revised, ...withNote(goal.note, caller, note) };
}

/** @param plan reference of the case's plan, when the goal is one of its goals */
export function viewGoal(goal: Kept<'Goal'>, { now, zone }: Pick<Caller, 'now' | 'zone'>, plan?: string): GoalView {
  const description = codedOf(goal.description);
  const achievement = codeOrWords(goal.achievementStatus);
  const priority = codeOrWords(goal.priority)?.replace(/^(high|medium|low)-priority$/, '$1');
  const category = socialNeedOf(goal);
  const expressedBy = linkedOf(goal.expressedBy);
  const start = goal.startDate ?? codedOf(goal.startCodeableConcept)?.text;
  const targets = (goal.target ?? []).map(viewTarget);
  const day = today({ now, zone } as Caller);
  return {
    id: goal.id,
    version: goal.meta.versionId,
    status: goal.lifecycleStatus,
    ...(goal.statusReason ? { statusReason: goal.statusReason } : {}),
    ...(achievement ? { achievement } : {}),
    ...(goal.statusDate ? { achievedOn: goal.statusDate } : {}),
    ...(description ? { description } : {}),
    ...(priority ? { priority } : {}),
    ...(category ? { category } : {}),
    ...(start ? { start } : {}),
    targets,
    overdue: isPursued(goal) && !isReached(goal) && targets.some(({ due }) => due !== undefined && due < day),
    ...(expressedBy ? { expressedBy } : {}),
    addresses: (goal.addresses ?? []).flatMap((one) => linkedOf(one) ?? []),
    acceptance: acceptancesOf(goal),
    notes: notesOf(goal.note),
    ...(plan ? { plan: { reference: plan } } : {}),
    ...(goal.meta.source ? { origin: goal.meta.source } : {}),
  };
}

/** Gravity's code of the social need that a goal is about. */
export function socialNeedOf({ category }: Goal): string | undefined {
  const codings = category?.flatMap(({ coding }) => coding ?? []) ?? [];
  const code = codings.find(({ system }) => system === GRAVITY_CODES)?.code;
  return SOCIAL_NEEDS.find((one) => one === code);
}

const PURSUED = new Set<Goal['lifecycleStatus']>(['proposed', 'planned', 'accepted', 'active', 'on-hold']);

/** Neither over nor given up. */
export const isPursued = ({ lifecycleStatus }: Goal) => PURSUED.has(lifecycleStatus);

function isReached({ achievementStatus }: Goal): boolean {
  const code = codeOrWords(achievementStatus);
  return code === 'achieved' || code === 'sustaining';
}
